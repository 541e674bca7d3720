/*
 * Freshness of digests (RFC 5090 3.2, 3.3 and 8.1; STANDARDS 9.2): what a use
 * of a nonce is, whether it may be, and the challenge that asks for another.
 *
 * What is kept of a request is a keyed hash, never its digest. Every part of a
 * use must be in the hash of its response or be bound by the key of the table,
 * else who captured a response could change that part and be new again.
 */

#include "doors/radius_nonce.h"

#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/secret.h"

#define PARTS_MAX	8
#define HASHED_SIZE	32	/* octets of SHA-256 */
#define SUB_HEADER_SIZE	2	/* of draft-sterman's sub-attributes */

/* Attributes of RFC 5090 in a challenge, and sub-attributes of 207. */
enum {
	DIGEST_REALM = 104, SUB_REALM = 1,
	DIGEST_NONCE = 105, SUB_NONCE = 2,
	DIGEST_QOP = 110, SUB_QOP = 5,
	DIGEST_ALGORITHM = 111, SUB_ALGORITHM = 6,
	DIGEST_DOMAIN = 119,
	DIGEST_STALE = 120,
	STERMAN_ATTRIBUTES = 207
};

/*
 * out = SHA-256(key | lengths | parts): unambiguous by the lengths, and always
 * cut afterwards, so that nobody can go on where it ends. For tables, not for
 * proofs, hence at half the price of an HMAC.
 */
static int
hash_parts(struct crypto *crypto, const uint8_t *key,
    const struct span *parts, size_t count, uint8_t *out)
{
	uint8_t lengths[2 * PARTS_MAX];
	struct span all[PARTS_MAX + 2];
	struct wbuf wb;

	wbuf_init(&wb, lengths, sizeof(lengths));
	for (size_t i = 0; i < count; i++) {
		/* Nothing in a packet is longer than 16 bits can say. */
		wbuf_u16(&wb, (uint16_t)parts[i].n);
		all[i + 2] = parts[i];
	}
	all[0] = span_mem(key, RADIUS_NONCE_KEY_SIZE);
	all[1] = wbuf_written(&wb);
	return crypto_hash(crypto, HASH_SHA_256, all, count + 2, out);
}

static struct span
lower(struct span in, uint8_t *out, size_t cap)
{
	in = span_head(in, cap);
	for (size_t i = 0; i < in.n; i++)
		out[i] = ascii_lower(in.p[i]);
	return span_mem(out, in.n);
}

/* The nonce count, 0 if there is none that can be. */
static uint32_t
read_nc(struct span text)
{
	uint8_t nc[4];

	if (hex_decode(text, nc, sizeof(nc)) != 0)
		return 0;
	return (uint32_t)nc[0] << 24 | (uint32_t)nc[1] << 16 |
	    (uint32_t)nc[2] << 8 | nc[3];
}

enum radius_form
radius_ours_form(struct digest_params *params, enum digest_alg alg)
{
	if (params->alg == DIGEST_NONE && !params->sess &&
	    params->response.n == 2 * digest_alg_size(alg))
		params->alg = alg;
	/* Without qop there is no defence against replay (DESIGN 6.7). */
	if (params->alg != alg || params->sess || params->qop.n == 0)
		return RADIUS_FORM_OTHER;
	if (!span_equal_nocase(params->qop, SPAN_LIT("auth")) ||
	    params->cnonce.n == 0 || read_nc(params->nc) == 0)
		return RADIUS_FORM_BROKEN;
	return RADIUS_FORM_OK;
}

int
radius_ours_read(struct crypto *crypto, const uint8_t *key,
    const struct nonce_keys *keys, const struct radius_request *request,
    struct span realm, struct radius_ours *out)
{
	const struct digest_params *params = &request->asked.digest;
	const struct span parts[] = {
		params->method, params->uri, params->username,
		params->cnonce, params->response, request->asked.lookup_name,
		span_str(request->asked.aor.localpart),
		span_str(request->asked.aor.domain)
	};
	uint8_t hash[HASHED_SIZE];
	int rc;

	out->origin = nonce_read(crypto, keys, params->nonce, realm,
	    params->alg, &out->nonce);
	out->nc = read_nc(params->nc);
	rc = hash_parts(crypto, key, parts, sizeof(parts) / sizeof(parts[0]),
	    hash);
	memcpy(out->fingerprint, hash, sizeof(out->fingerprint));
	secret_wipe(hash, sizeof(hash));
	return rc;
}

enum reason
radius_ours_judge(struct replay *replay, const struct replay_settings *window,
    const struct radius_ours *ours, struct span realm, uint64_t now_us)
{
	uint64_t age = now_us > ours->nonce.time_us ?
	    now_us - ours->nonce.time_us : 0;
	const struct replay_use use = {
		.origin = ours->origin,
		.nonce = &ours->nonce,
		/* NB: the table's spelling: in no digest is the request's. */
		.realm = realm,
		.nc = ours->nc,
		.fingerprint = ours->fingerprint
	};

	if (replay_use(replay, &use, now_us) != REPLAY_STALE)
		return REASON_OK;
	/* It could have been used, so it has been. */
	if (ours->origin != NONCE_UNKNOWN && age <= window->lifetime_us &&
	    (ours->origin == NONCE_OWN || age <= window->foreign_us))
		return REASON_REPLAY;
	return REASON_STALE;
}

/*
 * Key: client, user, realm, nonce, cnonce, nc. Without qop neither cnonce nor
 * nc are in the digest, and each request over one nonce is a use of its own:
 * there the response takes their place (a BYE passes over the nonce of its
 * INVITE, and only the age of a repetition is judged).
 */
int
radius_theirs_read(struct crypto *crypto, const uint8_t *key,
    const char *client, const struct digest_params *params,
    struct radius_use_of *out)
{
	uint8_t hash[HASHED_SIZE], realm[REALM_MAX], hex[DIGEST_HEX_MAX];
	struct span response = lower(params->response, hex, sizeof(hex));
	const struct span parts[] = {
		span_str(client), params->username,
		lower(params->realm, realm, sizeof(realm)), params->nonce,
		params->qop.n > 0 ? params->cnonce : response,
		params->qop.n > 0 ? params->nc : SPAN_EMPTY
	};
	int rc;

	rc = hash_parts(crypto, key, parts, sizeof(parts) / sizeof(parts[0]),
	    hash);
	memcpy(out->key, hash, sizeof(out->key));
	if (rc == 0)
		rc = hash_parts(crypto, key, &response, 1, hash);
	memcpy(out->response, hash, sizeof(out->response));
	secret_wipe(hash, sizeof(hash));
	secret_wipe(hex, sizeof(hex));
	return rc;
}

/* One value under its number of RFC 5090, or as a sub-attribute. */
static void
write_value(struct wbuf *out, bool sterman, uint8_t type, uint8_t sub,
    struct span value)
{
	uint8_t octets[RADIUS_VALUE_MAX];
	struct wbuf wb;

	if (!sterman) {
		radius_attribute_write(out, type, value);
		return;
	}
	wbuf_init(&wb, octets, sizeof(octets));
	wbuf_u8(&wb, sub);
	wbuf_u8(&wb, (uint8_t)(value.n + SUB_HEADER_SIZE));
	wbuf_span(&wb, value);
	out->failed |= wb.failed;
	radius_attribute_write(out, STERMAN_ATTRIBUTES, wbuf_written(&wb));
}

/*
 * draft-sterman has neither domain nor stale: they go under RFC 5090's numbers
 * always, who does not know them skips them. State is left out: a SIP server
 * cannot keep it between two SIP requests (STANDARDS 5.2).
 */
void
radius_challenge_write(const struct radius_challenge *challenge,
    struct wbuf *out)
{
	const bool sterman = challenge->sterman;
	struct span rest = challenge->domain, uri;

	write_value(out, sterman, DIGEST_REALM, SUB_REALM, challenge->realm);
	write_value(out, sterman, DIGEST_NONCE, SUB_NONCE, challenge->nonce);
	write_value(out, sterman, DIGEST_QOP, SUB_QOP, SPAN_LIT("auth"));
	write_value(out, sterman, DIGEST_ALGORITHM, SUB_ALGORITHM,
	    span_str(digest_alg_name(challenge->alg)));
	while (rest.n > 0) {
		uri = span_head(rest, span_find(rest, ' '));
		rest = span_tail(rest, uri.n + 1);
		/* One too long for an attribute is left out. */
		if (uri.n > 0 && uri.n <= RADIUS_VALUE_MAX)
			radius_attribute_write(out, DIGEST_DOMAIN, uri);
	}
	if (challenge->stale)
		radius_attribute_write(out, DIGEST_STALE, SPAN_LIT("true"));
}
