/*
 * Where the decision lines come from: the end of a file, or the output of
 * journalctl, run without a shell, for a bounded time and number of octets.
 */

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_check_log.h"
#include "store/clock.h"

#define READ_MAX	(16 * 1024 * 1024)	/* octets of either */

extern char **environ;

const char *const check_log_journal[] = {
	"/usr/bin/journalctl", "--unit=onecredd", "--output=short-iso",
	"--lines=20000", "--no-pager", "--quiet", NULL
};

/* Feeds fd until its end, the deadline (NULL: none) or READ_MAX octets. */
static size_t
feed_all(struct check_log *log, const struct check_account *account, int fd,
    const int64_t *end)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t buf[16384];
	size_t total = 0;
	ssize_t n;

	while (total < READ_MAX) {
		if (end != NULL) {
			int64_t left = *end - clock_ms();

			if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
				break;
		}
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		total += (size_t)n;
		check_log_feed(log, account, span_mem(buf, (size_t)n));
	}
	return total;
}

const char *
check_log_file(struct check_log *log, const struct check_account *account,
    const char *file)
{
	const char *why = NULL;
	struct stat st;
	int fd;

	/* NONBLOCK: a FIFO by that name must not stop us. */
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) != 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "is not a regular file";
	else if (st.st_size > READ_MAX &&
	    lseek(fd, -(off_t)READ_MAX, SEEK_END) < 0)
		why = strerror(errno);
	else
		(void)feed_all(log, account, fd, NULL);
	(void)close(fd);
	return why;
}

/* The command with nothing but fd as its output. Its pid, or -1. */
static pid_t
start(const char *const *argv, const int *fds)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;
	/* NB: posix_spawn(3) does not write to them. */
	union {
		const char *const	*from;
		char *const		*to;
	} words = { .from = argv };

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	if (posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
	    "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, fds[1],
	    STDOUT_FILENO) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
	    "/dev/null", O_WRONLY, 0) != 0 ||
	    posix_spawn(&pid, argv[0], &actions, NULL, words.to,
	    environ) != 0)
		pid = -1;
	(void)posix_spawn_file_actions_destroy(&actions);
	return pid;
}

const char *
check_log_command(struct check_log *log, const struct check_account *account,
    const char *const *argv, unsigned int deadline_ms)
{
	int64_t end = clock_ms() + deadline_ms;
	size_t total;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return strerror(errno);
	pid = start(argv, fds);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return "cannot be run";
	}
	total = feed_all(log, account, fds[0], &end);
	(void)close(fds[0]);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return total == 0 ? "has no lines of onecredd that you may read" : NULL;
}
