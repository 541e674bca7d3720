#ifndef ONECRED_PLUGIN_DATABASE_H
#define ONECRED_PLUGIN_DATABASE_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

struct plugin_options;

#define DATABASE_WHY_MAX	256	/* octets of a sentence for the log */

/* The statements that are ever sent; each is prepared when first used. */
enum database_query {
	QUERY_LOOKUP = 0,
	QUERY_ACCOUNT_GET,
	QUERY_ACCOUNT_SET,
	QUERY_ACCOUNT_DELETE,
	QUERY_COUNT
};

/* The kept connection. Guarded by the lock of struct process. */
struct database {
	PGconn		*pg;		/* NULL: not connected */
	atomic_bool	 open;		/* the three that a child reads */
	int		 fd;
	dev_t		 device;
	ino_t		 inode;
	size_t		 host;		/* number of the one tried last */
	bool		 prepared[QUERY_COUNT];
	char		 state[6];	/* SQLSTATE of the last refusal */
	int64_t		 closed_until;	/* after a fault: answer at once */
	int64_t		 logged_at;
	bool		 logged;
	bool		 careless;	/* the server may log parameters */
	bool		 warned;
};

/* What a query came to. */
enum database_outcome {
	DATABASE_ROWS = 0,	/* result is set */
	DATABASE_REFUSED,	/* the server said no; why is its sentence */
	DATABASE_DOWN,		/* nobody knows; why is for the log, or "" */
};

void	database_init(struct database *database);

/* Says goodbye without waiting. */
void	database_close(struct database *database);

/*
 * For a child: closes the copy of its parent's socket and nothing else. The
 * server hears nothing, and the parent's connection goes on.
 */
void	database_disinherit(struct database *database);

/*
 * Runs query with count text parameters (NULL is SQL's) and has its rows or
 * knows better by the deadline. What fails on a kept connection is tried once
 * more on a fresh one. For a second after a fault it is DATABASE_DOWN at once.
 * why (DATABASE_WHY_MAX octets) never contains a parameter. The caller ends
 * *result by database_result_clear().
 */
enum database_outcome database_run(struct database *database,
	    const struct plugin_options *options, enum database_query query,
	    int count, const char *const *values, int64_t deadline,
	    PGresult **result, char *why)
	    __attribute__((warn_unused_result));

/* Wipes all values, then frees. */
void	database_result_clear(PGresult **result);

#endif
