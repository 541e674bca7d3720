/*
 * Freshness of digests over RADIUS: challenges as the vectors have them, what
 * makes two uses of a nonce the same, and what must not.
 */

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "doors/radius_nonce.h"
#include "radius_vectors.h"
#include "unit.h"

#define NOW	UINT64_C(1700000000000000)

static struct crypto *crypto;
static struct radius_request request;
static const uint8_t key[RADIUS_NONCE_KEY_SIZE] = { 1 };

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	memset(&request, 0, sizeof(request));
	request.asked.kind = AUTH_DIGEST;
	request.asked.lookup_name = SPAN_LIT("alice@example.com");
	request.asked.digest = (struct digest_params){
		.username = SPAN_LIT("alice"),
		.realm = SPAN_LIT("example.com"),
		.nonce = SPAN_LIT("bm9uY2UtMDAwMQ"),
		.uri = SPAN_LIT("sip:example.com"),
		.method = SPAN_LIT("REGISTER"), .qop = SPAN_LIT("auth"),
		.nc = SPAN_LIT("00000001"), .cnonce = SPAN_LIT("0a4f113b"),
		.response = SPAN_LIT("a181fb0912db07246ec0da143eda7c99")
	};
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

static const struct {
	const char *name, *request, *reply, *nonce, *secret;
	bool stale;
} challenges[] = {
	{ "challenge", OWN_NONCE_REQUEST, OWN_CHALLENGE, "bm9uY2UtMDAwMQ",
	    OWN_SECRET, false },
	{ "stale", OWN_DIGEST_REQUEST, OWN_STALE_CHALLENGE,
	    "bm9uY2UtMDAwMQ", OWN_SECRET, true }
};

/* STANDARDS 5.6: the attributes in their order, Message-Authenticator first. */
START_TEST(challenge_is_the_vector)
{
	const struct radius_challenge challenge = {
		.realm = SPAN_LIT("example.com"),
		.nonce = span_str(challenges[_i].nonce),
		.alg = DIGEST_MD5, .stale = challenges[_i].stale
	};
	struct octets asked, expected;
	struct radius_packet packet;
	uint8_t attributes[512], out[512];
	struct radius_reply reply = { .code = RADIUS_ACCESS_CHALLENGE };
	struct wbuf wb;

	ck_assert_int_eq(radius_packet_parse(unhex(challenges[_i].request,
	    &asked), &packet), 0);
	wbuf_init(&wb, attributes, sizeof(attributes));
	radius_challenge_write(&challenge, &wb);
	ck_assert(!wb.failed);
	reply.id = packet.id;
	reply.authenticator = packet.authenticator;
	reply.challenge = wbuf_written(&wb);
	wbuf_init(&wb, out, sizeof(out));
	ck_assert_int_eq(radius_reply_write(crypto, &reply,
	    span_str(challenges[_i].secret), &wb), 0);
	ck_assert_msg(span_equal(wbuf_written(&wb),
	    unhex(challenges[_i].reply, &expected)), "%s",
	    challenges[_i].name);
}
END_TEST

/* RFC 5090 section 6 has the same attributes in another order. */
START_TEST(rfc5090_challenge)
{
	const struct radius_challenge challenge = {
		.realm = SPAN_LIT("example.com"),
		.nonce = SPAN_LIT("3bada1a0"), .alg = DIGEST_MD5
	};
	struct octets o;
	struct radius_packet theirs, ours = { 0 };
	struct radius_attribute attribute;
	struct span list, value;
	uint8_t attributes[512];
	struct wbuf wb;

	ck_assert_int_eq(radius_packet_parse(unhex(RFC5090_CHALLENGE, &o),
	    &theirs), 0);
	wbuf_init(&wb, attributes, sizeof(attributes));
	radius_challenge_write(&challenge, &wb);
	list = ours.attributes = wbuf_written(&wb);
	ck_assert_uint_eq(ours.attributes.n + 18, theirs.attributes.n);
	while (radius_attribute_next(&list, &attribute)) {
		ck_assert_uint_eq(radius_packet_find(&theirs, attribute.type,
		    &value), 1);
		ck_assert(span_equal(value, attribute.value));
	}
}
END_TEST

/* The attributes as hex, blanks between. */
static void
text_of(struct span list, char *out, size_t cap)
{
	struct radius_attribute a;
	size_t n = 0;

	out[0] = '\0';
	while (radius_attribute_next(&list, &a))
		n += (size_t)snprintf(out + n, cap - n, "%u=%.*s ", a.type,
		    (int)a.value.n, (const char *)a.value.p);
}

static const struct {
	const char *domain;
	bool stale, sterman;
	const char *text;
} written[] = {
	{ "", false, false, "104=r 105=n 110=auth 111=SHA-256 " },
	{ "sip:a xmpp:b", true, false, "104=r 105=n 110=auth 111=SHA-256 "
	    "119=sip:a 119=xmpp:b 120=true " },
	{ " sip:a  ", false, false, "104=r 105=n 110=auth 111=SHA-256 "
	    "119=sip:a " },
	{ "sip:a", true, true, "207=\1\3r 207=\2\3n 207=\5\6auth "
	    "207=\6\11SHA-256 119=sip:a 120=true " }
};

START_TEST(challenge_attributes)
{
	const struct radius_challenge challenge = {
		.realm = SPAN_LIT("r"), .nonce = SPAN_LIT("n"),
		.alg = DIGEST_SHA_256,
		.domain = span_str(written[_i].domain),
		.stale = written[_i].stale, .sterman = written[_i].sterman
	};
	uint8_t attributes[512];
	char text[512];
	struct wbuf wb;

	wbuf_init(&wb, attributes, sizeof(attributes));
	radius_challenge_write(&challenge, &wb);
	ck_assert(!wb.failed);
	text_of(wbuf_written(&wb), text, sizeof(text));
	ck_assert_str_eq(text, written[_i].text);
}
END_TEST

/* A URI over an attribute's size is left out; a realm cannot be. */
START_TEST(challenge_too_long)
{
	char many[300];
	struct radius_challenge challenge = {
		.realm = SPAN_LIT("r"), .nonce = SPAN_LIT("n"),
		.alg = DIGEST_MD5
	};
	uint8_t attributes[1024];
	char text[1024];
	struct wbuf wb;

	memset(many, 'x', sizeof(many));
	challenge.domain = span_mem(many, 254);
	wbuf_init(&wb, attributes, sizeof(attributes));
	radius_challenge_write(&challenge, &wb);
	text_of(wbuf_written(&wb), text, sizeof(text));
	ck_assert_str_eq(text, "104=r 105=n 110=auth 111=MD5 ");
	challenge.domain = span_mem(many, 253);
	wbuf_init(&wb, attributes, sizeof(attributes));
	radius_challenge_write(&challenge, &wb);
	ck_assert(!wb.failed && wb.n > 253);
	for (int sterman = 0; sterman < 2; sterman++) {
		challenge.sterman = sterman == 1;
		challenge.realm = span_mem(many, sterman == 1 ? 252 : 254);
		wbuf_init(&wb, attributes, sizeof(attributes));
		radius_challenge_write(&challenge, &wb);
		ck_assert(wb.failed);
	}
}
END_TEST

static const struct {
	const char *qop, *nc, *cnonce, *response;
	enum digest_alg given, offered;
	bool sess;
	enum radius_form form;
} forms[] = {
#define MD5_HEX	"a181fb0912db07246ec0da143eda7c99"
	{ "auth", "00000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_OK },
	{ "AUTH", "ffffffff", "c", MD5_HEX, DIGEST_NONE, DIGEST_MD5, false,
	    RADIUS_FORM_OK },
	{ "auth", "00000001", "c", MD5_HEX MD5_HEX, DIGEST_NONE,
	    DIGEST_SHA_512_256, false, RADIUS_FORM_OK },
	{ "", "00000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_OTHER },
	{ "auth", "00000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_SHA_256,
	    false, RADIUS_FORM_OTHER },
	{ "auth", "00000001", "c", MD5_HEX, DIGEST_NONE, DIGEST_SHA_256,
	    false, RADIUS_FORM_OTHER },
	{ "auth", "00000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, true,
	    RADIUS_FORM_OTHER },
	{ "auth-int", "00000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5,
	    false, RADIUS_FORM_BROKEN },
	{ "auth", "00000000", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_BROKEN },
	{ "auth", "0000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_BROKEN },
	{ "auth", "000000001", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_BROKEN },
	{ "auth", "0000000g", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_BROKEN },
	{ "auth", "", "c", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_BROKEN },
	{ "auth", "00000001", "", MD5_HEX, DIGEST_MD5, DIGEST_MD5, false,
	    RADIUS_FORM_BROKEN }
};

START_TEST(form_of_ours)
{
	struct digest_params params = {
		.alg = forms[_i].given, .sess = forms[_i].sess,
		.qop = span_str(forms[_i].qop), .nc = span_str(forms[_i].nc),
		.cnonce = span_str(forms[_i].cnonce),
		.response = span_str(forms[_i].response)
	};

	ck_assert_int_eq(radius_ours_form(&params, forms[_i].offered),
	    forms[_i].form);
	if (forms[_i].form == RADIUS_FORM_OK)
		ck_assert_int_eq(params.alg, forms[_i].offered);
}
END_TEST

/* What differs in one part is another use; each part in turn. */
static struct span *
part(struct radius_request *r, int i)
{
	struct digest_params *d = &r->asked.digest;
	struct span *const parts[] = {
		&d->username, &d->realm, &d->nonce, &d->cnonce, &d->nc,
		&d->response, &d->method, &d->uri, &d->qop,
		&r->asked.lookup_name
	};

	return parts[i];
}

#define PARTS	10

static const struct {
	const char *name;
	bool key, key_2069, response, fingerprint;
} parts[PARTS] = {
	{ "username", true, true, false, true },
	{ "realm", true, true, false, false },
	{ "nonce", true, true, false, false },
	{ "cnonce", true, false, false, true },
	{ "nc", true, false, false, false },
	{ "response", false, true, true, true },
	{ "method", false, false, false, true },
	{ "uri", false, false, false, true },
	{ "qop", false, false, false, false },
	{ "User-Name", false, false, false, true }
};

static bool
equal(const void *a, const void *b, size_t n)
{
	return span_equal(span_mem(a, n), span_mem(b, n));
}

START_TEST(uses_differ)
{
	const struct nonce_keys keys = { .count = 1 };
	struct radius_use_of a, b;
	struct radius_ours x, y;
	struct span *changed = part(&request, _i);
	const struct span before = *changed;
	struct digest_params *params = &request.asked.digest;
	const char *name = parts[_i].name;

	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &a),
	    0);
	ck_assert_int_eq(radius_ours_read(crypto, key, &keys, &request,
	    params->realm, &x), 0);
	*changed = SPAN_LIT("another");
	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &b),
	    0);
	ck_assert_int_eq(radius_ours_read(crypto, key, &keys, &request,
	    params->realm, &y), 0);
	ck_assert_msg(equal(a.key, b.key, sizeof(a.key)) != parts[_i].key,
	    "%s", name);
	ck_assert_msg(equal(a.response, b.response, sizeof(a.response)) !=
	    parts[_i].response, "%s", name);
	ck_assert_msg(equal(x.fingerprint, y.fingerprint,
	    sizeof(x.fingerprint)) != parts[_i].fingerprint, "%s", name);
	/* RFC 2069: nobody can be new by a part that is in no digest. */
	*changed = before;
	params->qop = SPAN_EMPTY;
	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &a),
	    0);
	if (changed != &params->qop)
		*changed = SPAN_LIT("another");
	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &b),
	    0);
	ck_assert_msg(equal(a.key, b.key, sizeof(a.key)) !=
	    parts[_i].key_2069, "%s without qop", name);
}
END_TEST

START_TEST(uses_equal)
{
	struct digest_params *params = &request.asked.digest;
	struct radius_use_of a, b;
	uint8_t other[sizeof(key)] = { 2 };

	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &a),
	    0);
	/* Spellings that every digest check takes for the same. */
	params->realm = SPAN_LIT("EXAMPLE.com");
	params->response = SPAN_LIT("A181FB0912DB07246EC0DA143EDA7C99");
	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &b),
	    0);
	ck_assert(equal(&a, &b, sizeof(a)));
	ck_assert_int_eq(radius_theirs_read(crypto, key, "p2", params, &b),
	    0);
	ck_assert(!equal(a.key, b.key, sizeof(a.key)));
	ck_assert_int_eq(radius_theirs_read(crypto, other, "kam", params,
	    &b), 0);
	ck_assert(!equal(a.key, b.key, sizeof(a.key)));
	ck_assert(!equal(a.response, b.response, sizeof(a.response)));
}
END_TEST

/* Octets that move from one part to the next make another use. */
START_TEST(uses_unambiguous)
{
	struct digest_params *params = &request.asked.digest;
	struct radius_use_of a, b;

	params->nonce = SPAN_LIT("ab");
	params->cnonce = SPAN_LIT("c");
	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &a),
	    0);
	params->nonce = SPAN_LIT("a");
	params->cnonce = SPAN_LIT("bc");
	ck_assert_int_eq(radius_theirs_read(crypto, key, "kam", params, &b),
	    0);
	ck_assert(!equal(a.key, b.key, sizeof(a.key)));
}
END_TEST

static struct replay *replay;
static const struct replay_settings window = {
	.entries = 4, .lifetime_us = 300000000, .foreign_us = 30000000
};

/* A nonce of age seconds, of this node or another one, used by request. */
static enum reason
judge(uint64_t age, bool own, const char *nc)
{
	struct nonce_keys keys = { .count = 1, .node = { 1 } };
	struct digest_params *params = &request.asked.digest;
	char nonce[NONCE_TEXT_SIZE + 1];
	struct radius_ours ours;

	keys.node[1] = own ? 0 : 9;
	ck_assert_int_eq(nonce_make(crypto, &keys, SPAN_LIT("example.com"),
	    DIGEST_MD5, NOW - age * 1000000, nonce), 0);
	keys.node[1] = 0;
	params->nonce = span_str(nonce);
	params->nc = span_str(nc);
	params->alg = DIGEST_MD5;
	ck_assert_int_eq(radius_ours_read(crypto, key, &keys, &request,
	    SPAN_LIT("example.com"), &ours), 0);
	return radius_ours_judge(replay, &window, &ours,
	    SPAN_LIT("example.com"), NOW);
}

START_TEST(judged)
{
	struct radius_ours unknown = { .origin = NONCE_UNKNOWN, .nc = 1 };

	replay = replay_new(&window, key);
	ck_assert_ptr_nonnull(replay);
	replay_node(replay, (const uint8_t []){ 1, 0, 0, 0, 0, 0, 0, 0 });
	ck_assert_int_eq(judge(1, true, "00000001"), REASON_OK);
	ck_assert_int_eq(judge(300, true, "00000001"), REASON_OK);
	ck_assert_int_eq(judge(301, true, "00000001"), REASON_STALE);
	ck_assert_int_eq(judge(30, false, "00000001"), REASON_OK);
	ck_assert_int_eq(judge(31, false, "00000001"), REASON_STALE);
	ck_assert_int_eq(radius_ours_judge(replay, &window, &unknown,
	    SPAN_LIT("example.com"), NOW), REASON_STALE);
	replay_free(&replay);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_nonce");
	TCase *tc = tcase_create("radius_nonce");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, challenge_is_the_vector, 0,
	    sizeof(challenges) / sizeof(challenges[0]));
	tcase_add_test(tc, rfc5090_challenge);
	tcase_add_loop_test(tc, challenge_attributes, 0,
	    sizeof(written) / sizeof(written[0]));
	tcase_add_test(tc, challenge_too_long);
	tcase_add_loop_test(tc, form_of_ours, 0,
	    sizeof(forms) / sizeof(forms[0]));
	tcase_add_loop_test(tc, uses_differ, 0, PARTS);
	tcase_add_test(tc, uses_equal);
	tcase_add_test(tc, uses_unambiguous);
	tcase_add_test(tc, judged);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
