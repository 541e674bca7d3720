/*
 * RADIUS packets, pure: RFC 2865 sections 3 and 5.2 (format, User-Password),
 * RFC 3579 section 3.2 (Message-Authenticator).
 *
 * The attribute list is checked once, as a whole; after that the getters are
 * total. A reply must never contain anything a user supplied before its
 * Message-Authenticator, nor go without one (CVE-2024-3596: an attacker who
 * can place octets in a reply turns a Reject into an Accept).
 */

#include "doors/radius_packet.h"

#include "core/err.h"
#include "core/rbuf.h"
#include "core/secret.h"

#define ATTRIBUTE_HEADER_SIZE	2
#define BLOCK_SIZE		16	/* of User-Password; an MD5 */
#define LENGTH_AT		2	/* offset of Length in the header */
#define AUTHENTICATOR_AT	4

static const uint8_t zeros[RADIUS_AUTHENTICATOR_SIZE];

/* Attribute = Type Length Value, Length counting all three. */
bool
radius_attribute_next(struct span *list, struct radius_attribute *out)
{
	size_t n;

	if (list->n < ATTRIBUTE_HEADER_SIZE ||
	    list->p[1] < ATTRIBUTE_HEADER_SIZE || list->p[1] > list->n) {
		*list = SPAN_EMPTY;
		return false;
	}
	n = list->p[1];
	out->type = list->p[0];
	out->value.p = list->p + ATTRIBUTE_HEADER_SIZE;
	out->value.n = n - ATTRIBUTE_HEADER_SIZE;
	list->p += n;
	list->n -= n;
	return true;
}

int
radius_packet_parse(struct span datagram, struct radius_packet *out)
{
	struct radius_attribute attribute;
	struct rbuf rb;
	size_t length, checked = RADIUS_HEADER_SIZE;
	struct span list;

	*out = (struct radius_packet){ 0 };
	rbuf_init(&rb, datagram.p, datagram.n);
	out->code = rbuf_u8(&rb);
	out->id = rbuf_u8(&rb);
	length = rbuf_u16(&rb);
	out->authenticator = rbuf_bytes(&rb, RADIUS_AUTHENTICATOR_SIZE);
	if (rb.failed || length < RADIUS_HEADER_SIZE ||
	    length > RADIUS_PACKET_MAX || length > datagram.n)
		return -ERR_FORMAT;
	out->octets = span_head(datagram, length);
	out->attributes = span_tail(out->octets, RADIUS_HEADER_SIZE);

	list = out->attributes;
	while (radius_attribute_next(&list, &attribute))
		checked += ATTRIBUTE_HEADER_SIZE + attribute.value.n;
	return checked == length ? 0 : -ERR_FORMAT;
}

void
radius_packet_move(const struct radius_packet *packet, const uint8_t *copy,
    struct radius_packet *out)
{
	*out = *packet;
	out->octets.p = copy;
	out->authenticator.p = copy + AUTHENTICATOR_AT;
	out->attributes.p = copy + RADIUS_HEADER_SIZE;
}

size_t
radius_packet_find(const struct radius_packet *packet, uint8_t type,
    struct span *value)
{
	struct radius_attribute attribute;
	struct span list = packet->attributes;
	size_t count = 0;

	*value = SPAN_EMPTY;
	while (radius_attribute_next(&list, &attribute))
		if (attribute.type == type && count++ == 0)
			*value = attribute.value;
	return count;
}

/*
 * Message-Authenticator = HMAC-MD5(secret, Code Identifier Length
 * RequestAuthenticator Attributes), its own value taken as zeros. at is the
 * offset of that value in octets.
 */
static int
message_authenticator(struct crypto *crypto, struct span octets, size_t at,
    struct span authenticator, struct span secret, uint8_t *out)
{
	const struct span parts[] = {
		span_head(octets, AUTHENTICATOR_AT),
		authenticator,
		span_tail(span_head(octets, at), RADIUS_HEADER_SIZE),
		span_mem(zeros, sizeof(zeros)),
		span_tail(octets, at + sizeof(zeros))
	};

	return crypto_hmac(crypto, HASH_MD5, secret, parts,
	    sizeof(parts) / sizeof(parts[0]), out);
}

enum radius_authentic
radius_packet_authentic(struct crypto *crypto,
    const struct radius_packet *packet, struct span authenticator,
    struct span secret)
{
	uint8_t expected[RADIUS_AUTHENTICATOR_SIZE];
	struct span value;
	size_t count = radius_packet_find(packet,
	    RADIUS_MESSAGE_AUTHENTICATOR, &value);

	if (count == 0)
		return RADIUS_UNSIGNED;
	if (count > 1 || value.n != sizeof(expected) ||
	    message_authenticator(crypto, packet->octets,
	    (size_t)(value.p - packet->octets.p), authenticator, secret,
	    expected) != 0)
		return RADIUS_FORGED;
	return secret_equal_span(value, span_mem(expected,
	    sizeof(expected))) ? RADIUS_AUTHENTIC : RADIUS_FORGED;
}

int
radius_password_open(struct crypto *crypto, struct span hidden,
    struct span authenticator, struct span secret, uint8_t *out, size_t *n)
{
	uint8_t mask[BLOCK_SIZE];
	struct span parts[2] = { secret, authenticator };
	int rc = 0;

	*n = 0;
	if (hidden.n == 0 || hidden.n > RADIUS_PASSWORD_MAX ||
	    hidden.n % BLOCK_SIZE != 0)
		return -ERR_FORMAT;
	/* b(1) = MD5(S | RA), b(i) = MD5(S | c(i-1)), p(i) = c(i) xor b(i) */
	for (size_t at = 0; rc == 0 && at < hidden.n; at += BLOCK_SIZE) {
		rc = crypto_hash(crypto, HASH_MD5, parts, 2, mask);
		for (size_t i = 0; rc == 0 && i < BLOCK_SIZE; i++)
			out[at + i] = hidden.p[at + i] ^ mask[i];
		parts[1] = span_head(span_tail(hidden, at), BLOCK_SIZE);
	}
	secret_wipe(mask, sizeof(mask));
	if (rc != 0)
		return rc;
	*n = hidden.n;
	while (*n > 0 && out[*n - 1] == 0)
		(*n)--;
	return 0;
}

void
radius_attribute_write(struct wbuf *out, uint8_t type, struct span value)
{
	if (value.n > RADIUS_VALUE_MAX) {
		out->failed = true;
		return;
	}
	wbuf_u8(out, type);
	wbuf_u8(out, (uint8_t)(value.n + ATTRIBUTE_HEADER_SIZE));
	wbuf_span(out, value);
}

void
radius_packet_proxy_states(const struct radius_packet *packet,
    struct wbuf *out)
{
	struct radius_attribute attribute;
	struct span list = packet->attributes;

	while (radius_attribute_next(&list, &attribute))
		if (attribute.type == RADIUS_PROXY_STATE)
			radius_attribute_write(out, attribute.type,
			    attribute.value);
}

int
radius_response_authenticator(struct crypto *crypto, struct span octets,
    struct span authenticator, struct span secret, uint8_t *out)
{
	const struct span parts[] = {
		span_head(octets, AUTHENTICATOR_AT),
		authenticator,
		span_tail(octets, RADIUS_HEADER_SIZE),
		secret
	};

	return crypto_hash(crypto, HASH_MD5, parts,
	    sizeof(parts) / sizeof(parts[0]), out);
}

int
radius_reply_write(struct crypto *crypto, const struct radius_reply *reply,
    struct span secret, struct wbuf *out)
{
	const size_t value_at = RADIUS_HEADER_SIZE + ATTRIBUTE_HEADER_SIZE;
	int rc;

	wbuf_u8(out, reply->code);
	wbuf_u8(out, reply->id);
	wbuf_u16(out, 0);
	wbuf_bytes(out, zeros, RADIUS_AUTHENTICATOR_SIZE);
	/* NB: first, so that what follows cannot steer a collision. */
	radius_attribute_write(out, RADIUS_MESSAGE_AUTHENTICATOR,
	    span_mem(zeros, sizeof(zeros)));
	if (reply->response_auth.n > 0)
		radius_attribute_write(out, RADIUS_DIGEST_RESPONSE_AUTH,
		    reply->response_auth);
	if (reply->nextnonce.n > 0)
		radius_attribute_write(out, RADIUS_DIGEST_NEXTNONCE,
		    reply->nextnonce);
	wbuf_span(out, reply->challenge);
	wbuf_span(out, reply->proxy_states);
	if (out->failed || out->n > RADIUS_PACKET_MAX)
		return -ERR_TOO_LONG;
	out->p[LENGTH_AT] = (uint8_t)(out->n >> 8);
	out->p[LENGTH_AT + 1] = (uint8_t)(out->n & 0xff);

	rc = message_authenticator(crypto, wbuf_written(out), value_at,
	    reply->authenticator, secret, out->p + value_at);
	if (rc != 0)
		return rc;
	return radius_response_authenticator(crypto, wbuf_written(out),
	    reply->authenticator, secret, out->p + AUTHENTICATOR_AT);
}
