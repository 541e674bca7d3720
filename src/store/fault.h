#ifndef ONECRED_FAULT_H
#define ONECRED_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "core/sink.h"

#define FAULT_KINDS	8	/* different lines that are remembered */
#define FAULT_REPEAT_MS	10000	/* the same line at most this often */
#define FAULT_LINE_MAX	512

/*
 * Log lines about faults, rate limited: a line that was written less than
 * FAULT_REPEAT_MS ago is only counted, and its count is told with the next
 * one. Zeroed but for sink.
 */
struct fault_log {
	const struct sink	*sink;
	struct {
		uint64_t	 hash;
		int64_t		 at;
		unsigned int	 held;	/* not written since then */
	} kinds[FAULT_KINDS];
};

void	fault_write(struct fault_log *faults, enum log_level level,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Copies text (libpq's messages have several lines, indented) to out as one
 * line of at most cap - 1 octets.
 */
void	fault_one_line(const char *text, char *out, size_t cap);

#endif
