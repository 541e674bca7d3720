/*
 * The reader of onecred.conf: what it takes, and the line number and sentence
 * of everything that it does not.
 */

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "daemon/ini.h"
#include "unit.h"

static struct ini	 ini;
static unsigned int	 line;
static const char	*why;

static int
parse(const char *text, size_t n)
{
	return ini_parse(span_mem(text, n), &ini, &line, &why);
}

START_TEST(good_file)
{
	static const char text[] =
	    "# comment\n"
	    "\n"
	    "  [database]  \r\n"
	    "conninfo =  host=/run dbname=x application_name='a b#c' \n"
	    "\tconnections=2\n"
	    "[radius-client  sip.1]\n"
	    "empty =\n"
	    "[log]";

	ck_assert_int_eq(parse(text, sizeof(text) - 1), 0);
	ck_assert_uint_eq(ini.section_count, 3);
	ck_assert_uint_eq(ini.entry_count, 3);
	ck_assert(span_equal(ini.sections[0].word, SPAN_LIT("database")));
	ck_assert_uint_eq(ini.sections[0].line, 3);
	ck_assert_uint_eq(ini.sections[0].count, 2);
	ck_assert_uint_eq(ini.sections[0].name.n, 0);
	ck_assert(span_equal(ini.entries[0].key, SPAN_LIT("conninfo")));
	ck_assert(span_equal(ini.entries[0].value,
	    SPAN_LIT("host=/run dbname=x application_name='a b#c'")));
	ck_assert(span_equal(ini.entries[1].value, SPAN_LIT("2")));
	ck_assert_uint_eq(ini.entries[1].line, 5);
	ck_assert(span_equal(ini.sections[1].word,
	    SPAN_LIT("radius-client")));
	ck_assert(span_equal(ini.sections[1].name, SPAN_LIT("sip.1")));
	ck_assert_uint_eq(ini.sections[1].first, 2);
	ck_assert_uint_eq(ini.entries[2].value.n, 0);
	ck_assert_uint_eq(ini.sections[2].count, 0);
	ck_assert_uint_eq(ini_line(&ini, &ini.sections[0], "connections"), 5);
	ck_assert_uint_eq(ini_line(&ini, &ini.sections[0], "none"), 3);
	ini_free(&ini);
	ini_free(&ini);
}
END_TEST

#define BAD(text, at, err, sentence) \
	{ text, sizeof(text) - 1, at, err, sentence }

static const struct {
	const char	*text;
	size_t		 n;
	unsigned int	 line;
	int		 err;
	const char	*why;
} bad[] = {
	BAD("key = value\n", 1, ERR_FORMAT, "a key needs a [section]"),
	BAD("[a]\n\nkey value\n", 3, ERR_FORMAT, "expected"),
	BAD("[a]\n= value\n", 2, ERR_FORMAT, "a key is made of"),
	BAD("[a]\nKey = value\n", 2, ERR_FORMAT, "a key is made of"),
	BAD("[a]\nk y = value\n", 2, ERR_FORMAT, "a key is made of"),
	BAD("[a]\nk = 1\nl = 2\nk = 3\n", 4, ERR_FORMAT, "this key was"),
	BAD("[a]\n[b]\n[a]\n", 3, ERR_FORMAT, "this section was"),
	BAD("[a b]\n[a c]\n[a  b]\n", 3, ERR_FORMAT, "this section was"),
	BAD("[a\n", 1, ERR_FORMAT, "a section needs"),
	BAD("[\n", 1, ERR_FORMAT, "a section needs"),
	BAD("[]\n", 1, ERR_FORMAT, "a section is"),
	BAD("[ ]\n", 1, ERR_FORMAT, "a section is"),
	BAD("[a b c]\n", 1, ERR_FORMAT, "a section is"),
	BAD("[a .b]\n", 1, ERR_FORMAT, "a section is"),
	BAD("[A]\n", 1, ERR_FORMAT, "a section is"),
	BAD("[a]x\n", 1, ERR_FORMAT, "a section needs"),
	BAD("[a]]\n", 1, ERR_FORMAT, "a section is"),
	BAD("[a]\nk = v # note\n", 2, ERR_FORMAT, "a comment needs"),
	BAD("[a]\nk = # note\n", 2, ERR_FORMAT, "a comment needs"),
	BAD("[a]\nk = v\0w\n", 2, ERR_CHARACTER, "control"),
	BAD("[a]\nk = v\rw\n", 2, ERR_CHARACTER, "control"),
	BAD("# \x1b[0m\n", 1, ERR_CHARACTER, "control"),
	BAD("[a]\nk = \x7f\n", 2, ERR_CHARACTER, "control"),
	BAD("\xef\xbb\xbf[a]\n", 1, ERR_FORMAT, "expected")
};

START_TEST(refused_with_its_line)
{
	ck_assert_int_eq(parse(bad[_i].text, bad[_i].n), -bad[_i].err);
	ck_assert_uint_eq(line, bad[_i].line);
	ck_assert_msg(strncmp(why, bad[_i].why, strlen(bad[_i].why)) == 0,
	    "\"%s\"", why);
	ck_assert_ptr_null(ini.sections);
	ck_assert_ptr_null(ini.entries);
	ck_assert_uint_eq(ini.entry_count, 0);
}
END_TEST

/* 4096 octets are a line, 4097 are not: nothing is cut in silence. */
START_TEST(longest_line)
{
	static char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "[a]\nk = ");

	memset(text + n, 'x', 4096 - 4);
	n += 4096 - 4;
	text[n] = '\n';
	ck_assert_int_eq(parse(text, n + 1), 0);
	ck_assert_uint_eq(ini.entries[0].value.n, 4092);
	ini_free(&ini);
	ck_assert_int_eq(parse(text, n), 0);
	ini_free(&ini);
	text[n++] = 'x';
	text[n++] = '\n';
	ck_assert_int_eq(parse(text, n), -ERR_TOO_LONG);
	ck_assert_uint_eq(line, 2);
}
END_TEST

START_TEST(bounds_of_the_file)
{
	static char text[INI_FILE_MAX + 1];
	size_t n = 0;

	memset(text, '\n', sizeof(text));
	ck_assert_int_eq(parse(text, sizeof(text) - 1), 0);
	ini_free(&ini);
	ck_assert_int_eq(parse(text, sizeof(text)), -ERR_TOO_LONG);
	for (int i = 0; i <= INI_LINES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "[a n%d]\n", i);
	ck_assert_int_eq(parse(text, n), -ERR_TOO_LONG);
	ck_assert_uint_eq(line, INI_LINES_MAX + 1);
}
END_TEST

START_TEST(empty_file)
{
	ck_assert_int_eq(parse("", 0), 0);
	ck_assert_uint_eq(ini.section_count, 0);
	ini_free(&ini);
	ck_assert_int_eq(ini_parse(SPAN_EMPTY, &ini, &line, &why), 0);
	ini_free(&ini);
}
END_TEST

/* Every prefix of a good file ends in an answer, not in a crash. */
START_TEST(truncated)
{
	static const char text[] = "[a]\nk = v\n[b c]\n# x\nl = \"m n\"\n";

	for (size_t n = 0; n < sizeof(text); n++)
		if (parse(text, n) == 0)
			ini_free(&ini);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("ini");
	TCase *tc = tcase_create("ini");

	tcase_add_test(tc, good_file);
	tcase_add_loop_test(tc, refused_with_its_line, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, longest_line);
	tcase_add_test(tc, bounds_of_the_file);
	tcase_add_test(tc, empty_file);
	tcase_add_test(tc, truncated);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
