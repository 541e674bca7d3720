/*
 * A line from the terminal without echo. Whatever ends the wait - a line, end
 * of file, a signal - the terminal is put back as it was first; only then is
 * the signal let through.
 */

#include "cli/cli_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli_message.h"
#include "core/secret.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const int caught[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM,
	SIGPIPE
};

static volatile sig_atomic_t pending;

static void
on_signal(int number)
{
	pending = number;
}

static void
write_all(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t done = write(fd, text, n);

		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

/* Reads to the end of the line; -1: error, end of file, or too long. */
static int
read_line(int fd, char *out, size_t cap)
{
	size_t n = 0;
	bool long_line = false;
	char c = '\0';

	while (pending == 0) {
		ssize_t got = read(fd, &c, 1);

		if (got <= 0)
			break;
		if (c == '\n' || c == '\r')
			break;
		if (n < cap)
			out[n++] = c;
		else
			long_line = true;
	}
	if (pending != 0 || (c != '\n' && c != '\r')) {
		cli_error("no password was entered");
		return -1;
	}
	c = '\0';
	if (long_line) {
		cli_error("the password is too long");
		return -1;
	}
	return (int)n;
}

int
cli_terminal_ask(const char *prompt, char *out, size_t cap)
{
	struct sigaction action, before[COUNT(caught)];
	struct termios saved, quiet;
	int fd, n = -1;

	fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &saved) != 0) {
		cli_error("there is no terminal to ask for a password: "
		    "give a password file");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	pending = 0;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;	/* no SA_RESTART: read() must end */
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < COUNT(caught); i++)
		(void)sigaction(caught[i], &action, &before[i]);

	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
		cli_error("cannot switch off echo: %s", strerror(errno));
	} else {
		write_all(fd, prompt);
		n = read_line(fd, out, cap);
		write_all(fd, "\n");
		while (tcsetattr(fd, TCSAFLUSH, &saved) != 0 &&
		    errno == EINTR)
			continue;
	}
	if (n < 0)
		secret_wipe(out, cap);
	for (size_t i = 0; i < COUNT(caught); i++)
		(void)sigaction(caught[i], &before[i], NULL);
	close(fd);
	if (pending != 0)
		(void)raise((int)pending);
	return n;
}
