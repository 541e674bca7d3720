/*
 * Payloads of ejabberd's external authentication protocol (XMPP.md 1.1).
 */

#include <string.h>

#include "core/err.h"
#include "doors/extauth_frame.h"
#include "unit.h"

#define TEXT(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }
#define NONE	{ NULL, 0 }

static const struct {
	struct span		in;
	int			err;
	enum extauth_command	command;
	struct span		user, host, secret;
} frames[] = {
	{ TEXT("auth:alice:example.com:secret"), 0, EXTAUTH_AUTH,
	    TEXT("alice"), TEXT("example.com"), TEXT("secret") },
	/* Only the last field may contain ':'. */
	{ TEXT("auth:alice:example.com:se:cr:et"), 0, EXTAUTH_AUTH,
	    TEXT("alice"), TEXT("example.com"), TEXT("se:cr:et") },
	{ TEXT("auth:alice:example.com::"), 0, EXTAUTH_AUTH,
	    TEXT("alice"), TEXT("example.com"), TEXT(":") },
	{ TEXT("auth:alice:example.com:"), 0, EXTAUTH_AUTH,
	    TEXT("alice"), TEXT("example.com"), NONE },
	{ TEXT("auth:::"), 0, EXTAUTH_AUTH, NONE, NONE, NONE },
	{ TEXT("auth:a\0b:h:p\0\xff\n"), 0, EXTAUTH_AUTH,
	    TEXT("a\0b"), TEXT("h"), TEXT("p\0\xff\n") },
	{ TEXT("isuser:alice:example.com"), 0, EXTAUTH_ISUSER,
	    TEXT("alice"), TEXT("example.com"), NONE },
	{ TEXT("isuser::"), 0, EXTAUTH_ISUSER, NONE, NONE, NONE },
	{ TEXT("setpass:u:h:p"), 0, EXTAUTH_SETPASS,
	    TEXT("u"), TEXT("h"), TEXT("p") },
	{ TEXT("tryregister:u:h:p"), 0, EXTAUTH_TRYREGISTER,
	    TEXT("u"), TEXT("h"), TEXT("p") },
	{ TEXT("removeuser:u:h"), 0, EXTAUTH_REMOVEUSER,
	    TEXT("u"), TEXT("h"), NONE },
	{ TEXT("removeuser3:u:h:p"), 0, EXTAUTH_REMOVEUSER3,
	    TEXT("u"), TEXT("h"), TEXT("p") },
	{ TEXT("certauth:u:h:MII="), 0, EXTAUTH_CERTAUTH,
	    TEXT("u"), TEXT("h"), TEXT("MII=") },

	{ TEXT(""), ERR_FORMAT, EXTAUTH_NONE, NONE, NONE, NONE },
	{ TEXT("auth"), ERR_FORMAT, EXTAUTH_NONE, NONE, NONE, NONE },
	{ TEXT("auth:"), ERR_FORMAT, EXTAUTH_NONE, NONE, NONE, NONE },
	{ TEXT("auth:alice"), ERR_FORMAT, EXTAUTH_NONE, NONE, NONE, NONE },
	{ TEXT("auth:alice:example.com"), ERR_FORMAT, EXTAUTH_NONE, NONE,
	    NONE, NONE },
	{ TEXT("isuser:alice"), ERR_FORMAT, EXTAUTH_NONE, NONE, NONE, NONE },
	{ TEXT("isuser:alice:example.com:x"), ERR_FORMAT, EXTAUTH_NONE, NONE,
	    NONE, NONE },
	{ TEXT("isuser:alice:example.com:"), ERR_FORMAT, EXTAUTH_NONE, NONE,
	    NONE, NONE },
	{ TEXT("removeuser:u:h:p"), ERR_FORMAT, EXTAUTH_NONE, NONE, NONE,
	    NONE },
	{ TEXT("AUTH:u:h:p"), ERR_UNSUPPORTED, EXTAUTH_NONE, NONE, NONE,
	    NONE },
	{ TEXT("auth :u:h:p"), ERR_UNSUPPORTED, EXTAUTH_NONE, NONE, NONE,
	    NONE },
	{ TEXT(":u:h:p"), ERR_UNSUPPORTED, EXTAUTH_NONE, NONE, NONE, NONE },
	{ TEXT("unknown:u:h:p"), ERR_UNSUPPORTED, EXTAUTH_NONE, NONE, NONE,
	    NONE },
	{ TEXT("auth\0:u:h:p"), ERR_UNSUPPORTED, EXTAUTH_NONE, NONE, NONE,
	    NONE },
	{ TEXT("isuser3:u:h"), ERR_UNSUPPORTED, EXTAUTH_NONE, NONE, NONE,
	    NONE }
};

START_TEST(xmpp_1_1)
{
	struct extauth_frame f;

	memset(&f, 0xff, sizeof(f));
	ck_assert_int_eq(extauth_frame_parse(frames[_i].in, &f),
	    -frames[_i].err);
	ck_assert_int_eq((int)f.command, (int)frames[_i].command);
	ck_assert(span_equal(f.user, frames[_i].user));
	ck_assert(span_equal(f.host, frames[_i].host));
	ck_assert(span_equal(f.secret, frames[_i].secret));
}
END_TEST

START_TEST(largest_payload)
{
	static uint8_t in[EXTAUTH_PAYLOAD_MAX];
	struct extauth_frame f;

	memset(in, ':', sizeof(in));
	memcpy(in, "auth:u:h:", 9);
	ck_assert_int_eq(extauth_frame_parse(span_mem(in, sizeof(in)), &f),
	    0);
	ck_assert_uint_eq(f.secret.n, sizeof(in) - 9);
	memset(in, 'x', sizeof(in));
	ck_assert_int_eq(extauth_frame_parse(span_mem(in, sizeof(in)), &f),
	    -ERR_FORMAT);
}
END_TEST

START_TEST(truncated)
{
	static const char in[] = "auth:alice:example.com:secret";
	struct extauth_frame f;

	/* Whole at its third colon, and from there on. */
	for (size_t n = 0; n < sizeof(in); n++)
		ck_assert_int_eq(extauth_frame_parse(span_mem(in, n), &f),
		    n < sizeof("auth:alice:example.com:") - 1 ? -ERR_FORMAT :
		    0);
}
END_TEST

START_TEST(words)
{
	ck_assert_str_eq(extauth_command_str(EXTAUTH_SETPASS), "setpass");
	ck_assert_str_eq(extauth_command_str(EXTAUTH_NONE), "unknown");
	ck_assert_str_eq(extauth_command_str((enum extauth_command)99),
	    "unknown");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("extauth_frame");
	TCase *tc = tcase_create("extauth_frame");

	tcase_add_loop_test(tc, xmpp_1_1, 0,
	    sizeof(frames) / sizeof(frames[0]));
	tcase_add_test(tc, largest_payload);
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
