/*
 * Requests of Cyrus SASL's saslauthd protocol (CYRUS.md 3.2, STANDARDS 7.2).
 */

#include <string.h>

#include "core/err.h"
#include "doors/saslauthd_request.h"
#include "unit.h"

#define TEXT(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }
#define NONE	{ NULL, 0 }
#define FOUR	"\0\5alice\0\12wonderland\0\4xmpp\0\13example.com"
#define FIFTH	"\0\16" "192.0.2.1;5222"

static const struct {
	struct span	in;
	int		rc;
	struct span	login, password, service, realm, client;
} requests[] = {
	{ TEXT(FOUR), 1, TEXT("alice"), TEXT("wonderland"), TEXT("xmpp"),
	    TEXT("example.com"), NONE },
	{ TEXT(FOUR FIFTH), 1, TEXT("alice"), TEXT("wonderland"),
	    TEXT("xmpp"), TEXT("example.com"), TEXT("192.0.2.1;5222") },
	{ TEXT("\0\5alice\0\6pencil\0\4xmpp\0\13example.com"), 1,
	    TEXT("alice"), TEXT("pencil"), TEXT("xmpp"),
	    TEXT("example.com"), NONE },
	/* A fifth that is half there, too long, empty, or not the last. */
	{ TEXT(FOUR "\0"), 1, TEXT("alice"), TEXT("wonderland"),
	    TEXT("xmpp"), TEXT("example.com"), NONE },
	{ TEXT(FOUR "\0\16" "192.0.2.1;522"), 1, TEXT("alice"),
	    TEXT("wonderland"), TEXT("xmpp"), TEXT("example.com"), NONE },
	{ TEXT(FOUR "\xff\xff" "192.0.2.1"), 1, TEXT("alice"),
	    TEXT("wonderland"), TEXT("xmpp"), TEXT("example.com"), NONE },
	{ TEXT(FOUR "\0\0"), 1, TEXT("alice"), TEXT("wonderland"),
	    TEXT("xmpp"), TEXT("example.com"), NONE },
	{ TEXT(FOUR FIFTH "\0\5sixth"), 1, TEXT("alice"),
	    TEXT("wonderland"), TEXT("xmpp"), TEXT("example.com"),
	    TEXT("192.0.2.1;5222") },
	/* Nothing is judged here. */
	{ TEXT("\0\0\0\0\0\0\0\0"), 1, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\0\0\0\1p\0\0\0\0"), 1, NONE, TEXT("p"), NONE, NONE, NONE },
	{ TEXT("\0\3a\0b\0\3p\0\xff\0\1\n\0\2\0\0"), 1, TEXT("a\0b"),
	    TEXT("p\0\xff"), TEXT("\n"), TEXT("\0\0"), NONE },

	{ TEXT(""), 0, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\0"), 0, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\0\5alic"), 0, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\1\0"), 0, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\0\1a\x1f\xf8"), 0, NONE, NONE, NONE, NONE, NONE },

	/* Too long as soon as the count says so. */
	{ TEXT("\1\1"), -ERR_TOO_LONG, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\xff\xff"), -ERR_TOO_LONG, NONE, NONE, NONE, NONE, NONE },
	{ TEXT("\0\1a\x1f\xf9"), -ERR_TOO_LONG, NONE, NONE, NONE, NONE,
	    NONE },
	{ TEXT("\0\1a\0\1p\1\1"), -ERR_TOO_LONG, NONE, NONE, NONE, NONE,
	    NONE },
	{ TEXT("\0\1a\0\1p\0\0\1\1"), -ERR_TOO_LONG, NONE, NONE, NONE, NONE,
	    NONE },
	/* What an HTTP client would send. */
	{ TEXT("GET / HTTP/1.1\r\n"), -ERR_TOO_LONG, NONE, NONE, NONE, NONE,
	    NONE }
};

START_TEST(cyrus_3_2)
{
	struct saslauthd_request r;

	memset(&r, 0xff, sizeof(r));
	ck_assert_int_eq(saslauthd_request_parse(requests[_i].in, &r),
	    requests[_i].rc);
	ck_assert(span_equal(r.login, requests[_i].login));
	ck_assert(span_equal(r.password, requests[_i].password));
	ck_assert(span_equal(r.service, requests[_i].service));
	ck_assert(span_equal(r.realm, requests[_i].realm));
	ck_assert(span_equal(r.client, requests[_i].client));
}
END_TEST

START_TEST(standards_7_2_truncated)
{
	static const char in[] = FOUR FIFTH;
	const size_t whole = sizeof(FOUR) - 1;
	struct saslauthd_request r;

	for (size_t n = 0; n < sizeof(in); n++) {
		ck_assert_int_eq(saslauthd_request_parse(span_mem(in, n),
		    &r), n >= whole);
		ck_assert_uint_eq(r.realm.n, n >= whole ? 11 : 0);
		ck_assert_uint_eq(r.client.n, n >= sizeof(in) - 1 ? 14 : 0);
	}
}
END_TEST

/* Writes a counted string of n times c; its octets. */
static size_t
put(uint8_t *at, size_t n, char c)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
	memset(at + 2, c, n);
	return n + 2;
}

/* libsasl sends at most 8162 octets in strings, wherever they stand. */
START_TEST(cyrus_3_2_longest)
{
	static uint8_t in[SASLAUTHD_REQUEST_MAX + 1];
	struct saslauthd_request r;
	size_t n;

	n = put(in, 256, 'l');
	n += put(in + n, 8162 - 3 * 256, 'p');
	n += put(in + n, 256, 's');
	n += put(in + n, 256, 'r');
	n += put(in + n, 0, 'c');
	ck_assert_uint_eq(n, 8172);
	ck_assert_int_eq(saslauthd_request_parse(span_mem(in, n), &r), 1);
	ck_assert_uint_eq(r.login.n, 256);
	ck_assert_uint_eq(r.password.n, 8162 - 3 * 256);
	ck_assert_uint_eq(r.service.n, 256);
	ck_assert_uint_eq(r.realm.n, 256);

	n = put(in, 5, 'l');
	n += put(in + n, 8140, 'p');
	n += put(in + n, 4, 's');
	n += put(in + n, 11, 'r');
	ck_assert_int_eq(saslauthd_request_parse(span_mem(in, n), &r), 1);
	ck_assert_uint_eq(r.password.n, 8140);
}
END_TEST

/* One octet over the request's bound: too long, and never a request. */
START_TEST(oversized)
{
	static uint8_t in[SASLAUTHD_REQUEST_MAX + 1];
	struct saslauthd_request r;
	size_t n;

	n = put(in, 1, 'l');
	n += put(in + n, SASLAUTHD_REQUEST_MAX - 9 + (size_t)_i, 'p');
	n += put(in + n, 0, 's');
	ck_assert_int_eq(saslauthd_request_parse(span_mem(in, n), &r), 0);
	n += put(in + n, 0, 'r');
	ck_assert_int_eq(saslauthd_request_parse(span_mem(in, n), &r),
	    _i == 0 ? 1 : -ERR_TOO_LONG);
	ck_assert_uint_eq(r.login.n, _i == 0 ? 1 : 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("saslauthd_request");
	TCase *tc = tcase_create("saslauthd_request");

	tcase_add_loop_test(tc, cyrus_3_2, 0,
	    sizeof(requests) / sizeof(requests[0]));
	tcase_add_test(tc, standards_7_2_truncated);
	tcase_add_test(tc, cyrus_3_2_longest);
	tcase_add_loop_test(tc, oversized, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
