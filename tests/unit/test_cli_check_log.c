/*
 * Decision lines as the daemon writes them, as the journal shows them, and as
 * nobody should: cut, swapped, too long, of others.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_check_log.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define GOOD	"door=radius user=alice@example.com realm=example.com "	\
	"mech=Digest-MD5 verdict=deny reason=case source=192.0.2.1 ms=0.4"

static struct check_realm realm;
static struct check_account account = { .realms = &realm, .realm_count = 1 };
static struct check_log kept;

static void
setup(void)
{
	memset(&kept, 0, sizeof(kept));
	(void)snprintf(realm.row.realm, sizeof(realm.row.realm),
	    "sip.example");
	ck_assert_int_eq(identity_present(SPAN_LIT("Alice@example.com"),
	    SPAN_EMPTY, &account.presented), 0);
}

static const struct {
	const char	*line;
	size_t		 count;
	const char	*time;
} lines[] = {
	{ GOOD, 1, "" },
	{ "2026-11-22T10:00:00.123Z info " GOOD, 1,
	    "2026-11-22T10:00:00.123Z" },
	{ "2026-11-22T10:00:00+0100 host onecredd[12]: " GOOD, 1,
	    "2026-11-22T10:00:00+0100" },
	{ "Nov 22 10:00:00 host onecredd[12]: " GOOD, 1, "" },
	{ GOOD " and more", 1, "" },
	{ "door=extauth user=alice realm=SIP.example mech=Digest "
	    "verdict=unavailable reason=db-down source=- ms=1", 1, "" },
	{ "door=extauth user=alice realm=example.com mech=Digest "
	    "verdict=deny reason=unknown-realm source=- ms=1", 1, "" },
	{ "door=extauth user=alice realm=other mech=Digest verdict=deny "
	    "reason=unknown-realm source=- ms=1", 0, "" },
	{ "door=extauth user=alice@other.org realm=- mech=PLAIN verdict=deny "
	    "reason=unknown-user source=- ms=1", 0, "" },
	{ "door=extauth user=alice@example.com realm=- mech=PLAIN "
	    "verdict=allow reason=ok source=- ms=1", 0, "" },
	{ "door=extauth user=alicia@example.com realm=- mech=PLAIN "
	    "verdict=deny reason=disabled source=- ms=1", 0, "" },
	{ "door=extauth user=invalid realm=- mech=PLAIN verdict=deny "
	    "reason=malformed source=- ms=1", 0, "" },
	/* swapped, missing, empty, doubled */
	{ "user=alice@example.com door=extauth realm=- mech=PLAIN "
	    "verdict=deny reason=case source=- ms=1", 0, "" },
	{ "door=extauth user=alice@example.com realm=- verdict=deny "
	    "reason=case source=- ms=1", 0, "" },
	{ "door=extauth user=alice@example.com realm=- mech= verdict=deny "
	    "reason=case source=- ms=1", 0, "" },
	{ "door=x door=extauth user=alice@example.com realm=- mech=PLAIN "
	    "verdict=deny reason=case source=- ms=1", 0, "" },
	{ "xdoor=extauth user=alice@example.com realm=- mech=PLAIN "
	    "verdict=deny reason=case source=- ms=1", 0, "" },
	{ "door=", 0, "" }, { "", 0, "" }, { " ", 0, "" }
};

/* Whole, and octet by octet. */
START_TEST(one_line)
{
	struct span line = span_str(lines[_i].line);

	check_log_feed(&kept, &account, line);
	ck_assert_uint_eq(kept.count, 0);	/* no end yet */
	check_log_feed(&kept, &account, SPAN_LIT("\n"));
	ck_assert_uint_eq(kept.count, lines[_i].count);
	if (kept.count > 0)
		ck_assert_str_eq(check_log_at(&kept, 0)->time,
		    lines[_i].time);
	memset(&kept, 0, sizeof(kept));
	for (size_t i = 0; i < line.n; i++)
		check_log_feed(&kept, &account, span_mem(line.p + i, 1));
	check_log_feed(&kept, &account, SPAN_LIT("\r\n"));
	ck_assert_uint_eq(kept.count, lines[_i].count);
}
END_TEST

/* Every beginning of a good line but the whole is no line. */
START_TEST(truncated)
{
	struct span line = SPAN_LIT(GOOD);

	for (size_t n = 0; n < line.n - 3; n++) {
		check_log_feed(&kept, &account, span_head(line, n));
		check_log_feed(&kept, &account, SPAN_LIT("\n"));
	}
	ck_assert_uint_eq(kept.count, 0);
}
END_TEST

START_TEST(fields)
{
	const struct check_refusal *r;

	check_log_feed(&kept, &account, SPAN_LIT(GOOD "\n"));
	r = check_log_at(&kept, 0);
	ck_assert_str_eq(r->door, "radius");
	ck_assert_str_eq(r->realm, "example.com");
	ck_assert_str_eq(r->mech, "Digest-MD5");
	ck_assert_str_eq(r->verdict, "deny");
	ck_assert_str_eq(r->reason, "case");
	ck_assert_str_eq(r->source, "192.0.2.1");
	ck_assert(check_log_explain(r->reason)[0] != '\0');
	ck_assert_str_eq(check_log_explain("no-such-reason"), "");
}
END_TEST

/* What upsets a terminal, and what does not fit. */
START_TEST(hostile)
{
	static char long_word[CHECK_LINE_MAX];
	const struct check_refusal *r;

	check_log_feed(&kept, &account, SPAN_LIT("door=\x1b[31m "
	    "user=alice@example.com realm=\xff mech=\0 verdict=deny "
	    "reason=x source=- ms=1\n"));
	ck_assert_uint_eq(kept.count, 1);
	r = check_log_at(&kept, 0);
	ck_assert_str_eq(r->door, "?[31m");
	ck_assert_str_eq(r->realm, "?");
	ck_assert_str_eq(r->mech, "?");
	memset(long_word, 'x', sizeof(long_word) - 1);
	check_log_feed(&kept, &account, SPAN_LIT("door=a user="
	    "alice@example.com realm="));
	check_log_feed(&kept, &account, span_head(span_str(long_word), 1000));
	check_log_feed(&kept, &account, SPAN_LIT(" mech=a verdict=deny "
	    "reason=b source=- ms=1\n"));
	ck_assert_uint_eq(kept.count, 2);
	ck_assert_uint_eq(strlen(check_log_at(&kept, 1)->realm),
	    CHECK_FIELD_MAX - 1);
	/* A line that is too long is skipped, the next one is not. */
	check_log_feed(&kept, &account, span_str(long_word));
	check_log_feed(&kept, &account, SPAN_LIT(" " GOOD "\n"));
	ck_assert_uint_eq(kept.count, 2);
	check_log_feed(&kept, &account, SPAN_LIT(GOOD "\n"));
	ck_assert_uint_eq(kept.count, 3);
}
END_TEST

START_TEST(last_ones)
{
	char line[256];

	for (int i = 0; i < 25; i++) {
		(void)snprintf(line, sizeof(line), "door=d%d user="
		    "alice@example.com realm=- mech=PLAIN verdict=deny "
		    "reason=case source=- ms=1\n", i);
		check_log_feed(&kept, &account, span_str(line));
	}
	ck_assert_uint_eq(kept.count, CHECK_REFUSALS_MAX);
	for (size_t i = 0; i < CHECK_REFUSALS_MAX; i++) {
		(void)snprintf(line, sizeof(line), "d%zu",
		    25 - CHECK_REFUSALS_MAX + i);
		ck_assert_str_eq(check_log_at(&kept, i)->door, line);
	}
}
END_TEST

/* Programs: what they print, one that never ends, one that never speaks. */
START_TEST(commands)
{
	static const char *const says[] = { "/bin/echo", GOOD, NULL };
	static const char *const silent[] = { "/bin/true", NULL };
	static const char *const endless[] = { "/usr/bin/yes", GOOD, NULL };
	static const char *const slow[] = { "/bin/sleep", "600", NULL };
	static const char *const missing[] = { "/nonexistent/x", NULL };

	ck_assert_ptr_null(check_log_command(&kept, &account, says, 10000));
	ck_assert_uint_eq(kept.count, 1);
	ck_assert_ptr_nonnull(check_log_command(&kept, &account, silent,
	    10000));
	ck_assert_ptr_null(check_log_command(&kept, &account, endless,
	    30000));
	ck_assert_uint_eq(kept.count, CHECK_REFUSALS_MAX);
	ck_assert_ptr_nonnull(check_log_command(&kept, &account, slow, 100));
	ck_assert_ptr_nonnull(check_log_command(&kept, &account, missing,
	    100));
	ck_assert_uint_eq(kept.count, CHECK_REFUSALS_MAX);
}
END_TEST

/* The end of a file that is larger than what is read. */
START_TEST(large_file)
{
	char path[] = "/tmp/onecred.XXXXXX";
	int fd = mkstemp(path);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = (ssize_t)strlen(GOOD "\n");
	ck_assert_int_eq(write(fd, GOOD "\n", (size_t)n), n);
	ck_assert_int_eq(ftruncate(fd, 64 * 1024 * 1024), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 64 * 1024 * 1024);
	ck_assert_int_eq(write(fd, "\n" GOOD "\n", (size_t)n + 1), n + 1);
	ck_assert_ptr_null(check_log_file(&kept, &account, path));
	ck_assert_uint_eq(kept.count, 1);
	(void)close(fd);
	(void)unlink(path);
	ck_assert_ptr_nonnull(check_log_file(&kept, &account, path));
	ck_assert_ptr_nonnull(check_log_file(&kept, &account, "/tmp"));
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("cli_check_log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, one_line, 0, (int)COUNT(lines));
	tcase_add_test(tc, truncated);
	tcase_add_test(tc, fields);
	tcase_add_test(tc, hostile);
	tcase_add_test(tc, last_ones);
	tcase_add_test(tc, commands);
	tcase_add_test(tc, large_file);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
