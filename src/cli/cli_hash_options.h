#ifndef ONECRED_CLI_HASH_OPTIONS_H
#define ONECRED_CLI_HASH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli_say.h"
#include "core/digest.h"
#include "core/identity.h"
#include "core/verifiers.h"

enum hash_digests {
	HASH_DIGESTS_PLAIN = 0,
	HASH_DIGESTS_SEALED,
	HASH_DIGESTS_NONE
};

/* What onecred hash was asked for. Views of argv or of the environment. */
struct hash_options {
	bool		help;
	bool		role;		/* a PostgreSQL role's verifier */
	struct account	account;	/* not with role */
	const char	*name;		/* account or role, as given */
	const char	*password_file;	/* NULL: ask */
	const char	*seal_key_file;	/* NULL: none */
	struct span	realms[VERIFIERS_REALMS_MAX];
	size_t		realm_count;	/* at least one, not with role */
	bool		algorithms[DIGEST_ALG_COUNT];
	enum hash_digests digests;
	uint32_t	iterations;
	bool		sip_only;
	bool		non_ascii;
};

/*
 * Reads the command line after "hash"; with --environment, the ONECRED_*
 * variables instead. Says what is wrong. Nothing of it is a secret.
 */
enum cli_status	hash_options_read(int argc, char **argv,
		    struct hash_options *out);

#endif
