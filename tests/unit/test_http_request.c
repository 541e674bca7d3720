/*
 * Request targets, forms, header fields and bearer tokens: what is read, and
 * everything that has two readings.
 */

#include <string.h>

#include "core/err.h"
#include "doors/http_request.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define SPAN(s)		{ (const uint8_t *)(s), sizeof(s) - 1 }

static struct http_target	 target;
static struct http_headers	 headers;
static uint8_t			 room[HTTP_TARGET_MAX];

static void
is(struct span got, const char *expected)
{
	ck_assert_msg(span_equal(got, span_str(expected)), "\"%.*s\", not %s",
	    (int)got.n, (const char *)got.p, expected);
}

static int
parse(struct span in)
{
	struct wbuf text;

	/* As much room as the header promises to suffice. */
	wbuf_init(&text, room, in.n < sizeof(room) ? in.n : sizeof(room));
	return http_target_parse(in, &text, &target);
}

static const struct {
	const char	*in, *path, *query;	/* name=value| for each */
} targets[] = {
	{ "/", "/", "" },
	{ "/v1/password", "/v1/password", "" },
	{ "/v1/password?", "/v1/password", "" },
	{ "/v1/account/alice@example.com", "/v1/account/alice@example.com",
	    "" },
	{ "/v1/account/alice%40example.com", "/v1/account/alice@example.com",
	    "" },
	{ "/a+b?a+b=c+d", "/a+b", "a b=c d|" },
	{ "/v1/sip?as=proxy&realm=a&realm=b", "/v1/sip",
	    "as=proxy|realm=a|realm=b|" },
	{ "/?realm=a%20b&%72ealm=c%2Bd", "/", "realm=a b|realm=c+d|" },
	{ "/?a=b=c&d&=e&&", "/", "a=b=c|d=|=e|" },
	{ "/?a=?b", "/", "a=?b|" }, { "/?a=b\r\n", "/", "a=b|" },
	{ "/%2e%2E/x", "/../x", "" },
	{ "/%c3%a9\xc3\xa9", "/\xc3\xa9\xc3\xa9", "" }
};

START_TEST(reads_targets)
{
	const char *in = targets[_i].in;
	char text[256];
	struct wbuf wb;

	ck_assert_int_eq(parse(span_str(in)), 0);
	is(target.path, targets[_i].path);
	wbuf_init(&wb, text, sizeof(text));
	for (size_t i = 0; i < target.query.count; i++) {
		wbuf_span(&wb, target.query.fields[i].name);
		wbuf_u8(&wb, '=');
		wbuf_span(&wb, target.query.fields[i].value);
		wbuf_u8(&wb, '|');
	}
	is(wbuf_written(&wb), targets[_i].query);
}
END_TEST

#define BYTES(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }

static const struct {
	struct span	in;
	int		rc;
} bad_targets[] = {
	{ BYTES(""), -ERR_FORMAT }, { BYTES("v1"), -ERR_FORMAT },
	{ BYTES("*"), -ERR_FORMAT }, { BYTES("http://x/v1"), -ERR_FORMAT },
	{ BYTES("?a=b"), -ERR_FORMAT },
	{ BYTES("/%"), -ERR_FORMAT }, { BYTES("/%4"), -ERR_FORMAT },
	{ BYTES("/%4g"), -ERR_FORMAT }, { BYTES("/%%41"), -ERR_FORMAT },
	{ BYTES("/?a=%"), -ERR_FORMAT }, { BYTES("/?%zz=a"), -ERR_FORMAT },
	{ BYTES("/?a=%4&b=1"), -ERR_FORMAT },
	{ BYTES("/%00"), -ERR_CHARACTER }, { BYTES("/\0"), -ERR_CHARACTER },
	{ BYTES("/?a=%00b"), -ERR_CHARACTER },
	{ BYTES("/\x7f"), -ERR_CHARACTER }, { BYTES("/a\r\nb"),
	    -ERR_CHARACTER }, { BYTES("/?a=\tb"), -ERR_CHARACTER }
};

START_TEST(refuses_targets)
{
	ck_assert_int_eq(parse(bad_targets[_i].in), bad_targets[_i].rc);
}
END_TEST

START_TEST(bounds)
{
	char text[HTTP_TARGET_MAX + 2];
	struct wbuf wb;

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	ck_assert_int_eq(parse(span_mem(text, HTTP_TARGET_MAX)), 0);
	ck_assert_int_eq(parse(span_mem(text, HTTP_TARGET_MAX + 1)),
	    -ERR_TOO_LONG);
	wbuf_init(&wb, text, sizeof(text));
	wbuf_str(&wb, "/?");
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		wbuf_str(&wb, "a&");
	ck_assert_int_eq(parse(wbuf_written(&wb)), 0);
	ck_assert_uint_eq(target.query.count, HTTP_FIELDS_MAX);
	wbuf_str(&wb, "b");
	ck_assert_int_eq(parse(wbuf_written(&wb)), -ERR_TOO_LONG);
	/* No room is an error, never a cut. */
	wbuf_init(&wb, text, 4);
	ck_assert_int_eq(http_target_parse(SPAN_LIT("/abcd"), &wb, &target),
	    -ERR_TOO_LONG);
}
END_TEST

/* A form is decoded where it stands. */
START_TEST(form_in_place)
{
	char text[] = "a%20=%41+b&c=d%26e&%3d=";
	struct http_form *form = &target.query;
	struct span in = span_mem(text, sizeof(text) - 1), value;
	struct wbuf wb;

	wbuf_init(&wb, text, in.n);
	ck_assert_int_eq(http_form_parse(in, &wb, form), 0);
	ck_assert_uint_eq(form->count, 3);
	ck_assert(http_form_get(form, SPAN_LIT("a "), &value));
	is(value, "A b");
	ck_assert(http_form_get(form, SPAN_LIT("c"), &value));
	is(value, "d&e");
	ck_assert(http_form_get(form, SPAN_LIT("="), &value));
	is(value, "");
	ck_assert(http_form_get(form, SPAN_LIT("none"), &value));
	ck_assert_uint_eq(value.n, 0);
}
END_TEST

START_TEST(twice_is_no_value)
{
	struct span value;

	ck_assert_int_eq(parse(SPAN_LIT("/?a=1&b=2&%61=1&b")), 0);
	ck_assert(!http_form_get(&target.query, SPAN_LIT("a"), &value));
	ck_assert(!http_form_get(&target.query, SPAN_LIT("b"), &value));
	/* Names have a case. */
	ck_assert(http_form_get(&target.query, SPAN_LIT("A"), &value));
}
END_TEST

static const struct {
	const char		*word;
	enum http_method	 method;
} methods[] = {
	{ "GET", HTTP_GET }, { "HEAD", HTTP_HEAD }, { "POST", HTTP_POST },
	{ "PUT", HTTP_PUT }, { "DELETE", HTTP_DELETE }, { "", HTTP_OTHER },
	{ "get", HTTP_OTHER }, { "PATCH", HTTP_OTHER },
	{ "POSTS", HTTP_OTHER }, { "POS", HTTP_OTHER }
};

START_TEST(reads_methods)
{
	ck_assert_int_eq((int)http_method_parse(span_str(methods[_i].word)),
	    (int)methods[_i].method);
}
END_TEST

static void
add(const char *name, const char *value)
{
	http_headers_add(&headers, span_str(name), span_str(value));
}

START_TEST(reads_fields)
{
	headers = (struct http_headers){ .chunked = false };
	add("X", "y");
	add("authorization", "Bearer abc");
	add("CONTENT-TYPE", "application/json; charset=utf-8");
	add("Accept", "text/plain");
	add("Accept", "application/json");
	ck_assert(!headers.repeated && !headers.chunked);
	is(headers.authorization, "Bearer abc");
	ck_assert(http_accepts_plain(&headers));
	ck_assert(http_media_type(headers.content_type,
	    SPAN_LIT("application/json")));
	ck_assert(!http_media_type(headers.content_type,
	    SPAN_LIT("application/jso")));
	ck_assert(!headers.malformed);
	add("Transfer-Encoding", "identity");
	ck_assert(headers.chunked);
	add("Content-Type", "application/json; charset=utf-8");
	ck_assert(headers.repeated);
}
END_TEST

static const char *const single[] = {
	"Authorization", "Content-Type", "Content-Length"
};

START_TEST(fields_that_come_once)
{
	headers = (struct http_headers){ .chunked = false };
	add(single[_i], "");
	ck_assert(!headers.repeated);
	add(single[_i], "");
	ck_assert(headers.repeated);
}
END_TEST

static const struct {
	struct span	name, value;
	bool		malformed;
} lines[] = {
	{ SPAN("!#$%&'*+-.^_`|~09AZaz"), SPAN(""), false },
	{ SPAN("X"), SPAN("a\tb \x7f\xff ,;:\"()"), false },
	{ SPAN(""), SPAN("x"), true }, { SPAN(" X"), SPAN(""), true },
	{ SPAN("Content-Length "), SPAN("3"), true },
	{ SPAN("Content-Length\t"), SPAN("3"), true },
	{ SPAN("Content Length"), SPAN("3"), true },
	{ SPAN("X:"), SPAN(""), true }, { SPAN("X\0Y"), SPAN(""), true },
	{ SPAN("X@"), SPAN(""), true }, { SPAN("X("), SPAN(""), true },
	{ SPAN("X\x7f"), SPAN(""), true }, { SPAN("\xc3\xa9"), SPAN(""), true },
	{ SPAN("X"), SPAN("a\0b"), true }, { SPAN("X"), SPAN("\0"), true },
	{ SPAN("X"), SPAN("a\rContent-Length: 3"), true },
	{ SPAN("X"), SPAN("a\nContent-Length: 3"), true }
};

/* What two readers could take for different header fields. */
START_TEST(rfc9110_5)
{
	headers = (struct http_headers){ .chunked = false };
	http_headers_add(&headers, lines[_i].name, lines[_i].value);
	ck_assert(headers.malformed == lines[_i].malformed);
	add("X", "y");
	ck_assert(headers.malformed == lines[_i].malformed);
}
END_TEST

static const struct {
	const char	*value;
	int		 rc;
	size_t		 n;
} lengths[] = {
	{ "0", 0, 0 }, { "1", 0, 1 }, { " 65536 ", 0, 65536 },
	{ "0001", 0, 1 }, { "4294967295", 0, 4294967295 },
	{ "4294967296", -ERR_TOO_LONG, 0 },
	{ "99999999999999999999999999", -ERR_TOO_LONG, 0 },
	{ "", -ERR_FORMAT, 0 }, { "-1", -ERR_FORMAT, 0 },
	{ "+1", -ERR_FORMAT, 0 }, { "1x", -ERR_FORMAT, 0 },
	{ "0x10", -ERR_FORMAT, 0 }, { "1, 1", -ERR_FORMAT, 0 },
	{ "1 1", -ERR_FORMAT, 0 }
};

START_TEST(reads_lengths)
{
	size_t n = 7;

	headers = (struct http_headers){ .chunked = false };
	ck_assert_int_eq(http_headers_length(&headers, &n), 0);
	ck_assert_uint_eq(n, 0);
	add("Content-Length", lengths[_i].value);
	ck_assert_int_eq(http_headers_length(&headers, &n), lengths[_i].rc);
	ck_assert_uint_eq(n, lengths[_i].n);
}
END_TEST

static const struct {
	const char	*value;
	bool		 plain;
} accepts[] = {
	{ "text/plain", true }, { "TEXT/Plain;q=0.5, */*", true },
	{ "text/plain,application/json", true },
	{ "application/json, text/plain", false }, { "*/*", false },
	{ "text/*", false }, { "", false }, { "text/plainer", false }
};

START_TEST(reads_accept)
{
	headers = (struct http_headers){ .chunked = false };
	ck_assert(!http_accepts_plain(&headers));
	add("Accept", accepts[_i].value);
	ck_assert_int_eq(http_accepts_plain(&headers), accepts[_i].plain);
}
END_TEST

static const struct {
	const char	*value, *token;
} bearers[] = {
	{ "Bearer abc", "abc" }, { "bearer abc", "abc" },
	{ "BEARER   abc ", "abc" }, { " Bearer abc", "abc" },
	{ "Bearer a b", "a b" },	/* no token has a blank */
	{ "Bearer", "" }, { "Bearer ", "" }, { "", "" }, { "abc", "" },
	{ "Bearerabc", "" }, { "Bearer\tabc", "" }, { "Digest abc", "" }
};

START_TEST(rfc6750_2_1)
{
	uint8_t any[HTTP_TOKEN_ROOM];

	is(http_token(span_str(bearers[_i].value), any), bearers[_i].token);
}
END_TEST

static const struct {
	const char	*value, *token;
} basics[] = {
	{ "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "open sesame" },
	{ "basic  OmE6Yg==", "a:b" }, { "Basic OmE=", "a" },
	{ "Basic YWJj", "" }, { "Basic YTo=", "" }, { "Basic", "" },
	{ "Basic ", "" }, { "Basic OmE", "" }, { "Basic :a", "" },
	{ "Basic OmE=OmE=", "" }, { "BasicOmE=", "" }
};

START_TEST(rfc7617_2)
{
	uint8_t any[HTTP_TOKEN_ROOM];

	is(http_token(span_str(basics[_i].value), any), basics[_i].token);
}
END_TEST

/* What decodes to more than there is room for is no token. */
START_TEST(rfc7617_bounds)
{
	uint8_t any[HTTP_TOKEN_ROOM];
	char value[1024];
	struct wbuf wb;

	wbuf_init(&wb, value, sizeof(value));
	wbuf_str(&wb, "Basic ");
	for (size_t i = 0; i < HTTP_TOKEN_ROOM / 3; i++)
		wbuf_str(&wb, "Ojo6");
	ck_assert_uint_eq(http_token(wbuf_written(&wb), any).n,
	    HTTP_TOKEN_ROOM / 3 * 3 - 1);
	wbuf_str(&wb, "Ojo6");
	ck_assert_uint_eq(http_token(wbuf_written(&wb), any).n, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_request");
	TCase *tc = tcase_create("http_request");

	tcase_add_loop_test(tc, reads_targets, 0, COUNT(targets));
	tcase_add_loop_test(tc, refuses_targets, 0, COUNT(bad_targets));
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, form_in_place);
	tcase_add_test(tc, twice_is_no_value);
	tcase_add_loop_test(tc, reads_methods, 0, COUNT(methods));
	tcase_add_test(tc, reads_fields);
	tcase_add_loop_test(tc, fields_that_come_once, 0, COUNT(single));
	tcase_add_loop_test(tc, rfc9110_5, 0, COUNT(lines));
	tcase_add_loop_test(tc, reads_lengths, 0, COUNT(lengths));
	tcase_add_loop_test(tc, reads_accept, 0, COUNT(accepts));
	tcase_add_loop_test(tc, rfc6750_2_1, 0, COUNT(bearers));
	tcase_add_loop_test(tc, rfc7617_2, 0, COUNT(basics));
	tcase_add_test(tc, rfc7617_bounds);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
