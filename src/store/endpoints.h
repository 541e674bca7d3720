#ifndef ONECRED_ENDPOINTS_H
#define ONECRED_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#include "store/conninfo.h"
#include "store/fault.h"

struct event_base;

/*
 * The hosts of one connection string during one round of attempts: their
 * addresses, and which of them did not answer in time.
 */
struct endpoints;

/*
 * conninfo and faults outlive it. cb fires from the event loop whenever a
 * round that endpoints_resolve() began is complete.
 */
struct endpoints *endpoints_new(struct event_base *base,
		    const struct conninfo *conninfo, struct fault_log *faults,
		    void (*cb)(void *arg), void *arg);
void		 endpoints_free(struct endpoints **endpoints);

/*
 * Begins a round: looks all names up anew, except those whose last look-up
 * has not returned yet. True if nothing has to be waited for; else cb.
 */
bool		 endpoints_resolve(struct endpoints *endpoints);

/*
 * Starts a connection to all that is known and not skipped. NULL if there is
 * none such.
 */
PGconn		*endpoints_connect(struct endpoints *endpoints);

/*
 * pg's present host did not answer in time: left out for the rest of the
 * round. False if it is not one of them.
 */
bool		 endpoints_skip(struct endpoints *endpoints, const PGconn *pg);

/* A number that changes when libpq goes on to its next host or address. */
size_t		 endpoints_current(const struct endpoints *endpoints,
		    const PGconn *pg);

#endif
