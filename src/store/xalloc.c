/*
 * Allocation that cannot fail.
 */

#include "store/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL) {
		fputs("onecred: out of memory\n", stderr);
		abort();
	}
	return p;
}

char *
xstrdup(const char *s)
{
	size_t n;
	char *copy;

	if (s == NULL)
		return NULL;
	n = strlen(s) + 1;
	copy = xcalloc(1, n);
	memcpy(copy, s, n);
	return copy;
}
