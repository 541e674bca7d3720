/*
 * POST /v1/password: is this the account's password.
 *
 * The body is one flat object of strings. A key that we do not know is
 * refused, not skipped: who writes "passwd" shall not wonder.
 */

#include "doors/http_password.h"

#include "doors/http_exchange.h"
#include "doors/http_json.h"
#include "doors/listener.h"

#define BODY_MAX	8192

void
http_password_clear(struct http_password_request *request)
{
	json_decref(request->json);
	*request = (struct http_password_request){ 0 };
}

static const char *
read_fields(struct http_password_request *out)
{
	struct {
		const char	*key;
		size_t		 max;
		struct span	*value;
	} fields[] = {
		{ "user", HTTP_USER_MAX, &out->user },
		{ "password", HTTP_PASSWORD_MAX, &out->password },
		{ "service", HTTP_SERVICE_MAX, &out->service },
		{ "source", HTTP_SOURCE_FIELD_MAX, &out->source }
	};
	size_t known = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (http_json_string(out->json, fields[i].key, fields[i].max,
		    fields[i].value) != 0)
			return "a value is not a string, or too long";
		known += fields[i].value->p != NULL;
	}
	if (known != json_object_size(out->json))
		return "the keys are user, password, service and source";
	if (out->user.n == 0 || out->password.p == NULL)
		return "user and password are needed";
	return NULL;
}

const char *
http_password_parse(struct span body, struct http_password_request *out)
{
	const char *wrong;

	*out = (struct http_password_request){ 0 };
	out->json = http_json_parse(body);
	if (out->json == NULL)
		return "the body must be one JSON object, each key once";
	wrong = read_fields(out);
	if (wrong != NULL)
		http_password_clear(out);
	return wrong;
}

static void
on_decided(const struct auth_reply *reply, void *arg)
{
	struct http_exchange *x = arg;
	bool away = reply->verdict == VERDICT_UNAVAILABLE;

	http_answer_json(&x->answer, away ? 503 : 200, json_pack("{s:s,s:s}",
	    "verdict", verdict_str(reply->verdict),
	    "reason", reason_str(sip_reason_told(reply->reason))));
	if (away)
		x->answer.retry_after = http_answer_patience(
		    reply->retry_after);
	http_exchange_ready(x);
}

/*
 * The domain that is asked for: the user's own, or the only one of the
 * client. False: answered.
 */
static bool
find_domain(struct http_exchange *x, struct span user, struct span *out)
{
	const struct domain_list *domains = &x->client->domains;
	size_t at = span_rfind(user, '@');

	if (at < user.n)
		*out = span_tail(user, at + 1);
	else if (domains->count == 1)
		*out = span_str(domains->names[0]);
	else {
		http_exchange_error(x, 400, "user must be user@domain: this "
		    "client has not just one domain");
		return false;
	}
	return http_exchange_domain(x, *out);
}

static void
start(struct http_exchange *x)
{
	struct http_password_request request;
	struct auth_request asked = {
		.kind = AUTH_PASSWORD, .door = "http",
		.domains = &x->client->domains
	};
	const char *wrong = http_password_parse(http_exchange_text(x),
	    &request);

	http_exchange_wipe(x);
	if (wrong != NULL)
		http_exchange_error(x, 400, wrong);
	else if (x->target.query.count > 0)
		http_exchange_error(x, 400, "this path takes no query");
	else if (find_domain(x, request.user, &asked.domain)) {
		asked.name = request.user;
		asked.password = request.password;
		asked.service = request.service;
		asked.source = request.source;
		x->auth = auth_submit(x->context->auth, &asked, on_decided,
		    x);
	}
	http_password_clear(&request);
}

const struct http_resource http_password = {
	.path = "/v1/password",
	.methods = HTTP_POST,
	.right = RIGHT_CHECK,
	.body_max = BODY_MAX,
	.type = "application/json",
	.start = start
};
