/*
 * seal_keyring_parse() and seal_open(). Input: a sealed text, a newline, a
 * key file. The one sealed text that opens is the vector of test_seal.c.
 */

#include <string.h>

#include "core/err.h"
#include "core/seal.h"
#include "core/secret.h"
#include "fuzz.h"

#define VECTOR \
	"sealed:1:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"\
	"H0k="

static void
check_keyring(struct span text)
{
	static const struct seal_keyring none;
	struct seal_keyring ring;
	unsigned int line;

	if (seal_keyring_parse(text, &ring, &line) != 0) {
		FUZZ_MUST(secret_equal(&ring, &none, sizeof(ring)));
		return;
	}
	FUZZ_MUST(ring.count > 0 && ring.count <= SEAL_KEYS_MAX);
	for (size_t i = 0; i < ring.count; i++)
		FUZZ_MUST(ring.keys[i].id[0] != '\0' &&
		    ring.keys[i].id[SEAL_KEY_ID_MAX] == '\0');
	seal_keyring_wipe(&ring);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct account alice = { "alice", "example.com" };
	static const uint8_t none[32];
	static struct seal_keyring ring = { .keys[0].id = "k1", .count = 1 };
	static struct crypto *crypto;
	const struct seal_place place = { &alice, SPAN_LIT("example.com"),
	    SPAN_LIT("MD5"), FORM_LOCAL };
	struct span rest = span_mem(data, size);
	struct span text = fuzz_line(&rest);
	uint8_t out[32];

	if (crypto == NULL) {
		FUZZ_MUST(crypto_new(NULL, &crypto) == 0);
		for (size_t i = 0; i < GCM_KEY_SIZE; i++)
			ring.keys[0].key[i] = (uint8_t)i;
	}
	check_keyring(rest);
	(void)seal_is_sealed(text);
	if (seal_open(crypto, &ring, &place, text, out, 16) == 0)
		FUZZ_MUST(span_equal(text, SPAN_LIT(VECTOR)));
	else
		FUZZ_MUST(secret_equal(out, none, 16));
	FUZZ_MUST(seal_open(crypto, &ring, &place, text, out, 32) != 0);
	FUZZ_MUST(secret_equal(out, none, 32));
	return 0;
}
