/*
 * Digest attributes of an Access-Request, pure: RFC 5090 (103..115) and
 * draft-sterman-aaa-sip-00 (206, and 207 as a list of sub-attributes), which
 * is what Kamailio and OpenSIPS send with their stock dictionaries.
 *
 * Clients strip the outer quotes and leave the escapes to us (RFC 5090 3,
 * STANDARDS 5.1). Nothing may be said twice: "the last one wins" would let a
 * proxy check one name and us another.
 */

#include "doors/radius_digest.h"

#include "core/err.h"
#include "core/rbuf.h"
#include "core/secret.h"
#include "core/wbuf.h"

#define RFC5090_FIRST		103
#define STERMAN_RESPONSE	206
#define STERMAN_ATTRIBUTES	207
#define SUB_HEADER_SIZE		2

/* In the order of draft-sterman's sub-attributes; it has no 0. */
enum field {
	FIELD_RESPONSE = 0,
	FIELD_REALM,
	FIELD_NONCE,
	FIELD_METHOD,
	FIELD_URI,
	FIELD_QOP,
	FIELD_ALGORITHM,
	FIELD_BODY,
	FIELD_CNONCE,
	FIELD_NC,
	FIELD_USERNAME,
	FIELD_COUNT
};

struct fields {
	bool		any;
	bool		present[FIELD_COUNT];
	struct span	value[FIELD_COUNT];
};

/* The field of an attribute of RFC 5090; FIELD_COUNT: of none. */
static enum field
rfc5090_field(uint8_t type)
{
	static const enum field known[] = {
		FIELD_RESPONSE, FIELD_REALM, FIELD_NONCE,
		FIELD_COUNT, FIELD_COUNT,	/* 106, 107 go in replies */
		FIELD_METHOD, FIELD_URI, FIELD_QOP, FIELD_ALGORITHM,
		FIELD_BODY, FIELD_CNONCE, FIELD_NC, FIELD_USERNAME
	};
	const size_t count = sizeof(known) / sizeof(known[0]);

	return type >= RFC5090_FIRST && type < RFC5090_FIRST + count ?
	    known[type - RFC5090_FIRST] : FIELD_COUNT;
}

static int
fields_set(struct fields *fields, enum field field, struct span value)
{
	fields->any = true;
	if (fields->present[field])
		return -ERR_FORMAT;
	if (span_find(value, '\0') != value.n)
		return -ERR_CHARACTER;
	fields->present[field] = true;
	fields->value[field] = value;
	return 0;
}

/* Sub-attribute = Type Length Value; types that we do not know are skipped. */
static int
read_sub_attributes(struct span list, struct fields *fields)
{
	struct rbuf rb;
	int rc = 0;

	rbuf_init(&rb, list.p, list.n);
	while (rc == 0 && !rb.failed && rb.left > 0) {
		uint8_t type = rbuf_u8(&rb);
		size_t n = rbuf_u8(&rb);
		struct span value;

		if (n < SUB_HEADER_SIZE)
			return -ERR_FORMAT;
		value = rbuf_bytes(&rb, n - SUB_HEADER_SIZE);
		if (!rb.failed && type > FIELD_RESPONSE && type < FIELD_COUNT)
			rc = fields_set(fields, (enum field)type, value);
	}
	if (rc == 0 && rb.failed)
		rc = -ERR_FORMAT;
	return rc;
}

/*
 * Both encodings. All values of 207, joined in text, are one list of
 * sub-attributes.
 */
static int
read_attributes(const struct radius_packet *packet, struct wbuf *text,
    struct fields *rfc5090, struct fields *sterman)
{
	struct radius_attribute attribute;
	struct span list = packet->attributes;
	int rc = 0;

	while (rc == 0 && radius_attribute_next(&list, &attribute)) {
		enum field field = rfc5090_field(attribute.type);

		if (field != FIELD_COUNT)
			rc = fields_set(rfc5090, field, attribute.value);
		else if (attribute.type == STERMAN_RESPONSE)
			rc = fields_set(sterman, FIELD_RESPONSE,
			    attribute.value);
		else if (attribute.type == STERMAN_ATTRIBUTES) {
			sterman->any = true;
			wbuf_span(text, attribute.value);
		}
	}
	if (rc == 0 && text->failed)
		rc = -ERR_FORMAT;
	if (rc == 0)
		rc = read_sub_attributes(wbuf_written(text), sterman);
	return rc;
}

static bool
fields_equal(const struct fields *a, const struct fields *b)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (a->present[i] != b->present[i] ||
		    !secret_equal_span(a->value[i], b->value[i]))
			return false;
	return true;
}

/* Without the backslash before '"' and '\'; in text if that changes it. */
static struct span
unescape(struct span in, struct wbuf *text)
{
	size_t start = text->n;

	if (span_find(in, '\\') == in.n)
		return in;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\\' && i + 1 < in.n &&
		    (in.p[i + 1] == '"' || in.p[i + 1] == '\\'))
			i++;
		wbuf_u8(text, in.p[i]);
	}
	return span_tail(wbuf_written(text), start);
}

/* qop="auth" and nc="00000001" keep their quotes in some clients. */
static struct span
unquote(struct span in)
{
	if (in.n >= 2 && in.p[0] == '"' && in.p[in.n - 1] == '"')
		return span_head(span_tail(in, 1), in.n - 2);
	return in;
}

int
radius_digest_parse(const struct radius_packet *packet,
    struct radius_digest *out)
{
	struct digest_params *params = &out->params;
	struct fields rfc5090 = { 0 }, sterman = { 0 }, *fields;
	struct wbuf text;
	int rc;

	out->asked = out->rfc5090 = false;
	out->params = (struct digest_params){ 0 };
	out->text_n = 0;
	wbuf_init(&text, out->text, sizeof(out->text));

	rc = read_attributes(packet, &text, &rfc5090, &sterman);
	out->asked = rfc5090.any || sterman.any;
	out->rfc5090 = rfc5090.any;
	if (rc == 0 && rfc5090.any && sterman.any &&
	    !fields_equal(&rfc5090, &sterman))
		rc = -ERR_FORMAT;
	if (rc != 0 || !out->asked)
		return rc;

	fields = rfc5090.any ? &rfc5090 : &sterman;
	params->response = fields->value[FIELD_RESPONSE];
	params->realm = unescape(fields->value[FIELD_REALM], &text);
	params->nonce = unescape(fields->value[FIELD_NONCE], &text);
	params->method = fields->value[FIELD_METHOD];
	params->uri = fields->value[FIELD_URI];
	params->qop = unquote(fields->value[FIELD_QOP]);
	params->body_hash = fields->value[FIELD_BODY];
	params->cnonce = unescape(fields->value[FIELD_CNONCE], &text);
	params->nc = unquote(fields->value[FIELD_NC]);
	params->username = unescape(fields->value[FIELD_USERNAME], &text);
	out->text_n = text.n;
	if (text.failed)
		return -ERR_TOO_LONG;
	if (fields->value[FIELD_ALGORITHM].n > 0)
		return digest_alg_parse(fields->value[FIELD_ALGORITHM],
		    &params->alg, &params->sess);
	return 0;
}
