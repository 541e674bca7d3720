/*
 * Datagrams as the RADIUS door reads them: packet, signature, request in
 * either encoding, password, and the reply to it. What must hold for any
 * octets is checked; a violation aborts.
 */

#include <stdlib.h>
#include <string.h>

#include "core/wbuf.h"
#include "doors/radius_nonce.h"
#include "doors/radius_request.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* s lies within the packet, the request's own buffers, or is empty. */
static bool
is_within(struct span s, const struct radius_packet *packet,
    const struct radius_request *request)
{
	const uint8_t *text = request->digest.text;

	return s.n == 0 ||
	    (s.p >= packet->octets.p &&
	    s.p + s.n <= packet->octets.p + packet->octets.n) ||
	    (s.p >= text && s.p + s.n <= text + sizeof(request->digest.text));
}

/* The same packet from a client that we challenge, as far as the row. */
static void
check_ours(struct crypto *crypto, const struct radius_packet *packet,
    struct radius_client *client, struct radius_request *request)
{
	static const uint8_t key[RADIUS_NONCE_KEY_SIZE];
	const struct nonce_keys keys = { .count = 1 };
	struct digest_params *params = &request->asked.digest;
	struct radius_use_of theirs;
	struct radius_ours ours;

	client->nonce_ours = true;
	if (radius_request_read(crypto, packet, client, request) !=
	    REASON_OK || request->asked.kind != AUTH_DIGEST)
		return;
	must(span_equal_nocase(request->realm, SPAN_LIT("example.com")));
	if (request->wants_nonce) {
		must(params->nonce.n == 0 && params->method.n > 0);
		return;
	}
	must(radius_theirs_read(crypto, key, "kam", params, &theirs) == 0);
	if (radius_ours_form(params, DIGEST_MD5) != RADIUS_FORM_OK)
		return;
	must(params->alg == DIGEST_MD5 && params->qop.n > 0);
	must(radius_ours_read(crypto, key, &keys, request, request->realm,
	    &ours) == 0);
	must(ours.nc > 0);
}

static void
check_reply(struct crypto *crypto, const struct radius_packet *packet,
    struct span secret)
{
	uint8_t proxy[RADIUS_PACKET_MAX], out[RADIUS_PACKET_MAX];
	struct radius_attribute first;
	struct radius_packet parsed;
	struct radius_reply reply = {
		.code = RADIUS_ACCESS_REJECT, .id = packet->id,
		.authenticator = packet->authenticator
	};
	struct wbuf states, wb;

	wbuf_init(&states, proxy, sizeof(proxy));
	radius_packet_proxy_states(packet, &states);
	must(!states.failed);
	reply.proxy_states = wbuf_written(&states);
	wbuf_init(&wb, out, sizeof(out));
	if (radius_reply_write(crypto, &reply, secret, &wb) != 0)
		return;
	must(radius_packet_parse(wbuf_written(&wb), &parsed) == 0);
	must(radius_packet_authentic(crypto, &parsed, packet->authenticator,
	    secret) == RADIUS_AUTHENTIC);
	must(radius_attribute_next(&parsed.attributes, &first) &&
	    first.type == RADIUS_MESSAGE_AUTHENTICATOR);
	must(span_equal(parsed.attributes, reply.proxy_states));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct crypto *crypto;
	static struct radius_request request;
	static uint8_t secret[] = "secret";
	static const char *const realms[] = { "example.com" };
	struct radius_client client = {
		.secret = { secret, sizeof(secret) - 1 },
		.realms = { realms, 1 }
	};
	struct radius_packet packet;
	const struct digest_params *params = &request.asked.digest;
	enum reason reason;

	if (crypto == NULL && crypto_new(NULL, &crypto) != 0)
		abort();
	if (radius_packet_parse(span_mem(data, size), &packet) != 0)
		return 0;
	must(packet.octets.n <= size && packet.octets.n <= RADIUS_PACKET_MAX);
	(void)radius_packet_authentic(crypto, &packet, packet.authenticator,
	    secret_span(&client.secret));
	reason = radius_request_read(crypto, &packet, &client, &request);
	must(is_within(request.asked.name, &packet, &request));
	must(is_within(request.asked.lookup_name, &packet, &request));
	must(is_within(params->realm, &packet, &request));
	must(is_within(params->username, &packet, &request));
	must(is_within(params->nonce, &packet, &request));
	must(is_within(params->cnonce, &packet, &request));
	must(is_within(params->response, &packet, &request));
	must(request.asked.password.n <= RADIUS_PASSWORD_MAX);
	if (reason == REASON_OK && request.asked.kind == AUTH_DIGEST) {
		must(params->nonce.n > 0 && params->response.n > 0);
		must(params->username.n > 0 &&
		    span_find(params->username, 0) == params->username.n);
		must(span_equal_nocase(params->realm,
		    SPAN_LIT("example.com")));
	}
	check_reply(crypto, &packet, secret_span(&client.secret));
	check_ours(crypto, &packet, &client, &request);
	radius_request_wipe(&request);
	return 0;
}
