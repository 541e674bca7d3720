#ifndef ONECRED_EXTAUTH_H
#define ONECRED_EXTAUTH_H

#include "doors/door.h"
#include "doors/listener.h"

/*
 * ejabberd external authentication (frames of XMPP.md 1.1): a socket for the
 * relay onecred-extauth, or one pair of descriptors for onecredd --extauth.
 */
struct extauth_door;

/* NULL on failure, the reason in the context's sink. */
struct extauth_door *extauth_door_new(const struct door_context *context,
		    const struct listener_settings *settings);
void		 extauth_door_free(struct extauth_door **door);

/*
 * Serves in/out (stdin and stdout) until EOF, then calls ended once. The
 * descriptors stay the caller's.
 */
typedef void	 extauth_ended_cb(void *arg);
struct extauth_door *extauth_door_stdio(const struct door_context *context,
		    const struct listener_settings *settings, int in, int out,
		    extauth_ended_cb *ended, void *arg);

/*
 * Changes what the door decides with, from the next request on. While the
 * context's auth is NULL (nothing to decide with yet), every request is
 * answered 00 02 00 02.
 */
void		 extauth_door_attach(struct extauth_door *door,
		    const struct door_context *context,
		    const struct listener_settings *settings);

/*
 * Towards the end: who has connected is still accepted; idle connections are
 * closed, those with a request under way as soon as it is answered.
 */
void		 extauth_door_drain(struct extauth_door *door);

/* Peers that are not answered yet, or may not know that they never will. */
size_t		 extauth_door_busy(const struct extauth_door *door);

#endif
