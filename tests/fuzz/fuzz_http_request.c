/*
 * http_target_parse(), http_form_parse() in place, header fields and tokens:
 * views stay inside, decoding never grows, and what a form says is the same
 * wherever it is decoded. The input is a target, then header fields line by
 * line.
 */

#include "doors/http_request.h"

#include <string.h>

#include "core/err.h"
#include "fuzz.h"

static void
must_lie(struct span view, const void *p, size_t n)
{
	const uint8_t *base = p;

	FUZZ_MUST(view.n == 0 || (view.p >= base &&
	    (size_t)(view.p - base) <= n &&
	    view.n <= n - (size_t)(view.p - base)));
}

static void
forms(struct span in)
{
	static struct http_form apart, here;
	uint8_t *text = malloc(in.n + 1), *place = malloc(in.n + 1);
	struct wbuf wb;
	int rc;

	FUZZ_MUST(text != NULL && place != NULL);
	memcpy(place, in.p, in.n);
	wbuf_init(&wb, text, in.n);
	rc = http_form_parse(in, &wb, &apart);
	FUZZ_MUST(rc == 0 || rc == -ERR_FORMAT || rc == -ERR_CHARACTER ||
	    rc == -ERR_TOO_LONG);
	FUZZ_MUST(apart.count <= HTTP_FIELDS_MAX);
	wbuf_init(&wb, place, in.n);
	FUZZ_MUST(http_form_parse(span_mem(place, in.n), &wb, &here) == rc);
	FUZZ_MUST(here.count == apart.count);
	for (size_t i = 0; i < apart.count; i++) {
		struct span value;

		must_lie(apart.fields[i].name, text, in.n);
		must_lie(apart.fields[i].value, text, in.n);
		FUZZ_MUST(span_equal(apart.fields[i].name,
		    here.fields[i].name));
		FUZZ_MUST(span_equal(apart.fields[i].value,
		    here.fields[i].value));
		FUZZ_MUST(span_find(apart.fields[i].value, 0) ==
		    apart.fields[i].value.n);
		FUZZ_MUST(!http_form_get(&apart, apart.fields[i].name,
		    &value) || span_equal(value, apart.fields[i].value));
	}
	free(text);
	free(place);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_target target;
	struct http_headers headers = { .chunked = false };
	struct span rest = span_mem(data, size), line;
	uint8_t text[HTTP_TARGET_MAX], room[HTTP_TOKEN_ROOM];
	struct span token;
	struct wbuf wb;
	size_t n = 1;
	int rc;

	if (size == 0)
		return 0;
	line = fuzz_line(&rest);
	wbuf_init(&wb, text, line.n < sizeof(text) ? line.n : sizeof(text));
	rc = http_target_parse(line, &wb, &target);
	if (rc == 0) {
		must_lie(target.path, text, line.n);
		FUZZ_MUST(target.path.n > 0 && target.path.p[0] == '/');
	} else
		FUZZ_MUST(rc == -ERR_FORMAT || rc == -ERR_CHARACTER ||
		    rc == -ERR_TOO_LONG);
	forms(line);
	while (rest.n > 0) {
		size_t colon;

		line = fuzz_line(&rest);
		colon = span_find(line, ':');
		http_headers_add(&headers, span_head(line, colon),
		    span_tail(line, colon + 1));
	}
	rc = http_headers_length(&headers, &n);
	FUZZ_MUST(rc == 0 ? n <= UINT32_MAX : n == 0);
	(void)http_accepts_plain(&headers);
	token = http_token(headers.authorization, room);
	FUZZ_MUST(token.n <= headers.authorization.n);
	return 0;
}
