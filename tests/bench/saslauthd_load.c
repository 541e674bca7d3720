/*
 * Load on a socket that speaks Cyrus SASL's saslauthd protocol, as libsasl2
 * does it: for each check a connection, one write, the answer, close. Checks
 * every answer. Every 16th password is wrong. Prints one line of key=value.
 *
 *	saslauthd_load -s SOCKET -p PASSWORD_FILE [-D DOMAIN] [-u PREFIX]
 *	    [-n USERS] [-j IN_FLIGHT] [-w WARMUP] [-d SECONDS]
 *	    [-c NAME=PID]...
 *
 * Users are PREFIX0..; -c adds CPU time per answer and memory of PID with its
 * descendants. A thread per request in flight: libsasl2 blocks.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc_usage.h"

#define THREADS_MAX	64
#define WATCHED_MAX	4
#define REQUEST_MAX	512
#define SAMPLES_MAX	(1024 * 1024)	/* per thread */
#define WRONG_EVERY	16
#define ANSWER_MAX	64

struct client {
	pthread_t	 thread;
	uint64_t	 next_user, asked;
	uint32_t	*samples;	/* ns */
	size_t		 samples_n;
	uint64_t	 end;		/* ns */
	bool		 counts;
};

static struct options {
	char		password[128];
	const char	*domain, *prefix;
	uint64_t	users;
	size_t		clients;
	double		warmup, seconds;
	struct proc_usage watched[WATCHED_MAX];
	size_t		watched_n;
	struct sockaddr_un address;
} options = {
	.domain = "example.com", .prefix = "bench", .users = 1000,
	.clients = 1, .warmup = 0.3, .seconds = 2,
	.address = { .sun_family = AF_UNIX }
};

static struct client	clients[THREADS_MAX];

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "saslauthd_load: %s\n", what);
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
read_password(const char *path)
{
	FILE *f = fopen(path, "r");

	if (f == NULL || fgets(options.password, sizeof(options.password),
	    f) == NULL)
		die("cannot read the password file");
	options.password[strcspn(options.password, "\r\n")] = '\0';
	(void)fclose(f);
}

static size_t
put(uint8_t *at, const char *text)
{
	size_t n = strlen(text);

	if (n > REQUEST_MAX / 5)
		die("the request is too long");
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
	memcpy(at + 2, text, n);
	return n + 2;
}

/* Both have to come whole: libsasl2 reads twice. */
static void
must_read(int fd, uint8_t *out, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, out, n);

		if (got <= 0)
			die("no answer");
		out += got;
		n -= (size_t)got;
	}
}

static void
check(struct client *c)
{
	bool wrong = c->asked++ % WRONG_EVERY == WRONG_EVERY - 1;
	uint8_t request[REQUEST_MAX], answer[ANSWER_MAX];
	char text[REQUEST_MAX];
	uint64_t start;
	size_t n, count;
	int fd;

	(void)snprintf(text, sizeof(text), "%s%" PRIu64, options.prefix,
	    c->next_user++ % options.users);
	n = put(request, text);
	(void)snprintf(text, sizeof(text), "%s%s", options.password,
	    wrong ? "x" : "");
	n += put(request + n, text);
	n += put(request + n, "xmpp");
	n += put(request + n, options.domain);
	start = now_ns();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&options.address,
	    sizeof(options.address)) != 0)
		die("cannot connect");
	if (write(fd, request, n) != (ssize_t)n)
		die("cannot write");
	must_read(fd, answer, 2);
	count = (size_t)answer[0] << 8 | answer[1];
	if (count < 2 || count > sizeof(answer))
		die("a broken answer");
	must_read(fd, answer, count);
	(void)close(fd);
	if (memcmp(answer, wrong ? "NO" : "OK", 2) != 0)
		die("a wrong answer");
	if (c->counts && c->samples_n < SAMPLES_MAX)
		c->samples[c->samples_n++] = (uint32_t)(now_ns() - start);
}

static void *
client_run(void *arg)
{
	struct client *c = arg;

	do
		check(c);
	while (now_ns() < c->end);
	return NULL;
}

static void
run(double seconds, bool counts)
{
	for (size_t i = 0; i < options.clients; i++) {
		clients[i].counts = counts;
		clients[i].end = now_ns() + (uint64_t)(seconds * 1e9);
		if (pthread_create(&clients[i].thread, NULL, client_run,
		    &clients[i]) != 0)
			die("pthread_create");
	}
	for (size_t i = 0; i < options.clients; i++)
		(void)pthread_join(clients[i].thread, NULL);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
report(double seconds)
{
	uint32_t *all;
	size_t n = 0;

	all = calloc(options.clients * SAMPLES_MAX, sizeof(*all));
	if (all == NULL)
		die("out of memory");
	for (size_t i = 0; i < options.clients; i++) {
		memcpy(all + n, clients[i].samples,
		    clients[i].samples_n * sizeof(*all));
		n += clients[i].samples_n;
	}
	qsort(all, n, sizeof(*all), compare);
	(void)printf("ops=%.1f p50_us=%.1f p99_us=%.1f", (double)n / seconds,
	    (double)all[n / 2] / 1000,
	    (double)all[(size_t)((double)(n - 1) * 0.99)] / 1000);
	for (size_t i = 0; i < options.watched_n; i++)
		(void)printf(" cpu_us_%s=%.2f rss_kb_%s=%lu",
		    options.watched[i].name,
		    options.watched[i].cpu_seconds * 1e6 / (double)n,
		    options.watched[i].name, options.watched[i].rss_kb);
	(void)putchar('\n');
	free(all);
}

static void
read_options(int argc, char *argv[])
{
	char *path = options.address.sun_path;
	int c;

	while ((c = getopt(argc, argv, "c:d:D:j:n:p:s:u:w:")) != -1) {
		switch (c) {
		case 'c':
			if (options.watched_n == WATCHED_MAX ||
			    !proc_usage_read(&options.watched[
			    options.watched_n++], optarg))
				die("-c NAME=PID");
			break;
		case 'd':
			options.seconds = strtod(optarg, NULL);
			break;
		case 'D':
			options.domain = optarg;
			break;
		case 'j':
			options.clients = (size_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			options.users = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			read_password(optarg);
			break;
		case 's':
			(void)snprintf(path, sizeof(options.address.sun_path),
			    "%s", optarg);
			break;
		case 'u':
			options.prefix = optarg;
			break;
		case 'w':
			options.warmup = strtod(optarg, NULL);
			break;
		default:
			exit(2);
		}
	}
	if (path[0] == '\0' || options.password[0] == '\0' ||
	    options.users == 0 || options.clients == 0 ||
	    options.clients > THREADS_MAX)
		die("usage: see the top of the source");
}

int
main(int argc, char *argv[])
{
	uint64_t start;
	double seconds;

	read_options(argc, argv);
	for (size_t i = 0; i < options.clients; i++) {
		clients[i].next_user = i * options.users / options.clients;
		clients[i].samples = calloc(SAMPLES_MAX, sizeof(uint32_t));
		if (clients[i].samples == NULL)
			die("out of memory");
	}
	run(options.warmup, false);
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_start(&options.watched[i]);
	start = now_ns();
	run(options.seconds, true);
	seconds = (double)(now_ns() - start) / 1e9;
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_end(&options.watched[i]);
	report(seconds);
	for (size_t i = 0; i < options.clients; i++)
		free(clients[i].samples);
	return 0;
}
