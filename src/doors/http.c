/*
 * The HTTP door: libmicrohttpd (RFC 9110, 9112) inside our event loop.
 *
 *	listener --fd--> MHD_add_connection()
 *	its epoll descriptor, readable in our loop --> MHD_run()
 *	a decision that takes time: MHD suspends the connection, and is
 *	resumed when the answer is there
 *
 * This file is the loop and the connections; what is asked for is judged in
 * http_watch.c and http_exchange.c. Nothing that was sent is logged.
 *
 * Who leaves, or says that there is no further request (shutdown() of one
 * side), is not watched for while a decision is under way: that ends soon by
 * itself, and counts and is logged whether or not its asker stays.
 *
 * Each connection has a timer of its own that starts anew with every answer:
 * MHD's own timeout starts anew with every octet, so a peer that sends one
 * now and then would stay for ever. While a decision is under way the timer
 * rests: service/auth answers within its own deadline.
 */

#include "doors/http.h"

#include <sys/socket.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/secret.h"
#include "doors/http_exchange.h"
#include "doors/http_json.h"
#include "doors/http_response.h"
#include "doors/http_socket.h"
#include "doors/http_watch.h"

#define REQUEST_MS	10000
#define CONNECTIONS_MAX	256
#define CONNECTION_MEMORY (16 * 1024)	/* request line and header fields */
#define DISCARD_MAX	65536	/* octets read in vain, to keep a connection */

/* One connection. Owner: MHD, from its "started" to its "closed". */
struct connection {
	struct http_door	*door;
	struct connection	*next, **link;	/* all of the door's */
	struct event		*deadline;
	struct MHD_Connection	*mhd;		/* suspended, or NULL */
	struct request		*waiting;	/* what it waits with */
	int			 fd;		/* MHD's */
};

/* One request. Owner: MHD, from its URI to its "completed". */
struct request {
	struct http_exchange	*exchange;
	struct connection	*connection;
	bool			 suspended;	/* at some time */
	enum {
		STEP_HEADER = 0,	/* nothing seen yet */
		STEP_BODY,
		STEP_DISCARD,		/* answered, but the body comes */
		STEP_WAITING,		/* suspended */
		STEP_ANSWERED,
		STEP_GONE		/* nobody waits any more */
	} step;
};

struct http_door {
	const struct door_context *context;
	struct listener		*listener;
	struct http_clients	*clients;
	struct connection	*connections;
	struct http_refusals	 refusals;
	struct http_counts	 counts;
	size_t			 waiting;	/* requests that were suspended,
						   until they are completed */
	bool			 draining;
	struct MHD_Daemon	*mhd;
	struct event		*ready;		/* MHD's epoll descriptor */
	struct event		*later;		/* when MHD wants to run */
	struct timeval		 request_time;
	struct connection	*adding;	/* not yet MHD's */
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

/* Runs MHD once in this turn, however often it is asked for. */
static void
run_soon(struct http_door *door)
{
	event_active(door->later, EV_TIMEOUT, 0);
}

/* The wait is over, by whatever: MHD asks on_request() again. */
static void
wake(struct connection *c)
{
	struct MHD_Connection *mhd = c->mhd;

	c->mhd = NULL;
	(void)event_add(c->deadline, &c->door->request_time);
	MHD_resume_connection(mhd);
	run_soon(c->door);
}

static void
on_ready(void *arg)
{
	struct request *request = arg;

	wake(request->connection);
}

/* Ends the request that is under way: the door closes. */
static void
abandon(struct connection *c)
{
	c->waiting->step = STEP_GONE;
	http_exchange_cancel(c->waiting->exchange);
	wake(c);
}

/* MHD finds the end of the stream and closes. */
static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	(void)shutdown(c->fd, SHUT_RDWR);
	run(c->door);
}

static void
connection_free(struct connection *c)
{
	if (c->next != NULL)
		c->next->link = c->link;
	if (c->link != NULL)
		*c->link = c->next;
	if (c->deadline != NULL)
		event_free(c->deadline);
	if (c->door->listener != NULL)
		listener_closed(c->door->listener);
	free(c);
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
		connection_free(*socket_context);
		*socket_context = NULL;
	}
}

static struct connection *
connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* A request line: what it asks for, as it came. */
static void *
on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_door *door = arg;
	struct request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->connection = connection_of(mhd);
	request->exchange = http_exchange_new(door->context, span_str(uri));
	if (request->exchange == NULL) {
		free(request);
		return NULL;
	}
	request->exchange->ready = on_ready;
	request->exchange->arg = request;
	return request;
}

/* An answer is out: the next request has its own time. */
static void
on_completed(void *arg, struct MHD_Connection *mhd, void **request_context,
    enum MHD_RequestTerminationCode code)
{
	struct connection *c = connection_of(mhd);
	struct request *request = *request_context;
	struct http_door *door = arg;

	(void)code;
	*request_context = NULL;
	if (request != NULL) {
		/* NB: not before, or the end of the daemon overtakes it. */
		door->waiting -= request->suspended;
		http_exchange_free(&request->exchange);
		free(request);
	}
	if (c != NULL)
		(void)event_add(c->deadline, &door->request_time);
}

static void
on_accept(int fd, void *arg)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct http_door *door = arg;
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		sink_log(door->context->sink, LEVEL_ERROR,
		    "door=http: out of memory, connection closed");
		(void)close(fd);
		listener_closed(door->listener);
		return;
	}
	c->door = door;
	c->fd = fd;
	c->deadline = evtimer_new(door->context->base, on_deadline, c);
	if (c->deadline == NULL || event_add(c->deadline,
	    &door->request_time) != 0) {
		(void)close(fd);
		connection_free(c);
		return;
	}
	c->link = &door->connections;
	c->next = door->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	door->connections = c;
	door->adding = c;
	/* NB: it closes fd when it fails. */
	(void)MHD_add_connection(door->mhd, fd, &nobody, sizeof(nobody));
	if (door->adding != NULL) {
		connection_free(door->adding);
		door->adding = NULL;
	}
	/* The request has usually come with the connection. */
	run(door);
}

/*
 * Whether the peer has nothing more to ask. MHD reads until less comes than it
 * has room for, and would miss an end that came with the request.
 */
static bool
has_ended(int fd)
{
	uint8_t octet;

	return recv(fd, &octet, sizeof(octet), MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Hands the answer to MHD; its text stays the exchange's. MHD_NO closes. */
static enum MHD_Result
send_answer(struct http_door *door, struct request *request,
    struct MHD_Connection *mhd)
{
	const struct http_answer *answer = &request->exchange->answer;
	struct MHD_Response *response;
	enum MHD_Result rc;

	request->step = STEP_ANSWERED;
	http_counts_add(&door->counts, answer->status);
	/* After it the peer's next request is another daemon's. */
	response = http_response_new(answer, door->draining ||
	    has_ended(request->connection->fd));
	if (response == NULL)
		return MHD_NO;
	rc = MHD_queue_response(mhd, answer->status, response);
	MHD_destroy_response(response);
	return rc;
}

/* A token was wrong or missing: counted, told now and then. */
static void
note_refusal(struct http_door *door, int fd)
{
	char source[HTTP_SOURCE_MAX];
	struct timespec ts;
	uint64_t untold;

	door->counts.refused++;
	http_socket_source(fd, source, sizeof(source));
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	if (http_refusals_take(&door->refusals, source,
	    (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000,
	    &untold))
		sink_log(door->context->sink, LEVEL_WARNING, "door=http: a "
		    "request without the token of a client, source=%s; %"
		    PRIu64 " more untold before", source, untold);
}

static enum MHD_Result
on_field(void *arg, enum MHD_ValueKind kind, const char *name,
    size_t name_n, const char *value, size_t value_n)
{
	(void)kind;
	http_headers_add(arg, span_mem(name, name_n),
	    span_mem(value, value_n));
	return MHD_YES;
}

/*
 * The header is here. An answer to this call ends the connection, which is
 * right where much body would have to be read in vain; else it waits until
 * the request is complete.
 */
static enum MHD_Result
on_header(struct http_door *door, struct request *request,
    struct MHD_Connection *mhd, const char *method)
{
	struct http_exchange *x = request->exchange;
	struct http_headers headers = { .chunked = false };
	const struct http_watch watch = {
		&door->counts, door->draining
	};
	size_t n = 0;

	x->method = http_method_parse(span_str(method));
	(void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_field,
	    &headers);
	request->step = STEP_DISCARD;
	if (headers.malformed)
		http_exchange_error(x, 400, "a header field is none");
	else if (!http_watch_answer(&watch, x) &&
	    http_exchange_begin(x, &headers, door->clients))
		request->step = STEP_BODY;
	if (x->answer.status == MHD_HTTP_UNAUTHORIZED)
		note_refusal(door, request->connection->fd);
	/* The token is not needed again, and MHD would keep it. */
	secret_wipe((void *)(uintptr_t)headers.authorization.p,
	    headers.authorization.n);
	if (request->step == STEP_DISCARD && (headers.chunked ||
	    headers.repeated || headers.malformed ||
	    http_headers_length(&headers, &n) != 0 || n > DISCARD_MAX))
		return send_answer(door, request, mhd);
	return MHD_YES;
}

/* The request is complete: answers it, now or later. */
static enum MHD_Result
on_complete(struct http_door *door, struct request *request,
    struct MHD_Connection *mhd)
{
	struct connection *c = request->connection;

	if (request->step == STEP_DISCARD ||
	    http_exchange_end(request->exchange))
		return send_answer(door, request, mhd);
	(void)event_del(c->deadline);
	request->step = STEP_WAITING;
	request->suspended = true;
	c->waiting = request;
	c->mhd = mhd;
	door->waiting++;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

/*
 * MHD calls it when the header is here, for each piece of the body, when the
 * request is complete, and again after each suspension.
 */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_n, void **request_context)
{
	struct request *request = *request_context;
	struct http_door *door = arg;

	(void)url;
	(void)version;
	if (request == NULL)
		return MHD_NO;
	if (request->step == STEP_HEADER)
		return on_header(door, request, mhd, method);
	if (*upload_n > 0) {
		if (request->step == STEP_BODY)
			http_exchange_body(request->exchange,
			    span_mem(upload, *upload_n));
		/* NB: it may hold a password, and MHD's buffer stays. */
		secret_wipe((void *)(uintptr_t)upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	switch (request->step) {
	case STEP_BODY:
	case STEP_DISCARD:
		return on_complete(door, request, mhd);
	case STEP_WAITING:
		return send_answer(door, request, mhd);
	case STEP_HEADER:
	case STEP_ANSWERED:
	case STEP_GONE:
		break;
	}
	return MHD_NO;
}

/* Its own log stays off: it would quote requests. */
static bool
start_mhd(struct http_door *door, unsigned int connections)
{
	const union MHD_DaemonInfo *info;

	door->mhd = MHD_start_daemon(MHD_USE_EPOLL |
	    MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, on_request, door,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, door,
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
	http_json_setup();
	if (door != NULL)
		door->clients = http_clients_new(context->crypto,
		    settings->clients, settings->client_count);
	if (door == NULL || door->clients == NULL ||
	    !start_mhd(door, listener.connections_max)) {
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
	struct connection *c;

	*door = NULL;
	if (d == NULL)
		return;
	listener_free(&d->listener);
	/* NB: MHD must not be stopped while a connection is suspended. */
	for (c = d->connections; c != NULL; c = c->next)
		if (c->mhd != NULL)
			abandon(c);
	/* NB: our events first, they look at MHD's descriptor. */
	if (d->ready != NULL)
		event_free(d->ready);
	if (d->later != NULL)
		event_free(d->later);
	if (d->mhd != NULL)
		MHD_stop_daemon(d->mhd);
	http_clients_unref(&d->clients);
	free(d);
}

void
http_door_reload(struct http_door *door, const struct http_settings *settings)
{
	struct http_clients *clients = http_clients_new(
	    door->context->crypto, settings->clients, settings->client_count);

	if (clients == NULL) {
		sink_log(door->context->sink, LEVEL_ERROR, "[http] out of "
		    "memory, the clients stay as they were");
		return;
	}
	http_clients_unref(&door->clients);
	door->clients = clients;
}

size_t
http_door_busy(const struct http_door *door)
{
	return door->waiting + (door->draining ?
	    listener_busy(door->listener) : 0);
}

void
http_door_drain(struct http_door *door)
{
	door->draining = true;
	listener_drain(door->listener);
}
