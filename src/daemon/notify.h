#ifndef ONECRED_NOTIFY_H
#define ONECRED_NOTIFY_H

#include <stddef.h>

/*
 * The two protocols of systemd that we speak, by hand: sd_notify(3) datagrams
 * and descriptors handed over as in sd_listen_fds(3).
 */

/*
 * Reads NOTIFY_SOCKET once and takes it out of the environment, so that no
 * child speaks for us.
 */
void	notify_init(void);

/* Sends "READY=1" and the like. Nothing happens if nobody listens. */
void	notify_send(const char *state);

/* RELOADING=1 with the clock that Type=notify-reload asks for. */
void	notify_reloading(void);

#define NOTIFY_FDS_MAX	32
#define NOTIFY_NAME_MAX	64

/* Descriptors handed over; who takes one owns it. */
struct notify_fds {
	struct {
		int	fd;		/* -1: taken */
		char	name[NOTIFY_NAME_MAX];
	} fds[NOTIFY_FDS_MAX];
	size_t	count;
};

/*
 * Collects them (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), marks them
 * close-on-exec and cleans the environment. None is not an error.
 */
void	notify_fds_collect(struct notify_fds *fds);

/* The first descriptor of that name, or -1. */
int	notify_fds_take(struct notify_fds *fds, const char *name);

/* Closes what nobody took. */
void	notify_fds_close(struct notify_fds *fds);

#endif
