/*
 * sd_notify(3) and sd_listen_fds(3) without libsystemd. Never fatal: outside
 * of a service manager all of this does nothing.
 */

#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/span.h"

#define FIRST_FD	3

static struct sockaddr_un	manager;
static socklen_t		manager_n;	/* 0: nobody listens */

void
notify_init(void)
{
	struct span path = span_str(getenv("NOTIFY_SOCKET"));

	manager_n = 0;
	if (path.n < 2 || path.n >= sizeof(manager.sun_path) ||
	    (path.p[0] != '/' && path.p[0] != '@'))
		return;
	memset(&manager, 0, sizeof(manager));
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, path.p, path.n);
	if (path.p[0] == '@')	/* abstract namespace */
		manager.sun_path[0] = '\0';
	manager_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    path.n);
	(void)unsetenv("NOTIFY_SOCKET");
}

void
notify_send(const char *state)
{
	struct span text = span_str(state);
	int fd;

	if (manager_n == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	while (sendto(fd, text.p, text.n, MSG_NOSIGNAL,
	    (const struct sockaddr *)&manager, manager_n) < 0 &&
	    errno == EINTR)
		;
	(void)close(fd);
}

void
notify_reloading(void)
{
	struct timespec ts = { 0, 0 };
	char state[80];

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	(void)snprintf(state, sizeof(state),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
	notify_send(state);
}

/* A decimal number of the environment; 0 if it is none. */
static unsigned long
env_number(const char *name)
{
	const char *text = getenv(name);
	unsigned long v;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	v = strtoul(text, &end, 10);
	return errno != 0 || *end != '\0' ? 0 : v;
}

void
notify_fds_collect(struct notify_fds *fds)
{
	struct span names = span_str(getenv("LISTEN_FDNAMES"));
	unsigned long n = env_number("LISTEN_FDS");

	memset(fds, 0, sizeof(*fds));
	if (env_number("LISTEN_PID") != (unsigned long)getpid())
		n = 0;
	if (n > NOTIFY_FDS_MAX)
		n = NOTIFY_FDS_MAX;
	for (size_t i = 0; i < n; i++) {
		size_t end = span_find(names, ':');
		int fd = FIRST_FD + (int)i;

		fds->fds[i].fd = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ?
		    fd : -1;
		if (span_copy_str(span_head(names, end), fds->fds[i].name,
		    NOTIFY_NAME_MAX) != 0)
			fds->fds[i].name[0] = '\0';
		names = span_tail(names, end + 1);
	}
	fds->count = n;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

int
notify_fds_take(struct notify_fds *fds, const char *name)
{
	for (size_t i = 0; i < fds->count; i++)
		if (fds->fds[i].fd >= 0 && span_equal(
		    span_str(fds->fds[i].name), span_str(name))) {
			int fd = fds->fds[i].fd;

			fds->fds[i].fd = -1;
			return fd;
		}
	return -1;
}

void
notify_fds_close(struct notify_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		if (fds->fds[i].fd >= 0) {
			(void)close(fds->fds[i].fd);
			fds->fds[i].fd = -1;
		}
}
