/*
 * The last known accounts. Of a name only 128 bits of a hash are kept, keyed
 * with a key of this process: 96 tell it from others, the rest choose its
 * bucket, so nobody can pick names that crowd out others or pass for them.
 * Bounded: 1.5 MB, of which the kernel gives only what was touched.
 */

#include "service/known.h"

#include <stdlib.h>

#include "core/rbuf.h"
#include "core/secret.h"

#define WAYS		8
#define BUCKETS		(KNOWN_MAX / WAYS)
#define KEY_SIZE	32

struct entry {
	uint64_t	tag;
	uint32_t	more;	/* of the tag */
	bool		used;
	int64_t		since;	/* ms */
};

struct known {
	struct crypto	*crypto;
	uint8_t		 key[KEY_SIZE];
	struct entry	 entries[BUCKETS][WAYS];
};

/* A name's place, and what it is known by there. */
struct mark {
	uint64_t	tag;
	uint32_t	more;
	uint32_t	bucket;
};

struct known *
known_new(struct crypto *crypto)
{
	struct known *known = calloc(1, sizeof(*known));

	if (known == NULL)
		return NULL;
	known->crypto = crypto;
	if (crypto_random(crypto, known->key, sizeof(known->key)) != 0)
		known_free(&known);
	return known;
}

void
known_free(struct known **known)
{
	if (*known != NULL)
		secret_wipe((*known)->key, sizeof((*known)->key));
	free(*known);
	*known = NULL;
}

static bool
mark_of(const struct known *known, const struct account *account,
    struct mark *mark)
{
	/* '@' stands in no localpart: no two accounts are the same octets. */
	const struct span parts[] = {
		span_str(account->localpart), SPAN_LIT("@"),
		span_str(account->domain)
	};
	uint8_t hash[HASH_SIZE_MAX];
	struct rbuf rb;

	if (crypto_hmac(known->crypto, HASH_SHA_256,
	    span_mem(known->key, sizeof(known->key)), parts, 3, hash) != 0)
		return false;
	rbuf_init(&rb, hash, hash_size(HASH_SHA_256));
	mark->tag = rbuf_u64(&rb);
	mark->more = rbuf_u32(&rb);
	mark->bucket = rbuf_u32(&rb) % BUCKETS;
	return true;
}

/* Where the name stands in its bucket, or WAYS. */
static size_t
find(const struct entry *bucket, const struct mark *mark)
{
	size_t i = 0;

	while (i < WAYS && (!bucket[i].used || bucket[i].tag != mark->tag ||
	    bucket[i].more != mark->more))
		i++;
	return i;
}

void
known_confirm(struct known *known, const struct account *account,
    int64_t now_ms)
{
	struct entry *bucket;
	struct mark mark;
	size_t at;

	if (!mark_of(known, account, &mark))
		return;
	bucket = known->entries[mark.bucket];
	at = find(bucket, &mark);
	if (at == WAYS) {
		at = 0;
		for (size_t i = 1; i < WAYS && bucket[at].used; i++)
			if (!bucket[i].used ||
			    bucket[i].since < bucket[at].since)
				at = i;
	}
	bucket[at] = (struct entry){
		.tag = mark.tag, .more = mark.more, .used = true,
		.since = now_ms
	};
}

void
known_drop(struct known *known, const struct account *account)
{
	struct mark mark;
	size_t at;

	if (!mark_of(known, account, &mark))
		return;
	at = find(known->entries[mark.bucket], &mark);
	if (at < WAYS)
		known->entries[mark.bucket][at].used = false;
}

bool
known_recently(const struct known *known, const struct account *account,
    int64_t now_ms)
{
	const struct entry *bucket;
	struct mark mark;
	size_t at;

	if (!mark_of(known, account, &mark))
		return false;
	bucket = known->entries[mark.bucket];
	at = find(bucket, &mark);
	return at < WAYS && now_ms - bucket[at].since < KNOWN_MS;
}
