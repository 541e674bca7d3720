#ifndef ONECRED_VERIFY_ROW_H
#define ONECRED_VERIFY_ROW_H

/*
 * What test_verify.c and test_verify_digest.c share: a row of alice's whose
 * columns take values of every kind, the oracle that says which kind matches,
 * and counters inside the cryptographic library. Include it in one file of a
 * test program.
 */

#include <dlfcn.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "core/hex.h"
#include "core/saslprep.h"
#include "core/verify.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define RIGHT_PASSWORD	SPAN_LIT("wonderland")
#define WRONG_PASSWORD	SPAN_LIT("looking-glass")

/* What may stand in a column; the sealed ones in HA1 columns only. */
enum kind {
	ABSENT = 0,
	MALFORMED,
	WRONG,			/* of another password */
	RIGHT,
	SCRAM_KINDS,
	SEALED_RIGHT = SCRAM_KINDS,
	SEALED_WRONG,
	LOCKED,			/* sealed with a key that is not here */
	MOVED,			/* sealed for another account */
	HA1_KINDS
};

enum state {
	ENABLED = 0,
	DISABLED,
	UNKNOWN,
	STATES
};

static struct crypto *crypto;
static struct seal_keyring ring, foreign_ring;
static struct verifier_context context;
static struct credential row;

/* Calls of the library that cost something, and a missing MD5. */
static unsigned long kdf_calls, hash_calls;
static bool no_md5;

int
EVP_KDF_derive(EVP_KDF_CTX *ctx, unsigned char *key, size_t n,
    const OSSL_PARAM params[])
{
	union {
		void	*p;
		int	(*f)(EVP_KDF_CTX *, unsigned char *, size_t,
			    const OSSL_PARAM *);
	} next = { dlsym(RTLD_NEXT, "EVP_KDF_derive") };

	kdf_calls++;
	return next.f(ctx, key, n, params);
}

int
EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *n)
{
	union {
		void	*p;
		int	(*f)(EVP_MD_CTX *, unsigned char *, unsigned int *);
	} next = { dlsym(RTLD_NEXT, "EVP_DigestFinal_ex") };

	hash_calls++;
	return next.f(ctx, md, n);
}

EVP_MD *
EVP_MD_fetch(OSSL_LIB_CTX *ctx, const char *name, const char *properties)
{
	union {
		void	*p;
		EVP_MD	*(*f)(OSSL_LIB_CTX *, const char *, const char *);
	} next = { dlsym(RTLD_NEXT, "EVP_MD_fetch") };

	return no_md5 && strcmp(name, "MD5") == 0 ? NULL :
	    next.f(ctx, name, properties);
}

static void
setup(void)
{
	unsigned int line;

	no_md5 = false;
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k1 AAECAwQFBgcICQoLDA0O"
	    "DxAREhMUFRYXGBkaGxwdHh8="), &ring, &line), 0);
	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k9 AAECAwQFBgcICQoLDA0O"
	    "DxAREhMUFRYXGBkaGxwdHh8="), &foreign_ring, &line), 0);
	context.crypto = crypto;
	context.keys = &ring;
	memset(&row, 0, sizeof(row));
	memcpy(row.account.localpart, "alice", 6);
	memcpy(row.account.domain, "example.com", 12);
	memcpy(row.realm, "example.com", 12);
	row.domain_known = row.found = row.enabled = true;
	row.fake_iterations = row.policy.iterations = 4096;
	row.fake_salt_n = SCRAM_SALT_NEW;
	memset(row.seed, 0x5e, sizeof(row.seed));
	for (int i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++)
		row.policy.stores[i] = true;
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

static struct span
form_name(enum name_form form)
{
	return form == FORM_FULL ? SPAN_LIT("alice@example.com") :
	    SPAN_LIT("alice");
}

static void
put_ha1(enum digest_alg alg, enum name_form form, enum kind kind)
{
	static const struct account mallory = { "mallory", "example.com" };
	struct seal_place place = { kind == MOVED ? &mallory : &row.account,
	    SPAN_LIT("example.com"), span_str(digest_alg_name(alg)), form };
	uint8_t raw[DIGEST_SIZE_MAX], text[SEAL_TEXT_MAX];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(digest_ha1(crypto, alg, form_name(form),
	    SPAN_LIT("example.com"), kind == WRONG || kind == SEALED_WRONG ?
	    WRONG_PASSWORD : RIGHT_PASSWORD, raw), 0);
	if (kind == RIGHT || kind == WRONG)
		wbuf_hex(&wb, span_mem(raw, digest_alg_size(alg)));
	else if (kind == MALFORMED)
		wbuf_str(&wb, "wonderland");
	else if (kind != ABSENT)
		ck_assert_int_eq(seal_value(crypto, kind == LOCKED ?
		    &foreign_ring : &ring, &place, span_mem(raw,
		    digest_alg_size(alg)), &wb), 0);
	credential_set_ha1(&row, alg, form, wbuf_written(&wb));
}

static void
put_scram(enum scram_mech mech, enum kind kind)
{
	static struct span made[SCRAM_MECH_COUNT][2];
	static uint8_t text[SCRAM_MECH_COUNT][2][SCRAM_TEXT_MAX];
	int i = kind == RIGHT;

	if (made[mech][i].n == 0) {
		struct scram_verifier v;
		struct wbuf wb;

		ck_assert_int_eq(scram_make(crypto, mech, i ? RIGHT_PASSWORD :
		    WRONG_PASSWORD, SPAN_LIT("0123456789abcdef"), 4096, &v),
		    0);
		wbuf_init(&wb, text[mech][i], SCRAM_TEXT_MAX);
		scram_format(&v, &wb);
		made[mech][i] = wbuf_written(&wb);
	}
	credential_set_scram(&row, mech, kind == ABSENT ? SPAN_EMPTY :
	    kind == MALFORMED ? SPAN_LIT("wonderland") : made[mech][i]);
}

static void
put_state(enum state state)
{
	row.found = state != UNKNOWN;
	row.enabled = state == ENABLED;
}

static struct verify_result
answer(enum verdict verdict, enum reason reason)
{
	return (struct verify_result){ verdict, reason };
}

static void
is_result(struct verify_result got, struct verify_result want,
    const char *where)
{
	ck_assert_msg(got.verdict == want.verdict &&
	    got.reason == want.reason, "%s: %s %s, expected %s %s", where,
	    verdict_str(got.verdict), reason_str(got.reason),
	    verdict_str(want.verdict), reason_str(want.reason));
}

/* What the state of the account makes of an answer. */
static struct verify_result
expect_state(enum state state, struct verify_result r)
{
	if (r.verdict == VERDICT_UNAVAILABLE && state != UNKNOWN)
		return r;
	return state == UNKNOWN ? answer(VERDICT_DENY, REASON_UNKNOWN_USER) :
	    state == DISABLED ? answer(VERDICT_DENY, REASON_DISABLED) : r;
}

static bool
is_usable(enum kind kind)
{
	return kind == RIGHT || kind == WRONG || kind == SEALED_RIGHT ||
	    kind == SEALED_WRONG;
}

/* kinds: in the order of DESIGN 4; the first usable one decides. */
static struct verify_result
expect_password(const enum kind *kinds, size_t n)
{
	bool locked = false;

	for (size_t i = 0; i < n; i++) {
		if (is_usable(kinds[i]))
			return kinds[i] == RIGHT || kinds[i] == SEALED_RIGHT ?
			    answer(VERDICT_ALLOW, REASON_OK) :
			    answer(VERDICT_DENY, REASON_WRONG_PASSWORD);
		locked = locked || kinds[i] == LOCKED || kinds[i] == MOVED;
	}
	return locked ? answer(VERDICT_UNAVAILABLE, REASON_KEY_MISSING) :
	    answer(VERDICT_DENY, REASON_NO_VERIFIER);
}

#endif
