#ifndef ONECRED_SCRAM_H
#define ONECRED_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/span.h"
#include "core/verdict.h"
#include "core/wbuf.h"

enum scram_mech {
	SCRAM_NONE = 0,
	SCRAM_SHA_1,
	SCRAM_SHA_256,
	SCRAM_SHA_512,
	SCRAM_MECH_COUNT
};

#define SCRAM_ITERATIONS_MIN	4096
#define SCRAM_ITERATIONS_MAX	65536	/* libsasl clients refuse more */
#define SCRAM_SALT_MAX		64	/* octets */
#define SCRAM_KEY_MAX		64	/* octets */
#define SCRAM_TEXT_MAX		512	/* octets of the RFC 5803 text */
#define SCRAM_SALT_NEW		24	/* octets: base64 of 18 random ones */

/* A parsed verifier (RFC 5803). Holds secrets: wipe it after use. */
struct scram_verifier {
	enum scram_mech	mech;
	uint32_t	iterations;
	size_t		salt_n;
	uint8_t		salt[SCRAM_SALT_MAX];
	uint8_t		stored_key[SCRAM_KEY_MAX];
	uint8_t		server_key[SCRAM_KEY_MAX];
};

const char *scram_mech_name(enum scram_mech mech);	/* "SCRAM-SHA-256" */
enum hash_id scram_mech_hash(enum scram_mech mech);
/* Exact name without "-PLUS"; SCRAM_NONE if unknown. */
enum scram_mech scram_mech_parse(struct span name);

/*
 * A fresh salt as DESIGN 3 wants it: SCRAM_SALT_NEW octets which are the
 * base64 text of 18 random ones, so that text columns can carry them.
 */
int	scram_new_salt(struct crypto *crypto, uint8_t *salt)
	    __attribute__((warn_unused_result));

/* Derives a verifier from a prepared (SASLprep) password. Slow. */
int	scram_make(struct crypto *crypto, enum scram_mech mech,
	    struct span password, struct span salt, uint32_t iterations,
	    struct scram_verifier *out) __attribute__((warn_unused_result));

/*
 * Reads "SCRAM-SHA-256$<i>:<b64 salt>$<b64 StoredKey>:<b64 ServerKey>":
 * canonical base64, exact key lengths, iterations within the bounds above and
 * without leading zero, nothing before or behind. 0 or a negative error.
 */
int	scram_parse(struct span text, struct scram_verifier *out)
	    __attribute__((warn_unused_result));
/* Writes that text. */
void	scram_format(const struct scram_verifier *verifier, struct wbuf *wb);

/* Checks a prepared password against a verifier. Slow. */
enum verdict scram_check(struct crypto *crypto,
	    const struct scram_verifier *verifier, struct span password);

#endif
