#ifndef ONECRED_BATCH_H
#define ONECRED_BATCH_H

#include "core/identity.h"
#include "core/wbuf.h"

#define BATCH_MAX	64	/* lookups in one query */

/* One element as array text: quoted, each octet escaped at worst, a comma. */
#define BATCH_ELEMENT(n)	(2 * (n) + 3)

/*
 * Lookups that go out as one query: the values of a single one, or three
 * arrays in parallel, in PostgreSQL's text form, each one element longer with
 * every lookup.
 */
struct batch {
	unsigned int	count;
	struct wbuf	domains, localparts, realms;
	const char	*values[3];	/* of batch_values() */
	bool		 null[3];	/* of the first lookup ... */
	char		 first_domain[DOMAIN_MAX + 1];	/* ... as plain text */
	char		 first_localpart[LOCALPART_MAX + 1];
	char		 first_realm[REALM_MAX + 1];
	char		domain_text[BATCH_MAX * BATCH_ELEMENT(DOMAIN_MAX) + 3];
	char		localpart_text[BATCH_MAX *
			    BATCH_ELEMENT(LOCALPART_MAX) + 3];
	char		realm_text[BATCH_MAX * BATCH_ELEMENT(REALM_MAX) + 3];
};

/* Makes it empty. */
void	batch_clear(struct batch *batch);

/*
 * Adds one lookup (domain, localpart, realm; NULL is NULL). Needs count <
 * BATCH_MAX. What is longer than any name is asked for as NULL, which finds
 * nobody: cut short it might find somebody else.
 */
void	batch_add(struct batch *batch, const char *const values[3]);

/*
 * The query parameters: of a single lookup its values, else the three arrays.
 * Valid until the next call; nothing may be added before batch_clear().
 */
const char *const *batch_values(struct batch *batch);

#endif
