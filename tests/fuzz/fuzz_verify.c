/*
 * verify_digest() and the reading of a row. Input: an octet of flags, then
 * lines: HA1 column, SCRAM column, algorithm, qop, nc, cnonce, nonce, uri,
 * method, body hash, response (which is tried as a password too). ALLOW needs
 * what only the seeds have: a response that fits the column.
 */

#include <string.h>

#include "core/err.h"
#include "core/verify.h"
#include "fuzz.h"

static void
fill_row(struct credential *row, uint8_t flags, struct span ha1,
    struct span scram)
{
	memset(row, 0, sizeof(*row));
	memcpy(row->account.localpart, "alice", 6);
	memcpy(row->account.domain, "example.com", 12);
	memcpy(row->realm, "example.com", 12);
	row->domain_known = true;
	row->found = flags & 1;
	row->enabled = flags & 2;
	row->ha1_origin = (enum ha1_origin)((flags >> 2) % 3);
	row->policy.digests_sealed = flags & 16;
	for (int i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++) {
		row->policy.stores[i] = true;
		credential_set_ha1(row, (enum digest_alg)i, FORM_LOCAL, ha1);
	}
	credential_set_scram(row, SCRAM_SHA_256, scram);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verifier_context context;
	struct span rest = span_tail(span_mem(data, size), 1);
	char rspauth[DIGEST_HEX_MAX + 1];
	struct presented presented = { .form = FORM_LOCAL };
	struct digest_params p = { .alg = DIGEST_NONE };
	struct verify_result digest;
	struct credential row;
	struct span ha1, scram;

	if (size == 0)
		return 0;
	if (context.crypto == NULL)
		FUZZ_MUST(crypto_new(NULL, &context.crypto) == 0);
	ha1 = fuzz_line(&rest);
	scram = fuzz_line(&rest);
	fill_row(&row, data[0], ha1, scram);
	if (digest_alg_parse(fuzz_line(&rest), &p.alg, &p.sess) != 0)
		p.alg = DIGEST_NONE;
	p.qop = fuzz_line(&rest);
	p.nc = fuzz_line(&rest);
	p.cnonce = fuzz_line(&rest);
	p.nonce = fuzz_line(&rest);
	p.uri = fuzz_line(&rest);
	p.method = fuzz_line(&rest);
	p.body_hash = fuzz_line(&rest);
	p.response = rest;
	presented.folded = data[0] & 32;
	presented.form = data[0] & 64 ? FORM_FULL : FORM_LOCAL;
	digest = verify_digest(&context, &row, &presented, &p, rspauth);
	if (digest.verdict == VERDICT_ALLOW) {
		FUZZ_MUST(row.found && row.enabled && !presented.folded);
		FUZZ_MUST(presented.form == FORM_LOCAL && ha1.n > 0);
		FUZZ_MUST(digest.reason == REASON_OK);
	} else
		FUZZ_MUST(rspauth[0] == '\0');
	/* A password that opens nothing; slow checks are not for here. */
	if (!verify_password_is_slow(&context, &row) &&
	    verify_password(&context, &row, rest).verdict == VERDICT_ALLOW)
		FUZZ_MUST(row.found && row.enabled && ha1.n > 0 &&
		    row.ha1_origin == HA1_SAME);
	return 0;
}
