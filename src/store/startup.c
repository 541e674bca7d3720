/*
 * The questions asked on each fresh connection (DESIGN 3): is the schema one
 * that these programs can work with, and does the role keep bind parameters
 * (names) and results' owners out of the server's log.
 */

#include "store/startup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/span.h"
#include "store/fault.h"
#include "store/lookup_sql.h"

enum step {
	STEP_SCHEMA = 0,
	STEP_LOGGING,
	STEP_PREPARE,
	STEP_TRY,
	STEP_PREPARE_MANY,
	STEP_TRY_MANY,
	STEP_COUNT
};

static const char schema_sql[] =
    "SELECT version, serves_programs_since FROM onecred.schema_version"
    " ORDER BY version DESC LIMIT 1";

/* As sql/role-add.sql sets them. */
static const char logging_sql[] =
    "SELECT current_setting('log_parameter_max_length') = '0'"
    " AND current_setting('log_parameter_max_length_on_error') = '0'"
    " AND current_setting('log_min_error_statement') = 'panic'";

int
startup_send(PGconn *pg)
{
	/* No such account anywhere: it only proves that the query runs. */
	const char *const nobody[] = { NULL, "", NULL };
	const char *const nobodies[] = { "{NULL}", "{\"\"}", "{NULL}" };

	if (PQsendQueryParams(pg, schema_sql, 0, NULL, NULL, NULL, NULL,
	    0) != 1 ||
	    PQsendQueryParams(pg, logging_sql, 0, NULL, NULL, NULL, NULL,
	    0) != 1 ||
	    PQsendPrepare(pg, LOOKUP_NAME, lookup_sql, 0, NULL) != 1 ||
	    PQsendQueryPrepared(pg, LOOKUP_NAME, 3, nobody, NULL, NULL,
	    0) != 1 ||
	    PQsendPrepare(pg, LOOKUP_MANY_NAME, lookup_many_sql, 0,
	    NULL) != 1 ||
	    PQsendQueryPrepared(pg, LOOKUP_MANY_NAME, 3, nobodies, NULL, NULL,
	    0) != 1)
		return -ERR_SYSTEM;
	return 0;
}

static bool
number(const PGresult *result, int column, long *out)
{
	char *end;

	if (PQgetisnull(result, 0, column))
		return false;
	errno = 0;
	*out = strtol(PQgetvalue(result, 0, column), &end, 10);
	return errno == 0 && *end == '\0' &&
	    end != PQgetvalue(result, 0, column);
}

static void
check_schema(struct startup *s, const PGresult *result)
{
	long version, since;

	if (PQntuples(result) != 1 || PQnfields(result) != 2 ||
	    !number(result, 0, &version) || !number(result, 1, &since)) {
		s->failed = true;
		(void)snprintf(s->why, sizeof(s->why), "onecred.schema_version"
		    " is unreadable; run sql/schema.sql");
		return;
	}
	/* A newer schema may still serve these programs, and says so. */
	if (version >= SCHEMA_MIN && since <= SCHEMA_MAX)
		return;
	s->failed = true;
	(void)snprintf(s->why, sizeof(s->why), "the schema has version %ld "
	    "and serves programs since %ld, this program needs %d to %d; %s",
	    version, since, SCHEMA_MIN, SCHEMA_MAX, version < SCHEMA_MIN ?
	    "run the newer sql/schema.sql" : "upgrade this program");
}

/* What to do about it, for the faults of installation. */
static const char *
advice(const char *state)
{
	struct span s = span_str(state);

	if (span_equal(s, SPAN_LIT("42P01")) ||
	    span_equal(s, SPAN_LIT("42703")) ||
	    span_equal(s, SPAN_LIT("42883")) ||
	    span_equal(s, SPAN_LIT("3F000")))
		return "the onecred schema is missing or of another version; "
		    "run sql/schema.sql";
	if (span_equal(s, SPAN_LIT("42501")))
		return "this role may not read it; run sql/role-add.sql "
		    "with grant=daemon";
	return "the server refused";
}

void
startup_take(struct startup *startup, const PGconn *pg,
    const PGresult *result)
{
	static const char *const names[STEP_COUNT] = {
		"reading the schema's version", "reading log settings",
		"preparing the lookup", "trying the lookup",
		"preparing the lookup of many", "trying the lookup of many"
	};
	static const ExecStatusType expected[STEP_COUNT] = {
		PGRES_TUPLES_OK, PGRES_TUPLES_OK, PGRES_COMMAND_OK,
		PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_TUPLES_OK
	};
	enum step step = (enum step)startup->step++;
	const char *state;

	/* After the first fault the server skips the rest. */
	if (startup->failed || step >= STEP_COUNT)
		return;
	if (PQresultStatus(result) != expected[step]) {
		startup->failed = true;
		state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		if (state != NULL) {
			(void)snprintf(startup->why, sizeof(startup->why),
			    "%s failed (SQLSTATE %s): %s", names[step], state,
			    advice(state));
			return;
		}
		fault_one_line(PQerrorMessage(pg), startup->why,
		    sizeof(startup->why));
		return;
	}
	switch (step) {
	case STEP_SCHEMA:
		check_schema(startup, result);
		break;
	case STEP_LOGGING:
		startup->parameters_logged = PQntuples(result) != 1 ||
		    PQgetisnull(result, 0, 0) ||
		    *PQgetvalue(result, 0, 0) != 't';
		break;
	case STEP_TRY:
	case STEP_TRY_MANY:
		if (PQnfields(result) == 1 && PQntuples(result) == 1 &&
		    PQgetisnull(result, 0, 0))
			break;
		startup->failed = true;
		(void)snprintf(startup->why, sizeof(startup->why),
		    "the lookup of nobody finds somebody");
		break;
	case STEP_PREPARE:
	case STEP_PREPARE_MANY:
	case STEP_COUNT:
		break;
	}
}

bool
startup_done(const struct startup *startup)
{
	return startup->step >= STEP_COUNT;
}
