#ifndef ONECRED_RBUF_H
#define ONECRED_RBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"

/*
 * Bounded reader: the only way in which untrusted octets are taken apart. The
 * first read past the end (or beyond a given maximum) sets failed; from then
 * on every read yields 0 or the empty span, so that a parser may read all its
 * fields and ask once.
 */
struct rbuf {
	const uint8_t	*p;
	size_t		 left;
	bool		 failed;
};

void		 rbuf_init(struct rbuf *rb, const void *p, size_t n);
uint8_t		 rbuf_u8(struct rbuf *rb);
uint16_t	 rbuf_u16(struct rbuf *rb);	/* big endian */
uint32_t	 rbuf_u32(struct rbuf *rb);	/* big endian */
uint64_t	 rbuf_u64(struct rbuf *rb);	/* big endian */

/* The next n octets, as a view. */
struct span	 rbuf_bytes(struct rbuf *rb, size_t n);

/* A string counted by 16 bits, big endian; more than max octets fails. */
struct span	 rbuf_lp16(struct rbuf *rb, size_t max);

/*
 * Everything up to the next stop octet, which is consumed but not returned.
 * Fails if there is none, or if more than max octets stand before it.
 */
struct span	 rbuf_until(struct rbuf *rb, uint8_t stop, size_t max);

/* All that is left; more than max octets fails. */
struct span	 rbuf_rest(struct rbuf *rb, size_t max);

/* True if no read failed and nothing is left. */
bool		 rbuf_done(const struct rbuf *rb);

#endif
