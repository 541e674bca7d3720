#ifndef ONECRED_METRICS_H
#define ONECRED_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/wbuf.h"
#include "service/decision.h"
#include "store/store.h"

/*
 * What is counted, and its text for Prometheus. Plain data: zeroed is empty,
 * one thread, nothing to free.
 */
#define METRICS_DOORS	8	/* the last one takes what is over */
/* Passwords, questions for existence, Digest, SCRAM without and with -PLUS. */
#define METRICS_MECHS	(2 + DIGEST_ALG_COUNT + 2 * SCRAM_MECH_COUNT)
#define METRICS_BUCKETS	15
#define METRICS_DROPS	16	/* kinds of them, over all doors */

/* What a door does not answer. */
struct metrics_drop {
	const char	*door, *kind;	/* static words */
	uint64_t	 count;
};

struct metrics {
	const char	*doors[METRICS_DOORS];	/* static words */
	uint64_t	 decisions[METRICS_DOORS][METRICS_MECHS][3]
			    [REASON_COUNT];
	struct metrics_drop drops[METRICS_DROPS];
	uint64_t	 lookups[METRICS_BUCKETS + 1];	/* the last: slower */
	uint64_t	 lookups_usec;
};

/* Of the request only door, kind, algorithm and mechanism are read. */
void	metrics_decision(struct metrics *metrics,
	    const struct decision *decision);

/* A door has dropped a packet; kinds beyond METRICS_DROPS are not counted. */
void	metrics_drop(struct metrics *metrics, const char *door,
	    const char *kind);

/* The database has answered a lookup after this time. */
void	metrics_lookup(struct metrics *metrics, uint64_t usec);

/*
 * Writes everything in Prometheus' text format 0.0.4; AUTH_METRICS_MAX octets
 * suffice. It holds no name that a peer has sent.
 */
void	metrics_write(const struct metrics *metrics,
	    const struct store_stats *store, bool ready, struct wbuf *out);

#endif
