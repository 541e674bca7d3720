/*
 * The saslauthd door on a socket, with a decision of the test's own in place
 * of service/auth: exact answers, and one for every connection (CYRUS.md
 * 3.2).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "doors/saslauthd.h"
#include "doors/saslauthd_request.h"
#include "unit.h"

#define TICKETS	8
#define LIT(s)	(s), sizeof(s) - 1
#define ALICE	"\0\5alice\0\12wonderland\0\4xmpp\0\13example.com"
#define OK	"\0\2OK"
#define NO	"\0\2NO"
#define NOBODY_KNOWS	"\0\0"

/* What auth_submit() was given, and its callbacks. */
static struct {
	unsigned int	 submitted, cancelled;
	char		 name[300], domain[300], service[300], source[300];
	char		 password[SASLAUTHD_REQUEST_MAX];
	size_t		 password_n;
	const struct domain_list *domains;
	struct {
		auth_cb	*cb;
		void	*arg;
	} tickets[TICKETS];
} asked;

static char			 dir[32], path[64], lines[8192];
static struct event_base	*base;
static struct saslauthd_door	*door;
static struct door_context	 context;
static struct saslauthd_settings settings;
static int			 peer;

static void
keep(struct span s, char *out)
{
	ck_assert_int_eq(span_copy_str(s, out, 300), 0);
}

struct auth_ticket *
auth_submit(struct auth *auth, const struct auth_request *request,
    auth_cb *cb, void *arg)
{
	unsigned int i = asked.submitted++;

	ck_assert_ptr_eq(auth, &asked);
	ck_assert_uint_lt(i, TICKETS);
	ck_assert_int_eq((int)request->kind, AUTH_PASSWORD);
	ck_assert_str_eq(request->door, "saslauthd");
	ck_assert_uint_eq(request->lookup_name.n, 0);
	keep(request->name, asked.name);
	keep(request->domain, asked.domain);
	keep(request->service, asked.service);
	keep(request->source, asked.source);
	asked.password_n = request->password.n;
	ck_assert_uint_le(request->password.n, sizeof(asked.password));
	memcpy(asked.password, request->password.p, request->password.n);
	asked.domains = request->domains;
	asked.tickets[i].cb = cb;
	asked.tickets[i].arg = arg;
	return (struct auth_ticket *)(void *)&asked.tickets[i];
}

void
auth_cancel(struct auth_ticket *ticket)
{
	asked.cancelled++;
	for (unsigned int i = 0; i < TICKETS; i++)
		if ((void *)ticket == &asked.tickets[i])
			asked.tickets[i].cb = NULL;
}

static void
on_line(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	strncat(lines, line, sizeof(lines) - strlen(lines) - 2);
	strncat(lines, "\n", 2);
}

static const struct sink sink = { on_line, NULL, LEVEL_DEBUG };

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

static int
connect_peer(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* Opens the door with settings as they are now. */
static void
open_door(void)
{
	saslauthd_door_free(&door);
	door = saslauthd_door_new(&context, &settings);
	ck_assert_msg(door != NULL, "%s", lines);
}

static void
setup(void)
{
	memset(&asked, 0, sizeof(asked));
	lines[0] = '\0';
	(void)snprintf(dir, sizeof(dir), "/tmp/onecred.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	settings = (struct saslauthd_settings){
		.listener = { .section = "saslauthd", .path = path,
		    .mode = 0600, .rights = RIGHT_CHECK, .fd = -1 }
	};
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	context = (struct door_context){ .base = base,
	    .auth = (struct auth *)(void *)&asked, .sink = &sink };
	door = NULL;
	open_door();
	peer = connect_peer();
}

static void
teardown(void)
{
	saslauthd_door_free(&door);
	event_base_free(base);
	(void)close(peer);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
put(const void *p, size_t n)
{
	ck_assert_int_eq(send(peer, p, n, MSG_NOSIGNAL), (ssize_t)n);
	turn();
}

/* Nothing has come yet, and the connection is open. */
static bool
is_waiting(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* What has come is text and then the end of the stream. */
static bool
got(int fd, const char *text, size_t n)
{
	uint8_t in[16];
	ssize_t got_n = read(fd, in, sizeof(in));

	return got_n == (ssize_t)n && memcmp(in, text, n) == 0 &&
	    read(fd, in, 1) == 0;
}

static void
decide(unsigned int i, enum verdict verdict)
{
	const struct auth_reply reply = { .verdict = verdict };
	auth_cb *cb = asked.tickets[i].cb;

	ck_assert(cb != NULL);
	asked.tickets[i].cb = NULL;
	cb(&reply, asked.tickets[i].arg);
	turn();
}

static const struct {
	enum verdict	verdict;
	const char	*answer;
	size_t		n;
} verdicts[] = {
	{ VERDICT_ALLOW, LIT(OK) },
	{ VERDICT_DENY, LIT(NO) },
	{ VERDICT_UNAVAILABLE, LIT(NOBODY_KNOWS) }
};

START_TEST(cyrus_3_2_answers)
{
	put(LIT(ALICE));
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_str_eq(asked.name, "alice");
	ck_assert_str_eq(asked.domain, "example.com");
	ck_assert_str_eq(asked.service, "xmpp");
	ck_assert_str_eq(asked.source, "");
	ck_assert_uint_eq(asked.password_n, 10);
	ck_assert_int_eq(memcmp(asked.password, "wonderland", 10), 0);
	ck_assert_ptr_null(asked.domains);
	ck_assert_uint_eq(saslauthd_door_busy(door), 1);
	ck_assert(is_waiting(peer));
	decide(0, verdicts[_i].verdict);
	ck_assert(got(peer, verdicts[_i].answer, verdicts[_i].n));
	ck_assert_uint_eq(saslauthd_door_busy(door), 0);
	ck_assert_uint_eq(asked.cancelled, 0);
}
END_TEST

/* The request is there before the connection is accepted. */
START_TEST(sent_at_once)
{
	ck_assert_int_eq(write(peer, LIT(ALICE)), sizeof(ALICE) - 1);
	turn();
	ck_assert_uint_eq(asked.submitted, 1);
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
}
END_TEST

START_TEST(octet_by_octet)
{
	static const char in[] = ALICE;

	for (size_t i = 0; i < sizeof(in) - 1; i++) {
		ck_assert_uint_eq(asked.submitted, 0);
		ck_assert(is_waiting(peer));
		put(in + i, 1);
	}
	ck_assert_uint_eq(asked.submitted, 1);
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
}
END_TEST

static const struct {
	const char	*in;
	size_t		n;
	const char	*source;
} fifths[] = {
	{ LIT(ALICE "\0\16" "192.0.2.1;5222"), "192.0.2.1" },
	{ LIT(ALICE "\0\20" "2001:db8::1;5222"), "2001:db8::1" },
	{ LIT(ALICE "\0\11" "192.0.2.1"), "192.0.2.1" },
	{ LIT(ALICE "\0\0"), "" },
	/* Never waited for, never a fault. */
	{ LIT(ALICE "\0\16" "192"), "" },
	{ LIT(ALICE "\0"), "" },
	{ LIT(ALICE "\xff\xff" "192.0.2.1"), "" }
};

START_TEST(standards_7_2_fifth)
{
	put(fifths[_i].in, fifths[_i].n);
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_str_eq(asked.name, "alice");
	ck_assert_str_eq(asked.source, fifths[_i].source);
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
}
END_TEST

/* It comes by itself, while the request is being judged. */
START_TEST(fifth_later)
{
	uint8_t in[8];

	put(LIT(ALICE));
	put(LIT("\0\16" "192.0.2.1;5222"));
	ck_assert_uint_eq(asked.submitted, 1);
	decide(0, VERDICT_ALLOW);
	ck_assert_int_eq(read(peer, in, sizeof(in)), 4);
	ck_assert_int_eq(memcmp(in, OK, 4), 0);
}
END_TEST

static const struct {
	const char	*in;
	size_t		n;
} refused[] = {
	{ LIT("\0\0\0\11canary-pw\0\4xmpp\0\13example.com") },
	{ LIT("\0\5alice\0\0\0\4xmpp\0\13example.com") },
	{ LIT("\0\0\0\0\0\0\0\0") },
	{ LIT("\1\1canary-pw") },
	{ LIT("\0\11canary-pw\x20\1") },
	{ LIT("\0\5alice\0\11canary-pw\1\1") },
	{ LIT("\0\5alice\0\11canary-pw\0\0\xff\xff") },
	{ LIT("POST /canary-pw HTTP/1.1\r\n") }
};

START_TEST(cyrus_3_2_no_at_sight)
{
	uint8_t in[8];

	put(refused[_i].in, refused[_i].n);
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert_int_eq(read(peer, in, sizeof(in)), 4);
	ck_assert_int_eq(memcmp(in, NO, 4), 0);
	ck_assert_str_eq(lines,
	    "door=saslauthd verdict=deny reason=malformed\n");
}
END_TEST

/* 8172 octets: the most that libsasl sends; 8193: more than there is room. */
START_TEST(longest)
{
	static uint8_t in[9000];
	size_t n = _i == 0 ? 8172 : 8193, password = n - 7 - 2 - 6 - 13;
	uint8_t *at = in;

	memcpy(at, "\0\5alice", 7);
	at += 7;
	*at++ = (uint8_t)(password >> 8);
	*at++ = (uint8_t)password;
	memset(at, 'p', password);
	at += password;
	memcpy(at, "\0\4xmpp\0\13example.com", 19);
	put(in, n - 1);
	ck_assert_uint_eq(asked.submitted, 0);
	if (_i == 0) {
		put(in + n - 1, 1);
		ck_assert_uint_eq(asked.submitted, 1);
		ck_assert_uint_eq(asked.password_n, password);
		decide(0, VERDICT_DENY);
	}
	ck_assert(got(peer, LIT(NO)));
}
END_TEST

static const struct {
	const char	*in;
	size_t		n;
	size_t		domains;	/* of the listener */
	const char	*name, *domain;
} names[] = {
	{ LIT("\0\5alice\0\1p\0\1s\0\13example.com"), 0,
	    "alice", "example.com" },
	{ LIT("\0\21alice@example.com\0\1p\0\1s\0\13example.com"), 0,
	    "alice@example.com", "example.com" },
	{ LIT("\0\21alice@example.com\0\1p\0\1s\0\0"), 0,
	    "alice@example.com", "" },
	{ LIT("\0\5alice\0\1p\0\1s\0\0"), 0, "alice", "" },
	/* The listener's only domain stands in for one that is not given. */
	{ LIT("\0\5alice\0\1p\0\1s\0\0"), 1, "alice", "example.com" },
	{ LIT("\0\5alice\0\1p\0\1s\0\0"), 2, "alice", "" },
	{ LIT("\0\21alice@example.org\0\1p\0\1s\0\0"), 1,
	    "alice@example.org", "" },
	{ LIT("\0\5alice\0\1p\0\1s\0\13example.org"), 1,
	    "alice", "example.org" }
};

START_TEST(domain)
{
	static const char *const served[] = { "example.com", "example.net" };

	(void)close(peer);
	settings.listener.domains.names = served;
	settings.listener.domains.count = names[_i].domains;
	open_door();
	peer = connect_peer();
	put(names[_i].in, names[_i].n);
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_str_eq(asked.name, names[_i].name);
	ck_assert_str_eq(asked.domain, names[_i].domain);
	if (names[_i].domains == 0)
		ck_assert_ptr_null(asked.domains);
	else
		ck_assert_uint_eq(asked.domains->count, names[_i].domains);
	decide(0, VERDICT_DENY);
	ck_assert(got(peer, LIT(NO)));
}
END_TEST

START_TEST(right_not_given)
{
	(void)close(peer);
	settings.listener.rights = RIGHT_EXISTS;
	open_door();
	peer = connect_peer();
	put(LIT(ALICE));
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert(got(peer, LIT(NOBODY_KNOWS)));
	ck_assert_str_eq(lines, "door=saslauthd verdict=unavailable "
	    "reason=not-permitted\n");
}
END_TEST

/* Half a request, or none, and then nothing: answered all the same. */
START_TEST(end_of_file)
{
	static const char in[] = ALICE;

	if (_i > 0)
		put(in, (size_t)_i);
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	turn();
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert(got(peer, LIT(NOBODY_KNOWS)));
	ck_assert_ptr_null(strstr(lines, "alice"));
}
END_TEST

/* A whole request and then the end: judged. */
START_TEST(end_of_file_behind_request)
{
	put(LIT(ALICE));
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	turn();
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
}
END_TEST

/* Octets that keep coming do not keep the connection. */
START_TEST(stalled)
{
	static const char in[] = ALICE;
	size_t i = 0;

	(void)close(peer);
	settings.request_ms = 100;
	open_door();
	peer = connect_peer();
	while (is_waiting(peer)) {
		if (_i == 1 && i < sizeof(in) - 2)
			(void)send(peer, in + i++, 1, MSG_NOSIGNAL);
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE |
		    (_i == 1 ? EVLOOP_NONBLOCK : 0)), 0);
	}
	ck_assert(got(peer, LIT(NOBODY_KNOWS)));
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert_ptr_nonnull(strstr(lines, "half a request"));
	ck_assert_ptr_null(strstr(lines, "alice"));
}
END_TEST

/* The time is for the request, not for the decision. */
START_TEST(slow_decision)
{
	int idle;

	(void)close(peer);
	settings.request_ms = 50;
	open_door();
	peer = connect_peer();
	put(LIT(ALICE));
	idle = connect_peer();
	while (is_waiting(idle))
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert(is_waiting(peer));
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
	(void)close(idle);
}
END_TEST

/* Each answer goes to its own connection, in whatever order. */
START_TEST(side_by_side)
{
	int peers[TICKETS];

	for (unsigned int i = 0; i < TICKETS; i++) {
		peers[i] = connect_peer();
		ck_assert_int_eq(write(peers[i], LIT(ALICE)),
		    sizeof(ALICE) - 1);
		turn();
		ck_assert_uint_eq(asked.submitted, i + 1);
	}
	ck_assert_uint_eq(saslauthd_door_busy(door), TICKETS);
	for (unsigned int i = TICKETS; i-- > 0;) {
		decide(i, (enum verdict)(i % 3));
		for (unsigned int k = 0; k < i; k++)
			ck_assert(is_waiting(peers[k]));
		ck_assert(i % 3 == VERDICT_ALLOW ? got(peers[i], LIT(OK)) :
		    i % 3 == VERDICT_DENY ? got(peers[i], LIT(NO)) :
		    got(peers[i], LIT(NOBODY_KNOWS)));
		(void)close(peers[i]);
	}
}
END_TEST

/* Over the cap they wait, and are served when there is room. */
START_TEST(connection_cap)
{
	int second;

	(void)close(peer);
	settings.listener.connections_max = 1;
	open_door();
	peer = connect_peer();
	put(LIT(ALICE));
	second = connect_peer();
	ck_assert_int_eq(write(second, LIT(ALICE)), sizeof(ALICE) - 1);
	turn();
	ck_assert_uint_eq(asked.submitted, 1);
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
	turn();
	ck_assert_uint_eq(asked.submitted, 2);
	decide(1, VERDICT_DENY);
	ck_assert(got(second, LIT(NO)));
	(void)close(second);
}
END_TEST

START_TEST(peer_has_gone)
{
	put(LIT(ALICE));
	(void)close(peer);
	turn();
	decide(0, VERDICT_ALLOW);
	peer = connect_peer();
	put(LIT(ALICE));
	decide(1, VERDICT_DENY);
	ck_assert(got(peer, LIT(NO)));
}
END_TEST

/* What is under way is decided; whoever has not asked is answered. */
START_TEST(drain)
{
	int idle = connect_peer(), half = connect_peer();

	put(LIT(ALICE));
	ck_assert_int_eq(write(half, LIT("\0\5ali")), 5);
	turn();
	saslauthd_door_drain(door);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert(got(idle, LIT(NOBODY_KNOWS)));
	ck_assert(got(half, LIT(NOBODY_KNOWS)));
	/* They may be sending still: no broken pipe. */
	ck_assert_uint_eq(saslauthd_door_busy(door), 3);
	ck_assert_int_eq(send(idle, LIT(ALICE), MSG_NOSIGNAL),
	    sizeof(ALICE) - 1);
	turn();
	ck_assert_uint_eq(asked.submitted, 1);
	(void)close(idle);
	(void)close(half);
	decide(0, VERDICT_ALLOW);
	ck_assert(got(peer, LIT(OK)));
	ck_assert_uint_eq(saslauthd_door_busy(door), 0);
}
END_TEST

/* Nothing has been read of them yet, or they are not even accepted. */
START_TEST(drain_who_waits)
{
	int idle = connect_peer(), late;

	turn();
	late = connect_peer();
	ck_assert_int_eq(write(idle, LIT(ALICE)), sizeof(ALICE) - 1);
	ck_assert_int_eq(write(late, LIT(ALICE)), sizeof(ALICE) - 1);
	ck_assert_uint_eq(asked.submitted, 0);
	saslauthd_door_drain(door);
	ck_assert_uint_eq(asked.submitted, 2);
	decide(0, VERDICT_DENY);
	ck_assert(got(late, LIT(NO)));
	decide(1, VERDICT_ALLOW);
	ck_assert(got(idle, LIT(OK)));
	(void)close(idle);
	(void)close(late);
}
END_TEST

/* allow_users: another one is told that nobody knows, and nothing is asked. */
START_TEST(refused_user)
{
	const uid_t users[] = { getuid() + 1 };

	(void)close(peer);
	settings.listener.users = users;
	settings.listener.user_count = 1;
	open_door();
	peer = connect_peer();
	if (_i == 0)
		turn();
	put(LIT(ALICE));
	ck_assert(got(peer, LIT(NOBODY_KNOWS)));
	ck_assert_uint_eq(asked.submitted, 0);
}
END_TEST

START_TEST(end_with_a_request_under_way)
{
	put(LIT(ALICE));
	saslauthd_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 1);
	ck_assert(got(peer, LIT(NOBODY_KNOWS)));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("saslauthd");
	TCase *tc = tcase_create("saslauthd");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, cyrus_3_2_answers, 0,
	    sizeof(verdicts) / sizeof(verdicts[0]));
	tcase_add_test(tc, sent_at_once);
	tcase_add_test(tc, octet_by_octet);
	tcase_add_loop_test(tc, standards_7_2_fifth, 0,
	    sizeof(fifths) / sizeof(fifths[0]));
	tcase_add_test(tc, fifth_later);
	tcase_add_loop_test(tc, cyrus_3_2_no_at_sight, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tc, longest, 0, 2);
	tcase_add_loop_test(tc, domain, 0,
	    sizeof(names) / sizeof(names[0]));
	tcase_add_test(tc, right_not_given);
	tcase_add_loop_test(tc, end_of_file, 0, sizeof(ALICE) - 1);
	tcase_add_test(tc, end_of_file_behind_request);
	tcase_add_loop_test(tc, stalled, 0, 2);
	tcase_add_test(tc, slow_decision);
	tcase_add_test(tc, side_by_side);
	tcase_add_test(tc, connection_cap);
	tcase_add_test(tc, peer_has_gone);
	tcase_add_test(tc, drain);
	tcase_add_test(tc, drain_who_waits);
	tcase_add_loop_test(tc, refused_user, 0, 2);
	tcase_add_test(tc, end_with_a_request_under_way);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
