/*
 * The last known accounts: what is remembered, for how long, and that there
 * are never more than KNOWN_MAX of them.
 */

#include <stdio.h>

#include "service/known.h"
#include "unit.h"

#define DAY	((int64_t)KNOWN_MS)

static struct crypto *crypto;
static struct known *known;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	known = known_new(crypto);
	ck_assert_ptr_nonnull(known);
}

static void
teardown(void)
{
	known_free(&known);
	ck_assert_ptr_null(known);
	crypto_free(&crypto);
}

static struct account
account(const char *localpart, const char *domain)
{
	struct account a;

	(void)snprintf(a.localpart, sizeof(a.localpart), "%s", localpart);
	(void)snprintf(a.domain, sizeof(a.domain), "%s", domain);
	return a;
}

/* What is done to alice@example.com, and whether she is known afterwards. */
static const struct step {
	enum { END, CONFIRM, DROP, CONFIRM_OTHER, DROP_OTHER } what;
	int64_t	at;
} histories[][4] = {
	{ { END, 0 } },
	{ { CONFIRM, 0 } },
	{ { CONFIRM, 1000 }, { DROP, 1001 } },
	{ { CONFIRM, 1000 }, { DROP, 1001 }, { CONFIRM, 1002 } },
	{ { CONFIRM, 1000 }, { DROP_OTHER, 1001 } },
	{ { CONFIRM_OTHER, 1000 } },
	{ { DROP, 1000 } },
	{ { CONFIRM, 0 }, { CONFIRM, DAY } }
};

static const struct {
	size_t	history;
	int64_t	now;
	bool	known;
} cases[] = {
	{ 0, 0, false },
	{ 1, 0, true },
	{ 1, 1, true },
	{ 1, DAY - 1, true },
	{ 1, DAY, false },
	{ 1, 100 * DAY, false },
	{ 2, 1001, false },
	{ 3, 1002, true },
	{ 3, DAY + 1001, true },
	{ 3, DAY + 1002, false },
	{ 4, 1001, true },
	{ 5, 1001, false },
	{ 6, 1001, false },
	{ 7, 2 * DAY - 1, true },
	{ 7, 2 * DAY, false }
};

START_TEST(history)
{
	const struct account alice = account("alice", "example.com");
	const struct account other = account("alice", "example.org");
	const struct step *steps = histories[cases[_i].history];

	for (size_t i = 0; i < 4 && steps[i].what != END; i++)
		switch (steps[i].what) {
		case CONFIRM:
			known_confirm(known, &alice, steps[i].at);
			break;
		case DROP:
			known_drop(known, &alice);
			break;
		case CONFIRM_OTHER:
			known_confirm(known, &other, steps[i].at);
			break;
		case DROP_OTHER:
			known_drop(known, &other);
			break;
		case END:
			break;
		}
	ck_assert_int_eq(known_recently(known, &alice, cases[_i].now),
	    cases[_i].known);
}
END_TEST

/* Names whose octets would be the same without what stands between. */
static const struct {
	const char *localpart, *domain;
} neighbours[] = {
	{ "alic", "eexample.com" }, { "aliceexample", "com" }, { "alice", "" },
	{ "", "example.com" }, { "alice", "example.co" },
	{ "Alice", "example.com" }
};

START_TEST(other_name)
{
	const struct account alice = account("alice", "example.com");
	const struct account near = account(neighbours[_i].localpart,
	    neighbours[_i].domain);

	known_confirm(known, &alice, 0);
	ck_assert(!known_recently(known, &near, 1));
	known_drop(known, &near);
	ck_assert(known_recently(known, &alice, 1));
}
END_TEST

static struct account
numbered(unsigned int i)
{
	struct account a = account("", "example.com");

	(void)snprintf(a.localpart, sizeof(a.localpart), "user%u", i);
	return a;
}

static unsigned int
count(unsigned int from, unsigned int to)
{
	unsigned int n = 0;

	for (unsigned int i = from; i < to; i++) {
		const struct account a = numbered(i);

		n += known_recently(known, &a, 4 * KNOWN_MAX);
	}
	return n;
}

/*
 * Four times as many as there is room for: it is the old ones that go, but for
 * some in places that few others had.
 */
START_TEST(bounded)
{
	for (unsigned int i = 0; i < 4 * KNOWN_MAX; i++) {
		const struct account a = numbered(i);

		known_confirm(known, &a, i);
	}
	ck_assert_uint_le(count(0, 4 * KNOWN_MAX), KNOWN_MAX);
	ck_assert_uint_gt(count(0, 4 * KNOWN_MAX), KNOWN_MAX / 8 * 7);
	ck_assert_uint_lt(count(0, KNOWN_MAX), KNOWN_MAX / 256);
	ck_assert_uint_gt(count(3 * KNOWN_MAX + KNOWN_MAX / 2, 4 * KNOWN_MAX),
	    KNOWN_MAX / 2 / 8 * 7);
}
END_TEST

/* One name again and again takes one place. */
START_TEST(repeated)
{
	const struct account bob = account("bob", "example.com");
	const struct account alice = account("alice", "example.com");

	known_confirm(known, &bob, 0);
	for (int i = 0; i < 1000; i++)
		known_confirm(known, &alice, i);
	ck_assert(known_recently(known, &bob, 1000));
	known_drop(known, &alice);
	ck_assert(!known_recently(known, &alice, 1000));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("known");
	TCase *tc = tcase_create("known");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, history, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(tc, other_name, 0,
	    sizeof(neighbours) / sizeof(neighbours[0]));
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, repeated);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
