#ifndef ONECRED_TOKEN_H
#define ONECRED_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/nonce.h"
#include "core/span.h"
#include "core/wbuf.h"

/*
 * Sealed tokens: what a peer keeps for us between two steps, which nobody
 * without the nonce key can read, change or make.
 *	ver(1) | time_us(8) | nonce(12) | AES-256-GCM(text) | tag(16)
 * The key is HKDF-SHA256 (RFC 5869, no salt) of a nonce key with label as
 * info; label and the first nine octets are authenticated too.
 */
#define TOKEN_OVERHEAD	37	/* octets beside the text */

/* Seals text with the first key. 0, -ERR_TOO_LONG (out) or -ERR_CRYPTO. */
int	token_seal(struct crypto *crypto, const struct nonce_keys *keys,
	    struct span label, uint64_t now_us, struct span text,
	    struct wbuf *out) __attribute__((warn_unused_result));

/*
 * Opens a token of any of the keys that is at most max_us old (and at most 5 s
 * from the future). 0; -ERR_FORMAT, -ERR_KEY (forged, another label, or a key
 * that has gone), -ERR_TOO_LONG (too old, or out is too small). Nothing is
 * written on error.
 */
int	token_open(struct crypto *crypto, const struct nonce_keys *keys,
	    struct span label, uint64_t now_us, uint64_t max_us,
	    struct span token, struct wbuf *out)
	    __attribute__((warn_unused_result));

#endif
