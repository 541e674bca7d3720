/*
 * JSON of the HTTP door: one object, each key once, flat; text on one line.
 * And the bodies of POST /v1/password.
 */

#include <string.h>

#include "core/err.h"
#include "doors/http_answer.h"
#include "doors/http_json.h"
#include "doors/http_password.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define BYTES(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }

static void
setup(void)
{
	http_json_setup();
	http_json_setup();
}

static const struct span refused[] = {
	BYTES(""), BYTES(" "), BYTES("{"), BYTES("}"), BYTES("[]"),
	BYTES("null"), BYTES("\"x\""), BYTES("1"), BYTES("{}x"),
	BYTES("{}{}"), BYTES("{\"a\":1,\"a\":1}"), BYTES("{'a':1}"),
	BYTES("{\"a\":\"\\u0000\"}"), BYTES("{\"a\":\"\0\"}"),
	BYTES("{\"a\":\"\xff\"}"), BYTES("{\"a\":\"\xc0\x80\"}"),
	BYTES("{\"a\":\"\\ud800\"}"), BYTES("{\"a\":1,}"),
	BYTES("{}\0"), BYTES("\xef\xbb\xbf{}"), BYTES("{\"a\":\"x\n\"}"),
	BYTES("{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}"),
	BYTES("{\"a\":[[[[]]]]}"), BYTES("{\"a\":\"\\\"}")
};

START_TEST(refuses)
{
	ck_assert_ptr_null(http_json_parse(refused[_i]));
}
END_TEST

static const struct span taken[] = {
	BYTES("{}"), BYTES(" {\r\n\t} "), BYTES("{\"a\":\"{[{[{[\\\"{[{[\"}"),
	BYTES("{\"a\":{\"a\":{\"a\":{}}}}"), BYTES("{\"a\":[],\"b\":[[],[]]}")
};

START_TEST(takes)
{
	json_t *json = http_json_parse(taken[_i]);

	ck_assert_ptr_nonnull(json);
	json_decref(json);
}
END_TEST

START_TEST(deep)
{
	char text[8192];

	memset(text, '[', sizeof(text));
	ck_assert_ptr_null(http_json_parse(span_mem(text, sizeof(text))));
	memset(text, '{', sizeof(text));
	ck_assert_ptr_null(http_json_parse(span_mem(text, sizeof(text))));
}
END_TEST

START_TEST(strings)
{
	json_t *json = http_json_parse(SPAN_LIT(
	    "{\"a\":\"bcd\",\"n\":1,\"e\":\"\"}"));
	struct span s;

	ck_assert_int_eq(http_json_string(json, "a", 3, &s), 0);
	ck_assert(span_equal(s, SPAN_LIT("bcd")));
	ck_assert_int_eq(http_json_string(json, "a", 2, &s), -ERR_TOO_LONG);
	ck_assert_int_eq(http_json_string(json, "n", 9, &s), -ERR_FORMAT);
	ck_assert_int_eq(http_json_string(json, "x", 9, &s), 0);
	ck_assert_ptr_null(s.p);
	ck_assert_int_eq(http_json_string(json, "e", 0, &s), 0);
	ck_assert_ptr_nonnull(s.p);
	json_decref(json);
}
END_TEST

START_TEST(one_line)
{
	struct http_answer answer = { 0 };

	http_answer_json(&answer, 200, json_pack("{s:s,s:[i,i]}", "b",
	    "\n\"\xc3\xa9", "a", 2, 1));
	ck_assert_uint_eq(answer.status, 200);
	ck_assert(span_equal(span_mem(answer.text, answer.n), SPAN_LIT(
	    "{\"b\":\"\\n\\\"\\u00E9\",\"a\":[2,1]}\n")));
	http_answer_json(&answer, 200, NULL);
	ck_assert_uint_eq(answer.status, 500);
	ck_assert_uint_eq(answer.n, 0);
	http_answer_error(&answer, 404, "no");
	ck_assert(span_equal(span_mem(answer.text, answer.n), SPAN_LIT(
	    "{\"error\":\"no\"}\n")));
	http_answer_clear(&answer);
	ck_assert_uint_eq(answer.status, 0);
}
END_TEST

START_TEST(counters)
{
	struct http_counts counts = { .refused = 3 };
	char text[HTTP_METRICS_MAX + 1];
	struct wbuf wb;

	for (unsigned int i = 0; i < 100; i++)
		http_counts_add(&counts, 200 + i % 50);
	wbuf_init(&wb, text, HTTP_METRICS_MAX);
	http_counts_write(&counts, &wb);
	ck_assert(!wb.failed);
	text[wb.n] = '\0';
	ck_assert_ptr_nonnull(strstr(text,
	    "\nonecred_http_answers_total{status=\"200\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nonecred_http_refused_tokens_total 3\n"));
}
END_TEST

START_TEST(allow)
{
	char text[64];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	http_answer_allow(2 | 8 | 16, &wb);
	ck_assert(span_equal(wbuf_written(&wb),
	    SPAN_LIT("HEAD, PUT, DELETE")));
	wbuf_init(&wb, text, sizeof(text));
	http_answer_allow(~0u, &wb);
	ck_assert(span_equal(wbuf_written(&wb),
	    SPAN_LIT("GET, HEAD, POST, PUT, DELETE")));
}
END_TEST

static const struct {
	const char	*body;
	const char	*wrong;		/* part of the sentence; NULL: fine */
} passwords[] = {
	{ "{\"user\":\"a@b\",\"password\":\"x\"}", NULL },
	{ "{\"password\":\"\",\"user\":\"a\"}", NULL },
	{ "{\"user\":\"a\",\"password\":\"x\",\"service\":\"s\","
	    "\"source\":\"1\"}", NULL },
	{ "{}", "are needed" },
	{ "{\"user\":\"a\"}", "are needed" },
	{ "{\"password\":\"a\"}", "are needed" },
	{ "{\"user\":\"\",\"password\":\"x\"}", "are needed" },
	{ "{\"user\":1,\"password\":\"x\"}", "not a string" },
	{ "{\"user\":\"a\",\"password\":null}", "not a string" },
	{ "{\"user\":\"a\",\"password\":\"x\",\"service\":[]}",
	    "not a string" },
	{ "{\"user\":\"a\",\"password\":\"x\",\"User\":\"a\"}",
	    "the keys are" },
	{ "{\"user\":\"a\",\"user\":\"a\",\"password\":\"x\"}", "each key" },
	{ "[\"user\"]", "one JSON object" },
	{ "", "one JSON object" }
};

START_TEST(password_bodies)
{
	struct http_password_request request;
	const char *wrong = http_password_parse(
	    span_str(passwords[_i].body), &request);

	if (passwords[_i].wrong == NULL) {
		ck_assert_ptr_null(wrong);
		ck_assert_uint_gt(request.user.n, 0);
		ck_assert_ptr_nonnull(request.password.p);
	} else {
		ck_assert_ptr_nonnull(wrong);
		ck_assert_msg(strstr(wrong, passwords[_i].wrong) != NULL,
		    "%s", wrong);
		ck_assert_ptr_null(request.json);
		ck_assert_ptr_null(request.password.p);
	}
	http_password_clear(&request);
	http_password_clear(&request);
}
END_TEST

START_TEST(password_bounds)
{
	static const struct {
		const char	*key;
		size_t		 max;
	} fields[] = {
		{ "user", HTTP_USER_MAX }, { "password", HTTP_PASSWORD_MAX },
		{ "service", HTTP_SERVICE_MAX },
		{ "source", HTTP_SOURCE_FIELD_MAX }
	};
	struct http_password_request request;
	char value[8192];
	size_t n;

	memset(value, 'a', sizeof(value));
	for (int over = 0; over < 2; over++) {
		json_t *json = json_pack("{s:s,s:s}", "user", "a",
		    "password", "x");
		char *text;

		(void)json_object_set_new(json, fields[_i].key,
		    json_stringn(value, fields[_i].max + (size_t)over));
		text = http_json_text(json, &n);
		ck_assert_int_eq(http_password_parse(span_mem(text, n),
		    &request) == NULL, !over);
		http_password_clear(&request);
		http_json_free(text);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_json");
	TCase *tc = tcase_create("http_json");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, refuses, 0, COUNT(refused));
	tcase_add_loop_test(tc, takes, 0, COUNT(taken));
	tcase_add_test(tc, deep);
	tcase_add_test(tc, strings);
	tcase_add_test(tc, one_line);
	tcase_add_test(tc, counters);
	tcase_add_test(tc, allow);
	tcase_add_loop_test(tc, password_bodies, 0, COUNT(passwords));
	tcase_add_loop_test(tc, password_bounds, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
