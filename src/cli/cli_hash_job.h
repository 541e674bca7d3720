#ifndef ONECRED_CLI_HASH_JOB_H
#define ONECRED_CLI_HASH_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/identity.h"
#include "core/secret.h"
#include "core/wbuf.h"

#define HASH_REALMS_MAX	64
/* Three SCRAM lines and 64 realms of six HA1 lines each, and the end. */
#define HASH_OUTPUT_MAX	(256 * 1024)

enum hash_digests {
	HASH_DIGESTS_PLAIN = 0,
	HASH_DIGESTS_SEALED,
	HASH_DIGESTS_NONE
};

/* What is to be made of one password. The strings are the caller's. */
struct hash_job {
	struct account	 account;
	const char	*password_file;		/* NULL: ask */
	const char	*seal_key_file;		/* NULL: none */
	const char	*realms[HASH_REALMS_MAX];
	size_t		 realm_count;
	uint32_t	 iterations;
	bool		 algorithms[DIGEST_ALG_COUNT];
	enum hash_digests digests;
	bool		 sip_only;		/* no SCRAM */
	bool		 non_ascii;
	bool		 role;			/* a PostgreSQL role's */
};

/*
 * Writes one line per verifier, "name TAB realm TAB form TAB value", and
 * "end TAB TAB TAB count" as the last one. Returns an enum cli_status, a
 * sentence printed unless it is CLI_OK. out holds secrets.
 */
int	hash_job_run(const struct hash_job *job, struct span password,
	    struct wbuf *out) __attribute__((warn_unused_result));

#endif
