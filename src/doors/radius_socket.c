/*
 * The UDP socket of the RADIUS door. Bound to all addresses, it answers from
 * the one that was asked: clients ignore a reply from elsewhere.
 */

#include "doors/radius_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/util.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PORT_DEFAULT	1812
#define BUFFER_WANTED	(1 << 20)	/* octets; a burst while we work */

union socket_address {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
	struct sockaddr_storage	storage;
};

/* Control data that may come with, or go with, a datagram. */
struct control {
	_Alignas(struct cmsghdr)
	char	octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static const uint8_t mapped_prefix[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

void
radius_address_read(const struct sockaddr_storage *from,
    struct radius_address *out)
{
	union socket_address address;

	address.storage = *from;
	*out = (struct radius_address){ 0 };
	if (from->ss_family == AF_INET) {
		memcpy(out->ip, mapped_prefix, sizeof(mapped_prefix));
		memcpy(out->ip + sizeof(mapped_prefix), &address.in.sin_addr,
		    sizeof(address.in.sin_addr));
		out->port = ntohs(address.in.sin_port);
	} else if (from->ss_family == AF_INET6) {
		memcpy(out->ip, &address.in6.sin6_addr, sizeof(out->ip));
		out->port = ntohs(address.in6.sin6_port);
	}
}

void
radius_address_text(const struct radius_address *address, char *out)
{
	const void *ip = address->ip;
	int family = AF_INET6;

	if (span_equal(span_mem(address->ip, sizeof(mapped_prefix)),
	    span_mem(mapped_prefix, sizeof(mapped_prefix)))) {
		ip = address->ip + sizeof(mapped_prefix);
		family = AF_INET;
	}
	if (inet_ntop(family, ip, out, RADIUS_ADDRESS_TEXT) == NULL)
		out[0] = '\0';
}

/* Asks for the destination of each datagram if it can be more than one. */
static bool
want_local_address(int fd)
{
	union socket_address bound = { 0 };
	socklen_t n = sizeof(bound);
	int on = 1;

	if (getsockname(fd, &bound.sa, &n) != 0)
		return false;
	if (bound.sa.sa_family == AF_INET &&
	    bound.in.sin_addr.s_addr == htonl(INADDR_ANY))
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on,
		    sizeof(on)) == 0;
	if (bound.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&bound.in6.sin6_addr))
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
		    sizeof(on)) == 0;
	return true;
}

static int
socket_bind(const char *listen, const struct sink *sink)
{
	union socket_address address = { 0 };
	int n = sizeof(address), fd;

	if (evutil_parse_sockaddr_port(listen, &address.sa, &n) != 0) {
		sink_log(sink, LEVEL_ERROR, "radius: \"%s\" is not an address"
		    " with a port, such as 127.0.0.1:1812", listen);
		return -1;
	}
	/* sin6_port stands where sin_port does. */
	if (address.in.sin_port == 0)
		address.in.sin_port = htons(PORT_DEFAULT);
	fd = socket(address.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &address.sa, (socklen_t)n) != 0) {
		sink_log(sink, LEVEL_ERROR, "radius: cannot listen on %s: %s",
		    listen, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	return fd;
}

int
radius_socket_open(const char *listen, int fd, const struct sink *sink)
{
	int given = fd, size = BUFFER_WANTED, flags;
	const int off = 0;

	if (fd < 0)
		fd = socket_bind(listen, sink);
	if (fd < 0)
		return -1;
	flags = fcntl(fd, F_GETFL);
	/* NB: the service manager sets it, and then whoever does so too may
	   bind our port beside us, and gets the datagrams. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    !want_local_address(fd)) {
		sink_log(sink, LEVEL_ERROR, "radius: socket of %s: %s",
		    listen == NULL ? "the service manager" : listen,
		    strerror(errno));
		if (given < 0)
			(void)close(fd);
		return -1;
	}
	/* The kernel's limit may be lower; that is no reason to stop. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

/* Which of our addresses a datagram was sent to. */
static void
local_read(struct msghdr *message, struct radius_peer *peer)
{
	struct cmsghdr *c;

	peer->family = 0;
	for (c = CMSG_FIRSTHDR(message); c != NULL;
	    c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP &&
		    c->cmsg_type == IP_PKTINFO) {
			peer->family = AF_INET;
			memcpy(&peer->local.in, CMSG_DATA(c),
			    sizeof(peer->local.in));
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			peer->family = AF_INET6;
			memcpy(&peer->local.in6, CMSG_DATA(c),
			    sizeof(peer->local.in6));
		}
	}
}

bool
radius_socket_receive(int fd, struct radius_batch *in, bool *more)
{
	struct control controls[RADIUS_BATCH];
	struct mmsghdr messages[RADIUS_BATCH];
	struct iovec iovs[RADIUS_BATCH];
	int n;

	for (size_t i = 0; i < RADIUS_BATCH; i++) {
		iovs[i] = (struct iovec){
			.iov_base = in->octets[i],
			.iov_len = sizeof(in->octets[i])
		};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &in->peers[i].from,
			.msg_namelen = sizeof(in->peers[i].from),
			.msg_iov = &iovs[i], .msg_iovlen = 1,
			.msg_control = &controls[i],
			.msg_controllen = sizeof(controls[i])
		};
	}
	n = recvmmsg(fd, messages, RADIUS_BATCH, MSG_DONTWAIT, NULL);
	in->count = n > 0 ? (size_t)n : 0;
	/* An ICMP error about an earlier reply hides nothing. */
	*more = n == RADIUS_BATCH ||
	    (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
	for (size_t i = 0; i < in->count; i++) {
		in->n[i] = messages[i].msg_len;
		in->peers[i].from_n = messages[i].msg_hdr.msg_namelen;
		local_read(&messages[i].msg_hdr, &in->peers[i]);
	}
	return in->count > 0;
}

bool
radius_batch_add(struct radius_batch *out, struct span octets,
    const struct radius_peer *peer)
{
	if (out->count == RADIUS_BATCH || octets.n > RADIUS_SOCKET_MAX)
		return false;
	memcpy(out->octets[out->count], octets.p, octets.n);
	out->n[out->count] = octets.n;
	out->peers[out->count++] = *peer;
	return true;
}

static void
control_fill(struct msghdr *message, struct control *control, int level,
    int type, const void *value, size_t n)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(n);
	c = CMSG_FIRSTHDR(message);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), value, n);
}

/* The source that the client expects. */
static void
local_write(const struct radius_peer *peer, struct msghdr *message,
    struct control *control)
{
	/* Received: the header's address; sent: the source wanted. */
	const struct in_pktinfo in = {
		.ipi_spec_dst = peer->local.in.ipi_addr
	};

	if (peer->family == AF_INET)
		control_fill(message, control, IPPROTO_IP, IP_PKTINFO, &in,
		    sizeof(in));
	else if (peer->family == AF_INET6)
		control_fill(message, control, IPPROTO_IPV6, IPV6_PKTINFO,
		    &peer->local.in6, sizeof(peer->local.in6));
}

void
radius_socket_send(int fd, struct radius_batch *out)
{
	struct control controls[RADIUS_BATCH];
	struct mmsghdr messages[RADIUS_BATCH];
	struct iovec iovs[RADIUS_BATCH];
	size_t sent = 0;
	int n;

	for (size_t i = 0; i < out->count; i++) {
		iovs[i] = (struct iovec){
			.iov_base = out->octets[i], .iov_len = out->n[i]
		};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &out->peers[i].from,
			.msg_namelen = out->peers[i].from_n,
			.msg_iov = &iovs[i], .msg_iovlen = 1
		};
		local_write(&out->peers[i], &messages[i].msg_hdr,
		    &controls[i]);
	}
	while (sent < out->count) {
		n = sendmmsg(fd, messages + sent,
		    (unsigned int)(out->count - sent), MSG_DONTWAIT);
		/* The one that cannot be sent must not hold up the others. */
		sent += n > 0 ? (size_t)n : 1;
	}
	out->count = 0;
}
