/*
 * Peers that have had their answer before they had sent all of their request.
 * To close at once would meet their next write(2) with EPIPE, and SIGPIPE in
 * an application that does not expect it, and the answer would never be read;
 * so we stop writing, and read until they close.
 *
 * What is read here may hold passwords: it is wiped, and looked at by nobody.
 * Peers that may not even ask come here, hence a bound for everything.
 */

#include "doors/farewell.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/secret.h"

#define LINGER_SECONDS	1
#define LINGER_OCTETS	(64 * 1024)	/* of one peer */
#define PEERS_MAX	256		/* the oldest makes room */

/* One peer; fd -1: free. */
struct place {
	struct farewell	*farewell;
	struct event	*readable;
	struct event	*deadline;
	int		 fd;
	size_t		 octets;
};

struct farewell {
	struct event_base *base;
	size_t		 count;
	size_t		 next;		/* filled in turn: free, or oldest */
	struct place	 places[PEERS_MAX];
};

static void
place_close(struct place *place)
{
	if (place->fd < 0)
		return;
	if (place->readable != NULL)
		event_free(place->readable);
	if (place->deadline != NULL)
		event_free(place->deadline);
	(void)close(place->fd);
	place->readable = place->deadline = NULL;
	place->fd = -1;
	place->farewell->count--;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct place *place = arg;
	uint8_t forgotten[4096];
	ssize_t n = read(fd, forgotten, sizeof(forgotten));

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		secret_wipe(forgotten, (size_t)n);
		place->octets += (size_t)n;
	}
	if (n <= 0 || place->octets > LINGER_OCTETS)
		place_close(place);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	place_close(arg);
}

struct farewell *
farewell_new(struct event_base *base)
{
	struct farewell *farewell = calloc(1, sizeof(*farewell));

	if (farewell == NULL)
		return NULL;
	farewell->base = base;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		farewell->places[i].farewell = farewell;
		farewell->places[i].fd = -1;
	}
	return farewell;
}

void
farewell_free(struct farewell **farewell)
{
	struct farewell *f = *farewell;

	*farewell = NULL;
	if (f == NULL)
		return;
	for (size_t i = 0; i < PEERS_MAX; i++)
		place_close(&f->places[i]);
	free(f);
}

void
farewell_add(struct farewell *farewell, int fd)
{
	const struct timeval tv = { LINGER_SECONDS, 0 };
	struct place *place = &farewell->places[farewell->next];

	farewell->next = (farewell->next + 1) % PEERS_MAX;
	place_close(place);
	farewell->count++;
	place->fd = fd;
	place->octets = 0;
	place->readable = event_new(farewell->base, fd, EV_READ | EV_PERSIST,
	    on_readable, place);
	place->deadline = evtimer_new(farewell->base, on_deadline, place);
	if (shutdown(fd, SHUT_WR) != 0 || place->readable == NULL ||
	    place->deadline == NULL ||
	    event_add(place->readable, NULL) != 0 ||
	    event_add(place->deadline, &tv) != 0)
		place_close(place);
}

size_t
farewell_count(const struct farewell *farewell)
{
	return farewell->count;
}
