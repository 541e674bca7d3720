/*
 * /healthz and /metrics, for whoever watches the daemon: no token, no names.
 * And the answer to everything that is neither that nor under /v1.
 */

#include "doors/http_watch.h"

#include <microhttpd.h>
#include <stdlib.h>

#define PLAIN_TEXT	"text/plain; charset=utf-8"
#define METRICS_TYPE	"text/plain; version=0.0.4; charset=utf-8"

static void
answer_health(const struct http_watch *watch,
    const struct door_context *context, struct http_answer *answer)
{
	if (watch->draining)
		http_answer_text(answer, MHD_HTTP_SERVICE_UNAVAILABLE,
		    PLAIN_TEXT, SPAN_LIT("stopping\n"));
	else if (!auth_ready(context->auth))
		http_answer_text(answer, MHD_HTTP_SERVICE_UNAVAILABLE,
		    PLAIN_TEXT, SPAN_LIT("unavailable\n"));
	else
		http_answer_text(answer, MHD_HTTP_OK, PLAIN_TEXT,
		    SPAN_LIT("ok\n"));
}

static void
answer_metrics(const struct http_watch *watch,
    const struct door_context *context, struct http_answer *answer)
{
	const size_t cap = AUTH_METRICS_MAX + HTTP_METRICS_MAX;
	/* Untouched pages of it cost nothing. */
	char *text = malloc(cap);
	struct wbuf wb;

	wbuf_init(&wb, text, text != NULL ? AUTH_METRICS_MAX : 0);
	auth_metrics(context->auth, &wb);
	wb.cap = text != NULL ? cap : 0;
	http_counts_write(watch->counts, &wb);
	if (wb.failed)
		http_answer_error(answer, 500, "no answer could be made");
	else
		http_answer_text(answer, MHD_HTTP_OK, METRICS_TYPE,
		    wbuf_written(&wb));
	free(text);
}

bool
http_watch_answer(const struct http_watch *watch, struct http_exchange *x)
{
	struct span path = span_mem(x->uri, x->uri_n);
	bool health, metrics;

	path = span_head(path, span_find(path, '?'));
	health = span_equal(path, SPAN_LIT("/healthz"));
	metrics = span_equal(path, SPAN_LIT("/metrics"));
	if (span_equal(span_head(path, 4), SPAN_LIT("/v1/")))
		return false;
	if (!health && !metrics)
		http_answer_error(&x->answer, MHD_HTTP_NOT_FOUND,
		    "there is nothing under this path");
	else if ((x->method & (HTTP_GET | HTTP_HEAD)) == 0) {
		http_answer_error(&x->answer, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "this path takes GET and HEAD only");
		x->answer.methods = HTTP_GET | HTTP_HEAD;
	} else if (health)
		answer_health(watch, x->context, &x->answer);
	else
		answer_metrics(watch, x->context, &x->answer);
	return true;
}
