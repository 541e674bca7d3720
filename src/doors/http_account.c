/*
 * /v1/account/alice@example.com. HEAD tells whether there is such an account
 * that may log in, by its status alone. PUT sets the password of one that
 * exists (right set) or makes one (right create), DELETE deletes.
 *
 * NB: who may do both says "change":"create" where an account must not exist
 * yet; otherwise a registration could take somebody's account over.
 */

#include "doors/http_account.h"

#include "core/err.h"
#include "doors/http_exchange.h"
#include "doors/http_json.h"
#include "doors/listener.h"

#define BODY_MAX	8192
#define CHANGE_MAX	16	/* octets */

int
http_account_parse(struct span path, struct span *name, struct span *domain)
{
	struct span prefix = SPAN_LIT(HTTP_ACCOUNT_PATH);
	struct span rest = span_tail(path, prefix.n);
	size_t at = span_rfind(rest, '@');

	*name = *domain = SPAN_EMPTY;
	if (!span_equal(span_head(path, prefix.n), prefix) || at == 0 ||
	    at + 1 >= rest.n || span_find(rest, '/') != rest.n)
		return -ERR_FORMAT;
	*name = rest;
	*domain = span_tail(rest, at + 1);
	return 0;
}

void
http_account_clear(struct http_account_put *put)
{
	json_decref(put->json);
	*put = (struct http_account_put){ .json = NULL };
}

static const char *
read_fields(struct http_account_put *out)
{
	struct span change;
	size_t known;

	if (http_json_string(out->json, "password", HTTP_NEW_PASSWORD_MAX,
	    &out->password) != 0 || http_json_string(out->json, "change",
	    CHANGE_MAX, &change) != 0)
		return "a value is not a string, or too long";
	known = (size_t)(out->password.p != NULL) + (change.p != NULL);
	if (known != json_object_size(out->json))
		return "the keys are password and change";
	if (out->password.p == NULL)
		return "password is needed";
	if (change.p == NULL)
		out->change = ACCOUNT_PUT;
	else if (span_equal(change, SPAN_LIT("set")))
		out->change = ACCOUNT_UPDATE;
	else if (span_equal(change, SPAN_LIT("create")))
		out->change = ACCOUNT_CREATE;
	else
		return "change must be set or create";
	return NULL;
}

const char *
http_account_read(struct span body, struct http_account_put *out)
{
	const char *wrong;

	*out = (struct http_account_put){ .json = http_json_parse(body) };
	if (out->json == NULL)
		return "the body must be one JSON object, each key once";
	wrong = read_fields(out);
	if (wrong != NULL)
		http_account_clear(out);
	return wrong;
}

bool
http_account_allow(unsigned int rights, enum account_change *change)
{
	bool set = (rights & RIGHT_SET) != 0;
	bool create = (rights & RIGHT_CREATE) != 0;

	switch (*change) {
	case ACCOUNT_UPDATE:
		return set;
	case ACCOUNT_CREATE:
		return create;
	case ACCOUNT_PUT:
		if (set != create)
			*change = set ? ACCOUNT_UPDATE : ACCOUNT_CREATE;
		return set || create;
	case ACCOUNT_DELETE:
		return (rights & RIGHT_DELETE) != 0;
	}
	return false;
}

static void
on_decided(const struct auth_reply *reply, void *arg)
{
	struct http_exchange *x = arg;

	switch (reply->verdict) {
	case VERDICT_ALLOW:
		http_answer_status(&x->answer, 200);
		break;
	case VERDICT_DENY:
		http_answer_status(&x->answer, 404);
		break;
	case VERDICT_UNAVAILABLE:
		http_answer_status(&x->answer, 503);
		x->answer.retry_after = http_answer_patience(
		    reply->retry_after);
		break;
	}
	http_exchange_ready(x);
}

static void
on_changed(const struct account_reply *reply, void *arg)
{
	static const unsigned int statuses[ACCOUNT_RESULT_COUNT] = {
		[ACCOUNT_UNAVAILABLE] = 503,
		[ACCOUNT_REFUSED] = 422,
		[ACCOUNT_NO_ACCOUNT] = 404,
		[ACCOUNT_EXISTS] = 409,
		[ACCOUNT_FOREIGN] = 403
	};
	struct http_exchange *x = arg;

	if (reply->result == ACCOUNT_DONE)
		http_answer_json(&x->answer, reply->created ? 201 : 200,
		    json_pack("{s:s}", "result",
		    account_result_str(reply->result)));
	else
		http_exchange_error(x, statuses[reply->result],
		    reply->sentence);
	if (reply->result == ACCOUNT_UNAVAILABLE)
		x->answer.retry_after = http_answer_patience(0);
	http_exchange_ready(x);
}

/* The rights of which one is needed. */
static unsigned int
right_of(enum http_method method)
{
	if (method == HTTP_HEAD)
		return RIGHT_EXISTS;
	return method == HTTP_PUT ? RIGHT_SET | RIGHT_CREATE : RIGHT_DELETE;
}

static void
ask_exists(struct http_exchange *x, struct span name, struct span domain)
{
	const struct auth_request asked = {
		.kind = AUTH_EXISTS,
		.door = "http",
		.name = name,
		.domain = domain,
		.domains = &x->client->domains
	};

	x->auth = auth_submit(x->context->auth, &asked, on_decided, x);
}

static void
ask_change(struct http_exchange *x, struct span name, struct span domain)
{
	struct http_account_put put = { .change = ACCOUNT_DELETE };
	struct account_request asked = {
		.door = "http",
		.name = name,
		.domain = domain,
		.domains = &x->client->domains
	};
	const char *wrong = NULL;

	if (x->method == HTTP_PUT)
		wrong = http_account_read(http_exchange_text(x), &put);
	http_exchange_wipe(x);
	asked.change = put.change;
	asked.password = put.password;
	if (wrong != NULL)
		http_exchange_error(x, 400, wrong);
	else if (!http_account_allow(x->client->rights, &asked.change))
		http_exchange_error(x, 403, "this client has not the right "
		    "to ask for this");
	else
		x->change = accounts_submit(x->context->accounts, &asked,
		    on_changed, x);
	http_account_clear(&put);
}

static void
start(struct http_exchange *x)
{
	struct span name, domain;

	if ((x->client->rights & right_of(x->method)) == 0)
		http_exchange_error(x, 403, "this client has not the right "
		    "to ask for this");
	else if (x->target.query.count > 0)
		http_exchange_error(x, 400, "this path takes no query");
	else if (http_account_parse(x->target.path, &name, &domain) != 0)
		http_exchange_error(x, 400, "the path must be "
		    "/v1/account/user@domain");
	else if (!http_exchange_domain(x, domain))
		return;
	else if (x->method == HTTP_HEAD)
		ask_exists(x, name, domain);
	else
		ask_change(x, name, domain);
}

const struct http_resource http_account = {
	.path = HTTP_ACCOUNT_PATH,
	.methods = HTTP_HEAD | HTTP_PUT | HTTP_DELETE,
	.body_max = BODY_MAX,
	.type = "application/json",
	.start = start
};
