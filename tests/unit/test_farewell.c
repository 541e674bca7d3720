/*
 * Peers that were told all there is to tell them: they may send on without a
 * broken pipe, within bounds of time, octets and number.
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "doors/farewell.h"
#include "unit.h"

#define PEERS_MAX	256	/* farewell.c's */

static struct event_base	*base;
static struct farewell		*farewell;

static void
setup(void)
{
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	farewell = farewell_new(base);
	ck_assert_ptr_nonnull(farewell);
}

static void
teardown(void)
{
	farewell_free(&farewell);
	event_base_free(base);
}

static void
turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

/* A peer that has been answered "no" and lingers; its end of the pair. */
static int
answered(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    ends), 0);
	ck_assert_int_eq(write(ends[0], "no", 2), 2);
	farewell_add(farewell, ends[0]);
	return ends[1];
}

static ssize_t
put(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL);
}

START_TEST(reads_on)
{
	char in[8];
	int fd = answered();

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(put(fd, "password", 8), 8);
		turn();
	}
	ck_assert_int_eq(read(fd, in, sizeof(in)), 2);
	ck_assert_int_eq(memcmp(in, "no", 2), 0);
	ck_assert_int_eq(read(fd, in, sizeof(in)), 0);
	ck_assert_int_eq(put(fd, "x", 1), 1);
	ck_assert_uint_eq(farewell_count(farewell), 1);
	if (_i == 0)
		(void)close(fd);
	else
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	turn();
	turn();
	ck_assert_uint_eq(farewell_count(farewell), 0);
	if (_i == 1)
		(void)close(fd);
}
END_TEST

/* Gone before we look: nothing to do, nothing left. */
START_TEST(gone)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    ends), 0);
	(void)close(ends[1]);
	farewell_add(farewell, ends[0]);
	turn();
	ck_assert_uint_eq(farewell_count(farewell), 0);
}
END_TEST

/* Silent, or with an octet now and then: a second, no longer. */
START_TEST(deadline)
{
	int fd = answered();

	ck_assert_uint_eq(farewell_count(farewell), 1);
	while (farewell_count(farewell) > 0) {
		if (_i == 1)
			(void)put(fd, "x", 1);
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	}
	ck_assert_int_eq(put(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	(void)close(fd);
}
END_TEST

START_TEST(too_much)
{
	static const char octets[8192];
	int fd = answered(), rounds = 0;

	while (put(fd, octets, sizeof(octets)) == sizeof(octets)) {
		turn();
		turn();
		ck_assert_int_lt(++rounds, 20);
	}
	ck_assert_int_gt(rounds, 7);
	ck_assert_uint_eq(farewell_count(farewell), 0);
	(void)close(fd);
}
END_TEST

START_TEST(too_many)
{
	int fds[PEERS_MAX + 1];

	for (int i = 0; i <= PEERS_MAX; i++)
		fds[i] = answered();
	ck_assert_uint_eq(farewell_count(farewell), PEERS_MAX);
	ck_assert_int_eq(put(fds[0], "x", 1), -1);
	ck_assert_int_eq(put(fds[1], "x", 1), 1);
	ck_assert_int_eq(put(fds[PEERS_MAX], "x", 1), 1);
	for (int i = 0; i <= PEERS_MAX; i++)
		(void)close(fds[i]);
}
END_TEST

START_TEST(freed)
{
	int fd = answered();
	char in[4];

	farewell_free(&farewell);
	ck_assert_int_eq(read(fd, in, sizeof(in)), 2);
	ck_assert_int_eq(put(fd, "x", 1), -1);
	(void)close(fd);
	farewell_free(&farewell);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("farewell");
	TCase *tc = tcase_create("farewell");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, reads_on, 0, 2);
	tcase_add_test(tc, gone);
	tcase_add_loop_test(tc, deadline, 0, 2);
	tcase_add_test(tc, too_much);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, freed);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
