/*
 * The decision about a SIP request (DESIGN 6), without blocking:
 *
 *	message --> realms --> rows --> digest --> nonce --> identity --> answer
 *	   |          |         |         |          |          |          ^
 *	   |          |         |         |          |          +- owner? -+
 *	   |          |         +---------+----------+--> further rows ----+
 *	   +----------+----------------------------------------------------+
 *	   sip.c                sip_walk.c                  sip_finish.c
 *
 * "Further rows": before a challenge goes out, the digests of rows for the
 * other realms of the question are checked, so that their challenges can say
 * stale. A ticket starts zeroed, and zero is FORBID.
 */

#include "service/sip.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "core/secret.h"
#include "service/sip_answer.h"
#include "service/sip_private.h"
#include "store/store.h"
#include "store/xalloc.h"

#define CREDENTIALS_MAX	64	/* of all realms, in one request */
#define SOURCE_MAX	256	/* octets; longer is cut */
#define NONCES_MAX	65536	/* remembered: 15 MB */
#define SEED_SIZE	16

void
sip_ticket_free(struct sip_ticket *t)
{
	if (t->decided)
		TAILQ_REMOVE(&t->sip->decided, t, next);
	TAILQ_REMOVE(&t->sip->tickets, t, all);
	for (size_t i = 0; i < t->realm_count; i++) {
		struct sip_asked *asked = &t->realms[i];

		if (asked->wait != NULL)
			realms_cancel(asked->wait);
		if (asked->check != NULL)
			auth_cancel(asked->check);
		free(asked->policy);
	}
	if (t->owner != NULL)
		store_cancel(t->owner);
	free(t->credentials);
	secret_wipe(t->octets, t->octet_count);
	free(t->octets);
	secret_wipe(t, sizeof(*t));
	free(t);
}

static void
on_decided(evutil_socket_t fd, short what, void *arg)
{
	struct sip *sip = arg;
	struct sip_ticket *t;

	(void)fd;
	(void)what;
	while ((t = TAILQ_FIRST(&sip->decided)) != NULL) {
		TAILQ_REMOVE(&sip->decided, t, next);
		t->decided = false;
		sip_answer_now(t);
	}
}

static bool
is_listed(const struct domain_list *list, const char *domain)
{
	if (list == NULL || list->count == 0)
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (span_equal(span_str(list->names[i]), span_str(domain)))
			return true;
	return false;
}

/* What the store says about a realm, as this door may know it. */
static void
asked_take(struct sip_asked *asked, enum realms_status status,
    const struct realm_policy *policy)
{
	const struct sip_ticket *t = asked->ticket;

	asked->status = status;
	if (status != REALMS_KNOWN)
		return;
	if (!is_listed(t->domains, policy->domain)) {
		asked->status = REALMS_UNKNOWN;
		return;
	}
	asked->policy = xcalloc(1, sizeof(*asked->policy));
	*asked->policy = *policy;
	sip_answer_restrict(t->sip->crypto, asked->policy);
}

static void
on_realm(enum realms_status status, const struct realm_policy *policy,
    void *arg)
{
	struct sip_asked *asked = arg;
	struct sip_ticket *t = asked->ticket;

	asked->wait = NULL;
	asked_take(asked, status, policy);
	if (--t->waiting == 0)
		sip_walk(t);
}

static void
ticket_ask_realms(struct sip_ticket *t)
{
	for (size_t i = 0; i < t->realm_count; i++) {
		struct sip_asked *asked = &t->realms[i];
		const struct realm_policy *policy;
		enum realms_status status;

		if (realms_get(t->sip->realms, asked->name, &status, &policy,
		    on_realm, asked, &asked->wait))
			asked_take(asked, status, policy);
		else
			t->waiting++;
	}
	if (t->waiting == 0)
		sip_walk(t);
}

/* Copies s to *at, which moves on. */
static struct span
keep(uint8_t **at, struct span s)
{
	struct span kept = span_mem(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

/* A realm that is named twice is challenged once. */
static void
ticket_add_realm(struct sip_ticket *t, struct span name)
{
	for (size_t i = 0; i < t->realm_count; i++)
		if (span_equal_nocase(t->realms[i].name, name))
			return;
	t->realms[t->realm_count].ticket = t;
	t->realms[t->realm_count++].name = name;
}

/*
 * Makes the ticket independent of the caller's buffers and reads the message.
 * Unescaped text of credentials has room for all of it once more.
 */
static bool
ticket_read(struct sip_ticket *t, const struct sip_request *request)
{
	struct span message = request->message;
	struct span source = span_head(request->source, SOURCE_MAX);
	size_t count = request->realm_count < SIP_REALMS_MAX ?
	    request->realm_count : SIP_REALMS_MAX;
	struct wbuf text;
	uint8_t *at;

	/* What is too long is not kept, but refused as what it is. */
	bool fits = message.n <= SIP_MESSAGE_MAX;

	if (!fits)
		message.n = 0;
	/* @UNSAFE: each part is bounded. */
	t->octet_count = 2 * message.n + source.n + count * (REALM_MAX + 1);
	t->octets = at = xcalloc(1, t->octet_count + 1);
	message = keep(&at, message);
	t->source = keep(&at, source);
	/* One octet too many says that it is no realm. */
	for (size_t i = 0; i < count; i++)
		ticket_add_realm(t, keep(&at, span_head(request->realms[i],
		    REALM_MAX + 1)));
	wbuf_init(&text, at, message.n);
	if (!fits || sip_message_parse(message, t->role, &t->message) != 0)
		return false;
	if (t->message.row_count == 0)
		return true;
	t->credentials = xcalloc(CREDENTIALS_MAX, sizeof(*t->credentials));
	for (size_t i = 0; i < t->message.row_count; i++) {
		int n = sip_credentials_parse(t->message.rows[i],
		    (unsigned int)i, &text,
		    t->credentials + t->credential_count,
		    CREDENTIALS_MAX - t->credential_count);

		if (n < 0)
			return false;
		t->credential_count += (size_t)n;
	}
	return true;
}

struct sip_ticket *
sip_submit(struct sip *sip, const struct sip_request *request, sip_cb *cb,
    void *arg)
{
	struct sip_ticket *t = xcalloc(1, sizeof(*t));

	t->sip = sip;
	t->door = request->door;
	t->role = request->role;
	t->domains = request->domains;
	t->cb = cb;
	t->arg = arg;
	t->started = sip_clock_usec(CLOCK_MONOTONIC);
	t->inside = true;
	TAILQ_INSERT_TAIL(&sip->tickets, t, all);
	if (!ticket_read(t, request))
		sip_decide(t, SIP_MALFORMED, REASON_MALFORMED);
	else if (t->realm_count == 0)
		sip_decide(t, SIP_FORBID, REASON_UNKNOWN_REALM);
	else if (sip_decision_method_is_free(t->message.method))
		sip_decide(t, SIP_ACCEPT, REASON_METHOD);
	else
		ticket_ask_realms(t);
	t->inside = false;
	return t;
}

void
sip_cancel(struct sip_ticket *ticket)
{
	sip_ticket_free(ticket);
}

enum reason
sip_reason_told(enum reason reason)
{
	if (reason == REASON_UNKNOWN_USER || reason == REASON_DISABLED ||
	    reason == REASON_NO_VERIFIER || reason == REASON_CASE)
		return REASON_WRONG_PASSWORD;
	return reason;
}

struct nonce_keys const *
sip_nonce_keys(struct sip *sip)
{
	uint8_t node[NONCE_NODE_SIZE];

	if (replay_behind(sip->replay, sip_clock_usec(CLOCK_REALTIME)) &&
	    crypto_random(sip->crypto, node, sizeof(node)) == 0) {
		memcpy(sip->keys.node, node, sizeof(node));
		replay_node(sip->replay, node);
		sink_log(sip->sink, LEVEL_WARNING, "the clock was set back: "
		    "clients get new nonces");
	}
	return &sip->keys;
}

void
sip_rekey(struct sip *sip, const struct nonce_keys *keys)
{
	memcpy(sip->keys.key, keys->key, sizeof(sip->keys.key));
	sip->keys.count = keys->count;
}

struct replay *
sip_replay(struct sip *sip)
{
	return sip->replay;
}

struct realms *
sip_realms(struct sip *sip)
{
	return sip->realms;
}

const struct replay_settings *
sip_window(const struct sip *sip)
{
	return &sip->window;
}

struct sip *
sip_new(struct auth *auth, struct store *store, struct crypto *crypto,
    struct event_base *base, const struct sink *sink,
    const struct sip_settings *settings)
{
	struct sip *sip = xcalloc(1, sizeof(*sip));
	uint8_t seed[SEED_SIZE];

	sip->auth = auth;
	sip->store = store;
	sip->crypto = crypto;
	sip->sink = sink;
	sip->keys = settings->nonce_keys;
	sip->window = (struct replay_settings){
		.entries = NONCES_MAX,
		.lifetime_us = (uint64_t)settings->nonce_lifetime_ms * 1000,
		.foreign_us = (uint64_t)settings->foreign_window_ms * 1000
	};
	TAILQ_INIT(&sip->tickets);
	TAILQ_INIT(&sip->decided);
	if (crypto_random(crypto, sip->keys.node, sizeof(sip->keys.node)) !=
	    0 || crypto_random(crypto, sip->key, sizeof(sip->key)) != 0 ||
	    crypto_random(crypto, seed, sizeof(seed)) != 0)
		goto fail;
	sip->replay = replay_new(&sip->window, seed);
	secret_wipe(seed, sizeof(seed));
	if (sip->replay != NULL)
		replay_node(sip->replay, sip->keys.node);
	sip->realms = realms_new(store, base);
	sip->decided_event = event_new(base, -1, 0, on_decided, sip);
	if (sip->replay == NULL || sip->realms == NULL ||
	    sip->decided_event == NULL)
		goto fail;
	return sip;
fail:
	sip_free(&sip);
	return NULL;
}

void
sip_free(struct sip **sip)
{
	struct sip *s = *sip;
	struct sip_ticket *t;

	*sip = NULL;
	if (s == NULL)
		return;
	while ((t = TAILQ_FIRST(&s->tickets)) != NULL)
		sip_ticket_free(t);
	if (s->decided_event != NULL)
		event_free(s->decided_event);
	realms_free(&s->realms);
	replay_free(&s->replay);
	nonce_keys_wipe(&s->keys);
	secret_wipe(s->key, sizeof(s->key));
	free(s);
}
