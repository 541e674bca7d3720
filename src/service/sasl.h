#ifndef ONECRED_SASL_H
#define ONECRED_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/nonce.h"
#include "core/span.h"
#include "core/verdict.h"
#include "service/auth.h"

/*
 * The server's side of a SASL exchange (RFC 4422) for doors whose peers hand
 * the messages through: PLAIN, LOGIN, SCRAM-SHA-1/-256/-512 and -PLUS. What an
 * exchange needs to remember is a sealed token that the peer keeps, so that
 * any daemon with the same nonce key can finish it; verifiers never leave.
 */
struct event_base;
struct sasl;
struct sasl_ticket;

#define SASL_MESSAGE_MAX	4096	/* octets, decoded */
#define SASL_REPLY_MAX		2048	/* of ours, decoded */
#define SASL_STATE_MAX		8192	/* octets of a token, raw */
#define SASL_STATE_MS		60000	/* a token's life */

enum sasl_mech {
	SASL_MECH_NONE = 0,
	SASL_MECH_PLAIN,
	SASL_MECH_LOGIN,
	SASL_MECH_SCRAM_SHA_1,
	SASL_MECH_SCRAM_SHA_1_PLUS,
	SASL_MECH_SCRAM_SHA_256,
	SASL_MECH_SCRAM_SHA_256_PLUS,
	SASL_MECH_SCRAM_SHA_512,
	SASL_MECH_SCRAM_SHA_512_PLUS,
	SASL_MECH_COUNT
};

enum sasl_status {
	SASL_DENY = 0,
	SASL_ALLOW,
	SASL_CONTINUE,
	SASL_UNAVAILABLE
};

/* Copied by sasl_submit() as far as it is needed later. */
struct sasl_request {
	const char	*door;		/* static */
	enum sasl_mech	 mech;
	struct span	 domain;	/* what the service serves */
	struct span	 source;	/* for the log, or empty */
	const struct domain_list *domains;	/* NULL: all; outlives it */
	struct span	 data;		/* the client's message, decoded */
	bool		 has_data;	/* false: none yet (an absent
					   initial response, not an empty
					   one) */
	struct span	 state;		/* of the reply before; or empty */
	bool		 plus_offered;	/* the service offers -PLUS at all */
	struct span	 cb_type;	/* channel binding of the service's
					   connection: "tls-exporter"; may be
					   empty in the first step */
	struct span	 cb_data;	/* and its data, in the last step */
};

struct sasl_reply {
	enum sasl_status status;
	enum reason	 reason;	/* never for the peer */
	struct span	 data;		/* CONTINUE: challenge; ALLOW: more
					   data (SCRAM's "v="), or empty */
	struct span	 state;		/* CONTINUE */
	struct account	 account;	/* ALLOW */
};

/* Everything in reply is valid during the call only. */
typedef void sasl_cb(const struct sasl_reply *reply, void *arg);

struct sasl_settings {
	const struct nonce_keys *nonce_keys;	/* token keys derive from these
						   (HKDF); outlives it */
};

/* All arguments outlive it; NULL: no memory. Ends before auth. */
struct sasl	*sasl_new(struct auth *auth, struct crypto *crypto,
		    struct event_base *base,
		    const struct sasl_settings *settings);
void		 sasl_free(struct sasl **sasl);

/*
 * One step. The callback fires exactly once, from the loop, never from
 * inside. Unknown, disabled and verifier-less accounts run to the end and are
 * then denied. An authzid other than the account itself is denied (identity).
 */
struct sasl_ticket *sasl_submit(struct sasl *sasl,
		    const struct sasl_request *request, sasl_cb *cb,
		    void *arg);

/* The callback will not fire; within it: nothing. */
void		 sasl_cancel(struct sasl_ticket *ticket);

/* Exact names; SASL_MECH_NONE if unknown. */
enum sasl_mech	 sasl_mech_parse(struct span name);
const char	*sasl_mech_name(enum sasl_mech mech);

#endif
