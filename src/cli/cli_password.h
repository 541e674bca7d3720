#ifndef ONECRED_CLI_PASSWORD_H
#define ONECRED_CLI_PASSWORD_H

#include "cli/cli_say.h"
#include "core/secret.h"

/*
 * Where a new password comes from. Both make out the password as typed or
 * written, unchecked but for its length, say what is wrong, and leave out
 * empty unless they return CLI_OK. The caller frees out with secret_free().
 */

/*
 * Asks on the terminal, without echo, twice. what: "alice@example.com". The
 * terminal is as before whatever happens, a signal included.
 */
enum cli_status	cli_password_ask(const char *what, struct secret *out);

/* The one line of a file; exactly one LF or CRLF at its end is removed. */
enum cli_status	cli_password_read(const char *file, struct secret *out);

#endif
