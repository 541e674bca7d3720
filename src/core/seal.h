#ifndef ONECRED_SEAL_H
#define ONECRED_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/identity.h"
#include "core/span.h"
#include "core/wbuf.h"

/*
 * Sealed HA1 values (DESIGN 8): "sealed:1:KEYID:base64", where base64 is
 * nonce(12) | AES-256-GCM ciphertext | tag(16) and the associated data binds
 * the value to its place: localpart, domain, realm, algorithm, form, each
 * counted by 16 bits.
 */
#define SEAL_KEY_ID_MAX	16	/* octets of [A-Za-z0-9_-] */
#define SEAL_KEYS_MAX	4	/* keys in one ring */
#define SEAL_TEXT_MAX	160	/* octets of a sealed HA1 */

struct seal_key {
	char	id[SEAL_KEY_ID_MAX + 1];
	uint8_t	key[GCM_KEY_SIZE];
};

/* The first key seals, all open. Holds secrets: seal_keyring_wipe(). */
struct seal_keyring {
	struct seal_key	keys[SEAL_KEYS_MAX];
	size_t		count;
};

/* Where a value stands; the strings are the row's own. */
struct seal_place {
	const struct account	*account;
	struct span		 realm;
	struct span		 algorithm;	/* "MD5", "SHA-256", ... */
	enum name_form		 form;
};

/*
 * Reads the text of a key file: one "KEYID base64-of-32-octets" per line,
 * '#' comments, blank lines; at least one key, no id twice. 0 or a negative
 * error with the line number in *line; ring is wiped on error.
 */
int	seal_keyring_parse(struct span text, struct seal_keyring *ring,
	    unsigned int *line) __attribute__((warn_unused_result));
void	seal_keyring_wipe(struct seal_keyring *ring);

/* True if text starts like a sealed value. */
bool	seal_is_sealed(struct span text);

/* Writes the sealed text of the raw value (16 or 32 octets). */
int	seal_value(struct crypto *crypto, const struct seal_keyring *ring,
	    const struct seal_place *place, struct span value,
	    struct wbuf *out) __attribute__((warn_unused_result));

/*
 * Opens sealed text into exactly n raw octets. -ERR_FORMAT, -ERR_KEY (key
 * not in the ring, or the value is from another place) or -ERR_CRYPTO; out is
 * cleared on error. ring may be NULL (no key: -ERR_KEY).
 */
int	seal_open(struct crypto *crypto, const struct seal_keyring *ring,
	    const struct seal_place *place, struct span text, uint8_t *out,
	    size_t n) __attribute__((warn_unused_result));

#endif
