#ifndef ONECRED_WBUF_H
#define ONECRED_WBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"

/*
 * Capped writer into a buffer of the caller's. A write that does not fit
 * writes nothing and sets failed; later writes are then ignored too. Whoever
 * wrote a secret calls wbuf_wipe() when done.
 */
struct wbuf {
	uint8_t	*p;
	size_t	 n;		/* octets written */
	size_t	 cap;
	bool	 failed;
};

void		wbuf_init(struct wbuf *wb, void *p, size_t cap);
void		wbuf_bytes(struct wbuf *wb, const void *p, size_t n);
void		wbuf_span(struct wbuf *wb, struct span s);
void		wbuf_str(struct wbuf *wb, const char *s);
void		wbuf_u8(struct wbuf *wb, uint8_t v);
void		wbuf_u16(struct wbuf *wb, uint16_t v);	/* big endian */
void		wbuf_u32(struct wbuf *wb, uint32_t v);	/* big endian */
void		wbuf_u64(struct wbuf *wb, uint64_t v);	/* big endian */
void		wbuf_dec(struct wbuf *wb, uint64_t v);	/* decimal digits */

/* What was written so far. */
struct span	wbuf_written(const struct wbuf *wb);

/* Clears the whole buffer, written or not, and forgets what was written. */
void		wbuf_wipe(struct wbuf *wb);

#endif
