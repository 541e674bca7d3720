/*
 * One request to /v1 from its header to its answer: which resource it asks
 * for, whether its token may, how much body is taken. Knows nothing of
 * sockets.
 *
 * NB: the token is judged before anything else under /v1, so that nobody
 * without one learns what there is or makes us keep a body.
 */

#include "doors/http_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/secret.h"
#include "doors/listener.h"

static const struct http_resource *const resources[] = {
	&http_password, &http_account, &http_freeswitch, &http_sasl, &http_sip
};

struct http_exchange *
http_exchange_new(const struct door_context *context, struct span uri)
{
	struct http_exchange *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->context = context;
	x->uri = malloc(uri.n + 1);
	x->text = malloc(uri.n + 1);
	if (x->uri == NULL || x->text == NULL) {
		http_exchange_free(&x);
		return NULL;
	}
	memcpy(x->uri, uri.p, uri.n);
	x->uri_n = uri.n;
	return x;
}

void
http_exchange_wipe(struct http_exchange *x)
{
	secret_wipe(x->body, x->body_cap);
	x->body_n = 0;
}

void
http_exchange_cancel(struct http_exchange *x)
{
	if (x->auth != NULL)
		auth_cancel(x->auth);
	if (x->sip != NULL)
		sip_cancel(x->sip);
	if (x->sasl != NULL)
		sasl_cancel(x->sasl);
	if (x->change != NULL)
		accounts_cancel(x->change);
	x->auth = NULL;
	x->sip = NULL;
	x->sasl = NULL;
	x->change = NULL;
}

void
http_exchange_free(struct http_exchange **exchange)
{
	struct http_exchange *x = *exchange;

	*exchange = NULL;
	if (x == NULL)
		return;
	http_exchange_cancel(x);
	http_exchange_wipe(x);
	http_answer_clear(&x->answer);
	http_clients_unref(&x->clients);
	free(x->state);
	free(x->body);
	free(x->text);
	free(x->uri);
	free(x);
}

void
http_exchange_error(struct http_exchange *x, unsigned int status,
    const char *sentence)
{
	http_answer_error(&x->answer, status, sentence);
}

struct span
http_exchange_text(const struct http_exchange *x)
{
	return span_mem(x->body, x->body_n);
}

void
http_exchange_ready(struct http_exchange *x)
{
	x->auth = NULL;
	x->sip = NULL;
	x->sasl = NULL;
	x->change = NULL;
	x->ready(x->arg);
}

bool
http_exchange_domain(struct http_exchange *x, struct span domain)
{
	if (http_list_covers(&x->client->domains, domain))
		return true;
	http_exchange_error(x, 403, "this client may not ask for this "
	    "domain");
	return false;
}

static const struct http_resource *
find_resource(struct span path)
{
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]);
	    i++) {
		struct span own = span_str(resources[i]->path);
		bool open = own.p[own.n - 1] == '/';

		if (span_equal(span_head(path, own.n), own) &&
		    (open || path.n == own.n))
			return resources[i];
	}
	return NULL;
}

/* Whether the client is known; answered if not. */
static bool
is_known(struct http_exchange *x, const struct http_headers *headers)
{
	uint8_t room[HTTP_TOKEN_ROOM];

	if (http_clients_count(x->clients) == 0) {
		http_exchange_error(x, 403, "there is no [http-client] and "
		    "no [http] token_file: nobody may ask");
		return false;
	}
	x->client = http_clients_find(x->clients, x->context->crypto,
	    http_token(headers->authorization, room));
	secret_wipe(room, sizeof(room));
	if (x->client != NULL)
		return true;
	http_exchange_error(x, 401, "the header field Authorization must be "
	    "\"Bearer\" and the token of a client");
	return false;
}

/* Whether there is such a request, and this client may make it. */
static bool
is_allowed(struct http_exchange *x)
{
	const struct http_resource *r = find_resource(x->target.path);

	if (r == NULL)
		http_exchange_error(x, 404, "there is nothing under this "
		    "path");
	else if ((r->methods & x->method) == 0) {
		http_exchange_error(x, 405, "this path does not take this "
		    "method");
		x->answer.methods = r->methods;
	} else if ((x->client->rights & r->right) != r->right)
		http_exchange_error(x, 403, "this client has not the right "
		    "to ask for this");
	x->resource = r;
	return x->answer.status == 0;
}

/* Whether the body is one that we take. */
static bool
is_taken(struct http_exchange *x, const struct http_headers *headers)
{
	const struct http_resource *r = x->resource;
	bool given = headers->content_length.p != NULL;
	size_t n = 0;
	int rc = http_headers_length(headers, &n);

	if (rc == -ERR_FORMAT)
		http_exchange_error(x, 400, "Content-Length is not a number");
	else if (x->method == HTTP_HEAD && n > 0)
		http_exchange_error(x, 400, "HEAD takes no body");
	else if (headers->chunked || (x->method == HTTP_POST && !given))
		http_exchange_error(x, 411, "Content-Length is needed, "
		    "chunks are not taken");
	else if (rc != 0 || n > r->body_max)
		http_exchange_error(x, 413, "the body is too large");
	else if (n > 0 && r->type != NULL && !http_media_type(
	    headers->content_type, span_str(r->type)))
		http_exchange_error(x, 415, "Content-Type is not the one "
		    "that this path takes");
	if (x->answer.status != 0)
		return false;
	x->body = malloc(n + 1);
	if (x->body == NULL) {
		http_exchange_error(x, 503, "out of memory");
		return false;
	}
	x->body_cap = n;
	return true;
}

bool
http_exchange_begin(struct http_exchange *x,
    const struct http_headers *headers, struct http_clients *clients)
{
	struct wbuf text;
	int rc;

	x->clients = http_clients_ref(clients);
	x->plain = http_accepts_plain(headers);
	wbuf_init(&text, x->text, x->uri_n);
	rc = http_target_parse(span_mem(x->uri, x->uri_n), &text,
	    &x->target);
	if (headers->repeated)
		http_exchange_error(x, 400, "a header field that may come "
		    "once came twice");
	else if (!is_known(x, headers))
		return false;
	else if (rc == -ERR_TOO_LONG)
		http_exchange_error(x, 414, "path and query are too long");
	else if (rc != 0)
		http_exchange_error(x, 400, "path or query cannot be read");
	return x->answer.status == 0 && is_allowed(x) && is_taken(x, headers);
}

void
http_exchange_body(struct http_exchange *x, struct span piece)
{
	/* Not more than Content-Length, says HTTP; not more, say we. */
	if (x->body == NULL || piece.n > x->body_cap - x->body_n)
		return;
	memcpy(x->body + x->body_n, piece.p, piece.n);
	x->body_n += piece.n;
}

bool
http_exchange_end(struct http_exchange *x)
{
	x->resource->start(x);
	http_exchange_wipe(x);
	return x->answer.status != 0;
}
