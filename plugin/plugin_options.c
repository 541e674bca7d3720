/*
 * The plugin's options in <application>.conf: onecred_conninfo,
 * onecred_timeout, onecred_seal_key_file (onecred-sasl.8). An application
 * without onecred_conninfo is none of our business: every SASL server of the
 * machine loads this file, and libsasl2 would log each complaint of ours
 * for every one of them.
 *
 * Never logs a value: a connection string may hold a password.
 */

#include "plugin_options.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/secret.h"
#include "core/span.h"
#include "plugin.h"

#define TIMEOUT_DEFAULT	1000		/* ms, as the daemon's lookups */
#define TIMEOUT_MIN	10
#define TIMEOUT_MAX	60000
#define KEY_FILE_MAX	4096		/* octets */

/* The option's value in libsasl2's memory; NULL if it is not set. */
static const char *
option_get(const sasl_utils_t *utils, const char *name)
{
	const char *value = NULL;

	if (utils->getopt == NULL || utils->getopt(utils->getopt_context,
	    PLUGIN_NAME, name, &value, NULL) != SASL_OK)
		return NULL;
	return value;
}

static bool
refuse(struct plugin_options *options, const char *sentence)
{
	options->fault = sentence;
	return false;
}

static bool
read_timeout(struct plugin_options *options, const char *value)
{
	struct span digits = span_str(value);
	int ms = 0;

	options->timeout_ms = TIMEOUT_DEFAULT;
	if (value == NULL)
		return true;
	for (size_t i = 0; i < digits.n && ms <= TIMEOUT_MAX; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9') {
			ms = 0;
			break;
		}
		ms = ms * 10 + (digits.p[i] - '0');
	}
	if (ms < TIMEOUT_MIN || ms > TIMEOUT_MAX)
		return refuse(options, "onecred_timeout is not a number of "
		    "milliseconds from 10 to 60000");
	options->timeout_ms = ms;
	return true;
}

/* Reads the whole file into text; its length, or -1 with a sentence. */
static ssize_t
read_key_file(const char *path, char *text, size_t cap, const char **why)
{
	struct stat st;
	ssize_t n, total = -1;
	int fd;

	*why = "onecred_seal_key_file cannot be read";
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	if ((st.st_mode & S_IRWXO) != 0) {
		*why = "onecred_seal_key_file may be read by everybody: "
		    "chmod o= it, and change the key";
		goto out;
	}
	for (total = 0; (size_t)total < cap; total += n) {
		n = read(fd, text + total, cap - (size_t)total);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	if (n < 0)
		total = -1;
	else if ((size_t)total == cap) {
		*why = "onecred_seal_key_file is too long";
		total = -1;
	}
out:
	(void)close(fd);
	return total;
}

static bool
read_key(struct plugin_options *options, const char *path)
{
	char text[KEY_FILE_MAX];
	unsigned int line = 0;
	const char *why;
	ssize_t n;
	int rc;

	if (path == NULL)
		return true;
	n = read_key_file(path, text, sizeof(text), &why);
	if (n < 0)
		return refuse(options, why);
	rc = seal_keyring_parse(span_mem(text, (size_t)n), &options->ring,
	    &line);
	secret_wipe(text, sizeof(text));
	return rc == 0 || refuse(options, "onecred_seal_key_file does not "
	    "hold keys as onecred seal makes them");
}

void
plugin_options_read(struct plugin_options *options, const sasl_utils_t *utils)
{
	const char *conninfo = option_get(utils, "onecred_conninfo");

	memset(options, 0, sizeof(*options));
	if (conninfo == NULL)
		return;
	options->state = PLUGIN_FAULTY;
	if (conninfo_read(&options->conninfo, conninfo) != 0)
		options->fault = "onecred_conninfo is not a connection string "
		    "as libpq reads them";
	else if (read_timeout(options, option_get(utils, "onecred_timeout")) &&
	    read_key(options, option_get(utils, "onecred_seal_key_file")))
		options->state = PLUGIN_READY;
	if (options->state == PLUGIN_FAULTY)
		utils->log(NULL, SASL_LOG_ERR, "onecred: %s", options->fault);
}

void
plugin_options_wipe(struct plugin_options *options)
{
	conninfo_wipe(&options->conninfo);
	seal_keyring_wipe(&options->ring);
	memset(options, 0, sizeof(*options));
}
