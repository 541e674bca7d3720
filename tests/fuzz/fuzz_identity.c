/*
 * identity_present(), identity_parse() and identity_check_realm(). Input: the
 * domain asked for, a newline, the name. Whatever is accepted can be stored.
 */

#include "core/err.h"
#include "core/identity.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span name = span_mem(data, size);
	struct span domain = fuzz_line(&name);
	struct span local, own;
	struct presented out;
	struct account account;
	int rc;

	(void)identity_check_realm(name);
	rc = identity_present(name, domain, &out);
	local = span_str(out.account.localpart);
	own = span_str(out.account.domain);
	if (rc != 0) {
		FUZZ_MUST(local.n == 0 && own.n == 0 && !out.folded);
	} else {
		FUZZ_MUST(identity_check_localpart(local, IDENTITY_WIDE) == 0);
		FUZZ_MUST(own.n == 0 ? domain.n == 0 && out.form == FORM_LOCAL
		    : identity_check_domain(own) == 0);
		FUZZ_MUST(domain.n == 0 || span_equal_nocase(own, domain));
		FUZZ_MUST(local.n + 1 + own.n <= ACCOUNT_MAX);
	}
	if (identity_parse(name, IDENTITY_WIDE, &account) == 0)
		FUZZ_MUST(identity_present(name, SPAN_EMPTY, &out) == 0 &&
		    out.form == FORM_FULL && !out.folded);
	return 0;
}
