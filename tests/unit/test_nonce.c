/*
 * Nonces: the vector of STANDARDS 9.2 read and made, and everything that is
 * almost one; key files.
 */

#include <dlfcn.h>
#include <string.h>

#include <openssl/rand.h>

#include "core/err.h"
#include "core/nonce.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define TIME_US		UINT64_C(1700000000000000)
#define REALM		SPAN_LIT("example.com")
#define BODY		"AQAGCiQYHkAAABEiM0RVZneImaq7zN3u_"
#define PLAIN		BODY "wV4UvfORke4ebrz2Le840Q"

/* k = 00..1f; macs of Python's hmac module. */
static const struct vector {
	enum digest_alg	alg;
	const char	*text;
} vectors[] = {
	{ DIGEST_NONE, PLAIN },
	{ DIGEST_MD5, BODY "7XzPObatN6f6j6hL6d29iY" },
	{ DIGEST_SHA_256, BODY "7s8_j6adf0WJhpfuMBI0wY" },
	{ DIGEST_SHA_512_256, BODY "4fhCZ4_iHlhmVLKp4FgPWY" }
};

#define B64_KEY	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX_KEY	\
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define B64_OTHER "AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICE="

static struct crypto *crypto;
static struct nonce_keys keys;
static const uint8_t *fixed;	/* what comes out instead of randomness */

int
RAND_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *p, size_t n,
    unsigned int strength)
{
	union {
		void	*p;
		int	(*f)(OSSL_LIB_CTX *, unsigned char *, size_t,
			    unsigned int);
	} next = { dlsym(RTLD_NEXT, "RAND_bytes_ex") };

	if (fixed == NULL)
		return next.f(ctx, p, n, strength);
	memcpy(p, fixed, n);
	return 1;
}

static void
setup(void)
{
	static const uint8_t node[NONCE_NODE_SIZE] = {
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77
	};

	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	memset(&keys, 0, sizeof(keys));
	for (size_t i = 0; i < NONCE_KEY_SIZE; i++)
		keys.key[0][i] = (uint8_t)i;
	keys.count = 1;
	memcpy(keys.node, node, sizeof(node));
	fixed = NULL;
}

static void
teardown(void)
{
	fixed = NULL;
	crypto_free(&crypto);
}

static void
is_unknown(struct span text, struct span realm, enum digest_alg alg)
{
	static const struct nonce none;
	struct nonce nonce;

	memset(&nonce, 0x5e, sizeof(nonce));
	ck_assert_int_eq(nonce_read(crypto, &keys, text, realm, alg, &nonce),
	    NONCE_UNKNOWN);
	ck_assert_mem_eq(&nonce, &none, sizeof(none));
}

START_TEST(standards_9_2_made)
{
	static const uint8_t random[NONCE_RANDOM_SIZE] = {
		0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff
	};
	char text[NONCE_TEXT_SIZE + 1];

	fixed = random;
	ck_assert_int_eq(nonce_make(crypto, &keys, REALM, vectors[_i].alg,
	    TIME_US, text), 0);
	ck_assert_str_eq(text, vectors[_i].text);
	ck_assert_int_eq(nonce_make(crypto, &keys, SPAN_LIT("EXAMPLE.com"),
	    vectors[_i].alg, TIME_US, text), 0);
	ck_assert_str_eq(text, vectors[_i].text);
}
END_TEST

START_TEST(standards_9_2_read)
{
	struct span text = span_str(vectors[_i].text);
	struct nonce nonce;

	ck_assert_int_eq(nonce_read(crypto, &keys, text, REALM,
	    vectors[_i].alg, &nonce), NONCE_OWN);
	ck_assert_uint_eq(nonce.time_us, TIME_US);
	ck_assert_mem_eq(nonce.node, keys.node, NONCE_NODE_SIZE);
	ck_assert_mem_eq(nonce.random, "\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
	    NONCE_RANDOM_SIZE);
	ck_assert_int_eq(nonce_read(crypto, &keys, text,
	    SPAN_LIT("Example.COM"), vectors[_i].alg, &nonce), NONCE_OWN);
	is_unknown(text, SPAN_LIT("example.org"), vectors[_i].alg);
	is_unknown(text, SPAN_LIT("example.co"), vectors[_i].alg);
	is_unknown(text, SPAN_EMPTY, vectors[_i].alg);
	for (int alg = DIGEST_NONE; alg < DIGEST_ALG_COUNT; alg++)
		if (alg != (int)vectors[_i].alg)
			is_unknown(text, REALM, (enum digest_alg)alg);
	keys.node[7] ^= 1;
	ck_assert_int_eq(nonce_read(crypto, &keys, text, REALM,
	    vectors[_i].alg, &nonce), NONCE_FOREIGN);
	ck_assert_uint_eq(nonce.time_us, TIME_US);
}
END_TEST

/* What would be the algorithm cannot be smuggled in by the realm. */
START_TEST(realm_ends_where_it_ends)
{
	is_unknown(span_str(vectors[1].text), SPAN_LIT("example.com\0MD5"),
	    DIGEST_NONE);
	is_unknown(span_str(vectors[0].text), SPAN_LIT("example.com\0"),
	    DIGEST_NONE);
}
END_TEST

START_TEST(any_other_character)
{
	char text[NONCE_TEXT_SIZE + 1] = PLAIN;
	char was = text[_i];

	for (int c = 0; c < 256; c++) {
		text[_i] = (char)c;
		if ((char)c != was)
			is_unknown(span_mem(text, NONCE_TEXT_SIZE), REALM,
			    DIGEST_NONE);
	}
}
END_TEST

START_TEST(any_other_length)
{
	static const uint8_t long_text[4096];

	for (size_t n = 0; n < NONCE_TEXT_SIZE; n++)
		is_unknown(span_mem(PLAIN, n), REALM, DIGEST_NONE);
	is_unknown(SPAN_LIT(PLAIN "="), REALM, DIGEST_NONE);
	is_unknown(SPAN_LIT(PLAIN "\0"), REALM, DIGEST_NONE);
	is_unknown(SPAN_LIT(PLAIN "A"), REALM, DIGEST_NONE);
	is_unknown(SPAN_LIT(" " PLAIN), REALM, DIGEST_NONE);
	is_unknown(SPAN_LIT(PLAIN PLAIN), REALM, DIGEST_NONE);
	is_unknown(span_mem(long_text, sizeof(long_text)), REALM,
	    DIGEST_NONE);
}
END_TEST

/* The last character has two bits that must be 0. */
START_TEST(one_spelling)
{
	static const char last[] = { 'R', 'S', 'T' };
	char text[] = PLAIN;

	ck_assert_int_eq(text[NONCE_TEXT_SIZE - 1], 'Q');
	for (size_t i = 0; i < COUNT(last); i++) {
		text[NONCE_TEXT_SIZE - 1] = last[i];
		is_unknown(span_mem(text, NONCE_TEXT_SIZE), REALM,
		    DIGEST_NONE);
	}
}
END_TEST

START_TEST(rotation)
{
	struct nonce_keys old = keys, none = { .count = 0 };
	char text[NONCE_TEXT_SIZE + 1], other[NONCE_TEXT_SIZE + 1];
	struct nonce nonce;

	ck_assert_int_eq(nonce_make(crypto, &old, REALM, DIGEST_MD5, 7, text),
	    0);
	memcpy(keys.key[1], keys.key[0], NONCE_KEY_SIZE);
	memset(keys.key[0], 0xa5, NONCE_KEY_SIZE);
	keys.count = 2;
	ck_assert_int_eq(nonce_read(crypto, &keys, span_str(text), REALM,
	    DIGEST_MD5, &nonce), NONCE_OWN);
	ck_assert_uint_eq(nonce.time_us, 7);
	/* The first key makes. */
	ck_assert_int_eq(nonce_make(crypto, &keys, REALM, DIGEST_MD5, 7,
	    other), 0);
	ck_assert_int_eq(nonce_read(crypto, &old, span_str(other), REALM,
	    DIGEST_MD5, &nonce), NONCE_UNKNOWN);
	keys.count = 1;
	is_unknown(span_str(text), REALM, DIGEST_MD5);
	ck_assert_int_eq(nonce_make(crypto, &none, REALM, DIGEST_MD5, 7,
	    text), -ERR_KEY);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(nonce_read(crypto, &none, SPAN_LIT(PLAIN), REALM,
	    DIGEST_NONE, &nonce), NONCE_UNKNOWN);
	nonce_keys_wipe(&keys);
	ck_assert_uint_eq(keys.count, 0);
	ck_assert_uint_eq(keys.key[0][0], 0);
}
END_TEST

START_TEST(never_the_same)
{
	char made[64][NONCE_TEXT_SIZE + 1];

	for (size_t i = 0; i < COUNT(made); i++) {
		ck_assert_int_eq(nonce_make(crypto, &keys, REALM, DIGEST_MD5,
		    UINT64_MAX, made[i]), 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(made[i], made[j]);
		for (size_t j = 0; j < NONCE_TEXT_SIZE; j++)
			ck_assert_ptr_eq(strchr("\"\\,+/= ", made[i][j]),
			    NULL);
	}
}
END_TEST

START_TEST(realm_too_long)
{
	char text[NONCE_TEXT_SIZE + 1];
	uint8_t realm[254];

	memset(realm, 'r', sizeof(realm));
	ck_assert_int_eq(nonce_make(crypto, &keys, span_mem(realm, 253),
	    DIGEST_MD5, 1, text), 0);
	ck_assert_int_eq(nonce_make(crypto, &keys, span_mem(realm, 254),
	    DIGEST_MD5, 1, text), -ERR_TOO_LONG);
	ck_assert_str_eq(text, "");
	is_unknown(SPAN_LIT(PLAIN), span_mem(realm, 254), DIGEST_MD5);
}
END_TEST

static const struct file {
	const char	*text;
	size_t		 count;		/* 0: refused */
	unsigned int	 line;
} files[] = {
	{ B64_KEY, 1, 1 },
	{ HEX_KEY "\n", 1, 1 },
	{ "# nonces\r\n\r\n\t" B64_KEY "  \r\n", 1, 3 },
	{ B64_KEY "\n#" B64_KEY "\n" B64_OTHER "\n", 2, 3 },
	{ HEX_KEY "\n" B64_OTHER, 2, 2 },
	{ "", 0, 0 },
	{ "\n\n# none\n", 0, 3 },
	{ B64_KEY "\n" HEX_KEY "\n", 0, 2 },	/* the same twice */
	{ B64_KEY "\n" B64_OTHER "\n" B64_KEY "\n", 0, 3 },
	{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", 0, 1 },
	{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", 0, 1 },
	{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", 0, 1 },
	{ "k1 " B64_KEY, 0, 1 },
	{ B64_KEY " " B64_OTHER, 0, 1 },
	{ B64_KEY "\nwonderland\n", 0, 2 },
	{ HEX_KEY "0", 0, 1 },
	{ "g" HEX_KEY, 0, 1 },
	{ "00", 0, 1 }
};

START_TEST(key_files)
{
	static const struct nonce_keys none;
	struct nonce_keys got;
	unsigned int line = 77;
	int rc;

	memset(&got, 0x5e, sizeof(got));
	rc = nonce_keys_parse(span_str(files[_i].text), &got, &line);
	ck_assert_int_eq(rc, files[_i].count > 0 ? 0 : -ERR_FORMAT);
	ck_assert_uint_eq(got.count, files[_i].count);
	ck_assert_uint_eq(line, files[_i].line);
	ck_assert_mem_eq(got.node, "^^^^^^^^", NONCE_NODE_SIZE);
	if (rc == 0)
		ck_assert_mem_eq(got.key[0], keys.key[0], NONCE_KEY_SIZE);
	else
		ck_assert_mem_eq(got.key, none.key, sizeof(none.key));
	if (got.count > 1)
		ck_assert_uint_eq(got.key[1][0], 2);
}
END_TEST

START_TEST(key_file_with_nul)
{
	struct nonce_keys got;
	unsigned int line;

	ck_assert_int_eq(nonce_keys_parse(SPAN_LIT(B64_KEY "\n\0\n"), &got,
	    &line), -ERR_FORMAT);
	ck_assert_uint_eq(line, 2);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *s = suite_create("nonce");
	TCase *tc = tcase_create("nonce");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, standards_9_2_made, 0, COUNT(vectors));
	tcase_add_loop_test(tc, standards_9_2_read, 0, COUNT(vectors));
	tcase_add_test(tc, realm_ends_where_it_ends);
	tcase_add_loop_test(tc, any_other_character, 0, NONCE_TEXT_SIZE);
	tcase_add_test(tc, any_other_length);
	tcase_add_test(tc, one_spelling);
	tcase_add_test(tc, rotation);
	tcase_add_test(tc, never_the_same);
	tcase_add_test(tc, realm_too_long);
	tcase_add_loop_test(tc, key_files, 0, COUNT(files));
	tcase_add_test(tc, key_file_with_nul);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(unit_suite)
