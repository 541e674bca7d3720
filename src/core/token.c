/*
 * Tokens that a peer keeps for us. The age stands in the clear, since it is
 * judged, but under the tag; each token has a random GCM nonce, which is safe
 * for far more tokens (2^32, NIST SP 800-38D 8.3) than a key lives to see.
 */

#include "core/token.h"

#include <string.h>

#include "core/err.h"
#include "core/rbuf.h"
#include "core/secret.h"

#define VERSION		1
#define HEADER_SIZE	9	/* version and time */
#define FUTURE_US	5000000	/* clocks of nodes differ */
#define TEXT_MAX	16384

/* RFC 5869 2.2, 2.3 with one block of output. */
static int
derive(struct crypto *crypto, const uint8_t *master, struct span label,
    uint8_t *out)
{
	static const uint8_t zero[NONCE_KEY_SIZE], one[] = { 1 };
	const struct span material = span_mem(master, NONCE_KEY_SIZE);
	const struct span info[] = { label, span_mem(one, sizeof(one)) };
	uint8_t prk[NONCE_KEY_SIZE];
	int rc;

	rc = crypto_hmac(crypto, HASH_SHA_256, span_mem(zero, sizeof(zero)),
	    &material, 1, prk);
	if (rc == 0)
		rc = crypto_hmac(crypto, HASH_SHA_256, span_mem(prk,
		    sizeof(prk)), info, 2, out);
	secret_wipe(prk, sizeof(prk));
	return rc;
}

int
token_seal(struct crypto *crypto, const struct nonce_keys *keys,
    struct span label, uint64_t now_us, struct span text, struct wbuf *out)
{
	uint8_t key[GCM_KEY_SIZE], nonce[GCM_NONCE_SIZE], tag[GCM_TAG_SIZE];
	uint8_t sealed[TEXT_MAX], aad_text[HEADER_SIZE + 64];
	struct wbuf aad;
	int rc;

	if (text.n > sizeof(sealed) || keys->count == 0)
		return text.n > sizeof(sealed) ? -ERR_TOO_LONG : -ERR_KEY;
	wbuf_init(&aad, aad_text, sizeof(aad_text));
	wbuf_u8(&aad, VERSION);
	wbuf_u64(&aad, now_us);
	wbuf_span(&aad, label);
	rc = aad.failed ? -ERR_TOO_LONG : derive(crypto, keys->key[0], label,
	    key);
	if (rc == 0)
		rc = crypto_random(crypto, nonce, sizeof(nonce));
	if (rc == 0)
		rc = crypto_gcm_seal(crypto, key, nonce, wbuf_written(&aad),
		    text, sealed, tag);
	if (rc == 0) {
		wbuf_bytes(out, aad_text, HEADER_SIZE);
		wbuf_bytes(out, nonce, sizeof(nonce));
		wbuf_bytes(out, sealed, text.n);
		wbuf_bytes(out, tag, sizeof(tag));
		rc = out->failed ? -ERR_TOO_LONG : 0;
	}
	secret_wipe(key, sizeof(key));
	return rc;
}

static int
open_with(struct crypto *crypto, const uint8_t *master, struct span label,
    struct span aad, struct span nonce, struct span sealed, struct span tag,
    uint8_t *text)
{
	uint8_t key[GCM_KEY_SIZE];
	int rc = derive(crypto, master, label, key);

	if (rc == 0)
		rc = crypto_gcm_open(crypto, key, nonce.p, aad, sealed, tag.p,
		    text);
	secret_wipe(key, sizeof(key));
	return rc;
}

int
token_open(struct crypto *crypto, const struct nonce_keys *keys,
    struct span label, uint64_t now_us, uint64_t max_us, struct span token,
    struct wbuf *out)
{
	uint8_t text[TEXT_MAX], aad_text[HEADER_SIZE + 64];
	struct span nonce, sealed, tag;
	struct wbuf aad;
	struct rbuf rb;
	uint64_t made;
	int rc = -ERR_KEY;

	if (token.n < TOKEN_OVERHEAD || token.n > TOKEN_OVERHEAD + TEXT_MAX)
		return -ERR_FORMAT;
	rbuf_init(&rb, token.p, token.n);
	if (rbuf_u8(&rb) != VERSION)
		return -ERR_FORMAT;
	made = rbuf_u64(&rb);
	nonce = rbuf_bytes(&rb, GCM_NONCE_SIZE);
	sealed = rbuf_bytes(&rb, token.n - TOKEN_OVERHEAD);
	tag = rbuf_bytes(&rb, GCM_TAG_SIZE);
	wbuf_init(&aad, aad_text, sizeof(aad_text));
	wbuf_bytes(&aad, token.p, HEADER_SIZE);
	wbuf_span(&aad, label);
	if (!rbuf_done(&rb) || aad.failed)
		return -ERR_FORMAT;
	for (size_t i = 0; rc == -ERR_KEY && i < keys->count; i++)
		rc = open_with(crypto, keys->key[i], label,
		    wbuf_written(&aad), nonce, sealed, tag, text);
	/* NB: only what is authentic has an age. */
	if (rc == 0 && (made > now_us + FUTURE_US ||
	    (made <= now_us && now_us - made > max_us)))
		rc = -ERR_TOO_LONG;
	if (rc == 0 && (out->failed || out->cap - out->n < sealed.n))
		rc = -ERR_TOO_LONG;
	if (rc == 0)
		wbuf_bytes(out, text, sealed.n);
	secret_wipe(text, sealed.n);
	return rc;
}
