/*
 * Unix sockets that doors listen on. The socket file appears complete (mode
 * and group set, already listening) by rename(2), so no peer ever finds it
 * half made. Running out of descriptors or of allowed connections stops
 * accepting, it never spins and never drops a peer that waits; nor does the
 * end of the daemon.
 */

#include "doors/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "doors/farewell.h"

#define CONNECTIONS_MAX	1024
#define BACKLOG		511
#define ACCEPTS_PER_TURN 16
#define PAUSE_MS	100	/* after EMFILE and its kin */
#define SILENCE_SECONDS	10	/* between complaints of that kind */
#define NEW_SUFFIX	".new"

struct listener {
	struct listener_settings settings;
	const struct sink	*sink;
	listener_accept_cb	*cb;
	void			*arg;
	struct event		*readable;
	struct event		*resume;
	struct farewell		*farewell;
	int			 fd;
	unsigned int		 open;		/* connections with the door */
	unsigned int		 max;
	time_t			 complained;
	bool			 full;		/* accepting has stopped */
	bool			 made;		/* the file is ours */
	bool			 draining;	/* the rest, then no more */
	dev_t			 dev;
	ino_t			 ino;
};

static void
fault(const struct listener *l, const char *what)
{
	sink_log(l->sink, LEVEL_ERROR, "[%s] %s: %s: %s",
	    l->settings.section, l->settings.path, what, strerror(errno));
}

/* Whether it is time to complain of too many peers again. */
static bool
may_complain(struct listener *l)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (l->complained != 0 &&
	    now.tv_sec - l->complained < SILENCE_SECONDS)
		return false;
	l->complained = now.tv_sec;
	return true;
}

static bool
user_allowed(const struct listener *l, int fd)
{
	struct ucred peer = { 0, 0, 0 };
	socklen_t n = sizeof(peer);

	if (l->settings.user_count == 0)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0) {
		fault(l, "SO_PEERCRED");
		return false;
	}
	for (size_t i = 0; i < l->settings.user_count; i++)
		if (l->settings.users[i] == peer.uid)
			return true;
	sink_log(l->sink, LEVEL_WARNING, "[%s] %s: user %u may not connect "
	    "(allow_users)", l->settings.section, l->settings.path,
	    (unsigned int)peer.uid);
	return false;
}

static void
pause_accepting(struct listener *l)
{
	const struct timeval tv = { 0, PAUSE_MS * 1000 };

	(void)event_del(l->readable);
	(void)event_add(l->resume, &tv);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	if (!l->full)
		(void)event_add(l->readable, NULL);
}

/* Nobody is accepted from now on. */
static void
stop_accepting(struct listener *l)
{
	if (l->readable != NULL)
		event_free(l->readable);
	if (l->resume != NULL)
		event_free(l->resume);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->readable = l->resume = NULL;
	l->full = false;
	l->fd = -1;
}

/* NB: at once. It has always room for these few octets. */
static void
refuse(struct listener *l, int fd)
{
	struct span text = l->settings.refusal;

	if (text.n > 0)
		(void)send(fd, text.p, text.n, MSG_NOSIGNAL);
	farewell_add(l->farewell, fd);
}

static bool
is_full(struct listener *l)
{
	if (l->open < l->max || l->draining)
		return false;
	if (may_complain(l))
		sink_log(l->sink, LEVEL_WARNING, "[%s] %s: %u connections "
		    "are open: further ones wait", l->settings.section,
		    l->settings.path, l->max);
	l->full = true;
	(void)event_del(l->readable);
	return true;
}

/* Accepts one peer. False if there is none, or no room for it. */
static bool
accept_one(struct listener *l)
{
	int fd;

	if (is_full(l))
		return false;
	fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
	    errno == ENOBUFS || errno == ENOMEM)) {
		if (may_complain(l))
			fault(l, "accept");
		pause_accepting(l);
		return false;
	}
	if (fd < 0) {
		if (l->draining)
			stop_accepting(l);
		return false;
	}
	if (!user_allowed(l, fd)) {
		refuse(l, fd);
		return true;
	}
	l->open++;
	l->cb(fd, l->arg);
	return true;
}

static void
on_readable(evutil_socket_t ready, short what, void *arg)
{
	struct listener *l = arg;

	(void)ready;
	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!accept_one(l))
			return;
}

void
listener_closed(struct listener *l)
{
	if (l->open > 0)
		l->open--;
	if (l->full && l->open < l->max) {
		l->full = false;
		(void)event_add(l->readable, NULL);
	}
}

void
listener_linger(struct listener *l, int fd)
{
	farewell_add(l->farewell, fd);
}

size_t
listener_busy(const struct listener *l)
{
	return farewell_count(l->farewell) + (l->draining && l->fd >= 0);
}

/* Fills the address of path with suffix; false if it is too long. */
static bool
make_address(const char *path, const char *suffix, struct sockaddr_un *out)
{
	int n;

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	n = snprintf(out->sun_path, sizeof(out->sun_path), "%s%s", path,
	    suffix);
	return n > 0 && (size_t)n < sizeof(out->sun_path);
}

/*
 * Whether the place is free: nothing there, or a socket that nobody serves.
 */
static bool
place_free(const struct listener *l, const struct sockaddr_un *address)
{
	struct stat st;
	int fd, err;

	if (lstat(address->sun_path, &st) != 0) {
		if (errno == ENOENT)
			return true;
		fault(l, "cannot look");
		return false;
	}
	if (!S_ISSOCK(st.st_mode)) {
		sink_log(l->sink, LEVEL_ERROR,
		    "[%s] %s: is there and is not a socket",
		    l->settings.section, l->settings.path);
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		fault(l, "socket");
		return false;
	}
	err = connect(fd, (const struct sockaddr *)address,
	    sizeof(*address)) == 0 ? 0 : errno;
	(void)close(fd);
	if (err == ECONNREFUSED)
		return true;
	sink_log(l->sink, LEVEL_ERROR, "[%s] %s: another onecredd listens "
	    "there", l->settings.section, l->settings.path);
	return false;
}

static bool
set_group(const struct listener *l, const char *path)
{
	struct group *gr;

	if (l->settings.group == NULL)
		return true;
	gr = getgrnam(l->settings.group);
	if (gr == NULL) {
		sink_log(l->sink, LEVEL_ERROR, "[%s] there is no group %s",
		    l->settings.section, l->settings.group);
		return false;
	}
	if (lchown(path, (uid_t)-1, gr->gr_gid) != 0) {
		fault(l, "cannot set its group");
		return false;
	}
	return true;
}

/* Makes the socket under a second name and renames it when it is ready. */
static bool
make_socket(struct listener *l)
{
	struct sockaddr_un address, fresh;
	struct stat st;

	if (!make_address(l->settings.path, "", &address) ||
	    !make_address(l->settings.path, NEW_SUFFIX, &fresh)) {
		sink_log(l->sink, LEVEL_ERROR, "[%s] %s: the path is too "
		    "long for a socket", l->settings.section,
		    l->settings.path);
		return false;
	}
	if (!place_free(l, &address))
		return false;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (l->fd < 0) {
		fault(l, "socket");
		return false;
	}
	(void)unlink(fresh.sun_path);
	/* NB: bind(2) takes the mode from the descriptor. */
	if (fchmod(l->fd, 0600) != 0 ||
	    bind(l->fd, (const struct sockaddr *)&fresh,
	    sizeof(fresh)) != 0) {
		fault(l, "cannot make the socket");
		return false;
	}
	if (!set_group(l, fresh.sun_path))
		goto fail;
	if (chmod(fresh.sun_path, l->settings.mode) != 0 ||
	    lstat(fresh.sun_path, &st) != 0 ||
	    listen(l->fd, BACKLOG) != 0 ||
	    rename(fresh.sun_path, address.sun_path) != 0) {
		fault(l, "cannot make the socket");
		goto fail;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->made = true;
	return true;
fail:
	(void)unlink(fresh.sun_path);
	return false;
}

/* The service manager keeps such a socket alive while we restart. */
static bool
take_socket(struct listener *l)
{
	int listens = 0, type = 0, flags;
	socklen_t n = sizeof(listens), m = sizeof(type);

	l->fd = l->settings.fd;
	flags = fcntl(l->fd, F_GETFL);
	if (getsockopt(l->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 ||
	    getsockopt(l->fd, SOL_SOCKET, SO_TYPE, &type, &m) != 0 ||
	    listens == 0 || type != SOCK_STREAM) {
		sink_log(l->sink, LEVEL_ERROR, "[%s] the descriptor handed "
		    "over is not a listening stream socket",
		    l->settings.section);
		return false;
	}
	if (flags < 0 || fcntl(l->fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(l->fd, F_SETFD, FD_CLOEXEC) != 0) {
		fault(l, "fcntl");
		return false;
	}
	return true;
}

struct listener *
listener_new(struct event_base *base, const struct listener_settings *settings,
    const struct sink *sink, listener_accept_cb *cb, void *arg)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->settings = *settings;
	l->sink = sink;
	l->cb = cb;
	l->arg = arg;
	l->fd = -1;
	l->max = settings->connections_max != 0 ? settings->connections_max :
	    CONNECTIONS_MAX;
	if (!(settings->fd >= 0 ? take_socket(l) : make_socket(l)))
		goto fail;
	l->readable = event_new(base, l->fd, EV_READ | EV_PERSIST,
	    on_readable, l);
	l->resume = evtimer_new(base, on_resume, l);
	l->farewell = farewell_new(base);
	if (l->readable == NULL || l->resume == NULL || l->farewell == NULL ||
	    event_add(l->readable, NULL) != 0) {
		sink_log(sink, LEVEL_ERROR, "[%s] the event loop refused",
		    settings->section);
		goto fail;
	}
	return l;
fail:
	listener_free(&l);
	return NULL;
}

/* Unless another daemon has taken the place meanwhile. */
static void
remove_file(struct listener *l)
{
	struct stat st;

	if (l->made && lstat(l->settings.path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->settings.path);
	l->made = false;
}

void
listener_drain(struct listener *l)
{
	if (!l->made) {
		stop_accepting(l);
		return;
	}
	remove_file(l);
	/*
	 * connect(2) fails from here on, also for those who had found the
	 * file; accept(2) still gives those whose connect(2) had returned.
	 */
	(void)shutdown(l->fd, SHUT_RD);
	l->draining = true;
	l->full = false;
	while (accept_one(l))
		;
}

void
listener_free(struct listener **listener)
{
	struct listener *l = *listener;

	*listener = NULL;
	if (l == NULL)
		return;
	stop_accepting(l);
	remove_file(l);
	farewell_free(&l->farewell);
	free(l);
}
