#ifndef ONECRED_SPAN_H
#define ONECRED_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A view of n octets that somebody else owns. It never outlives the buffer it
 * points into, is never freed, and may contain NUL. p may be NULL only if n
 * is 0.
 *
 * The comparisons here stop at the first difference: they are for names and
 * tokens only. Secrets are compared by secret_equal() (secret.h).
 */
struct span {
	const uint8_t	*p;
	size_t		 n;
};

#define SPAN_LIT(s) \
	((struct span){ (const uint8_t *)(s), sizeof(s) - 1 })
#define SPAN_EMPTY	((struct span){ NULL, 0 })

/* View of a trusted NUL-terminated string; NULL gives the empty span. */
struct span	 span_str(const char *s);

/* View of n octets at p. */
struct span	 span_mem(const void *p, size_t n);

/* Equal octet for octet; public data only. */
bool		 span_equal(struct span a, struct span b);

/* Equal when ASCII capitals are folded; public data only. */
bool		 span_equal_nocase(struct span a, struct span b);

/* Index of the first c in s, or s.n if there is none. */
size_t		 span_find(struct span s, uint8_t c);

/* Index of the last c in s, or s.n if there is none. */
size_t		 span_rfind(struct span s, uint8_t c);

/* The first n octets (all of s if it is shorter). */
struct span	 span_head(struct span s, size_t n);

/* What follows the first n octets (empty if s is shorter). */
struct span	 span_tail(struct span s, size_t n);

/* Without leading and trailing SP, HTAB, CR and LF. */
struct span	 span_trim(struct span s);

/*
 * Copies s to out as a NUL-terminated string. 0, or -ERR_TOO_LONG if s with
 * its NUL does not fit into cap octets, or -ERR_CHARACTER if it contains NUL;
 * on error out is the empty string.
 */
int		 span_copy_str(struct span s, char *out, size_t cap)
		    __attribute__((warn_unused_result));

/* c as lower case if it is an ASCII capital, else c. */
static inline uint8_t
ascii_lower(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') ? (uint8_t)(c + ('a' - 'A')) : c;
}

#endif
