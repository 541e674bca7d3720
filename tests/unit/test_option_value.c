/*
 * Option values by type: what is understood, what is refused, and that what
 * is printed is read back as the same.
 */

#include <string.h>

#include "core/err.h"
#include "daemon/option_value.h"
#include "unit.h"

struct fields {
	char		*string;
	unsigned int	 number;
	struct word_list words;
};

#define STRING(min, max, flags) \
	{ "s", "k", OPTION_STRING, NULL, min, max, NULL, flags, \
	    offsetof(struct fields, string), "" }
#define NUMBER(type, min, max, choices) \
	{ "s", "k", type, NULL, min, max, choices, 0, \
	    offsetof(struct fields, number), "" }
#define WORDS \
	{ "s", "k", OPTION_WORDS, NULL, 0, 0, NULL, 0, \
	    offsetof(struct fields, words), "" }

static const struct {
	struct option_def	 def;
	const char		*text;
	unsigned int		 number;
	const char		*printed;
} good[] = {
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "1", 1, "1" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "016", 16, "16" },
	{ NUMBER(OPTION_UINT, 0, UINT32_MAX, NULL), "4294967295",
	    UINT32_MAX, "4294967295" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "200ms", 200, "200ms" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "5s", 5000, "5s" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "1m", 60000, "1m" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "90s", 90000, "90s" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "2h", 7200000, "2h" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "1500ms", 1500,
	    "1500ms" },
	{ NUMBER(OPTION_DURATION, 0, 9999999, NULL), "0s", 0, "0ms" },
	{ NUMBER(OPTION_SIZE, 0, 9999999, NULL), "512", 512, "512" },
	{ NUMBER(OPTION_SIZE, 0, 9999999, NULL), "64k", 65536, "64k" },
	{ NUMBER(OPTION_SIZE, 0, 9999999, NULL), "1024k", 1048576, "1m" },
	{ NUMBER(OPTION_MODE, 0, 0777, NULL), "0660", 0660, "0660" },
	{ NUMBER(OPTION_MODE, 0, 0777, NULL), "7", 07, "0007" },
	{ NUMBER(OPTION_CHOICE, 0, 0, "drop|reject"), "drop", 0, "drop" },
	{ NUMBER(OPTION_CHOICE, 0, 0, "drop|reject"), "reject", 1,
	    "reject" },
	{ NUMBER(OPTION_FLAGS, 0, 0, "a|bb|c"), "c a", 5, "a c" },
	{ NUMBER(OPTION_FLAGS, 0, 0, "a|bb|c"), "bb,bb", 2, "bb" },
	{ STRING(1, 4, 0), "abcd", 0, "abcd" },
	{ STRING(1, 400, OPT_SECRET), "password=x", 0, "<set>" },
	{ WORDS, "a b,c", 0, "a b c" },
	{ WORDS, "\"My Realm\" b", 0, "\"My Realm\" b" },
	{ WORDS, "one", 0, "one" }
};

START_TEST(understood_and_printed)
{
	struct fields f = { 0 };
	char why[128] = "", out[256];
	struct wbuf wb;

	ck_assert_msg(option_set(&good[_i].def, span_str(good[_i].text), &f,
	    why, sizeof(why)) == 0, "%s", why);
	ck_assert_uint_eq(f.number, good[_i].number);
	wbuf_init(&wb, out, sizeof(out));
	option_format(&good[_i].def, &f, &wb);
	ck_assert_msg(span_equal(wbuf_written(&wb),
	    span_str(good[_i].printed)), "%.*s", (int)wb.n, out);
	/* Once more over what is there: nothing leaks, nothing adds up. */
	ck_assert_int_eq(option_set(&good[_i].def, span_str(good[_i].text),
	    &f, why, sizeof(why)), 0);
	option_clear(&good[_i].def, &f);
	ck_assert_ptr_null(f.string);
	ck_assert_uint_eq(f.number, 0);
	ck_assert_uint_eq(f.words.count, 0);
}
END_TEST

static const struct {
	struct option_def	 def;
	const char		*text;
	const char		*why;
} bad[] = {
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "", "needs a value" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "0", "must be between 1 and 16" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "17",
	    "must be between 1 and 16" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "-1", "must be a number" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "2x", "must be a number" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "two", "must be a number" },
	{ NUMBER(OPTION_UINT, 1, 16, NULL), "99999999999999999999",
	    "must be a number" },
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "5",
	    "must be a duration" },
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "5 s",
	    "must be a duration" },
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "s",
	    "must be a duration" },
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "1.5s",
	    "must be a duration" },
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "49ms",
	    "must be between 50 and 20000 milliseconds" },
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "21s",
	    "must be between" },
	/* 4294967295 h in ms is more than 64 bits would like to hide. */
	{ NUMBER(OPTION_DURATION, 50, 20000, NULL), "4294967295h",
	    "must be between" },
	{ NUMBER(OPTION_SIZE, 1, 65536, NULL), "65k", "must be between" },
	{ NUMBER(OPTION_SIZE, 1, 65536, NULL), "4194305k",
	    "must be between" },
	{ NUMBER(OPTION_SIZE, 1, 65536, NULL), "64K", "must be a size" },
	{ NUMBER(OPTION_MODE, 0, 0777, NULL), "0668", "must be an octal" },
	{ NUMBER(OPTION_MODE, 0, 0777, NULL), "1777", "must be an octal" },
	{ NUMBER(OPTION_MODE, 0, 0777, NULL), "rw", "must be an octal" },
	{ NUMBER(OPTION_CHOICE, 0, 0, "drop|reject"), "dro",
	    "must be one of drop|reject" },
	{ NUMBER(OPTION_CHOICE, 0, 0, "drop|reject"), "drop|reject",
	    "must be one of" },
	{ NUMBER(OPTION_FLAGS, 0, 0, "a|bb"), "a x", "must be some of" },
	{ NUMBER(OPTION_FLAGS, 0, 0, "a|bb"), ",", "must be some of" },
	{ STRING(2, 4, 0), "a", "must have 2 to 4 octets" },
	{ STRING(2, 4, 0), "abcde", "must have 2 to 4 octets" },
	{ WORDS, ",", "must be 1 to 256 words" },
	{ WORDS, "\"open", "must be 1 to 256 words" },
	{ WORDS, "\"\"", "must be 1 to 256 words" },
	{ WORDS, "a\"b", "must be 1 to 256 words" }
};

START_TEST(refused_with_a_reason)
{
	struct fields f = { NULL, 7, { NULL, 0 } };
	char why[128] = "";

	ck_assert_int_lt(option_set(&bad[_i].def, span_str(bad[_i].text), &f,
	    why, sizeof(why)), 0);
	ck_assert_msg(strncmp(why, bad[_i].why, strlen(bad[_i].why)) == 0,
	    "\"%s\"", why);
	ck_assert_uint_eq(f.number, 7);
	ck_assert_ptr_null(f.string);
	ck_assert_uint_eq(f.words.count, 0);
}
END_TEST

START_TEST(too_many_words)
{
	static const struct option_def def = WORDS;
	char text[2 * 257], why[128];
	struct fields f = { 0 };

	memset(text, ' ', sizeof(text));
	for (size_t i = 0; i < 257; i++)
		text[2 * i] = 'w';
	ck_assert_int_lt(option_set(&def, span_mem(text, sizeof(text)), &f,
	    why, sizeof(why)), 0);
	ck_assert_int_eq(option_set(&def, span_mem(text, sizeof(text) - 2),
	    &f, why, sizeof(why)), 0);
	ck_assert_uint_eq(f.words.count, 256);
	option_clear(&def, &f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("option_value");
	TCase *tc = tcase_create("option_value");

	tcase_add_loop_test(tc, understood_and_printed, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, refused_with_a_reason, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, too_many_words);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
