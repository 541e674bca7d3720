/*
 * Commands that people paste into a shell: one word per value, whatever is in
 * it.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/scripts.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*value, *word;
} values[] = {
	{ "alice@example.com", "alice@example.com" },
	{ "a-b_c.d", "a-b_c.d" }, { "/etc/x:y", "/etc/x:y" },
	{ "", "''" }, { "*", "'*'" }, { "a b", "'a b'" },
	{ "$HOME", "'$HOME'" }, { "`id`", "'`id`'" },
	{ "it's", "'it'\\''s'" }, { "'; rm -rf / #", "''\\''; rm -rf / #'" },
	{ "a\nb", "'a\nb'" }, { "\xc3\xa4", "'\xc3\xa4'" },
	{ "o=k$a@example.com", "'o=k$a@example.com'" },
	{ "$(reboot)@example.com", "'$(reboot)@example.com'" }
};

START_TEST(one_word)
{
	const struct script_value pair[] = {
		{ "user", values[_i].value }, { NULL, NULL }
	};
	char out[SCRIPTS_COMMAND_MAX], start[128];

	scripts_command(NULL, "user-add", pair, out, sizeof(out));
	/* Behind "user=" nothing is a word without quotes too. */
	(void)snprintf(start, sizeof(start), "psql -v user=%s -f /",
	    values[_i].value[0] == '\0' ? "" : values[_i].word);
	ck_assert_msg(strncmp(out, start, strlen(start)) == 0, "%s", out);
	ck_assert_ptr_nonnull(strstr(out, "/share/onecred/sql/user-add.sql"));
}
END_TEST

START_TEST(a_word_alone)
{
	char out[64];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	scripts_word(&wb, span_str(values[_i].value));
	ck_assert(!wb.failed);
	ck_assert(span_equal(wbuf_written(&wb), span_str(values[_i].word)));
	/* No room for all of it: said, never cut. */
	wbuf_init(&wb, out, strlen(values[_i].word) - 1);
	scripts_word(&wb, span_str(values[_i].value));
	ck_assert(wb.failed);
}
END_TEST

START_TEST(several)
{
	const struct script_value all[SCRIPTS_VALUES_MAX] = {
		{ "a", "1" }, { "b", "2" }, { "c", "3" }, { "d", "4" }
	};
	char out[SCRIPTS_COMMAND_MAX];

	scripts_command("one cred", "x", all, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out,
	    "psql -d 'one cred' -v a=1 -v b=2 -v c=3 -v d=4 -f /"));
	scripts_command("", "x", NULL, out, sizeof(out));
	ck_assert(strncmp(out, "psql -f /", 9) == 0);
	/* Half a command is none. */
	for (size_t cap = 1; cap < 20; cap++) {
		scripts_command("onecred", "x", all, out, cap);
		ck_assert_str_eq(out, "");
	}
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("scripts");
	TCase *tc = tcase_create("command");

	tcase_add_loop_test(tc, one_word, 0, (int)COUNT(values));
	tcase_add_loop_test(tc, a_word_alone, 0, (int)COUNT(values));
	tcase_add_test(tc, several);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
