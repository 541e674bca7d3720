/*
 * Files that the configuration consists of. What may hold a secret is wiped
 * when freed, and refused if everybody can read it or another user owns it.
 */

#include "daemon/config_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "store/xalloc.h"

static int
cannot(char *why, size_t cap, const char *what)
{
	(void)snprintf(why, cap, "cannot be %s: %s", what, strerror(errno));
	return -ERR_SYSTEM;
}

/* Reads fd to its end; the file may grow or shrink meanwhile. */
static int
read_all(int fd, size_t max, struct secret *out, char *why, size_t cap)
{
	size_t n = 0;

	out->p = xcalloc(1, max + 1);
	out->n = max + 1;
	for (;;) {
		ssize_t got = read(fd, out->p + n, out->n - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot(why, cap, "read");
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > max) {
			(void)snprintf(why, cap,
			    "is larger than %zu octets", max);
			return -ERR_TOO_LONG;
		}
	}
	out->n = n;
	return 0;
}

static int
read_file(const char *path, size_t max, struct secret *out, struct stat *st,
    char *why, size_t cap)
{
	int err, fd;

	*out = (struct secret){ 0 };
	/* NONBLOCK: a FIFO by that name must not stop the start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cannot(why, cap, "opened");
	if (fstat(fd, st) != 0) {
		err = cannot(why, cap, "read");
	} else if (!S_ISREG(st->st_mode)) {
		(void)snprintf(why, cap, "is not a regular file");
		err = -ERR_FORMAT;
	} else {
		err = read_all(fd, max, out, why, cap);
	}
	(void)close(fd);
	if (err != 0)
		secret_free(out);
	return err;
}

int
config_file_read(const char *path, size_t max, struct secret *out,
    mode_t *mode, char *why, size_t cap)
{
	struct stat st;
	int err = read_file(path, max, out, &st, why, cap);

	if (err == 0 && mode != NULL)
		*mode = st.st_mode & 07777;
	return err;
}

int
config_file_secret(const char *path, size_t max, struct secret *out,
    char *why, size_t cap)
{
	struct stat st;
	int err = read_file(path, max, out, &st, why, cap);

	if (err != 0)
		return err;
	if ((st.st_mode & S_IRWXO) != 0) {
		(void)snprintf(why, cap, "holds a secret and is open to "
		    "everybody (mode %04o): chmod o= it",
		    (unsigned int)(st.st_mode & 07777));
		err = -ERR_FORMAT;
	} else if (geteuid() != 0 && st.st_uid != 0 &&
	    st.st_uid != geteuid()) {
		(void)snprintf(why, cap, "holds a secret and belongs to "
		    "another user (uid %lu): chown it to root",
		    (unsigned long)st.st_uid);
		err = -ERR_FORMAT;
	}
	if (err != 0)
		secret_free(out);
	return err;
}
