#ifndef ONECRED_CRYPTO_H
#define ONECRED_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"

enum hash_id {
	HASH_NONE = 0,
	HASH_MD5,
	HASH_SHA_1,
	HASH_SHA_256,
	HASH_SHA_512,
	HASH_SHA_512_256,	/* FIPS 180-4 SHA-512/256, not a cut SHA-512 */
	HASH_COUNT
};

#define HASH_SIZE_MAX	64	/* octets of the longest result */
#define GCM_KEY_SIZE	32	/* AES-256 */
#define GCM_NONCE_SIZE	12
#define GCM_TAG_SIZE	16

/*
 * The primitives, fetched once from a library context of our own, with the
 * working contexts that are reused from call to call. A handle belongs to one
 * thread at a time; crypto_dup() makes one for another thread.
 */
struct crypto;

/*
 * properties: OpenSSL property query for every fetch, or NULL ("fips=yes"
 * leaves out what the FIPS provider does not have). A primitive that no
 * provider has is missing, not an error: crypto_has() tells, and its calls
 * return -ERR_UNSUPPORTED. 0, -ERR_NOMEM or -ERR_CRYPTO (the library failed,
 * or without properties has not even SHA-256). Owner: the caller.
 */
int	crypto_new(const char *properties, struct crypto **out)
	    __attribute__((warn_unused_result));
int	crypto_dup(const struct crypto *from, struct crypto **out)
	    __attribute__((warn_unused_result));

/*
 * The last handle takes the library context with it. NB: OpenSSL keeps a
 * generator of random numbers per thread, which it drops when the thread ends,
 * by way of that context: threads that called crypto_random() must have ended
 * before.
 */
void	crypto_free(struct crypto **crypto);

bool	crypto_has(const struct crypto *crypto, enum hash_id hash);

/* Octets of a result; 0 for HASH_NONE. */
size_t	hash_size(enum hash_id hash);

/* "MD5", "SHA-512-256"; for messages. */
const char *hash_name(enum hash_id hash);

/*
 * out (hash_size octets) = H(parts[0] | parts[1] | ...). 0,
 * -ERR_UNSUPPORTED or -ERR_CRYPTO; on error out is cleared.
 */
int	crypto_hash(struct crypto *crypto, enum hash_id hash,
	    const struct span *parts, size_t count, uint8_t *out)
	    __attribute__((warn_unused_result));

/* out = HMAC(key, parts[0] | parts[1] | ...), RFC 2104. Errors as above. */
int	crypto_hmac(struct crypto *crypto, enum hash_id hash, struct span key,
	    const struct span *parts, size_t count, uint8_t *out)
	    __attribute__((warn_unused_result));

/*
 * out (hash_size octets) = PBKDF2-HMAC-H (RFC 8018 5.2) with dkLen = hLen.
 * Milliseconds of work: not for the event loop. Errors as above.
 */
int	crypto_pbkdf2(struct crypto *crypto, enum hash_id hash,
	    struct span password, struct span salt, uint32_t iterations,
	    uint8_t *out) __attribute__((warn_unused_result));

/* n unpredictable octets. 0 or -ERR_CRYPTO. */
int	crypto_random(struct crypto *crypto, uint8_t *out, size_t n)
	    __attribute__((warn_unused_result));

/*
 * AES-256-GCM. out has plain.n octets; nonce must never repeat under a key.
 */
int	crypto_gcm_seal(struct crypto *crypto, const uint8_t *key,
	    const uint8_t *nonce, struct span aad, struct span plain,
	    uint8_t *out, uint8_t *tag) __attribute__((warn_unused_result));

/*
 * out has sealed.n octets. -ERR_KEY if the tag does not match; out is cleared
 * on any error.
 */
int	crypto_gcm_open(struct crypto *crypto, const uint8_t *key,
	    const uint8_t *nonce, struct span aad, struct span sealed,
	    const uint8_t *tag, uint8_t *out)
	    __attribute__((warn_unused_result));

#endif
