/*
 * The realms' policies, asked from the store and kept. An answer is good for
 * KEEP_MS; after that it is asked again in the background while the old one
 * is used, until USE_MS; then callers wait. While the store is away the last
 * known policy goes on being used: whoever is challenged has not been let in.
 *
 *	age:  0 ........ KEEP ............... USE ................
 *	      answered   answered, refreshed  waits for the refresh
 *
 * At most ENTRIES_MAX realms; names are found in a balanced tree, so that no
 * set of names makes it slow.
 */

#include "service/realms.h"

#include <sys/queue.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "core/identity.h"
#include "service/realm_policy.h"
#include "store/clock.h"
#include "store/store.h"
#include "store/xalloc.h"

#define ENTRIES_MAX	4096
#define KEEP_MS		10000
#define USE_MS		60000
#define RETRY_MS	1000	/* after UNAVAILABLE, before asking again */

/* Owner: the entry, until its callback fires or realms_cancel(). */
struct realms_wait {
	LIST_ENTRY(realms_wait)	 next;
	realms_cb		*cb;
	void			*arg;
};

LIST_HEAD(wait_list, realms_wait);

/* Owner: the tree. */
struct known {
	TAILQ_ENTRY(known)	 used;		/* oldest use first */
	struct realms		*realms;
	struct store_lookup	*lookup;	/* under way, or NULL */
	struct realm_policy	*policy;	/* NULL: unknown, or not said */
	struct wait_list	 waits;
	bool			 answered;	/* once at least */
	int64_t			 answered_ms;
	int64_t			 retry_ms;	/* not asked before */
	size_t			 name_n;
	uint8_t			 name[REALM_MAX];	/* lower case */
};

struct realms {
	struct store		*store;
	void			*tree;
	TAILQ_HEAD(known_list, known) used;
	size_t			 count;
};

/* Any order will do; names are public. */
static int
entry_compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->name_n != y->name_n)
		return x->name_n < y->name_n ? -1 : 1;
	for (size_t i = 0; i < x->name_n; i++)
		if (x->name[i] != y->name[i])
			return x->name[i] < y->name[i] ? -1 : 1;
	return 0;
}

static void
entry_name(struct known *entry, struct span realm)
{
	entry->name_n = realm.n;
	for (size_t i = 0; i < realm.n; i++)
		entry->name[i] = ascii_lower(realm.p[i]);
}

static void
entry_free(struct known *entry)
{
	struct realms *realms = entry->realms;
	struct realms_wait *wait;

	if (entry->lookup != NULL)
		store_cancel(entry->lookup);
	while ((wait = LIST_FIRST(&entry->waits)) != NULL) {
		LIST_REMOVE(wait, next);
		free(wait);
	}
	(void)tdelete(entry, &realms->tree, entry_compare);
	TAILQ_REMOVE(&realms->used, entry, used);
	realms->count--;
	free(entry->policy);
	free(entry);
}

/* Makes room: the one not used for longest that nobody waits for. */
static bool
evict(struct realms *realms)
{
	struct known *entry;

	TAILQ_FOREACH(entry, &realms->used, used)
		if (LIST_EMPTY(&entry->waits)) {
			entry_free(entry);
			return true;
		}
	return false;
}

/* The entry of a realm, now the last one to be evicted; NULL: no room. */
static struct known *
entry_get(struct realms *realms, struct span realm)
{
	struct known key, *entry;
	struct known *const *node;

	entry_name(&key, realm);
	node = tfind(&key, &realms->tree, entry_compare);
	if (node != NULL) {
		entry = *node;
		TAILQ_REMOVE(&realms->used, entry, used);
		TAILQ_INSERT_TAIL(&realms->used, entry, used);
		return entry;
	}
	if (realms->count >= ENTRIES_MAX && !evict(realms))
		return NULL;
	entry = xcalloc(1, sizeof(*entry));
	entry->realms = realms;
	entry_name(entry, realm);
	LIST_INIT(&entry->waits);
	if (tsearch(entry, &realms->tree, entry_compare) == NULL) {
		free(entry);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&realms->used, entry, used);
	realms->count++;
	return entry;
}

static enum realms_status
entry_status(const struct known *entry)
{
	if (!entry->answered)
		return REALMS_UNAVAILABLE;
	return entry->policy != NULL ? REALMS_KNOWN : REALMS_UNKNOWN;
}

/*
 * Tells all who wait. NB: a callback may ask again, cancel another wait, and
 * thereby evict the entry: nothing of it is used here any more.
 */
static void
tell(struct known *entry, enum realms_status status)
{
	struct wait_list waits = LIST_HEAD_INITIALIZER(waits);
	struct realm_policy policy;
	struct realms_wait *wait;

	memset(&policy, 0, sizeof(policy));
	if (status == REALMS_KNOWN)
		policy = *entry->policy;
	while ((wait = LIST_FIRST(&entry->waits)) != NULL) {
		LIST_REMOVE(wait, next);
		LIST_INSERT_HEAD(&waits, wait, next);
	}
	while ((wait = LIST_FIRST(&waits)) != NULL) {
		realms_cb *cb = wait->cb;
		void *arg = wait->arg;

		LIST_REMOVE(wait, next);
		free(wait);
		cb(status, status == REALMS_KNOWN ? &policy : NULL, arg);
	}
}

static void
on_answer(enum store_status status, struct span answer, void *arg)
{
	struct known *entry = arg;
	struct realm_policy policy;
	enum realms_status told;

	entry->lookup = NULL;
	if (status == STORE_OK && answer.n == 0) {
		free(entry->policy);
		entry->policy = NULL;
		entry->answered = true;
		entry->answered_ms = clock_ms();
	} else if (status == STORE_OK &&
	    realm_policy_parse(answer, &policy) == 0) {
		if (entry->policy == NULL)
			entry->policy = xcalloc(1, sizeof(*entry->policy));
		*entry->policy = policy;
		entry->answered = true;
		entry->answered_ms = clock_ms();
	} else
		entry->retry_ms = clock_ms() + RETRY_MS;
	told = entry_status(entry);
	/* That there is none must have been said lately; see the top. */
	if (told == REALMS_UNKNOWN && clock_ms() - entry->answered_ms > USE_MS)
		told = REALMS_UNAVAILABLE;
	tell(entry, told);
}

static void
entry_ask(struct known *entry)
{
	const struct span name = span_mem(entry->name, entry->name_n);

	if (entry->lookup == NULL)
		entry->lookup = store_ask(entry->realms->store, STORE_REALM,
		    &name, 1, on_answer, entry);
}

bool
realms_get(struct realms *realms, struct span realm,
    enum realms_status *status, const struct realm_policy **policy,
    realms_cb *cb, void *arg, struct realms_wait **wait)
{
	int64_t now = clock_ms(), age;
	struct known *entry;

	*policy = NULL;
	*wait = NULL;
	*status = REALMS_UNKNOWN;
	if (identity_check_realm(realm) != 0)
		return true;
	*status = REALMS_UNAVAILABLE;
	entry = entry_get(realms, realm);
	if (entry == NULL)
		return true;
	age = now - entry->answered_ms;
	if ((!entry->answered || age > KEEP_MS) && now >= entry->retry_ms)
		entry_ask(entry);
	if (entry->answered && (age <= USE_MS ||
	    (entry->policy != NULL && now < entry->retry_ms))) {
		*status = entry_status(entry);
		*policy = entry->policy;
		return true;
	}
	if (entry->lookup == NULL)
		return true;	/* away a moment ago */
	*wait = xcalloc(1, sizeof(**wait));
	(*wait)->cb = cb;
	(*wait)->arg = arg;
	LIST_INSERT_HEAD(&entry->waits, *wait, next);
	return false;
}

void
realms_cancel(struct realms_wait *wait)
{
	LIST_REMOVE(wait, next);
	free(wait);
}

struct realms *
realms_new(struct store *store, struct event_base *base)
{
	struct realms *realms = xcalloc(1, sizeof(*realms));

	(void)base;	/* the store brings the turns of the loop */
	realms->store = store;
	TAILQ_INIT(&realms->used);
	return realms;
}

void
realms_free(struct realms **realms)
{
	struct realms *r = *realms;
	struct known *entry;

	*realms = NULL;
	if (r == NULL)
		return;
	while ((entry = TAILQ_FIRST(&r->used)) != NULL)
		entry_free(entry);
	free(r);
}
