/*
 * http_account_read(): a change with its password or a sentence, never both,
 * and what the rights leave of it.
 */

#include "doors/http_account.h"

#include "doors/http_json.h"
#include "doors/listener.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_account_put put;
	enum account_change change;
	const char *wrong;

	http_json_setup();
	wrong = http_account_read(span_mem(data, size), &put);
	if (wrong != NULL) {
		FUZZ_MUST(put.json == NULL && put.password.n == 0);
		return 0;
	}
	FUZZ_MUST(put.password.p != NULL &&
	    put.password.n <= HTTP_NEW_PASSWORD_MAX &&
	    span_find(put.password, 0) == put.password.n);
	FUZZ_MUST(put.change != ACCOUNT_DELETE);
	for (unsigned int rights = 0; rights < 256; rights++) {
		change = put.change;
		if (!http_account_allow(rights, &change))
			continue;
		/* NB: no change without its right. */
		FUZZ_MUST(change != ACCOUNT_DELETE);
		FUZZ_MUST((rights & RIGHT_SET) != 0 ||
		    change == ACCOUNT_CREATE);
		FUZZ_MUST((rights & RIGHT_CREATE) != 0 ||
		    change == ACCOUNT_UPDATE);
		FUZZ_MUST(put.change == ACCOUNT_PUT || change == put.change);
	}
	http_account_clear(&put);
	return 0;
}
