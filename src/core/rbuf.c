/*
 * Bounded reader with a sticky error. Lengths are compared with what is left;
 * nothing is ever added to a pointer first.
 */

#include "core/rbuf.h"

void
rbuf_init(struct rbuf *rb, const void *p, size_t n)
{
	rb->p = p;
	rb->left = n;
	rb->failed = false;
}

struct span
rbuf_bytes(struct rbuf *rb, size_t n)
{
	struct span s;

	if (rb->failed || n > rb->left) {
		rb->failed = true;
		return SPAN_EMPTY;
	}
	s = span_mem(rb->p, n);
	if (n > 0)
		rb->p += n;
	rb->left -= n;
	return s;
}

static uint64_t
rbuf_be(struct rbuf *rb, size_t n)
{
	struct span s = rbuf_bytes(rb, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t
rbuf_u8(struct rbuf *rb)
{
	return (uint8_t)rbuf_be(rb, 1);
}

uint16_t
rbuf_u16(struct rbuf *rb)
{
	return (uint16_t)rbuf_be(rb, 2);
}

uint32_t
rbuf_u32(struct rbuf *rb)
{
	return (uint32_t)rbuf_be(rb, 4);
}

uint64_t
rbuf_u64(struct rbuf *rb)
{
	return rbuf_be(rb, 8);
}

struct span
rbuf_lp16(struct rbuf *rb, size_t max)
{
	size_t n = rbuf_u16(rb);

	if (n > max)
		rb->failed = true;
	return rbuf_bytes(rb, n);
}

struct span
rbuf_until(struct rbuf *rb, uint8_t stop, size_t max)
{
	struct span all = span_mem(rb->p, rb->left);
	size_t at = span_find(all, stop);
	struct span s;

	if (at == all.n || at > max)
		rb->failed = true;
	s = rbuf_bytes(rb, at);
	(void)rbuf_bytes(rb, 1);
	return s;
}

struct span
rbuf_rest(struct rbuf *rb, size_t max)
{
	if (rb->left > max)
		rb->failed = true;
	return rbuf_bytes(rb, rb->left);
}

bool
rbuf_done(const struct rbuf *rb)
{
	return !rb->failed && rb->left == 0;
}
