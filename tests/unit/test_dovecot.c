/*
 * The Dovecot door on a socket, with exchanges of the test's own in place of
 * service/sasl: exact lines (STANDARDS 7.3), what is handed on, several
 * exchanges at a time, and the bounds of everything.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/base64.h"
#include "doors/dovecot.h"
#include "doors/dovecot_line.h"
#include "service/sasl.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define TICKETS		4096
#define TEMPORARY	"\ttemp\tcode=temp_fail\n"

/* What sasl_submit() was given, and its callbacks. */
static struct {
	unsigned int	 submitted, cancelled;
	enum sasl_mech	 mech;
	char		 data[SASL_MESSAGE_MAX + 1], state[64], source[80];
	bool		 has_data, plus_offered;
	const struct domain_list *domains;
	struct sasl_ticket {
		sasl_cb	*cb;
		void	*arg;
	} tickets[TICKETS];
} asked;

static char			 dir[32], path[64], lines[16384];
static char			 in[131072];	/* what the client has read */
static size_t			 in_n;
static time_t			 skew;
static struct event_base	*base;
static struct crypto		*crypto;
static struct dovecot_door	*door;
static struct door_context	 context;
static struct dovecot_settings	 settings;
static int			 peer;

static const char *const mech_names[SASL_MECH_COUNT] = {
	"", "PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS",
	"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512",
	"SCRAM-SHA-512-PLUS"
};

enum sasl_mech
sasl_mech_parse(struct span name)
{
	for (int i = 1; i < SASL_MECH_COUNT; i++)
		if (span_equal(name, span_str(mech_names[i])))
			return (enum sasl_mech)i;
	return SASL_MECH_NONE;
}

const char *
sasl_mech_name(enum sasl_mech mech)
{
	return mech_names[mech];
}

struct sasl_ticket *
sasl_submit(struct sasl *sasl, const struct sasl_request *request,
    sasl_cb *cb, void *arg)
{
	struct sasl_ticket *ticket = &asked.tickets[asked.submitted++];

	ck_assert_ptr_eq(sasl, &asked);
	ck_assert_uint_le(asked.submitted, TICKETS);
	ck_assert_str_eq(request->door, "dovecot");
	ck_assert(span_equal(request->domain, SPAN_LIT("example.com")));
	ck_assert_uint_eq(request->cb_type.n + request->cb_data.n, 0);
	asked.mech = request->mech;
	asked.has_data = request->has_data;
	asked.plus_offered = request->plus_offered;
	asked.domains = request->domains;
	ck_assert_int_eq(span_copy_str(request->data, asked.data,
	    sizeof(asked.data)), 0);
	ck_assert_int_eq(span_copy_str(request->state, asked.state,
	    sizeof(asked.state)), 0);
	ck_assert_int_eq(span_copy_str(request->source, asked.source,
	    sizeof(asked.source)), 0);
	ticket->cb = cb;
	ticket->arg = arg;
	return ticket;
}

void
sasl_cancel(struct sasl_ticket *ticket)
{
	ck_assert(ticket->cb != NULL);
	ticket->cb = NULL;
	asked.cancelled++;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	if (timespec_get(ts, TIME_UTC) != TIME_UTC)
		return -1;
	ts->tv_sec += skew;
	return 0;
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

/* Reads on; false at the end of the stream. */
static bool
receive(void)
{
	ssize_t n;

	turn();
	while ((n = read(peer, in + in_n, sizeof(in) - 1 - in_n)) > 0) {
		in_n += (size_t)n;
		turn();
	}
	in[in_n] = '\0';
	return n != 0;
}

static void
forget(void)
{
	in_n = 0;
	in[0] = '\0';
}

static void
setup(void)
{
	memset(&asked, 0, sizeof(asked));
	lines[0] = '\0';
	skew = 0;
	(void)snprintf(dir, sizeof(dir), "/tmp/onecred.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	settings = (struct dovecot_settings){
		.listener = { .section = "dovecot-a", .path = path,
		    .mode = 0600, .rights = RIGHT_CHECK | RIGHT_SASL,
		    .fd = -1 },
		.domain = "example.com"
	};
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	context = (struct door_context){ .base = base, .crypto = crypto,
	    .sasl = (struct sasl *)(void *)&asked, .sink = &sink };
	door = dovecot_door_new(&context, &settings);
	ck_assert_msg(door != NULL, "%s", lines);
	peer = connect_peer();
	ck_assert(receive());
	ck_assert_ptr_nonnull(strstr(in, "\nDONE\n"));
	forget();
}

static void
teardown(void)
{
	dovecot_door_free(&door);
	crypto_free(&crypto);
	event_base_free(base);
	(void)close(peer);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
put_n(const char *text, size_t n)
{
	for (size_t done = 0; done < n; ) {
		ssize_t sent = send(peer, text + done, n - done,
		    MSG_NOSIGNAL);

		ck_assert(sent > 0 || errno == EAGAIN);
		done += sent > 0 ? (size_t)sent : 0;
		turn();
	}
}

/* Sends, and reads what comes of it. */
static void
put(const char *text)
{
	put_n(text, strlen(text));
	ck_assert(receive());
}

static void
decide(unsigned int i, enum sasl_status status, const char *data,
    const char *state)
{
	static const struct account alice = { "alice", "example.com" };
	struct sasl_reply reply = {
		.status = status, .data = span_str(data),
		.state = span_str(state)
	};
	sasl_cb *cb = asked.tickets[i].cb;

	if (status == SASL_ALLOW)
		reply.account = alice;
	ck_assert(cb != NULL);
	asked.tickets[i].cb = NULL;
	cb(&reply, asked.tickets[i].arg);
	(void)receive();
}

static const struct {
	unsigned int	 rights;
	const char	*mechs;
} offers[] = {
	{ RIGHT_CHECK | RIGHT_SASL, "MECH\tPLAIN\tplaintext\n"
	    "MECH\tLOGIN\tplaintext\nMECH\tSCRAM-SHA-1\tmutual-auth\n"
	    "MECH\tSCRAM-SHA-256\tmutual-auth\n"
	    "MECH\tSCRAM-SHA-512\tmutual-auth\n" },
	{ RIGHT_CHECK, "MECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n" },
	{ RIGHT_SASL, "MECH\tSCRAM-SHA-1\tmutual-auth\n"
	    "MECH\tSCRAM-SHA-256\tmutual-auth\n"
	    "MECH\tSCRAM-SHA-512\tmutual-auth\n" }
};

START_TEST(handshake)
{
	char want[512], cookie[33], line[128];
	unsigned int cuid;
	int pid, n = 0;

	dovecot_door_free(&door);
	(void)close(peer);
	settings.listener.rights = offers[_i].rights;
	door = dovecot_door_new(&context, &settings);
	ck_assert_ptr_nonnull(door);
	for (unsigned int i = 1; i < 3; i++) {
		peer = connect_peer();
		forget();
		ck_assert(receive());
		(void)snprintf(want, sizeof(want), "VERSION\t1\t2\n%s"
		    "SPID\t", offers[_i].mechs);
		ck_assert(span_equal(span_head(span_str(in), strlen(want)),
		    span_str(want)));
		ck_assert_int_eq(sscanf(in + strlen(want), "%d\nCUID\t%u\n"
		    "COOKIE\t%32[0-9a-f]\nDONE\n%n", &pid, &cuid, cookie, &n),
		    3);
		ck_assert_int_eq(pid, getpid());
		ck_assert_uint_eq(cuid, i);
		ck_assert_uint_eq(strlen(cookie), 32);
		ck_assert_uint_eq(strlen(want) + (size_t)n, in_n);
		if (i == 1)
			(void)close(peer);
	}
	/* What is not offered is refused without a question. */
	for (int i = 1; i < SASL_MECH_COUNT; i++) {
		(void)snprintf(line, sizeof(line), "MECH\t%s\t",
		    mech_names[i]);
		if (strstr(offers[_i].mechs, line) != NULL)
			continue;
		forget();
		(void)snprintf(line, sizeof(line), "AUTH\t1\t%s\tresp=\n",
		    mech_names[i]);
		put(line);
		ck_assert_str_eq(in, "FAIL\t1\n");
	}
	ck_assert_uint_eq(asked.submitted, 0);
}
END_TEST

static const struct {
	const char	*request;
	enum sasl_status status;
	const char	*data;
	const char	*answer;
} answers[] = {
	{ "service=smtp", SASL_ALLOW, "", "OK\t7\tuser=alice\n" },
	{ "service=xmpp", SASL_ALLOW, "v=x", "OK\t7\tuser=alice\tresp=dj14\n" },
	{ "service=smtp\tfinal-resp-ok", SASL_ALLOW, "v=x",
	    "OK\t7\tuser=alice\tresp=dj14\n" },
	{ "service=smtp", SASL_ALLOW, "v=x", "CONT\t7\tdj14\n" },
	{ "service=smtp", SASL_DENY, "", "FAIL\t7\n" },
	{ "service=smtp", SASL_UNAVAILABLE, "", "FAIL\t7" TEMPORARY },
	{ "service=smtp", SASL_CONTINUE, "r=x", "CONT\t7\tcj14\n" },
	{ "service=smtp", SASL_CONTINUE, "", "CONT\t7\t\n" }
};

START_TEST(answer)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "VERSION\t1\t1\nCPID\t1\n"
	    "AUTH\t7\tSCRAM-SHA-256\t%s\tresp=YWJj\n", answers[_i].request);
	put(line);
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_int_eq(asked.mech, SASL_MECH_SCRAM_SHA_256);
	ck_assert_str_eq(asked.data, "abc");
	ck_assert_str_eq(asked.state, "");
	ck_assert(asked.has_data && !asked.plus_offered);
	ck_assert_ptr_null(asked.domains);
	ck_assert_uint_eq(in_n, 0);
	decide(0, answers[_i].status, answers[_i].data,
	    answers[_i].status == SASL_CONTINUE ? "token" : "");
	ck_assert_str_eq(in, answers[_i].answer);
}
END_TEST

/* The token and the source are those of the first step. */
START_TEST(continued)
{
	put("AUTH\t1\tSCRAM-SHA-1\trip=192.0.2.1\tresp=YQ==\n");
	ck_assert_str_eq(asked.source, "192.0.2.1");
	decide(0, SASL_CONTINUE, "b", "token");
	put("CONT\t1\tYw==\n");
	ck_assert_uint_eq(asked.submitted, 2);
	ck_assert_str_eq(asked.data, "c");
	ck_assert_str_eq(asked.state, "token");
	ck_assert_str_eq(asked.source, "192.0.2.1");
	ck_assert_int_eq(asked.mech, SASL_MECH_SCRAM_SHA_1);
	forget();
	decide(1, SASL_ALLOW, "v", "");
	ck_assert_str_eq(in, "CONT\t1\tdg==\n");
	forget();
	if (_i == 0) {
		put("CONT\t1\t=\n");
		ck_assert_str_eq(in, "OK\t1\tuser=alice\n");
	} else {
		put("CONT\t1\tYw==\n");
		ck_assert_str_eq(in, "FAIL\t1\n");
	}
	forget();
	put("CONT\t1\t\n");
	ck_assert_str_eq(in, "FAIL\t1\n");
	ck_assert_uint_eq(asked.submitted, 2);
}
END_TEST

static const struct {
	const char	*hello, *mech, *rest;
	bool		 has_data;
} empties[] = {
	{ "1", "PLAIN", "service=smtp", false },
	{ "1", "PLAIN", "service=smtp\tresp=", false },
	{ "1", "PLAIN", "service=smtp\tresp==", false },
	{ "2", "PLAIN", "service=smtp\tresp=", true },
	{ "2", "PLAIN", "service=smtp", false },
	{ "1", "PLAIN", "service=xmpp\tresp==", true },
	{ "1", "LOGIN", "service=xmpp\tresp==", false },
	{ "2", "LOGIN", "service=smtp\tresp=", false },
	{ "1", "SCRAM-SHA-1", "service=xmpp\tresp==", true }
};

START_TEST(empty_response)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "VERSION\t1\t%s\nAUTH\t1\t%s\t"
	    "%s\n", empties[_i].hello, empties[_i].mech, empties[_i].rest);
	put(line);
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_int_eq(asked.has_data, empties[_i].has_data);
	ck_assert_str_eq(asked.data, "");
}
END_TEST

START_TEST(interleaved_and_cancelled)
{
	put("AUTH\t1\tPLAIN\tresp=YQ==\nAUTH\t2\tPLAIN\tresp=Yg==\n"
	    "AUTH\t3\tPLAIN\tresp=Yw==\nCANCEL\t2\nCANCEL\t99\n");
	ck_assert_uint_eq(asked.submitted, 3);
	ck_assert_uint_eq(asked.cancelled, 1);
	ck_assert(asked.tickets[1].cb == NULL);
	decide(2, SASL_DENY, "", "");
	decide(0, SASL_ALLOW, "", "");
	ck_assert_str_eq(in, "FAIL\t3\nOK\t1\tuser=alice\n");
	/* Out of turn: it is over, and answered once. */
	forget();
	put("AUTH\t4\tPLAIN\tresp=YQ==\nCONT\t4\tYQ==\n");
	ck_assert_str_eq(in, "FAIL\t4\n");
	ck_assert_uint_eq(asked.cancelled, 2);
	/* By the same id: the first is over, without an answer. */
	forget();
	put("AUTH\t5\tPLAIN\tresp=YQ==\nAUTH\t5\tPLAIN\tresp=YQ==\n");
	ck_assert_uint_eq(asked.cancelled, 3);
	decide(asked.submitted - 1, SASL_ALLOW, "", "");
	ck_assert_str_eq(in, "OK\t5\tuser=alice\n");
	forget();
	put("CANCEL\t5\n");
	ck_assert_uint_eq(in_n, 0);
}
END_TEST

/* Lines wait until their answers fit, and all are answered in the end. */
START_TEST(back_pressure)
{
	static char text[200 * 32];
	unsigned int decided = 0, answered = 0, most = 0;
	size_t n = 0;

	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "AUTH\t%d\tPLAIN\tresp=YQ==\n", i);
	ck_assert_int_eq(send(peer, text, n, MSG_NOSIGNAL), (ssize_t)n);
	ck_assert(receive());
	while (decided < asked.submitted) {
		if (asked.submitted - decided > most)
			most = asked.submitted - decided;
		decide(decided++, SASL_ALLOW, "", "");
	}
	ck_assert_uint_eq(decided, 200);
	ck_assert_uint_le(most, 16);
	ck_assert_uint_ge(most, 4);
	for (size_t i = 0; i < in_n; i++)
		answered += in[i] == '\n';
	ck_assert_uint_eq(answered, 200);
	ck_assert_ptr_nonnull(strstr(in, "\nOK\t199\tuser=alice\n"));
}
END_TEST

/* More answers at once than there is room for. */
START_TEST(many_short_lines)
{
	static const char user[] =
	    "a234567890b234567890c234567890d234567890e234567890f234567890";
	static char text[1000 * 16];
	struct sasl_reply reply = {
		.status = SASL_ALLOW, .data = SPAN_LIT("v")
	};
	unsigned int answered = 0;
	char line[64];
	size_t n = 0;

	memcpy(reply.account.localpart, user, sizeof(user));
	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line),
		    "AUTH\t%u\tSCRAM-SHA-1\tresp=YQ==\n", i);
		put(line);
		asked.tickets[i].cb(&reply, asked.tickets[i].arg);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "CONT\t%u\n", i);
	}
	ck_assert(receive());
	forget();
	ck_assert_int_eq(send(peer, text, n, MSG_NOSIGNAL), (ssize_t)n);
	ck_assert(receive());
	for (size_t i = 0; i < in_n; i++)
		answered += in[i] == '\n';
	ck_assert_uint_eq(answered, 1000);
	ck_assert_uint_gt(in_n, 70000);
}
END_TEST

/* Whole buffers of empty lines; the question behind them is not lost. */
START_TEST(many_empty_lines)
{
	static const char ask[] = "AUTH\t1\tPLAIN\tresp=YQ==\n";
	static char text[4 * DOVECOT_LINE_MAX + sizeof(ask)];
	size_t n = sizeof(text) - (size_t)_i;

	memset(text, '\n', n);
	memcpy(text + n - sizeof(ask) + 1, ask, sizeof(ask) - 1);
	put_n(text, n);
	ck_assert(receive());
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_str_eq(in, "");
}
END_TEST

/* What was begun and left is bounded by number and by age. */
START_TEST(begun_and_left)
{
	char line[64];

	for (unsigned int i = 0; i < 1025; i++) {
		(void)snprintf(line, sizeof(line),
		    "AUTH\t%u\tSCRAM-SHA-1\tresp=YQ==\n", i);
		put(line);
		decide(i, SASL_CONTINUE, "b", "token");
	}
	forget();
	put("CONT\t0\tYQ==\n");
	ck_assert_str_eq(in, "FAIL\t0\n");
	ck_assert_uint_eq(asked.submitted, 1025);
	forget();
	put("CONT\t1\tYQ==\n");
	ck_assert_uint_eq(asked.submitted, 1026);
	decide(1025, SASL_DENY, "", "");
	ck_assert_str_eq(in, "FAIL\t1\n");
	/* After their token's life another login clears them away. */
	skew = SASL_STATE_MS / 1000 + 2;
	put("AUTH\t5000\tPLAIN\tresp=YQ==\n");
	decide(1026, SASL_DENY, "", "");
	forget();
	put("CONT\t1024\tYQ==\n");
	ck_assert_str_eq(in, "FAIL\t1024\n");
	ck_assert_uint_eq(asked.submitted, 1027);
}
END_TEST

static const char *const refusals[] = {
	"AUTH\t7\tPLAIN\tresp=YQ\n", "AUTH\t7\tPLAIN\tresp=YR==\n",
	"AUTH\t7\tPLAIN\tresp=YQ==\tx\n", "AUTH\t7\tplain\tresp=YQ==\n",
	"AUTH\t7\tPLAIN-PLUS\n", "CONT\t7\tYQ==\n", "CONT\t7\n"
};

START_TEST(refused)
{
	put(refusals[_i]);
	ck_assert_str_eq(in, "FAIL\t7\n");
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert_ptr_nonnull(strstr(lines, "door=dovecot verdict=deny"));
	put("AUTH\t8\tPLAIN\tresp=YQ==\n");
	ck_assert_uint_eq(asked.submitted, 1);
}
END_TEST

/* A line of any length costs its sender that login, and nobody else's. */
START_TEST(long_lines)
{
	static char big[70000];
	static const size_t sizes[] = { 16384, 16385, 16386, 32768, 69990 };

	put("AUTH\t1\tPLAIN\tresp=YQ==\n");
	for (int i = 0; i < COUNT(sizes); i++) {
		memset(big, 'A', sizeof(big));
		memcpy(big, "AUTH\t9\tPLAIN\tresp=", 18);
		big[sizes[i]] = '\n';
		forget();
		put_n(big, sizes[i] + 1);
		ck_assert(receive());
		ck_assert_str_eq(in, "FAIL\t9\n");
	}
	/* One that nobody could be told about is left out. */
	memset(big, 'A', sizeof(big));
	big[50000] = '\n';
	forget();
	put_n(big, 50001);
	put("AUTH\t3\tX\n");
	ck_assert_str_eq(in, "FAIL\t3\n");
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_uint_eq(asked.cancelled, 0);
	forget();
	decide(0, SASL_ALLOW, "", "");
	ck_assert_str_eq(in, "OK\t1\tuser=alice\n");
}
END_TEST

START_TEST(octet_by_octet)
{
	static const char text[] = "VERSION\t1\t1\nCPID\t-1\nFUTURE\tx\n\n"
	    "AUTH\t1\tPLAIN\tresp=YQ==\n";

	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		ck_assert_uint_eq(asked.submitted, 0);
		put_n(text + i, 1);
	}
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_str_eq(asked.data, "a");
}
END_TEST

static const char *const ends[] = {
	"VERSION\t2\t0\n", "VERSION\n", "AUTH\t1\n", "AUTH\tx\tPLAIN\n",
	"CANCEL\n"
};

/* Nobody can be answered: the connection ends, what is under way too. */
START_TEST(ended)
{
	put("AUTH\t1\tPLAIN\tresp=YQ==\n");
	put_n(ends[_i], strlen(ends[_i]));
	ck_assert(!receive());
	ck_assert_uint_eq(asked.cancelled, 1);
	ck_assert_uint_eq(dovecot_door_busy(door), 0);
	ck_assert_ptr_nonnull(strstr(lines, "connection closed"));
}
END_TEST

START_TEST(peer_goes)
{
	put("AUTH\t1\tPLAIN\tresp=YQ==\n");
	if (_i == 0) {	/* has said all, and reads */
		ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
		ck_assert(receive());
		decide(0, SASL_ALLOW, "", "");
		ck_assert_str_eq(in, "OK\t1\tuser=alice\n");
		ck_assert(!receive());
	} else {	/* is gone */
		(void)close(peer);
		turn();
		peer = -1;
		decide(0, SASL_ALLOW, "", "");
	}
	ck_assert_uint_eq(dovecot_door_busy(door), 0);
}
END_TEST

START_TEST(stalled)
{
	dovecot_door_free(&door);
	(void)close(peer);
	settings.stall_ms = 50;
	door = dovecot_door_new(&context, &settings);
	ck_assert_ptr_nonnull(door);
	peer = connect_peer();
	ck_assert(receive());
	/* Silence is no half line, nor is an exchange under way. */
	put("AUTH\t1\tPLAIN\tresp=YQ==\n");
	for (int i = 0; i < 30; i++) {
		ck_assert(receive());
		(void)usleep(5000);
	}
	decide(0, SASL_CONTINUE, "", "t");
	put("CONT\t1");
	for (int i = 0; receive(); i++) {
		ck_assert_int_lt(i, 2000);
		(void)usleep(5000);
	}
	ck_assert_ptr_nonnull(strstr(lines, "half a line and no more"));
}
END_TEST

START_TEST(drained)
{
	int idle = connect_peer();
	char c[1024];

	turn();
	ck_assert_int_gt((int)read(idle, c, sizeof(c)), 0);
	put("AUTH\t1\tPLAIN\tresp=YQ==\n");
	dovecot_door_drain(door);
	ck_assert_int_eq((int)read(idle, c, 1), 0);
	ck_assert_uint_eq(dovecot_door_busy(door), 1);
	ck_assert(receive());
	forget();
	decide(0, SASL_ALLOW, "", "");
	ck_assert_str_eq(in, "OK\t1\tuser=alice\n");
	ck_assert(!receive());
	ck_assert_uint_eq(dovecot_door_busy(door), 0);
	(void)close(idle);
}
END_TEST

START_TEST(freed_in_flight)
{
	put("AUTH\t1\tPLAIN\tresp=YQ==\nAUTH\t2\tSCRAM-SHA-1\tresp=YQ==\n");
	decide(1, SASL_CONTINUE, "x", "token");
	dovecot_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 1);
	ck_assert(!receive());
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("dovecot");
	TCase *tc = tcase_create("dovecot");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, handshake, 0, COUNT(offers));
	tcase_add_loop_test(tc, answer, 0, COUNT(answers));
	tcase_add_loop_test(tc, continued, 0, 2);
	tcase_add_loop_test(tc, empty_response, 0, COUNT(empties));
	tcase_add_test(tc, interleaved_and_cancelled);
	tcase_add_test(tc, back_pressure);
	tcase_add_test(tc, many_short_lines);
	tcase_add_loop_test(tc, many_empty_lines, 0, 40);
	tcase_add_test(tc, begun_and_left);
	tcase_add_loop_test(tc, refused, 0, COUNT(refusals));
	tcase_add_test(tc, long_lines);
	tcase_add_test(tc, octet_by_octet);
	tcase_add_loop_test(tc, ended, 0, COUNT(ends));
	tcase_add_loop_test(tc, peer_goes, 0, 2);
	tcase_add_test(tc, stalled);
	tcase_add_test(tc, drained);
	tcase_add_test(tc, freed_in_flight);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
