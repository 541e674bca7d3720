#ifndef ONECRED_LOG_H
#define ONECRED_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/sink.h"

#define LOG_FAULTS_MAX	16	/* different faults remembered */
#define LOG_FAULT_MS	10000	/* the same fault at most this often */

/*
 * The same warning or error again and again (a database that is away) is
 * written once per LOG_FAULT_MS. A pure state machine over the caller's clock.
 */
struct log_limit {
	struct log_fault {
		uint64_t	hash;		/* of the line; 0: free */
		int64_t		since_ms;	/* when it was last written */
		unsigned int	swallowed;	/* since then */
	} faults[LOG_FAULTS_MAX];
};

/*
 * True if line may be written now; *swallowed tells how often it was not
 * since the last time.
 */
bool	log_limit_pass(struct log_limit *limit, const char *line,
	    int64_t now_ms, unsigned int *swallowed);

/*
 * The sink of the program: one line, one write(2), on fd. Lines begin with
 * "<N>" (syslog priority) if the journal reads them, else with the time.
 */
struct log {
	struct sink		sink;
	int			fd;
	bool			journal;
	struct log_limit	limit;
};

/* log must stay where it is: its sink points to it. fd is the caller's. */
void	log_init(struct log *log, int fd, enum log_level level);

#endif
