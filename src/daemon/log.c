/*
 * The log: lines on stderr, read by the journal or by a person. No files, no
 * syslog socket, no buffering. What is in a line is decided by who wrote it;
 * nothing here may add data of its own.
 */

#include "daemon/log.h"

#include <sys/stat.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX	1200	/* SINK_LINE_MAX and what is put around it */

/* FNV-1a: tells lines of one daemon apart, nothing more. */
static uint64_t
hash_line(const char *line)
{
	uint64_t h = 14695981039346656037u;

	for (; *line != '\0'; line++)
		h = (h ^ (unsigned char)*line) * 1099511628211u;
	return h == 0 ? 1 : h;
}

bool
log_limit_pass(struct log_limit *limit, const char *line, int64_t now_ms,
    unsigned int *swallowed)
{
	struct log_fault *slot = &limit->faults[0], *f;
	uint64_t hash = hash_line(line);

	*swallowed = 0;
	for (size_t i = 0; i < LOG_FAULTS_MAX; i++) {
		f = &limit->faults[i];
		if (f->hash == hash) {
			slot = f;
			break;
		}
		if (f->hash == 0 || f->since_ms < slot->since_ms)
			slot = f;
		if (f->hash == 0)
			break;
	}
	if (slot->hash == hash && now_ms - slot->since_ms < LOG_FAULT_MS) {
		slot->swallowed++;
		return false;
	}
	if (slot->hash == hash)
		*swallowed = slot->swallowed;
	*slot = (struct log_fault){ hash, now_ms, 0 };
	return true;
}

static int64_t
clock_ms(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* "<6>" or "2026-11-22T10:00:00.123Z info ". */
static void
line_start(const struct log *log, enum log_level level, char *out,
    size_t cap)
{
	static const char *const words[] = {
		"error", "warning", "info", "debug"
	};
	static const unsigned int priorities[] = { 3, 4, 6, 7 };
	struct timespec ts = { 0, 0 };
	char when[32];
	struct tm tm;

	if (log->journal) {
		(void)snprintf(out, cap, "<%u>", priorities[level]);
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (gmtime_r(&ts.tv_sec, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		when[0] = '\0';
	(void)snprintf(out, cap, "%s.%03ldZ %s ", when,
	    ts.tv_nsec / 1000000, words[level]);
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	struct log *log = arg;
	char start[64], more[48] = "", out[LOG_LINE_MAX];
	unsigned int swallowed;
	int n;

	if ((unsigned int)level > LEVEL_DEBUG)
		level = LEVEL_DEBUG;
	if (level <= LEVEL_WARNING) {
		if (!log_limit_pass(&log->limit, line, clock_ms(),
		    &swallowed))
			return;
		if (swallowed > 0)
			(void)snprintf(more, sizeof(more),
			    " (and %u times before)", swallowed);
	}
	line_start(log, level, start, sizeof(start));
	n = snprintf(out, sizeof(out), "%s%s%s\n", start, line, more);
	if (n <= 0)
		return;
	if ((size_t)n >= sizeof(out)) {
		n = (int)sizeof(out) - 1;
		out[n - 1] = '\n';
	}
	/* A log that is gone or full must not stop logins. */
	if (write(log->fd, out, (size_t)n) < 0)
		return;
}

/* JOURNAL_STREAM holds device:inode of the stream that the journal reads. */
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;
	size_t i = 0;

	if (stream == NULL || fstat(fd, &st) != 0)
		return false;
	(void)snprintf(here, sizeof(here), "%" PRIuMAX ":%" PRIuMAX,
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	while (here[i] != '\0' && here[i] == stream[i])
		i++;
	return here[i] == '\0' && stream[i] == '\0';
}

void
log_init(struct log *log, int fd, enum log_level level)
{
	*log = (struct log){
		.sink = { log_write, log, level },
		.fd = fd,
		.journal = is_journal(fd)
	};
}
