/*
 * sip_message_parse(), sip_uri_parse() and sip_fingerprint(): views stay
 * inside the request, an error leaves nothing behind, both roles read the same
 * request, and LF for CRLF changes nothing but the values' folds.
 */

#include <string.h>

#include "core/err.h"
#include "core/sip_message.h"
#include "fuzz.h"

#define KEY_SIZE	32

static const uint8_t key[KEY_SIZE] = "fuzz";

static bool
inside(struct span part, struct span whole)
{
	return part.n == 0 || (part.p >= whole.p &&
	    part.p + part.n <= whole.p + whole.n);
}

static void
check_uri(struct span uri)
{
	struct span user, host;
	int rc = sip_uri_parse(uri, &user, &host);

	if (rc != 0) {
		FUZZ_MUST(rc == -ERR_FORMAT || rc == -ERR_UNSUPPORTED);
		FUZZ_MUST(user.n == 0 && host.n == 0);
		return;
	}
	FUZZ_MUST(inside(user, uri) && inside(host, uri) && host.n > 0);
	FUZZ_MUST(span_find(user, '@') == user.n);
	FUZZ_MUST(span_find(user, '\0') == user.n);
}

static void
check_party(const struct sip_party *party, struct span in)
{
	FUZZ_MUST(inside(party->value, in) && party->uri.n > 0);
	FUZZ_MUST(inside(party->uri, party->value));
	FUZZ_MUST(inside(party->tag, party->value));
	check_uri(party->uri);
}

static void
check_message(const struct sip_message *message, struct span in)
{
	struct span header = span_head(in, in.n - message->body.n);

	FUZZ_MUST(span_find(header, '\0') == header.n);
	FUZZ_MUST(message->body.n == 0 ||
	    message->body.p + message->body.n == in.p + in.n);
	FUZZ_MUST(message->method.n > 0 && inside(message->method, header));
	FUZZ_MUST(message->uri.n > 0 && inside(message->uri, header));
	FUZZ_MUST(message->call_id.n > 0 && inside(message->call_id, header));
	check_uri(message->uri);
	check_party(&message->from, header);
	check_party(&message->to, header);
	FUZZ_MUST(message->effect_count <= SIP_EFFECTS_MAX);
	for (size_t i = 0; i < message->effect_count; i++) {
		FUZZ_MUST(message->effects[i].name < SIP_EFFECT_COUNT);
		FUZZ_MUST(inside(message->effects[i].value, header));
	}
	FUZZ_MUST(message->row_count <= SIP_ROWS_MAX);
	for (size_t i = 0; i < message->row_count; i++)
		FUZZ_MUST(inside(message->rows[i], header));
}

/* The header without CR must give the same request and fingerprint. */
static void
check_lf(struct crypto *crypto, const struct sip_message *message,
    struct span in)
{
	static uint8_t copy[SIP_MESSAGE_MAX];
	uint8_t out[2][SIP_FINGERPRINT_SIZE];
	struct sip_message other;
	size_t n = 0;

	for (size_t i = 0; i < in.n - message->body.n; i++)
		if (in.p[i] != '\r')
			copy[n++] = in.p[i];
	if (message->body.n > 0)
		memcpy(copy + n, message->body.p, message->body.n);
	FUZZ_MUST(sip_message_parse(span_mem(copy, n + message->body.n),
	    SIP_PROXY, &other) == 0);
	FUZZ_MUST(other.row_count == message->row_count);
	FUZZ_MUST(sip_fingerprint(crypto, key, message, SIP_REGISTRAR,
	    out[0]) == 0);
	FUZZ_MUST(sip_fingerprint(crypto, key, &other, SIP_REGISTRAR,
	    out[1]) == 0);
	FUZZ_MUST(memcmp(out[0], out[1], sizeof(out[0])) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct crypto *crypto;
	static const struct sip_message nothing;
	struct span in = span_mem(data, size);
	struct sip_message message, other;
	int rc, rc_other;

	if (crypto == NULL)
		FUZZ_MUST(crypto_new(NULL, &crypto) == 0);
	memset(&message, 0xff, sizeof(message));
	check_uri(in);
	rc = sip_message_parse(in, SIP_PROXY, &message);
	rc_other = sip_message_parse(in, SIP_REGISTRAR, &other);
	if (rc != 0) {
		FUZZ_MUST(rc == -ERR_FORMAT || rc == -ERR_TOO_LONG);
		FUZZ_MUST(message.method.n == 0 && message.to.uri.n == 0 &&
		    message.row_count == 0 && message.body.n == 0 &&
		    message.effect_count == 0 && message.cseq ==
		    nothing.cseq);
		return 0;
	}
	FUZZ_MUST(rc_other == 0 || rc_other == -ERR_TOO_LONG);
	check_message(&message, in);
	if (rc_other == 0) {
		check_message(&other, in);
		FUZZ_MUST(other.method.p == message.method.p &&
		    other.from.uri.p == message.from.uri.p &&
		    other.body.n == message.body.n &&
		    other.cseq == message.cseq);
	}
	check_lf(crypto, &message, in);
	return 0;
}
