/*
 * Load on helpers of ejabberd's external authentication: starts them as
 * ejabberd does (two pipes each), keeps exactly one request outstanding per
 * helper, checks every answer. Every 16th password is wrong. Prints one line
 * of key=value.
 *
 *	extauth_load -p PASSWORD_FILE [-D DOMAIN] [-u PREFIX] [-n USERS]
 *	    [-j HELPERS] [-w WARMUP] [-d SECONDS] [-c NAME=PID]...
 *	    -- HELPER [ARGUMENT]...
 *
 * Users are PREFIX0..; CPU time per answer and memory are those of all
 * helpers; -c adds the same of PID with its descendants.
 */

#include <sys/epoll.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc_usage.h"

#define HELPERS_MAX	64
#define WATCHED_MAX	4
#define FRAME_MAX	512
#define SAMPLES_MAX	(8 * 1024 * 1024)
#define WRONG_EVERY	16

struct helper {
	pid_t		pid;
	int		in, out;	/* ours: we read in, write out */
	uint64_t	sent;		/* ns */
	uint8_t		expected;
	struct proc_usage usage;
};

static struct options {
	char		password[128];
	const char	*domain, *prefix;
	uint64_t	users;
	size_t		helpers;
	double		warmup, seconds;
	struct proc_usage watched[WATCHED_MAX];
	size_t		watched_n;
	char		**argv;
} options = {
	.domain = "example.com", .prefix = "bench", .users = 1000,
	.helpers = 1, .warmup = 0.3, .seconds = 2
};

static struct helper	helpers[HELPERS_MAX];
static uint32_t		*samples;
static size_t		samples_n;
static uint64_t		next_user, asked;

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "extauth_load: %s\n", what);
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

static void
helper_start(struct helper *h)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		die("pipe");
	h->pid = fork();
	if (h->pid < 0)
		die("fork");
	if (h->pid == 0) {
		if (dup2(to[0], 0) != 0 || dup2(from[1], 1) != 1)
			_exit(127);
		(void)execv(options.argv[0], options.argv);
		_exit(127);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	h->out = to[1];
	h->in = from[0];
	h->usage = (struct proc_usage){ .name = "helpers",
	    .pid = (int)h->pid };
}

static void
ask(struct helper *h)
{
	bool wrong = asked++ % WRONG_EVERY == WRONG_EVERY - 1;
	uint8_t frame[FRAME_MAX];
	int n;

	n = snprintf((char *)frame + 2, sizeof(frame) - 2,
	    "auth:%s%" PRIu64 ":%s:%s%s", options.prefix,
	    next_user++ % options.users, options.domain, options.password,
	    wrong ? "x" : "");
	if (n < 0 || (size_t)n >= sizeof(frame) - 2)
		die("the frame is too long");
	frame[0] = (uint8_t)(n >> 8);
	frame[1] = (uint8_t)n;
	h->expected = wrong ? 0 : 1;
	h->sent = now_ns();
	if (write(h->out, frame, (size_t)n + 2) != n + 2)
		die("a helper does not read");
}

static void
answered(struct helper *h, uint64_t now, bool counts)
{
	uint8_t answer[4];
	uint64_t took = now - h->sent;

	if (read(h->in, answer, 4) != 4)
		die("a helper has ended");
	if (answer[0] != 0 || answer[1] != 2 || answer[2] != 0 ||
	    answer[3] != h->expected)
		die("a wrong answer");
	if (counts && samples_n < SAMPLES_MAX)
		samples[samples_n++] = took > UINT32_MAX ? UINT32_MAX :
		    (uint32_t)took;
}

/* Asks and hears until end; every helper is idle at the end. */
static void
run(int epoll, double seconds, bool counts)
{
	uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
	struct epoll_event events[HELPERS_MAX];
	size_t open = options.helpers;

	for (size_t i = 0; i < options.helpers; i++)
		ask(&helpers[i]);
	while (open > 0) {
		int n = epoll_wait(epoll, events, HELPERS_MAX, 40000);
		uint64_t now = now_ns();

		if (n <= 0)
			die("no answer");
		for (int i = 0; i < n; i++) {
			struct helper *h = events[i].data.ptr;

			answered(h, now, counts);
			if (now < end)
				ask(h);
			else
				open--;
		}
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
percentile(double part)
{
	return (double)samples[(size_t)(part * (double)(samples_n - 1))] /
	    1000;
}

static void
report(double seconds)
{
	double n = (double)samples_n, cpu = 0, rss = 0;

	for (size_t i = 0; i < options.helpers; i++) {
		cpu += helpers[i].usage.cpu_seconds;
		rss += (double)helpers[i].usage.rss_kb;
	}
	qsort(samples, samples_n, sizeof(samples[0]), compare);
	(void)printf("ops=%.1f p50_us=%.1f p99_us=%.1f cpu_us_helpers=%.2f "
	    "rss_kb_helpers=%.0f", n / seconds, percentile(0.5),
	    percentile(0.99), cpu * 1e6 / n, rss);
	for (size_t i = 0; i < options.watched_n; i++)
		(void)printf(" cpu_us_%s=%.2f rss_kb_%s=%lu",
		    options.watched[i].name,
		    options.watched[i].cpu_seconds * 1e6 / n,
		    options.watched[i].name, options.watched[i].rss_kb);
	(void)putchar('\n');
}

static void
read_options(int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "c:d:D:j:n:p:u:w:")) != -1) {
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
			options.helpers = (size_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			options.users = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			read_password(optarg);
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
	options.argv = argv + optind;
	if (options.argv[0] == NULL || options.password[0] == '\0' ||
	    options.users == 0 || options.helpers == 0 ||
	    options.helpers > HELPERS_MAX)
		die("usage: see the top of the source");
}

int
main(int argc, char *argv[])
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t start;
	double seconds;

	read_options(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	samples = calloc(SAMPLES_MAX, sizeof(samples[0]));
	if (samples == NULL || epoll < 0)
		die("out of memory");
	for (size_t i = 0; i < options.helpers; i++) {
		helper_start(&helpers[i]);
		event.data.ptr = &helpers[i];
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, helpers[i].in,
		    &event) != 0)
			die("epoll_ctl");
	}
	run(epoll, options.warmup, false);
	for (size_t i = 0; i < options.helpers; i++)
		proc_usage_start(&helpers[i].usage);
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_start(&options.watched[i]);
	start = now_ns();
	run(epoll, options.seconds, true);
	seconds = (double)(now_ns() - start) / 1e9;
	for (size_t i = 0; i < options.helpers; i++)
		proc_usage_end(&helpers[i].usage);
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_end(&options.watched[i]);
	report(seconds);
	for (size_t i = 0; i < options.helpers; i++) {
		(void)close(helpers[i].out);
		(void)waitpid(helpers[i].pid, NULL, 0);
	}
	free(samples);
	return 0;
}
