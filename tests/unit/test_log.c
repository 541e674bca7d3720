/*
 * The log: one line per call, its start, and how often the same fault may be
 * written.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "unit.h"

static int		ends[2];
static struct log	logger;

static void
setup(void)
{
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
}

static void
teardown(void)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static const char *
written(void)
{
	static char out[8192];
	ssize_t n = read(ends[0], out, sizeof(out) - 1);

	out[n < 0 ? 0 : n] = '\0';
	return out;
}

START_TEST(line_for_a_person)
{
	const char *line;
	int year, ms, n = 0;

	log_init(&logger, ends[1], LEVEL_INFO);
	sink_log(&logger.sink, LEVEL_INFO, "hello %d", 5);
	line = written();
	ck_assert_int_eq(sscanf(line, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ "
	    "info %n", &year, &ms, &n), 2);
	ck_assert_int_gt(n, 0);
	ck_assert_int_ge(year, 2024);
	ck_assert_str_eq(line + n, "hello 5\n");
}
END_TEST

static const struct {
	enum log_level	level;
	const char	*line;
} journal[] = {
	{ LEVEL_ERROR, "<3>x\n" }, { LEVEL_WARNING, "<4>x\n" },
	{ LEVEL_INFO, "<6>x\n" }, { LEVEL_DEBUG, "<7>x\n" }
};

START_TEST(line_for_the_journal)
{
	char stream[64];
	struct stat st;

	ck_assert_int_eq(fstat(ends[1], &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_init(&logger, ends[1], LEVEL_DEBUG);
	sink_log(&logger.sink, journal[_i].level, "x");
	ck_assert_str_eq(written(), journal[_i].line);
	/* stderr was sent elsewhere after the manager opened it. */
	ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	log_init(&logger, ends[1], LEVEL_DEBUG);
	ck_assert(!logger.journal);
}
END_TEST

START_TEST(level_and_control_characters)
{
	log_init(&logger, ends[1], LEVEL_WARNING);
	sink_log(&logger.sink, LEVEL_INFO, "no");
	ck_assert_str_eq(written(), "");
	sink_log(&logger.sink, LEVEL_ERROR, "a\nb\x1b[0m");
	ck_assert_ptr_nonnull(strstr(written(), " error a?b?[0m\n"));
}
END_TEST

START_TEST(one_write_per_line)
{
	char text[3000];
	const char *line;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_init(&logger, ends[1], LEVEL_INFO);
	sink_log(&logger.sink, LEVEL_INFO, "%s", text);
	line = written();
	ck_assert_uint_lt(strlen(line), 1200);
	ck_assert_uint_gt(strlen(line), 1000);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

/* A full pipe must not stop the daemon. */
START_TEST(full_pipe)
{
	log_init(&logger, ends[1], LEVEL_INFO);
	for (int i = 0; i < 4000; i++)
		sink_log(&logger.sink, LEVEL_INFO, "line %d of many", i);
	ck_assert_ptr_nonnull(strstr(written(), "line 0 of many"));
}
END_TEST

START_TEST(repeated_fault)
{
	struct log_limit limit = { 0 };
	unsigned int swallowed = 9;

	ck_assert(log_limit_pass(&limit, "away", 0, &swallowed));
	ck_assert_uint_eq(swallowed, 0);
	ck_assert(!log_limit_pass(&limit, "away", 1, &swallowed));
	ck_assert(log_limit_pass(&limit, "other", 2, &swallowed));
	ck_assert(!log_limit_pass(&limit, "away", LOG_FAULT_MS - 1,
	    &swallowed));
	ck_assert(log_limit_pass(&limit, "away", LOG_FAULT_MS, &swallowed));
	ck_assert_uint_eq(swallowed, 2);
	ck_assert(!log_limit_pass(&limit, "away", LOG_FAULT_MS + 1,
	    &swallowed));
	ck_assert(log_limit_pass(&limit, "away", 2 * LOG_FAULT_MS,
	    &swallowed));
	ck_assert_uint_eq(swallowed, 1);
}
END_TEST

/* Many different faults: the one written longest ago is forgotten. */
START_TEST(many_faults)
{
	struct log_limit limit = { 0 };
	unsigned int swallowed;
	char line[16];

	for (int i = 0; i <= LOG_FAULTS_MAX; i++) {
		(void)snprintf(line, sizeof(line), "fault %d", i);
		ck_assert(log_limit_pass(&limit, line, i, &swallowed));
	}
	ck_assert(!log_limit_pass(&limit, "fault 1", 50, &swallowed));
	ck_assert(!log_limit_pass(&limit, line, 50, &swallowed));
	ck_assert(log_limit_pass(&limit, "fault 0", 50, &swallowed));
}
END_TEST

START_TEST(decisions_are_never_swallowed)
{
	const char *line;

	log_init(&logger, ends[1], LEVEL_INFO);
	sink_log(&logger.sink, LEVEL_INFO, "verdict=deny");
	sink_log(&logger.sink, LEVEL_INFO, "verdict=deny");
	sink_log(&logger.sink, LEVEL_WARNING, "fault");
	sink_log(&logger.sink, LEVEL_WARNING, "fault");
	line = strstr(written(), "verdict=deny\n");
	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_nonnull(strstr(line + 1, "verdict=deny\n"));
	line = strstr(line, "fault\n");
	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_null(strstr(line + 1, "fault\n"));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, line_for_a_person);
	tcase_add_loop_test(tc, line_for_the_journal, 0,
	    sizeof(journal) / sizeof(journal[0]));
	tcase_add_test(tc, level_and_control_characters);
	tcase_add_test(tc, one_write_per_line);
	tcase_add_test(tc, full_pipe);
	tcase_add_test(tc, repeated_fault);
	tcase_add_test(tc, many_faults);
	tcase_add_test(tc, decisions_are_never_swallowed);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
