#ifndef ONECRED_CREDENTIAL_H
#define ONECRED_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/identity.h"
#include "core/scram.h"
#include "core/seal.h"

/* Column ha1_origin (DESIGN 2). */
enum ha1_origin {
	HA1_SAME = 0,	/* from the same plaintext as the SCRAM verifiers */
	HA1_UNPROVED,	/* imported; nobody has shown that they agree */
	HA1_SEPARATE	/* SIP has a password of its own */
};

#define CREDENTIAL_SEED_SIZE	32	/* octets */

/* A column as text; n = 0 is NULL: "cannot be used", never a match. */
struct scram_text {
	uint16_t	n;
	char		text[SCRAM_TEXT_MAX];
};

struct ha1_text {
	uint16_t	n;
	char		text[SEAL_TEXT_MAX];	/* hex or sealed */
};

/* What the domain says, known for unknown users as well. */
struct domain_policy {
	bool		stores[DIGEST_ALG_COUNT];	/* HA1s that are made */
	bool		digests_none;	/* no HA1 is stored at all */
	bool		digests_sealed;
	bool		digest_md5;	/* XMPP DIGEST-MD5 is served */
	uint32_t	iterations;
};

/*
 * One account with the HA1s of one realm (the domain's home realm unless
 * another was asked for), as the store reads it. Owner: whoever declared it;
 * credential_wipe() when done. The text is as in the row and is judged only
 * when a verifier is needed (verify.c): an unusable value counts as absent.
 */
struct credential {
	struct account	account;
	char		realm[REALM_MAX + 1];	/* "" if no realm was found */
	bool		domain_known;
	bool		found;		/* the account's row exists */
	bool		enabled;
	int64_t		version;
	enum ha1_origin	ha1_origin;
	struct domain_policy policy;
	uint32_t	fake_iterations;	/* drawn from fake_profile */
	uint32_t	fake_salt_n;
	uint8_t		seed[CREDENTIAL_SEED_SIZE];	/* per name, secret */
	struct scram_text scram[SCRAM_MECH_COUNT];
	struct ha1_text	ha1[DIGEST_ALG_COUNT][FORM_COUNT];
};

/* Fills a column; too long a text is stored as NULL. */
void	credential_set_scram(struct credential *credential,
	    enum scram_mech mech, struct span text);
void	credential_set_ha1(struct credential *credential, enum digest_alg alg,
	    enum name_form form, struct span text);

/* "same", "unproved", "separate"; anything else is read as unproved. */
enum ha1_origin ha1_origin_parse(struct span text);

/*
 * The usable verifier of mech. 0, -ERR_UNSUPPORTED (NULL) or -ERR_FORMAT
 * (unusable). The caller wipes *out.
 */
int	credential_scram(const struct credential *credential,
	    enum scram_mech mech, struct scram_verifier *out)
	    __attribute__((warn_unused_result));

/*
 * The raw HA1 of alg in form, unsealed if need be. 0, -ERR_UNSUPPORTED
 * (NULL), -ERR_FORMAT (unusable), -ERR_KEY, -ERR_CRYPTO. ring may be NULL.
 * The caller wipes out (DIGEST_SIZE_MAX octets).
 */
int	credential_ha1(const struct credential *credential,
	    struct crypto *crypto, const struct seal_keyring *ring,
	    enum digest_alg alg, enum name_form form, uint8_t *out)
	    __attribute__((warn_unused_result));

void	credential_wipe(struct credential *credential);

#endif
