/*
 * Load of SIP requests with a digest: to onecredd's POST /v1/sip over kept
 * connections, or to a SIP server over UDP; the same requests, a constant
 * number in flight (each on a socket of its own), every answer read. First
 * every phone is challenged once, then counts its nc up. Prints one line of
 * key=value.
 *
 *	sip_load -a ADDRESS:PORT -p PASSWORD_FILE [-t TOKEN_FILE [-j]]
 *	    [-m REGISTER|INVITE] [-r REALM] [-u PREFIX] [-n USERS]
 *	    [-f IN_FLIGHT] [-w WARMUP] [-d SECONDS] [-c NAME=PID]...
 *
 * With -t it speaks HTTP (-j: takes the answer as JSON), else SIP. Users are
 * PREFIX0..; -c adds the CPU time per answer and the memory of PID with all
 * its descendants. A REGISTER is asked as=registrar, an INVITE as=proxy.
 */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <event2/util.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "core/crypto.h"
#include "proc_usage.h"
#include "sip_phone.h"

#define IN_FLIGHT_MAX	1024
#define WATCHED_MAX	4
#define TEXT_MAX	128
#define HEAD_MAX	512
#define ANSWER_MAX	8192
#define SAMPLES_MAX	(16 * 1024 * 1024)
#define LOST_AFTER	2000000000u	/* ns; SIP over UDP only */
#define LEARN_SECONDS	20.0

/* One request in flight: a socket, and the phones that take turns on it. */
struct line {
	int		 fd;
	unsigned int	 port;
	size_t		 phone, got;
	uint64_t	 sent;		/* ns */
	char		 answer[ANSWER_MAX];
};

static struct options {
	struct sockaddr_storage address;
	int		address_n;
	char		password[TEXT_MAX], token[TEXT_MAX];
	bool		http, json;
	size_t		users, in_flight;
	double		warmup, seconds;
	struct proc_usage watched[WATCHED_MAX];
	size_t		watched_n;
} options = {
	.users = 1000, .in_flight = 32, .warmup = 0.2, .seconds = 2
};

static struct sip_phones all = { .realm = "example.com", .prefix = "bench" };
static struct sip_phone *phones;
static struct line *lines;
static uint32_t *samples;	/* ns / 16, saturated */
static size_t sample_n, learned;
static uint64_t serial, accepted, challenged, bad, lost;
static bool measuring;

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t
now_nsec(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool
read_line(const char *path, char *out)
{
	FILE *f = fopen(path, "r");

	if (f == NULL || fgets(out, TEXT_MAX, f) == NULL)
		die(path);
	(void)fclose(f);
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] != '\0';
}

static void
fire(struct line *line)
{
	uint8_t octets[HEAD_MAX + SIP_PHONE_REQUEST];
	char head[HEAD_MAX];
	struct wbuf request;
	int n = 0;

	/* The request behind the head's place, which is then filled. */
	wbuf_init(&request, octets + HEAD_MAX, SIP_PHONE_REQUEST);
	if (sip_phone_write(&all, &phones[line->phone], ++serial, line->port,
	    &request) != 0 || request.failed)
		die("request");
	if (options.http)
		n = snprintf(head, sizeof(head), "POST /v1/sip?as=%s&realm=%s"
		    "&source=192.0.2.7 HTTP/1.1\r\nHost: localhost\r\n"
		    "Authorization: Bearer %s\r\nAccept: %s\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    all.invite ? "proxy" : "registrar", all.realm,
		    options.token, options.json ? "application/json" :
		    "text/plain", request.n);
	if (n < 0 || n >= HEAD_MAX)
		die("head");
	memcpy(octets + HEAD_MAX - n, head, (size_t)n);
	line->got = 0;
	line->sent = now_nsec(CLOCK_MONOTONIC);
	if (send(line->fd, octets + HEAD_MAX - n, (size_t)n + request.n,
	    MSG_NOSIGNAL) != (ssize_t)((size_t)n + request.n))
		die("send");
}

/* Whether all of an HTTP answer has come; its status must be 200. */
static bool
http_is_whole(const struct line *line)
{
	const char *end = strstr(line->answer, "\r\n\r\n");
	const char *length = strcasestr(line->answer, "\r\nContent-Length:");

	if (end == NULL)
		return false;
	if (length == NULL || length > end)
		die("no Content-Length");
	return (size_t)(end + 4 - line->answer) + strtoul(length + 17, NULL,
	    10) <= line->got;
}

/* What the answer says about the phone whose turn it was. */
static void
take(struct line *line)
{
	struct sip_phone *phone = &phones[line->phone];
	const char *text = line->answer;
	bool first = phone->nonce[0] == '\0', yes;

	yes = options.http ? strncmp(text, "HTTP/1.1 200 ", 13) == 0 &&
	    strstr(text, options.json ? "\"accept\"" : "\n200 accept ") !=
	    NULL : strncmp(text, "SIP/2.0 200 ", 12) == 0;
	if (yes)
		accepted++;
	else if (!sip_phone_challenged(phone, text))
		bad++;
	else if (first)
		learned++;
	else
		challenged++;
}

static void
on_readable(struct line *line)
{
	ssize_t n = recv(line->fd, line->answer + line->got,
	    ANSWER_MAX - 1 - line->got, MSG_DONTWAIT);
	uint64_t took;

	if (n <= 0)
		die("recv");
	line->got += (size_t)n;
	line->answer[line->got] = '\0';
	if (options.http) {
		if (!http_is_whole(line))
			return;
	} else if (strstr(line->answer, phones[line->phone].call) == NULL) {
		/* An answer to what was given up. */
		line->got = 0;
		return;
	}
	took = (now_nsec(CLOCK_MONOTONIC) - line->sent) / 16;
	if (measuring && sample_n < SAMPLES_MAX)
		samples[sample_n++] = took > UINT32_MAX ? UINT32_MAX :
		    (uint32_t)took;
	take(line);
	/* No phone is on two lines: its nc rise in order. */
	line->phone += options.in_flight;
	if (line->phone >= options.users)
		line->phone %= options.in_flight;
	fire(line);
}

/* Gives up what went unanswered, and asks again. */
static void
sweep(void)
{
	uint64_t now = now_nsec(CLOCK_MONOTONIC);

	for (size_t i = 0; i < options.in_flight; i++)
		if (now - lines[i].sent > LOST_AFTER) {
			lost++;
			fire(&lines[i]);
		}
}

/* Until the time is over; or, with learning, until all were challenged. */
static void
run(int ep, double seconds, bool learning)
{
	uint64_t end = now_nsec(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
	struct epoll_event events[64];
	unsigned int turns = 0;

	while (now_nsec(CLOCK_MONOTONIC) < end) {
		int ready = epoll_wait(ep, events, 64, 100);

		for (int i = 0; i < ready; i++)
			on_readable(&lines[events[i].data.u32]);
		if (ready <= 0 || ++turns % 4096 == 0)
			sweep();
		if (learning && learned >= options.users)
			return;
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
percentile(double p)
{
	return sample_n == 0 ? 0 :
	    samples[(size_t)(p * (double)(sample_n - 1))] * 16 / 1e3;
}

static void
measure(int ep)
{
	uint64_t start, own;
	double seconds, answers;

	for (size_t i = 0; i < options.in_flight; i++)
		fire(&lines[i]);
	run(ep, LEARN_SECONDS, true);
	if (learned < options.users)
		bad += options.users - learned;
	run(ep, options.warmup, false);
	challenged = accepted = 0;
	measuring = true;
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_start(&options.watched[i]);
	own = now_nsec(CLOCK_PROCESS_CPUTIME_ID);
	start = now_nsec(CLOCK_MONOTONIC);
	run(ep, options.seconds, false);
	seconds = (double)(now_nsec(CLOCK_MONOTONIC) - start) / 1e9;
	own = now_nsec(CLOCK_PROCESS_CPUTIME_ID) - own;
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_end(&options.watched[i]);

	qsort(samples, sample_n, sizeof(*samples), compare);
	answers = (double)(sample_n == 0 ? 1 : sample_n);
	printf("ops=%.0f p50_us=%.1f p99_us=%.1f accepted=%" PRIu64
	    " challenged=%" PRIu64 " bad=%" PRIu64 " lost=%" PRIu64
	    " cpu_us_load=%.2f", (double)accepted / seconds, percentile(0.5),
	    percentile(0.99), accepted, challenged, bad, lost,
	    (double)own / 1e3 / answers);
	for (size_t i = 0; i < options.watched_n; i++)
		printf(" cpu_us_%s=%.2f rss_kb_%s=%lu",
		    options.watched[i].name,
		    options.watched[i].cpu_seconds * 1e6 / answers,
		    options.watched[i].name, options.watched[i].rss_kb);
	printf("\n");
}

static void
line_open(struct line *line, size_t i, int ep)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t n = sizeof(name);
	int one = 1;

	event.data.u32 = (uint32_t)i;
	line->phone = i;
	line->fd = socket(options.address.ss_family, options.http ?
	    SOCK_STREAM : SOCK_DGRAM, 0);
	if (line->fd < 0 || connect(line->fd,
	    (struct sockaddr *)&options.address,
	    (socklen_t)options.address_n) != 0 ||
	    getsockname(line->fd, (struct sockaddr *)&name, &n) != 0 ||
	    (options.http && setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY,
	    &one, sizeof(one)) != 0) ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, line->fd, &event) != 0)
		die("socket");
	line->port = ntohs(name.sin_port);
}

static bool
option(int c, char *value)
{
	switch (c) {
	case 'a':
		options.address_n = sizeof(options.address);
		return evutil_parse_sockaddr_port(value,
		    (struct sockaddr *)&options.address,
		    &options.address_n) == 0;
	case 'p':
		return read_line(value, options.password);
	case 't':
		options.http = true;
		return read_line(value, options.token);
	case 'j':
		options.json = true;
		return true;
	case 'm':
		all.invite = strcmp(value, "INVITE") == 0;
		return all.invite || strcmp(value, "REGISTER") == 0;
	case 'r':
		all.realm = value;
		return true;
	case 'u':
		all.prefix = value;
		return true;
	case 'n':
		options.users = strtoul(value, NULL, 10);
		return true;
	case 'f':
		options.in_flight = strtoul(value, NULL, 10);
		return options.in_flight > 0 &&
		    options.in_flight <= IN_FLIGHT_MAX;
	case 'w':
		options.warmup = strtod(value, NULL);
		return true;
	case 'd':
		options.seconds = strtod(value, NULL);
		return options.seconds > 0;
	case 'c':
		return options.watched_n < WATCHED_MAX && proc_usage_read(
		    &options.watched[options.watched_n++], value);
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	int c, ep = epoll_create1(0);

	while ((c = getopt(argc, argv, "a:p:t:jm:r:u:n:f:w:d:c:")) != -1)
		if (!option(c, optarg)) {
			(void)fprintf(stderr, "sip_load: bad option\n");
			return 2;
		}
	if (options.address_n == 0 || options.password[0] == '\0' ||
	    options.users < options.in_flight) {
		(void)fprintf(stderr, "sip_load: -a and -p are needed, and at "
		    "least as many users as in flight\n");
		return 2;
	}
	phones = calloc(options.users, sizeof(*phones));
	lines = calloc(options.in_flight, sizeof(*lines));
	samples = calloc(SAMPLES_MAX, sizeof(*samples));
	if (phones == NULL || lines == NULL || samples == NULL || ep < 0 ||
	    crypto_new(NULL, &all.crypto) != 0)
		die("start");
	all.password = span_str(options.password);
	/* Serials of two runs must not meet: they are Call-IDs. */
	serial = now_nsec(CLOCK_REALTIME);
	for (size_t i = 0; i < options.users; i++)
		if (sip_phone_init(&all, i, &phones[i]) != 0)
			die("phone");
	for (size_t i = 0; i < options.in_flight; i++)
		line_open(&lines[i], i, ep);
	measure(ep);
	crypto_free(&all.crypto);
	return challenged + bad + lost > 0 ? 1 : 0;
}
