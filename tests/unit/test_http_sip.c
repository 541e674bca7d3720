/*
 * Queries of POST /v1/sip, and its replies as JSON and as text.
 */

#include <stdio.h>
#include <string.h>

#include "doors/http_json.h"
#include "doors/http_sip.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define SIXTY_FOUR							\
	"1234567890123456789012345678901234567890123456789012345678901234"

static char			 text[8192];
static struct http_form		 query;
static struct http_sip_request	 request;

static const char *
parse(const char *in)
{
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(http_form_parse(span_str(in), &wb, &query), 0);
	return http_sip_parse(&query, &request);
}

START_TEST(reads_queries)
{
	ck_assert_ptr_null(parse("realm=A+b&as=registrar&realm=c&"
	    "source=" SIXTY_FOUR));
	ck_assert_int_eq((int)request.role, (int)SIP_REGISTRAR);
	ck_assert_uint_eq(request.realm_count, 2);
	ck_assert(span_equal(request.realms[0], SPAN_LIT("A b")));
	ck_assert(span_equal(request.realms[1], SPAN_LIT("c")));
	ck_assert_uint_eq(request.source.n, 64);
	ck_assert_ptr_null(parse("as=proxy&realm=a"));
	ck_assert_int_eq((int)request.role, (int)SIP_PROXY);
	ck_assert_uint_eq(request.source.n, 0);
	ck_assert_ptr_null(parse("as=proxy&realm=1&realm=2&realm=3&realm=4&"
	    "realm=5&realm=6&realm=7&realm=8"));
	ck_assert_uint_eq(request.realm_count, SIP_REALMS_MAX);
}
END_TEST

static const struct {
	const char	*in, *wrong;
} bad[] = {
	{ "", "as must be" }, { "realm=a", "as must be" },
	{ "as=&realm=a", "as must be" }, { "as=Proxy&realm=a", "as must be" },
	{ "as=proxy", "at least one realm" },
	{ "as=proxy&as=proxy&realm=a", "once" },
	{ "as=proxy&as=registrar&realm=a", "once" },
	{ "as=proxy&realm=a&source=1&source=1", "once" },
	{ "as=proxy&realm=a&realm=A", "twice" },
	{ "as=proxy&realm=", "not one" }, { "as=proxy&realm=a%3ab",
	    "not one" }, { "as=proxy&realm=%22", "not one" },
	{ "as=proxy&realm=a%0d%0ab", "not one" },
	{ "as=proxy&realm=a&x", "the query has" },
	{ "as=proxy&Realm=a", "the query has" },
	{ "as=proxy&realm=a&source=" SIXTY_FOUR "x", "too long" },
	{ "as=proxy&realm=1&realm=2&realm=3&realm=4&realm=5&realm=6&realm=7&"
	    "realm=8&realm=9", "too many" }
};

START_TEST(refuses_queries)
{
	const char *wrong = parse(bad[_i].in);

	ck_assert_ptr_nonnull(wrong);
	ck_assert_msg(strstr(wrong, bad[_i].wrong) != NULL, "%s", wrong);
}
END_TEST

static const struct sip_reply accepted = {
	.verdict = SIP_ACCEPT, .status = 200, .reason = REASON_OK,
	.account = { "alice", "example.com" }, .row = 1,
	.rows = { 3, 1, 0 }, .row_count = 3,
	.authentication_info = { (const uint8_t *)"nextnonce=\"x\"", 13 }
}, challenged = {
	.verdict = SIP_CHALLENGE, .status = 407, .reason = REASON_STALE,
	.row = -1, .challenge_count = 2,
	.challenges = { { (const uint8_t *)"Digest a=\"\xc3\xa9\"", 13 },
	    { (const uint8_t *)"Digest b", 8 } }
}, forbidden = { .verdict = SIP_FORBID, .status = 403, .row = -1,
	.reason = REASON_UNKNOWN_USER
}, broken = { .verdict = SIP_MALFORMED, .status = 400, .row = -1,
	.reason = REASON_MALFORMED
}, away = { .verdict = SIP_UNAVAILABLE, .status = 503, .row = -1,
	.reason = REASON_DB_DOWN };

static const struct {
	const struct sip_reply	*reply;
	const char		*json, *plain;
} replies[] = {
	{ &accepted, "{\"verdict\":\"accept\",\"status\":200,\"reason\":"
	    "\"ok\",\"user\":\"alice@example.com\",\"row\":1,\"rows\":"
	    "[3,1,0],\"challenges\":[],\"authentication_info\":"
	    "\"nextnonce=\\\"x\\\"\"}\n",
	    "200 accept alice@example.com 3,1,0\n" },
	{ &challenged, "{\"verdict\":\"challenge\",\"status\":407,\"reason\":"
	    "\"stale\",\"user\":\"\",\"row\":-1,\"rows\":[],\"challenges\":"
	    "[\"Digest a=\\\"\\u00E9\\\"\",\"Digest b\"],"
	    "\"authentication_info\":\"\"}\n",
	    "407 challenge - -\nDigest a=\"\xc3\xa9\"\nDigest b\n" },
	{ &forbidden, "{\"verdict\":\"forbid\",\"status\":403,\"reason\":"
	    "\"wrong-password\",\"user\":\"\",\"row\":-1,\"rows\":[],"
	    "\"challenges\":[],\"authentication_info\":\"\"}\n",
	    "403 forbid - -\n" },
	{ &broken, "{\"verdict\":\"malformed\",\"status\":400,\"reason\":"
	    "\"malformed\",\"user\":\"\",\"row\":-1,\"rows\":[],"
	    "\"challenges\":[],\"authentication_info\":\"\"}\n",
	    "400 malformed - -\n" },
	{ &away, "{\"verdict\":\"unavailable\",\"status\":503,\"reason\":"
	    "\"db-down\",\"user\":\"\",\"row\":-1,\"rows\":[],"
	    "\"challenges\":[],\"authentication_info\":\"\"}\n",
	    "503 unavailable - -\n" }
};

START_TEST(writes_replies)
{
	char *json, plain[512];
	struct wbuf wb;
	size_t n;

	http_json_setup();
	json = http_json_text(http_sip_json(replies[_i].reply), &n);
	ck_assert_ptr_nonnull(json);
	ck_assert_msg(span_equal(span_mem(json, n),
	    span_str(replies[_i].json)), "%.*s", (int)n, json);
	http_json_free(json);
	wbuf_init(&wb, plain, sizeof(plain));
	http_sip_plain(replies[_i].reply, &wb);
	ck_assert_msg(span_equal(wbuf_written(&wb),
	    span_str(replies[_i].plain)), "%.*s", (int)wb.n, plain);
}
END_TEST

/*
 * What is not UTF-8 is no JSON, and no crash. A phone chooses its cnonce, and
 * must not turn its own right login into an error by it.
 */
START_TEST(not_utf8)
{
	struct sip_reply reply = challenged;
	json_t *json;
	size_t n;

	http_json_setup();
	reply.challenges[1] = SPAN_LIT("Digest \xff");
	ck_assert_ptr_null(http_json_text(http_sip_json(&reply), &n));
	reply = accepted;
	reply.authentication_info = SPAN_LIT("cnonce=\"caf\xe9\"");
	json = http_sip_json(&reply);
	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(json_string_value(json_object_get(json,
	    "authentication_info")), "");
	ck_assert_str_eq(json_string_value(json_object_get(json,
	    "verdict")), "accept");
	json_decref(json);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_sip");
	TCase *tc = tcase_create("http_sip");

	tcase_add_test(tc, reads_queries);
	tcase_add_loop_test(tc, refuses_queries, 0, COUNT(bad));
	tcase_add_loop_test(tc, writes_replies, 0, COUNT(replies));
	tcase_add_test(tc, not_utf8);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
