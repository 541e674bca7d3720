/*
 * nonce_read() and nonce_keys_parse(). Input: the text of a nonce, a newline,
 * a key file. The one nonce that is known without a key file is the vector of
 * STANDARDS 9.2 as in test_nonce.c.
 */

#include <string.h>

#include "core/err.h"
#include "core/nonce.h"
#include "core/secret.h"
#include "fuzz.h"

#define VECTOR	"AQAGCiQYHkAAABEiM0RVZneImaq7zN3u_wV4UvfORke4ebrz2Le840Q"
#define REALM	SPAN_LIT("example.com")

static void
check_keys(struct crypto *crypto, struct span text)
{
	static const struct nonce_keys none;
	struct nonce_keys keys = { .count = 0 };
	char made[NONCE_TEXT_SIZE + 1];
	struct nonce nonce;
	unsigned int line;
	int rc = nonce_keys_parse(text, &keys, &line);

	FUZZ_MUST(line <= text.n);
	if (rc != 0) {
		FUZZ_MUST(rc == -ERR_FORMAT);
		FUZZ_MUST(secret_equal(&keys, &none, sizeof(keys)));
		return;
	}
	FUZZ_MUST(keys.count > 0 && keys.count <= NONCE_KEYS_MAX);
	FUZZ_MUST(keys.count < 2 || !secret_equal(keys.key[0], keys.key[1],
	    NONCE_KEY_SIZE));
	FUZZ_MUST(nonce_make(crypto, &keys, REALM, DIGEST_MD5, 7, made) == 0);
	FUZZ_MUST(nonce_read(crypto, &keys, span_str(made), REALM,
	    DIGEST_MD5, &nonce) == NONCE_OWN && nonce.time_us == 7);
	nonce_keys_wipe(&keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nonce none;
	static struct nonce_keys keys = { .count = 1 };
	static struct crypto *crypto;
	struct span rest = span_mem(data, size);
	struct span text = fuzz_line(&rest);
	struct nonce nonce;

	if (crypto == NULL) {
		FUZZ_MUST(crypto_new(NULL, &crypto) == 0);
		for (size_t i = 0; i < NONCE_KEY_SIZE; i++)
			keys.key[0][i] = (uint8_t)i;
	}
	check_keys(crypto, rest);
	memset(&nonce, 0x5e, sizeof(nonce));
	if (nonce_read(crypto, &keys, text, REALM, DIGEST_NONE, &nonce) ==
	    NONCE_UNKNOWN)
		FUZZ_MUST(nonce.time_us == 0 && span_equal(span_mem(&nonce,
		    sizeof(nonce)), span_mem(&none, sizeof(none))));
	else
		FUZZ_MUST(span_equal(text, SPAN_LIT(VECTOR)) &&
		    nonce.time_us == UINT64_C(1700000000000000));
	return 0;
}
