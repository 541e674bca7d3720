#ifndef ONECRED_XALLOC_H
#define ONECRED_XALLOC_H

#include <stddef.h>

#include "core/span.h"

/*
 * Allocation for the daemon's layers: a daemon that is out of memory ends
 * (its service manager starts it anew); core and plugin never use these.
 */
void	*xcalloc(size_t count, size_t size);
char	*xstrdup(const char *s);		/* NULL stays NULL */

#endif
