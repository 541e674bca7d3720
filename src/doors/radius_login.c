/*
 * The way of one Access-Request (RFC 2865 PAP, RFC 5090 and draft-sterman):
 *
 *	read --> theirs, PAP --------------------> submit --> review --> reply
 *	  |                                          ^          |
 *	  +----> ours --> realm --> its form is ours +          +-> stale:
 *	                    |                                       challenge
 *	                    +--> no digest yet: challenge
 *
 * One decision line each, but none for who only asked for a nonce. It must
 * never send a Reject because the database is away (the client would not fail
 * over), never say stale about a digest that was not right, and never send
 * Digest-HA1.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/wbuf.h"
#include "doors/radius_private.h"
#include "service/decision.h"
#include "service/sip.h"

#define LOGINS_MAX	8192	/* under way */

/* Owner: door->logins until it is answered. */
struct radius_login {
	TAILQ_ENTRY(radius_login) next;
	struct radius_door	*door;
	struct radius_clients	*clients;	/* keeps client alive */
	struct radius_client	*client;
	struct auth_ticket	*ticket;	/* under way, or NULL */
	struct realms_wait	*wait;		/* under way, or NULL */
	struct realm_policy	*policy;	/* a copy, nonce = ours only */
	struct radius_peer	 peer;
	uint64_t		 handle;	/* in the cache */
	uint64_t		 started;	/* us, monotonic */
	bool			 rfc5090, send_rspauth;
	bool			 stale;		/* right, but not over this */
	union {
		struct radius_ours	ours;
		struct radius_use_of	theirs;
	}			 use;
	struct radius_packet	 packet;	/* views octets */
	uint8_t			 octets[];
};

static struct radius_login *
login_new(struct radius_door *door, const struct radius_datagram *in)
{
	struct span octets = in->packet.octets;
	struct radius_login *login = NULL;

	/* @UNSAFE: octets.n is at most RADIUS_PACKET_MAX */
	if (door->login_count < LOGINS_MAX)
		login = calloc(1, sizeof(*login) + octets.n);
	if (login == NULL)
		return NULL;
	memcpy(login->octets, octets.p, octets.n);
	radius_packet_move(&in->packet, login->octets, &login->packet);
	login->door = door;
	login->clients = radius_clients_ref(door->clients);
	login->client = in->client;
	login->peer = *in->peer;
	login->handle = in->handle;
	login->started = radius_clock_us(CLOCK_MONOTONIC);
	TAILQ_INSERT_TAIL(&door->logins, login, next);
	door->login_count++;
	return login;
}

static void
login_free(struct radius_login *login)
{
	struct radius_door *door = login->door;

	TAILQ_REMOVE(&door->logins, login, next);
	door->login_count--;
	radius_clients_unref(&login->clients);
	free(login->policy);
	free(login);
}

void
radius_login_end_all(struct radius_door *door)
{
	struct radius_login *login;

	while ((login = TAILQ_FIRST(&door->logins)) != NULL) {
		if (login->ticket != NULL)
			auth_cancel(login->ticket);
		if (login->wait != NULL)
			realms_cancel(login->wait);
		login_free(login);
	}
}

/* Sends reply, completed by what every reply has, and ends the login. */
static void
login_reply(struct radius_login *login, struct radius_reply *reply)
{
	uint8_t proxy[RADIUS_PACKET_MAX];
	struct wbuf wb;

	wbuf_init(&wb, proxy, sizeof(proxy));
	radius_packet_proxy_states(&login->packet, &wb);
	reply->id = login->packet.id;
	reply->authenticator = login->packet.authenticator;
	reply->proxy_states = wbuf_written(&wb);
	radius_answer(login->door, reply, login->client, &login->peer,
	    login->handle);
	login_free(login);
}

/* Silence, or Access-Reject for clients that cannot do with it. */
static void
login_unavailable(struct radius_login *login)
{
	struct radius_reply reply = { .code = RADIUS_ACCESS_REJECT };

	if (login->client->unavailable_reject) {
		login_reply(login, &reply);
		return;
	}
	radius_cache_forget(login->door->cache, login->handle);
	login_free(login);
}

/* The decision line of what was not submitted. */
static void
login_conclude(struct radius_login *login, const struct auth_request *asked,
    enum verdict verdict, enum reason reason)
{
	struct presented presented = {
		.account = { "-", "" }	/* nobody was named */
	};
	struct decision decision = {
		.request = asked,
		.verdict = verdict,
		.reason = reason,
		.usec = radius_clock_us(CLOCK_MONOTONIC) - login->started
	};

	if (asked->name.n == 0 ||
	    identity_present(asked->name, SPAN_EMPTY, &presented) == 0)
		decision.account = &presented.account;
	auth_conclude(login->door->context.auth, &decision);
}

static void
login_refuse(struct radius_login *login, const struct auth_request *asked,
    enum reason reason)
{
	struct radius_reply reply = { .code = RADIUS_ACCESS_REJECT };

	login_conclude(login, asked, VERDICT_DENY, reason);
	login_reply(login, &reply);
}

/* A new nonce for realm and algorithm of the login's policy; "" if none. */
static void
make_nonce(struct radius_login *login, char *out)
{
	const struct door_context *context = &login->door->context;

	if (nonce_make(context->crypto, sip_nonce_keys(context->sip),
	    span_str(login->policy->realm), login->policy->algs[0],
	    radius_clock_us(CLOCK_REALTIME), out) != 0)
		out[0] = '\0';
}

static void
login_challenge(struct radius_login *login, bool sterman)
{
	uint8_t attributes[RADIUS_PACKET_MAX];
	char nonce[NONCE_TEXT_SIZE + 1];
	struct radius_reply reply = { .code = RADIUS_ACCESS_CHALLENGE };
	struct radius_challenge challenge = {
		.realm = span_str(login->policy->realm),
		.alg = login->policy->algs[0],
		.domain = span_str(login->policy->domain_parameter),
		.stale = login->stale,
		.sterman = sterman
	};
	struct wbuf wb;

	make_nonce(login, nonce);
	challenge.nonce = span_str(nonce);
	wbuf_init(&wb, attributes, sizeof(attributes));
	radius_challenge_write(&challenge, &wb);
	if (nonce[0] == '\0' || wb.failed) {
		login_unavailable(login);
		return;
	}
	reply.challenge = wbuf_written(&wb);
	login_reply(login, &reply);
}

/* Who passed with a nonce of ours that grows old is given the next one. */
static bool
is_ageing(const struct radius_login *login)
{
	uint64_t made = login->use.ours.nonce.time_us;

	return login->policy != NULL && login->rfc5090 &&
	    radius_clock_us(CLOCK_REALTIME) > made +
	    sip_window(login->door->context.sip)->lifetime_us / 2;
}

static void
login_accept(struct radius_login *login, const char *rspauth)
{
	struct radius_reply reply = { .code = RADIUS_ACCESS_ACCEPT };
	char nonce[NONCE_TEXT_SIZE + 1] = "";

	if (login->send_rspauth)
		reply.response_auth = span_str(rspauth);
	if (is_ageing(login))
		make_nonce(login, nonce);
	reply.nextnonce = span_str(nonce);
	login_reply(login, &reply);
}

static void
on_decision(const struct auth_reply *decision, void *arg)
{
	struct radius_login *login = arg;
	struct radius_reply reply = { .code = RADIUS_ACCESS_REJECT };

	login->ticket = NULL;
	switch (decision->verdict) {
	case VERDICT_ALLOW:
		login_accept(login, decision->rspauth);
		break;
	case VERDICT_DENY:
		if (login->stale)
			login_challenge(login, !login->rfc5090);
		else
			login_reply(login, &reply);
		break;
	case VERDICT_UNAVAILABLE:
		login_unavailable(login);
		break;
	}
}

static enum reason
review_theirs(void *arg)
{
	struct radius_login *login = arg;

	return radius_memory_use(login->door->memory, &login->use.theirs,
	    radius_now()) ? REASON_OK : REASON_REPLAY;
}

/* A nonce of ours that does not open: a client that makes its own? */
static void
tell_foreign(struct radius_login *login)
{
	uint64_t untold;

	if (radius_quota_take(&login->client->nonces, radius_now(),
	    &untold))
		sink_log(login->door->context.sink, LEVEL_WARNING, "radius: "
		    "[radius-client %s]: a right digest over a nonce that is "
		    "not ours; \"nonce = theirs\" is for SIP servers that "
		    "make their own; %" PRIu64 " more since the last such "
		    "line", login->client->name, untold);
}

static enum reason
review_ours(void *arg)
{
	struct radius_login *login = arg;
	struct sip *sip = login->door->context.sip;
	enum reason reason;

	if (login->use.ours.origin == NONCE_UNKNOWN)
		tell_foreign(login);
	reason = radius_ours_judge(sip_replay(sip), sip_window(sip),
	    &login->use.ours, span_str(login->policy->realm),
	    radius_clock_us(CLOCK_REALTIME));
	login->stale = reason != REASON_OK;
	return reason;
}

/* Everything about the request is known; the account decides. */
static void
login_submit(struct radius_login *login, struct radius_request *request)
{
	const struct door_context *context = &login->door->context;
	struct auth_request *asked = &request->asked;
	int rc = 0;

	asked->no_rspauth = !request->send_rspauth;
	if (login->policy != NULL) {
		asked->review = review_ours;
		rc = radius_ours_read(context->crypto, login->door->key,
		    sip_nonce_keys(context->sip), request,
		    span_str(login->policy->realm), &login->use.ours);
	} else if (asked->kind == AUTH_DIGEST) {
		asked->review = review_theirs;
		rc = radius_theirs_read(context->crypto, login->door->key,
		    login->client->name, &asked->digest, &login->use.theirs);
	}
	if (rc != 0) {
		login_conclude(login, asked, VERDICT_UNAVAILABLE,
		    REASON_INTERNAL);
		login_unavailable(login);
		return;
	}
	login->ticket = auth_submit(context->auth, asked, on_decision, login);
}

/* The policy with the one algorithm that a challenge has; false: none. */
static bool
login_keep_policy(struct radius_login *login,
    const struct realm_policy *policy)
{
	size_t i = 0;

	while (i < policy->alg_count && !crypto_has(
	    login->door->context.crypto, digest_alg_hash(policy->algs[i])))
		i++;
	if (i == policy->alg_count)
		return false;
	login->policy = malloc(sizeof(*login->policy));
	if (login->policy == NULL)
		return false;
	*login->policy = *policy;
	login->policy->algs[0] = policy->algs[i];
	return true;
}

/* nonce = ours: what the realm's policy makes of the request. */
static void
login_with_realm(struct radius_login *login, struct radius_request *request,
    enum realms_status status, const struct realm_policy *policy)
{
	struct auth_request *asked = &request->asked;

	if (status == REALMS_KNOWN &&
	    !domain_listed(&login->client->domains, policy->domain))
		status = REALMS_UNKNOWN;
	if (status == REALMS_UNKNOWN) {
		login_refuse(login, asked, REASON_UNKNOWN_REALM);
		return;
	}
	if (status == REALMS_UNAVAILABLE ||
	    !login_keep_policy(login, policy)) {
		login_conclude(login, asked, VERDICT_UNAVAILABLE,
		    status == REALMS_UNAVAILABLE ? REASON_DB_DOWN :
		    REASON_INTERNAL);
		login_unavailable(login);
		return;
	}
	if (request->wants_nonce) {
		sink_log(login->door->context.sink, LEVEL_DEBUG, "radius: "
		    "[radius-client %s]: challenged", login->client->name);
		login_challenge(login, !login->rfc5090);
		return;
	}
	switch (radius_ours_form(&asked->digest, login->policy->algs[0])) {
	case RADIUS_FORM_OK:
		login_submit(login, request);
		break;
	case RADIUS_FORM_OTHER:
		login_conclude(login, asked, VERDICT_DENY, REASON_MALFORMED);
		login_challenge(login, !login->rfc5090);
		break;
	case RADIUS_FORM_BROKEN:
		login_refuse(login, asked, REASON_MALFORMED);
		break;
	}
}

/* Reads the login's own copy of the request; source is its text. */
static enum reason
login_read(struct radius_login *login, char *source)
{
	struct radius_request *request = &login->door->request;
	struct radius_address address;
	enum reason reason;

	radius_address_read(&login->peer.from, &address);
	radius_address_text(&address, source);
	reason = radius_request_read(login->door->context.crypto,
	    &login->packet, login->client, request);
	request->asked.door = radius_door_name;
	request->asked.source = span_str(source);
	login->rfc5090 = request->digest.rfc5090;
	login->send_rspauth = request->send_rspauth;
	return reason;
}

static void
on_realm(enum realms_status status, const struct realm_policy *policy,
    void *arg)
{
	struct radius_login *login = arg;
	struct radius_request *request = &login->door->request;
	char source[RADIUS_ADDRESS_TEXT];

	login->wait = NULL;
	/* It was read before, and reads the same. */
	if (login_read(login, source) == REASON_OK)
		login_with_realm(login, request, status, policy);
	else
		login_unavailable(login);
	radius_request_wipe(request);
}

static void
login_ask_realm(struct radius_login *login, struct radius_request *request)
{
	const struct realm_policy *policy;
	enum realms_status status;

	if (realms_get(sip_realms(login->door->context.sip), request->realm,
	    &status, &policy, on_realm, login, &login->wait))
		login_with_realm(login, request, status, policy);
}

/* A client that makes its own nonces asks for one. */
static void
tell_wanted(struct radius_login *login, const char *source)
{
	uint64_t untold;

	if (radius_quota_take(&login->client->nonces, radius_now(),
	    &untold))
		sink_log(login->door->context.sink, LEVEL_WARNING, "radius: "
		    "[radius-client %s] %s asks for a nonce: rejected, since "
		    "only \"nonce = ours\" gives some; %" PRIu64 " more since "
		    "the last such line", login->client->name, source,
		    untold);
}

void
radius_login_start(struct radius_door *door, struct radius_datagram *in)
{
	struct radius_request *request = &door->request;
	struct radius_login *login = login_new(door, in);
	char source[RADIUS_ADDRESS_TEXT];
	enum reason reason;

	if (login == NULL) {
		radius_cache_forget(door->cache, in->handle);
		radius_drop(door, in, RADIUS_DROP_BUSY);
		return;
	}
	reason = login_read(login, source);
	if (reason == REASON_METHOD && request->wants_nonce)
		tell_wanted(login, source);
	if (reason != REASON_OK)
		login_refuse(login, &request->asked, reason);
	else if (request->asked.kind == AUTH_DIGEST && in->client->nonce_ours)
		login_ask_realm(login, request);
	else
		login_submit(login, request);
	radius_request_wipe(request);
}
