/*
 * Rate-limited log lines for an outage: both connections fail at every
 * attempt for the same reason, and once is enough. Never given a value of a
 * row or a connection string.
 */

#include "store/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "store/clock.h"

/* FNV-1a, 64 bits: two faults with one hash would only cost a line. */
static uint64_t
line_hash(const char *line)
{
	uint64_t hash = 14695981039346656037U;

	for (; *line != '\0'; line++) {
		hash ^= (unsigned char)*line;
		hash *= 1099511628211U;
	}
	return hash;
}

void
fault_write(struct fault_log *faults, enum log_level level, const char *fmt,
    ...)
{
	char line[FAULT_LINE_MAX];
	int64_t now = clock_ms();
	unsigned int held;
	size_t i, slot = 0;
	uint64_t hash;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	hash = line_hash(line);
	for (i = 0; i < FAULT_KINDS; i++) {
		if (faults->kinds[i].hash == hash) {
			slot = i;
			break;
		}
		if (faults->kinds[i].at < faults->kinds[slot].at)
			slot = i;
	}
	held = 0;
	if (faults->kinds[slot].hash == hash) {
		if (now - faults->kinds[slot].at < FAULT_REPEAT_MS) {
			faults->kinds[slot].held++;
			return;
		}
		held = faults->kinds[slot].held;
	}
	faults->kinds[slot].hash = hash;
	faults->kinds[slot].at = now;
	faults->kinds[slot].held = 0;
	if (held > 0)
		sink_log(faults->sink, level, "%s (and %u more since)", line,
		    held);
	else
		sink_log(faults->sink, level, "%s", line);
}

void
fault_one_line(const char *text, char *out, size_t cap)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < cap; text++) {
		if ((unsigned char)*text > ' ')
			out[n++] = *text;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}
