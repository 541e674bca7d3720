/*
 * The one decision (DESIGN 4): name -> row -> verify -> verdict, without
 * blocking. A ticket lives from auth_submit() to its callback:
 *
 *	submit --> refused at sight ------------------------+
 *	   |                                                |
 *	   +-> store lookup --> unavailable ----------------+--> log, callback
 *	             |                                      |
 *	             +-> judged in the loop ----------------+
 *	             |                                      |
 *	             +-> judged in a worker (PBKDF2) -------+
 *
 * Whatever is not clearly an ALLOW from core/verify stays DENY or
 * UNAVAILABLE; a reply starts zeroed, and zero is DENY.
 */

#include "service/auth.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "core/credential.h"
#include "core/err.h"
#include "core/secret.h"
#include "core/verify.h"
#include "service/decision.h"
#include "service/known.h"
#include "service/metrics.h"
#include "service/workers.h"
#include "store/clock.h"
#include "store/store.h"
#include "store/xalloc.h"

/* Spans of a request that auth keeps. */
#define REQUEST_SPANS	16

/* Owner: auth, until the callback has returned or auth_cancel() was called. */
struct auth_ticket {
	TAILQ_ENTRY(auth_ticket) next;	/* in auth->decided */
	struct auth		*auth;
	struct auth_request	 request;	/* spans point into octets */
	uint8_t			*octets;
	size_t			 octet_count;
	struct presented	 presented;
	bool			 named;		/* presented is valid */
	bool			 decided;	/* waits for its callback */
	struct store_lookup	*lookup;	/* under way, or NULL */
	struct credential	*credential;	/* a worker's copy, or NULL */
	struct verify_result	 result;	/* a worker's */
	struct auth_reply	 reply;
	auth_cb			*cb;		/* NULL: cancelled */
	void			*arg;
	uint64_t		 started;	/* us, monotonic */
};

TAILQ_HEAD(ticket_list, auth_ticket);

struct auth {
	struct store		*store;
	struct workers		*workers;
	struct crypto		*crypto;
	const struct sink	*sink;
	const struct seal_keyring *keys;
	struct known		*known;
	struct ticket_list	 decided;	/* refused at sight */
	struct event		*decided_event;
	struct auth_stats	 stats;
	struct metrics		 metrics;
};

static void
ticket_free(struct auth_ticket *ticket)
{
	if (ticket->credential != NULL) {
		credential_wipe(ticket->credential);
		free(ticket->credential);
	}
	secret_wipe(ticket->octets, ticket->octet_count);
	secret_wipe(ticket->reply.ha1, sizeof(ticket->reply.ha1));
	free(ticket->octets);
	free(ticket);
}

/* Every view in request that outlives auth_submit(). */
static void
request_spans(struct auth_request *request, struct span *spans[REQUEST_SPANS])
{
	struct digest_params *digest = &request->digest;
	struct span *all[REQUEST_SPANS] = {
		&request->name, &request->domain, &request->source,
		&request->service, &request->password, &request->lookup_name,
		&digest->username, &digest->realm, &digest->nonce,
		&digest->uri, &digest->method, &digest->qop, &digest->nc,
		&digest->cnonce, &digest->body_hash, &digest->response
	};

	memcpy(spans, all, sizeof(all));
}

/* Makes the ticket's request independent of the caller's buffers. */
static void
ticket_keep_request(struct auth_ticket *ticket,
    const struct auth_request *request)
{
	struct span *spans[REQUEST_SPANS];
	size_t total = 0;
	uint8_t *at;

	ticket->request = *request;
	request_spans(&ticket->request, spans);
	for (size_t i = 0; i < REQUEST_SPANS; i++)
		total += spans[i]->n;	/* @UNSAFE: doors bound each */
	ticket->octets = xcalloc(1, total + 1);
	ticket->octet_count = total;
	at = ticket->octets;
	for (size_t i = 0; i < REQUEST_SPANS; i++) {
		if (spans[i]->n > 0)
			memcpy(at, spans[i]->p, spans[i]->n);
		spans[i]->p = at;
		at += spans[i]->n;
	}
}

void
auth_conclude(struct auth *auth, const struct decision *decision)
{
	decision_log(auth->sink, decision);
	metrics_decision(&auth->metrics, decision);
	auth->stats.verdicts[decision->verdict]++;
}

/* Logs, counts, tells the door, and ends the ticket. */
static void
ticket_finish(struct auth_ticket *ticket)
{
	struct auth *auth = ticket->auth;
	struct decision decision = {
		.request = &ticket->request,
		.account = ticket->named ? &ticket->presented.account : NULL,
		.verdict = ticket->reply.verdict,
		.reason = ticket->reply.reason,
		.usec = clock_us() - ticket->started
	};

	if (!ticket->request.silent)
		auth_conclude(auth, &decision);
	ticket->cb(&ticket->reply, ticket->arg);
	ticket_free(ticket);
}

/* The address to be used is the account's own. */
static bool
aor_agrees(const struct auth_ticket *ticket)
{
	const struct account *aor = &ticket->request.aor;
	const struct account *account = &ticket->presented.account;

	return aor->localpart[0] == '\0' ||
	    (span_equal(span_str(aor->localpart),
	    span_str(account->localpart)) &&
	    span_equal(span_str(aor->domain), span_str(account->domain)));
}

static void
ticket_decide(struct auth_ticket *ticket, enum verdict verdict,
    enum reason reason)
{
	if (verdict == VERDICT_ALLOW && !aor_agrees(ticket)) {
		verdict = VERDICT_DENY;
		reason = REASON_IDENTITY;
	}
	/* NB: the last one, since it notes what it lets pass. */
	if (verdict == VERDICT_ALLOW && ticket->request.review != NULL) {
		reason = ticket->request.review(ticket->arg);
		if (reason != REASON_OK)
			verdict = VERDICT_DENY;
	}
	ticket->reply.verdict = verdict;
	ticket->reply.reason = reason;
	if (verdict == VERDICT_ALLOW)
		ticket->reply.account = ticket->presented.account;
	else {
		ticket->reply.rspauth[0] = '\0';
		secret_wipe(ticket->reply.ha1, sizeof(ticket->reply.ha1));
	}
}

/* Decided inside auth_submit(): the callback comes from the loop. */
static void
ticket_defer(struct auth_ticket *ticket, enum verdict verdict,
    enum reason reason)
{
	ticket_decide(ticket, verdict, reason);
	ticket->decided = true;
	TAILQ_INSERT_TAIL(&ticket->auth->decided, ticket, next);
	event_active(ticket->auth->decided_event, EV_TIMEOUT, 1);
}

static void
on_decided(evutil_socket_t fd, short what, void *arg)
{
	struct auth *auth = arg;
	struct auth_ticket *ticket;

	(void)fd;
	(void)what;
	while ((ticket = TAILQ_FIRST(&auth->decided)) != NULL) {
		TAILQ_REMOVE(&auth->decided, ticket, next);
		/* NB: the callback may cancel what it was called for. */
		ticket->decided = false;
		ticket_finish(ticket);
	}
}

/*
 * A second name for the account (RADIUS User-Name) may be "alice",
 * "alice@DOMAIN" or "alice@REALM" (Kamailio appends the realm).
 */
static bool
lookup_name_agrees(const struct auth_ticket *ticket)
{
	struct span name = ticket->request.lookup_name;
	size_t at = span_rfind(name, '@');
	struct span host = span_tail(name, at + 1);
	const struct account *account = &ticket->presented.account;

	if (name.n == 0)
		return true;
	return span_equal_nocase(span_head(name, at),
	    span_str(account->localpart)) &&
	    (at == name.n || span_equal_nocase(host, span_str(
	    account->domain)) || span_equal_nocase(host,
	    ticket->request.digest.realm));
}

/* The verdict about a digest, once the row is here. */
static void
judge_digest(struct auth_ticket *ticket, const struct credential *row)
{
	const struct verifier_context context = {
		.crypto = ticket->auth->crypto, .keys = ticket->auth->keys
	};
	struct verify_result result;
	struct account *account = &ticket->presented.account;
	bool foreign = account->domain[0] != '\0' &&
	    !span_equal(span_str(account->domain),
	    span_str(row->account.domain));

	/* NB: the work is done in any case, so that times do not differ. */
	result = ticket->request.want_ha1 ?
	    verify_digest_ha1(&context, row, &ticket->presented,
	    &ticket->request.digest, ticket->reply.rspauth,
	    ticket->reply.ha1) :
	    verify_digest(&context, row, &ticket->presented,
	    &ticket->request.digest, ticket->request.no_rspauth ? NULL :
	    ticket->reply.rspauth);
	if (!foreign)
		*account = row->account;
	if (foreign || !domain_listed(ticket->request.domains,
	    account->domain)) {
		result.verdict = VERDICT_DENY;
		result.reason = REASON_FOREIGN_DOMAIN;
	} else if (!lookup_name_agrees(ticket)) {
		result.verdict = VERDICT_DENY;
		result.reason = REASON_IDENTITY;
	}
	ticket_decide(ticket, result.verdict, result.reason);
	ticket_finish(ticket);
}

static void
judge_existence(struct auth_ticket *ticket, const struct credential *row)
{
	if (row->found && row->enabled)
		ticket_decide(ticket, VERDICT_ALLOW, REASON_OK);
	else
		ticket_decide(ticket, VERDICT_DENY, row->found ?
		    REASON_DISABLED : REASON_UNKNOWN_USER);
	ticket_finish(ticket);
}

/* In a worker thread: nothing here touches auth but its constant keys. */
static void
password_run(struct crypto *crypto, void *job)
{
	struct auth_ticket *ticket = job;
	const struct verifier_context context = {
		.crypto = crypto, .keys = ticket->auth->keys
	};

	ticket->result = verify_password(&context, ticket->credential,
	    ticket->request.password);
}

static void
password_done(void *job)
{
	struct auth_ticket *ticket = job;

	if (ticket->cb == NULL) {
		ticket_free(ticket);
		return;
	}
	ticket_decide(ticket, ticket->result.verdict, ticket->result.reason);
	ticket_finish(ticket);
}

static void
judge_password(struct auth_ticket *ticket, const struct credential *row)
{
	const struct verifier_context context = {
		.crypto = ticket->auth->crypto, .keys = ticket->auth->keys
	};

	if (!verify_password_is_slow(&context, row)) {
		ticket->result = verify_password(&context, row,
		    ticket->request.password);
		password_done(ticket);
		return;
	}
	/* Should the job never run (shutdown), nobody knows. */
	ticket->result.verdict = VERDICT_UNAVAILABLE;
	ticket->result.reason = REASON_INTERNAL;
	ticket->credential = xcalloc(1, sizeof(*row));
	*ticket->credential = *row;
	if (workers_submit(ticket->auth->workers, password_run, password_done,
	    ticket) != 0) {
		ticket_decide(ticket, VERDICT_UNAVAILABLE, REASON_THROTTLED);
		ticket_finish(ticket);
	}
}

static void
judge_scram(struct auth_ticket *ticket, const struct credential *row)
{
	const struct verifier_context context = {
		.crypto = ticket->auth->crypto, .keys = ticket->auth->keys
	};
	struct verify_result result = ticket->request.judge(&context, row,
	    ticket->arg);

	ticket_decide(ticket, result.verdict, result.reason);
	ticket_finish(ticket);
}

/* What the database has just said about an account's existence. */
static void
remember(struct auth *auth, const struct account *account, bool exists)
{
	if (auth->known == NULL)
		return;
	if (exists)
		known_confirm(auth->known, account, clock_ms());
	else
		known_drop(auth->known, account);
}

/* The database is away: the last known yes, never a no. */
static void
judge_unanswered(struct auth_ticket *ticket)
{
	const struct known *known = ticket->auth->known;
	bool yes = ticket->request.kind == AUTH_EXISTS && known != NULL &&
	    known_recently(known, &ticket->presented.account, clock_ms());

	ticket_decide(ticket, yes ? VERDICT_ALLOW : VERDICT_UNAVAILABLE,
	    REASON_DB_DOWN);
}

static void
on_row(enum store_status status, const struct credential *row, void *arg)
{
	struct auth_ticket *ticket = arg;

	ticket->lookup = NULL;
	if (status != STORE_UNAVAILABLE)
		metrics_lookup(&ticket->auth->metrics,
		    clock_us() - ticket->started);
	switch (status) {
	case STORE_OK:
		remember(ticket->auth, &row->account,
		    row->found && row->enabled);
		switch (ticket->request.kind) {
		case AUTH_PASSWORD:
			judge_password(ticket, row);
			return;
		case AUTH_DIGEST:
			judge_digest(ticket, row);
			return;
		case AUTH_EXISTS:
			judge_existence(ticket, row);
			return;
		case AUTH_SCRAM:
			judge_scram(ticket, row);
			return;
		}
		ticket_decide(ticket, VERDICT_UNAVAILABLE, REASON_INTERNAL);
		break;
	case STORE_NO_DOMAIN:
		remember(ticket->auth, &ticket->presented.account, false);
		ticket_decide(ticket, VERDICT_DENY,
		    ticket->request.kind == AUTH_DIGEST ?
		    REASON_UNKNOWN_REALM : REASON_FOREIGN_DOMAIN);
		break;
	case STORE_NO_REALM:
		ticket_decide(ticket, VERDICT_DENY, REASON_UNKNOWN_REALM);
		break;
	case STORE_REFUSED:	/* no lookup's answer */
	case STORE_UNAVAILABLE:
		judge_unanswered(ticket);
		break;
	}
	ticket_finish(ticket);
}

/* REASON_OK, or why the request is refused without asking the store. */
static enum reason
refuse_at_sight(struct auth_ticket *ticket)
{
	const struct auth_request *request = &ticket->request;
	bool digest = request->kind == AUTH_DIGEST;
	int rc = identity_present(request->name,
	    digest ? SPAN_EMPTY : request->domain, &ticket->presented);

	if (rc == -ERR_FOREIGN)
		return REASON_FOREIGN_DOMAIN;
	if (rc != 0)
		return REASON_MALFORMED;
	ticket->named = true;
	if (digest)
		return identity_check_realm(request->digest.realm) == 0 ?
		    REASON_OK : REASON_UNKNOWN_REALM;
	/* The domain of a digest is known only when the row is here. */
	if (ticket->presented.account.domain[0] == '\0')
		return REASON_MALFORMED;
	return domain_listed(request->domains,
	    ticket->presented.account.domain) ?
	    REASON_OK : REASON_FOREIGN_DOMAIN;
}

struct auth_ticket *
auth_submit(struct auth *auth, const struct auth_request *request,
    auth_cb *cb, void *arg)
{
	struct auth_ticket *ticket = xcalloc(1, sizeof(*ticket));
	struct store_key key = { SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY };
	enum reason reason;

	ticket->auth = auth;
	ticket->cb = cb;
	ticket->arg = arg;
	ticket->started = clock_us();
	ticket_keep_request(ticket, request);
	reason = refuse_at_sight(ticket);
	if (reason != REASON_OK) {
		ticket_defer(ticket, VERDICT_DENY, reason);
		return ticket;
	}
	key.localpart = span_str(ticket->presented.account.localpart);
	if (request->kind == AUTH_DIGEST)
		key.realm = ticket->request.digest.realm;
	else
		key.domain = span_str(ticket->presented.account.domain);
	ticket->lookup = store_lookup(auth->store, &key, on_row, ticket);
	return ticket;
}

void
auth_cancel(struct auth_ticket *ticket)
{
	if (ticket->decided) {
		TAILQ_REMOVE(&ticket->auth->decided, ticket, next);
		ticket_free(ticket);
	} else if (ticket->lookup != NULL) {
		store_cancel(ticket->lookup);
		ticket_free(ticket);
	} else {
		/* A worker has it: password_done() frees it. */
		ticket->cb = NULL;
	}
}

struct auth *
auth_new(struct store *store, struct workers *workers, struct crypto *crypto,
    struct event_base *base, const struct sink *sink,
    const struct auth_settings *settings)
{
	struct auth *auth = xcalloc(1, sizeof(*auth));

	auth->store = store;
	auth->workers = workers;
	auth->crypto = crypto;
	auth->sink = sink;
	auth->keys = settings->keys;
	auth->known = settings->known;
	TAILQ_INIT(&auth->decided);
	auth->decided_event = event_new(base, -1, 0, on_decided, auth);
	if (auth->decided_event == NULL) {
		free(auth);
		return NULL;
	}
	return auth;
}

void
auth_free(struct auth **auth)
{
	struct auth *a = *auth;
	struct auth_ticket *ticket;

	*auth = NULL;
	if (a == NULL)
		return;
	while ((ticket = TAILQ_FIRST(&a->decided)) != NULL) {
		TAILQ_REMOVE(&a->decided, ticket, next);
		ticket_free(ticket);
	}
	event_free(a->decided_event);
	free(a);
}

void
auth_dropped(struct auth *auth, const char *door, const char *kind)
{
	metrics_drop(&auth->metrics, door, kind);
}

void
auth_stats(const struct auth *auth, struct auth_stats *out)
{
	*out = auth->stats;
}

bool
auth_ready(const struct auth *auth)
{
	return store_ready(auth->store);
}

void
auth_metrics(const struct auth *auth, struct wbuf *out)
{
	struct store_stats stats;

	store_stats(auth->store, &stats);
	metrics_write(&auth->metrics, &stats, store_ready(auth->store), out);
}
