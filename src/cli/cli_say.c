/*
 * What a command has to tell its user. Names reach this from the command line
 * and the environment, so control characters are made harmless first.
 */

#include "cli/cli_say.h"

#include <stdarg.h>
#include <stdio.h>

#define SENTENCE_MAX	1024

void
cli_say(const char *fmt, ...)
{
	char line[SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fprintf(stderr, "onecred: %s\n", line);
}
