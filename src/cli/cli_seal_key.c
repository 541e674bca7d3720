/*
 * The key file of sealed digests. Unlike a password file it is there to stay,
 * so one that others can read is refused.
 */

#include "cli/cli_seal_key.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_message.h"
#include "core/err.h"
#include "core/secret.h"

#define KEY_FILE_MAX	4096	/* octets */

int
cli_seal_key_read(const char *file, struct seal_keyring *ring)
{
	uint8_t text[KEY_FILE_MAX];
	unsigned int line = 0;
	struct stat st;
	ssize_t n;
	int fd, rc, status = CLI_SYSTEM;

	memset(ring, 0, sizeof(*ring));
	if (file == NULL || file[0] == '\0') {
		cli_error("sealed digests need a key: --seal-key-file");
		return CLI_USAGE;
	}
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		cli_error("key file %s: %s", file, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & S_IRWXO) != 0) {
		cli_error("key file %s: it must be a file that others cannot "
		    "read: chmod o= it", file);
		goto out;
	}
	n = read(fd, text, sizeof(text));
	if (n < 0 || (size_t)n == sizeof(text)) {
		cli_error("key file %s: %s", file,
		    n < 0 ? strerror(errno) : "too long");
		goto out;
	}
	rc = seal_keyring_parse(span_mem(text, (size_t)n), ring, &line);
	if (rc != 0)
		cli_error("key file %s:%u: %s", file, line, err_str(rc));
	else
		status = CLI_OK;
out:
	secret_wipe(text, sizeof(text));
	if (fd >= 0)
		close(fd);
	return status;
}
