#ifndef ONECRED_HTTP_SOCKET_H
#define ONECRED_HTTP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "core/sink.h"

/* Where the HTTP door may listen on TCP: at loopback addresses only. */
enum http_place {
	HTTP_PLACE_OK = 0,
	HTTP_PLACE_BAD,		/* not an address with a port */
	HTTP_PLACE_PUBLIC	/* not a loopback address */
};

/* Reads "127.0.0.1:8080" or "[::1]:8080". */
enum http_place http_place_parse(const char *text,
		    struct sockaddr_storage *out, socklen_t *n);

/* A listening socket there, or -1 and the reason in the sink. */
int		 http_socket_open(const char *text, const struct sink *sink);

/* A socket handed over: whether nobody from outside can reach it. */
bool		 http_socket_local(int fd);

/* Who is at the other end, for the log: an address, or "uid:1000". */
void		 http_socket_source(int fd, char *out, size_t cap);

#endif
