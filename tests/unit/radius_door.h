#ifndef ONECRED_RADIUS_DOOR_TEST_H
#define ONECRED_RADIUS_DOOR_TEST_H

/*
 * The RADIUS door over a real UDP socket, for its unit tests: an auth, realms
 * and keys of the test's own that decide when and what the test wants.
 */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/secret.h"
#include "doors/radius.h"
#include "doors/radius_packet.h"
#include "radius_vectors.h"
#include "service/decision.h"
#include "service/realms.h"
#include "service/replay.h"
#include "service/sip.h"
#include "unit.h"

#define ASKED_MAX	9000

struct auth_ticket {
	struct auth_request request;	/* names are not valid later */
	auth_cb		*cb;		/* NULL: done or cancelled */
	void		*arg;
};

/* The test's auth: every question asked, and how many were cancelled. */
static struct auth_ticket asked[ASKED_MAX];
static size_t asked_n, cancelled;
static char asked_name[300], asked_lookup[300], asked_source[64];
static struct account asked_aor;
static char asked_password[200];

static struct crypto *crypto;
static struct event_base *base;
static struct radius_door *door;
static struct radius_client_settings client;
static struct radius_settings settings;
static uint8_t secret[] = OWN_SECRET;
static char lines[16384];
static int server = -1, wire = -1;

struct auth_ticket *
auth_submit(struct auth *auth, const struct auth_request *request,
    auth_cb *cb, void *arg)
{
	struct auth_ticket *ticket = &asked[asked_n++];

	(void)auth;
	ck_assert_uint_le(asked_n, ASKED_MAX);
	ticket->request = *request;
	ticket->cb = cb;
	ticket->arg = arg;
	ck_assert_int_eq(span_copy_str(request->name, asked_name,
	    sizeof(asked_name)), 0);
	ck_assert_int_eq(span_copy_str(request->lookup_name, asked_lookup,
	    sizeof(asked_lookup)), 0);
	asked_aor = request->aor;
	ck_assert_int_eq(span_copy_str(request->source, asked_source,
	    sizeof(asked_source)), 0);
	ck_assert_int_eq(span_copy_str(request->password, asked_password,
	    sizeof(asked_password)), 0);
	return ticket;
}

void
auth_cancel(struct auth_ticket *ticket)
{
	ck_assert(ticket->cb != NULL);
	ticket->cb = NULL;
	cancelled++;
}

static void
collect(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(lines);

	(void)arg;
	(void)level;
	(void)snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static const struct sink sink = { collect, NULL, LEVEL_DEBUG };

/* Its decision lines of what was not submitted, and its drops. */
static size_t concluded, dropped;
static enum verdict concluded_verdict;
static enum reason concluded_reason;
static char dropped_kinds[400];

void
auth_conclude(struct auth *auth, const struct decision *decision)
{
	(void)auth;
	concluded++;
	concluded_verdict = decision->verdict;
	concluded_reason = decision->reason;
	decision_log(&sink, decision);
}

void
auth_dropped(struct auth *auth, const char *of, const char *kind)
{
	size_t n = strlen(dropped_kinds);

	(void)auth;
	ck_assert_str_eq(of, "radius");
	dropped++;
	if (strstr(dropped_kinds, kind) == NULL)
		(void)snprintf(dropped_kinds + n, sizeof(dropped_kinds) - n,
		    "%s ", kind);
}

/* What sip and realms would be: the test's own keys, window and policy. */
static struct nonce_keys nonce_keys;
static struct replay *replay;
static struct replay_settings window;
static struct realm_policy policy;
static enum realms_status policy_status;
static bool policy_later;	/* the next one comes by realm_answers() */
static realms_cb *policy_cb;
static void *policy_arg;
static size_t policies_cancelled;
static char policy_asked[REALM_MAX + 1];

struct nonce_keys const *
sip_nonce_keys(struct sip *sip)
{
	(void)sip;
	return &nonce_keys;
}

struct replay *
sip_replay(struct sip *sip)
{
	(void)sip;
	return replay;
}

struct realms *
sip_realms(struct sip *sip)
{
	(void)sip;
	return NULL;
}

const struct replay_settings *
sip_window(const struct sip *sip)
{
	(void)sip;
	return &window;
}

bool
realms_get(struct realms *realms, struct span realm,
    enum realms_status *status, const struct realm_policy **out,
    realms_cb *cb, void *arg, struct realms_wait **wait)
{
	(void)realms;
	ck_assert_int_eq(span_copy_str(realm, policy_asked,
	    sizeof(policy_asked)), 0);
	*wait = NULL;
	*out = policy_status == REALMS_KNOWN ? &policy : NULL;
	*status = policy_status;
	if (!policy_later)
		return true;
	*wait = (struct realms_wait *)&policy_cb;
	policy_cb = cb;
	policy_arg = arg;
	return false;
}

void
realms_cancel(struct realms_wait *wait)
{
	ck_assert_ptr_eq(wait, (struct realms_wait *)&policy_cb);
	ck_assert(policy_cb != NULL);
	policy_cb = NULL;
	policies_cancelled++;
}

static inline void
realm_answers(void)
{
	realms_cb *cb = policy_cb;

	ck_assert(cb != NULL);
	policy_cb = NULL;
	cb(policy_status, policy_status == REALMS_KNOWN ? &policy : NULL,
	    policy_arg);
}

static inline void
decide(size_t which, enum verdict verdict, const char *localpart,
    const char *rspauth)
{
	struct auth_reply reply = { .verdict = verdict };
	struct auth_ticket *ticket = &asked[which];

	ck_assert_uint_lt(which, asked_n);
	ck_assert(ticket->cb != NULL);
	/* As the real one does: the review has the last word. */
	if (verdict == VERDICT_ALLOW && ticket->request.review != NULL) {
		reply.reason = ticket->request.review(ticket->arg);
		if (reply.reason != REASON_OK)
			reply.verdict = verdict = VERDICT_DENY;
	}
	if (verdict == VERDICT_ALLOW) {
		(void)snprintf(reply.account.localpart,
		    sizeof(reply.account.localpart), "%s", localpart);
		(void)snprintf(reply.account.domain,
		    sizeof(reply.account.domain), "example.com");
		(void)snprintf(reply.rspauth, sizeof(reply.rspauth), "%s",
		    rspauth);
	}
	ticket->cb(&reply, ticket->arg);
	ticket->cb = NULL;
}

static inline int
client_socket(void)
{
	struct sockaddr_in address;
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockname(server, (struct sockaddr *)&address, &n),
	    0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, n), 0);
	return fd;
}

static inline void
open_door(in_addr_t listen)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(listen)
	};
	struct door_context context = { .sink = &sink };

	context.base = base;
	context.crypto = crypto;
	server = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(bind(server, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	settings.fd = server;
	settings.clients = &client;
	settings.client_count = 1;
	door = radius_door_new(&context, &settings);
	ck_assert_ptr_nonnull(door);
	wire = client_socket();
}

static inline void
client_is(in_addr_t network, unsigned int prefix)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(network)
	};

	memset(&client, 0, sizeof(client));
	client.name = "kam";
	memcpy(&client.address, &address, sizeof(address));
	client.prefix = prefix;
	client.secret = (struct secret){ secret, sizeof(secret) - 1 };
}

static inline void
setup(void)
{
	asked_n = cancelled = concluded = dropped = policies_cancelled = 0;
	dropped_kinds[0] = policy_asked[0] = '\0';
	policy_later = false;
	policy_status = REALMS_KNOWN;
	memset(&policy, 0, sizeof(policy));
	(void)snprintf(policy.realm, sizeof(policy.realm), "example.com");
	(void)snprintf(policy.domain, sizeof(policy.domain), "example.com");
	policy.algs[0] = DIGEST_MD5;
	policy.alg_count = 1;
	window = (struct replay_settings){
		.entries = 4, .lifetime_us = 300000000, .foreign_us = 30000000
	};
	memset(&nonce_keys, 7, sizeof(nonce_keys));
	nonce_keys.count = 1;
	replay = replay_new(&window, (const uint8_t *)"0123456789abcdef");
	ck_assert_ptr_nonnull(replay);
	replay_node(replay, nonce_keys.node);
	lines[0] = '\0';
	memset(&settings, 0, sizeof(settings));
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	client_is(INADDR_LOOPBACK, 32);
}

static inline void
teardown(void)
{
	radius_door_free(&door);
	radius_door_free(&door);
	for (size_t i = 0; i < asked_n; i++)
		ck_assert(asked[i].cb == NULL);
	ck_assert(policy_cb == NULL);
	replay_free(&replay);
	event_base_free(base);
	crypto_free(&crypto);
	if (wire >= 0)
		(void)close(wire);
	if (server >= 0)
		(void)close(server);
	wire = server = -1;
}

static inline void
ask_from(int fd, struct span octets)
{
	struct pollfd waiting = { .fd = server, .events = POLLIN };

	ck_assert_int_eq(send(fd, octets.p, octets.n, 0), (ssize_t)octets.n);
	ck_assert_int_eq(poll(&waiting, 1, 5000), 1);
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

static inline void
ask(const char *hex)
{
	struct octets o;

	ask_from(wire, unhex(hex, &o));
}

static inline struct span
answer(struct octets *o)
{
	struct pollfd waiting = { .fd = wire, .events = POLLIN };
	ssize_t n;

	/* Replies go out at the end of the turn. */
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	ck_assert_msg(poll(&waiting, 1, 5000) == 1, "no answer");
	n = recv(wire, o->p, sizeof(o->p), 0);
	ck_assert_int_ge(n, 0);
	o->n = (size_t)n;
	return span_mem(o->p, o->n);
}

static inline void
answer_is(const char *hex)
{
	struct octets got, expected;

	ck_assert(span_equal(answer(&got), unhex(hex, &expected)));
}

static unsigned int probes;

/* The wire is silent but for the answer to a probe. */
static inline void
silence(void)
{
	struct octets o;
	struct span request = unhex(OWN_STATUS_REQUEST, &o);
	uint8_t *value = o.p + 22;
	struct span parts[1];
	uint8_t id;

	/* Another authenticator each time: no duplicate. */
	o.p[1] = 0xee;
	memcpy(o.p + 4, &(unsigned int){ ++probes }, sizeof(probes));
	memset(value, 0, 16);
	parts[0] = request;
	ck_assert_int_eq(crypto_hmac(crypto, HASH_MD5,
	    span_mem(secret, sizeof(secret) - 1), parts, 1, value), 0);
	ask_from(wire, request);
	id = answer(&o).p[1];
	ck_assert_msg(id == 0xee, "an answer instead of silence");
}

/* Signs octets whose attributes start with room for the signature. */
static inline struct span
sign(struct octets *o)
{
	const struct span whole = span_mem(o->p, o->n);

	o->p[2] = (uint8_t)(o->n >> 8);
	o->p[3] = (uint8_t)o->n;
	o->p[20] = RADIUS_MESSAGE_AUTHENTICATOR;
	o->p[21] = 18;
	memset(o->p + 22, 0, 16);
	ck_assert_int_eq(crypto_hmac(crypto, HASH_MD5,
	    span_mem(secret, sizeof(secret) - 1), &whole, 1, o->p + 22), 0);
	return whole;
}

#endif
