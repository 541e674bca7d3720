/*
 * http_sasl_parse(): a request or a sentence, never both; what is decoded
 * keeps its bounds, and a reply made of it is JSON without what is not for
 * the peer.
 */

#include "doors/http_sasl.h"

#include "doors/http_json.h"
#include "fuzz.h"

/* A denial must not carry what an answer to it could have had. */
static void
must_stay_silent(const struct http_sasl_request *request)
{
	struct sasl_reply reply = {
		.status = SASL_DENY,
		.reason = REASON_UNKNOWN_USER,
		.data = span_mem(request->data, request->data_n),
		.state = span_mem(request->state, request->state_n)
	};
	json_t *json = http_sasl_answer(&reply);

	FUZZ_MUST(json != NULL && json_object_size(json) == 2);
	json_decref(json);
	reply.status = SASL_CONTINUE;
	json = http_sasl_answer(&reply);
	FUZZ_MUST(json != NULL && json_object_size(json) == 3);
	json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_sasl_request request;
	const char *wrong;

	http_json_setup();
	wrong = http_sasl_parse(span_mem(data, size), &request);
	if (wrong != NULL) {
		FUZZ_MUST(request.json == NULL && request.domain.n == 0 &&
		    request.data_n == 0 && request.state_n == 0);
		return 0;
	}
	FUZZ_MUST(request.mech > SASL_MECH_NONE &&
	    request.mech < SASL_MECH_COUNT);
	FUZZ_MUST(request.domain.n > 0 &&
	    request.domain.n <= HTTP_SASL_DOMAIN_MAX);
	FUZZ_MUST(request.source.n <= HTTP_SASL_SOURCE_MAX);
	FUZZ_MUST(request.cb_type.n <= HTTP_SASL_CB_TYPE_MAX);
	FUZZ_MUST(request.data_n <= SASL_MESSAGE_MAX &&
	    request.state_n <= SASL_STATE_MAX &&
	    request.cb_data_n <= HTTP_SASL_CB_DATA_MAX);
	FUZZ_MUST(request.has_data || request.data_n == 0);
	must_stay_silent(&request);
	http_sasl_clear(&request);
	return 0;
}
