#ifndef ONECRED_VERIFY_H
#define ONECRED_VERIFY_H

#include "core/credential.h"
#include "core/digest.h"
#include "core/scram_server.h"
#include "core/verdict.h"

/*
 * The only place that turns a record into ALLOW (DESIGN 4). Unknown, disabled
 * and verifier-less accounts do the same work with a fake and end in DENY.
 */

struct verify_result {
	enum verdict	verdict;
	enum reason	reason;
};

/* What a check works with; keys may be NULL. */
struct verifier_context {
	struct crypto			*crypto;
	const struct seal_keyring	*keys;
};

/*
 * Which verifier will decide about a password: the first usable one of
 * ha1_sha_512_256 and ha1_sha_256 (home realm, only if ha1_origin is same),
 * SCRAM-SHA-256, -512, -1, then ha1_md5 (only if same). For an account that
 * cannot log in: what its domain would have (a fake).
 */
enum verify_method {
	VERIFY_NOTHING = 0,
	VERIFY_HA1_SHA_512_256,
	VERIFY_HA1_SHA_256,
	VERIFY_SCRAM_SHA_256,
	VERIFY_SCRAM_SHA_512,
	VERIFY_SCRAM_SHA_1,
	VERIFY_HA1_MD5
};

/* Tells whether verify_password() will run PBKDF2 (belongs in a worker). */
bool	verify_password_is_slow(const struct verifier_context *context,
	    const struct credential *credential);

/*
 * Judges a password as presented (UTF-8, not prepared). credential must hold
 * the home realm's HA1s. Empty, over PASSWORD_MAX and unpreparable passwords
 * are denied (malformed) for every name alike.
 */
struct verify_result verify_password(const struct verifier_context *context,
	    const struct credential *credential, struct span password);

/*
 * Judges a digest response over the HA1s in credential (one realm). presented
 * is the username of the digest: its form chooses HA1 or HA1b, a folded one
 * (capitals) can never match. alg DIGEST_NONE is inferred from the length of
 * the response: 32 hex is MD5, 64 hex tries SHA-256 and SHA-512-256. qop must
 * be empty or auth (auth-int only with a body hash). On ALLOW rspauth (may be
 * NULL) holds
 * the hex and a NUL (DIGEST_HEX_MAX + 1 octets); else it is "". The nonce is
 * not judged here.
 */
struct verify_result verify_digest(const struct verifier_context *context,
	    const struct credential *credential,
	    const struct presented *presented,
	    const struct digest_params *params, char *rspauth);

/*
 * The same for the one server that must have the HA1 to go on (FreeSWITCH):
 * on ALLOW ha1 holds the hex of the value that verified and a NUL
 * (DIGEST_HEX_MAX + 1 octets, the caller's to wipe); else it is "".
 */
struct verify_result verify_digest_ha1(const struct verifier_context *context,
	    const struct credential *credential,
	    const struct presented *presented,
	    const struct digest_params *params, char *rspauth, char *ha1);

/*
 * SCRAM (RFC 5802), first step: the verifier whose salt and iterations the
 * client is shown; a fake for whoever is unknown, disabled or without one. 0
 * or a negative error (the library failed). The caller wipes it.
 */
int	verify_scram_first(const struct verifier_context *context,
	    const struct credential *credential, enum scram_mech mech,
	    struct scram_verifier *out) __attribute__((warn_unused_result));

/*
 * SCRAM, last step: judges client-final-message against the row as it is now.
 * On ALLOW server-final-message is in out; else nothing is.
 */
struct verify_result verify_scram(const struct verifier_context *context,
	    const struct credential *credential, enum scram_mech mech,
	    struct scram_server *server, struct span message,
	    struct span cb_data, struct wbuf *out);

#endif
