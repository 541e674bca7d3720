/*
 * Owned secrets, wiping and the constant-time comparison.
 */

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/err.h"

int
secret_set(struct secret *s, struct span from)
{
	uint8_t *copy = malloc(from.n == 0 ? 1 : from.n);

	if (copy != NULL && from.n > 0)
		memcpy(copy, from.p, from.n);
	secret_free(s);
	if (copy == NULL)
		return -ERR_NOMEM;
	s->p = copy;
	s->n = from.n;
	return 0;
}

void
secret_free(struct secret *s)
{
	if (s->p != NULL)
		secret_wipe(s->p, s->n);
	free(s->p);
	s->p = NULL;
	s->n = 0;
}

struct span
secret_span(const struct secret *s)
{
	return span_mem(s->p, s->n);
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}

bool
secret_equal(const void *a, const void *b, size_t n)
{
	return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

bool
secret_equal_span(struct span a, struct span b)
{
	return a.n == b.n && secret_equal(a.p, b.p, a.n);
}
