#ifndef ONECRED_CLI_FILE_H
#define ONECRED_CLI_FILE_H

#include <stddef.h>

#include "cli/cli_say.h"
#include "core/secret.h"

/*
 * Reads a whole file that holds a secret, at most max octets, and says what is
 * wrong, or that others can read it too. The caller frees out with
 * secret_free().
 */
enum cli_status	cli_file_read(const char *file, size_t max,
		    struct secret *out);

#endif
