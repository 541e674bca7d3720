#ifndef ONECRED_CLI_SAY_H
#define ONECRED_CLI_SAY_H

/* Exit status of every onecred command. */
enum cli_status {
	CLI_OK = 0,
	CLI_REFUSED = 1,	/* against a rule; the two passwords differ */
	CLI_USAGE = 2,
	CLI_SYSTEM = 3		/* file, terminal, memory, crypto library */
};

/*
 * One sentence on stderr, after "onecred: ". Never given a password, key or
 * verifier.
 */
void	cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
