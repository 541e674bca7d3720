/*
 * Carries frames of the external authentication protocol (XMPP.md 1) to the
 * [extauth] socket of onecredd and brings the answers back.
 *
 * It must never answer twice, and never let the late answer to one request be
 * read as the answer to the next: whatever goes wrong is 00 02 00 02, and the
 * connection is dropped.
 */

#include "cli/cli_relay.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS	20	/* the daemon's backlog is full */
#define SLACK_MS	100

/* How an exchange with the daemon went. */
enum outcome {
	ANSWERED = 0,
	DEAD,			/* ended before any octet of an answer */
	FAILED			/* deadline, or an answer that is none */
};

static const uint8_t unavailable[RELAY_ANSWER] = { 0, 2, 0,
    RELAY_UNAVAILABLE };

bool
relay_init(struct relay *relay, const char *path, int timeout_ms)
{
	int n;

	memset(relay, 0, sizeof(*relay));
	relay->fd = -1;
	relay->timeout_ms = timeout_ms;
	relay->address.sun_family = AF_UNIX;
	n = snprintf(relay->address.sun_path,
	    sizeof(relay->address.sun_path), "%s", path);
	return n > 0 && (size_t)n < sizeof(relay->address.sun_path);
}

int64_t
relay_now(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
relay_wait(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { fd, events, 0 };
	int64_t left = -1;
	int n;

	do {
		if (deadline >= 0) {
			left = deadline - relay_now();
			if (left <= 0)
				return false;
		}
		n = poll(&pfd, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

void
relay_drop(struct relay *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

/* What mends a connect() that failed. */
static const char *
advice(int error)
{
	if (error == EACCES || error == EPERM)
		return "; run `adduser ejabberd onecred-client' and restart "
		    "ejabberd";
	if (error == ENOENT || error == ECONNREFUSED)
		return "; onecredd does not listen there: run `systemctl "
		    "start onecredd'";
	return "";
}

/* Once per outage. */
static void
complain(struct relay *r, const char *why, const char *mend)
{
	static const char format[] = "onecred-extauth: %s: %s: logins are "
	    "answered \"temporary failure\"%s\n";

	if (!r->away && r->quiet)
		syslog(LOG_DAEMON | LOG_ERR, format, r->address.sun_path,
		    why, mend);
	else if (!r->away)
		(void)fprintf(stderr, format, r->address.sun_path, why,
		    mend);
	r->away = true;
}

static void
rejoice(struct relay *r)
{
	static const char format[] = "onecred-extauth: %s: the daemon "
	    "answers again\n";

	if (r->away && r->quiet)
		syslog(LOG_DAEMON | LOG_NOTICE, format,
		    r->address.sun_path);
	else if (r->away)
		(void)fprintf(stderr, format, r->address.sun_path);
	r->away = false;
}

static bool
connect_daemon(struct relay *r, int64_t deadline)
{
	const struct timespec pause = { 0, RETRY_MS * 1000000L };
	const struct timeval limit = { r->timeout_ms / 1000, 0 };

	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (r->fd < 0) {
		complain(r, strerror(errno), "");
		return false;
	}
	while (connect(r->fd, (const struct sockaddr *)&r->address,
	    sizeof(r->address)) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || relay_now() + RETRY_MS >= deadline) {
			complain(r, strerror(errno), advice(errno));
			relay_drop(r);
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	/* From here on only receive_answer() blocks. */
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit)) != 0 || fcntl(r->fd, F_SETFL, 0) != 0) {
		complain(r, strerror(errno), "");
		relay_drop(r);
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
send_frame(const struct relay *r, const uint8_t *frame, size_t n,
    int64_t deadline)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put = send(r->fd, frame + done, n - done,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put >= 0)
			done += (size_t)put;
		else if (errno == EAGAIN) {
			if (!relay_wait(r->fd, POLLOUT, deadline))
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

	while (done < RELAY_ANSWER) {
		ssize_t got;

		/*
		 * The socket's own limit will do and costs no call; unless
		 * time has gone by already.
		 */
		if (deadline - relay_now() < r->timeout_ms - SLACK_MS &&
		    !relay_wait(r->fd, POLLIN, deadline))
			return FAILED;
		got = recv(r->fd, answer + done, RELAY_ANSWER - done, 0);
		if (got > 0)
			done += (size_t)got;
		else if (got == 0 || is_gone(errno))
			return done == 0 ? DEAD : FAILED;
		else if (errno != EINTR)
			return FAILED;
	}
	/* 00 02 00 and 0, 1 or 2; nothing else may be passed on. */
	return answer[0] == 0 && answer[1] == 2 && answer[2] == 0 &&
	    answer[3] <= RELAY_UNAVAILABLE ? ANSWERED : FAILED;
}

static bool
starts_with(const uint8_t *frame, size_t frame_n, const char *word, size_t n)
{
	return frame_n >= RELAY_HEADER + n &&
	    memcmp(frame + RELAY_HEADER, word, n) == 0;
}

/* Asking twice must do no harm: questions only, nothing that changes. */
static bool
is_question(const uint8_t *frame, size_t n)
{
	return starts_with(frame, n, "auth:", 5) ||
	    starts_with(frame, n, "isuser:", 7);
}

void
relay_ask(struct relay *relay, const uint8_t *frame, size_t n,
    int64_t deadline, uint8_t answer[RELAY_ANSWER])
{
	struct relay *r = relay;
	enum outcome outcome;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (r->fd >= 0 && !is_clean(r))
			relay_drop(r);
		if (r->fd < 0 && !connect_daemon(r, deadline))
			break;
		outcome = send_frame(r, frame, n, deadline);
		if (outcome == ANSWERED)
			outcome = receive_answer(r, deadline, answer);
		if (outcome == ANSWERED) {
			rejoice(r);
			return;
		}
		relay_drop(r);
		if (outcome != DEAD || !is_question(frame, n)) {
			complain(r, "no answer", "");
			break;
		}
		if (attempt > 0)
			complain(r, "the daemon hung up", "");
	}
	memcpy(answer, unavailable, RELAY_ANSWER);
}
