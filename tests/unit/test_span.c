/*
 * Views of octets: the empty ones, NUL inside, and both ends of every index.
 */

#include <string.h>

#include "core/err.h"
#include "core/span.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

START_TEST(made)
{
	static const char text[] = "ab\0c";
	struct span s;

	s = span_str(NULL);
	ck_assert_ptr_null(s.p);
	ck_assert_uint_eq(s.n, 0);
	s = span_str(text);
	ck_assert_uint_eq(s.n, 2);
	s = span_mem(text, 4);
	ck_assert_ptr_eq(s.p, text);
	ck_assert_uint_eq(s.n, 4);
	s = SPAN_LIT("ab\0c");
	ck_assert_uint_eq(s.n, 4);
	ck_assert(span_equal(s, span_mem(text, 4)));
}
END_TEST

static const struct {
	struct span a, b;
	bool equal, nocase;
} pairs[] = {
	{ { NULL, 0 }, { NULL, 0 }, true, true },
	{ { NULL, 0 }, { (const uint8_t *)"x", 0 }, true, true },
	{ { (const uint8_t *)"a", 1 }, { NULL, 0 }, false, false },
	{ { (const uint8_t *)"abc", 3 }, { (const uint8_t *)"abc", 3 }, true,
	  true },
	{ { (const uint8_t *)"abc", 3 }, { (const uint8_t *)"aBC", 3 }, false,
	  true },
	{ { (const uint8_t *)"abc", 3 }, { (const uint8_t *)"abcd", 4 },
	  false, false },
	{ { (const uint8_t *)"a\0b", 3 }, { (const uint8_t *)"a\0c", 3 },
	  false, false },
	{ { (const uint8_t *)"a\0b", 3 }, { (const uint8_t *)"A\0B", 3 },
	  false, true },
	/* Only ASCII letters fold: '@' and '`', '[' and '{' differ by 32. */
	{ { (const uint8_t *)"@[", 2 }, { (const uint8_t *)"`{", 2 }, false,
	  false },
	{ { (const uint8_t *)"\xc4", 1 }, { (const uint8_t *)"\xe4", 1 },
	  false, false },
	{ { (const uint8_t *)"AZ", 2 }, { (const uint8_t *)"az", 2 }, false,
	  true }
};

START_TEST(compared)
{
	ck_assert_int_eq(span_equal(pairs[_i].a, pairs[_i].b),
	    pairs[_i].equal);
	ck_assert_int_eq(span_equal(pairs[_i].b, pairs[_i].a),
	    pairs[_i].equal);
	ck_assert_int_eq(span_equal_nocase(pairs[_i].a, pairs[_i].b),
	    pairs[_i].nocase);
	ck_assert_int_eq(span_equal_nocase(pairs[_i].b, pairs[_i].a),
	    pairs[_i].nocase);
}
END_TEST

START_TEST(found)
{
	struct span s = SPAN_LIT("a@b@\0@c");

	ck_assert_uint_eq(span_find(s, '@'), 1);
	ck_assert_uint_eq(span_rfind(s, '@'), 5);
	ck_assert_uint_eq(span_find(s, '\0'), 4);
	ck_assert_uint_eq(span_rfind(s, 'a'), 0);
	ck_assert_uint_eq(span_find(s, 'c'), 6);
	ck_assert_uint_eq(span_find(s, 'x'), s.n);
	ck_assert_uint_eq(span_rfind(s, 'x'), s.n);
	ck_assert_uint_eq(span_find(SPAN_EMPTY, 'x'), 0);
	ck_assert_uint_eq(span_rfind(SPAN_EMPTY, 'x'), 0);
	/* Not one octet further than the view goes. */
	ck_assert_uint_eq(span_find(span_head(s, 1), '@'), 1);
}
END_TEST

START_TEST(cut)
{
	struct span s = SPAN_LIT("abc");

	ck_assert(span_equal(span_head(s, 2), SPAN_LIT("ab")));
	ck_assert(span_equal(span_head(s, 0), SPAN_EMPTY));
	ck_assert(span_equal(span_head(s, 3), s));
	ck_assert(span_equal(span_head(s, SIZE_MAX), s));
	ck_assert(span_equal(span_tail(s, 0), s));
	ck_assert(span_equal(span_tail(s, 2), SPAN_LIT("c")));
	ck_assert_uint_eq(span_tail(s, 3).n, 0);
	ck_assert_uint_eq(span_tail(s, SIZE_MAX).n, 0);
	ck_assert_uint_eq(span_tail(SPAN_EMPTY, 1).n, 0);
	ck_assert_uint_eq(span_head(SPAN_EMPTY, 1).n, 0);
}
END_TEST

START_TEST(trimmed)
{
	ck_assert(span_equal(span_trim(SPAN_LIT(" \t\r\na b\r\n ")),
	    SPAN_LIT("a b")));
	ck_assert(span_equal(span_trim(SPAN_LIT("a")), SPAN_LIT("a")));
	ck_assert_uint_eq(span_trim(SPAN_LIT(" \t ")).n, 0);
	ck_assert_uint_eq(span_trim(SPAN_EMPTY).n, 0);
	/* NUL, vertical tab and no-break space are no blanks here. */
	ck_assert_uint_eq(span_trim(SPAN_LIT("\0\v\xa0")).n, 3);
}
END_TEST

START_TEST(copied)
{
	char out[4] = "zzz";

	ck_assert_int_eq(span_copy_str(SPAN_LIT("abc"), out, sizeof(out)), 0);
	ck_assert_str_eq(out, "abc");
	ck_assert_int_eq(span_copy_str(SPAN_EMPTY, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "");
	memcpy(out, "zzz", 4);
	ck_assert_int_eq(span_copy_str(SPAN_LIT("abcd"), out, sizeof(out)),
	    -ERR_TOO_LONG);
	ck_assert_str_eq(out, "");
	memcpy(out, "zzz", 4);
	ck_assert_int_eq(span_copy_str(SPAN_LIT("a\0b"), out, sizeof(out)),
	    -ERR_CHARACTER);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(span_copy_str(SPAN_EMPTY, out, 1), 0);
	/* No room even for the NUL: nothing is touched. */
	out[0] = 'z';
	ck_assert_int_eq(span_copy_str(SPAN_EMPTY, out, 0), -ERR_TOO_LONG);
	ck_assert_int_eq(out[0], 'z');
}
END_TEST

START_TEST(folded)
{
	for (int c = 0; c < 256; c++)
		ck_assert_int_eq(ascii_lower((uint8_t)c),
		    c >= 'A' && c <= 'Z' ? c + 32 : c);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("span");
	TCase *tc = tcase_create("span");

	tcase_add_test(tc, made);
	tcase_add_loop_test(tc, compared, 0, COUNT(pairs));
	tcase_add_test(tc, found);
	tcase_add_test(tc, cut);
	tcase_add_test(tc, trimmed);
	tcase_add_test(tc, copied);
	tcase_add_test(tc, folded);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
