/*
 * The row: which texts are verifiers, and that nothing else ever is.
 */

#include <string.h>

#include "core/credential.h"
#include "core/err.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* STANDARDS 0: alice, example.com, wonderland. */
#define MD5_HEX		"93dfce8dfebfae8af4a726982429d23a"
#define SHA_HEX \
	"8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f"
#define SCRAM_1 \
	"SCRAM-SHA-1$4096:MDEyMzQ1Njc4OWFiY2RlZg==$BE+1SEpUyZ5Hez9c4RjpXssOf"\
	"Dk=:jhNWA9bioCqyvIsjRLtC57Mxz3Q="
#define SCRAM_256 \
	"SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$koDA4w4uESj0AfNZTEbpK/0F"\
	"x0yK4YVjtgcbcPyVqYQ=:+wjLhweKjn9o4b6f4w3u2pPId+QIekOvK0vJURzRXjQ="
/* Sealed under 00..1f as in test_seal.c. */
#define KEYS	"k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define MD5_SEALED \
	"sealed:1:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"\
	"H0k="

static struct crypto *crypto;
static struct seal_keyring ring;
static struct credential row;

static void
setup(void)
{
	unsigned int line;

	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT(KEYS), &ring, &line), 0);
	memset(&row, 0, sizeof(row));
	memcpy(row.account.localpart, "alice", 6);
	memcpy(row.account.domain, "example.com", 12);
	memcpy(row.realm, "example.com", 12);
}

static void
teardown(void)
{
	credential_wipe(&row);
	crypto_free(&crypto);
}

static const struct {
	const char	*text;
	enum digest_alg	 alg;
	int		 rc;
} ha1s[] = {
	{ MD5_HEX, DIGEST_MD5, 0 },
	{ SHA_HEX, DIGEST_SHA_256, 0 },
	{ SHA_HEX, DIGEST_SHA_512_256, 0 },
	{ MD5_SEALED, DIGEST_MD5, 0 },
	{ "", DIGEST_MD5, -ERR_UNSUPPORTED },
	{ "", DIGEST_NONE, -ERR_UNSUPPORTED },
	{ MD5_HEX, DIGEST_NONE, -ERR_UNSUPPORTED },
	{ MD5_HEX, DIGEST_ALG_COUNT, -ERR_UNSUPPORTED },
	{ MD5_HEX, DIGEST_SHA_256, -ERR_FORMAT },
	{ SHA_HEX, DIGEST_MD5, -ERR_FORMAT },
	{ MD5_HEX "0", DIGEST_MD5, -ERR_FORMAT },
	{ MD5_HEX "00", DIGEST_MD5, -ERR_FORMAT },
	{ " " MD5_HEX, DIGEST_MD5, -ERR_FORMAT },
	{ "9", DIGEST_MD5, -ERR_FORMAT },
	{ "93DFce8dfebfae8af4a726982429d23a", DIGEST_MD5, -ERR_FORMAT },
	{ "93dfce8dfebfae8af4a726982429d23A", DIGEST_MD5, -ERR_FORMAT },
	{ "93dfce8dfebfae8af4a726982429d23g", DIGEST_MD5, -ERR_FORMAT },
	{ "wonderland", DIGEST_MD5, -ERR_FORMAT },
	{ "sealed:1:k1:", DIGEST_MD5, -ERR_FORMAT },
	{ "sealed:2:k1:AAAA", DIGEST_MD5, -ERR_FORMAT },
	/* of another algorithm, and with an unknown key */
	{ MD5_SEALED, DIGEST_SHA_256, -ERR_FORMAT },
	{ "sealed:1:k9:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4"
	    "HYH0k=", DIGEST_MD5, -ERR_KEY }
};

START_TEST(ha1)
{
	static const uint8_t none[DIGEST_SIZE_MAX];
	uint8_t out[DIGEST_SIZE_MAX];

	credential_set_ha1(&row, ha1s[_i].alg, FORM_LOCAL,
	    span_str(ha1s[_i].text));
	memset(out, 0xee, sizeof(out));
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, ha1s[_i].alg,
	    FORM_LOCAL, out), ha1s[_i].rc);
	if (ha1s[_i].rc != 0)
		ck_assert_mem_eq(out, none, sizeof(out));
	else
		ck_assert_uint_eq(out[0],
		    ha1s[_i].alg == DIGEST_MD5 ? 0x93 : 0x8a);
	/* The other form stays NULL. */
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, ha1s[_i].alg,
	    FORM_FULL, out), -ERR_UNSUPPORTED);
}
END_TEST

START_TEST(ha1_sealed_place)
{
	uint8_t out[DIGEST_SIZE_MAX];

	credential_set_ha1(&row, DIGEST_MD5, FORM_FULL,
	    SPAN_LIT(MD5_SEALED));
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, DIGEST_MD5,
	    FORM_FULL, out), -ERR_KEY);
	credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL,
	    SPAN_LIT(MD5_SEALED));
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, DIGEST_MD5,
	    FORM_LOCAL, out), 0);
	ck_assert_int_eq(credential_ha1(&row, crypto, NULL, DIGEST_MD5,
	    FORM_LOCAL, out), -ERR_KEY);
	memcpy(row.account.localpart, "mallo", 6);
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, DIGEST_MD5,
	    FORM_LOCAL, out), -ERR_KEY);
	memcpy(row.account.localpart, "alice", 6);
	memcpy(row.realm, "example.org", 12);
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, DIGEST_MD5,
	    FORM_LOCAL, out), -ERR_KEY);
}
END_TEST

static const struct {
	const char		*text;
	enum scram_mech		 mech;
	int			 rc;
} scrams[] = {
	{ SCRAM_1, SCRAM_SHA_1, 0 },
	{ SCRAM_256, SCRAM_SHA_256, 0 },
	{ "", SCRAM_SHA_256, -ERR_UNSUPPORTED },
	{ SCRAM_256, SCRAM_NONE, -ERR_UNSUPPORTED },
	{ SCRAM_256, SCRAM_MECH_COUNT, -ERR_UNSUPPORTED },
	/* a verifier, but another column's */
	{ SCRAM_1, SCRAM_SHA_256, -ERR_FORMAT },
	{ SCRAM_256, SCRAM_SHA_1, -ERR_FORMAT },
	{ SCRAM_256, SCRAM_SHA_512, -ERR_FORMAT },
	{ SCRAM_256 " ", SCRAM_SHA_256, -ERR_FORMAT },
	{ "wonderland", SCRAM_SHA_256, -ERR_FORMAT },
	{ MD5_HEX, SCRAM_SHA_256, -ERR_FORMAT },
	{ "SCRAM-SHA-256$1:MDEyMzQ1Njc4OWFiY2RlZg==$koDA4w4uESj0AfNZTEbpK/0Fx"
	    "0yK4YVjtgcbcPyVqYQ=:+wjLhweKjn9o4b6f4w3u2pPId+QIekOvK0vJURzRXjQ="
	    , SCRAM_SHA_256, -ERR_FORMAT }
};

START_TEST(scram)
{
	static const struct scram_verifier none;
	struct scram_verifier out;

	credential_set_scram(&row, scrams[_i].mech, span_str(scrams[_i].text));
	memset(&out, 0xee, sizeof(out));
	ck_assert_int_eq(credential_scram(&row, scrams[_i].mech, &out),
	    scrams[_i].rc);
	if (scrams[_i].rc != 0)
		ck_assert_mem_eq(&out, &none, sizeof(out));
	else
		ck_assert_int_eq(out.mech, scrams[_i].mech);
}
END_TEST

START_TEST(oversized_is_null)
{
	uint8_t text[SCRAM_TEXT_MAX + 1], out[DIGEST_SIZE_MAX];
	struct scram_verifier verifier;

	memset(text, 'a', sizeof(text));
	credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL, SPAN_LIT(MD5_HEX));
	credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL,
	    span_mem(text, SEAL_TEXT_MAX + 1));
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, DIGEST_MD5,
	    FORM_LOCAL, out), -ERR_UNSUPPORTED);
	credential_set_scram(&row, SCRAM_SHA_256, SPAN_LIT(SCRAM_256));
	credential_set_scram(&row, SCRAM_SHA_256, span_mem(text,
	    SCRAM_TEXT_MAX + 1));
	ck_assert_int_eq(credential_scram(&row, SCRAM_SHA_256, &verifier),
	    -ERR_UNSUPPORTED);
	/* The longest that fits is kept, and judged. */
	credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL,
	    span_mem(text, SEAL_TEXT_MAX));
	ck_assert_int_eq(credential_ha1(&row, crypto, &ring, DIGEST_MD5,
	    FORM_LOCAL, out), -ERR_FORMAT);
	credential_set_scram(&row, SCRAM_SHA_256, span_mem(text,
	    SCRAM_TEXT_MAX));
	ck_assert_int_eq(credential_scram(&row, SCRAM_SHA_256, &verifier),
	    -ERR_FORMAT);
}
END_TEST

/* A setter with a bad column writes nowhere. */
START_TEST(no_such_column)
{
	struct credential before = row;

	credential_set_ha1(&row, DIGEST_NONE, FORM_LOCAL, SPAN_LIT(MD5_HEX));
	credential_set_ha1(&row, DIGEST_ALG_COUNT, FORM_LOCAL,
	    SPAN_LIT(MD5_HEX));
	credential_set_ha1(&row, DIGEST_MD5, FORM_COUNT, SPAN_LIT(MD5_HEX));
	credential_set_scram(&row, SCRAM_NONE, SPAN_LIT(SCRAM_1));
	credential_set_scram(&row, SCRAM_MECH_COUNT, SPAN_LIT(SCRAM_1));
	ck_assert_mem_eq(&row, &before, sizeof(row));
}
END_TEST

START_TEST(origin)
{
	ck_assert_int_eq(ha1_origin_parse(SPAN_LIT("same")), HA1_SAME);
	ck_assert_int_eq(ha1_origin_parse(SPAN_LIT("separate")),
	    HA1_SEPARATE);
	ck_assert_int_eq(ha1_origin_parse(SPAN_LIT("unproved")),
	    HA1_UNPROVED);
	ck_assert_int_eq(ha1_origin_parse(SPAN_LIT("Same")), HA1_UNPROVED);
	ck_assert_int_eq(ha1_origin_parse(SPAN_LIT("same ")), HA1_UNPROVED);
	ck_assert_int_eq(ha1_origin_parse(SPAN_LIT("sam")), HA1_UNPROVED);
	ck_assert_int_eq(ha1_origin_parse(SPAN_EMPTY), HA1_UNPROVED);
}
END_TEST

START_TEST(wiped)
{
	static const struct credential none;

	credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL, SPAN_LIT(MD5_HEX));
	credential_wipe(&row);
	ck_assert_mem_eq(&row, &none, sizeof(row));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("credential");
	TCase *tc = tcase_create("credential");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, ha1, 0, COUNT(ha1s));
	tcase_add_test(tc, ha1_sealed_place);
	tcase_add_loop_test(tc, scram, 0, COUNT(scrams));
	tcase_add_test(tc, oversized_is_null);
	tcase_add_test(tc, no_such_column);
	tcase_add_test(tc, origin);
	tcase_add_test(tc, wiped);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
