/*
 * Duplicate cache of the RADIUS door (RFC 5080 section 2.2.2), pure: a hash
 * table over slots in order of age. All entries live equally long, so the
 * oldest is always the first to expire.
 *
 * It must never answer one request with the reply to another: the Request
 * Authenticator is compared, and an entry with another one makes way.
 */

#include "doors/radius_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define AUTHENTICATOR_SIZE	16
#define NONE			UINT32_MAX

struct entry {
	struct radius_cache_key key;
	bool		used;
	uint16_t	reply_n;	/* 0: pending */
	uint32_t	generation;	/* of the slot, for stale handles */
	uint32_t	next;		/* in the chain, or in the free list */
	uint32_t	older, newer;
	uint8_t		authenticator[AUTHENTICATOR_SIZE];
	uint64_t	since;
	uint8_t		*reply;		/* owned */
};

struct radius_cache {
	struct entry	*entries;
	uint32_t	*chains;	/* first slot of each */
	size_t		 size;
	size_t		 mask;		/* chains - 1, a power of two - 1 */
	size_t		 count;
	size_t		 touched;	/* slots ever used */
	uint64_t	 lifetime, seed;
	uint32_t	 free;
	uint32_t	 oldest, newest;
};

struct radius_cache *
radius_cache_new(size_t entries, uint64_t lifetime, uint64_t seed)
{
	struct radius_cache *cache = calloc(1, sizeof(*cache));
	size_t chains = 1;

	if (cache == NULL)
		return NULL;
	while (chains < entries)
		chains <<= 1;
	cache->size = entries;
	cache->mask = chains - 1;
	cache->lifetime = lifetime;
	cache->seed = seed;
	cache->free = cache->oldest = cache->newest = NONE;
	/* calloc() leaves pages untouched that were never needed. */
	cache->entries = calloc(entries, sizeof(*cache->entries));
	cache->chains = calloc(chains, sizeof(*cache->chains));
	if (cache->entries == NULL || cache->chains == NULL) {
		radius_cache_free(&cache);
		return NULL;
	}
	for (size_t i = 0; i < chains; i++)
		cache->chains[i] = NONE;
	return cache;
}

void
radius_cache_free(struct radius_cache **cache)
{
	struct radius_cache *c = *cache;

	*cache = NULL;
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->touched; i++)
		free(c->entries[i].reply);
	free(c->entries);
	free(c->chains);
	free(c);
}

/* Multiplies and folds; the seed keeps chains unpredictable from outside. */
static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint32_t *
chain_of(struct radius_cache *cache, const struct radius_cache_key *key)
{
	uint64_t h = cache->seed, word;

	for (size_t at = 0; at < sizeof(key->ip); at += sizeof(word)) {
		memcpy(&word, key->ip + at, sizeof(word));
		h = mix(h, word);
	}
	h = mix(h, (uint64_t)key->port << 8 | key->id);
	return &cache->chains[(h ^ h >> 32) & cache->mask];
}

static bool
key_equal(const struct radius_cache_key *a, const struct radius_cache_key *b)
{
	return a->id == b->id && a->port == b->port &&
	    span_equal(span_mem(a->ip, sizeof(a->ip)),
	    span_mem(b->ip, sizeof(b->ip)));
}

static void
entry_remove(struct radius_cache *cache, uint32_t slot)
{
	struct entry *entry = &cache->entries[slot];
	uint32_t *link = chain_of(cache, &entry->key);

	while (*link != slot)
		link = &cache->entries[*link].next;
	*link = entry->next;
	if (entry->older != NONE)
		cache->entries[entry->older].newer = entry->newer;
	else
		cache->oldest = entry->newer;
	if (entry->newer != NONE)
		cache->entries[entry->newer].older = entry->older;
	else
		cache->newest = entry->older;
	free(entry->reply);
	entry->reply = NULL;
	entry->reply_n = 0;
	entry->used = false;
	entry->generation++;
	entry->next = cache->free;
	cache->free = slot;
	cache->count--;
}

static uint32_t
slot_take(struct radius_cache *cache)
{
	uint32_t slot;

	if (cache->free == NONE && cache->touched == cache->size)
		entry_remove(cache, cache->oldest);
	if (cache->free == NONE)
		return (uint32_t)cache->touched++;
	slot = cache->free;
	cache->free = cache->entries[slot].next;
	return slot;
}

static uint32_t
entry_add(struct radius_cache *cache, const struct radius_cache_key *key,
    struct span authenticator, uint64_t now)
{
	uint32_t slot = slot_take(cache);
	struct entry *entry = &cache->entries[slot];
	uint32_t *chain = chain_of(cache, key);

	entry->key = *key;
	entry->used = true;
	entry->since = now;
	memcpy(entry->authenticator, authenticator.p, AUTHENTICATOR_SIZE);
	entry->next = *chain;
	*chain = slot;
	entry->older = cache->newest;
	entry->newer = NONE;
	if (cache->newest != NONE)
		cache->entries[cache->newest].newer = slot;
	else
		cache->oldest = slot;
	cache->newest = slot;
	cache->count++;
	return slot;
}

void
radius_cache_expire(struct radius_cache *cache, uint64_t now)
{
	while (cache->oldest != NONE &&
	    now - cache->entries[cache->oldest].since >= cache->lifetime)
		entry_remove(cache, cache->oldest);
}

enum radius_seen
radius_cache_enter(struct radius_cache *cache,
    const struct radius_cache_key *key, struct span authenticator,
    uint64_t now, uint64_t *handle, struct span *reply)
{
	struct entry *entry;
	uint32_t slot;

	*handle = 0;
	*reply = SPAN_EMPTY;
	radius_cache_expire(cache, now);
	slot = *chain_of(cache, key);
	while (slot != NONE && !key_equal(&cache->entries[slot].key, key))
		slot = cache->entries[slot].next;
	if (slot != NONE) {
		entry = &cache->entries[slot];
		if (span_equal(authenticator, span_mem(entry->authenticator,
		    sizeof(entry->authenticator)))) {
			*reply = span_mem(entry->reply, entry->reply_n);
			return entry->reply_n > 0 ? RADIUS_SEEN_ANSWERED :
			    RADIUS_SEEN_PENDING;
		}
		/* The client has gone on to another request with this id. */
		entry_remove(cache, slot);
	}
	slot = entry_add(cache, key, authenticator, now);
	*handle = (uint64_t)cache->entries[slot].generation << 32 | slot;
	return RADIUS_SEEN_NEVER;
}

static struct entry *
entry_of(struct radius_cache *cache, uint64_t handle)
{
	uint32_t slot = (uint32_t)handle;
	struct entry *entry;

	if (slot >= cache->touched)
		return NULL;
	entry = &cache->entries[slot];
	return entry->used && entry->generation == (uint32_t)(handle >> 32) ?
	    entry : NULL;
}

void
radius_cache_answer(struct radius_cache *cache, uint64_t handle,
    struct span reply)
{
	struct entry *entry = entry_of(cache, handle);
	uint8_t *copy;

	if (entry == NULL || entry->reply_n > 0)
		return;
	copy = reply.n == 0 || reply.n > UINT16_MAX ? NULL : malloc(reply.n);
	if (copy == NULL) {
		/* Then a retransmission is worked on again. */
		radius_cache_forget(cache, handle);
		return;
	}
	memcpy(copy, reply.p, reply.n);
	entry->reply = copy;
	entry->reply_n = (uint16_t)reply.n;
}

void
radius_cache_forget(struct radius_cache *cache, uint64_t handle)
{
	if (entry_of(cache, handle) != NULL)
		entry_remove(cache, (uint32_t)handle);
}

size_t
radius_cache_count(const struct radius_cache *cache)
{
	return cache->count;
}
