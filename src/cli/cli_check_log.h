#ifndef ONECRED_CLI_CHECK_LOG_H
#define ONECRED_CLI_CHECK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli_check_account.h"
#include "core/span.h"

#define CHECK_REFUSALS_MAX	10	/* the last ones are kept */
#define CHECK_FIELD_MAX		128
#define CHECK_LINE_MAX		2048	/* octets; longer ones are skipped */

/* One refusal, out of a decision line; words of visible ASCII. */
struct check_refusal {
	char	time[CHECK_FIELD_MAX];		/* or "" */
	char	door[CHECK_FIELD_MAX];
	char	realm[CHECK_FIELD_MAX];
	char	mech[CHECK_FIELD_MAX];
	char	verdict[CHECK_FIELD_MAX];
	char	reason[CHECK_FIELD_MAX];
	char	source[CHECK_FIELD_MAX];
};

/* The last refusals of an account, oldest first. Zeroed before use. */
struct check_log {
	struct check_refusal	 refusals[CHECK_REFUSALS_MAX];
	size_t			 count;
	size_t			 first;		/* of the ring */
	size_t			 pending_n;	/* of an unfinished line */
	uint8_t			 pending[CHECK_LINE_MAX];
	bool			 skipping;	/* a line that is too long */
};

/*
 * Reads the next octets of a log, whole lines or not, whatever is in them.
 * Decision lines about the account that do not allow are kept.
 */
void	check_log_feed(struct check_log *log,
	    const struct check_account *account, struct span octets);

/* Number i of the kept ones, oldest first. */
const struct check_refusal *check_log_at(const struct check_log *log,
	    size_t i);

/*
 * Feeds the end of a file, or what a command prints on standard output (argv
 * ends with NULL; no shell; killed at the deadline or after many octets).
 * NULL if something was read, or why not.
 */
const char *check_log_file(struct check_log *log,
	    const struct check_account *account, const char *file);
const char *check_log_command(struct check_log *log,
	    const struct check_account *account, const char *const *argv,
	    unsigned int deadline_ms);

/* What journalctl is asked. */
extern const char *const check_log_journal[];

/* A word of the log as a sentence, "" if there is nothing to add. */
const char *check_log_explain(const char *reason);

#endif
