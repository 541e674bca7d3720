/*
 * freeswitch_parse() over the form, and the documents: whatever the names
 * are, the answer has one user, one a1-hash, and nothing of a name opens or
 * closes an element or an attribute.
 */

#include "doors/http_freeswitch.h"

#include "core/err.h"
#include "fuzz.h"

static void
must_be_whole(const struct freeswitch_request *request)
{
	uint8_t text[FREESWITCH_ANSWER_MAX];
	unsigned int angles = 0, quotes = 0;
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	freeswitch_write_user(request->user, request->domain,
	    request->digest.response, &wb);
	if (wb.failed)
		return;
	for (size_t i = 0; i < wb.n; i++) {
		angles += text[i] == '<' || text[i] == '>';
		quotes += text[i] == '"';
	}
	/* Those of the document itself. */
	FUZZ_MUST(angles == 2 * 12 && quotes == 2 * 9);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_form form;
	struct freeswitch_request request;
	uint8_t *text = malloc(size + 1);
	struct wbuf wb;
	int rc;

	FUZZ_MUST(text != NULL);
	wbuf_init(&wb, text, size);
	if (http_form_parse(span_mem(data, size), &wb, &form) == 0) {
		rc = freeswitch_parse(&form, &request);
		FUZZ_MUST(rc == 0 || rc == -ERR_FORMAT);
		FUZZ_MUST(rc == 0 || !request.sip_auth);
		if (request.sip_auth) {
			FUZZ_MUST(request.user.n > 0 && request.domain.n > 0);
			FUZZ_MUST(request.digest.username.n > 0 &&
			    request.digest.realm.n > 0 &&
			    request.digest.nonce.n > 0 &&
			    request.digest.response.n > 0);
			must_be_whole(&request);
		}
	}
	free(text);
	return 0;
}
