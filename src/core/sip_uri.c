/*
 * sip: and sips: URIs, RFC 3261 19.1.1 and 25.1: user and host only. Nothing
 * is unescaped here: "%00" stays three octets and ends no name (RFC 4475
 * 3.1.1.4). Refuses what another reader could take apart differently, a
 * second "@" above all.
 */

#include <stdbool.h>

#include "core/err.h"
#include "core/sip_lex.h"
#include "core/sip_message.h"

#define ESCAPE_SIZE	3	/* "%" HEX HEX */

static bool
is_hex(uint8_t c)
{
	uint8_t lower = ascii_lower(c);

	return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
}

static bool
is_host(uint8_t c)
{
	uint8_t lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_';
}

/*
 * Printable, without what delimits a URI, and each "%" is an escape. Octets
 * beyond ASCII are let pass in the user part, as phones send them.
 */
static bool
is_uri_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c <= ' ' || c == 0x7f || c == '<' || c == '>' ||
		    c == '"')
			return false;
		if (c == '%' && (s.n - i < ESCAPE_SIZE ||
		    !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2])))
			return false;
	}
	return true;
}

/* host = hostname / IPv4address / "[" IPv6address "]" */
static struct span
take_host(struct span *rest)
{
	struct span host;
	size_t n = 0;

	if (rest->n > 0 && rest->p[0] == '[') {
		for (n = 1; n < rest->n && (is_hex(rest->p[n]) ||
		    rest->p[n] == ':' || rest->p[n] == '.'); n++)
			;
		if (n == 1 || n == rest->n || rest->p[n] != ']')
			return SPAN_EMPTY;
		n++;
	} else
		while (n < rest->n && is_host(rest->p[n]))
			n++;
	host = span_head(*rest, n);
	*rest = span_tail(*rest, n);
	return host;
}

/* [ ":" port ] and then nothing, parameters or headers. */
static bool
is_after_host(struct span rest)
{
	size_t n = 0;

	if (rest.n > 0 && rest.p[0] == ':') {
		for (n = 1; n < rest.n && rest.p[n] >= '0' &&
		    rest.p[n] <= '9'; n++)
			;
		if (n == 1)
			return false;
	}
	return n == rest.n || rest.p[n] == ';' || rest.p[n] == '?';
}

int
sip_uri_parse(struct span uri, struct span *user, struct span *host)
{
	struct span scheme = span_head(uri, span_find(uri, ':'));
	struct span rest = span_tail(uri, scheme.n + 1);
	size_t at;

	*user = *host = SPAN_EMPTY;
	if (scheme.n == uri.n || scheme.n == 0)
		return -ERR_FORMAT;
	if (!span_equal_nocase(scheme, SPAN_LIT("sip")) &&
	    !span_equal_nocase(scheme, SPAN_LIT("sips")))
		return -ERR_UNSUPPORTED;
	if (!is_uri_text(rest))
		return -ERR_FORMAT;

	/* userinfo = user [ ":" password ] "@": user may hold ";" and "?" */
	at = span_find(rest, '@');
	if (at < rest.n) {
		struct span info = span_head(rest, at);

		rest = span_tail(rest, at + 1);
		*user = span_head(info, span_find(info, ':'));
		if (user->n == 0 || span_find(rest, '@') != rest.n)
			goto format;
	}
	*host = take_host(&rest);
	if (host->n > 0 && is_after_host(rest))
		return 0;
format:
	*user = *host = SPAN_EMPTY;
	return -ERR_FORMAT;
}
