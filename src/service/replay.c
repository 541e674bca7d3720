/*
 * The replay window of digest nonces (DESIGN 6.4, 6.8; RFC 7616 5.4, 5.5):
 * which nonce counts of a nonce were used, and for which request. Bounded,
 * and everything is allocated at the start: 216 octets per nonce and 12 more
 * for hash table and heap, 15 MB with 65536 nonces, of which the kernel gives
 * only what was touched.
 *
 * NB: a nonce without an entry counts as never used, so whenever an entry is
 * dropped, the floor rises to its time. While the clock runs forward that
 * matters only to a full table; it also holds when the clock is set back.
 */

#include "service/replay.h"

#include <stdlib.h>
#include <string.h>

#include "core/rbuf.h"
#include "core/secret.h"
#include "core/sip_message.h"

#define WINDOW		64	/* nonce counts, the newest included */
#define NOTES		8	/* requests kept per nonce */
#define FUTURE_US	5000000	/* how far another node's clock may be ahead */
#define DROPS		16	/* nonces that ended, per call */
#define NONE		UINT32_MAX

/* A request that used a nonce. */
struct note {
	uint32_t nc;
	uint8_t	 fingerprint[SIP_FINGERPRINT_SIZE];
};

struct entry {
	struct nonce	nonce;
	uint64_t	realm;		/* keyed hash */
	uint64_t	used;		/* bit i: newest - i was used */
	uint32_t	newest;		/* the highest nonce count */
	uint32_t	next;		/* in its chain or the free list */
	bool		once;		/* nothing but the first request */
	uint8_t		noted;		/* notes in use */
	uint8_t		oldest;		/* note that is replaced next */
	struct note	notes[NOTES];
};

struct replay {
	uint64_t	 lifetime_us, foreign_us;
	uint64_t	 seed[2];
	struct entry	*entries;
	size_t		 max, count;
	uint32_t	 free;		/* entries that were dropped */
	size_t		 touched;	/* entries from here on are untouched */
	uint32_t	*chains;	/* first entry of each */
	size_t		 mask;		/* chains - 1 */
	uint32_t	*heap;		/* oldest nonce first */
	/*
	 * Floors: of the nonces of node, and of all others. No nonce of a new
	 * node was ever used, so it begins with none.
	 */
	uint8_t		 node[NONCE_NODE_SIZE];
	uint64_t	 own_floor, foreign_floor;
};

struct replay *
replay_new(const struct replay_settings *settings, const uint8_t *seed)
{
	struct replay *r;
	struct rbuf rb;
	size_t chains = 2;

	if (settings->entries == 0 || settings->entries > UINT32_MAX / 4)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	while (chains < settings->entries)
		chains *= 2;
	rbuf_init(&rb, seed, 2 * sizeof(r->seed[0]));
	r->seed[0] = rbuf_u64(&rb);
	r->seed[1] = rbuf_u64(&rb);
	r->lifetime_us = settings->lifetime_us;
	r->foreign_us = settings->foreign_us;
	r->max = settings->entries;
	r->mask = chains - 1;
	r->free = NONE;
	r->entries = calloc(r->max, sizeof(r->entries[0]));
	r->heap = calloc(r->max, sizeof(r->heap[0]));
	r->chains = malloc(chains * sizeof(r->chains[0]));
	if (r->entries == NULL || r->heap == NULL || r->chains == NULL)
		replay_free(&r);
	else
		for (size_t i = 0; i < chains; i++)
			r->chains[i] = NONE;
	return r;
}

void
replay_free(struct replay **replay)
{
	struct replay *r = *replay;

	*replay = NULL;
	if (r == NULL)
		return;
	free(r->entries);
	free(r->heap);
	free(r->chains);
	free(r);
}

size_t
replay_count(const struct replay *replay)
{
	return replay->count;
}

bool
replay_behind(const struct replay *replay, uint64_t now_us)
{
	/* A full table alone brings the floor up to now, never above. */
	return replay->own_floor > now_us &&
	    replay->own_floor - now_us > FUTURE_US;
}

/* Every bit of v on every bit of the result (the finalizer of MurmurHash3). */
static uint64_t
mix(uint64_t v)
{
	v ^= v >> 33;
	v *= UINT64_C(0xff51afd7ed558ccd);
	v ^= v >> 33;
	v *= UINT64_C(0xc4ceb9fe1a85ec53);
	return v ^ v >> 33;
}

static uint64_t
load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * The seed is enough against chosen chains: only nonces that we made get
 * here, so a peer picks from random ones without seeing where they fall.
 */
static uint64_t
hash_realm(const struct replay *r, struct span realm)
{
	uint64_t v = r->seed[1];

	for (size_t i = 0; i < realm.n; i++)
		v = mix(v ^ ascii_lower(realm.p[i]));
	return v;
}

static uint32_t *
chain_of(const struct replay *r, const struct nonce *nonce, uint64_t realm)
{
	uint64_t v = mix(load(nonce->random) ^ r->seed[0]);

	v = mix(v ^ load(nonce->node) ^ realm);
	v = mix(v ^ nonce->time_us);
	return &r->chains[v & r->mask];
}

static bool
same_octets(const uint8_t *a, const uint8_t *b, size_t n)
{
	return span_equal(span_mem(a, n), span_mem(b, n));
}

static bool
same_nonce(const struct nonce *a, const struct nonce *b)
{
	return a->time_us == b->time_us &&
	    same_octets(a->random, b->random, NONCE_RANDOM_SIZE) &&
	    same_octets(a->node, b->node, NONCE_NODE_SIZE);
}

static struct entry *
find(const struct replay *r, const struct nonce *nonce, uint64_t realm)
{
	uint32_t at = *chain_of(r, nonce, realm);

	while (at != NONE && (r->entries[at].realm != realm ||
	    !same_nonce(&r->entries[at].nonce, nonce)))
		at = r->entries[at].next;
	return at == NONE ? NULL : &r->entries[at];
}

static uint64_t
heap_time(const struct replay *r, size_t at)
{
	return r->entries[r->heap[at]].nonce.time_us;
}

static void
heap_swap(struct replay *r, size_t a, size_t b)
{
	uint32_t at = r->heap[a];

	r->heap[a] = r->heap[b];
	r->heap[b] = at;
}

/* The heap has count elements before and one more after. */
static void
heap_push(struct replay *r, uint32_t index)
{
	size_t at = r->count++;

	r->heap[at] = index;
	while (at > 0 && heap_time(r, at) < heap_time(r, (at - 1) / 2)) {
		heap_swap(r, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static uint32_t
heap_pop(struct replay *r)
{
	uint32_t oldest = r->heap[0];
	size_t at = 0, child;

	r->heap[0] = r->heap[--r->count];
	while ((child = 2 * at + 1) < r->count) {
		if (child + 1 < r->count &&
		    heap_time(r, child + 1) < heap_time(r, child))
			child++;
		if (heap_time(r, at) <= heap_time(r, child))
			break;
		heap_swap(r, at, child);
		at = child;
	}
	return oldest;
}

static void
raise_floor(uint64_t *floor, uint64_t to)
{
	if (*floor < to)
		*floor = to;
}

/* NB: by node and not by origin, which may have been read under the last. */
static uint64_t *
floor_of(struct replay *r, const struct nonce *nonce)
{
	return same_octets(nonce->node, r->node, NONCE_NODE_SIZE) ?
	    &r->own_floor : &r->foreign_floor;
}

void
replay_node(struct replay *replay, const uint8_t *node)
{
	raise_floor(&replay->foreign_floor, replay->own_floor);
	replay->own_floor = 0;
	memcpy(replay->node, node, NONCE_NODE_SIZE);
}

/* Drops the entry with the oldest nonce; there is one. */
static void
drop_oldest(struct replay *r)
{
	uint32_t index = heap_pop(r), *link;
	struct entry *entry = &r->entries[index];

	link = chain_of(r, &entry->nonce, entry->realm);
	while (*link != index)
		link = &r->entries[*link].next;
	*link = entry->next;
	raise_floor(floor_of(r, &entry->nonce), entry->nonce.time_us);
	entry->next = r->free;
	r->free = index;
}

/* Room for one more. */
static struct entry *
add(struct replay *r, const struct nonce *nonce, uint64_t realm)
{
	uint32_t *chain = chain_of(r, nonce, realm), index;
	struct entry *entry;

	if (r->count == r->max)
		drop_oldest(r);
	index = r->free;
	if (index == NONE)
		index = (uint32_t)r->touched++;
	else
		r->free = r->entries[index].next;
	entry = &r->entries[index];
	memset(entry, 0, sizeof(*entry));
	entry->nonce = *nonce;
	entry->realm = realm;
	entry->next = *chain;
	*chain = index;
	heap_push(r, index);
	return entry;
}

static bool
is_older(uint64_t time_us, uint64_t than_us, uint64_t now_us)
{
	return now_us > time_us && now_us - time_us > than_us;
}

/*
 * The entry of a nonce that is good for its age, in *out; NULL there if it
 * has none yet and may get one. False: stale.
 */
static bool
get(struct replay *r, const struct replay_use *use, uint64_t realm,
    uint64_t now_us, struct entry **out)
{
	uint64_t time_us = use->nonce->time_us;

	*out = NULL;
	if (use->origin != NONCE_OWN && use->origin != NONCE_FOREIGN)
		return false;
	/* Never the whole table in one turn of the loop. */
	for (int i = 0; i < DROPS && r->count > 0 &&
	    is_older(heap_time(r, 0), r->lifetime_us, now_us); i++)
		drop_oldest(r);
	if (is_older(time_us, r->lifetime_us, now_us) ||
	    (time_us > now_us && time_us - now_us > FUTURE_US))
		return false;
	*out = find(r, use->nonce, realm);
	if (*out != NULL)
		return true;
	return time_us > *floor_of(r, use->nonce) &&
	    (use->origin == NONCE_OWN || (r->foreign_us > 0 &&
	    !is_older(time_us, r->foreign_us, now_us)));
}

static void
put_note(struct entry *entry, const struct replay_use *use)
{
	struct note *note = &entry->notes[entry->oldest];

	note->nc = use->nc;
	memcpy(note->fingerprint, use->fingerprint, SIP_FINGERPRINT_SIZE);
	entry->oldest = (uint8_t)((entry->oldest + 1) % NOTES);
	if (entry->noted < NOTES)
		entry->noted++;
}

/* The same request under the same nonce count. */
static bool
is_noted(const struct entry *entry, const struct replay_use *use)
{
	for (size_t i = 0; i < entry->noted; i++)
		if (entry->notes[i].nc == use->nc &&
		    secret_equal(entry->notes[i].fingerprint,
		    use->fingerprint, SIP_FINGERPRINT_SIZE))
			return true;
	return false;
}

/* Moves the window up to nc, if that is ahead. */
static void
advance(struct entry *entry, uint32_t nc)
{
	uint32_t by;

	if (nc <= entry->newest)
		return;
	by = nc - entry->newest;
	entry->used = by < WINDOW ? entry->used << by : 0;
	entry->newest = nc;
}

/* True if nc is in the window and was free; then it is no longer. */
static bool
take(struct entry *entry, uint32_t nc)
{
	uint64_t bit;

	advance(entry, nc);
	if (entry->newest - nc >= WINDOW)
		return false;
	bit = UINT64_C(1) << (entry->newest - nc);
	if ((entry->used & bit) != 0)
		return false;
	entry->used |= bit;
	return true;
}

enum replay_answer
replay_use(struct replay *replay, const struct replay_use *use,
    uint64_t now_us)
{
	uint64_t realm = hash_realm(replay, use->realm);
	struct entry *entry;

	if (!get(replay, use, realm, now_us, &entry))
		return REPLAY_STALE;
	if (entry != NULL && is_noted(entry, use))
		return REPLAY_AGAIN;
	/* Without a count, or made elsewhere: the first use is the only one. */
	if (entry != NULL && (entry->once || use->nc == 0))
		return REPLAY_STALE;
	if (entry == NULL) {
		entry = add(replay, use->nonce, realm);
		entry->once = use->nc == 0 || use->origin == NONCE_FOREIGN;
	}
	if (!take(entry, use->nc))
		return REPLAY_STALE;
	put_note(entry, use);
	return REPLAY_FRESH;
}

/*
 * NB: the digest of this row was not verified, so the nonce count may be
 * anybody's: all it can do is to use a nonce up. The request itself was
 * right, hence the note.
 */
void
replay_mark(struct replay *replay, const struct replay_use *use,
    uint64_t now_us)
{
	uint64_t realm = hash_realm(replay, use->realm);
	struct entry *entry;
	uint32_t ahead;

	if (!get(replay, use, realm, now_us, &entry))
		return;
	if (entry == NULL)
		entry = add(replay, use->nonce, realm);
	if (use->nc == 0 || use->origin == NONCE_FOREIGN)
		entry->once = true;
	if (take(entry, use->nc))
		put_note(entry, use);
	ahead = entry->newest - use->nc;
	if (ahead < WINDOW)
		entry->used |= UINT64_MAX << ahead;
}
