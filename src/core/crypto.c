/*
 * The primitives, from a library context of our own: no configuration file,
 * engine or default property of the process changes what we compute with.
 * Every result of the library is checked; on failure the output is cleared.
 */

#include "core/crypto.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "core/err.h"
#include "core/secret.h"

struct hash_spec {
	const char	*name;		/* for messages */
	const char	*fetch;		/* as OpenSSL names it */
	size_t		 size;
};

static const struct hash_spec hash_specs[HASH_COUNT] = {
	[HASH_NONE] = { "none", NULL, 0 },
	[HASH_MD5] = { "MD5", "MD5", 16 },
	[HASH_SHA_1] = { "SHA-1", "SHA1", 20 },
	[HASH_SHA_256] = { "SHA-256", "SHA256", 32 },
	[HASH_SHA_512] = { "SHA-512", "SHA512", 64 },
	[HASH_SHA_512_256] = { "SHA-512-256", "SHA512-256", 32 }
};

/* Shared by all handles made from one; the last one frees it. */
struct crypto_library {
	atomic_uint	 users;
	OSSL_LIB_CTX	*context;
	EVP_MD		*md[HASH_COUNT];
	EVP_MAC		*hmac;
	EVP_KDF		*pbkdf2;
	EVP_CIPHER	*gcm;
};

struct crypto {
	struct crypto_library	*library;
	EVP_MD_CTX		*md;
	EVP_MAC_CTX		*hmac[HASH_COUNT];	/* made when needed */
	EVP_KDF_CTX		*pbkdf2;
	EVP_CIPHER_CTX		*gcm;
};

static void
library_drop(struct crypto_library *library)
{
	if (library == NULL || atomic_fetch_sub(&library->users, 1) != 1)
		return;
	for (size_t i = 0; i < HASH_COUNT; i++)
		EVP_MD_free(library->md[i]);
	EVP_MAC_free(library->hmac);
	EVP_KDF_free(library->pbkdf2);
	EVP_CIPHER_free(library->gcm);
	OSSL_LIB_CTX_free(library->context);
	free(library);
}

/*
 * Whether a fetch failed for another reason than that no provider has it: out
 * of memory must not look like an algorithm that is not to be had.
 */
static bool
is_fault(const void *fetched)
{
	unsigned long error = ERR_peek_last_error();

	return fetched == NULL && error != 0 &&
	    ERR_GET_REASON(error) != ERR_R_UNSUPPORTED;
}

static int
library_fetch(struct crypto_library *library, const char *properties)
{
	bool fault = false;

	for (size_t i = HASH_NONE + 1; i < HASH_COUNT; i++) {
		library->md[i] = EVP_MD_fetch(library->context,
		    hash_specs[i].fetch, properties);
		fault |= is_fault(library->md[i]);
	}
	library->hmac = EVP_MAC_fetch(library->context, "HMAC", properties);
	fault |= is_fault(library->hmac);
	library->pbkdf2 = EVP_KDF_fetch(library->context, "PBKDF2",
	    properties);
	fault |= is_fault(library->pbkdf2);
	library->gcm = EVP_CIPHER_fetch(library->context, "AES-256-GCM",
	    properties);
	fault |= is_fault(library->gcm);
	/* Without this one the default provider was not loaded at all. */
	if (properties == NULL && library->md[HASH_SHA_256] == NULL)
		fault = true;
	return fault ? -ERR_CRYPTO : 0;
}

static int
library_new(const char *properties, struct crypto_library **out)
{
	struct crypto_library *library = calloc(1, sizeof(*library));
	int rc = -ERR_NOMEM;

	*out = NULL;
	if (library == NULL)
		return -ERR_NOMEM;
	atomic_init(&library->users, 1);
	/*
	 * The queue of errors belongs to the thread, not to us: one left in
	 * it makes a TLS connection of the host program look broken.
	 */
	ERR_set_mark();
	library->context = OSSL_LIB_CTX_new();
	if (library->context != NULL)
		rc = library_fetch(library, properties);
	ERR_pop_to_mark();
	if (rc != 0) {
		library_drop(library);
		return rc;
	}
	*out = library;
	return 0;
}

/* Takes over one use of library. */
static int
handle_new(struct crypto_library *library, struct crypto **out)
{
	struct crypto *crypto = calloc(1, sizeof(*crypto));

	*out = NULL;
	if (crypto == NULL) {
		library_drop(library);
		return -ERR_NOMEM;
	}
	crypto->library = library;
	crypto->md = EVP_MD_CTX_new();
	crypto->gcm = EVP_CIPHER_CTX_new();
	if (library->pbkdf2 != NULL)
		crypto->pbkdf2 = EVP_KDF_CTX_new(library->pbkdf2);
	if (crypto->md == NULL || crypto->gcm == NULL ||
	    (library->pbkdf2 != NULL && crypto->pbkdf2 == NULL)) {
		crypto_free(&crypto);
		return -ERR_NOMEM;
	}
	*out = crypto;
	return 0;
}

int
crypto_new(const char *properties, struct crypto **out)
{
	struct crypto_library *library;
	int rc;

	*out = NULL;
	rc = library_new(properties, &library);
	return rc != 0 ? rc : handle_new(library, out);
}

int
crypto_dup(const struct crypto *from, struct crypto **out)
{
	atomic_fetch_add(&from->library->users, 1);
	return handle_new(from->library, out);
}

void
crypto_free(struct crypto **crypto)
{
	struct crypto *c = *crypto;

	*crypto = NULL;
	if (c == NULL)
		return;
	EVP_MD_CTX_free(c->md);
	for (size_t i = 0; i < HASH_COUNT; i++)
		EVP_MAC_CTX_free(c->hmac[i]);
	EVP_KDF_CTX_free(c->pbkdf2);
	EVP_CIPHER_CTX_free(c->gcm);
	library_drop(c->library);
	free(c);
}

bool
crypto_has(const struct crypto *crypto, enum hash_id hash)
{
	return hash > HASH_NONE && hash < HASH_COUNT &&
	    crypto->library->md[hash] != NULL;
}

size_t
hash_size(enum hash_id hash)
{
	return hash < HASH_COUNT ? hash_specs[hash].size : 0;
}

const char *
hash_name(enum hash_id hash)
{
	return hash < HASH_COUNT ? hash_specs[hash].name : "none";
}

int
crypto_hash(struct crypto *crypto, enum hash_id hash,
    const struct span *parts, size_t count, uint8_t *out)
{
	unsigned int n = 0;
	int ok;

	if (!crypto_has(crypto, hash)) {
		secret_wipe(out, hash_size(hash));
		return -ERR_UNSUPPORTED;
	}
	ok = EVP_DigestInit_ex2(crypto->md, crypto->library->md[hash], NULL);
	for (size_t i = 0; ok == 1 && i < count; i++)
		ok = EVP_DigestUpdate(crypto->md, parts[i].p, parts[i].n);
	if (ok == 1)
		ok = EVP_DigestFinal_ex(crypto->md, out, &n);
	if (ok != 1 || n != hash_size(hash)) {
		secret_wipe(out, hash_size(hash));
		return -ERR_CRYPTO;
	}
	return 0;
}

/* The HMAC context for hash, made at its first use; NULL: out of memory. */
static EVP_MAC_CTX *
hmac_context(struct crypto *crypto, enum hash_id hash)
{
	char name[16] = "";
	OSSL_PARAM params[2];
	EVP_MAC_CTX *ctx = crypto->hmac[hash];

	if (ctx != NULL)
		return ctx;
	ctx = EVP_MAC_CTX_new(crypto->library->hmac);
	if (ctx == NULL)
		return NULL;
	for (size_t i = 0; hash_specs[hash].fetch[i] != '\0'; i++)
		name[i] = hash_specs[hash].fetch[i];
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    name, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	crypto->hmac[hash] = ctx;
	return ctx;
}

int
crypto_hmac(struct crypto *crypto, enum hash_id hash, struct span key,
    const struct span *parts, size_t count, uint8_t *out)
{
	static const uint8_t no_key[1] = { 0 };
	EVP_MAC_CTX *ctx = NULL;
	size_t n = 0;
	int ok;

	if (!crypto_has(crypto, hash) || crypto->library->hmac == NULL) {
		secret_wipe(out, hash_size(hash));
		return -ERR_UNSUPPORTED;
	}
	ctx = hmac_context(crypto, hash);
	/* A NULL key would mean "the key of the last call". */
	ok = ctx == NULL ? 0 :
	    EVP_MAC_init(ctx, key.n == 0 ? no_key : key.p, key.n, NULL);
	for (size_t i = 0; ok == 1 && i < count; i++)
		ok = EVP_MAC_update(ctx, parts[i].p, parts[i].n);
	if (ok == 1)
		ok = EVP_MAC_final(ctx, out, &n, hash_size(hash));
	/* Drops the library's copy of the key. */
	if (ctx != NULL)
		(void)EVP_MAC_init(ctx, no_key, 0, NULL);
	if (ok != 1 || n != hash_size(hash)) {
		secret_wipe(out, hash_size(hash));
		return -ERR_CRYPTO;
	}
	return 0;
}

/* OSSL_PARAM knows no const; the library only reads what we hand it. */
static void *
unconst(const void *p)
{
	const union {
		const void	*in;
		void		*out;
	} u = { p };

	return u.out;
}

int
crypto_pbkdf2(struct crypto *crypto, enum hash_id hash, struct span password,
    struct span salt, uint32_t iterations, uint8_t *out)
{
	static const uint8_t nothing[1] = { 0 };
	OSSL_PARAM params[6];
	unsigned int rounds = iterations;
	/* NB: our own bounds hold; the FIPS lower bounds are not wanted. */
	int lenient = 1;

	if (!crypto_has(crypto, hash) || crypto->pbkdf2 == NULL) {
		secret_wipe(out, hash_size(hash));
		return -ERR_UNSUPPORTED;
	}
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
	    unconst(hash_specs[hash].fetch), 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
	    unconst(password.n == 0 ? nothing : password.p), password.n);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
	    unconst(salt.n == 0 ? nothing : salt.p), salt.n);
	params[3] = OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &rounds);
	params[4] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &lenient);
	params[5] = OSSL_PARAM_construct_end();
	EVP_KDF_CTX_reset(crypto->pbkdf2);
	if (iterations == 0 || EVP_KDF_derive(crypto->pbkdf2, out,
	    hash_size(hash), params) != 1) {
		secret_wipe(out, hash_size(hash));
		EVP_KDF_CTX_reset(crypto->pbkdf2);
		return -ERR_CRYPTO;
	}
	/* Drops the library's copy of the password. */
	EVP_KDF_CTX_reset(crypto->pbkdf2);
	return 0;
}

int
crypto_random(struct crypto *crypto, uint8_t *out, size_t n)
{
	if (RAND_bytes_ex(crypto->library->context, out, n, 0) != 1) {
		secret_wipe(out, n);
		return -ERR_CRYPTO;
	}
	return 0;
}

/*
 * Runs in through the cipher. encrypt: 1 seals and fills tag, 0 opens and
 * checks it. 0, -ERR_KEY (tag does not match) or -ERR_CRYPTO; on error out is
 * cleared.
 */
static int
gcm_run(struct crypto *crypto, int encrypt, const uint8_t *key,
    const uint8_t *nonce, struct span aad, struct span in, uint8_t *out,
    uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = crypto->gcm;
	uint8_t none[GCM_TAG_SIZE];
	int n = 0, rc = 0;
	bool ok, done;

	ERR_set_mark();
	ok = EVP_CipherInit_ex2(ctx, crypto->library->gcm, key, nonce,
	    encrypt, NULL) == 1;
	if (ok && aad.n > 0)
		ok = EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) == 1;
	if (ok && in.n > 0)
		ok = EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) == 1 &&
		    (size_t)n == in.n;
	if (ok && encrypt == 0)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
		    GCM_TAG_SIZE, tag) == 1;
	done = ok && EVP_CipherFinal_ex(ctx, none, &n) == 1;
	if (done && encrypt == 1)
		done = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
		    GCM_TAG_SIZE, tag) == 1;
	if (!done)
		rc = ok && encrypt == 0 ? -ERR_KEY : -ERR_CRYPTO;
	(void)EVP_CIPHER_CTX_reset(ctx);
	ERR_pop_to_mark();
	if (rc != 0)
		secret_wipe(out, in.n);
	return rc;
}

int
crypto_gcm_seal(struct crypto *crypto, const uint8_t *key,
    const uint8_t *nonce, struct span aad, struct span plain, uint8_t *out,
    uint8_t *tag)
{
	if (crypto->library->gcm == NULL)
		return -ERR_UNSUPPORTED;
	if (plain.n > INT_MAX || aad.n > INT_MAX)
		return -ERR_TOO_LONG;
	return gcm_run(crypto, 1, key, nonce, aad, plain, out, tag);
}

int
crypto_gcm_open(struct crypto *crypto, const uint8_t *key,
    const uint8_t *nonce, struct span aad, struct span sealed,
    const uint8_t *tag, uint8_t *out)
{
	uint8_t copy[GCM_TAG_SIZE];
	int rc = 0;

	if (crypto->library->gcm == NULL)
		rc = -ERR_UNSUPPORTED;
	else if (sealed.n > INT_MAX || aad.n > INT_MAX)
		rc = -ERR_TOO_LONG;
	if (rc != 0) {
		secret_wipe(out, sealed.n);
		return rc;
	}
	for (size_t i = 0; i < sizeof(copy); i++)
		copy[i] = tag[i];
	return gcm_run(crypto, 0, key, nonce, aad, sealed, out, copy);
}
