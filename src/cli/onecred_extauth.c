/*
 * onecred-extauth: ejabberd's helper. Carries frames of the external
 * authentication protocol (XMPP.md 1) between stdin/stdout and the [extauth]
 * socket of onecredd, one request at a time; or lines, see cli_generic.c.
 * Knows no database and links nothing of the core.
 *
 * It must never exit because the daemon is away: ejabberd would give up its
 * pool for good.
 */

#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_generic.h"
#include "cli/cli_relay.h"
#include "daemon/version.h"

#define SOCKET_PATH	"/run/onecred/extauth.sock"
#define TIMEOUT		20	/* seconds; below ejabberd's own 30 s */
#define TIMEOUT_GENERIC	3	/* below Prosody's 5 s */
#define TIMEOUT_MAX	3600
#define GENERIC_SUFFIX	"-generic"
#define EXIT_USAGE	2

struct frames {
	struct relay	relay;
	size_t		have;		/* octets in buf */
	uint8_t		buf[RELAY_FRAME];
};

struct options {
	const char	*socket;
	int		 timeout;	/* seconds; 0: the protocol's own */
	bool		 generic;
};

/* The octets of the frame at the front, header included, when known. */
static size_t
frame_size(const struct frames *f)
{
	if (f->have < RELAY_HEADER)
		return RELAY_HEADER;
	return RELAY_HEADER + ((size_t)f->buf[0] << 8 | f->buf[1]);
}

/* Reads until a whole frame stands at the front. False at the end of stdin. */
static bool
read_frame(struct frames *f)
{
	while (f->have < frame_size(f)) {
		ssize_t got = read(STDIN_FILENO, f->buf + f->have,
		    sizeof(f->buf) - f->have);

		if (got > 0)
			f->have += (size_t)got;
		else if (got < 0 && errno == EAGAIN)
			(void)relay_wait(STDIN_FILENO, POLLIN, -1);
		else if (got == 0 || errno != EINTR)
			return false;
	}
	return true;
}

/* Forgets the frame at the front; what stands behind it moves up. */
static void
forget_frame(struct frames *f, size_t size)
{
	size_t rest = f->have - size;

	memmove(f->buf, f->buf + size, rest);
	explicit_bzero(f->buf + rest, size);
	f->have = rest;
}

static bool
write_answer(const uint8_t *p)
{
	size_t n = RELAY_ANSWER;

	while (n > 0) {
		ssize_t put = write(STDOUT_FILENO, p, n);

		if (put >= 0) {
			p += put;
			n -= (size_t)put;
		} else if (errno == EAGAIN)
			(void)relay_wait(STDOUT_FILENO, POLLOUT, -1);
		else if (errno != EINTR)
			return false;
	}
	return true;
}

static void
serve_frames(struct frames *f)
{
	uint8_t answer[RELAY_ANSWER];
	size_t size;

	while (read_frame(f)) {
		size = frame_size(f);
		relay_ask(&f->relay, f->buf, size,
		    relay_now() + f->relay.timeout_ms, answer);
		forget_frame(f, size);
		if (!write_answer(answer))
			break;
	}
	/* Half a request may be left in it. */
	explicit_bzero(f->buf, sizeof(f->buf));
}

static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
	/* NB: an inherited socket of the server would outlive the server. */
	closefrom(STDERR_FILENO + 1);
}

static bool
set_timeout(struct options *o, const char *text)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || v < 1 || v > TIMEOUT_MAX)
		return false;
	o->timeout = (int)v;
	return true;
}

enum {
	OPTION_HELP = 256,
	OPTION_GENERIC,
	OPTION_SOCKET,
	OPTION_TIMEOUT,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{ "generic", no_argument, NULL, OPTION_GENERIC },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
	"usage: onecred-extauth [--generic] [--socket PATH] "
	"[--timeout SECONDS]\n"
	"\n"
	"Helper for ejabberd's auth_method external: carries its questions\n"
	"on stdin to onecredd, and the answers to stdout.\n"
	"\n"
	"  --generic          a line per question and answer, as Prosody's\n"
	"                     mod_auth_external wants it; also by the name\n"
	"                     onecred-extauth-generic\n"
	"  --socket PATH      socket of onecredd (" SOCKET_PATH ")\n"
	"  --timeout SECONDS  then answer \"temporary failure\" (20); with\n"
	"                     --generic, then end instead (3)\n"
	"  --help             this text\n"
	"  --version          the version\n";

/* -1: go on; else the exit status. */
static int
read_options(struct options *o, int argc, char *argv[])
{
	bool good = true;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case OPTION_GENERIC:
			o->generic = true;
			break;
		case OPTION_HELP:
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			(void)puts("onecred-extauth " ONECRED_VERSION);
			return EXIT_SUCCESS;
		case OPTION_SOCKET:
			o->socket = optarg;
			break;
		case OPTION_TIMEOUT:
			good = good && set_timeout(o, optarg);
			break;
		default:
			good = false;
			break;
		}
	}
	if (good && optind == argc)
		return -1;
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}

/* Some servers can pass no arguments: the name alone must do. */
static bool
named_generic(const char *name)
{
	size_t n = strlen(name), m = sizeof(GENERIC_SUFFIX) - 1;

	return n > m && strcmp(name + n - m, GENERIC_SUFFIX) == 0;
}

int
main(int argc, char *argv[])
{
	static struct frames frames;
	struct options options = { .socket = SOCKET_PATH };
	int status;

	options.generic = argc > 0 && named_generic(argv[0]);
	status = read_options(&options, argc, argv);
	if (status >= 0)
		return status;
	if (options.timeout == 0)
		options.timeout = options.generic ? TIMEOUT_GENERIC : TIMEOUT;
	if (!relay_init(&frames.relay, options.socket,
	    options.timeout * 1000)) {
		(void)fputs("onecred-extauth: the path is too long for a "
		    "socket\n", stderr);
		return EXIT_USAGE;
	}
	harden();
	if (options.generic)
		generic_serve(&frames.relay);
	else
		serve_frames(&frames);
	relay_drop(&frames.relay);
	return EXIT_SUCCESS;
}
