#ifndef ONECRED_HTTP_H
#define ONECRED_HTTP_H

#include "doors/door.h"
#include "doors/listener.h"

/*
 * HTTP/1.1 on a unix socket or a loopback address: GET and HEAD of /healthz
 * and /metrics, which need no token and hold no names.
 */
struct http_door;

struct http_settings {
	/* path: a unix socket ("/..."), or a loopback address and port. */
	struct listener_settings listener;
	unsigned int	 request_ms;	/* for a request with its answer, and
					   between two; 0: 10 s */
};

/*
 * NULL on failure, the reason in the context's sink. A socket handed over
 * (listener.fd) is the door's in either case.
 */
struct http_door *http_door_new(const struct door_context *context,
		    const struct http_settings *settings);

/* Closes every connection. */
void		 http_door_free(struct http_door **door);

/*
 * Towards the end: nothing more is accepted; connections that are open find
 * /healthz saying "stopping".
 */
void		 http_door_drain(struct http_door *door);

#endif
