/*
 * Sealed tokens: vectors made by another implementation (Python's
 * cryptography: HKDF of RFC 5869, AES-256-GCM), every bit flipped, every
 * length, age and future, another label, keys coming and going.
 */

#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/token.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define MADE		UINT64_C(1700000000000000)
#define MINUTE		UINT64_C(60000000)
#define LABEL		SPAN_LIT("unit test")

static const struct {
	size_t		 key;
	const char	*text;
	const char	*token;		/* hex */
} vectors[] = {
	{ 0, "attack at dawn",
	    "0100060a24181e4000a0a1a2a3a4a5a6a7a8a9aaabd155b922650bf9eda9"
	    "7bcc5148cbc8d01ae7f6f70f99f3bad699a1f0d341" },
	{ 1, "",
	    "0100060a24181e4000a0a1a2a3a4a5a6a7a8a9aaaba1a674c4389e53492e"
	    "d0b70de915d82f" }
};

static struct crypto *crypto;
static struct nonce_keys keys;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	keys.count = 2;
	for (size_t i = 0; i < NONCE_KEY_SIZE; i++) {
		keys.key[0][i] = (uint8_t)i;
		keys.key[1][i] = (uint8_t)(NONCE_KEY_SIZE + i);
	}
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

/* Opens at the time now; what an error leaves behind is nothing. */
static int
open_at(struct span token, uint64_t now, struct span label, struct wbuf *out)
{
	static uint8_t text[16384];
	int rc;

	wbuf_init(out, text, sizeof(text));
	rc = token_open(crypto, &keys, label, now, MINUTE, token, out);
	if (rc != 0) {
		ck_assert_uint_eq(out->n, 0);
		ck_assert(!out->failed);
	}
	return rc;
}

static struct span
vector(size_t i, uint8_t *raw)
{
	struct span hex = span_str(vectors[i].token);

	ck_assert_int_eq(hex_decode(hex, raw, hex.n / 2), 0);
	return span_mem(raw, hex.n / 2);
}

START_TEST(rfc5869_other_implementation)
{
	uint8_t raw[128];
	struct span token = vector((size_t)_i, raw);
	struct wbuf out;

	ck_assert_uint_eq(token.n, TOKEN_OVERHEAD +
	    strlen(vectors[_i].text));
	ck_assert_int_eq(open_at(token, MADE, LABEL, &out), 0);
	ck_assert(span_equal(wbuf_written(&out),
	    span_str(vectors[_i].text)));
}
END_TEST

START_TEST(every_bit)
{
	uint8_t raw[128];
	struct span token = vector((size_t)_i, raw);
	struct wbuf out;

	for (size_t bit = 0; bit < 8 * token.n; bit++) {
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(open_at(token, MADE, LABEL, &out),
		    bit < 8 ? -ERR_FORMAT : -ERR_KEY);
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(open_at(token, MADE, LABEL, &out), 0);
}
END_TEST

START_TEST(every_length)
{
	uint8_t raw[129] = { 0 };
	struct span token = vector((size_t)_i, raw);
	struct wbuf out;

	for (size_t n = 0; n <= token.n + 1; n++)
		if (n != token.n)
			ck_assert_int_eq(open_at(span_mem(raw, n), MADE,
			    LABEL, &out), n < TOKEN_OVERHEAD ? -ERR_FORMAT :
			    -ERR_KEY);
}
END_TEST

static const struct {
	int64_t	now;		/* after MADE */
	int	rc;
} ages[] = {
	{ 0, 0 },
	{ 60000000, 0 },
	{ 60000001, -ERR_TOO_LONG },
	{ INT64_C(1000000000000000000), -ERR_TOO_LONG },
	{ -5000000, 0 },
	{ -5000001, -ERR_TOO_LONG },
	{ -INT64_C(1700000000000000), -ERR_TOO_LONG }
};

START_TEST(age_and_future)
{
	uint8_t raw[128];
	struct wbuf out;

	ck_assert_int_eq(open_at(vector(0, raw), MADE +
	    (uint64_t)ages[_i].now, LABEL, &out), ages[_i].rc);
}
END_TEST

START_TEST(other_label)
{
	static const char *const labels[] = {
		"", "unit tes", "unit test ", "Unit test", "unit tesu"
	};
	char longest[66];
	uint8_t raw[128];
	struct wbuf out;

	for (int i = 0; i < COUNT(labels); i++)
		ck_assert_int_eq(open_at(vector(0, raw), MADE,
		    span_str(labels[i]), &out), -ERR_KEY);
	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(open_at(vector(0, raw), MADE,
	    span_mem(longest, 65), &out), -ERR_FORMAT);
	wbuf_init(&out, raw, sizeof(raw));
	ck_assert_int_eq(token_seal(crypto, &keys, span_mem(longest, 65),
	    MADE, LABEL, &out), -ERR_TOO_LONG);
	ck_assert_int_eq(token_seal(crypto, &keys, span_mem(longest, 64),
	    MADE, LABEL, &out), 0);
}
END_TEST

/* The first key seals, both open; a key that has gone opens nothing. */
START_TEST(rotation)
{
	uint8_t raw[64], first[NONCE_KEY_SIZE];
	struct wbuf token, out;

	wbuf_init(&token, raw, sizeof(raw));
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    SPAN_LIT("text"), &token), 0);
	memcpy(first, keys.key[0], sizeof(first));
	memcpy(keys.key[0], keys.key[1], sizeof(first));
	memcpy(keys.key[1], first, sizeof(first));
	ck_assert_int_eq(open_at(wbuf_written(&token), MADE, LABEL, &out), 0);
	keys.count = 1;
	ck_assert_int_eq(open_at(wbuf_written(&token), MADE, LABEL, &out),
	    -ERR_KEY);
	keys.count = 0;
	ck_assert_int_eq(open_at(wbuf_written(&token), MADE, LABEL, &out),
	    -ERR_KEY);
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE, LABEL,
	    &token), -ERR_KEY);
}
END_TEST

/* Two tokens of one text share nothing but version and time. */
START_TEST(no_two_alike)
{
	uint8_t a[64], b[64];
	struct wbuf one, two;

	wbuf_init(&one, a, sizeof(a));
	wbuf_init(&two, b, sizeof(b));
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    SPAN_LIT("0123456789"), &one), 0);
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    SPAN_LIT("0123456789"), &two), 0);
	ck_assert_uint_eq(one.n, TOKEN_OVERHEAD + 10);
	ck_assert_mem_eq(a, b, 9);
	ck_assert_mem_ne(a + 9, b + 9, GCM_NONCE_SIZE);
	ck_assert_mem_ne(a + 21, b + 21, 10);
}
END_TEST

START_TEST(sizes)
{
	static uint8_t big[16385], raw[16385 + TOKEN_OVERHEAD];
	uint8_t small[3];
	struct wbuf token, out;

	memset(big, 'x', sizeof(big));
	wbuf_init(&token, raw, sizeof(raw));
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    span_mem(big, 16385), &token), -ERR_TOO_LONG);
	ck_assert_uint_eq(token.n, 0);
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    span_mem(big, 16384), &token), 0);
	ck_assert_int_eq(open_at(wbuf_written(&token), MADE, LABEL, &out), 0);
	ck_assert_uint_eq(out.n, 16384);
	ck_assert_int_eq(open_at(span_mem(raw, sizeof(raw)), MADE, LABEL,
	    &out), -ERR_FORMAT);

	/* No room for the token, or for its text. */
	wbuf_init(&token, raw, TOKEN_OVERHEAD + 3);
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    SPAN_LIT("text"), &token), -ERR_TOO_LONG);
	wbuf_init(&token, raw, TOKEN_OVERHEAD + 4);
	ck_assert_int_eq(token_seal(crypto, &keys, LABEL, MADE,
	    SPAN_LIT("text"), &token), 0);
	wbuf_init(&out, small, sizeof(small));
	ck_assert_int_eq(token_open(crypto, &keys, LABEL, MADE, MINUTE,
	    wbuf_written(&token), &out), -ERR_TOO_LONG);
	ck_assert_uint_eq(out.n, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("token");
	TCase *tc = tcase_create("token");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc5869_other_implementation, 0,
	    COUNT(vectors));
	tcase_add_loop_test(tc, every_bit, 0, COUNT(vectors));
	tcase_add_loop_test(tc, every_length, 0, COUNT(vectors));
	tcase_add_loop_test(tc, age_and_future, 0, COUNT(ages));
	tcase_add_test(tc, other_label);
	tcase_add_test(tc, rotation);
	tcase_add_test(tc, no_two_alike);
	tcase_add_test(tc, sizes);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
