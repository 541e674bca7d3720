/*
 * The server side of SCRAM: RFC 5802 section 5, RFC 7677 section 3 and our own
 * exchanges with other gs2 headers; then client-final-messages that lie,
 * repeat, leave out, cut off or try twice. client-first-message has a file of
 * its own, test_scram_server_first.c.
 */

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/scram_server.h"
#include "scram_exchanges.h"
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

/* What a doomed exchange shows: a salt, and keys that fit nothing. */
static const char fake[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static const uint8_t cb_octets[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
};

static struct span
binding_of(const struct vector *v)
{
	return v->flag == SCRAM_CB_USED ?
	    span_mem(cb_octets, sizeof(cb_octets)) : SPAN_EMPTY;
}

/* Takes server through the first two messages of v. */
static void
begin(const struct vector *v, struct scram_server *server,
    struct scram_verifier *verifier)
{
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;

	ck_assert_int_eq(scram_parse(span_str(v->verifier), verifier), 0);
	ck_assert_int_eq(scram_server_read_first(server,
	    span_str(v->c_first), v->flag == SCRAM_CB_USED, false), 0);
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(scram_server_first(server, verifier,
	    span_str(v->s_nonce), &wb), 0);
	ck_assert_msg(span_equal(wbuf_written(&wb), span_str(v->s_first)),
	    "%s", v->name);
}

/* The verdict on message; what a DENY writes is checked to be nothing. */
static enum verdict
finish(struct scram_server *server, const struct scram_verifier *verifier,
    bool doomed, struct span message, struct span cb_data)
{
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;
	enum verdict verdict;

	wbuf_init(&wb, text, sizeof(text));
	verdict = scram_server_final(server, crypto, verifier, doomed,
	    message, cb_data, &wb);
	if (verdict != VERDICT_ALLOW)
		ck_assert_uint_eq(wb.n, 0);
	return verdict;
}

START_TEST(exchange)
{
	const struct vector *v = &vectors[_i];
	struct scram_server server;
	struct scram_verifier verifier;
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;

	begin(v, &server, &verifier);
	ck_assert_int_eq(server.cb_flag, v->flag);
	ck_assert_str_eq(server.cb_type, v->cb_type);
	ck_assert(span_equal(span_mem(server.name, server.name_n),
	    span_str(v->user)));
	ck_assert(span_equal(span_mem(server.authzid, server.authzid_n),
	    span_str(v->authzid)));
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(scram_server_final(&server, crypto, &verifier,
	    false, span_str(v->c_final), binding_of(v), &wb), VERDICT_ALLOW);
	ck_assert_msg(span_equal(wbuf_written(&wb), span_str(v->s_final)),
	    "%s", v->name);
	/* The same state does not serve a second attempt. */
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), binding_of(v)), VERDICT_DENY);
}
END_TEST

START_TEST(doomed_and_fake)
{
	const struct vector *v = &vectors[_i];
	struct scram_server server;
	struct scram_verifier verifier;

	begin(v, &server, &verifier);
	ck_assert_int_eq(finish(&server, &verifier, true,
	    span_str(v->c_final), binding_of(v)), VERDICT_DENY);
	begin(v, &server, &verifier);
	verifier.stored_key[0] ^= 0x80;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), binding_of(v)), VERDICT_DENY);
}
END_TEST

/* Every octet of client-final-message counts. */
START_TEST(final_altered)
{
	const struct vector *v = &vectors[_i];
	struct span good = span_str(v->c_final);
	struct scram_server begun, server;
	struct scram_verifier verifier;
	uint8_t text[SCRAM_MESSAGE_MAX];

	begin(v, &begun, &verifier);
	for (size_t i = 0; i < good.n; i++) {
		memcpy(text, good.p, good.n);
		text[i] ^= 1;
		server = begun;
		ck_assert_msg(finish(&server, &verifier, false,
		    span_mem(text, good.n), binding_of(v)) == VERDICT_DENY,
		    "%s: octet %zu", v->name, i);
	}
	for (size_t n = 0; n < good.n; n++) {
		server = begun;
		ck_assert_msg(finish(&server, &verifier, false,
		    span_head(good, n), binding_of(v)) == VERDICT_DENY,
		    "%s: %zu octets", v->name, n);
	}
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false, good,
	    binding_of(v)), VERDICT_ALLOW);
}
END_TEST

static const struct {
	const char *name, *message;
} finals[] = {
	{ "empty", "" },
	{ "commas", ",,,," },
	{ "no p=", "c=biws,r=" C_NONCE S_NONCE },
	{ "empty p=", "c=biws,r=" C_NONCE S_NONCE ",p=" },
	{ "p= not last", "c=biws,p=" PROOF ",r=" C_NONCE S_NONCE },
	{ "extension behind p=", C_FINAL ",x=1" },
	{ "comma behind p=", C_FINAL "," },
	{ "p= twice", C_FINAL ",p=" PROOF },
	{ "newline behind p=", C_FINAL "\n" },
	{ "proof without padding", "c=biws,r=" C_NONCE S_NONCE
	  ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ" },
	{ "proof with unused bits", "c=biws,r=" C_NONCE S_NONCE
	  ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=" },
	{ "proof of SHA-1's length", "c=biws,r=" C_NONCE S_NONCE
	  ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=" },
	{ "proof of SHA-512's length", "c=biws,r=" C_NONCE S_NONCE
	  ",p=Hc5yec3NmCD7t+kFRw4/3yD6/F3SQHc7AVYschRja+Bc3sbdjlA0eH1OjJc0DD4"
	  "ghn1tnXN5/Wr6qm9xmaHt4A==" },
	{ "client's nonce only", "c=biws,r=" C_NONCE ",p=" PROOF },
	{ "server's nonce only", "c=biws,r=" S_NONCE ",p=" PROOF },
	{ "longer nonce", "c=biws,r=" C_NONCE S_NONCE "x,p=" PROOF },
	{ "shorter nonce", "c=biws,r=" C_NONCE
	  "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k,p=" PROOF },
	{ "empty nonce", "c=biws,r=,p=" PROOF },
	{ "no nonce", "c=biws,p=" PROOF },
	{ "nonce twice", "c=biws,r=" C_NONCE S_NONCE ",r=" C_NONCE S_NONCE
	  ",p=" PROOF },
	{ "no c=", "r=" C_NONCE S_NONCE ",p=" PROOF },
	{ "empty c=", "c=,r=" C_NONCE S_NONCE ",p=" PROOF },
	{ "c= twice", "c=biws,c=biws,r=" C_NONCE S_NONCE ",p=" PROOF },
	{ "c= of y,,", "c=eSws,r=" C_NONCE S_NONCE ",p=" PROOF },
	{ "c= of n,", "c=bixo,r=" C_NONCE S_NONCE ",p=" PROOF },
	{ "c= with an authzid", "c=bixhPXVzZXJAZXhhbXBsZS5jb20s,r=" C_NONCE
	  S_NONCE ",p=" PROOF },
	{ "c= with binding data", "c=biwsAAE=,r=" C_NONCE S_NONCE ",p="
	  PROOF },
	{ "c= behind r=", "r=" C_NONCE S_NONCE ",c=biws,p=" PROOF },
	{ "m=", "m=1,c=biws,r=" C_NONCE S_NONCE ",p=" PROOF },
	{ "m= as an extension", "c=biws,r=" C_NONCE S_NONCE ",m=1,p="
	  PROOF },
	{ "empty extension", "c=biws,r=" C_NONCE S_NONCE ",,p=" PROOF },
	{ "extension that the proof does not cover", "c=biws,r=" C_NONCE
	  S_NONCE ",x=1,p=" PROOF },
	{ "Latin-1", "c=biws,r=" C_NONCE S_NONCE ",x=\xfc,p=" PROOF },
	{ "first message again", "n,,n=user,r=" C_NONCE }
};

START_TEST(final_refused)
{
	struct scram_server server;
	struct scram_verifier verifier;

	begin(&vectors[1], &server, &verifier);
	ck_assert_msg(finish(&server, &verifier, false,
	    span_str(finals[_i].message), SPAN_EMPTY) == VERDICT_DENY, "%s",
	    finals[_i].name);
	/* That was the one attempt. */
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), SPAN_EMPTY), VERDICT_DENY);
}
END_TEST

START_TEST(final_nul_and_oversized)
{
	static uint8_t big[SCRAM_MESSAGE_MAX + 1];
	struct scram_server begun, server;
	struct scram_verifier verifier;

	begin(&vectors[1], &begun, &verifier);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    SPAN_LIT(C_FINAL "\0"), SPAN_EMPTY), VERDICT_DENY);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    SPAN_LIT("\0" C_FINAL), SPAN_EMPTY), VERDICT_DENY);
	memset(big, 'A', sizeof(big));
	memcpy(big, C_FINAL, sizeof(C_FINAL) - 1);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_mem(big, sizeof(big)), SPAN_EMPTY), VERDICT_DENY);
}
END_TEST

/*
 * A client that knows the password, and what it puts before its proof: writes
 * without ",p=" proof to wb, the proof computed over just that.
 */
static void
prove(const struct scram_verifier *verifier, const char *without,
    struct wbuf *wb)
{
	/* ClientKey of STANDARDS 3.6. */
	static const uint8_t client_key[32] = {
		0xa6, 0x0f, 0xc9, 0x23, 0xd6, 0x7e, 0x86, 0x44, 0xa9, 0x2d,
		0x16, 0xb9, 0x6e, 0xda, 0x5e, 0xf4, 0x65, 0x6b, 0x0c, 0x72,
		0x5c, 0x48, 0x43, 0x74, 0xbe, 0x25, 0x53, 0x55, 0x76, 0x99,
		0x6e, 0x8b
	};
	const struct span auth_message[] = {
		SPAN_LIT("n=user,r=" C_NONCE), SPAN_LIT(","),
		SPAN_LIT(S_FIRST), SPAN_LIT(","), span_str(without)
	};
	uint8_t proof[32];

	ck_assert_int_eq(crypto_hmac(crypto, HASH_SHA_256,
	    span_mem(verifier->stored_key, 32), auth_message, 5, proof), 0);
	for (size_t i = 0; i < sizeof(proof); i++)
		proof[i] ^= client_key[i];
	wbuf_str(wb, without);
	wbuf_str(wb, ",p=");
	wbuf_base64(wb, span_mem(proof, sizeof(proof)));
	ck_assert(!wb->failed);
}

#define C_R	"c=biws,r=" C_NONCE S_NONCE

static const struct {
	const char *name, *without;
	enum verdict verdict;
} proved[] = {
	{ "nothing special", C_R, VERDICT_ALLOW },
	/* An extension that the proof covers is none of our business. */
	{ "unknown extensions", C_R ",x=1,X=2,Y==", VERDICT_ALLOW },
	{ "extension twice", C_R ",x=1,x=1", VERDICT_DENY },
	{ "m=", C_R ",m=1", VERDICT_DENY },
	{ "nonce again", C_R ",r=" C_NONCE S_NONCE, VERDICT_DENY },
	{ "binding again", C_R ",c=biws", VERDICT_DENY },
	{ "another name", C_R ",n=root", VERDICT_DENY },
	{ "authzid", C_R ",a=root", VERDICT_DENY },
	{ "another proof", C_R ",p=AAAA", VERDICT_DENY },
	{ "extension without a value", C_R ",x=", VERDICT_DENY },
	{ "empty extension", C_R ",", VERDICT_DENY },
	{ "empty extension behind one", C_R ",x=1,", VERDICT_DENY },
	{ "empty extension before one", C_R ",,x=1", VERDICT_DENY },
	{ "Latin-1", C_R ",x=\xfc", VERDICT_DENY },
	{ "other header", "c=eSws,r=" C_NONCE S_NONCE, VERDICT_DENY },
	{ "header cut", "c=bix=,r=" C_NONCE S_NONCE, VERDICT_DENY },
	{ "header without padding", "c=biwsAA,r=" C_NONCE S_NONCE,
	  VERDICT_DENY },
	{ "no binding", "r=" C_NONCE S_NONCE, VERDICT_DENY },
	{ "longer nonce", C_R "x", VERDICT_DENY },
	{ "other nonce", "c=biws,r=" C_NONCE "x", VERDICT_DENY },
	{ "no nonce", "c=biws", VERDICT_DENY },
	{ "order", "r=" C_NONCE S_NONCE ",c=biws", VERDICT_DENY },
	{ "first attribute unknown", "x=1," C_R, VERDICT_DENY }
};

START_TEST(final_with_right_proof)
{
	struct scram_server server;
	struct scram_verifier verifier;
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;

	begin(&vectors[1], &server, &verifier);
	wbuf_init(&wb, text, sizeof(text));
	prove(&verifier, proved[_i].without, &wb);
	ck_assert_msg(finish(&server, &verifier, false, wbuf_written(&wb),
	    SPAN_EMPTY) == proved[_i].verdict, "%s", proved[_i].name);
}
END_TEST

START_TEST(binding)
{
	const struct vector *v = &vectors[4];
	static const uint8_t big[SCRAM_CB_MAX + 1];
	struct span good = binding_of(v);
	struct scram_server begun, server;
	struct scram_verifier verifier;
	uint8_t other[sizeof(cb_octets)];

	begin(v, &begun, &verifier);
	memcpy(other, cb_octets, sizeof(other));
	other[31] ^= 1;
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), span_mem(other, sizeof(other))),
	    VERDICT_DENY);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), span_head(good, 31)), VERDICT_DENY);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), SPAN_EMPTY), VERDICT_DENY);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), span_mem(big, sizeof(big))), VERDICT_DENY);
	server = begun;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(v->c_final), good), VERDICT_ALLOW);

	/* Data that nobody asked for does not get into an "n" exchange. */
	begin(&vectors[1], &server, &verifier);
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), good), VERDICT_ALLOW);
}
END_TEST

/*
 * A man in the middle without data of his own: "p=" whose c= carries the
 * header alone, with the proof computed over just that, is not bound.
 */
START_TEST(bound_to_nothing)
{
	struct scram_server server;
	struct scram_verifier verifier;
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;

	begin(&vectors[4], &server, &verifier);
	wbuf_init(&wb, text, sizeof(text));
	prove(&verifier, "c=cD10bHMtZXhwb3J0ZXIsLA==,r=" C_NONCE S_NONCE,
	    &wb);
	ck_assert_int_eq(finish(&server, &verifier, false, wbuf_written(&wb),
	    SPAN_EMPTY), VERDICT_DENY);
}
END_TEST

START_TEST(order)
{
	struct scram_server server;
	struct scram_verifier verifier;
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;

	ck_assert_int_eq(scram_parse(span_str(sha_256), &verifier), 0);
	memset(&server, 0, sizeof(server));
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    SPAN_LIT(S_NONCE), &wb), -ERR_ORDER);
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), SPAN_EMPTY), VERDICT_DENY);
	ck_assert_int_eq(scram_server_read_first(&server,
	    SPAN_LIT("n,,n=user,r=" C_NONCE), false, false), 0);
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), SPAN_EMPTY), VERDICT_DENY);
	begin(&vectors[1], &server, &verifier);
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    SPAN_LIT(S_NONCE), &wb), -ERR_ORDER);
	ck_assert_uint_eq(wb.n, 0);
}
END_TEST

START_TEST(server_nonce)
{
	static const char *const bad[] = {
		"", "a,b", "a b", "\x7f", "\xc3\xbc"
	};
	struct scram_server read, server;
	struct scram_verifier verifier;
	uint8_t text[SCRAM_MESSAGE_MAX], nonce[SCRAM_NONCE_MAX];
	struct wbuf wb;

	ck_assert_int_eq(scram_parse(span_str(sha_256), &verifier), 0);
	ck_assert_int_eq(scram_server_read_first(&read,
	    SPAN_LIT("n,,n=user,r=" C_NONCE), false, false), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		server = read;
		wbuf_init(&wb, text, sizeof(text));
		ck_assert_int_eq(scram_server_first(&server, &verifier,
		    span_str(bad[i]), &wb), -ERR_FORMAT);
		ck_assert_uint_eq(wb.n, 0);
	}
	memset(nonce, 'n', sizeof(nonce));
	server = read;
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    span_mem(nonce, sizeof(nonce) - 20), &wb), 0);
	server = read;
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    span_mem(nonce, sizeof(nonce) - 19), &wb), -ERR_TOO_LONG);

	/* No room for the answer: nothing happened, it can be tried again. */
	server = read;
	wbuf_init(&wb, text, sizeof(S_FIRST) - 2);
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    SPAN_LIT(S_NONCE), &wb), -ERR_TOO_LONG);
	wbuf_init(&wb, text, sizeof(S_FIRST) - 1);
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    SPAN_LIT(S_NONCE), &wb), 0);
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), SPAN_EMPTY), VERDICT_ALLOW);
}
END_TEST

START_TEST(unavailable)
{
	struct scram_server server;
	struct scram_verifier verifier;
	struct crypto *fips, *ours = crypto;
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct wbuf wb;

	begin(&vectors[1], &server, &verifier);
	ck_assert_int_eq(crypto_new("fips=yes", &fips), 0);
	crypto = fips;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), SPAN_EMPTY), VERDICT_UNAVAILABLE);
	crypto = ours;
	crypto_free(&fips);
	/* A verifier without a mechanism is a broken row. */
	begin(&vectors[1], &server, &verifier);
	verifier.mech = SCRAM_NONE;
	ck_assert_int_eq(finish(&server, &verifier, false,
	    span_str(C_FINAL), SPAN_EMPTY), VERDICT_UNAVAILABLE);
	/* Right, but the answer does not fit: nobody was told yes. */
	begin(&vectors[1], &server, &verifier);
	wbuf_init(&wb, text, 45);
	ck_assert_int_eq(scram_server_final(&server, crypto, &verifier,
	    false, span_str(C_FINAL), SPAN_EMPTY, &wb), VERDICT_UNAVAILABLE);
}
END_TEST

/* What an unknown name sees is shaped like what alice sees. */
START_TEST(fake_looks_alike)
{
	struct scram_server server;
	struct scram_verifier verifier;
	struct vector v = vectors[1];

	v.verifier = fake;
	begin(&v, &server, &verifier);
	ck_assert_int_eq(finish(&server, &verifier, true, span_str(C_FINAL),
	    SPAN_EMPTY), VERDICT_DENY);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("scram_server");
	TCase *tc = tcase_create("scram_server");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, exchange, 0, COUNT(vectors));
	tcase_add_loop_test(tc, doomed_and_fake, 0, COUNT(vectors));
	tcase_add_loop_test(tc, final_altered, 0, COUNT(vectors));
	tcase_add_loop_test(tc, final_refused, 0, COUNT(finals));
	tcase_add_test(tc, final_nul_and_oversized);
	tcase_add_loop_test(tc, final_with_right_proof, 0, COUNT(proved));
	tcase_add_test(tc, binding);
	tcase_add_test(tc, bound_to_nothing);
	tcase_add_test(tc, order);
	tcase_add_test(tc, server_nonce);
	tcase_add_test(tc, unavailable);
	tcase_add_test(tc, fake_looks_alike);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
