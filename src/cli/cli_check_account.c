/*
 * The rows of one account, out of the database, by the daemon's own lookup.
 * Only names are sent; what comes back holds verifiers and is wiped. A fault
 * becomes one sentence with the command that mends it.
 */

#include "cli/cli_check_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "core/span.h"
#include "daemon/scripts.h"
#include "store/lookup_sql.h"
#include "store/row.h"
#include "store/xalloc.h"

#define CONNECT_MS	5000
#define ASK_MS		5000

static const char begin_sql[] =
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";

/* Names that could stand in the way (search_path) are qualified. */
static const char place_sql[] =
    "SELECT pg_catalog.current_database(), session_user,"
    " EXISTS (SELECT FROM pg_catalog.pg_namespace"
    " WHERE nspname = 'onecred'),"
    " EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname ="
    " 'onecred_admin' AND pg_catalog.pg_has_role(session_user, oid,"
    " 'MEMBER'))";

static const char schema_sql[] =
    "SELECT version, serves_programs_since FROM onecred.schema_version";

static const char domain_sql[] =
    "SELECT localpart_rule FROM onecred.domain WHERE domain = $1";

static const char realms_sql[] =
    "SELECT realm, home FROM onecred.realm WHERE domain = $1"
    " ORDER BY home DESC, realm";

static const char unknown_sql[] =
    "SELECT (SELECT domain FROM onecred.realm"
    " WHERE lower(realm) = lower($1)),"
    " (SELECT string_agg(domain, ', ') FROM"
    " (SELECT domain FROM onecred.domain ORDER BY domain LIMIT 8) AS d)";

/* One load under way. */
struct load {
	struct check_account	*account;
	struct check_fault	*fault;
	struct session		 session;
};

static void
script(const struct load *load, const char *name, const char *variable,
    const char *value)
{
	const struct script_value values[] = {
		{ variable, value }, { NULL, NULL }
	};

	scripts_command(load->account->database, name, values,
	    load->fault->command, sizeof(load->fault->command));
}

static bool
is_state(const struct load *load, const char *state)
{
	return span_equal(span_str(load->session.state), span_str(state));
}

static bool
fail_connect(struct load *load)
{
	struct check_fault *fault = load->fault;

	(void)snprintf(fault->text, sizeof(fault->text),
	    "the database cannot be reached: %s", load->session.text);
	if (is_state(load, "3D000"))
		(void)snprintf(fault->command, sizeof(fault->command),
		    "createdb -E UTF8 -T template0 onecred");
	else if (is_state(load, "28000") || is_state(load, "28P01"))
		(void)snprintf(fault->command, sizeof(fault->command),
		    "onecred check -d 'dbname=onecred user=ADMINISTRATOR' "
		    "ACCOUNT");
	else if (load->session.state[0] == '\0')
		(void)snprintf(fault->command, sizeof(fault->command),
		    "systemctl start postgresql");
	return false;
}

static bool
fail_ask(struct load *load)
{
	struct check_fault *fault = load->fault;

	(void)snprintf(fault->text, sizeof(fault->text),
	    "the database did not answer: %s%s%s", load->session.text,
	    load->session.state[0] == '\0' ? "" : ", SQLSTATE ",
	    load->session.state);
	if (load->session.state[0] == '4') {
		(void)snprintf(fault->text, sizeof(fault->text),
		    "the onecred schema of this database is damaged or of "
		    "another release (SQLSTATE %s)", load->session.state);
		script(load, "schema", NULL, NULL);
	}
	return false;
}

static const char *
value(const PGresult *result, int column)
{
	return PQntuples(result) > 0 && !PQgetisnull(result, 0, column) ?
	    PQgetvalue(result, 0, column) : "";
}

/* Is this a database of ours, and may we look. */
static bool
check_place(struct load *load)
{
	PGresult *result = session_ask(&load->session, place_sql, 0, NULL);
	struct check_fault *fault = load->fault;

	if (result == NULL)
		return fail_ask(load);
	(void)snprintf(load->account->database,
	    sizeof(load->account->database), "%s", value(result, 0));
	if (*value(result, 2) != 't') {
		(void)snprintf(fault->text, sizeof(fault->text),
		    "the database %s has no onecred schema",
		    load->account->database);
		script(load, "schema", NULL, NULL);
	} else if (*value(result, 3) != 't') {
		const struct script_value values[] = {
			{ "role", value(result, 1) }, { "grant", "admin" },
			{ "keep_password", "yes" }, { NULL, NULL }
		};

		(void)snprintf(fault->text, sizeof(fault->text),
		    "the role %s is not an administrator of onecred",
		    value(result, 1));
		scripts_command(load->account->database, "role-add", values,
		    fault->command, sizeof(fault->command));
	}
	PQclear(result);
	return fault->text[0] == '\0';
}

static bool
check_schema(struct load *load)
{
	PGresult *result = session_ask(&load->session, schema_sql, 0, NULL);
	struct check_fault *fault = load->fault;
	long version, since;

	if (result == NULL)
		return fail_ask(load);
	version = strtol(value(result, 0), NULL, 10);
	since = strtol(value(result, 1), NULL, 10);
	PQclear(result);
	if (version < SCHEMA_MIN) {
		(void)snprintf(fault->text, sizeof(fault->text),
		    "the schema has version %ld, this program needs %d",
		    version, SCHEMA_MIN);
		script(load, "schema", NULL, NULL);
		return false;
	}
	if (since > SCHEMA_MAX) {
		(void)snprintf(fault->text, sizeof(fault->text),
		    "the schema (version %ld) serves programs since %ld, "
		    "this one is of %d: upgrade this program", version, since,
		    SCHEMA_MAX);
		return false;
	}
	return true;
}

/* The account's row with the HA1s of one realm. */
static bool
load_row(struct load *load, const char *realm, struct credential *row)
{
	const struct account *account = &load->account->presented.account;
	const char *const values[] = {
		account->domain, account->localpart, realm
	};
	PGresult *result = session_ask(&load->session, lookup_sql, 3, values);
	const char *column = NULL;
	enum store_status status;

	if (result == NULL)
		return fail_ask(load);
	status = row_read(result, 0, span_str(account->domain),
	    span_str(account->localpart), row, &column);
	/* The packed text holds verifiers. */
	if (PQntuples(result) == 1 && PQnfields(result) == 1)
		secret_wipe(PQgetvalue(result, 0, 0),
		    (size_t)PQgetlength(result, 0, 0));
	PQclear(result);
	if (status == STORE_OK)
		return true;
	(void)snprintf(load->fault->text, sizeof(load->fault->text),
	    "the account's row cannot be read%s%s", column == NULL ?
	    ": the domain is not ready for lookups" : ", column ",
	    column == NULL ? "" : column);
	script(load, "schema", NULL, NULL);
	return false;
}

static bool
load_realms(struct load *load)
{
	struct check_account *account = load->account;
	const char *const domain[] = { account->presented.account.domain };
	PGresult *result = session_ask(&load->session, realms_sql, 1, domain);
	bool ok = true;
	size_t count;

	if (result == NULL)
		return fail_ask(load);
	count = (size_t)PQntuples(result);
	account->realms_cut = count > CHECK_REALMS_MAX;
	if (account->realms_cut)
		count = CHECK_REALMS_MAX;
	account->realms = xcalloc(count + 1, sizeof(*account->realms));
	for (size_t i = 0; ok && i < count; i++) {
		account->realms[i].home = *PQgetvalue(result, (int)i, 1) ==
		    't';
		account->realm_count = i + 1;
		ok = load_row(load, PQgetvalue(result, (int)i, 0),
		    &account->realms[i].row);
	}
	PQclear(result);
	if (ok && count == 0) {
		(void)snprintf(load->fault->text, sizeof(load->fault->text),
		    "the domain has no realm at all");
		script(load, "schema", NULL, NULL);
		return false;
	}
	return ok;
}

static bool
load_unknown(struct load *load)
{
	struct check_account *account = load->account;
	const char *const domain[] = { account->presented.account.domain };
	PGresult *result = session_ask(&load->session, unknown_sql, 1,
	    domain);

	if (result == NULL)
		return fail_ask(load);
	(void)snprintf(account->realm_of, sizeof(account->realm_of), "%s",
	    value(result, 0));
	(void)snprintf(account->domains, sizeof(account->domains), "%s",
	    value(result, 1));
	PQclear(result);
	return true;
}

static bool
load_domain(struct load *load)
{
	struct check_account *account = load->account;
	const struct account *name = &account->presented.account;
	const char *const domain[] = { name->domain };
	PGresult *result = session_ask(&load->session, domain_sql, 1, domain);

	if (result == NULL)
		return fail_ask(load);
	account->domain_known = PQntuples(result) == 1;
	account->name_allowed = identity_check_localpart(
	    span_str(name->localpart), span_equal(span_str(value(result, 0)),
	    SPAN_LIT("wide")) ? IDENTITY_WIDE : IDENTITY_STRICT) == 0;
	PQclear(result);
	return account->domain_known ? load_realms(load) :
	    load_unknown(load);
}

static bool
begin(struct load *load)
{
	PGresult *result = session_ask(&load->session, begin_sql, 0, NULL);

	if (result == NULL)
		return fail_ask(load);
	PQclear(result);
	return true;
}

bool
check_account_load(struct check_account *account, const char *conninfo,
    struct check_fault *fault)
{
	struct load load = { .account = account, .fault = fault };
	bool ok;

	memset(fault, 0, sizeof(*fault));
	if (!session_open(&load.session, conninfo, "onecred", CONNECT_MS,
	    ASK_MS))
		ok = fail_connect(&load);
	else
		ok = check_place(&load) && check_schema(&load) &&
		    begin(&load) && load_domain(&load);
	session_close(&load.session);
	return ok;
}

void
check_account_name(const struct account *account, enum name_form form,
    char *out)
{
	(void)snprintf(out, CHECK_NAME_MAX, "%s%s%s", account->localpart,
	    form == FORM_FULL ? "@" : "",
	    form == FORM_FULL ? account->domain : "");
}

void
check_account_free(struct check_account *account)
{
	for (size_t i = 0; i < account->realm_count; i++)
		credential_wipe(&account->realms[i].row);
	free(account->realms);
	account->realms = NULL;
	account->realm_count = 0;
}
