#ifndef ONECRED_STARTUP_H
#define ONECRED_STARTUP_H

#include <stdbool.h>

#include <libpq-fe.h>

#define STARTUP_WHY_MAX	320

/*
 * What is asked on a fresh connection before it serves lookups: the schema's
 * range, whether the server would log bind parameters, the lookup prepared
 * and tried. Zeroed before use.
 */
struct startup {
	unsigned int	step;		/* results taken so far */
	bool		failed;
	bool		parameters_logged;
	char		why[STARTUP_WHY_MAX];	/* a sentence if failed */
};

/* Queues all of it in pg's pipeline, without a sync. 0 or -ERR_SYSTEM. */
int	startup_send(PGconn *pg) __attribute__((warn_unused_result));

/* The next result, in order. */
void	startup_take(struct startup *startup, const PGconn *pg,
	    const PGresult *result);

/* All results were taken. */
bool	startup_done(const struct startup *startup);

#endif
