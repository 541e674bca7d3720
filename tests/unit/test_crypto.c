/*
 * The primitives: RFC 1321, FIPS 180-4, RFC 2202, RFC 4231, RFC 6070, RFC 7914
 * section 11 and the AES-256 cases of the GCM specification; one handle reused
 * for everything, handles across threads, algorithms that are not to be had,
 * and the process's own OpenSSL settings, which must not matter.
 */

#include <pthread.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "core/crypto.h"
#include "core/err.h"
#include "core/hex.h"
#include "crypto_vectors.h"
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
	ck_assert_ptr_null(crypto);
	crypto_free(&crypto);
}

static bool
is_hex_of(const uint8_t *raw, size_t n, const char *hex)
{
	uint8_t text[256];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	wbuf_hex(&wb, span_mem(raw, n));
	return !wb.failed && span_equal(wbuf_written(&wb), span_str(hex));
}

/* True if p holds n octets of c. */
static bool
is_filled(const uint8_t *p, size_t n, uint8_t c)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != c)
			return false;
	return true;
}

START_TEST(hash_vectors)
{
	struct span parts[4];
	uint8_t out[HASH_SIZE_MAX + 1];
	size_t n = hash_size(hashes[_i].hash);

	memset(out, '#', sizeof(out));
	parts[0] = span_str(hashes[_i].in);
	ck_assert_int_eq(crypto_hash(crypto, hashes[_i].hash, parts, 1, out),
	    0);
	ck_assert(is_hex_of(out, n, hashes[_i].out));
	ck_assert_int_eq(out[n], '#');
	/* The same octets in four parts, one of them nothing. */
	parts[3] = span_tail(parts[0], 1);
	parts[0] = span_head(parts[0], 1);
	parts[1] = SPAN_EMPTY;
	parts[2] = span_head(parts[3], 1);
	parts[3] = span_tail(parts[3], 1);
	ck_assert_int_eq(crypto_hash(crypto, hashes[_i].hash, parts, 4, out),
	    0);
	ck_assert(is_hex_of(out, n, hashes[_i].out));
}
END_TEST

START_TEST(hash_tables)
{
	ck_assert_uint_eq(hash_size(HASH_NONE), 0);
	ck_assert_uint_eq(hash_size(HASH_COUNT), 0);
	ck_assert_uint_eq(hash_size(HASH_MD5), 16);
	ck_assert_uint_eq(hash_size(HASH_SHA_1), 20);
	ck_assert_uint_eq(hash_size(HASH_SHA_512), HASH_SIZE_MAX);
	ck_assert_str_eq(hash_name(HASH_SHA_512_256), "SHA-512-256");
	ck_assert_str_eq(hash_name(HASH_COUNT), "none");
	for (int i = HASH_NONE + 1; i < HASH_COUNT; i++)
		ck_assert(crypto_has(crypto, (enum hash_id)i));
	ck_assert(!crypto_has(crypto, HASH_NONE));
	ck_assert(!crypto_has(crypto, HASH_COUNT));
}
END_TEST

static struct span
make_octets(const struct octets *octets, uint8_t *space)
{
	if (octets->text != NULL)
		return span_str(octets->text);
	memset(space, octets->fill, octets->n);
	return span_mem(space, octets->n);
}

/*
 * All of them on one handle, one after the other: a key must not survive into
 * the next call, least of all where that one's key is empty.
 */
START_TEST(hmac_vectors)
{
	uint8_t key[256], data[256], out[HASH_SIZE_MAX];

	for (size_t i = 0; i < COUNT(hmacs); i++) {
		struct span parts[3];
		struct span k = make_octets(&hmacs[i].key, key);

		parts[0] = make_octets(&hmacs[i].data, data);
		ck_assert_int_eq(crypto_hmac(crypto, hmacs[i].hash, k, parts,
		    1, out), 0);
		ck_assert_msg(is_hex_of(out, hash_size(hmacs[i].hash),
		    hmacs[i].out), "%s", hmacs[i].name);
		parts[1] = SPAN_EMPTY;
		parts[2] = span_tail(parts[0], 3);
		parts[0] = span_head(parts[0], 3);
		ck_assert_int_eq(crypto_hmac(crypto, hmacs[i].hash, k, parts,
		    3, out), 0);
		ck_assert_msg(is_hex_of(out, hash_size(hmacs[i].hash),
		    hmacs[i].out), "%s, in parts", hmacs[i].name);
	}
}
END_TEST

START_TEST(pbkdf2_vectors)
{
	uint8_t out[HASH_SIZE_MAX];

	ck_assert_int_eq(crypto_pbkdf2(crypto, pbkdf2s[_i].hash,
	    pbkdf2s[_i].password, pbkdf2s[_i].salt, pbkdf2s[_i].iterations,
	    out), 0);
	ck_assert_msg(is_hex_of(out, hash_size(pbkdf2s[_i].hash),
	    pbkdf2s[_i].out), "%s", pbkdf2s[_i].name);
}
END_TEST

START_TEST(pbkdf2_zero_iterations)
{
	uint8_t out[HASH_SIZE_MAX];

	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(crypto_pbkdf2(crypto, HASH_SHA_256, SPAN_LIT("p"),
	    SPAN_LIT("s"), 0, out), -ERR_CRYPTO);
	ck_assert(is_filled(out, 32, 0));
	/* Neither the password nor the failure stays behind. */
	ck_assert_int_eq(crypto_pbkdf2(crypto, HASH_SHA_1,
	    SPAN_LIT("password"), SPAN_LIT("salt"), 1, out), 0);
	ck_assert(is_hex_of(out, 20,
	    "0c60c80f961f0e71f3a9b524af6012062fe037a6"));
}
END_TEST

struct gcm {
	uint8_t	key[GCM_KEY_SIZE], nonce[GCM_NONCE_SIZE], tag[GCM_TAG_SIZE];
	uint8_t	aad[32], plain[64], sealed[64];
	size_t	aad_n, n;
};

static void
unhex(const char *hex, uint8_t *out, size_t n)
{
	ck_assert_int_eq(hex_decode(span_str(hex), out, n), 0);
}

static void
gcm_vector(size_t i, struct gcm *g)
{
	memset(g, 0, sizeof(*g));
	g->aad_n = strlen(gcms[i].aad) / 2;
	g->n = strlen(gcms[i].plain) / 2;
	unhex(gcms[i].key, g->key, sizeof(g->key));
	unhex(gcms[i].nonce, g->nonce, sizeof(g->nonce));
	unhex(gcms[i].tag, g->tag, sizeof(g->tag));
	unhex(gcms[i].aad, g->aad, g->aad_n);
	unhex(gcms[i].plain, g->plain, g->n);
	unhex(gcms[i].sealed, g->sealed, g->n);
}

static int
gcm_open(const struct gcm *g, uint8_t *out)
{
	return crypto_gcm_open(crypto, g->key, g->nonce,
	    span_mem(g->aad, g->aad_n), span_mem(g->sealed, g->n), g->tag,
	    out);
}

START_TEST(gcm_vectors)
{
	uint8_t out[64], tag[GCM_TAG_SIZE];
	struct gcm g;

	gcm_vector((size_t)_i, &g);
	ck_assert_int_eq(crypto_gcm_seal(crypto, g.key, g.nonce,
	    span_mem(g.aad, g.aad_n), span_mem(g.plain, g.n), out, tag), 0);
	ck_assert_int_eq(memcmp(out, g.sealed, g.n), 0);
	ck_assert_int_eq(memcmp(tag, g.tag, sizeof(tag)), 0);
	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(gcm_open(&g, out), 0);
	ck_assert_int_eq(memcmp(out, g.plain, g.n), 0);
	ck_assert_int_eq(out[g.n < 64 ? g.n : 63], 'z');
}
END_TEST

/* Each octet of key, nonce, associated data, text and tag is bound. */
START_TEST(gcm_altered)
{
	struct gcm good, g;
	const struct {
		uint8_t *p;
		size_t n;
	} fields[] = {
		{ g.key, sizeof(g.key) }, { g.nonce, sizeof(g.nonce) },
		{ g.aad, 20 }, { g.sealed, 60 }, { g.tag, sizeof(g.tag) }
	};
	uint8_t out[64];

	gcm_vector(2, &good);
	for (size_t f = 0; f < COUNT(fields); f++)
		for (size_t i = 0; i < fields[f].n; i++) {
			g = good;
			fields[f].p[i] ^= 1;
			memset(out, 'z', sizeof(out));
			ck_assert_int_eq(gcm_open(&g, out), -ERR_KEY);
			ck_assert(is_filled(out, g.n, 0));
		}
	g = good;
	g.aad_n--;
	ck_assert_int_eq(gcm_open(&g, out), -ERR_KEY);
	g = good;
	g.n--;
	ck_assert_int_eq(gcm_open(&g, out), -ERR_KEY);
	/* A failure leaves a handle that works. */
	ck_assert_int_eq(gcm_open(&good, out), 0);
	ck_assert_int_eq(memcmp(out, good.plain, good.n), 0);
}
END_TEST

START_TEST(random_octets)
{
	uint8_t one[32], two[32];

	memset(one, 0, sizeof(one));
	memset(two, 0, sizeof(two));
	ck_assert_int_eq(crypto_random(crypto, one, 31), 0);
	ck_assert_int_eq(crypto_random(crypto, two, 31), 0);
	ck_assert_int_ne(memcmp(one, two, 31), 0);
	ck_assert(!is_filled(one, 31, 0));
	ck_assert_int_eq(one[31], 0);
	ck_assert_int_eq(crypto_random(crypto, one, 0), 0);
}
END_TEST

/* What the FIPS provider lacks is missing by name, and nothing else helps. */
START_TEST(fips_lacks_md5)
{
	struct crypto *fips, *copy;
	uint8_t out[HASH_SIZE_MAX], tag[GCM_TAG_SIZE];
	struct span part = SPAN_LIT("x");
	struct gcm g;

	ck_assert_int_eq(crypto_new("fips=yes", &fips), 0);
	ck_assert_int_eq(crypto_dup(fips, &copy), 0);
	crypto_free(&fips);
	ck_assert(!crypto_has(copy, HASH_MD5));
	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(crypto_hash(copy, HASH_MD5, &part, 1, out),
	    -ERR_UNSUPPORTED);
	ck_assert(is_filled(out, 16, 0));
	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(crypto_hmac(copy, HASH_MD5, part, &part, 1, out),
	    -ERR_UNSUPPORTED);
	ck_assert(is_filled(out, 16, 0));
	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(crypto_pbkdf2(copy, HASH_MD5, part, part, 4096, out),
	    -ERR_UNSUPPORTED);
	ck_assert(is_filled(out, 16, 0));
	/* A property that nobody has leaves out the cipher as well. */
	crypto_free(&copy);
	ck_assert_int_eq(crypto_new("onecred.test=yes", &fips), 0);
	for (int i = HASH_NONE + 1; i < HASH_COUNT; i++)
		ck_assert(!crypto_has(fips, (enum hash_id)i));
	gcm_vector(2, &g);
	ck_assert_int_eq(crypto_gcm_seal(fips, g.key, g.nonce, SPAN_EMPTY,
	    span_mem(g.plain, g.n), out, tag), -ERR_UNSUPPORTED);
	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(crypto_gcm_open(fips, g.key, g.nonce, SPAN_EMPTY,
	    span_mem(g.sealed, g.n), g.tag, out), -ERR_UNSUPPORTED);
	ck_assert(is_filled(out, g.n, 0));
	ck_assert_int_eq(crypto_random(fips, out, 8), 0);
	crypto_free(&fips);
}
END_TEST

START_TEST(no_such_hash)
{
	static const enum hash_id none[] = { HASH_NONE, HASH_COUNT };
	struct span part = SPAN_LIT("x");
	uint8_t out[1] = { 'z' };

	for (size_t i = 0; i < COUNT(none); i++) {
		ck_assert_int_eq(crypto_hash(crypto, none[i], &part, 1, out),
		    -ERR_UNSUPPORTED);
		ck_assert_int_eq(crypto_hmac(crypto, none[i], part, &part, 1,
		    out), -ERR_UNSUPPORTED);
		ck_assert_int_eq(crypto_pbkdf2(crypto, none[i], part, part,
		    1, out), -ERR_UNSUPPORTED);
		ck_assert_int_eq(out[0], 'z');
	}
}
END_TEST

/*
 * A host program (or its openssl.cnf) that asks for FIPS by default takes MD5
 * away from itself, not from us. Runs in a process of its own, or last.
 */
START_TEST(default_properties_do_not_matter)
{
	struct crypto *ours;
	struct span part = SPAN_LIT("abc");
	uint8_t out[HASH_SIZE_MAX];
	EVP_MD *md;

	ck_assert_int_eq(EVP_set_default_properties(NULL, "fips=yes"), 1);
	md = EVP_MD_fetch(NULL, "MD5", NULL);
	ck_assert_ptr_null(md);
	ck_assert_int_eq(crypto_new(NULL, &ours), 0);
	ck_assert_int_eq(crypto_hash(ours, HASH_MD5, &part, 1, out), 0);
	ck_assert(is_hex_of(out, 16, "900150983cd24fb0d6963f7d28e17f72"));
	ck_assert_int_eq(crypto_hmac(ours, HASH_MD5, SPAN_LIT("Jefe"),
	    &SPAN_LIT("what do ya want for nothing?"), 1, out), 0);
	ck_assert(is_hex_of(out, 16, "750c783e6ab0b503eaa86e310a5db738"));
	ck_assert_int_eq(crypto_pbkdf2(ours, HASH_SHA_1, SPAN_LIT("password"),
	    SPAN_LIT("salt"), 2, out), 0);
	ck_assert(is_hex_of(out, 20,
	    "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"));
	crypto_free(&ours);
	ck_assert_int_eq(EVP_set_default_properties(NULL, ""), 1);
	ERR_clear_error();
}
END_TEST

/* The error queue is the host program's: TLS code there trusts it. */
START_TEST(error_queue)
{
	struct crypto *fips;
	uint8_t out[64];
	struct gcm g;

	ERR_clear_error();
	gcm_vector(2, &g);
	g.tag[0] ^= 1;
	for (int round = 0; round < 2; round++) {
		unsigned long before = ERR_peek_error();

		ck_assert_int_eq(crypto_new("fips=yes", &fips), 0);
		crypto_free(&fips);
		ck_assert_int_eq(gcm_open(&g, out), -ERR_KEY);
		ck_assert_int_eq(crypto_pbkdf2(crypto, HASH_SHA_1,
		    SPAN_LIT("p"), SPAN_LIT("s"), 0, out), -ERR_CRYPTO);
		/* Nothing came, and in the second round nothing went. */
		ck_assert_uint_eq(ERR_peek_error(), before);
		ck_assert_uint_eq(ERR_peek_last_error(), before);
		ck_assert_int_eq(before != 0, round);
		ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
	}
	ERR_clear_error();
}
END_TEST

#define THREADS	4

struct worker {
	pthread_t	 thread;
	struct crypto	*crypto;
	bool		 ok;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	const struct span part = SPAN_LIT("abc");
	uint8_t out[HASH_SIZE_MAX];
	bool ok = true;

	for (int i = 0; ok && i < 50; i++) {
		struct crypto *copy;

		ok = crypto_hash(w->crypto, HASH_MD5, &part, 1, out) == 0 &&
		    is_hex_of(out, 16, hashes[1].out) &&
		    crypto_hmac(w->crypto, HASH_SHA_1, SPAN_LIT("Jefe"),
		    &SPAN_LIT("what do ya want for nothing?"), 1, out) == 0 &&
		    is_hex_of(out, 20,
		    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79") &&
		    crypto_pbkdf2(w->crypto, HASH_SHA_1, SPAN_LIT("password"),
		    SPAN_LIT("salt"), 2, out) == 0 &&
		    is_hex_of(out, 20, pbkdf2s[1].out) &&
		    crypto_random(w->crypto, out, 16) == 0 &&
		    crypto_dup(w->crypto, &copy) == 0;
		if (ok)
			crypto_free(&copy);
	}
	w->ok = ok;
	return NULL;
}

/* The first handle goes first; what it shares lives until the last is gone. */
START_TEST(handles_across_threads)
{
	struct worker workers[THREADS];
	struct crypto *first;

	ck_assert_int_eq(crypto_new(NULL, &first), 0);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(crypto_dup(first, &workers[i].crypto), 0);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
		    work, &workers[i]), 0);
	crypto_free(&first);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
		ck_assert(workers[i].ok);
	}
	/* NB: not in the threads, see crypto_free(). */
	for (size_t i = 0; i < THREADS; i++)
		crypto_free(&workers[i].crypto);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("crypto");
	TCase *tc = tcase_create("crypto");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, hash_vectors, 0, COUNT(hashes));
	tcase_add_test(tc, hash_tables);
	tcase_add_test(tc, hmac_vectors);
	tcase_add_loop_test(tc, pbkdf2_vectors, 0, COUNT(pbkdf2s));
	tcase_add_test(tc, pbkdf2_zero_iterations);
	tcase_add_loop_test(tc, gcm_vectors, 0, COUNT(gcms));
	tcase_add_test(tc, gcm_altered);
	tcase_add_test(tc, random_octets);
	tcase_add_test(tc, fips_lacks_md5);
	tcase_add_test(tc, no_such_hash);
	tcase_add_test(tc, error_queue);
	tcase_add_test(tc, handles_across_threads);
	tcase_add_test(tc, default_properties_do_not_matter);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
