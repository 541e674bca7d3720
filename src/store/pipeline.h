#ifndef ONECRED_PIPELINE_H
#define ONECRED_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#define PIPELINE_SLOTS	1024	/* lookups in flight; a power of 2 */

struct slot {
	void		*token;		/* NULL: nobody waits any more */
	int64_t		 sent;		/* clock_ms() */
	unsigned int	 batch;		/* slots of this query, in its first */
	bool		 question;	/* alone in its query */
};

/*
 * Which result belongs to whom on one connection in pipeline mode. The server
 * answers in the order asked, so a ring of slots suffices; whoever gives up
 * leaves an empty slot behind. One query may fill several slots in a row.
 * Queries without a slot (at the start) come before the first slot. Does not
 * own pg.
 */
struct pipeline {
	PGconn		*pg;
	uint32_t	 first, next;	/* slots in flight, modulo the ring */
	uint32_t	 open;		/* first slot of no query yet */
	unsigned int	 unsynced;	/* queued since the last sync */
	unsigned int	 syncs;		/* whose result is due */
	bool		 between;	/* the NULL after a result is due */
	struct slot	 slots[PIPELINE_SLOTS];
};

enum pipeline_take {
	PIPELINE_BUSY = 0,	/* nothing (more) has arrived */
	PIPELINE_RESULT,
	PIPELINE_SYNCED,
	PIPELINE_DISORDER	/* a result that nobody can be given */
};

/* Empty, on pg, which enters pipeline mode. 0 or -ERR_SYSTEM. */
int		 pipeline_init(struct pipeline *pipeline, PGconn *pg)
		    __attribute__((warn_unused_result));

unsigned int	 pipeline_in_flight(const struct pipeline *pipeline);

/* When the oldest slot in flight was sent; there must be one. */
int64_t		 pipeline_oldest(const struct pipeline *pipeline);

/* Enters a lookup of the query that pipeline_close() ends; needs room. */
uint32_t	 pipeline_push(struct pipeline *pipeline, void *token,
		    int64_t now);

/* Lookups entered since the last query: the next one's. */
unsigned int	 pipeline_open(const struct pipeline *pipeline);

/* libpq has just taken a query for all of these. */
void		 pipeline_close(struct pipeline *pipeline);

/* The newest query, of one slot, is a question, not a lookup. */
void		 pipeline_mark_question(struct pipeline *pipeline);

/* The oldest query in flight is a question. */
bool		 pipeline_question(const struct pipeline *pipeline);

/* Slots of the oldest query in flight; 0 if there is none. */
unsigned int	 pipeline_batch(const struct pipeline *pipeline);

/* The result of this slot will be taken for nobody. */
void		 pipeline_forget(struct pipeline *pipeline, uint32_t slot);

/* Undoes the newest push and returns its token; for a lost connection. */
void		*pipeline_pop(struct pipeline *pipeline);

/* Sends what was queued, under one sync. 0 or -ERR_SYSTEM. */
int		 pipeline_sync(struct pipeline *pipeline)
		    __attribute__((warn_unused_result));

/*
 * The next thing that has arrived. The result is the caller's to clear.
 */
enum pipeline_take pipeline_take(struct pipeline *pipeline,
		    PGresult **result);

/* The oldest slot: frees it and returns its token. */
void		*pipeline_shift(struct pipeline *pipeline);

#endif
