#ifndef ONECRED_PLUGIN_CONNINFO_H
#define ONECRED_PLUGIN_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

/* The parts of a connection string that may be lists, one entry per host. */
enum conninfo_list {
	CONNINFO_HOST = 0,
	CONNINFO_HOSTADDR,
	CONNINFO_PORT,
	CONNINFO_LISTS
};

/*
 * onecred_conninfo. libpq goes to the next of several hosts only when one
 * refuses, never when one says nothing, so we hand it one at a time.
 */
struct conninfo {
	char	*text;			/* whole; may hold a password */
	char	*passfile;		/* NULL if none is named */
	char	*lists[CONNINFO_LISTS];	/* NULL if not named */
	size_t	 hosts;			/* 1: as libpq likes */
};

/* -ERR_FORMAT or -ERR_NOMEM; conninfo is then to be wiped too. */
int	conninfo_read(struct conninfo *conninfo, const char *text)
	    __attribute__((warn_unused_result));
void	conninfo_wipe(struct conninfo *conninfo);

/*
 * Copies host number i's entry of a list. False if there is none, or it does
 * not fit; out is then empty.
 */
bool	conninfo_entry(const struct conninfo *conninfo,
	    enum conninfo_list list, size_t i, char *out, size_t cap);

#endif
