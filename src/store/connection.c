/*
 * One connection's life: wait, resolve, connect, start, ready, and again.
 *
 *   WAITING --backoff--> RESOLVING --> CONNECTING --> STARTING --> READY
 *      ^______________________|_____________|____________|___________|
 *
 * Only READY serves lookups. A connection that is lost hands those in flight
 * back to its owner. Nothing here may block: no libpq call that waits, no
 * resolver, no cancel request.
 */

#include "store/connection.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "store/clock.h"
#include "store/connection_private.h"
#include "store/xalloc.h"

#define STEADY_MS	10000	/* ready this long: backoff forgotten */
#define ERROR_MAX	300	/* octets of libpq's message in a log */

void
connection_timer(struct connection *c, int64_t ms)
{
	struct timeval tv = clock_timeval(ms);

	(void)event_add(c->timer, &tv);
}

static void
events_drop(struct connection *c)
{
	if (c->socket != NULL)
		event_free(c->socket);
	if (c->writable != NULL)
		event_free(c->writable);
	c->socket = c->writable = NULL;
}

/* NB: events go before the descriptor that they watch. */
static void
pg_drop(struct connection *c)
{
	events_drop(c);
	(void)event_del(c->timer);
	PQfinish(c->pg);
	c->pg = NULL;
}

static void
retry_later(struct connection *c)
{
	pg_drop(c);
	c->state = STATE_WAITING;
	connection_timer(c, backoff_next(&c->backoff));
}

/* libpq's message, as far as it is the server's or the system's. */
static void
libpq_says(const struct connection *c, char *out, size_t cap)
{
	char *guess;

	fault_one_line(PQerrorMessage(c->pg), out, cap);
	/* The rest guesses, and complains of our own reading on. */
	guess = strstr(out, " This probably means");
	if (guess != NULL)
		*guess = '\0';
}

/* NB: again() may look at the state, so the state comes first. */
static void
hand_back(struct connection *c)
{
	struct connection_owner *owner = &c->shared->owner;
	void *token;

	while (pipeline_in_flight(&c->pipeline) > 0) {
		token = pipeline_pop(&c->pipeline);
		if (token != NULL)
			owner->again(token, false);
	}
	owner->changed(owner->arg);
}

void
connection_end(struct connection *c, const char *why)
{
	bool served = c->state == STATE_READY;
	char said[ERROR_MAX];

	if (why == NULL && c->state == STATE_STARTING && c->startup.failed)
		why = c->startup.why;
	if (why == NULL) {
		libpq_says(c, said, sizeof(said));
		why = said;
	}
	fault_write(c->shared->faults, served ? LEVEL_WARNING : LEVEL_ERROR,
	    "database: %s: %s", served ? "connection lost" : "cannot connect",
	    why);
	if (served && clock_ms() - c->ready_since > STEADY_MS)
		backoff_reset(&c->backoff);
	retry_later(c);
	if (served)
		hand_back(c);
}

void
connection_ready(struct connection *c)
{
	struct connection_shared *shared = c->shared;

	c->state = STATE_READY;
	c->ready_since = c->heard = clock_ms();
	c->silent = c->watching = false;
	(void)event_del(c->timer);
	shared->connects++;
	if (c->startup.parameters_logged && !shared->logging_warned) {
		shared->logging_warned = true;
		sink_log(shared->sink, LEVEL_WARNING, "database: the server "
		    "may log bind parameters of this role; run "
		    "sql/role-add.sql for it");
	}
	/* The socket's path or address, never the whole string. */
	fault_write(shared->faults, LEVEL_INFO,
	    "database: connected to %s port %s", PQhost(c->pg),
	    PQport(c->pg));
	shared->owner.changed(shared->owner.arg);
}

static void
connection_start(struct connection *c)
{
	c->state = STATE_STARTING;
	memset(&c->startup, 0, sizeof(c->startup));
	connection_timer(c, c->shared->connect_timeout_ms);
	if (serving_start(c) != 0)
		connection_end(c, NULL);
}

static void
connect_step(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	PostgresPollingStatusType next;
	short wanted = EV_WRITE;

	(void)fd;
	(void)what;
	/*
	 * NB: libpq may close its socket here and open another, even under
	 * the same number: no event may be left on it.
	 */
	events_drop(c);
	next = PQconnectPoll(c->pg);
	switch (next) {
	case PGRES_POLLING_OK:
		connection_start(c);
		return;
	case PGRES_POLLING_READING:
		wanted = EV_READ;
		break;
	case PGRES_POLLING_WRITING:
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
	default:
		connection_end(c, NULL);
		return;
	}
	if (endpoints_current(c->endpoints, c->pg) != c->host) {
		c->host = endpoints_current(c->endpoints, c->pg);
		connection_timer(c, c->shared->connect_timeout_ms);
	}
	c->socket = event_new(c->shared->base, PQsocket(c->pg), wanted,
	    connect_step, c);
	if (c->socket == NULL || event_add(c->socket, NULL) != 0)
		connection_end(c, "no event for its socket");
}

static void
ignore_notice(void *arg, const PGresult *result)
{
	const struct connection *c = arg;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	/* Its text may contain data. */
	sink_log(c->shared->sink, LEVEL_DEBUG, "database: notice %s",
	    state != NULL ? state : "");
}

static void
connection_open(struct connection *c)
{
	c->pg = endpoints_connect(c->endpoints);
	if (c->pg == NULL) {
		connection_end(c, "no host is left to try");
		return;
	}
	(void)PQsetNoticeReceiver(c->pg, ignore_notice, c);
	if (PQstatus(c->pg) == CONNECTION_BAD) {
		connection_end(c, NULL);
		return;
	}
	c->state = STATE_CONNECTING;
	c->host = endpoints_current(c->endpoints, c->pg);
	connection_timer(c, c->shared->connect_timeout_ms);
	/* As if it had asked to be told when writable (libpq's manual). */
	c->socket = event_new(c->shared->base, PQsocket(c->pg), EV_WRITE,
	    connect_step, c);
	if (c->socket == NULL || event_add(c->socket, NULL) != 0)
		connection_end(c, "no event for its socket");
}

static void
names_resolved(void *arg)
{
	struct connection *c = arg;

	if (c->state == STATE_RESOLVING)
		connection_open(c);
}

static void
connection_begin(struct connection *c)
{
	c->state = STATE_RESOLVING;
	connection_timer(c, c->shared->connect_timeout_ms);
	if (endpoints_resolve(c->endpoints))
		connection_open(c);
}

/* The host that libpq is at does not answer: go on without it. */
static void
connect_timed_out(struct connection *c)
{
	bool known = endpoints_skip(c->endpoints, c->pg);

	fault_write(c->shared->faults, LEVEL_ERROR,
	    "database: no answer from %s port %s", PQhost(c->pg),
	    PQport(c->pg));
	if (!known) {
		retry_later(c);
		return;
	}
	pg_drop(c);
	connection_open(c);
}

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	switch (c->state) {
	case STATE_WAITING:
		connection_begin(c);
		break;
	case STATE_RESOLVING:	/* go on with the addresses there are */
		connection_open(c);
		break;
	case STATE_CONNECTING:
	case STATE_STARTING:
		connect_timed_out(c);
		break;
	case STATE_READY:
		serving_watch(c);
		break;
	}
}

struct connection *
connection_new(struct connection_shared *shared)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	c->shared = shared;
	c->endpoints = endpoints_new(shared->base, shared->conninfo,
	    shared->faults, names_resolved, c);
	c->timer = evtimer_new(shared->base, timer_fired, c);
	if (c->timer == NULL)
		abort();
	c->state = STATE_WAITING;
	connection_timer(c, 0);
	return c;
}

void
connection_free(struct connection **connection)
{
	struct connection *c = *connection;

	if (c == NULL)
		return;
	pg_drop(c);
	event_free(c->timer);
	endpoints_free(&c->endpoints);
	free(c);
	*connection = NULL;
}

bool
connection_usable(const struct connection *connection)
{
	return connection->state == STATE_READY && !connection->silent;
}

unsigned int
connection_in_flight(const struct connection *connection)
{
	return connection->state == STATE_READY ?
	    pipeline_in_flight(&connection->pipeline) : 0;
}

bool
connection_has_room(const struct connection *connection)
{
	return connection_usable(connection) &&
	    connection_in_flight(connection) < PIPELINE_SLOTS;
}

int64_t
connection_since(const struct connection *connection)
{
	return connection->ready_since;
}
