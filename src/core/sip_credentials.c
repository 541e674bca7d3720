/*
 * Digest credentials of Authorization and Proxy-Authorization: RFC 3261 25.1,
 * RFC 7616 3.4, the edge cases of STANDARDS 1.5 and 1.6. Total over any
 * octets and linear: what was read is never gone back to.
 *
 * A row that is not fit to be verified is told apart, never repaired: nothing
 * is said twice ("the last one wins" would let a proxy check one name and us
 * another), a quote that does not close takes all that follows with it. The
 * word Digest begins other credentials only where a parameter would begin,
 * thus never inside quotes.
 */

#include "core/sip_credentials.h"

#include <stdint.h>

#include "core/err.h"
#include "core/sip_lex.h"
#include "core/utf8.h"

#define NC_SIZE		8	/* hex digits, RFC 7616 3.4 */
#define DIGEST_SCHEME	SPAN_LIT("Digest")

enum name {
	NAME_USERNAME = 0,
	NAME_USERNAME_EXT,
	NAME_REALM,
	NAME_NONCE,
	NAME_URI,
	NAME_RESPONSE,
	NAME_ALGORITHM,
	NAME_CNONCE,
	NAME_OPAQUE,
	NAME_QOP,
	NAME_NC,
	NAME_USERHASH,
	NAME_COUNT		/* any other: ignored */
};

/* One set of credentials while it is read. */
struct reading {
	struct wbuf	*text;
	bool		 broken;
	unsigned int	 said[NAME_COUNT];	/* 0, 1 or 2: more than once */
	bool		 readable[NAME_COUNT];
	struct span	 value[NAME_COUNT];
};

/* A "name = value" as it stands there. */
struct parameter {
	struct span	name, value;	/* value without its quotes */
	bool		quoted;
};

static enum name
find_name(struct span name)
{
#define NAME(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }
	static const struct span names[NAME_COUNT] = {
		[NAME_USERNAME] = NAME("username"),
		[NAME_USERNAME_EXT] = NAME("username*"),
		[NAME_REALM] = NAME("realm"),
		[NAME_NONCE] = NAME("nonce"),
		[NAME_URI] = NAME("uri"),
		[NAME_RESPONSE] = NAME("response"),
		[NAME_ALGORITHM] = NAME("algorithm"),
		[NAME_CNONCE] = NAME("cnonce"),
		[NAME_OPAQUE] = NAME("opaque"),
		[NAME_QOP] = NAME("qop"),
		[NAME_NC] = NAME("nc"),
		[NAME_USERHASH] = NAME("userhash")
	};
#undef NAME
	size_t i = 0;

	while (i < NAME_COUNT && !span_equal_nocase(name, names[i]))
		i++;
	return (enum name)i;
}

/* The scheme, unless what looks like it is a parameter of that name. */
static bool
take_scheme(struct span *rest)
{
	struct span after = *rest;

	if (!span_equal_nocase(sip_take_token(&after), DIGEST_SCHEME))
		return false;
	if (after.n > 0 && !sip_is_blank(after.p[0]) && after.p[0] != ',')
		return false;
	sip_take_blanks(&after);
	if (after.n > 0 && after.p[0] == '=')
		return false;
	*rest = after;
	return true;
}

/* COMMA and the empty elements that are let pass; tells if there was one. */
static bool
take_commas(struct span *rest)
{
	bool any = false;

	for (sip_take_blanks(rest); rest->n > 0 && rest->p[0] == ',';
	    sip_take_blanks(rest)) {
		*rest = span_tail(*rest, 1);
		any = true;
	}
	return any;
}

/* Leaves what cannot be read: up to the next comma outside quotes. */
static void
skip_element(struct span *rest)
{
	struct span inner;

	while (rest->n > 0 && rest->p[0] != ',')
		if (rest->p[0] != '"')
			*rest = span_tail(*rest, 1);
		else
			(void)sip_take_quoted(rest, &inner);
}

/* dig-resp = name EQUAL ( token / quoted-string ), then a comma or the end */
static bool
take_parameter(struct span *rest, struct parameter *out)
{
	out->name = sip_take_token(rest);
	sip_take_blanks(rest);
	if (out->name.n == 0 || rest->n == 0 || rest->p[0] != '=')
		return false;
	*rest = span_tail(*rest, 1);
	sip_take_blanks(rest);
	out->quoted = rest->n > 0 && rest->p[0] == '"';
	if (!out->quoted)
		out->value = sip_take_word(rest);
	else if (!sip_take_quoted(rest, &out->value))
		return false;
	sip_take_blanks(rest);
	return rest->n == 0 || rest->p[0] == ',';
}

/* Octets of the fold (CRLF or LF, then blanks) at the front of s; 0: none. */
static size_t
fold_size(struct span s)
{
	size_t line_end, n;

	line_end = s.n > 0 && s.p[0] == '\r' ? 1 : 0;
	if (line_end == s.n || s.p[line_end] != '\n')
		return 0;
	for (n = line_end + 1; n < s.n && (s.p[n] == ' ' || s.p[n] == '\t');
	    n++)
		;
	return n > line_end + 1 ? n : 0;
}

/*
 * The octets that a quoted string or token stands for: without escapes, a
 * fold as one SP, no control characters (STANDARDS 1.6: RFC 7616 hashes what
 * was meant). In text only if that differs from what was sent.
 */
static bool
decode(struct span in, struct wbuf *text, struct span *out)
{
	size_t start = text->n, size;
	bool same = true;

	for (size_t i = 0; i < in.n && same; i++)
		same = in.p[i] != '\\' && in.p[i] != '\r' && in.p[i] != '\n';
	for (size_t i = 0; i < in.n; i += size) {
		uint8_t c = in.p[i];

		size = 1;
		if (c == '\r' || c == '\n') {
			size = fold_size(span_tail(in, i));
			if (size == 0)
				return false;
			c = ' ';
		} else if (c == '\\' && i + 1 < in.n) {
			c = in.p[i + 1];
			size = 2;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
		if (!same)
			wbuf_u8(text, c);
	}
	*out = same ? in : span_tail(wbuf_written(text), start);
	return true;
}

static int
hex_value(uint8_t c)
{
	uint8_t lower = ascii_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* attr-char of RFC 5987 */
static bool
is_attr_char(uint8_t c)
{
	return c == '#' || c == '$' || c == '&' || c == '^' || c == '|' ||
	    (sip_is_token(c) && c != '*' && c != '\'' && c != '%');
}

/* value-chars = *( pct-encoded / attr-char ), and UTF-8 behind it */
static bool
decode_percent(struct span in, struct wbuf *text, struct span *out)
{
	size_t start = text->n;
	struct span left;
	uint32_t c;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '%' && in.n - i > 2 &&
		    hex_value(in.p[i + 1]) >= 0 &&
		    hex_value(in.p[i + 2]) >= 0) {
			wbuf_u8(text, (uint8_t)(hex_value(in.p[i + 1]) * 16 +
			    hex_value(in.p[i + 2])));
			i += 2;
		} else if (is_attr_char(in.p[i]))
			wbuf_u8(text, in.p[i]);
		else
			return false;
	}
	*out = left = span_tail(wbuf_written(text), start);
	while (left.n > 0)
		if (utf8_take(&left, &c) != 0 || c < ' ' || c == 0x7f)
			return false;
	return true;
}

/* ext-value = charset "'" [ language ] "'" value-chars, RFC 5987 3.2 */
static bool
decode_ext(struct span in, struct wbuf *text, struct span *out)
{
	struct span charset = span_head(in, span_find(in, '\''));
	struct span rest = span_tail(in, charset.n + 1);
	size_t language = span_find(rest, '\'');

	return span_equal_nocase(charset, SPAN_LIT("UTF-8")) &&
	    language < rest.n &&
	    decode_percent(span_tail(rest, language + 1), text, out);
}

static bool
decode_value(enum name name, const struct parameter *parameter,
    struct wbuf *text, struct span *out)
{
	if (name == NAME_USERNAME_EXT)
		return !parameter->quoted &&
		    decode_ext(parameter->value, text, out);
	/* An empty token is no value; empty quotes are one. */
	return (parameter->quoted || parameter->value.n > 0) &&
	    decode(parameter->value, text, out);
}

static void
read_parameter(struct reading *reading, const struct parameter *parameter)
{
	enum name name = find_name(parameter->name);

	if (name == NAME_COUNT)
		return;
	if (reading->said[name] > 0) {
		reading->said[name] = 2;
		reading->broken = true;
		return;
	}
	reading->said[name] = 1;
	reading->readable[name] = decode_value(name, parameter, reading->text,
	    &reading->value[name]);
	/*
	 * Some clients leave quotes out. Not the uri's: it may hold commas,
	 * and nobody could tell where it ends.
	 */
	if (!reading->readable[name] ||
	    (name == NAME_URI && !parameter->quoted))
		reading->broken = true;
}

/*
 * The parameters of one set, up to the end or to the next set. True if
 * another one begins at rest, its scheme taken.
 */
static bool
read_set(struct span *rest, struct reading *reading)
{
	struct parameter parameter;

	for (;;) {
		bool comma = take_commas(rest);

		if (rest->n == 0)
			return false;
		if (comma && take_scheme(rest))
			return true;
		if (take_parameter(rest, &parameter))
			read_parameter(reading, &parameter);
		else {
			reading->broken = true;
			skip_element(rest);
		}
	}
}

static bool
is_nc(struct span nc)
{
	for (size_t i = 0; i < nc.n; i++)
		if (hex_value(nc.p[i]) < 0)
			return false;
	return nc.n == NC_SIZE;
}

/* All that digest_response() needs but the method. */
static bool
is_complete(const struct reading *reading, const struct digest_params *params)
{
	return reading->said[NAME_USERNAME] + reading->said[NAME_USERNAME_EXT]
	    == 1 && reading->said[NAME_REALM] == 1 &&
	    reading->said[NAME_NONCE] == 1 && reading->said[NAME_URI] == 1 &&
	    reading->said[NAME_RESPONSE] == 1 &&
	    ((params->qop.n == 0 && !params->sess) ||
	    (params->cnonce.n > 0 && is_nc(params->nc)));
}

/* response="" or nonce="": an IMS client before the first challenge. */
static bool
is_empty(const struct reading *reading)
{
	return (reading->said[NAME_RESPONSE] == 1 &&
	    reading->value[NAME_RESPONSE].n == 0) ||
	    (reading->said[NAME_NONCE] == 1 &&
	    reading->value[NAME_NONCE].n == 0);
}

static void
finish_set(const struct reading *reading, struct sip_credentials *out)
{
	const struct span *value = reading->value;
	struct digest_params *params = &out->params;

	params->username = value[reading->said[NAME_USERNAME_EXT] > 0 ?
	    NAME_USERNAME_EXT : NAME_USERNAME];
	params->realm = value[NAME_REALM];
	params->nonce = value[NAME_NONCE];
	params->uri = value[NAME_URI];
	params->qop = value[NAME_QOP];
	params->nc = value[NAME_NC];
	params->cnonce = value[NAME_CNONCE];
	params->response = value[NAME_RESPONSE];
	if (reading->said[NAME_ALGORITHM] > 0 &&
	    value[NAME_ALGORITHM].n == 0)
		params->alg = DIGEST_NONE;
	else if (digest_alg_parse(value[NAME_ALGORITHM], &params->alg,
	    &params->sess) != 0)
		params->alg = DIGEST_NONE;

	out->has_realm = reading->said[NAME_REALM] == 1 &&
	    reading->readable[NAME_REALM];
	/* RFC 7616 3.4.4: a hashed name is not offered, nor ever looked up. */
	if (reading->broken || (reading->said[NAME_USERNAME] > 0 &&
	    reading->said[NAME_USERNAME_EXT] > 0) ||
	    span_equal_nocase(value[NAME_USERHASH], SPAN_LIT("true")))
		out->kind = SIP_CREDENTIALS_BROKEN;
	else if (is_empty(reading))
		out->kind = SIP_CREDENTIALS_EMPTY;
	else
		out->kind = is_complete(reading, params) ?
		    SIP_CREDENTIALS_DIGEST : SIP_CREDENTIALS_BROKEN;
	/* Nobody shall use half of what could not be read. */
	if (out->kind == SIP_CREDENTIALS_BROKEN)
		*params = (struct digest_params){
			.realm = out->has_realm ? value[NAME_REALM] :
			    SPAN_EMPTY
		};
}

int
sip_credentials_parse(struct span value, unsigned int field,
    struct wbuf *text, struct sip_credentials *rows, size_t max)
{
	struct span rest = span_trim(value);
	bool digest = take_scheme(&rest), more = digest;
	size_t count = 0;

	do {
		struct reading reading = { .text = text };

		if (count == max)
			return -ERR_TOO_LONG;
		rows[count] = (struct sip_credentials){ .field = field };
		/* The grammar of another scheme is its own: all is its. */
		if (digest) {
			more = read_set(&rest, &reading);
			finish_set(&reading, &rows[count]);
		}
		count++;
	} while (more);
	if (text->failed)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < count; i++)
		rows[i].alone = count == 1;
	return (int)count;
}
