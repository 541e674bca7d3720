/*
 * saslprep() and password_check_new(). What was prepared is stable, and a
 * password that passes the policy is what every preparation leaves alone.
 */

#include <string.h>

#include "core/password.h"
#include "core/saslprep.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_mem(data, size);
	struct secret query, stored, again;
	const char *why;

	if (saslprep(in, SASLPREP_QUERY, &query) == 0) {
		FUZZ_MUST(query.n > 0 && query.n <= PASSWORD_MAX);
		FUZZ_MUST(memchr(query.p, 0, query.n) == NULL);
	}
	if (saslprep(in, SASLPREP_STORED, &stored) == 0) {
		FUZZ_MUST(secret_equal_span(secret_span(&query),
		    secret_span(&stored)));
		/* Beyond Unicode 3.2 normalization has no promise. */
		if (saslprep(secret_span(&stored), SASLPREP_STORED, &again) ==
		    0)
			FUZZ_MUST(secret_equal_span(secret_span(&again),
			    secret_span(&stored)));
		secret_free(&again);
	}
	if (password_check_new(in, true, &why) == 0)
		FUZZ_MUST(secret_equal_span(secret_span(&stored), in));
	else
		FUZZ_MUST(why != NULL &&
		    password_check_new(in, false, &why) != 0);
	secret_free(&query);
	secret_free(&stored);
	return 0;
}
