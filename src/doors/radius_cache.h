#ifndef ONECRED_RADIUS_CACHE_H
#define ONECRED_RADIUS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "core/span.h"

/*
 * Requests seen lately, so that a retransmission gets the very octets of the
 * first answer (RFC 5080 2.2.2). Bounded: a full cache lets the oldest go.
 */
struct radius_cache;

struct radius_cache_key {
	uint8_t		ip[16];		/* of the client, IPv4 mapped */
	uint16_t	port;
	uint8_t		id;
};

enum radius_seen {
	RADIUS_SEEN_NEVER = 0,	/* noted; to be answered under its handle */
	RADIUS_SEEN_PENDING,	/* the first copy is being worked on */
	RADIUS_SEEN_ANSWERED
};

/*
 * entries: 1..2^24; lifetime in milliseconds; seed: unpredictable, so that
 * nobody can choose ports that meet in one chain. NULL: out of memory.
 */
struct radius_cache *radius_cache_new(size_t entries, uint64_t lifetime,
	    uint64_t seed);
void	radius_cache_free(struct radius_cache **cache);

/*
 * Looks a request up by key and Request Authenticator (16 octets). NEVER: it
 * is entered and *handle names the entry. ANSWERED: *reply is the answer, a
 * view until the next call. now is monotonic milliseconds.
 */
enum radius_seen radius_cache_enter(struct radius_cache *cache,
	    const struct radius_cache_key *key, struct span authenticator,
	    uint64_t now, uint64_t *handle, struct span *reply);

/* Keeps a copy of the answer; nothing if the entry has gone meanwhile. */
void	radius_cache_answer(struct radius_cache *cache, uint64_t handle,
	    struct span reply);

/* Removes the entry, so that a retransmission is tried anew. */
void	radius_cache_forget(struct radius_cache *cache, uint64_t handle);

/* Removes what has outlived its time. */
void	radius_cache_expire(struct radius_cache *cache, uint64_t now);

size_t	radius_cache_count(const struct radius_cache *cache);

#endif
