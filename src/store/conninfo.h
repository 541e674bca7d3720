#ifndef ONECRED_CONNINFO_H
#define ONECRED_CONNINFO_H

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#define CONNINFO_HOSTS_MAX	16

/* A place where a server may be; "" for what is not given. */
struct endpoint {
	const char	*host;	/* name, address or socket directory */
	const char	*addr;	/* numeric address: spares libpq the look-up */
	const char	*port;
};

/* A connection string taken apart. Immutable; holds the password. */
struct conninfo;

/*
 * NULL if text cannot be parsed. *why is then a static sentence; otherwise
 * NULL, or one that should be logged as a warning. libpq's own message is
 * never passed on: it quotes pieces of the string, and a password with a
 * blank in it would be such a piece.
 */
struct conninfo	*conninfo_new(const char *text, const char *application,
		    const char **why);

/* Wipes. */
void		 conninfo_free(struct conninfo **conninfo);

/* The hosts in their order, at most CONNINFO_HOSTS_MAX. */
const struct endpoint *conninfo_hosts(const struct conninfo *conninfo,
		    size_t *count);

/* host is a name that only a resolver can turn into an address. */
bool		 endpoint_needs_address(const struct endpoint *endpoint);

/*
 * PQconnectStartParams() to the endpoints, in this order, with everything
 * else as in the string. NULL if out of memory.
 */
PGconn		*conninfo_connect(const struct conninfo *conninfo,
		    const struct endpoint *endpoints, size_t count);

#endif
