/*
 * A SIP request as far as its authentication needs it: RFC 3261 7 and 25.1,
 * held against the messages of RFC 4475. Total over any octets, one pass,
 * nothing allocated: each line is looked at a fixed number of times, and the
 * fields are bounded before they are kept.
 *
 * Whoever decides here must have read the same request as the proxy that
 * asks: what two readers could take apart differently (a field said twice, a
 * bare CR, NUL, a comma between two From) is refused, never guessed.
 */

#include "core/sip_message.h"

#include "core/err.h"
#include "core/sip_lex.h"

enum field {
	FIELD_FROM = 0,
	FIELD_TO,
	FIELD_CALL_ID,
	FIELD_CSEQ,
	FIELD_ONCE_COUNT,	/* those before: exactly once */
	FIELD_EFFECT = FIELD_ONCE_COUNT,
	FIELD_CREDENTIALS,
	FIELD_OTHER
};

/*
 * Takes one line without its end (CRLF, or LF alone). -ERR_FORMAT if it has
 * no end or contains NUL or a CR elsewhere.
 */
static int
take_line(struct span *rest, struct span *line)
{
	size_t end = span_find(*rest, '\n');

	*line = span_head(*rest, end);
	if (end == rest->n)
		return -ERR_FORMAT;
	*rest = span_tail(*rest, end + 1);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return span_find(*line, '\r') == line->n &&
	    span_find(*line, '\0') == line->n ? 0 : -ERR_FORMAT;
}

static bool
is_folded(struct span rest)
{
	return rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

/* A header field with its folded lines; empty: the header ends here. */
static int
take_field(struct span *rest, struct span *field)
{
	struct span more;
	int rc = take_line(rest, field);

	while (rc == 0 && field->n > 0 && is_folded(*rest)) {
		rc = take_line(rest, &more);
		field->n = (size_t)(more.p - field->p) + more.n;
	}
	return rc;
}

/* Request-Line = Method SP Request-URI SP SIP-Version CRLF; exactly one SP. */
static int
parse_request_line(struct span line, struct sip_message *out)
{
	out->method = sip_take_token(&line);
	if (out->method.n == 0 || line.n == 0 || line.p[0] != ' ')
		return -ERR_FORMAT;
	line = span_tail(line, 1);
	out->uri = span_head(line, span_find(line, ' '));
	line = span_tail(line, out->uri.n + 1);
	/* RFC 4475 3.1.2.7: no "<" ">" around it. */
	if (out->uri.n == 0 || span_find(out->uri, '<') != out->uri.n)
		return -ERR_FORMAT;
	for (size_t i = 0; i < out->uri.n; i++)
		if (out->uri.p[i] < ' ' || out->uri.p[i] == 0x7f)
			return -ERR_FORMAT;
	return span_equal_nocase(line, SPAN_LIT("SIP/2.0")) ? 0 : -ERR_FORMAT;
}

/*
 * generic-param = token [ EQUAL ( token / host / quoted-string ) ], the ";"
 * before it taken already. ";;" gives an empty name, which is let pass.
 */
static int
take_parameter(struct span *rest, struct span *name, struct span *value)
{
	*value = SPAN_EMPTY;
	sip_take_blanks(rest);
	*name = sip_take_token(rest);
	sip_take_blanks(rest);
	if (rest->n == 0 || rest->p[0] != '=')
		return 0;
	*rest = span_tail(*rest, 1);
	sip_take_blanks(rest);
	if (name->n == 0)
		return -ERR_FORMAT;
	if (rest->n > 0 && rest->p[0] == '"') {
		/* A tag in quotes is none that others would see. */
		return sip_take_quoted(rest, value) &&
		    !span_equal_nocase(*name, SPAN_LIT("tag")) ?
		    0 : -ERR_FORMAT;
	}
	*value = sip_take_word(rest);
	return 0;
}

/* What follows the address: *( SEMI generic-param ), "tag" once at most. */
static int
parse_parameters(struct span rest, struct span *tag)
{
	struct span name, value;
	bool seen = false;

	for (sip_take_blanks(&rest); rest.n > 0; sip_take_blanks(&rest)) {
		if (rest.p[0] != ';')
			return -ERR_FORMAT;
		rest = span_tail(rest, 1);
		if (take_parameter(&rest, &name, &value) != 0)
			return -ERR_FORMAT;
		if (!span_equal_nocase(name, SPAN_LIT("tag")))
			continue;
		if (seen)
			return -ERR_FORMAT;
		seen = true;
		*tag = value;
	}
	return 0;
}

/* No blank, no fold, none of the characters that enclose a URI. */
static bool
is_addr_spec(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '<' ||
		    s.p[i] == '>' || s.p[i] == '"')
			return false;
	return s.n > 0;
}

/*
 * ( name-addr / addr-spec ) *( SEMI param ), RFC 3261 20.10: without "<" all
 * that follows ";" belongs to the field and not to the URI. A comma outside
 * quotes and "<>" would begin a second address: refused (RFC 4475 3.1.2.15,
 * 3.3.8).
 */
static int
parse_party(struct span value, struct sip_party *party)
{
	struct span rest = value, inner;

	party->value = value;
	while (rest.n > 0 && rest.p[0] != '<' && rest.p[0] != ';') {
		if (rest.p[0] == ',' || rest.p[0] == '>')
			return -ERR_FORMAT;
		if (rest.p[0] != '"')
			rest = span_tail(rest, 1);
		else if (!sip_take_quoted(&rest, &inner))
			return -ERR_FORMAT;
	}
	if (rest.n > 0 && rest.p[0] == '<') {
		rest = span_tail(rest, 1);
		party->uri = span_head(rest, span_find(rest, '>'));
		if (party->uri.n == rest.n)
			return -ERR_FORMAT;
		rest = span_tail(rest, party->uri.n + 1);
	} else
		party->uri = span_trim(span_head(value, value.n - rest.n));
	if (!is_addr_spec(party->uri))
		return -ERR_FORMAT;
	return parse_parameters(rest, &party->tag);
}

/* CSeq = 1*DIGIT LWS Method */
static int
parse_cseq(struct span value, struct sip_message *out)
{
	uint64_t number = 0;
	size_t n = 0;

	for (; n < value.n && value.p[n] >= '0' && value.p[n] <= '9'; n++) {
		number = number * 10 + (uint64_t)(value.p[n] - '0');
		if (number > UINT32_MAX)
			return -ERR_FORMAT;
	}
	if (n == 0 || n == value.n || !sip_is_blank(value.p[n]))
		return -ERR_FORMAT;
	out->cseq = (uint32_t)number;
	return span_equal(span_trim(span_tail(value, n)), out->method) ?
	    0 : -ERR_FORMAT;
}

static int
parse_call_id(struct span value, struct sip_message *out)
{
	out->call_id = value;
	for (size_t i = 0; i < value.n; i++)
		if (sip_is_blank(value.p[i]))
			return -ERR_FORMAT;
	return value.n > 0 ? 0 : -ERR_FORMAT;
}

struct name {
	struct span	full;
	uint8_t		compact;	/* 0: none */
};

#define NAME(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }

static const struct name once[FIELD_ONCE_COUNT] = {
	[FIELD_FROM] = { NAME("From"), 'f' },
	[FIELD_TO] = { NAME("To"), 't' },
	[FIELD_CALL_ID] = { NAME("Call-ID"), 'i' },
	[FIELD_CSEQ] = { NAME("CSeq"), 0 }
};

/*
 * NB: whoever repeats a request with one of these changed gets something else
 * for the same credentials: calls to somewhere else (Contact, Path), a binding
 * or subscription taken away (Expires), a transfer to somebody else (Refer-To,
 * Referred-By), another's call taken over or heard (Replaces, Join), other
 * news (Event), another name shown (P-Preferred-Identity). All are written by
 * the phone, which sends them alike when it answers one more challenge of a
 * chain. What proxies on the way write (Via, Record-Route, Max-Forwards) may
 * differ then, and is not here.
 */
static const struct name effects[SIP_EFFECT_COUNT] = {
	[SIP_CONTACT] = { NAME("Contact"), 'm' },
	[SIP_PATH] = { NAME("Path"), 0 },			/* RFC 3327 */
	[SIP_EXPIRES] = { NAME("Expires"), 0 },
	[SIP_REFER_TO] = { NAME("Refer-To"), 'r' },		/* RFC 3515 */
	[SIP_REFERRED_BY] = { NAME("Referred-By"), 'b' },	/* RFC 3892 */
	[SIP_REPLACES] = { NAME("Replaces"), 0 },		/* RFC 3891 */
	[SIP_JOIN] = { NAME("Join"), 0 },			/* RFC 3911 */
	[SIP_EVENT] = { NAME("Event"), 'o' },			/* RFC 6665 */
	[SIP_PREFERRED_IDENTITY] =
	    { NAME("P-Preferred-Identity"), 0 }			/* RFC 3325 */
};

#undef NAME

/* Its place among names, or count. */
static size_t
find_name(struct span name, const struct name *names, size_t count)
{
	size_t i = 0;

	while (i < count && !(name.n == 1 ?
	    ascii_lower(name.p[0]) == names[i].compact :
	    span_equal_nocase(name, names[i].full)))
		i++;
	return i;
}

/* RFC 3261 7.3.3, 20: no field of authentication has a compact form. */
static enum field
find_field(struct span name, enum sip_role role, enum sip_effect *effect)
{
	struct span credentials = role == SIP_REGISTRAR ?
	    SPAN_LIT("Authorization") : SPAN_LIT("Proxy-Authorization");
	size_t i = find_name(name, once, FIELD_ONCE_COUNT);

	if (i < FIELD_ONCE_COUNT)
		return (enum field)i;
	*effect = (enum sip_effect)find_name(name, effects, SIP_EFFECT_COUNT);
	if (*effect < SIP_EFFECT_COUNT)
		return FIELD_EFFECT;
	return span_equal_nocase(name, credentials) ?
	    FIELD_CREDENTIALS : FIELD_OTHER;
}

/* field-name *( SP / HTAB ) ":" ; any visible characters make a name. */
static int
split_field(struct span field, struct span *name, struct span *value)
{
	size_t colon = span_find(field, ':');

	*name = span_head(field, colon);
	*value = span_trim(span_tail(field, colon + 1));
	if (colon == field.n)
		return -ERR_FORMAT;
	while (name->n > 0 && (name->p[name->n - 1] == ' ' ||
	    name->p[name->n - 1] == '\t'))
		name->n--;
	for (size_t i = 0; i < name->n; i++)
		if (name->p[i] <= ' ' || name->p[i] == 0x7f)
			return -ERR_FORMAT;
	return name->n > 0 ? 0 : -ERR_FORMAT;
}

static int
read_field(enum field field, enum sip_effect effect, struct span value,
    struct sip_message *out)
{
	switch (field) {
	case FIELD_FROM:
		return parse_party(value, &out->from);
	case FIELD_TO:
		return parse_party(value, &out->to);
	case FIELD_CALL_ID:
		return parse_call_id(value, out);
	case FIELD_CSEQ:
		return parse_cseq(value, out);
	case FIELD_EFFECT:
		if (out->effect_count == SIP_EFFECTS_MAX)
			return -ERR_TOO_LONG;
		out->effects[out->effect_count].name = effect;
		out->effects[out->effect_count++].value = value;
		return 0;
	case FIELD_CREDENTIALS:
		if (out->row_count == SIP_ROWS_MAX)
			return -ERR_TOO_LONG;
		out->rows[out->row_count++] = value;
		return 0;
	case FIELD_OTHER:
		return 0;
	}
	return -ERR_FORMAT;
}

/* Up to the blank line and past it. */
static int
parse_header(struct span *rest, enum sip_role role, struct sip_message *out)
{
	bool seen[FIELD_ONCE_COUNT] = { false };
	struct span line, name, value;
	size_t count = 0;
	int rc;

	while ((rc = take_field(rest, &line)) == 0 && line.n > 0) {
		enum sip_effect effect = SIP_EFFECT_COUNT;
		enum field field;

		if (++count > SIP_FIELDS_MAX)
			return -ERR_TOO_LONG;
		rc = split_field(line, &name, &value);
		if (rc != 0)
			return rc;
		field = find_field(name, role, &effect);
		if (field < FIELD_ONCE_COUNT) {
			if (seen[field])
				return -ERR_FORMAT;
			seen[field] = true;
		}
		rc = read_field(field, effect, value, out);
		if (rc != 0)
			return rc;
	}
	for (size_t i = 0; rc == 0 && i < FIELD_ONCE_COUNT; i++)
		if (!seen[i])
			rc = -ERR_FORMAT;
	return rc;
}

int
sip_message_parse(struct span in, enum sip_role role, struct sip_message *out)
{
	struct span line = SPAN_EMPTY;
	int rc = in.n > SIP_MESSAGE_MAX ? -ERR_TOO_LONG : 0;

	*out = (struct sip_message){ 0 };
	/* RFC 3261 7.5: empty lines before the request mean nothing. */
	while (rc == 0 && line.n == 0)
		rc = take_line(&in, &line);
	if (rc == 0)
		rc = parse_request_line(line, out);
	if (rc == 0)
		rc = parse_header(&in, role, out);
	if (rc == 0)
		out->body = in;
	else
		*out = (struct sip_message){ 0 };
	return rc;
}
