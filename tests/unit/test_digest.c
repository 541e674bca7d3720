/*
 * Digest: RFC 2617, 7616 3.9, draft-smith-sipping-auth-examples-01, RFC 5090
 * section 6 and the project account; the values that RFCs and programs get
 * wrong are tested as wrong.
 */

#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/err.h"
#include "core/hex.h"
#include "digest_vectors.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

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

static void
make_ha1(const struct account *account, enum digest_alg alg, uint8_t *ha1)
{
	ck_assert_int_eq(digest_ha1(crypto, alg, span_str(account->user),
	    span_str(account->realm), span_str(account->password), ha1), 0);
}

static bool
is_hex_of(struct span raw, const char *hex)
{
	uint8_t text[2 * HASH_SIZE_MAX];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	wbuf_hex(&wb, raw);
	return span_equal(wbuf_written(&wb), span_str(hex));
}

START_TEST(ha1)
{
	uint8_t out[DIGEST_SIZE_MAX];

	make_ha1(ha1s[_i].account, ha1s[_i].alg, out);
	ck_assert_msg(is_hex_of(span_mem(out,
	    digest_alg_size(ha1s[_i].alg)), ha1s[_i].ha1), "%s",
	    ha1s[_i].name);
}
END_TEST

/* H(body) as hex text in text. */
static struct span
hash_body(enum digest_alg alg, const char *body, uint8_t *text)
{
	uint8_t raw[HASH_SIZE_MAX];
	struct span part = span_str(body);
	struct wbuf wb;

	ck_assert_int_eq(crypto_hash(crypto, digest_alg_hash(alg), &part, 1,
	    raw), 0);
	wbuf_init(&wb, text, DIGEST_HEX_MAX);
	wbuf_hex(&wb, span_mem(raw, digest_alg_size(alg)));
	return wbuf_written(&wb);
}

/* params of a vector; text holds its body hash. */
static struct digest_params
params_of(const struct vector *v, uint8_t *text)
{
	return (struct digest_params){
		.alg = v->alg,
		.sess = v->sess,
		.username = span_str(v->account->user),
		.realm = span_str(v->account->realm),
		.nonce = span_str(v->request->nonce),
		.uri = span_str(v->request->uri),
		.method = span_str(v->request->method),
		.qop = span_str(v->qop),
		.nc = span_str(v->request->nc),
		.cnonce = span_str(v->request->cnonce),
		.body_hash = hash_body(v->alg, v->request->body, text)
	};
}

/* True if the holder of account's password would answer with response. */
static bool
responds(const struct account *account, const struct digest_params *params,
    const char *response)
{
	uint8_t key[DIGEST_SIZE_MAX], out[DIGEST_HEX_MAX];

	make_ha1(account, params->alg, key);
	ck_assert_int_eq(digest_response(crypto, key, params, out), 0);
	return span_equal(span_mem(out, 2 * digest_alg_size(params->alg)),
	    span_str(response));
}

START_TEST(response)
{
	const struct vector *v = &vectors[_i];
	uint8_t text[DIGEST_HEX_MAX], key[DIGEST_SIZE_MAX];
	uint8_t out[DIGEST_HEX_MAX + 1];
	struct digest_params params = params_of(v, text);

	ck_assert_msg(responds(v->account, &params, v->response), "%s",
	    v->name);
	if (v->rspauth == NULL)
		return;
	make_ha1(v->account, v->alg, key);
	out[2 * digest_alg_size(v->alg)] = '#';
	ck_assert_int_eq(digest_rspauth(crypto, key, &params, out), 0);
	ck_assert_msg(span_equal(span_mem(out, 2 * digest_alg_size(v->alg)),
	    span_str(v->rspauth)), "%s", v->name);
	/* Exactly so many digits, no NUL behind them. */
	ck_assert_int_eq(out[2 * digest_alg_size(v->alg)], '#');
}
END_TEST

/* Every octet of every input counts where its formula holds it. */
START_TEST(altered)
{
	const struct vector *v = &vectors[_i];
	uint8_t text[DIGEST_HEX_MAX];
	const struct digest_params good = params_of(v, text);
	const struct account wrong = {
		v->account->user, v->account->realm, "Wonderland"
	};
	bool has_qop = v->qop[0] != '\0';
	struct digest_params params = good;

	ck_assert(!responds(&wrong, &params, v->response));
	params.method = SPAN_LIT("get");
	ck_assert(!responds(v->account, &params, v->response));
	params = good;
	params.uri = span_head(good.uri, good.uri.n - 1);
	ck_assert(!responds(v->account, &params, v->response));
	params = good;
	params.nonce = span_tail(good.nonce, 1);
	ck_assert(!responds(v->account, &params, v->response));
	params = good;
	params.nc = SPAN_LIT("00000002");
	ck_assert_int_eq(responds(v->account, &params, v->response),
	    !has_qop);
	params = good;
	params.cnonce = span_head(good.cnonce, good.cnonce.n - 1);
	ck_assert_int_eq(responds(v->account, &params, v->response),
	    !has_qop);
	params = good;
	params.body_hash = SPAN_LIT("00000000000000000000000000000000"
	    "00000000000000000000000000000000");
	params.body_hash.n = 2 * digest_alg_size(v->alg);
	ck_assert_int_eq(responds(v->account, &params, v->response),
	    span_equal(good.qop, SPAN_LIT("auth-int")) ? 0 : 1);
	params = good;
	params.sess = !good.sess;
	ck_assert(!responds(v->account, &params, v->response));
	/* username and realm stand in HA1 already. */
	params = good;
	params.username = params.realm = SPAN_LIT("x");
	ck_assert(responds(v->account, &params, v->response));
}
END_TEST

START_TEST(body_hash_vectors)
{
	static const struct {
		enum digest_alg alg;
		const char *body, *hash;
	} bodies[] = {
		{ DIGEST_MD5, sdp, "c1ed018b8ec4a3b170c0921f5b564e48" },
		{ DIGEST_SHA_256, sdp, "7bdb5eafe23ce10590f4aa0b8e9c4d4d"
		  "095cbb596dc3be9c291f351c32e604b7" },
		{ DIGEST_SHA_512_256, sdp, "a605844e59e38408df7deb9002b98d53"
		  "f33881aa7fa3d0b08e0f5c31e2c35887" },
		{ DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ DIGEST_SHA_256, "", "e3b0c44298fc1c149afbf4c8996fb924"
		  "27ae41e4649b934ca495991b7852b855" },
		{ DIGEST_SHA_512_256, "", "c672b8d1ef56ed28ab87c3622c511406"
		  "9bdd3ad7b8f9737498d0c01ecef0967a" }
	};
	uint8_t text[DIGEST_HEX_MAX];

	ck_assert_uint_eq(strlen(sdp), 243);
	for (size_t i = 0; i < COUNT(bodies); i++)
		ck_assert(span_equal(hash_body(bodies[i].alg, bodies[i].body,
		    text), span_str(bodies[i].hash)));
}
END_TEST

/* RFC 3261 22.1: ACK repeats what was computed for INVITE. */
START_TEST(ack_recomputed)
{
	struct digest_params params = {
		.alg = DIGEST_MD5, .nonce = SPAN_LIT("bm9uY2UtMDAwMQ"),
		.uri = SPAN_LIT("sip:bob@example.com"),
		.method = SPAN_LIT("ACK"), .qop = SPAN_LIT("auth"),
		.nc = SPAN_LIT("00000001"), .cnonce = SPAN_LIT("0a4f113b")
	};

	ck_assert(responds(&alice, &params,
	    "f858e548d086391ad43ba6dcc0293ee6"));
	ck_assert(!responds(&alice, &params,
	    "c01b323fe7814ed98b9464b7e1c2435b"));
}
END_TEST

/* RFC 2617 erratum 1649: Kamailio feeds the 16 raw octets. */
START_TEST(raw_inner_sess)
{
	static const char wrong[] = "f495077475f5cdf81861e33b1d22ae9d";
	uint8_t inner[DIGEST_SIZE_MAX], raw_sess[DIGEST_SIZE_MAX];
	uint8_t text[DIGEST_HEX_MAX], out[DIGEST_HEX_MAX];
	const struct vector v = { "", &bob, &smith, DIGEST_MD5, true, "auth",
	    NULL, NULL };
	struct digest_params params = params_of(&v, text);
	struct span parts[5];

	ck_assert(!responds(&bob, &params, wrong));
	/* The mistake made by hand gives that value, so it is the mistake. */
	make_ha1(&bob, DIGEST_MD5, inner);
	parts[0] = span_mem(inner, 16);
	parts[1] = parts[3] = SPAN_LIT(":");
	parts[2] = params.nonce;
	parts[4] = params.cnonce;
	ck_assert_int_eq(crypto_hash(crypto, HASH_MD5, parts, 5, raw_sess),
	    0);
	ck_assert(is_hex_of(span_mem(raw_sess, 16),
	    "cb349e2d6a2d97eaede46d85781333f5"));
	params.sess = false;
	ck_assert_int_eq(digest_response(crypto, raw_sess, &params, out), 0);
	ck_assert(span_equal(span_mem(out, 32), span_str(wrong)));
}
END_TEST

/* H of RFC 7616 3.9.2 as printed: SHA-512 cut to 64 hex digits. */
static struct span
cut_sha_512(const char *a, const char *b, const char *c, uint8_t *text)
{
	const struct span parts[] = {
		span_str(a), span_str(b), span_str(c)
	};
	uint8_t raw[HASH_SIZE_MAX];
	struct wbuf wb;

	ck_assert_int_eq(crypto_hash(crypto, HASH_SHA_512, parts, 3, raw), 0);
	wbuf_init(&wb, text, DIGEST_HEX_MAX);
	wbuf_hex(&wb, span_mem(raw, 32));
	return wbuf_written(&wb);
}

START_TEST(rfc7616_3_9_2_as_printed)
{
	static const char printed[] = "ae66e67d6b427bd3f120414a82e4acff"
	    "38e8ecd9101d6c861229025f607a79dd";
	uint8_t text[DIGEST_HEX_MAX], a1[DIGEST_HEX_MAX + 1] = { 0 };
	uint8_t a2[DIGEST_HEX_MAX + 1] = { 0 };
	char middle[256], name[64];
	const struct vector v = { "", &jason, &rfc7616_2, DIGEST_SHA_512_256,
	    false, "auth", NULL, NULL };
	struct digest_params params = params_of(&v, text);

	ck_assert(!responds(&jason, &params, printed));
	/* Erratum 4897: the printed value is the cut SHA-512. */
	snprintf(name, sizeof(name), "%s:%s:", jason.user, jason.realm);
	(void)cut_sha_512(name, jason.password, "", a1);
	(void)cut_sha_512("GET", ":", "/doe.json", a2);
	snprintf(middle, sizeof(middle), ":%s:%s:%s:auth:", rfc7616_2.nonce,
	    rfc7616_2.nc, rfc7616_2.cnonce);
	ck_assert(span_equal(cut_sha_512((const char *)a1, middle,
	    (const char *)a2, text), span_str(printed)));
}
END_TEST

/* nc and qop are hashed as they came, whatever their case. */
START_TEST(as_received)
{
	const struct digest_params lower = {
		.alg = DIGEST_MD5, .nonce = SPAN_LIT("n"),
		.uri = SPAN_LIT("sip:x"), .method = SPAN_LIT("REGISTER"),
		.qop = SPAN_LIT("auth"), .nc = SPAN_LIT("0000000a"),
		.cnonce = SPAN_LIT("c")
	};
	struct digest_params upper = lower;
	uint8_t key[DIGEST_SIZE_MAX], one[DIGEST_HEX_MAX];
	uint8_t two[DIGEST_HEX_MAX], three[DIGEST_HEX_MAX];

	make_ha1(&alice, DIGEST_MD5, key);
	upper.nc = SPAN_LIT("0000000A");
	ck_assert_int_eq(digest_response(crypto, key, &lower, one), 0);
	ck_assert_int_eq(digest_response(crypto, key, &upper, two), 0);
	/* Both computed with another implementation. */
	ck_assert(span_equal(span_mem(one, 32),
	    SPAN_LIT("46d07e66fb72a1ed72551d07fd774305")));
	ck_assert(span_equal(span_mem(two, 32),
	    SPAN_LIT("4cea58ca385a7836930aa8cdf3ab07b0")));
	upper = lower;
	upper.qop = SPAN_LIT("Auth");
	ck_assert_int_eq(digest_response(crypto, key, &upper, three), 0);
	ck_assert(span_equal(span_mem(three, 32),
	    SPAN_LIT("31edf7825e6b93342265f8307516d2fd")));
}
END_TEST

static const struct {
	const char *name, *qop, *nc, *cnonce, *body_hash;
	bool sess;
	int rc;
} demands[] = {
	{ "auth", "auth", "00000001", "c", "", false, 0 },
	{ "no qop needs nothing", "", "", "", "", false, 0 },
	{ "capitals", "AUTH", "0000000F", "c", "", false, 0 },
	{ "unknown qop", "auth-conf", "00000001", "c", "", false,
	  -ERR_FORMAT },
	{ "a list is no qop", "auth,auth-int", "00000001", "c", "", false,
	  -ERR_FORMAT },
	{ "cut qop", "aut", "00000001", "c", "", false, -ERR_FORMAT },
	{ "blank", " auth", "00000001", "c", "", false, -ERR_FORMAT },
	{ "no nc", "auth", "", "c", "", false, -ERR_FORMAT },
	{ "short nc", "auth", "0000001", "c", "", false, -ERR_FORMAT },
	{ "long nc", "auth", "000000001", "c", "", false, -ERR_FORMAT },
	{ "nc not hex", "auth", "0000000g", "c", "", false, -ERR_FORMAT },
	{ "nc with a colon", "auth", "000000:1", "c", "", false,
	  -ERR_FORMAT },
	{ "no cnonce", "auth", "00000001", "", "", false, -ERR_FORMAT },
	{ "no body hash", "auth-int", "00000001", "c", "", false,
	  -ERR_FORMAT },
	{ "body hash", "auth-int", "00000001", "c",
	  "d41d8cd98f00b204e9800998ecf8427e", false, 0 },
	{ "short body hash", "auth-int", "00000001", "c",
	  "d41d8cd98f00b204e9800998ecf8427", false, -ERR_FORMAT },
	{ "long body hash", "auth-int", "00000001", "c",
	  "d41d8cd98f00b204e9800998ecf8427e0", false, -ERR_FORMAT },
	{ "body hash not hex", "auth-int", "00000001", "c",
	  "d41d8cd98f00b204e9800998ecf8427:", false, -ERR_FORMAT },
	{ "-sess without cnonce", "", "00000001", "", "", true,
	  -ERR_FORMAT },
	{ "-sess without nc", "", "", "c", "", true, -ERR_FORMAT },
	{ "-sess without qop", "", "00000001", "c", "", true, 0 }
};

START_TEST(demanded)
{
	struct digest_params params = {
		.alg = DIGEST_MD5, .nonce = SPAN_LIT("n"),
		.uri = SPAN_LIT("sip:x"), .method = SPAN_LIT("REGISTER"),
		.sess = demands[_i].sess,
		.qop = span_str(demands[_i].qop),
		.nc = span_str(demands[_i].nc),
		.cnonce = span_str(demands[_i].cnonce),
		.body_hash = span_str(demands[_i].body_hash)
	};
	uint8_t key[DIGEST_SIZE_MAX], out[DIGEST_HEX_MAX];

	make_ha1(&alice, DIGEST_MD5, key);
	ck_assert_msg(digest_response(crypto, key, &params, out) ==
	    demands[_i].rc, "response: %s", demands[_i].name);
	ck_assert_msg(digest_rspauth(crypto, key, &params, out) ==
	    demands[_i].rc, "rspauth: %s", demands[_i].name);
}
END_TEST

/* NUL, high octets, emptiness and size are all just octets. */
START_TEST(hostile_octets)
{
	static uint8_t big[65536];
	struct digest_params params = {
		.alg = DIGEST_SHA_256, .nonce = span_mem(big, sizeof(big)),
		.uri = span_mem("\0\xff\n", 3), .method = SPAN_EMPTY,
		.qop = SPAN_LIT("auth"), .nc = SPAN_LIT("ffffffff"),
		.cnonce = span_mem("\0", 1)
	};
	uint8_t key[DIGEST_SIZE_MAX] = { 0 };
	uint8_t one[DIGEST_HEX_MAX], two[DIGEST_HEX_MAX];

	ck_assert_int_eq(digest_response(crypto, key, &params, one), 0);
	params.uri.n = 1;
	ck_assert_int_eq(digest_response(crypto, key, &params, two), 0);
	ck_assert_int_ne(memcmp(one, two, sizeof(one)), 0);
	/* An empty method is what rspauth is. */
	ck_assert_int_eq(digest_rspauth(crypto, key, &params, one), 0);
	ck_assert_int_eq(memcmp(one, two, sizeof(one)), 0);
}
END_TEST

START_TEST(unsupported)
{
	static const uint8_t cleared[DIGEST_SIZE_MAX];
	struct digest_params params = { .alg = DIGEST_NONE };
	struct crypto *fips;
	uint8_t key[DIGEST_SIZE_MAX], out[DIGEST_HEX_MAX];

	memset(key, 'x', sizeof(key));
	ck_assert_int_eq(digest_response(crypto, key, &params, out),
	    -ERR_UNSUPPORTED);
	params.alg = DIGEST_ALG_COUNT;
	ck_assert_int_eq(digest_response(crypto, key, &params, out),
	    -ERR_UNSUPPORTED);
	ck_assert_int_eq(digest_ha1(crypto, DIGEST_NONE, SPAN_EMPTY,
	    SPAN_EMPTY, SPAN_EMPTY, key), -ERR_UNSUPPORTED);

	/* No MD5 there: refused by name, never another function instead. */
	ck_assert_int_eq(crypto_new("fips=yes", &fips), 0);
	params.alg = DIGEST_MD5;
	ck_assert_int_eq(digest_response(fips, key, &params, out),
	    -ERR_UNSUPPORTED);
	ck_assert_int_eq(digest_ha1(fips, DIGEST_MD5, SPAN_LIT("a"),
	    SPAN_LIT("b"), SPAN_LIT("c"), key), -ERR_UNSUPPORTED);
	ck_assert_int_eq(memcmp(key, cleared, 16), 0);
	crypto_free(&fips);
}
END_TEST

static const struct {
	const char *token;
	enum digest_alg alg;
	bool sess;
} tokens[] = {
	{ "", DIGEST_MD5, false },
	{ "MD5", DIGEST_MD5, false },
	{ "md5", DIGEST_MD5, false },
	{ "\"MD5\"", DIGEST_MD5, false },
	{ "MD5-sess", DIGEST_MD5, true },
	{ "\"md5-SESS\"", DIGEST_MD5, true },
	{ "SHA-256", DIGEST_SHA_256, false },
	{ "sha-256", DIGEST_SHA_256, false },
	{ "SHA-256-sess", DIGEST_SHA_256, true },
	{ "SHA-512-256", DIGEST_SHA_512_256, false },
	{ "sha-512-256-sess", DIGEST_SHA_512_256, true },
	/* STYLE: an unknown one is refused, never read as MD5. */
	{ "SHA-512", DIGEST_NONE, false },
	{ "SHA512-256", DIGEST_NONE, false },
	{ "SHA-1", DIGEST_NONE, false },
	{ "MD", DIGEST_NONE, false },
	{ "MD55", DIGEST_NONE, false },
	{ "MD5 ", DIGEST_NONE, false },
	{ "MD5-", DIGEST_NONE, false },
	{ "MD5-sess-sess", DIGEST_NONE, false },
	{ "-sess", DIGEST_NONE, false },
	{ "none", DIGEST_NONE, false },
	{ "AKAv1-MD5", DIGEST_NONE, false },
	{ "\"", DIGEST_NONE, false },
	{ "\"\"", DIGEST_NONE, false },
	{ "\"MD5", DIGEST_NONE, false },
	{ "MD5\"", DIGEST_NONE, false },
	{ "\"\"MD5\"\"", DIGEST_NONE, false }
};

START_TEST(algorithm_token)
{
	enum digest_alg alg = DIGEST_ALG_COUNT;
	bool sess = true;
	int rc = digest_alg_parse(span_str(tokens[_i].token), &alg, &sess);

	ck_assert_msg(rc == (tokens[_i].alg == DIGEST_NONE ?
	    -ERR_UNSUPPORTED : 0), "%s", tokens[_i].token);
	ck_assert_msg(alg == tokens[_i].alg && sess == tokens[_i].sess, "%s",
	    tokens[_i].token);
}
END_TEST

START_TEST(algorithm_tables)
{
	ck_assert_str_eq(digest_alg_name(DIGEST_MD5), "MD5");
	ck_assert_str_eq(digest_alg_name(DIGEST_SHA_256), "SHA-256");
	ck_assert_str_eq(digest_alg_name(DIGEST_SHA_512_256), "SHA-512-256");
	ck_assert_str_eq(digest_alg_name(DIGEST_ALG_COUNT), "none");
	ck_assert_uint_eq(digest_alg_size(DIGEST_MD5), 16);
	ck_assert_uint_eq(digest_alg_size(DIGEST_SHA_256), 32);
	ck_assert_uint_eq(digest_alg_size(DIGEST_SHA_512_256), 32);
	ck_assert_uint_eq(digest_alg_size(DIGEST_NONE), 0);
	ck_assert_int_eq(digest_alg_hash(DIGEST_SHA_512_256),
	    HASH_SHA_512_256);
	ck_assert_int_eq(digest_alg_hash(DIGEST_NONE), HASH_NONE);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, ha1, 0, COUNT(ha1s));
	tcase_add_loop_test(tc, response, 0, COUNT(vectors));
	tcase_add_loop_test(tc, altered, 0, COUNT(vectors));
	tcase_add_test(tc, body_hash_vectors);
	tcase_add_test(tc, ack_recomputed);
	tcase_add_test(tc, raw_inner_sess);
	tcase_add_test(tc, rfc7616_3_9_2_as_printed);
	tcase_add_test(tc, as_received);
	tcase_add_loop_test(tc, demanded, 0, COUNT(demands));
	tcase_add_test(tc, hostile_octets);
	tcase_add_test(tc, unsupported);
	tcase_add_loop_test(tc, algorithm_token, 0, COUNT(tokens));
	tcase_add_test(tc, algorithm_tables);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
