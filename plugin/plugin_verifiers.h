#ifndef ONECRED_PLUGIN_VERIFIERS_H
#define ONECRED_PLUGIN_VERIFIERS_H

#include "core/credential.h"
#include "core/crypto.h"
#include "core/seal.h"
#include "core/wbuf.h"

/* The arrays of onecred.account_set(), in its order. */
enum verifiers_list {
	VERIFIERS_NAMES = 0,
	VERIFIERS_REALMS,
	VERIFIERS_FORMS,
	VERIFIERS_VALUES,
	VERIFIERS_LISTS
};

/* PostgreSQL array literals, NUL-terminated. Holds secrets. */
struct verifiers {
	struct wbuf	 lists[VERIFIERS_LISTS];
	size_t		 count;
};

/*
 * Makes every verifier that the domain's policy asks for out of password,
 * which has passed password_check_new(): SCRAM with fresh salts, HA1 and HA1b
 * for each of realms (one a line). 0, -ERR_KEY (they are to be sealed and
 * ring has no key), -ERR_TOO_LONG (too many realms), -ERR_NOMEM or
 * -ERR_CRYPTO. Slow. The caller wipes verifiers in any case.
 */
int	verifiers_make(struct crypto *crypto,
	    const struct credential *credential, struct span realms,
	    const struct seal_keyring *ring, struct span password,
	    struct verifiers *verifiers) __attribute__((warn_unused_result));
void	verifiers_wipe(struct verifiers *verifiers);

#endif
