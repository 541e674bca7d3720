/*
 * libpq with deadlines. PQexec() would wait for a server that has stopped
 * answering, and libpq's own connect_timeout counts in seconds and from two.
 * Must never repeat a piece of the connection string.
 */

#include "daemon/session.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/span.h"
#include "store/clock.h"
#include "store/conninfo.h"
#include "store/fault.h"

#define CONNINFO_MAX	4096

static void
ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

static void
fault_text(struct session *session, const char *text)
{
	session->state[0] = '\0';
	fault_one_line(text, session->text, sizeof(session->text));
}

static void
set_state(struct session *session, struct span state)
{
	if (span_copy_str(state, session->state, sizeof(session->state)) != 0)
		session->state[0] = '\0';
}

static bool
is_state(const char *at)
{
	for (size_t i = 0; i < SESSION_STATE_MAX - 1; i++)
		if ((at[i] < '0' || at[i] > '9') &&
		    (at[i] < 'A' || at[i] > 'Z'))
			return false;
	return at[SESSION_STATE_MAX - 1] == ':';
}

/*
 * libpq tells the SQLSTATE of a refused connection in its text alone, in
 * whatever language the server speaks: "FATAL:  28P01: text\nLOCATION: ...".
 */
static void
fault_of_connection(struct session *session)
{
	struct span all = span_str(PQerrorMessage(session->pg));
	char line[SESSION_TEXT_MAX];
	size_t at = 0;

	for (; at + SESSION_STATE_MAX + 3 < all.n; at++)
		if (all.p[at] == ':' && all.p[at + 1] == ' ' &&
		    all.p[at + 2] == ' ' &&
		    is_state((const char *)all.p + at + 3))
			break;
	if (at + SESSION_STATE_MAX + 3 >= all.n) {
		fault_text(session, PQerrorMessage(session->pg));
		return;
	}
	set_state(session, span_head(span_tail(all, at + 3),
	    SESSION_STATE_MAX - 1));
	all = span_trim(span_tail(all, at + 3 + SESSION_STATE_MAX));
	all = span_head(all, span_find(all, '\n'));
	if (span_copy_str(span_head(all, sizeof(line) - 1), line,
	    sizeof(line)) != 0)
		line[0] = '\0';
	fault_one_line(line, session->text, sizeof(session->text));
}

/* Waits for events on the connection until end; false: deadline, or lost. */
static bool
wait_for(struct session *session, short events, int64_t end)
{
	struct pollfd pfd = { .fd = PQsocket(session->pg), .events = events };
	int64_t left;
	int n;

	do {
		left = end - clock_ms();
		if (left <= 0 || pfd.fd < 0)
			break;
		n = poll(&pfd, 1, (int)left);
		if (n > 0)
			return true;
	} while (n == 0 || errno == EINTR);
	fault_text(session, "the server did not answer in time");
	return false;
}

static bool
connect_host(struct session *session, const struct conninfo *conninfo,
    const struct endpoint *host, unsigned int connect_ms)
{
	int64_t end = clock_ms() + connect_ms;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	session->pg = conninfo_connect(conninfo, host, 1);
	if (session->pg == NULL) {
		fault_text(session, "out of memory");
		return false;
	}
	(void)PQsetErrorVerbosity(session->pg, PQERRORS_VERBOSE);
	(void)PQsetNoticeReceiver(session->pg, ignore_notice, NULL);
	if (PQstatus(session->pg) == CONNECTION_BAD) {
		fault_of_connection(session);
		return false;
	}
	while (status != PGRES_POLLING_OK) {
		if (!wait_for(session, status == PGRES_POLLING_READING ?
		    POLLIN : POLLOUT, end))
			return false;
		status = PQconnectPoll(session->pg);
		if (status == PGRES_POLLING_FAILED) {
			fault_of_connection(session);
			return false;
		}
	}
	(void)PQsetErrorVerbosity(session->pg, PQERRORS_DEFAULT);
	return PQsetnonblocking(session->pg, 1) == 0;
}

bool
session_open(struct session *session, const char *conninfo,
    const char *application, unsigned int connect_ms, unsigned int ask_ms)
{
	struct span given = span_str(conninfo);
	struct session first = { .pg = NULL };
	const struct endpoint *hosts;
	struct conninfo *ci;
	char text[CONNINFO_MAX];
	const char *why;
	size_t count;
	bool ok = false;

	session->ask_ms = ask_ms;
	/* As psql takes it: a word by itself is the database. */
	if (given.n > 0 && span_find(given, '=') == given.n &&
	    span_find(given, '/') == given.n &&
	    span_find(given, '\'') == given.n &&
	    span_find(given, '\\') == given.n) {
		(void)snprintf(text, sizeof(text), "dbname='%s'", conninfo);
		conninfo = text;
	}
	ci = conninfo_new(conninfo, application, &why);
	if (ci == NULL) {
		fault_text(session, why);
		return false;
	}
	hosts = conninfo_hosts(ci, &count);
	for (size_t i = 0; i < count && !ok; i++) {
		session_close(session);
		ok = connect_host(session, ci, &hosts[i], connect_ms);
		if (!ok && i == 0)
			first = *session;
	}
	conninfo_free(&ci);
	if (!ok) {
		memcpy(session->state, first.state, sizeof(session->state));
		memcpy(session->text, first.text, sizeof(session->text));
	}
	return ok;
}

PGresult *
session_ask(struct session *session, const char *sql, int count,
    const char *const *values)
{
	int64_t end = clock_ms() + session->ask_ms;
	PGresult *result = NULL, *next;
	const char *state, *text;
	int left = 1;

	if (PQsendQueryParams(session->pg, sql, count, NULL, values, NULL,
	    NULL, 0) != 1)
		goto fault;
	while ((left = PQflush(session->pg)) > 0)
		if (!wait_for(session, POLLOUT, end))
			return NULL;
	if (left < 0)
		goto fault;
	for (;;) {
		while (PQisBusy(session->pg)) {
			if (!wait_for(session, POLLIN, end)) {
				PQclear(result);
				return NULL;
			}
			if (PQconsumeInput(session->pg) != 1)
				goto fault;
		}
		next = PQgetResult(session->pg);
		if (next == NULL)
			break;
		PQclear(result);
		result = next;
	}
	if (PQresultStatus(result) == PGRES_TUPLES_OK ||
	    PQresultStatus(result) == PGRES_COMMAND_OK)
		return result;
	if (result != NULL && PQresultErrorField(result,
	    PG_DIAG_SQLSTATE) != NULL) {
		state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		fault_text(session, text == NULL ? "" : text);
		set_state(session, span_str(state));
		PQclear(result);
		return NULL;
	}
fault:
	PQclear(result);
	fault_text(session, PQerrorMessage(session->pg));
	return NULL;
}

void
session_close(struct session *session)
{
	if (session->pg != NULL)
		PQfinish(session->pg);
	session->pg = NULL;
}
