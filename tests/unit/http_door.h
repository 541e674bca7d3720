#ifndef ONECRED_TEST_HTTP_DOOR_H
#define ONECRED_TEST_HTTP_DOOR_H

/*
 * The HTTP door over real sockets, with decisions, readiness and counters of
 * the test's own in place of service/; and a peer that talks to it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/crypto.h"
#include "core/wbuf.h"
#include "doors/http.h"
#include "service/accounts.h"
#include "service/sasl.h"
#include "service/sip.h"
#include "unit.h"

#define WAIT_MS		10000
#define SHORT_MS	150
#define HOST		"Host: x\r\n"
#define CLOSE		HOST "Connection: close\r\n\r\n"
#define CANARY		"c4nary"

static char			 dir[32], path[64], lines[8192];
static char			 answer[2 * AUTH_METRICS_MAX];
static size_t			 answer_n, metrics_n;
static bool			 ready;
static struct crypto		*crypto;
static struct event_base	*base;
static struct http_door		*door;
static struct door_context	 context;
static struct http_settings	 settings;

bool
auth_ready(const struct auth *auth)
{
	ck_assert_ptr_eq(auth, &ready);
	return ready;
}

void
auth_metrics(const struct auth *auth, struct wbuf *out)
{
	ck_assert_ptr_eq(auth, &ready);
	wbuf_str(out, "one 1\n");
	for (size_t i = 0; i < metrics_n; i++)
		wbuf_u8(out, 'x');
}

/* One decision under way. */
static struct {
	auth_cb		*auth;
	sip_cb		*sip;
	sasl_cb		*sasl;
	accounts_cb	*accounts;
	enum account_change change;
	void		*arg;
	unsigned int	 submitted, cancelled;
	char		 name[64], password[64], message[64];
} asked;

static void
keep(struct span s, char *out)
{
	(void)snprintf(out, 64, "%.*s", (int)s.n, (const char *)s.p);
}

struct auth_ticket *
auth_submit(struct auth *auth, const struct auth_request *request,
    auth_cb *cb, void *arg)
{
	ck_assert_ptr_eq(auth, &ready);
	asked.submitted++;
	asked.auth = cb;
	asked.arg = arg;
	keep(request->name, asked.name);
	keep(request->password, asked.password);
	return (struct auth_ticket *)(void *)&asked;
}

void
auth_cancel(struct auth_ticket *ticket)
{
	ck_assert_ptr_eq(ticket, &asked);
	asked.cancelled++;
}

struct sip_ticket *
sip_submit(struct sip *sip, const struct sip_request *request, sip_cb *cb,
    void *arg)
{
	ck_assert_ptr_null(sip);
	asked.submitted++;
	asked.sip = cb;
	asked.arg = arg;
	keep(request->message, asked.message);
	return (struct sip_ticket *)(void *)&asked;
}

void
sip_cancel(struct sip_ticket *ticket)
{
	ck_assert_ptr_eq(ticket, &asked);
	asked.cancelled++;
}

struct sasl_ticket *
sasl_submit(struct sasl *sasl, const struct sasl_request *request,
    sasl_cb *cb, void *arg)
{
	ck_assert_ptr_null(sasl);
	asked.submitted++;
	asked.sasl = cb;
	asked.arg = arg;
	keep(request->data, asked.message);
	return (struct sasl_ticket *)(void *)&asked;
}

void
sasl_cancel(struct sasl_ticket *ticket)
{
	ck_assert_ptr_eq(ticket, &asked);
	asked.cancelled++;
}

enum sasl_mech
sasl_mech_parse(struct span name)
{
	return span_equal(name, SPAN_LIT("PLAIN")) ? SASL_MECH_PLAIN :
	    SASL_MECH_NONE;
}

struct accounts_ticket *
accounts_submit(struct accounts *accounts,
    const struct account_request *request, accounts_cb *cb, void *arg)
{
	ck_assert_ptr_null(accounts);
	asked.submitted++;
	asked.accounts = cb;
	asked.arg = arg;
	asked.change = request->change;
	keep(request->name, asked.name);
	keep(request->password, asked.password);
	return (struct accounts_ticket *)(void *)&asked;
}

void
accounts_cancel(struct accounts_ticket *ticket)
{
	ck_assert_ptr_eq(ticket, &asked);
	asked.cancelled++;
}

const char *
account_result_str(enum account_result result)
{
	return result == ACCOUNT_DONE ? "done" : "other";
}

enum reason
sip_reason_told(enum reason reason)
{
	return reason == REASON_UNKNOWN_USER ? REASON_WRONG_PASSWORD : reason;
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

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define TOKEN		"c4nary-token-of-one"
#define OTHER_TOKEN	"c4nary-token-of-two"
#define BEARER		"Authorization: Bearer " TOKEN "\r\n"

static char			 tokens[2][32] = { TOKEN, OTHER_TOKEN };
static const char *const	 own[] = { "example.com" };
static const struct http_client_settings clients[] = {
	{ .name = "one", .domains = { own, 1 }, .realms = { own, 1 },
	    .token = { (uint8_t *)tokens[0], sizeof(TOKEN) - 1 },
	    .rights = RIGHT_CHECK | RIGHT_EXISTS | RIGHT_SIP | RIGHT_HA1 |
	    RIGHT_SET | RIGHT_SASL },
	{ .name = "two",
	    .token = { (uint8_t *)tokens[1], sizeof(OTHER_TOKEN) - 1 } }
};

static unsigned int
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned int)ts.tv_sec * 1000 +
	    (unsigned int)(ts.tv_nsec / 1000000);
}

static void
turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

static void
open_door(void)
{
	http_door_free(&door);
	door = http_door_new(&context, &settings);
	ck_assert_msg(door != NULL, "%s", lines);
}

static void
setup(void)
{
	lines[0] = '\0';
	ready = true;
	metrics_n = 0;
	memset(&asked, 0, sizeof(asked));
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	(void)snprintf(dir, sizeof(dir), "/tmp/onecred.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	settings = (struct http_settings){
		.listener = { .section = "http", .path = path, .mode = 0600,
		    .fd = -1 },
		.clients = clients, .client_count = COUNT(clients)
	};
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	context = (struct door_context){
		.base = base, .auth = (struct auth *)(void *)&ready,
		.crypto = crypto, .sink = &sink
	};
	door = NULL;
	open_door();
}

static void
teardown(void)
{
	http_door_free(&door);
	event_base_free(base);
	crypto_free(&crypto);
	ck_assert_int_eq(rmdir(dir), 0);
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

/* One read; false at the end of the stream. */
static bool
receive(int fd)
{
	ssize_t n = recv(fd, answer + answer_n,
	    sizeof(answer) - 1 - answer_n, 0);

	if (n > 0)
		answer_n += (size_t)n;
	answer[answer_n] = '\0';
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* All that comes until the peer closes, while p is being sent. */
static void
talk(int fd, const void *p, size_t n)
{
	unsigned int start = now_ms();
	const char *at = p;
	bool broken = false;
	ssize_t sent;

	answer_n = 0;
	answer[0] = '\0';
	do {
		if (n > 0 && !broken) {
			sent = send(fd, at, n, MSG_NOSIGNAL);
			if (sent > 0) {
				at += sent;
				n -= (size_t)sent;
			} else
				broken = errno != EAGAIN;
		}
		turn();
		ck_assert_msg(now_ms() - start < WAIT_MS, "no end: %.200s",
		    answer);
	} while (receive(fd));
}

static void
ask(const void *p, size_t n)
{
	int fd = connect_peer();

	talk(fd, p, n);
	(void)close(fd);
}

static void
wait_text(int fd, const char *text)
{
	unsigned int start = now_ms();

	answer_n = 0;
	answer[0] = '\0';
	while (strstr(answer, text) == NULL) {
		turn();
		ck_assert_msg(receive(fd), "closed: %.200s", answer);
		ck_assert_msg(now_ms() - start < WAIT_MS, "no %s: %.200s",
		    text, answer);
	}
}

static void
put(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
	turn();
}

static void
starts(const char *text)
{
	ck_assert_msg(strncmp(answer, text, strlen(text)) == 0,
	    "\"%.300s\" does not start with %s", answer, text);
}

#endif
