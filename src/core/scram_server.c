/*
 * The server side of a SCRAM exchange: RFC 5802 sections 5 to 7, RFC 7677.
 * Messages enter AuthMessage as received: names are neither unescaped nor
 * prepared there. Never tells an unknown user from a wrong password (the
 * caller brings a fake verifier and says doomed), never accepts a downgrade
 * of the channel binding, and a state serves one attempt only.
 */

#include "core/scram_server.h"

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "core/rbuf.h"
#include "core/secret.h"
#include "core/utf8.h"

/* What a client's nonce must leave for ours. */
#define NONCE_ROOM	64
#define LETTERS		26

/* RFC 5929, RFC 9266. A type nobody can have data for is refused at once. */
static const char *const cb_types[] = {
	"tls-unique", "tls-server-end-point", "tls-exporter"
};

static size_t
copy(uint8_t *to, struct span from)
{
	if (from.n > 0)
		memcpy(to, from.p, from.n);
	return from.n;
}

/* What every message must be before anybody looks into it. */
static int
check_text(struct span message)
{
	uint32_t c;

	if (message.n > SCRAM_MESSAGE_MAX)
		return -ERR_TOO_LONG;
	while (message.n > 0)
		if (utf8_take(&message, &c) != 0 || c == 0)
			return -ERR_CHARACTER;
	return 0;
}

/* nonce = 1*(%x21-2B / %x2D-7E) */
static bool
is_nonce(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
			return false;
	return s.n > 0;
}

/*
 * Cuts the next attribute off *rest: up to a comma (consumed) or the end.
 * Returns false if nothing is left.
 */
static bool
next_attribute(struct span *rest, struct span *attribute)
{
	if (rest->n == 0)
		return false;
	*attribute = span_head(*rest, span_find(*rest, ','));
	*rest = span_tail(*rest, attribute->n + 1);
	return true;
}

/* The value of attribute if it is "<name>=value" with a value. */
static bool
value_of(struct span attribute, uint8_t name, struct span *value)
{
	if (attribute.n < 3 || attribute.p[0] != name ||
	    attribute.p[1] != '=')
		return false;
	*value = span_tail(attribute, 2);
	return true;
}

/*
 * extensions = attr-val *("," attr-val)
 *
 * Unknown ones are ignored, as RFC 5802 wants it; one that the RFC defines is
 * out of place here (or there twice), "m" must not be ignored, and a letter
 * comes once: two readers must not see two different messages.
 */
static int
check_extensions(struct span extensions)
{
	static const struct span defined = {
		(const uint8_t *)"aceinprsv", sizeof("aceinprsv") - 1
	};
	bool seen[2][LETTERS] = { { false } };
	struct span attribute, value;

	/* A trailing comma announces an attribute that is not there. */
	if (extensions.n > 0 && extensions.p[extensions.n - 1] == ',')
		return -ERR_FORMAT;
	while (next_attribute(&extensions, &attribute)) {
		uint8_t name, lower;
		bool *mark;

		if (attribute.n == 0)
			return -ERR_FORMAT;
		name = attribute.p[0];
		lower = ascii_lower(name);
		if (lower < 'a' || lower > 'z' ||
		    !value_of(attribute, name, &value))
			return -ERR_FORMAT;
		if (name == 'm')
			return -ERR_UNSUPPORTED;
		mark = &seen[name == lower][lower - 'a'];
		if (*mark || span_find(defined, name) != defined.n)
			return -ERR_FORMAT;
		*mark = true;
	}
	return 0;
}

/* saslname: "=2C" is a comma, "=3D" an equals sign, no other "=". */
static int
decode_name(struct span text, uint8_t *out, size_t *n)
{
	size_t at = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (at == SCRAM_NAME_MAX)
			return -ERR_TOO_LONG;
		if (c == '=') {
			struct span code = span_head(span_tail(text, i), 3);

			if (span_equal(code, SPAN_LIT("=2C")))
				c = ',';
			else if (!span_equal(code, SPAN_LIT("=3D")))
				return -ERR_FORMAT;
			i += 2;
		}
		out[at++] = c;
	}
	*n = at;
	return 0;
}

/* gs2-cbind-flag = "p=" cb-name / "n" / "y" */
static int
read_flag(struct scram_server *server, struct span flag, bool plus,
    bool plus_offered)
{
	struct span type;

	if (value_of(flag, 'p', &type)) {
		/* "p" outside -PLUS: client and server disagree on the name. */
		if (!plus)
			return -ERR_UNSUPPORTED;
		for (size_t i = 0;
		    i < sizeof(cb_types) / sizeof(cb_types[0]); i++) {
			if (!span_equal(type, span_str(cb_types[i])))
				continue;
			server->cb_flag = SCRAM_CB_USED;
			return span_copy_str(type, server->cb_type,
			    sizeof(server->cb_type));
		}
		return -ERR_UNSUPPORTED;
	}
	if (span_equal(flag, SPAN_LIT("y")))
		server->cb_flag = SCRAM_CB_UNUSED;
	else if (span_equal(flag, SPAN_LIT("n")))
		server->cb_flag = SCRAM_CB_NONE;
	else
		return -ERR_FORMAT;
	if (plus)
		return -ERR_FORMAT;
	/* NB: the client saw no -PLUS although we sent it: somebody cut it. */
	if (server->cb_flag == SCRAM_CB_UNUSED && plus_offered)
		return -ERR_UNSUPPORTED;
	return 0;
}

/*
 * client-first-message      = gs2-header client-first-message-bare
 * gs2-header                = gs2-cbind-flag "," [ "a=" saslname ] ","
 * client-first-message-bare = ["m=" ... ","] "n=" saslname "," "r=" nonce
 *                             ["," extensions]
 */
static int
read_first(struct scram_server *server, struct span message, bool plus,
    bool plus_offered)
{
	struct span flag, authzid, bare, name, nonce, attribute;
	struct rbuf rb;
	int rc;

	rbuf_init(&rb, message.p, message.n);
	flag = rbuf_until(&rb, ',', SCRAM_MESSAGE_MAX);
	authzid = rbuf_until(&rb, ',', SCRAM_MESSAGE_MAX);
	bare = rbuf_rest(&rb, SCRAM_MESSAGE_MAX);
	if (!rbuf_done(&rb))
		return -ERR_FORMAT;
	rc = read_flag(server, flag, plus, plus_offered);
	if (rc != 0)
		return rc;
	if (authzid.n > 0) {
		if (!value_of(authzid, 'a', &name))
			return -ERR_FORMAT;
		rc = decode_name(name, server->authzid, &server->authzid_n);
		if (rc != 0)
			return rc;
	}
	server->gs2_n = copy(server->gs2, span_head(message,
	    message.n - bare.n));
	server->bare_n = copy(server->bare, bare);

	if (!next_attribute(&bare, &attribute))
		return -ERR_FORMAT;
	if (value_of(attribute, 'm', &name))
		return -ERR_UNSUPPORTED;
	if (!value_of(attribute, 'n', &name))
		return -ERR_FORMAT;
	rc = decode_name(name, server->name, &server->name_n);
	if (rc != 0)
		return rc;
	if (!next_attribute(&bare, &attribute) ||
	    !value_of(attribute, 'r', &nonce) || !is_nonce(nonce))
		return -ERR_FORMAT;
	if (nonce.n > SCRAM_NONCE_MAX - NONCE_ROOM)
		return -ERR_TOO_LONG;
	server->nonce_n = copy(server->nonce, nonce);
	if (bare.n == 0 && message.p[message.n - 1] == ',')
		return -ERR_FORMAT;
	return check_extensions(bare);
}

int
scram_server_read_first(struct scram_server *server, struct span message,
    bool plus, bool plus_offered)
{
	int rc;

	memset(server, 0, sizeof(*server));
	rc = check_text(message);
	if (rc == 0)
		rc = read_first(server, message, plus, plus_offered);
	if (rc != 0)
		memset(server, 0, sizeof(*server));
	return rc;
}

/* server-first-message = "r=" c-nonce s-nonce ",s=" base64 ",i=" count */
int
scram_server_first(struct scram_server *server,
    const struct scram_verifier *verifier, struct span server_nonce,
    struct wbuf *out)
{
	struct wbuf wb;

	if (server->bare_n == 0 || server->first_n != 0)
		return -ERR_ORDER;
	if (!is_nonce(server_nonce))
		return -ERR_FORMAT;
	if (server_nonce.n > SCRAM_NONCE_MAX - server->nonce_n ||
	    verifier->salt_n > SCRAM_SALT_MAX)
		return -ERR_TOO_LONG;
	wbuf_init(&wb, server->first, sizeof(server->first));
	wbuf_str(&wb, "r=");
	wbuf_span(&wb, span_mem(server->nonce, server->nonce_n));
	wbuf_span(&wb, server_nonce);
	wbuf_str(&wb, ",s=");
	wbuf_base64(&wb, span_mem(verifier->salt, verifier->salt_n));
	wbuf_str(&wb, ",i=");
	wbuf_dec(&wb, verifier->iterations);
	wbuf_span(out, wbuf_written(&wb));
	if (wb.failed || out->failed)
		return -ERR_TOO_LONG;
	server->nonce_n += copy(server->nonce + server->nonce_n,
	    server_nonce);
	server->first_n = wb.n;
	return 0;
}

/* cbind-input = gs2-header [ cbind-data ]; compared in its one spelling. */
static bool
binding_matches(const struct scram_server *server, struct span cb_data,
    struct span text)
{
	uint8_t input[SCRAM_MESSAGE_MAX + SCRAM_CB_MAX];
	uint8_t want[BASE64_SIZE(sizeof(input))];
	struct wbuf in, out;

	if (server->cb_flag != SCRAM_CB_USED)
		cb_data = SPAN_EMPTY;
	else if (cb_data.n == 0 || cb_data.n > SCRAM_CB_MAX)
		return false;	/* bound to nothing is not bound */
	wbuf_init(&in, input, sizeof(input));
	wbuf_span(&in, span_mem(server->gs2, server->gs2_n));
	wbuf_span(&in, cb_data);
	wbuf_init(&out, want, sizeof(want));
	wbuf_base64(&out, wbuf_written(&in));
	return !in.failed && !out.failed &&
	    secret_equal_span(wbuf_written(&out), text);
}

/*
 * client-final-message = "c=" base64 ",r=" nonce ["," extensions]
 *                        ",p=" base64
 *
 * Everything but the proof's value; *without_proof is what AuthMessage takes.
 */
static bool
read_final(const struct scram_server *server, struct span message,
    struct span cb_data, size_t size, struct span *without_proof,
    uint8_t *proof)
{
	struct span rest, attribute, value;
	size_t n;

	if (check_text(message) != 0)
		return false;
	*without_proof = span_head(message, span_rfind(message, ','));
	rest = span_tail(message, without_proof->n + 1);
	if (!value_of(rest, 'p', &value) ||
	    base64_decode(value, proof, size, &n) != 0 || n != size)
		return false;
	rest = *without_proof;
	if (!next_attribute(&rest, &attribute) ||
	    !value_of(attribute, 'c', &value) ||
	    !binding_matches(server, cb_data, value))
		return false;
	if (!next_attribute(&rest, &attribute) ||
	    !value_of(attribute, 'r', &value) ||
	    !secret_equal_span(value, span_mem(server->nonce,
	    server->nonce_n)))
		return false;
	/* ",,p=": an empty attribute that left no octet behind. */
	if (rest.n == 0 && without_proof->p[without_proof->n - 1] == ',')
		return false;
	return check_extensions(rest) == 0;
}

/*
 * ClientSignature = HMAC(StoredKey, AuthMessage)
 * ClientKey' = ClientProof XOR ClientSignature; right if H(ClientKey') is
 * StoredKey. ServerSignature = HMAC(ServerKey, AuthMessage), made for a wrong
 * proof as well, so that right and wrong cost the same.
 */
static enum verdict
judge(const struct scram_server *server, struct crypto *crypto,
    const struct scram_verifier *verifier, struct span without_proof,
    const uint8_t *proof, uint8_t *signature)
{
	const struct span auth_message[] = {
		span_mem(server->bare, server->bare_n), SPAN_LIT(","),
		span_mem(server->first, server->first_n), SPAN_LIT(","),
		without_proof
	};
	enum hash_id hash = scram_mech_hash(verifier->mech);
	size_t size = hash_size(hash);
	uint8_t key[SCRAM_KEY_MAX], stored[SCRAM_KEY_MAX];
	struct span client_key = span_mem(key, size);
	enum verdict verdict = VERDICT_UNAVAILABLE;

	if (crypto_hmac(crypto, hash, span_mem(verifier->stored_key, size),
	    auth_message, 5, key) != 0)
		goto out;
	for (size_t i = 0; i < size; i++)
		key[i] ^= proof[i];
	if (crypto_hash(crypto, hash, &client_key, 1, stored) != 0 ||
	    crypto_hmac(crypto, hash, span_mem(verifier->server_key, size),
	    auth_message, 5, signature) != 0)
		goto out;
	verdict = secret_equal(stored, verifier->stored_key, size) ?
	    VERDICT_ALLOW : VERDICT_DENY;
out:
	secret_wipe(key, sizeof(key));
	secret_wipe(stored, sizeof(stored));
	return verdict;
}

enum verdict
scram_server_final(struct scram_server *server, struct crypto *crypto,
    const struct scram_verifier *verifier, bool doomed, struct span message,
    struct span cb_data, struct wbuf *out)
{
	uint8_t proof[SCRAM_KEY_MAX], signature[SCRAM_KEY_MAX];
	size_t size = hash_size(scram_mech_hash(verifier->mech));
	enum verdict verdict = VERDICT_DENY;
	struct span without_proof;

	if (size == 0)
		return VERDICT_UNAVAILABLE;
	if (server->first_n == 0)
		return VERDICT_DENY;
	if (!read_final(server, message, cb_data, size, &without_proof,
	    proof))
		goto out;
	verdict = judge(server, crypto, verifier, without_proof, proof,
	    signature);
	if (doomed && verdict == VERDICT_ALLOW)
		verdict = VERDICT_DENY;
	if (verdict == VERDICT_ALLOW) {
		wbuf_str(out, "v=");
		wbuf_base64(out, span_mem(signature, size));
		if (out->failed)
			verdict = VERDICT_UNAVAILABLE;
	}
out:
	/* One guess per exchange: the nonce is spent, whatever came of it. */
	server->first_n = 0;
	secret_wipe(proof, sizeof(proof));
	secret_wipe(signature, sizeof(signature));
	return verdict;
}
