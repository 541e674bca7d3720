/*
 * Dovecot's authentication protocol for clients (STANDARDS 7.3). The whole
 * handshake goes out when a client connects: Exim waits for it before it
 * speaks, Postfix and Prosody do not. MECH comes before SPID, or Postfix and
 * Exim take the socket for another one.
 *
 * NB: a client shares one connection among all its users and keeps it for
 * days (Prosody), and its users can make it send lines of any length: what
 * one of them sends is refused by its id and never costs the connection.
 * Messages that hold passwords live in the line buffer only, and are wiped.
 * -PLUS is never offered: there is no field for the binding's data.
 */

#include "doors/dovecot.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/hex.h"
#include "core/secret.h"
#include "core/wbuf.h"
#include "doors/dovecot_exchanges.h"
#include "doors/dovecot_line.h"
#include "doors/peer.h"

#define STALL_MS	10000
#define COOKIE_SIZE	16

struct connection {
	struct peer		 peer;		/* NB: first */
	struct dovecot_door	*door;
	struct event		*writable;
	struct dovecot_exchanges exchanges;
	bool			 paused;	/* does not read */
	bool			 skipping;	/* the rest of a long line */
	bool			 complained;
	bool			 ended;		/* the client has said all */
	size_t			 n;
	uint8_t			 in[DOVECOT_LINE_MAX + 1];
};

struct dovecot_door {
	const struct door_context *context;
	struct dovecot_settings	 settings;
	struct timeval		 stall_time;
	struct peers		 peers;
	uint32_t		 connections;
	struct dovecot_terms	 terms;
};

static const struct {
	enum sasl_mech	 mech;
	unsigned int	 right;
	enum hash_id	 hash;
	const char	*properties;
} offered[] = {
	{ SASL_MECH_PLAIN, RIGHT_CHECK, HASH_NONE, "plaintext" },
	{ SASL_MECH_LOGIN, RIGHT_CHECK, HASH_NONE, "plaintext" },
	{ SASL_MECH_SCRAM_SHA_1, RIGHT_SASL, HASH_SHA_1, "mutual-auth" },
	{ SASL_MECH_SCRAM_SHA_256, RIGHT_SASL, HASH_SHA_256, "mutual-auth" },
	{ SASL_MECH_SCRAM_SHA_512, RIGHT_SASL, HASH_SHA_512, "mutual-auth" }
};

static void
connection_free(struct connection *c)
{
	dovecot_exchanges_end(&c->exchanges);
	event_free(c->writable);
	peer_close(&c->peer, PEER_CLOSE);
	secret_wipe(c, sizeof(*c));
	free(c);
}

/* At most one line for each connection: its users must not fill the log. */
static void
complain(struct connection *c, const char *what)
{
	if (!c->complained)
		sink_log(c->door->context->sink, LEVEL_WARNING,
		    "door=dovecot: %s", what);
	c->complained = true;
}

/* False: the connection must end. */
static bool
take_line(struct connection *c, struct span text)
{
	struct dovecot_line line;

	if (dovecot_line_parse(text, &line) != 0) {
		complain(c, "a line that nobody understands, connection "
		    "closed");
		return false;
	}
	switch (line.command) {
	case DOVECOT_VERSION:
		if (line.major != 1) {
			complain(c, "a client that does not speak version 1, "
			    "connection closed");
			return false;
		}
		c->exchanges.minor = line.minor;
		break;
	case DOVECOT_AUTH:
	case DOVECOT_CONT:
		dovecot_exchanges_take(&c->exchanges, &line);
		break;
	case DOVECOT_CANCEL:
		dovecot_exchanges_cancel(&c->exchanges, line.id);
		break;
	case DOVECOT_UNKNOWN:
		complain(c, "a command that nobody knows: ignored");
		break;
	case DOVECOT_CPID:
		break;
	}
	return true;
}

/* Forgets n octets at the front. */
static void
consume(struct connection *c, size_t n)
{
	if (n == 0)
		return;
	c->n -= n;
	memmove(c->in, c->in + n, c->n);
	secret_wipe(c->in + c->n, n);
}

/* The buffer is full, and no end of the line: refused by its id. */
static void
skip_line(struct connection *c)
{
	uint32_t id;

	if (!c->skipping && dovecot_line_id(span_mem(c->in, c->n), &id))
		dovecot_exchanges_refuse(&c->exchanges, id);
	c->skipping = true;
	consume(c, c->n);
}

/* Handles the lines that are there. False: the connection must end. */
static bool
take_lines(struct connection *c)
{
	bool ok = true, half = false;
	size_t at = 0;

	while (ok && at < c->n && dovecot_exchanges_room(&c->exchanges)) {
		struct span rest = span_mem(c->in + at, c->n - at);
		size_t end = span_find(rest, '\n');

		half = end == rest.n;
		if (half)
			break;
		(void)event_del(c->peer.late);
		if (!c->skipping)
			ok = take_line(c, span_head(rest, end));
		c->skipping = false;
		at += end + 1;
	}
	/* NB: once, for a buffer may be full of empty lines. */
	consume(c, at);
	if (half && (c->skipping || c->n == sizeof(c->in)))
		skip_line(c);
	return ok;
}

/* Sends what it can. False: the client has gone. */
static bool
flush(struct connection *c)
{
	struct dovecot_exchanges *x = &c->exchanges;
	ssize_t n;

	while (x->out_n > 0) {
		n = send(c->peer.fd, x->out, x->out_n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return event_add(c->writable,
			    &c->door->stall_time) == 0;
		if (n < 0)
			return false;
		x->out_n -= (size_t)n;
		memmove(x->out, x->out + n, x->out_n);
	}
	return true;
}

/*
 * Reads on if there is room for the answers, and sees to it that half a line
 * becomes a whole one in time; who has begun none may be silent for days.
 */
static bool
wait_for_more(struct connection *c)
{
	bool late = event_pending(c->peer.late, EV_TIMEOUT, NULL) != 0;

	if (c->ended || !dovecot_exchanges_room(&c->exchanges)) {
		c->paused = true;
		(void)event_del(c->peer.late);
		return event_del(c->peer.readable) == 0;
	}
	c->paused = false;
	if ((c->n > 0 || c->skipping) && !late &&
	    event_add(c->peer.late, &c->door->stall_time) != 0)
		return false;
	return event_add(c->peer.readable, NULL) == 0;
}

/* After everything that happens: c may be gone then. */
static void
go_on(struct connection *c)
{
	bool over = c->door->peers.draining || c->ended, ok;

	/* NB: what was sent has made room; no event tells of lines read. */
	do
		ok = take_lines(c) && flush(c);
	while (ok && dovecot_exchanges_room(&c->exchanges) &&
	    span_find(span_mem(c->in, c->n), '\n') < c->n);
	c->peer.owed = c->exchanges.judged_count + (c->exchanges.out_n > 0);
	if (!ok || (over && c->peer.owed == 0) || !wait_for_more(c))
		connection_free(c);
}

static void
on_answered(void *arg)
{
	go_on(arg);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	ssize_t n = 0;

	(void)what;
	if (!c->paused && c->n < sizeof(c->in)) {
		n = read(fd, c->in + c->n, sizeof(c->in) - c->n);
		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			connection_free(c);
			return;
		}
		c->ended = n == 0;
		c->n += n > 0 ? (size_t)n : 0;
	}
	go_on(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if ((what & EV_TIMEOUT) == 0) {
		go_on(c);
		return;
	}
	complain(c, "a client does not read its answers, connection closed");
	connection_free(c);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	complain(c, "half a line and no more, connection closed");
	connection_free(c);
}

static void
greet(struct connection *c)
{
	struct dovecot_door *door = c->door;
	uint8_t cookie[COOKIE_SIZE];
	struct wbuf wb;

	/* Nothing here is asked with it, but it must be there. */
	if (crypto_random(door->context->crypto, cookie, sizeof(cookie)) != 0)
		memset(cookie, 0, sizeof(cookie));
	wbuf_init(&wb, c->exchanges.out, sizeof(c->exchanges.out));
	wbuf_str(&wb, "VERSION\t1\t2\n");
	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) {
		if (!door->terms.offers[offered[i].mech])
			continue;
		wbuf_str(&wb, "MECH\t");
		wbuf_str(&wb, sasl_mech_name(offered[i].mech));
		wbuf_u8(&wb, '\t');
		wbuf_str(&wb, offered[i].properties);
		wbuf_u8(&wb, '\n');
	}
	wbuf_str(&wb, "SPID\t");
	wbuf_dec(&wb, (uint64_t)getpid());
	wbuf_str(&wb, "\nCUID\t");
	wbuf_dec(&wb, ++door->connections);
	wbuf_str(&wb, "\nCOOKIE\t");
	wbuf_hex(&wb, span_mem(cookie, sizeof(cookie)));
	wbuf_str(&wb, "\nDONE\n");
	c->exchanges.out_n = wb.n;
}

static void
on_accept(int fd, void *arg)
{
	struct dovecot_door *door = arg;
	struct connection *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->writable = event_new(door->context->base, fd, EV_WRITE,
		    on_writable, c);
	if (c != NULL && c->writable != NULL && peer_open(&c->peer,
	    &door->peers, fd, on_readable, on_late)) {
		c->door = door;
		dovecot_exchanges_init(&c->exchanges, &door->terms,
		    on_answered, c);
		greet(c);
		on_readable(fd, EV_READ, c);
		return;
	}
	sink_log(door->context->sink, LEVEL_ERROR,
	    "door=dovecot: out of memory, connection closed");
	if (c != NULL && c->writable != NULL)
		event_free(c->writable);
	free(c);
	(void)close(fd);
	listener_closed(door->peers.listener);
}

struct dovecot_door *
dovecot_door_new(const struct door_context *context,
    const struct dovecot_settings *settings)
{
	struct dovecot_door *door = calloc(1, sizeof(*door));
	unsigned int ms = settings->stall_ms != 0 ? settings->stall_ms :
	    STALL_MS;

	if (door == NULL) {
		sink_log(context->sink, LEVEL_ERROR, "out of memory");
		return NULL;
	}
	door->context = context;
	door->settings = *settings;
	door->stall_time.tv_sec = ms / 1000;
	door->stall_time.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	door->terms.sasl = context->sasl;
	door->terms.sink = context->sink;
	door->terms.domain = settings->domain;
	if (settings->listener.domains.count > 0)
		door->terms.domains = &door->settings.listener.domains;
	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++)
		door->terms.offers[offered[i].mech] =
		    (settings->listener.rights & offered[i].right) != 0 &&
		    (offered[i].hash == HASH_NONE ||
		    crypto_has(context->crypto, offered[i].hash));
	if (!peers_listen(&door->peers, context, &door->settings.listener,
	    on_accept, door))
		dovecot_door_free(&door);
	return door;
}

static void
end(struct peer *peer)
{
	void *c = peer;

	connection_free(c);
}

void
dovecot_door_free(struct dovecot_door **door)
{
	struct dovecot_door *d = *door;

	*door = NULL;
	if (d == NULL)
		return;
	peers_free(&d->peers, end);
	free(d);
}

/* What has come by now counts: nobody reads it later. */
static void
look(struct peer *peer)
{
	on_readable(peer->fd, EV_READ, peer);
}

void
dovecot_door_drain(struct dovecot_door *door)
{
	peers_drain(&door->peers, look);
}

size_t
dovecot_door_busy(const struct dovecot_door *door)
{
	return peers_busy(&door->peers);
}
