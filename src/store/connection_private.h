#ifndef ONECRED_CONNECTION_PRIVATE_H
#define ONECRED_CONNECTION_PRIVATE_H

#include "store/backoff.h"
#include "store/batch.h"
#include "store/connection.h"
#include "store/endpoints.h"
#include "store/pipeline.h"
#include "store/startup.h"

/*
 * What connection.c (how a connection comes and goes) and serving.c (what it
 * does between) share. Nobody else includes this.
 */
struct event;

enum connection_state {
	STATE_WAITING = 0,
	STATE_RESOLVING,
	STATE_CONNECTING,
	STATE_STARTING,
	STATE_READY
};

struct connection {
	struct connection_shared *shared;
	struct endpoints	*endpoints;
	enum connection_state	 state;
	PGconn			*pg;
	struct event		*socket;	/* readable, or as libpq asks */
	struct event		*writable;	/* output is left over */
	struct event		*timer;		/* see timer_fired() */
	struct backoff		 backoff;
	struct startup		 startup;
	size_t			 host;		/* endpoints_current() */
	int64_t			 ready_since;
	int64_t			 heard;		/* octets came last */
	bool			 silent;	/* longer than lookup_timeout */
	bool			 watching;	/* timer runs while READY */
	struct pipeline		 pipeline;
	struct batch		 batch;		/* the next query's */
};

/*
 * connection.c: ends the connection, or the attempt to get one; lookups in
 * flight go back to the owner, and the next attempt follows. why is a phrase
 * for the log, or NULL for what libpq says.
 */
void	connection_end(struct connection *c, const char *why);

/* connection.c: the start was successful. */
void	connection_ready(struct connection *c);

/* connection.c: (re)arms the timer, which serves each state in its way. */
void	connection_timer(struct connection *c, int64_t ms);

/*
 * serving.c: begins to read and write, with the start's questions. 0 or
 * -ERR_SYSTEM.
 */
int	serving_start(struct connection *c)
	    __attribute__((warn_unused_result));

/* serving.c: the timer of a ready connection has fired. */
void	serving_watch(struct connection *c);

#endif
