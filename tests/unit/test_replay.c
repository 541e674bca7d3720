/*
 * The replay window: tables of uses in order (RFC 7616 5.4, 5.5; DESIGN 6.4,
 * 6.8), two nodes, a full table, clocks. Random uses: test_replay_random.c.
 */

#include "replay_uses.h"

static struct replay *replay;

static void
setup(void)
{
	replay = make(64);
}

static void
teardown(void)
{
	replay_free(&replay);
	ck_assert_ptr_null(replay);
	replay_free(&replay);
}

/* Uses of one nonce, one after the other. */
static const struct run {
	const char *name;
	enum nonce_origin origin;
	struct {
		char			what;	/* u use, m mark, 0 the end */
		uint32_t		nc;
		uint8_t			request;
		unsigned int		age;	/* seconds */
		enum replay_answer	want;
	} steps[12];
} runs[] = {
	{ "one after the other", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 2, 'b', 0, REPLAY_FRESH },
	    { 'u', 3, 'c', 299, REPLAY_FRESH } } },
	{ "the same request again, with one more answer", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 1, 'a', 1, REPLAY_AGAIN },
	    { 'u', 1, 'a', 2, REPLAY_AGAIN },
	    { 'u', 1, 'b', 2, REPLAY_STALE },
	    { 'u', 1, 'a', 3, REPLAY_AGAIN } } },
	{ "a request under the count of another", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 2, 'b', 0, REPLAY_FRESH },
	    { 'u', 1, 'b', 0, REPLAY_STALE },
	    { 'u', 2, 'a', 0, REPLAY_STALE },
	    { 'u', 3, 'a', 0, REPLAY_FRESH } } },
	{ "lifetime", NONCE_OWN, {
	    { 'u', 1, 'a', 300, REPLAY_FRESH },
	    { 'u', 1, 'a', 301, REPLAY_STALE },
	    { 'u', 2, 'a', 301, REPLAY_STALE } } },
	{ "too old at once", NONCE_OWN, { { 'u', 1, 'a', 301, 0 } } },
	{ "ages", NONCE_OWN, { { 'u', 1, 'a', 4000000000, 0 } } },
	{ "window, downwards", NONCE_OWN, {
	    { 'u', 64, 'a', 0, REPLAY_FRESH }, { 'u', 1, 'b', 0, REPLAY_FRESH },
	    { 'u', 1, 'c', 0, REPLAY_STALE },
	    { 'u', 65, 'd', 0, REPLAY_FRESH },
	    { 'u', 2, 'e', 0, REPLAY_FRESH }, { 'u', 66, 'f', 0, REPLAY_FRESH },
	    { 'u', 2, 'e', 0, REPLAY_AGAIN },	/* noted, if out of it */
	    { 'u', 2, 'g', 0, REPLAY_STALE } } },
	{ "below the window", NONCE_OWN, {
	    { 'u', 65, 'a', 0, REPLAY_FRESH },
	    { 'u', 1, 'b', 0, REPLAY_STALE },
	    { 'u', 2, 'b', 0, REPLAY_FRESH } } },
	{ "far ahead", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH },
	    { 'u', 0xffffffff, 'b', 0, REPLAY_FRESH },
	    { 'u', 0xffffffff, 'c', 0, REPLAY_STALE },
	    { 'u', 2, 'd', 0, REPLAY_STALE },
	    { 'u', 0xffffffff - 63, 'e', 0, REPLAY_FRESH },
	    { 'u', 0xffffffff - 64, 'f', 0, REPLAY_STALE } } },
	{ "a jump of exactly the window", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 65, 'b', 0, REPLAY_FRESH },
	    { 'u', 1, 'c', 0, REPLAY_STALE },
	    { 'u', 65, 'c', 0, REPLAY_STALE },
	    { 'u', 64, 'c', 0, REPLAY_FRESH } } },
	{ "a jump of one less", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 64, 'b', 0, REPLAY_FRESH },
	    { 'u', 1, 'c', 0, REPLAY_STALE } } },
	{ "eight requests are remembered", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 2, 'b', 0, REPLAY_FRESH },
	    { 'u', 3, 'c', 0, REPLAY_FRESH }, { 'u', 4, 'd', 0, REPLAY_FRESH },
	    { 'u', 5, 'e', 0, REPLAY_FRESH }, { 'u', 6, 'f', 0, REPLAY_FRESH },
	    { 'u', 7, 'g', 0, REPLAY_FRESH }, { 'u', 8, 'h', 0, REPLAY_FRESH },
	    { 'u', 1, 'a', 0, REPLAY_AGAIN }, { 'u', 9, 'i', 0, REPLAY_FRESH },
	    { 'u', 2, 'b', 0, REPLAY_AGAIN },
	    { 'u', 1, 'a', 0, REPLAY_STALE } } },
	{ "without qop: once", NONCE_OWN, {
	    { 'u', 0, 'a', 0, REPLAY_FRESH }, { 'u', 0, 'a', 0, REPLAY_AGAIN },
	    { 'u', 0, 'b', 0, REPLAY_STALE }, { 'u', 1, 'a', 0, REPLAY_STALE },
	    { 'u', 1, 'b', 0, REPLAY_STALE } } },
	{ "without qop, after a count", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'u', 0, 'a', 0, REPLAY_STALE },
	    { 'u', 0, 'b', 0, REPLAY_STALE },
	    { 'u', 2, 'b', 0, REPLAY_FRESH } } },
	{ "of another node: once, and again", NONCE_FOREIGN, {
	    { 'u', 4, 'a', 30, REPLAY_FRESH },
	    { 'u', 4, 'a', 31, REPLAY_AGAIN },
	    { 'u', 4, 'b', 31, REPLAY_STALE },
	    { 'u', 5, 'c', 31, REPLAY_STALE },
	    { 'u', 3, 'c', 31, REPLAY_STALE },
	    { 'u', 0, 'a', 31, REPLAY_STALE },
	    { 'u', 4, 'a', 300, REPLAY_AGAIN },
	    { 'u', 4, 'a', 301, REPLAY_STALE } } },
	{ "of another node, too late", NONCE_FOREIGN, {
	    { 'u', 1, 'a', 31, REPLAY_STALE },
	    { 'u', 1, 'a', 31, REPLAY_STALE } } },
	{ "of another node, without qop", NONCE_FOREIGN, {
	    { 'u', 0, 'a', 0, REPLAY_FRESH }, { 'u', 0, 'a', 0, REPLAY_AGAIN },
	    { 'u', 1, 'a', 0, REPLAY_STALE } } },
	{ "forged", NONCE_UNKNOWN, {
	    { 'm', 1, 'a', 0, 0 }, { 'u', 1, 'a', 0, REPLAY_STALE } } },
	{ "marked: used up to there", NONCE_OWN, {
	    { 'm', 3, 'a', 0, 0 }, { 'u', 1, 'b', 0, REPLAY_STALE },
	    { 'u', 3, 'b', 0, REPLAY_STALE }, { 'u', 3, 'a', 0, REPLAY_AGAIN },
	    { 'u', 2, 'a', 0, REPLAY_STALE },
	    { 'u', 4, 'b', 0, REPLAY_FRESH } } },
	{ "marked between", NONCE_OWN, {
	    { 'u', 9, 'a', 0, REPLAY_FRESH }, { 'm', 5, 'b', 0, 0 },
	    { 'u', 4, 'c', 0, REPLAY_STALE }, { 'u', 5, 'c', 0, REPLAY_STALE },
	    { 'u', 6, 'c', 0, REPLAY_FRESH },
	    { 'u', 9, 'a', 0, REPLAY_AGAIN } } },
	{ "a mark does not take a note's place", NONCE_OWN, {
	    { 'u', 1, 'a', 0, REPLAY_FRESH }, { 'm', 1, 'b', 0, 0 },
	    { 'u', 1, 'b', 0, REPLAY_STALE },
	    { 'u', 1, 'a', 0, REPLAY_AGAIN } } },
	{ "marked far ahead", NONCE_OWN, {
	    { 'm', 0xffffffff, 'a', 0, 0 },
	    { 'u', 0xffffffff, 'b', 0, REPLAY_STALE },
	    { 'u', 0xffffffff - 3, 'b', 0, REPLAY_STALE },
	    { 'u', 1, 'b', 0, REPLAY_STALE } } },
	{ "marked below the window", NONCE_OWN, {
	    { 'u', 100, 'a', 0, REPLAY_FRESH }, { 'm', 36, 'b', 0, 0 },
	    { 'u', 37, 'c', 0, REPLAY_FRESH },
	    { 'u', 36, 'b', 0, REPLAY_STALE } } },
	{ "marked without qop", NONCE_OWN, {
	    { 'm', 0, 'a', 0, 0 }, { 'u', 1, 'b', 0, REPLAY_STALE },
	    { 'u', 0, 'a', 0, REPLAY_AGAIN } } },
	{ "marked, of another node", NONCE_FOREIGN, {
	    { 'm', 2, 'a', 0, 0 }, { 'u', 3, 'b', 0, REPLAY_STALE },
	    { 'u', 2, 'a', 0, REPLAY_AGAIN } } },
	{ "marked too late", NONCE_FOREIGN, {
	    { 'm', 1, 'a', 31, 0 }, { 'u', 1, 'a', 29, REPLAY_FRESH } } }
};

START_TEST(in_order)
{
	struct nonce nonce = nonce_of(node_a, START, 1);
	const struct run *run = &runs[_i];

	for (size_t i = 0; i < COUNT(run->steps) && run->steps[i].what; i++) {
		uint64_t now = START + run->steps[i].age * SECOND;
		enum replay_answer got;

		if (run->steps[i].what == 'm') {
			mark(replay, run->origin, &nonce, run->steps[i].nc,
			    run->steps[i].request, now);
			continue;
		}
		got = use(replay, run->origin, &nonce, run->steps[i].nc,
		    run->steps[i].request, now);
		ck_assert_msg(got == run->steps[i].want, "%s, step %zu: %d",
		    run->name, i + 1, (int)got);
	}
}
END_TEST

START_TEST(other_names)
{
	struct nonce nonce = nonce_of(node_a, START, 1), other;
	struct replay_use u = use_of(NONCE_OWN, &nonce, 1, 'a');

	ck_assert_int_eq(replay_use(replay, &u, START), REPLAY_FRESH);
	u.realm = SPAN_LIT("EXAMPLE.com");
	ck_assert_int_eq(replay_use(replay, &u, START), REPLAY_AGAIN);
	u.realm = SPAN_LIT("example.org");
	ck_assert_int_eq(replay_use(replay, &u, START), REPLAY_FRESH);
	u.realm = REALM;
	u.nonce = &other;
	other = nonce_of(node_a, START, 2);
	ck_assert_int_eq(replay_use(replay, &u, START), REPLAY_FRESH);
	other = nonce_of(node_a, START + 1, 1);
	ck_assert_int_eq(replay_use(replay, &u, START + 1), REPLAY_FRESH);
	other = nonce_of(node_b, START, 1);
	u.origin = NONCE_FOREIGN;
	ck_assert_int_eq(replay_use(replay, &u, START), REPLAY_FRESH);
	ck_assert_uint_eq(replay_count(replay), 5);
}
END_TEST

/* A client of node A behind a balancer that sends every other one to B. */
START_TEST(two_nodes_alternating)
{
	struct replay *b = make(64);
	struct nonce of_a = nonce_of(node_a, START, 1);
	struct nonce of_b = nonce_of(node_b, START + 5 * SECOND, 2);
	uint64_t now = START + SECOND;

	replay_node(b, node_b);
	ck_assert_int_eq(use(replay, NONCE_OWN, &of_a, 1, 1, now),
	    REPLAY_FRESH);
	ck_assert_int_eq(use(b, NONCE_FOREIGN, &of_a, 2, 2, now),
	    REPLAY_FRESH);
	ck_assert_int_eq(use(replay, NONCE_OWN, &of_a, 3, 3, now),
	    REPLAY_FRESH);
	/* Stale; the client gets one of B. */
	ck_assert_int_eq(use(b, NONCE_FOREIGN, &of_a, 4, 4, now),
	    REPLAY_STALE);
	now = START + 6 * SECOND;
	for (uint32_t nc = 1; nc < 40; nc += 2) {
		ck_assert_int_eq(use(b, NONCE_OWN, &of_b, nc, 5, now),
		    REPLAY_FRESH);
		ck_assert_int_eq(use(replay, NONCE_FOREIGN, &of_b, nc + 1, 6,
		    now), nc == 1 ? REPLAY_FRESH : REPLAY_STALE);
	}
	/* A replay at the other node: once within the window, not after. */
	of_a = nonce_of(node_a, now, 3);
	ck_assert_int_eq(use(replay, NONCE_OWN, &of_a, 1, 7, now),
	    REPLAY_FRESH);
	ck_assert_int_eq(use(b, NONCE_FOREIGN, &of_a, 1, 7, now +
	    FOREIGN + 1), REPLAY_STALE);
	replay_free(&b);
}
END_TEST

/* Clocks of two nodes differ; much more than that is no clock. */
START_TEST(future)
{
	struct nonce near = nonce_of(node_b, START + 5 * SECOND, 1);
	struct nonce far = nonce_of(node_b, START + 5 * SECOND + 1, 2);
	struct nonce last = nonce_of(node_b, UINT64_MAX, 3);

	ck_assert_int_eq(use(replay, NONCE_FOREIGN, &near, 1, 1, START),
	    REPLAY_FRESH);
	ck_assert_int_eq(use(replay, NONCE_FOREIGN, &near, 1, 1, START),
	    REPLAY_AGAIN);
	ck_assert_int_eq(use(replay, NONCE_FOREIGN, &far, 1, 1, START),
	    REPLAY_STALE);
	ck_assert_int_eq(use(replay, NONCE_FOREIGN, &last, 1, 1, START),
	    REPLAY_STALE);
	mark(replay, NONCE_FOREIGN, &far, 1, 1, START);
	ck_assert_uint_eq(replay_count(replay), 1);
	ck_assert_int_eq(use(replay, NONCE_FOREIGN, &far, 1, 1, START + 1),
	    REPLAY_FRESH);
	near = nonce_of(node_a, 0, 4);
	ck_assert_int_eq(use(replay, NONCE_OWN, &near, 1, 1, 0),
	    REPLAY_STALE);
}
END_TEST

START_TEST(full)
{
	struct nonce nonces[10], below = nonce_of(node_a, START + 2, 99);
	struct replay *r = make(4);

	/* Not in the order of their times: 0 3 6 9 2 5 8 1 4 7 */
	for (size_t i = 0; i < COUNT(nonces); i++)
		nonces[i] = nonce_of(node_a, START + 100 + i, i);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(use(r, NONCE_OWN, &nonces[i * 3], 1, 1,
		    START + SECOND), REPLAY_FRESH);
	ck_assert_uint_eq(replay_count(r), 4);
	/* 0 goes, and nothing up to it comes in again. */
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[2], 1, 1, START + SECOND),
	    REPLAY_FRESH);
	ck_assert_uint_eq(replay_count(r), 4);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[0], 1, 1, START + SECOND),
	    REPLAY_STALE);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[0], 2, 2, START + SECOND),
	    REPLAY_STALE);
	ck_assert_int_eq(use(r, NONCE_OWN, &below, 1, 1, START + SECOND),
	    REPLAY_STALE);
	/* 2 goes, 3 stays. */
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[5], 1, 1, START + SECOND),
	    REPLAY_FRESH);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[2], 1, 1, START + SECOND),
	    REPLAY_STALE);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[1], 1, 1, START + SECOND),
	    REPLAY_STALE);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[3], 1, 1, START + SECOND),
	    REPLAY_AGAIN);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonces[3], 2, 1, START + SECOND),
	    REPLAY_FRESH);
	/* The floor is one of own nonces: others' are not meant. */
	below = nonce_of(node_b, START + 2, 99);
	ck_assert_int_eq(use(r, NONCE_FOREIGN, &below, 1, 1, START + SECOND),
	    REPLAY_FRESH);
	replay_free(&r);
}
END_TEST

START_TEST(ended_ones_make_room)
{
	struct nonce nonce;

	for (uint64_t i = 0; i < 640; i++) {
		nonce = nonce_of(node_a, START + i * 10 * SECOND, i);
		ck_assert_int_eq(use(replay, NONCE_OWN, &nonce, 1, 1,
		    nonce.time_us), REPLAY_FRESH);
		/* 300 s back, both ends included. */
		ck_assert_uint_eq(replay_count(replay), i < 30 ? i + 1 : 31);
	}
}
END_TEST

/* Set back by an hour: what was dropped may not pass a second time. */
START_TEST(clock_set_back)
{
	uint64_t now = START + 3600 * SECOND;
	struct nonce old = nonce_of(node_a, START, 1);
	struct nonce late = nonce_of(node_a, now, 2), new;

	ck_assert_int_eq(use(replay, NONCE_OWN, &old, 1, 1, START),
	    REPLAY_FRESH);
	ck_assert_int_eq(use(replay, NONCE_OWN, &late, 1, 1, now),
	    REPLAY_FRESH);
	ck_assert_uint_eq(replay_count(replay), 1);
	ck_assert(!replay_behind(replay, now));
	now = START;
	/* What was dropped is older than that by now. */
	ck_assert(!replay_behind(replay, now));
	ck_assert_int_eq(use(replay, NONCE_OWN, &late, 2, 2, now),
	    REPLAY_STALE);
	ck_assert_int_eq(use(replay, NONCE_OWN, &old, 1, 1, now),
	    REPLAY_STALE);
	ck_assert_int_eq(use(replay, NONCE_OWN, &old, 2, 2, now),
	    REPLAY_STALE);
	now = START - 3600 * SECOND;
	ck_assert(replay_behind(replay, now));
	ck_assert(replay_behind(replay, START - 5 * SECOND - 1));
	ck_assert(!replay_behind(replay, START - 5 * SECOND));
	new = nonce_of(node_a, now, 4);
	ck_assert_int_eq(use(replay, NONCE_OWN, &new, 1, 1, now),
	    REPLAY_STALE);
	/* Under another node id it goes on at once... */
	replay_node(replay, node_b);
	ck_assert(!replay_behind(replay, now));
	new = nonce_of(node_b, now, 3);
	ck_assert_int_eq(use(replay, NONCE_OWN, &new, 1, 1, now),
	    REPLAY_FRESH);
	now = START;
	/* ... and the old ones remain dead. */
	ck_assert_int_eq(use(replay, NONCE_FOREIGN, &old, 1, 1, now),
	    REPLAY_STALE);
	/* Also if it was read before the id changed. */
	ck_assert_int_eq(use(replay, NONCE_OWN, &old, 1, 1, now),
	    REPLAY_STALE);
}
END_TEST

START_TEST(settings)
{
	struct replay_settings s = { 0, LIFETIME, FOREIGN };
	struct nonce nonce = nonce_of(node_a, START, 1);
	struct replay *r;

	ck_assert_ptr_null(replay_new(&s, seed));
	s.entries = SIZE_MAX;
	ck_assert_ptr_null(replay_new(&s, seed));
	s.entries = 1;
	r = replay_new(&s, seed);
	ck_assert_ptr_nonnull(r);
	for (uint64_t i = 0; i < 5; i++) {
		nonce = nonce_of(node_a, START + i, i);
		ck_assert_int_eq(use(r, NONCE_OWN, &nonce, 1, 1, START + i),
		    REPLAY_FRESH);
		ck_assert_int_eq(use(r, NONCE_OWN, &nonce, 1, 1, START + i),
		    REPLAY_AGAIN);
		ck_assert_uint_eq(replay_count(r), 1);
	}
	replay_free(&r);
	/* No window: nonces of others never pass, not even new ones. */
	s.foreign_us = 0;
	r = replay_new(&s, seed);
	ck_assert_ptr_nonnull(r);
	nonce = nonce_of(node_b, START, 9);
	ck_assert_int_eq(use(r, NONCE_FOREIGN, &nonce, 1, 1, START),
	    REPLAY_STALE);
	ck_assert_int_eq(use(r, NONCE_OWN, &nonce, 1, 1, START),
	    REPLAY_FRESH);
	replay_free(&r);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *s = suite_create("replay");
	TCase *tc = tcase_create("replay");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, in_order, 0, COUNT(runs));
	tcase_add_test(tc, other_names);
	tcase_add_test(tc, two_nodes_alternating);
	tcase_add_test(tc, future);
	tcase_add_test(tc, full);
	tcase_add_test(tc, ended_ones_make_room);
	tcase_add_test(tc, clock_set_back);
	tcase_add_test(tc, settings);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(unit_suite)
