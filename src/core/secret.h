#ifndef ONECRED_SECRET_H
#define ONECRED_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"

/*
 * A password, key, HA1 or shared secret that outlives a stack frame. The
 * struct owns p; secret_free() wipes before it frees.
 */
struct secret {
	uint8_t	*p;
	size_t	 n;
};

/*
 * Makes s a copy of the octets of from; what s held before is wiped. 0 or
 * -ERR_NOMEM (s is then empty).
 */
int		secret_set(struct secret *s, struct span from)
		    __attribute__((warn_unused_result));
void		secret_free(struct secret *s);
struct span	secret_span(const struct secret *s);

/* Overwrites n octets in a way the compiler keeps. p may be NULL if n is 0. */
void		secret_wipe(void *p, size_t n);

/*
 * True if the n octets are equal, in a time that depends on n only. The one
 * comparison for anything derived from a secret.
 */
bool		secret_equal(const void *a, const void *b, size_t n);

/* The same for views; lengths are not secret and may differ. */
bool		secret_equal_span(struct span a, struct span b);

#endif
