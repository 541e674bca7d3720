/*
 * What the stream doors have in common: who is connected, and how that ends.
 * No protocol, no buffer: a door reads and writes by itself.
 *
 * NB: no peer that has connected is dropped without a word because the daemon
 * stops: who asked is answered, who waited to be accepted is, and a socket
 * that outlives the daemon keeps its queue.
 */

#include "doors/peer.h"

#include <string.h>
#include <unistd.h>

bool
peers_listen(struct peers *peers, const struct door_context *context,
    const struct listener_settings *settings, listener_accept_cb *accept,
    void *door)
{
	peers->base = context->base;
	peers->listener = listener_new(context->base, settings,
	    context->sink, accept, door);
	return peers->listener != NULL;
}

static void
free_events(struct peer *peer)
{
	if (peer->readable != NULL)
		event_free(peer->readable);
	if (peer->late != NULL)
		event_free(peer->late);
}

bool
peer_open(struct peer *peer, struct peers *peers, int fd,
    event_callback_fn readable, event_callback_fn late)
{
	peer->peers = peers;
	peer->fd = fd;
	peer->owed = 0;
	peer->readable = event_new(peers->base, fd, EV_READ | EV_PERSIST,
	    readable, peer);
	peer->late = evtimer_new(peers->base, late, peer);
	if (peer->readable == NULL || peer->late == NULL) {
		free_events(peer);
		return false;
	}
	peer->next = peers->first;
	peer->link = &peers->first;
	if (peer->next != NULL)
		peer->next->link = &peer->next;
	peers->first = peer;
	return true;
}

void
peer_close(struct peer *peer, enum peer_end end)
{
	struct peers *peers = peer->peers;

	*peer->link = peer->next;
	if (peer->next != NULL)
		peer->next->link = peer->link;
	free_events(peer);
	if (end == PEER_LINGER && peers->listener != NULL)
		listener_linger(peers->listener, peer->fd);
	else if (end != PEER_KEEP)
		(void)close(peer->fd);
	if (peers->listener != NULL)
		listener_closed(peers->listener);
}

void
peers_drain(struct peers *peers, peer_look_fn *look)
{
	struct peer *peer, *next;

	/* NB: first, or who is sent away comes back to us. */
	peers->draining = true;
	if (peers->listener != NULL)
		listener_drain(peers->listener);
	for (peer = peers->first; peer != NULL; peer = next) {
		next = peer->next;
		if (peer->owed == 0)
			look(peer);
	}
}

size_t
peers_busy(const struct peers *peers)
{
	const struct peer *peer;
	size_t n = 0;

	for (peer = peers->first; peer != NULL; peer = peer->next)
		n += peer->owed > 0;
	if (peers->listener != NULL)
		n += listener_busy(peers->listener);
	return n;
}

void
peers_free(struct peers *peers, peer_look_fn *end)
{
	while (peers->first != NULL)
		end(peers->first);
	listener_free(&peers->listener);
}
