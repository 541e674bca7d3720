#ifndef ONECRED_VERIFIERS_H
#define ONECRED_VERIFIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/credential.h"
#include "core/crypto.h"
#include "core/seal.h"
#include "core/wbuf.h"

/*
 * All verifiers of an account from one plaintext, while it is in hand
 * (DESIGN 2): SCRAM (RFC 5802, 7677; RFC 5803 text) with fresh salts, and for
 * each realm the digest HA1s (RFC 7616 3.4, RFC 8760) in both name forms.
 */
#define VERIFIERS_REALMS_MAX	64	/* realms of one domain */

/* What is to be made; views of the caller's. */
struct verifiers_plan {
	const struct account	*account;
	bool			 scram;		/* all three */
	uint32_t		 iterations;
	bool			 algorithms[DIGEST_ALG_COUNT];
	const struct span	*realms;
	size_t			 realm_count;
	const struct seal_keyring *seal;	/* NULL: plain hex */
};

/*
 * Takes one verifier. name: "scram_sha_256", "ha1_md5", ...; realm empty and
 * form "" with SCRAM, else form "local" or "full". Returns 0 or a negative
 * error, which ends the making.
 */
typedef int verifiers_put(void *arg, const char *name, struct span realm,
	    const char *form, struct span value);

/*
 * Makes them, in a fixed order. password has passed password_check_new(). A
 * primitive that crypto does not have (FIPS) leaves its verifiers out. Slow:
 * not for the event loop. 0, put's error, -ERR_NOMEM, -ERR_CRYPTO or
 * -ERR_TOO_LONG (too many realms, name too long).
 */
int	verifiers_make(struct crypto *crypto,
	    const struct verifiers_plan *plan, struct span password,
	    verifiers_put *put, void *arg)
	    __attribute__((warn_unused_result));

/* Splits realms, one a line, into out. -ERR_TOO_LONG: more than max. */
int	verifiers_realms(struct span lines, struct span *out, size_t max,
	    size_t *count) __attribute__((warn_unused_result));

/* The arrays of onecred.account_set(), in its order; they run in parallel. */
enum verifiers_list {
	VERIFIERS_NAMES = 0,
	VERIFIERS_REALMS,
	VERIFIERS_FORMS,
	VERIFIERS_VALUES,
	VERIFIERS_LISTS
};

/* PostgreSQL array literals, NUL-terminated once ended. Holds secrets. */
struct verifiers_arrays {
	struct wbuf	 lists[VERIFIERS_LISTS];
	size_t		 count;
};

/* 0 or -ERR_NOMEM; verifiers_arrays_wipe() in either case. */
int	verifiers_arrays_init(struct verifiers_arrays *arrays)
	    __attribute__((warn_unused_result));

/* The verifiers_put for arg = struct verifiers_arrays. */
int	verifiers_arrays_put(void *arrays, const char *name,
	    struct span realm, const char *form, struct span value);

/* Ends the literals. -ERR_TOO_LONG if something did not fit. */
int	verifiers_arrays_end(struct verifiers_arrays *arrays)
	    __attribute__((warn_unused_result));

void	verifiers_arrays_wipe(struct verifiers_arrays *arrays);

#endif
