/*
 * The "generic" protocol of Prosody's old mod_auth_external (XMPP.md 2.1), one
 * line each:
 *
 *	auth:USER:HOST:PASSWORD		1 (yes) or 0 (no)
 *	isuser:USER:HOST		error: TEXT (neither)
 *	setpass:USER:HOST:PASSWORD
 *
 * NB: neither has an id, and the server does not throw away what comes after
 * its own deadline: a late "1" would be the answer to the next login, whatever
 * its password. So this one ends, with status 0 (after any other the server
 * never starts it again), rather than answer late. stdout and stderr are the
 * same terminal there, hence not a word to stderr.
 */

#include "cli/cli_generic.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct lines {
	struct relay	*relay;
	bool		 terminal;
	bool		 overlong;	/* the rest of the line is skipped */
	size_t		 have;		/* octets in text */
	/* A line becomes a frame where it stands. */
	uint8_t		 frame[RELAY_FRAME + 1];
};

#define TEXT(l)		((l)->frame + RELAY_HEADER)
#define TEXT_MAX	(RELAY_PAYLOAD + 1)	/* with its line end */

static void
on_signal(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

/* A terminal that echoed a question would have answered it with itself. */
static bool
silence_terminal(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) != 0)
		return false;
	t.c_lflag &= (tcflag_t)~(ECHO | ECHONL);
	(void)signal(SIGTTOU, SIG_IGN);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t);
	return true;
}

/* Forgets n octets at the front; what stands behind them moves up. */
static void
forget(struct lines *l, size_t n)
{
	size_t rest = l->have - n;

	memmove(TEXT(l), TEXT(l) + n, rest);
	explicit_bzero(TEXT(l) + rest, n);
	l->have = rest;
}

/* Octets of the whole line at the front, without its end; false: none. */
static bool
find_line(const struct lines *l, size_t *n)
{
	const uint8_t *end = l->have == 0 ? NULL :
	    memchr(TEXT(l), '\n', l->have);

	if (end != NULL)
		*n = (size_t)(end - TEXT(l));
	return end != NULL;
}

/* Reads until a whole line stands at the front. False at the end of stdin. */
static bool
read_line(struct lines *l, size_t *n)
{
	while (!find_line(l, n)) {
		ssize_t got;

		if (l->have == TEXT_MAX) {
			l->overlong = true;
			forget(l, l->have);
		}
		got = read(STDIN_FILENO, TEXT(l) + l->have,
		    TEXT_MAX - l->have);
		if (got > 0)
			l->have += (size_t)got;
		else if (got < 0 && errno == EAGAIN)
			(void)relay_wait(STDIN_FILENO, POLLIN, -1);
		else if (got == 0 || errno != EINTR)
			return false;
	}
	return true;
}

/*
 * Whoever asks over a terminal asks again only when it has stopped waiting,
 * or has gone: what we would say now is too late, however long it took us.
 */
static bool
has_given_up(const struct lines *l)
{
	struct pollfd pfd = { STDIN_FILENO, POLLIN, 0 };

	return l->terminal && (l->have > 0 || poll(&pfd, 1, 0) > 0);
}

static bool
say(const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t put = write(STDOUT_FILENO, text, n);

		if (put >= 0) {
			text += put;
			n -= (size_t)put;
		} else if (errno == EAGAIN)
			(void)relay_wait(STDOUT_FILENO, POLLOUT, -1);
		else if (errno != EINTR)
			return false;
	}
	return true;
}

/* Answers the line of n octets at the front; false: no more. */
static bool
answer_line(struct lines *l, size_t n)
{
	int64_t deadline = relay_now() + l->relay->timeout_ms;
	uint8_t answer[RELAY_ANSWER];
	bool overlong = l->overlong;

	l->overlong = false;
	if (!overlong) {
		l->frame[0] = (uint8_t)(n >> 8);
		l->frame[1] = (uint8_t)n;
		relay_ask(l->relay, l->frame, RELAY_HEADER + n, deadline,
		    answer);
	}
	forget(l, n + 1);
	if (relay_now() >= deadline || has_given_up(l))
		return false;
	if (overlong)
		return say("error: the question is too long\n");
	if (answer[RELAY_ANSWER - 1] == RELAY_TRUE)
		return say("1\n");
	if (answer[RELAY_ANSWER - 1] == RELAY_FALSE)
		return say("0\n");
	return say("error: not now, or not here\n");
}

void
generic_serve(struct relay *relay)
{
	static struct lines lines;
	size_t n;

	lines.relay = relay;
	relay->quiet = true;
	/* NB: ended by a signal it would never be started again. */
	(void)signal(SIGTERM, on_signal);
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGHUP, on_signal);
	lines.terminal = silence_terminal();
	while (read_line(&lines, &n))
		if (!answer_line(&lines, n))
			break;
	explicit_bzero(lines.frame, sizeof(lines.frame));
}
