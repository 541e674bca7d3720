/*
 * client-first-message, RFC 5802 section 7: every downgrade, duplicate,
 * extension and escape that must not pass, and where its lengths end.
 */

#include <string.h>

#include "core/err.h"
#include "core/scram_server.h"
#include "scram_exchanges.h"
#include "unit.h"

/* A first message cut anywhere is refused or is another, valid message. */
START_TEST(first_truncated)
{
	const struct vector *v = &vectors[_i];
	static const struct scram_server zero;
	struct span good = span_str(v->c_first);
	bool plus = v->flag == SCRAM_CB_USED;
	size_t nonce_at = 0;
	struct scram_server server;

	for (size_t i = 0; i + 1 < good.n; i++)
		if (good.p[i] == 'r' && good.p[i + 1] == '=')
			nonce_at = i + 2;
	for (size_t n = 0; n <= good.n; n++) {
		int rc = scram_server_read_first(&server, span_head(good, n),
		    plus, false);

		ck_assert_msg((rc == 0) == (n > nonce_at), "%s: %zu octets",
		    v->name, n);
		if (rc != 0)
			ck_assert_int_eq(memcmp(&server, &zero,
			    sizeof(zero)), 0);
		else
			ck_assert_uint_eq(server.nonce_n, n - nonce_at);
	}
}
END_TEST

static const struct {
	const char *name, *message;
	bool plus, plus_offered;
	int rc;
} firsts[] = {
	{ "plain", "n,,n=user,r=abc", false, false, 0 },
	{ "n although -PLUS is offered", "n,,n=user,r=abc", false, true, 0 },
	{ "unknown extension", "n,,n=user,r=abc,x=1", false, false, 0 },
	{ "two of them", "n,,n=user,r=abc,x=1,X=a=b", false, false, 0 },
	{ "UTF-8 name", "n,,n=j\xc3\xbcrgen,r=abc", false, false, 0 },
	{ "nonce with an equals sign", "n,,n=user,r=a=b", false, false, 0 },
	{ "tls-unique", "p=tls-unique,,n=user,r=abc", true, true, 0 },
	{ "tls-server-end-point", "p=tls-server-end-point,,n=user,r=abc",
	  true, true, 0 },
	{ "y although -PLUS is offered", "y,,n=user,r=abc", false, true,
	  -ERR_UNSUPPORTED },
	{ "y in the -PLUS mechanism", "y,,n=user,r=abc", true, true,
	  -ERR_FORMAT },
	{ "n in the -PLUS mechanism", "n,,n=user,r=abc", true, true,
	  -ERR_FORMAT },
	{ "p outside the -PLUS mechanism", "p=tls-unique,,n=user,r=abc",
	  false, true, -ERR_UNSUPPORTED },
	{ "p with an unknown type", "p=tls-magic,,n=user,r=abc", true, true,
	  -ERR_UNSUPPORTED },
	{ "p with a longer type", "p=tls-uniques,,n=user,r=abc", true, true,
	  -ERR_UNSUPPORTED },
	{ "p with a shorter type", "p=tls-uniqu,,n=user,r=abc", true, true,
	  -ERR_UNSUPPORTED },
	{ "p without a type", "p=,,n=user,r=abc", true, true, -ERR_FORMAT },
	{ "p alone", "p,,n=user,r=abc", true, true, -ERR_FORMAT },
	{ "capital flag", "N,,n=user,r=abc", false, false, -ERR_FORMAT },
	{ "flag with a value", "n=1,,n=user,r=abc", false, false,
	  -ERR_FORMAT },
	{ "unknown flag", "z,,n=user,r=abc", false, false, -ERR_FORMAT },
	{ "no flag", ",,n=user,r=abc", false, false, -ERR_FORMAT },
	{ "no header", "n=user,r=abc", false, false, -ERR_FORMAT },
	{ "GSS-API's F,", "F,n,,n=user,r=abc", false, false, -ERR_FORMAT },
	{ "empty authzid", "n,a=,n=user,r=abc", false, false, -ERR_FORMAT },
	{ "authzid without a=", "n,user,n=user,r=abc", false, false,
	  -ERR_FORMAT },
	{ "bad escape in authzid", "n,a=a=2c,n=user,r=abc", false, false,
	  -ERR_FORMAT },
	{ "two authzids", "n,a=x,a=y,n=user,r=abc", false, false,
	  -ERR_FORMAT },
	{ "m=", "n,,m=ext,n=user,r=abc", false, false, -ERR_UNSUPPORTED },
	{ "m= as an extension", "n,,n=user,r=abc,m=1", false, false,
	  -ERR_UNSUPPORTED },
	{ "no name", "n,,r=abc", false, false, -ERR_FORMAT },
	{ "empty name", "n,,n=,r=abc", false, false, -ERR_FORMAT },
	{ "name and nonce swapped", "n,,r=abc,n=user", false, false,
	  -ERR_FORMAT },
	{ "two names", "n,,n=user,n=root,r=abc", false, false, -ERR_FORMAT },
	{ "another name behind", "n,,n=user,r=abc,n=root", false, false,
	  -ERR_FORMAT },
	{ "another nonce behind", "n,,n=user,r=abc,r=abd", false, false,
	  -ERR_FORMAT },
	{ "extension twice", "n,,n=user,r=abc,x=1,x=2", false, false,
	  -ERR_FORMAT },
	{ "final's p= behind", "n,,n=user,r=abc,p=AA==", false, false,
	  -ERR_FORMAT },
	{ "extension without a value", "n,,n=user,r=abc,x=", false, false,
	  -ERR_FORMAT },
	{ "extension without =", "n,,n=user,r=abc,xy1", false, false,
	  -ERR_FORMAT },
	{ "extension of two letters", "n,,n=user,r=abc,xy=1", false, false,
	  -ERR_FORMAT },
	{ "extension named by a digit", "n,,n=user,r=abc,1=x", false, false,
	  -ERR_FORMAT },
	{ "empty extension", "n,,n=user,r=abc,,x=1", false, false,
	  -ERR_FORMAT },
	{ "trailing comma", "n,,n=user,r=abc,", false, false, -ERR_FORMAT },
	{ "trailing comma behind one", "n,,n=user,r=abc,x=1,", false, false,
	  -ERR_FORMAT },
	{ "two trailing commas", "n,,n=user,r=abc,,", false, false,
	  -ERR_FORMAT },
	{ "no nonce", "n,,n=user", false, false, -ERR_FORMAT },
	{ "empty nonce", "n,,n=user,r=", false, false, -ERR_FORMAT },
	{ "blank in the nonce", "n,,n=user,r=a b", false, false,
	  -ERR_FORMAT },
	{ "DEL in the nonce", "n,,n=user,r=a\x7f", false, false,
	  -ERR_FORMAT },
	{ "UTF-8 in the nonce", "n,,n=user,r=\xc3\xbc", false, false,
	  -ERR_FORMAT },
	{ "escape in small letters", "n,,n=a=2cb,r=abc", false, false,
	  -ERR_FORMAT },
	{ "escape of something else", "n,,n=a=41b,r=abc", false, false,
	  -ERR_FORMAT },
	{ "escape cut short", "n,,n=a=2,r=abc", false, false, -ERR_FORMAT },
	{ "bare equals sign", "n,,n=a=,r=abc", false, false, -ERR_FORMAT },
	{ "Latin-1 name", "n,,n=j\xfcrgen,r=abc", false, false,
	  -ERR_CHARACTER },
	{ "overlong NUL", "n,,n=a\xc0\x80,r=abc", false, false,
	  -ERR_CHARACTER },
	{ "surrogate", "n,,n=\xed\xa0\x80,r=abc", false, false,
	  -ERR_CHARACTER },
	{ "UTF-8 cut by the comma", "n,,n=a\xc3,r=abc", false, false,
	  -ERR_CHARACTER },
	{ "empty", "", false, false, -ERR_FORMAT },
	{ "commas", ",,,,,,,,", false, false, -ERR_FORMAT },
	{ "a final message", C_FINAL, false, false, -ERR_FORMAT }
};

START_TEST(first_read)
{
	static const struct scram_server zero;
	struct scram_server server;
	int rc;

	memset(&server, 'x', sizeof(server));
	rc = scram_server_read_first(&server, span_str(firsts[_i].message),
	    firsts[_i].plus, firsts[_i].plus_offered);
	ck_assert_msg(rc == firsts[_i].rc, "%s: %d", firsts[_i].name, rc);
	if (rc != 0)
		ck_assert_int_eq(memcmp(&server, &zero, sizeof(zero)), 0);
}
END_TEST

static int
read_text(const char *before, size_t n, char fill, const char *after)
{
	static char text[2 * SCRAM_MESSAGE_MAX];
	struct scram_server server;
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	wbuf_str(&wb, before);
	while (n-- > 0)
		wbuf_u8(&wb, (uint8_t)fill);
	wbuf_str(&wb, after);
	ck_assert(!wb.failed);
	return scram_server_read_first(&server, wbuf_written(&wb), false,
	    false);
}

START_TEST(first_bounds)
{
	struct scram_server server;

	ck_assert_int_eq(read_text("n,,n=", SCRAM_NAME_MAX, 'a', ",r=abc"),
	    0);
	ck_assert_int_eq(read_text("n,,n=", SCRAM_NAME_MAX + 1, 'a',
	    ",r=abc"), -ERR_TOO_LONG);
	ck_assert_int_eq(read_text("n,a=", SCRAM_NAME_MAX + 1, 'a',
	    ",n=a,r=abc"), -ERR_TOO_LONG);
	ck_assert_int_eq(read_text("n,,n=a,r=", SCRAM_NONCE_MAX - 64, 'a',
	    ""), 0);
	ck_assert_int_eq(read_text("n,,n=a,r=", SCRAM_NONCE_MAX - 63, 'a',
	    ""), -ERR_TOO_LONG);
	ck_assert_int_eq(read_text("n,,n=a,r=abc,x=",
	    SCRAM_MESSAGE_MAX - 15, 'a', ""), 0);
	ck_assert_int_eq(read_text("n,,n=a,r=abc,x=",
	    SCRAM_MESSAGE_MAX - 14, 'a', ""), -ERR_TOO_LONG);
	ck_assert_int_eq(scram_server_read_first(&server,
	    SPAN_LIT("n,,n=us\0er,r=abc"), false, false), -ERR_CHARACTER);
	ck_assert_int_eq(scram_server_read_first(&server,
	    SPAN_LIT("n,,n=user,r=abc\0"), false, false), -ERR_CHARACTER);
	ck_assert_int_eq(scram_server_read_first(&server,
	    SPAN_LIT("n,,n=user,r=a\0c"), false, false), -ERR_CHARACTER);
}
END_TEST

/* Escapes shrink: 255 commas are 765 octets on the wire. */
START_TEST(escaped_name_bounds)
{
	char text[SCRAM_MESSAGE_MAX];
	struct scram_server server;
	struct wbuf wb;

	for (size_t n = SCRAM_NAME_MAX; n <= SCRAM_NAME_MAX + 1; n++) {
		wbuf_init(&wb, text, sizeof(text));
		wbuf_str(&wb, "n,,n=");
		for (size_t i = 0; i < n; i++)
			wbuf_str(&wb, "=2C");
		wbuf_str(&wb, ",r=abc");
		ck_assert(!wb.failed);
		ck_assert_int_eq(scram_server_read_first(&server,
		    wbuf_written(&wb), false, false),
		    n > SCRAM_NAME_MAX ? -ERR_TOO_LONG : 0);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("scram_server_first");
	TCase *tc = tcase_create("scram_server_first");

	tcase_add_loop_test(tc, first_truncated, 0, COUNT(vectors));
	tcase_add_loop_test(tc, first_read, 0, COUNT(firsts));
	tcase_add_test(tc, first_bounds);
	tcase_add_test(tc, escaped_name_bounds);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
