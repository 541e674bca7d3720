#ifndef ONECRED_CLI_CHECK_OPTIONS_H
#define ONECRED_CLI_CHECK_OPTIONS_H

#include <stdbool.h>

#include "cli/cli_say.h"

/* What onecred check was asked for. Views of argv. */
struct check_options {
	bool		help;
	bool		json;
	const char	*name;		/* the account, as given */
	const char	*conninfo;	/* "": libpq's environment */
	const char	*config;	/* NULL: the default, if readable */
	const char	*password_file;	/* NULL: none */
	const char	*seal_key_file;	/* NULL: [seal] key_file */
	const char	*log;		/* NULL: the journal */
};

/* Reads the command line after "check". Says what is wrong. */
enum cli_status	check_options_read(int argc, char **argv,
		    struct check_options *out);

#endif
