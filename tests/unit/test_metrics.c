/*
 * The counters and their text: exact lines, the edges of the histogram, and
 * bounds that no caller can exceed.
 */

#include <stdio.h>
#include <string.h>

#include "service/metrics.h"
#include "unit.h"

static struct metrics	metrics;
static char		text[AUTH_METRICS_MAX + 1];

static void
setup(void)
{
	memset(&metrics, 0, sizeof(metrics));
}

static void
write_text(bool ready)
{
	const struct store_stats stats = {
		.lookups = 11, .unavailable = 12, .syncs = 13,
		.connects = 14, .ready = 15, .in_flight = 16
	};
	struct wbuf wb;

	wbuf_init(&wb, text, AUTH_METRICS_MAX);
	metrics_write(&metrics, &stats, ready, &wb);
	ck_assert(!wb.failed);
	text[wb.n] = '\0';
}

static void
count(const char *door, enum auth_kind kind, enum digest_alg alg,
    enum verdict verdict, enum reason reason)
{
	struct auth_request request;
	struct decision decision = {
		.request = &request, .verdict = verdict, .reason = reason
	};

	memset(&request, 0, sizeof(request));
	request.door = door;
	request.kind = kind;
	request.digest.alg = alg;
	metrics_decision(&metrics, &decision);
}

/* The whole line is there, once. */
static void
has_line(const char *line)
{
	char whole[256];
	const char *at;

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	at = strstr(text, whole);
	ck_assert_msg(at != NULL, "not there: %s in:\n%s", line, text);
	ck_assert_msg(strstr(at + 1, whole) == NULL, "twice: %s", line);
}

START_TEST(empty)
{
	write_text(false);
	ck_assert_ptr_null(strstr(text, "onecred_decisions_total{"));
	has_line("# TYPE onecred_decisions_total counter");
	has_line("# TYPE onecred_lookup_seconds histogram");
	has_line("onecred_lookup_seconds_bucket{le=\"+Inf\"} 0");
	has_line("onecred_lookup_seconds_sum 0.000000");
	has_line("onecred_lookup_seconds_count 0");
	has_line("onecred_lookups_total 11");
	has_line("onecred_lookups_unavailable_total 12");
	has_line("onecred_database_syncs_total 13");
	has_line("onecred_database_connects_total 14");
	has_line("onecred_database_connections_ready 15");
	has_line("onecred_lookups_in_flight 16");
	has_line("onecred_ready 0");
	write_text(true);
	has_line("onecred_ready 1");
}
END_TEST

static const struct {
	enum auth_kind	 kind;
	enum digest_alg	 alg;
	const char	*word;
} mechs[] = {
	{ AUTH_PASSWORD, DIGEST_NONE, "PLAIN" },
	{ AUTH_EXISTS, DIGEST_NONE, "exists" },
	{ AUTH_DIGEST, DIGEST_NONE, "Digest" },
	{ AUTH_DIGEST, DIGEST_MD5, "Digest-MD5" },
	{ AUTH_DIGEST, DIGEST_SHA_256, "Digest-SHA-256" },
	{ AUTH_DIGEST, DIGEST_SHA_512_256, "Digest-SHA-512-256" },
	/* Left from another kind of request, and out of range. */
	{ AUTH_PASSWORD, DIGEST_MD5, "PLAIN" },
	{ AUTH_DIGEST, DIGEST_ALG_COUNT, "Digest" }
};

START_TEST(decision_lines)
{
	char line[160], copy[] = "radius";

	count("radius", mechs[_i].kind, mechs[_i].alg, VERDICT_DENY,
	    REASON_WRONG_PASSWORD);
	/* Equal words are one door, wherever they stand. */
	count(copy, mechs[_i].kind, mechs[_i].alg, VERDICT_DENY,
	    REASON_WRONG_PASSWORD);
	count("radius", mechs[_i].kind, mechs[_i].alg, VERDICT_ALLOW,
	    REASON_OK);
	count("extauth", mechs[_i].kind, mechs[_i].alg, VERDICT_UNAVAILABLE,
	    REASON_DB_DOWN);
	write_text(true);
	(void)snprintf(line, sizeof(line), "onecred_decisions_total{"
	    "door=\"radius\",mech=\"%s\",verdict=\"deny\","
	    "reason=\"wrong-password\"} 2", mechs[_i].word);
	has_line(line);
	(void)snprintf(line, sizeof(line), "onecred_decisions_total{"
	    "door=\"radius\",mech=\"%s\",verdict=\"allow\","
	    "reason=\"ok\"} 1", mechs[_i].word);
	has_line(line);
	(void)snprintf(line, sizeof(line), "onecred_decisions_total{"
	    "door=\"extauth\",mech=\"%s\",verdict=\"unavailable\","
	    "reason=\"db-down\"} 1", mechs[_i].word);
	has_line(line);
}
END_TEST

START_TEST(scram_mechanisms)
{
	struct auth_request request = {
		.door = "dovecot", .kind = AUTH_SCRAM,
		.scram = (enum scram_mech)(_i / 2), .plus = _i % 2 != 0
	};
	const struct decision decision = {
		.request = &request, .verdict = VERDICT_ALLOW,
		.reason = REASON_OK
	};
	char line[160];

	metrics_decision(&metrics, &decision);
	write_text(true);
	(void)snprintf(line, sizeof(line), "onecred_decisions_total{"
	    "door=\"dovecot\",mech=\"%s%s\",verdict=\"allow\","
	    "reason=\"ok\"} 1", scram_mech_name(request.scram),
	    request.plus ? "-PLUS" : "");
	has_line(line);
	/* Out of range: counted, and outside of no array. */
	request.scram = SCRAM_MECH_COUNT;
	metrics_decision(&metrics, &decision);
	write_text(true);
	has_line(line);
	has_line("onecred_decisions_total{door=\"dovecot\","
	    "mech=\"Digest\",verdict=\"allow\",reason=\"ok\"} 1");
}
END_TEST

START_TEST(out_of_range_counts_nothing)
{
	count("radius", AUTH_PASSWORD, DIGEST_NONE, (enum verdict)3,
	    REASON_OK);
	count("radius", AUTH_PASSWORD, DIGEST_NONE, VERDICT_DENY,
	    REASON_COUNT);
	write_text(true);
	ck_assert_ptr_null(strstr(text, "onecred_decisions_total{"));
}
END_TEST

/* An upper bound includes its value. */
static const struct {
	uint64_t	 usec;
	const char	*below, *first, *sum;
} times[] = {
	{ 0, NULL, "0.0001", "0.000000" },
	{ 100, NULL, "0.0001", "0.000100" },
	{ 101, "0.0001", "0.00025", "0.000101" },
	{ 1000, "0.0005", "0.001", "0.001000" },
	{ 1001, "0.001", "0.0025", "0.001001" },
	{ 999999, "0.5", "1", "0.999999" },
	{ 5000000, "2.5", "5", "5.000000" },
	{ 5000001, "5", "+Inf", "5.000001" },
	{ 123456789, "5", "+Inf", "123.456789" }
};

START_TEST(lookup_times)
{
	char line[96];

	metrics_lookup(&metrics, times[_i].usec);
	write_text(true);
	if (times[_i].below != NULL) {
		(void)snprintf(line, sizeof(line),
		    "onecred_lookup_seconds_bucket{le=\"%s\"} 0",
		    times[_i].below);
		has_line(line);
	}
	(void)snprintf(line, sizeof(line),
	    "onecred_lookup_seconds_bucket{le=\"%s\"} 1", times[_i].first);
	has_line(line);
	has_line("onecred_lookup_seconds_bucket{le=\"+Inf\"} 1");
	(void)snprintf(line, sizeof(line), "onecred_lookup_seconds_sum %s",
	    times[_i].sum);
	has_line(line);
	has_line("onecred_lookup_seconds_count 1");
}
END_TEST

START_TEST(buckets_add_up)
{
	metrics_lookup(&metrics, 100);
	metrics_lookup(&metrics, 100);
	metrics_lookup(&metrics, 90000);
	metrics_lookup(&metrics, 90000000);
	write_text(true);
	has_line("onecred_lookup_seconds_bucket{le=\"0.0001\"} 2");
	has_line("onecred_lookup_seconds_bucket{le=\"0.05\"} 2");
	has_line("onecred_lookup_seconds_bucket{le=\"0.1\"} 3");
	has_line("onecred_lookup_seconds_bucket{le=\"5\"} 3");
	has_line("onecred_lookup_seconds_bucket{le=\"+Inf\"} 4");
	has_line("onecred_lookup_seconds_count 4");
	has_line("onecred_lookup_seconds_sum 90.090200");
}
END_TEST

/* More doors than there are places share the last one. */
START_TEST(too_many_doors)
{
	static const char *const doors[METRICS_DOORS + 4] = {
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"
	};

	for (size_t i = 0; i < METRICS_DOORS + 4; i++)
		count(doors[i], AUTH_PASSWORD, DIGEST_NONE, VERDICT_ALLOW,
		    REASON_OK);
	write_text(true);
	has_line("onecred_decisions_total{door=\"g\",mech=\"PLAIN\","
	    "verdict=\"allow\",reason=\"ok\"} 1");
	has_line("onecred_decisions_total{door=\"other\",mech=\"PLAIN\","
	    "verdict=\"allow\",reason=\"ok\"} 5");
	ck_assert_ptr_null(strstr(text, "door=\"h\""));
}
END_TEST

/* Every series at its longest fits; a buffer that is short fails. */
/* By door and kind; more kinds than there is room for are left out. */
START_TEST(drops)
{
	char kinds[METRICS_DROPS][8], copy[] = "forged", line[100];

	metrics_drop(&metrics, "radius", "forged");
	metrics_drop(&metrics, "radius", copy);
	metrics_drop(&metrics, "other", "forged");
	for (int i = 0; i < METRICS_DROPS; i++) {
		(void)snprintf(kinds[i], sizeof(kinds[i]), "k%d", i);
		metrics_drop(&metrics, "radius", kinds[i]);
	}
	metrics_drop(&metrics, "radius", "forged");
	write_text(true);
	has_line("# TYPE onecred_dropped_total counter");
	has_line("onecred_dropped_total{door=\"radius\",kind=\"forged\"} 3");
	has_line("onecred_dropped_total{door=\"other\",kind=\"forged\"} 1");
	(void)snprintf(line, sizeof(line), "onecred_dropped_total{door="
	    "\"radius\",kind=\"k%d\"} 1", METRICS_DROPS - 3);
	has_line(line);
	(void)snprintf(line, sizeof(line), "kind=\"k%d\"",
	    METRICS_DROPS - 2);
	ck_assert_ptr_null(strstr(text, line));
}
END_TEST

START_TEST(everything_fits)
{
	const struct store_stats stats = { .lookups = 0 };
	size_t lines = 0;
	struct wbuf wb;
	char small[300];

	for (size_t i = 0; i < METRICS_DOORS; i++)
		metrics.doors[i] = "a-rather-long-door";
	for (size_t i = 0; i < METRICS_DOORS; i++)
		for (size_t k = 0; k < METRICS_MECHS; k++)
			for (size_t v = 0; v < 3; v++)
				for (size_t r = 0; r < REASON_COUNT; r++)
					metrics.decisions[i][k][v][r] =
					    UINT64_MAX;
	write_text(true);
	for (const char *at = text; (at = strstr(at,
	    "\nonecred_decisions_total{")) != NULL; at++)
		lines++;
	ck_assert_uint_eq(lines, METRICS_DOORS * METRICS_MECHS * 3 *
	    REASON_COUNT);
	wbuf_init(&wb, small, sizeof(small));
	metrics_write(&metrics, &stats, true, &wb);
	ck_assert(wb.failed);
}
END_TEST

/* Every line is a comment or "name[{labels}] number", as the format asks. */
START_TEST(form)
{
	const char *line, *end, *at;

	count("radius", AUTH_DIGEST, DIGEST_SHA_256, VERDICT_DENY,
	    REASON_STALE);
	metrics_lookup(&metrics, 1);
	metrics_drop(&metrics, "radius", "proxy-state");
	write_text(true);
	for (line = text; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		if (strncmp(line, "# HELP onecred_", 15) == 0 ||
		    strncmp(line, "# TYPE onecred_", 15) == 0)
			continue;
		ck_assert_int_eq(strncmp(line, "onecred_", 8), 0);
		at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
		if (*at == '{')
			at = strchr(at, '}') + 1;
		ck_assert_int_eq(*at, ' ');
		at++;
		ck_assert_ptr_eq(at + strspn(at, "0123456789."), end);
		ck_assert(end > at);
	}
}
END_TEST

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

static Suite *
suite(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, empty);
	tcase_add_loop_test(tc, decision_lines, 0, COUNT(mechs));
	tcase_add_loop_test(tc, scram_mechanisms, 2 * SCRAM_SHA_1,
	    2 * SCRAM_MECH_COUNT);
	tcase_add_test(tc, out_of_range_counts_nothing);
	tcase_add_loop_test(tc, lookup_times, 0, COUNT(times));
	tcase_add_test(tc, buckets_add_up);
	tcase_add_test(tc, too_many_doors);
	tcase_add_test(tc, drops);
	tcase_add_test(tc, everything_fits);
	tcase_add_test(tc, form);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
