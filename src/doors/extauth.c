/*
 * The extauth door: ejabberd's frames in, 00 02 00 XX out. Requests carry no
 * ids, so each connection has at most one under way and is answered in order:
 * an answer too many would become the answer of the next login. What the
 * answer is, extauth_request.c knows.
 *
 * Octets that may hold a password live in the connection's buffer only, and
 * are wiped as soon as the request is handed on.
 */

#include "doors/extauth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/secret.h"
#include "doors/extauth_frame.h"
#include "doors/extauth_request.h"
#include "doors/peer.h"

#define BUFFER_SMALL	512	/* octets; longer frames get their own */
#define STALL_SECONDS	60	/* for a whole frame, or a whole answer */

struct connection {
	struct peer		 peer;		/* NB: first */
	struct extauth_door	*door;
	int			 out;
	struct event		*writable;
	struct extauth_request	 request;	/* under way, or not */
	uint8_t			 answer[EXTAUTH_ANSWER];
	size_t			 answer_left;
	bool			 paused;	/* not reading meanwhile */
	uint8_t			*buf;		/* small, or allocated */
	size_t			 cap;
	size_t			 n;
	uint8_t			 small[BUFFER_SMALL];
};

struct extauth_door {
	const struct door_context *context;
	struct listener_settings settings;
	struct peers		 peers;
	extauth_ended_cb	*ended;		/* stdio only */
	void			*arg;
	bool			 stdio;
};

static const struct timeval stall_time = { STALL_SECONDS, 0 };

static void
buffer_reset(struct connection *c)
{
	if (c->buf != c->small) {
		secret_wipe(c->buf, c->cap);
		free(c->buf);
	}
	c->buf = c->small;
	c->cap = sizeof(c->small);
}

static void
connection_free(struct connection *c)
{
	extauth_request_cancel(&c->request);
	event_free(c->writable);
	peer_close(&c->peer, c->door->stdio ? PEER_KEEP : PEER_CLOSE);
	buffer_reset(c);
	secret_wipe(c->small, sizeof(c->small));
	free(c);
}

/* The connection is over; for stdio that is the end of the door's work. */
static void
connection_end(struct connection *c)
{
	struct extauth_door *door = c->door;

	connection_free(c);
	if (door->stdio)
		door->ended(door->arg);
}

static bool
is_busy(const struct connection *c)
{
	return c->peer.owed > 0;
}

/* Writes what it can of the answer. False if the connection has ended. */
static bool
write_answer(struct connection *c)
{
	ssize_t n;

	while (c->answer_left > 0) {
		n = write(c->out, c->answer + sizeof(c->answer) -
		    c->answer_left, c->answer_left);
		if (n >= 0) {
			c->answer_left -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			(void)event_add(c->writable, &stall_time);
			return true;
		}
		connection_end(c);
		return false;
	}
	c->peer.owed = 0;
	if (c->door->peers.draining) {
		connection_end(c);
		return false;
	}
	return true;
}

static bool
answer(struct connection *c, enum extauth_answer code)
{
	const uint8_t frame[EXTAUTH_ANSWER] = { 0, 2, 0, (uint8_t)code };

	memcpy(c->answer, frame, sizeof(frame));
	c->answer_left = sizeof(frame);
	return write_answer(c);
}

static bool work(struct connection *c);

/* Whether it ended in work() is of no interest to the event loop. */
static void
go_on(struct connection *c)
{
	if (work(c) && c->paused) {
		c->paused = false;
		(void)event_add(c->peer.readable, NULL);
	}
}

static void
on_answered(enum extauth_answer code, void *arg)
{
	struct connection *c = arg;

	if (answer(c, code))
		go_on(c);
}

/* Handles one payload. False if the connection has ended. */
static bool
handle(struct connection *c, struct span payload)
{
	enum extauth_answer code;

	c->peer.owed = 1;
	return extauth_request_start(&c->request, c->door->context,
	    &c->door->settings, payload, on_answered, c, &code) ||
	    answer(c, code);
}

/* The octets of the frame at the front, header included, when known. */
static size_t
frame_size(const struct connection *c)
{
	if (c->n < EXTAUTH_HEADER)
		return EXTAUTH_HEADER;
	return EXTAUTH_HEADER + ((size_t)c->buf[0] << 8 | c->buf[1]);
}

/* Forgets the frame at the front. */
static void
consume(struct connection *c, size_t size)
{
	size_t rest = c->n - size;

	memmove(c->buf, c->buf + size, rest);
	secret_wipe(c->buf + rest, size);
	c->n = rest;
	if (c->buf != c->small && rest <= sizeof(c->small)) {
		memcpy(c->small, c->buf, rest);
		buffer_reset(c);
	}
}

/* Makes room for a frame of size octets. */
static bool
reserve(struct connection *c, size_t size)
{
	uint8_t *bigger;

	if (size <= c->cap)
		return true;
	bigger = malloc(size);
	if (bigger == NULL)
		return false;
	memcpy(bigger, c->buf, c->n);
	secret_wipe(c->buf, c->n);
	buffer_reset(c);
	c->buf = bigger;
	c->cap = size;
	return true;
}

/*
 * Handles what is complete, one request after the other; then sees to it that
 * the rest of a half frame comes in time. False if the connection has ended.
 */
static bool
work(struct connection *c)
{
	while (!is_busy(c) && c->n >= frame_size(c)) {
		size_t size = frame_size(c);
		struct span payload = span_mem(c->buf + EXTAUTH_HEADER,
		    size - EXTAUTH_HEADER);

		(void)event_del(c->peer.late);
		if (!handle(c, payload))
			return false;
		consume(c, size);
	}
	if (is_busy(c) || c->n == 0)
		return true;
	if (!reserve(c, frame_size(c))) {
		sink_log(c->door->context->sink, LEVEL_ERROR,
		    "door=extauth: out of memory, connection closed");
		connection_end(c);
		return false;
	}
	if (!event_pending(c->peer.late, EV_TIMEOUT, NULL))
		(void)event_add(c->peer.late, &stall_time);
	return true;
}

/* Reads what there is and goes on. False if the connection has ended. */
static bool
take(struct connection *c)
{
	ssize_t n;

	if (is_busy(c) || c->n == c->cap) {
		/* The next request waits where it is. */
		c->paused = true;
		(void)event_del(c->peer.readable);
		return true;
	}
	n = read(c->peer.fd, c->buf + c->n, c->cap - c->n);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		connection_end(c);
		return false;
	}
	c->n += (size_t)n;
	return work(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)take(arg);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if ((what & EV_TIMEOUT) != 0) {
		sink_log(c->door->context->sink, LEVEL_WARNING,
		    "door=extauth: a peer does not read its answer, "
		    "connection closed");
		connection_end(c);
		return;
	}
	if (write_answer(c))
		go_on(c);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	sink_log(c->door->context->sink, LEVEL_WARNING,
	    "door=extauth: half a frame and no more for %d s, connection "
	    "closed", STALL_SECONDS);
	connection_end(c);
}

/* NULL if memory or the event loop fails; in and out stay the caller's. */
static struct connection *
connection_new(struct extauth_door *door, int in, int out)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->door = door;
	c->out = out;
	c->buf = c->small;
	c->cap = sizeof(c->small);
	c->writable = event_new(door->context->base, out, EV_WRITE,
	    on_writable, c);
	if (c->writable != NULL && peer_open(&c->peer, &door->peers, in,
	    on_readable, on_late)) {
		(void)event_add(c->peer.readable, NULL);
		return c;
	}
	if (c->writable != NULL)
		event_free(c->writable);
	free(c);
	return NULL;
}

/* Towards the end: ends the connection unless a request has come by now. */
static void
look(struct peer *peer)
{
	void *c = peer;

	if (take(c) && !is_busy(c))
		connection_end(c);
}

static void
on_accept(int fd, void *arg)
{
	struct extauth_door *door = arg;
	struct connection *c = connection_new(door, fd, fd);

	if (c != NULL) {
		if (door->peers.draining)
			look(&c->peer);
		return;
	}
	sink_log(door->context->sink, LEVEL_ERROR,
	    "door=extauth: out of memory, connection closed");
	(void)close(fd);
	listener_closed(door->peers.listener);
}

static struct extauth_door *
door_make(const struct door_context *context,
    const struct listener_settings *settings)
{
	struct extauth_door *door = calloc(1, sizeof(*door));

	if (door == NULL) {
		sink_log(context->sink, LEVEL_ERROR, "out of memory");
		return NULL;
	}
	door->peers.base = context->base;
	extauth_door_attach(door, context, settings);
	return door;
}

struct extauth_door *
extauth_door_new(const struct door_context *context,
    const struct listener_settings *settings)
{
	struct extauth_door *door = door_make(context, settings);

	if (door == NULL)
		return NULL;
	/*
	 * Who may not ask is told nothing: octets that answer no request are
	 * no answer, and the relay makes one of the end of the stream.
	 */
	if (!peers_listen(&door->peers, context, settings, on_accept, door))
		extauth_door_free(&door);
	return door;
}

struct extauth_door *
extauth_door_stdio(const struct door_context *context,
    const struct listener_settings *settings, int in, int out,
    extauth_ended_cb *ended, void *arg)
{
	struct extauth_door *door = door_make(context, settings);

	if (door == NULL)
		return NULL;
	door->stdio = true;
	door->ended = ended;
	door->arg = arg;
	if (connection_new(door, in, out) == NULL) {
		sink_log(context->sink, LEVEL_ERROR,
		    "the event loop refused stdin or stdout");
		extauth_door_free(&door);
	}
	return door;
}

static void
end(struct peer *peer)
{
	void *c = peer;

	connection_free(c);
}

void
extauth_door_free(struct extauth_door **door)
{
	struct extauth_door *d = *door;

	*door = NULL;
	if (d == NULL)
		return;
	peers_free(&d->peers, end);
	free(d);
}

void
extauth_door_attach(struct extauth_door *door,
    const struct door_context *context,
    const struct listener_settings *settings)
{
	door->context = context;
	door->settings = *settings;
}

void
extauth_door_drain(struct extauth_door *door)
{
	peers_drain(&door->peers, look);
}

size_t
extauth_door_busy(const struct extauth_door *door)
{
	return peers_busy(&door->peers);
}
