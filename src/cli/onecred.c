/*
 * onecred: the command line. Each command is a function of its own file; this
 * one chooses it. Secrets pass through here, so before anything else the
 * process is closed to debuggers and core files.
 */

#include <sys/prctl.h>
#include <sys/resource.h>

#include <stdio.h>

#include "cli/cli_check.h"
#include "cli/cli_hash.h"
#include "cli/cli_say.h"
#include "core/span.h"
#include "daemon/version.h"

static const struct command {
	const char	*name;
	enum cli_status	(*run)(int argc, char **argv);
	const char	*summary;
} commands[] = {
	{ "check", cli_check, "say why an account cannot log in" },
	{ "hash", cli_hash, "make the verifiers of a new password" }
};
#define COMMAND_COUNT	(sizeof(commands) / sizeof(commands[0]))

static void
print_usage(FILE *to)
{
	fputs("usage: onecred COMMAND [options]; "
	    "onecred COMMAND --help tells more\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name,
		    commands[i].summary);
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	struct span name;

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (argc < 2) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	name = span_str(argv[1]);
	if (span_equal(name, SPAN_LIT("--help")) ||
	    span_equal(name, SPAN_LIT("-h"))) {
		print_usage(stdout);
		return CLI_OK;
	}
	if (span_equal(name, SPAN_LIT("--version")) ||
	    span_equal(name, SPAN_LIT("-V"))) {
		puts("onecred " ONECRED_VERSION);
		return CLI_OK;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (span_equal(name, span_str(commands[i].name)))
			return (int)commands[i].run(argc - 1, argv + 1);
	cli_say("there is no command \"%s\"", argv[1]);
	print_usage(stderr);
	return CLI_USAGE;
}
