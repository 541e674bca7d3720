/*
 * Tokens, blanks and quoted strings of RFC 3261 25.1. Total over any octets;
 * every call takes time by what it takes off, so that a parser made of them
 * stays linear.
 */

#include "core/sip_lex.h"

#include <stddef.h>

bool
sip_is_token(uint8_t c)
{
	uint8_t lower = ascii_lower(c);

	if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9'))
		return true;
	switch (c) {
	case '-': case '.': case '!': case '%': case '*':
	case '_': case '+': case '`': case '\'': case '~':
		return true;
	default:
		return false;
	}
}

bool
sip_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
sip_take_blanks(struct span *rest)
{
	size_t n = 0;

	while (n < rest->n && sip_is_blank(rest->p[n]))
		n++;
	*rest = span_tail(*rest, n);
}

struct span
sip_take_token(struct span *rest)
{
	struct span token;
	size_t n = 0;

	while (n < rest->n && sip_is_token(rest->p[n]))
		n++;
	token = span_head(*rest, n);
	*rest = span_tail(*rest, n);
	return token;
}

bool
sip_take_quoted(struct span *rest, struct span *inner)
{
	struct span text = span_tail(*rest, 1);
	size_t n = 0;

	/* quoted-pair = "\" any octet: an escaped quote closes nothing. */
	while (n < text.n && text.p[n] != '"')
		n += text.p[n] == '\\' ? 2 : 1;
	if (n >= text.n) {
		*inner = *rest = SPAN_EMPTY;
		return false;
	}
	*inner = span_head(text, n);
	*rest = span_tail(text, n + 1);
	return true;
}

static bool
ends_word(uint8_t c)
{
	return c == ',' || c == ';' || c == '<' || c == '>' || c == '"' ||
	    sip_is_blank(c);
}

struct span
sip_take_word(struct span *rest)
{
	struct span word;
	size_t n = 0;

	while (n < rest->n && !ends_word(rest->p[n]))
		n++;
	word = span_head(*rest, n);
	*rest = span_tail(*rest, n);
	return word;
}
