#ifndef ONECRED_CLI_CHECK_ACCOUNT_H
#define ONECRED_CLI_CHECK_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/credential.h"
#include "core/identity.h"
#include "daemon/session.h"

#define CHECK_REALMS_MAX	256
#define CHECK_NAME_MAX		(LOCALPART_MAX + DOMAIN_MAX + 2)
#define CHECK_HINT_MAX		512
#define CHECK_FAULT_MAX		512

/* One realm of the domain, with the account's HA1s for it. */
struct check_realm {
	bool			home;
	struct credential	row;	/* row.realm is its name */
};

/*
 * What the database says about an account. realms[0] is the home realm, whose
 * row holds the SCRAM verifiers. Owner: whoever declared it;
 * check_account_free() wipes.
 */
struct check_account {
	struct presented	presented;
	struct span		typed;	/* "Alice@example.com"; a view */
	bool			local_folded;	/* capitals before the @ */
	bool			domain_known;
	bool			name_allowed;	/* by the domain's rule */
	bool			realms_cut;	/* there are more */
	struct check_realm	*realms;
	size_t			realm_count;	/* 0: domain not known */
	char			database[64];	/* its name, for commands */
	/* domain not known: the one that has it as a realm, or "" */
	char			realm_of[DOMAIN_MAX + 1];
	/* and those that there are: "example.com, example.net" */
	char			domains[CHECK_HINT_MAX];
};

/* Why nobody can tell: a sentence and the command that mends it, or "". */
struct check_fault {
	char	text[CHECK_FAULT_MAX];
	char	command[CHECK_FAULT_MAX];
};

/*
 * Asks the database as an administrator, in one read-only snapshot.
 * account->presented is given. False: fault is set.
 */
bool	check_account_load(struct check_account *account,
	    const char *conninfo, struct check_fault *fault);

/* Writes the name in that form (CHECK_NAME_MAX octets with the NUL). */
void	check_account_name(const struct account *account,
	    enum name_form form, char *out);

void	check_account_free(struct check_account *account);

#endif
