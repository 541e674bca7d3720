/*
 * What a lookup carries with it. Its text outlives the caller's buffers and is
 * wiped with it: names are not secret, but people type passwords into them.
 */

#include "store/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "core/identity.h"
#include "core/secret.h"
#include "core/utf8.h"
#include "store/xalloc.h"

/* Copies s to *at, with a NUL, and moves *at on. */
static struct span
text_keep(char **at, struct span s)
{
	char *copy = *at;

	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	*at += s.n + 1;
	return span_mem(copy, s.n);
}

struct store_lookup *
lookup_new(struct store *store, const struct span *values, size_t count,
    void *arg)
{
	struct store_lookup *lookup;
	size_t text_n = 0;
	char *at;

	/* @UNSAFE: lengths of views into existing memory, plus NULs */
	for (size_t i = 0; i < count; i++)
		text_n += values[i].n + 1;
	lookup = xcalloc(1, sizeof(*lookup) + text_n);
	lookup->store = store;
	lookup->arg = arg;
	lookup->text_n = text_n;
	at = lookup->text;
	for (size_t i = 0; i < count; i++)
		lookup->values[i] = text_keep(&at, values[i]);
	return lookup;
}

void
lookup_free(struct store_lookup *lookup)
{
	secret_wipe(lookup->text, lookup->text_n);
	free(lookup);
}

static bool
printable(struct span s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n <= max;
}

bool
lookup_key_plausible(const struct store_key *key)
{
	return printable(key->domain, DOMAIN_MAX) &&
	    key->localpart.n > 0 && printable(key->localpart, LOCALPART_MAX) &&
	    (key->realm.n == 0 || identity_check_realm(key->realm) == 0) &&
	    (key->domain.n > 0 || key->realm.n > 0);
}

/* UTF-8 without NUL: PostgreSQL takes nothing else as text. */
static bool
text_plausible(struct span text)
{
	uint32_t code_point;

	while (text.n > 0)
		if (utf8_take(&text, &code_point) != 0 || code_point == 0)
			return false;
	return true;
}

bool
lookup_values_plausible(const struct question *question,
    const struct span *values, size_t count)
{
	size_t total = 0;

	if (count != question->values)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (values[i].n > STORE_TEXT_MAX - total ||
		    !text_plausible(values[i]))
			return false;
		total += values[i].n;
	}
	return true;
}
