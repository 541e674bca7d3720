/*
 * sd_notify(3) datagrams and descriptors handed over. Each test runs in a
 * process of its own (environment, descriptors 3 and up).
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "unit.h"

static char	dir[] = "/tmp/onecred.XXXXXX";

/* A datagram socket; its name goes into NOTIFY_SOCKET. */
static int
manager(int abstract)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	size_t n;

	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	n = (size_t)snprintf(un.sun_path, sizeof(un.sun_path), "%s%s/n",
	    abstract ? "@" : "", dir);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", un.sun_path, 1), 0);
	if (abstract)
		un.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, (socklen_t)
	    (offsetof(struct sockaddr_un, sun_path) + n)), 0);
	return fd;
}

static void
clean(int fd)
{
	char path[64];

	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/n", dir);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(notify_reaches_the_manager)
{
	char got[128];
	ssize_t n;
	int fd = manager(_i);

	notify_init();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	notify_send("READY=1");
	n = recv(fd, got, sizeof(got) - 1, 0);
	ck_assert_int_eq(n, 7);
	got[n] = '\0';
	ck_assert_str_eq(got, "READY=1");
	notify_reloading();
	n = recv(fd, got, sizeof(got) - 1, 0);
	ck_assert_int_gt(n, 0);
	got[n] = '\0';
	ck_assert_ptr_eq(strstr(got, "RELOADING=1\nMONOTONIC_USEC="), got);
	clean(fd);
	/* The manager has gone: nothing happens. */
	notify_send("STOPPING=1");
}
END_TEST

static const char *const nobody[] = { NULL, "", "/", "relative", "vsock:2:3" };

START_TEST(nobody_listens)
{
	if (nobody[_i] == NULL)
		ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	else
		ck_assert_int_eq(setenv("NOTIFY_SOCKET", nobody[_i], 1), 0);
	notify_init();
	notify_send("READY=1");
}
END_TEST

static void
listen_environment(const char *pid, const char *count, const char *names)
{
	char self[16];

	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	ck_assert_int_eq(setenv("LISTEN_PID", pid != NULL ? pid : self, 1),
	    0);
	ck_assert_int_eq(setenv("LISTEN_FDS", count, 1), 0);
	if (names != NULL)
		ck_assert_int_eq(setenv("LISTEN_FDNAMES", names, 1), 0);
	else
		ck_assert_int_eq(unsetenv("LISTEN_FDNAMES"), 0);
}

/* Makes descriptors 3 and 4; what libcheck had there is its parent's. */
static void
make_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(dup2(fd, 3), 3);
	ck_assert_int_eq(dup2(fd, 4), 4);
	if (fd > 4)
		(void)close(fd);
}

/* In a child: libcheck itself keeps descriptors open. */
static int
in_child(void (*body)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define NEED(c)	do { if (!(c)) _exit(__LINE__ % 250 + 1); } while (0)

static void
take_two(void)
{
	struct notify_fds fds;

	make_descriptors();
	listen_environment(NULL, "2", "radius:extauth");
	notify_fds_collect(&fds);
	NEED(fds.count == 2);
	NEED(getenv("LISTEN_PID") == NULL);
	NEED(getenv("LISTEN_FDS") == NULL);
	NEED(getenv("LISTEN_FDNAMES") == NULL);
	NEED((fcntl(3, F_GETFD) & FD_CLOEXEC) != 0);
	NEED(notify_fds_take(&fds, "http") == -1);
	NEED(notify_fds_take(&fds, "extauth") == 4);
	NEED(notify_fds_take(&fds, "extauth") == -1);
	notify_fds_close(&fds);
	NEED(fcntl(3, F_GETFD) == -1);
	NEED(fcntl(4, F_GETFD) != -1);
}

static void
take_none(const char *pid, const char *count)
{
	struct notify_fds fds;

	make_descriptors();
	listen_environment(pid, count, "extauth");
	notify_fds_collect(&fds);
	NEED(fds.count == 0);
	NEED(getenv("LISTEN_FDS") == NULL);
	NEED(notify_fds_take(&fds, "extauth") == -1);
	notify_fds_close(&fds);
	NEED(fcntl(3, F_GETFD) != -1);
}

static void
for_another_process(void)
{
	take_none("1", "1");
}

static void
hostile_count(void)
{
	take_none(NULL, "1x");
}

static void
negative_count(void)
{
	take_none(NULL, "-1");
}

static void
more_than_there_are(void)
{
	struct notify_fds fds;

	make_descriptors();
	(void)close(4);
	listen_environment(NULL, "99999", "extauth:radius");
	notify_fds_collect(&fds);
	NEED(fds.count == NOTIFY_FDS_MAX);
	NEED(notify_fds_take(&fds, "extauth") == 3);
	NEED(notify_fds_take(&fds, "radius") == -1);
}

static void
without_names(void)
{
	struct notify_fds fds;

	make_descriptors();
	listen_environment(NULL, "2", NULL);
	notify_fds_collect(&fds);
	NEED(fds.count == 2);
	NEED(notify_fds_take(&fds, "extauth") == -1);
	notify_fds_close(&fds);
	NEED(fcntl(3, F_GETFD) == -1);
}

static void (*const bodies[])(void) = {
	take_two, for_another_process, hostile_count, negative_count,
	more_than_there_are, without_names
};

START_TEST(descriptors_handed_over)
{
	ck_assert_int_eq(in_child(bodies[_i]), 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_loop_test(tc, notify_reaches_the_manager, 0, 2);
	tcase_add_loop_test(tc, nobody_listens, 0,
	    sizeof(nobody) / sizeof(nobody[0]));
	tcase_add_loop_test(tc, descriptors_handed_over, 0,
	    sizeof(bodies) / sizeof(bodies[0]));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
