#ifndef ONECRED_RADIUS_MEMORY_H
#define ONECRED_RADIUS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which digests were accepted over nonces of others (nonce = theirs): that the
 * same use of a nonce comes again with another response, or long afterwards.
 */
struct radius_memory;

/* Octets; both are outputs of a keyed hash, so nobody chooses chains. */
#define RADIUS_USE_KEY_SIZE		16
#define RADIUS_USE_RESPONSE_SIZE	16

/* What was accepted: under this key this response. */
struct radius_use_of {
	uint8_t	key[RADIUS_USE_KEY_SIZE];
	uint8_t	response[RADIUS_USE_RESPONSE_SIZE];
};

/* entries: 1..2^24; lifetime in milliseconds. NULL: out of memory. */
struct radius_memory *radius_memory_new(size_t entries, uint64_t lifetime);
void	radius_memory_free(struct radius_memory **memory);

/*
 * Judges a use whose digest was right and notes it: true for the first one,
 * and for the same response within lifetime of it. now is monotonic
 * milliseconds.
 */
bool	radius_memory_use(struct radius_memory *memory,
	    const struct radius_use_of *use, uint64_t now);

size_t	radius_memory_count(const struct radius_memory *memory);

#endif
