#ifndef ONECRED_BASE64_H
#define ONECRED_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "core/span.h"
#include "core/wbuf.h"

/* Octets of base64 text, padded, for n octets of data. */
#define BASE64_SIZE(n)	(((n) + 2) / 3 * 4)

/* Writes s as padded base64 (RFC 4648 section 4). */
void	wbuf_base64(struct wbuf *wb, struct span s);

/*
 * Decodes canonical base64 only: padded, nothing but the alphabet, unused
 * bits zero (RFC 4648 section 3.5), so that one value has one spelling.
 * Stores at most cap octets and their number in *n. 0, -ERR_FORMAT, or
 * -ERR_TOO_LONG; on error *n is 0.
 */
int	base64_decode(struct span text, uint8_t *out, size_t cap, size_t *n)
	    __attribute__((warn_unused_result));

#endif
