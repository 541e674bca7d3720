/*
 * sip_credentials_parse(): views stay inside the field or the text, which
 * never needs more room than the field has; what is called complete can be
 * computed with, and of what is broken the realm alone is left.
 */

#include <string.h>

#include "core/err.h"
#include "core/sip_credentials.h"
#include "core/sip_message.h"
#include "fuzz.h"

#define HA1_SIZE	DIGEST_SIZE_MAX

static struct span field, text;

static bool
inside(struct span part)
{
	return part.n == 0 ||
	    (part.p >= field.p && part.p + part.n <= field.p + field.n) ||
	    (part.p >= text.p && part.p + part.n <= text.p + text.n);
}

static void
check_complete(struct crypto *crypto, const struct digest_params *params)
{
	static const uint8_t ha1[HA1_SIZE];
	uint8_t out[DIGEST_HEX_MAX];
	int rc;

	FUZZ_MUST(params->nonce.n > 0 && params->response.n > 0);
	if (params->alg == DIGEST_NONE)
		return;
	rc = digest_response(crypto, ha1, params, out);
	FUZZ_MUST(rc == 0 || (params->qop.n > 0 &&
	    !span_equal_nocase(params->qop, SPAN_LIT("auth"))));
}

static void
check_row(struct crypto *crypto, const struct sip_credentials *row)
{
	const struct digest_params *p = &row->params;

	FUZZ_MUST(inside(p->username) && inside(p->realm) &&
	    inside(p->nonce) && inside(p->uri) && inside(p->qop) &&
	    inside(p->nc) && inside(p->cnonce) && inside(p->response));
	FUZZ_MUST(p->method.n == 0 && p->body_hash.n == 0);
	FUZZ_MUST(row->has_realm || p->realm.n == 0);
	switch (row->kind) {
	case SIP_CREDENTIALS_OTHER:
		FUZZ_MUST(row->alone && !row->has_realm);
		break;
	case SIP_CREDENTIALS_DIGEST:
		FUZZ_MUST(row->has_realm);
		check_complete(crypto, p);
		break;
	case SIP_CREDENTIALS_EMPTY:
		FUZZ_MUST(p->nonce.n == 0 || p->response.n == 0);
		break;
	case SIP_CREDENTIALS_BROKEN:
		FUZZ_MUST(p->username.n == 0 && p->nonce.n == 0 &&
		    p->uri.n == 0 && p->response.n == 0 &&
		    p->alg == DIGEST_NONE);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct crypto *crypto;
	struct sip_credentials rows[SIP_ROWS_MAX], again[SIP_ROWS_MAX];
	uint8_t *room = malloc(size == 0 ? 1 : size);
	struct wbuf wb;
	int count;

	if (crypto == NULL)
		FUZZ_MUST(crypto_new(NULL, &crypto) == 0);
	FUZZ_MUST(room != NULL);
	field = span_mem(data, size);
	wbuf_init(&wb, room, size);
	memset(rows, 0xff, sizeof(rows));
	count = sip_credentials_parse(field, 3, &wb, rows, SIP_ROWS_MAX);
	FUZZ_MUST(!wb.failed);
	text = wbuf_written(&wb);
	FUZZ_MUST(count == -ERR_TOO_LONG ||
	    (count > 0 && count <= SIP_ROWS_MAX));
	for (int i = 0; i < count; i++) {
		FUZZ_MUST(rows[i].field == 3);
		FUZZ_MUST(rows[i].alone == (count == 1));
		check_row(crypto, &rows[i]);
	}
	if (count > 1) {
		wbuf_init(&wb, room, size);
		FUZZ_MUST(sip_credentials_parse(field, 3, &wb, again,
		    (size_t)count - 1) == -ERR_TOO_LONG);
	}
	free(room);
	return 0;
}
