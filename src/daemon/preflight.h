#ifndef ONECRED_PREFLIGHT_H
#define ONECRED_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"

/*
 * onecredd -t: would a daemon with this configuration start, be reached, and
 * answer. Looks and asks only; makes, changes and removes nothing.
 */
enum preflight_level {
	PREFLIGHT_NOTE = 0,	/* what was not looked at */
	PREFLIGHT_WARNING,	/* works, but not as it should */
	PREFLIGHT_ERROR
};

#define PREFLIGHT_LINE_MAX	1536

/* One sentence, with the command that mends it. */
typedef void preflight_cb(enum preflight_level level, const char *sentence,
	    void *arg);

struct preflight {
	const struct config	*config;
	preflight_cb		*cb;
	void			*arg;
	unsigned int		 errors;	/* so far */
};

void	preflight_say(struct preflight *preflight,
	    enum preflight_level level, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * As root: becomes the user `onecred', if there is one, so that files,
 * sockets and the database look as they will to the service. 1 if it did, 0
 * if there was nothing to do, -1 if it could not: go no further then.
 * NB: for good, so before anything is read.
 */
int	preflight_become(void) __attribute__((warn_unused_result));

/* The parts. The database answers within the timeouts of the config. */
void	preflight_database(struct preflight *preflight);
void	preflight_files(struct preflight *preflight);
void	preflight_sockets(struct preflight *preflight);

/* Seconds by which this clock is ahead, as a sentence; "" if that will do. */
void	preflight_clock(int64_t ahead, char *out, size_t cap);

/* Whether /proc/net/udp (tcp, ...) shows a socket of uid at this port. */
bool	preflight_port_owned(const char *table, size_t n, unsigned int port,
	    unsigned int uid);

#endif
