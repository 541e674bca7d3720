/*
 * A new password from the terminal or from a file. It is kept in a locked,
 * wiped buffer, never in the environment, an argument or a stdio buffer; the
 * terminal's echo is switched on again even if a signal ends the program.
 */

#include "cli/cli_password.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli_file.h"
#include "core/saslprep.h"

/* Room to see that a line is too long, and for CR LF. */
#define LINE_MAX_OCTETS	(PASSWORD_MAX + 2)

/* Signals that must not leave the terminal without echo. */
static const int signals[] = {
	SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP
};
#define SIGNAL_COUNT	(sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	caught = number;
}

static void
write_text(int fd, const char *text)
{
	struct span left = span_str(text);
	ssize_t n;

	while (left.n > 0) {
		n = write(fd, left.p, left.n);
		if (n <= 0)
			return;		/* a prompt nobody sees is no error */
		left = span_tail(left, (size_t)n);
	}
}

/*
 * Reads one line into buf (LINE_MAX_OCTETS). What does not fit is read and
 * forgotten, so that it does not end up in the shell. Signals are blocked but
 * in ppoll(), which lets them in under mask: one that comes at any other
 * moment would not end the reading. Returns the length without the newline,
 * LINE_MAX_OCTETS if it was cut, or -1 at end of file (errno 0), error or
 * signal.
 */
static ssize_t
read_line(int fd, const sigset_t *mask, uint8_t *buf)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	uint8_t c = 0;
	ssize_t got;

	for (;;) {
		if (ppoll(&pfd, 1, NULL, mask) == -1)
			return -1;
		got = read(fd, &c, 1);
		if (got != 1) {
			if (got == 0)
				errno = 0;
			return -1;
		}
		if (c == '\n')
			return (ssize_t)n;
		if (n < LINE_MAX_OCTETS)
			buf[n++] = c;
	}
}

/* Writes the prompt and reads the answer with the echo off. */
static ssize_t
read_quietly(int tty, const sigset_t *mask, const char *prompt,
    const char *what, uint8_t *buf)
{
	struct termios quiet, before;
	ssize_t n;
	int saved;

	if (tcgetattr(tty, &before) == -1)
		return -1;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	if (tcsetattr(tty, TCSAFLUSH, &quiet) == -1)
		return -1;
	write_text(tty, prompt);
	write_text(tty, what);
	write_text(tty, ": ");
	n = read_line(tty, mask, buf);
	saved = errno;
	write_text(tty, "\n");
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	errno = saved;
	return n;
}

/*
 * One question. Returns as read_line(); a signal that ended it is in caught
 * and has not been acted upon.
 */
static ssize_t
ask_once(int tty, const char *prompt, const char *what, uint8_t *buf)
{
	struct sigaction action, old[SIGNAL_COUNT];
	sigset_t blocked, mask;
	ssize_t n;
	int saved;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&blocked, signals[i]);
	caught = 0;
	(void)sigprocmask(SIG_BLOCK, &blocked, &mask);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		(void)sigaction(signals[i], &action, &old[i]);

	n = read_quietly(tty, &mask, prompt, what, buf);
	saved = errno;

	/* NB: what comes from here on finds the terminal as it was. */
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		(void)sigaction(signals[i], &old[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = saved;
	return n;
}

/* Asks until there is an answer or a reason to give up. */
static enum cli_status
ask(int tty, const char *prompt, const char *what, uint8_t *buf, size_t *n)
{
	ssize_t got;
	int number, saved;

	for (;;) {
		got = ask_once(tty, prompt, what, buf);
		saved = errno;
		number = caught;
		if (number == 0)
			break;
		/* The terminal is in order again: let the signal happen. */
		secret_wipe(buf, LINE_MAX_OCTETS);
		(void)raise(number);
		if (number != SIGTSTP)
			return CLI_SYSTEM;	/* it was being ignored */
	}
	if (got < 0) {
		if (saved == 0)
			cli_say("no password was given");
		else
			cli_say("cannot read from the terminal: %s",
			    strerror(saved));
		return CLI_SYSTEM;
	}
	if (got > PASSWORD_MAX) {
		cli_say("the password is too long");
		return CLI_REFUSED;
	}
	*n = (size_t)got;
	return CLI_OK;
}

enum cli_status
cli_password_ask(const char *what, struct secret *out)
{
	uint8_t first[LINE_MAX_OCTETS] = { 0 };
	uint8_t second[LINE_MAX_OCTETS] = { 0 };
	size_t first_n = 0, second_n = 0;
	enum cli_status status;
	int tty;

	(void)mlock(first, sizeof(first));
	(void)mlock(second, sizeof(second));
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty == -1) {
		cli_say("there is no terminal to ask for the password; "
		    "give a file that holds it");
		return CLI_SYSTEM;
	}
	status = ask(tty, "Password for ", what, first, &first_n);
	if (status == CLI_OK)
		status = ask(tty, "The same again for ", what, second,
		    &second_n);
	if (status == CLI_OK && !secret_equal_span(span_mem(first, first_n),
	    span_mem(second, second_n))) {
		cli_say("the two passwords differ");
		status = CLI_REFUSED;
	}
	if (status == CLI_OK &&
	    secret_set(out, span_mem(first, first_n)) != 0) {
		cli_say("out of memory");
		status = CLI_SYSTEM;
	}
	(void)close(tty);
	secret_wipe(first, sizeof(first));
	secret_wipe(second, sizeof(second));
	return status;
}

enum cli_status
cli_password_read(const char *file, struct secret *out)
{
	enum cli_status status;

	status = cli_file_read(file, LINE_MAX_OCTETS, out);
	if (status != CLI_OK)
		return status;
	/* The octets cut off are wiped with the rest: only n shrinks. */
	if (out->n > 0 && out->p[out->n - 1] == '\n') {
		out->n--;
		if (out->n > 0 && out->p[out->n - 1] == '\r')
			out->n--;
	}
	return CLI_OK;
}
