/*
 * SCRAM verifiers: RFC 5802, 5803, 7677 and the project account; then every
 * spelling of the text that RFC 5803 wants refused.
 */

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/scram.h"
#include "core/secret.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static struct crypto *crypto;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

#define PROJECT_SALT	"MDEyMzQ1Njc4OWFiY2RlZg=="
#define SALT_512	"Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88="

static const struct {
	const char *name;
	enum scram_mech mech;
	const char *password, *salt;
	uint32_t iterations;
	const char *text;
} vectors[] = {
	{ "RFC 5802 section 5", SCRAM_SHA_1, "pencil", "QSXCR+Q6sek8bf92",
	  4096,
	  "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:"
	  "D+CSWLOshSulAsxiupA+qs2/fTE=" },
	{ "RFC 7677 section 3", SCRAM_SHA_256, "pencil",
	  "W22ZaJ0SNY7soEsUEjb6gQ==", 4096,
	  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
	  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
	  "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=" },
	{ "SHA-512 of the client test suites", SCRAM_SHA_512, "pencil",
	  SALT_512, 4096,
	  "SCRAM-SHA-512$4096:" SALT_512 "$"
	  "ERxGuwQnAHA2amc01Vb1Qb9WPqMb68u8swldhuOn4MR7udux+oQ/DNrgcAy5c0/S"
	  "EZybLeGYZ5jFkWH5ELNOXA==:gFCGdO8qeAVvqKCfFpqPXI2n2596CVtax0k6IH3g"
	  "zt94xA9+DgAD6NwrELJ0AjguZNc0dWJxduOe037HEcD1UA==" },
	{ "project SHA-1 4096", SCRAM_SHA_1, "wonderland", PROJECT_SALT, 4096,
	  "SCRAM-SHA-1$4096:" PROJECT_SALT "$BE+1SEpUyZ5Hez9c4RjpXssOfDk=:"
	  "jhNWA9bioCqyvIsjRLtC57Mxz3Q=" },
	{ "project SHA-1 10000", SCRAM_SHA_1, "wonderland", PROJECT_SALT,
	  10000,
	  "SCRAM-SHA-1$10000:" PROJECT_SALT "$nd9NmeeR8Lmovl6W5La3jItH+zk=:"
	  "6EnWCybRzunysaEH2uzaFO8YUnc=" },
	{ "project SHA-256 4096", SCRAM_SHA_256, "wonderland", PROJECT_SALT,
	  4096, "SCRAM-SHA-256$4096:" PROJECT_SALT "$"
	  "koDA4w4uESj0AfNZTEbpK/0Fx0yK4YVjtgcbcPyVqYQ=:"
	  "+wjLhweKjn9o4b6f4w3u2pPId+QIekOvK0vJURzRXjQ=" },
	{ "project SHA-256 10000", SCRAM_SHA_256, "wonderland", PROJECT_SALT,
	  10000, "SCRAM-SHA-256$10000:" PROJECT_SALT "$"
	  "eMrkbjA0xAZdWbyXRfZb58tTgii4/ME5dGfRSQRwFg8=:"
	  "at2ZwOBGeP4Zxa4YGPR+fcO+gzPp7VHOXIUaS3SuySs=" },
	{ "project SHA-512 10000", SCRAM_SHA_512, "wonderland", PROJECT_SALT,
	  10000, "SCRAM-SHA-512$10000:" PROJECT_SALT "$"
	  "PhQ1G+zX5t2oAO5HDbSwRSINwGe55fuaIRbEmB9QDxXNQiSz6nvwNEXRJa18Kwl7"
	  "PndHm48LebMwjfi7dkX+Fw==:9hTpRHvGNYLdxzPQwan0IC13GEYYIA6+KNWEvG90"
	  "uVVfMj3fOU/MgnSFm3y7YvGKftHkpQ83QpZQHQaV8X6N/Q==" },
	{ "STANDARDS 4.3 IX", SCRAM_SHA_256, "IX", "W22ZaJ0SNY7soEsUEjb6gQ==",
	  4096, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
	  "jm4XkHvFe7q0xZ4vmAKJUiTKPr1F+7MXnYyksTUVeBE=:"
	  "EqXM4c5+I7lQ5vHl5Ngu2rY8DBMM1XjG0dY6GEjwLx0=" }
};

static struct span
decode(const char *text, uint8_t *out, size_t cap)
{
	size_t n;

	ck_assert_int_eq(base64_decode(span_str(text), out, cap, &n), 0);
	return span_mem(out, n);
}

START_TEST(make_and_format)
{
	uint8_t salt[SCRAM_SALT_MAX], text[SCRAM_TEXT_MAX];
	struct scram_verifier v;
	struct wbuf wb;

	ck_assert_int_eq(scram_make(crypto, vectors[_i].mech,
	    span_str(vectors[_i].password),
	    decode(vectors[_i].salt, salt, sizeof(salt)),
	    vectors[_i].iterations, &v), 0);
	wbuf_init(&wb, text, sizeof(text));
	scram_format(&v, &wb);
	ck_assert(!wb.failed);
	ck_assert_msg(span_equal(wbuf_written(&wb),
	    span_str(vectors[_i].text)), "%s", vectors[_i].name);
	/* One octet less room is a failure, never a cut verifier. */
	wbuf_init(&wb, text, strlen(vectors[_i].text) - 1);
	scram_format(&v, &wb);
	ck_assert(wb.failed);
}
END_TEST

START_TEST(parse_and_check)
{
	uint8_t text[SCRAM_TEXT_MAX];
	struct span password = span_str(vectors[_i].password);
	struct scram_verifier v;
	struct wbuf wb;

	ck_assert_int_eq(scram_parse(span_str(vectors[_i].text), &v), 0);
	ck_assert_int_eq(v.mech, vectors[_i].mech);
	ck_assert_uint_eq(v.iterations, vectors[_i].iterations);
	wbuf_init(&wb, text, sizeof(text));
	scram_format(&v, &wb);
	ck_assert(span_equal(wbuf_written(&wb), span_str(vectors[_i].text)));
	ck_assert_int_eq(scram_check(crypto, &v, password), VERDICT_ALLOW);
	ck_assert_int_eq(scram_check(crypto, &v, span_head(password,
	    password.n - 1)), VERDICT_DENY);
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_LIT("Pencil")),
	    VERDICT_DENY);
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_EMPTY), VERDICT_DENY);
	v.stored_key[0] ^= 1;
	ck_assert_int_eq(scram_check(crypto, &v, password), VERDICT_DENY);
}
END_TEST

/* No verifier may be cut short anywhere and still be read as one. */
START_TEST(truncated)
{
	struct span text = span_str(vectors[_i].text);
	static const struct scram_verifier empty;
	struct scram_verifier v;

	for (size_t n = 0; n < text.n; n++) {
		ck_assert_msg(scram_parse(span_head(text, n), &v) != 0,
		    "%zu octets of %s", n, vectors[_i].name);
		ck_assert_int_eq(memcmp(&v, &empty, sizeof(v)), 0);
	}
}
END_TEST

/* RFC 7677: what it takes is known; the keys of the vector by hand. */
#define SALT	"W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define KEY_20	"6dlGYMOdZcOPutkcNY8U2g7vK9Y="
#define NAME	"SCRAM-SHA-256"
/* 64 octets, 65 octets. */
#define SALT_64	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define SALT_65	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct {
	const char *name, *text;
	int rc;
} texts[] = {
	{ "as it should be", NAME "$4096:" SALT "$" STORED ":" SERVER, 0 },
	{ "most iterations", NAME "$65536:" SALT "$" STORED ":" SERVER, 0 },
	{ "salt of 1 octet", NAME "$4096:AA==$" STORED ":" SERVER, 0 },
	{ "salt of 2 octets", NAME "$4096:AAA=$" STORED ":" SERVER, 0 },
	{ "salt of 64 octets", NAME "$4096:" SALT_64 "$" STORED ":" SERVER,
	  0 },
	{ "salt of 65 octets", NAME "$4096:" SALT_65 "$" STORED ":" SERVER,
	  -ERR_TOO_LONG },
	{ "no salt", NAME "$4096:$" STORED ":" SERVER, -ERR_FORMAT },
	{ "empty", "", -ERR_FORMAT },
	{ "iterations below", NAME "$4095:" SALT "$" STORED ":" SERVER,
	  -ERR_RANGE },
	{ "iterations above", NAME "$65537:" SALT "$" STORED ":" SERVER,
	  -ERR_RANGE },
	{ "iterations 2^32 + 4096", NAME "$4294971392:" SALT "$" STORED ":"
	  SERVER, -ERR_RANGE },
	{ "iterations 2^64 + 4096", NAME "$18446744073709555712:" SALT "$"
	  STORED ":" SERVER, -ERR_RANGE },
	{ "iterations zero", NAME "$0:" SALT "$" STORED ":" SERVER,
	  -ERR_FORMAT },
	{ "leading zero", NAME "$04096:" SALT "$" STORED ":" SERVER,
	  -ERR_FORMAT },
	{ "sign", NAME "$+4096:" SALT "$" STORED ":" SERVER, -ERR_FORMAT },
	{ "minus", NAME "$-4096:" SALT "$" STORED ":" SERVER, -ERR_FORMAT },
	{ "hexadecimal", NAME "$0x1000:" SALT "$" STORED ":" SERVER,
	  -ERR_FORMAT },
	{ "blank", NAME "$ 4096:" SALT "$" STORED ":" SERVER, -ERR_FORMAT },
	{ "blanks round the dollar", NAME " $ 4096:" SALT " $ " STORED ":"
	  SERVER, -ERR_UNSUPPORTED },
	{ "no iterations", NAME "$:" SALT "$" STORED ":" SERVER,
	  -ERR_FORMAT },
	{ "blank before", " " NAME "$4096:" SALT "$" STORED ":" SERVER,
	  -ERR_UNSUPPORTED },
	{ "blank behind", NAME "$4096:" SALT "$" STORED ":" SERVER " ",
	  -ERR_FORMAT },
	{ "newline behind", NAME "$4096:" SALT "$" STORED ":" SERVER "\n",
	  -ERR_FORMAT },
	{ "another field", NAME "$4096:" SALT "$" STORED ":" SERVER ":"
	  SERVER, -ERR_FORMAT },
	{ "twice", NAME "$4096:" SALT "$" STORED ":" SERVER NAME "$4096:" SALT
	  "$" STORED ":" SERVER, -ERR_FORMAT },
	{ "-PLUS", NAME "-PLUS$4096:" SALT "$" STORED ":" SERVER,
	  -ERR_FORMAT },
	{ "lower-case name", "scram-sha-256$4096:" SALT "$" STORED ":" SERVER,
	  -ERR_UNSUPPORTED },
	{ "unknown name", "SCRAM-SHA-224$4096:" SALT "$" STORED ":" SERVER,
	  -ERR_UNSUPPORTED },
	{ "other mechanism", "CRAM-MD5$4096:" SALT "$" STORED ":" SERVER,
	  -ERR_UNSUPPORTED },
	{ "no name", "$4096:" SALT "$" STORED ":" SERVER, -ERR_UNSUPPORTED },
	{ "key of SHA-1", NAME "$4096:" SALT "$" KEY_20 ":" SERVER,
	  -ERR_FORMAT },
	{ "server key of SHA-1", NAME "$4096:" SALT "$" STORED ":" KEY_20,
	  -ERR_FORMAT },
	{ "keys of SHA-256 for SHA-1", "SCRAM-SHA-1$4096:" SALT "$" STORED ":"
	  SERVER, -ERR_FORMAT },
	{ "keys of SHA-256 for SHA-512", "SCRAM-SHA-512$4096:" SALT "$" STORED
	  ":" SERVER, -ERR_FORMAT },
	{ "no stored key", NAME "$4096:" SALT "$:" SERVER, -ERR_FORMAT },
	{ "no server key", NAME "$4096:" SALT "$" STORED ":", -ERR_FORMAT },
	{ "no keys", NAME "$4096:" SALT "$:", -ERR_FORMAT },
	{ "salt without padding", NAME "$4096:W22ZaJ0SNY7soEsUEjb6gQ$" STORED
	  ":" SERVER, -ERR_FORMAT },
	{ "salt with unused bits", NAME "$4096:W22ZaJ0SNY7soEsUEjb6gR==$"
	  STORED ":" SERVER, -ERR_FORMAT },
	{ "salt in the URL alphabet", NAME "$4096:W22ZaJ0SNY7-oEsUEjb6gQ==$"
	  STORED ":" SERVER, -ERR_FORMAT },
	{ "key with unused bits", NAME "$4096:" SALT "$"
	  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qZ=:" SERVER,
	  -ERR_FORMAT },
	{ "Dovecot's spelling", "{SCRAM-SHA-256}4096," SALT "," STORED ","
	  SERVER, -ERR_FORMAT }
};

START_TEST(strict)
{
	static const struct scram_verifier empty;
	struct scram_verifier v;
	int rc;

	memset(&v, 'x', sizeof(v));
	rc = scram_parse(span_str(texts[_i].text), &v);
	ck_assert_msg(rc == texts[_i].rc, "%s: %d", texts[_i].name, rc);
	if (rc != 0)
		ck_assert_int_eq(memcmp(&v, &empty, sizeof(v)), 0);
}
END_TEST

START_TEST(oversized_and_nul)
{
	static uint8_t big[SCRAM_TEXT_MAX + 1];
	uint8_t text[SCRAM_TEXT_MAX];
	struct span good = span_str(texts[0].text);
	struct scram_verifier v;

	memset(big, 'A', sizeof(big));
	memcpy(big, good.p, good.n);
	ck_assert_int_eq(scram_parse(span_mem(big, sizeof(big)), &v),
	    -ERR_TOO_LONG);
	/* A NUL is no end of the text. */
	memcpy(text, good.p, good.n);
	text[good.n] = '\0';
	ck_assert_int_eq(scram_parse(span_mem(text, good.n), &v), 0);
	ck_assert_int_ne(scram_parse(span_mem(text, good.n + 1), &v), 0);
	ck_assert_int_ne(scram_parse(SPAN_EMPTY, &v), 0);
}
END_TEST

START_TEST(make_refuses)
{
	static const struct scram_verifier empty;
	static const uint8_t octets[SCRAM_SALT_MAX + 1];
	const struct {
		enum scram_mech mech;
		struct span password, salt;
		uint32_t iterations;
		int rc;
	} calls[] = {
		{ SCRAM_NONE, SPAN_LIT("p"), SPAN_LIT("salt"), 4096,
		  -ERR_UNSUPPORTED },
		{ SCRAM_MECH_COUNT, SPAN_LIT("p"), SPAN_LIT("salt"), 4096,
		  -ERR_UNSUPPORTED },
		{ SCRAM_SHA_256, SPAN_EMPTY, SPAN_LIT("salt"), 4096,
		  -ERR_FORMAT },
		{ SCRAM_SHA_256, SPAN_LIT("p"), SPAN_EMPTY, 4096,
		  -ERR_FORMAT },
		{ SCRAM_SHA_256, SPAN_LIT("p"),
		  { octets, SCRAM_SALT_MAX + 1 }, 4096, -ERR_TOO_LONG },
		{ SCRAM_SHA_256, SPAN_LIT("p"), SPAN_LIT("salt"), 4095,
		  -ERR_RANGE },
		{ SCRAM_SHA_256, SPAN_LIT("p"), SPAN_LIT("salt"), 65537,
		  -ERR_RANGE },
		{ SCRAM_SHA_256, SPAN_LIT("p"),
		  { octets, SCRAM_SALT_MAX }, 4096, 0 }
	};
	struct scram_verifier v;

	for (size_t i = 0; i < COUNT(calls); i++) {
		memset(&v, 'x', sizeof(v));
		ck_assert_int_eq(scram_make(crypto, calls[i].mech,
		    calls[i].password, calls[i].salt, calls[i].iterations,
		    &v), calls[i].rc);
		if (calls[i].rc != 0)
			ck_assert_int_eq(memcmp(&v, &empty, sizeof(v)), 0);
	}
}
END_TEST

/* Imported or written by hand: a verifier that the empty password fits. */
START_TEST(empty_password_never_passes)
{
	struct scram_verifier v;
	struct span key;
	uint8_t salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX];

	ck_assert_int_eq(scram_parse(span_str(texts[0].text), &v), 0);
	ck_assert_int_eq(crypto_pbkdf2(crypto, HASH_SHA_256, SPAN_EMPTY,
	    span_mem(v.salt, v.salt_n), v.iterations, salted), 0);
	ck_assert_int_eq(crypto_hmac(crypto, HASH_SHA_256,
	    span_mem(salted, 32), &SPAN_LIT("Client Key"), 1, client), 0);
	key = span_mem(client, 32);
	ck_assert_int_eq(crypto_hash(crypto, HASH_SHA_256, &key, 1,
	    v.stored_key), 0);
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_EMPTY), VERDICT_DENY);
	/* HMAC pads its key with NUL, so this proves that it would fit. */
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_LIT("\0")),
	    VERDICT_ALLOW);
}
END_TEST

/* A verifier that cannot be used says nothing about the password. */
START_TEST(unusable_is_unavailable)
{
	struct scram_verifier good, v;
	struct crypto *fips;
	uint8_t text[SCRAM_TEXT_MAX];
	struct wbuf wb;

	ck_assert_int_eq(scram_parse(span_str(texts[0].text), &good), 0);
	v = good;
	v.mech = SCRAM_NONE;
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_LIT("pencil")),
	    VERDICT_UNAVAILABLE);
	wbuf_init(&wb, text, sizeof(text));
	scram_format(&v, &wb);
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 0);
	v = good;
	v.iterations = 1000000000;
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_LIT("pencil")),
	    VERDICT_UNAVAILABLE);
	v = good;
	v.salt_n = SCRAM_SALT_MAX + 1;
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_LIT("pencil")),
	    VERDICT_UNAVAILABLE);
	memset(&v, 0, sizeof(v));
	ck_assert_int_eq(scram_check(crypto, &v, SPAN_EMPTY),
	    VERDICT_UNAVAILABLE);

	ck_assert_int_eq(crypto_new("fips=yes", &fips), 0);
	ck_assert_int_eq(scram_check(fips, &good, SPAN_LIT("pencil")),
	    VERDICT_UNAVAILABLE);
	ck_assert_int_eq(scram_make(fips, SCRAM_SHA_256, SPAN_LIT("pencil"),
	    SPAN_LIT("salt"), 4096, &v), -ERR_UNSUPPORTED);
	crypto_free(&fips);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(scram_mech_name(SCRAM_SHA_1), "SCRAM-SHA-1");
	ck_assert_str_eq(scram_mech_name(SCRAM_SHA_256), "SCRAM-SHA-256");
	ck_assert_str_eq(scram_mech_name(SCRAM_SHA_512), "SCRAM-SHA-512");
	ck_assert_str_eq(scram_mech_name(SCRAM_MECH_COUNT), "none");
	ck_assert_int_eq(scram_mech_hash(SCRAM_SHA_512), HASH_SHA_512);
	ck_assert_int_eq(scram_mech_hash(SCRAM_NONE), HASH_NONE);
	ck_assert_int_eq(scram_mech_parse(SPAN_LIT("SCRAM-SHA-1")),
	    SCRAM_SHA_1);
	ck_assert_int_eq(scram_mech_parse(SPAN_LIT("SCRAM-SHA-512")),
	    SCRAM_SHA_512);
	ck_assert_int_eq(scram_mech_parse(SPAN_LIT("SCRAM-SHA-256-PLUS")),
	    SCRAM_NONE);
	ck_assert_int_eq(scram_mech_parse(SPAN_LIT("scram-sha-1")),
	    SCRAM_NONE);
	ck_assert_int_eq(scram_mech_parse(SPAN_LIT("SCRAM-SHA-")),
	    SCRAM_NONE);
	ck_assert_int_eq(scram_mech_parse(SPAN_LIT("none")), SCRAM_NONE);
	ck_assert_int_eq(scram_mech_parse(SPAN_EMPTY), SCRAM_NONE);
}
END_TEST

START_TEST(fresh_salt)
{
	uint8_t one[SCRAM_SALT_NEW + 1], two[SCRAM_SALT_NEW];
	uint8_t octets[SCRAM_SALT_NEW];
	size_t n;

	one[SCRAM_SALT_NEW] = '#';
	ck_assert_int_eq(scram_new_salt(crypto, one), 0);
	ck_assert_int_eq(scram_new_salt(crypto, two), 0);
	ck_assert_int_eq(one[SCRAM_SALT_NEW], '#');
	ck_assert_int_ne(memcmp(one, two, sizeof(two)), 0);
	/* Text of 18 octets without padding, so that any column takes it. */
	ck_assert_int_eq(base64_decode(span_mem(one, SCRAM_SALT_NEW), octets,
	    sizeof(octets), &n), 0);
	ck_assert_uint_eq(n, 18);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("scram");
	TCase *tc = tcase_create("scram");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, make_and_format, 0, COUNT(vectors));
	tcase_add_loop_test(tc, parse_and_check, 0, COUNT(vectors));
	tcase_add_loop_test(tc, truncated, 0, COUNT(vectors));
	tcase_add_loop_test(tc, strict, 0, COUNT(texts));
	tcase_add_test(tc, oversized_and_nul);
	tcase_add_test(tc, make_refuses);
	tcase_add_test(tc, empty_password_never_passes);
	tcase_add_test(tc, unusable_is_unavailable);
	tcase_add_test(tc, names);
	tcase_add_test(tc, fresh_salt);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
