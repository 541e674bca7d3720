/*
 * Log lines: levels, the cut, and that a peer's name cannot start a line.
 */

#include <string.h>

#include "core/sink.h"
#include "unit.h"

struct record {
	int		count;
	enum log_level	level;
	char		line[2048];
};

static void
record_line(void *arg, enum log_level level, const char *line)
{
	struct record *record = arg;

	record->count++;
	record->level = level;
	ck_assert_uint_lt(strlen(line), sizeof(record->line));
	strncpy(record->line, line, sizeof(record->line) - 1);
}

START_TEST(levels)
{
	for (int max = LEVEL_ERROR; max <= LEVEL_DEBUG; max++)
		for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++) {
			struct record record = { .count = 0 };
			const struct sink sink = { record_line, &record,
			    (enum log_level)max };

			sink_log(&sink, (enum log_level)level, "n=%d", 7);
			ck_assert_int_eq(record.count, level <= max ? 1 : 0);
			if (level > max)
				continue;
			ck_assert_int_eq(record.level, level);
			ck_assert_str_eq(record.line, "n=7");
		}
	/* Nobody listens: no harm. */
	sink_log(NULL, LEVEL_ERROR, "x");
}
END_TEST

START_TEST(control_characters)
{
	struct record record = { .count = 0 };
	const struct sink sink = { record_line, &record, LEVEL_DEBUG };

	sink_log(&sink, LEVEL_INFO, "user=%s.",
	    "a\nverdict=allow\r\x1b[1m\x7f\t\x01" "b");
	ck_assert_int_eq(record.count, 1);
	ck_assert_str_eq(record.line, "user=a?verdict=allow??[1m???b.");
	/* What a peer sent is never a format. */
	sink_log(&sink, LEVEL_INFO, "%s", "%s%n%d");
	ck_assert_str_eq(record.line, "%s%n%d");
	sink_log(&sink, LEVEL_INFO, "%s", "");
	ck_assert_str_eq(record.line, "");
	ck_assert_int_eq(record.count, 3);
}
END_TEST

START_TEST(cut)
{
	static char big[4096];
	struct record record = { .count = 0 };
	const struct sink sink = { record_line, &record, LEVEL_DEBUG };

	memset(big, 'a', sizeof(big) - 1);
	sink_log(&sink, LEVEL_ERROR, "%s", big);
	ck_assert_int_eq(record.count, 1);
	ck_assert_uint_eq(strlen(record.line), 1023);
	big[1023] = '\0';
	sink_log(&sink, LEVEL_ERROR, "%s", big);
	ck_assert_str_eq(record.line, big);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("sink");
	TCase *tc = tcase_create("sink");

	tcase_add_test(tc, levels);
	tcase_add_test(tc, control_characters);
	tcase_add_test(tc, cut);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
