/*
 * Changes of accounts, without blocking:
 *
 *	submit --> refused at sight ----------------------------+
 *	   |                                                    |
 *	   +-> policy of the domain (store) --------------------+
 *	             |                                          |
 *	             +-> judged and hashed in a worker ---------+
 *	                       |                                |
 *	                       +-> account_set() (store) -------+--> log,
 *	                                                            callback
 *
 * The database has the last word about names and policy; its sentences quote
 * no value. No password and no verifier outlives its ticket.
 */

#include "service/accounts.h"

#include <sys/queue.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "core/err.h"
#include "core/identity.h"
#include "core/password.h"
#include "core/secret.h"
#include "core/verifiers.h"
#include "service/known.h"
#include "service/workers.h"
#include "store/clock.h"
#include "store/store.h"
#include "store/xalloc.h"

#define REALMS_TEXT_MAX	(VERIFIERS_REALMS_MAX * (REALM_MAX + 1))
#define SENTENCE_MAX	512
#define STATE_SIZE	6	/* "OC001 " */

/* What the domain wants of a new password (STORE_ACCOUNT_POLICY). */
struct policy {
	bool		 found;		/* the account exists */
	bool		 non_ascii;
	bool		 sealed;
	uint32_t	 iterations;
	bool		 algorithms[DIGEST_ALG_COUNT];
	char		 realms_text[REALMS_TEXT_MAX];
	struct span	 realms[VERIFIERS_REALMS_MAX];
	size_t		 realm_count;
};

/* Owner: accounts, until the callback has returned. */
struct accounts_ticket {
	TAILQ_ENTRY(accounts_ticket) next;	/* in accounts->decided */
	struct accounts		*accounts;
	enum account_change	 change;
	const char		*door;
	char			 source[64];
	struct account		 account;	/* "" if the name is none */
	struct secret		 password;
	struct policy		 policy;
	struct verifiers_arrays	 arrays;
	int			 made;		/* the worker's result */
	const char		*why;		/* and its sentence */
	bool			 decided;	/* waits for its callback */
	struct store_lookup	*question;	/* under way, or NULL */
	enum account_result	 result;
	char			 sentence[SENTENCE_MAX];
	accounts_cb		*cb;		/* NULL: cancelled */
	void			*arg;
	uint64_t		 started;	/* us, monotonic */
};

TAILQ_HEAD(account_tickets, accounts_ticket);

struct accounts {
	struct store		*store;
	struct workers		*workers;
	const struct sink	*sink;
	const struct seal_keyring *keys;
	struct known		*known;
	struct account_tickets	 decided;
	struct event		*decided_event;
};

const char *
account_result_str(enum account_result result)
{
	static const char *const names[ACCOUNT_RESULT_COUNT] = {
		"unavailable", "done", "refused", "no-account", "exists",
		"foreign-domain"
	};

	return (unsigned int)result < ACCOUNT_RESULT_COUNT ? names[result] :
	    "unavailable";
}

const char *
account_change_str(enum account_change change)
{
	static const char *const names[] = {
		"set", "create", "put", "delete"
	};

	return names[change];
}

static void
ticket_free(struct accounts_ticket *ticket)
{
	secret_free(&ticket->password);
	verifiers_arrays_wipe(&ticket->arrays);
	free(ticket);
}

static void
ticket_finish(struct accounts_ticket *ticket)
{
	const struct account *account = &ticket->account;
	bool named = account->localpart[0] != '\0';
	bool refused = ticket->result == ACCOUNT_REFUSED;
	uint64_t usec = clock_us() - ticket->started;
	struct account_reply reply = {
		.result = ticket->result,
		.created = ticket->result == ACCOUNT_DONE &&
		    ticket->change != ACCOUNT_DELETE && !ticket->policy.found,
		.sentence = ticket->sentence
	};

	sink_log(ticket->accounts->sink, ticket->result == ACCOUNT_UNAVAILABLE
	    ? LEVEL_WARNING : LEVEL_INFO, "door=%s user=%s%s%s change=%s "
	    "result=%s source=%s ms=%" PRIu64 ".%" PRIu64 "%s%s",
	    ticket->door,
	    named ? account->localpart : "invalid", named ? "@" : "",
	    account->domain, account_change_str(ticket->change),
	    account_result_str(ticket->result), ticket->source, usec / 1000,
	    usec / 100 % 10, refused ? " why=" : "",
	    refused ? ticket->sentence : "");
	ticket->cb(&reply, ticket->arg);
	ticket_free(ticket);
}

static void
ticket_decide(struct accounts_ticket *ticket, enum account_result result,
    struct span sentence)
{
	ticket->result = result;
	if (span_copy_str(span_head(sentence, SENTENCE_MAX - 1),
	    ticket->sentence, sizeof(ticket->sentence)) != 0)
		ticket->sentence[0] = '\0';
}

static void
ticket_end(struct accounts_ticket *ticket, enum account_result result,
    const char *sentence)
{
	ticket_decide(ticket, result, span_str(sentence));
	ticket_finish(ticket);
}

static void
on_decided(evutil_socket_t fd, short what, void *arg)
{
	struct accounts *accounts = arg;
	struct accounts_ticket *ticket;

	(void)fd;
	(void)what;
	while ((ticket = TAILQ_FIRST(&accounts->decided)) != NULL) {
		TAILQ_REMOVE(&accounts->decided, ticket, next);
		ticket_finish(ticket);
	}
}

/* Decided inside accounts_submit(): the callback comes from the loop. */
static void
ticket_defer(struct accounts_ticket *ticket, enum account_result result,
    const char *sentence)
{
	ticket_decide(ticket, result, span_str(sentence));
	ticket->decided = true;
	TAILQ_INSERT_TAIL(&ticket->accounts->decided, ticket, next);
	event_active(ticket->accounts->decided_event, EV_TIMEOUT, 1);
}

/* True if the store has not just answered the question with what was asked. */
static bool
ended_by_store(struct accounts_ticket *ticket, enum store_status status,
    struct span answer)
{
	struct span state = span_head(answer, STATE_SIZE - 1);
	struct span sentence = span_tail(answer, STATE_SIZE);
	enum account_result result;

	if (status == STORE_OK)
		return false;
	if (status != STORE_REFUSED) {
		ticket_end(ticket, ACCOUNT_UNAVAILABLE,
		    "the account cannot be changed at the moment");
		return true;
	}
	if (span_equal(state, SPAN_LIT("OC001")))
		result = ACCOUNT_EXISTS;
	else if (span_equal(state, SPAN_LIT("OC002")))
		result = ACCOUNT_NO_ACCOUNT;
	else if (span_equal(state, SPAN_LIT("OC006")))
		result = ACCOUNT_FOREIGN;
	else
		result = ACCOUNT_REFUSED;
	ticket_decide(ticket, result, sentence);
	ticket_finish(ticket);
	return true;
}

static void
on_written(enum store_status status, struct span answer, void *arg)
{
	struct accounts_ticket *ticket = arg;

	ticket->question = NULL;
	if (status == STORE_OK && ticket->change == ACCOUNT_DELETE &&
	    ticket->accounts->known != NULL)
		known_drop(ticket->accounts->known, &ticket->account);
	if (!ended_by_store(ticket, status, answer))
		ticket_end(ticket, ACCOUNT_DONE, "");
}

/* In a worker thread: nothing here touches accounts but its constant keys. */
static void
make_run(struct crypto *crypto, void *job)
{
	struct accounts_ticket *ticket = job;
	const struct policy *policy = &ticket->policy;
	struct verifiers_plan plan = {
		.account = &ticket->account,
		.scram = true,
		.iterations = policy->iterations,
		.realms = policy->realms,
		.realm_count = policy->realm_count,
		.seal = policy->sealed ? ticket->accounts->keys : NULL
	};

	ticket->made = password_check_new(secret_span(&ticket->password),
	    policy->non_ascii, &ticket->why);
	if (ticket->made != 0)
		return;
	ticket->why = NULL;
	for (int alg = DIGEST_MD5; alg < DIGEST_ALG_COUNT; alg++)
		plan.algorithms[alg] = policy->algorithms[alg];
	ticket->made = verifiers_arrays_init(&ticket->arrays);
	if (ticket->made == 0)
		ticket->made = verifiers_make(crypto, &plan,
		    secret_span(&ticket->password), verifiers_arrays_put,
		    &ticket->arrays);
	if (ticket->made == 0)
		ticket->made = verifiers_arrays_end(&ticket->arrays);
}

static void
make_done(void *job)
{
	static const char *const modes[] = {
		[ACCOUNT_UPDATE] = "update",
		[ACCOUNT_CREATE] = "create",
		[ACCOUNT_PUT] = "set"
	};
	struct accounts_ticket *ticket = job;
	struct span values[3 + VERIFIERS_LISTS];

	if (ticket->cb == NULL) {
		ticket_free(ticket);
		return;
	}
	if (ticket->made != 0) {
		if (ticket->why == NULL)
			sink_log(ticket->accounts->sink, LEVEL_ERROR,
			    "cannot make verifiers: %s",
			    err_str(ticket->made));
		ticket_end(ticket, ticket->why != NULL ? ACCOUNT_REFUSED :
		    ACCOUNT_UNAVAILABLE, ticket->why != NULL ? ticket->why :
		    "the account cannot be changed at the moment");
		return;
	}
	values[0] = span_str(ticket->account.domain);
	values[1] = span_str(ticket->account.localpart);
	values[2] = span_str(modes[ticket->change]);
	for (size_t i = 0; i < VERIFIERS_LISTS; i++)
		values[3 + i] = span_str((const char *)
		    ticket->arrays.lists[i].p);
	ticket->question = store_ask(ticket->accounts->store,
	    STORE_ACCOUNT_SET, values, 3 + VERIFIERS_LISTS, on_written,
	    ticket);
}

static struct span
take_field(struct span *text)
{
	struct span field = span_head(*text, span_find(*text, '\t'));

	*text = span_tail(*text, field.n + 1);
	return field;
}

static bool
read_number(struct span text, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || value > max / 10)
			return false;
		value = value * 10 + (uint32_t)(text.p[i] - '0');
	}
	*out = value;
	return text.n > 0 && value <= max;
}

/* See store/question.c. False: not what the schema promises. */
static bool
policy_read(struct span answer, struct policy *policy)
{
	struct span found = take_field(&answer);
	struct span iterations = take_field(&answer);
	struct span stores = take_field(&answer);
	struct span digests = take_field(&answer);
	struct span non_ascii = take_field(&answer);
	bool none = span_equal(digests, SPAN_LIT("none"));
	uint32_t bits;

	policy->found = span_equal(found, SPAN_LIT("t"));
	policy->sealed = span_equal(digests, SPAN_LIT("sealed"));
	policy->non_ascii = span_equal(non_ascii, SPAN_LIT("t"));
	if (!read_number(iterations, SCRAM_ITERATIONS_MAX,
	    &policy->iterations) || !read_number(stores, 7, &bits) ||
	    (!none && !policy->sealed &&
	    !span_equal(digests, SPAN_LIT("plain"))) ||
	    span_copy_str(answer, policy->realms_text,
	    sizeof(policy->realms_text)) != 0)
		return false;
	policy->algorithms[DIGEST_MD5] = !none && (bits & 1) != 0;
	policy->algorithms[DIGEST_SHA_256] = !none && (bits & 2) != 0;
	policy->algorithms[DIGEST_SHA_512_256] = !none && (bits & 4) != 0;
	return verifiers_realms(span_str(policy->realms_text), policy->realms,
	    VERIFIERS_REALMS_MAX, &policy->realm_count) == 0;
}

static void
on_policy(enum store_status status, struct span answer, void *arg)
{
	struct accounts_ticket *ticket = arg;
	struct accounts *accounts = ticket->accounts;

	ticket->question = NULL;
	if (ended_by_store(ticket, status, answer))
		return;
	if (!policy_read(answer, &ticket->policy)) {
		sink_log(accounts->sink, LEVEL_ERROR, "the answer of "
		    "onecred.account_get is not understood");
		ticket_end(ticket, ACCOUNT_UNAVAILABLE,
		    "the account cannot be changed at the moment");
	} else if (ticket->policy.sealed && (accounts->keys == NULL ||
	    accounts->keys->count == 0)) {
		sink_log(accounts->sink, LEVEL_ERROR, "%s seals its digests, "
		    "and [seal] key_file is not set", ticket->account.domain);
		ticket_end(ticket, ACCOUNT_UNAVAILABLE,
		    "the account cannot be changed at the moment");
	} else if (ticket->change == ACCOUNT_UPDATE && !ticket->policy.found) {
		ticket_end(ticket, ACCOUNT_NO_ACCOUNT,
		    "there is no such account");
	} else if (ticket->change == ACCOUNT_CREATE && ticket->policy.found) {
		ticket_end(ticket, ACCOUNT_EXISTS,
		    "the account exists already");
	} else {
		/* Should the job never run (shutdown), nobody knows. */
		ticket->made = -ERR_SYSTEM;
		if (workers_submit(accounts->workers, make_run, make_done,
		    ticket) != 0)
			ticket_end(ticket, ACCOUNT_UNAVAILABLE, "too many "
			    "logins are under way, try again");
	}
}

struct accounts_ticket *
accounts_submit(struct accounts *accounts,
    const struct account_request *request, accounts_cb *cb, void *arg)
{
	struct accounts_ticket *ticket = xcalloc(1, sizeof(*ticket));
	struct presented presented;
	struct span values[2];
	int rc;

	ticket->accounts = accounts;
	ticket->change = request->change;
	ticket->door = request->door;
	ticket->cb = cb;
	ticket->arg = arg;
	ticket->started = clock_us();
	if (request->source.n == 0 || span_copy_str(request->source,
	    ticket->source, sizeof(ticket->source)) != 0)
		(void)snprintf(ticket->source, sizeof(ticket->source), "-");
	rc = identity_present(request->name, request->domain, &presented);
	if (rc == 0)
		ticket->account = presented.account;
	if (rc == -ERR_FOREIGN || (rc == 0 &&
	    !domain_listed(request->domains,
	    presented.account.domain))) {
		ticket_defer(ticket, ACCOUNT_FOREIGN,
		    "this domain is not served here");
		return ticket;
	}
	if (rc != 0 || presented.account.domain[0] == '\0') {
		ticket_defer(ticket, ACCOUNT_REFUSED,
		    "this is not the name of an account");
		return ticket;
	}
	if (request->change != ACCOUNT_DELETE &&
	    secret_set(&ticket->password, request->password) != 0)
		abort();
	values[0] = span_str(ticket->account.domain);
	values[1] = span_str(ticket->account.localpart);
	ticket->question = request->change == ACCOUNT_DELETE ?
	    store_ask(accounts->store, STORE_ACCOUNT_DELETE, values, 2,
	    on_written, ticket) :
	    store_ask(accounts->store, STORE_ACCOUNT_POLICY, values, 2,
	    on_policy, ticket);
	return ticket;
}

void
accounts_cancel(struct accounts_ticket *ticket)
{
	if (ticket->decided) {
		TAILQ_REMOVE(&ticket->accounts->decided, ticket, next);
		ticket_free(ticket);
	} else if (ticket->question != NULL) {
		store_cancel(ticket->question);
		ticket_free(ticket);
	} else {
		/* A worker has it: make_done() frees it. */
		ticket->cb = NULL;
	}
}

struct accounts *
accounts_new(struct store *store, struct workers *workers,
    struct event_base *base, const struct sink *sink,
    const struct accounts_settings *settings)
{
	struct accounts *accounts = xcalloc(1, sizeof(*accounts));

	accounts->store = store;
	accounts->workers = workers;
	accounts->sink = sink;
	accounts->keys = settings->keys;
	accounts->known = settings->known;
	TAILQ_INIT(&accounts->decided);
	accounts->decided_event = event_new(base, -1, 0, on_decided,
	    accounts);
	if (accounts->decided_event == NULL) {
		free(accounts);
		return NULL;
	}
	return accounts;
}

void
accounts_free(struct accounts **accounts)
{
	struct accounts *a = *accounts;
	struct accounts_ticket *ticket;

	*accounts = NULL;
	if (a == NULL)
		return;
	while ((ticket = TAILQ_FIRST(&a->decided)) != NULL) {
		TAILQ_REMOVE(&a->decided, ticket, next);
		ticket_free(ticket);
	}
	event_free(a->decided_event);
	free(a);
}
