/*
 * Policy for new passwords, STANDARDS 4.3: what opens one side only is
 * refused, each time with the sentence that fits.
 */

#include <string.h>

#include "core/err.h"
#include "core/password.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define A8	"aaaaaaaa"
#define A32	A8 A8 A8 A8
#define A128	A32 A32 A32 A32

static const struct {
	const char	*password;
	const char	*ascii;		/* part of the sentence; NULL: good */
	const char	*opt_in;	/* the same with non_ascii */
} cases[] = {
	{ "wonderland", NULL, NULL },
	{ A8, NULL, NULL },
	{ A128, NULL, NULL },
	{ "won der:land\"\\'~", NULL, NULL },
	{ "", "is empty", "is empty" },
	{ "aaaaaaa", "too short", "too short" },
	{ A128 "a", "too long", "too long" },
	{ " wonderland", "a blank", "a blank" },
	{ "wonderland ", "a blank", "a blank" },
	{ "        ", "a blank", "a blank" },
	{ "wonder\tland", "control", "control" },
	{ "wonderland\n", "control", "control" },
	{ "wonderland\r\n", "control", "control" },
	{ "wonder\x7fland", "control", "control" },
	/* NFC and SASLprep and OpaqueString agree */
	{ "n\xc3\xa4ive123", "not ASCII", NULL },
	{ "gr\xc3\xbc\xc3\x9f" "e123", "not ASCII", NULL },
	{ "\xd0\x96\xd0\xb6\xd0\x96\xd0\xb6", "not ASCII", NULL },
	{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "not ASCII", NULL },
	{ "\xed\x95\x9c\xea\xb8\x80xx", "not ASCII", NULL },
	/* Arabic letters around ASCII and both kinds of digits */
	{ "\xd8\xa7" "12345\xd8\xa7", "not ASCII", NULL },
	{ "\xd8\xa7\xd9\xa1\xd9\xa2\xd8\xa7", "not ASCII", NULL },
	{ "\xd8\xa7\xdb\xb1\xdb\xb2\xd8\xa7", "not ASCII", NULL },
	{ "\xd8\xa7\xd9\xa1\xdb\xb2\xd8\xa7", "not ASCII", "Arabic digits" },
	/* not UTF-8 */
	{ "gr\xfc\xdf" "e123", "not ASCII", "not valid UTF-8" },
	{ "wonderland\xc3", "not ASCII", "not valid UTF-8" },
	{ "wonder\xed\xa0\x80land", "not ASCII", "not valid UTF-8" },
	/* the table of STANDARDS 4.3 */
	{ "I\xc2\xadXIXIXIX", "not ASCII", "replace by another" },
	{ "wonder\xc2\xaaland", "not ASCII", "replace by another" },
	{ "wonder\xe2\x85\xa8land", "not ASCII", "replace by another" },
	{ "wonder\xc2\xbdland", "not ASCII", "replace by another" },
	{ "wonder\xc2\xb4land", "not ASCII", "replace by another" },
	{ "wonder\xc2\xa0land", "not ASCII", "replace by another" },
	{ "wonder\xef\xac\x81land", "not ASCII", "replace by another" },
	{ "wonder\xe2\x84\xabland", "not ASCII", "replace by another" },
	{ "na\xcc\x88ive123", "not ASCII", "replace by another" },
	{ "wonder\xf0\x9f\x98\x80land", "not ASCII", "cannot contain" },
	{ "\xd8\xa7" "1234567", "not ASCII", "cannot contain" },
	{ "wonder\xe2\x80\x8bland", "not ASCII", "cannot contain" },
	{ "wonder\xee\x80\x80land", "not ASCII", "cannot contain" },
	{ "wonder\xc2\x85land", "not ASCII", "cannot contain" },
	/* SASLprep leaves nothing of it */
	{ "\xc2\xad\xc2\xad\xc2\xad\xc2\xad", "not ASCII",
	    "replace by another" },
	/* passes SASLprep, not OpaqueString */
	{ "wonder\xc2\xb7land", "not ASCII", "RFC 8265" },
	{ "wonder\xcd\xb5land", "not ASCII", "RFC 8265" },
	{ "\xd7\x90\xd7\xb3\xd7\xb4\xd7\x90", "not ASCII", "RFC 8265" },
	{ "\xd8\xa7\xd9\x80\xd9\x80\xd8\xa7", "not ASCII", "RFC 8265" },
	{ "wonder\xe1\x84\x80land", "not ASCII", "RFC 8265" },
	{ "wonder\xe1\x9e\xb4land", "not ASCII", "RFC 8265" },
	{ "wonder\xe3\x80\xb1land", "not ASCII", "RFC 8265" },
	{ "wonder\xe3\x80\xbbland", "not ASCII", "RFC 8265" },
	{ "wonder\xe3\x83\xbbland", "not ASCII", "RFC 8265" }
};

static void
check(struct span password, bool non_ascii, const char *part)
{
	const char *why = "";
	int rc = password_check_new(password, non_ascii, &why);

	if (part == NULL) {
		ck_assert_msg(rc == 0, "%s", why);
		ck_assert_ptr_null(why);
		return;
	}
	ck_assert_int_lt(rc, 0);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, part) != NULL, "%s", why);
	ck_assert_int_eq(why[strlen(why) - 1], '.');
}

START_TEST(rfc4013_rfc8265)
{
	check(span_str(cases[_i].password), false, cases[_i].ascii);
	check(span_str(cases[_i].password), true, cases[_i].opt_in);
}
END_TEST

START_TEST(nul)
{
	check(span_mem("wonder\0land", 11), false, "control");
	check(span_mem("wonderland\0", 11), true, "control");
}
END_TEST

/* Bounds are octets, for RADIUS counts them. */
START_TEST(non_ascii_bounds)
{
	uint8_t text[130];

	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	check(span_mem(text, 6), true, "too short");
	check(span_mem(text, 8), true, NULL);
	check(span_mem(text, 128), true, NULL);
	check(span_mem(text, 130), true, "too long");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("password");
	TCase *tc = tcase_create("password");

	tcase_add_loop_test(tc, rfc4013_rfc8265, 0, COUNT(cases));
	tcase_add_test(tc, nul);
	tcase_add_test(tc, non_ascii_bounds);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
