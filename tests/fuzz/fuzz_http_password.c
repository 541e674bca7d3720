/*
 * http_password_parse(): a request or a sentence, never both; what is read
 * keeps its bounds and can be written as JSON again with the same meaning.
 */

#include "doors/http_password.h"

#include "doors/http_json.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_password_request request, again;
	const char *wrong;
	char *text;
	size_t n;

	http_json_setup();
	wrong = http_password_parse(span_mem(data, size), &request);
	if (wrong != NULL) {
		FUZZ_MUST(request.json == NULL && request.user.n == 0 &&
		    request.password.n == 0);
		return 0;
	}
	FUZZ_MUST(request.user.n > 0 && request.user.n <= HTTP_USER_MAX);
	FUZZ_MUST(request.password.n <= HTTP_PASSWORD_MAX);
	FUZZ_MUST(request.service.n <= HTTP_SERVICE_MAX);
	FUZZ_MUST(request.source.n <= HTTP_SOURCE_FIELD_MAX);
	FUZZ_MUST(span_find(request.password, 0) == request.password.n);
	text = http_json_text(json_incref(request.json), &n);
	FUZZ_MUST(text != NULL);
	FUZZ_MUST(http_password_parse(span_mem(text, n), &again) == NULL);
	FUZZ_MUST(span_equal(again.user, request.user));
	FUZZ_MUST(span_equal(again.password, request.password));
	FUZZ_MUST(span_equal(again.service, request.service));
	FUZZ_MUST(span_equal(again.source, request.source));
	http_json_free(text);
	http_password_clear(&again);
	http_password_clear(&request);
	return 0;
}
