/*
 * The row of one account as verify.c reads it. Text is judged here, late and
 * strictly: what is not exactly a verifier of the kind that was asked for is
 * an error, and NULL or the empty string is never anything but "absent".
 */

#include "core/credential.h"

#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/secret.h"

/* Copies text into a column of cap octets; its count, 0 if it is too long. */
static uint16_t
set_text(struct span text, char *out, size_t cap)
{
	secret_wipe(out, cap);
	if (text.n == 0 || text.n > cap)
		return 0;
	memcpy(out, text.p, text.n);
	return (uint16_t)text.n;
}

void
credential_set_scram(struct credential *credential, enum scram_mech mech,
    struct span text)
{
	struct scram_text *column;

	if (mech <= SCRAM_NONE || mech >= SCRAM_MECH_COUNT)
		return;
	column = &credential->scram[mech];
	column->n = set_text(text, column->text, sizeof(column->text));
}

static bool
is_digest_column(enum digest_alg alg, enum name_form form)
{
	return alg > DIGEST_NONE && alg < DIGEST_ALG_COUNT &&
	    (unsigned int)form < FORM_COUNT;
}

void
credential_set_ha1(struct credential *credential, enum digest_alg alg,
    enum name_form form, struct span text)
{
	struct ha1_text *column;

	if (!is_digest_column(alg, form))
		return;
	column = &credential->ha1[alg][form];
	column->n = set_text(text, column->text, sizeof(column->text));
}

enum ha1_origin
ha1_origin_parse(struct span text)
{
	if (span_equal(text, SPAN_LIT("same")))
		return HA1_SAME;
	if (span_equal(text, SPAN_LIT("separate")))
		return HA1_SEPARATE;
	return HA1_UNPROVED;
}

int
credential_scram(const struct credential *credential, enum scram_mech mech,
    struct scram_verifier *out)
{
	const struct scram_text *column;
	int rc;

	memset(out, 0, sizeof(*out));
	if (mech <= SCRAM_NONE || mech >= SCRAM_MECH_COUNT)
		return -ERR_UNSUPPORTED;
	column = &credential->scram[mech];
	if (column->n == 0)
		return -ERR_UNSUPPORTED;
	rc = scram_parse(span_mem(column->text, column->n), out);
	/* The text names its mechanism; another column's is not taken. */
	if (rc == 0 && out->mech == mech)
		return 0;
	secret_wipe(out, sizeof(*out));
	return -ERR_FORMAT;
}

/* Exactly 2 * n lower-case digits: one value, one spelling. */
static int
plain_ha1(struct span text, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'F')
			return -ERR_FORMAT;
	return hex_decode(text, out, n);
}

int
credential_ha1(const struct credential *credential, struct crypto *crypto,
    const struct seal_keyring *ring, enum digest_alg alg,
    enum name_form form, uint8_t *out)
{
	struct seal_place place;
	struct span text;

	secret_wipe(out, DIGEST_SIZE_MAX);
	if (!is_digest_column(alg, form) || credential->ha1[alg][form].n == 0)
		return -ERR_UNSUPPORTED;
	text = span_mem(credential->ha1[alg][form].text,
	    credential->ha1[alg][form].n);
	if (!seal_is_sealed(text))
		return plain_ha1(text, out, digest_alg_size(alg));
	place.account = &credential->account;
	place.realm = span_str(credential->realm);
	place.algorithm = span_str(digest_alg_name(alg));
	place.form = form;
	return seal_open(crypto, ring, &place, text, out,
	    digest_alg_size(alg));
}

void
credential_wipe(struct credential *credential)
{
	secret_wipe(credential, sizeof(*credential));
}
