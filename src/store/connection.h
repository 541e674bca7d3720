#ifndef ONECRED_CONNECTION_H
#define ONECRED_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "store/conninfo.h"
#include "store/fault.h"

struct event_base;

/*
 * One kept connection in pipeline mode: it connects, checks the schema,
 * prepares the lookup, and connects anew whenever it was lost.
 */
struct connection;

/*
 * How a connection speaks to its owner. None of these may free it. token is
 * what connection_send() was given.
 */
struct connection_owner {
	/*
	 * The answer to one lookup: row number at of the result, which the
	 * connection clears afterwards; to a question: its whole result. Nothing forbids new lookups from
	 * inside.
	 */
	void	(*answer)(void *token, const PGresult *result, int at);
	/*
	 * There will be no answer: the connection was lost, or this lookup or
	 * another under the same sync failed (alone: then send it by itself,
	 * under a sync of its own). Newest first.
	 */
	void	(*again)(void *token, bool alone);
	/* Usable or no longer so, or room was made. */
	void	(*changed)(void *arg);
	void	*arg;
};

/* Common to the connections of a store, which owns it. */
struct connection_shared {
	struct event_base	*base;
	const struct conninfo	*conninfo;
	struct fault_log	*faults;
	const struct sink	*sink;		/* also the faults' */
	struct connection_owner	 owner;
	unsigned int		 connect_timeout_ms;	/* each host */
	unsigned int		 lookup_timeout_ms;
	uint64_t		 connects;	/* successful so far */
	uint64_t		 syncs;
	bool			 logging_warned;
};

/* Begins to connect from the event loop, not from inside this call. */
struct connection *connection_new(struct connection_shared *shared);

/* Lookups in flight are forgotten without a word. */
void		 connection_free(struct connection **connection);

/*
 * Answers, or did so within lookup_timeout: ready, and not silent for longer
 * than that with lookups in flight.
 */
bool		 connection_usable(const struct connection *connection);

/* Usable and has room for one more lookup. */
bool		 connection_has_room(const struct connection *connection);

unsigned int	 connection_in_flight(const struct connection *connection);

/* clock_ms() of when it was last ready to serve. */
int64_t		 connection_since(const struct connection *connection);

/*
 * Queues the lookup with its three text values (NULL is NULL); they are not
 * needed afterwards. Goes out with the next connection_sync(). Needs
 * connection_has_room(). On success the slot's number is in *slot. If false
 * the connection was lost: the others in flight were handed back by again(),
 * but not this one.
 */
bool		 connection_send(struct connection *connection,
		    const char *const values[3], void *token, int64_t now,
		    uint32_t *slot)
		    __attribute__((warn_unused_result));

/*
 * The same for a question of its own, whose result the owner gets whatever it
 * says (unless the connection is lost over it). Put it under a sync of its
 * own: if it fails, so does all that shares its sync.
 */
bool		 connection_ask(struct connection *connection,
		    const char *sql, const char *const *values, size_t count,
		    void *token, int64_t now, uint32_t *slot)
		    __attribute__((warn_unused_result));

/* Sends what was queued since the last time, if anything; may be lost. */
void		 connection_sync(struct connection *connection);

/* Nobody waits for this slot any more: its answer will be discarded. */
void		 connection_forget(struct connection *connection,
		    uint32_t slot);

#endif
