#ifndef ONECRED_PEER_H
#define ONECRED_PEER_H

#include <sys/time.h>

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>

#include "doors/door.h"
#include "doors/listener.h"

struct peers;

/*
 * One connection of a stream door. It stands first in the door's own struct
 * for a connection, so that one can be made from the other.
 */
struct peer {
	struct peers	*peers;
	struct peer	*next;
	struct peer	**link;		/* what points to us */
	struct event	*readable;	/* persistent */
	struct event	*late;		/* its deadline */
	int		 fd;
	unsigned int	 owed;		/* answers; the door counts */
};

/* All connections of a door, and what they come from. */
struct peers {
	struct event_base *base;
	struct listener	*listener;	/* NULL: none */
	struct peer	*first;
	bool		 draining;	/* nobody new has to be waited for */
};

enum peer_end {
	PEER_CLOSE,		/* it has sent all that it has to send */
	PEER_LINGER,		/* it may be sending: see farewell.h */
	PEER_KEEP		/* the descriptor is not ours */
};

/* Starts listening; accept is called with door. The reason in the sink. */
bool	peers_listen(struct peers *peers, const struct door_context *context,
	    const struct listener_settings *settings,
	    listener_accept_cb *accept, void *door);

/*
 * Enters peer, whose events are made but wait for nothing yet; readable and
 * late are called with peer. False if memory fails; fd is then the caller's.
 */
bool	peer_open(struct peer *peer, struct peers *peers, int fd,
	    event_callback_fn readable, event_callback_fn late);

/* Takes peer out and ends its connection; its memory is the door's. */
void	peer_close(struct peer *peer, enum peer_end end);

/*
 * Towards the end: accepts who already waits, unless the next daemon will.
 * Each peer that is owed no answer is given to look, which may find that it
 * has asked meanwhile, and else ends it.
 */
typedef void peer_look_fn(struct peer *peer);
void	peers_drain(struct peers *peers, peer_look_fn *look);

/* Peers that still need the loop: for an answer, or to read theirs. */
size_t	peers_busy(const struct peers *peers);

/* Stops listening and ends all by end. */
void	peers_free(struct peers *peers, peer_look_fn *end);

#endif
