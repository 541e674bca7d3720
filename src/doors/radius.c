/*
 * The RADIUS door (RFC 2865 PAP, RFC 5090 and draft-sterman digests, RFC 5997
 * Status-Server) over UDP: check the packet, submit, reply.
 *
 *	datagram -> client -> signature -> seen before? -> submit -> reply
 *	   |           |          |            |             |
 *	   +-----------+----------+-- drop ----+-- resend    +-- silence while
 *	                                                         unavailable
 *
 * It must never answer what it cannot attribute to a client, never send a
 * Reject because the database is away (the client would not fail over), never
 * send Digest-HA1, and never echo anything of a user but Proxy-State.
 */

#include "doors/radius.h"

#include <sys/queue.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/err.h"
#include "core/wbuf.h"
#include "doors/radius_cache.h"
#include "doors/radius_clients.h"
#include "doors/radius_packet.h"
#include "doors/radius_request.h"
#include "doors/radius_socket.h"
#include "service/decision.h"

#define DATAGRAMS_PER_TURN	64	/* then other doors have theirs */
#define PENDING_MAX		8192	/* requests under way */
#define CACHE_ENTRIES		32768	/* full: 4 MB in all */
#define CACHE_LIFETIME		10000	/* milliseconds, RFC 5080: 5..30 s */
#define SWEEP_SECONDS		2

static const char door_name[] = "radius";

/* A request being answered; owner: door->pending until the callback. */
struct pending {
	TAILQ_ENTRY(pending)	 next;
	struct radius_door	*door;
	struct radius_clients	*clients;	/* keeps client alive */
	struct radius_client	*client;
	struct auth_ticket	*ticket;
	struct radius_peer	 peer;
	uint64_t		 handle;	/* in the cache */
	uint8_t			 id;
	uint8_t			 authenticator[RADIUS_AUTHENTICATOR_SIZE];
	bool			 send_rspauth;
	size_t			 proxy_n;
	uint8_t			 proxy[];	/* Proxy-State attributes */
};

TAILQ_HEAD(pending_list, pending);

struct radius_door {
	struct door_context	 context;
	int			 fd;
	bool			 own_fd;
	struct event		*readable, *sweep;
	struct radius_clients	*clients;
	struct radius_cache	*cache;
	struct pending_list	 pending;
	size_t			 pending_count;
	struct radius_quota	 strangers, unmade;
	uint8_t			 datagram[RADIUS_PACKET_MAX];
	uint8_t			 reply[RADIUS_PACKET_MAX];
	struct radius_request	 request;
};

/* The datagram in hand; views and borrowed pointers. */
struct datagram {
	struct radius_packet	 packet;
	struct radius_client	*client;
	const struct radius_peer *peer;
	uint64_t		 now;		/* monotonic milliseconds */
	uint64_t		 handle;	/* in the cache */
	char			 source[RADIUS_ADDRESS_TEXT];
};

static uint64_t
now_msec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static const char *const drop_text[RADIUS_DROP_COUNT] = {
	[RADIUS_DROP_UNSIGNED] = "without Message-Authenticator (only "
	    "\"require_message_authenticator = no\" takes those)",
	[RADIUS_DROP_FORGED] = "with a wrong Message-Authenticator (is the "
	    "secret the same on both sides?)",
	[RADIUS_DROP_PROXY_STATE] = "with Proxy-State but without "
	    "Message-Authenticator (let the proxy send it)",
	[RADIUS_DROP_MALFORMED] = "that is malformed",
	[RADIUS_DROP_CODE] = "of a kind that is not answered here",
	[RADIUS_DROP_BUSY] = "while too many are under way"
};

static void
drop(struct radius_door *door, struct datagram *in, enum radius_drop why)
{
	uint64_t untold;

	if (!radius_quota_take(&in->client->drops[why], in->now, &untold))
		return;
	sink_log(door->context.sink, LEVEL_WARNING, "radius: [radius-client "
	    "%s] %s: dropped a packet %s; %" PRIu64 " more since the last "
	    "such line", in->client->name, in->source, drop_text[why],
	    untold);
}

static void
drop_stranger(struct radius_door *door, const struct datagram *in)
{
	uint64_t untold;

	if (!radius_quota_take(&door->strangers, in->now, &untold))
		return;
	sink_log(door->context.sink, LEVEL_WARNING, "radius: %s is no "
	    "[radius-client]: dropped; %" PRIu64 " more packets of strangers "
	    "since the last such line", in->source, untold);
}

/* Signs, keeps and sends a reply; drops it if it cannot be made. */
static void
answer(struct radius_door *door, const struct radius_reply *reply,
    const struct radius_client *client, const struct radius_peer *peer,
    uint64_t handle)
{
	struct wbuf wb;
	uint64_t untold;
	int rc;

	wbuf_init(&wb, door->reply, sizeof(door->reply));
	rc = radius_reply_write(door->context.crypto, reply,
	    secret_span(&client->secret), &wb);
	if (rc != 0) {
		if (radius_quota_take(&door->unmade, now_msec(), &untold))
			sink_log(door->context.sink, LEVEL_WARNING, "radius: "
			    "[radius-client %s]: no reply could be made: %s",
			    client->name, err_str(rc));
		radius_cache_forget(door->cache, handle);
		return;
	}
	radius_cache_answer(door->cache, handle, wbuf_written(&wb));
	radius_socket_send(door->fd, wbuf_written(&wb), peer);
}

/* Answers the request in hand. */
static void
answer_now(struct radius_door *door, const struct datagram *in,
    enum radius_code code)
{
	uint8_t proxy[RADIUS_PACKET_MAX];
	struct wbuf wb;
	struct radius_reply reply = {
		.code = (uint8_t)code,
		.id = in->packet.id,
		.authenticator = in->packet.authenticator
	};

	wbuf_init(&wb, proxy, sizeof(proxy));
	if (in->packet.code == RADIUS_ACCESS_REQUEST)
		radius_packet_proxy_states(&in->packet, &wb);
	reply.proxy_states = wbuf_written(&wb);
	answer(door, &reply, in->client, in->peer, in->handle);
}

/* Access-Reject for what need not be asked, with its line in the log. */
static void
refuse(struct radius_door *door, const struct datagram *in,
    const struct auth_request *asked, enum reason reason)
{
	struct presented presented;
	struct decision decision = {
		.request = asked,
		.verdict = VERDICT_DENY,
		.reason = reason
	};

	if (identity_present(asked->name, SPAN_EMPTY, &presented) == 0)
		decision.account = &presented.account;
	decision_log(door->context.sink, &decision);
	answer_now(door, in, RADIUS_ACCESS_REJECT);
}

static void
pending_free(struct pending *pending)
{
	struct radius_door *door = pending->door;

	TAILQ_REMOVE(&door->pending, pending, next);
	door->pending_count--;
	radius_clients_unref(&pending->clients);
	free(pending);
}

static void
on_decision(const struct auth_reply *decision, void *arg)
{
	struct pending *pending = arg;
	struct radius_door *door = pending->door;
	struct radius_reply reply = {
		.code = RADIUS_ACCESS_REJECT,
		.id = pending->id,
		.authenticator = span_mem(pending->authenticator,
		    sizeof(pending->authenticator)),
		.proxy_states = span_mem(pending->proxy, pending->proxy_n)
	};
	bool silent = false;

	switch (decision->verdict) {
	case VERDICT_ALLOW:
		reply.code = RADIUS_ACCESS_ACCEPT;
		if (pending->send_rspauth)
			reply.response_auth = span_str(decision->rspauth);
		break;
	case VERDICT_UNAVAILABLE:
		silent = !pending->client->unavailable_reject;
		break;
	case VERDICT_DENY:
		break;
	}
	if (silent)
		radius_cache_forget(door->cache, pending->handle);
	else
		answer(door, &reply, pending->client, &pending->peer,
		    pending->handle);
	pending_free(pending);
}

static void
submit(struct radius_door *door, struct datagram *in,
    const struct radius_request *request)
{
	uint8_t proxy[RADIUS_PACKET_MAX];
	struct pending *pending = NULL;
	struct wbuf wb;

	wbuf_init(&wb, proxy, sizeof(proxy));
	radius_packet_proxy_states(&in->packet, &wb);
	/* @UNSAFE: wb.n is at most RADIUS_PACKET_MAX */
	if (door->pending_count < PENDING_MAX)
		pending = calloc(1, sizeof(*pending) + wb.n);
	if (pending == NULL) {
		radius_cache_forget(door->cache, in->handle);
		drop(door, in, RADIUS_DROP_BUSY);
		return;
	}
	pending->door = door;
	pending->clients = radius_clients_ref(door->clients);
	pending->client = in->client;
	pending->peer = *in->peer;
	pending->handle = in->handle;
	pending->id = in->packet.id;
	memcpy(pending->authenticator, in->packet.authenticator.p,
	    sizeof(pending->authenticator));
	pending->send_rspauth = request->send_rspauth;
	pending->proxy_n = wb.n;
	if (wb.n > 0)
		memcpy(pending->proxy, proxy, wb.n);
	TAILQ_INSERT_TAIL(&door->pending, pending, next);
	door->pending_count++;
	pending->ticket = auth_submit(door->context.auth, &request->asked,
	    on_decision, pending);
}

/* An Access-Request asks us for a nonce, or its client should have. */
static void
tell_nonce(struct radius_door *door, struct datagram *in)
{
	uint64_t untold;

	if (radius_quota_take(&in->client->nonces, in->now, &untold))
		sink_log(door->context.sink, LEVEL_WARNING, "radius: "
		    "[radius-client %s] %s: rejected, nonces of ours are not "
		    "built yet: the client must make its own and send it",
		    in->client->name, in->source);
}

static void
on_access_request(struct radius_door *door, struct datagram *in)
{
	struct radius_request *request = &door->request;
	enum reason reason = radius_request_read(door->context.crypto,
	    &in->packet, in->client, request);

	request->asked.door = door_name;
	request->asked.source = span_str(in->source);
	if (request->wants_nonce)
		tell_nonce(door, in);
	if (reason == REASON_OK)
		submit(door, in, request);
	else
		refuse(door, in, &request->asked, reason);
	radius_request_wipe(request);
}

/*
 * Whether the packet may be attributed to its client: Status-Server only with
 * a signature (RFC 5997 3), requests by the client's rule, and Proxy-State
 * never without (it is what CVE-2024-3596 needs echoed).
 */
static bool
is_attributable(struct radius_door *door, struct datagram *in)
{
	const struct radius_packet *packet = &in->packet;
	enum radius_authentic authentic;
	struct span ignored;

	if (packet->code != RADIUS_ACCESS_REQUEST &&
	    packet->code != RADIUS_STATUS_SERVER) {
		drop(door, in, RADIUS_DROP_CODE);
		return false;
	}
	authentic = radius_packet_authentic(door->context.crypto, packet,
	    packet->authenticator, secret_span(&in->client->secret));
	if (authentic == RADIUS_AUTHENTIC)
		return true;
	if (authentic == RADIUS_FORGED)
		drop(door, in, RADIUS_DROP_FORGED);
	else if (packet->code == RADIUS_STATUS_SERVER ||
	    in->client->require_message_authenticator)
		drop(door, in, RADIUS_DROP_UNSIGNED);
	else if (radius_packet_find(packet, RADIUS_PROXY_STATE, &ignored) > 0)
		drop(door, in, RADIUS_DROP_PROXY_STATE);
	else
		return true;
	return false;
}

static void
on_datagram(struct radius_door *door, const struct radius_peer *peer,
    struct span datagram, uint64_t now)
{
	struct datagram in = { .peer = peer, .now = now };
	struct radius_address address;
	struct radius_cache_key key;
	struct span reply;

	radius_address_read(&peer->from, &address);
	radius_address_text(&address, in.source);
	in.client = radius_clients_find(door->clients, address.ip);
	if (in.client == NULL) {
		drop_stranger(door, &in);
		return;
	}
	if (radius_packet_parse(datagram, &in.packet) != 0) {
		drop(door, &in, RADIUS_DROP_MALFORMED);
		return;
	}
	if (!is_attributable(door, &in))
		return;

	memcpy(key.ip, address.ip, sizeof(key.ip));
	key.port = address.port;
	key.id = in.packet.id;
	switch (radius_cache_enter(door->cache, &key,
	    in.packet.authenticator, now, &in.handle, &reply)) {
	case RADIUS_SEEN_PENDING:
		return;
	case RADIUS_SEEN_ANSWERED:
		radius_socket_send(door->fd, reply, peer);
		return;
	case RADIUS_SEEN_NEVER:
		break;
	}
	if (in.packet.code == RADIUS_STATUS_SERVER)
		answer_now(door, &in, RADIUS_ACCESS_ACCEPT);
	else
		on_access_request(door, &in);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct radius_door *door = arg;
	struct radius_peer peer;
	uint64_t now = now_msec();
	ssize_t n;

	(void)what;
	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		n = radius_socket_receive(fd, door->datagram,
		    sizeof(door->datagram), &peer);
		if (n >= 0)
			on_datagram(door, &peer, span_mem(door->datagram,
			    (size_t)n), now);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* Else an ICMP error about an earlier reply: read on. */
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct radius_door *door = arg;

	(void)fd;
	(void)what;
	radius_cache_expire(door->cache, now_msec());
}

/* Everything of a new door that can fail; false with the reason logged. */
static bool
door_start(struct radius_door *door, const struct radius_settings *settings)
{
	const struct sink *sink = door->context.sink;
	const struct timeval period = { SWEEP_SECONDS, 0 };
	uint64_t seed;

	if (!crypto_has(door->context.crypto, HASH_MD5)) {
		sink_log(sink, LEVEL_ERROR, "radius: MD5 is not to be had "
		    "(FIPS?), and RADIUS is built on it");
		return false;
	}
	door->fd = radius_socket_open(settings->listen, settings->fd, sink);
	if (door->fd < 0)
		return false;
	door->own_fd = settings->fd < 0;
	if (crypto_random(door->context.crypto, (uint8_t *)&seed,
	    sizeof(seed)) == 0)
		door->cache = radius_cache_new(CACHE_ENTRIES, CACHE_LIFETIME,
		    seed);
	door->clients = radius_clients_new(settings->clients,
	    settings->client_count);
	door->readable = event_new(door->context.base, door->fd,
	    EV_READ | EV_PERSIST, on_readable, door);
	door->sweep = event_new(door->context.base, -1, EV_PERSIST, on_sweep,
	    door);
	if (door->cache == NULL || door->clients == NULL ||
	    door->readable == NULL || door->sweep == NULL ||
	    event_add(door->readable, NULL) != 0 ||
	    event_add(door->sweep, &period) != 0) {
		sink_log(sink, LEVEL_ERROR, "radius: out of memory");
		return false;
	}
	return true;
}

struct radius_door *
radius_door_new(const struct door_context *context,
    const struct radius_settings *settings)
{
	struct radius_door *door = calloc(1, sizeof(*door));

	if (door == NULL) {
		sink_log(context->sink, LEVEL_ERROR, "radius: out of memory");
		return NULL;
	}
	door->context = *context;
	door->fd = -1;
	TAILQ_INIT(&door->pending);
	if (!door_start(door, settings))
		radius_door_free(&door);
	return door;
}

void
radius_door_reload(struct radius_door *door,
    const struct radius_settings *settings)
{
	struct radius_clients *clients = radius_clients_new(
	    settings->clients, settings->client_count);

	if (clients == NULL) {
		sink_log(door->context.sink, LEVEL_ERROR, "radius: out of "
		    "memory, the clients stay as they were");
		return;
	}
	radius_clients_unref(&door->clients);
	door->clients = clients;
}

void
radius_door_free(struct radius_door **door)
{
	struct radius_door *d = *door;
	struct pending *pending;

	*door = NULL;
	if (d == NULL)
		return;
	while ((pending = TAILQ_FIRST(&d->pending)) != NULL) {
		auth_cancel(pending->ticket);
		pending_free(pending);
	}
	if (d->readable != NULL)
		event_free(d->readable);
	if (d->sweep != NULL)
		event_free(d->sweep);
	if (d->own_fd)
		(void)close(d->fd);
	radius_cache_free(&d->cache);
	radius_clients_unref(&d->clients);
	free(d);
}
