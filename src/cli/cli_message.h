#ifndef ONECRED_CLI_MESSAGE_H
#define ONECRED_CLI_MESSAGE_H

/* Exit statuses of onecred and its subcommands. */
enum cli_status {
	CLI_OK = 0,
	CLI_REFUSED = 1,	/* the input is at fault: password, name */
	CLI_USAGE = 2,
	CLI_SYSTEM = 3		/* files, terminal, memory, library */
};

/* One sentence on stderr, "onecred: " before it. Never given a secret. */
void	cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
