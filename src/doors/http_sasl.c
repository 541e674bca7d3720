/*
 * POST /v1/sasl: one step of a SASL exchange (RFC 4422) for a service that
 * passes its client's messages on, base64 in JSON. What has to be kept until
 * the next step goes to the service as a sealed state, so nothing is kept
 * here, and no verifier is ever in an answer.
 *
 * NB: a cb_type says that the service offers -PLUS on this connection; a
 * client that believes it does not ("y") is then refused as the victim of a
 * downgrade (RFC 5802 section 6).
 */

#include "doors/http_sasl.h"

#include "core/base64.h"
#include "core/secret.h"
#include "core/wbuf.h"
#include "doors/http_exchange.h"
#include "doors/http_json.h"
#include "doors/listener.h"

#define BODY_MAX	24576
#define USER_MAX	(LOCALPART_MAX + 1 + DOMAIN_MAX + 1)

_Static_assert(BODY_MAX > BASE64_SIZE(SASL_MESSAGE_MAX) +
    BASE64_SIZE(SASL_STATE_MAX) + BASE64_SIZE(HTTP_SASL_CB_DATA_MAX) + 1024,
    "every step fits");

void
http_sasl_clear(struct http_sasl_request *request)
{
	json_decref(request->json);
	secret_wipe(request, sizeof(*request));
}

/* A string of base64 under key, decoded; *n is 0 if there is none. */
static const char *
read_base64(const json_t *json, const char *key, uint8_t *out, size_t cap,
    size_t *n)
{
	struct span text;

	if (http_json_string(json, key, BODY_MAX, &text) != 0 ||
	    base64_decode(text, out, cap, n) != 0)
		return "data, state and cb_data must be base64, and not too "
		    "long";
	return NULL;
}

static const char *
read_fields(struct http_sasl_request *out)
{
	struct span mech;
	struct {
		const char	*key;
		size_t		 max;
		struct span	*value;
	} fields[] = {
		{ "mechanism", HTTP_SASL_CB_TYPE_MAX, &mech },
		{ "domain", HTTP_SASL_DOMAIN_MAX, &out->domain },
		{ "cb_type", HTTP_SASL_CB_TYPE_MAX, &out->cb_type },
		{ "source", HTTP_SASL_SOURCE_MAX, &out->source }
	};
	static const char *const encoded[] = { "data", "state", "cb_data" };
	const char *wrong;
	size_t known = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (http_json_string(out->json, fields[i].key, fields[i].max,
		    fields[i].value) != 0)
			return "a value is not a string, or too long";
		known += fields[i].value->p != NULL;
	}
	for (size_t i = 0; i < sizeof(encoded) / sizeof(encoded[0]); i++)
		known += json_object_get(out->json, encoded[i]) != NULL;
	if (known != json_object_size(out->json))
		return "the keys are mechanism, domain, data, state, cb_type, "
		    "cb_data and source";
	if (out->domain.n == 0)
		return "domain is needed";
	out->mech = sasl_mech_parse(mech);
	if (out->mech == SASL_MECH_NONE)
		return "mechanism is not one that is known here";
	out->has_data = json_object_get(out->json, "data") != NULL;
	wrong = read_base64(out->json, "data", out->data, sizeof(out->data),
	    &out->data_n);
	if (wrong == NULL)
		wrong = read_base64(out->json, "state", out->state,
		    sizeof(out->state), &out->state_n);
	if (wrong == NULL)
		wrong = read_base64(out->json, "cb_data", out->cb_data,
		    sizeof(out->cb_data), &out->cb_data_n);
	return wrong;
}

const char *
http_sasl_parse(struct span body, struct http_sasl_request *out)
{
	const char *wrong;

	secret_wipe(out, sizeof(*out));
	out->json = http_json_parse(body);
	if (out->json == NULL)
		return "the body must be one JSON object, each key once";
	wrong = read_fields(out);
	if (wrong != NULL)
		http_sasl_clear(out);
	return wrong;
}

/* Puts text, as base64, under key. */
static bool
put_base64(json_t *json, const char *key, struct span in)
{
	uint8_t text[BASE64_SIZE(SASL_STATE_MAX)];
	struct wbuf wb;
	bool ok;

	wbuf_init(&wb, text, sizeof(text));
	wbuf_base64(&wb, in);
	ok = !wb.failed && json_object_set_new(json, key,
	    json_stringn((const char *)wb.p, wb.n)) == 0;
	wbuf_wipe(&wb);
	return ok;
}

static bool
put_user(json_t *json, const struct account *account)
{
	uint8_t text[USER_MAX];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	wbuf_str(&wb, account->localpart);
	wbuf_u8(&wb, '@');
	wbuf_str(&wb, account->domain);
	return !wb.failed && json_object_set_new(json, "user",
	    json_stringn((const char *)wb.p, wb.n)) == 0;
}

json_t *
http_sasl_answer(const struct sasl_reply *reply)
{
	static const char *const verdicts[] = {
		[SASL_DENY] = "deny",
		[SASL_ALLOW] = "allow",
		[SASL_CONTINUE] = "continue",
		[SASL_UNAVAILABLE] = "unavailable"
	};
	json_t *json = json_pack("{s:s}", "verdict",
	    verdicts[reply->status]);
	bool ok = json != NULL;

	switch (reply->status) {
	case SASL_CONTINUE:
		ok = ok && put_base64(json, "data", reply->data) &&
		    put_base64(json, "state", reply->state);
		break;
	case SASL_ALLOW:
		/* Without the key: no additional data, not empty ones. */
		ok = ok && (reply->data.n == 0 ||
		    put_base64(json, "data", reply->data)) &&
		    put_user(json, &reply->account);
		break;
	case SASL_DENY:
	case SASL_UNAVAILABLE:
		ok = ok && json_object_set_new(json, "reason",
		    json_string(reason_str(sip_reason_told(
		    reply->reason)))) == 0;
		break;
	}
	if (ok)
		return json;
	json_decref(json);
	return NULL;
}

static void
on_step(const struct sasl_reply *reply, void *arg)
{
	struct http_exchange *x = arg;
	bool away = reply->status == SASL_UNAVAILABLE;

	http_answer_json(&x->answer, away ? 503 : 200,
	    http_sasl_answer(reply));
	if (away)
		x->answer.retry_after = http_answer_patience(0);
	http_exchange_ready(x);
}

static void
submit(struct http_exchange *x, const struct http_sasl_request *request)
{
	const struct sasl_request step = {
		.door = "http",
		.mech = request->mech,
		.domain = request->domain,
		.source = request->source,
		.domains = &x->client->domains,
		.data = span_mem(request->data, request->data_n),
		.has_data = request->has_data,
		.state = span_mem(request->state, request->state_n),
		.plus_offered = request->cb_type.n > 0,
		.cb_type = request->cb_type,
		.cb_data = span_mem(request->cb_data, request->cb_data_n)
	};

	x->sasl = sasl_submit(x->context->sasl, &step, on_step, x);
}

static void
start(struct http_exchange *x)
{
	struct http_sasl_request request;
	const char *wrong = http_sasl_parse(http_exchange_text(x), &request);

	http_exchange_wipe(x);
	if (wrong != NULL)
		http_exchange_error(x, 400, wrong);
	else if (x->target.query.count > 0)
		http_exchange_error(x, 400, "this path takes no query");
	else if (http_exchange_domain(x, request.domain))
		submit(x, &request);
	http_sasl_clear(&request);
}

const struct http_resource http_sasl = {
	.path = "/v1/sasl",
	.methods = HTTP_POST,
	.right = RIGHT_SASL,
	.body_max = BODY_MAX,
	.type = "application/json",
	.start = start
};
