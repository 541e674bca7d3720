/*
 * Load on a RADIUS server: Access-Requests with a SIP digest in the encoding
 * of draft-sterman (the only one that FreeRADIUS knows), a constant number in
 * flight, every answer checked. Requests are prepared beforehand, so that the
 * generator costs the two cores little. Prints one line of key=value.
 *
 *	radius_load -a ADDRESS:PORT -s SECRET_FILE -p PASSWORD_FILE -r REALM
 *	    [-u PREFIX] [-n USERS] [-f IN_FLIGHT] [-k SOCKETS] [-w WARMUP]
 *	    [-d SECONDS] [-c NAME=PID]...
 *
 * Users are PREFIX0..; -c adds the CPU time per answer and the memory of PID
 * with all its descendants.
 */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <event2/util.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/wbuf.h"
#include "doors/radius_packet.h"
#include "proc_usage.h"

#define SOCKETS_MAX	64
#define WATCHED_MAX	4
#define TEXT_MAX	128
#define REQUEST_MAX	400
#define ANSWER_MAX	400
#define BATCH		64
#define SAMPLES_MAX	(16 * 1024 * 1024)
#define LOST_AFTER	2000000000u	/* ns */

struct template {
	uint16_t	n;
	uint8_t		octets[REQUEST_MAX];
};

/* What is in flight under one identifier of one socket. */
struct slot {
	bool		busy;
	uint64_t	sent;		/* ns */
	uint8_t		authenticator[RADIUS_AUTHENTICATOR_SIZE];
};

/* One system call for many datagrams: the generator must not be the limit. */
struct batch {
	unsigned int	out_n;
	uint8_t		in[BATCH][ANSWER_MAX], out[BATCH][REQUEST_MAX];
	struct iovec	in_iov[BATCH], out_iov[BATCH];
	struct mmsghdr	in_msg[BATCH], out_msg[BATCH];
};

static struct options {
	struct sockaddr_storage address;
	int		address_n;
	uint8_t		secret[TEXT_MAX], password[TEXT_MAX];
	size_t		secret_n, password_n;
	const char	*realm, *prefix;
	size_t		users, in_flight, sockets;
	double		warmup, seconds;
	struct proc_usage watched[WATCHED_MAX];
	size_t		watched_n;
} options = {
	.realm = "example.com", .prefix = "bench", .users = 1000,
	.in_flight = 32, .sockets = 4, .warmup = 0.5, .seconds = 2
};

static struct crypto *crypto;
static struct template *templates;
static int fds[SOCKETS_MAX];
static struct slot slots[SOCKETS_MAX][256];
static uint8_t next_id[SOCKETS_MAX];
static uint32_t *samples;	/* ns / 16, saturated */
static size_t sample_n;
static uint64_t sequence, accepted, rejected, bad, lost;
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

static void
read_line(const char *path, uint8_t *out, size_t *n)
{
	FILE *f = fopen(path, "r");
	char line[TEXT_MAX] = "";

	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		die(path);
	(void)fclose(f);
	*n = strcspn(line, "\r\n");
	memcpy(out, line, *n);
}

static void
attribute(struct wbuf *wb, uint8_t type, struct span value)
{
	wbuf_u8(wb, type);
	wbuf_u8(wb, (uint8_t)(value.n + 2));
	wbuf_span(wb, value);
}

static void
sub_attribute(struct wbuf *wb, uint8_t type, struct span value)
{
	wbuf_u8(wb, 207);
	wbuf_u8(wb, (uint8_t)(value.n + 4));
	attribute(wb, type, value);
}

/* As Kamailio sends it (STANDARDS 5.6), for user number i. */
static void
template_make(struct template *template, size_t i)
{
	uint8_t ha1[DIGEST_SIZE_MAX], response[DIGEST_HEX_MAX];
	char name[64], full[128], nonce[64], cnonce[32];
	struct digest_params p = {
		.alg = DIGEST_MD5, .uri = SPAN_LIT("sip:example.com"),
		.method = SPAN_LIT("REGISTER"), .qop = SPAN_LIT("auth"),
		.nc = SPAN_LIT("00000001")
	};
	struct wbuf wb;

	(void)snprintf(name, sizeof(name), "%s%zu", options.prefix, i);
	(void)snprintf(full, sizeof(full), "%s@%s", name, options.realm);
	(void)snprintf(nonce, sizeof(nonce), "awIZlmsCGGosr4beDP8e%08zu", i);
	p.username = span_str(name);
	p.realm = span_str(options.realm);
	p.nonce = span_str(nonce);
	/* NB: each run has its own, else it would be an old replay some day. */
	(void)snprintf(cnonce, sizeof(cnonce), "%016" PRIx64,
	    now_nsec(CLOCK_MONOTONIC) & ~UINT64_C(0xffff));
	p.cnonce = span_str(cnonce);
	if (digest_ha1(crypto, p.alg, p.username, p.realm, span_mem(
	    options.password, options.password_n), ha1) != 0 ||
	    digest_response(crypto, ha1, &p, response) != 0)
		die("digest");
	wbuf_init(&wb, template->octets, sizeof(template->octets));
	wbuf_u8(&wb, RADIUS_ACCESS_REQUEST);
	for (size_t k = 1; k < RADIUS_HEADER_SIZE; k++)
		wbuf_u8(&wb, 0);
	attribute(&wb, RADIUS_USER_NAME, span_str(full));
	sub_attribute(&wb, 10, p.username);
	sub_attribute(&wb, 1, p.realm);
	sub_attribute(&wb, 2, p.nonce);
	sub_attribute(&wb, 4, p.uri);
	sub_attribute(&wb, 3, p.method);
	sub_attribute(&wb, 5, p.qop);
	sub_attribute(&wb, 9, p.nc);
	sub_attribute(&wb, 8, p.cnonce);
	attribute(&wb, 206, span_mem(response, 32));
	attribute(&wb, 6, SPAN_LIT("\0\0\0\17"));
	attribute(&wb, 5, SPAN_LIT("\0\0\23\304"));
	if (wb.failed)
		die("request too long");
	template->octets[2] = (uint8_t)(wb.n >> 8);
	template->octets[3] = (uint8_t)wb.n;
	template->n = (uint16_t)wb.n;
}

/* Puts the next user's request into the batch of socket s. */
static void
fire(struct batch *batch, size_t s)
{
	const struct template *t = &templates[sequence % options.users];
	struct slot *slot;
	uint64_t noise[2];
	uint8_t *octets = batch->out[batch->out_n];

	while (slots[s][next_id[s]].busy)
		next_id[s]++;
	slot = &slots[s][next_id[s]];
	/* Unique is enough for a benchmark. */
	noise[0] = ++sequence;
	noise[1] = sequence * UINT64_C(0x9e3779b97f4a7c15);
	memcpy(slot->authenticator, noise, sizeof(noise));
	memcpy(octets, t->octets, t->n);
	memcpy(octets + 4, noise, sizeof(noise));
	octets[1] = next_id[s]++;
	slot->busy = true;
	slot->sent = now_nsec(CLOCK_MONOTONIC);
	batch->out_iov[batch->out_n].iov_len = t->n;
	batch->out_n++;
}

static void
flush(struct batch *batch, size_t s)
{
	unsigned int sent = 0;

	while (sent < batch->out_n) {
		int n = sendmmsg(fds[s], batch->out_msg + sent,
		    batch->out_n - sent, 0);

		if (n < 0)
			die("send");
		sent += (unsigned int)n;
	}
	batch->out_n = 0;
}

/* Checks one answer; true if it was awaited. */
static bool
on_answer(size_t s, struct span octets)
{
	uint8_t expected[RADIUS_AUTHENTICATOR_SIZE];
	struct radius_packet packet;
	struct slot *slot;
	uint64_t took;

	if (radius_packet_parse(octets, &packet) != 0 ||
	    !slots[s][packet.id].busy) {
		bad++;
		return false;
	}
	slot = &slots[s][packet.id];
	took = (now_nsec(CLOCK_MONOTONIC) - slot->sent) / 16;
	if (radius_response_authenticator(crypto, packet.octets,
	    span_mem(slot->authenticator, sizeof(slot->authenticator)),
	    span_mem(options.secret, options.secret_n), expected) != 0 ||
	    !span_equal(packet.authenticator, span_mem(expected,
	    sizeof(expected)))) {
		bad++;
		return false;
	}
	slot->busy = false;
	if (measuring && sample_n < SAMPLES_MAX)
		samples[sample_n++] = took > UINT32_MAX ? UINT32_MAX :
		    (uint32_t)took;
	if (packet.code == RADIUS_ACCESS_ACCEPT)
		accepted++;
	else
		rejected++;
	return true;
}

static void
on_readable(struct batch *batch, size_t s)
{
	int n;

	do {
		n = recvmmsg(fds[s], batch->in_msg, BATCH, MSG_DONTWAIT,
		    NULL);
		for (int i = 0; i < n; i++)
			if (on_answer(s, span_mem(batch->in[i],
			    batch->in_msg[i].msg_len)))
				fire(batch, s);
		flush(batch, s);
	} while (n == BATCH);
}

/* Gives up what went unanswered, and asks something else instead. */
static void
sweep(struct batch *batch)
{
	uint64_t now = now_nsec(CLOCK_MONOTONIC);

	for (size_t s = 0; s < options.sockets; s++)
		for (size_t i = 0; i < 256; i++)
			if (slots[s][i].busy &&
			    now - slots[s][i].sent > LOST_AFTER) {
				slots[s][i].busy = false;
				lost++;
				fire(batch, s);
				flush(batch, s);
			}
}

static void
run(struct batch *batch, int ep, double seconds)
{
	uint64_t end = now_nsec(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
	struct epoll_event events[SOCKETS_MAX];
	unsigned int turns = 0;

	while (now_nsec(CLOCK_MONOTONIC) < end) {
		int ready = epoll_wait(ep, events, SOCKETS_MAX, 100);

		for (int i = 0; i < ready; i++)
			on_readable(batch, events[i].data.u32);
		if (ready <= 0 || ++turns % 4096 == 0)
			sweep(batch);
	}
}

static struct batch *
batch_new(void)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		die("batch");
	for (size_t i = 0; i < BATCH; i++) {
		batch->in_iov[i].iov_base = batch->in[i];
		batch->in_iov[i].iov_len = ANSWER_MAX;
		batch->in_msg[i].msg_hdr.msg_iov = &batch->in_iov[i];
		batch->in_msg[i].msg_hdr.msg_iovlen = 1;
		batch->out_iov[i].iov_base = batch->out[i];
		batch->out_msg[i].msg_hdr.msg_iov = &batch->out_iov[i];
		batch->out_msg[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
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
measure(struct batch *batch, int ep)
{
	uint64_t start, own;
	double seconds;

	for (size_t i = 0; i < options.in_flight; i++) {
		fire(batch, i % options.sockets);
		flush(batch, i % options.sockets);
	}
	run(batch, ep, options.warmup);
	accepted = rejected = bad = lost = 0;
	measuring = true;
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_start(&options.watched[i]);
	own = now_nsec(CLOCK_PROCESS_CPUTIME_ID);
	start = now_nsec(CLOCK_MONOTONIC);
	run(batch, ep, options.seconds);
	seconds = (double)(now_nsec(CLOCK_MONOTONIC) - start) / 1e9;
	own = now_nsec(CLOCK_PROCESS_CPUTIME_ID) - own;
	for (size_t i = 0; i < options.watched_n; i++)
		proc_usage_end(&options.watched[i]);

	qsort(samples, sample_n, sizeof(*samples), compare);
	printf("ops=%.0f p50_us=%.1f p99_us=%.1f accepted=%" PRIu64
	    " rejected=%" PRIu64 " bad=%" PRIu64 " lost=%" PRIu64
	    " cpu_us_load=%.2f", (double)(accepted + rejected) / seconds,
	    percentile(0.5), percentile(0.99), accepted, rejected, bad, lost,
	    (double)own / 1e3 / (double)(sample_n == 0 ? 1 : sample_n));
	for (size_t i = 0; i < options.watched_n; i++)
		printf(" cpu_us_%s=%.2f rss_kb_%s=%lu",
		    options.watched[i].name, options.watched[i].cpu_seconds *
		    1e6 / (double)(sample_n == 0 ? 1 : sample_n),
		    options.watched[i].name, options.watched[i].rss_kb);
	printf("\n");
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
	case 's':
		read_line(value, options.secret, &options.secret_n);
		return true;
	case 'p':
		read_line(value, options.password, &options.password_n);
		return true;
	case 'r':
		options.realm = value;
		return true;
	case 'u':
		options.prefix = value;
		return true;
	case 'n':
		options.users = strtoul(value, NULL, 10);
		return options.users > 0;
	case 'f':
		options.in_flight = strtoul(value, NULL, 10);
		return options.in_flight > 0;
	case 'k':
		options.sockets = strtoul(value, NULL, 10);
		return options.sockets > 0 && options.sockets <= SOCKETS_MAX;
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
	struct epoll_event event = { .events = EPOLLIN };
	struct batch *batch = batch_new();
	int c, ep = epoll_create1(0);

	while ((c = getopt(argc, argv, "a:s:p:r:u:n:f:k:w:d:c:")) != -1)
		if (!option(c, optarg)) {
			(void)fprintf(stderr, "radius_load: bad option\n");
			return 2;
		}
	if (options.sockets > options.in_flight)
		options.sockets = options.in_flight;
	if (options.address_n == 0 || options.secret_n == 0 ||
	    options.password_n == 0 ||
	    options.in_flight > options.sockets * 200) {
		(void)fprintf(stderr, "radius_load: -a -s -p are needed, and "
		    "at most 200 in flight per socket\n");
		return 2;
	}
	templates = calloc(options.users, sizeof(*templates));
	samples = calloc(SAMPLES_MAX, sizeof(*samples));
	if (templates == NULL || samples == NULL || ep < 0 ||
	    crypto_new(NULL, &crypto) != 0)
		die("start");
	for (size_t i = 0; i < options.users; i++)
		template_make(&templates[i], i);
	for (size_t s = 0; s < options.sockets; s++) {
		fds[s] = socket(options.address.ss_family, SOCK_DGRAM, 0);
		event.data.u32 = (uint32_t)s;
		if (fds[s] < 0 || connect(fds[s],
		    (struct sockaddr *)&options.address,
		    (socklen_t)options.address_n) != 0 ||
		    epoll_ctl(ep, EPOLL_CTL_ADD, fds[s], &event) != 0)
			die("socket");
	}
	measure(batch, ep);
	free(batch);
	crypto_free(&crypto);
	return rejected + bad + lost > 0 ? 1 : 0;
}
