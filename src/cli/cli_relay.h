#ifndef ONECRED_CLI_RELAY_H
#define ONECRED_CLI_RELAY_H

#include <sys/un.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_HEADER	2			/* octets: length, big endian */
#define RELAY_PAYLOAD	65535			/* octets at most */
#define RELAY_FRAME	(RELAY_HEADER + RELAY_PAYLOAD)
#define RELAY_ANSWER	4			/* octets: 00 02 00 XX */

/* XX of an answer. */
enum {
	RELAY_FALSE = 0,
	RELAY_TRUE = 1,
	RELAY_UNAVAILABLE = 2
};

/* The way to the [extauth] socket of onecredd: one request at a time. */
struct relay {
	struct sockaddr_un	address;
	int			timeout_ms;
	int			fd;		/* to the daemon, or -1 */
	bool			away;		/* already complained */
	bool			quiet;		/* complains to syslog only */
};

/* Set up for path and timeout_ms; false if path is too long for a socket. */
bool	relay_init(struct relay *relay, const char *path, int timeout_ms);

/* Milliseconds of a clock that nobody sets. */
int64_t	relay_now(void);

/* Waits for events on fd. False at the deadline (-1: there is none). */
bool	relay_wait(int fd, short events, int64_t deadline);

/*
 * Asks with a whole frame of n octets. Fills answer, whatever happens: with
 * that of the daemon, or else, by deadline, with 00 02 00 02.
 */
void	relay_ask(struct relay *relay, const uint8_t *frame, size_t n,
	    int64_t deadline, uint8_t answer[RELAY_ANSWER]);

/* Ends the connection, if there is one. */
void	relay_drop(struct relay *relay);

#endif
