/*
 * The words of the log line, and that nothing but ALLOW reads as yes.
 */

#include <string.h>

#include "core/verdict.h"
#include "unit.h"

START_TEST(verdict_words)
{
	enum verdict zeroed;

	memset(&zeroed, 0, sizeof(zeroed));
	ck_assert_int_eq(zeroed, VERDICT_DENY);
	ck_assert_str_eq(verdict_str(VERDICT_DENY), "deny");
	ck_assert_str_eq(verdict_str(VERDICT_ALLOW), "allow");
	ck_assert_str_eq(verdict_str(VERDICT_UNAVAILABLE), "unavailable");
	ck_assert_str_eq(verdict_str((enum verdict)3), "deny");
	ck_assert_str_eq(verdict_str((enum verdict)-1), "deny");
}
END_TEST

/* DESIGN 4 fixes these words. */
static const struct {
	enum reason reason;
	const char *word;
} words[] = {
	{ REASON_NONE, "none" },
	{ REASON_OK, "ok" },
	{ REASON_WRONG_PASSWORD, "wrong-password" },
	{ REASON_UNKNOWN_USER, "unknown-user" },
	{ REASON_DISABLED, "disabled" },
	{ REASON_NO_VERIFIER, "no-verifier" },
	{ REASON_CASE, "case" },
	{ REASON_FOREIGN_DOMAIN, "foreign-domain" },
	{ REASON_UNKNOWN_REALM, "unknown-realm" },
	{ REASON_STALE, "stale" },
	{ REASON_REPLAY, "replay" },
	{ REASON_IDENTITY, "identity" },
	{ REASON_THROTTLED, "throttled" },
	{ REASON_DB_DOWN, "db-down" },
	{ REASON_KEY_MISSING, "key-missing" },
	{ REASON_MALFORMED, "malformed" },
	{ REASON_METHOD, "method" },
	{ REASON_NOT_PERMITTED, "not-permitted" },
	{ REASON_INTERNAL, "internal" }
};

START_TEST(reason_words)
{
	ck_assert_str_eq(reason_str(words[_i].reason), words[_i].word);
}
END_TEST

START_TEST(reasons_are_complete)
{
	ck_assert_uint_eq(sizeof(words) / sizeof(words[0]), REASON_COUNT);
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *word = reason_str((enum reason)i);

		ck_assert_ptr_nonnull(word);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(reason_str((enum reason)j), word);
	}
	ck_assert_str_eq(reason_str(REASON_COUNT), "none");
	ck_assert_str_eq(reason_str((enum reason)-1), "none");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("verdict");
	TCase *tc = tcase_create("verdict");

	tcase_add_test(tc, verdict_words);
	tcase_add_loop_test(tc, reason_words, 0,
	    sizeof(words) / sizeof(words[0]));
	tcase_add_test(tc, reasons_are_complete);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
