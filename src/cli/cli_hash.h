#ifndef ONECRED_CLI_HASH_H
#define ONECRED_CLI_HASH_H

#include "cli/cli_say.h"

/*
 * onecred hash: makes every verifier of an account from its new password and
 * prints them, one "name TAB realm TAB form TAB value" per line, then
 * "end TAB TAB TAB" and the number of the lines before it. Prints nothing at
 * all unless all of it could be made.
 */
enum cli_status	cli_hash(int argc, char **argv);

#endif
