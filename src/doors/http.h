#ifndef ONECRED_HTTP_H
#define ONECRED_HTTP_H

#include <stddef.h>

#include "doors/door.h"
#include "doors/http_clients.h"
#include "doors/listener.h"

/*
 * HTTP/1.1 on a unix socket or a loopback address (onecred-http(5)): GET and
 * HEAD of /healthz and /metrics, which need no token and hold no names;
 * decisions under /v1 for clients with a token.
 */
struct http_door;

struct http_settings {
	/* path: a unix socket ("/..."), or a loopback address and port. */
	struct listener_settings listener;
	unsigned int	 request_ms;	/* for a request with its answer, and
					   between two; 0: 10 s */
	const struct http_client_settings *clients;
	size_t		 client_count;	/* 0: /v1 is closed */
};

/*
 * NULL on failure, the reason in the context's sink. A socket handed over
 * (listener.fd) is the door's in either case.
 */
struct http_door *http_door_new(const struct door_context *context,
		    const struct http_settings *settings);

/*
 * A reload: the same socket, other clients. Requests whose token was judged
 * before go on as they were. Nothing of settings is kept.
 */
void		 http_door_reload(struct http_door *door,
		    const struct http_settings *settings);

/* Closes every connection; decisions under way are cancelled. */
void		 http_door_free(struct http_door **door);

/*
 * Towards the end: who already waits is accepted, nobody else; connections
 * that are open find /healthz saying "stopping", and are closed behind their
 * next answer.
 */
void		 http_door_drain(struct http_door *door);

/* Requests whose decision is under way. */
size_t		 http_door_busy(const struct http_door *door);

#endif
