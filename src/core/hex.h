#ifndef ONECRED_HEX_H
#define ONECRED_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "core/span.h"
#include "core/wbuf.h"

/* Writes 2 * s.n lower-case hex digits. */
void	wbuf_hex(struct wbuf *wb, struct span s);

/*
 * Decodes exactly n octets from 2 * n hex digits, either case (a digest
 * response may come in capitals, STANDARDS 1.5). 0 or -ERR_FORMAT; out is
 * cleared on error. The time does not depend on the digits' values.
 */
int	hex_decode(struct span hex, uint8_t *out, size_t n)
	    __attribute__((warn_unused_result));

#endif
