/*
 * Views of octets: compare, search, cut. Total functions, nothing allocated.
 */

#include "core/span.h"

#include <string.h>

#include "core/err.h"

struct span
span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, s == NULL ? 0 : strlen(s) };
}

struct span
span_mem(const void *p, size_t n)
{
	return (struct span){ p, n };
}

bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_equal_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

size_t
span_find(struct span s, uint8_t c)
{
	const uint8_t *hit = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return hit == NULL ? s.n : (size_t)(hit - s.p);
}

size_t
span_rfind(struct span s, uint8_t c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

struct span
span_head(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

struct span
span_tail(struct span s, size_t n)
{
	if (n >= s.n)
		return SPAN_EMPTY;
	return (struct span){ s.p + n, s.n - n };
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

int
span_copy_str(struct span s, char *out, size_t cap)
{
	if (cap > 0)
		out[0] = '\0';
	if (s.n >= cap)
		return -ERR_TOO_LONG;
	if (span_find(s, '\0') != s.n)
		return -ERR_CHARACTER;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return 0;
}
