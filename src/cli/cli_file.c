/*
 * Small secret files: passwords, keys. Their contents never pass through
 * stdio, whose buffers nobody wipes.
 */

#include "cli/cli_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum cli_status
cli_file_read(const char *file, size_t max, struct secret *out)
{
	struct stat st;
	uint8_t *buf = NULL;
	size_t n = 0;
	ssize_t got;
	enum cli_status status = CLI_SYSTEM;
	int fd;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1) {
		cli_say("%s: %s", file, strerror(errno));
		goto out;
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0)
		cli_say("warning: everybody on this machine can read %s; "
		    "chmod 600 it", file);
	buf = calloc(1, max + 1);
	if (buf == NULL) {
		cli_say("out of memory");
		goto out;
	}
	/* One octet more than is allowed tells that there is more. */
	while (n <= max) {
		got = read(fd, buf + n, max + 1 - n);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			cli_say("%s: %s", file, strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > max) {
		cli_say("%s is too long", file);
		status = CLI_REFUSED;
		goto out;
	}
	if (secret_set(out, span_mem(buf, n)) != 0) {
		cli_say("out of memory");
		goto out;
	}
	status = CLI_OK;
out:
	if (buf != NULL)
		secret_wipe(buf, max + 1);
	free(buf);
	if (fd != -1)
		(void)close(fd);
	return status;
}
