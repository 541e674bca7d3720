/*
 * Bodies of POST /v1/sasl and its answers.
 */

#include <stdio.h>
#include <string.h>

#include "core/wbuf.h"
#include "doors/http_json.h"
#include "doors/http_sasl.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define FULL								\
	"{\"mechanism\":\"SCRAM-SHA-256-PLUS\",\"domain\":\"example.com\","	\
	"\"data\":\"YQBi\",\"state\":\"c3RhdGU=\",\"cb_type\":"		\
	"\"tls-exporter\",\"cb_data\":\"/wA=\",\"source\":\"192.0.2.7\"}"

static struct http_sasl_request request;

static void
setup(void)
{
	http_json_setup();
	memset(&request, 0xff, sizeof(request));
}

START_TEST(reads_all)
{
	ck_assert_ptr_null(http_sasl_parse(SPAN_LIT(FULL), &request));
	ck_assert_int_eq((int)request.mech,
	    (int)SASL_MECH_SCRAM_SHA_256_PLUS);
	ck_assert(span_equal(request.domain, SPAN_LIT("example.com")));
	ck_assert(span_equal(request.source, SPAN_LIT("192.0.2.7")));
	ck_assert(span_equal(request.cb_type, SPAN_LIT("tls-exporter")));
	ck_assert(request.has_data);
	ck_assert(span_equal(span_mem(request.data, request.data_n),
	    SPAN_LIT("a\0b")));
	ck_assert(span_equal(span_mem(request.state, request.state_n),
	    SPAN_LIT("state")));
	ck_assert(span_equal(span_mem(request.cb_data, request.cb_data_n),
	    SPAN_LIT("\xff\0")));
	http_sasl_clear(&request);
	ck_assert_ptr_null(request.json);
	ck_assert_uint_eq(request.data[0], 0);
}
END_TEST

/* Absent is not empty: RFC 4422 section 3.3. */
START_TEST(tells_absent_from_empty)
{
	ck_assert_ptr_null(http_sasl_parse(SPAN_LIT("{\"mechanism\":"
	    "\"PLAIN\",\"domain\":\"d\"}"), &request));
	ck_assert(!request.has_data);
	ck_assert_uint_eq(request.data_n + request.state_n +
	    request.cb_data_n + request.cb_type.n + request.source.n, 0);
	http_sasl_clear(&request);
	ck_assert_ptr_null(http_sasl_parse(SPAN_LIT("{\"mechanism\":"
	    "\"PLAIN\",\"domain\":\"d\",\"data\":\"\"}"), &request));
	ck_assert(request.has_data);
	ck_assert_uint_eq(request.data_n, 0);
	http_sasl_clear(&request);
}
END_TEST

START_TEST(cut_anywhere)
{
	for (size_t n = 0; n < sizeof(FULL) - 2; n++) {
		ck_assert_ptr_nonnull(http_sasl_parse(span_mem(FULL, n),
		    &request));
		ck_assert_ptr_null(request.json);
		ck_assert_uint_eq(request.data_n, 0);
	}
}
END_TEST

#define HEAD	"{\"mechanism\":\"PLAIN\",\"domain\":\"d\","

static const struct {
	const char	*body, *wrong;
} bad[] = {
	{ "", "one JSON object" }, { "{}", "domain is needed" },
	{ "{\"domain\":\"d\"}", "mechanism is not" },
	{ "{\"mechanism\":\"PLAIN\"}", "domain is needed" },
	{ "{\"mechanism\":\"PLAIN\",\"domain\":\"\"}", "domain is needed" },
	{ "{\"mechanism\":\"plain\",\"domain\":\"d\"}", "mechanism is not" },
	{ "{\"mechanism\":\"SCRAM-MD5\",\"domain\":\"d\"}",
	    "mechanism is not" },
	{ "{\"mechanism\":7,\"domain\":\"d\"}", "not a string" },
	{ HEAD "\"data\":7}", "base64" }, { HEAD "\"data\":null}", "base64" },
	{ HEAD "\"data\":\"YQ\"}", "base64" },
	{ HEAD "\"data\":\"YQ==\\n\"}", "base64" },
	{ HEAD "\"data\":\"YR==\"}", "base64" },
	{ HEAD "\"state\":\"*\"}", "base64" },
	{ HEAD "\"cb_data\":\"=\"}", "base64" },
	{ HEAD "\"password\":\"x\"}", "the keys are" },
	{ HEAD "\"domain\":\"e\"}", "one JSON object" },
	{ HEAD "\"cb_type\":\"123456789012345678901234567890123\"}",
	    "too long" }
};

START_TEST(refuses)
{
	const char *wrong = http_sasl_parse(span_str(bad[_i].body), &request);

	ck_assert_ptr_nonnull(wrong);
	ck_assert_msg(strstr(wrong, bad[_i].wrong) != NULL, "%s", wrong);
	ck_assert_ptr_null(request.json);
	ck_assert_uint_eq(request.domain.n, 0);
}
END_TEST

static const struct {
	const char	*key;
	size_t		 max;		/* octets decoded */
} bounds[] = {
	{ "data", SASL_MESSAGE_MAX }, { "state", SASL_STATE_MAX },
	{ "cb_data", HTTP_SASL_CB_DATA_MAX }
};

/* As much as fits, and 3 octets more. */
START_TEST(bounded)
{
	static char body[SASL_STATE_MAX * 2];
	size_t groups = (bounds[_i].max + 2) / 3;

	for (int more = 0; more < 2; more++) {
		size_t n = (size_t)snprintf(body, sizeof(body), HEAD
		    "\"%s\":\"", bounds[_i].key);

		for (size_t i = 0; i < groups - 1 + (size_t)more * 2; i++)
			n += (size_t)snprintf(body + n, sizeof(body) - n,
			    "AAAA");
		n += (size_t)snprintf(body + n, sizeof(body) - n, "\"}");
		ck_assert_int_eq(http_sasl_parse(span_mem(body, n),
		    &request) == NULL, more == 0);
		http_sasl_clear(&request);
	}
}
END_TEST

static const struct {
	struct sasl_reply	 reply;
	const char		*text;
} answers[] = {
	{ { .status = SASL_CONTINUE, .data = { (const uint8_t *)"r=1", 3 },
	    .state = { (const uint8_t *)"\xff\0", 2 } },
	    "{\"verdict\":\"continue\",\"data\":\"cj0x\","
	    "\"state\":\"/wA=\"}\n" },
	{ { .status = SASL_CONTINUE, .state = { (const uint8_t *)"s", 1 } },
	    "{\"verdict\":\"continue\",\"data\":\"\",\"state\":\"cw==\"}\n" },
	{ { .status = SASL_ALLOW, .reason = REASON_OK,
	    .data = { (const uint8_t *)"v=x", 3 },
	    .account = { "alice", "example.com" } },
	    "{\"verdict\":\"allow\",\"data\":\"dj14\","
	    "\"user\":\"alice@example.com\"}\n" },
	{ { .status = SASL_ALLOW, .account = { "alice", "example.com" } },
	    "{\"verdict\":\"allow\",\"user\":\"alice@example.com\"}\n" },
	/* Nothing of a reply that is not for it gets out. */
	{ { .status = SASL_DENY, .reason = REASON_DISABLED,
	    .data = { (const uint8_t *)"v=x", 3 },
	    .account = { "alice", "example.com" } },
	    "{\"verdict\":\"deny\",\"reason\":\"wrong-password\"}\n" },
	{ { .status = SASL_DENY, .reason = REASON_UNKNOWN_USER },
	    "{\"verdict\":\"deny\",\"reason\":\"wrong-password\"}\n" },
	{ { .status = SASL_DENY, .reason = REASON_NO_VERIFIER },
	    "{\"verdict\":\"deny\",\"reason\":\"wrong-password\"}\n" },
	{ { .status = SASL_DENY, .reason = REASON_IDENTITY },
	    "{\"verdict\":\"deny\",\"reason\":\"identity\"}\n" },
	{ { .status = SASL_UNAVAILABLE, .reason = REASON_DB_DOWN },
	    "{\"verdict\":\"unavailable\",\"reason\":\"db-down\"}\n" }
};

START_TEST(answers_in_json)
{
	size_t n;
	char *text = http_json_text(http_sasl_answer(&answers[_i].reply), &n);

	ck_assert_ptr_nonnull(text);
	ck_assert(span_equal(span_mem(text, n), span_str(answers[_i].text)));
	http_json_free(text);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_sasl");
	TCase *tc = tcase_create("http_sasl");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, reads_all);
	tcase_add_test(tc, tells_absent_from_empty);
	tcase_add_test(tc, cut_anywhere);
	tcase_add_loop_test(tc, refuses, 0, COUNT(bad));
	tcase_add_loop_test(tc, bounded, 0, COUNT(bounds));
	tcase_add_loop_test(tc, answers_in_json, 0, COUNT(answers));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
