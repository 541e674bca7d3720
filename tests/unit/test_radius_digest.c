/*
 * Digest attributes: RFC 5090 6, our own vectors and Kamailio's packets in both
 * encodings, each proved by computing the response; and what is hostile.
 */

#include <string.h>

#include "core/err.h"
#include "core/wbuf.h"
#include "doors/radius_digest.h"
#include "radius_vectors.h"
#include "unit.h"

static struct crypto *crypto;
static struct octets octets;
static struct radius_packet packet;
static struct radius_digest digest;

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

static const struct {
	const char *name, *packet, *username, *realm, *password, *rspauth;
	enum digest_alg alg;
	bool rfc5090;
} vectors[] = {
	{ "RFC 5090 6", RFC5090_DIGEST_REQUEST, "12345678", "example.com",
	    "secret", "f847de948d12285f8f4199e366f1af21", DIGEST_MD5, true },
	{ "own", OWN_DIGEST_REQUEST, "alice", "example.com", "wonderland",
	    "89dc0f0270907fa0aa7bd5968b9d8aea", DIGEST_MD5, true },
	{ "sterman", OWN_STERMAN_REQUEST, "alice", "example.com",
	    "wonderland", NULL, DIGEST_NONE, false },
	{ "Kamailio, sterman", KAMAILIO_STERMAN_REQUEST, "alice",
	    "example.com", "wonderland", NULL, DIGEST_NONE, false },
	{ "Kamailio, RFC 5090", KAMAILIO_RFC5090_REQUEST, "alice",
	    "example.com", "wonderland", NULL, DIGEST_NONE, true }
};

START_TEST(rfc5090_vectors)
{
	uint8_t ha1[DIGEST_SIZE_MAX], out[DIGEST_HEX_MAX];
	struct digest_params params;

	ck_assert_int_eq(radius_packet_parse(unhex(vectors[_i].packet,
	    &octets), &packet), 0);
	ck_assert_int_eq(radius_digest_parse(&packet, &digest), 0);
	ck_assert(digest.asked);
	ck_assert(digest.rfc5090 == vectors[_i].rfc5090);
	params = digest.params;
	ck_assert(params.alg == vectors[_i].alg && !params.sess);
	ck_assert(span_equal(params.username, span_str(vectors[_i].username)));
	ck_assert(span_equal(params.realm, span_str(vectors[_i].realm)));
	ck_assert_uint_eq(params.body_hash.n, 0);
	params.alg = DIGEST_MD5;
	ck_assert_int_eq(digest_ha1(crypto, DIGEST_MD5, params.username,
	    params.realm, span_str(vectors[_i].password), ha1), 0);
	ck_assert_int_eq(digest_response(crypto, ha1, &params, out), 0);
	ck_assert_msg(span_equal(span_mem(out, 32), params.response), "%s",
	    vectors[_i].name);
	if (vectors[_i].rspauth == NULL)
		return;
	ck_assert_int_eq(digest_rspauth(crypto, ha1, &params, out), 0);
	ck_assert(span_equal(span_mem(out, 32),
	    span_str(vectors[_i].rspauth)));
}
END_TEST

static const char *const none[] = {
	OWN_STATUS_REQUEST, RFC2865_ACCEPT
};

START_TEST(no_digest)
{
	ck_assert_int_eq(radius_packet_parse(unhex(none[_i], &octets),
	    &packet), 0);
	ck_assert_int_eq(radius_digest_parse(&packet, &digest), 0);
	ck_assert(!digest.asked && !digest.rfc5090);
	ck_assert_uint_eq(digest.params.response.n, 0);
}
END_TEST

START_TEST(rfc5090_nonce_request)
{
	ck_assert_int_eq(radius_packet_parse(unhex(OWN_NONCE_REQUEST,
	    &octets), &packet), 0);
	ck_assert_int_eq(radius_digest_parse(&packet, &digest), 0);
	ck_assert(digest.asked && digest.rfc5090);
	ck_assert_uint_eq(digest.params.nonce.n, 0);
	ck_assert_uint_eq(digest.params.response.n, 0);
}
END_TEST

static void
start(void)
{
	memset(&octets, 0, sizeof(octets));
	octets.p[0] = RADIUS_ACCESS_REQUEST;
	octets.n = RADIUS_HEADER_SIZE;
}

static void
add(uint8_t type, const void *value, size_t n)
{
	octets.p[octets.n++] = type;
	octets.p[octets.n++] = (uint8_t)(n + 2);
	memcpy(octets.p + octets.n, value, n);
	octets.n += n;
}

static void
add_text(uint8_t type, const char *text)
{
	add(type, text, strlen(text));
}

/* One sub-attribute in a 207 of its own. */
static void
add_sub(uint8_t type, const char *text)
{
	uint8_t value[RADIUS_VALUE_MAX];
	size_t n = strlen(text);

	value[0] = type;
	value[1] = (uint8_t)(n + 2);
	memcpy(value + 2, text, n);
	add(207, value, n + 2);
}

static int
parse(void)
{
	octets.p[2] = (uint8_t)(octets.n >> 8);
	octets.p[3] = (uint8_t)octets.n;
	ck_assert_int_eq(radius_packet_parse(span_mem(octets.p, octets.n),
	    &packet), 0);
	return radius_digest_parse(&packet, &digest);
}

/* Every field of ours; sub 0 is the response, which is attribute 206. */
static const struct {
	uint8_t rfc5090, sterman;
	const char *text;
} fields[] = {
	{ 103, 0, "756933f735fcd93f90a4bbdd5467f263" },
	{ 104, 1, "example.com" }, { 105, 2, "3bada1a0" },
	{ 108, 3, "INVITE" }, { 109, 4, "sip:bob@example.com" },
	{ 110, 5, "auth" }, { 111, 6, "SHA-256" },
	{ 112, 7, "00112233" }, { 113, 8, "56593a80" },
	{ 114, 9, "00000001" }, { 115, 10, "alice" }
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void
add_field(bool rfc5090, size_t i, const char *text)
{
	if (rfc5090)
		add_text(fields[i].rfc5090, text);
	else if (fields[i].sterman == 0)
		add_text(206, text);
	else
		add_sub(fields[i].sterman, text);
}

static void
add_all(bool rfc5090)
{
	for (size_t i = 0; i < FIELDS; i++)
		add_field(rfc5090, i, fields[i].text);
}

static void
check_all(void)
{
	const struct digest_params *p = &digest.params;
	const struct span got[FIELDS] = {
		p->response, p->realm, p->nonce, p->method, p->uri, p->qop,
		SPAN_LIT("SHA-256"), p->body_hash, p->cnonce, p->nc,
		p->username
	};

	ck_assert(digest.asked);
	ck_assert(p->alg == DIGEST_SHA_256);
	for (size_t i = 0; i < FIELDS; i++)
		ck_assert_msg(span_equal(got[i], span_str(fields[i].text)),
		    "field %zu", i);
}

START_TEST(both_encodings)
{
	for (int i = 0; i < 2; i++) {
		start();
		add_all(i == 0);
		ck_assert_int_eq(parse(), 0);
		check_all();
		ck_assert(digest.rfc5090 == (i == 0));
	}
	add_all(true);
	ck_assert_int_eq(parse(), 0);
	check_all();
	ck_assert(digest.rfc5090);
}
END_TEST

/* Both encodings, and field _i is another, or missing, in one of them. */
START_TEST(both_must_agree)
{
	for (int change = 0; change < 4; change++) {
		start();
		for (size_t i = 0; i < 2 * FIELDS; i++) {
			bool rfc5090 = i < FIELDS;
			size_t f = i % FIELDS;

			if (f != (size_t)_i || change / 2 != rfc5090)
				add_field(rfc5090, f, fields[f].text);
			else if (change % 2 == 0)
				add_field(rfc5090, f, "other");
		}
		ck_assert_int_eq(parse(), -ERR_FORMAT);
	}
}
END_TEST

START_TEST(twice_is_malformed)
{
	for (int i = 0; i < 2; i++) {
		start();
		add_all(i == 0);
		add_field(i == 0, (size_t)_i, fields[_i].text);
		ck_assert_int_eq(parse(), -ERR_FORMAT);
	}
}
END_TEST

START_TEST(nul_is_refused)
{
	static const uint8_t value[] = { 'a', '\0', 'b' };
	uint8_t sub[] = { 0, 5, 'a', '\0', 'b' };

	start();
	add(fields[_i].rfc5090, value, sizeof(value));
	ck_assert_int_eq(parse(), -ERR_CHARACTER);
	start();
	sub[0] = fields[_i].sterman;
	if (sub[0] == 0)
		add(206, value, sizeof(value));
	else
		add(207, sub, sizeof(sub));
	ck_assert_int_eq(parse(), -ERR_CHARACTER);
}
END_TEST

/* All sub-attributes as one run of octets, in run; their number. */
static size_t
sterman_run(uint8_t *run)
{
	size_t n = 0;

	for (size_t i = 1; i < FIELDS; i++) {
		run[n++] = fields[i].sterman;
		run[n++] = (uint8_t)(strlen(fields[i].text) + 2);
		memcpy(run + n, fields[i].text, strlen(fields[i].text));
		n += strlen(fields[i].text);
	}
	return n;
}

START_TEST(sterman_several_and_split)
{
	uint8_t run[512];
	size_t n = sterman_run(run);

	for (size_t cut = 0; cut <= n; cut++) {
		start();
		add(207, run, cut);
		add_text(RADIUS_USER_NAME, "between");
		add(207, run + cut, n - cut);
		add_text(206, fields[0].text);
		ck_assert_int_eq(parse(), 0);
		check_all();
	}
	/* One octet in each. */
	start();
	add_text(206, fields[0].text);
	for (size_t i = 0; i < n; i++)
		add(207, run + i, 1);
	ck_assert_int_eq(parse(), 0);
	check_all();
}
END_TEST

START_TEST(sterman_truncated)
{
	uint8_t run[512];
	size_t n = sterman_run(run), edge = 0;

	for (size_t cut = 0; cut < n; cut++) {
		if (cut > edge)
			edge += run[edge + 1];
		start();
		add(207, run, cut);
		ck_assert_msg(parse() == (cut == edge ? 0 : -ERR_FORMAT),
		    "cut at %zu", cut);
	}
}
END_TEST

static const struct {
	const char *name;
	uint8_t value[8];
	size_t n;
	int rc;
} subs[] = {
	{ "empty 207", { 0 }, 0, 0 },
	{ "length 0", { 1, 0 }, 2, -ERR_FORMAT },
	{ "length 1", { 1, 1, 'a' }, 3, -ERR_FORMAT },
	{ "empty value", { 1, 2 }, 2, 0 },
	{ "overrun by one", { 1, 4, 'a' }, 3, -ERR_FORMAT },
	{ "overrun", { 1, 255, 'a' }, 3, -ERR_FORMAT },
	{ "type alone", { 1 }, 1, -ERR_FORMAT },
	{ "HA1 of FreeRADIUS", { 11, 3, 'a' }, 3, 0 },
	{ "type 0 is no response", { 0, 3, 'a' }, 3, 0 },
	{ "unknown with NUL", { 200, 3, '\0' }, 3, 0 },
	{ "unknown twice", { 11, 3, 'a', 11, 3, 'b' }, 6, 0 },
	{ "unknown, then broken", { 11, 3, 'a', 2, 9 }, 5, -ERR_FORMAT }
};

START_TEST(sterman_sub_attributes)
{
	start();
	add(207, subs[_i].value, subs[_i].n);
	ck_assert_msg(parse() == subs[_i].rc, "%s", subs[_i].name);
	ck_assert(digest.asked && !digest.rfc5090);
	ck_assert_uint_eq(digest.params.realm.n, 0);
	ck_assert_uint_eq(digest.params.response.n, 0);
}
END_TEST

static const struct {
	const char *sent, *value;
} escapes[] = {
	/* RFC 5090: realm="the \"example\" value" travels with backslashes */
	{ "the \\\"example\\\" value", "the \"example\" value" },
	{ "al\\\"ice", "al\"ice" }, { "a\\\\b", "a\\b" },
	{ "a\\\\\\\"b", "a\\\"b" }, { "\\\\\\\\", "\\\\" },
	{ "a\\b", "a\\b" }, { "a\\", "a\\" }, { "\\", "\\" },
	{ "\\\"", "\"" }, { "plain", "plain" }, { "\"a\"", "\"a\"" }
};

START_TEST(rfc5090_escapes)
{
	struct span value = span_str(escapes[_i].value);
	struct span sent = span_str(escapes[_i].sent);

	for (int i = 0; i < 3; i++) {
		start();
		for (size_t f = 0; f < FIELDS; f++) {
			if (fields[f].rfc5090 == 111)
				continue;
			if (i != 1)
				add_field(true, f, escapes[_i].sent);
			if (i != 0)
				add_field(false, f, escapes[_i].sent);
		}
		ck_assert_int_eq(parse(), 0);
		ck_assert(span_equal(digest.params.username, value));
		ck_assert(span_equal(digest.params.realm, value));
		ck_assert(span_equal(digest.params.nonce, value));
		ck_assert(span_equal(digest.params.cnonce, value));
		/* uri is no quoted-string: verbatim (STANDARDS 1.1). */
		ck_assert(span_equal(digest.params.uri, sent));
		ck_assert(span_equal(digest.params.method, sent));
	}
}
END_TEST

/* A packet full of backslashes fits the buffer for what is unescaped. */
START_TEST(escapes_fill_a_packet)
{
	char text[RADIUS_VALUE_MAX + 1];

	memset(text, '\\', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start();
	for (size_t i = 0; i < FIELDS; i++) {
		uint8_t head[2] = { fields[i].sterman, 255 };

		if (fields[i].rfc5090 == 111)
			continue;
		if (fields[i].sterman == 0)
			add_text(206, text);
		else {
			/* A sub-attribute that no single 207 can hold. */
			add(207, head, sizeof(head));
			add_text(207, text);
		}
	}
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(digest.params.realm.n, 127);
	ck_assert_uint_le(digest.text_n, sizeof(digest.text));
}
END_TEST

static const struct {
	const char *token;
	int rc;
	enum digest_alg alg;
	bool sess;
} algorithms[] = {
	{ "MD5", 0, DIGEST_MD5, false }, { "\"MD5\"", 0, DIGEST_MD5, false },
	{ "md5-SESS", 0, DIGEST_MD5, true },
	{ "SHA-256", 0, DIGEST_SHA_256, false },
	{ "SHA-512-256-sess", 0, DIGEST_SHA_512_256, true },
	{ "SHA-1", -ERR_UNSUPPORTED, DIGEST_NONE, false },
	{ "AKAv1-MD5", -ERR_UNSUPPORTED, DIGEST_NONE, false },
	{ "", 0, DIGEST_NONE, false }
};

START_TEST(algorithm)
{
	for (int i = 0; i < 2; i++) {
		start();
		add_field(i == 0, 6, algorithms[_i].token);
		ck_assert_int_eq(parse(), algorithms[_i].rc);
		if (algorithms[_i].rc != 0)
			continue;
		ck_assert(digest.params.alg == algorithms[_i].alg);
		ck_assert(digest.params.sess == algorithms[_i].sess);
	}
}
END_TEST

START_TEST(quoted_tokens)
{
	start();
	add_text(110, "\"auth\"");
	add_text(114, "\"00000001\"");
	ck_assert_int_eq(parse(), 0);
	ck_assert(span_equal(digest.params.qop, SPAN_LIT("auth")));
	ck_assert(span_equal(digest.params.nc, SPAN_LIT("00000001")));
	start();
	add_text(110, "\"");
	add_text(114, "\"\"");
	ck_assert_int_eq(parse(), 0);
	ck_assert(span_equal(digest.params.qop, SPAN_LIT("\"")));
	ck_assert_uint_eq(digest.params.nc.n, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_digest");
	TCase *tc = tcase_create("radius_digest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc5090_vectors, 0,
	    sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_loop_test(tc, no_digest, 0,
	    sizeof(none) / sizeof(none[0]));
	tcase_add_test(tc, rfc5090_nonce_request);
	tcase_add_test(tc, both_encodings);
	tcase_add_loop_test(tc, both_must_agree, 0, FIELDS);
	tcase_add_loop_test(tc, twice_is_malformed, 0, FIELDS);
	tcase_add_loop_test(tc, nul_is_refused, 0, FIELDS);
	tcase_add_test(tc, sterman_several_and_split);
	tcase_add_test(tc, sterman_truncated);
	tcase_add_loop_test(tc, sterman_sub_attributes, 0,
	    sizeof(subs) / sizeof(subs[0]));
	tcase_add_loop_test(tc, rfc5090_escapes, 0,
	    sizeof(escapes) / sizeof(escapes[0]));
	tcase_add_test(tc, escapes_fill_a_packet);
	tcase_add_loop_test(tc, algorithm, 0,
	    sizeof(algorithms) / sizeof(algorithms[0]));
	tcase_add_test(tc, quoted_tokens);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
