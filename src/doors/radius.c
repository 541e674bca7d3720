/*
 * The RADIUS door over UDP (RFC 2865, RFC 3579, RFC 5080, RFC 5997
 * Status-Server): check the packet, hand Access-Requests on, reply.
 *
 *	datagram -> client -> signature -> seen before? -> radius_login.c
 *	   |           |          |            |
 *	   +-----------+----------+-- drop ----+-- resend
 *
 * It must never answer what it cannot attribute to a client, and never echo
 * anything of a user but Proxy-State.
 */

#include "doors/radius.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/err.h"
#include "core/secret.h"
#include "core/wbuf.h"
#include "doors/radius_private.h"
#include "service/sip.h"

#define BATCHES_PER_TURN	2	/* then other doors have theirs */
#define CACHE_ENTRIES		32768	/* full: 4 MB in all */
#define CACHE_LIFETIME		10000	/* milliseconds, RFC 5080: 5..30 s */
#define MEMORY_ENTRIES		262144	/* full: 13 MB in all */
#define SWEEP_SECONDS		2

const char radius_door_name[] = "radius";

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

/* The same for the metrics. */
static const char *const drop_kind[RADIUS_DROP_COUNT] = {
	[RADIUS_DROP_UNSIGNED] = "unsigned",
	[RADIUS_DROP_FORGED] = "forged",
	[RADIUS_DROP_PROXY_STATE] = "proxy-state",
	[RADIUS_DROP_MALFORMED] = "malformed",
	[RADIUS_DROP_CODE] = "code",
	[RADIUS_DROP_BUSY] = "busy"
};

static void
source_text(const struct radius_datagram *in, char *out)
{
	struct radius_address address;

	radius_address_read(&in->peer->from, &address);
	radius_address_text(&address, out);
}

void
radius_drop(struct radius_door *door, struct radius_datagram *in,
    enum radius_drop why)
{
	char source[RADIUS_ADDRESS_TEXT];
	uint64_t untold;

	auth_dropped(door->context.auth, radius_door_name, drop_kind[why]);
	if (!radius_quota_take(&in->client->drops[why], in->now, &untold))
		return;
	source_text(in, source);
	sink_log(door->context.sink, LEVEL_WARNING, "radius: [radius-client "
	    "%s] %s: dropped a packet %s; %" PRIu64 " more since the last "
	    "such line", in->client->name, source, drop_text[why],
	    untold);
}

static void
drop_stranger(struct radius_door *door, const struct radius_datagram *in)
{
	char source[RADIUS_ADDRESS_TEXT];
	uint64_t untold;

	auth_dropped(door->context.auth, radius_door_name, "stranger");
	if (!radius_quota_take(&door->strangers, in->now, &untold))
		return;
	source_text(in, source);
	sink_log(door->context.sink, LEVEL_WARNING, "radius: %s is no "
	    "[radius-client]: dropped; %" PRIu64 " more packets of strangers "
	    "since the last such line", source, untold);
}

/*
 * Replies go out at the end of the loop's turn, in one system call: the
 * answers to lookups come many at a time.
 */
static void
send_soon(struct radius_door *door, struct span octets,
    const struct radius_peer *peer)
{
	if (!radius_batch_add(&door->out, octets, peer)) {
		radius_socket_send(door->fd, &door->out);
		(void)radius_batch_add(&door->out, octets, peer);
	}
	event_active(door->flush, EV_TIMEOUT, 1);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct radius_door *door = arg;

	(void)fd;
	(void)what;
	radius_socket_send(door->fd, &door->out);
}

void
radius_answer(struct radius_door *door, const struct radius_reply *reply,
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
		if (radius_quota_take(&door->unmade, radius_now(), &untold))
			sink_log(door->context.sink, LEVEL_WARNING, "radius: "
			    "[radius-client %s]: no reply could be made: %s",
			    client->name, err_str(rc));
		radius_cache_forget(door->cache, handle);
		return;
	}
	radius_cache_answer(door->cache, handle, wbuf_written(&wb));
	send_soon(door, wbuf_written(&wb), peer);
}

/* Access-Accept, without anything that belongs to a user (RFC 5997 3). */
static void
answer_status(struct radius_door *door, const struct radius_datagram *in)
{
	const struct radius_reply reply = {
		.code = RADIUS_ACCESS_ACCEPT,
		.id = in->packet.id,
		.authenticator = in->packet.authenticator
	};

	radius_answer(door, &reply, in->client, in->peer, in->handle);
}

/*
 * Whether the packet may be attributed to its client: Status-Server only with
 * a signature (RFC 5997 3), requests by the client's rule, and Proxy-State
 * never without (it is what CVE-2024-3596 needs echoed).
 */
static bool
is_attributable(struct radius_door *door, struct radius_datagram *in)
{
	const struct radius_packet *packet = &in->packet;
	enum radius_authentic authentic;
	struct span ignored;

	if (packet->code != RADIUS_ACCESS_REQUEST &&
	    packet->code != RADIUS_STATUS_SERVER) {
		radius_drop(door, in, RADIUS_DROP_CODE);
		return false;
	}
	authentic = radius_packet_authentic(door->context.crypto, packet,
	    packet->authenticator, secret_span(&in->client->secret));
	if (authentic == RADIUS_AUTHENTIC)
		return true;
	if (authentic == RADIUS_FORGED)
		radius_drop(door, in, RADIUS_DROP_FORGED);
	else if (packet->code == RADIUS_STATUS_SERVER ||
	    in->client->require_message_authenticator)
		radius_drop(door, in, RADIUS_DROP_UNSIGNED);
	else if (radius_packet_find(packet, RADIUS_PROXY_STATE, &ignored) > 0)
		radius_drop(door, in, RADIUS_DROP_PROXY_STATE);
	else
		return true;
	return false;
}

static void
on_datagram(struct radius_door *door, const struct radius_peer *peer,
    struct span datagram, uint64_t now)
{
	struct radius_datagram in = { .peer = peer, .now = now };
	struct radius_address address;
	struct radius_cache_key key;
	struct span reply;

	radius_address_read(&peer->from, &address);
	in.client = radius_clients_find(door->clients, address.ip);
	if (in.client == NULL) {
		drop_stranger(door, &in);
		return;
	}
	if (radius_packet_parse(datagram, &in.packet) != 0) {
		radius_drop(door, &in, RADIUS_DROP_MALFORMED);
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
		send_soon(door, reply, peer);
		return;
	case RADIUS_SEEN_NEVER:
		break;
	}
	if (in.packet.code == RADIUS_STATUS_SERVER)
		answer_status(door, &in);
	else
		radius_login_start(door, &in);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct radius_door *door = arg;
	uint64_t now = radius_now();
	bool more = true;

	(void)what;
	for (int turn = 0; more && turn < BATCHES_PER_TURN; turn++) {
		if (!radius_socket_receive(fd, &door->in, &more))
			continue;
		for (size_t i = 0; i < door->in.count; i++)
			on_datagram(door, &door->in.peers[i], span_mem(
			    door->in.octets[i], door->in.n[i]), now);
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct radius_door *door = arg;

	(void)fd;
	(void)what;
	radius_cache_expire(door->cache, radius_now());
}

/* Everything of a new door that can fail; false with the reason logged. */
static bool
door_start(struct radius_door *door, const struct radius_settings *settings)
{
	const struct sink *sink = door->context.sink;
	const struct timeval period = { SWEEP_SECONDS, 0 };
	struct crypto *crypto = door->context.crypto;
	uint64_t seed;

	if (!crypto_has(crypto, HASH_MD5)) {
		sink_log(sink, LEVEL_ERROR, "radius: MD5 is not to be had "
		    "(FIPS?), and RADIUS is built on it");
		return false;
	}
	door->fd = radius_socket_open(settings->listen, settings->fd, sink);
	if (door->fd < 0)
		return false;
	door->own_fd = settings->fd < 0;
	if (crypto_random(crypto, (uint8_t *)&seed, sizeof(seed)) == 0 &&
	    crypto_random(crypto, door->key, sizeof(door->key)) == 0)
		door->cache = radius_cache_new(CACHE_ENTRIES, CACHE_LIFETIME,
		    seed);
	door->clients = radius_clients_new(settings->clients,
	    settings->client_count);
	door->memory = radius_memory_new(MEMORY_ENTRIES,
	    sip_window(door->context.sip)->lifetime_us / 1000);
	door->readable = event_new(door->context.base, door->fd,
	    EV_READ | EV_PERSIST, on_readable, door);
	door->flush = event_new(door->context.base, -1, 0, on_flush, door);
	door->sweep = event_new(door->context.base, -1, EV_PERSIST, on_sweep,
	    door);
	if (door->cache == NULL || door->clients == NULL ||
	    door->memory == NULL || door->readable == NULL ||
	    door->flush == NULL || door->sweep == NULL ||
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
	TAILQ_INIT(&door->logins);
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

	*door = NULL;
	if (d == NULL)
		return;
	radius_login_end_all(d);
	/* What was answered in this turn still goes out. */
	if (d->fd >= 0)
		radius_socket_send(d->fd, &d->out);
	if (d->readable != NULL)
		event_free(d->readable);
	if (d->flush != NULL)
		event_free(d->flush);
	if (d->sweep != NULL)
		event_free(d->sweep);
	if (d->own_fd)
		(void)close(d->fd);
	radius_cache_free(&d->cache);
	radius_memory_free(&d->memory);
	secret_wipe(d->key, sizeof(d->key));
	radius_clients_unref(&d->clients);
	free(d);
}
