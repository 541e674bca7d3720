/*
 * One plaintext in, every verifier out. Whoever sets a password (onecred hash,
 * the plugin, the daemon) makes them here, so that no way in can forget one.
 * The order is fixed: SCRAM, then algorithm by algorithm each realm.
 */

#include "core/verifiers.h"

#include "core/digest.h"
#include "core/err.h"
#include "core/hex.h"
#include "core/saslprep.h"
#include "core/scram.h"
#include "core/secret.h"

static const char *const scram_names[SCRAM_MECH_COUNT] = {
	[SCRAM_SHA_1] = "scram_sha_1",
	[SCRAM_SHA_256] = "scram_sha_256",
	[SCRAM_SHA_512] = "scram_sha_512"
};

static const char *const ha1_names[DIGEST_ALG_COUNT] = {
	[DIGEST_MD5] = "ha1_md5",
	[DIGEST_SHA_256] = "ha1_sha_256",
	[DIGEST_SHA_512_256] = "ha1_sha_512_256"
};

static const char *const form_names[FORM_COUNT] = {
	[FORM_LOCAL] = "local",
	[FORM_FULL] = "full"
};

/* One call. */
struct making {
	struct crypto			*crypto;
	const struct verifiers_plan	*plan;
	struct span			 password;	/* prepared */
	verifiers_put			*put;
	void				*arg;
};

static int
make_scram(const struct making *making, enum scram_mech mech)
{
	struct scram_verifier verifier = { .mech = SCRAM_NONE };
	uint8_t salt[SCRAM_SALT_NEW], text[SCRAM_TEXT_MAX];
	struct wbuf wb;
	int rc;

	if (!crypto_has(making->crypto, scram_mech_hash(mech)))
		return 0;
	wbuf_init(&wb, text, sizeof(text));
	rc = scram_new_salt(making->crypto, salt);
	if (rc == 0)
		rc = scram_make(making->crypto, mech, making->password,
		    span_mem(salt, sizeof(salt)), making->plan->iterations,
		    &verifier);
	if (rc == 0) {
		scram_format(&verifier, &wb);
		rc = making->put(making->arg, scram_names[mech], SPAN_EMPTY,
		    "", wbuf_written(&wb));
	}
	secret_wipe(&verifier, sizeof(verifier));
	wbuf_wipe(&wb);
	return rc;
}

static int
make_ha1(const struct making *making, struct span realm, enum digest_alg alg,
    enum name_form form)
{
	const struct verifiers_plan *plan = making->plan;
	const struct account *account = plan->account;
	const struct seal_place place = {
		.account = account,
		.realm = realm,
		.algorithm = span_str(digest_alg_name(alg)),
		.form = form
	};
	uint8_t name[ACCOUNT_MAX], ha1[DIGEST_SIZE_MAX], text[SEAL_TEXT_MAX];
	struct span value = span_mem(ha1, digest_alg_size(alg));
	struct wbuf who, wb;
	int rc;

	wbuf_init(&who, name, sizeof(name));
	wbuf_str(&who, account->localpart);
	if (form == FORM_FULL) {
		wbuf_u8(&who, '@');
		wbuf_str(&who, account->domain);
	}
	wbuf_init(&wb, text, sizeof(text));
	rc = who.failed ? -ERR_TOO_LONG : digest_ha1(making->crypto, alg,
	    wbuf_written(&who), realm, making->password, ha1);
	if (rc == 0 && plan->seal != NULL)
		rc = seal_value(making->crypto, plan->seal, &place, value,
		    &wb);
	else if (rc == 0)
		wbuf_hex(&wb, value);
	if (rc == 0)
		rc = making->put(making->arg, ha1_names[alg], realm,
		    form_names[form], wbuf_written(&wb));
	secret_wipe(ha1, sizeof(ha1));
	wbuf_wipe(&wb);
	return rc;
}

static int
make_digests(const struct making *making, enum digest_alg alg)
{
	const struct verifiers_plan *plan = making->plan;
	int rc = 0;

	if (!plan->algorithms[alg] ||
	    !crypto_has(making->crypto, digest_alg_hash(alg)))
		return 0;
	for (size_t i = 0; rc == 0 && i < plan->realm_count; i++) {
		rc = make_ha1(making, plan->realms[i], alg, FORM_LOCAL);
		if (rc == 0)
			rc = make_ha1(making, plan->realms[i], alg, FORM_FULL);
	}
	return rc;
}

int
verifiers_make(struct crypto *crypto, const struct verifiers_plan *plan,
    struct span password, verifiers_put *put, void *arg)
{
	struct making making = {
		.crypto = crypto, .plan = plan, .put = put, .arg = arg
	};
	struct secret prepared = { NULL, 0 };
	int rc;

	if (plan->realm_count > VERIFIERS_REALMS_MAX)
		return -ERR_TOO_LONG;
	rc = saslprep(password, SASLPREP_STORED, &prepared);
	making.password = secret_span(&prepared);
	for (int mech = SCRAM_SHA_1; rc == 0 && plan->scram &&
	    mech < SCRAM_MECH_COUNT; mech++)
		rc = make_scram(&making, (enum scram_mech)mech);
	for (int alg = DIGEST_MD5; rc == 0 && alg < DIGEST_ALG_COUNT; alg++)
		rc = make_digests(&making, (enum digest_alg)alg);
	secret_free(&prepared);
	return rc;
}

int
verifiers_realms(struct span lines, struct span *out, size_t max,
    size_t *count)
{
	for (*count = 0; lines.n > 0; (*count)++) {
		size_t end = span_find(lines, '\n');

		if (*count == max)
			return -ERR_TOO_LONG;
		out[*count] = span_head(lines, end);
		lines = span_tail(lines, end + 1);
	}
	return 0;
}
