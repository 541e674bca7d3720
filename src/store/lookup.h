#ifndef ONECRED_LOOKUP_H
#define ONECRED_LOOKUP_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/question.h"
#include "store/store.h"

/*
 * One lookup or question: what is asked, kept and checked. Which list it is
 * in, and when it is answered, is the store's affair. Nobody but the store
 * includes this.
 */
struct connection;

enum place {
	PLACE_WAITING = 0,	/* in store->waiting */
	PLACE_SENT,		/* in a connection's slot */
	PLACE_REFUSED		/* in store->refused: the next turn answers */
};

/* Owner: the store, until its callback has been called. */
struct store_lookup {
	TAILQ_ENTRY(store_lookup) by_deadline;	/* unless refused */
	TAILQ_ENTRY(store_lookup) queued;	/* waiting or refused */
	struct store		*store;
	enum place		 place;
	enum store_status	 refusal;
	struct connection	*connection;	/* PLACE_SENT */
	uint32_t		 slot;		/* PLACE_SENT */
	int64_t			 deadline;
	int64_t			 lost;		/* when first lost, or 0 */
	bool			 alone;		/* failed: a sync of its own */
	const struct question	*question;	/* NULL: a lookup */
	store_lookup_cb		*cb;
	store_answer_cb		*answer_cb;	/* a question's */
	void			*arg;
	/* Of a lookup domain, localpart, realm; into text, each with a NUL. */
	struct span		 values[STORE_VALUES_MAX];
	size_t			 text_n;
	char			 text[];
};

/*
 * Copies the values; in no list, everything else zero. text_n counts what is
 * to be wiped.
 */
struct store_lookup *lookup_new(struct store *store,
		    const struct span *values, size_t count, void *arg);
void		 lookup_free(struct store_lookup *lookup);

/*
 * False for a key that the server would refuse (an octet that is no UTF-8
 * fails its neighbours under the same sync, too), or that can be in no table.
 */
bool		 lookup_key_plausible(const struct store_key *key);

/* The values of a question: their number, their size, UTF-8 without NUL. */
bool		 lookup_values_plausible(const struct question *question,
		    const struct span *values, size_t count);

#endif
