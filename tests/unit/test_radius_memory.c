/*
 * The memory of accepted digests: the first use, the same again, another
 * response, age, and a full table against a naive model.
 */

#include <string.h>

#include "doors/radius_memory.h"
#include "unit.h"

#define LIFETIME	300000

static struct radius_memory *memory;

static void
make(size_t entries)
{
	memory = radius_memory_new(entries, LIFETIME);
	ck_assert_ptr_nonnull(memory);
}

static void
teardown(void)
{
	radius_memory_free(&memory);
	ck_assert_ptr_null(memory);
	radius_memory_free(&memory);
}

static bool
use(uint32_t key, uint8_t response, uint64_t now)
{
	struct radius_use_of of;

	/* All in few chains: the first octets choose. */
	memset(&of, 0, sizeof(of));
	of.key[0] = (uint8_t)(key % 3);
	memcpy(of.key + 8, &key, sizeof(key));
	of.response[15] = response;
	return radius_memory_use(memory, &of, now);
}

START_TEST(once_and_again)
{
	make(8);
	ck_assert(use(1, 1, 1000));
	ck_assert(use(1, 1, 1000));
	ck_assert(use(1, 1, 1000 + LIFETIME));
	ck_assert(use(2, 1, 1000));
	ck_assert_uint_eq(radius_memory_count(memory), 2);
}
END_TEST

START_TEST(another_response)
{
	make(8);
	ck_assert(use(1, 1, 0));
	ck_assert(!use(1, 2, 0));
	ck_assert(!use(1, 2, LIFETIME + 1));
	/* The first one is what was accepted, and stays it. */
	ck_assert(use(1, 1, 5));
	ck_assert_uint_eq(radius_memory_count(memory), 1);
}
END_TEST

/* NB: the time is that of the first use: repeating it does not renew it. */
START_TEST(too_old)
{
	make(8);
	for (uint64_t now = 0; now <= LIFETIME; now += LIFETIME / 3)
		ck_assert(use(1, 1, now));
	ck_assert(!use(1, 1, LIFETIME + 1));
	ck_assert(!use(1, 1, LIFETIME * 100));
}
END_TEST

START_TEST(full_forgets_the_oldest)
{
	make(4);
	for (uint32_t key = 0; key < 4; key++)
		ck_assert(use(key, 1, key));
	/* Used again is not younger. */
	ck_assert(use(0, 1, 10));
	ck_assert(use(4, 1, 11));
	ck_assert_uint_eq(radius_memory_count(memory), 4);
	for (uint32_t key = 1; key < 5; key++)
		ck_assert_msg(!use(key, 2, 12), "%u", key);
	ck_assert(use(0, 2, 13));
	ck_assert(use(1, 2, 14));
	ck_assert(!use(4, 2, 15));
}
END_TEST

START_TEST(one_entry)
{
	make(1);
	for (uint32_t key = 0; key < 100; key++) {
		ck_assert(use(key, 1, key));
		ck_assert(use(key, 1, key));
		ck_assert(!use(key, 2, key));
	}
	ck_assert_uint_eq(radius_memory_count(memory), 1);
}
END_TEST

#define MODEL_SIZE	13

/* A ring of what came last, searched from end to end. */
START_TEST(like_a_model)
{
	struct { uint32_t key; uint8_t response; uint64_t since; }
	    model[MODEL_SIZE];
	size_t count = 0, turn = 0;
	uint64_t now = 0;

	srand(7);
	make(MODEL_SIZE);
	for (int i = 0; i < 200000; i++) {
		uint32_t key = (uint32_t)rand() % 40;
		uint8_t response = (uint8_t)(rand() % 4 == 0);
		bool expected = true;
		size_t at = 0;

		now += (uint64_t)rand() % (LIFETIME / 20);
		while (at < count && model[at].key != key)
			at++;
		if (at < count)
			expected = model[at].response == response &&
			    now - model[at].since <= LIFETIME;
		else {
			model[turn].key = key;
			model[turn].response = response;
			model[turn].since = now;
			turn = (turn + 1) % MODEL_SIZE;
			count += count < MODEL_SIZE;
		}
		ck_assert_msg(use(key, response, now) == expected, "%d", i);
	}
	ck_assert_uint_eq(radius_memory_count(memory), MODEL_SIZE);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_memory");
	TCase *tc = tcase_create("radius_memory");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, once_and_again);
	tcase_add_test(tc, another_response);
	tcase_add_test(tc, too_old);
	tcase_add_test(tc, full_forgets_the_oldest);
	tcase_add_test(tc, one_entry);
	tcase_add_test(tc, like_a_model);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
