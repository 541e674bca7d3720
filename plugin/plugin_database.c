/*
 * The plugin's connection to PostgreSQL: libpq without its blocking calls, so
 * that a server that froze costs its caller onecred_timeout and no more. The
 * one thing that cannot be bounded is looking up a host name, which libpq
 * leaves to getaddrinfo(): onecred-sasl.8 says to write an address or a
 * socket directory.
 *
 * Nothing here writes to standard error: notices are dropped, and libpq is
 * not let near a password file that it would complain about. Neither
 * parameters nor values of rows get into a sentence.
 */

#include "plugin_database.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/secret.h"
#include "core/span.h"
#include "plugin_options.h"
#include "plugin_process.h"
#include "plugin_sql.h"

#define HOLD_MS		1000	/* after a fault, answer at once */

#define ENTRY_MAX	256	/* octets of a host's name, address or port */

/* Not there, so that libpq neither reads nor judges ~/.pgpass. */
#define NO_PASSFILE	"/dev/null/none"

void
database_init(struct database *database)
{
	memset(database, 0, sizeof(*database));
	atomic_init(&database->open, false);
	database->fd = -1;
}

void
database_close(struct database *database)
{
	atomic_store(&database->open, false);
	database->fd = -1;
	memset(database->prepared, 0, sizeof(database->prepared));
	/* NB: the socket does not block, so neither does the farewell. */
	PQfinish(database->pg);
	database->pg = NULL;
}

/* Notes which socket is ours, for database_disinherit(). */
static void
note_socket(struct database *database)
{
	struct stat st;

	database->fd = PQsocket(database->pg);
	if (database->fd < 0 || fstat(database->fd, &st) != 0)
		return;
	database->device = st.st_dev;
	database->inode = st.st_ino;
	atomic_store(&database->open, true);
}

void
database_disinherit(struct database *database)
{
	struct stat st;

	if (!atomic_exchange(&database->open, false))
		return;
	/* NB: a daemon may have closed it and opened something else there. */
	if (fstat(database->fd, &st) == 0 &&
	    st.st_dev == database->device && st.st_ino == database->inode)
		(void)close(database->fd);
}

void
database_result_clear(PGresult **result)
{
	for (int row = 0; row < PQntuples(*result); row++)
		for (int i = 0; i < PQnfields(*result); i++)
			secret_wipe(PQgetvalue(*result, row, i),
			    (size_t)PQgetlength(*result, row, i));
	PQclear(*result);
	*result = NULL;
}

/* Text of libpq's or the server's as one line of printable characters. */
static void
one_line(const char *text, char *why)
{
	size_t n = 0;

	for (; text != NULL && *text != '\0' && n + 1 < DATABASE_WHY_MAX;
	    text++) {
		if ((unsigned char)*text > ' ' && (unsigned char)*text != 0x7f)
			why[n++] = *text;
		else if (n > 0 && why[n - 1] != ' ')
			why[n++] = ' ';
	}
	while (n > 0 && why[n - 1] == ' ')
		n--;
	why[n] = '\0';
}

/* False if fd is not ready for events by the deadline. */
static bool
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - process_clock();
		int n;

		if (left < 0)
			left = 0;
		n = poll(&pfd, 1, (int)left);
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Drops notices: libpq's own receiver prints them. */
static void
drop_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

/*
 * The answer to what was sent, or NULL: the connection is then in no state
 * to be used again.
 */
static PGresult *
await(PGconn *pg, int64_t deadline)
{
	PGresult *last = NULL, *next;
	int unsent;

	while ((unsent = PQflush(pg)) == 1) {
		if (!wait_for(PQsocket(pg), POLLIN | POLLOUT, deadline) ||
		    PQconsumeInput(pg) != 1)
			return NULL;
	}
	if (unsent != 0)
		return NULL;
	for (;;) {
		while (PQisBusy(pg)) {
			if (!wait_for(PQsocket(pg), POLLIN, deadline) ||
			    PQconsumeInput(pg) != 1) {
				PQclear(last);
				return NULL;
			}
		}
		next = PQgetResult(pg);
		if (next == NULL)
			return last;
		PQclear(last);
		last = next;
		/* Never ours; and reading on would never end. */
		if (PQresultStatus(last) == PGRES_COPY_IN ||
		    PQresultStatus(last) == PGRES_COPY_OUT ||
		    PQresultStatus(last) == PGRES_COPY_BOTH) {
			PQclear(last);
			return NULL;
		}
	}
}

/*
 * Puts down why result (may be NULL) is not what was wanted. The server's
 * text is repeated only for our own functions' errors (class OC), which are
 * sentences without values.
 */
static enum database_outcome
judge_fault(struct database *database, const PGresult *result,
    int64_t deadline, char *why)
{
	const char *state = result == NULL ? NULL :
	    PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (span_copy_str(span_str(state), database->state,
	    sizeof(database->state)) != 0)
		state = NULL;
	if (state != NULL && state[0] == 'O' && state[1] == 'C') {
		one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		    why);
		return DATABASE_REFUSED;
	}
	/* No outage either: other queries of ours may be allowed. */
	if (state != NULL && span_equal(span_str(state), SPAN_LIT("42501"))) {
		(void)snprintf(why, DATABASE_WHY_MAX, "the database role may "
		    "not do this; see role-add.sql");
		return DATABASE_REFUSED;
	}
	if (state != NULL)
		(void)snprintf(why, DATABASE_WHY_MAX,
		    "PostgreSQL refused the query, SQLSTATE %s", state);
	else if (process_clock() >= deadline)
		(void)snprintf(why, DATABASE_WHY_MAX,
		    "no answer within onecred_timeout");
	else
		one_line(PQerrorMessage(database->pg), why);
	return DATABASE_DOWN;
}

/* libpq complains on standard error about a password file it dislikes. */
static bool
is_passfile_good(const char *path)
{
	struct stat st;

	return path == NULL || stat(path, &st) != 0 ||
	    (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0);
}

static bool
handshake(PGconn *pg, int64_t deadline)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	for (;;) {
		/* NB: libpq may have gone on to another socket. */
		if (!wait_for(PQsocket(pg), status == PGRES_POLLING_READING ?
		    POLLIN : POLLOUT, deadline))
			return false;
		status = PQconnectPoll(pg);
		if (status == PGRES_POLLING_OK)
			return true;
		if (status == PGRES_POLLING_FAILED)
			return false;
	}
}

/* Asks a fresh connection whether its schema is one that we understand. */
static bool
greet(struct database *database, const struct plugin_options *options,
    int64_t deadline, char *why)
{
	char limit[16];
	const char *const values[] = { limit };
	PGconn *pg = database->pg;
	PGresult *result = NULL;
	bool ok = false;

	/* What we no longer wait for shall not go on in the server. */
	(void)snprintf(limit, sizeof(limit), "%d", options->timeout_ms);
	if (PQsendQueryParams(pg, sql_greet, 1, NULL, values, NULL, NULL,
	    0) == 1)
		result = await(pg, deadline);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		(void)judge_fault(database, result, deadline, why);
	else
		ok = sql_greeting_check(result, &database->careless, why);
	PQclear(result);
	return ok;
}

/* Connects to host number i. What fails is left to database_close(). */
static bool
connect_host(struct database *database, const struct plugin_options *options,
    size_t i, int64_t deadline, char *why)
{
	/* Later ones override: the user's may override what precedes. */
	const char *names[] = { "passfile", "gssencmode",
	    "fallback_application_name", "dbname", "client_encoding", NULL,
	    NULL, NULL, NULL };
	const char *values[] = { NO_PASSFILE, "disable", "onecred-sasl",
	    options->conninfo.text, "UTF8", NULL, NULL, NULL, NULL };
	static const char *const lists[CONNINFO_LISTS] = {
		"host", "hostaddr", "port"
	};
	char entries[CONNINFO_LISTS][ENTRY_MAX];
	size_t n = 5;

	for (unsigned int l = 0; options->conninfo.hosts > 1 &&
	    l < CONNINFO_LISTS; l++) {
		if (!conninfo_entry(&options->conninfo, (enum conninfo_list)l,
		    i, entries[l], sizeof(entries[l])))
			continue;
		names[n] = lists[l];
		values[n++] = entries[l];
	}
	database->pg = PQconnectStartParams(names, values, 1);
	if (database->pg == NULL) {
		(void)snprintf(why, DATABASE_WHY_MAX, "out of memory");
		return false;
	}
	(void)PQsetNoticeReceiver(database->pg, drop_notice, NULL);
	if (PQstatus(database->pg) == CONNECTION_BAD ||
	    !handshake(database->pg, deadline) ||
	    PQsetnonblocking(database->pg, 1) != 0) {
		(void)judge_fault(database, NULL, deadline, why);
		return false;
	}
	note_socket(database);
	return greet(database, options, deadline, why);
}

/*
 * Tries the hosts, beginning with the one that served last; each may take an
 * equal part of the time that is left.
 */
static bool
database_connect(struct database *database,
    const struct plugin_options *options, int64_t deadline, char *why)
{
	size_t hosts = options->conninfo.hosts;

	if (!is_passfile_good(options->conninfo.passfile)) {
		(void)snprintf(why, DATABASE_WHY_MAX, "the passfile of "
		    "onecred_conninfo must be a file of mode 0600");
		return false;
	}
	for (size_t left = hosts; left > 0; left--) {
		int64_t now = process_clock();

		if (connect_host(database, options, database->host, now +
		    (deadline - now) / (int64_t)left, why))
			return true;
		database_close(database);
		database->host = (database->host + 1) % hosts;
	}
	return false;
}

/* One go on a connection that is there. */
static enum database_outcome
attempt(struct database *database, enum database_query query, int count,
    const char *const *values, int64_t deadline, PGresult **out, char *why)
{
	const struct sql_query *q = &sql_queries[query];
	enum database_outcome outcome = DATABASE_DOWN;
	PGconn *pg = database->pg;
	PGresult *result = NULL;

	if (!database->prepared[query]) {
		if (PQsendPrepare(pg, q->name, q->text, 0, NULL) == 1)
			result = await(pg, deadline);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			goto fault;
		PQclear(result);
		result = NULL;
		database->prepared[query] = true;
	}
	if (PQsendQueryPrepared(pg, q->name, count, values, NULL, NULL,
	    0) == 1)
		result = await(pg, deadline);
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		*out = result;
		return DATABASE_ROWS;
	}
fault:
	outcome = judge_fault(database, result, deadline, why);
	PQclear(result);
	return outcome;
}

enum database_outcome
database_run(struct database *database, const struct plugin_options *options,
    enum database_query query, int count, const char *const *values,
    int64_t deadline, PGresult **result, char *why)
{
	enum database_outcome outcome = DATABASE_DOWN;
	bool fresh = false;

	*result = NULL;
	why[0] = '\0';
	if (database->pg == NULL && process_clock() < database->closed_until)
		return DATABASE_DOWN;
	while (!fresh) {
		fresh = database->pg == NULL;
		if (!fresh || database_connect(database, options, deadline,
		    why))
			outcome = attempt(database, query, count, values,
			    deadline, result, why);
		if (outcome != DATABASE_DOWN)
			return outcome;
		database_close(database);
		/* A kept connection may have died long ago: once more. */
		if (process_clock() >= deadline)
			break;
	}
	database->closed_until = process_clock() + HOLD_MS;
	return DATABASE_DOWN;
}
