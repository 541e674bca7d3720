#ifndef ONECRED_RADIUS_PRIVATE_H
#define ONECRED_RADIUS_PRIVATE_H

/*
 * The RADIUS door between its files: radius.c (datagrams, the door's life),
 * radius_login.c (the way of one Access-Request). Nobody else includes this.
 */

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "doors/radius_cache.h"
#include "doors/radius_clients.h"
#include "doors/radius_nonce.h"
#include "doors/radius_packet.h"
#include "doors/radius_request.h"
#include "doors/radius_socket.h"

struct radius_login;
TAILQ_HEAD(radius_login_list, radius_login);

struct radius_door {
	struct door_context	 context;
	int			 fd;
	bool			 own_fd;
	struct event		*readable, *flush, *sweep;
	struct radius_clients	*clients;
	struct radius_cache	*cache;
	struct radius_memory	*memory;	/* nonce = theirs */
	uint8_t			 key[RADIUS_NONCE_KEY_SIZE];
	struct radius_login_list logins;	/* under way */
	size_t			 login_count;
	struct radius_quota	 strangers, unmade;
	struct radius_batch	 in, out;
	uint8_t			 reply[RADIUS_PACKET_MAX];
	struct radius_request	 request;
};

/* The datagram in hand; views and borrowed pointers. */
struct radius_datagram {
	struct radius_packet	 packet;
	struct radius_client	*client;
	const struct radius_peer *peer;
	uint64_t		 now;		/* monotonic milliseconds */
	uint64_t		 handle;	/* in the cache */
};

extern const char radius_door_name[];

/* Microseconds of CLOCK_MONOTONIC or CLOCK_REALTIME. */
static inline uint64_t
radius_clock_us(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Monotonic milliseconds. */
static inline uint64_t
radius_now(void)
{
	return radius_clock_us(CLOCK_MONOTONIC) / 1000;
}

/* radius.c: signs, keeps and sends a reply; drops it if it cannot be made. */
void	radius_answer(struct radius_door *door,
	    const struct radius_reply *reply,
	    const struct radius_client *client,
	    const struct radius_peer *peer, uint64_t handle);

/* Counts and tells that the datagram in hand gets no answer. */
void	radius_drop(struct radius_door *door, struct radius_datagram *in,
	    enum radius_drop why);

/* radius_login.c: the datagram in hand is an Access-Request, and new. */
void	radius_login_start(struct radius_door *door,
	    struct radius_datagram *in);

/* Ends what is under way, without answers. */
void	radius_login_end_all(struct radius_door *door);

#endif
