#ifndef ONECRED_ACCOUNTS_H
#define ONECRED_ACCOUNTS_H

#include <stdbool.h>

#include "core/seal.h"
#include "core/sink.h"
#include "core/span.h"
#include "service/auth.h"

/*
 * Changes that a peer asks for: a new password, a registration, a deletion.
 * All verifiers of the account are made in a worker and written in one
 * transaction by onecred.account_set(); the policy of new passwords is
 * DESIGN 2. Whether a peer may ask is the door's to know (its rights).
 */
struct event_base;
struct known;
struct store;
struct workers;
struct accounts;
struct accounts_ticket;

enum account_change {
	ACCOUNT_UPDATE = 0,	/* must exist */
	ACCOUNT_CREATE,		/* must not exist */
	ACCOUNT_PUT,		/* either */
	ACCOUNT_DELETE
};

enum account_result {
	ACCOUNT_UNAVAILABLE = 0, /* nobody knows; it may have worked */
	ACCOUNT_DONE,
	ACCOUNT_REFUSED,	/* password, name or policy: see sentence */
	ACCOUNT_NO_ACCOUNT,
	ACCOUNT_EXISTS,
	ACCOUNT_FOREIGN,	/* not a domain of this door, or of ours */
	ACCOUNT_RESULT_COUNT
};

/* Copied by accounts_submit() as far as it is needed later. */
struct account_request {
	enum account_change change;
	const char	*door;		/* static */
	struct span	 name;		/* as presented */
	struct span	 domain;	/* asked for; empty: the name has it */
	struct span	 source;	/* for the log, or empty */
	struct span	 password;	/* not with ACCOUNT_DELETE */
	const struct domain_list *domains;	/* NULL: all; outlives it */
};

struct account_reply {
	enum account_result result;
	bool		 created;	/* DONE: it did not exist before */
	const char	*sentence;	/* for the user; never NULL, never the
					   password; valid during the call */
};

typedef void accounts_cb(const struct account_reply *reply, void *arg);

struct accounts_settings {
	const struct seal_keyring *keys;	/* may be NULL */
	struct known	*known;		/* may be NULL: forgets who goes */
};

/* store: where writing is possible. All arguments outlive it. */
struct accounts	*accounts_new(struct store *store, struct workers *workers,
		    struct event_base *base, const struct sink *sink,
		    const struct accounts_settings *settings);

/* After the workers and before the store, as auth. */
void		 accounts_free(struct accounts **accounts);

/*
 * The callback fires exactly once, from the event loop, never from inside
 * this call. One log line: door= user= change= result= source= ms=, and for
 * REFUSED why= and the sentence, since not every protocol can pass it on.
 */
struct accounts_ticket *accounts_submit(struct accounts *accounts,
		    const struct account_request *request, accounts_cb *cb,
		    void *arg);

/* The peer has gone: the callback will not fire; the change may still. */
void		 accounts_cancel(struct accounts_ticket *ticket);

/* "done", "refused", "no-account", ...; "set", "create", ... */
const char	*account_result_str(enum account_result result);
const char	*account_change_str(enum account_change change);

#endif
