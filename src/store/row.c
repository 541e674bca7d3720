/*
 * Result of the lookup query to struct credential. Every field is checked:
 * what is missing or malformed makes the row unusable, never a default that
 * might let somebody in. The verifiers' text alone is passed on as it is;
 * verify.c judges it. Must never log a value.
 */

#include "store/row.h"

#include <string.h>

#include "core/hex.h"
#include "store/lookup_sql.h"

#define SEED_HEX	(2 * CREDENTIAL_SEED_SIZE)
#define STORES_ALL	7	/* bits of LOOKUP_STORES */

static const char *const field_names[LOOKUP_FIELDS] = {
	[LOOKUP_DOMAIN] = "domain",
	[LOOKUP_DIGESTS] = "digests",
	[LOOKUP_STORES] = "stores",
	[LOOKUP_DIGEST_MD5] = "digest_md5",
	[LOOKUP_ITERATIONS] = "iterations",
	[LOOKUP_REALM] = "realm",
	[LOOKUP_FOUND] = "found",
	[LOOKUP_ENABLED] = "enabled",
	[LOOKUP_VERSION] = "version",
	[LOOKUP_HA1_ORIGIN] = "ha1_origin",
	[LOOKUP_SCRAM_SHA_1] = "scram_sha_1",
	[LOOKUP_SCRAM_SHA_256] = "scram_sha_256",
	[LOOKUP_SCRAM_SHA_512] = "scram_sha_512",
	[LOOKUP_HA1_MD5] = "ha1_md5",
	[LOOKUP_HA1_SHA_256] = "ha1_sha_256",
	[LOOKUP_HA1_SHA_512_256] = "ha1_sha_512_256",
	[LOOKUP_HA1B_MD5] = "ha1b_md5",
	[LOOKUP_HA1B_SHA_256] = "ha1b_sha_256",
	[LOOKUP_HA1B_SHA_512_256] = "ha1b_sha_512_256",
	[LOOKUP_FAKE_ITERATIONS] = "fake_iterations",
	[LOOKUP_FAKE_SALT_N] = "fake_salt_n",
	[LOOKUP_SEED] = "seed",
	[LOOKUP_NAME_KEY] = "name_key"
};

/* The one row, read in order; the first bad field is remembered. */
struct row {
	struct span	 fields[LOOKUP_FIELDS];
	const char	*bad;
};

static void
row_fail(struct row *row, enum lookup_column column)
{
	if (row->bad == NULL)
		row->bad = field_names[column];
}

static bool
row_bool(struct row *row, enum lookup_column column)
{
	struct span text = row->fields[column];

	if (span_equal(text, SPAN_LIT("t")))
		return true;
	if (!span_equal(text, SPAN_LIT("f")))
		row_fail(row, column);
	return false;
}

/* Decimal digits only. */
static uint64_t
row_number(struct row *row, enum lookup_column column, uint64_t max)
{
	struct span text = row->fields[column];
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < text.n; i++) {
		unsigned int digit = text.p[i] - (unsigned int)'0';

		if (text.p[i] < '0' || digit > 9 || digit > max ||
		    value > (max - digit) / 10)
			break;
		value = value * 10 + digit;
	}
	if (text.n > 0 && i == text.n)
		return value;
	row_fail(row, column);
	return 0;
}

static void
row_string(struct row *row, enum lookup_column column, char *out, size_t cap)
{
	struct span text = row->fields[column];

	if (text.n == 0 || span_copy_str(text, out, cap) != 0)
		row_fail(row, column);
}

static void
read_policy(struct row *row, struct credential *out)
{
	struct domain_policy *policy = &out->policy;
	struct span digests = row->fields[LOOKUP_DIGESTS];
	uint64_t stores;

	policy->digests_none = span_equal(digests, SPAN_LIT("none"));
	policy->digests_sealed = span_equal(digests, SPAN_LIT("sealed"));
	if (!policy->digests_none && !policy->digests_sealed &&
	    !span_equal(digests, SPAN_LIT("plain")))
		row_fail(row, LOOKUP_DIGESTS);
	stores = row_number(row, LOOKUP_STORES, STORES_ALL);
	policy->stores[DIGEST_MD5] = (stores & 1) != 0;
	policy->stores[DIGEST_SHA_256] = (stores & 2) != 0;
	policy->stores[DIGEST_SHA_512_256] = (stores & 4) != 0;
	policy->digest_md5 = row_bool(row, LOOKUP_DIGEST_MD5);
	policy->iterations = (uint32_t)row_number(row, LOOKUP_ITERATIONS,
	    UINT32_MAX);
	out->fake_iterations = (uint32_t)row_number(row,
	    LOOKUP_FAKE_ITERATIONS, UINT32_MAX);
	out->fake_salt_n = (uint32_t)row_number(row, LOOKUP_FAKE_SALT_N,
	    SCRAM_SALT_MAX);
	if (hex_decode(row->fields[LOOKUP_SEED], out->seed,
	    sizeof(out->seed)) != 0)
		row_fail(row, LOOKUP_SEED);
}

static void
read_account(struct row *row, struct credential *out)
{
	static const struct {
		enum lookup_column	column;
		enum digest_alg		alg;
		enum name_form		form;
	} ha1[] = {
		{ LOOKUP_HA1_MD5, DIGEST_MD5, FORM_LOCAL },
		{ LOOKUP_HA1_SHA_256, DIGEST_SHA_256, FORM_LOCAL },
		{ LOOKUP_HA1_SHA_512_256, DIGEST_SHA_512_256, FORM_LOCAL },
		{ LOOKUP_HA1B_MD5, DIGEST_MD5, FORM_FULL },
		{ LOOKUP_HA1B_SHA_256, DIGEST_SHA_256, FORM_FULL },
		{ LOOKUP_HA1B_SHA_512_256, DIGEST_SHA_512_256, FORM_FULL }
	};

	out->enabled = row_bool(row, LOOKUP_ENABLED);
	out->version = (int64_t)row_number(row, LOOKUP_VERSION, INT64_MAX);
	out->ha1_origin = ha1_origin_parse(row->fields[LOOKUP_HA1_ORIGIN]);
	credential_set_scram(out, SCRAM_SHA_1,
	    row->fields[LOOKUP_SCRAM_SHA_1]);
	credential_set_scram(out, SCRAM_SHA_256,
	    row->fields[LOOKUP_SCRAM_SHA_256]);
	credential_set_scram(out, SCRAM_SHA_512,
	    row->fields[LOOKUP_SCRAM_SHA_512]);
	for (size_t i = 0; i < sizeof(ha1) / sizeof(ha1[0]); i++)
		credential_set_ha1(out, ha1[i].alg, ha1[i].form,
		    row->fields[ha1[i].column]);
}

enum store_status
row_read(const PGresult *result, int at, struct span domain,
    struct span localpart, struct credential *out, const char **column)
{
	struct row row = { .bad = NULL };

	*column = NULL;
	if (PQnfields(result) != 1 || at < 0 || at >= PQntuples(result)) {
		*column = "(not there)";
		return STORE_UNAVAILABLE;
	}
	if (PQgetisnull(result, at, 0))
		return STORE_NO_DOMAIN;
	if (!lookup_split(span_mem(PQgetvalue(result, at, 0),
	    (size_t)PQgetlength(result, at, 0)), row.fields)) {
		*column = "(their number)";
		return STORE_UNAVAILABLE;
	}
	/* Nobody is ever judged by another domain's row. */
	if (domain.n > 0 && !span_equal(row.fields[LOOKUP_DOMAIN], domain)) {
		*column = field_names[LOOKUP_DOMAIN];
		return STORE_UNAVAILABLE;
	}
	if (row.fields[LOOKUP_REALM].n == 0)
		return STORE_NO_REALM;
	row_string(&row, LOOKUP_DOMAIN, out->account.domain,
	    sizeof(out->account.domain));
	row_string(&row, LOOKUP_REALM, out->realm, sizeof(out->realm));
	if (span_copy_str(localpart, out->account.localpart,
	    sizeof(out->account.localpart)) != 0)
		row_fail(&row, LOOKUP_FOUND);
	read_policy(&row, out);
	out->domain_known = true;
	out->found = row_bool(&row, LOOKUP_FOUND);
	if (out->found)
		read_account(&row, out);
	if (row.bad == NULL)
		return STORE_OK;
	credential_wipe(out);
	*column = row.bad;
	return STORE_UNAVAILABLE;
}
