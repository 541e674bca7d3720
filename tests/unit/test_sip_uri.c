/*
 * sip: and sips: URIs: RFC 3261 19.1.1, the odd ones of RFC 4475, and what is
 * no SIP URI.
 */

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/sip_message.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *uri, *user, *host;
} good[] = {
	{ "sip:alice@example.com", "alice", "example.com" },
	{ "SIPS:alice@EXAMPLE.com", "alice", "EXAMPLE.com" },
	{ "sip:alice:secret@example.com", "alice", "example.com" },
	{ "sip:alice@example.com:5060;transport=tcp?subject=x", "alice",
	    "example.com" },
	{ "sip:alice@example.com?subject=x:y", "alice", "example.com" },
	{ "sip:example.com", "", "example.com" },
	{ "sip:example.com:5060", "", "example.com" },
	{ "sip:example.com;lr", "", "example.com" },
	{ "sip:+1-212-555-1212:1234@gateway.com;user=phone", "+1-212-555-1212",
	    "gateway.com" },
	{ "sip:alice@192.0.2.4", "alice", "192.0.2.4" },
	{ "sip:alice@[2001:db8::9:1]:5060", "alice", "[2001:db8::9:1]" },
	{ "sip:alice;day=tuesday@atlanta.com", "alice;day=tuesday",
	    "atlanta.com" },
	{ "sip:\303\244@example.com", "\303\244", "example.com" },
	/* RFC 4475 3.1.1.2 to 3.1.1.4, 3.1.1.9 */
	{ "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,"
	    "weird!*pas$wo~d_too.(doesn't-it)@example.com",
	    "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
	    "example.com" },
	{ "sip:sips%3Auser%40example.com@example.net",
	    "sips%3Auser%40example.com", "example.net" },
	{ "sip:null-%00-null@example.com", "null-%00-null", "example.com" },
	{ "sip:user;par=u%40example.net@example.com",
	    "user;par=u%40example.net", "example.com" }
};

START_TEST(rfc3261_19_1_1)
{
	struct span user, host;

	ck_assert_msg(sip_uri_parse(span_str(good[_i].uri), &user, &host) == 0,
	    "%s", good[_i].uri);
	ck_assert_msg(span_equal(user, span_str(good[_i].user)), "%s",
	    good[_i].uri);
	ck_assert_msg(span_equal(host, span_str(good[_i].host)), "%s",
	    good[_i].uri);
}
END_TEST

/* Prefixes: never beyond the end, and views inside. */
START_TEST(truncated)
{
	size_t size = strlen(good[_i].uri);
	struct span user, host;

	for (size_t n = 0; n < size; n++) {
		uint8_t *copy = malloc(n == 0 ? 1 : n);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, good[_i].uri, n);
		if (sip_uri_parse(span_mem(copy, n), &user, &host) == 0) {
			ck_assert_uint_gt(host.n, 0);
			ck_assert(host.p > copy && host.p + host.n <=
			    copy + n);
		} else
			ck_assert(user.n == 0 && host.n == 0);
		free(copy);
	}
}
END_TEST

#define BYTES(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }

static const struct {
	struct span uri;
	int rc;
} bad[] = {
	{ BYTES("tel:+1-201-555-0123"), -ERR_UNSUPPORTED },
	{ BYTES("http://example.com"), -ERR_UNSUPPORTED },
	{ BYTES("isbn:2983792873"), -ERR_UNSUPPORTED },
	{ BYTES("sipx:alice@example.com"), -ERR_UNSUPPORTED },
	{ BYTES(" sip:alice@example.com"), -ERR_UNSUPPORTED },
	{ BYTES(""), -ERR_FORMAT }, { BYTES("sip"), -ERR_FORMAT },
	{ BYTES("alice@example.com"), -ERR_FORMAT },
	{ BYTES(":alice@example.com"), -ERR_FORMAT },
	{ BYTES("sip:"), -ERR_FORMAT }, { BYTES("sip:alice@"), -ERR_FORMAT },
	{ BYTES("sip:@example.com"), -ERR_FORMAT },
	{ BYTES("sip::x@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@evil@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com;x=@evil"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com?x=@evil"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com/x"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com:"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com:x"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com:5060x"), -ERR_FORMAT },
	{ BYTES("sip:alice@ex%61mple.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@ex\303\244mple.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@[::1"), -ERR_FORMAT },
	{ BYTES("sip:alice@[]"), -ERR_FORMAT },
	{ BYTES("sip:alice@[::1]x"), -ERR_FORMAT },
	{ BYTES("sip:alice@[example.com]"), -ERR_FORMAT },
	{ BYTES("sip:al ice@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com "), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com;\r\n x"), -ERR_FORMAT },
	{ BYTES("sip:alice\0@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com\0"), -ERR_FORMAT },
	{ BYTES("sip:alice\177@example.com"), -ERR_FORMAT },
	{ BYTES("sip:a<b@example.com"), -ERR_FORMAT },
	{ BYTES("sip:a>b@example.com"), -ERR_FORMAT },
	{ BYTES("sip:\"a\"@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice%@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice%4@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice%4g@example.com"), -ERR_FORMAT },
	{ BYTES("sip:alice@example.com;x=%4"), -ERR_FORMAT }
};

START_TEST(refused)
{
	struct span user = SPAN_LIT("x"), host = SPAN_LIT("y");

	ck_assert_msg(sip_uri_parse(bad[_i].uri, &user, &host) == bad[_i].rc,
	    "%.*s", (int)bad[_i].uri.n, (const char *)bad[_i].uri.p);
	ck_assert(user.n == 0 && host.n == 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("sip_uri");
	TCase *tc = tcase_create("sip_uri");

	tcase_add_loop_test(tc, rfc3261_19_1_1, 0, COUNT(good));
	tcase_add_loop_test(tc, truncated, 0, COUNT(good));
	tcase_add_loop_test(tc, refused, 0, COUNT(bad));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
