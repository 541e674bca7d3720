/*
 * The saslauthd door (CYRUS.md 3.2): one request per connection, one answer,
 * close. The answers are `OK', `NO', and a string of length 0 for everything
 * that was not judged, which libsasl takes for SASL_FAIL and never for a
 * wrong password.
 *
 * NB: no connection is closed without an answer. libsasl has no timeout of
 * its own, and on end of file it loses a descriptor of its application.
 * Octets that may hold a password live in the connection's buffer only, and
 * are wiped as soon as the request is handed on.
 */

#include "doors/saslauthd.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/secret.h"
#include "doors/saslauthd_request.h"

#define REQUEST_MS	10000

struct connection {
	struct saslauthd_door	*door;
	struct connection	*next;
	struct connection	**link;		/* what points to us */
	int			 fd;
	struct event		*readable;
	struct event		*stalled;
	struct auth_ticket	*ticket;	/* the request is being judged */
	size_t			 n;
	uint8_t			 buf[SASLAUTHD_REQUEST_MAX];
};

struct saslauthd_door {
	const struct door_context *context;
	struct saslauthd_settings settings;
	struct timeval		 request_time;
	struct listener		*listener;	/* NULL: draining */
	struct connection	*connections;
};

/*
 * Answers and closes. These are the first octets on a fresh socket: they
 * always fit, whether the peer reads or not.
 */
static void
fd_answer(int fd, enum verdict verdict)
{
	struct span text = SPAN_LIT("\0\0");
	ssize_t n;

	switch (verdict) {
	case VERDICT_ALLOW:
		text = SPAN_LIT("\0\2OK");
		break;
	case VERDICT_DENY:
		text = SPAN_LIT("\0\2NO");
		break;
	case VERDICT_UNAVAILABLE:
		break;
	}
	do
		n = send(fd, text.p, text.n, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	(void)close(fd);
}

static void
connection_answer(struct connection *c, enum verdict verdict)
{
	struct saslauthd_door *door = c->door;

	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	if (c->ticket != NULL)
		auth_cancel(c->ticket);
	event_free(c->readable);
	event_free(c->stalled);
	fd_answer(c->fd, verdict);
	secret_wipe(c->buf, c->n);
	free(c);
	if (door->listener != NULL)
		listener_closed(door->listener);
}

/* Answers what was not judged by service/auth, and so not logged there. */
static void
connection_refuse(struct connection *c, enum verdict verdict,
    enum reason reason)
{
	sink_log(c->door->context->sink, LEVEL_INFO,
	    "door=saslauthd verdict=%s reason=%s", verdict_str(verdict),
	    reason_str(reason));
	connection_answer(c, verdict);
}

static void
on_decided(const struct auth_reply *reply, void *arg)
{
	struct connection *c = arg;

	c->ticket = NULL;
	connection_answer(c, reply->verdict);
}

/* The domain of a request that names none, if the listener serves but one. */
static struct span
domain_of(const struct saslauthd_door *door,
    const struct saslauthd_request *request)
{
	const struct domain_list *domains = &door->settings.listener.domains;

	if (request->realm.n == 0 && domains->count == 1 &&
	    span_find(request->login, '@') == request->login.n)
		return span_str(domains->names[0]);
	return request->realm;
}

static void
submit(struct connection *c, const struct saslauthd_request *request)
{
	const struct saslauthd_door *door = c->door;
	const struct listener_settings *settings = &door->settings.listener;
	struct auth_request asked;

	memset(&asked, 0, sizeof(asked));
	asked.kind = AUTH_PASSWORD;
	asked.door = "saslauthd";
	asked.service = request->service;
	asked.name = request->login;
	asked.domain = domain_of(door, request);
	asked.password = request->password;
	/* IPREMOTEPORT: "address;port". */
	asked.source = span_head(request->client,
	    span_find(request->client, ';'));
	asked.domains = settings->domains.count > 0 ? &settings->domains :
	    NULL;
	(void)event_del(c->readable);
	(void)event_del(c->stalled);
	c->ticket = auth_submit(door->context->auth, &asked, on_decided, c);
	secret_wipe(c->buf, c->n);
	c->n = 0;
}

/* Sees to it that the rest of the request comes, and in time. */
static void
wait_for_rest(struct connection *c)
{
	if (event_pending(c->stalled, EV_TIMEOUT, NULL))
		return;
	if (event_add(c->readable, NULL) != 0 ||
	    event_add(c->stalled, &c->door->request_time) != 0)
		connection_refuse(c, VERDICT_UNAVAILABLE, REASON_INTERNAL);
}

/* Hands the request on if it is whole. */
static void
work(struct connection *c)
{
	struct saslauthd_request request;
	int rc = saslauthd_request_parse(span_mem(c->buf, c->n), &request);

	if (rc == 0)
		wait_for_rest(c);
	else if (rc < 0 || request.login.n == 0 || request.password.n == 0)
		connection_refuse(c, VERDICT_DENY, REASON_MALFORMED);
	else if ((c->door->settings.listener.rights & RIGHT_CHECK) == 0)
		connection_refuse(c, VERDICT_UNAVAILABLE,
		    REASON_NOT_PERMITTED);
	else
		submit(c, &request);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	ssize_t n = read(fd, c->buf + c->n, sizeof(c->buf) - c->n);

	(void)what;
	if (n > 0) {
		c->n += (size_t)n;
		work(c);
	} else if (n < 0 && (errno == EINTR || errno == EAGAIN))
		wait_for_rest(c);
	else if (c->n > 0)
		connection_refuse(c, VERDICT_UNAVAILABLE, REASON_MALFORMED);
	else
		connection_answer(c, VERDICT_UNAVAILABLE);
}

static void
on_stalled(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	sink_log(c->door->context->sink, LEVEL_WARNING,
	    "door=saslauthd: half a request or none, and no more: answered "
	    "\"temporary failure\"");
	connection_answer(c, VERDICT_UNAVAILABLE);
}

/* NULL if there is no memory; fd then stays the caller's. */
static struct connection *
connection_new(struct saslauthd_door *door, int fd)
{
	struct event_base *base = door->context->base;
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->door = door;
	c->fd = fd;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable,
	    c);
	c->stalled = evtimer_new(base, on_stalled, c);
	if (c->readable == NULL || c->stalled == NULL) {
		if (c->readable != NULL)
			event_free(c->readable);
		if (c->stalled != NULL)
			event_free(c->stalled);
		free(c);
		return NULL;
	}
	c->next = door->connections;
	c->link = &door->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	door->connections = c;
	return c;
}

static void
on_accept(int fd, void *arg)
{
	struct saslauthd_door *door = arg;
	struct connection *c = connection_new(door, fd);

	if (c != NULL) {
		/* It has usually come with the connection: no event needed. */
		on_readable(fd, EV_READ, c);
		return;
	}
	sink_log(door->context->sink, LEVEL_ERROR,
	    "door=saslauthd: out of memory, connection closed");
	fd_answer(fd, VERDICT_UNAVAILABLE);
	listener_closed(door->listener);
}

struct saslauthd_door *
saslauthd_door_new(const struct door_context *context,
    const struct saslauthd_settings *settings)
{
	struct saslauthd_door *door = calloc(1, sizeof(*door));
	unsigned int ms = settings->request_ms != 0 ? settings->request_ms :
	    REQUEST_MS;

	if (door == NULL) {
		sink_log(context->sink, LEVEL_ERROR, "out of memory");
		return NULL;
	}
	door->context = context;
	door->settings = *settings;
	door->request_time.tv_sec = ms / 1000;
	door->request_time.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	door->listener = listener_new(context->base, &settings->listener,
	    context->sink, on_accept, door);
	if (door->listener == NULL)
		saslauthd_door_free(&door);
	return door;
}

void
saslauthd_door_free(struct saslauthd_door **door)
{
	struct saslauthd_door *d = *door;

	*door = NULL;
	if (d == NULL)
		return;
	listener_free(&d->listener);
	while (d->connections != NULL)
		connection_answer(d->connections, VERDICT_UNAVAILABLE);
	free(d);
}

void
saslauthd_door_drain(struct saslauthd_door *door)
{
	struct connection *c, *next;

	listener_free(&door->listener);
	for (c = door->connections; c != NULL; c = next) {
		next = c->next;
		if (c->ticket == NULL)
			connection_answer(c, VERDICT_UNAVAILABLE);
	}
}

size_t
saslauthd_door_busy(const struct saslauthd_door *door)
{
	const struct connection *c;
	size_t n = 0;

	for (c = door->connections; c != NULL; c = c->next)
		n += c->ticket != NULL;
	return n;
}
