#ifndef ONECRED_RADIUS_H
#define ONECRED_RADIUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "core/secret.h"
#include "doors/door.h"

/* The config owns all of this; it outlives the door. */
struct radius_client_settings {
	const char	*name;		/* of [radius-client NAME] */
	struct sockaddr_storage address;	/* IPv4 or IPv6 network ... */
	unsigned int	 prefix;	/* ... and its length in bits */
	struct secret	 secret;
	struct domain_list realms;	/* realms it may serve; count 0: all */
	struct domain_list domains;
	bool		 require_message_authenticator;
	bool		 nonce_ours;	/* we challenge; else they do */
	bool		 unavailable_reject;	/* else silence */
};

struct radius_settings {
	const char	*listen;	/* "127.0.0.1:1812", "[::1]:1812" */
	int		 fd;		/* handed over, or -1 */
	const struct radius_client_settings *clients;
	size_t		 client_count;
};

struct radius_door;

/* NULL on failure, the reason in the context's sink. */
struct radius_door *radius_door_new(const struct door_context *context,
		    const struct radius_settings *settings);
/*
 * A reload: the same socket, other clients. settings (and the old ones until
 * this returns) stay the config's.
 */
void		 radius_door_reload(struct radius_door *door,
		    const struct radius_settings *settings);
void		 radius_door_free(struct radius_door **door);

#endif
