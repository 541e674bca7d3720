/*
 * The HTTP door: libmicrohttpd (RFC 9110, 9112) inside our event loop, for
 * whoever watches the daemon.
 *
 *	listener --fd--> MHD_add_connection()
 *	its epoll descriptor, readable in our loop --> MHD_run()
 *
 * It answers without reading a body, never echoes what was sent, and never
 * tells a name. Each connection has a timer of its own that starts anew with
 * every answer: MHD's own timeout starts anew with every octet, so a peer
 * that sends one now and then would stay for ever.
 */

#include "doors/http.h"

#include <sys/socket.h>

#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/wbuf.h"
#include "doors/http_socket.h"

#define REQUEST_MS	10000
#define CONNECTIONS_MAX	256
#define CONNECTION_MEMORY (16 * 1024)	/* request line and header fields */
#define PLAIN_TEXT	"text/plain; charset=utf-8"
#define METRICS_TYPE	"text/plain; version=0.0.4; charset=utf-8"

/* One connection. Owner: MHD, from its "started" to its "closed". */
struct peer {
	struct http_door	*door;
	struct event		*deadline;
	int			 fd;		/* MHD's */
};

struct http_door {
	const struct door_context *context;
	struct listener		*listener;	/* NULL: draining */
	struct MHD_Daemon	*mhd;
	struct event		*ready;		/* MHD's epoll descriptor */
	struct event		*later;		/* when MHD wants to run */
	struct timeval		 request_time;
	struct peer		*adding;	/* not yet MHD's */
};

/* Lets MHD work, and asks when it wants to work again whatever comes. */
static void
run(struct http_door *door)
{
	struct timeval tv;
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(door->mhd);
	if (MHD_get_timeout(door->mhd, &ms) != MHD_YES) {
		(void)event_del(door->later);
		return;
	}
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	(void)event_add(door->later, &tv);
}

static void
on_run(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg);
}

/* MHD finds the end of the stream and closes. */
static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	struct http_door *door = peer->door;

	(void)fd;
	(void)what;
	(void)shutdown(peer->fd, SHUT_RDWR);
	run(door);
}

static void
peer_free(struct peer *peer)
{
	if (peer->deadline != NULL)
		event_free(peer->deadline);
	if (peer->door->listener != NULL)
		listener_closed(peer->door->listener);
	free(peer);
}

static void
on_connection(void *arg, struct MHD_Connection *connection,
    void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http_door *door = arg;

	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = door->adding;
		door->adding = NULL;
	} else if (*socket_context != NULL) {
		peer_free(*socket_context);
		*socket_context = NULL;
	}
}

/* An answer is out: the next request has its own time. */
static void
on_completed(void *arg, struct MHD_Connection *connection,
    void **request_context, enum MHD_RequestTerminationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_door *door = arg;
	struct peer *peer = info != NULL ? info->socket_context : NULL;

	(void)request_context;
	(void)code;
	if (peer != NULL)
		(void)event_add(peer->deadline, &door->request_time);
}

static void
on_accept(int fd, void *arg)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct http_door *door = arg;
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL) {
		sink_log(door->context->sink, LEVEL_ERROR,
		    "door=http: out of memory, connection closed");
		(void)close(fd);
		listener_closed(door->listener);
		return;
	}
	peer->door = door;
	peer->fd = fd;
	peer->deadline = evtimer_new(door->context->base, on_deadline, peer);
	if (peer->deadline == NULL || event_add(peer->deadline,
	    &door->request_time) != 0) {
		(void)close(fd);
		peer_free(peer);
		return;
	}
	door->adding = peer;
	/* NB: it closes fd when it fails. */
	(void)MHD_add_connection(door->mhd, fd, &nobody, sizeof(nobody));
	if (door->adding != NULL) {
		peer_free(door->adding);
		door->adding = NULL;
	}
	/* The request has usually come with the connection. */
	run(door);
}

/* Takes over response; false closes the connection. */
static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned int status,
    const char *type, struct MHD_Response *response)
{
	enum MHD_Result rc;

	if (response == NULL)
		return MHD_NO;
	rc = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	    type);
	if (rc == MHD_YES)
		rc = MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (rc == MHD_YES && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		rc = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
		    "GET, HEAD");
	if (rc == MHD_YES)
		rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

/* text: static, one word. */
static enum MHD_Result
answer_word(struct MHD_Connection *connection, unsigned int status,
    struct span text)
{
	char line[32];
	struct wbuf wb;

	wbuf_init(&wb, line, sizeof(line));
	wbuf_span(&wb, text);
	wbuf_u8(&wb, '\n');
	return answer(connection, status, PLAIN_TEXT,
	    MHD_create_response_from_buffer(wb.n, line,
	    MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result
answer_health(const struct http_door *door,
    struct MHD_Connection *connection)
{
	if (door->listener == NULL)
		return answer_word(connection,
		    MHD_HTTP_SERVICE_UNAVAILABLE, SPAN_LIT("stopping"));
	if (!auth_ready(door->context->auth))
		return answer_word(connection,
		    MHD_HTTP_SERVICE_UNAVAILABLE, SPAN_LIT("unavailable"));
	return answer_word(connection, MHD_HTTP_OK, SPAN_LIT("ok"));
}

static enum MHD_Result
answer_metrics(const struct http_door *door,
    struct MHD_Connection *connection)
{
	/* Untouched pages of it cost nothing. */
	char *text = malloc(AUTH_METRICS_MAX);
	enum MHD_Result rc = MHD_NO;
	struct wbuf wb;

	if (text == NULL)
		return MHD_NO;
	wbuf_init(&wb, text, AUTH_METRICS_MAX);
	auth_metrics(door->context->auth, &wb);
	if (!wb.failed)
		rc = answer(connection, MHD_HTTP_OK, METRICS_TYPE,
		    MHD_create_response_from_buffer(wb.n, text,
		    MHD_RESPMEM_MUST_COPY));
	free(text);
	return rc;
}

static bool
has_body(struct MHD_Connection *connection)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	    MHD_HTTP_HEADER_CONTENT_LENGTH) != NULL ||
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	    MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/*
 * Called when the header is here, and again when the request is complete. An
 * answer to the first call ends the connection, which is right where a body
 * would have to be read; else it waits for the second.
 */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_n, void **request_context)
{
	const struct http_door *door = arg;
	struct span path = span_str(url), verb = span_str(method);
	bool health = span_equal(path, SPAN_LIT("/healthz"));

	(void)version;
	(void)upload;
	(void)upload_n;
	if (*request_context == NULL && !has_body(connection)) {
		*request_context = arg;
		return MHD_YES;
	}
	if (!health && !span_equal(path, SPAN_LIT("/metrics")))
		return answer_word(connection, MHD_HTTP_NOT_FOUND,
		    SPAN_LIT("not-found"));
	if (!span_equal(verb, SPAN_LIT("GET")) &&
	    !span_equal(verb, SPAN_LIT("HEAD")))
		return answer_word(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    SPAN_LIT("method-not-allowed"));
	return health ? answer_health(door, connection) :
	    answer_metrics(door, connection);
}

/* Its own log stays off: it would quote requests. */
static bool
start_mhd(struct http_door *door, unsigned int connections)
{
	const union MHD_DaemonInfo *info;

	door->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET,
	    0, NULL, NULL, on_request, door,
	    MHD_OPTION_CONNECTION_LIMIT, connections,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, door,
	    MHD_OPTION_END);
	if (door->mhd == NULL)
		return false;
	info = MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || info->epoll_fd < 0)
		return false;
	door->ready = event_new(door->context->base, info->epoll_fd,
	    EV_READ | EV_PERSIST, on_run, door);
	door->later = evtimer_new(door->context->base, on_run, door);
	return door->ready != NULL && door->later != NULL &&
	    event_add(door->ready, NULL) == 0;
}

static bool
start_listener(struct http_door *door, struct listener_settings *listener)
{
	const struct sink *sink = door->context->sink;

	if (listener->fd >= 0 && !http_socket_local(listener->fd)) {
		sink_log(sink, LEVEL_ERROR, "[http] the socket handed over "
		    "can be reached from outside: only unix sockets and "
		    "loopback addresses are served");
		(void)close(listener->fd);
		return false;
	}
	if (listener->fd < 0 && listener->path[0] != '/') {
		listener->fd = http_socket_open(listener->path, sink);
		if (listener->fd < 0)
			return false;
	}
	door->listener = listener_new(door->context->base, listener, sink,
	    on_accept, door);
	return door->listener != NULL;
}

struct http_door *
http_door_new(const struct door_context *context,
    const struct http_settings *settings)
{
	struct http_door *door = calloc(1, sizeof(*door));
	struct listener_settings listener = settings->listener;
	unsigned int ms = settings->request_ms != 0 ? settings->request_ms :
	    REQUEST_MS;

	if (listener.connections_max == 0)
		listener.connections_max = CONNECTIONS_MAX;
	if (door != NULL)
		door->context = context;
	if (door == NULL || !start_mhd(door, listener.connections_max)) {
		sink_log(context->sink, LEVEL_ERROR, "[http] libmicrohttpd "
		    "does not start");
		if (listener.fd >= 0)
			(void)close(listener.fd);
		http_door_free(&door);
		return NULL;
	}
	door->request_time.tv_sec = ms / 1000;
	door->request_time.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (!start_listener(door, &listener))
		http_door_free(&door);
	return door;
}

void
http_door_free(struct http_door **door)
{
	struct http_door *d = *door;

	*door = NULL;
	if (d == NULL)
		return;
	listener_free(&d->listener);
	/* NB: our events first, they look at MHD's descriptor. */
	if (d->ready != NULL)
		event_free(d->ready);
	if (d->later != NULL)
		event_free(d->later);
	if (d->mhd != NULL)
		MHD_stop_daemon(d->mhd);
	free(d);
}

void
http_door_drain(struct http_door *door)
{
	listener_free(&door->listener);
}
