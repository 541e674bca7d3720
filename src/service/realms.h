#ifndef ONECRED_REALMS_H
#define ONECRED_REALMS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/digest.h"
#include "core/identity.h"
#include "core/span.h"

/*
 * What the table `realm` says about challenges, asked from the store and kept
 * for a while: a challenge must not cost a query, and must still be possible
 * while the database is away (then the last known policy is used).
 */
struct event_base;
struct store;
struct realms;
struct realms_wait;

enum identity_check {
	IDENTITY_CHECK_DOMAIN = 0,
	IDENTITY_CHECK_STRICT,
	IDENTITY_CHECK_OFF
};

#define REALM_URIS_MAX	1024	/* octets of domain_parameter */

struct realm_policy {
	char		realm[REALM_MAX + 1];	/* as it stands in the table */
	char		domain[DOMAIN_MAX + 1];
	enum digest_alg	algs[DIGEST_ALG_COUNT];	/* in the order offered */
	size_t		alg_count;		/* at least 1 */
	enum identity_check identity;
	char		domain_parameter[REALM_URIS_MAX];
};

enum realms_status {
	REALMS_KNOWN = 0,
	REALMS_UNKNOWN,		/* no such realm, or not for this role */
	REALMS_UNAVAILABLE	/* never asked with success, database away */
};

/*
 * policy is valid during the callback only; NULL unless KNOWN.
 */
typedef void realms_cb(enum realms_status status,
	    const struct realm_policy *policy, void *arg);

/* NULL: no memory. */
struct realms	*realms_new(struct store *store, struct event_base *base);
void		 realms_free(struct realms **realms);

/*
 * True: known at once, *status and *policy (a view until the next turn of the
 * loop) are set. False: asked; *wait is set and the callback fires later,
 * exactly once, unless realms_cancel().
 */
bool		 realms_get(struct realms *realms, struct span realm,
		    enum realms_status *status,
		    const struct realm_policy **policy, realms_cb *cb,
		    void *arg, struct realms_wait **wait);
void		 realms_cancel(struct realms_wait *wait);

#endif
