/*
 * Lookups: who waits, for how long, on which connection. One ordered list
 * holds the deadlines (all timeouts are equal, so the order of asking is the
 * order of expiry) and one timer serves it. New lookups are gathered until
 * the present turn of the loop has run its other events; then they go out
 * together, one query and one sync for each connection.
 *
 * An answer is UNAVAILABLE unless the server has spoken: nothing here may turn
 * a fault into "no such account".
 */

#include "store/store.h"

#include <sys/queue.h>

#include <stdlib.h>

#include <event2/event.h>

#include "store/clock.h"
#include "store/connection.h"
#include "store/conninfo.h"
#include "store/fault.h"
#include "store/lookup.h"
#include "store/row.h"
#include "store/xalloc.h"

#define CONNECTIONS_MAX	16
#define WAITING_MAX	65536	/* lookups without a connection's slot */
#define DOWN_MS		1000	/* without a connection: give up at once */

TAILQ_HEAD(lookup_list, store_lookup);

struct store {
	struct connection_shared shared;
	struct fault_log	 faults;
	struct conninfo		*conninfo;
	struct connection	*connections[CONNECTIONS_MAX];
	unsigned int		 connection_count;
	unsigned int		 usable;
	bool			 down;		/* for DOWN_MS and longer */
	unsigned int		 lookup_timeout_ms;
	struct lookup_list	 by_deadline;
	struct lookup_list	 waiting;
	struct lookup_list	 refused;
	unsigned int		 waiting_count, refused_count, sent_count;
	bool			 expiring;	/* expire is armed */
	struct event		*flush;		/* end of this turn */
	struct event		*expire;
	struct event		*refuse;	/* next turn */
	struct event		*give_up;	/* DOWN_MS after the last one */
	struct store_stats	 stats;
	struct credential	 credential;	/* of the present callback */
};

static const struct timeval at_once = { 0, 0 };

/* Takes the lookup out of wherever it is. */
static void
lookup_unlink(struct store_lookup *lookup)
{
	struct store *store = lookup->store;

	if (lookup->place != PLACE_REFUSED)
		TAILQ_REMOVE(&store->by_deadline, lookup, by_deadline);
	switch (lookup->place) {
	case PLACE_WAITING:
		TAILQ_REMOVE(&store->waiting, lookup, queued);
		store->waiting_count--;
		break;
	case PLACE_SENT:
		store->sent_count--;
		break;
	case PLACE_REFUSED:
		TAILQ_REMOVE(&store->refused, lookup, queued);
		store->refused_count--;
		break;
	}
}

/* The end of an unlinked lookup (text is empty) or question. */
static void
lookup_answer(struct store_lookup *lookup, enum store_status status,
    struct span text)
{
	struct store *store = lookup->store;
	store_lookup_cb *cb = lookup->cb;
	store_answer_cb *answer_cb = lookup->answer_cb;
	void *arg = lookup->arg;

	if (status == STORE_UNAVAILABLE)
		store->stats.unavailable++;
	lookup_free(lookup);
	if (answer_cb != NULL) {
		answer_cb(status, text, arg);
		return;
	}
	cb(status, &store->credential, arg);
	if (status == STORE_OK)
		credential_wipe(&store->credential);
}

/* To be answered in the next turn; lookup is in none of the lists. */
static void
lookup_refuse(struct store_lookup *lookup, enum store_status status)
{
	struct store *store = lookup->store;

	lookup->place = PLACE_REFUSED;
	lookup->refusal = status;
	TAILQ_INSERT_TAIL(&store->refused, lookup, queued);
	if (store->refused_count++ == 0)
		(void)event_add(store->refuse, &at_once);
}

static void
refuse_fired(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	/* Those that the callbacks add have their own turn. */
	unsigned int n = store->refused_count;
	struct store_lookup *lookup;

	(void)fd;
	(void)what;
	while (n-- > 0 && (lookup = TAILQ_FIRST(&store->refused)) != NULL) {
		lookup_unlink(lookup);
		lookup_answer(lookup, lookup->refusal, SPAN_EMPTY);
	}
	if (store->refused_count > 0)
		(void)event_add(store->refuse, &at_once);
}

static void
refuse_waiting(struct store *store)
{
	struct store_lookup *lookup;

	while ((lookup = TAILQ_FIRST(&store->waiting)) != NULL) {
		lookup_unlink(lookup);
		lookup_refuse(lookup, STORE_UNAVAILABLE);
	}
}

static void
expire_fired(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	struct store_lookup *lookup;
	int64_t now = clock_ms();
	struct timeval tv;

	(void)fd;
	(void)what;
	while ((lookup = TAILQ_FIRST(&store->by_deadline)) != NULL &&
	    lookup->deadline <= now) {
		if (lookup->place == PLACE_SENT)
			connection_forget(lookup->connection, lookup->slot);
		lookup_unlink(lookup);
		lookup_answer(lookup, STORE_UNAVAILABLE, SPAN_EMPTY);
	}
	lookup = TAILQ_FIRST(&store->by_deadline);
	store->expiring = lookup != NULL;
	if (lookup == NULL)
		return;
	tv = clock_timeval(lookup->deadline - now);
	(void)event_add(store->expire, &tv);
}

static void
give_up_fired(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;

	(void)fd;
	(void)what;
	store->down = true;
	refuse_waiting(store);
}

/* The usable connection with the fewest in flight, if any has room. */
static struct connection *
connection_pick(const struct store *store)
{
	struct connection *best = NULL;

	for (unsigned int i = 0; i < store->connection_count; i++) {
		struct connection *c = store->connections[i];

		if (connection_has_room(c) && (best == NULL ||
		    connection_in_flight(c) < connection_in_flight(best)))
			best = c;
	}
	return best;
}

static const char *
value_or_null(struct span text)
{
	return text.n > 0 ? (const char *)text.p : NULL;
}

/* False if the connection was lost over it; the lookup then still waits. */
static bool
lookup_send(struct store_lookup *lookup, struct connection *connection,
    int64_t now)
{
	struct store *store = lookup->store;
	const struct question *question = lookup->question;
	const char *values[STORE_VALUES_MAX];

	for (size_t i = 0; i < STORE_VALUES_MAX; i++)
		values[i] = value_or_null(lookup->values[i]);
	if (!(question != NULL ? connection_ask(connection, question->sql,
	    values, question->values, lookup, now, &lookup->slot) :
	    connection_send(connection, values, lookup, now, &lookup->slot)))
		return false;
	TAILQ_REMOVE(&store->waiting, lookup, queued);
	store->waiting_count--;
	store->sent_count++;
	lookup->place = PLACE_SENT;
	lookup->connection = connection;
	return true;
}

static void
flush_fired(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	struct connection *connection;
	struct store_lookup *lookup;
	int64_t now = clock_ms();

	(void)fd;
	(void)what;
	while ((lookup = TAILQ_FIRST(&store->waiting)) != NULL &&
	    (connection = connection_pick(store)) != NULL) {
		/*
		 * NB: sending and syncing may lose the connection, which
		 * hands lookups back to the list that is walked here: start
		 * from its head each time.
		 */
		bool alone = lookup->alone || lookup->question != NULL;

		if (alone)
			connection_sync(connection);
		if (!connection_has_room(connection))
			continue;
		if (lookup_send(lookup, connection, now) && alone)
			connection_sync(connection);
	}
	for (unsigned int i = 0; i < store->connection_count; i++)
		connection_sync(store->connections[i]);
}

static void
question_answered(struct store_lookup *lookup, const PGresult *result)
{
	struct fault_log *faults = &lookup->store->faults;
	char sentence[QUESTION_SENTENCE_MAX];
	struct span text;
	enum store_status status = question_read(result, sentence, &text);

	if (status == STORE_UNAVAILABLE) {
		fault_write(faults, LEVEL_ERROR, "database: a question "
		    "failed, SQLSTATE %.*s", (int)text.n,
		    text.n > 0 ? (const char *)text.p : "");
		text = SPAN_EMPTY;
	}
	lookup_answer(lookup, status, text);
}

static void
connection_answers(void *token, const PGresult *result, int at)
{
	struct store_lookup *lookup = token;
	struct store *store = lookup->store;
	enum store_status status;
	const char *column;

	lookup_unlink(lookup);
	if (lookup->question != NULL) {
		question_answered(lookup, result);
		return;
	}
	status = row_read(result, at, lookup->values[0], lookup->values[1],
	    &store->credential, &column);
	if (status == STORE_UNAVAILABLE)
		fault_write(&store->faults, LEVEL_ERROR,
		    "database: unusable row: column %s", column);
	/* A cache would keep the row here, under its name key and version. */
	lookup_answer(lookup, status, SPAN_EMPTY);
}

/*
 * A lookup is sent once more after its connection was lost, and once more,
 * alone, after it or a neighbour failed. A restart takes the connections one
 * by one: those that were up at the first loss are part of it.
 */
static bool
once_more(struct store_lookup *lookup, bool alone)
{
	bool again;

	if (lookup->question != NULL && lookup->question->once)
		return false;
	if (alone) {
		again = !lookup->alone;
		lookup->alone = true;
		return again;
	}
	again = lookup->lost == 0 ||
	    connection_since(lookup->connection) <= lookup->lost;
	if (lookup->lost == 0)
		lookup->lost = clock_ms();
	return again;
}

static void
connection_hands_back(void *token, bool alone)
{
	struct store_lookup *lookup = token;
	struct store *store = lookup->store;

	if (!once_more(lookup, alone)) {
		lookup_unlink(lookup);
		lookup_refuse(lookup, STORE_UNAVAILABLE);
		return;
	}
	/* Its place among the deadlines stays. */
	lookup->place = PLACE_WAITING;
	store->sent_count--;
	TAILQ_INSERT_HEAD(&store->waiting, lookup, queued);
	store->waiting_count++;
}

static void
connection_changed(void *arg)
{
	struct store *store = arg;
	struct timeval tv = clock_timeval(DOWN_MS);
	unsigned int usable = 0;

	for (unsigned int i = 0; i < store->connection_count; i++)
		if (connection_usable(store->connections[i]))
			usable++;
	if (usable == 0 && store->usable > 0)
		(void)event_add(store->give_up, &tv);
	if (usable > 0 && store->usable == 0) {
		store->down = false;
		(void)event_del(store->give_up);
	}
	store->usable = usable;
	if (usable > 0 && store->waiting_count > 0)
		event_active(store->flush, EV_TIMEOUT, 0);
}

struct store *
store_new(struct event_base *base, const struct store_settings *settings,
    const struct sink *sink)
{
	struct timeval tv = clock_timeval(DOWN_MS);
	struct conninfo *conninfo;
	struct store *store;
	const char *why;

	conninfo = conninfo_new(settings->conninfo, settings->application,
	    &why);
	if (why != NULL)
		sink_log(sink, conninfo == NULL ? LEVEL_ERROR : LEVEL_WARNING,
		    "database: conninfo: %s", why);
	if (conninfo == NULL)
		return NULL;
	store = xcalloc(1, sizeof(*store));
	store->conninfo = conninfo;
	store->faults.sink = sink;
	store->lookup_timeout_ms = settings->lookup_timeout_ms;
	store->shared = (struct connection_shared){
		.base = base,
		.conninfo = conninfo,
		.faults = &store->faults,
		.sink = sink,
		.owner = {
			.answer = connection_answers,
			.again = connection_hands_back,
			.changed = connection_changed,
			.arg = store
		},
		.connect_timeout_ms = settings->connect_timeout_ms,
		.lookup_timeout_ms = settings->lookup_timeout_ms
	};
	TAILQ_INIT(&store->by_deadline);
	TAILQ_INIT(&store->waiting);
	TAILQ_INIT(&store->refused);
	store->flush = event_new(base, -1, 0, flush_fired, store);
	store->expire = evtimer_new(base, expire_fired, store);
	store->refuse = evtimer_new(base, refuse_fired, store);
	store->give_up = evtimer_new(base, give_up_fired, store);
	if (store->flush == NULL || store->expire == NULL ||
	    store->refuse == NULL || store->give_up == NULL ||
	    event_add(store->give_up, &tv) != 0)
		abort();
	store->connection_count = settings->connections < 1 ? 1 :
	    settings->connections > CONNECTIONS_MAX ? CONNECTIONS_MAX :
	    settings->connections;
	for (unsigned int i = 0; i < store->connection_count; i++)
		store->connections[i] = connection_new(&store->shared);
	return store;
}

void
store_free(struct store **store)
{
	struct store *s = *store;
	struct store_lookup *lookup;

	if (s == NULL)
		return;
	for (unsigned int i = 0; i < s->connection_count; i++)
		connection_free(&s->connections[i]);
	while ((lookup = TAILQ_FIRST(&s->by_deadline)) != NULL ||
	    (lookup = TAILQ_FIRST(&s->refused)) != NULL) {
		lookup_unlink(lookup);
		lookup_free(lookup);
	}
	event_free(s->flush);
	event_free(s->expire);
	event_free(s->refuse);
	event_free(s->give_up);
	conninfo_free(&s->conninfo);
	credential_wipe(&s->credential);
	free(s);
	*store = NULL;
}

/* Goes out in this turn, or waits for a connection. */
static struct store_lookup *
lookup_start(struct store_lookup *lookup)
{
	struct store *store = lookup->store;
	struct timeval tv;

	if (store->down || store->waiting_count >= WAITING_MAX) {
		lookup_refuse(lookup, STORE_UNAVAILABLE);
		return lookup;
	}
	lookup->deadline = clock_ms() + store->lookup_timeout_ms;
	TAILQ_INSERT_TAIL(&store->by_deadline, lookup, by_deadline);
	if (!store->expiring) {
		tv = clock_timeval(store->lookup_timeout_ms);
		store->expiring = true;
		(void)event_add(store->expire, &tv);
	}
	lookup->place = PLACE_WAITING;
	TAILQ_INSERT_TAIL(&store->waiting, lookup, queued);
	store->waiting_count++;
	/* Runs after the events that are active now, in this very turn. */
	if (store->usable > 0)
		event_active(store->flush, EV_TIMEOUT, 0);
	return lookup;
}

struct store_lookup *
store_lookup(struct store *store, const struct store_key *key,
    store_lookup_cb *cb, void *arg)
{
	const struct span values[] = {
		key->domain, key->localpart, key->realm
	};
	struct store_lookup *lookup = lookup_new(store, values, 3, arg);

	/* A cache would answer here, by way of the refused list's turn. */
	lookup->cb = cb;
	store->stats.lookups++;
	if (!lookup_key_plausible(key)) {
		lookup_refuse(lookup, STORE_NO_DOMAIN);
		return lookup;
	}
	return lookup_start(lookup);
}

struct store_lookup *
store_ask(struct store *store, enum store_question question,
    const struct span *values, size_t count, store_answer_cb *cb, void *arg)
{
	const struct question *q = question_get(question);
	bool plausible = lookup_values_plausible(q, values, count);
	struct store_lookup *lookup = lookup_new(store, values,
	    plausible ? count : 0, arg);

	lookup->question = q;
	lookup->answer_cb = cb;
	if (!plausible) {
		lookup_refuse(lookup, STORE_REFUSED);
		return lookup;
	}
	return lookup_start(lookup);
}

void
store_cancel(struct store_lookup *lookup)
{
	if (lookup->place == PLACE_SENT)
		connection_forget(lookup->connection, lookup->slot);
	lookup_unlink(lookup);
	lookup_free(lookup);
}

bool
store_ready(const struct store *store)
{
	return store->usable > 0;
}

void
store_stats(const struct store *store, struct store_stats *out)
{
	*out = store->stats;
	out->syncs = store->shared.syncs;
	out->connects = store->shared.connects;
	out->ready = store->usable;
	out->in_flight = store->sent_count;
}
