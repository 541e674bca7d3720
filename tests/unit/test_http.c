/*
 * The HTTP door itself: /healthz and /metrics, hostile requests, peers that
 * are slow, many, or leave, and where it listens.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "doors/http_socket.h"
#include "http_door.h"

static char	 place[32];

/* A port of 127.0.0.1 that is free now. */
static int
tcp_socket(uint32_t address, in_port_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(address);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, n), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static void
ends(const char *text)
{
	size_t n = strlen(text);

	ck_assert_msg(answer_n >= n &&
	    strcmp(answer + answer_n - n, text) == 0,
	    "\"%.300s\" does not end with %s", answer, text);
}

#define COUNTED	"\nonecred_http_refused_tokens_total 0\n"
#define NOTHING	"\r\n\r\n{\"error\":\"there is nothing under this path\"}\n"
#define ONLY_GET							\
	"\r\n\r\n{\"error\":\"this path takes GET and HEAD only\"}\n"

static const struct {
	const char	*request, *status, *end;
	bool		 away;
} requests[] = {
	{ "GET /healthz HTTP/1.1\r\n" CLOSE, "200 OK", "\r\n\r\nok\n",
	    false },
	{ "GET /healthz HTTP/1.1\r\n" CLOSE, "503 ",
	    "\r\n\r\nunavailable\n", true },
	{ "GET /healthz HTTP/1.0\r\n\r\n", "200 OK", "\r\n\r\nok\n", false },
	{ "HEAD /healthz HTTP/1.1\r\n" CLOSE, "200 OK", "\r\n\r\n", false },
	{ "HEAD /healthz HTTP/1.1\r\n" CLOSE, "503 ", "\r\n\r\n", true },
	{ "GET /metrics HTTP/1.1\r\n" CLOSE, "200 OK", COUNTED,
	    false },
	{ "GET /metrics HTTP/1.1\r\n" CLOSE, "200 OK", COUNTED,
	    true },
	{ "GET /metrics?name[]=x HTTP/1.1\r\n" CLOSE, "200 OK",
	    COUNTED, false },
	{ "HEAD /metrics HTTP/1.1\r\n" CLOSE, "200 OK", "\r\n\r\n", false },
	{ "GET / HTTP/1.1\r\n" CLOSE, "404 ", NOTHING, false },
	{ "GET /metrics/ HTTP/1.1\r\n" CLOSE, "404 ", NOTHING, false },
	{ "GET /Metrics HTTP/1.1\r\n" CLOSE, "404 ", NOTHING, false },
	{ "GET /../metrics HTTP/1.1\r\n" CLOSE, "404 ", NOTHING, false },
	{ "GET /" CANARY " HTTP/1.1\r\n" CLOSE, "404 ", NOTHING, false },
	{ "POST /v1 HTTP/1.1\r\nContent-Length: 0\r\n" CLOSE, "404 ",
	    NOTHING, false },
	{ "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n" CLOSE, "405 ",
	    ONLY_GET, false },
	{ "POST /healthz HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE "hello",
	    "405 ", ONLY_GET, false },
	{ "DELETE /metrics HTTP/1.1\r\n" CLOSE, "405 ",
	    ONLY_GET, false },
	{ "OPTIONS /metrics HTTP/1.1\r\n" CLOSE, "405 ",
	    ONLY_GET, false },
	{ CANARY " /metrics HTTP/1.1\r\n" CLOSE, "405 ",
	    ONLY_GET, false },
	{ "get /metrics HTTP/1.1\r\n" CLOSE, "405 ",
	    ONLY_GET, false },
	{ "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", "400 ", "",
	    false },
	{ "GET /healthz HTTP/1.1\r\nContent-Length: x\r\n" CLOSE, "400 ", "",
	    false },
	{ "GET /healthz HTTP/7.7\r\n" CLOSE, "505 ", "", false }
};

START_TEST(answers)
{
	ready = !requests[_i].away;
	ask(requests[_i].request, strlen(requests[_i].request));
	starts("HTTP/1.");
	ck_assert_msg(strncmp(answer + 9, requests[_i].status,
	    strlen(requests[_i].status)) == 0, "%s", answer);
	ends(requests[_i].end);
	ck_assert_ptr_null(strstr(answer, CANARY));
	ck_assert_ptr_null(strstr(lines, CANARY));
	if (strncmp(requests[_i].status, "405", 3) == 0)
		ck_assert_ptr_nonnull(strstr(answer,
		    "\r\nAllow: GET, HEAD\r\n"));
	if (strstr(requests[_i].request, "/metrics HTTP") != NULL &&
	    strncmp(requests[_i].status, "200", 3) == 0) {
		ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Type: "
		    "text/plain; version=0.0.4; charset=utf-8\r\n"));
		ck_assert_ptr_nonnull(strstr(answer,
		    "\r\nContent-Length: "));
		if (requests[_i].request[0] == 'G')
			ck_assert_ptr_nonnull(strstr(answer,
			    "\r\n\r\none 1\n# HELP onecred_http"));
	}
}
END_TEST

#define BYTES(s)	{ s, sizeof(s) - 1 }

static const struct {
	const char	*p;
	size_t		 n;
} garbage[] = {
	BYTES("\r\n\r\n\r\n"),
	BYTES("\n\n\n\n"),
	BYTES("\0\0\0\0\0\0\0\0\r\n\r\n"),
	BYTES("GET\r\n\r\n"),
	BYTES("GET /healthz\r\n\r\n"),
	BYTES("GET /%00 HTTP/1.1\r\n" CLOSE),
	BYTES("GET /healthz HTTP/1.1\r\n: \r\n" CLOSE),
	BYTES("GET /healthz HTTP/1.1\r\nno colon\r\n" CLOSE),
	BYTES("GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n" CLOSE),
	BYTES("GET /healthz HTTP/1.1\r\n"
	    "Content-Length: 99999999999999999999999\r\n" CLOSE),
	BYTES("POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
	    CLOSE "zz\r\n"),
	BYTES("POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
	    CLOSE "ffffffffffffffffffffff\r\n"),
	BYTES("\26\3\1\2\0\1\0\1\374\3\3"),
	BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	BYTES("\0\27auth:alice:example.com:x"),
	BYTES("GET /healthz HTTP/1.1\r\nHo")
};

/* The end comes in time, whatever the octets; the next peer is served. */
START_TEST(hostile_octets)
{
	settings.request_ms = SHORT_MS;
	open_door();
	ask(garbage[_i].p, garbage[_i].n);
	ask(requests[0].request, strlen(requests[0].request));
	starts("HTTP/1.1 200 OK\r\n");
}
END_TEST

static const struct {
	const char	*before, *piece, *after;
	size_t		 count;
	const char	*status;	/* the beginning of the answer */
} huge[] = {
	{ "GET /", "aaaaaaaaaaaaaaaa", " HTTP/1.1\r\n" CLOSE, 4096,
	    "HTTP/1.1 414" },
	{ "GET /healthz HTTP/1.1\r\n", "X: y\r\n", CLOSE, 10000,
	    "HTTP/1.1 431" },
	{ "GET /healthz HTTP/1.1\r\nX: ", "yyyyyyyyyyyyyyyy", "\r\n" CLOSE,
	    65536, "HTTP/1.1 431" },
	{ "GET /healthz HTTP/1.1\r\nCookie: a", "=b;c", "\r\n" CLOSE, 10000,
	    "HTTP/1.1 431" },
	{ "GET /metrics?", "a=b&", " HTTP/1.1\r\n" CLOSE, 20000,
	    "HTTP/1.1 414" },
	{ "POST /metrics HTTP/1.1\r\nContent-Length: 1048576\r\n" CLOSE,
	    "xxxxxxxxxxxxxxxx", "", 65536, "HTTP/1.1 405" },
	{ "GET /healthz HTTP/1.1\r\nContent-Length: 1048576\r\n" CLOSE,
	    "xxxxxxxxxxxxxxxx", "", 65536, "HTTP/1.1 200" },
	{ "GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE,
	    "10\r\nxxxxxxxxxxxxxxxx\r\n", "0\r\n\r\n", 65536, "HTTP/1.1 200" }
};

START_TEST(hostile_sizes)
{
	size_t n = strlen(huge[_i].piece), at = strlen(huge[_i].before);
	size_t cap = at + n * huge[_i].count + strlen(huge[_i].after) + 1;
	char *text = malloc(cap);

	ck_assert_ptr_nonnull(text);
	memcpy(text, huge[_i].before, at);
	for (size_t i = 0; i < huge[_i].count; i++, at += n)
		memcpy(text + at, huge[_i].piece, n);
	memcpy(text + at, huge[_i].after, strlen(huge[_i].after) + 1);
	ask(text, strlen(text));
	free(text);
	starts(huge[_i].status);
	ask(requests[0].request, strlen(requests[0].request));
	starts("HTTP/1.1 200 OK\r\n");
}
END_TEST

START_TEST(kept_alive)
{
	int fd = connect_peer();

	for (int i = 0; i < 5; i++) {
		ready = i % 2 == 0;
		put(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
		wait_text(fd, ready ? "\r\n\r\nok\n" : "unavailable\n");
	}
	(void)close(fd);
}
END_TEST

START_TEST(pipelined)
{
	static const char text[] =
	    "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
	    "GET /metrics HTTP/1.1\r\n" HOST "\r\n"
	    "GET /none HTTP/1.1\r\n" CLOSE;

	ask(text, sizeof(text) - 1);
	starts("HTTP/1.1 200 OK\r\n");
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nok\nHTTP/1.1 200"));
	ck_assert_ptr_nonnull(strstr(answer, "one 1\n# HELP"));
	ck_assert_ptr_nonnull(strstr(answer, COUNTED "HTTP/1.1 404"));
	ends(NOTHING);
}
END_TEST

START_TEST(octet_by_octet)
{
	static const char text[] = "GET /healthz HTTP/1.1\r\n" CLOSE;
	int fd = connect_peer();

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		ck_assert_int_eq(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
		turn();
	}
	talk(fd, "", 0);
	ends("\r\n\r\nok\n");
	(void)close(fd);
}
END_TEST

/* Says nothing; half a request; a whole one and then nothing. */
static const char *const silences[] = {
	"", "GET /heal", "GET /healthz HTTP/1.1\r\nX: y",
	"GET /healthz HTTP/1.1\r\n" HOST "\r\n"
};

START_TEST(silent_peers_are_closed)
{
	unsigned int start;

	settings.request_ms = SHORT_MS;
	open_door();
	start = now_ms();
	ask(silences[_i], strlen(silences[_i]));
	ck_assert_uint_ge(now_ms() - start, SHORT_MS / 2);
}
END_TEST

/* An octet now and then buys no time. */
START_TEST(dripping_peer_is_closed)
{
	int fd;
	unsigned int start;
	ssize_t n;

	settings.request_ms = SHORT_MS;
	open_door();
	fd = connect_peer();
	start = now_ms();
	put(fd, "GET /healthz HTTP/1.1\r\nX: ");
	do {
		n = send(fd, "y", 1, MSG_NOSIGNAL);
		turn();
		ck_assert_uint_lt(now_ms() - start, WAIT_MS);
		(void)usleep(1000);
	} while (n == 1 && receive(fd));
	ck_assert_uint_ge(now_ms() - start, SHORT_MS / 2);
	(void)close(fd);
}
END_TEST

/* Asks, but does not take the answer. */
START_TEST(peer_that_does_not_read_is_closed)
{
	const int small = 4096;
	unsigned int start;
	int fd;

	settings.request_ms = SHORT_MS;
	settings.listener.connections_max = 1;
	metrics_n = AUTH_METRICS_MAX - 64;
	open_door();
	fd = connect_peer();
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small,
	    sizeof(small)), 0);
	start = now_ms();
	put(fd, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
	/* The only place is free again only when it is closed. */
	ask(requests[0].request, strlen(requests[0].request));
	starts("HTTP/1.1 200 OK\r\n");
	ck_assert_uint_ge(now_ms() - start, SHORT_MS / 2);
	talk(fd, "", 0);
	ck_assert_uint_lt(answer_n, metrics_n);
	(void)close(fd);
}
END_TEST

START_TEST(large_answer)
{
	metrics_n = AUTH_METRICS_MAX - 6;
	ask(requests[5].request, strlen(requests[5].request));
	starts("HTTP/1.1 200 OK\r\n");
	ck_assert_ptr_nonnull(strstr(answer, "xxxx# HELP"));
	ends(COUNTED);
	ck_assert_uint_gt(answer_n, metrics_n);
	/* What does not fit is no answer, and no crash. */
	metrics_n++;
	ask(requests[5].request, strlen(requests[5].request));
	starts("HTTP/1.1 500 ");
	metrics_n = 0;
	ask(requests[5].request, strlen(requests[5].request));
	ends(COUNTED);
}
END_TEST

START_TEST(too_many_wait)
{
	int fds[3];

	settings.listener.connections_max = 2;
	open_door();
	for (int i = 0; i < 3; i++) {
		fds[i] = connect_peer();
		put(fds[i], "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	}
	wait_text(fds[0], "ok\n");
	wait_text(fds[1], "ok\n");
	answer_n = 0;
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert(receive(fds[2]));
	ck_assert_uint_eq(answer_n, 0);
	(void)close(fds[0]);
	wait_text(fds[2], "ok\n");
	(void)close(fds[1]);
	(void)close(fds[2]);
}
END_TEST

static unsigned int
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

START_TEST(nothing_is_left)
{
	unsigned int before = descriptors();
	int fd;

	for (int i = 0; i < 200; i++) {
		fd = connect_peer();
		put(fd, i % 2 == 0 ? "GET /metrics HTTP/1.1\r\n" HOST "\r\n" :
		    "GET /me");
		(void)close(fd);
	}
	ask(requests[0].request, strlen(requests[0].request));
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

START_TEST(draining)
{
	int fd = connect_peer();
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int late = socket(AF_UNIX, SOCK_STREAM, 0);

	put(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	wait_text(fd, "ok\n");
	http_door_drain(door);
	put(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	wait_text(fd, "\r\n\r\nstopping\n");
	starts("HTTP/1.1 503 ");
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_ne(connect(late, (struct sockaddr *)&un, sizeof(un)),
	    0);
	(void)close(late);
	(void)close(fd);
	turn();
}
END_TEST

START_TEST(freed_with_open_connections)
{
	int fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = connect_peer();
	put(fds[1], "GET /heal");
	put(fds[2], "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	metrics_n = AUTH_METRICS_MAX - 6;
	put(fds[3], "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
	http_door_free(&door);
	ck_assert_ptr_null(door);
	for (int i = 0; i < 4; i++)
		(void)close(fds[i]);
}
END_TEST

/* The same door on TCP, made by itself and handed over. */
static void
ask_tcp(in_port_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_port = htons(port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	talk(fd, requests[0].request, strlen(requests[0].request));
	starts("HTTP/1.1 200 OK\r\n");
	ends("\r\n\r\nok\n");
	(void)close(fd);
}

START_TEST(tcp)
{
	in_port_t port;

	(void)close(tcp_socket(INADDR_LOOPBACK, &port));
	(void)snprintf(place, sizeof(place), "127.0.0.1:%u", port);
	settings.listener.path = place;
	/* Twice: a restart does not wait for the first one's connections. */
	for (int i = 0; i < 2; i++) {
		open_door();
		ask_tcp(port);
	}
	/* A place that is taken. */
	ck_assert_ptr_null(http_door_new(&context, &settings));
	ck_assert_ptr_nonnull(strstr(lines, "[http] cannot listen on 127."));
}
END_TEST

START_TEST(tcp_handed_over)
{
	in_port_t port;

	settings.listener.fd = tcp_socket(INADDR_LOOPBACK, &port);
	ck_assert_int_eq(listen(settings.listener.fd, 8), 0);
	open_door();
	ask_tcp(port);
}
END_TEST

START_TEST(public_handed_over)
{
	in_port_t port;
	int fd = tcp_socket(INADDR_ANY, &port);

	ck_assert_int_eq(listen(fd, 8), 0);
	settings.listener.fd = fd;
	ck_assert_ptr_null(http_door_new(&context, &settings));
	ck_assert_ptr_nonnull(strstr(lines, "can be reached from outside"));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(wrong_socket_handed_over)
{
	in_port_t port;
	int fd = tcp_socket(INADDR_LOOPBACK, &port);

	settings.listener.fd = fd;
	ck_assert_ptr_null(http_door_new(&context, &settings));
	ck_assert_ptr_nonnull(strstr(lines, "not a listening stream socket"));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static const struct {
	const char	*text;
	enum http_place	 place;
} places[] = {
	{ "127.0.0.1:1", HTTP_PLACE_OK },
	{ "127.255.255.254:65535", HTTP_PLACE_OK },
	{ "[::1]:9118", HTTP_PLACE_OK },
	{ "", HTTP_PLACE_BAD },
	{ "127.0.0.1", HTTP_PLACE_BAD },
	{ "127.0.0.1:0", HTTP_PLACE_BAD },
	{ "127.0.0.1:65536", HTTP_PLACE_BAD },
	{ "127.0.0.1:x", HTTP_PLACE_BAD },
	{ "[::1]", HTTP_PLACE_BAD },
	{ "::1:9118", HTTP_PLACE_BAD },
	{ "localhost:9118", HTTP_PLACE_BAD },
	{ "0.0.0.0:9118", HTTP_PLACE_PUBLIC },
	{ "128.0.0.1:9118", HTTP_PLACE_PUBLIC },
	{ "126.255.255.255:9118", HTTP_PLACE_PUBLIC },
	{ "[::]:9118", HTTP_PLACE_PUBLIC },
	{ "[::2]:9118", HTTP_PLACE_PUBLIC },
	{ "[::ffff:10.0.0.1]:9118", HTTP_PLACE_PUBLIC },
	{ "[fe80::1]:9118", HTTP_PLACE_PUBLIC }
};

START_TEST(loopback_only)
{
	struct sockaddr_storage ss;
	socklen_t n = 0;

	ck_assert_int_eq((int)http_place_parse(places[_i].text, &ss, &n),
	    (int)places[_i].place);
	if (places[_i].place != HTTP_PLACE_OK)
		ck_assert_int_eq(http_socket_open(places[_i].text, &sink),
		    -1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http");
	TCase *tc = tcase_create("http");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, answers, 0, COUNT(requests));
	tcase_add_loop_test(tc, hostile_octets, 0, COUNT(garbage));
	tcase_add_loop_test(tc, hostile_sizes, 0, COUNT(huge));
	tcase_add_test(tc, kept_alive);
	tcase_add_test(tc, pipelined);
	tcase_add_test(tc, octet_by_octet);
	tcase_add_loop_test(tc, silent_peers_are_closed, 0, COUNT(silences));
	tcase_add_test(tc, dripping_peer_is_closed);
	tcase_add_test(tc, peer_that_does_not_read_is_closed);
	tcase_add_test(tc, large_answer);
	tcase_add_test(tc, too_many_wait);
	tcase_add_test(tc, nothing_is_left);
	tcase_add_test(tc, draining);
	tcase_add_test(tc, freed_with_open_connections);
	tcase_add_test(tc, tcp);
	tcase_add_test(tc, tcp_handed_over);
	tcase_add_test(tc, public_handed_over);
	tcase_add_test(tc, wrong_socket_handed_over);
	tcase_add_loop_test(tc, loopback_only, 0, COUNT(places));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
