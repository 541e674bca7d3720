/*
 * The heart: the only place that turns a record into ALLOW (DESIGN 4,
 * STANDARDS appendix A steps 4 to 8). ALLOW is written down in one function,
 * conclude(), and needs all of: the row was found, the account is enabled,
 * the verifier was the row's own, and it matched.
 *
 * What can be told from the request alone (malformed) is told to every name
 * alike. After that everybody does the same work: who has no verifier gets a
 * fake of the kind that the domain's accounts have. Never compares secrets
 * otherwise than by secret_equal(), never stops at the first mismatch of
 * several, and never says no where it only does not know.
 */

#include "core/verify.h"

#include <string.h>

#include "core/err.h"
#include "core/fake.h"
#include "core/hex.h"
#include "core/saslprep.h"
#include "core/secret.h"
#include "core/span.h"
#include "core/wbuf.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * What the cryptographic part found, least telling first: of several
 * algorithms that a response may belong to, the greatest counts. So a value
 * that cannot be opened outweighs a mismatch of another one (nobody knows),
 * and a match outweighs both.
 */
enum finding {
	FOUND_NOTHING = 0,	/* no verifier; the work was done with a fake */
	FOUND_MISMATCH,
	FOUND_BROKEN,		/* the library failed */
	FOUND_LOCKED,		/* sealed, and the key is not here */
	FOUND_MATCH,
	FOUND_MALFORMED		/* the request is, whatever the row says */
};

static struct verify_result
result(enum verdict verdict, enum reason reason)
{
	return (struct verify_result){ verdict, reason };
}

/*
 * The one way to ALLOW. UNAVAILABLE comes before everything that the row
 * says, so that an outage looks the same for all names too.
 */
static struct verify_result
conclude(const struct credential *credential, bool folded,
    enum finding finding)
{
	if (finding == FOUND_MALFORMED)
		return result(VERDICT_DENY, REASON_MALFORMED);
	if (finding == FOUND_LOCKED)
		return result(VERDICT_UNAVAILABLE, REASON_KEY_MISSING);
	if (finding == FOUND_BROKEN)
		return result(VERDICT_UNAVAILABLE, REASON_INTERNAL);
	if (!credential->found)
		return result(VERDICT_DENY, REASON_UNKNOWN_USER);
	if (!credential->enabled)
		return result(VERDICT_DENY, REASON_DISABLED);
	if (finding == FOUND_NOTHING)
		return result(VERDICT_DENY, REASON_NO_VERIFIER);
	if (folded)
		return result(VERDICT_DENY, REASON_CASE);
	if (finding == FOUND_MATCH)
		return result(VERDICT_ALLOW, REASON_OK);
	return result(VERDICT_DENY, REASON_WRONG_PASSWORD);
}

static enum finding
finding_of_error(int rc)
{
	switch (rc) {
	case -ERR_UNSUPPORTED:	/* NULL, or no such algorithm here */
	case -ERR_FORMAT:	/* unusable counts as absent */
		return FOUND_NOTHING;
	case -ERR_KEY:
		return FOUND_LOCKED;
	default:
		return FOUND_BROKEN;
	}
}

/* The domain seals its digests, and there is not one key to open them. */
static bool
is_locked_domain(const struct verifier_context *context,
    const struct credential *credential)
{
	return credential->policy.digests_sealed &&
	    !credential->policy.digests_none &&
	    (context->keys == NULL || context->keys->count == 0);
}

/* Passwords: the order of DESIGN 4. One of alg and mech is set. */
static const struct method {
	enum verify_method	id;
	enum digest_alg		alg;
	enum scram_mech		mech;
} methods[] = {
	{ VERIFY_HA1_SHA_512_256, DIGEST_SHA_512_256, SCRAM_NONE },
	{ VERIFY_HA1_SHA_256, DIGEST_SHA_256, SCRAM_NONE },
	{ VERIFY_SCRAM_SHA_256, DIGEST_NONE, SCRAM_SHA_256 },
	{ VERIFY_SCRAM_SHA_512, DIGEST_NONE, SCRAM_SHA_512 },
	{ VERIFY_SCRAM_SHA_1, DIGEST_NONE, SCRAM_SHA_1 },
	{ VERIFY_HA1_MD5, DIGEST_MD5, SCRAM_NONE }
};

/* The verifier that decides about a password. Holds secrets. */
struct choice {
	const struct method	*method;
	bool			 own;	/* the row's, not a fake */
	uint8_t			 ha1[DIGEST_SIZE_MAX];
	struct scram_verifier	 scram;
};

static bool
is_computable(const struct verifier_context *context,
    const struct method *method)
{
	return crypto_has(context->crypto, method->mech != SCRAM_NONE ?
	    scram_mech_hash(method->mech) : digest_alg_hash(method->alg));
}

/*
 * Loads the row's own verifier for method. Only HA1s that come from the
 * account's password may stand for it (DESIGN 2): never `unproved` or
 * `separate` ones.
 */
static int
load_own(const struct verifier_context *context,
    const struct credential *credential, const struct method *method,
    struct choice *choice)
{
	if (!is_computable(context, method))
		return -ERR_UNSUPPORTED;
	if (method->mech != SCRAM_NONE)
		return credential_scram(credential, method->mech,
		    &choice->scram);
	if (credential->ha1_origin != HA1_SAME || credential->realm[0] == '\0')
		return -ERR_UNSUPPORTED;
	return credential_ha1(credential, context->crypto, context->keys,
	    method->alg, FORM_LOCAL, choice->ha1);
}

/* Whether the accounts of the domain have this verifier. */
static bool
is_stored(const struct verifier_context *context,
    const struct credential *credential, const struct method *method)
{
	if (!is_computable(context, method))
		return false;
	if (method->mech != SCRAM_NONE)
		return true;
	return credential->policy.stores[method->alg] &&
	    !credential->policy.digests_none &&
	    !is_locked_domain(context, credential);
}

static int
load_fake(const struct verifier_context *context,
    const struct credential *credential, const struct method *method,
    struct choice *choice)
{
	return method->mech != SCRAM_NONE ?
	    fake_scram(context->crypto, credential, method->mech,
	    &choice->scram) :
	    fake_ha1(context->crypto, credential, method->alg, FORM_LOCAL,
	    choice->ha1);
}

/*
 * The first usable verifier of the row; without any, a fake of the first
 * method that the domain stores. False: values there are, but nobody can tell
 * what they say; *finding is why.
 */
static bool
choose(const struct verifier_context *context,
    const struct credential *credential, struct choice *choice,
    enum finding *finding)
{
	*choice = (struct choice){ .method = NULL };
	*finding = FOUND_NOTHING;
	for (size_t i = 0; credential->found && i < COUNT(methods); i++) {
		int rc = load_own(context, credential, &methods[i], choice);

		if (rc == 0) {
			choice->method = &methods[i];
			choice->own = true;
			return true;
		}
		if (finding_of_error(rc) > *finding)
			*finding = finding_of_error(rc);
	}
	if (*finding != FOUND_NOTHING)
		return false;
	for (size_t i = 0; i < COUNT(methods); i++) {
		if (!is_stored(context, credential, &methods[i]))
			continue;
		choice->method = &methods[i];
		if (load_fake(context, credential, &methods[i], choice) == 0)
			return true;
	}
	*finding = FOUND_BROKEN;
	return false;
}

/* Holds the prepared password against the chosen verifier. */
static enum finding
check_password(const struct verifier_context *context,
    const struct credential *credential, const struct choice *choice,
    struct span prepared)
{
	const struct method *method = choice->method;
	enum verdict verdict = VERDICT_UNAVAILABLE;
	uint8_t ha1[DIGEST_SIZE_MAX];

	if (method->mech != SCRAM_NONE)
		verdict = scram_check(context->crypto, &choice->scram,
		    prepared);
	else if (digest_ha1(context->crypto, method->alg,
	    span_str(credential->account.localpart),
	    span_str(credential->realm), prepared, ha1) == 0)
		verdict = secret_equal(ha1, choice->ha1,
		    digest_alg_size(method->alg)) ?
		    VERDICT_ALLOW : VERDICT_DENY;
	secret_wipe(ha1, sizeof(ha1));
	if (verdict == VERDICT_UNAVAILABLE)
		return FOUND_BROKEN;
	/* NB: a fake proves nothing, whatever it compared equal to. */
	if (!choice->own)
		return FOUND_NOTHING;
	return verdict == VERDICT_ALLOW ? FOUND_MATCH : FOUND_MISMATCH;
}

bool
verify_password_is_slow(const struct verifier_context *context,
    const struct credential *credential)
{
	enum finding finding;
	struct choice choice;
	bool slow;

	slow = choose(context, credential, &choice, &finding) &&
	    choice.method->mech != SCRAM_NONE;
	secret_wipe(&choice, sizeof(choice));
	return slow;
}

struct verify_result
verify_password(const struct verifier_context *context,
    const struct credential *credential, struct span password)
{
	struct secret prepared;
	struct choice choice;
	enum finding finding;
	int rc;

	rc = saslprep(password, SASLPREP_QUERY, &prepared);
	if (rc != 0)
		return conclude(credential, false, rc == -ERR_NOMEM ?
		    FOUND_BROKEN : FOUND_MALFORMED);
	if (choose(context, credential, &choice, &finding))
		finding = check_password(context, credential, &choice,
		    secret_span(&prepared));
	secret_wipe(&choice, sizeof(choice));
	secret_free(&prepared);
	return conclude(credential, false, finding);
}

/* The row's own verifier, or a fake; *own tells. */
static int
load_scram(const struct verifier_context *context,
    const struct credential *credential, enum scram_mech mech,
    struct scram_verifier *out, bool *own)
{
	struct scram_verifier fake;
	int rc;

	/* The fake is made for everybody, so that it costs nobody more. */
	rc = fake_scram(context->crypto, credential, mech, &fake);
	*own = rc == 0 && credential->found && credential->enabled &&
	    credential_scram(credential, mech, out) == 0;
	if (!*own)
		*out = fake;
	secret_wipe(&fake, sizeof(fake));
	return rc;
}

int
verify_scram_first(const struct verifier_context *context,
    const struct credential *credential, enum scram_mech mech,
    struct scram_verifier *out)
{
	bool own;

	return load_scram(context, credential, mech, out, &own);
}

struct verify_result
verify_scram(const struct verifier_context *context,
    const struct credential *credential, enum scram_mech mech,
    struct scram_server *server, struct span message, struct span cb_data,
    struct wbuf *out)
{
	enum finding finding = FOUND_BROKEN;
	struct scram_verifier verifier;
	struct verify_result judged;
	bool own;

	if (load_scram(context, credential, mech, &verifier, &own) == 0) {
		switch (scram_server_final(server, context->crypto, &verifier,
		    !own, message, cb_data, out)) {
		case VERDICT_ALLOW:
			finding = FOUND_MATCH;
			break;
		case VERDICT_DENY:
			finding = own ? FOUND_MISMATCH : FOUND_NOTHING;
			break;
		case VERDICT_UNAVAILABLE:
			break;
		}
	}
	secret_wipe(&verifier, sizeof(verifier));
	judged = conclude(credential, false, finding);
	if (judged.verdict != VERDICT_ALLOW)
		wbuf_wipe(out);
	return judged;
}

/*
 * The HA1 that a response is held against: true if it is the row's own; else
 * a fake, and *finding says why.
 */
static bool
load_ha1(const struct verifier_context *context,
    const struct credential *credential, enum digest_alg alg,
    enum name_form form, uint8_t *ha1, enum finding *finding)
{
	uint8_t own[DIGEST_SIZE_MAX];
	int rc = -ERR_UNSUPPORTED;

	/*
	 * The fake is loaded for everybody, so that it costs nobody more. It
	 * is never shown, so the name's seed itself will do: secret, and the
	 * hash of nothing.
	 */
	_Static_assert(CREDENTIAL_SEED_SIZE == DIGEST_SIZE_MAX, "sizes");
	memcpy(ha1, credential->seed, DIGEST_SIZE_MAX);
	*finding = FOUND_NOTHING;
	if (credential->found)
		rc = credential_ha1(credential, context->crypto,
		    context->keys, alg, form, own);
	if (rc == 0)
		memcpy(ha1, own, sizeof(own));
	else if (finding_of_error(rc) > *finding)
		*finding = finding_of_error(rc);
	/* Who has no value fares like those whose values stay shut. */
	if (*finding == FOUND_NOTHING && credential->policy.stores[alg] &&
	    is_locked_domain(context, credential))
		*finding = FOUND_LOCKED;
	secret_wipe(own, sizeof(own));
	return rc == 0;
}

/* The hex of a raw HA1 with a NUL; room for DIGEST_HEX_MAX + 1 octets. */
static void
write_ha1(enum digest_alg alg, const uint8_t *ha1, char *out)
{
	struct wbuf wb;

	wbuf_init(&wb, out, DIGEST_HEX_MAX + 1);
	wbuf_hex(&wb, span_mem(ha1, digest_alg_size(alg)));
	wbuf_u8(&wb, '\0');
}

/*
 * Holds the response against one algorithm. The work is the same for every
 * name; rspauth and ha1_out (NULL: not asked for) are written only on
 * FOUND_MATCH.
 */
static enum finding
check_response(const struct verifier_context *context,
    const struct credential *credential, enum digest_alg alg,
    enum name_form form, const struct digest_params *params,
    const uint8_t *given, char *rspauth, char *ha1_out)
{
	uint8_t ha1[DIGEST_SIZE_MAX], raw[DIGEST_SIZE_MAX];
	uint8_t hex[DIGEST_HEX_MAX];
	struct digest_params p = *params;
	struct span text = span_mem(hex, 2 * digest_alg_size(alg));
	enum finding finding = FOUND_NOTHING;
	bool own;
	int rc;

	p.alg = alg;
	own = load_ha1(context, credential, alg, form, ha1, &finding);
	rc = digest_response(context->crypto, ha1, &p, hex);
	if (rc == 0)
		rc = hex_decode(text, raw, text.n / 2);
	if (rc == -ERR_FORMAT)
		finding = FOUND_MALFORMED;
	else if (rc == -ERR_UNSUPPORTED)
		finding = FOUND_NOTHING;
	else if (rc != 0)
		finding = FOUND_BROKEN;
	else if (!secret_equal(raw, given, text.n / 2))
		finding = own ? FOUND_MISMATCH : finding;
	else if (own)
		finding = FOUND_MATCH;
	if (finding == FOUND_MATCH && rspauth != NULL &&
	    (digest_rspauth(context->crypto, ha1, &p, hex) != 0 ||
	    span_copy_str(text, rspauth, DIGEST_HEX_MAX + 1) != 0))
		finding = FOUND_BROKEN;
	if (finding == FOUND_MATCH && ha1_out != NULL)
		write_ha1(alg, ha1, ha1_out);
	secret_wipe(ha1, sizeof(ha1));
	secret_wipe(raw, sizeof(raw));
	secret_wipe(hex, sizeof(hex));
	return finding;
}

/*
 * The algorithms that a response may belong to: the one it names or, if it
 * names none, all of its length. Returns their number; 0: malformed.
 */
static size_t
candidates(const struct digest_params *params, enum digest_alg *algs)
{
	size_t count = 0;

	for (int i = DIGEST_NONE + 1; i < DIGEST_ALG_COUNT; i++) {
		enum digest_alg alg = (enum digest_alg)i;

		if ((params->alg == DIGEST_NONE || params->alg == alg) &&
		    params->response.n == 2 * digest_alg_size(alg))
			algs[count++] = alg;
	}
	return count;
}

/* rspauth, ha1: NULL if nobody asks for it. */
static struct verify_result
judge_digest(const struct verifier_context *context,
    const struct credential *credential, const struct presented *presented,
    const struct digest_params *params, char *rspauth, char *ha1)
{
	enum finding finding = FOUND_NOTHING, one;
	enum digest_alg algs[DIGEST_ALG_COUNT];
	uint8_t given[DIGEST_SIZE_MAX];
	struct verify_result out;
	size_t count;

	if (rspauth != NULL)
		rspauth[0] = '\0';
	count = candidates(params, algs);
	if (count == 0 || hex_decode(params->response, given,
	    params->response.n / 2) != 0)
		return conclude(credential, false, FOUND_MALFORMED);
	/* NB: all of them, always; a match must not end the loop early. */
	for (size_t i = 0; i < count; i++) {
		one = check_response(context, credential, algs[i],
		    presented->form, params, given, rspauth, ha1);
		if (one > finding)
			finding = one;
	}
	secret_wipe(given, sizeof(given));
	out = conclude(credential, presented->folded, finding);
	if (out.verdict != VERDICT_ALLOW && rspauth != NULL)
		secret_wipe(rspauth, DIGEST_HEX_MAX + 1);
	return out;
}

struct verify_result
verify_digest(const struct verifier_context *context,
    const struct credential *credential, const struct presented *presented,
    const struct digest_params *params, char *rspauth)
{
	return judge_digest(context, credential, presented, params, rspauth,
	    NULL);
}

struct verify_result
verify_digest_ha1(const struct verifier_context *context,
    const struct credential *credential, const struct presented *presented,
    const struct digest_params *params, char *rspauth, char *ha1)
{
	struct verify_result out;

	ha1[0] = '\0';
	out = judge_digest(context, credential, presented, params, rspauth,
	    ha1);
	if (out.verdict != VERDICT_ALLOW)
		secret_wipe(ha1, DIGEST_HEX_MAX + 1);
	return out;
}
