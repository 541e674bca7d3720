#ifndef ONECRED_PLUGIN_SQL_H
#define ONECRED_PLUGIN_SQL_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "core/credential.h"
#include "plugin_database.h"

/* The plugin's statements and what their rows look like (sql/schema). */
struct sql_query {
	const char	*name;
	const char	*text;
};

extern const struct sql_query sql_queries[QUERY_COUNT];

/* Asked once on each connection; $1 is a statement_timeout. */
extern const char sql_greet[];

/*
 * False, and a sentence in why (DATABASE_WHY_MAX octets), if the schema is
 * out of the range that this plugin understands. *careless: the settings that
 * keep parameters out of the server's log are not in force.
 */
bool	sql_greeting_check(const PGresult *result, bool *careless, char *why)
	    __attribute__((warn_unused_result));

/*
 * Reads the answer of QUERY_LOOKUP for account into *credential, which the
 * caller wipes. -ERR_UNSUPPORTED: the domain is unknown or not for this
 * role. -ERR_FORMAT: not what the schema promises.
 */
int	sql_read_lookup(const PGresult *result, const struct account *account,
	    enum scram_mech mech, struct credential *credential)
	    __attribute__((warn_unused_result));

/* An account as a writer sees it, and what its verifiers are to be. */
struct sql_account {
	struct credential credential;	/* account, policy, SCRAM texts */
	char		 version[24];	/* "" if it does not exist */
	bool		 complete;	/* has all that the policy asks for */
	bool		 non_ascii;
	struct span	 realms;	/* one a line; the result's memory */
};

/* The same for QUERY_ACCOUNT_GET. Holds secrets; lives while result does. */
int	sql_read_account(const PGresult *result,
	    const struct account *account, struct sql_account *row)
	    __attribute__((warn_unused_result));

#endif
