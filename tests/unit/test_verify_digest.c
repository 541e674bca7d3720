/*
 * The heart, part two: digest responses, RFC 7616 and STANDARDS appendix A.
 * The client side computes its responses itself; the oracle stands in
 * verify_row.h.
 */

#include "core/fake.h"
#include "verify_row.h"

/* The params of STANDARDS 1.7 (d), REGISTER. */
static struct digest_params
params_of(enum digest_alg alg)
{
	return (struct digest_params){
		.alg = alg, .username = SPAN_LIT("alice"),
		.realm = SPAN_LIT("example.com"),
		.nonce = SPAN_LIT("bm9uY2UtMDAwMQ"),
		.uri = SPAN_LIT("sip:example.com"),
		.method = SPAN_LIT("REGISTER"), .qop = SPAN_LIT("auth"),
		.nc = SPAN_LIT("00000001"), .cnonce = SPAN_LIT("0a4f113b")
	};
}

/* What a client that knows the right password answers. */
static struct digest_params
respond(enum digest_alg alg, enum name_form form, uint8_t *response)
{
	struct digest_params p = params_of(alg);
	uint8_t ha1[DIGEST_SIZE_MAX];

	ck_assert_int_eq(digest_ha1(crypto, alg, form_name(form),
	    SPAN_LIT("example.com"), RIGHT_PASSWORD, ha1), 0);
	ck_assert_int_eq(digest_response(crypto, ha1, &p, response), 0);
	p.response = span_mem(response, 2 * digest_alg_size(alg));
	p.username = form_name(form);
	return p;
}

static const struct presented local = { .form = FORM_LOCAL };

static struct verify_result
digest(enum name_form form, bool folded, const struct digest_params *p)
{
	struct presented presented = { .account = row.account, .form = form,
	    .folded = folded };
	char rspauth[DIGEST_HEX_MAX + 1];
	struct verify_result r;

	memset(rspauth, 'x', sizeof(rspauth));
	r = verify_digest(&context, &row, &presented, p, rspauth);
	if (r.verdict == VERDICT_ALLOW)
		ck_assert_uint_eq(strlen(rspauth), p->response.n);
	else
		ck_assert_str_eq(rspauth, "");
	return r;
}

static const struct {
	enum digest_alg	 alg, said;
	const char	*response, *rspauth;
} vectors[] = {
	{ DIGEST_MD5, DIGEST_MD5, "1a81fb09121db07246ec0da143eda7c9",
	    "89dc0f0270907fa0aa7bd5968b9d8aea" },
	{ DIGEST_MD5, DIGEST_NONE, "1a81fb09121db07246ec0da143eda7c9",
	    "89dc0f0270907fa0aa7bd5968b9d8aea" },
	{ DIGEST_MD5, DIGEST_MD5, "1A81FB09121DB07246EC0DA143EDA7C9",
	    "89dc0f0270907fa0aa7bd5968b9d8aea" },
	{ DIGEST_SHA_256, DIGEST_SHA_256,
	    "5819882ded35c5d1a156a9f4384b8dc4"
	    "4463193ba301ee436a47e10b168be665",
	    "9547a892e776a1f23b6c2fe37f052e89"
	    "f2c4d01fe16c5af8cca4f230b9d6ffe5" },
	{ DIGEST_SHA_256, DIGEST_NONE,
	    "5819882ded35c5d1a156a9f4384b8dc4"
	    "4463193ba301ee436a47e10b168be665",
	    "9547a892e776a1f23b6c2fe37f052e89"
	    "f2c4d01fe16c5af8cca4f230b9d6ffe5" },
	{ DIGEST_SHA_512_256, DIGEST_SHA_512_256,
	    "b02150a3a2bca8d2331d0ae49c7b3312"
	    "09cb375251815297832cd1736b648418", NULL },
	{ DIGEST_SHA_512_256, DIGEST_NONE,
	    "b02150a3a2bca8d2331d0ae49c7b3312"
	    "09cb375251815297832cd1736b648418", NULL }
};

START_TEST(rfc7616_vectors)
{
	struct digest_params p = params_of(vectors[_i].said);
	char rspauth[DIGEST_HEX_MAX + 1];

	for (int i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++)
		put_ha1((enum digest_alg)i, FORM_LOCAL, RIGHT);
	p.response = span_str(vectors[_i].response);
	is_result(verify_digest(&context, &row, &local, &p, rspauth),
	    answer(VERDICT_ALLOW, REASON_OK), "vector");
	if (vectors[_i].rspauth != NULL)
		ck_assert_str_eq(rspauth, vectors[_i].rspauth);
	/* Every single hex digit counts. */
	for (size_t i = 0; i < p.response.n; i++) {
		uint8_t text[DIGEST_HEX_MAX];

		memcpy(text, p.response.p, p.response.n);
		text[i] = text[i] == '0' ? '1' : '0';
		p.response.p = text;
		is_result(verify_digest(&context, &row, &local, &p, rspauth),
		    answer(VERDICT_DENY, REASON_WRONG_PASSWORD), "flipped");
		ck_assert_str_eq(rspauth, "");
		p.response = span_str(vectors[_i].response);
	}
}
END_TEST

static struct verify_result
expect_digest(enum kind kind)
{
	return expect_password(&kind, 1);
}

/* Every kind in every column, state and origin; the other form is empty. */
START_TEST(digest_every_column)
{
	for (int a = DIGEST_MD5; a < DIGEST_ALG_COUNT; a++)
		for (int f = FORM_LOCAL; f < FORM_COUNT; f++)
			for (int s = ENABLED; s < STATES; s++)
				for (int o = HA1_SAME; o <= HA1_SEPARATE;
				    o++) {
		uint8_t response[DIGEST_HEX_MAX];
		enum digest_alg alg = (enum digest_alg)a;
		enum name_form form = (enum name_form)f;
		struct digest_params p = respond(alg, form, response);
		struct verify_result want = expect_digest((enum kind)_i);

		memset(row.ha1, 0, sizeof(row.ha1));
		put_ha1(alg, form, (enum kind)_i);
		put_state((enum state)s);
		row.ha1_origin = (enum ha1_origin)o;
		is_result(digest(form, false, &p),
		    expect_state((enum state)s, want), "column");
		/* Alice in SIP: never, but the log says why. */
		is_result(digest(form, true, &p), expect_state((enum state)s,
		    want.verdict == VERDICT_ALLOW ||
		    want.reason == REASON_WRONG_PASSWORD ?
		    answer(VERDICT_DENY, REASON_CASE) : want), "case");
		/* The right response under the other form's name. */
		put_ha1(alg, form == FORM_FULL ? FORM_LOCAL : FORM_FULL,
		    RIGHT);
		is_result(digest(form == FORM_FULL ? FORM_LOCAL : FORM_FULL,
		    false, &p), expect_state((enum state)s,
		    answer(VERDICT_DENY, REASON_WRONG_PASSWORD)), "form");
	}
}
END_TEST

/* 64 digits may be either SHA: the right one counts, a shut one is a doubt. */
START_TEST(digest_inferred)
{
	uint8_t response[DIGEST_HEX_MAX];
	struct digest_params p;

	for (int b = 0; b < HA1_KINDS; b++)
		for (int client = DIGEST_SHA_256;
		    client <= DIGEST_SHA_512_256; client++) {
			enum kind k[2] = { (enum kind)_i, (enum kind)b };
			struct verify_result want;
			struct verify_result one[2] = {
				expect_digest(k[0]), expect_digest(k[1])
			};

			put_ha1(DIGEST_SHA_256, FORM_LOCAL, k[0]);
			put_ha1(DIGEST_SHA_512_256, FORM_LOCAL, k[1]);
			want = one[client == DIGEST_SHA_512_256];
			if (want.verdict != VERDICT_ALLOW) {
				want = answer(VERDICT_DENY,
				    is_usable(k[0]) || is_usable(k[1]) ?
				    REASON_WRONG_PASSWORD :
				    REASON_NO_VERIFIER);
				for (int i = 0; i < 2; i++)
					if (one[i].verdict ==
					    VERDICT_UNAVAILABLE)
						want = one[i];
			}
			p = respond((enum digest_alg)client, FORM_LOCAL,
			    response);
			p.alg = DIGEST_NONE;
			is_result(digest(FORM_LOCAL, false, &p), want,
			    "inferred");
		}
}
END_TEST

/* As said or inferred, as many hashes for every name. */
START_TEST(digest_same_work)
{
	uint8_t response[DIGEST_HEX_MAX];
	struct digest_params p = respond(DIGEST_SHA_256, FORM_LOCAL, response);
	unsigned long hashes = 0;

	p.alg = _i == 0 ? DIGEST_SHA_256 : DIGEST_NONE;
	for (int turn = 0; turn < 4; turn++) {
		put_ha1(DIGEST_SHA_256, FORM_LOCAL, turn == 3 ? ABSENT :
		    WRONG);
		put_ha1(DIGEST_SHA_512_256, FORM_LOCAL, turn == 3 ? ABSENT :
		    WRONG);
		put_state(turn == 1 ? UNKNOWN : turn == 2 ? DISABLED :
		    ENABLED);
		hash_calls = 0;
		ck_assert_int_eq(digest(FORM_LOCAL, false, &p).verdict,
		    VERDICT_DENY);
		if (turn == 0)
			hashes = hash_calls;
		ck_assert_uint_gt(hashes, 0);
		ck_assert_uint_eq(hash_calls, hashes);
	}
}
END_TEST

/* Even who could compute the fake (a stolen seed) gets nowhere with it. */
START_TEST(digest_of_the_fake)
{
	struct digest_params p = params_of(DIGEST_SHA_256);
	uint8_t ha1[DIGEST_SIZE_MAX], response[DIGEST_HEX_MAX];

	put_ha1(DIGEST_SHA_256, FORM_LOCAL, _i < STATES ? ABSENT : MALFORMED);
	put_state((enum state)(_i % STATES));
	ck_assert_int_eq(fake_ha1(crypto, &row, DIGEST_SHA_256, FORM_LOCAL,
	    ha1), 0);
	ck_assert_int_eq(digest_response(crypto, ha1, &p, response), 0);
	p.response = span_mem(response, sizeof(response));
	is_result(digest(FORM_LOCAL, false, &p),
	    expect_state((enum state)(_i % STATES),
	    answer(VERDICT_DENY, REASON_NO_VERIFIER)), "fake");
}
END_TEST

static const struct {
	const char	*qop, *nc, *cnonce, *body_hash;
	size_t		 cut;		/* of the response */
	const char	*response;	/* instead */
} broken[] = {
	{ "auth-conf", "00000001", "c", "", 32, NULL },
	{ "auth,auth-int", "00000001", "c", "", 32, NULL },
	{ "auth", "", "c", "", 32, NULL },
	{ "auth", "0000001", "c", "", 32, NULL },
	{ "auth", "000000001", "c", "", 32, NULL },
	{ "auth", "0000000g", "c", "", 32, NULL },
	{ "auth", "00000001", "", "", 32, NULL },
	{ "auth-int", "00000001", "c", "", 32, NULL },
	{ "auth-int", "00000001", "c", "d41d8cd9", 32, NULL },
	{ "auth", "00000001", "c", "", 0, NULL },
	{ "auth", "00000001", "c", "", 1, NULL },
	{ "auth", "00000001", "c", "", 31, NULL },
	{ "auth", "00000001", "c", "", 0, "1a81fb09121db07246ec0da143eda7c900"
	    },
	{ "auth", "00000001", "c", "", 0, "1a81fb09121db07246ec0da143eda7cg"
	    },
	{ "auth", "00000001", "c", "", 0, "                                "
	    },
	{ "auth", "00000001", "c", "", 0, "0x81fb09121db07246ec0da143eda7c9"
	    },
	/* SHA's length with algorithm=MD5 */
	{ "auth", "00000001", "c", "", 0,
	    "5819882ded35c5d1a156a9f4384b8dc44463193ba301ee436a47e10b168be665"
	    }
};

/* Told from the request alone: also where the key is missing. */
START_TEST(digest_malformed)
{
	uint8_t response[DIGEST_HEX_MAX];
	struct digest_params p = respond(DIGEST_MD5, FORM_LOCAL, response);

	p.qop = span_str(broken[_i].qop);
	p.nc = span_str(broken[_i].nc);
	p.cnonce = span_str(broken[_i].cnonce);
	p.body_hash = span_str(broken[_i].body_hash);
	p.response = broken[_i].response != NULL ?
	    span_str(broken[_i].response) :
	    span_head(p.response, broken[_i].cut);
	for (int kind = ABSENT; kind < HA1_KINDS; kind++)
		for (int state = ENABLED; state < STATES; state++) {
			put_ha1(DIGEST_MD5, FORM_LOCAL, (enum kind)kind);
			put_state((enum state)state);
			is_result(digest(FORM_LOCAL, false, &p),
			    answer(VERDICT_DENY, REASON_MALFORMED), "broken");
		}
}
END_TEST

START_TEST(digest_no_such_algorithm)
{
	uint8_t response[DIGEST_HEX_MAX];
	struct digest_params p = respond(DIGEST_MD5, FORM_LOCAL, response);

	put_ha1(DIGEST_MD5, FORM_LOCAL, RIGHT);
	p.alg = DIGEST_ALG_COUNT;
	is_result(digest(FORM_LOCAL, false, &p),
	    answer(VERDICT_DENY, REASON_MALFORMED), "algorithm");
	p.alg = DIGEST_SHA_256;
	is_result(digest(FORM_LOCAL, false, &p),
	    answer(VERDICT_DENY, REASON_MALFORMED), "length");
}
END_TEST

/* RFC 2069 form, and auth-int with the body's hash. */
START_TEST(digest_qop)
{
	struct digest_params p = params_of(DIGEST_MD5);
	uint8_t ha1[DIGEST_SIZE_MAX], response[DIGEST_HEX_MAX];

	put_ha1(DIGEST_MD5, FORM_LOCAL, RIGHT);
	p.qop = p.nc = p.cnonce = SPAN_EMPTY;
	p.response = SPAN_LIT("95e532e7c7dfa5f0307f6fb147938a10");
	is_result(digest(FORM_LOCAL, false, &p), answer(VERDICT_ALLOW,
	    REASON_OK), "no qop");
	p = params_of(DIGEST_MD5);
	p.qop = SPAN_LIT("auth-int");
	p.body_hash = SPAN_LIT("d41d8cd98f00b204e9800998ecf8427e");
	ck_assert_int_eq(digest_ha1(crypto, DIGEST_MD5, SPAN_LIT("alice"),
	    SPAN_LIT("example.com"), RIGHT_PASSWORD, ha1), 0);
	ck_assert_int_eq(digest_response(crypto, ha1, &p, response), 0);
	p.response = span_mem(response, 32);
	is_result(digest(FORM_LOCAL, false, &p), answer(VERDICT_ALLOW,
	    REASON_OK), "auth-int");
	p.method = SPAN_LIT("ACK");
	is_result(digest(FORM_LOCAL, false, &p), answer(VERDICT_DENY,
	    REASON_WRONG_PASSWORD), "other method");
}
END_TEST

/* A sealed domain and no key at all: one answer for all names. */
START_TEST(digest_locked_domain)
{
	uint8_t response[DIGEST_HEX_MAX];
	struct digest_params p = respond(DIGEST_SHA_256, FORM_LOCAL, response);
	static const struct seal_keyring empty;

	row.policy.digests_sealed = true;
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, _i < STATES ? SEALED_RIGHT :
	    ABSENT);
	put_state((enum state)(_i % STATES));
	context.keys = NULL;
	is_result(digest(FORM_LOCAL, false, &p),
	    answer(VERDICT_UNAVAILABLE, REASON_KEY_MISSING), "no ring");
	context.keys = &empty;
	is_result(digest(FORM_LOCAL, false, &p),
	    answer(VERDICT_UNAVAILABLE, REASON_KEY_MISSING), "empty ring");
	context.keys = &ring;
	is_result(digest(FORM_LOCAL, false, &p),
	    expect_state((enum state)(_i % STATES), _i < STATES ?
	    answer(VERDICT_ALLOW, REASON_OK) :
	    answer(VERDICT_DENY, REASON_NO_VERIFIER)), "key");
	/* Nobody has a value there, so there is nothing to wait for. */
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, ABSENT);
	context.keys = NULL;
	row.policy.stores[DIGEST_SHA_256] = false;
	is_result(digest(FORM_LOCAL, false, &p),
	    expect_state((enum state)(_i % STATES),
	    answer(VERDICT_DENY, REASON_NO_VERIFIER)), "not stored");
	row.policy.stores[DIGEST_SHA_256] = row.policy.digests_none = true;
	is_result(digest(FORM_LOCAL, false, &p),
	    expect_state((enum state)(_i % STATES),
	    answer(VERDICT_DENY, REASON_NO_VERIFIER)), "none");
}
END_TEST

/* As with fips=yes: MD5 is not to be had, the rest goes on. */
START_TEST(fips_without_md5)
{
	uint8_t response[DIGEST_HEX_MAX];
	struct digest_params p = respond(DIGEST_MD5, FORM_LOCAL, response);
	struct crypto *fips;

	put_ha1(DIGEST_MD5, FORM_LOCAL, RIGHT);
	no_md5 = true;
	ck_assert_int_eq(crypto_new(NULL, &fips), 0);
	ck_assert(!crypto_has(fips, HASH_MD5));
	context.crypto = fips;
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_DENY, REASON_NO_VERIFIER), "md5 only");
	for (int state = ENABLED; state < STATES; state++) {
		put_state((enum state)state);
		is_result(digest(FORM_LOCAL, false, &p),
		    expect_state((enum state)state, answer(VERDICT_DENY,
		    REASON_NO_VERIFIER)), "md5 digest");
	}
	put_state(ENABLED);
	put_scram(SCRAM_SHA_256, RIGHT);
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_ALLOW, REASON_OK), "scram");
	p = respond(DIGEST_SHA_256, FORM_LOCAL, response);
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	is_result(digest(FORM_LOCAL, false, &p),
	    answer(VERDICT_ALLOW, REASON_OK), "sha-256 digest");
	crypto_free(&fips);
}
END_TEST

/* Who may have it gets the very value that verified, and only with ALLOW. */
START_TEST(digest_hands_out_ha1)
{
	enum digest_alg alg = (enum digest_alg)(_i % 3 + DIGEST_MD5);
	enum name_form form = _i < 3 ? FORM_LOCAL : FORM_FULL;
	const struct presented presented = { .account = row.account,
	    .form = form };
	uint8_t response[DIGEST_HEX_MAX], raw[DIGEST_SIZE_MAX];
	char rspauth[DIGEST_HEX_MAX + 1], ha1[DIGEST_HEX_MAX + 1];
	char expected[DIGEST_HEX_MAX + 1];
	struct digest_params p = respond(alg, form, response);
	struct wbuf wb;

	for (int i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++)
		put_ha1((enum digest_alg)i, form, RIGHT);
	ck_assert_int_eq(digest_ha1(crypto, alg, form_name(form),
	    SPAN_LIT("example.com"), RIGHT_PASSWORD, raw), 0);
	wbuf_init(&wb, expected, sizeof(expected));
	wbuf_hex(&wb, span_mem(raw, digest_alg_size(alg)));
	wbuf_u8(&wb, '\0');
	/* The length alone must do: FreeSWITCH does not say more. */
	for (int said = 0; said < 2; said++) {
		p.alg = said ? alg : DIGEST_NONE;
		is_result(verify_digest_ha1(&context, &row, &presented, &p,
		    rspauth, ha1), answer(VERDICT_ALLOW, REASON_OK), "right");
		ck_assert_str_eq(ha1, expected);
		ck_assert_uint_eq(strlen(rspauth), p.response.n);
	}
	response[0] = response[0] == '0' ? '1' : '0';
	is_result(verify_digest_ha1(&context, &row, &presented, &p, rspauth,
	    ha1), answer(VERDICT_DENY, REASON_WRONG_PASSWORD), "wrong");
	for (size_t i = 0; i < sizeof(ha1); i++)
		ck_assert_int_eq(ha1[i], '\0');
	response[0] = response[0] == '0' ? '1' : '0';
	put_state(DISABLED);
	memset(ha1, 'x', sizeof(ha1));
	ck_assert_int_ne((int)verify_digest_ha1(&context, &row, &presented,
	    &p, rspauth, ha1).verdict, (int)VERDICT_ALLOW);
	ck_assert_str_eq(ha1, "");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("verify_digest");
	TCase *tc = tcase_create("digest");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc7616_vectors, 0, COUNT(vectors));
	tcase_add_loop_test(tc, digest_every_column, 0, HA1_KINDS);
	tcase_add_loop_test(tc, digest_inferred, 0, HA1_KINDS);
	tcase_add_loop_test(tc, digest_hands_out_ha1, 0, 6);
	tcase_add_loop_test(tc, digest_same_work, 0, 2);
	tcase_add_loop_test(tc, digest_of_the_fake, 0, 2 * STATES);
	tcase_add_loop_test(tc, digest_malformed, 0, COUNT(broken));
	tcase_add_test(tc, digest_no_such_algorithm);
	tcase_add_test(tc, digest_qop);
	tcase_add_loop_test(tc, digest_locked_domain, 0, 2 * STATES);
	tcase_add_test(tc, fips_without_md5);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
