/*
 * FreeSWITCH's directory lookups: which are logins, and documents that cannot
 * be broken out of.
 */

#include <string.h>

#include "core/err.h"
#include "doors/http_freeswitch.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

#define DIRECTORY							\
	"hostname=fs&section=directory&tag_name=domain&key_name=name&"	\
	"key_value=example.com&Event-Name=REQUEST_PARAMS&"
#define AUTH								\
	"sip_auth_realm=example.com&sip_auth_nonce=n&"			\
	"sip_auth_uri=sip%3Aexample.com&sip_auth_qop=auth&"		\
	"sip_auth_cnonce=c&sip_auth_nc=00000001&sip_auth_response=r&"	\
	"sip_auth_method=REGISTER&"
#define NAME	"sip_auth_username=alice&user=alice&"
#define LOGIN	DIRECTORY "action=sip_auth&" NAME AUTH

static char				 text[4096];
static struct http_form			 form;
static struct freeswitch_request	 request;

static int
parse(const char *body)
{
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(http_form_parse(span_str(body), &wb, &form), 0);
	return freeswitch_parse(&form, &request);
}

static void
is(struct span got, const char *expected)
{
	ck_assert_msg(span_equal(got, span_str(expected)), "\"%.*s\", not %s",
	    (int)got.n, (const char *)got.p, expected);
}

START_TEST(login)
{
	ck_assert_int_eq(parse(LOGIN "domain=pbx&ip=192.0.2.1"), 0);
	ck_assert(request.sip_auth);
	is(request.user, "alice");
	is(request.domain, "pbx");
	is(request.source, "192.0.2.1");
	is(request.digest.username, "alice");
	is(request.digest.realm, "example.com");
	is(request.digest.nonce, "n");
	is(request.digest.uri, "sip:example.com");
	is(request.digest.qop, "auth");
	is(request.digest.nc, "00000001");
	is(request.digest.cnonce, "c");
	is(request.digest.response, "r");
	is(request.digest.method, "REGISTER");
	/* The length of the response tells. */
	ck_assert_int_eq((int)request.digest.alg, (int)DIGEST_NONE);
	ck_assert_int_eq(parse(LOGIN), 0);
	is(request.domain, "example.com");
}
END_TEST

/* Lookups that are no logins: for these there is no user. */
static const char *const others[] = {
	"", "section=directory", "section=dialplan&action=sip_auth&" NAME AUTH,
	"section=configuration&key_value=sofia.conf",
	DIRECTORY NAME AUTH, DIRECTORY "action=user_call&" NAME AUTH,
	DIRECTORY "action=reverse-auth-lookup&" NAME AUTH,
	DIRECTORY "action=SIP_AUTH&" NAME AUTH,
	DIRECTORY "purpose=gateways&profile=internal"
};

START_TEST(no_logins)
{
	ck_assert_int_eq(parse(others[_i]), 0);
	ck_assert(!request.sip_auth);
}
END_TEST

static const char *const bad[] = {
	LOGIN "user=bob", LOGIN "sip_auth_username=bob", LOGIN "section=x",
	LOGIN "sip_auth_response=x", LOGIN "sip_auth_realm=x",
	LOGIN "action=sip_auth", LOGIN "key_value=x", LOGIN "ip=a&ip=a",
	LOGIN "domain=a&domain=b", LOGIN "sip_auth_nonce",
	DIRECTORY "action=sip_auth&" NAME,
	DIRECTORY "action=sip_auth&" AUTH,
	DIRECTORY "action=sip_auth&user=alice&" AUTH,
	DIRECTORY "action=sip_auth&sip_auth_username=alice&" AUTH,
	"section=directory&action=sip_auth&" NAME AUTH,
	"section=directory&tag_name=user&domain=a&action=sip_auth&" NAME AUTH
};

START_TEST(refused)
{
	ck_assert_int_eq(parse(bad[_i]), -ERR_FORMAT);
	ck_assert(!request.sip_auth);
}
END_TEST

START_TEST(documents)
{
	char out[FREESWITCH_ANSWER_MAX + 1];
	struct wbuf wb;

	wbuf_init(&wb, out, FREESWITCH_ANSWER_MAX);
	freeswitch_write_user(SPAN_LIT("a\"><user id='x'/>&"),
	    SPAN_LIT("d&<>"), SPAN_LIT("0123"), &wb);
	ck_assert(!wb.failed);
	out[wb.n] = '\0';
	ck_assert_ptr_nonnull(strstr(out, "<user id=\"a&quot;&gt;&lt;user "
	    "id=&apos;x&apos;/&gt;&amp;\">"));
	ck_assert_ptr_nonnull(strstr(out, "<domain name=\"d&amp;&lt;&gt;\">"));
	ck_assert_ptr_nonnull(strstr(out,
	    "<param name=\"a1-hash\" value=\"0123\"/>"));
	ck_assert_ptr_null(strstr((const char *)freeswitch_not_found().p,
	    "<user"));
}
END_TEST

/* FreeSWITCH lets anybody in as a user without a hash. */
START_TEST(never_without_a_hash)
{
	char out[FREESWITCH_ANSWER_MAX];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	freeswitch_write_user(SPAN_LIT("a"), SPAN_LIT("d"), SPAN_EMPTY, &wb);
	ck_assert(wb.failed);
	wbuf_init(&wb, out, 64);
	freeswitch_write_user(SPAN_LIT("a"), SPAN_LIT("d"), SPAN_LIT("0"),
	    &wb);
	ck_assert(wb.failed);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_freeswitch");
	TCase *tc = tcase_create("http_freeswitch");

	tcase_add_test(tc, login);
	tcase_add_loop_test(tc, no_logins, 0, COUNT(others));
	tcase_add_loop_test(tc, refused, 0, COUNT(bad));
	tcase_add_test(tc, documents);
	tcase_add_test(tc, never_without_a_hash);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
