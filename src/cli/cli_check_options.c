/*
 * The command line of onecred check.
 */

#include "cli/cli_check_options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

enum {
	OPTION_JSON = 256, OPTION_LOG, OPTION_PASSWORD_FILE,
	OPTION_SEAL_KEY_FILE
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
	{ "seal-key-file", required_argument, NULL, OPTION_SEAL_KEY_FILE },
	{ NULL, 0, NULL, 0 }
};

enum cli_status
check_options_read(int argc, char **argv, struct check_options *out)
{
	int c;

	memset(out, 0, sizeof(*out));
	out->conninfo = "";
	while ((c = getopt_long(argc, argv, "c:d:h", long_options,
	    NULL)) != -1) {
		switch (c) {
		case 'c':
			out->config = optarg;
			break;
		case 'd':
			out->conninfo = optarg;
			break;
		case 'h':
			out->help = true;
			return CLI_OK;
		case OPTION_JSON:
			out->json = true;
			break;
		case OPTION_LOG:
			out->log = optarg;
			break;
		case OPTION_PASSWORD_FILE:
			out->password_file = optarg;
			break;
		case OPTION_SEAL_KEY_FILE:
			out->seal_key_file = optarg;
			break;
		default:
			return CLI_USAGE;
		}
	}
	if (optind + 1 != argc) {
		cli_say("check: give one account, like alice@example.com; "
		    "onecred check --help tells more");
		return CLI_USAGE;
	}
	out->name = argv[optind];
	return CLI_OK;
}
