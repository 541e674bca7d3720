#ifndef ONECRED_CLI_CHECK_H
#define ONECRED_CLI_CHECK_H

#include "cli/cli_say.h"

/*
 * onecred check: what can this account log in with, what not, why, and what
 * mends it. CLI_OK: all that the domain's policy asks for works; CLI_REFUSED:
 * something cannot log in; CLI_SYSTEM: nobody can tell (database, files).
 */
enum cli_status	cli_check(int argc, char **argv);

#endif
