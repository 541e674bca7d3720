#ifndef ONECRED_RADIUS_SOCKET_H
#define ONECRED_RADIUS_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <netinet/in.h>
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

/*
 * The next datagram. Its length (cut at cap), 0 for an empty one; -1 with
 * errno: EAGAIN when there is none.
 */
ssize_t	radius_socket_receive(int fd, void *octets, size_t cap,
	    struct radius_peer *peer);

/*
 * Answers from the address that was asked. What does not fit into the socket
 * is lost, as on any wire: the client will ask again.
 */
void	radius_socket_send(int fd, struct span octets,
	    const struct radius_peer *peer);

#endif
