/*
 * What onecred says on stderr. Control characters of names that it repeats
 * become '?', so that a name cannot play with the terminal.
 */

#include "cli/cli_message.h"

#include <stdarg.h>
#include <stdio.h>

void
cli_error(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	for (char *c = line; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "onecred: %s\n", line);
}
