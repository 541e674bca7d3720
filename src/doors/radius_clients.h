#ifndef ONECRED_RADIUS_CLIENTS_H
#define ONECRED_RADIUS_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doors/radius.h"

/* Why a packet of a client was dropped without an answer. */
enum radius_drop {
	RADIUS_DROP_UNSIGNED = 0,	/* no Message-Authenticator */
	RADIUS_DROP_FORGED,		/* a wrong one */
	RADIUS_DROP_PROXY_STATE,	/* Proxy-State without one */
	RADIUS_DROP_MALFORMED,
	RADIUS_DROP_CODE,		/* not a request we answer */
	RADIUS_DROP_BUSY,		/* too much under way */
	RADIUS_DROP_COUNT
};

/* One kind of message, told at most once a minute. */
struct radius_quota {
	bool		told;
	uint64_t	told_at;	/* monotonic milliseconds */
	uint64_t	untold;		/* since then */
};

/*
 * True if it is time to tell; *untold is how many went untold before. Counts
 * otherwise.
 */
bool	radius_quota_take(struct radius_quota *quota, uint64_t now,
	    uint64_t *untold);

/* A client; copies of its settings, owned by the table. */
struct radius_client {
	char		*name;
	uint8_t		 ip[16];	/* IPv4 mapped into IPv6 */
	unsigned int	 prefix;	/* 0..128 */
	struct secret	 secret;
	struct domain_list realms;
	struct domain_list domains;
	bool		 require_message_authenticator;
	bool		 nonce_ours;
	bool		 unavailable_reject;
	struct radius_quota drops[RADIUS_DROP_COUNT];
	struct radius_quota nonces;
};

/*
 * The clients of one configuration. Requests under way hold a reference, so
 * that a reload does not pull their secret from under them.
 */
struct radius_clients;

/* NULL: out of memory. The settings may go afterwards. */
struct radius_clients *radius_clients_new(
	    const struct radius_client_settings *settings, size_t count);
struct radius_clients *radius_clients_ref(struct radius_clients *clients);
void	radius_clients_unref(struct radius_clients **clients);

/* The client with the longest prefix that covers ip (16 octets), or NULL. */
struct radius_client *radius_clients_find(struct radius_clients *clients,
	    const uint8_t *ip);

/* True if list is empty (all) or names s, whatever the case. */
bool	radius_list_covers(const struct domain_list *list, struct span s);

#endif
