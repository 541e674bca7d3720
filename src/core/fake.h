#ifndef ONECRED_FAKE_H
#define ONECRED_FAKE_H

#include "core/credential.h"

/*
 * Verifiers for somebody who has none (unknown, disabled, or without one for
 * this mechanism), so that the work and the messages are the same. They are
 * deterministic: derived from the seed that the lookup returned for the name,
 * so that every daemon and the plugin show the same salt, today and tomorrow.
 * No password fits them.
 */

/* Salt and keys of mech from the seed; iterations and salt length as drawn. */
int	fake_scram(struct crypto *crypto, const struct credential *credential,
	    enum scram_mech mech, struct scram_verifier *out)
	    __attribute__((warn_unused_result));

/* An HA1 of alg and form, raw. */
int	fake_ha1(struct crypto *crypto, const struct credential *credential,
	    enum digest_alg alg, enum name_form form, uint8_t *out)
	    __attribute__((warn_unused_result));

#endif
