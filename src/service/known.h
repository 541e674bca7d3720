#ifndef ONECRED_KNOWN_H
#define ONECRED_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/identity.h"

/*
 * Which accounts there were when the database was last asked: what "is there
 * such an account" is answered from while it is away. A wrong "no" makes an
 * XMPP server drop rosters and bounce messages; a stale "yes" costs nothing
 * but a message kept for nobody. It opens no login.
 */
struct known;

#define KNOWN_MAX	65536		/* accounts; the oldest makes room */
#define KNOWN_MS	86400000	/* how long a confirmation counts: 24 h */

/* crypto is the loop's handle and outlives it. NULL: no memory, no random. */
struct known	*known_new(struct crypto *crypto);
void		 known_free(struct known **known);

/* Time is the caller's, from a clock that nobody sets. */
void		 known_confirm(struct known *known,
		    const struct account *account, int64_t now_ms);

/* It is gone, or disabled. */
void		 known_drop(struct known *known,
		    const struct account *account);

/* Whether it was confirmed less than KNOWN_MS ago. */
bool		 known_recently(const struct known *known,
		    const struct account *account, int64_t now_ms);

#endif
