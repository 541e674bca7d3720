/*
 * The file with the keys of digest nonces, shared by all nodes of a site. It
 * is made once, complete before it has its name, and never written to again:
 * of two daemons that start at the same time both end with the key of the one
 * whose link(2) came first.
 */

#include "daemon/nonce_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/secret.h"
#include "daemon/config_file.h"

#define STATE_FOLDER	"/var/lib/onecred"
#define NAME		"nonce.key"
#define FILE_MAX	4096
#define TEXT_MAX	128	/* octets of a file that we make */

bool
nonce_file_default(char *path, size_t cap)
{
	const char *folders = getenv("STATE_DIRECTORY");
	struct span folder;
	int n;

	if (folders == NULL || folders[0] == '\0')
		folders = STATE_FOLDER;
	/* The service manager lists them all, ours is the first. */
	folder = span_str(folders);
	folder = span_head(folder, span_find(folder, ':'));
	if (folder.n == 0 || folder.p[0] != '/' || folder.n > cap)
		return false;
	n = snprintf(path, cap, "%.*s/" NAME, (int)folder.n, folders);
	return n > 0 && (size_t)n < cap;
}

bool
nonce_file_exists(const char *path)
{
	struct stat st;

	/* EACCES: the folder is closed to us, which is as good as none. */
	return stat(path, &st) == 0 ||
	    (errno != ENOENT && errno != ENOTDIR && errno != EACCES);
}

int
nonce_file_read(const char *path, struct nonce_keys *keys, char *why,
    size_t cap)
{
	struct secret text;
	unsigned int line;
	int err = config_file_secret(path, FILE_MAX, &text, why, cap);

	if (err != 0)
		return err;
	err = nonce_keys_parse(secret_span(&text), keys, &line);
	secret_free(&text);
	if (err != 0)
		(void)snprintf(why, cap, "line %u: must hold one or two "
		    "different keys, each 32 octets as base64 or hex in a "
		    "line", line);
	return err;
}

/* Half a sentence about errno. */
static int
cannot(char *why, size_t cap, const char *what)
{
	(void)snprintf(why, cap, "cannot be %s: %s", what, strerror(errno));
	return -ERR_SYSTEM;
}

/* All of text to the disk. */
static bool
write_all(int fd, struct span text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = span_tail(text, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* The new name has to outlive a power cut too; no harm if it does not. */
static void
sync_folder(const char *path)
{
	char folder[NONCE_FILE_PATH_MAX];
	size_t n = span_rfind(span_str(path), '/');
	int fd;

	if (n == 0 || n >= sizeof(folder))
		return;
	memcpy(folder, path, n);
	folder[n] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

/* Puts text into place; that another one is there already is as good. */
static int
put_file(const char *path, struct span text, char *why, size_t cap)
{
	char temporary[NONCE_FILE_PATH_MAX + 8];
	int err = 0, fd;

	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);	/* 0600 */
	if (fd < 0)
		return cannot(why, cap, "made");
	if (!write_all(fd, text))
		err = cannot(why, cap, "written");
	/* NB: link() never replaces, rename() would. */
	else if (link(temporary, path) != 0 && errno != EEXIST)
		err = cannot(why, cap, "made");
	(void)close(fd);
	(void)unlink(temporary);
	if (err == 0)
		sync_folder(path);
	return err;
}

int
nonce_file_create(const char *path, struct crypto *crypto,
    struct nonce_keys *keys, char *why, size_t cap)
{
	uint8_t key[NONCE_KEY_SIZE], text[TEXT_MAX];
	struct wbuf wb;
	int err;

	wbuf_init(&wb, text, sizeof(text));
	err = crypto_random(crypto, key, sizeof(key));
	if (err != 0) {
		(void)snprintf(why, cap, "cannot be made: %s", err_str(err));
		return err;
	}
	wbuf_str(&wb, "# onecredd: nonces of digest challenges; the same on "
	    "every node\n");
	wbuf_base64(&wb, span_mem(key, sizeof(key)));
	wbuf_str(&wb, "\n");
	secret_wipe(key, sizeof(key));
	err = wb.failed ? -ERR_TOO_LONG :
	    put_file(path, wbuf_written(&wb), why, cap);
	wbuf_wipe(&wb);
	if (err != 0)
		return err;
	return nonce_file_read(path, keys, why, cap);
}
