/*
 * TCP sockets of the HTTP door, which speaks no TLS and trusts who can
 * connect: it must never listen where another machine can reach it.
 */

#include "doors/http_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/util.h>

#define BACKLOG	511

union socket_address {
	struct sockaddr		 sa;
	struct sockaddr_in	 in;
	struct sockaddr_in6	 in6;
	struct sockaddr_storage	 storage;
};

static bool
is_loopback(const union socket_address *address)
{
	if (address->sa.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 ==
		    IN_LOOPBACKNET;
	return address->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

enum http_place
http_place_parse(const char *text, struct sockaddr_storage *out,
    socklen_t *n)
{
	union socket_address address;
	int length = sizeof(address);

	memset(&address, 0, sizeof(address));
	/* sin6_port stands where sin_port does. */
	if (evutil_parse_sockaddr_port(text, &address.sa, &length) != 0 ||
	    address.in.sin_port == 0)
		return HTTP_PLACE_BAD;
	if (!is_loopback(&address))
		return HTTP_PLACE_PUBLIC;
	*out = address.storage;
	*n = (socklen_t)length;
	return HTTP_PLACE_OK;
}

int
http_socket_open(const char *text, const struct sink *sink)
{
	union socket_address address;
	const int on = 1;
	socklen_t n = 0;
	int fd;

	if (http_place_parse(text, &address.storage, &n) != HTTP_PLACE_OK) {
		sink_log(sink, LEVEL_ERROR, "[http] \"%s\" is not a loopback "
		    "address with a port", text);
		return -1;
	}
	fd = socket(address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	/* NB: without it a restart waits for old connections to fade away. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) != 0 || bind(fd, &address.sa, n) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		sink_log(sink, LEVEL_ERROR, "[http] cannot listen on %s: %s",
		    text, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	return fd;
}

bool
http_socket_local(int fd)
{
	union socket_address address;
	socklen_t n = sizeof(address);

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, &address.sa, &n) != 0)
		return false;
	return address.sa.sa_family == AF_UNIX || is_loopback(&address);
}

void
http_socket_source(int fd, char *out, size_t cap)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(ss);
	struct ucred user;
	char host[NI_MAXHOST];

	(void)snprintf(out, cap, "-");
	if (getpeername(fd, (struct sockaddr *)&ss, &n) != 0)
		return;
	if (ss.ss_family != AF_UNIX) {
		if (getnameinfo((struct sockaddr *)&ss, n, host,
		    sizeof(host), NULL, 0, NI_NUMERICHOST) == 0)
			(void)snprintf(out, cap, "%.*s", (int)cap - 1, host);
		return;
	}
	n = sizeof(user);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &n) == 0)
		(void)snprintf(out, cap, "uid:%u", (unsigned int)user.uid);
}
