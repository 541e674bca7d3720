/*
 * onecred-extauth: ejabberd's helper. Carries frames of the external
 * authentication protocol (XMPP.md 1) between stdin/stdout and the [extauth]
 * socket of onecredd, one request at a time. Knows no database and links
 * nothing of the core.
 *
 * It must never exit because the daemon is away (ejabberd would give up its
 * pool for good), never answer twice, and never let the late answer to one
 * request be read as the answer to the next: whatever goes wrong is answered
 * 00 02 00 02, and the connection is dropped.
 */

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/version.h"

#define SOCKET_PATH	"/run/onecred/extauth.sock"
#define TIMEOUT_SECONDS	20	/* below ejabberd's own 30 s */
#define TIMEOUT_MAX	3600
#define HEADER		2
#define FRAME_MAX	(HEADER + 65535)
#define ANSWER		4
#define RETRY_MS	20	/* the daemon's backlog is full */
#define SLACK_MS	100
#define EXIT_USAGE	2

/* How an exchange with the daemon went. */
enum outcome {
	ANSWERED = 0,
	DEAD,			/* ended before any octet of an answer */
	FAILED			/* deadline, or an answer that is none */
};

struct relay {
	struct sockaddr_un	address;
	int			timeout_ms;
	int			fd;		/* to the daemon, or -1 */
	bool			away;		/* already complained */
	size_t			have;		/* octets in request */
	size_t			n;		/* those of its first frame */
	uint8_t			request[FRAME_MAX];
};

static const uint8_t unavailable[ANSWER] = { 0, 2, 0, 2 };

static int64_t
now_ms(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits for events on fd. False at the deadline (-1: there is none). */
static bool
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { fd, events, 0 };
	int64_t left = -1;
	int n;

	do {
		if (deadline >= 0) {
			left = deadline - now_ms();
			if (left <= 0)
				return false;
		}
		n = poll(&pfd, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* The octets of the frame at the front, header included, when known. */
static size_t
frame_size(const struct relay *r)
{
	if (r->have < HEADER)
		return HEADER;
	return HEADER + ((size_t)r->request[0] << 8 | r->request[1]);
}

/* Reads until a whole frame stands at the front. False at the end of stdin. */
static bool
read_request(struct relay *r)
{
	while (r->have < frame_size(r)) {
		ssize_t got = read(STDIN_FILENO, r->request + r->have,
		    sizeof(r->request) - r->have);

		if (got > 0)
			r->have += (size_t)got;
		else if (got < 0 && errno == EAGAIN)
			(void)wait_for(STDIN_FILENO, POLLIN, -1);
		else if (got == 0 || errno != EINTR)
			return false;
	}
	r->n = frame_size(r);
	return true;
}

/* Forgets the frame at the front; what stands behind it moves up. */
static void
forget_request(struct relay *r)
{
	size_t rest = r->have - r->n;

	memmove(r->request, r->request + r->n, rest);
	explicit_bzero(r->request + rest, r->n);
	r->have = rest;
	r->n = 0;
}

static bool
write_answer(const uint8_t *p)
{
	size_t n = ANSWER;

	while (n > 0) {
		ssize_t put = write(STDOUT_FILENO, p, n);

		if (put >= 0) {
			p += put;
			n -= (size_t)put;
		} else if (errno == EAGAIN)
			(void)wait_for(STDOUT_FILENO, POLLOUT, -1);
		else if (errno != EINTR)
			return false;
	}
	return true;
}

static void
drop(struct relay *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

/* Once per outage. */
static void
complain(struct relay *r, const char *why)
{
	if (!r->away)
		(void)fprintf(stderr, "onecred-extauth: %s: %s: logins are "
		    "answered \"temporary failure\"\n",
		    r->address.sun_path, why);
	r->away = true;
}

static bool
connect_daemon(struct relay *r, int64_t deadline)
{
	const struct timespec pause = { 0, RETRY_MS * 1000000L };
	const struct timeval limit = { r->timeout_ms / 1000, 0 };

	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (r->fd < 0) {
		complain(r, strerror(errno));
		return false;
	}
	while (connect(r->fd, (const struct sockaddr *)&r->address,
	    sizeof(r->address)) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || now_ms() + RETRY_MS >= deadline) {
			complain(r, strerror(errno));
			drop(r);
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	/* From here on only receive_answer() blocks. */
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit)) != 0 || fcntl(r->fd, F_SETFL, 0) != 0) {
		complain(r, strerror(errno));
		drop(r);
		return false;
	}
	return true;
}

/*
 * An idle connection has nothing to say: its end, and octets that nobody
 * asked for, both mean that it is of no use any more.
 */
static bool
is_clean(const struct relay *r)
{
	uint8_t c;

	return recv(r->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EINTR);
}

static bool
is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

static enum outcome
send_request(const struct relay *r, int64_t deadline)
{
	size_t done = 0;

	while (done < r->n) {
		ssize_t put = send(r->fd, r->request + done, r->n - done,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put >= 0)
			done += (size_t)put;
		else if (errno == EAGAIN) {
			if (!wait_for(r->fd, POLLOUT, deadline))
				return FAILED;
		} else if (errno != EINTR)
			return is_gone(errno) ? DEAD : FAILED;
	}
	return ANSWERED;
}

static enum outcome
receive_answer(const struct relay *r, int64_t deadline, uint8_t *answer)
{
	size_t done = 0;

	while (done < ANSWER) {
		ssize_t got;

		/*
		 * The socket's own limit will do and costs no call; unless
		 * time has gone by already.
		 */
		if (deadline - now_ms() < r->timeout_ms - SLACK_MS &&
		    !wait_for(r->fd, POLLIN, deadline))
			return FAILED;
		got = recv(r->fd, answer + done, ANSWER - done, 0);
		if (got > 0)
			done += (size_t)got;
		else if (got == 0 || is_gone(errno))
			return done == 0 ? DEAD : FAILED;
		else if (errno != EINTR)
			return FAILED;
	}
	/* 00 02 00 and 0, 1 or 2; nothing else may reach ejabberd. */
	return answer[0] == 0 && answer[1] == 2 && answer[2] == 0 &&
	    answer[3] <= 2 ? ANSWERED : FAILED;
}

static bool
starts_with(const struct relay *r, const char *word, size_t n)
{
	return r->n >= HEADER + n && memcmp(r->request + HEADER, word, n) == 0;
}

/* Asking twice must do no harm: questions only, nothing that changes. */
static bool
is_question(const struct relay *r)
{
	return starts_with(r, "auth:", 5) || starts_with(r, "isuser:", 7);
}

/* Fills answer, whatever happens. */
static void
ask(struct relay *r, uint8_t *answer)
{
	int64_t deadline = now_ms() + r->timeout_ms;
	enum outcome outcome;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (r->fd >= 0 && !is_clean(r))
			drop(r);
		if (r->fd < 0 && !connect_daemon(r, deadline))
			break;
		outcome = send_request(r, deadline);
		if (outcome == ANSWERED)
			outcome = receive_answer(r, deadline, answer);
		if (outcome == ANSWERED) {
			if (r->away)
				(void)fprintf(stderr, "onecred-extauth: %s: "
				    "the daemon answers again\n",
				    r->address.sun_path);
			r->away = false;
			return;
		}
		drop(r);
		if (outcome != DEAD || !is_question(r)) {
			complain(r, "no answer");
			break;
		}
		if (attempt > 0)
			complain(r, "the daemon hung up");
	}
	memcpy(answer, unavailable, ANSWER);
}

static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
	/* NB: an inherited socket of the server would outlive the server. */
	closefrom(STDERR_FILENO + 1);
}

static bool
set_path(struct relay *r, const char *path)
{
	int n;

	r->address.sun_family = AF_UNIX;
	n = snprintf(r->address.sun_path, sizeof(r->address.sun_path), "%s",
	    path);
	return n > 0 && (size_t)n < sizeof(r->address.sun_path);
}

static bool
set_timeout(struct relay *r, const char *text)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || v < 1 || v > TIMEOUT_MAX)
		return false;
	r->timeout_ms = (int)v * 1000;
	return true;
}

enum { OPTION_HELP = 256, OPTION_SOCKET, OPTION_TIMEOUT, OPTION_VERSION };

static const struct option long_options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
	"usage: onecred-extauth [--socket PATH] [--timeout SECONDS]\n"
	"\n"
	"Helper for ejabberd's auth_method external: carries its questions\n"
	"on stdin to onecredd, and the answers to stdout.\n"
	"\n"
	"  --socket PATH      socket of onecredd (" SOCKET_PATH ")\n"
	"  --timeout SECONDS  then answer \"temporary failure\" (20)\n"
	"  --help             this text\n"
	"  --version          the version\n";

/* -1: go on; else the exit status. */
static int
read_options(struct relay *r, int argc, char *argv[])
{
	bool good = true;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case OPTION_HELP:
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			(void)puts("onecred-extauth " ONECRED_VERSION);
			return EXIT_SUCCESS;
		case OPTION_SOCKET:
			good = good && set_path(r, optarg);
			break;
		case OPTION_TIMEOUT:
			good = good && set_timeout(r, optarg);
			break;
		default:
			good = false;
			break;
		}
	}
	if (good && optind == argc)
		return -1;
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}

int
main(int argc, char *argv[])
{
	static struct relay relay;
	uint8_t answer[ANSWER];
	int status;

	relay.fd = -1;
	relay.timeout_ms = TIMEOUT_SECONDS * 1000;
	(void)set_path(&relay, SOCKET_PATH);
	status = read_options(&relay, argc, argv);
	if (status >= 0)
		return status;
	harden();
	while (read_request(&relay)) {
		ask(&relay, answer);
		forget_request(&relay);
		if (!write_answer(answer))
			break;
	}
	/* Half a request may be left in it. */
	explicit_bzero(relay.request, sizeof(relay.request));
	drop(&relay);
	return EXIT_SUCCESS;
}
