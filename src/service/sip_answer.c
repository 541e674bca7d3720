/*
 * The header values of an answer: challenges (RFC 3261 22, RFC 8760 2.4: one
 * row per algorithm, best first) and Authentication-Info (RFC 7616 3.5). They
 * depend on nothing that the peer has sent but the realm and the role, so that
 * every challenge of a realm looks the same.
 */

#include "service/sip_answer.h"

#include "core/challenge.h"
#include "core/err.h"

void
sip_answer_restrict(const struct crypto *crypto, struct realm_policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->alg_count; i++)
		if (crypto_has(crypto, digest_alg_hash(policy->algs[i])))
			policy->algs[n++] = policy->algs[i];
	policy->alg_count = n;
}

int
sip_answer_challenge(const struct sip_answer *answer,
    const struct realm_policy *policy, bool stale, struct wbuf *text,
    struct sip_reply *reply)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct challenge challenge = {
		.realm = span_str(policy->realm),
		.nonce = span_mem(nonce, NONCE_TEXT_SIZE),
		.stale = stale
	};
	int rc;

	/* RFC 3261 22.3: in a 407 the parameter has no meaning. */
	if (answer->role == SIP_REGISTRAR)
		challenge.domain = span_str(policy->domain_parameter);
	for (size_t i = 0; i < policy->alg_count; i++) {
		size_t begin = text->n;

		rc = nonce_make(answer->crypto, answer->keys,
		    challenge.realm, policy->algs[i], answer->now_us, nonce);
		if (rc != 0)
			return rc;
		challenge.alg = policy->algs[i];
		challenge_write(&challenge, text);
		if (text->failed ||
		    reply->challenge_count == SIP_CHALLENGES_MAX)
			return -ERR_TOO_LONG;
		reply->challenges[reply->challenge_count++] =
		    span_mem(text->p + begin, text->n - begin);
	}
	return 0;
}

int
sip_answer_info(const struct sip_answer *answer,
    const struct digest_params *params, struct span rspauth, bool next,
    struct wbuf *text, struct sip_reply *reply)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	size_t begin = text->n;
	int rc;

	if (next) {
		rc = nonce_make(answer->crypto, answer->keys, params->realm,
		    params->alg, answer->now_us, nonce);
		if (rc != 0)
			return rc;
	}
	authentication_info_write(params, rspauth,
	    next ? span_mem(nonce, NONCE_TEXT_SIZE) : SPAN_EMPTY, text);
	if (text->failed)
		return -ERR_TOO_LONG;
	reply->authentication_info = span_mem(text->p + begin,
	    text->n - begin);
	return 0;
}
