/*
 * What a request says before its body, pure: the target (RFC 3986 3.3, 3.4;
 * queries and forms as HTML writes them), the few header fields that are
 * looked at (RFC 9110), the bearer token (RFC 6750 2.1).
 *
 * Nothing that may be said once may be said twice: "the first one wins" would
 * let a proxy in front judge one value and us another.
 */

#include "doors/http_request.h"

#include <stdint.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/hex.h"

/* One octet of text, decoded; *at goes behind it. */
static int
take_octet(struct span in, size_t *at, bool plus, uint8_t *out)
{
	uint8_t c = in.p[*at];

	if (c < ' ' || c == 0x7f)
		return -ERR_CHARACTER;
	if (c != '%') {
		*out = c == '+' && plus ? ' ' : c;
		(*at)++;
		return 0;
	}
	if (in.n - *at < 3 ||
	    hex_decode(span_mem(in.p + *at + 1, 2), out, 1) != 0)
		return -ERR_FORMAT;
	*at += 3;
	return *out == '\0' ? -ERR_CHARACTER : 0;
}

static int
decode(struct span in, bool plus, struct wbuf *text, struct span *out)
{
	size_t start = text->n, at = 0;
	uint8_t c = 0;

	while (at < in.n) {
		int rc = take_octet(in, &at, plus, &c);

		if (rc != 0)
			return rc;
		wbuf_u8(text, c);
	}
	*out = span_tail(wbuf_written(text), start);
	return text->failed ? -ERR_TOO_LONG : 0;
}

int
http_form_parse(struct span in, struct wbuf *text, struct http_form *out)
{
	out->count = 0;
	while (in.n > 0 && (in.p[in.n - 1] == '\n' || in.p[in.n - 1] == '\r'))
		in.n--;
	while (in.n > 0) {
		size_t end = span_find(in, '&');
		struct span pair = span_head(in, end);
		size_t equals = span_find(pair, '=');
		struct http_field *field = &out->fields[out->count];
		int rc;

		in = span_tail(in, end + 1);
		if (pair.n == 0)
			continue;
		if (out->count == HTTP_FIELDS_MAX)
			return -ERR_TOO_LONG;
		rc = decode(span_head(pair, equals), true, text,
		    &field->name);
		if (rc == 0)
			rc = decode(span_tail(pair, equals + 1), true, text,
			    &field->value);
		if (rc != 0)
			return rc;
		out->count++;
	}
	return 0;
}

bool
http_form_get(const struct http_form *form, struct span name,
    struct span *value)
{
	bool seen = false;

	*value = SPAN_EMPTY;
	for (size_t i = 0; i < form->count; i++) {
		if (!span_equal(form->fields[i].name, name))
			continue;
		if (seen)
			return false;
		seen = true;
		*value = form->fields[i].value;
	}
	return true;
}

int
http_target_parse(struct span in, struct wbuf *text, struct http_target *out)
{
	size_t mark = span_find(in, '?');
	int rc;

	out->path = SPAN_EMPTY;
	out->query.count = 0;
	if (in.n > HTTP_TARGET_MAX)
		return -ERR_TOO_LONG;
	if (in.n == 0 || in.p[0] != '/')
		return -ERR_FORMAT;
	rc = decode(span_head(in, mark), false, text, &out->path);
	return rc != 0 ? rc : http_form_parse(span_tail(in, mark + 1), text,
	    &out->query);
}

enum http_method
http_method_parse(struct span word)
{
	static const struct {
		const char		*word;
		enum http_method	 method;
	} methods[] = {
		{ "GET", HTTP_GET }, { "HEAD", HTTP_HEAD },
		{ "POST", HTTP_POST }, { "PUT", HTTP_PUT },
		{ "DELETE", HTTP_DELETE }
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (span_equal(span_str(methods[i].word), word))
			return methods[i].method;
	return HTTP_OTHER;
}

/* RFC 9110 5.6.2: token = 1*tchar */
static bool
is_token(struct span s)
{
	static const struct span others = {
		(const uint8_t *)"!#$%&'*+-.^_`|~", 15
	};

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = ascii_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    span_find(others, c) == others.n)
			return false;
	}
	return s.n > 0;
}

/* RFC 9110 5.5: these end a value for some readers, and not for others. */
static bool
is_one_line(struct span s)
{
	return span_find(s, '\0') == s.n && span_find(s, '\r') == s.n &&
	    span_find(s, '\n') == s.n;
}

void
http_headers_add(struct http_headers *headers, struct span name,
    struct span value)
{
	struct {
		const char	*name;
		struct span	*value;
	} known[] = {
		{ "Authorization", &headers->authorization },
		{ "Content-Type", &headers->content_type },
		{ "Content-Length", &headers->content_length },
		{ "Accept", &headers->accept }
	};

	/* RFC 9112 5.1: no blank between the name and the colon either. */
	if (!is_token(name) || !is_one_line(value))
		headers->malformed = true;
	if (span_equal_nocase(name, SPAN_LIT("Transfer-Encoding")))
		headers->chunked = true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!span_equal_nocase(name, span_str(known[i].name)))
			continue;
		/* Accept is a list and may come in pieces. */
		if (known[i].value->p == NULL)
			*known[i].value = value;
		else if (known[i].value != &headers->accept)
			headers->repeated = true;
	}
}

int
http_headers_length(const struct http_headers *headers, size_t *n)
{
	struct span text = span_trim(headers->content_length);
	uint64_t v = 0;

	*n = 0;
	if (headers->content_length.p == NULL)
		return 0;
	if (text.n == 0)
		return -ERR_FORMAT;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -ERR_FORMAT;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
		if (v > UINT32_MAX)
			return -ERR_TOO_LONG;
	}
	*n = (size_t)v;
	return 0;
}

bool
http_media_type(struct span value, struct span type)
{
	return span_equal_nocase(span_trim(span_head(value,
	    span_find(value, ';'))), type);
}

bool
http_accepts_plain(const struct http_headers *headers)
{
	return http_media_type(span_head(headers->accept,
	    span_find(headers->accept, ',')), SPAN_LIT("text/plain"));
}

struct span
http_token(struct span authorization, uint8_t *room)
{
	struct span value = span_trim(authorization);
	size_t blank = span_find(value, ' '), n = 0;
	struct span scheme = span_head(value, blank);
	struct span rest = span_trim(span_tail(value, blank + 1)), both;

	if (span_equal_nocase(scheme, SPAN_LIT("Bearer")))
		return rest;
	if (!span_equal_nocase(scheme, SPAN_LIT("Basic")) ||
	    base64_decode(rest, room, HTTP_TOKEN_ROOM, &n) != 0)
		return SPAN_EMPTY;
	both = span_mem(room, n);
	return span_tail(both, span_find(both, ':') + 1);
}
