/*
 * The plugin's half of sql/schema/access.sql. Everything that comes back is
 * checked for its shape, so that a schema that was changed by hand leads to
 * SASL_UNAVAIL and to nothing worse.
 */

#include "plugin_sql.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/rbuf.h"
#include "core/span.h"

/* Range of schema versions this plugin works with. */
#define SCHEMA_MIN	1
#define SCHEMA_MAX	1

const struct sql_query sql_queries[QUERY_COUNT] = {
	[QUERY_LOOKUP] = { "onecred_lookup",
	    "SELECT onecred.lookup($1::text, $2::text, $3::text)" },
	[QUERY_ACCOUNT_GET] = { "onecred_account_get",
	    "SELECT found, version, ha1_origin, complete, scram_sha_1,"
	    " scram_sha_256, scram_sha_512, iterations, store_md5,"
	    " store_sha_256, store_sha_512_256, digests, non_ascii, realms"
	    " FROM onecred.account_get($1::text, $2::text)" },
	[QUERY_ACCOUNT_SET] = { "onecred_account_set",
	    "SELECT onecred.account_set($1::text, $2::text, 'set',"
	    " $3::text[], $4::text[], $5::text[], $6::text[], 'all',"
	    " $7::bigint)" },
	[QUERY_ACCOUNT_DELETE] = { "onecred_account_delete",
	    "SELECT onecred.account_delete($1::text, $2::text)" }
};

/* Fields of its packed answer; an empty field is NULL. */
enum lookup_field {
	LOOKUP_DOMAIN = 0,
	LOOKUP_DIGESTS,			/* plain, sealed, none */
	LOOKUP_STORES,
	LOOKUP_DIGEST_MD5,		/* t, f */
	LOOKUP_ITERATIONS,
	LOOKUP_REALM,			/* the home realm */
	LOOKUP_FOUND,
	LOOKUP_ENABLED,
	LOOKUP_VERIFIER,
	LOOKUP_FAKE_ITERATIONS,
	LOOKUP_FAKE_SALT,
	LOOKUP_SEED,
	LOOKUP_FIELDS
};

#define FIELD_MAX	1024	/* octets; above every column's own limit */

enum account_column {
	ACCOUNT_FOUND = 0,
	ACCOUNT_VERSION,
	ACCOUNT_HA1_ORIGIN,
	ACCOUNT_COMPLETE,
	ACCOUNT_SCRAM_SHA_1,
	ACCOUNT_SCRAM_SHA_256,
	ACCOUNT_SCRAM_SHA_512,
	ACCOUNT_ITERATIONS,
	ACCOUNT_STORE_MD5,
	ACCOUNT_STORE_SHA_256,
	ACCOUNT_STORE_SHA_512_256,
	ACCOUNT_DIGESTS,
	ACCOUNT_NON_ASCII,
	ACCOUNT_REALMS,
	ACCOUNT_COLUMNS
};

const char sql_greet[] =
    "SELECT version, serves_programs_since,"
    " current_setting('log_parameter_max_length') = '0'"
    " AND current_setting('log_parameter_max_length_on_error') = '0'"
    " AND current_setting('log_min_error_statement') = 'panic',"
    " set_config('statement_timeout', $1::text, false)"
    " FROM onecred.schema_range()";

static struct span
field(const PGresult *result, int column)
{
	if (PQgetisnull(result, 0, column))
		return SPAN_EMPTY;
	return span_mem(PQgetvalue(result, 0, column),
	    (size_t)PQgetlength(result, 0, column));
}

static bool
is_yes(struct span text)
{
	return span_equal(text, SPAN_LIT("t"));
}

static bool
is_true(const PGresult *result, int column)
{
	return is_yes(field(result, column));
}

/* Digits only, and few enough for an int. */
static bool
number(struct span text, int *out)
{
	int n = 0;

	if (text.n == 0 || text.n > 9)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (text.p[i] - '0');
	}
	*out = n;
	return true;
}

bool
sql_greeting_check(const PGresult *result, bool *careless, char *why)
{
	int version, since;

	if (PQntuples(result) != 1 || PQnfields(result) != 4 ||
	    !number(field(result, 0), &version) ||
	    !number(field(result, 1), &since)) {
		(void)snprintf(why, DATABASE_WHY_MAX, "the onecred schema is "
		    "unreadable; run sql/schema.sql");
		return false;
	}
	*careless = !is_true(result, 2);
	/* A newer schema may still serve this plugin, and says so. */
	if (version >= SCHEMA_MIN && since <= SCHEMA_MAX)
		return true;
	(void)snprintf(why, DATABASE_WHY_MAX, "the onecred schema has version "
	    "%d and serves programs since %d, this plugin needs %d to %d",
	    version, since, SCHEMA_MIN, SCHEMA_MAX);
	return false;
}

static bool
split(struct span packed, struct span *fields)
{
	struct rbuf rb;
	size_t i;

	rbuf_init(&rb, packed.p, packed.n);
	for (i = 0; i + 1 < LOOKUP_FIELDS; i++)
		fields[i] = rbuf_until(&rb, '\t', FIELD_MAX);
	fields[i] = rbuf_rest(&rb, FIELD_MAX);
	return rbuf_done(&rb);
}

int
sql_read_lookup(const PGresult *result, const struct account *account,
    enum scram_mech mech, struct credential *credential)
{
	int iterations, fake_iterations, fake_salt;
	struct span fields[LOOKUP_FIELDS];

	memset(credential, 0, sizeof(*credential));
	if (PQntuples(result) != 1 || PQnfields(result) != 1)
		return -ERR_FORMAT;
	if (PQgetisnull(result, 0, 0))
		return -ERR_UNSUPPORTED;
	if (!split(field(result, 0), fields) ||
	    !number(fields[LOOKUP_ITERATIONS], &iterations) ||
	    !number(fields[LOOKUP_FAKE_ITERATIONS], &fake_iterations) ||
	    !number(fields[LOOKUP_FAKE_SALT], &fake_salt) ||
	    span_copy_str(fields[LOOKUP_REALM], credential->realm,
	    sizeof(credential->realm)) != 0 ||
	    hex_decode(fields[LOOKUP_SEED], credential->seed,
	    sizeof(credential->seed)) != 0)
		return -ERR_FORMAT;
	credential->account = *account;
	credential->domain_known = true;
	credential->found = is_yes(fields[LOOKUP_FOUND]);
	credential->enabled = is_yes(fields[LOOKUP_ENABLED]);
	credential->policy.iterations = (uint32_t)iterations;
	credential->policy.digest_md5 = is_yes(fields[LOOKUP_DIGEST_MD5]);
	credential->policy.digests_sealed =
	    span_equal(fields[LOOKUP_DIGESTS], SPAN_LIT("sealed"));
	credential->fake_iterations = (uint32_t)fake_iterations;
	credential->fake_salt_n = (uint32_t)fake_salt;
	if (mech != SCRAM_NONE)
		credential_set_scram(credential, mech,
		    fields[LOOKUP_VERIFIER]);
	else
		credential_set_ha1(credential, DIGEST_MD5, FORM_LOCAL,
		    fields[LOOKUP_VERIFIER]);
	return 0;
}

int
sql_read_account(const PGresult *result, const struct account *account,
    struct sql_account *row)
{
	struct credential *credential = &row->credential;
	struct domain_policy *policy = &credential->policy;
	struct span digests;
	int iterations;

	memset(row, 0, sizeof(*row));
	if (PQntuples(result) != 1 || PQnfields(result) != ACCOUNT_COLUMNS ||
	    !number(field(result, ACCOUNT_ITERATIONS), &iterations) ||
	    span_copy_str(field(result, ACCOUNT_VERSION), row->version,
	    sizeof(row->version)) != 0)
		return -ERR_FORMAT;
	credential->account = *account;
	credential->domain_known = true;
	credential->found = is_true(result, ACCOUNT_FOUND);
	credential->ha1_origin =
	    ha1_origin_parse(field(result, ACCOUNT_HA1_ORIGIN));
	policy->iterations = (uint32_t)iterations;
	policy->stores[DIGEST_MD5] = is_true(result, ACCOUNT_STORE_MD5);
	policy->stores[DIGEST_SHA_256] =
	    is_true(result, ACCOUNT_STORE_SHA_256);
	policy->stores[DIGEST_SHA_512_256] =
	    is_true(result, ACCOUNT_STORE_SHA_512_256);
	digests = field(result, ACCOUNT_DIGESTS);
	policy->digests_none = span_equal(digests, SPAN_LIT("none"));
	policy->digests_sealed = span_equal(digests, SPAN_LIT("sealed"));
	if (!policy->digests_none && !policy->digests_sealed &&
	    !span_equal(digests, SPAN_LIT("plain")))
		return -ERR_FORMAT;
	credential_set_scram(credential, SCRAM_SHA_1,
	    field(result, ACCOUNT_SCRAM_SHA_1));
	credential_set_scram(credential, SCRAM_SHA_256,
	    field(result, ACCOUNT_SCRAM_SHA_256));
	credential_set_scram(credential, SCRAM_SHA_512,
	    field(result, ACCOUNT_SCRAM_SHA_512));
	row->complete = is_true(result, ACCOUNT_COMPLETE);
	row->non_ascii = is_true(result, ACCOUNT_NON_ASCII);
	row->realms = field(result, ACCOUNT_REALMS);
	return 0;
}
