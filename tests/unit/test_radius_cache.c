/*
 * The duplicate cache (RFC 5080 2.2.2): new, pending, answered, replaced,
 * expired, evicted; and against a naive model.
 */

#include <string.h>

#include "doors/radius_cache.h"
#include "unit.h"

#define LIFETIME 10000

static struct radius_cache *cache;
static struct span reply;
static uint64_t handle;

static void
teardown(void)
{
	radius_cache_free(&cache);
	ck_assert_ptr_null(cache);
	radius_cache_free(&cache);
}

static void
make(size_t entries)
{
	cache = radius_cache_new(entries, LIFETIME, 42);
	ck_assert_ptr_nonnull(cache);
}

/* Request number id from a port, its authenticator full of fill. */
static enum radius_seen
enter(uint16_t port, uint8_t id, uint8_t fill, uint64_t now)
{
	struct radius_cache_key key = { .port = port, .id = id };
	uint8_t authenticator[16];

	memset(authenticator, fill, sizeof(authenticator));
	key.ip[15] = 1;
	return radius_cache_enter(cache, &key, span_mem(authenticator,
	    sizeof(authenticator)), now, &handle, &reply);
}

START_TEST(rfc5080_duplicate)
{
	make(8);
	ck_assert_int_eq(enter(1, 1, 7, 0), RADIUS_SEEN_NEVER);
	ck_assert_int_eq(enter(1, 1, 7, 1), RADIUS_SEEN_PENDING);
	ck_assert_uint_eq(reply.n, 0);
	ck_assert_int_eq(enter(1, 1, 7, 2), RADIUS_SEEN_PENDING);
	ck_assert_uint_eq(radius_cache_count(cache), 1);
}
END_TEST

START_TEST(rfc5080_answered)
{
	uint64_t first;

	make(8);
	ck_assert_int_eq(enter(1, 1, 7, 0), RADIUS_SEEN_NEVER);
	first = handle;
	radius_cache_answer(cache, first, SPAN_LIT("accept"));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(enter(1, 1, 7, 5), RADIUS_SEEN_ANSWERED);
		ck_assert(span_equal(reply, SPAN_LIT("accept")));
	}
	/* The first answer stands. */
	radius_cache_answer(cache, first, SPAN_LIT("reject"));
	ck_assert_int_eq(enter(1, 1, 7, 5), RADIUS_SEEN_ANSWERED);
	ck_assert(span_equal(reply, SPAN_LIT("accept")));
}
END_TEST

START_TEST(every_part_of_the_key_counts)
{
	struct radius_cache_key key = { .port = 1, .id = 1 };
	uint8_t authenticator[16] = { 0 };
	struct span a = span_mem(authenticator, sizeof(authenticator));

	make(64);
	ck_assert_int_eq(radius_cache_enter(cache, &key, a, 0, &handle,
	    &reply), RADIUS_SEEN_NEVER);
	for (size_t i = 0; i < sizeof(key.ip); i++) {
		key.ip[i] ^= 1;
		ck_assert_int_eq(radius_cache_enter(cache, &key, a, 0,
		    &handle, &reply), RADIUS_SEEN_NEVER);
		key.ip[i] ^= 1;
	}
	key.port = 0x101;
	ck_assert_int_eq(radius_cache_enter(cache, &key, a, 0, &handle,
	    &reply), RADIUS_SEEN_NEVER);
	key.port = 1;
	key.id = 2;
	ck_assert_int_eq(radius_cache_enter(cache, &key, a, 0, &handle,
	    &reply), RADIUS_SEEN_NEVER);
	ck_assert_uint_eq(radius_cache_count(cache), 19);
}
END_TEST

/* The client used the id again: the old request is never answered with. */
START_TEST(rfc5080_other_authenticator)
{
	uint8_t authenticator[16];
	struct radius_cache_key key = { .port = 1, .id = 1 };
	uint64_t old;

	make(8);
	memset(authenticator, 7, sizeof(authenticator));
	for (size_t i = 0; i < sizeof(authenticator); i++) {
		ck_assert_int_eq(radius_cache_enter(cache, &key,
		    span_mem(authenticator, 16), 0, &handle, &reply),
		    RADIUS_SEEN_NEVER);
		old = handle;
		radius_cache_answer(cache, old, SPAN_LIT("old"));
		authenticator[i] ^= 0x80;
		ck_assert_int_eq(radius_cache_enter(cache, &key,
		    span_mem(authenticator, 16), 0, &handle, &reply),
		    RADIUS_SEEN_NEVER);
		ck_assert_uint_eq(reply.n, 0);
		ck_assert_uint_eq(radius_cache_count(cache), 1);
		/* The old one's handle has no hold on the new one. */
		radius_cache_answer(cache, old, SPAN_LIT("old"));
		radius_cache_forget(cache, old);
		ck_assert_int_eq(radius_cache_enter(cache, &key,
		    span_mem(authenticator, 16), 0, &old, &reply),
		    RADIUS_SEEN_PENDING);
		radius_cache_forget(cache, handle);
	}
}
END_TEST

START_TEST(forgotten_is_new)
{
	make(8);
	ck_assert_int_eq(enter(1, 1, 7, 0), RADIUS_SEEN_NEVER);
	radius_cache_forget(cache, handle);
	ck_assert_uint_eq(radius_cache_count(cache), 0);
	radius_cache_forget(cache, handle);
	radius_cache_answer(cache, handle, SPAN_LIT("late"));
	ck_assert_int_eq(enter(1, 1, 7, 1), RADIUS_SEEN_NEVER);
	ck_assert_int_eq(enter(1, 1, 7, 1), RADIUS_SEEN_PENDING);
	/* Handles that never were. */
	radius_cache_forget(cache, UINT64_MAX);
	radius_cache_forget(cache, 5);
	ck_assert_uint_eq(radius_cache_count(cache), 1);
}
END_TEST

START_TEST(an_answer_must_have_octets)
{
	make(8);
	ck_assert_int_eq(enter(1, 1, 7, 0), RADIUS_SEEN_NEVER);
	radius_cache_answer(cache, handle, SPAN_EMPTY);
	ck_assert_int_eq(enter(1, 1, 7, 1), RADIUS_SEEN_NEVER);
}
END_TEST

START_TEST(lifetime)
{
	make(8);
	ck_assert_int_eq(enter(1, 1, 7, 100), RADIUS_SEEN_NEVER);
	radius_cache_answer(cache, handle, SPAN_LIT("x"));
	ck_assert_int_eq(enter(1, 2, 7, 200), RADIUS_SEEN_NEVER);
	ck_assert_int_eq(enter(1, 1, 7, 100 + LIFETIME - 1),
	    RADIUS_SEEN_ANSWERED);
	radius_cache_expire(cache, 100 + LIFETIME - 1);
	ck_assert_uint_eq(radius_cache_count(cache), 2);
	radius_cache_expire(cache, 100 + LIFETIME);
	ck_assert_uint_eq(radius_cache_count(cache), 1);
	ck_assert_int_eq(enter(1, 1, 7, 100 + LIFETIME), RADIUS_SEEN_NEVER);
	radius_cache_expire(cache, UINT64_MAX / 2);
	ck_assert_uint_eq(radius_cache_count(cache), 0);
}
END_TEST

START_TEST(full_lets_the_oldest_go)
{
	make(4);
	for (uint8_t id = 0; id < 4; id++)
		ck_assert_int_eq(enter(1, id, 7, id), RADIUS_SEEN_NEVER);
	for (uint8_t id = 4; id < 100; id++) {
		ck_assert_int_eq(enter(1, id, 7, id), RADIUS_SEEN_NEVER);
		ck_assert_uint_eq(radius_cache_count(cache), 4);
		for (uint8_t young = (uint8_t)(id - 3); young <= id; young++)
			ck_assert_int_eq(enter(1, young, 7, id),
			    RADIUS_SEEN_PENDING);
	}
	ck_assert_int_eq(enter(1, 95, 7, 100), RADIUS_SEEN_NEVER);
}
END_TEST

START_TEST(one_entry)
{
	make(1);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(enter(1, (uint8_t)i, 7, 0),
		    RADIUS_SEEN_NEVER);
		radius_cache_answer(cache, handle, SPAN_LIT("x"));
		ck_assert_int_eq(enter(1, (uint8_t)i, 7, 0),
		    RADIUS_SEEN_ANSWERED);
	}
	ck_assert_uint_eq(radius_cache_count(cache), 1);
}
END_TEST

/* A list in order of age that is searched from end to end. */
#define MODEL_MAX 32
struct model_entry {
	uint16_t port;
	uint8_t id, fill;
	uint64_t since, handle;
	uint8_t answer;		/* 0: pending */
};
static struct model_entry model[MODEL_MAX];
static size_t model_n;

static void
model_remove(size_t at)
{
	model_n--;
	memmove(model + at, model + at + 1, (model_n - at) *
	    sizeof(model[0]));
}

static void
model_step(uint32_t r, uint64_t now)
{
	uint16_t port = (uint16_t)(r >> 4 & 7);
	uint8_t id = r >> 8 & 7, fill = r >> 12 & 1, answer;
	enum radius_seen seen;
	size_t at = 0;

	while (model_n > 0 && now - model[0].since >= LIFETIME)
		model_remove(0);
	while (at < model_n && (model[at].port != port || model[at].id != id))
		at++;
	seen = enter(port, id, fill, now);
	if (at < model_n && model[at].fill == fill) {
		answer = model[at].answer;
		ck_assert_int_eq(seen, answer == 0 ? RADIUS_SEEN_PENDING :
		    RADIUS_SEEN_ANSWERED);
		ck_assert(span_equal(reply, span_mem(&answer, answer != 0)));
		if (r & 1 << 16)
			radius_cache_forget(cache, model[at].handle);
		else if (answer == 0) {
			model[at].answer = (uint8_t)(r >> 20 | 1);
			radius_cache_answer(cache, model[at].handle,
			    span_mem(&model[at].answer, 1));
		}
		if (r & 1 << 16)
			model_remove(at);
	} else {
		ck_assert_int_eq(seen, RADIUS_SEEN_NEVER);
		if (at < model_n)
			model_remove(at);
		if (model_n == MODEL_MAX)
			model_remove(0);
		model[model_n++] = (struct model_entry){
			.port = port, .id = id, .fill = fill, .since = now,
			.handle = handle
		};
	}
	ck_assert_uint_eq(radius_cache_count(cache), model_n);
}

START_TEST(like_the_model)
{
	uint32_t r = 1;
	uint64_t now = 0;

	make(MODEL_MAX);
	model_n = 0;
	for (int i = 0; i < 100000; i++) {
		r = r * 1664525 + 1013904223;
		now += r >> 24 & 7 ? 1 : 997;
		model_step(r >> 1 ^ r << 3, now);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_cache");
	TCase *tc = tcase_create("radius_cache");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, rfc5080_duplicate);
	tcase_add_test(tc, rfc5080_answered);
	tcase_add_test(tc, every_part_of_the_key_counts);
	tcase_add_test(tc, rfc5080_other_authenticator);
	tcase_add_test(tc, forgotten_is_new);
	tcase_add_test(tc, an_answer_must_have_octets);
	tcase_add_test(tc, lifetime);
	tcase_add_test(tc, full_lets_the_oldest_go);
	tcase_add_test(tc, one_entry);
	tcase_add_test(tc, like_the_model);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
