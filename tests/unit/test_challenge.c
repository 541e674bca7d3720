/*
 * Challenges (RFC 3261 20.44, RFC 8760) and Authentication-Info (RFC 7616 3.5)
 * as text, octet for octet.
 */

#include <string.h>

#include "core/challenge.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define LIT(s)		{ (const uint8_t *)(s), sizeof(s) - 1 }

static const struct {
	struct challenge in;
	const char	*text;		/* NULL: fails */
} challenges[] = {
	{ { LIT("example.com"), LIT("n1"), DIGEST_MD5, LIT(""), false },
	  "Digest realm=\"example.com\", nonce=\"n1\", algorithm=MD5, "
	  "qop=\"auth\"" },
	{ { LIT("example.com"), LIT("n1"), DIGEST_SHA_256, LIT(""), true },
	  "Digest realm=\"example.com\", nonce=\"n1\", stale=true, "
	  "algorithm=SHA-256, qop=\"auth\"" },
	{ { LIT("example.com"), LIT("n_-"), DIGEST_SHA_512_256,
	    LIT("sip:example.com xmpp:example.com"), true },
	  "Digest realm=\"example.com\", "
	  "domain=\"sip:example.com xmpp:example.com\", nonce=\"n_-\", "
	  "stale=true, algorithm=SHA-512-256, qop=\"auth\"" },
	{ { LIT("caf\xc3\xa9 bar"), LIT("n"), DIGEST_MD5, LIT(""), false },
	  "Digest realm=\"caf\xc3\xa9 bar\", nonce=\"n\", algorithm=MD5, "
	  "qop=\"auth\"" },
	/* No realm of ours has these, but the writer does not know. */
	{ { LIT("a\"b\\c"), LIT("n"), DIGEST_MD5, LIT(""), false },
	  "Digest realm=\"a\\\"b\\\\c\", nonce=\"n\", algorithm=MD5, "
	  "qop=\"auth\"" },
	{ { LIT("a\r\nX: y"), LIT("n"), DIGEST_MD5, LIT(""), false }, NULL },
	{ { LIT("a"), LIT("n\n"), DIGEST_MD5, LIT(""), false }, NULL },
	{ { LIT("a"), LIT("n"), DIGEST_MD5, LIT("sip:a\0"), false }, NULL },
	{ { LIT("a\x7f"), LIT("n"), DIGEST_MD5, LIT(""), false }, NULL },
	{ { LIT("a"), LIT("n"), DIGEST_NONE, LIT(""), false }, NULL },
	{ { LIT("a"), LIT("n"), DIGEST_ALG_COUNT, LIT(""), false }, NULL }
};

START_TEST(rfc3261_20_44)
{
	uint8_t out[CHALLENGE_MAX];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	challenge_write(&challenges[_i].in, &wb);
	ck_assert_int_eq(wb.failed, challenges[_i].text == NULL);
	if (!wb.failed)
		ck_assert(span_equal(wbuf_written(&wb),
		    span_str(challenges[_i].text)));
}
END_TEST

/* One octet less than needed: nothing that could be mistaken for a row. */
START_TEST(no_room)
{
	const char *text = challenges[_i].text;
	uint8_t out[CHALLENGE_MAX];
	struct wbuf wb;

	for (size_t n = 0; text != NULL && n <= strlen(text); n++) {
		wbuf_init(&wb, out, n);
		challenge_write(&challenges[_i].in, &wb);
		ck_assert_int_eq(wb.failed, n < strlen(text));
	}
}
END_TEST

/* The longest that the table `realm` can ask for. */
START_TEST(longest)
{
	uint8_t octets[1023], out[CHALLENGE_MAX];
	struct challenge c = { .alg = DIGEST_SHA_512_256, .stale = true };
	struct wbuf wb;

	memset(octets, 'x', sizeof(octets));
	c.realm = span_mem(octets, 253);
	c.nonce = span_mem(octets, 55);
	c.domain = span_mem(octets, sizeof(octets));
	wbuf_init(&wb, out, sizeof(out));
	challenge_write(&c, &wb);
	ck_assert(!wb.failed);
	ck_assert_uint_lt(wb.n, sizeof(out));
}
END_TEST

#define RSPAUTH	"6629fae49393a05397450978507c4ef1"
#define CNONCE	"0a4f113b"

static const struct {
	const char	*qop, *nc, *cnonce, *rspauth, *nextnonce;
	const char	*text;		/* NULL: fails */
} infos[] = {
	{ "auth", "00000001", CNONCE, RSPAUTH, "n2",
	  "nextnonce=\"n2\", qop=auth, rspauth=\"" RSPAUTH "\", "
	  "cnonce=\"" CNONCE "\", nc=00000001" },
	{ "auth", "0000000A", CNONCE, RSPAUTH, "",
	  "qop=auth, rspauth=\"" RSPAUTH "\", cnonce=\"" CNONCE "\", "
	  "nc=0000000A" },
	{ "AUTH-INT", "0000000a", CNONCE, RSPAUTH, "",
	  "qop=AUTH-INT, rspauth=\"" RSPAUTH "\", cnonce=\"" CNONCE "\", "
	  "nc=0000000a" },
	{ "auth", "00000001", "a\"b\\", RSPAUTH, "",
	  "qop=auth, rspauth=\"" RSPAUTH "\", cnonce=\"a\\\"b\\\\\", "
	  "nc=00000001" },
	/* RFC 2069: nothing to say but the next nonce. */
	{ "", "", "", RSPAUTH, "n2", "nextnonce=\"n2\"" },
	{ "auth", "00000001", CNONCE, "", "n2", "nextnonce=\"n2\"" },
	{ "", "", "", "", "", "" },
	{ "auth\r\nX: y", "00000001", CNONCE, RSPAUTH, "", NULL },
	{ "auth, stale=true", "00000001", CNONCE, RSPAUTH, "", NULL },
	{ "auth", "00000001\r", CNONCE, RSPAUTH, "", NULL },
	{ "auth", "0000001", CNONCE, RSPAUTH, "", NULL },
	{ "auth", "0000000g", CNONCE, RSPAUTH, "", NULL },
	{ "auth", "00000001", "a\r\nVia: b", RSPAUTH, "", NULL },
	{ "auth", "00000001", CNONCE, RSPAUTH, "n\n2", NULL }
};

START_TEST(rfc7616_3_5)
{
	struct digest_params params = {
		.alg = DIGEST_MD5,
		.qop = span_str(infos[_i].qop),
		.nc = span_str(infos[_i].nc),
		.cnonce = span_str(infos[_i].cnonce)
	};
	uint8_t out[512];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	authentication_info_write(&params, span_str(infos[_i].rspauth),
	    span_str(infos[_i].nextnonce), &wb);
	ck_assert_int_eq(wb.failed, infos[_i].text == NULL);
	if (!wb.failed)
		ck_assert(span_equal(wbuf_written(&wb),
		    span_str(infos[_i].text)));
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *s = suite_create("challenge");
	TCase *tc = tcase_create("challenge");

	tcase_add_loop_test(tc, rfc3261_20_44, 0, COUNT(challenges));
	tcase_add_loop_test(tc, no_room, 0, COUNT(challenges));
	tcase_add_test(tc, longest);
	tcase_add_loop_test(tc, rfc7616_3_5, 0, COUNT(infos));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(unit_suite)
