/*
 * What onecredd -t concludes from numbers: clocks that are apart, and whose a
 * port is by /proc/net/udp.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/preflight.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	int64_t		 ahead;
	const char	*words;		/* NULL: will do */
} clocks[] = {
	{ 0, NULL }, { 30, NULL }, { -30, NULL },
	{ 31, "31 seconds ahead of" }, { -31, "31 seconds behind" },
	{ 1700000000, "1700000000 seconds ahead of" }
};

START_TEST(clock_skew)
{
	char out[256] = "x";

	preflight_clock(clocks[_i].ahead, out, sizeof(out));
	if (clocks[_i].words == NULL)
		ck_assert_str_eq(out, "");
	else {
		ck_assert_ptr_nonnull(strstr(out, clocks[_i].words));
		ck_assert_ptr_nonnull(strstr(out, "timedatectl"));
	}
}
END_TEST

#define HEAD	"   sl  local_address rem_address   st tx_queue rx_queue " \
	"tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
#define ROW	" 2466: 0100007F:0714 00000000:0000 07 00000000:00000000 " \
	"00:00000000 00000000   998        0 81234 2 00000000 0\n"
#define ROW6	"   12: 00000000000000000000000001000000:0715 " \
	"00000000000000000000000000000000:0000 07 00000000:00000000 "	\
	"00:00000000 00000000 65534        0 1 2 00000000 0\n"

static const struct {
	const char	*table;
	unsigned int	 port, uid;
	bool		 owned;
} ports[] = {
	{ HEAD ROW ROW6, 1812, 998, true },
	{ HEAD ROW ROW6, 1813, 65534, true },
	{ HEAD ROW ROW6, 1812, 65534, false },
	{ HEAD ROW ROW6, 1813, 998, false },
	{ HEAD ROW, 1811, 998, false },
	{ HEAD ROW, 1812, 99, false },
	{ HEAD, 1812, 998, false }, { "", 0, 0, false },
	{ "\n\n\n", 0, 0, false },
	{ "a b c d e f g h\n", 0, 0, false },
	{ "1: x:0714 b c d e f 998x\n", 1812, 998, false },
	{ "1: x:zz b c d e f 998\n", 0, 998, false },
	{ "1: 0714 b c d e f 998\n", 1812, 998, false }
};

START_TEST(port_owner)
{
	ck_assert_int_eq(preflight_port_owned(ports[_i].table,
	    strlen(ports[_i].table), ports[_i].port, ports[_i].uid),
	    ports[_i].owned);
}
END_TEST

/* A table that was cut claims nothing before the uid is whole. */
START_TEST(port_truncated)
{
	size_t uid_end = strlen(HEAD ROW) - strlen("        0 81234 2 "
	    "00000000 0\n");

	for (size_t n = 0; n < uid_end; n++)
		ck_assert_msg(!preflight_port_owned(HEAD ROW, n, 1812, 998),
		    "%zu octets", n);
	ck_assert(preflight_port_owned(HEAD ROW, uid_end, 1812, 998));
}
END_TEST

static enum preflight_level said_level;
static char said[PREFLIGHT_LINE_MAX];

static void
on_finding(enum preflight_level level, const char *sentence, void *arg)
{
	(void)arg;
	said_level = level;
	(void)snprintf(said, sizeof(said), "%s", sentence);
}

START_TEST(sentences)
{
	struct preflight p = { .cb = on_finding };
	static char long_text[4 * PREFLIGHT_LINE_MAX];

	preflight_say(&p, PREFLIGHT_WARNING, "a%s", "\nb\x1b\x7f");
	ck_assert_str_eq(said, "a?b??");
	ck_assert_uint_eq(p.errors, 0);
	memset(long_text, 'x', sizeof(long_text) - 1);
	preflight_say(&p, PREFLIGHT_ERROR, "%s", long_text);
	ck_assert_uint_eq(strlen(said), PREFLIGHT_LINE_MAX - 1);
	ck_assert_int_eq(said_level, PREFLIGHT_ERROR);
	preflight_say(&p, PREFLIGHT_NOTE, "n");
	ck_assert_uint_eq(p.errors, 1);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("preflight");
	TCase *tc = tcase_create("conclusions");

	tcase_add_loop_test(tc, clock_skew, 0, (int)COUNT(clocks));
	tcase_add_loop_test(tc, port_owner, 0, (int)COUNT(ports));
	tcase_add_test(tc, port_truncated);
	tcase_add_test(tc, sentences);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
