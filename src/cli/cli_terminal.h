#ifndef ONECRED_CLI_TERMINAL_H
#define ONECRED_CLI_TERMINAL_H

#include <stddef.h>

/*
 * Asks on the controlling terminal (not stdin: psql's is a pipe or a script)
 * and reads one line without echo into out, without its line end. Returns the
 * number of octets, or -1 with a sentence printed. A signal that arrives
 * meanwhile takes effect after echo is on again. The caller wipes out.
 */
int	cli_terminal_ask(const char *prompt, char *out, size_t cap);

#endif
