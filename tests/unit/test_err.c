/*
 * Phrases for error numbers: each has one of its own, none is ever NULL.
 */

#include <limits.h>
#include <string.h>

#include "core/err.h"
#include "unit.h"

START_TEST(phrases)
{
	for (int i = 0; i <= ERR_RANGE; i++) {
		ck_assert_str_eq(err_str(i), err_str(-i));
		ck_assert_str_ne(err_str(i), "unknown error");
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(err_str(i), err_str(j));
	}
	ck_assert_str_eq(err_str(0), "no error");
	ck_assert_str_eq(err_str(-ERR_NOMEM), "out of memory");
}
END_TEST

static const int unknown[] = {
	ERR_RANGE + 1, -ERR_RANGE - 1, 1000, -1000, INT_MAX, INT_MIN,
	INT_MIN + 1
};

START_TEST(unknown_numbers)
{
	ck_assert_str_eq(err_str(unknown[_i]), "unknown error");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("err");
	TCase *tc = tcase_create("err");

	tcase_add_test(tc, phrases);
	tcase_add_loop_test(tc, unknown_numbers, 0,
	    sizeof(unknown) / sizeof(unknown[0]));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
