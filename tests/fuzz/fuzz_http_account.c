/*
 * http_account_parse(): name and domain are the tail of the path, and put
 * together again they are the path.
 */

#include "doors/http_account.h"

#include "core/err.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span path = span_mem(data, size), name, domain;
	struct span prefix = SPAN_LIT(HTTP_ACCOUNT_PATH);
	int rc = http_account_parse(path, &name, &domain);

	FUZZ_MUST(rc == 0 || rc == -ERR_FORMAT);
	if (rc != 0) {
		FUZZ_MUST(name.n == 0 && domain.n == 0);
		return 0;
	}
	FUZZ_MUST(span_equal(span_head(path, prefix.n), prefix));
	FUZZ_MUST(span_equal(span_tail(path, prefix.n), name));
	FUZZ_MUST(domain.n > 0 && domain.n < name.n - 1);
	FUZZ_MUST(span_equal(span_tail(name, name.n - domain.n), domain));
	FUZZ_MUST(name.p[name.n - domain.n - 1] == '@');
	FUZZ_MUST(span_find(domain, '@') == domain.n);
	FUZZ_MUST(span_find(name, '/') == name.n);
	return 0;
}
