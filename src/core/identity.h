#ifndef ONECRED_IDENTITY_H
#define ONECRED_IDENTITY_H

#include <stdbool.h>

#include "core/span.h"

#define LOCALPART_MAX	64	/* octets */
#define DOMAIN_MAX	253	/* octets */
#define ACCOUNT_MAX	253	/* octets of localpart@domain (RADIUS limit) */
#define REALM_MAX	253	/* octets */

/* STANDARDS 4.2: strict is [a-z0-9][a-z0-9._-]*; wide adds !~*()+=$, */
enum identity_rule {
	IDENTITY_STRICT = 0,
	IDENTITY_WIDE
};

/* An account name in canonical (lower-case) form; NUL-terminated. */
struct account {
	char	localpart[LOCALPART_MAX + 1];
	char	domain[DOMAIN_MAX + 1];
};

/* How a peer spelled the account: HA1 is for the one, HA1b for the other. */
enum name_form {
	FORM_LOCAL = 0,		/* alice */
	FORM_FULL,		/* alice@example.com */
	FORM_COUNT
};

/* A presented name, folded for the lookup. */
struct presented {
	struct account	account;	/* domain "" if none was to be had */
	enum name_form	form;
	bool		folded;		/* it contained capitals */
};

/*
 * Checks of canonical names. 0, -ERR_FORMAT, -ERR_TOO_LONG or
 * -ERR_CHARACTER. "anonymous" is refused as a localpart.
 */
int	identity_check_localpart(struct span localpart,
	    enum identity_rule rule) __attribute__((warn_unused_result));
int	identity_check_domain(struct span domain)
	    __attribute__((warn_unused_result));

/*
 * Checks a realm string: 1..REALM_MAX printable ASCII or UTF-8 octets without
 * control characters, '"', '\' and ':'.
 */
int	identity_check_realm(struct span realm)
	    __attribute__((warn_unused_result));

/* Reads canonical "localpart@domain", as administrators type it. */
int	identity_parse(struct span uri, enum identity_rule rule,
	    struct account *out) __attribute__((warn_unused_result));

/*
 * Reads the name a peer presented: "alice" or "alice@example.com" (cut at the
 * last '@'), any case, always by the wide rule (what exists decides). domain
 * is what the service asked for, any case; empty if the service names none
 * (SIP: the realm decides), then the domain comes from the name or stays "".
 * 0, -ERR_FOREIGN if the name carries another domain than the one asked for,
 * or another error if it is outside the grammar; out is zeroed on error.
 */
int	identity_present(struct span name, struct span domain,
	    struct presented *out) __attribute__((warn_unused_result));

#endif
