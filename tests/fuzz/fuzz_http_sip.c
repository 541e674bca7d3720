/*
 * http_sip_parse() over a query: a request or a sentence; realms are valid
 * and differ. Then a reply made of the same octets: its JSON can be read
 * again, its lines are as many as were said.
 */

#include "doors/http_sip.h"

#include "core/identity.h"
#include "doors/http_json.h"
#include "fuzz.h"

static void
query(struct span in)
{
	static struct http_form form;
	struct http_sip_request request;
	uint8_t *text = malloc(in.n + 1);
	struct wbuf wb;

	FUZZ_MUST(text != NULL);
	wbuf_init(&wb, text, in.n);
	if (http_form_parse(in, &wb, &form) == 0 &&
	    http_sip_parse(&form, &request) == NULL) {
		FUZZ_MUST(request.realm_count >= 1 &&
		    request.realm_count <= SIP_REALMS_MAX);
		for (size_t i = 0; i < request.realm_count; i++) {
			FUZZ_MUST(identity_check_realm(
			    request.realms[i]) == 0);
			for (size_t j = 0; j < i; j++)
				FUZZ_MUST(!span_equal_nocase(
				    request.realms[i], request.realms[j]));
		}
		FUZZ_MUST(request.source.n <= 64);
	}
	free(text);
}

static void
reply(struct span in)
{
	struct sip_reply r = { .verdict = SIP_CHALLENGE, .status = 401,
	    .row = -1, .rows = { 2, 1 }, .row_count = 2 };
	size_t n, cap = in.n + 4096;
	uint8_t *plain = malloc(cap);
	char *text;
	json_t *json;
	struct wbuf wb;

	FUZZ_MUST(plain != NULL);
	r.authentication_info = fuzz_line(&in);
	while (in.n > 0 && r.challenge_count < SIP_CHALLENGES_MAX)
		r.challenges[r.challenge_count++] = fuzz_line(&in);
	wbuf_init(&wb, plain, cap);
	http_sip_plain(&r, &wb);
	FUZZ_MUST(!wb.failed && wb.p[wb.n - 1] == '\n');
	text = http_json_text(http_sip_json(&r), &n);
	if (text != NULL) {
		json = http_json_parse(span_mem(text, n - 1));
		/* A NUL inside is written but never read. */
		FUZZ_MUST(json == NULL || json_array_size(json_object_get(
		    json, "challenges")) == r.challenge_count);
		json_decref(json);
	}
	http_json_free(text);
	free(plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	http_json_setup();
	if (size == 0)
		return 0;
	query(span_mem(data, size));
	reply(span_mem(data, size));
	return 0;
}
