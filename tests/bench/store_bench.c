/*
 * One run of lookups, by the store or by a bare libpq pipeline loop with the
 * same prepared statement; bench_store.py lets them take turns.
 *
 *     store_bench bare|store CONNINFO_FILE CONNECTIONS IN_FLIGHT MS USERS
 *
 * Prints: ops_per_s= p50_us= p99_us= cpu_us= (client, per lookup) rss_kb=
 * bad=. The bare loop sends IN_FLIGHT / CONNECTIONS lookups under one sync,
 * takes all their results and begins again; it copies nothing and has no
 * deadline, cancellation, or reconnect: what libpq itself can do.
 */

#include <sys/resource.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "store/clock.h"
#include "store/lookup_sql.h"
#include "store/store.h"
#include "store/xalloc.h"

#define CONNECTIONS_MAX	16
#define FLIGHT_MAX	1024
#define WARM_UP_NS	200000000
#define LATENCY_MAX_US	200000	/* histogram of 1 us steps */
#define NAME_MAX_LEN	32

struct request {
	char		name[NAME_MAX_LEN];
	int64_t		sent;
};

struct line {
	PGconn		*pg;
	struct request	*requests;
	unsigned int	 sent, done;
};

static struct {
	unsigned int	 users, flight, connections;
	int64_t		 start, end;	/* of what is counted */
	uint64_t	 ops, bad;
	double		 cpu;
	uint32_t	 random;
	uint32_t	 latency[LATENCY_MAX_US];
	struct request	 requests[FLIGHT_MAX];
	struct event_base *base;
	struct store	*store;
	unsigned int	 open;
} b = { .random = 2463534242U };

static int64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static double
cpu_seconds(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* bench000000 and so on; the generator is Marsaglia's xorshift. */
static void
request_draw(struct request *request)
{
	uint32_t n;

	b.random ^= b.random << 13;
	b.random ^= b.random >> 17;
	b.random ^= b.random << 5;
	n = b.random % b.users;
	memcpy(request->name, "bench000000", 12);
	for (char *digit = request->name + 10; n > 0; n /= 10)
		*digit-- = (char)('0' + n % 10);
	request->sent = now_ns();
}

static void
request_count(const struct request *request, bool good)
{
	int64_t now = now_ns(), us = (now - request->sent) / 1000;

	if (!good)
		b.bad++;
	if (request->sent < b.start) {
		if (now >= b.start)
			b.cpu = cpu_seconds();
		return;
	}
	if (now >= b.end)
		return;
	b.ops++;
	b.latency[us < LATENCY_MAX_US ? us : LATENCY_MAX_US - 1]++;
}

/* The bare loop. */

static void
line_open(struct line *line, const char *conninfo)
{
	PGresult *result;

	line->pg = PQconnectdb(conninfo);
	if (PQstatus(line->pg) != CONNECTION_OK) {
		fputs(PQerrorMessage(line->pg), stderr);
		exit(1);
	}
	result = PQprepare(line->pg, LOOKUP_NAME, lookup_sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		exit(1);
	PQclear(result);
	if (PQsetnonblocking(line->pg, 1) != 0 ||
	    PQenterPipelineMode(line->pg) != 1)
		exit(1);
}

static void
line_send(struct line *line)
{
	for (unsigned int i = 0; i < line->sent; i++) {
		const char *values[3] = { "example.com", NULL, NULL };

		request_draw(&line->requests[i]);
		values[1] = line->requests[i].name;
		if (PQsendQueryPrepared(line->pg, LOOKUP_NAME, 3, values, NULL,
		    NULL, 0) != 1)
			exit(1);
	}
	line->done = 0;
	if (PQpipelineSync(line->pg) != 1 || PQflush(line->pg) != 0)
		exit(1);
}

/* True if the whole batch, its sync too, has been answered. */
static bool
line_take(struct line *line)
{
	while (!PQisBusy(line->pg)) {
		PGresult *result = PQgetResult(line->pg);
		ExecStatusType status;

		if (result == NULL)
			continue;
		status = PQresultStatus(result);
		if (status == PGRES_TUPLES_OK)
			request_count(&line->requests[line->done++],
			    PQntuples(result) == 1 &&
			    !PQgetisnull(result, 0, 0));
		PQclear(result);
		if (status == PGRES_PIPELINE_SYNC)
			return true;
		if (status != PGRES_TUPLES_OK)
			exit(1);
	}
	return false;
}

static void
bare_run(const char *conninfo)
{
	struct line lines[CONNECTIONS_MAX];
	struct pollfd polls[CONNECTIONS_MAX];
	unsigned int i, used = 0;

	for (i = 0; i < b.connections && used < b.flight; i++) {
		lines[i].sent = (b.flight - used) / (b.connections - i);
		if (lines[i].sent == 0)
			lines[i].sent = 1;
		lines[i].requests = &b.requests[used];
		used += lines[i].sent;
		line_open(&lines[i], conninfo);
		polls[i].fd = PQsocket(lines[i].pg);
		polls[i].events = POLLIN;
	}
	b.connections = i;
	b.start = now_ns() + WARM_UP_NS;
	b.end += b.start;
	for (i = 0; i < b.connections; i++)
		line_send(&lines[i]);
	while (now_ns() < b.end) {
		if (poll(polls, b.connections, 1000) < 1)
			exit(1);
		for (i = 0; i < b.connections; i++) {
			if (polls[i].revents == 0)
				continue;
			if (PQconsumeInput(lines[i].pg) != 1)
				exit(1);
			if (line_take(&lines[i]))
				line_send(&lines[i]);
		}
	}
}

/* The store. */

static void	request_ask(struct request *);

static void
store_answer(enum store_status status, const struct credential *credential,
    void *arg)
{
	struct request *request = arg;

	request_count(request, status == STORE_OK && credential->found);
	if (now_ns() < b.end)
		request_ask(request);
	else if (--b.open == 0)
		(void)event_base_loopbreak(b.base);
}

static void
request_ask(struct request *request)
{
	struct store_key key = { .domain = SPAN_LIT("example.com") };

	request_draw(request);
	key.localpart = span_str(request->name);
	(void)store_lookup(b.store, &key, store_answer, request);
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	fprintf(stderr, "%s\n", line);
}

static void
store_run(const char *conninfo)
{
	const struct sink sink = { log_write, NULL, LEVEL_WARNING };
	const struct store_settings settings = {
		.conninfo = conninfo,
		.connections = b.connections,
		.lookup_timeout_ms = 1000,
		.connect_timeout_ms = 5000,
		.application = "store_bench"
	};
	struct store_stats stats = { .ready = 0 };

	b.base = event_base_new();
	b.store = store_new(b.base, &settings, &sink);
	if (b.store == NULL)
		exit(1);
	while (stats.ready < b.connections) {
		(void)event_base_loop(b.base, EVLOOP_ONCE);
		store_stats(b.store, &stats);
	}
	b.start = now_ns() + WARM_UP_NS;
	b.end += b.start;
	b.open = b.flight;
	for (unsigned int i = 0; i < b.flight; i++)
		request_ask(&b.requests[i]);
	(void)event_base_dispatch(b.base);
	store_free(&b.store);
}

static unsigned int
percentile(unsigned int percent)
{
	uint64_t seen = 0, wanted = b.ops * percent / 100;
	unsigned int us = 0;

	while (us < LATENCY_MAX_US - 1 && (seen += b.latency[us]) <= wanted)
		us++;
	return us;
}

static long
rss_kb(void)
{
	long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%ld %ld", &size, &pages) != 2)
		exit(1);
	(void)fclose(f);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

static char *
file_line(const char *path)
{
	static char line[1024];
	FILE *f = fopen(path, "r");

	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		exit(2);
	(void)fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static unsigned int
number(const char *text, unsigned int max)
{
	unsigned long n = strtoul(text, NULL, 10);

	if (n == 0 || n > max)
		exit(2);
	return (unsigned int)n;
}

int
main(int argc, char **argv)
{
	double seconds;

	if (argc != 7)
		return 2;
	b.connections = number(argv[3], CONNECTIONS_MAX);
	b.flight = number(argv[4], FLIGHT_MAX);
	b.end = (int64_t)number(argv[5], 600000) * 1000000;
	b.users = number(argv[6], 1000000);
	seconds = (double)b.end / 1e9;
	b.cpu = cpu_seconds();
	if (strcmp(argv[1], "bare") == 0)
		bare_run(file_line(argv[2]));
	else
		store_run(file_line(argv[2]));
	b.cpu = cpu_seconds() - b.cpu;
	printf("ops_per_s=%.0f p50_us=%u p99_us=%u cpu_us=%.2f rss_kb=%ld "
	    "bad=%llu\n", (double)b.ops / seconds, percentile(50),
	    percentile(99), b.ops > 0 ? b.cpu * 1e6 / (double)b.ops : 0,
	    rss_kb(), (unsigned long long)b.bad);
	return b.bad == 0 ? 0 : 1;
}
