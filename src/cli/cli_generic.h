#ifndef ONECRED_CLI_GENERIC_H
#define ONECRED_CLI_GENERIC_H

#include "cli/cli_relay.h"

/*
 * Serves the line protocol on stdin and stdout, until the end of stdin or a
 * question that was not answered within the relay's timeout. Makes the relay
 * quiet: nothing is ever written to stderr.
 */
void	generic_serve(struct relay *relay);

#endif
