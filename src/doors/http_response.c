/*
 * An answer as libmicrohttpd takes it, with its header fields (RFC 9110). The
 * body is always counted, never sent in chunks.
 */

#include "doors/http_response.h"

#include <microhttpd.h>
#include <stdio.h>

/* The fields that depend on the answer; false without memory. */
static bool
add_fields(const struct http_answer *answer, bool closing,
    struct MHD_Response *response)
{
	char text[64];
	struct wbuf wb;
	bool ok;

	ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
	    "no-store") == MHD_YES;
	if (ok && answer->type != NULL)
		ok = MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CONTENT_TYPE, answer->type) == MHD_YES;
	if (ok && answer->status == MHD_HTTP_UNAUTHORIZED)
		ok = MHD_add_response_header(response,
		    MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer") == MHD_YES;
	if (ok && answer->methods != 0) {
		wbuf_init(&wb, text, sizeof(text));
		http_answer_allow(answer->methods, &wb);
		wbuf_u8(&wb, '\0');
		ok = !wb.failed && MHD_add_response_header(response,
		    MHD_HTTP_HEADER_ALLOW, text) == MHD_YES;
	}
	if (ok && answer->retry_after != 0) {
		(void)snprintf(text, sizeof(text), "%u", answer->retry_after);
		ok = MHD_add_response_header(response,
		    MHD_HTTP_HEADER_RETRY_AFTER, text) == MHD_YES;
	}
	if (ok && closing)
		ok = MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
	return ok;
}

struct MHD_Response *
http_response_new(const struct http_answer *answer, bool closing)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    answer->n, answer->text, MHD_RESPMEM_PERSISTENT);

	if (response != NULL && !add_fields(answer, closing, response)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	return response;
}
