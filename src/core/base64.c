/*
 * Base64, RFC 4648 section 4, canonical form only.
 */

#include "core/base64.h"

#include "core/err.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
wbuf_base64(struct wbuf *wb, struct span s)
{
	if (s.n > SIZE_MAX / 4 || BASE64_SIZE(s.n) > wb->cap - wb->n) {
		wb->failed = true;
		return;
	}
	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v = (uint32_t)s.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)s.p[i + 1] << 8;
		if (left > 2)
			v |= s.p[i + 2];
		wbuf_u8(wb, (uint8_t)alphabet[v >> 18]);
		wbuf_u8(wb, (uint8_t)alphabet[v >> 12 & 63]);
		wbuf_u8(wb, left > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=');
		wbuf_u8(wb, left > 2 ? (uint8_t)alphabet[v & 63] : '=');
	}
}

/* 0..63, or 64 for anything outside the alphabet. */
static uint32_t
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/*
 * One group of four characters; octets says how many it must yield. Returns
 * false if a character or the unused bits are wrong.
 */
static bool
decode_group(const uint8_t *text, size_t octets, uint8_t *out)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t d = i <= octets ? base64_value(text[i]) : 0;

		if (d > 63 || (i > octets && text[i] != '='))
			return false;
		v = v << 6 | d;
	}
	if ((octets == 1 && (v & 0xffff) != 0) ||
	    (octets == 2 && (v & 0xff) != 0))
		return false;
	for (size_t i = 0; i < octets; i++)
		out[i] = (uint8_t)(v >> (16 - 8 * i));
	return true;
}

int
base64_decode(struct span text, uint8_t *out, size_t cap, size_t *n)
{
	size_t total, pad = 0;

	*n = 0;
	if (text.n % 4 != 0)
		return -ERR_FORMAT;
	if (text.n == 0)
		return 0;
	if (text.p[text.n - 1] == '=')
		pad = text.p[text.n - 2] == '=' ? 2 : 1;
	total = text.n / 4 * 3 - pad;
	if (total > cap)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < text.n / 4; i++) {
		size_t left = total - 3 * i;

		if (!decode_group(text.p + 4 * i, left < 3 ? left : 3,
		    out + 3 * i))
			return -ERR_FORMAT;
	}
	*n = total;
	return 0;
}
