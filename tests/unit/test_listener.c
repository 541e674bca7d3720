/*
 * Unix listeners: mode, stale and live sockets, who may connect, the cap,
 * running out of descriptors, sockets handed over, who waits at the end.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "doors/listener.h"
#include "unit.h"

#define ACCEPTED_MAX	64

static char			 dir[] = "/tmp/onecred.XXXXXX";
static char			 path[64];
static char			 last_line[1024];
static unsigned int		 lines;
static struct event_base	*base;
static struct listener		*listener;
static int			 accepted[ACCEPTED_MAX];
static size_t			 accepted_count;

static void
on_line(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)snprintf(last_line, sizeof(last_line), "%s", line);
	lines++;
}

static const struct sink sink = { on_line, NULL, LEVEL_DEBUG };

static void
on_accept(int fd, void *arg)
{
	(void)arg;
	ck_assert_uint_lt(accepted_count, ACCEPTED_MAX);
	accepted[accepted_count++] = fd;
}

static void
setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	accepted_count = 0;
	lines = 0;
	last_line[0] = '\0';
}

static void
teardown(void)
{
	listener_free(&listener);
	for (size_t i = 0; i < accepted_count; i++)
		(void)close(accepted[i]);
	event_base_free(base);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct listener_settings
settings_new(void)
{
	return (struct listener_settings){ .section = "extauth",
	    .path = path, .mode = 0660, .fd = -1 };
}

static void
start(const struct listener_settings *settings)
{
	listener = listener_new(base, settings, &sink, on_accept, NULL);
	ck_assert_msg(listener != NULL, "%s", last_line);
}

static int
peer(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* All that is ready now. */
static void
turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

START_TEST(accepts)
{
	struct listener_settings settings = settings_new();
	struct stat st;
	int fd, flags;

	start(&settings);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	fd = peer();
	ck_assert_int_ge(fd, 0);
	turn();
	ck_assert_uint_eq(accepted_count, 1);
	flags = fcntl(accepted[0], F_GETFL);
	ck_assert_int_ne(flags & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(accepted[0], F_GETFD) & FD_CLOEXEC, 0);
	(void)close(fd);
	listener_free(&listener);
	ck_assert_int_eq(lstat(path, &st), -1);
}
END_TEST

START_TEST(mode_is_exact)
{
	struct listener_settings settings = settings_new();
	struct stat st;
	mode_t old = umask(077);

	settings.mode = 0606;
	start(&settings);
	(void)umask(old);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0606);
}
END_TEST

/* Left over by a daemon that was killed: bound, nobody listens. */
START_TEST(stale_socket_is_replaced)
{
	struct listener_settings settings = settings_new();
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	(void)close(fd);
	start(&settings);
	fd = peer();
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}
END_TEST

START_TEST(live_socket_is_not)
{
	struct listener_settings settings = settings_new();
	struct listener *second;
	int fd;

	start(&settings);
	second = listener_new(base, &settings, &sink, on_accept, NULL);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(last_line, "another onecredd listens"));
	fd = peer();
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}
END_TEST

START_TEST(what_is_no_socket_stays)
{
	struct listener_settings settings = settings_new();
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_ptr_null(listener_new(base, &settings, &sink, on_accept,
	    NULL));
	ck_assert_ptr_nonnull(strstr(last_line, "is not a socket"));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* The place was taken by another after us: its file is not ours to remove. */
START_TEST(foreign_socket_is_not_removed)
{
	struct listener_settings settings = settings_new();

	start(&settings);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_ge(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600),
	    0);
	listener_free(&listener);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

static const struct {
	const char	*path, *group, *line;
} hopeless[] = {
	{ "/nonexistent/s", NULL, "No such file" },
	{ "/tmp/onecred/0123456789/0123456789/0123456789/0123456789/"
	    "0123456789/0123456789/0123456789/0123456789/0123456789", NULL,
	    "too long" },
	{ NULL, "no-such-group", "no group no-such-group" }
};

START_TEST(cannot_start)
{
	struct listener_settings settings = settings_new();
	char fresh[80];

	if (hopeless[_i].path != NULL)
		settings.path = hopeless[_i].path;
	settings.group = hopeless[_i].group;
	ck_assert_ptr_null(listener_new(base, &settings, &sink, on_accept,
	    NULL));
	ck_assert_msg(strstr(last_line, hopeless[_i].line) != NULL, "%s",
	    last_line);
	ck_assert_int_ne(access(path, F_OK), 0);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	ck_assert_int_ne(access(fresh, F_OK), 0);
}
END_TEST

START_TEST(allow_users)
{
	struct listener_settings settings = settings_new();
	const uid_t users[] = { getuid() + 1, getuid() };
	char c;
	int fd;

	settings.users = users;
	settings.user_count = 1;
	start(&settings);
	fd = peer();
	turn();
	ck_assert_uint_eq(accepted_count, 0);
	ck_assert_ptr_nonnull(strstr(last_line, "may not connect"));
	ck_assert_int_eq(read(fd, &c, 1), 0);
	(void)close(fd);
	listener_free(&listener);

	settings.user_count = 2;
	start(&settings);
	fd = peer();
	turn();
	ck_assert_uint_eq(accepted_count, 1);
	(void)close(fd);
}
END_TEST

/* Told so at once, before or after it has asked, and not interrupted. */
START_TEST(refusal)
{
	struct listener_settings settings = settings_new();
	const uid_t users[] = { getuid() + 1 };
	char in[8];
	int fd;

	settings.users = users;
	settings.user_count = 1;
	settings.refusal = SPAN_LIT("\0\0");
	start(&settings);
	fd = peer();
	if (_i == 0)
		ck_assert_int_eq(send(fd, "request", 7, MSG_NOSIGNAL), 7);
	turn();
	ck_assert_uint_eq(accepted_count, 0);
	ck_assert_uint_eq(listener_busy(listener), 1);
	if (_i == 1)
		ck_assert_int_eq(send(fd, "request", 7, MSG_NOSIGNAL), 7);
	turn();
	ck_assert_int_eq(read(fd, in, sizeof(in)), 2);
	ck_assert_int_eq(memcmp(in, "\0\0", 2), 0);
	ck_assert_int_eq(read(fd, in, sizeof(in)), 0);
	ck_assert_int_eq(send(fd, "more", 4, MSG_NOSIGNAL), 4);
	(void)close(fd);
	turn();
	ck_assert_uint_eq(listener_busy(listener), 0);
}
END_TEST

/* It does not count among the connections that are allowed. */
START_TEST(refused_take_no_room)
{
	struct listener_settings settings = settings_new();
	const uid_t users[] = { getuid() + 1 };
	int fds[3];

	settings.users = users;
	settings.user_count = 1;
	settings.connections_max = 1;
	start(&settings);
	for (int i = 0; i < 3; i++)
		fds[i] = peer();
	turn();
	ck_assert_uint_eq(lines, 3);
	ck_assert_uint_eq(listener_busy(listener), 3);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}
END_TEST

START_TEST(connection_cap)
{
	struct listener_settings settings = settings_new();
	int fds[4];

	settings.connections_max = 2;
	start(&settings);
	for (int i = 0; i < 4; i++) {
		fds[i] = peer();
		ck_assert_int_ge(fds[i], 0);
	}
	turn();
	turn();
	ck_assert_uint_eq(accepted_count, 2);
	ck_assert_uint_eq(lines, 1);
	listener_closed(listener);
	turn();
	ck_assert_uint_eq(accepted_count, 3);
	listener_closed(listener);
	turn();
	ck_assert_uint_eq(accepted_count, 4);
	/* Full again and again: said once. */
	ck_assert_uint_eq(lines, 1);
	for (int i = 0; i < 4; i++)
		(void)close(fds[i]);
}
END_TEST

/* Out of descriptors: no spinning, and the peer that waits is served later. */
START_TEST(out_of_descriptors)
{
	struct listener_settings settings = settings_new();
	struct rlimit before, few;
	int fd, turns = 0;

	start(&settings);
	fd = peer();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	turn();
	ck_assert_uint_eq(accepted_count, 0);
	ck_assert_ptr_nonnull(strstr(last_line, "accept"));
	lines = 0;
	turn();
	turn();
	ck_assert_uint_eq(lines, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	while (accepted_count == 0 && turns++ < 100)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(accepted_count, 1);
	ck_assert_int_lt(turns, 10);
	(void)close(fd);
}
END_TEST

START_TEST(handed_over)
{
	struct listener_settings settings = settings_new();
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), client;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	settings.fd = fd;
	start(&settings);
	client = peer();
	turn();
	ck_assert_uint_eq(accepted_count, 1);
	(void)close(client);
	listener_free(&listener);
	/* The service manager's file stays. */
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(handed_over_nonsense)
{
	struct listener_settings settings = settings_new();

	settings.fd = _i == 0 ? open("/dev/null", O_RDONLY) :
	    socket(AF_UNIX, _i == 1 ? SOCK_STREAM : SOCK_DGRAM, 0);
	ck_assert_ptr_null(listener_new(base, &settings, &sink, on_accept,
	    NULL));
	ck_assert_ptr_nonnull(strstr(last_line, "not a listening stream"));
}
END_TEST

/* Who had connected is accepted; nobody can connect any more. */
START_TEST(drain)
{
	struct listener_settings settings = settings_new();
	int fds[40];

	/* More than one turn's worth, and more than are allowed. */
	settings.connections_max = _i == 0 ? 0 : 2;
	start(&settings);
	for (int i = 0; i < 40; i++) {
		fds[i] = peer();
		ck_assert_int_ge(fds[i], 0);
	}
	if (_i == 1)
		turn();
	listener_drain(listener);
	ck_assert_uint_eq(accepted_count, 40);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(peer(), -1);
	ck_assert_uint_eq(listener_busy(listener), 0);
	for (int i = 0; i < 40; i++) {
		ck_assert_int_eq(write(accepted[i], "x", 1), 1);
		listener_closed(listener);
	}
	turn();
	ck_assert_uint_eq(accepted_count, 40);
	for (int i = 0; i < 40; i++)
		(void)close(fds[i]);
}
END_TEST

/* Found the file before it went, and connects after: refused, not lost. */
START_TEST(drain_closes_the_door)
{
	struct listener_settings settings = settings_new();
	char other[80];

	start(&settings);
	(void)snprintf(other, sizeof(other), "%s.other", path);
	ck_assert_int_eq(link(path, other), 0);
	listener_drain(listener);
	ck_assert_int_eq(rename(other, path), 0);
	ck_assert_int_eq(peer(), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

/* No descriptor is free: they are accepted when there is one. */
START_TEST(drain_out_of_descriptors)
{
	struct listener_settings settings = settings_new();
	struct rlimit before, few;
	int fd, turns = 0;

	start(&settings);
	fd = peer();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	listener_drain(listener);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_uint_eq(accepted_count, 0);
	ck_assert_uint_eq(listener_busy(listener), 1);
	while (listener_busy(listener) > 0 && turns++ < 100)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(accepted_count, 1);
	ck_assert_int_lt(turns, 10);
	(void)close(fd);
}
END_TEST

/* The queue of a socket that was handed over is the next daemon's. */
START_TEST(drain_handed_over)
{
	struct listener_settings settings = settings_new();
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), waits, later;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	settings.fd = dup(fd);
	start(&settings);
	waits = peer();
	listener_drain(listener);
	ck_assert_uint_eq(listener_busy(listener), 0);
	listener_free(&listener);
	later = peer();
	ck_assert_int_ge(later, 0);
	turn();
	ck_assert_uint_eq(accepted_count, 0);
	settings.fd = fd;
	start(&settings);
	turn();
	ck_assert_uint_eq(accepted_count, 2);
	(void)close(waits);
	(void)close(later);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("listener");
	TCase *tc = tcase_create("listener");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, accepts);
	tcase_add_test(tc, mode_is_exact);
	tcase_add_test(tc, stale_socket_is_replaced);
	tcase_add_test(tc, live_socket_is_not);
	tcase_add_test(tc, what_is_no_socket_stays);
	tcase_add_test(tc, foreign_socket_is_not_removed);
	tcase_add_loop_test(tc, cannot_start, 0,
	    sizeof(hopeless) / sizeof(hopeless[0]));
	tcase_add_test(tc, allow_users);
	tcase_add_loop_test(tc, refusal, 0, 2);
	tcase_add_test(tc, refused_take_no_room);
	tcase_add_test(tc, connection_cap);
	tcase_add_test(tc, out_of_descriptors);
	tcase_add_test(tc, handed_over);
	tcase_add_loop_test(tc, handed_over_nonsense, 0, 3);
	tcase_add_loop_test(tc, drain, 0, 2);
	tcase_add_test(tc, drain_closes_the_door);
	tcase_add_test(tc, drain_out_of_descriptors);
	tcase_add_test(tc, drain_handed_over);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
