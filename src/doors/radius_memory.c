/*
 * The memory of accepted digests for clients that make their own nonces, pure.
 * We cannot tell how old such a nonce is, nor may one be used only once:
 * Kamailio gives one to all clients of a second. What can be told is that a
 * use (client, user, realm, nonce, cnonce, nc) comes again: as itself for a
 * while (sent again, or by the next proxy of a chain), otherwise never.
 *
 * Entries stay until the table is full and then make way in the order in which
 * they came. NB: what was evicted, or came before a restart, is forgotten: who
 * captured it may use it once more, as long as the SIP server itself still
 * takes its nonce. It never stands between a right password and its first use.
 */

#include "doors/radius_memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/secret.h"

#define NONE	UINT32_MAX

struct entry {
	struct radius_use_of use;
	uint64_t	since;
	uint32_t	next;		/* in its chain */
};

struct radius_memory {
	struct entry	*entries;	/* a ring: turn is the oldest */
	uint32_t	*chains;	/* first entry of each */
	size_t		 size, count;
	size_t		 mask;		/* chains - 1, a power of two - 1 */
	size_t		 turn;		/* the entry that is next to be used */
	uint64_t	 lifetime;
};

struct radius_memory *
radius_memory_new(size_t entries, uint64_t lifetime)
{
	struct radius_memory *m = calloc(1, sizeof(*m));
	size_t chains = 1;

	if (m == NULL)
		return NULL;
	while (chains < entries)
		chains <<= 1;
	m->size = entries;
	m->mask = chains - 1;
	m->lifetime = lifetime;
	/* calloc() leaves pages untouched that were never needed. */
	m->entries = calloc(entries, sizeof(*m->entries));
	m->chains = malloc(chains * sizeof(*m->chains));
	if (m->entries == NULL || m->chains == NULL) {
		radius_memory_free(&m);
		return NULL;
	}
	for (size_t i = 0; i < chains; i++)
		m->chains[i] = NONE;
	return m;
}

void
radius_memory_free(struct radius_memory **memory)
{
	struct radius_memory *m = *memory;

	*memory = NULL;
	if (m == NULL)
		return;
	free(m->entries);
	free(m->chains);
	free(m);
}

static uint32_t *
chain_of(struct radius_memory *m, const struct radius_use_of *use)
{
	uint64_t hash;

	memcpy(&hash, use->key, sizeof(hash));
	return &m->chains[hash & m->mask];
}

/* The slot whose turn it is, out of its chain if it was used before. */
static uint32_t
slot_take(struct radius_memory *m)
{
	uint32_t slot = (uint32_t)m->turn, *link;

	m->turn = (m->turn + 1) % m->size;
	if (m->count < m->size) {
		m->count++;
		return slot;
	}
	link = chain_of(m, &m->entries[slot].use);
	while (*link != slot)
		link = &m->entries[*link].next;
	*link = m->entries[slot].next;
	return slot;
}

bool
radius_memory_use(struct radius_memory *memory,
    const struct radius_use_of *use, uint64_t now)
{
	uint32_t *chain = chain_of(memory, use), slot = *chain;
	struct entry *entry;

	while (slot != NONE && !secret_equal(memory->entries[slot].use.key,
	    use->key, sizeof(use->key)))
		slot = memory->entries[slot].next;
	if (slot != NONE) {
		entry = &memory->entries[slot];
		return secret_equal(entry->use.response, use->response,
		    sizeof(use->response)) &&
		    now - entry->since <= memory->lifetime;
	}
	slot = slot_take(memory);
	entry = &memory->entries[slot];
	entry->use = *use;
	entry->since = now;
	/* NB: the chain may have lost its first entry meanwhile. */
	entry->next = *chain;
	*chain = slot;
	return true;
}

size_t
radius_memory_count(const struct radius_memory *memory)
{
	return memory->count;
}
