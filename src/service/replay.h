#ifndef ONECRED_REPLAY_H
#define ONECRED_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/nonce.h"
#include "core/span.h"

/*
 * Which (realm, nonce, nc) were used, and for which request (DESIGN 6.4, 6.8).
 * An entry begins with the first use that was right and ends with the nonce.
 * Bounded: a full table evicts the oldest nonce and raises a floor below
 * which nonces without an entry are stale. Never falls back to "allow".
 */
struct replay;

struct replay_settings {
	size_t		 entries;	/* nonces that are kept */
	uint64_t	 lifetime_us;	/* of a nonce: nonce_lifetime */
	uint64_t	 foreign_us;	/* foreign_window: age at which another
					   node's nonce may still be used once;
					   0: never */
};

enum replay_answer {
	REPLAY_STALE = 0,	/* too old, from the future, evicted, used for
				   something else, out of the nc window */
	REPLAY_FRESH,		/* the first use: noted */
	REPLAY_AGAIN		/* the same request as before */
};

struct replay_use {
	enum nonce_origin origin;	/* UNKNOWN is always stale */
	const struct nonce *nonce;
	struct span	 realm;
	uint32_t	 nc;		/* 0: without qop, one use per nonce */
	const uint8_t	*fingerprint;	/* SIP_FINGERPRINT_SIZE octets */
};

/* NULL: no memory. seed: 16 unpredictable octets, against chosen chains. */
struct replay	*replay_new(const struct replay_settings *settings,
		    const uint8_t *seed);
void		 replay_free(struct replay **replay);

/* Judges a use whose digest was right, and notes it. */
enum replay_answer replay_use(struct replay *replay,
		    const struct replay_use *use, uint64_t now_us);

/* Marks a nonce as used up to nc (another row of a request that passed). */
void		 replay_mark(struct replay *replay,
		    const struct replay_use *use, uint64_t now_us);

/* The node id that own nonces carry from now on, never used before. */
void		 replay_node(struct replay *replay, const uint8_t *node);

/*
 * True if the clock was set back so far that own nonces made now would be
 * stale until it has caught up: time for a new node id.
 */
bool		 replay_behind(const struct replay *replay, uint64_t now_us);

size_t		 replay_count(const struct replay *replay);

#endif
