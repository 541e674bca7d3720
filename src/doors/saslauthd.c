/*
 * The saslauthd door (CYRUS.md 3.2): one request per connection, one answer,
 * close. The answers are `OK', `NO', and a string of length 0 for everything
 * that was not judged, which libsasl takes for SASL_FAIL and never for a
 * wrong password.
 *
 * NB: no connection is closed without an answer, nor before its peer can have
 * sent its request: libsasl has no timeout of its own, on end of file it loses
 * a descriptor of its application, and a write(2) that fails is a SIGPIPE.
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
#include "doors/peer.h"
#include "doors/saslauthd_request.h"

#define REQUEST_MS	10000
#define UNAVAILABLE	SPAN_LIT("\0\0")

struct connection {
	struct peer		 peer;		/* NB: first */
	struct saslauthd_door	*door;
	struct auth_ticket	*ticket;	/* request being judged */
	size_t			 n;
	uint8_t			 buf[SASLAUTHD_REQUEST_MAX];
};

struct saslauthd_door {
	const struct door_context *context;
	struct saslauthd_settings settings;
	struct timeval		 request_time;
	struct peers		 peers;
};

/*
 * These are the first octets on a fresh socket: they always fit, whether the
 * peer reads or not.
 */
static void
send_answer(int fd, enum verdict verdict)
{
	struct span text = UNAVAILABLE;
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
}

/* Answers and ends; PEER_CLOSE only if the whole request has been read. */
static void
connection_answer(struct connection *c, enum verdict verdict,
    enum peer_end end)
{
	if (c->ticket != NULL)
		auth_cancel(c->ticket);
	send_answer(c->peer.fd, verdict);
	peer_close(&c->peer, end);
	secret_wipe(c->buf, c->n);
	free(c);
}

/* Answers what was not judged by service/auth, and so not logged there. */
static void
connection_refuse(struct connection *c, enum verdict verdict,
    enum reason reason)
{
	sink_log(c->door->context->sink, LEVEL_INFO,
	    "door=saslauthd verdict=%s reason=%s", verdict_str(verdict),
	    reason_str(reason));
	connection_answer(c, verdict, PEER_LINGER);
}

static void
on_decided(const struct auth_reply *reply, void *arg)
{
	struct connection *c = arg;

	c->ticket = NULL;
	connection_answer(c, reply->verdict, PEER_CLOSE);
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
	(void)event_del(c->peer.readable);
	(void)event_del(c->peer.late);
	c->peer.owed = 1;
	c->ticket = auth_submit(door->context->auth, &asked, on_decided, c);
	secret_wipe(c->buf, c->n);
	c->n = 0;
}

/* Sees to it that the rest of the request comes, and in time. */
static void
wait_for_rest(struct connection *c)
{
	if (c->door->peers.draining)
		connection_answer(c, VERDICT_UNAVAILABLE, PEER_LINGER);
	else if (!event_pending(c->peer.late, EV_TIMEOUT, NULL) &&
	    (event_add(c->peer.readable, NULL) != 0 ||
	    event_add(c->peer.late, &c->door->request_time) != 0))
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
		connection_answer(c, VERDICT_UNAVAILABLE, PEER_CLOSE);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	sink_log(c->door->context->sink, LEVEL_WARNING,
	    "door=saslauthd: half a request or none, and no more: answered "
	    "\"temporary failure\"");
	connection_answer(c, VERDICT_UNAVAILABLE, PEER_LINGER);
}

static void
on_accept(int fd, void *arg)
{
	struct saslauthd_door *door = arg;
	struct connection *c = calloc(1, sizeof(*c));

	if (c != NULL && peer_open(&c->peer, &door->peers, fd, on_readable,
	    on_late)) {
		c->door = door;
		/* It has usually come with the connection: no event needed. */
		on_readable(fd, EV_READ, c);
		return;
	}
	sink_log(door->context->sink, LEVEL_ERROR,
	    "door=saslauthd: out of memory, connection closed");
	free(c);
	send_answer(fd, VERDICT_UNAVAILABLE);
	listener_linger(door->peers.listener, fd);
	listener_closed(door->peers.listener);
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
	door->settings.listener.refusal = UNAVAILABLE;
	door->request_time.tv_sec = ms / 1000;
	door->request_time.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (!peers_listen(&door->peers, context, &door->settings.listener,
	    on_accept, door))
		saslauthd_door_free(&door);
	return door;
}

static void
end(struct peer *peer)
{
	void *c = peer;

	connection_answer(c, VERDICT_UNAVAILABLE, PEER_CLOSE);
}

void
saslauthd_door_free(struct saslauthd_door **door)
{
	struct saslauthd_door *d = *door;

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
saslauthd_door_drain(struct saslauthd_door *door)
{
	peers_drain(&door->peers, look);
}

size_t
saslauthd_door_busy(const struct saslauthd_door *door)
{
	return peers_busy(&door->peers);
}
