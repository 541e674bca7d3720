#ifndef ONECRED_UTF8_H
#define ONECRED_UTF8_H

#include <stdint.h>

#include "core/span.h"
#include "core/wbuf.h"

/*
 * Takes one code point off the front of text, which must not be empty. 0, or
 * -ERR_FORMAT with text untouched if its next octets are not UTF-8.
 */
int	utf8_take(struct span *text, uint32_t *code_point)
	    __attribute__((warn_unused_result));

/* Writes one code point; what is no scalar value sets wb->failed. */
void	wbuf_utf8(struct wbuf *wb, uint32_t code_point);

#endif
