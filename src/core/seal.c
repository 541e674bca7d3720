/*
 * Sealed HA1 values, DESIGN 8: AES-256-GCM with a random nonce. The
 * associated data pins a value to its place, so that whoever can write to the
 * table cannot move one account's value to another. The order of its fields
 * and their counting are part of the format: never change them, make a "2".
 */

#include "core/seal.h"

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/secret.h"

#define SEAL_VALUE_MAX	32	/* octets of a raw HA1 */
#define SEAL_BLOB_MAX	(GCM_NONCE_SIZE + SEAL_VALUE_MAX + GCM_TAG_SIZE)
#define SEAL_AAD_MAX	1024
#define SEAL_PREFIX	SPAN_LIT("sealed:1:")

_Static_assert(sizeof("sealed:1:") + SEAL_KEY_ID_MAX +
    BASE64_SIZE(SEAL_BLOB_MAX) <= SEAL_TEXT_MAX, "a sealed HA1 fits");

static bool
is_key_id(struct span id)
{
	if (id.n == 0 || id.n > SEAL_KEY_ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i], lower = ascii_lower(c);

		if ((lower < 'a' || lower > 'z') && (c < '0' || c > '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return true;
}

static const struct seal_key *
find_key(const struct seal_keyring *ring, struct span id)
{
	for (size_t i = 0; ring != NULL && i < ring->count; i++)
		if (span_equal(span_str(ring->keys[i].id), id))
			return &ring->keys[i];
	return NULL;
}

/* One line "KEYID base64", without the blanks around it. */
static int
parse_key(struct span line, struct seal_keyring *ring)
{
	struct seal_key *key = &ring->keys[ring->count];
	size_t end = 0, n;
	struct span id;

	while (end < line.n && line.p[end] != ' ' && line.p[end] != '\t')
		end++;
	id = span_head(line, end);
	if (!is_key_id(id) || find_key(ring, id) != NULL)
		return -ERR_FORMAT;
	if (ring->count == SEAL_KEYS_MAX)
		return -ERR_TOO_LONG;
	if (base64_decode(span_trim(span_tail(line, end)), key->key,
	    sizeof(key->key), &n) != 0 || n != sizeof(key->key))
		return -ERR_FORMAT;
	ring->count++;
	return span_copy_str(id, key->id, sizeof(key->id));
}

int
seal_keyring_parse(struct span text, struct seal_keyring *ring,
    unsigned int *line)
{
	int rc = 0;

	memset(ring, 0, sizeof(*ring));
	*line = 0;
	while (rc == 0 && text.n > 0) {
		size_t end = span_find(text, '\n');
		struct span s = span_trim(span_head(text, end));

		text = span_tail(text, end + 1);
		(*line)++;
		if (s.n > 0 && s.p[0] != '#')
			rc = parse_key(s, ring);
	}
	if (rc == 0 && ring->count == 0)
		rc = -ERR_FORMAT;
	if (rc != 0)
		seal_keyring_wipe(ring);
	return rc;
}

void
seal_keyring_wipe(struct seal_keyring *ring)
{
	secret_wipe(ring, sizeof(*ring));
}

bool
seal_is_sealed(struct span text)
{
	return span_equal(span_head(text, SPAN_LIT("sealed:").n),
	    SPAN_LIT("sealed:"));
}

static void
put_counted(struct wbuf *wb, struct span s)
{
	if (s.n > UINT16_MAX) {
		wb->failed = true;
		return;
	}
	wbuf_u16(wb, (uint16_t)s.n);
	wbuf_span(wb, s);
}

/* localpart, domain, realm, algorithm, "local" or "full". */
static int
write_aad(const struct seal_place *place, struct wbuf *wb)
{
	put_counted(wb, span_str(place->account->localpart));
	put_counted(wb, span_str(place->account->domain));
	put_counted(wb, place->realm);
	put_counted(wb, place->algorithm);
	put_counted(wb, place->form == FORM_FULL ? SPAN_LIT("full") :
	    SPAN_LIT("local"));
	return wb->failed ? -ERR_TOO_LONG : 0;
}

int
seal_value(struct crypto *crypto, const struct seal_keyring *ring,
    const struct seal_place *place, struct span value, struct wbuf *out)
{
	uint8_t blob[SEAL_BLOB_MAX], aad[SEAL_AAD_MAX];
	uint8_t *sealed = blob + GCM_NONCE_SIZE;
	struct wbuf wb;
	int rc;

	if (value.n != 16 && value.n != 32)
		return -ERR_FORMAT;
	if (ring == NULL || ring->count == 0)
		return -ERR_KEY;
	wbuf_init(&wb, aad, sizeof(aad));
	rc = write_aad(place, &wb);
	/*
	 * NB: random nonces are safe for 2^32 values under one key (SP
	 * 800-38D 8.3), far beyond any table between two rotations.
	 */
	if (rc == 0)
		rc = crypto_random(crypto, blob, GCM_NONCE_SIZE);
	if (rc == 0)
		rc = crypto_gcm_seal(crypto, ring->keys[0].key, blob,
		    wbuf_written(&wb), value, sealed, sealed + value.n);
	if (rc != 0)
		return rc;
	wbuf_span(out, SEAL_PREFIX);
	wbuf_str(out, ring->keys[0].id);
	wbuf_str(out, ":");
	wbuf_base64(out, span_mem(blob, GCM_NONCE_SIZE + value.n +
	    GCM_TAG_SIZE));
	return out->failed ? -ERR_TOO_LONG : 0;
}

/*
 * Takes sealed text apart: the id of its key and, in blob, exactly what a
 * value of n octets needs.
 */
static int
parse_sealed(struct span text, size_t n, struct span *id, uint8_t *blob)
{
	size_t colon, size;

	if (!span_equal(span_head(text, SEAL_PREFIX.n), SEAL_PREFIX))
		return -ERR_FORMAT;
	text = span_tail(text, SEAL_PREFIX.n);
	colon = span_find(text, ':');
	*id = span_head(text, colon);
	if (!is_key_id(*id) || base64_decode(span_tail(text, colon + 1), blob,
	    SEAL_BLOB_MAX, &size) != 0 ||
	    size != GCM_NONCE_SIZE + n + GCM_TAG_SIZE)
		return -ERR_FORMAT;
	return 0;
}

int
seal_open(struct crypto *crypto, const struct seal_keyring *ring,
    const struct seal_place *place, struct span text, uint8_t *out, size_t n)
{
	uint8_t blob[SEAL_BLOB_MAX], aad[SEAL_AAD_MAX];
	const uint8_t *sealed = blob + GCM_NONCE_SIZE;
	const struct seal_key *key;
	struct span id;
	struct wbuf wb;
	int rc;

	secret_wipe(out, n);
	if (n > SEAL_VALUE_MAX)
		return -ERR_FORMAT;
	rc = parse_sealed(text, n, &id, blob);
	if (rc != 0)
		return rc;
	key = find_key(ring, id);
	if (key == NULL)
		return -ERR_KEY;
	wbuf_init(&wb, aad, sizeof(aad));
	rc = write_aad(place, &wb);
	if (rc != 0)
		return rc;
	return crypto_gcm_open(crypto, key->key, blob, wbuf_written(&wb),
	    span_mem(sealed, n), sealed + n, out);
}
