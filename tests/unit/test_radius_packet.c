/*
 * RADIUS packets: the arithmetic of RFC 2865 7.1, RFC 5090 6, RFC 5997 6.1 and
 * of our own vectors, Kamailio's packets, and everything that is not a packet.
 */

#include <string.h>

#include "core/err.h"
#include "doors/radius_packet.h"
#include "radius_vectors.h"
#include "unit.h"

static struct crypto *crypto;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

/* request NULL: the packet is a request itself. */
static const struct vector {
	const char *name, *secret, *packet, *request;
} sealed[] = {
	{ "RFC 5090 6 nonce request", "secret", RFC5090_NONCE_REQUEST, NULL },
	{ "RFC 5090 6 challenge", "secret", RFC5090_CHALLENGE,
	    RFC5090_NONCE_REQUEST },
	{ "RFC 5090 6 request", "secret", RFC5090_DIGEST_REQUEST, NULL },
	{ "RFC 5090 6 accept", "secret", RFC5090_ACCEPT,
	    RFC5090_DIGEST_REQUEST },
	{ "RFC 5997 6.1", "xyzzy5461", RFC5997_REQUEST, NULL },
	{ "nonce request", OWN_SECRET, OWN_NONCE_REQUEST, NULL },
	{ "challenge", OWN_SECRET, OWN_CHALLENGE, OWN_NONCE_REQUEST },
	{ "stale", OWN_SECRET, OWN_STALE_CHALLENGE, OWN_DIGEST_REQUEST },
	{ "digest request", OWN_SECRET, OWN_DIGEST_REQUEST, NULL },
	{ "accept", OWN_SECRET, OWN_ACCEPT, OWN_DIGEST_REQUEST },
	{ "reject", OWN_SECRET, OWN_REJECT, OWN_DIGEST_REQUEST },
	{ "sterman", OWN_SECRET, OWN_STERMAN_REQUEST, NULL },
	{ "status", OWN_SECRET, OWN_STATUS_REQUEST, NULL },
	{ "status accept", OWN_SECRET, OWN_STATUS_ACCEPT,
	    OWN_STATUS_REQUEST },
	{ "radsec", "radsec", RADSEC_STATUS_REQUEST, NULL },
	{ "radsec accept", "radsec", RADSEC_STATUS_ACCEPT,
	    RADSEC_STATUS_REQUEST }
};

static enum radius_authentic
judge(struct span octets, const struct vector *vector, const char *secret)
{
	struct radius_packet packet, request;
	struct octets buffer;
	struct span authenticator;

	if (radius_packet_parse(octets, &packet) != 0)
		return RADIUS_FORGED;
	authenticator = packet.authenticator;
	if (vector->request != NULL) {
		ck_assert_int_eq(radius_packet_parse(unhex(vector->request,
		    &buffer), &request), 0);
		authenticator = request.authenticator;
	}
	return radius_packet_authentic(crypto, &packet, authenticator,
	    span_str(secret));
}

START_TEST(rfc3579_message_authenticator)
{
	const struct vector *v = &sealed[_i];
	struct octets o;
	struct span packet = unhex(v->packet, &o);

	ck_assert_msg(judge(packet, v, v->secret) == RADIUS_AUTHENTIC,
	    "%s", v->name);
	ck_assert_msg(judge(packet, v, "secreT") == RADIUS_FORGED,
	    "%s", v->name);
	ck_assert_msg(judge(packet, v, "") == RADIUS_FORGED, "%s", v->name);
	for (size_t i = 0; i < packet.n; i++) {
		/* A reply's own authenticator comes after the signature. */
		if (v->request != NULL && i >= 4 && i < RADIUS_HEADER_SIZE)
			continue;
		o.p[i] ^= 1;
		ck_assert_msg(judge(packet, v, v->secret) !=
		    RADIUS_AUTHENTIC, "%s, octet %zu", v->name, i);
		o.p[i] ^= 1;
	}
}
END_TEST

static const struct vector answers[] = {
	{ "RFC 2865 7.1", "xyzzy5461", RFC2865_ACCEPT, NULL },
	{ "RFC 5090 6 challenge", "secret", RFC5090_CHALLENGE,
	    RFC5090_NONCE_REQUEST },
	{ "RFC 5090 6 accept", "secret", RFC5090_ACCEPT,
	    RFC5090_DIGEST_REQUEST },
	{ "RFC 5997 6.1", "xyzzy5461", RFC5997_ACCEPT, RFC5997_REQUEST },
	{ "challenge", OWN_SECRET, OWN_CHALLENGE, OWN_NONCE_REQUEST },
	{ "stale", OWN_SECRET, OWN_STALE_CHALLENGE, OWN_DIGEST_REQUEST },
	{ "accept", OWN_SECRET, OWN_ACCEPT, OWN_DIGEST_REQUEST },
	{ "reject", OWN_SECRET, OWN_REJECT, OWN_DIGEST_REQUEST },
	{ "status", OWN_SECRET, OWN_STATUS_ACCEPT, OWN_STATUS_REQUEST },
	{ "radsec", "radsec", RADSEC_STATUS_ACCEPT, RADSEC_STATUS_REQUEST },
	{ "Kamailio, sterman", "testing123", KAMAILIO_STERMAN_ACCEPT,
	    KAMAILIO_STERMAN_REQUEST },
	{ "Kamailio, RFC 5090", "testing123", KAMAILIO_RFC5090_ACCEPT,
	    KAMAILIO_RFC5090_REQUEST }
};

START_TEST(rfc2865_response_authenticator)
{
	const struct vector *v = &answers[_i];
	struct octets reply, request;
	struct radius_packet packet;
	struct span authenticator;
	uint8_t out[RADIUS_AUTHENTICATOR_SIZE];

	ck_assert_int_eq(radius_packet_parse(unhex(v->packet, &reply),
	    &packet), 0);
	if (v->request == NULL)
		authenticator = unhex(RFC2865_AUTHENTICATOR, &request);
	else
		authenticator = span_head(span_tail(unhex(v->request,
		    &request), 4), sizeof(out));
	ck_assert_int_eq(radius_response_authenticator(crypto,
	    packet.octets, authenticator, span_str(v->secret), out), 0);
	ck_assert_msg(span_equal(span_mem(out, sizeof(out)),
	    packet.authenticator), "%s", v->name);
}
END_TEST

static const struct {
	const char *secret, *request, *reply, *rspauth;
	uint8_t code;
} written[] = {
	{ OWN_SECRET, OWN_DIGEST_REQUEST, OWN_ACCEPT,
	    "89dc0f0270907fa0aa7bd5968b9d8aea", RADIUS_ACCESS_ACCEPT },
	{ OWN_SECRET, OWN_DIGEST_REQUEST, OWN_REJECT, "",
	    RADIUS_ACCESS_REJECT },
	{ OWN_SECRET, OWN_STATUS_REQUEST, OWN_STATUS_ACCEPT, "",
	    RADIUS_ACCESS_ACCEPT },
	{ "radsec", RADSEC_STATUS_REQUEST, RADSEC_STATUS_ACCEPT, "",
	    RADIUS_ACCESS_ACCEPT }
};

static int
write_reply(const struct radius_packet *request, uint8_t code,
    const char *rspauth, struct span proxy_states, const char *secret,
    struct wbuf *wb)
{
	const struct radius_reply reply = {
		.code = code,
		.id = request->id,
		.authenticator = request->authenticator,
		.response_auth = span_str(rspauth),
		.proxy_states = proxy_states
	};

	return radius_reply_write(crypto, &reply, span_str(secret), wb);
}

START_TEST(reply_is_the_vector)
{
	struct octets in, expected;
	struct radius_packet request;
	uint8_t out[RADIUS_PACKET_MAX];
	struct wbuf wb;

	ck_assert_int_eq(radius_packet_parse(unhex(written[_i].request, &in),
	    &request), 0);
	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(write_reply(&request, written[_i].code,
	    written[_i].rspauth, SPAN_EMPTY, written[_i].secret, &wb), 0);
	ck_assert(span_equal(wbuf_written(&wb), unhex(written[_i].reply,
	    &expected)));
}
END_TEST

/* A request head with room for attributes; sizes are set by finish(). */
static void
start(struct octets *o)
{
	memset(o, 0, sizeof(*o));
	o->p[0] = RADIUS_ACCESS_REQUEST;
	o->p[1] = 9;
	o->n = RADIUS_HEADER_SIZE;
}

static void
add(struct octets *o, uint8_t type, const void *value, size_t n)
{
	o->p[o->n++] = type;
	o->p[o->n++] = (uint8_t)(n + 2);
	memcpy(o->p + o->n, value, n);
	o->n += n;
}

static int
finish(struct octets *o, struct radius_packet *packet)
{
	o->p[2] = (uint8_t)(o->n >> 8);
	o->p[3] = (uint8_t)o->n;
	return radius_packet_parse(span_mem(o->p, o->n), packet);
}

START_TEST(rfc2865_proxy_states_in_their_order)
{
	static const uint8_t states[] = {
		RADIUS_PROXY_STATE, 5, 'o', 'n', 'e', RADIUS_PROXY_STATE, 2,
		RADIUS_PROXY_STATE, 5, 't', '\0', 'o'
	};
	struct octets o;
	struct radius_packet request, reply;
	struct radius_attribute attribute;
	uint8_t out[RADIUS_PACKET_MAX], copies[sizeof(states)];
	struct wbuf wb, proxy;
	struct span list;

	start(&o);
	add(&o, RADIUS_PROXY_STATE, "one", 3);
	add(&o, RADIUS_USER_NAME, "alice", 5);
	add(&o, RADIUS_PROXY_STATE, "", 0);
	add(&o, 250, "x", 1);
	add(&o, RADIUS_PROXY_STATE, "t\0o", 3);
	ck_assert_int_eq(finish(&o, &request), 0);
	wbuf_init(&proxy, copies, sizeof(copies));
	radius_packet_proxy_states(&request, &proxy);
	ck_assert(!proxy.failed);
	ck_assert(span_equal(wbuf_written(&proxy), span_mem(states,
	    sizeof(states))));

	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(write_reply(&request, RADIUS_ACCESS_ACCEPT, "abc",
	    wbuf_written(&proxy), "s", &wb), 0);
	ck_assert_int_eq(radius_packet_parse(wbuf_written(&wb), &reply), 0);
	ck_assert_int_eq(radius_packet_authentic(crypto, &reply,
	    request.authenticator, SPAN_LIT("s")), RADIUS_AUTHENTIC);
	list = reply.attributes;
	/* NB: first, whatever else is said. */
	ck_assert(radius_attribute_next(&list, &attribute));
	ck_assert_uint_eq(attribute.type, RADIUS_MESSAGE_AUTHENTICATOR);
	ck_assert(radius_attribute_next(&list, &attribute));
	ck_assert_uint_eq(attribute.type, RADIUS_DIGEST_RESPONSE_AUTH);
	ck_assert(span_equal(list, wbuf_written(&proxy)));
}
END_TEST

START_TEST(reply_bounds)
{
	struct octets o, states = { .n = 0 };
	struct radius_packet request;
	uint8_t out[RADIUS_PACKET_MAX + 20];
	char big[RADIUS_VALUE_MAX + 2];
	struct wbuf wb;

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	start(&o);
	ck_assert_int_eq(finish(&o, &request), 0);
	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(write_reply(&request, RADIUS_ACCESS_REJECT, big,
	    SPAN_EMPTY, "s", &wb), -ERR_TOO_LONG);
	big[RADIUS_VALUE_MAX] = '\0';
	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(write_reply(&request, RADIUS_ACCESS_REJECT, big,
	    SPAN_EMPTY, "s", &wb), 0);

	/* 20 + 18 octets are ours; 4058 fill the packet to the last. */
	while (states.n + 2 + RADIUS_VALUE_MAX <= 4058)
		add(&states, RADIUS_PROXY_STATE, big, RADIUS_VALUE_MAX);
	add(&states, RADIUS_PROXY_STATE, big, 4058 - states.n - 2);
	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(write_reply(&request, RADIUS_ACCESS_REJECT, "",
	    span_mem(states.p, states.n), "s", &wb), 0);
	ck_assert_uint_eq(wb.n, RADIUS_PACKET_MAX);
	states.n++;
	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(write_reply(&request, RADIUS_ACCESS_REJECT, "",
	    span_mem(states.p, states.n), "s", &wb), -ERR_TOO_LONG);
	wbuf_init(&wb, out, 37);
	ck_assert_int_eq(write_reply(&request, RADIUS_ACCESS_REJECT, "",
	    SPAN_EMPTY, "s", &wb), -ERR_TOO_LONG);
}
END_TEST

static const char *const packets[] = {
	RFC5090_NONCE_REQUEST, RFC5090_DIGEST_REQUEST, RFC5997_REQUEST,
	OWN_DIGEST_REQUEST, OWN_STERMAN_REQUEST, OWN_STATUS_REQUEST,
	KAMAILIO_STERMAN_REQUEST, KAMAILIO_RFC5090_REQUEST,
	KAMAILIO_STERMAN_ACCEPT, RFC2865_ACCEPT
};

START_TEST(truncated_or_padded)
{
	struct octets o;
	struct radius_packet packet;
	struct span whole = unhex(packets[_i], &o);

	ck_assert_int_eq(radius_packet_parse(whole, &packet), 0);
	for (size_t n = 0; n < whole.n; n++)
		ck_assert_int_eq(radius_packet_parse(span_head(whole, n),
		    &packet), -ERR_FORMAT);
	/* RFC 2865 3: octets outside the range of Length are padding. */
	memset(o.p + o.n, 0xff, 7);
	ck_assert_int_eq(radius_packet_parse(span_mem(o.p, o.n + 7),
	    &packet), 0);
	ck_assert_uint_eq(packet.octets.n, whole.n);
	ck_assert_uint_eq(packet.attributes.n, whole.n - RADIUS_HEADER_SIZE);
	/* Length cut as well: it may end between two attributes only. */
	for (size_t n = 0; n < whole.n; n++) {
		struct radius_attribute attribute;
		struct span list;

		o.p[2] = (uint8_t)(n >> 8);
		o.p[3] = (uint8_t)n;
		if (radius_packet_parse(whole, &packet) != 0)
			continue;
		ck_assert_uint_ge(n, RADIUS_HEADER_SIZE);
		list = packet.attributes;
		ck_assert_uint_eq(list.n, n - RADIUS_HEADER_SIZE);
		while (list.n > 0)
			ck_assert(radius_attribute_next(&list, &attribute));
	}
}
END_TEST

static const struct {
	const char *name;
	uint16_t length;
	size_t sent;
	int rc;
} sizes[] = {
	{ "header alone", 20, 20, 0 },
	{ "Length 0", 0, 40, -ERR_FORMAT },
	{ "Length 19", 19, 40, -ERR_FORMAT },
	{ "Length 21, half an attribute", 21, 40, -ERR_FORMAT },
	{ "more than came", 41, 40, -ERR_FORMAT },
	{ "largest", 4096, 4096, 0 },
	{ "largest, padded", 4096, 4100, 0 },
	{ "oversized", 4097, 4097, -ERR_FORMAT },
	{ "Length 65535", 65535, 4100, -ERR_FORMAT }
};

START_TEST(rfc2865_length)
{
	struct octets o = { .n = sizes[_i].sent };
	struct radius_packet packet;

	/* Attributes of two octets fill everything. */
	for (size_t i = RADIUS_HEADER_SIZE; i < sizeof(o.p); i++)
		o.p[i] = i % 2 == 0 ? 250 : 2;
	o.p[2] = (uint8_t)(sizes[_i].length >> 8);
	o.p[3] = (uint8_t)(sizes[_i].length & 0xff);
	ck_assert_msg(radius_packet_parse(span_mem(o.p, o.n), &packet) ==
	    sizes[_i].rc, "%s", sizes[_i].name);
}
END_TEST

static const struct {
	const char *name;
	uint8_t octets[6];
	size_t n;
} broken[] = {
	{ "length 0", { 1, 0, 'a', 'b' }, 4 },
	{ "length 1", { 1, 1, 'a', 'b' }, 4 },
	{ "overrun by one", { 1, 5, 'a', 'b' }, 4 },
	{ "overrun", { 1, 255, 'a', 'b' }, 4 },
	{ "type alone", { 1 }, 1 },
	{ "second broken", { 1, 3, 'a', 2, 9 }, 5 },
	{ "type alone behind", { 1, 3, 'a', 80 }, 4 }
};

START_TEST(attribute_broken)
{
	struct octets o;
	struct radius_packet packet;
	struct radius_attribute attribute;
	struct span list = span_mem(broken[_i].octets, broken[_i].n);

	start(&o);
	memcpy(o.p + o.n, broken[_i].octets, broken[_i].n);
	o.n += broken[_i].n;
	ck_assert_msg(finish(&o, &packet) == -ERR_FORMAT, "%s",
	    broken[_i].name);
	/* The getter ends on the same octets, too. */
	while (radius_attribute_next(&list, &attribute))
		ck_assert_uint_le(attribute.value.n, 1);
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

START_TEST(message_authenticator_odd)
{
	uint8_t zeros[18] = { 0 };
	struct octets o;
	struct radius_packet packet;

	start(&o);
	ck_assert_int_eq(finish(&o, &packet), 0);
	ck_assert_int_eq(radius_packet_authentic(crypto, &packet,
	    packet.authenticator, SPAN_LIT("s")), RADIUS_UNSIGNED);
	for (size_t n = 0; n <= sizeof(zeros); n++) {
		start(&o);
		add(&o, RADIUS_MESSAGE_AUTHENTICATOR, zeros, n);
		ck_assert_int_eq(finish(&o, &packet), 0);
		ck_assert_int_eq(radius_packet_authentic(crypto, &packet,
		    packet.authenticator, SPAN_LIT("s")), RADIUS_FORGED);
	}
}
END_TEST

/* A right one and a second one: which would another server believe? */
START_TEST(message_authenticator_twice)
{
	struct octets o;
	struct radius_packet packet;

	(void)unhex(OWN_STATUS_REQUEST, &o);
	add(&o, RADIUS_MESSAGE_AUTHENTICATOR, o.p + 22, 16);
	ck_assert_int_eq(finish(&o, &packet), 0);
	ck_assert_int_eq(radius_packet_authentic(crypto, &packet,
	    packet.authenticator, SPAN_LIT(OWN_SECRET)), RADIUS_FORGED);
}
END_TEST

static const struct {
	const char *secret, *authenticator, *hidden, *password;
} passwords[] = {
	{ "xyzzy5461", RFC2865_AUTHENTICATOR, RFC2865_HIDDEN, "arctangent" },
	{ "xyzzy5461", RFC2865_AUTHENTICATOR, RFC2865_HIDDEN_TWO,
	    "correct horse battery staple" },
	{ OWN_SECRET, OWN_AUTHENTICATOR, OWN_HIDDEN, "wonderland" }
};

START_TEST(rfc2865_user_password)
{
	struct octets authenticator, hidden;
	uint8_t out[RADIUS_PASSWORD_MAX];
	struct span h = unhex(passwords[_i].hidden, &hidden);
	struct span a = unhex(passwords[_i].authenticator, &authenticator);
	size_t n;

	ck_assert_int_eq(radius_password_open(crypto, h, a,
	    span_str(passwords[_i].secret), out, &n), 0);
	ck_assert(span_equal(span_mem(out, n),
	    span_str(passwords[_i].password)));
	ck_assert_int_eq(radius_password_open(crypto, h, a,
	    SPAN_LIT("other"), out, &n), 0);
	ck_assert(!span_equal(span_mem(out, n),
	    span_str(passwords[_i].password)));
}
END_TEST

START_TEST(rfc2865_user_password_sizes)
{
	struct octets authenticator;
	uint8_t hidden[160] = { 0 }, out[RADIUS_PASSWORD_MAX];
	struct span a = unhex(OWN_AUTHENTICATOR, &authenticator);
	size_t n = 7;

	for (size_t size = 0; size <= sizeof(hidden); size++) {
		int rc = radius_password_open(crypto, span_mem(hidden, size),
		    a, SPAN_LIT("s"), out, &n);

		if (size > 0 && size <= 128 && size % 16 == 0)
			ck_assert_int_eq(rc, 0);
		else
			ck_assert_int_eq(rc, -ERR_FORMAT);
		ck_assert_uint_le(n, size);
	}
}
END_TEST

/* Covers plain (16 octets) the way a client does. */
static void
hide(const char plain[16], struct span authenticator, uint8_t *out)
{
	const struct span parts[2] = { SPAN_LIT("s"), authenticator };

	ck_assert_int_eq(crypto_hash(crypto, HASH_MD5, parts, 2, out), 0);
	for (size_t i = 0; i < 16; i++)
		out[i] ^= (uint8_t)plain[i];
}

START_TEST(rfc2865_user_password_nul)
{
	struct octets authenticator;
	struct span a = unhex(OWN_AUTHENTICATOR, &authenticator);
	uint8_t hidden[16], out[RADIUS_PASSWORD_MAX];
	size_t n;

	/* Padding goes; a NUL inside stays, for the check to refuse it. */
	hide("ab\0cd\0\0\0\0\0\0\0\0\0\0", a, hidden);
	ck_assert_int_eq(radius_password_open(crypto, span_mem(hidden, 16),
	    a, SPAN_LIT("s"), out, &n), 0);
	ck_assert(span_equal(span_mem(out, n), SPAN_LIT("ab\0cd")));
	hide("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", a, hidden);
	ck_assert_int_eq(radius_password_open(crypto, span_mem(hidden, 16),
	    a, SPAN_LIT("s"), out, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_packet");
	TCase *tc = tcase_create("radius_packet");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc3579_message_authenticator, 0,
	    sizeof(sealed) / sizeof(sealed[0]));
	tcase_add_loop_test(tc, rfc2865_response_authenticator, 0,
	    sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(tc, reply_is_the_vector, 0,
	    sizeof(written) / sizeof(written[0]));
	tcase_add_test(tc, rfc2865_proxy_states_in_their_order);
	tcase_add_test(tc, reply_bounds);
	tcase_add_loop_test(tc, truncated_or_padded, 0,
	    sizeof(packets) / sizeof(packets[0]));
	tcase_add_loop_test(tc, rfc2865_length, 0,
	    sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(tc, attribute_broken, 0,
	    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tc, message_authenticator_odd);
	tcase_add_test(tc, message_authenticator_twice);
	tcase_add_loop_test(tc, rfc2865_user_password, 0,
	    sizeof(passwords) / sizeof(passwords[0]));
	tcase_add_test(tc, rfc2865_user_password_sizes);
	tcase_add_test(tc, rfc2865_user_password_nul);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
