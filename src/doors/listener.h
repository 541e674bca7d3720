#ifndef ONECRED_LISTENER_H
#define ONECRED_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/sink.h"
#include "core/span.h"
#include "service/auth.h"

struct event_base;

/* What a peer of a listener may ask for (DESIGN 5). */
enum right {
	RIGHT_CHECK = 1 << 0,
	RIGHT_EXISTS = 1 << 1,
	RIGHT_SASL = 1 << 2,
	RIGHT_SIP = 1 << 3,
	RIGHT_HA1 = 1 << 4,
	RIGHT_SET = 1 << 5,
	RIGHT_CREATE = 1 << 6,
	RIGHT_DELETE = 1 << 7
};

/*
 * A stream listener: a unix socket that the daemon makes (path, mode, group)
 * or was handed by the service manager (fd >= 0). The strings are the
 * config's and outlive the listener.
 */
struct listener_settings {
	const char	*section;	/* config section, for messages */
	const char	*path;		/* unix socket path */
	mode_t		 mode;
	const char	*group;		/* NULL: leave */
	const uid_t	*users;		/* SO_PEERCRED; count 0: anybody */
	size_t		 user_count;
	struct span	 refusal;	/* what the others are told; static */
	unsigned int	 rights;	/* enum right */
	struct domain_list domains;
	unsigned int	 connections_max;	/* 0: 1024 */
	int		 fd;		/* handed over, or -1 */
};

struct listener;

/*
 * A peer was accepted: fd is nonblocking, close-on-exec, and now the door's.
 * Peers outside users never come here: they are logged, told the refusal, and
 * given the time to read it.
 */
typedef void listener_accept_cb(int fd, void *arg);

/*
 * Starts listening. A stale socket file of ours is replaced, a live one is an
 * error ("another onecredd listens on ..."). NULL on failure, the reason in
 * the sink.
 */
struct listener	*listener_new(struct event_base *base,
		    const struct listener_settings *settings,
		    const struct sink *sink, listener_accept_cb *cb,
		    void *arg);

/* The door tells that a connection it was given has ended. */
void		 listener_closed(struct listener *listener);

/* The door has no more to say on fd, but its peer may have: see farewell.h. */
void		 listener_linger(struct listener *listener, int fd);

/*
 * Towards the end: nobody can connect any more; who waits to be accepted is,
 * over connections_max too, before this returns. A socket that was handed
 * over is only let go of: who waits there waits for the next daemon.
 */
void		 listener_drain(struct listener *listener);

/* Peers that it has to do with by itself: closing them loses octets. */
size_t		 listener_busy(const struct listener *listener);

/* Closes; the socket file is removed if we made it. */
void		 listener_free(struct listener **listener);

#endif
