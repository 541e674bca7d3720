/*
 * SCRAM verifiers: RFC 5802 section 3 (derivation), RFC 5803 (their text, the
 * one PostgreSQL and Cyrus SASL use too), RFC 7677 (SHA-256). A row's text is
 * untrusted: RFC 5803 asks for validation before use, so nothing but the one
 * canonical spelling is read, and the iteration count is bounded lest a row
 * buys hours of work. Never prepares a password (saslprep.h), never logs.
 */

#include "core/scram.h"

#include "core/base64.h"
#include "core/err.h"
#include "core/rbuf.h"
#include "core/secret.h"

#define NAME_MAX_OCTETS		16
#define ITERATION_DIGITS_MAX	5	/* of SCRAM_ITERATIONS_MAX */
#define SALT_RANDOM		(SCRAM_SALT_NEW / 4 * 3)

static const struct {
	const char	*name;
	enum hash_id	 hash;
} mechs[SCRAM_MECH_COUNT] = {
	[SCRAM_NONE] = { "none", HASH_NONE },
	[SCRAM_SHA_1] = { "SCRAM-SHA-1", HASH_SHA_1 },
	[SCRAM_SHA_256] = { "SCRAM-SHA-256", HASH_SHA_256 },
	[SCRAM_SHA_512] = { "SCRAM-SHA-512", HASH_SHA_512 }
};

const char *
scram_mech_name(enum scram_mech mech)
{
	return mechs[mech < SCRAM_MECH_COUNT ? mech : SCRAM_NONE].name;
}

enum hash_id
scram_mech_hash(enum scram_mech mech)
{
	return mechs[mech < SCRAM_MECH_COUNT ? mech : SCRAM_NONE].hash;
}

enum scram_mech
scram_mech_parse(struct span name)
{
	for (int i = SCRAM_NONE + 1; i < SCRAM_MECH_COUNT; i++)
		if (span_equal(name, span_str(mechs[i].name)))
			return (enum scram_mech)i;
	return SCRAM_NONE;
}

int
scram_new_salt(struct crypto *crypto, uint8_t *salt)
{
	uint8_t octets[SALT_RANDOM];
	struct wbuf wb;
	int rc;

	rc = crypto_random(crypto, octets, sizeof(octets));
	if (rc != 0) {
		secret_wipe(salt, SCRAM_SALT_NEW);
		return rc;
	}
	wbuf_init(&wb, salt, SCRAM_SALT_NEW);
	wbuf_base64(&wb, span_mem(octets, sizeof(octets)));
	return 0;
}

/* The bounds that every verifier in use keeps. */
static int
check_bounds(enum scram_mech mech, size_t salt_n, uint32_t iterations)
{
	if (hash_size(scram_mech_hash(mech)) == 0)
		return -ERR_UNSUPPORTED;
	if (salt_n == 0)
		return -ERR_FORMAT;
	if (salt_n > SCRAM_SALT_MAX)
		return -ERR_TOO_LONG;
	if (iterations < SCRAM_ITERATIONS_MIN ||
	    iterations > SCRAM_ITERATIONS_MAX)
		return -ERR_RANGE;
	return 0;
}

/*
 * SaltedPassword = Hi(password, salt, i)
 * StoredKey = H(HMAC(SaltedPassword, "Client Key"))
 * ServerKey = HMAC(SaltedPassword, "Server Key")
 *
 * server_key may be NULL. Both results hold SCRAM_KEY_MAX octets.
 */
static int
derive(struct crypto *crypto, enum hash_id hash, struct span password,
    struct span salt, uint32_t iterations, uint8_t *stored_key,
    uint8_t *server_key)
{
	uint8_t salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX];
	struct span key = span_mem(salted, hash_size(hash));
	struct span client_key = span_mem(client, hash_size(hash));
	int rc;

	rc = crypto_pbkdf2(crypto, hash, password, salt, iterations, salted);
	if (rc == 0)
		rc = crypto_hmac(crypto, hash, key,
		    &SPAN_LIT("Client Key"), 1, client);
	if (rc == 0)
		rc = crypto_hash(crypto, hash, &client_key, 1, stored_key);
	if (rc == 0 && server_key != NULL)
		rc = crypto_hmac(crypto, hash, key,
		    &SPAN_LIT("Server Key"), 1, server_key);
	secret_wipe(salted, sizeof(salted));
	secret_wipe(client, sizeof(client));
	return rc;
}

int
scram_make(struct crypto *crypto, enum scram_mech mech, struct span password,
    struct span salt, uint32_t iterations, struct scram_verifier *out)
{
	int rc;

	*out = (struct scram_verifier){ .mech = SCRAM_NONE };
	rc = check_bounds(mech, salt.n, iterations);
	if (rc != 0)
		return rc;
	if (password.n == 0)
		return -ERR_FORMAT;
	rc = derive(crypto, scram_mech_hash(mech), password, salt, iterations,
	    out->stored_key, out->server_key);
	if (rc != 0) {
		secret_wipe(out, sizeof(*out));
		return rc;
	}
	out->mech = mech;
	out->iterations = iterations;
	out->salt_n = salt.n;
	for (size_t i = 0; i < salt.n; i++)
		out->salt[i] = salt.p[i];
	return 0;
}

/* Decimal, no sign, no leading zero, bounded by its length. */
static int
parse_iterations(struct span digits, uint32_t *out)
{
	uint32_t v = 0;

	if (digits.n == 0 || digits.p[0] == '0')
		return -ERR_FORMAT;
	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return -ERR_FORMAT;
	if (digits.n > ITERATION_DIGITS_MAX)
		return -ERR_RANGE;
	for (size_t i = 0; i < digits.n; i++)
		v = 10 * v + (uint32_t)(digits.p[i] - '0');
	*out = v;
	return 0;
}

static int
parse_key(struct span text, size_t size, uint8_t *key)
{
	size_t n;
	int rc = base64_decode(text, key, size, &n);

	/* A longer key is one of the wrong length, not one too big for us. */
	if (rc == -ERR_TOO_LONG || (rc == 0 && n != size))
		return -ERR_FORMAT;
	return rc;
}

/*
 * verifier = mech "$" iterations ":" salt "$" stored-key ":" server-key
 *
 * RFC 5803 allows blanks around "$"; who stores a row here never writes them.
 */
int
scram_parse(struct span text, struct scram_verifier *out)
{
	struct span name, digits, salt, stored_key, server_key;
	struct rbuf rb;
	size_t size;
	int rc;

	*out = (struct scram_verifier){ .mech = SCRAM_NONE };
	if (text.n > SCRAM_TEXT_MAX)
		return -ERR_TOO_LONG;
	rbuf_init(&rb, text.p, text.n);
	name = rbuf_until(&rb, '$', NAME_MAX_OCTETS);
	digits = rbuf_until(&rb, ':', SCRAM_TEXT_MAX);
	salt = rbuf_until(&rb, '$', SCRAM_TEXT_MAX);
	stored_key = rbuf_until(&rb, ':', SCRAM_TEXT_MAX);
	server_key = rbuf_rest(&rb, SCRAM_TEXT_MAX);
	if (!rbuf_done(&rb))
		return -ERR_FORMAT;
	out->mech = scram_mech_parse(name);
	size = hash_size(scram_mech_hash(out->mech));
	rc = size == 0 ? -ERR_UNSUPPORTED : 0;
	if (rc == 0)
		rc = parse_iterations(digits, &out->iterations);
	if (rc == 0)
		rc = base64_decode(salt, out->salt, sizeof(out->salt),
		    &out->salt_n);
	if (rc == 0)
		rc = parse_key(stored_key, size, out->stored_key);
	if (rc == 0)
		rc = parse_key(server_key, size, out->server_key);
	if (rc == 0)
		rc = check_bounds(out->mech, out->salt_n, out->iterations);
	if (rc != 0)
		secret_wipe(out, sizeof(*out));
	return rc;
}

void
scram_format(const struct scram_verifier *verifier, struct wbuf *wb)
{
	size_t size = hash_size(scram_mech_hash(verifier->mech));

	if (check_bounds(verifier->mech, verifier->salt_n,
	    verifier->iterations) != 0) {
		wb->failed = true;
		return;
	}
	wbuf_str(wb, scram_mech_name(verifier->mech));
	wbuf_u8(wb, '$');
	wbuf_dec(wb, verifier->iterations);
	wbuf_u8(wb, ':');
	wbuf_base64(wb, span_mem(verifier->salt, verifier->salt_n));
	wbuf_u8(wb, '$');
	wbuf_base64(wb, span_mem(verifier->stored_key, size));
	wbuf_u8(wb, ':');
	wbuf_base64(wb, span_mem(verifier->server_key, size));
}

enum verdict
scram_check(struct crypto *crypto, const struct scram_verifier *verifier,
    struct span password)
{
	uint8_t stored_key[SCRAM_KEY_MAX];
	enum verdict verdict = VERDICT_UNAVAILABLE;
	enum hash_id hash = scram_mech_hash(verifier->mech);

	if (check_bounds(verifier->mech, verifier->salt_n,
	    verifier->iterations) != 0)
		return VERDICT_UNAVAILABLE;
	/* Even where somebody stored a verifier of the empty password. */
	if (password.n == 0)
		return VERDICT_DENY;
	if (derive(crypto, hash, password,
	    span_mem(verifier->salt, verifier->salt_n), verifier->iterations,
	    stored_key, NULL) == 0)
		verdict = secret_equal(stored_key, verifier->stored_key,
		    hash_size(hash)) ? VERDICT_ALLOW : VERDICT_DENY;
	secret_wipe(stored_key, sizeof(stored_key));
	return verdict;
}
