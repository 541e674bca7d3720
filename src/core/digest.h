#ifndef ONECRED_DIGEST_H
#define ONECRED_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/span.h"

/* Digest algorithms of RFC 7616 and RFC 8760, best last. */
enum digest_alg {
	DIGEST_NONE = 0,
	DIGEST_MD5,
	DIGEST_SHA_256,
	DIGEST_SHA_512_256,
	DIGEST_ALG_COUNT
};

#define DIGEST_SIZE_MAX	32			/* raw octets of an HA1 */
#define DIGEST_HEX_MAX	(2 * DIGEST_SIZE_MAX)	/* hex digits */

/*
 * What a digest response was computed over: the octets inside the quotes, as
 * received, unescaped where STANDARDS 1.6 asks for it. qop empty means the RFC
 * 2069 formula. body_hash (hex) is needed for auth-int only.
 */
struct digest_params {
	enum digest_alg	alg;	/* DIGEST_NONE: infer, see verify.h */
	bool		sess;	/* -sess; inner HA1 as hex text */
	struct span	username;
	struct span	realm;
	struct span	nonce;
	struct span	uri;
	struct span	method;
	struct span	qop;
	struct span	nc;
	struct span	cnonce;
	struct span	body_hash;
	struct span	response;	/* hex, either case */
};

/*
 * Reads an algorithm token, case-insensitively, with or without quotes; the
 * empty span is MD5 (RFC 3261 22.4). 0 or -ERR_UNSUPPORTED.
 */
int	digest_alg_parse(struct span token, enum digest_alg *alg, bool *sess)
	    __attribute__((warn_unused_result));
const char *digest_alg_name(enum digest_alg alg);	/* "SHA-512-256" */
enum hash_id digest_alg_hash(enum digest_alg alg);
size_t	digest_alg_size(enum digest_alg alg);		/* raw octets */

/* ha1 (digest_alg_size raw octets) = H(username ":" realm ":" password). */
int	digest_ha1(struct crypto *crypto, enum digest_alg alg,
	    struct span username, struct span realm, struct span password,
	    uint8_t *ha1) __attribute__((warn_unused_result));

/*
 * out (2 * digest_alg_size hex digits, no NUL) = the response that the holder
 * of ha1 (raw octets) gives to params, whose alg must be set; params->response
 * is not read. -ERR_FORMAT if qop is neither empty, "auth" nor "auth-int" (any
 * case), or auth-int comes without a body hash, or qop or sess without cnonce
 * and 8 hex digits of nc.
 */
int	digest_response(struct crypto *crypto, const uint8_t *ha1,
	    const struct digest_params *params, uint8_t *out)
	    __attribute__((warn_unused_result));

/* The same with an empty method: rspauth of Authentication-Info. */
int	digest_rspauth(struct crypto *crypto, const uint8_t *ha1,
	    const struct digest_params *params, uint8_t *out)
	    __attribute__((warn_unused_result));

#endif
