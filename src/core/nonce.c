/*
 * Digest nonces that need no memory: time, node and random octets under a MAC
 * that binds them to a realm and an algorithm (RFC 7616 3.3, STANDARDS 9.2).
 * Base64 of RFC 4648 section 5 without padding, in canonical form only, so
 * that one nonce has one spelling. Nothing of a nonce that was received is
 * looked at before its MAC was right; how old it may be is not decided here.
 */

#include "core/nonce.h"

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/hex.h"
#include "core/identity.h"
#include "core/rbuf.h"
#include "core/secret.h"
#include "core/wbuf.h"

#define VERSION		1
#define BODY_SIZE	(1 + 8 + NONCE_NODE_SIZE + NONCE_RANDOM_SIZE)
#define MAC_SIZE	16	/* octets of the HMAC that are sent */
#define RAW_SIZE	(BODY_SIZE + MAC_SIZE)
#define PADDED_SIZE	BASE64_SIZE(RAW_SIZE)

_Static_assert(PADDED_SIZE == NONCE_TEXT_SIZE + 1, "one '=' is left out");

/* One key, without the blanks around it. */
static int
parse_key(struct span line, struct nonce_keys *keys)
{
	uint8_t *key;
	size_t n;

	if (keys->count == NONCE_KEYS_MAX)
		return -ERR_FORMAT;
	key = keys->key[keys->count];
	if (line.n == 2 * NONCE_KEY_SIZE) {
		if (hex_decode(line, key, NONCE_KEY_SIZE) != 0)
			return -ERR_FORMAT;
	} else if (base64_decode(line, key, NONCE_KEY_SIZE, &n) != 0 ||
	    n != NONCE_KEY_SIZE)
		return -ERR_FORMAT;
	/* Whoever rotates keys meant another one. */
	if (keys->count > 0 &&
	    secret_equal(key, keys->key[0], NONCE_KEY_SIZE))
		return -ERR_FORMAT;
	keys->count++;
	return 0;
}

int
nonce_keys_parse(struct span text, struct nonce_keys *keys,
    unsigned int *line)
{
	int rc = 0;

	secret_wipe(keys->key, sizeof(keys->key));
	keys->count = 0;
	*line = 0;
	while (rc == 0 && text.n > 0) {
		size_t end = span_find(text, '\n');
		struct span s = span_trim(span_head(text, end));

		text = span_tail(text, end + 1);
		(*line)++;
		if (s.n > 0 && s.p[0] != '#')
			rc = parse_key(s, keys);
	}
	if (rc == 0 && keys->count == 0)
		rc = -ERR_FORMAT;
	if (rc != 0) {
		secret_wipe(keys->key, sizeof(keys->key));
		keys->count = 0;
	}
	return rc;
}

void
nonce_keys_wipe(struct nonce_keys *keys)
{
	secret_wipe(keys, sizeof(*keys));
}

/* out (MAC_SIZE octets) = HMAC(key, body | realm [| 0 | alg]), cut. */
static int
make_mac(struct crypto *crypto, const uint8_t *key, struct span body,
    struct span realm, enum digest_alg alg, uint8_t *out)
{
	uint8_t mac[HASH_SIZE_MAX], folded[REALM_MAX];
	struct span parts[4];
	int rc;

	if (realm.n > sizeof(folded))
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < realm.n; i++)
		folded[i] = ascii_lower(realm.p[i]);
	parts[0] = body;
	parts[1] = span_mem(folded, realm.n);
	parts[2] = SPAN_LIT("\0");
	parts[3] = span_str(digest_alg_name(alg));
	rc = crypto_hmac(crypto, HASH_SHA_256, span_mem(key, NONCE_KEY_SIZE),
	    parts, alg == DIGEST_NONE ? 2 : 4, mac);
	if (rc == 0)
		memcpy(out, mac, MAC_SIZE);
	return rc;
}

/* raw (RAW_SIZE octets) as text and a NUL. */
static void
write_text(const uint8_t *raw, char *out)
{
	char padded[PADDED_SIZE];
	struct wbuf wb;

	wbuf_init(&wb, padded, sizeof(padded));
	wbuf_base64(&wb, span_mem(raw, RAW_SIZE));
	for (size_t i = 0; i < NONCE_TEXT_SIZE; i++)
		out[i] = padded[i] == '+' ? '-' : padded[i] == '/' ? '_' :
		    padded[i];
	out[NONCE_TEXT_SIZE] = '\0';
}

static bool
read_text(struct span text, uint8_t *raw)
{
	char padded[PADDED_SIZE];
	size_t n;

	if (text.n != NONCE_TEXT_SIZE)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = (char)text.p[i];

		if (c == '+' || c == '/' || c == '=')
			return false;
		padded[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	padded[NONCE_TEXT_SIZE] = '=';
	return base64_decode(span_mem(padded, sizeof(padded)), raw, RAW_SIZE,
	    &n) == 0 && n == RAW_SIZE;
}

int
nonce_make(struct crypto *crypto, const struct nonce_keys *keys,
    struct span realm, enum digest_alg alg, uint64_t now_us, char *out)
{
	uint8_t raw[RAW_SIZE], random[NONCE_RANDOM_SIZE];
	struct wbuf wb;
	int rc;

	memset(out, 0, NONCE_TEXT_SIZE + 1);
	if (keys->count == 0)
		return -ERR_KEY;
	rc = crypto_random(crypto, random, sizeof(random));
	if (rc != 0)
		return rc;
	wbuf_init(&wb, raw, sizeof(raw));
	wbuf_u8(&wb, VERSION);
	wbuf_u64(&wb, now_us);
	wbuf_bytes(&wb, keys->node, sizeof(keys->node));
	wbuf_bytes(&wb, random, sizeof(random));
	rc = make_mac(crypto, keys->key[0], wbuf_written(&wb), realm, alg,
	    raw + BODY_SIZE);
	if (rc == 0)
		write_text(raw, out);
	return rc;
}

static bool
is_ours(struct crypto *crypto, const struct nonce_keys *keys,
    const uint8_t *raw, struct span realm, enum digest_alg alg)
{
	uint8_t mac[MAC_SIZE];

	for (size_t i = 0; i < keys->count; i++)
		if (make_mac(crypto, keys->key[i], span_mem(raw, BODY_SIZE),
		    realm, alg, mac) == 0 &&
		    secret_equal(mac, raw + BODY_SIZE, MAC_SIZE))
			return true;
	return false;
}

enum nonce_origin
nonce_read(struct crypto *crypto, const struct nonce_keys *keys,
    struct span text, struct span realm, enum digest_alg alg,
    struct nonce *out)
{
	uint8_t raw[RAW_SIZE];
	struct rbuf rb;

	memset(out, 0, sizeof(*out));
	if (!read_text(text, raw) || raw[0] != VERSION ||
	    !is_ours(crypto, keys, raw, realm, alg))
		return NONCE_UNKNOWN;
	rbuf_init(&rb, raw + 1, BODY_SIZE - 1);
	out->time_us = rbuf_u64(&rb);
	memcpy(out->node, rbuf_bytes(&rb, NONCE_NODE_SIZE).p,
	    NONCE_NODE_SIZE);
	memcpy(out->random, rbuf_bytes(&rb, NONCE_RANDOM_SIZE).p,
	    NONCE_RANDOM_SIZE);
	return span_equal(span_mem(out->node, NONCE_NODE_SIZE),
	    span_mem(keys->node, NONCE_NODE_SIZE)) ? NONCE_OWN :
	    NONCE_FOREIGN;
}
