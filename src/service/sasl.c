/*
 * SASL exchanges (RFC 4422, 4616, 5802) over auth_submit(): every step that
 * needs an account is one decision of auth, with its lookup, log line and
 * counters. Between two steps nothing is kept here: the peer has a token.
 *
 *	PLAIN	message --> password
 *	LOGIN	"Username:" --> name --> "Password:" --> password
 *	SCRAM	client-first --> salt of the row or a fake --> client-final
 *
 * Names outside the grammar end at the first step: everybody knows that they
 * can be nobody's.
 */

#include "service/sasl.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/rbuf.h"
#include "core/scram_server.h"
#include "core/scram_state.h"
#include "core/secret.h"
#include "core/verify.h"
#include "core/wbuf.h"
#include "service/decision.h"
#include "service/sasl_state.h"
#include "store/clock.h"
#include "store/xalloc.h"

_Static_assert(SASL_REPLY_MAX >= SCRAM_MESSAGE_MAX, "what SCRAM says");

#define SERVER_NONCE	18	/* random octets; base64 has no ',' */

static const struct mech {
	const char	*name;
	enum scram_mech	 scram;
	bool		 plus;
} mechs[SASL_MECH_COUNT] = {
	[SASL_MECH_NONE] = { "", SCRAM_NONE, false },
	[SASL_MECH_PLAIN] = { "PLAIN", SCRAM_NONE, false },
	[SASL_MECH_LOGIN] = { "LOGIN", SCRAM_NONE, false },
	[SASL_MECH_SCRAM_SHA_1] = { "SCRAM-SHA-1", SCRAM_SHA_1, false },
	[SASL_MECH_SCRAM_SHA_1_PLUS] =
	    { "SCRAM-SHA-1-PLUS", SCRAM_SHA_1, true },
	[SASL_MECH_SCRAM_SHA_256] = { "SCRAM-SHA-256", SCRAM_SHA_256, false },
	[SASL_MECH_SCRAM_SHA_256_PLUS] =
	    { "SCRAM-SHA-256-PLUS", SCRAM_SHA_256, true },
	[SASL_MECH_SCRAM_SHA_512] = { "SCRAM-SHA-512", SCRAM_SHA_512, false },
	[SASL_MECH_SCRAM_SHA_512_PLUS] =
	    { "SCRAM-SHA-512-PLUS", SCRAM_SHA_512, true }
};

/* Owner: sasl, until the callback has returned. */
struct sasl_ticket {
	TAILQ_ENTRY(sasl_ticket) next;	/* in sasl->decided */
	struct sasl		*sasl;
	const struct mech	*mech;
	enum sasl_mech		 id;
	char			 domain[DOMAIN_MAX + 1];
	bool			 decided;	/* waits for its callback */
	bool			 answering;	/* within it */
	struct auth_ticket	*auth;		/* under way, or NULL */
	const char		*door;
	char			 source[64];
	bool			 started;	/* SCRAM: a salt was shown */
	uint64_t		 began;		/* us, monotonic */
	struct account		 account;	/* presented; "": none */
	struct scram_server	 server;
	size_t			 message_n, cb_data_n;
	uint8_t			 message[SASL_MESSAGE_MAX];
	uint8_t			 cb_data[SCRAM_CB_MAX];
	uint8_t			 data_text[SASL_REPLY_MAX];
	uint8_t			 state_text[SASL_STATE_MAX];
	struct wbuf		 data, state;	/* for the reply */
	enum sasl_status	 status;
	enum reason		 reason;
	sasl_cb			*cb;
	void			*arg;
};

TAILQ_HEAD(sasl_tickets, sasl_ticket);

struct sasl {
	struct auth		*auth;
	struct crypto		*crypto;
	const struct nonce_keys	*nonce_keys;
	struct sasl_tickets	 decided;
	struct event		*decided_event;
};

enum sasl_mech
sasl_mech_parse(struct span name)
{
	for (int i = SASL_MECH_NONE + 1; i < SASL_MECH_COUNT; i++)
		if (span_equal(span_str(mechs[i].name), name))
			return (enum sasl_mech)i;
	return SASL_MECH_NONE;
}

const char *
sasl_mech_name(enum sasl_mech mech)
{
	return (unsigned int)mech < SASL_MECH_COUNT ? mechs[mech].name : "";
}

static void
ticket_free(struct sasl_ticket *ticket)
{
	secret_wipe(ticket, sizeof(*ticket));
	free(ticket);
}

static void
ticket_finish(struct sasl_ticket *ticket)
{
	struct sasl_reply reply = {
		.status = ticket->status, .reason = ticket->reason
	};

	if (ticket->status == SASL_ALLOW || ticket->status == SASL_CONTINUE)
		reply.data = wbuf_written(&ticket->data);
	if (ticket->status == SASL_CONTINUE)
		reply.state = wbuf_written(&ticket->state);
	if (ticket->status == SASL_ALLOW)
		reply.account = ticket->account;
	/* NB: the callback may cancel what it was called for. */
	ticket->answering = true;
	ticket->cb(&reply, ticket->arg);
	ticket_free(ticket);
}

static void
on_decided(evutil_socket_t fd, short what, void *arg)
{
	struct sasl *sasl = arg;
	struct sasl_ticket *ticket;

	(void)fd;
	(void)what;
	while ((ticket = TAILQ_FIRST(&sasl->decided)) != NULL) {
		TAILQ_REMOVE(&sasl->decided, ticket, next);
		ticket_finish(ticket);
	}
}

/* Decided inside sasl_submit(): the callback comes from the loop. */
static void
ticket_defer(struct sasl_ticket *ticket, enum sasl_status status,
    enum reason reason)
{
	ticket->status = status;
	ticket->reason = reason;
	ticket->decided = true;
	TAILQ_INSERT_TAIL(&ticket->sasl->decided, ticket, next);
	event_active(ticket->sasl->decided_event, EV_TIMEOUT, 1);
}

/* What auth has not logged itself: refusals before a row was judged. */
static void
conclude(const struct sasl_ticket *ticket, enum verdict verdict,
    enum reason reason)
{
	const struct auth_request asked = {
		.kind = ticket->mech->scram != SCRAM_NONE ? AUTH_SCRAM :
		    AUTH_PASSWORD,
		.scram = ticket->mech->scram,
		.plus = ticket->mech->plus,
		.door = ticket->door,
		.source = span_str(ticket->source)
	};
	const struct decision decision = {
		.request = &asked,
		.account = ticket->account.localpart[0] != '\0' ?
		    &ticket->account : NULL,
		.verdict = verdict,
		.reason = reason,
		.usec = clock_us() - ticket->began
	};

	auth_conclude(ticket->sasl->auth, &decision);
}

static void
ticket_refuse(struct sasl_ticket *ticket, enum reason reason)
{
	conclude(ticket, VERDICT_DENY, reason);
	ticket_defer(ticket, SASL_DENY, reason);
}

/* Seals what the next step needs. */
static bool
make_state(struct sasl_ticket *ticket, enum sasl_step step, struct span text)
{
	const struct sasl_state state = {
		ticket->id, step, span_str(ticket->domain), text
	};

	return sasl_state_seal(ticket->sasl->crypto,
	    ticket->sasl->nonce_keys, &state, &ticket->state) == 0;
}

/* Asks for more. prompt is the challenge. */
static void
ticket_ask(struct sasl_ticket *ticket, enum sasl_step step, struct span prompt,
    struct span text)
{
	wbuf_span(&ticket->data, prompt);
	if (make_state(ticket, step, text))
		ticket_defer(ticket, SASL_CONTINUE, REASON_NONE);
	else {
		conclude(ticket, VERDICT_UNAVAILABLE, REASON_INTERNAL);
		ticket_defer(ticket, SASL_UNAVAILABLE, REASON_INTERNAL);
	}
}

/* The end of a step that auth has decided. */
static void
on_auth(const struct auth_reply *reply, void *arg)
{
	struct sasl_ticket *ticket = arg;

	ticket->auth = NULL;
	ticket->reason = reply->reason;
	switch (reply->verdict) {
	case VERDICT_ALLOW:
		ticket->status = SASL_ALLOW;
		ticket->account = reply->account;
		break;
	case VERDICT_UNAVAILABLE:
		ticket->status = SASL_UNAVAILABLE;
		break;
	case VERDICT_DENY:
		ticket->status = SASL_DENY;
		break;
	}
	ticket_finish(ticket);
}

/*
 * An authzid, if there is one, must be the account itself: "act as somebody
 * else" is for nobody here. False: refused.
 */
static bool
names_agree(struct sasl_ticket *ticket, const struct sasl_request *request,
    struct span name, struct span authzid)
{
	struct presented who, as;
	int rc = identity_present(name, request->domain, &who);

	if (rc != 0) {
		ticket_refuse(ticket, rc == -ERR_FOREIGN ?
		    REASON_FOREIGN_DOMAIN : REASON_MALFORMED);
		return false;
	}
	ticket->account = who.account;
	if (authzid.n == 0)
		return true;
	if (identity_present(authzid, request->domain, &as) != 0 ||
	    !span_equal(span_str(as.account.localpart),
	    span_str(who.account.localpart)) ||
	    !span_equal(span_str(as.account.domain),
	    span_str(who.account.domain))) {
		ticket_refuse(ticket, REASON_IDENTITY);
		return false;
	}
	return true;
}

static void
submit_password(struct sasl_ticket *ticket,
    const struct sasl_request *request, struct span authzid,
    struct span name, struct span password)
{
	const struct auth_request asked = {
		.kind = AUTH_PASSWORD,
		.door = request->door,
		.name = name,
		.domain = request->domain,
		.source = request->source,
		.domains = request->domains,
		.password = password
	};

	if (names_agree(ticket, request, name, authzid))
		ticket->auth = auth_submit(ticket->sasl->auth, &asked,
		    on_auth, ticket);
}

/* RFC 4616: [authzid] NUL authcid NUL passwd */
static void
step_plain(struct sasl_ticket *ticket, const struct sasl_request *request)
{
	struct span authzid, authcid, password;
	struct rbuf rb;

	rbuf_init(&rb, request->data.p, request->data.n);
	authzid = rbuf_until(&rb, '\0', SASL_MESSAGE_MAX);
	authcid = rbuf_until(&rb, '\0', SASL_MESSAGE_MAX);
	password = rbuf_rest(&rb, SASL_MESSAGE_MAX);
	if (!rbuf_done(&rb) || authcid.n == 0 || password.n == 0 ||
	    span_find(password, '\0') != password.n)
		ticket_refuse(ticket, REASON_MALFORMED);
	else
		submit_password(ticket, request, authzid, authcid, password);
}

/* Not standardised; what Outlook and libsasl2 do. */
static void
step_login(struct sasl_ticket *ticket, const struct sasl_request *request,
    enum sasl_step step, struct span text)
{
	if (step == SASL_STEP_PASSWORD)
		submit_password(ticket, request, SPAN_EMPTY, text,
		    request->data);
	else if (request->data.n == 0 || request->data.n > SCRAM_NAME_MAX)
		ticket_refuse(ticket, REASON_MALFORMED);
	else
		ticket_ask(ticket, SASL_STEP_PASSWORD, SPAN_LIT("Password:"),
		    request->data);
}

/* auth_judge of SCRAM's first step: shows a salt, decides nothing. */
static struct verify_result
judge_first(const struct verifier_context *context,
    const struct credential *row, void *arg)
{
	struct sasl_ticket *ticket = arg;
	struct verify_result result = {
		VERDICT_UNAVAILABLE, REASON_INTERNAL
	};
	struct scram_verifier verifier = { .mech = SCRAM_NONE };
	uint8_t random[SERVER_NONCE], text[BASE64_SIZE(SERVER_NONCE)];
	struct wbuf nonce;

	wbuf_init(&nonce, text, sizeof(text));
	if (verify_scram_first(context, row, ticket->mech->scram,
	    &verifier) == 0 &&
	    crypto_random(context->crypto, random, sizeof(random)) == 0) {
		wbuf_base64(&nonce, span_mem(random, sizeof(random)));
		if (scram_server_first(&ticket->server, &verifier,
		    wbuf_written(&nonce), &ticket->data) == 0) {
			ticket->started = true;
			result.verdict = VERDICT_DENY;
			result.reason = REASON_NONE;
		}
	}
	secret_wipe(&verifier, sizeof(verifier));
	return result;
}

static struct verify_result
judge_final(const struct verifier_context *context,
    const struct credential *row, void *arg)
{
	struct sasl_ticket *ticket = arg;

	return verify_scram(context, row, ticket->mech->scram,
	    &ticket->server, span_mem(ticket->message, ticket->message_n),
	    span_mem(ticket->cb_data, ticket->cb_data_n), &ticket->data);
}

/*
 * The client names a binding that the service does not have. The service may
 * not know its data before it has seen what the client names.
 *
 * RFC 5802 6: "y" says that we have none to offer. Where we have, somebody
 * took it off the list; the first step asks too, but not every service says
 * then what it can.
 */
static bool
binding_differs(const struct scram_server *server,
    const struct sasl_request *request, bool first)
{
	bool same = span_equal(span_str(server->cb_type), request->cb_type);

	if (server->cb_flag == SCRAM_CB_UNUSED && request->plus_offered)
		return true;
	if (server->cb_flag != SCRAM_CB_USED)
		return false;
	if (first && request->cb_type.n == 0)
		return false;
	return !same || (!first && request->cb_data.n == 0);
}

/* The first step's end; what is a decision after all is logged here. */
static void
on_first(const struct auth_reply *reply, void *arg)
{
	struct auth_reply result = *reply;
	struct sasl_ticket *ticket = arg;
	uint8_t text[SCRAM_STATE_MAX];
	struct wbuf wb;

	if (ticket->started) {
		wbuf_init(&wb, text, sizeof(text));
		scram_state_write(&ticket->server, &wb);
		if (!wb.failed && make_state(ticket, SASL_STEP_FINAL,
		    wbuf_written(&wb))) {
			wbuf_wipe(&wb);
			ticket->auth = NULL;
			ticket->status = SASL_CONTINUE;
			ticket_finish(ticket);
			return;
		}
		result.verdict = VERDICT_UNAVAILABLE;
		result.reason = REASON_INTERNAL;
	}
	conclude(ticket, result.verdict, result.reason);
	on_auth(&result, ticket);
}

static void
step_scram(struct sasl_ticket *ticket, const struct sasl_request *request,
    enum sasl_step step, struct span text)
{
	const struct scram_server *server = &ticket->server;
	struct auth_request asked = {
		.kind = AUTH_SCRAM,
		.scram = ticket->mech->scram,
		.plus = ticket->mech->plus,
		.door = request->door,
		.domain = request->domain,
		.source = request->source,
		.domains = request->domains
	};
	bool first = step == SASL_STEP_START;
	int rc;

	rc = first ? scram_server_read_first(&ticket->server,
	    request->data, ticket->mech->plus, request->plus_offered) :
	    scram_state_read(text, &ticket->server);
	if (rc != 0 || binding_differs(server, request, first) ||
	    request->cb_data.n > sizeof(ticket->cb_data)) {
		ticket_refuse(ticket, REASON_MALFORMED);
		return;
	}
	asked.name = span_mem(server->name, server->name_n);
	if (!names_agree(ticket, request, asked.name,
	    span_mem(server->authzid, server->authzid_n)))
		return;
	ticket->message_n = request->data.n;
	if (request->data.n > 0)
		memcpy(ticket->message, request->data.p, request->data.n);
	if (server->cb_flag == SCRAM_CB_USED && request->cb_data.n > 0) {
		ticket->cb_data_n = request->cb_data.n;
		memcpy(ticket->cb_data, request->cb_data.p,
		    request->cb_data.n);
	}
	/* A salt that is shown is no decision: no log line, no count. */
	asked.silent = first;
	asked.judge = first ? judge_first : judge_final;
	ticket->auth = auth_submit(ticket->sasl->auth, &asked,
	    first ? on_first : on_auth, ticket);
}

static void
take_step(struct sasl_ticket *ticket, const struct sasl_request *request,
    const struct sasl_state *state)
{
	bool login = ticket->id == SASL_MECH_LOGIN;

	/* NB: who was asked has answered, if only with an empty message. */
	if (request->state.n == 0 && !request->has_data)
		ticket_ask(ticket, login ? SASL_STEP_NAME : SASL_STEP_START,
		    login ? SPAN_LIT("Username:") : SPAN_EMPTY, SPAN_EMPTY);
	else if (login)
		step_login(ticket, request, state->step, state->text);
	else if (ticket->id == SASL_MECH_PLAIN)
		step_plain(ticket, request);
	else
		step_scram(ticket, request, state->step, state->text);
}

struct sasl_ticket *
sasl_submit(struct sasl *sasl, const struct sasl_request *request,
    sasl_cb *cb, void *arg)
{
	struct sasl_ticket *ticket = xcalloc(1, sizeof(*ticket));
	uint8_t plain_text[SASL_STATE_MAX];
	struct sasl_state state = { .step = SASL_STEP_START };
	struct wbuf plain;

	ticket->sasl = sasl;
	ticket->began = clock_us();
	ticket->id = (unsigned int)request->mech < SASL_MECH_COUNT ?
	    request->mech : SASL_MECH_NONE;
	ticket->mech = &mechs[ticket->id];
	ticket->cb = cb;
	ticket->arg = arg;
	ticket->door = request->door;
	if (span_copy_str(request->source, ticket->source,
	    sizeof(ticket->source)) != 0)
		ticket->source[0] = '\0';
	wbuf_init(&ticket->data, ticket->data_text,
	    sizeof(ticket->data_text));
	wbuf_init(&ticket->state, ticket->state_text,
	    sizeof(ticket->state_text));
	wbuf_init(&plain, plain_text, sizeof(plain_text));
	if (ticket->id == SASL_MECH_NONE ||
	    request->data.n > SASL_MESSAGE_MAX ||
	    span_copy_str(request->domain, ticket->domain,
	    sizeof(ticket->domain)) != 0)
		ticket_refuse(ticket, REASON_MALFORMED);
	else if (request->state.n > 0 && sasl_state_open(sasl->crypto,
	    sasl->nonce_keys, ticket->id, request->domain, request->state,
	    &plain, &state) != 0)
		ticket_refuse(ticket, REASON_STALE);
	else
		take_step(ticket, request, &state);
	wbuf_wipe(&plain);
	return ticket;
}

void
sasl_cancel(struct sasl_ticket *ticket)
{
	if (ticket->answering)
		return;
	if (ticket->decided)
		TAILQ_REMOVE(&ticket->sasl->decided, ticket, next);
	else if (ticket->auth != NULL)
		auth_cancel(ticket->auth);
	ticket_free(ticket);
}

struct sasl *
sasl_new(struct auth *auth, struct crypto *crypto, struct event_base *base,
    const struct sasl_settings *settings)
{
	struct sasl *sasl = xcalloc(1, sizeof(*sasl));

	sasl->auth = auth;
	sasl->crypto = crypto;
	sasl->nonce_keys = settings->nonce_keys;
	TAILQ_INIT(&sasl->decided);
	sasl->decided_event = event_new(base, -1, 0, on_decided, sasl);
	if (sasl->decided_event == NULL) {
		free(sasl);
		return NULL;
	}
	return sasl;
}

void
sasl_free(struct sasl **sasl)
{
	struct sasl *s = *sasl;
	struct sasl_ticket *ticket;

	*sasl = NULL;
	if (s == NULL)
		return;
	while ((ticket = TAILQ_FIRST(&s->decided)) != NULL) {
		TAILQ_REMOVE(&s->decided, ticket, next);
		ticket_free(ticket);
	}
	event_free(s->decided_event);
	free(s);
}
