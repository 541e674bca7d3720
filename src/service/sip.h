#ifndef ONECRED_SIP_H
#define ONECRED_SIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/nonce.h"
#include "core/sip_message.h"
#include "core/span.h"
#include "core/verdict.h"
#include "service/auth.h"

/*
 * The whole decision about a SIP request (DESIGN 6): which credentials are
 * ours, whether they are right, whether the nonce may be used for this, who
 * the user is, what to challenge with and what to remove. Doors hand the
 * request over as it came and get the answer; nonces and the replay window
 * live here. RADIUS with nonces of ours uses the same ones.
 */
struct event_base;
struct realms;
struct replay;
struct replay_settings;
struct store;
struct sip;
struct sip_ticket;

#define SIP_REALMS_MAX	8	/* realms of one question */
#define SIP_OURS_MAX	4	/* rows of ours in one request */
#define SIP_CHALLENGES_MAX (SIP_REALMS_MAX * (DIGEST_ALG_COUNT - 1))

struct sip_settings {
	struct nonce_keys nonce_keys;	/* copied; node drawn by sip_new() */
	unsigned int	 nonce_lifetime_ms;
	unsigned int	 foreign_window_ms;
};

/* Copied as far as it is needed later. */
struct sip_request {
	const char	*door;		/* static: "http" */
	enum sip_role	 role;
	struct span	 message;	/* the raw request */
	struct span	 source;	/* of the request, or empty */
	struct span	 realms[SIP_REALMS_MAX];	/* the first decides */
	size_t		 realm_count;
	const struct domain_list *domains;	/* NULL: all; outlives it */
};

enum sip_verdict {
	SIP_FORBID = 0,		/* 403 */
	SIP_ACCEPT,		/* 200 */
	SIP_CHALLENGE,		/* 401 or 407 */
	SIP_MALFORMED,		/* 400 */
	SIP_UNAVAILABLE		/* 503 */
};

struct sip_reply {
	enum sip_verdict verdict;
	unsigned int	 status;	/* of SIP */
	enum reason	 reason;	/* for the log; see sip_reason_told() */
	struct account	 account;	/* "" unless verified */
	int		 row;		/* header field verified, or -1 */
	unsigned int	 rows[SIP_ROWS_MAX];	/* to remove, highest first */
	size_t		 row_count;
	struct span	 challenges[SIP_CHALLENGES_MAX];	/* values */
	size_t		 challenge_count;
	struct span	 authentication_info;	/* or empty */
};

/* Everything in reply is valid during the call only. */
typedef void sip_cb(const struct sip_reply *reply, void *arg);

/* All arguments outlive it; NULL: no memory. Ends before auth and store. */
struct sip	*sip_new(struct auth *auth, struct store *store,
		    struct crypto *crypto, struct event_base *base,
		    const struct sink *sink,
		    const struct sip_settings *settings);
void		 sip_free(struct sip **sip);

/*
 * A reload: these keys from now on (the first makes, all read). The node, the
 * replay window and what is under way stay as they are.
 */
void		 sip_rekey(struct sip *sip, const struct nonce_keys *keys);

/* The callback fires exactly once, from the loop, never from inside. */
struct sip_ticket *sip_submit(struct sip *sip,
		    const struct sip_request *request, sip_cb *cb, void *arg);
void		 sip_cancel(struct sip_ticket *ticket);

/*
 * The reason as a peer may hear it: unknown, disabled, without a verifier,
 * capitals and wrong are one word.
 */
enum reason	 sip_reason_told(enum reason reason);

/*
 * For RADIUS with nonce = ours: the same nonces and window. Ask for the keys
 * whenever nonces are made: a clock that was set back changes the node.
 */
struct nonce_keys const *sip_nonce_keys(struct sip *sip);
struct replay	*sip_replay(struct sip *sip);
struct realms	*sip_realms(struct sip *sip);
const struct replay_settings *sip_window(const struct sip *sip);

#endif
