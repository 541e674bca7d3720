#ifndef ONECRED_REALM_POLICY_H
#define ONECRED_REALM_POLICY_H

#include "core/span.h"
#include "service/realms.h"

/*
 * Reads the store's answer about a realm: realm, domain, algorithms, identity
 * rule and domain parameter with tabs between, lists with blanks. Algorithms
 * that this program does not know are left out. Of the domain parameter, which
 * is advice to clients, those URIs stay that fit. 0 or -ERR_FORMAT (out is
 * zeroed): better no policy than half of one.
 */
int	realm_policy_parse(struct span answer, struct realm_policy *out)
	    __attribute__((warn_unused_result));

#endif
