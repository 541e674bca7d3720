/*
 * UTF-8, RFC 3629: strict, one spelling per code point. Overlong forms,
 * surrogates and what lies above U+10FFFF are refused here, because the
 * stringprep library reads past such octets instead of refusing them.
 */

#include "core/utf8.h"

#include <stdbool.h>

#include "core/err.h"
#include "core/secret.h"

#define CODE_POINT_MAX	0x10ffff

static bool
is_scalar(uint32_t c)
{
	return c <= CODE_POINT_MAX && (c < 0xd800 || c > 0xdfff);
}

/* Octets of a sequence by its first octet; 0 if none starts with it. */
static size_t
sequence_size(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

int
utf8_take(struct span *text, uint32_t *code_point)
{
	/* The least value that needs so many octets. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text->n == 0 ? 0 : sequence_size(text->p[0]);
	uint32_t c;

	*code_point = 0;
	if (n == 0 || n > text->n)
		return -ERR_FORMAT;
	c = n == 1 ? text->p[0] : text->p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((text->p[i] & 0xc0) != 0x80)
			return -ERR_FORMAT;
		c = c << 6 | (text->p[i] & 0x3f);
	}
	if (c < least[n] || !is_scalar(c))
		return -ERR_FORMAT;
	*code_point = c;
	*text = span_tail(*text, n);
	return 0;
}

void
wbuf_utf8(struct wbuf *wb, uint32_t c)
{
	uint8_t octets[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (!is_scalar(c)) {
		wb->failed = true;
		return;
	}
	for (size_t i = n - 1; i > 0; i--) {
		octets[i] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	/* n - 1 one-bits and a zero go in front; one octet has no mark. */
	octets[0] = (uint8_t)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
	wbuf_bytes(wb, octets, n);
	/* Might have been part of a password. */
	secret_wipe(octets, sizeof(octets));
}
