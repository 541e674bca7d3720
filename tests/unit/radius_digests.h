#ifndef ONECRED_RADIUS_DIGESTS_TEST_H
#define ONECRED_RADIUS_DIGESTS_TEST_H

/*
 * Access-Requests with digests, signed, for the door of radius_door.h, and
 * what is read from its replies.
 */

#include "radius_door.h"

#define RIGHT	VERDICT_ALLOW
#define WRONG	VERDICT_DENY

static inline uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint8_t id;
static struct radius_packet reply;
static struct octets reply_octets;

/* A request with a signature, an id and an authenticator of its own. */
static inline void
begin(struct octets *o)
{
	memset(o, 0, sizeof(*o));
	o->p[0] = RADIUS_ACCESS_REQUEST;
	o->p[1] = ++id;
	o->n = 38;
}

static inline void
add(struct octets *o, uint8_t type, const char *text)
{
	if (text == NULL)
		return;
	o->p[o->n++] = type;
	o->p[o->n++] = (uint8_t)(strlen(text) + 2);
	memcpy(o->p + o->n, text, strlen(text));
	o->n += strlen(text);
}

static inline const char *
value_of(uint8_t type)
{
	static char text[256];
	struct span value;

	text[0] = '\0';
	if (radius_packet_find(&reply, type, &value) > 0)
		ck_assert_int_eq(span_copy_str(value, text, sizeof(text)), 0);
	return text;
}

static inline unsigned int
next_reply(void)
{
	struct radius_attribute first;
	struct span list;

	ck_assert_int_eq(radius_packet_parse(answer(&reply_octets), &reply),
	    0);
	ck_assert_uint_eq(reply.id, id);
	list = reply.attributes;
	ck_assert(radius_attribute_next(&list, &first));
	ck_assert_uint_eq(first.type, RADIUS_MESSAGE_AUTHENTICATOR);
	return reply.code;
}

static inline void
want(const char *method, const char *realm)
{
	struct octets o;

	begin(&o);
	add(&o, 1, "alice");
	add(&o, 108, method);
	add(&o, 109, "sip:example.com");
	add(&o, 104, realm);
	ask_from(wire, sign(&o));
}

/* One digest; what is NULL is left out. */
struct use {
	const char *nonce, *nc, *qop, *cnonce, *response, *method;
	bool sterman;
};

#define MD5_HEX	"a181fb0912db07246ec0da143eda7c99"
#define USE(n)	{ .nonce = (n), .nc = "00000001", .qop = "auth", \
    .cnonce = "0a4f113b", .response = MD5_HEX, .method = "REGISTER" }

static inline void
add_sub(struct octets *o, uint8_t sub, const char *text)
{
	char value[200];

	(void)snprintf(value, sizeof(value), "%c%c%s", sub,
	    (int)strlen(text) + 2, text);
	add(o, 207, value);
}

static inline void
present(const struct use *use)
{
	struct octets o;

	begin(&o);
	add(&o, 1, "alice");
	if (use->sterman) {
		add(&o, 206, use->response);
		add_sub(&o, 1, "example.com");
		add_sub(&o, 2, use->nonce);
		add_sub(&o, 3, use->method);
		add_sub(&o, 4, "sip:example.com");
		add_sub(&o, 5, use->qop);
		add_sub(&o, 8, use->cnonce);
		add_sub(&o, 9, use->nc);
		add_sub(&o, 10, "alice");
	} else {
		add(&o, 103, use->response);
		add(&o, 104, "Example.com");
		add(&o, 105, use->nonce);
		add(&o, 108, use->method);
		add(&o, 109, "sip:example.com");
		add(&o, 110, use->qop);
		add(&o, 113, use->cnonce);
		add(&o, 114, use->nc);
		add(&o, 115, "alice");
	}
	ask_from(wire, sign(&o));
}

/* Presents, decides, and returns the code of the reply. */
static inline unsigned int
judge(const struct use *use, enum verdict verdict)
{
	size_t before = asked_n;

	present(use);
	ck_assert_uint_eq(asked_n, before + 1);
	decide(before, verdict, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	return next_reply();
}

static inline const char *
nonce_of(uint64_t age_us, const struct nonce_keys *keys, char *out)
{
	ck_assert_int_eq(nonce_make(crypto, keys, SPAN_LIT("example.com"),
	    policy.algs[0], now_us() - age_us, out), 0);
	return out;
}

#endif
