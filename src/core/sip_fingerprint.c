/*
 * What makes two requests the same (DESIGN 6.4): SHA-256 over a key and the
 * parts of the message, cut to SIP_FINGERPRINT_SIZE. Each part is counted, so
 * that no octet can move from one into its neighbour. Keyed, because whoever
 * could make two requests collide could replay credentials; no HMAC, because
 * the result never leaves the process and is cut, so there is nothing to
 * extend.
 *
 * Blanks and folds may be written anew on the way through a proxy: each run
 * of them counts as one SP (RFC 3261 7.3.1), which needs a buffer. It is a
 * small one that is folded into a chaining value whenever it is full.
 */

#include <string.h>

#include "core/err.h"
#include "core/secret.h"
#include "core/sip_lex.h"
#include "core/sip_message.h"

#define KEY_SIZE	32
#define CHAIN_SIZE	32	/* SHA-256 */
#define BLOCK_SIZE	1024

/* The first octet hashed: a block inside the chain is never its end. */
enum block {
	BLOCK_MORE = 0,
	BLOCK_LAST
};

struct chain {
	struct crypto	*crypto;
	struct span	 key;
	uint8_t		 value[CHAIN_SIZE];
	uint8_t		 block[BLOCK_SIZE];
	size_t		 n;
	int		 rc;
};

/* value = H(key | kind | value | block | tail); all but the last two fixed */
static void
chain_link(struct chain *chain, enum block kind, struct span tail)
{
	uint8_t first = (uint8_t)kind, next[CHAIN_SIZE];
	const struct span parts[] = {
		chain->key,
		{ &first, sizeof(first) },
		{ chain->value, sizeof(chain->value) },
		{ chain->block, chain->n },
		tail
	};

	if (chain->rc != 0)
		return;
	chain->rc = crypto_hash(chain->crypto, HASH_SHA_256, parts,
	    sizeof(parts) / sizeof(parts[0]), next);
	memcpy(chain->value, next, sizeof(chain->value));
	chain->n = 0;
}

static void
put_octet(struct chain *chain, uint8_t c)
{
	if (chain->n == sizeof(chain->block))
		chain_link(chain, BLOCK_MORE, SPAN_EMPTY);
	if (chain->rc == 0)
		chain->block[chain->n++] = c;
}

static void
put_number(struct chain *chain, uint64_t number)
{
	for (unsigned int shift = 64; shift > 0; shift -= 8)
		put_octet(chain, (uint8_t)(number >> (shift - 8)));
}

/* Passes value on with each run of blanks as one SP, or only counts it. */
static size_t
put_text(struct chain *chain, struct span value)
{
	size_t count = 0;

	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		if (sip_is_blank(c)) {
			if (i > 0 && sip_is_blank(value.p[i - 1]))
				continue;
			c = ' ';
		}
		if (chain != NULL)
			put_octet(chain, c);
		count++;
	}
	return count;
}

static void
put_part(struct chain *chain, struct span value)
{
	put_number(chain, put_text(NULL, value));
	(void)put_text(chain, value);
}

/* By name, whose order means nothing (RFC 3261 7.3.1), then as they came. */
static void
put_effects(struct chain *chain, const struct sip_message *message)
{
	size_t left = message->effect_count;

	put_number(chain, left);
	for (unsigned int name = 0; left > 0; name++) {
		for (size_t i = 0; i < message->effect_count; i++) {
			if (message->effects[i].name != name)
				continue;
			put_octet(chain, (uint8_t)name);
			put_part(chain, message->effects[i].value);
			left--;
		}
	}
}

int
sip_fingerprint(struct crypto *crypto, const uint8_t *key,
    const struct sip_message *message, enum sip_role role, uint8_t *out)
{
	struct chain chain = {
		.crypto = crypto, .key = { key, KEY_SIZE }
	};

	put_octet(&chain, (uint8_t)role);
	put_part(&chain, message->method);
	put_part(&chain, message->uri);
	put_part(&chain, message->from.value);
	put_part(&chain, message->to.value);
	put_part(&chain, message->call_id);
	put_effects(&chain, message);
	/* A registrar tells a retransmission from a new request by it. */
	if (role == SIP_REGISTRAR)
		put_number(&chain, message->cseq);
	put_number(&chain, message->body.n);
	chain_link(&chain, BLOCK_LAST, message->body);

	if (chain.rc == 0)
		memcpy(out, chain.value, SIP_FINGERPRINT_SIZE);
	else
		memset(out, 0, SIP_FINGERPRINT_SIZE);
	secret_wipe(chain.value, sizeof(chain.value));
	return chain.rc;
}
