/*
 * The fingerprint of a request (DESIGN 6.4): what must change it, what must
 * not, and that no octet can move from one part into the next.
 */

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/sip_message.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define KEY_SIZE	32

static struct crypto *crypto;
static char buffer[2][SIP_MESSAGE_MAX];
static struct sip_message message[2];
static const uint8_t key[KEY_SIZE] = "a key of this process of 32 byte";

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

/* A request of several parts; each NULL in change is the default. */
enum part {
	METHOD, URI, FROM, TO, CALL_ID, EFFECTS, CSEQ, VIA, ROUTE, ROW, BODY,
	PART_COUNT
};

static const char *const parts[PART_COUNT] = {
	"INVITE", "sip:bob@example.com", "\"A\" <sip:a@example.com>;tag=1",
	"<sip:bob@example.com>", "1@example.com",
	"m: <sip:a@192.0.2.1>\r\n", "7", "SIP/2.0/UDP 192.0.2.1",
	"<sip:p1.example.com;lr>",
	"Digest username=\"a\", realm=\"p1.example.com\"", "v=0\r\n"
};

static void
build(int i, enum part part, const char *text)
{
	const char *p[PART_COUNT];
	int n;

	memcpy(p, parts, sizeof(p));
	if (part < PART_COUNT)
		p[part] = text;
	n = snprintf(buffer[i], sizeof(buffer[i]), "%s %s SIP/2.0\r\n"
	    "From: %s\r\nTo: %s\r\nCall-ID: %s\r\n%sCSeq: %s %s\r\n"
	    "Via: %s\r\nRoute: %s\r\nProxy-Authorization: %s\r\n\r\n%s",
	    p[METHOD], p[URI], p[FROM], p[TO], p[CALL_ID], p[EFFECTS],
	    p[CSEQ], p[METHOD], p[VIA], p[ROUTE], p[ROW], p[BODY]);
	ck_assert_int_lt(n, (int)sizeof(buffer[i]));
	ck_assert_msg(sip_message_parse(span_mem(buffer[i], (size_t)n),
	    SIP_PROXY, &message[i]) == 0, "%s", buffer[i]);
}

static bool
same(enum sip_role role)
{
	uint8_t out[2][SIP_FINGERPRINT_SIZE];

	for (int i = 0; i < 2; i++) {
		memset(out[i], i, sizeof(out[i]));
		ck_assert_int_eq(sip_fingerprint(crypto, key, &message[i],
		    role, out[i]), 0);
	}
	return memcmp(out[0], out[1], sizeof(out[0])) == 0;
}

#define C	"m: <sip:a@192.0.2.1>\r\n"

static const struct {
	enum part part;
	const char *text;
	bool proxy, registrar;	/* the same? */
} changes[] = {
	{ PART_COUNT, "", true, true },
	{ METHOD, "MESSAGE", false, false },
	{ URI, "sip:eve@example.com", false, false },
	{ FROM, "\"A\" <sip:a@example.com>;tag=2", false, false },
	{ FROM, "\"B\" <sip:a@example.com>;tag=1", false, false },
	{ FROM, "\"A\" <sip:b@example.com>;tag=1", false, false },
	{ FROM, "\"A\"\r\n <sip:a@example.com>;tag=1", true, true },
	{ FROM, "\"A\" \t \r\n\t  <sip:a@example.com>;tag=1  ", true, true },
	{ FROM, "\"A\"<sip:a@example.com>;tag=1", false, false },
	{ TO, "<sip:bob@example.com>;tag=1", false, false },
	{ CALL_ID, "2@example.com", false, false },
	{ EFFECTS, "m: <sip:a@192.0.2.2>\r\n", false, false },
	{ EFFECTS, "CONTACT :\r\n <sip:a@192.0.2.1>\r\n", true, true },
	{ EFFECTS, "", false, false },
	{ EFFECTS, "m:\r\n", false, false },
	{ EFFECTS, "m: <sip:a@192.0.2.1>\r\nm:\r\n", false, false },
	{ EFFECTS, "m: <sip:a@192.0.2.1>\r\nm: <sip:b@192.0.2.1>\r\n", false,
	    false },
	{ EFFECTS, C "Path: <sip:evil;lr>\r\n", false, false },
	{ EFFECTS, C "Expires: 0\r\n", false, false },
	{ EFFECTS, C "Refer-To: <sip:e@a>\r\n", false, false },
	{ EFFECTS, C "r: <sip:e@a>\r\n", false, false },
	{ EFFECTS, C "Referred-By: <sip:e@a>\r\n", false, false },
	{ EFFECTS, C "B: <sip:e@a>\r\n", false, false },
	{ EFFECTS, C "Replaces: 1;to-tag=a\r\n", false, false },
	{ EFFECTS, C "Join: 1;to-tag=a\r\n", false, false },
	{ EFFECTS, C "Event: dialog\r\n", false, false },
	{ EFFECTS, C "o: dialog\r\n", false, false },
	{ EFFECTS, C "P-Preferred-Identity: <sip:e@a>\r\n", false, false },
	{ EFFECTS, C "Record-Route: <sip:p;lr>\r\n", true, true },
	{ EFFECTS, C "Max-Forwards: 9\r\n", true, true },
	{ EFFECTS, C "Content-Length: 5\r\n", true, true },
	{ EFFECTS, C "X-Path: <sip:p>\r\n", true, true },
	{ EFFECTS, C "x: 60\r\n", true, true },
	{ CSEQ, "8", true, false },
	{ CSEQ, "0007", true, true },
	{ VIA, "SIP/2.0/TCP 192.0.2.9", true, true },
	{ ROUTE, "<sip:p2.example.com;lr>", true, true },
	{ ROW, "Digest username=\"a\", realm=\"p2.example.com\"", true,
	    true },
	{ BODY, "v=1\r\n", false, false },
	{ BODY, "", false, false },
	{ BODY, "v=0\r\n ", false, false },
	{ BODY, "v=0\n", false, false }
};

START_TEST(design_6_4)
{
	build(0, PART_COUNT, NULL);
	build(1, changes[_i].part, changes[_i].text);
	ck_assert_msg(same(SIP_PROXY) == changes[_i].proxy, "proxy: %s",
	    changes[_i].text);
	ck_assert_msg(same(SIP_REGISTRAR) == changes[_i].registrar,
	    "registrar: %s", changes[_i].text);
}
END_TEST

/* The same octets in a row, cut at another place. */
START_TEST(parts_are_counted)
{
	struct span all = SPAN_LIT("abcdefgh");

	for (size_t cut = 0; cut <= all.n; cut++) {
		struct span left = span_head(all, cut);
		struct span right = span_tail(all, cut);

		message[0] = (struct sip_message){ .method = all };
		message[1] = (struct sip_message){ .method = left,
		    .uri = right };
		ck_assert(same(SIP_PROXY) == (cut == all.n));
		message[0] = (struct sip_message){ .call_id = all };
		message[1] = (struct sip_message){ .call_id = left,
		    .body = right };
		ck_assert(same(SIP_PROXY) == (cut == all.n));
		message[0] = (struct sip_message){
		    .effects = { { SIP_CONTACT, all } }, .effect_count = 1 };
		message[1] = (struct sip_message){
		    .effects = { { SIP_CONTACT, left }, { SIP_CONTACT,
		    right } }, .effect_count = 2 };
		ck_assert(!same(SIP_PROXY));
		message[0] = (struct sip_message){
		    .effects = { { SIP_CONTACT, left }, { SIP_PATH,
		    right } }, .effect_count = 2 };
		message[1] = (struct sip_message){
		    .effects = { { SIP_CONTACT, all }, { SIP_PATH,
		    SPAN_EMPTY } }, .effect_count = 2 };
		ck_assert(same(SIP_PROXY) == (cut == all.n));
	}
}
END_TEST

/* Fields with these texts in front of the body. */
static bool
same_effects(const char *a, const char *b)
{
	build(0, EFFECTS, a);
	build(1, EFFECTS, b);
	return same(SIP_PROXY);
}

/* RFC 3261 7.3.1: the order of fields counts within one name only. */
START_TEST(order_of_fields)
{
	ck_assert(same_effects("Path: <sip:p>\r\nm: <sip:a>\r\nr: <sip:r>\r\n",
	    "Refer-To: <sip:r>\r\nContact: <sip:a>\r\nPath: <sip:p>\r\n"));
	ck_assert(same_effects("Path: 1\r\nm: 3\r\nPath: 2\r\n",
	    "m: 3\r\nPath: 1\r\nPath: 2\r\n"));
	ck_assert(!same_effects("Path: 1\r\nPath: 2\r\n",
	    "Path: 2\r\nPath: 1\r\n"));
	/* One name is not another. */
	ck_assert(!same_effects("Path: 1\r\n", "Expires: 1\r\n"));
	ck_assert(!same_effects("Replaces: 1\r\n", "Join: 1\r\n"));
}
END_TEST

START_TEST(role_and_key_matter)
{
	static const uint8_t other[KEY_SIZE] = "another key of 32 bytes in al";
	uint8_t out[3][SIP_FINGERPRINT_SIZE];

	build(0, PART_COUNT, NULL);
	ck_assert_int_eq(sip_fingerprint(crypto, key, &message[0], SIP_PROXY,
	    out[0]), 0);
	ck_assert_int_eq(sip_fingerprint(crypto, key, &message[0],
	    SIP_REGISTRAR, out[1]), 0);
	ck_assert_int_eq(sip_fingerprint(crypto, other, &message[0],
	    SIP_PROXY, out[2]), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ne(memcmp(out[i], out[(i + 1) % 3],
		    sizeof(out[0])), 0);
}
END_TEST

/* Long values: any octet of any block counts, and blocks have no seams. */
START_TEST(long_values)
{
	static char text[5000];

	for (size_t n = 900; n < 1100; n++) {
		memset(text, 'a', n);
		text[n] = '\0';
		build(0, CALL_ID, text);
		build(1, CALL_ID, text);
		ck_assert(same(SIP_PROXY));
		text[n - 1] = 'b';
		build(1, CALL_ID, text);
		ck_assert(!same(SIP_PROXY));
		text[n - 1] = '\0';
		build(1, CALL_ID, text);
		ck_assert(!same(SIP_PROXY));
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	build(0, CALL_ID, text);
	for (size_t i = 0; i < sizeof(text) - 1; i += 97) {
		text[i] = 'b';
		build(1, CALL_ID, text);
		ck_assert(!same(SIP_PROXY));
		text[i] = 'a';
	}
}
END_TEST

/*
 * One value computed elsewhere (SHA-256 of Python over the description in
 * sip_fingerprint.c): a change of the format shows.
 */
START_TEST(known_answer)
{
	uint8_t out[SIP_FINGERPRINT_SIZE], hex[2 * SIP_FINGERPRINT_SIZE];
	struct wbuf wb;

	build(0, PART_COUNT, NULL);
	ck_assert_int_eq(sip_fingerprint(crypto, key, &message[0],
	    SIP_REGISTRAR, out), 0);
	wbuf_init(&wb, hex, sizeof(hex));
	wbuf_hex(&wb, span_mem(out, sizeof(out)));
	ck_assert_msg(span_equal(wbuf_written(&wb), span_str(
	    "86a2879025f289f8a3770859a391c43c")), "%.*s",
	    (int)wb.n, (const char *)hex);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("sip_fingerprint");
	TCase *tc = tcase_create("sip_fingerprint");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, design_6_4, 0, COUNT(changes));
	tcase_add_test(tc, parts_are_counted);
	tcase_add_test(tc, order_of_fields);
	tcase_add_test(tc, role_and_key_matter);
	tcase_add_test(tc, long_values);
	tcase_add_test(tc, known_answer);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
