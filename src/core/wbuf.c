/*
 * Capped writer with a sticky failure.
 */

#include "core/wbuf.h"

#include <string.h>

#include "core/secret.h"

void
wbuf_init(struct wbuf *wb, void *p, size_t cap)
{
	wb->p = p;
	wb->n = 0;
	wb->cap = cap;
	wb->failed = false;
}

void
wbuf_bytes(struct wbuf *wb, const void *p, size_t n)
{
	if (wb->failed || n > wb->cap - wb->n) {
		wb->failed = true;
		return;
	}
	if (n > 0)
		memcpy(wb->p + wb->n, p, n);
	wb->n += n;
}

void
wbuf_span(struct wbuf *wb, struct span s)
{
	wbuf_bytes(wb, s.p, s.n);
}

void
wbuf_str(struct wbuf *wb, const char *s)
{
	wbuf_span(wb, span_str(s));
}

static void
wbuf_be(struct wbuf *wb, uint64_t v, size_t n)
{
	uint8_t octets[8];

	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	wbuf_bytes(wb, octets, n);
}

void
wbuf_u8(struct wbuf *wb, uint8_t v)
{
	wbuf_be(wb, v, 1);
}

void
wbuf_u16(struct wbuf *wb, uint16_t v)
{
	wbuf_be(wb, v, 2);
}

void
wbuf_u32(struct wbuf *wb, uint32_t v)
{
	wbuf_be(wb, v, 4);
}

void
wbuf_u64(struct wbuf *wb, uint64_t v)
{
	wbuf_be(wb, v, 8);
}

void
wbuf_dec(struct wbuf *wb, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	wbuf_bytes(wb, digits + at, sizeof(digits) - at);
}

struct span
wbuf_written(const struct wbuf *wb)
{
	return span_mem(wb->p, wb->n);
}

void
wbuf_wipe(struct wbuf *wb)
{
	secret_wipe(wb->p, wb->cap);
	wb->n = 0;
}
