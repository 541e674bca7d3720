/*
 * All verifiers of an account from one plaintext, while it is in hand, as
 * onecred.account_set() takes them: four arrays that run in parallel. What is
 * not in them is deleted, so that no verifier of an older password survives.
 */

#include "plugin_verifiers.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/saslprep.h"
#include "core/secret.h"

#define REALMS_MAX	64
#define LIST_SIZE	(128 * 1024)	/* octets of one array literal */

static const struct {
	enum scram_mech	 mech;
	const char	*name;
} scram_columns[] = {
	{ SCRAM_SHA_1, "scram_sha_1" },
	{ SCRAM_SHA_256, "scram_sha_256" },
	{ SCRAM_SHA_512, "scram_sha_512" }
};

static const struct {
	enum digest_alg	 alg;
	const char	*name;
} ha1_columns[] = {
	{ DIGEST_MD5, "ha1_md5" },
	{ DIGEST_SHA_256, "ha1_sha_256" },
	{ DIGEST_SHA_512_256, "ha1_sha_512_256" }
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Appends an element: "..." with '"' and '\' escaped. */
static void
append(struct wbuf *list, struct span element)
{
	wbuf_str(list, list->n == 0 ? "{\"" : ",\"");
	for (size_t i = 0; i < element.n; i++) {
		if (element.p[i] == '"' || element.p[i] == '\\')
			wbuf_u8(list, '\\');
		wbuf_u8(list, element.p[i]);
	}
	wbuf_u8(list, '"');
}

static void
append_all(struct verifiers *verifiers, const char *name, struct span realm,
    const char *form, struct span value)
{
	append(&verifiers->lists[VERIFIERS_NAMES], span_str(name));
	append(&verifiers->lists[VERIFIERS_REALMS], realm);
	append(&verifiers->lists[VERIFIERS_FORMS], span_str(form));
	append(&verifiers->lists[VERIFIERS_VALUES], value);
	verifiers->count++;
}

static int
make_scram(struct crypto *crypto, const struct credential *credential,
    struct span password, struct verifiers *verifiers)
{
	struct secret prepared = { NULL, 0 };
	struct scram_verifier verifier;
	uint8_t salt[SCRAM_SALT_NEW], text[SCRAM_TEXT_MAX];
	struct wbuf wb;
	int rc;

	rc = saslprep(password, SASLPREP_STORED, &prepared);
	for (size_t i = 0; rc == 0 && i < COUNT(scram_columns); i++) {
		rc = scram_new_salt(crypto, salt);
		if (rc == 0)
			rc = scram_make(crypto, scram_columns[i].mech,
			    secret_span(&prepared), span_mem(salt,
			    sizeof(salt)), credential->policy.iterations,
			    &verifier);
		if (rc != 0)
			break;
		wbuf_init(&wb, text, sizeof(text));
		scram_format(&verifier, &wb);
		append_all(verifiers, scram_columns[i].name, SPAN_EMPTY, "",
		    wbuf_written(&wb));
		secret_wipe(&verifier, sizeof(verifier));
		wbuf_wipe(&wb);
	}
	secret_free(&prepared);
	return rc;
}

static int
make_ha1(struct crypto *crypto, const struct credential *credential,
    struct span realm, const struct seal_keyring *ring, struct span password,
    size_t column, enum name_form form, struct verifiers *verifiers)
{
	static const char *const forms[FORM_COUNT] = { "local", "full" };
	const struct account *account = &credential->account;
	enum digest_alg alg = ha1_columns[column].alg;
	struct seal_place place = {
		.account = account, .realm = realm, .form = form,
		.algorithm = span_str(digest_alg_name(alg))
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
	rc = digest_ha1(crypto, alg, wbuf_written(&who), realm, password, ha1);
	if (rc == 0 && credential->policy.digests_sealed)
		rc = seal_value(crypto, ring, &place, value, &wb);
	else if (rc == 0)
		wbuf_hex(&wb, value);
	if (rc == 0)
		append_all(verifiers, ha1_columns[column].name, realm,
		    forms[form], wbuf_written(&wb));
	secret_wipe(ha1, sizeof(ha1));
	wbuf_wipe(&wb);
	return rc;
}

static int
make_realm(struct crypto *crypto, const struct credential *credential,
    struct span realm, const struct seal_keyring *ring, struct span password,
    struct verifiers *verifiers)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT(ha1_columns); i++) {
		if (!credential->policy.stores[ha1_columns[i].alg])
			continue;
		rc = make_ha1(crypto, credential, realm, ring, password, i,
		    FORM_LOCAL, verifiers);
		if (rc == 0)
			rc = make_ha1(crypto, credential, realm, ring,
			    password, i, FORM_FULL, verifiers);
	}
	return rc;
}

static int
make_all_ha1(struct crypto *crypto, const struct credential *credential,
    struct span realms, const struct seal_keyring *ring, struct span password,
    struct verifiers *verifiers)
{
	int rc = 0;

	if (credential->policy.digests_none)
		return 0;
	if (credential->policy.digests_sealed && ring->count == 0)
		return -ERR_KEY;
	for (size_t n = 0; rc == 0 && realms.n > 0; n++) {
		size_t end = span_find(realms, '\n');

		if (n == REALMS_MAX)
			return -ERR_TOO_LONG;
		rc = make_realm(crypto, credential, span_head(realms, end),
		    ring, password, verifiers);
		realms = span_tail(realms, end + 1);
	}
	return rc;
}

int
verifiers_make(struct crypto *crypto, const struct credential *credential,
    struct span realms, const struct seal_keyring *ring, struct span password,
    struct verifiers *verifiers)
{
	int rc;

	memset(verifiers, 0, sizeof(*verifiers));
	for (size_t i = 0; i < VERIFIERS_LISTS; i++) {
		uint8_t *p = malloc(LIST_SIZE);

		if (p == NULL)
			return -ERR_NOMEM;
		wbuf_init(&verifiers->lists[i], p, LIST_SIZE);
	}
	rc = make_scram(crypto, credential, password, verifiers);
	if (rc == 0)
		rc = make_all_ha1(crypto, credential, realms, ring, password,
		    verifiers);
	for (size_t i = 0; i < VERIFIERS_LISTS; i++) {
		wbuf_str(&verifiers->lists[i], "}");
		wbuf_u8(&verifiers->lists[i], 0);
		if (rc == 0 && verifiers->lists[i].failed)
			rc = -ERR_TOO_LONG;
	}
	return rc;
}

void
verifiers_wipe(struct verifiers *verifiers)
{
	for (size_t i = 0; i < VERIFIERS_LISTS; i++) {
		if (verifiers->lists[i].p != NULL)
			wbuf_wipe(&verifiers->lists[i]);
		free(verifiers->lists[i].p);
		verifiers->lists[i].p = NULL;
	}
}
