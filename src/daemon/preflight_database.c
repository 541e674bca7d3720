/*
 * onecredd -t and the database: reachable, ours, of our release, and the role
 * one that may look up and that does not fill the server's log with digests
 * (DESIGN 3). Never prints the connection string.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/span.h"
#include "daemon/preflight.h"
#include "daemon/scripts.h"
#include "daemon/session.h"
#include "store/lookup_sql.h"

#define SKEW_MAX	30	/* seconds */

enum place_column {
	PLACE_DATABASE = 0, PLACE_ROLE, PLACE_ENCODING, PLACE_SCHEMA,
	PLACE_QUIET, PLACE_LIMITED, PLACE_CLOCK
};

/* Qualified, so that no search_path stands in the way. */
static const char place_sql[] =
    "SELECT pg_catalog.current_database(), session_user,"
    " pg_catalog.current_setting('server_encoding'),"
    " EXISTS (SELECT FROM pg_catalog.pg_namespace"
    " WHERE nspname = 'onecred'),"
    " pg_catalog.current_setting('log_parameter_max_length') = '0'"
    " AND pg_catalog.current_setting('log_parameter_max_length_on_error')"
    " = '0' AND pg_catalog.current_setting('log_min_error_statement')"
    " = 'panic',"
    " NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname ="
    " 'onecred_admin' AND pg_catalog.pg_has_role(session_user, oid,"
    " 'MEMBER')),"
    " pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp()))";

static const char schema_sql[] =
    "SELECT version, serves_programs_since FROM onecred.schema_version";

static const char domains_sql[] =
    "SELECT domain, digests FROM onecred.visible_domains()";

struct asking {
	struct preflight	*preflight;
	struct session		 session;
	char			 database[64];
	char			 role[64];
	char			 command[SCRIPTS_COMMAND_MAX];
};

static const char *
value(const PGresult *result, int column)
{
	return PQntuples(result) > 0 && !PQgetisnull(result, 0, column) ?
	    PQgetvalue(result, 0, column) : "";
}

static const char *
role_command(struct asking *a, const char *role, const char *domain,
    struct script_value password)
{
	const struct script_value values[] = {
		{ "role", role }, { "grant", "daemon" }, { "domain", domain },
		password, { NULL, NULL }
	};

	scripts_command(a->database[0] != '\0' ? a->database : "onecred",
	    "role-add", values, a->command, sizeof(a->command));
	return a->command;
}

/*
 * The command that gives our role what it needs. NB: it is there, so it keeps
 * its password, or goes on without one.
 */
static const char *
role_add(struct asking *a, const char *domain)
{
	return role_command(a, a->role, domain,
	    (struct script_value){ "keep_password", "yes" });
}

/*
 * The command that makes a role for us, one with a password only if conninfo
 * goes by password.
 */
static const char *
role_make(struct asking *a, const char *role)
{
	const char *password = a->session.pg == NULL ? NULL :
	    PQpass(a->session.pg);
	bool asks = password != NULL && password[0] != '\0';

	return role_command(a, role, "*", (struct script_value){
	    asks ? NULL : "password_file", asks ? NULL : "" });
}

static const char *
schema_load(struct asking *a)
{
	scripts_command(a->database[0] != '\0' ? a->database : "onecred",
	    "schema", NULL, a->command, sizeof(a->command));
	return a->command;
}

static bool
is_state(const struct asking *a, const char *state)
{
	return span_equal(span_str(a->session.state), span_str(state));
}

/* What mends a connection that was not made. */
static void
say_connect(struct asking *a)
{
	const char *before = "systemctl start postgresql, or correct conninfo",
	    *command = "";
	const PGconn *pg = a->session.pg;

	if (pg != NULL && PQuser(pg) != NULL && PQdb(pg) != NULL) {
		(void)snprintf(a->role, sizeof(a->role), "%s", PQuser(pg));
		(void)snprintf(a->database, sizeof(a->database), "%s",
		    PQdb(pg));
	}
	if (is_state(a, "3D000"))
		before = "createdb -E UTF8 -T template0 onecred";
	else if (is_state(a, "28P01")) {
		before = "correct the password in conninfo, or give the role "
		    "a new one: ";
		command = role_make(a, a->role);
	} else if (is_state(a, "28000")) {
		before = "a line for that role and this OS user in "
		    "pg_hba.conf or, if there is no such role, ";
		command = role_make(a, a->role);
	} else if (is_state(a, "53300"))
		before = "psql -c 'ALTER SYSTEM SET max_connections = 200' "
		    "and a restart of PostgreSQL";
	preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] conninfo: "
	    "no connection (%s): %s%s", a->session.text, before, command);
}

/* A question failed. */
static void
say_ask(struct asking *a, const char *what)
{
	if (is_state(a, "42501"))
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] the "
		    "role %s may not %s: %s", a->role, what,
		    role_add(a, "*"));
	else if (a->session.state[0] == '4' || a->session.state[0] == '3')
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] "
		    "cannot %s, the schema is missing or of another release "
		    "(SQLSTATE %s): %s", what, a->session.state,
		    schema_load(a));
	else
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] "
		    "cannot %s (%s): see the log of PostgreSQL", what,
		    a->session.text);
}

void
preflight_clock(int64_t ahead, char *out, size_t cap)
{
	if (ahead >= -SKEW_MAX && ahead <= SKEW_MAX) {
		out[0] = '\0';
		return;
	}
	(void)snprintf(out, cap, "the clock of this machine is %" PRIu64
	    " seconds %s that of the database: timedatectl set-ntp true, on "
	    "the one that is wrong",
	    (uint64_t)(ahead < 0 ? -ahead : ahead),
	    ahead < 0 ? "behind" : "ahead of");
}

/* False: nothing further to ask. */
static bool
check_place(struct asking *a)
{
	PGresult *result = session_ask(&a->session, place_sql, 0, NULL);
	char clock[256];
	bool ok;

	if (result == NULL) {
		say_ask(a, "ask the database");
		return false;
	}
	(void)snprintf(a->database, sizeof(a->database), "%s",
	    value(result, PLACE_DATABASE));
	(void)snprintf(a->role, sizeof(a->role), "%s",
	    value(result, PLACE_ROLE));
	ok = *value(result, PLACE_SCHEMA) == 't';
	if (!span_equal(span_str(value(result, PLACE_ENCODING)),
	    SPAN_LIT("UTF8")))
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] the "
		    "database %s has the encoding %s, and onecred needs "
		    "UTF8: createdb -E UTF8 -T template0 onecred",
		    a->database, value(result, PLACE_ENCODING));
	else if (!ok)
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] the "
		    "database %s has no onecred schema: %s", a->database,
		    schema_load(a));
	if (*value(result, PLACE_LIMITED) != 't')
		preflight_say(a->preflight, PREFLIGHT_WARNING, "[database] "
		    "the role %s is an administrator's, whom nothing limits; "
		    "make one for the daemon: %s", a->role, role_make(a,
		    "onecred"));
	else if (ok && *value(result, PLACE_QUIET) != 't')
		preflight_say(a->preflight, PREFLIGHT_WARNING, "[database] "
		    "the role %s lets the server log what it is sent, "
		    "digests among it: as a superuser, %s", a->role,
		    role_add(a, "*"));
	preflight_clock((int64_t)time(NULL) - strtoll(value(result,
	    PLACE_CLOCK), NULL, 10), clock, sizeof(clock));
	if (clock[0] != '\0')
		preflight_say(a->preflight, PREFLIGHT_WARNING, "%s", clock);
	PQclear(result);
	return ok;
}

static bool
check_schema(struct asking *a)
{
	PGresult *result = session_ask(&a->session, schema_sql, 0, NULL);
	long version, since;

	if (result == NULL) {
		say_ask(a, "read the schema's version");
		return false;
	}
	version = strtol(value(result, 0), NULL, 10);
	since = strtol(value(result, 1), NULL, 10);
	PQclear(result);
	if (version < SCHEMA_MIN)
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] the "
		    "schema has version %ld, and this program needs %d: %s",
		    version, SCHEMA_MIN, schema_load(a));
	else if (since > SCHEMA_MAX)
		preflight_say(a->preflight, PREFLIGHT_ERROR, "[database] the "
		    "schema (version %ld) serves programs since %ld, and "
		    "this one is of %d: upgrade onecred on this machine",
		    version, since, SCHEMA_MAX);
	else
		return true;
	return false;
}

/* The lookup of nobody, as the daemon does it at each connect. */
static bool
check_lookup(struct asking *a)
{
	const char *const nobody[] = { NULL, "", NULL };
	const char *const nobodies[] = { "{NULL}", "{\"\"}", "{NULL}" };
	PGresult *one, *many;

	one = session_ask(&a->session, lookup_sql, 3, nobody);
	if (one == NULL) {
		say_ask(a, "look up accounts");
		return false;
	}
	PQclear(one);
	many = session_ask(&a->session, lookup_many_sql, 3, nobodies);
	if (many == NULL) {
		say_ask(a, "look up accounts");
		return false;
	}
	PQclear(many);
	return true;
}

static void
check_listed(struct asking *a, const PGresult *domains, const char *section,
    const struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct span name = span_str(list->words[i]);
		bool seen = false;

		for (int j = 0; j < PQntuples(domains); j++)
			seen = seen || span_equal(name,
			    span_str(PQgetvalue(domains, j, 0)));
		if (!seen)
			preflight_say(a->preflight, PREFLIGHT_WARNING,
			    "[%s] domains: %s is not in the database, or the "
			    "role %s may not see it: domain-add.sql, then %s",
			    section, list->words[i], a->role,
			    role_add(a, list->words[i]));
	}
}

/* Which domains this role sees, and whether their digests can be opened. */
static void
check_domains(struct asking *a)
{
	PGresult *result = session_ask(&a->session, domains_sql, 0, NULL);
	const struct config *config = a->preflight->config;
	char section[96];

	if (result == NULL && (is_state(a, "42883") || is_state(a, "42501"))) {
		preflight_say(a->preflight, PREFLIGHT_WARNING, "[database] "
		    "the schema is of an older release, which cannot tell "
		    "which domains the role %s sees: %s", a->role,
		    schema_load(a));
		return;
	}
	if (result == NULL) {
		say_ask(a, "list the domains");
		return;
	}
	if (PQntuples(result) == 0)
		preflight_say(a->preflight, PREFLIGHT_WARNING, "[database] "
		    "the role %s sees no domain at all: domain-add.sql, then "
		    "%s", a->role, role_add(a, "*"));
	for (int i = 0; i < PQntuples(result); i++)
		if (config->seal.keys.count == 0 && span_equal(
		    span_str(PQgetvalue(result, i, 1)), SPAN_LIT("sealed")))
			preflight_say(a->preflight, PREFLIGHT_WARNING,
			    "the digests of %s are sealed, and there is no "
			    "key: add a section [seal] with key_file to %s",
			    PQgetvalue(result, i, 0), config->path);
	check_listed(a, result, "extauth", &config->extauth.domains);
	check_listed(a, result, "saslauthd", &config->saslauthd.domains);
	check_listed(a, result, "http", &config->http.domains);
	for (size_t i = 0; i < config->dovecot_count; i++) {
		const struct word_list domain = {
			&config->dovecots[i].domain, 1
		};

		(void)snprintf(section, sizeof(section), "dovecot %s",
		    config->dovecots[i].listener.head.name);
		check_listed(a, result, section, &domain);
	}
	for (size_t i = 0; i < config->client_count; i++) {
		(void)snprintf(section, sizeof(section), "radius-client %s",
		    config->clients[i].head.name);
		check_listed(a, result, section,
		    &config->clients[i].domains);
	}
	for (size_t i = 0; i < config->http_section_count; i++) {
		(void)snprintf(section, sizeof(section), "http-client %s",
		    config->http_sections[i].head.name);
		check_listed(a, result, section,
		    &config->http_sections[i].domains);
	}
	PQclear(result);
}

void
preflight_database(struct preflight *preflight)
{
	const struct config_database *database = &preflight->config->database;
	struct asking a = { .preflight = preflight };

	if (!session_open(&a.session, database->conninfo, "onecredd -t",
	    database->connect_timeout, database->lookup_timeout))
		say_connect(&a);
	else if (check_place(&a) && check_schema(&a) && check_lookup(&a))
		check_domains(&a);
	session_close(&a.session);
}
