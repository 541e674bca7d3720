/*
 * Verifiers for those who have none: HMAC-SHA-256 keyed with the name's seed,
 * over a label per purpose. Stable, so that asking twice tells nothing; drawn
 * like the real ones in salt alphabet, salt length and iterations, so that
 * asking once tells nothing either (STANDARDS 9.3). The keys are no hash of
 * anything, so no password fits, and verify.c refuses them even if one did.
 */

#include "core/fake.h"

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/secret.h"

#define FAKE_BLOCK		32	/* octets of HMAC-SHA-256 */
#define FAKE_ITERATIONS		10000	/* the schema's default */
#define SALT_RANDOM		18	/* octets behind SCRAM_SALT_NEW */
#define SALT_UUID		36	/* octets of a UUID in text */

_Static_assert(BASE64_SIZE(SALT_RANDOM) == SCRAM_SALT_NEW, "new salts");

/*
 * out (n <= 64 octets) = HMAC(seed, label 0 name 0 form block) for block 1,
 * 2. The strings are ours and contain no NUL.
 */
static int
fake_octets(struct crypto *crypto, const struct credential *credential,
    const char *label, const char *name, enum name_form form, uint8_t *out,
    size_t n)
{
	uint8_t tail[2] = { form == FORM_FULL ? 1 : 0, 0 };
	uint8_t block[FAKE_BLOCK];
	struct span seed, parts[5];
	int rc = 0;

	seed = span_mem(credential->seed, sizeof(credential->seed));
	parts[0] = span_str(label);
	parts[1] = SPAN_LIT("\0");
	parts[2] = span_str(name);
	parts[3] = SPAN_LIT("\0");
	parts[4] = span_mem(tail, sizeof(tail));
	for (size_t done = 0; rc == 0 && done < n; done += sizeof(block)) {
		size_t take = n - done;

		tail[1]++;
		rc = crypto_hmac(crypto, HASH_SHA_256, seed, parts, 5, block);
		memcpy(out + done, block,
		    take < sizeof(block) ? take : sizeof(block));
	}
	secret_wipe(block, sizeof(block));
	if (rc != 0)
		secret_wipe(out, n);
	return rc;
}

/* The text of a random UUID (RFC 9562 section 5.4) from 36 random octets. */
static void
make_uuid(uint8_t *salt)
{
	static const char pattern[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
	static const char digits[] = "0123456789abcdef";

	_Static_assert(sizeof(pattern) == SALT_UUID + 1, "length of a UUID");
	for (size_t i = 0; i < SALT_UUID; i++) {
		if (pattern[i] == 'x')
			salt[i] = (uint8_t)digits[salt[i] & 15];
		else if (pattern[i] == 'y')
			salt[i] = (uint8_t)digits[8 | (salt[i] & 3)];
		else
			salt[i] = (uint8_t)pattern[i];
	}
}

/*
 * Salts of ours are base64 text, and Prosody's (imported) the text of a UUID;
 * all others that we know of are random octets.
 */
static int
fake_salt(struct crypto *crypto, const struct credential *credential,
    struct scram_verifier *out)
{
	const char *name = scram_mech_name(out->mech);
	uint8_t random[SALT_RANDOM];
	struct wbuf wb;
	int rc;

	if (out->salt_n != SCRAM_SALT_NEW) {
		rc = fake_octets(crypto, credential, "salt", name, FORM_LOCAL,
		    out->salt, out->salt_n);
		if (rc == 0 && out->salt_n == SALT_UUID)
			make_uuid(out->salt);
		return rc;
	}
	rc = fake_octets(crypto, credential, "salt", name, FORM_LOCAL, random,
	    sizeof(random));
	wbuf_init(&wb, out->salt, sizeof(out->salt));
	wbuf_base64(&wb, span_mem(random, sizeof(random)));
	return rc;
}

static bool
is_iterations(uint32_t i)
{
	return i >= SCRAM_ITERATIONS_MIN && i <= SCRAM_ITERATIONS_MAX;
}

int
fake_scram(struct crypto *crypto, const struct credential *credential,
    enum scram_mech mech, struct scram_verifier *out)
{
	size_t key_n = hash_size(scram_mech_hash(mech));
	int rc;

	memset(out, 0, sizeof(*out));
	if (mech <= SCRAM_NONE || mech >= SCRAM_MECH_COUNT)
		return -ERR_UNSUPPORTED;
	out->mech = mech;
	out->iterations = is_iterations(credential->fake_iterations) ?
	    credential->fake_iterations :
	    is_iterations(credential->policy.iterations) ?
	    credential->policy.iterations : FAKE_ITERATIONS;
	out->salt_n = credential->fake_salt_n;
	if (out->salt_n == 0 || out->salt_n > SCRAM_SALT_MAX)
		out->salt_n = SCRAM_SALT_NEW;
	rc = fake_salt(crypto, credential, out);
	if (rc == 0)
		rc = fake_octets(crypto, credential, "stored",
		    scram_mech_name(mech), FORM_LOCAL, out->stored_key, key_n);
	if (rc == 0)
		rc = fake_octets(crypto, credential, "server",
		    scram_mech_name(mech), FORM_LOCAL, out->server_key, key_n);
	if (rc != 0)
		secret_wipe(out, sizeof(*out));
	return rc;
}

int
fake_ha1(struct crypto *crypto, const struct credential *credential,
    enum digest_alg alg, enum name_form form, uint8_t *out)
{
	secret_wipe(out, DIGEST_SIZE_MAX);
	if (alg <= DIGEST_NONE || alg >= DIGEST_ALG_COUNT)
		return -ERR_UNSUPPORTED;
	return fake_octets(crypto, credential, "ha1", digest_alg_name(alg),
	    form, out, digest_alg_size(alg));
}
