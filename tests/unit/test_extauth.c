/*
 * The extauth door over a socket pair, with a decision of the test's own in
 * place of service/auth: order, one request at a time, exact answers.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "doors/extauth.h"
#include "service/accounts.h"
#include "unit.h"

/* What auth_submit() was given last, and its callback. */
static struct {
	unsigned int	 submitted, cancelled;
	enum auth_kind	 kind;
	char		 name[80], domain[80], service[16];
	char		 password[65536];
	size_t		 password_n;
	const struct domain_list *domains;
	auth_cb		*cb;
	void		*arg;
} asked;

/* What accounts_submit() was given last, and its callback. */
static struct {
	unsigned int	 submitted, cancelled;
	enum account_change change;
	char		 name[80], domain[80], password[80];
	const struct domain_list *domains;
	accounts_cb	*cb;
	void		*arg;
} changing;

static char			 dir[] = "/tmp/onecred.XXXXXX";
static char			 lines[4096];
static struct event_base	*base;
static struct extauth_door	*door;
static struct door_context	 context;
static int			 near_end, far_end;
static unsigned int		 ended;

struct auth_ticket *
auth_submit(struct auth *auth, const struct auth_request *request,
    auth_cb *cb, void *arg)
{
	(void)auth;
	asked.submitted++;
	asked.kind = request->kind;
	ck_assert_str_eq(request->door, "extauth");
	ck_assert_int_eq(span_copy_str(request->name, asked.name, 80), 0);
	ck_assert_int_eq(span_copy_str(request->domain, asked.domain, 80),
	    0);
	ck_assert_int_eq(span_copy_str(request->service, asked.service, 16),
	    0);
	asked.password_n = request->password.n;
	if (request->password.n > 0)
		memcpy(asked.password, request->password.p,
		    request->password.n);
	asked.domains = request->domains;
	asked.cb = cb;
	asked.arg = arg;
	return (struct auth_ticket *)(void *)&asked;
}

void
auth_cancel(struct auth_ticket *ticket)
{
	ck_assert_ptr_eq(ticket, &asked);
	asked.cancelled++;
	asked.cb = NULL;
}

struct accounts_ticket *
accounts_submit(struct accounts *accounts,
    const struct account_request *request, accounts_cb *cb, void *arg)
{
	(void)accounts;
	changing.submitted++;
	changing.change = request->change;
	ck_assert_str_eq(request->door, "extauth");
	ck_assert_int_eq(span_copy_str(request->name, changing.name, 80), 0);
	ck_assert_int_eq(span_copy_str(request->domain, changing.domain, 80),
	    0);
	ck_assert_int_eq(span_copy_str(request->password, changing.password,
	    80), 0);
	changing.domains = request->domains;
	changing.cb = cb;
	changing.arg = arg;
	return (struct accounts_ticket *)(void *)&changing;
}

void
accounts_cancel(struct accounts_ticket *ticket)
{
	ck_assert_ptr_eq(ticket, &changing);
	changing.cancelled++;
	changing.cb = NULL;
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
on_ended(void *arg)
{
	(void)arg;
	ended++;
}

static const struct listener_settings settings = {
	.section = "extauth", .rights = RIGHT_CHECK | RIGHT_EXISTS, .fd = -1
};

static void
setup(void)
{
	int ends[2];

	(void)signal(SIGPIPE, SIG_IGN);
	memset(&asked, 0, sizeof(asked));
	memset(&changing, 0, sizeof(changing));
	lines[0] = '\0';
	ended = 0;
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	context = (struct door_context){ .base = base,
	    .auth = (struct auth *)(void *)&asked,
	    .accounts = (struct accounts *)(void *)&changing,
	    .sink = &sink };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    ends), 0);
	near_end = ends[0];
	far_end = ends[1];
	door = extauth_door_stdio(&context, &settings, far_end, far_end,
	    on_ended, NULL);
	ck_assert_ptr_nonnull(door);
}

static void
teardown(void)
{
	extauth_door_free(&door);
	event_base_free(base);
	(void)close(near_end);
	(void)close(far_end);
}

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

static void
put(const void *p, size_t n)
{
	ck_assert_int_eq(write(near_end, p, n), (ssize_t)n);
}

static size_t
frame(uint8_t *out, const void *payload, size_t n)
{
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	memcpy(out + 2, payload, n);
	return n + 2;
}

static void
put_frame(const char *payload)
{
	uint8_t out[512];

	put(out, frame(out, payload, strlen(payload)));
	turn();
}

/* The last octet of the one answer that is there; -1: none, -2: broken. */
static int
got(void)
{
	uint8_t in[16];
	ssize_t n = read(near_end, in, sizeof(in));

	if (n < 0 && errno == EAGAIN)
		return -1;
	return n == 4 && in[0] == 0 && in[1] == 2 && in[2] == 0 ? in[3] : -2;
}

static void
decide(enum verdict verdict)
{
	const struct auth_reply reply = { .verdict = verdict };
	auth_cb *cb = asked.cb;

	ck_assert(cb != NULL);
	asked.cb = NULL;
	cb(&reply, asked.arg);
	turn();
}

static void
change(enum account_result result)
{
	const struct account_reply reply = { .result = result,
	    .sentence = "a sentence" };
	accounts_cb *cb = changing.cb;

	ck_assert(cb != NULL);
	changing.cb = NULL;
	cb(&reply, changing.arg);
	turn();
}

static const struct {
	enum verdict	verdict;
	int		answer;
} verdicts[] = {
	{ VERDICT_DENY, 0 }, { VERDICT_ALLOW, 1 }, { VERDICT_UNAVAILABLE, 2 }
};

START_TEST(xmpp_1_2_answers)
{
	put_frame("auth:alice:example.com:se:cr:et");
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_int_eq((int)asked.kind, AUTH_PASSWORD);
	ck_assert_str_eq(asked.name, "alice");
	ck_assert_str_eq(asked.domain, "example.com");
	ck_assert_str_eq(asked.service, "xmpp");
	ck_assert_uint_eq(asked.password_n, 8);
	ck_assert_int_eq(memcmp(asked.password, "se:cr:et", 8), 0);
	ck_assert_ptr_null(asked.domains);
	ck_assert_uint_eq(extauth_door_busy(door), 1);
	ck_assert_int_eq(got(), -1);
	decide(verdicts[_i].verdict);
	ck_assert_int_eq(got(), verdicts[_i].answer);
	ck_assert_uint_eq(extauth_door_busy(door), 0);
	put_frame("isuser:alice:example.com");
	ck_assert_int_eq((int)asked.kind, AUTH_EXISTS);
	ck_assert_uint_eq(asked.password_n, 0);
	decide(verdicts[_i].verdict);
	ck_assert_int_eq(got(), verdicts[_i].answer);
}
END_TEST

static const struct {
	const char	*payload, *line;
} refused[] = {
	{ "setpass:alice:example.com:canary-pw", "command=setpass "
	    "verdict=unavailable reason=not-permitted: [extauth] rights has "
	    "no \"set\"\n" },
	{ "tryregister:alice:example.com:canary-pw", "command=tryregister "
	    "verdict=unavailable reason=not-permitted: [extauth] rights has "
	    "no \"create\"\n" },
	{ "removeuser:canary-pw:example.com", "command=removeuser "
	    "verdict=unavailable reason=not-permitted: [extauth] rights has "
	    "no \"delete\"\n" },
	{ "removeuser3:alice:example.com:canary-pw", "command=removeuser3 "
	    "verdict=unavailable reason=not-permitted: [extauth] rights has "
	    "no \"delete\"\n" },
	{ "certauth:alice:example.com:canary-pw", "command=certauth "
	    "verdict=unavailable reason=not-permitted\n" },
	{ "setpass:alice:example.com", "reason=malformed" },
	{ "removeuser:alice:example.com:canary-pw", "reason=malformed" },
	{ "removeuser3:alice:example.com", "reason=malformed" },
	{ "canary-pw:alice:example.com:x", "command=unknown "
	    "verdict=unavailable reason=malformed" },
	{ "canary-pw", "reason=malformed" },
	{ "", "reason=malformed" },
	{ "auth:canary-pw", "reason=malformed" },
	{ "isuser:alice:example.com:canary-pw", "reason=malformed" }
};

START_TEST(xmpp_1_2_not_here)
{
	put_frame(refused[_i].payload);
	ck_assert_uint_eq(asked.submitted + changing.submitted, 0);
	ck_assert_int_eq(got(), 2);
	ck_assert_msg(strstr(lines, refused[_i].line) != NULL, "%s", lines);
	ck_assert_ptr_null(strstr(lines, "canary-pw"));
	/* The connection goes on. */
	put_frame("isuser:alice:example.com");
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
}
END_TEST

START_TEST(rights)
{
	struct listener_settings only = settings;

	only.rights = _i == 0 ? RIGHT_EXISTS : RIGHT_CHECK;
	extauth_door_attach(door, &context, &only);
	put_frame(_i == 0 ? "auth:alice:example.com:p" :
	    "isuser:alice:example.com");
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert_int_eq(got(), 2);
	ck_assert_ptr_nonnull(strstr(lines, "reason=not-permitted"));
}
END_TEST

/* XMPP.md 1.2: what each command's outcome is called. */
static const struct change_case {
	const char		*payload;
	unsigned int		 right;
	enum account_change	 change;
	const char		*password;
	int			 answers[ACCOUNT_RESULT_COUNT];
} changes[] = {
	{ "setpass:alice:example.com:new:pass:", RIGHT_SET, ACCOUNT_UPDATE,
	    "new:pass:", { [ACCOUNT_UNAVAILABLE] = 2, [ACCOUNT_DONE] = 1,
	    [ACCOUNT_REFUSED] = 2, [ACCOUNT_NO_ACCOUNT] = 2,
	    [ACCOUNT_EXISTS] = 2, [ACCOUNT_FOREIGN] = 2 } },
	{ "tryregister:alice:example.com:p", RIGHT_CREATE, ACCOUNT_CREATE,
	    "p", { [ACCOUNT_UNAVAILABLE] = 2, [ACCOUNT_DONE] = 1,
	    [ACCOUNT_REFUSED] = 2, [ACCOUNT_NO_ACCOUNT] = 2,
	    [ACCOUNT_EXISTS] = 0, [ACCOUNT_FOREIGN] = 2 } },
	{ "removeuser:alice:example.com", RIGHT_DELETE, ACCOUNT_DELETE, "",
	    { [ACCOUNT_UNAVAILABLE] = 2, [ACCOUNT_DONE] = 1,
	    [ACCOUNT_REFUSED] = 2, [ACCOUNT_NO_ACCOUNT] = 1,
	    [ACCOUNT_EXISTS] = 2, [ACCOUNT_FOREIGN] = 2 } }
};
#define CHANGES	((int)(sizeof(changes) / sizeof(changes[0])))

/* Nothing but the one right is needed, and all the others do not help. */
static void
attach_right(unsigned int right)
{
	static struct listener_settings s;

	s = settings;
	s.rights = right;
	extauth_door_attach(door, &context, &s);
}

START_TEST(xmpp_1_2_changes)
{
	const struct change_case *t = &changes[_i / ACCOUNT_RESULT_COUNT];
	enum account_result result = (enum account_result)
	    (_i % ACCOUNT_RESULT_COUNT);

	attach_right(~t->right);
	put_frame(t->payload);
	ck_assert_int_eq(got(), 2);
	ck_assert_uint_eq(changing.submitted, 0);
	attach_right(t->right);
	put_frame(t->payload);
	ck_assert_uint_eq(changing.submitted, 1);
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert_int_eq((int)changing.change, (int)t->change);
	ck_assert_str_eq(changing.name, "alice");
	ck_assert_str_eq(changing.domain, "example.com");
	ck_assert_str_eq(changing.password, t->password);
	ck_assert_int_eq(got(), -1);
	ck_assert_uint_eq(extauth_door_busy(door), 1);
	change(result);
	ck_assert_int_eq(got(), t->answers[result]);
	ck_assert_uint_eq(extauth_door_busy(door), 0);
}
END_TEST

/* removeuser3: the password first, and then that account and no other. */
START_TEST(remove_with_password)
{
	const struct auth_reply yes = { .verdict = VERDICT_ALLOW,
	    .account = { .localpart = "alice", .domain = "example.com" } };
	auth_cb *cb;

	attach_right(RIGHT_DELETE);
	put_frame("removeuser3:Alice:example.com:a:b");
	ck_assert_uint_eq(changing.submitted, 0);
	ck_assert_int_eq((int)asked.kind, AUTH_PASSWORD);
	ck_assert_uint_eq(asked.password_n, 3);
	ck_assert_int_eq(memcmp(asked.password, "a:b", 3), 0);
	if (_i < 2) {
		decide(_i == 0 ? VERDICT_DENY : VERDICT_UNAVAILABLE);
		ck_assert_int_eq(got(), _i == 0 ? 0 : 2);
		ck_assert_uint_eq(changing.submitted, 0);
		return;
	}
	cb = asked.cb;
	cb(&yes, asked.arg);
	turn();
	ck_assert_int_eq(got(), -1);
	ck_assert_int_eq((int)changing.change, ACCOUNT_DELETE);
	ck_assert_str_eq(changing.name, "alice");
	ck_assert_str_eq(changing.domain, "example.com");
	if (_i == 2) {
		change(ACCOUNT_DONE);
		ck_assert_int_eq(got(), 1);
		return;
	}
	extauth_door_free(&door);
	ck_assert_uint_eq(changing.cancelled, 1);
	ck_assert_uint_eq(asked.cancelled, 0);
}
END_TEST

START_TEST(gone_with_a_change_under_way)
{
	attach_right(RIGHT_SET);
	put_frame("setpass:alice:example.com:p");
	extauth_door_free(&door);
	ck_assert_uint_eq(changing.cancelled, 1);
}
END_TEST

/* A change, a question, a change: each waits for the one before. */
START_TEST(changes_in_turn)
{
	attach_right(RIGHT_SET | RIGHT_CHECK);
	put_frame("setpass:a:example.com:1");
	put_frame("auth:b:example.com:2");
	put_frame("setpass:c:example.com:3");
	ck_assert_uint_eq(asked.submitted, 0);
	change(ACCOUNT_REFUSED);
	ck_assert_int_eq(got(), 2);
	ck_assert_str_eq(asked.name, "b");
	ck_assert_uint_eq(changing.submitted, 1);
	decide(VERDICT_DENY);
	ck_assert_int_eq(got(), 0);
	ck_assert_str_eq(changing.name, "c");
	change(ACCOUNT_DONE);
	ck_assert_int_eq(got(), 1);
}
END_TEST

START_TEST(domains_are_passed_on)
{
	static const char *const names[] = { "example.com" };
	struct listener_settings some = settings;

	some.domains = (struct domain_list){ names, 1 };
	extauth_door_attach(door, &context, &some);
	put_frame("isuser:alice:example.com");
	ck_assert_ptr_nonnull(asked.domains);
	ck_assert_uint_eq(asked.domains->count, 1);
	ck_assert_str_eq(asked.domains->names[0], "example.com");
	decide(VERDICT_ALLOW);
	some.rights = RIGHT_SET;
	extauth_door_attach(door, &context, &some);
	put_frame("setpass:alice:example.com:p");
	ck_assert_uint_eq(changing.domains->count, 1);
	ck_assert_str_eq(changing.domains->names[0], "example.com");
}
END_TEST

START_TEST(nothing_to_decide_with)
{
	struct door_context idle = context;

	idle.auth = NULL;
	extauth_door_attach(door, &idle, &settings);
	put_frame("auth:alice:example.com:p");
	ck_assert_int_eq(got(), 2);
	ck_assert_uint_eq(asked.submitted, 0);
	extauth_door_attach(door, &context, &settings);
	put_frame("auth:alice:example.com:p");
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
}
END_TEST

START_TEST(one_request_at_a_time)
{
	uint8_t out[256];
	size_t n;

	n = frame(out, "auth:a:example.com:1", 20);
	n += frame(out + n, "setpass:b:example.com:2", 23);
	n += frame(out + n, "auth:c:example.com:3", 20);
	put(out, n);
	turn();
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_str_eq(asked.name, "a");
	decide(VERDICT_ALLOW);
	ck_assert_uint_eq(asked.submitted, 2);
	ck_assert_str_eq(asked.name, "c");
	ck_assert_int_eq(read(near_end, out, sizeof(out)), 8);
	ck_assert_int_eq(memcmp(out, "\0\2\0\1\0\2\0\2", 8), 0);
	/* Sent while one is under way: it waits. */
	put_frame("auth:d:example.com:4");
	ck_assert_str_eq(asked.name, "c");
	decide(VERDICT_DENY);
	ck_assert_int_eq(got(), 0);
	ck_assert_str_eq(asked.name, "d");
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
}
END_TEST

START_TEST(one_octet_at_a_time)
{
	uint8_t out[64];
	size_t n = frame(out, "auth:alice:example.com:p", 24);

	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(asked.submitted, 0);
		put(out + i, 1);
		turn();
	}
	ck_assert_uint_eq(asked.submitted, 1);
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
}
END_TEST

/* The longest frame there is, then a short one behind it. */
START_TEST(longest_frame)
{
	static uint8_t out[65537 + 32];
	static char payload[65535];
	size_t n, done = 0;

	memset(payload, 'x', sizeof(payload));
	memcpy(payload, "auth:alice:example.com:", 23);
	n = frame(out, payload, sizeof(payload));
	n += frame(out + n, "isuser:bob:example.com", 22);
	while (done < n) {
		ssize_t put_n = write(near_end, out + done, n - done);

		if (put_n > 0)
			done += (size_t)put_n;
		else
			ck_assert_int_eq(errno, EAGAIN);
		turn();
	}
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_uint_eq(asked.password_n, 65535 - 23);
	decide(VERDICT_DENY);
	ck_assert_int_eq(got(), 0);
	ck_assert_str_eq(asked.name, "bob");
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
}
END_TEST

START_TEST(end_of_file)
{
	static const uint8_t half[] = { 0, 24, 'a', 'u', 't', 'h' };

	if (_i > 0)
		put(half, (size_t)_i);
	turn();
	ck_assert_uint_eq(ended, 0);
	ck_assert_int_eq(shutdown(near_end, SHUT_WR), 0);
	turn();
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(got(), -1);
	ck_assert_uint_eq(asked.submitted, 0);
}
END_TEST

/* Frames in a file: all are answered before the end is seen. */
START_TEST(end_of_file_behind_requests)
{
	uint8_t out[128];
	size_t n = frame(out, "auth:a:example.com:1", 20);

	n += frame(out + n, "auth:b:example.com:2", 20);
	put(out, n);
	ck_assert_int_eq(shutdown(near_end, SHUT_WR), 0);
	turn();
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
	ck_assert_uint_eq(ended, 0);
	decide(VERDICT_DENY);
	ck_assert_int_eq(got(), 0);
	turn();
	ck_assert_uint_eq(ended, 1);
}
END_TEST

START_TEST(gone_with_a_request_under_way)
{
	put_frame("auth:alice:example.com:p");
	extauth_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 1);
}
END_TEST

/* A peer that asks without end and reads no answer. */
START_TEST(slow_reader)
{
	uint8_t out[64], in[4096];
	size_t n = frame(out, "nonsense", 8), sent = 0, answers = 0;
	int small = 1, idle = 0;
	ssize_t got_n;

	(void)setsockopt(far_end, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small));
	while (idle < 100 && sent < 100000) {
		if (write(near_end, out, n) == (ssize_t)n) {
			sent++;
			idle = 0;
		} else
			idle++;
		turn();
		lines[0] = '\0';
	}
	/* It is the peer that has to wait now. */
	ck_assert_uint_lt(sent, 100000);
	ck_assert_uint_eq(extauth_door_busy(door), 1);
	for (idle = 0; idle < 100; idle++) {
		while ((got_n = read(near_end, in, sizeof(in))) > 0) {
			answers += (size_t)got_n;
			idle = 0;
		}
		turn();
		lines[0] = '\0';
	}
	ck_assert_uint_eq(answers, 4 * sent);
	ck_assert_uint_eq(ended, 0);
}
END_TEST

START_TEST(reader_has_gone)
{
	put_frame("auth:alice:example.com:p");
	(void)close(near_end);
	near_end = -1;
	decide(VERDICT_ALLOW);
	turn();
	ck_assert_uint_eq(ended, 1);
}
END_TEST

static int
connect_to(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* In place of the pair: a door with a socket, and near_end connected. */
static void
listen_at(char *path, size_t cap, const uid_t *user)
{
	struct listener_settings with_path = settings;

	extauth_door_free(&door);
	(void)close(near_end);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, cap, "%s/s", dir);
	with_path.path = path;
	with_path.mode = 0600;
	with_path.users = user;
	with_path.user_count = user != NULL;
	door = extauth_door_new(&context, &with_path);
	ck_assert_msg(door != NULL, "%s", lines);
	near_end = connect_to(path);
}

/* What is under way is answered, the rest closed. */
START_TEST(drain)
{
	char path[64], c;
	int idle;

	listen_at(path, sizeof(path), NULL);
	idle = connect_to(path);
	turn();
	put_frame("auth:alice:example.com:p");
	ck_assert_uint_eq(extauth_door_busy(door), 1);
	extauth_door_drain(door);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(read(idle, &c, 1), 0);
	ck_assert_uint_eq(extauth_door_busy(door), 1);
	decide(VERDICT_ALLOW);
	ck_assert_int_eq(got(), 1);
	ck_assert_int_eq(read(near_end, &c, 1), 0);
	ck_assert_uint_eq(extauth_door_busy(door), 0);
	(void)close(idle);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* Sent and not read yet; i 1: not even accepted. Half a frame is not heard. */
START_TEST(drain_who_waits)
{
	char path[64], c;
	uint8_t out[64];
	int half;

	listen_at(path, sizeof(path), NULL);
	half = connect_to(path);
	if (_i == 0)
		turn();
	put(out, frame(out, "auth:alice:example.com:p", 24));
	ck_assert_int_eq(write(half, out, 25), 25);
	ck_assert_uint_eq(asked.submitted, 0);
	extauth_door_drain(door);
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_int_eq(read(half, &c, 1), 0);
	decide(VERDICT_DENY);
	ck_assert_int_eq(got(), 0);
	ck_assert_int_eq(read(near_end, &c, 1), 0);
	ck_assert_uint_eq(extauth_door_busy(door), 0);
	(void)close(half);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* allow_users: no octet that could be taken for an answer, just the end. */
START_TEST(refused_user)
{
	const uid_t user = getuid() + 1;
	char path[64], c;

	listen_at(path, sizeof(path), &user);
	turn();
	put_frame("auth:alice:example.com:p");
	ck_assert_int_eq(read(near_end, &c, 1), 0);
	ck_assert_uint_eq(asked.submitted, 0);
	extauth_door_free(&door);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("extauth");
	TCase *tc = tcase_create("extauth");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, xmpp_1_2_answers, 0,
	    sizeof(verdicts) / sizeof(verdicts[0]));
	tcase_add_loop_test(tc, xmpp_1_2_not_here, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tc, rights, 0, 2);
	tcase_add_loop_test(tc, xmpp_1_2_changes, 0,
	    CHANGES * ACCOUNT_RESULT_COUNT);
	tcase_add_loop_test(tc, remove_with_password, 0, 4);
	tcase_add_test(tc, gone_with_a_change_under_way);
	tcase_add_test(tc, changes_in_turn);
	tcase_add_test(tc, domains_are_passed_on);
	tcase_add_test(tc, nothing_to_decide_with);
	tcase_add_test(tc, one_request_at_a_time);
	tcase_add_test(tc, one_octet_at_a_time);
	tcase_add_test(tc, longest_frame);
	tcase_add_loop_test(tc, end_of_file, 0, 7);
	tcase_add_test(tc, end_of_file_behind_requests);
	tcase_add_test(tc, gone_with_a_request_under_way);
	tcase_add_test(tc, slow_reader);
	tcase_add_test(tc, reader_has_gone);
	tcase_add_test(tc, drain);
	tcase_add_loop_test(tc, drain_who_waits, 0, 2);
	tcase_add_test(tc, refused_user);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
