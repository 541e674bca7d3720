/*
 * One formatted line into a sink. No I/O of its own.
 */

#include "core/sink.h"

#include <stdarg.h>
#include <stdio.h>

#define SINK_LINE_MAX 1024

void
sink_log(const struct sink *sink, enum log_level level, const char *fmt, ...)
{
	char line[SINK_LINE_MAX];
	va_list ap;

	if (sink == NULL || level > sink->level)
		return;
	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	/* A line is a line, whatever a peer put into a name. */
	for (char *c = line; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	sink->write(sink->arg, level, line);
}
