/*
 * Connection strings, and the small parts around an outage: backoff, and log
 * lines that are not repeated.
 */

#include <stdio.h>
#include <string.h>

#include "store/backoff.h"
#include "store/conninfo.h"
#include "store/fault.h"
#include "unit.h"

struct expected {
	const char	*host, *addr, *port;
	bool		 resolve;
};

static const struct {
	const char	*text;
	size_t		 count;
	struct expected	 hosts[3];
} strings[] = {
	{ "host=db", 1, { { "db", "", "", true } } },
	{ "host=db port=5433", 1, { { "db", "", "5433", true } } },
	{ "host=a,b,c port=1,2,3", 3, { { "a", "", "1", true },
	    { "b", "", "2", true }, { "c", "", "3", true } } },
	{ "host=a,b port=7", 2, { { "a", "", "7", true },
	    { "b", "", "7", true } } },
	{ "host=a,b port=,8", 2, { { "a", "", "", true },
	    { "b", "", "8", true } } },
	{ "host=/run/pg,db", 2, { { "/run/pg", "", "", false },
	    { "db", "", "", true } } },
	{ "host=@abstract", 1, { { "@abstract", "", "", false } } },
	{ "host=10.1.2.3", 1, { { "10.1.2.3", "10.1.2.3", "", false } } },
	{ "host=::1,x", 2, { { "::1", "::1", "", false },
	    { "x", "", "", true } } },
	{ "hostaddr=10.0.0.1", 1, { { "", "10.0.0.1", "", false } } },
	{ "host=a,b hostaddr=10.0.0.1,", 2,
	    { { "a", "10.0.0.1", "", false }, { "b", "", "", true } } },
	{ "postgresql://u:p@h1:5433,h2/db?target_session_attrs=any", 2,
	    { { "h1", "", "5433", true }, { "h2", "", "", true } } },
	{ "host=a,,b", 3, { { "a", "", "", true }, { "", "", "", false },
	    { "b", "", "", true } } },
	{ "dbname=onecred", 1, { { "", "", "", false } } },
	{ "", 1, { { "", "", "", false } } }
};

START_TEST(hosts)
{
	const struct endpoint *found;
	struct conninfo *ci;
	const char *why;
	size_t count;

	(void)unsetenv("PGHOST");
	(void)unsetenv("PGHOSTADDR");
	(void)unsetenv("PGSERVICE");
	ci = conninfo_new(strings[_i].text, "test", &why);
	ck_assert_ptr_nonnull(ci);
	ck_assert_ptr_null(why);
	found = conninfo_hosts(ci, &count);
	ck_assert_uint_eq(count, strings[_i].count);
	for (size_t i = 0; i < count; i++) {
		const struct expected *e = &strings[_i].hosts[i];

		ck_assert_str_eq(found[i].host, e->host);
		ck_assert_str_eq(found[i].addr, e->addr);
		ck_assert_str_eq(found[i].port, e->port);
		ck_assert_int_eq(endpoint_needs_address(&found[i]),
		    e->resolve);
	}
	conninfo_free(&ci);
	ck_assert_ptr_null(ci);
	conninfo_free(&ci);
}
END_TEST

/* None of these may appear in what is logged about them: "canary". */
static const char *const refused[] = {
	"host", "host=", "password=canary tulip", "canary=1", "host='canary",
	"host=a,b port=1,2,3 password=canary", "postgresql://canary@[::1",
	"host=a hostaddr=10.0.0.1,10.0.0.2 password=canary",
	"host=a,b,c hostaddr=10.0.0.1,10.0.0.2 password=canary",
	"host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 password=canary",
	"postgresql://u:canary%0@h/", "host=a port=1,2 password=canary"
};

START_TEST(no_connection_string)
{
	struct conninfo *ci;
	const char *why;

	ci = conninfo_new(refused[_i], "test", &why);
	if (strcmp(refused[_i], "host=") == 0) {
		ck_assert_ptr_nonnull(ci);
		conninfo_free(&ci);
		return;
	}
	ck_assert_ptr_null(ci);
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_null(strstr(why, "canary"));
	ck_assert_ptr_null(strstr(why, "tulip"));
}
END_TEST

START_TEST(sixteen_hosts)
{
	struct conninfo *ci;
	const char *why;
	size_t count;

	ci = conninfo_new("host=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", "test", &why);
	ck_assert_ptr_nonnull(ci);
	(void)conninfo_hosts(ci, &count);
	ck_assert_uint_eq(count, CONNINFO_HOSTS_MAX);
	conninfo_free(&ci);
}
END_TEST

/* libpq resolves the hosts of a service file itself: allowed, but said. */
START_TEST(service)
{
	struct conninfo *ci;
	const char *why;

	ci = conninfo_new("service=onecred", "test", &why);
	ck_assert_ptr_nonnull(ci);
	ck_assert_ptr_nonnull(why);
	conninfo_free(&ci);
}
END_TEST

START_TEST(environment_names_the_host)
{
	const struct endpoint *found;
	struct conninfo *ci;
	const char *why;
	size_t count;

	(void)setenv("PGHOST", "db1,db2", 1);
	ci = conninfo_new("dbname=x", "test", &why);
	ck_assert_ptr_nonnull(ci);
	found = conninfo_hosts(ci, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(found[1].host, "db2");
	ck_assert(endpoint_needs_address(&found[1]));
	conninfo_free(&ci);
	ci = conninfo_new("host=db3", "test", &why);
	found = conninfo_hosts(ci, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(found[0].host, "db3");
	conninfo_free(&ci);
	(void)unsetenv("PGHOST");
}
END_TEST

/* What libpq was given: addresses beside names, in order. */
START_TEST(connects_to_the_list)
{
	static const struct endpoint list[] = {
		{ "db1", "127.0.0.1", "1" }, { "/nowhere", "", "2" }
	};
	struct conninfo *ci;
	const char *why;
	PGconn *pg;

	ci = conninfo_new("host=db1,/nowhere port=1,2 user=u dbname=d "
	    "application_name=mine", "test", &why);
	ck_assert_ptr_nonnull(ci);
	pg = conninfo_connect(ci, list, 2);
	ck_assert_ptr_nonnull(pg);
	ck_assert_str_eq(PQhost(pg), "db1");
	ck_assert_str_eq(PQhostaddr(pg), "127.0.0.1");
	ck_assert_str_eq(PQport(pg), "1");
	ck_assert_str_eq(PQuser(pg), "u");
	ck_assert_str_eq(PQdb(pg), "d");
	PQfinish(pg);
	pg = conninfo_connect(ci, &list[1], 1);
	ck_assert_ptr_nonnull(pg);
	ck_assert_str_eq(PQhost(pg), "/nowhere");
	PQfinish(pg);
	conninfo_free(&ci);
}
END_TEST

START_TEST(delays_grow_to_a_bound)
{
	struct backoff backoff = { 0 };
	unsigned int bound = BACKOFF_FIRST_MS, ms;

	for (int i = 0; i < 50; i++) {
		ms = backoff_next(&backoff);
		ck_assert_uint_ge(ms, bound / 2);
		ck_assert_uint_le(ms, bound);
		bound = bound * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS :
		    bound * 2;
	}
	backoff_reset(&backoff);
	ck_assert_uint_le(backoff_next(&backoff), BACKOFF_FIRST_MS);
}
END_TEST

struct lines {
	unsigned int	count;
	char		last[1024];
};

static void
line_keep(void *arg, enum log_level level, const char *line)
{
	struct lines *lines = arg;

	(void)level;
	lines->count++;
	(void)snprintf(lines->last, sizeof(lines->last), "%s", line);
}

START_TEST(a_fault_is_told_once)
{
	struct lines lines = { .count = 0 };
	const struct sink sink = { line_keep, &lines, LEVEL_INFO };
	struct fault_log faults = { .sink = &sink };

	for (int i = 0; i < 1000; i++)
		fault_write(&faults, LEVEL_ERROR, "the same %d", 1);
	ck_assert_uint_eq(lines.count, 1);
	fault_write(&faults, LEVEL_ERROR, "another");
	ck_assert_uint_eq(lines.count, 2);
	ck_assert_str_eq(lines.last, "another");
	/* Two that take turns are still two. */
	for (int i = 0; i < 1000; i++)
		fault_write(&faults, LEVEL_ERROR, "turn %d", i % 2);
	ck_assert_uint_eq(lines.count, 4);
	/* Time passes. */
	for (size_t i = 0; i < FAULT_KINDS; i++)
		faults.kinds[i].at -= FAULT_REPEAT_MS + 1;
	fault_write(&faults, LEVEL_ERROR, "the same %d", 1);
	ck_assert_uint_eq(lines.count, 5);
	ck_assert_str_eq(lines.last, "the same 1 (and 999 more since)");
}
END_TEST

static const struct {
	const char	*text, *line;
	size_t		 cap;
} messages[] = {
	{ "connection failed\n\tIs it running?\n",
	    "connection failed Is it running?", 64 },
	{ "", "", 64 }, { "\n\n", "", 64 }, { " a  b ", "a b", 64 },
	{ "abcdef", "abc", 4 }, { "ab cd", "ab", 4 }, { "abc", "", 1 },
	{ "\x1b[31m\x01", "[31m", 64 }
};

START_TEST(one_line)
{
	char out[64];

	fault_one_line(messages[_i].text, out, messages[_i].cap);
	ck_assert_str_eq(out, messages[_i].line);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("store_conninfo");
	TCase *tc = tcase_create("conninfo");

	tcase_add_loop_test(tc, hosts, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_loop_test(tc, no_connection_string, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, sixteen_hosts);
	tcase_add_test(tc, service);
	tcase_add_test(tc, environment_names_the_host);
	tcase_add_test(tc, connects_to_the_list);
	tcase_add_test(tc, delays_grow_to_a_bound);
	tcase_add_test(tc, a_fault_is_told_once);
	tcase_add_loop_test(tc, one_line, 0,
	    sizeof(messages) / sizeof(messages[0]));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
