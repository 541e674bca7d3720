#ifndef ONECRED_RESOLVE_H
#define ONECRED_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#define RESOLVE_ADDRESSES_MAX	8	/* of one name; more are not tried */

struct event_base;

/*
 * One host name on its way to addresses. getaddrinfo() may take half a minute
 * and cannot be interrupted, so it runs in a thread of its own; resolve_free()
 * never waits for it.
 */
struct resolve;

/* Fires once, from the event loop, unless resolve_free() comes first. */
typedef void	 resolve_cb(void *arg);

/* NULL if no thread can be had. host is copied. */
struct resolve	*resolve_start(struct event_base *base, const char *host,
		    resolve_cb *cb, void *arg);
void		 resolve_free(struct resolve **resolve);

bool		 resolve_done(const struct resolve *resolve);

/* Numeric address i, or NULL if there are not that many (or not yet). */
const char	*resolve_address(const struct resolve *resolve, size_t i);

/* What getaddrinfo() said; NULL if it found something or is not done. */
const char	*resolve_error(const struct resolve *resolve);

#endif
