#ifndef ONECRED_SIP_ANSWER_H
#define ONECRED_SIP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/nonce.h"
#include "core/sip_message.h"
#include "core/wbuf.h"
#include "service/realms.h"
#include "service/sip.h"

/* What the header values of an answer are made with. */
struct sip_answer {
	struct crypto		*crypto;
	const struct nonce_keys	*keys;
	enum sip_role		 role;
	uint64_t		 now_us;
};

/* Leaves in policy the algorithms that the cryptographic library has. */
void	sip_answer_restrict(const struct crypto *crypto,
	    struct realm_policy *policy);

/*
 * Adds a realm's challenges to reply: one for each algorithm, always as many
 * and in the same order, each with a nonce of its own; all stale or none.
 * text has room for CHALLENGE_MAX octets each and outlives reply. 0 or
 * -ERR_CRYPTO; -ERR_TOO_LONG.
 */
int	sip_answer_challenge(const struct sip_answer *answer,
	    const struct realm_policy *policy, bool stale, struct wbuf *text,
	    struct sip_reply *reply) __attribute__((warn_unused_result));

/*
 * Sets reply's Authentication-Info for the row that was verified; next: with
 * a new nonce. Errors as above.
 */
int	sip_answer_info(const struct sip_answer *answer,
	    const struct digest_params *params, struct span rspauth, bool next,
	    struct wbuf *text, struct sip_reply *reply)
	    __attribute__((warn_unused_result));

#endif
