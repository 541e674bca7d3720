/*
 * SASLprep: RFC 4013 section 3, the table of STANDARDS 4.3, and octets on
 * which libidn must never be let loose.
 */

#include <string.h>

#include "core/err.h"
#include "core/saslprep.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* U+FDFA: 3 octets become 33. */
#define FDFA	"\xef\xb7\xba"
#define FDFA8	FDFA FDFA FDFA FDFA FDFA FDFA FDFA FDFA
#define FDFA32	FDFA8 FDFA8 FDFA8 FDFA8

static const struct {
	const char	*in;
	const char	*out;		/* NULL: error */
	int		 stored, query;	/* results of the two kinds */
} cases[] = {
	/* RFC 4013 section 3, which is the first half of STANDARDS 4.3 */
	{ "I\xc2\xadX", "IX", 0, 0 },
	{ "user", "user", 0, 0 },
	{ "USER", "USER", 0, 0 },
	{ "\xc2\xaa", "a", 0, 0 },
	{ "\xe2\x85\xa8", "IX", 0, 0 },
	{ "\x07", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "\xd8\xa7" "1", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	/* STANDARDS 4.3 */
	{ "\xc2\xbd", "1\xe2\x81\x84" "2", 0, 0 },
	{ "\xc2\xb4", " \xcc\x81", 0, 0 },
	{ "pass\xc2\xa0word", "pass word", 0, 0 },
	{ "nai\xcc\x88ve", "na\xc3\xafve", 0, 0 },
	{ "na\xcc\x88ive", "n\xc3\xa4ive", 0, 0 },
	{ "\xef\xac\x81", "fi", 0, 0 },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", -ERR_CHARACTER, 0 },
	{ "\xe2\x84\xab", "\xc3\x85", 0, 0 },
	{ "a\xe2\x80\x8b" "b", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "The\xc2\xadM\xc2\xaatr\xe2\x85\xa8", "TheMatrIX", 0, 0 },
	/* ASCII is left alone, blanks too */
	{ " wonder land ", " wonder land ", 0, 0 },
	{ "~!@#$%^&*()_+{}|:\"<>?[]\\;',./`",
	    "~!@#$%^&*()_+{}|:\"<>?[]\\;',./`", 0, 0 },
	/* right to left throughout is good */
	{ "\xd8\xa7" "1\xd8\xa7", "\xd8\xa7" "1\xd8\xa7", 0, 0 },
	{ "\xd8\xa7" "a\xd8\xa7", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	/* prohibited: DEL, C1, BOM inside tags, private use, nonchar, object
	   replacement, ideographic description, deprecated, tags */
	{ "a\x7f", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\tb", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\nb", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xc2\x85", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xee\x80\x80", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xef\xbf\xbf", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xef\xbf\xbd", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xe2\xbf\xb0", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xe2\x80\xae", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xf3\xa0\x80\x81", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	{ "a\xf4\x8f\xbf\xbf", NULL, -ERR_CHARACTER, -ERR_CHARACTER },
	/* nothing left, or nothing at all */
	{ "\xc2\xad", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "\xef\xbb\xbf\xc2\xad", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "", NULL, -ERR_FORMAT, -ERR_FORMAT },
	/* not UTF-8 */
	{ "\xff", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "abc\xc3", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "abc\xe2\x82", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "abc\xf0\x9f\x98", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "\xc0\xafxyz", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "\xed\xa0\x80", NULL, -ERR_FORMAT, -ERR_FORMAT },
	{ "gr\xfc\xdf" "e", NULL, -ERR_FORMAT, -ERR_FORMAT },
	/* grows: 32 of them are 1056 octets */
	{ FDFA32, NULL, -ERR_TOO_LONG, -ERR_TOO_LONG }
};

static void
check(struct span in, enum saslprep_kind kind, int rc, const char *want)
{
	struct secret out = { NULL, 7 };

	ck_assert_int_eq(saslprep(in, kind, &out), rc);
	if (rc == 0)
		ck_assert(span_equal(secret_span(&out), span_str(want)));
	else {
		ck_assert_ptr_null(out.p);
		ck_assert_uint_eq(out.n, 0);
	}
	secret_free(&out);
}

START_TEST(rfc4013_section_3_and_standards_4_3)
{
	struct span in = span_str(cases[_i].in);

	check(in, SASLPREP_STORED, cases[_i].stored, cases[_i].out);
	check(in, SASLPREP_QUERY, cases[_i].query, cases[_i].out);
}
END_TEST

START_TEST(nul)
{
	check(span_mem("abc\0def", 7), SASLPREP_QUERY, -ERR_CHARACTER, NULL);
	check(span_mem("\0", 1), SASLPREP_QUERY, -ERR_CHARACTER, NULL);
	check(span_mem("abc\xc3\xa9\0", 6), SASLPREP_QUERY, -ERR_CHARACTER,
	    NULL);
}
END_TEST

START_TEST(bounds)
{
	uint8_t text[PASSWORD_MAX + 1];
	struct secret out;

	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(saslprep(span_mem(text, PASSWORD_MAX),
	    SASLPREP_QUERY, &out), 0);
	ck_assert_uint_eq(out.n, PASSWORD_MAX);
	secret_free(&out);
	check(span_mem(text, PASSWORD_MAX + 1), SASLPREP_QUERY,
	    -ERR_TOO_LONG, NULL);
	/* U+FF41, a wide "a", as often as it fits: shrinks to a third. */
	for (size_t i = 0; i + 3 <= PASSWORD_MAX; i += 3)
		memcpy(text + i, "\xef\xbd\x81", 3);
	ck_assert_int_eq(saslprep(span_mem(text, PASSWORD_MAX / 3 * 3),
	    SASLPREP_QUERY, &out), 0);
	ck_assert_uint_eq(out.n, PASSWORD_MAX / 3);
	ck_assert_uint_eq(out.p[PASSWORD_MAX / 3 - 1], 'a');
	secret_free(&out);
	/* U+FDFA as often as it fits: beyond any buffer of ours. */
	for (size_t i = 0; i + 3 <= PASSWORD_MAX; i += 3)
		memcpy(text + i, FDFA, 3);
	check(span_mem(text, PASSWORD_MAX / 3 * 3), SASLPREP_QUERY,
	    -ERR_TOO_LONG, NULL);
}
END_TEST

/* What passed once passes again, unchanged: both sides may prepare. */
START_TEST(idempotent)
{
	struct secret once, twice;

	if (cases[_i].query != 0)
		return;
	ck_assert_int_eq(saslprep(span_str(cases[_i].in), SASLPREP_QUERY,
	    &once), 0);
	ck_assert_int_eq(saslprep(secret_span(&once), SASLPREP_QUERY,
	    &twice), 0);
	ck_assert(span_equal(secret_span(&once), secret_span(&twice)));
	secret_free(&once);
	secret_free(&twice);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("saslprep");
	TCase *tc = tcase_create("saslprep");

	tcase_add_loop_test(tc, rfc4013_section_3_and_standards_4_3, 0,
	    COUNT(cases));
	tcase_add_test(tc, nul);
	tcase_add_test(tc, bounds);
	tcase_add_loop_test(tc, idempotent, 0, COUNT(cases));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
