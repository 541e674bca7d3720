/*
 * A connection that is up: lookups out, results in, and an eye on a server
 * that does not answer. Nothing here may block: no libpq call that waits, no
 * cancel request.
 */

#include <string.h>

#include <event2/event.h>

#include "core/err.h"
#include "store/clock.h"
#include "store/connection_private.h"
#include "store/lookup_sql.h"

#define SILENCE_FACTOR	3	/* lookup_timeouts until closed */
#define DISORDER	"results out of order"

/*
 * A failed lookup that says more about the connection than about itself: the
 * schema has changed under the prepared statement, the statement is gone, the
 * grant was revoked, the server is going down.
 */
static bool
needs_reconnect(const char *state)
{
	static const char classes[][3] = {
		"08", "0A", "26", "3D", "3F", "42", "57"
	};

	/* statement_timeout or pg_cancel_backend(): one lookup's own. */
	if (strcmp(state, "57014") == 0)
		return false;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(state, classes[i], 2) == 0)
			return true;
	return false;
}

/* What the start has asked is answered. */
static void
take_start(struct connection *c)
{
	if (c->startup.failed)
		connection_end(c, NULL);
	else if (!startup_done(&c->startup))
		connection_end(c, DISORDER);
	else
		connection_ready(c);
}

/* One row for each lookup of the oldest query, in order. */
static void
take_rows(struct connection *c, const PGresult *result, unsigned int batch)
{
	struct connection_owner *owner = &c->shared->owner;

	if ((unsigned int)PQntuples(result) != batch) {
		connection_end(c, DISORDER);
		return;
	}
	backoff_reset(&c->backoff);
	for (unsigned int i = 0; i < batch; i++) {
		void *token = pipeline_shift(&c->pipeline);

		if (token != NULL)
			owner->answer(token, result, (int)i);
	}
}

/* The oldest query failed: each of its lookups is tried by itself. */
static void
hand_back(struct connection *c, unsigned int batch)
{
	struct connection_owner *owner = &c->shared->owner;
	void *tokens[BATCH_MAX];

	for (unsigned int i = 0; i < batch; i++)
		tokens[i] = pipeline_shift(&c->pipeline);
	while (batch-- > 0)
		if (tokens[batch] != NULL)
			owner->again(tokens[batch], true);
}

/*
 * Its failure is its own, and the owner's to judge: only what says that the
 * server is going away ends the connection.
 */
static void
take_question(struct connection *c, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	void *token;

	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED) {
		hand_back(c, 1);
		return;
	}
	if (PQresultStatus(result) != PGRES_TUPLES_OK && (state == NULL ||
	    strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0)) {
		connection_end(c, NULL);
		return;
	}
	backoff_reset(&c->backoff);
	token = pipeline_shift(&c->pipeline);
	if (token != NULL)
		c->shared->owner.answer(token, result, 0);
}

static void
take_lookups(struct connection *c, const PGresult *result)
{
	unsigned int batch = pipeline_batch(&c->pipeline);
	const char *state;

	if (batch == 0) {
		connection_end(c, DISORDER);
		return;
	}
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		take_rows(c, result, batch);
		return;
	}
	if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED) {
		/* Its text may quote what was asked for; the state cannot. */
		state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		if (state == NULL) {
			connection_end(c, NULL);
			return;
		}
		fault_write(c->shared->faults, LEVEL_WARNING,
		    "database: a lookup failed, SQLSTATE %s", state);
		if (needs_reconnect(state)) {
			connection_end(c, "its lookups fail");
			return;
		}
	}
	hand_back(c, batch);
}

/* Takes what has arrived, until the connection is lost or nothing is left. */
static void
drain(struct connection *c)
{
	PGresult *result;

	while (c->state == STATE_READY || c->state == STATE_STARTING) {
		switch (pipeline_take(&c->pipeline, &result)) {
		case PIPELINE_BUSY:
			return;
		case PIPELINE_RESULT:
			if (c->state == STATE_STARTING)
				startup_take(&c->startup, c->pg, result);
			else if (pipeline_question(&c->pipeline))
				take_question(c, result);
			else
				take_lookups(c, result);
			/* NB: libpq does not wipe, and offers no way to. */
			PQclear(result);
			break;
		case PIPELINE_SYNCED:
			if (c->state == STATE_STARTING)
				take_start(c);
			break;
		case PIPELINE_DISORDER:
			connection_end(c, PQstatus(c->pg) ==
			    CONNECTION_BAD ? NULL : DISORDER);
			break;
		}
	}
}

/*
 * The timer of a ready connection: armed when the first lookup goes out, then
 * moved on as long as any are in flight, never once per lookup.
 */
void
serving_watch(struct connection *c)
{
	int64_t now = clock_ms(), limit = c->shared->lookup_timeout_ms;
	int64_t oldest = 0;
	bool was = c->silent;

	c->watching = pipeline_in_flight(&c->pipeline) > 0;
	if (c->watching)
		oldest = pipeline_oldest(&c->pipeline);
	c->silent = c->watching && now - oldest >= limit;
	if (c->silent) {
		int64_t since = oldest > c->heard ? oldest : c->heard;

		/* NB: PQrequestCancel() would block; closing does not. */
		if (now - since >= SILENCE_FACTOR * limit) {
			connection_end(c, "the server is silent");
			return;
		}
		connection_timer(c, since + SILENCE_FACTOR * limit - now);
	} else if (c->watching) {
		connection_timer(c, oldest + limit - now);
	}
	if (c->silent != was)
		c->shared->owner.changed(c->shared->owner.arg);
}

static void
flush(struct connection *c)
{
	int left = PQflush(c->pg);

	if (left < 0)
		connection_end(c, NULL);
	else if (left > 0)
		(void)event_add(c->writable, NULL);
}

static void
socket_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

static void
socket_readable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	bool ok = true;
	/*
	 * A TLS record may be larger than libpq's buffer had room for; its
	 * rest lies where no poll would see it.
	 */
	int reads = PQsslInUse(c->pg) ? 2 : 1;

	(void)fd;
	(void)what;
	while (ok && reads-- > 0)
		ok = PQconsumeInput(c->pg) == 1;
	c->heard = clock_ms();
	/* What came before the end is as good as any. */
	drain(c);
	if (c->state != STATE_READY && c->state != STATE_STARTING)
		return;
	if (!ok || PQstatus(c->pg) == CONNECTION_BAD) {
		connection_end(c, NULL);
		return;
	}
	if (c->state == STATE_READY && c->silent)
		serving_watch(c);
	if (c->state == STATE_READY)
		c->shared->owner.changed(c->shared->owner.arg);
}

int
serving_start(struct connection *c)
{
	struct event_base *base = c->shared->base;

	c->socket = event_new(base, PQsocket(c->pg), EV_READ | EV_PERSIST,
	    socket_readable, c);
	c->writable = event_new(base, PQsocket(c->pg), EV_WRITE,
	    socket_writable, c);
	batch_clear(&c->batch);
	if (c->socket == NULL || c->writable == NULL ||
	    event_add(c->socket, NULL) != 0 ||
	    pipeline_init(&c->pipeline, c->pg) != 0 ||
	    startup_send(c->pg) != 0 || pipeline_sync(&c->pipeline) != 0)
		return -ERR_SYSTEM;
	flush(c);
	return 0;
}

/* Hands the gathered lookups to libpq as one query. False: lost. */
static bool
send_batch(struct connection *c)
{
	if (c->batch.count == 0)
		return true;
	if (PQsendQueryPrepared(c->pg, c->batch.count == 1 ? LOOKUP_NAME :
	    LOOKUP_MANY_NAME, 3, batch_values(&c->batch), NULL, NULL,
	    0) != 1) {
		connection_end(c, NULL);
		return false;
	}
	pipeline_close(&c->pipeline);
	batch_clear(&c->batch);
	return true;
}

static void
watch(struct connection *c)
{
	if (c->watching)
		return;
	c->watching = true;
	connection_timer(c, c->shared->lookup_timeout_ms);
}

bool
connection_send(struct connection *connection, const char *const values[3],
    void *token, int64_t now, uint32_t *slot)
{
	struct connection *c = connection;

	if (c->batch.count == BATCH_MAX && !send_batch(c))
		return false;
	batch_add(&c->batch, values);
	*slot = pipeline_push(&c->pipeline, token, now);
	watch(c);
	return true;
}

bool
connection_ask(struct connection *connection, const char *sql,
    const char *const *values, size_t count, void *token, int64_t now,
    uint32_t *slot)
{
	struct connection *c = connection;

	if (!send_batch(c))
		return false;
	if (PQsendQueryParams(c->pg, sql, (int)count, NULL, values, NULL,
	    NULL, 0) != 1) {
		connection_end(c, NULL);
		return false;
	}
	*slot = pipeline_push(&c->pipeline, token, now);
	pipeline_close(&c->pipeline);
	pipeline_mark_question(&c->pipeline);
	watch(c);
	return true;
}

void
connection_sync(struct connection *connection)
{
	struct connection *c = connection;

	if (c->state != STATE_READY || c->pipeline.unsynced == 0 ||
	    !send_batch(c))
		return;
	if (pipeline_sync(&c->pipeline) != 0) {
		connection_end(c, NULL);
		return;
	}
	c->shared->syncs++;
	flush(c);
}

void
connection_forget(struct connection *connection, uint32_t slot)
{
	pipeline_forget(&connection->pipeline, slot);
}
