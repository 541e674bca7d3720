#ifndef ONECRED_AUTH_H
#define ONECRED_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/identity.h"
#include "core/scram.h"
#include "core/seal.h"
#include "core/sink.h"
#include "core/span.h"
#include "core/verdict.h"
#include "service/domain_list.h"

/*
 * The one decision: may this login pass. Doors submit and reply; they never
 * see a record. Everything is asynchronous over the event loop; PBKDF2 runs
 * in the workers. Each decision is one log line (DESIGN 4).
 */
struct event_base;
struct known;
struct store;
struct wbuf;
struct workers;
struct auth;
struct auth_ticket;	/* one decision under way */

enum auth_kind {
	AUTH_PASSWORD = 0,
	AUTH_DIGEST,
	AUTH_EXISTS,		/* is there such an enabled account; ALLOW with
				   REASON_DB_DOWN: there was one lately */
	AUTH_SCRAM		/* one step of an exchange: see judge */
};

/*
 * A step of SCRAM: judges the row, in the event loop. For the steps of
 * service/sasl only; what it returns is the decision.
 */
struct credential;
struct verifier_context;
struct verify_result;
typedef struct verify_result auth_judge(const struct verifier_context *context,
	    const struct credential *row, void *arg);

/*
 * What the caller knows beyond the row (whether a nonce may be used): called
 * for what would be allowed otherwise, at most once, before the callback, with
 * the same arg. Whatever it returns but REASON_OK denies.
 */
typedef enum reason auth_review(void *arg);

/* Copied by auth_submit() as far as it is needed later. */
struct auth_request {
	enum auth_kind	kind;
	bool		 silent;	/* the caller decides further and calls
					   auth_conclude() itself */
	const char	*door;		/* static: "extauth", "radius" */
	struct span	 name;		/* as presented */
	struct span	 domain;	/* asked for; empty for AUTH_DIGEST */
	struct span	 source;	/* peer address for the log, or empty */
	struct span	 service;	/* "xmpp", or empty */
	const struct domain_list *domains;	/* NULL: all */
	struct span	 password;	/* AUTH_PASSWORD */
	struct digest_params digest;	/* AUTH_DIGEST; realm decides domain */
	enum scram_mech	 scram;		/* AUTH_SCRAM */
	bool		 plus;		/* with channel binding */
	auth_judge	*judge;		/* AUTH_SCRAM: called at most once, before
					   the callback, with the same arg */
	bool		 no_rspauth;	/* AUTH_DIGEST: nobody will read it */
	auth_review	*review;	/* AUTH_DIGEST: has the last word; or NULL */
	struct span	 lookup_name;	/* AUTH_DIGEST: a second name for the
					   same account (RADIUS User-Name) that
					   must agree, or empty */
	struct account	 aor;		/* whose use is asked for (RFC 5090
					   SIP-AOR); must be the account, or
					   else identity; "": anybody's */
	bool		 want_ha1;	/* AUTH_DIGEST: the reply shall hold
					   the HA1; ask the peer's rights! */
};

struct auth_reply {
	enum verdict	verdict;
	enum reason	reason;		/* never for the peer */
	unsigned int	retry_after;	/* seconds; 0: no advice */
	struct account	account;	/* canonical; "" unless ALLOW */
	char		rspauth[DIGEST_HEX_MAX + 1];	/* digest, ALLOW */
	char		ha1[DIGEST_HEX_MAX + 1];	/* hex; ALLOW and want_ha1
						   only; wiped after the call */
};

typedef void auth_cb(const struct auth_reply *reply, void *arg);

struct auth_settings {
	const struct seal_keyring *keys;	/* may be NULL; outlives auth */
	struct known	*known;		/* may be NULL: while the database is
					   away, nobody knows who exists */
};

/* Counts by verdict for the log and the metrics. */
struct auth_stats {
	uint64_t	verdicts[3];
};

/*
 * All arguments outlive auth; crypto is the loop's handle. NULL: no memory.
 * To end: the doors first (they cancel their tickets), then the workers (they
 * end the jobs of cancelled tickets), then auth, then the store.
 */
struct auth	*auth_new(struct store *store, struct workers *workers,
		    struct crypto *crypto, struct event_base *base,
		    const struct sink *sink,
		    const struct auth_settings *settings);
void		 auth_free(struct auth **auth);

/*
 * Decides. The callback fires exactly once, from the event loop, never from
 * inside this call. Even what is refused at sight (a name outside the
 * grammar) is answered through it.
 */
struct auth_ticket *auth_submit(struct auth *auth,
		    const struct auth_request *request, auth_cb *cb,
		    void *arg);

/* The peer has gone: the callback will not fire; within it: nothing. */
void		 auth_cancel(struct auth_ticket *ticket);

/* One decision line and its counters: for callers of silent requests. */
struct decision;
void		 auth_conclude(struct auth *auth,
		    const struct decision *decision);

void		 auth_stats(const struct auth *auth, struct auth_stats *out);

/* A door has dropped a packet: both are static words, few of them. */
void		 auth_dropped(struct auth *auth, const char *door,
		    const char *kind);

/* Whether the database can be asked now. */
bool		 auth_ready(const struct auth *auth);

/* Room for every series that there can be. */
#define AUTH_METRICS_MAX	(1024 * 1024)

/* Everything that is counted, for Prometheus (metrics.h): no names. */
void		 auth_metrics(const struct auth *auth, struct wbuf *out);

#endif
