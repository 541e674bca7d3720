#ifndef ONECRED_NONCE_H
#define ONECRED_NONCE_H

#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/digest.h"
#include "core/span.h"

/*
 * Stateless nonces (STANDARDS 9.2):
 *	b64url(ver(1) | time_us(8) | node(8) | random(8) | mac(16))
 *	mac = HMAC-SHA256(key, ver | time | node | random | realm [| 0 | alg])
 * where alg is the algorithm's name; without one (DIGEST_NONE) the format is
 * that of the vector there. The realm is folded to lower case.
 */
#define NONCE_KEY_SIZE	32	/* octets */
#define NONCE_KEYS_MAX	2	/* the second one still opens, in rotation */
#define NONCE_NODE_SIZE	8
#define NONCE_RANDOM_SIZE 8
#define NONCE_TEXT_SIZE	55	/* characters */

/* Holds secrets: nonce_keys_wipe(). The first key makes, all read. */
struct nonce_keys {
	uint8_t	key[NONCE_KEYS_MAX][NONCE_KEY_SIZE];
	size_t	count;
	uint8_t	node[NONCE_NODE_SIZE];	/* drawn at each start */
};

enum nonce_origin {
	NONCE_UNKNOWN = 0,	/* not ours: forged, other realm or algorithm */
	NONCE_OWN,		/* of this process */
	NONCE_FOREIGN		/* our key, another node or before a restart */
};

struct nonce {
	uint64_t time_us;	/* since 1970 */
	uint8_t	 node[NONCE_NODE_SIZE];
	uint8_t	 random[NONCE_RANDOM_SIZE];
};

/*
 * Reads a key file: one base64 or hex key of 32 octets per line, '#'
 * comments, blank lines; one or two keys. 0 or -ERR_FORMAT with the line.
 * node is left alone; keys are wiped on error.
 */
int	nonce_keys_parse(struct span text, struct nonce_keys *keys,
	    unsigned int *line) __attribute__((warn_unused_result));
void	nonce_keys_wipe(struct nonce_keys *keys);

/* Writes NONCE_TEXT_SIZE characters and a NUL. */
int	nonce_make(struct crypto *crypto, const struct nonce_keys *keys,
	    struct span realm, enum digest_alg alg, uint64_t now_us,
	    char *out) __attribute__((warn_unused_result));

/* out is zeroed if UNKNOWN (also on a fault of the crypto library). */
enum nonce_origin nonce_read(struct crypto *crypto,
	    const struct nonce_keys *keys, struct span text,
	    struct span realm, enum digest_alg alg, struct nonce *out);

#endif
