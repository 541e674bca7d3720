/*
 * Hexadecimal. Branches depend on whether a character is a digit at all, not
 * on its value.
 */

#include "core/hex.h"

#include "core/err.h"
#include "core/secret.h"

/* The digit of v (0..15), by arithmetic as below: it may be an HA1's. */
static uint8_t
hex_digit(unsigned int v)
{
	unsigned int is_letter = (9 - v) >> 8 & 1;

	return (uint8_t)(v + '0' + is_letter * ('a' - '0' - 10));
}

/* Straight into the buffer: four times per digest check. */
void
wbuf_hex(struct wbuf *wb, struct span s)
{
	uint8_t *out;

	if (wb->failed || s.n > (wb->cap - wb->n) / 2) {
		wb->failed = true;
		return;
	}
	if (s.n == 0)
		return;
	out = wb->p + wb->n;
	for (size_t i = 0; i < s.n; i++) {
		*out++ = hex_digit(s.p[i] >> 4);
		*out++ = hex_digit(s.p[i] & 15);
	}
	wb->n += 2 * s.n;
}

/*
 * 0..15, or 0xff if c is no hex digit; arithmetic instead of a table so that
 * no cache line tells which digits a response had.
 */
static uint8_t
hex_value(uint8_t c)
{
	unsigned int digit = (unsigned int)(c ^ '0');
	unsigned int letter = (unsigned int)((c & 0xdf) - 'A');
	unsigned int is_digit = 0u - (unsigned int)(digit < 10);
	unsigned int is_letter = 0u - (unsigned int)(letter < 6);

	return (uint8_t)((is_digit & digit) | (is_letter & (letter + 10)) |
	    (~(is_digit | is_letter) & 0xff));
}

int
hex_decode(struct span hex, uint8_t *out, size_t n)
{
	unsigned int bad = 0;

	if (hex.n % 2 != 0 || hex.n / 2 != n) {
		secret_wipe(out, n);
		return -ERR_FORMAT;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t hi = hex_value(hex.p[2 * i]);
		uint8_t lo = hex_value(hex.p[2 * i + 1]);

		bad |= (unsigned int)((hi | lo) & 0xf0);
		out[i] = (uint8_t)(hi << 4 | (lo & 15));
	}
	if (bad != 0) {
		secret_wipe(out, n);
		return -ERR_FORMAT;
	}
	return 0;
}
