/*
 * Lines of Dovecot's authentication protocol (STANDARDS 7.3), as Prosody,
 * Postfix and Exim write them, and what no client writes.
 */

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "doors/dovecot_line.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*text;
	enum dovecot_command command;
	uint32_t	 major, minor, id;
	const char	*mech, *service, *source;
	bool		 final_resp_ok, has_resp;
	const char	*resp;
} lines[] = {
	{ "VERSION\t1\t2", DOVECOT_VERSION, 1, 2, 0, "", "", "", 0, 0, "" },
	{ "VERSION\t1", DOVECOT_VERSION, 1, 0, 0, "", "", "", 0, 0, "" },
	{ "VERSION\t2\t0\tx", DOVECOT_VERSION, 2, 0, 0, "", "", "", 0, 0,
	    "" },
	{ "CPID\t4711", DOVECOT_CPID, 0, 0, 0, "", "", "", 0, 0, "" },
	{ "CPID\t0x55d1f0a2b3c0", DOVECOT_CPID, 0, 0, 0, "", "", "", 0, 0,
	    "" },
	{ "CPID", DOVECOT_CPID, 0, 0, 0, "", "", "", 0, 0, "" },
	{ "", DOVECOT_UNKNOWN, 0, 0, 0, "", "", "", 0, 0, "" },
	{ "auth\t1\tPLAIN", DOVECOT_UNKNOWN, 0, 0, 0, "", "", "", 0, 0, "" },
	{ "AUTHOR\t1\tPLAIN", DOVECOT_UNKNOWN, 0, 0, 0, "", "", "", 0, 0,
	    "" },
	/* Prosody */
	{ "AUTH\t1\tPLAIN\tservice=xmpp\tresp=AGE=", DOVECOT_AUTH, 0, 0, 1,
	    "PLAIN", "xmpp", "", 0, 1, "AGE=" },
	{ "AUTH\t2\tLOGIN\tservice=xmpp\tresp==", DOVECOT_AUTH, 0, 0, 2,
	    "LOGIN", "xmpp", "", 0, 1, "" },
	/* Postfix */
	{ "AUTH\t3\tLOGIN\tservice=smtp\tnologin\tlip=192.0.2.2\t"
	    "rip=2001:db8::1\tsecured", DOVECOT_AUTH, 0, 0, 3, "LOGIN",
	    "smtp", "2001:db8::1", 0, 0, "" },
	/* Exim */
	{ "AUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=192.0.2.1\t"
	    "lip=192.0.2.2\tnologin\tresp=", DOVECOT_AUTH, 0, 0, 1, "PLAIN",
	    "smtp", "192.0.2.1", 0, 1, "" },
	{ "AUTH\t4294967295\tSCRAM-SHA-256\tfinal-resp-ok\tresp=biws",
	    DOVECOT_AUTH, 0, 0, 4294967295u, "SCRAM-SHA-256", "", "", 1, 1,
	    "biws" },
	/* Whatever stands behind resp= is its value. */
	{ "AUTH\t1\tPLAIN\tresp=AA==\tfinal-resp-ok\tservice=xmpp",
	    DOVECOT_AUTH, 0, 0, 1, "PLAIN", "", "", 0, 1,
	    "AA==\tfinal-resp-ok\tservice=xmpp" },
	{ "AUTH\t1\tPLAIN\tXresp=AA==\tfinal-resp-ok=no\tservicex=y\tService="
	    "x\tuser=bob", DOVECOT_AUTH, 0, 0, 1, "PLAIN", "", "", 0, 0, "" },
	/* Of two the last counts; escapes stay. */
	{ "AUTH\t1\tPLAIN\tservice=a\tservice=b\001t\trip=", DOVECOT_AUTH, 0,
	    0, 1, "PLAIN", "b\001t", "", 0, 0, "" },
	{ "AUTH\t1\tX\t\t\tresp=A", DOVECOT_AUTH, 0, 0, 1, "X", "", "", 0, 1,
	    "A" },
	{ "CONT\t1\tYWxpY2U=", DOVECOT_CONT, 0, 0, 1, "", "", "", 0, 1,
	    "YWxpY2U=" },
	{ "CONT\t1\t=", DOVECOT_CONT, 0, 0, 1, "", "", "", 0, 1, "" },
	{ "CONT\t1\t", DOVECOT_CONT, 0, 0, 1, "", "", "", 0, 1, "" },
	{ "CONT\t1", DOVECOT_CONT, 0, 0, 1, "", "", "", 0, 1, "" },
	{ "CONT\t1\ta\tb", DOVECOT_CONT, 0, 0, 1, "", "", "", 0, 1, "a\tb" },
	{ "CANCEL\t0000000012\tx", DOVECOT_CANCEL, 0, 0, 12, "", "", "", 0, 0,
	    "" }
};

#define IS(s, text)	ck_assert(span_equal((s), span_str(text)))

START_TEST(read)
{
	struct dovecot_line line;

	memset(&line, 0xff, sizeof(line));
	ck_assert_int_eq(dovecot_line_parse(span_str(lines[_i].text), &line),
	    0);
	ck_assert_int_eq(line.command, lines[_i].command);
	ck_assert_uint_eq(line.major, lines[_i].major);
	ck_assert_uint_eq(line.minor, lines[_i].minor);
	ck_assert_uint_eq(line.id, lines[_i].id);
	IS(line.mech, lines[_i].mech);
	IS(line.service, lines[_i].service);
	IS(line.source, lines[_i].source);
	ck_assert_int_eq(line.final_resp_ok, lines[_i].final_resp_ok);
	ck_assert_int_eq(line.has_resp, lines[_i].has_resp);
	IS(line.resp, lines[_i].resp);
}
END_TEST

static const char *const refused[] = {
	"VERSION", "VERSION\t", "VERSION\tx\t1", "VERSION\t1\tx",
	"VERSION\t1\t", "VERSION\t-1", "VERSION\t4294967296",
	"AUTH", "AUTH\t", "AUTH\t1", "AUTH\t1\t", "AUTH\t\tPLAIN",
	"AUTH\t-1\tPLAIN", "AUTH\t+1\tPLAIN", "AUTH\t 1\tPLAIN",
	"AUTH\t1 \tPLAIN", "AUTH\t0x1\tPLAIN", "AUTH\t4294967296\tPLAIN",
	"AUTH\t99999999999\tPLAIN", "AUTH\t18446744073709551617\tPLAIN",
	"CONT", "CONT\t", "CONT\tx\tAA==", "CONT\t1\r", "CANCEL", "CANCEL\t1."
};

START_TEST(refuse)
{
	static const struct dovecot_line zero;
	struct dovecot_line line;

	memset(&line, 0xff, sizeof(line));
	ck_assert_int_eq(dovecot_line_parse(span_str(refused[_i]), &line),
	    -ERR_FORMAT);
	ck_assert_mem_eq(&line, &zero, sizeof(line));
}
END_TEST

START_TEST(limits)
{
	static char text[DOVECOT_LINE_MAX + 2];
	struct dovecot_line line;
	size_t n;

	memset(text, 'A', sizeof(text));
	memcpy(text, "AUTH\t1\tX\tresp=", 14);
	ck_assert_int_eq(dovecot_line_parse(span_mem(text, DOVECOT_LINE_MAX),
	    &line), 0);
	ck_assert_uint_eq(line.resp.n, DOVECOT_LINE_MAX - 14);
	ck_assert_int_eq(dovecot_line_parse(span_mem(text,
	    DOVECOT_LINE_MAX + 1), &line), -ERR_FORMAT);

	n = (size_t)snprintf(text, sizeof(text), "AUTH\t1\tX");
	for (int i = 0; i < DOVECOT_FIELDS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\ta=%d",
		    i);
	ck_assert_int_eq(dovecot_line_parse(span_mem(text, n), &line), 0);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "\tb");
	ck_assert_int_eq(dovecot_line_parse(span_mem(text, n), &line),
	    -ERR_FORMAT);
	/* NUL is an octet like others. */
	ck_assert_int_eq(dovecot_line_parse(SPAN_LIT("AUTH\0\t1\tPLAIN"),
	    &line), 0);
	ck_assert_int_eq(line.command, DOVECOT_UNKNOWN);
	ck_assert_int_eq(dovecot_line_parse(SPAN_LIT("AUTH\t1\0\tPLAIN"),
	    &line), -ERR_FORMAT);
}
END_TEST

static const struct {
	const char	*head;
	bool		 ok;
	uint32_t	 id;
} heads[] = {
	{ "AUTH\t17\tPLAIN\tres", true, 17 },
	{ "AUTH\t17\t", true, 17 },
	{ "CONT\t4294967295\tAAAA", true, 4294967295u },
	{ "AUTH\t17", false, 0 },	/* perhaps 170 */
	{ "AUTH\t", false, 0 },
	{ "AUTH", false, 0 },
	{ "", false, 0 },
	{ "AUTH\tx\tPLAIN", false, 0 },
	{ "CANCEL\t1\tx", false, 0 },
	{ "VERSION\t1\t1", false, 0 },
	{ "AUTHX\t1\tPLAIN", false, 0 }
};

START_TEST(head_id)
{
	uint32_t id = 0;

	ck_assert_int_eq(dovecot_line_id(span_str(heads[_i].head), &id),
	    heads[_i].ok);
	if (heads[_i].ok)
		ck_assert_uint_eq(id, heads[_i].id);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("dovecot_line");
	TCase *tc = tcase_create("dovecot_line");

	tcase_add_loop_test(tc, read, 0, COUNT(lines));
	tcase_add_loop_test(tc, refuse, 0, COUNT(refused));
	tcase_add_test(tc, limits);
	tcase_add_loop_test(tc, head_id, 0, COUNT(heads));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
