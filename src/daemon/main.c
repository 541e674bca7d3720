/*
 * onecredd: command line. Exit status 0: ended as asked; 1: configuration or
 * start failed; 2: usage.
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/hardening.h"
#include "daemon/helper.h"
#include "daemon/preflight.h"
#include "daemon/version.h"

#define EXIT_USAGE	2

enum { OPTION_EXTAUTH = 256, OPTION_OFFLINE, OPTION_VERSION };

static const char usage[] =
	"usage: onecredd [-v] [-c FILE]\n"
	"       onecredd -t [-v] [--offline] [-c FILE]\n"
	"       onecredd --extauth [-c FILE]\n"
	"\n"
	"  -c FILE      configuration (" CONFIG_PATH ")\n"
	"  -t           check configuration, files, sockets and database, "
	"and exit\n"
	"  --offline    with -t: only the configuration and the files it "
	"names\n"
	"  -v           with -t: print what was understood; else log more\n"
	"  --extauth    be a helper of ejabberd on stdin and stdout\n"
	"  --help       this text\n"
	"  --version    the version\n";

static const struct option long_options[] = {
	{ "extauth", no_argument, NULL, OPTION_EXTAUTH },
	{ "help", no_argument, NULL, 'h' },
	{ "offline", no_argument, NULL, OPTION_OFFLINE },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 }
};

static void
on_finding(enum preflight_level level, const char *sentence, void *arg)
{
	static const char *const words[] = {
		[PREFLIGHT_NOTE] = "note", [PREFLIGHT_WARNING] = "warning",
		[PREFLIGHT_ERROR] = "error"
	};

	(void)arg;
	(void)fprintf(stderr, "onecredd: %s: %s\n", words[level], sentence);
}

static int
check(const char *path, bool verbose, bool offline)
{
	struct preflight preflight = { .cb = on_finding };
	int became = preflight_become();
	char error[CONFIG_ERROR_MAX];
	struct config *config;

	if (became < 0) {
		(void)fputs("onecredd: cannot become the user onecred\n",
		    stderr);
		return EXIT_FAILURE;
	}
	if (config_load(path, CONFIG_DAEMON, &config, error) != 0) {
		(void)fprintf(stderr, "onecredd: %s%s\n", error, became != 0 ?
		    " (as the user onecred)" : "");
		return EXIT_FAILURE;
	}
	if (verbose)
		config_dump(config, stdout);
	if (!offline) {
		preflight.config = config;
		preflight_files(&preflight);
		preflight_sockets(&preflight);
		preflight_database(&preflight);
	}
	if (preflight.errors > 0)
		(void)fprintf(stderr, "onecredd: %s: not ready, errors: "
		    "%u%s\n", path, preflight.errors, became != 0 ?
		    " (as the user onecred)" : "");
	else
		(void)printf("%s%s: OK\n", verbose ? "# " : "", path);
	config_free(&config);
	return preflight.errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char *argv[])
{
	const char *path = CONFIG_PATH;
	bool test = false, verbose = false, extauth = false, offline = false;
	int c;

	hardening_apply();
	while ((c = getopt_long(argc, argv, "c:htv", long_options,
	    NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			(void)puts("onecredd " ONECRED_VERSION);
			return EXIT_SUCCESS;
		case OPTION_OFFLINE:
			offline = true;
			break;
		case OPTION_EXTAUTH:
			extauth = true;
			break;
		default:
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc || (extauth && test) || (offline && !test)) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (test)
		return check(path, verbose, offline);
	if (extauth)
		return helper_run(path);
	return daemon_run(path, verbose ? LEVEL_DEBUG : LEVEL_ERROR);
}
