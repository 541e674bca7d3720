/*
 * The lookup's packed answer to struct credential: what is right, and every
 * field missing, malformed, oversized or one too many.
 */

#include <stdio.h>
#include <string.h>

#include "store/lookup_sql.h"
#include "store/row.h"
#include "unit.h"

#define SEED	"00112233445566778899aabbccddeeff" \
		"00112233445566778899aabbccddeeff"
#define HEX32	"0123456789abcdef0123456789abcdef"

static const char *const good[LOOKUP_FIELDS] = {
	[LOOKUP_DOMAIN] = "example.com",
	[LOOKUP_DIGESTS] = "plain",
	[LOOKUP_STORES] = "5",
	[LOOKUP_DIGEST_MD5] = "t",
	[LOOKUP_ITERATIONS] = "10000",
	[LOOKUP_REALM] = "Example Realm",
	[LOOKUP_FOUND] = "t",
	[LOOKUP_ENABLED] = "t",
	[LOOKUP_VERSION] = "9223372036854775807",
	[LOOKUP_HA1_ORIGIN] = "separate",
	[LOOKUP_SCRAM_SHA_1] = "one",
	[LOOKUP_SCRAM_SHA_256] = "two",
	[LOOKUP_SCRAM_SHA_512] = "",
	[LOOKUP_HA1_MD5] = HEX32,
	[LOOKUP_HA1_SHA_256] = "ha1-256",
	[LOOKUP_HA1_SHA_512_256] = "ha1-512",
	[LOOKUP_HA1B_MD5] = "ha1b",
	[LOOKUP_HA1B_SHA_256] = "ha1b-256",
	[LOOKUP_HA1B_SHA_512_256] = "ha1b-512",
	[LOOKUP_FAKE_ITERATIONS] = "4096",
	[LOOKUP_FAKE_SALT_N] = "24",
	[LOOKUP_SEED] = SEED,
	[LOOKUP_NAME_KEY] = "abcd"
};

/* A result as libpq would hand it over; text NULL is SQL's NULL. */
static PGresult *
result_of(const char *text, size_t n)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char name[] = "daemon_lookup";
	PGresAttDesc column = { .name = name };
	char copy[16384];

	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(PQsetResultAttrs(r, 1, &column), 1);
	ck_assert_uint_lt(n, sizeof(copy));
	if (n > 0)
		memcpy(copy, text, n);
	ck_assert_int_eq(PQsetvalue(r, 0, 0, text == NULL ? NULL : copy,
	    text == NULL ? -1 : (int)n), 1);
	return r;
}

/* good with one field replaced (field LOOKUP_FIELDS: none). */
static size_t
pack(char *out, size_t cap, size_t field, const char *value)
{
	size_t n = 0;

	for (size_t i = 0; i < LOOKUP_FIELDS; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s",
		    i == 0 ? "" : "\t", i == field ? value : good[i]);
	ck_assert_uint_lt(n, cap);
	return n;
}

static enum store_status
read_text(const char *text, size_t n, struct credential *out,
    const char **column)
{
	PGresult *r = result_of(text, n);
	enum store_status status;

	memset(out, 0, sizeof(*out));
	status = row_read(r, 0, SPAN_LIT("example.com"), SPAN_LIT("alice"), out,
	    column);
	PQclear(r);
	return status;
}

static enum store_status
read_with(size_t field, const char *value, struct credential *out,
    const char **column)
{
	char text[16384];
	size_t n = pack(text, sizeof(text), field, value);

	return read_text(text, n, out, column);
}

static void
assert_zero(const struct credential *c)
{
	static const struct credential zero;

	ck_assert_mem_eq(c, &zero, sizeof(zero));
}

static void
assert_ha1(const struct credential *c, enum digest_alg alg,
    enum name_form form, const char *text)
{
	ck_assert_uint_eq(c->ha1[alg][form].n, strlen(text));
	ck_assert_mem_eq(c->ha1[alg][form].text, text, strlen(text));
}

START_TEST(every_field_arrives)
{
	struct credential c;
	const char *column;

	ck_assert_int_eq(read_with(LOOKUP_FIELDS, "", &c, &column), STORE_OK);
	ck_assert_ptr_null(column);
	ck_assert_str_eq(c.account.localpart, "alice");
	ck_assert_str_eq(c.account.domain, "example.com");
	ck_assert_str_eq(c.realm, "Example Realm");
	ck_assert(c.domain_known && c.found && c.enabled);
	ck_assert_int_eq(c.version, INT64_MAX);
	ck_assert_int_eq(c.ha1_origin, HA1_SEPARATE);
	ck_assert(c.policy.stores[DIGEST_MD5]);
	ck_assert(!c.policy.stores[DIGEST_SHA_256]);
	ck_assert(c.policy.stores[DIGEST_SHA_512_256]);
	ck_assert(!c.policy.digests_none && !c.policy.digests_sealed);
	ck_assert(c.policy.digest_md5);
	ck_assert_uint_eq(c.policy.iterations, 10000);
	ck_assert_uint_eq(c.fake_iterations, 4096);
	ck_assert_uint_eq(c.fake_salt_n, 24);
	ck_assert_uint_eq(c.seed[1], 0x11);
	ck_assert_uint_eq(c.seed[31], 0xff);
	ck_assert_uint_eq(c.scram[SCRAM_SHA_1].n, 3);
	ck_assert_mem_eq(c.scram[SCRAM_SHA_1].text, "one", 3);
	ck_assert_mem_eq(c.scram[SCRAM_SHA_256].text, "two", 3);
	ck_assert_uint_eq(c.scram[SCRAM_SHA_512].n, 0);
	assert_ha1(&c, DIGEST_MD5, FORM_LOCAL, HEX32);
	assert_ha1(&c, DIGEST_SHA_256, FORM_LOCAL, "ha1-256");
	assert_ha1(&c, DIGEST_SHA_512_256, FORM_LOCAL, "ha1-512");
	assert_ha1(&c, DIGEST_MD5, FORM_FULL, "ha1b");
	assert_ha1(&c, DIGEST_SHA_256, FORM_FULL, "ha1b-256");
	assert_ha1(&c, DIGEST_SHA_512_256, FORM_FULL, "ha1b-512");
}
END_TEST

START_TEST(digests_policy)
{
	struct credential c;
	const char *column;

	ck_assert_int_eq(read_with(LOOKUP_DIGESTS, "none", &c, &column),
	    STORE_OK);
	ck_assert(c.policy.digests_none && !c.policy.digests_sealed);
	ck_assert_int_eq(read_with(LOOKUP_DIGESTS, "sealed", &c, &column),
	    STORE_OK);
	ck_assert(!c.policy.digests_none && c.policy.digests_sealed);
}
END_TEST

/* An account that is not there brings no verifier, whatever the row says. */
START_TEST(not_found)
{
	struct credential c;
	const char *column;

	ck_assert_int_eq(read_with(LOOKUP_FOUND, "f", &c, &column), STORE_OK);
	ck_assert(c.domain_known && !c.found && !c.enabled);
	ck_assert_int_eq(c.version, 0);
	ck_assert_uint_eq(c.scram[SCRAM_SHA_256].n, 0);
	ck_assert_uint_eq(c.ha1[DIGEST_MD5][FORM_LOCAL].n, 0);
	ck_assert_uint_eq(c.fake_salt_n, 24);
}
END_TEST

START_TEST(nobody_there)
{
	struct credential c;
	const char *column;

	ck_assert_int_eq(read_text(NULL, 0, &c, &column), STORE_NO_DOMAIN);
	assert_zero(&c);
	ck_assert_int_eq(read_with(LOOKUP_REALM, "", &c, &column),
	    STORE_NO_REALM);
	assert_zero(&c);
}
END_TEST

static const struct {
	size_t		 field;
	const char	*value;
	const char	*column;
} bad[] = {
	{ LOOKUP_DOMAIN, "", "domain" },
	{ LOOKUP_DOMAIN, "example.org", "domain" },
	{ LOOKUP_DOMAIN, "EXAMPLE.COM", "domain" },
	{ LOOKUP_DIGESTS, "", "digests" },
	{ LOOKUP_DIGESTS, "Plain", "digests" },
	{ LOOKUP_STORES, "", "stores" },
	{ LOOKUP_STORES, "8", "stores" },
	{ LOOKUP_STORES, "-1", "stores" },
	{ LOOKUP_STORES, "1x", "stores" },
	{ LOOKUP_DIGEST_MD5, "", "digest_md5" },
	{ LOOKUP_DIGEST_MD5, "true", "digest_md5" },
	{ LOOKUP_ITERATIONS, "", "iterations" },
	{ LOOKUP_ITERATIONS, "4294967296", "iterations" },
	{ LOOKUP_ITERATIONS, " 1", "iterations" },
	{ LOOKUP_ITERATIONS, "1 ", "iterations" },
	{ LOOKUP_ITERATIONS, "0x10", "iterations" },
	{ LOOKUP_ITERATIONS, "99999999999999999999999999", "iterations" },
	{ LOOKUP_FOUND, "", "found" },
	{ LOOKUP_FOUND, "T", "found" },
	{ LOOKUP_ENABLED, "", "enabled" },
	{ LOOKUP_ENABLED, "tt", "enabled" },
	{ LOOKUP_VERSION, "", "version" },
	{ LOOKUP_VERSION, "9223372036854775808", "version" },
	{ LOOKUP_VERSION, "-1", "version" },
	{ LOOKUP_VERSION, "1:", "version" },
	{ LOOKUP_FAKE_ITERATIONS, "", "fake_iterations" },
	{ LOOKUP_FAKE_ITERATIONS, "1e4", "fake_iterations" },
	{ LOOKUP_FAKE_SALT_N, "", "fake_salt_n" },
	{ LOOKUP_FAKE_SALT_N, "65", "fake_salt_n" },
	{ LOOKUP_SEED, "", "seed" },
	{ LOOKUP_SEED, HEX32, "seed" },
	{ LOOKUP_SEED, SEED "00", "seed" },
	{ LOOKUP_SEED, "g" HEX32 "123456789abcdef0123456789abcdef", "seed" },
	{ LOOKUP_HA1_MD5, "a\tb", "(their number)" },
	{ LOOKUP_NAME_KEY, "a\t", "(their number)" },
	{ LOOKUP_DOMAIN, "\texample.com", "(their number)" }
};

START_TEST(unusable)
{
	struct credential c;
	const char *column;

	ck_assert_int_eq(read_with(bad[_i].field, bad[_i].value, &c, &column),
	    STORE_UNAVAILABLE);
	ck_assert_str_eq(column, bad[_i].column);
	assert_zero(&c);
}
END_TEST

/* Cut after each octet: never an account. */
START_TEST(truncated)
{
	struct credential c;
	char text[16384];
	const char *column;
	size_t n = pack(text, sizeof(text), LOOKUP_FIELDS, "");

	/* Without the tail of the last field it is complete. */
	for (size_t i = 0; i + strlen(good[LOOKUP_NAME_KEY]) < n; i++) {
		ck_assert_int_eq(read_text(text, i, &c, &column),
		    STORE_UNAVAILABLE);
		assert_zero(&c);
	}
}
END_TEST

static const struct {
	size_t	field;
	size_t	n;
	bool	whole_row;	/* else the column alone is as NULL */
} oversized[] = {
	{ LOOKUP_REALM, REALM_MAX + 1, true },
	{ LOOKUP_REALM, 2000, true },
	{ LOOKUP_SCRAM_SHA_256, SCRAM_TEXT_MAX + 1, false },
	{ LOOKUP_SCRAM_SHA_256, 2000, true },
	{ LOOKUP_HA1_MD5, SEAL_TEXT_MAX + 1, false },
	{ LOOKUP_SEED, 2000, true }
};

START_TEST(too_long)
{
	char value[4096];
	struct credential c;
	const char *column;

	memset(value, 'a', sizeof(value));
	value[oversized[_i].n] = '\0';
	if (oversized[_i].whole_row) {
		ck_assert_int_eq(read_with(oversized[_i].field, value, &c,
		    &column), STORE_UNAVAILABLE);
		assert_zero(&c);
		return;
	}
	ck_assert_int_eq(read_with(oversized[_i].field, value, &c, &column),
	    STORE_OK);
	ck_assert_uint_eq(oversized[_i].field == LOOKUP_HA1_MD5 ?
	    c.ha1[DIGEST_MD5][FORM_LOCAL].n : c.scram[SCRAM_SHA_256].n, 0);
}
END_TEST

/* SIP with a bare name asks without a domain; the longest name fits. */
START_TEST(domain_from_the_realm)
{
	char local[LOCALPART_MAX + 2], text[16384];
	struct credential c;
	const char *column;
	PGresult *r;

	memset(local, 'x', sizeof(local));
	r = result_of(text, pack(text, sizeof(text), LOOKUP_FIELDS, ""));
	memset(&c, 0, sizeof(c));
	ck_assert_int_eq(row_read(r, 0, SPAN_EMPTY, span_mem(local,
	    LOCALPART_MAX), &c, &column), STORE_OK);
	ck_assert_str_eq(c.account.domain, "example.com");
	ck_assert_uint_eq(strlen(c.account.localpart), LOCALPART_MAX);
	memset(&c, 0, sizeof(c));
	ck_assert_int_eq(row_read(r, 0, SPAN_EMPTY, span_mem(local,
	    LOCALPART_MAX + 1), &c, &column), STORE_UNAVAILABLE);
	assert_zero(&c);
	PQclear(r);
}
END_TEST

START_TEST(wrong_shape)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	struct credential c = { .found = false };
	const char *column;

	ck_assert_int_eq(row_read(r, 0, SPAN_LIT("example.com"),
	    SPAN_LIT("alice"), &c, &column), STORE_UNAVAILABLE);
	ck_assert_ptr_nonnull(column);
	PQclear(r);
	r = result_of(NULL, 0);
	ck_assert_int_eq(PQsetvalue(r, 1, 0, NULL, -1), 1);
	for (int at = -1; at < 4; at++)
		ck_assert_int_eq(row_read(r, at, SPAN_LIT("example.com"),
		    SPAN_LIT("alice"), &c, &column), at == 0 || at == 1 ?
		    STORE_NO_DOMAIN : STORE_UNAVAILABLE);
	PQclear(r);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("store_row");
	TCase *tc = tcase_create("row");

	tcase_add_test(tc, every_field_arrives);
	tcase_add_test(tc, digests_policy);
	tcase_add_test(tc, not_found);
	tcase_add_test(tc, nobody_there);
	tcase_add_loop_test(tc, unusable, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, truncated);
	tcase_add_loop_test(tc, too_long, 0,
	    sizeof(oversized) / sizeof(oversized[0]));
	tcase_add_test(tc, domain_from_the_realm);
	tcase_add_test(tc, wrong_shape);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
