#ifndef ONECRED_RADIUS_SOCKET_H
#define ONECRED_RADIUS_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sink.h"
#include "core/span.h"

#define RADIUS_MAPPED_BITS	96	/* of ::ffff:0:0/96 */
#define RADIUS_ADDRESS_TEXT	INET6_ADDRSTRLEN

/* An address in one form for both families. */
struct radius_address {
	uint8_t		ip[16];		/* IPv4 mapped into IPv6 */
	uint16_t	port;
};

/* Reads a socket address; another family than IPv4 and IPv6 gives zeros. */
void	radius_address_read(const struct sockaddr_storage *from,
	    struct radius_address *out);

/* The IP address as people write it, into RADIUS_ADDRESS_TEXT octets. */
void	radius_address_text(const struct radius_address *address, char *out);

/* Where a datagram came from, and which of our addresses it was sent to. */
struct radius_peer {
	struct sockaddr_storage	from;
	socklen_t		from_n;
	sa_family_t		family;	/* of local; 0: not known */
	union {
		struct in_pktinfo	in;
		struct in6_pktinfo	in6;
	}			local;
};

/*
 * Binds "127.0.0.1:1812" or "[::1]:1812" (port 1812 if there is none), or
 * takes over fd if it is not -1. The descriptor, nonblocking; or -1 and the
 * reason in the sink.
 */
int	radius_socket_open(const char *listen, int fd,
	    const struct sink *sink);

/* Datagrams of one system call. */
#define RADIUS_BATCH	32
#define RADIUS_SOCKET_MAX 4096	/* octets of one; longer ones are cut */

/* Zeroed is empty; from, octets and n are for the taker. */
struct radius_batch {
	size_t			count;
	struct radius_peer	peers[RADIUS_BATCH];
	size_t			n[RADIUS_BATCH];
	uint8_t			octets[RADIUS_BATCH][RADIUS_SOCKET_MAX];
};

/*
 * Fills in with what has come, up to its size. False if there is nothing, or
 * an error was read that says so of an earlier reply (*more: there may be
 * something behind it).
 */
bool	radius_socket_receive(int fd, struct radius_batch *in, bool *more);

/* Puts an answer to peer into out; false: it is full, or it is too long. */
bool	radius_batch_add(struct radius_batch *out, struct span octets,
	    const struct radius_peer *peer);

/*
 * Sends each from the address that was asked, and empties out. What does not
 * fit into the socket is lost, as on any wire: the client will ask again.
 */
void	radius_socket_send(int fd, struct radius_batch *out);

#endif
