/*
 * saslauthd_request_parse(): views stay inside, stand in their order, and
 * with their counts make up the input; what is a request, or can never be
 * one, stays so whatever comes behind it.
 */

#include "doors/saslauthd_request.h"

#include "core/err.h"
#include "fuzz.h"

/* The string at the front of rest, taken the naive way. */
static void
must_stand(struct span *rest, struct span field)
{
	size_t n;

	FUZZ_MUST(rest->n >= 2);
	n = (size_t)rest->p[0] << 8 | rest->p[1];
	FUZZ_MUST(n == field.n && n <= rest->n - 2);
	FUZZ_MUST(field.p == rest->p + 2);
	*rest = span_tail(*rest, 2 + n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_mem(data, size), rest = in;
	struct saslauthd_request r, shorter;
	int rc = saslauthd_request_parse(in, &r), before;

	FUZZ_MUST(rc == 1 || rc == 0 || rc == -ERR_TOO_LONG);
	if (rc == 1) {
		must_stand(&rest, r.login);
		must_stand(&rest, r.password);
		must_stand(&rest, r.service);
		must_stand(&rest, r.realm);
		FUZZ_MUST(r.login.n <= SASLAUTHD_FIELD_MAX);
		FUZZ_MUST(r.service.n <= SASLAUTHD_FIELD_MAX);
		FUZZ_MUST(r.realm.n <= SASLAUTHD_FIELD_MAX);
		FUZZ_MUST(size - rest.n <= SASLAUTHD_REQUEST_MAX);
		if (r.client.n > 0)
			must_stand(&rest, r.client);
	} else {
		FUZZ_MUST(r.login.n + r.password.n + r.service.n +
		    r.realm.n + r.client.n == 0);
		FUZZ_MUST(rc != 0 || size < SASLAUTHD_REQUEST_MAX);
	}
	if (size == 0)
		return 0;
	before = saslauthd_request_parse(span_head(in, size - 1), &shorter);
	FUZZ_MUST(before == 0 || before == rc);
	return 0;
}
