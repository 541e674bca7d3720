/*
 * Owned secrets: copies, wiping, comparison.
 */

#include <string.h>

#include "core/secret.h"
#include "unit.h"

START_TEST(set_and_free)
{
	struct secret s = { NULL, 0 };
	char from[] = "wonderland";

	ck_assert_int_eq(secret_set(&s, span_str(from)), 0);
	ck_assert_ptr_ne(s.p, from);
	from[0] = 'W';
	ck_assert(span_equal(secret_span(&s), SPAN_LIT("wonderland")));
	/* Replaced, also by a part of itself. */
	ck_assert_int_eq(secret_set(&s, span_tail(secret_span(&s), 6)), 0);
	ck_assert(span_equal(secret_span(&s), SPAN_LIT("land")));
	ck_assert_int_eq(secret_set(&s, SPAN_LIT("a\0b")), 0);
	ck_assert_uint_eq(s.n, 3);
	ck_assert_int_eq(secret_set(&s, SPAN_EMPTY), 0);
	ck_assert_uint_eq(s.n, 0);
	secret_free(&s);
	ck_assert_ptr_null(s.p);
	ck_assert_uint_eq(s.n, 0);
	secret_free(&s);
	ck_assert_uint_eq(secret_span(&s).n, 0);
}
END_TEST

START_TEST(wiped)
{
	static const uint8_t want[] = { 'x', 0, 0, 0, 'x' };
	uint8_t octets[5];

	memset(octets, 'x', sizeof(octets));
	secret_wipe(octets + 1, 3);
	ck_assert_int_eq(memcmp(octets, want, sizeof(want)), 0);
	secret_wipe(octets, 0);
	ck_assert_int_eq(octets[0], 'x');
	secret_wipe(NULL, 0);
}
END_TEST

START_TEST(compared)
{
	uint8_t a[64], b[64];

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (uint8_t)i;
	ck_assert(secret_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++)
		for (unsigned int bit = 1; bit < 256; bit <<= 1) {
			b[i] ^= (uint8_t)bit;
			ck_assert(!secret_equal(a, b, sizeof(a)));
			ck_assert(secret_equal(a, b, i));
			b[i] ^= (uint8_t)bit;
		}
	ck_assert(secret_equal(NULL, NULL, 0));
}
END_TEST

START_TEST(compared_spans)
{
	ck_assert(secret_equal_span(SPAN_LIT("a\0b"), SPAN_LIT("a\0b")));
	ck_assert(!secret_equal_span(SPAN_LIT("a\0b"), SPAN_LIT("a\0c")));
	ck_assert(!secret_equal_span(SPAN_LIT("ab"), SPAN_LIT("abc")));
	ck_assert(!secret_equal_span(SPAN_LIT("abc"), SPAN_LIT("ab")));
	ck_assert(!secret_equal_span(SPAN_LIT("a"), SPAN_EMPTY));
	ck_assert(secret_equal_span(SPAN_EMPTY, SPAN_EMPTY));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("secret");

	tcase_add_test(tc, set_and_free);
	tcase_add_test(tc, wiped);
	tcase_add_test(tc, compared);
	tcase_add_test(tc, compared_spans);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
