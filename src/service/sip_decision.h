#ifndef ONECRED_SIP_DECISION_H
#define ONECRED_SIP_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/identity.h"
#include "core/nonce.h"
#include "core/sip_credentials.h"
#include "service/realms.h"
#include "service/replay.h"
#include "service/sip.h"

/*
 * The rules of DESIGN 6 as pure functions over plain data, in the order in
 * which sip.c walks through them:
 *
 *	sip_decision_rows	which rows are ours, may they stand together
 *	sip_decision_pick	which of them is verified
 *	  (the digest is checked: auth)
 *	sip_decision_digest	what its verdict means
 *	  (the window is asked: replay)
 *	sip_decision_nonce	what its answer means
 *	  (identity: sip_identity.h)
 *	sip_decision_removable	what is not for the next hop
 */

/* ACK, CANCEL, PRACK: never challenged, never judged. */
bool	sip_decision_method_is_free(struct span method);

/* 200, 401 or 407, 403, 400, 503. */
unsigned int sip_decision_status(enum sip_verdict verdict,
	    enum sip_role role);

enum sip_next {
	SIP_NEXT_CHALLENGE = 0,	/* nothing that could be verified */
	SIP_NEXT_VERIFY,
	SIP_NEXT_FORBID,
	SIP_NEXT_MALFORMED
};

/* Our rows of one request for one realm. */
struct sip_selection {
	enum sip_next	 next;
	enum reason	 reason;	/* NONE: nothing was presented */
	size_t		 rows[SIP_OURS_MAX];	/* which credentials */
	size_t		 count;
};

/*
 * DESIGN 6.1 and 6.2 but for the order of the rows: those of the policy's
 * realm whose algorithm it offers; the others are as if absent.
 */
void	sip_decision_rows(const struct sip_credentials *all, size_t count,
	    const struct realm_policy *policy, struct sip_selection *out);

/* What is known about the nonce of a row. */
struct sip_nonce {
	enum nonce_origin origin;
	struct nonce	 nonce;
};

/*
 * Which element of selection->rows (next is VERIFY) is verified: the best
 * algorithm, then the newest nonce. nonces: one for each element.
 */
size_t	sip_decision_pick(const struct sip_credentials *all,
	    const struct sip_selection *selection,
	    const struct sip_nonce *nonces);

struct sip_outcome {
	enum sip_verdict verdict;	/* ACCEPT: as far as this step goes */
	enum reason	 reason;
	bool		 stale;		/* of a CHALLENGE */
};

/* What the check of the digest means (DESIGN 6.3). */
struct sip_outcome sip_decision_digest(enum verdict verdict,
	    enum reason reason);

/*
 * What the window's answer means for a row whose digest was right (DESIGN 6.3,
 * 6.4). Stale or replay makes a difference in the log only.
 */
struct sip_outcome sip_decision_nonce(const struct sip_nonce *nonce,
	    enum replay_answer answer, const struct replay_settings *settings,
	    uint64_t now_us);

/*
 * The account a digest username stands for in the policy's domain, folded;
 * false (out zeroed) if it is outside the grammar.
 */
bool	sip_decision_account(struct span username,
	    const struct realm_policy *policy, struct account *out);

/*
 * Writes the header fields that hold nothing but credentials of this realm,
 * highest first, and returns how many they are; fields has room for
 * SIP_ROWS_MAX.
 */
size_t	sip_decision_removable(const struct sip_credentials *all, size_t count,
	    struct span realm, unsigned int *fields);

#endif
