/*
 * Digest arithmetic: RFC 7616 section 3.4, which contains RFC 3261 22.4 (MD5)
 * and RFC 2069 (no qop), for the algorithms of RFC 8760. Everything a peer
 * sent is hashed octet for octet as it came: nc=0000000A keeps its capital A,
 * the uri is never normalised. Nothing is allocated, for this runs once per
 * request. Never decides anything: the comparison with what the peer answered
 * stands in verify.c.
 */

#include "core/digest.h"

#include "core/err.h"
#include "core/hex.h"
#include "core/secret.h"
#include "core/wbuf.h"

#define NC_SIZE		8	/* hex digits, RFC 7616 3.4 */
#define COLON		SPAN_LIT(":")
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*name;
	enum hash_id	 hash;
} algs[DIGEST_ALG_COUNT] = {
	[DIGEST_NONE] = { "none", HASH_NONE },
	[DIGEST_MD5] = { "MD5", HASH_MD5 },
	[DIGEST_SHA_256] = { "SHA-256", HASH_SHA_256 },
	[DIGEST_SHA_512_256] = { "SHA-512-256", HASH_SHA_512_256 }
};

enum qop {
	QOP_NONE,
	QOP_AUTH,
	QOP_AUTH_INT
};

/* Hex digits of one hash on the stack. */
struct hex {
	uint8_t	p[DIGEST_HEX_MAX];
	size_t	n;
};

int
digest_alg_parse(struct span token, enum digest_alg *alg, bool *sess)
{
	static const struct span suffix = {
		(const uint8_t *)"-sess", sizeof("-sess") - 1
	};
	struct span name;

	*alg = DIGEST_NONE;
	*sess = false;
	if (token.n == 0) {
		*alg = DIGEST_MD5;
		return 0;
	}
	if (token.n >= 2 && token.p[0] == '"' && token.p[token.n - 1] == '"')
		token = span_head(span_tail(token, 1), token.n - 2);
	name = token;
	if (token.n > suffix.n && span_equal_nocase(suffix,
	    span_tail(token, token.n - suffix.n)))
		name = span_head(token, token.n - suffix.n);
	for (int i = DIGEST_NONE + 1; i < DIGEST_ALG_COUNT; i++) {
		if (!span_equal_nocase(name, span_str(algs[i].name)))
			continue;
		*alg = (enum digest_alg)i;
		*sess = name.n != token.n;
		return 0;
	}
	return -ERR_UNSUPPORTED;
}

const char *
digest_alg_name(enum digest_alg alg)
{
	return algs[alg < DIGEST_ALG_COUNT ? alg : DIGEST_NONE].name;
}

enum hash_id
digest_alg_hash(enum digest_alg alg)
{
	return algs[alg < DIGEST_ALG_COUNT ? alg : DIGEST_NONE].hash;
}

size_t
digest_alg_size(enum digest_alg alg)
{
	return hash_size(digest_alg_hash(alg));
}

int
digest_ha1(struct crypto *crypto, enum digest_alg alg, struct span username,
    struct span realm, struct span password, uint8_t *ha1)
{
	const struct span parts[] = {
		username, COLON, realm, COLON, password
	};

	return crypto_hash(crypto, digest_alg_hash(alg), parts, COUNT(parts),
	    ha1);
}

static struct span
hex_span(const struct hex *hex)
{
	return span_mem(hex->p, hex->n);
}

static void
hex_write(struct hex *hex, const uint8_t *raw, size_t n)
{
	struct wbuf wb;

	wbuf_init(&wb, hex->p, sizeof(hex->p));
	wbuf_hex(&wb, span_mem(raw, n));
	hex->n = wb.n;
}

/* hex = H(parts) as text. */
static int
hash_hex(struct crypto *crypto, enum digest_alg alg, const struct span *parts,
    size_t count, struct hex *hex)
{
	uint8_t raw[HASH_SIZE_MAX];
	int rc;

	rc = crypto_hash(crypto, digest_alg_hash(alg), parts, count, raw);
	if (rc == 0)
		hex_write(hex, raw, digest_alg_size(alg));
	secret_wipe(raw, sizeof(raw));
	return rc;
}

static bool
is_hex(struct span s, size_t n)
{
	if (s.n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = ascii_lower(s.p[i]);

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

/* Reads qop and checks what it asks of the other parameters. */
static int
check_params(const struct digest_params *params, enum qop *qop)
{
	if (params->qop.n == 0)
		*qop = QOP_NONE;
	else if (span_equal_nocase(params->qop, SPAN_LIT("auth")))
		*qop = QOP_AUTH;
	else if (span_equal_nocase(params->qop, SPAN_LIT("auth-int")))
		*qop = QOP_AUTH_INT;
	else
		return -ERR_FORMAT;
	if ((*qop != QOP_NONE || params->sess) &&
	    (params->cnonce.n == 0 || !is_hex(params->nc, NC_SIZE)))
		return -ERR_FORMAT;
	if (*qop == QOP_AUTH_INT &&
	    !is_hex(params->body_hash, 2 * digest_alg_size(params->alg)))
		return -ERR_FORMAT;
	return 0;
}

/*
 * HA1 as it stands in the formula. For -sess the inner HA1 is hex text, not
 * the raw octets of DIGEST-MD5 (RFC 2617 erratum 1649).
 */
static int
make_ha1(struct crypto *crypto, const uint8_t *ha1,
    const struct digest_params *params, struct hex *out)
{
	struct hex inner;
	int rc;

	hex_write(&inner, ha1, digest_alg_size(params->alg));
	if (params->sess) {
		const struct span parts[] = {
			hex_span(&inner), COLON, params->nonce, COLON,
			params->cnonce
		};

		rc = hash_hex(crypto, params->alg, parts, COUNT(parts), out);
	} else {
		*out = inner;
		rc = 0;
	}
	secret_wipe(&inner, sizeof(inner));
	return rc;
}

static int
respond(struct crypto *crypto, const uint8_t *ha1,
    const struct digest_params *params, struct span method, uint8_t *out)
{
	struct hex a1 = { .n = 0 }, a2 = { .n = 0 }, response = { .n = 0 };
	enum qop qop;
	int rc;

	if (digest_alg_size(params->alg) == 0)
		return -ERR_UNSUPPORTED;
	rc = check_params(params, &qop);
	if (rc != 0)
		return rc;
	rc = make_ha1(crypto, ha1, params, &a1);
	if (rc == 0) {
		const struct span parts[] = {
			method, COLON, params->uri, COLON, params->body_hash
		};

		rc = hash_hex(crypto, params->alg, parts,
		    qop == QOP_AUTH_INT ? 5 : 3, &a2);
	}
	if (rc == 0 && qop == QOP_NONE) {
		const struct span parts[] = {
			hex_span(&a1), COLON, params->nonce, COLON,
			hex_span(&a2)
		};

		rc = hash_hex(crypto, params->alg, parts, COUNT(parts),
		    &response);
	} else if (rc == 0) {
		const struct span parts[] = {
			hex_span(&a1), COLON, params->nonce, COLON,
			params->nc, COLON, params->cnonce, COLON,
			params->qop, COLON, hex_span(&a2)
		};

		rc = hash_hex(crypto, params->alg, parts, COUNT(parts),
		    &response);
	}
	for (size_t i = 0; rc == 0 && i < response.n; i++)
		out[i] = response.p[i];
	secret_wipe(&a1, sizeof(a1));
	secret_wipe(&response, sizeof(response));
	return rc;
}

int
digest_response(struct crypto *crypto, const uint8_t *ha1,
    const struct digest_params *params, uint8_t *out)
{
	return respond(crypto, ha1, params, params->method, out);
}

int
digest_rspauth(struct crypto *crypto, const uint8_t *ha1,
    const struct digest_params *params, uint8_t *out)
{
	return respond(crypto, ha1, params, SPAN_EMPTY, out);
}
