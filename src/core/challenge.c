/*
 * The two header values a digest verifier sends: a challenge (RFC 3261 20.44,
 * 20.27 and 25.1, RFC 8760) and Authentication-Info (RFC 7616 3.5). Only the
 * canonical form, one challenge per row; phones read these with parsers that
 * break on anything else. Text of a peer goes out again here: whatever could
 * end the header field is refused.
 */

#include "core/challenge.h"

#define NC_SIZE	8	/* hex digits of a nonce count */

/* quoted-string of RFC 3261 25.1 from text that is not escaped. */
static void
put_quoted(struct wbuf *out, struct span text)
{
	wbuf_u8(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f) {
			out->failed = true;
			return;
		}
		if (c == '"' || c == '\\')
			wbuf_u8(out, '\\');
		wbuf_u8(out, c);
	}
	wbuf_u8(out, '"');
}

void
challenge_write(const struct challenge *challenge, struct wbuf *out)
{
	if (challenge->alg <= DIGEST_NONE ||
	    challenge->alg >= DIGEST_ALG_COUNT) {
		out->failed = true;
		return;
	}
	wbuf_str(out, "Digest realm=");
	put_quoted(out, challenge->realm);
	if (challenge->domain.n > 0) {
		wbuf_str(out, ", domain=");
		put_quoted(out, challenge->domain);
	}
	wbuf_str(out, ", nonce=");
	put_quoted(out, challenge->nonce);
	if (challenge->stale)
		wbuf_str(out, ", stale=true");
	wbuf_str(out, ", algorithm=");
	wbuf_str(out, digest_alg_name(challenge->alg));
	wbuf_str(out, ", qop=\"auth\"");
}

/* nc = 8LHEX, sent back as it came: it was hashed so. */
static void
put_nc(struct wbuf *out, struct span nc)
{
	bool ok = nc.n == NC_SIZE;

	for (size_t i = 0; ok && i < nc.n; i++) {
		uint8_t c = ascii_lower(nc.p[i]);

		ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
	}
	if (!ok)
		out->failed = true;
	wbuf_span(out, nc);
}

/* The token that was hashed; nothing else is one. */
static void
put_qop(struct wbuf *out, struct span qop)
{
	if (!span_equal_nocase(qop, SPAN_LIT("auth")) &&
	    !span_equal_nocase(qop, SPAN_LIT("auth-int")))
		out->failed = true;
	wbuf_span(out, qop);
}

void
authentication_info_write(const struct digest_params *params,
    struct span rspauth, struct span nextnonce, struct wbuf *out)
{
	if (nextnonce.n > 0) {
		wbuf_str(out, "nextnonce=");
		put_quoted(out, nextnonce);
	}
	if (params->qop.n == 0 || rspauth.n == 0)
		return;
	wbuf_str(out, nextnonce.n > 0 ? ", qop=" : "qop=");
	put_qop(out, params->qop);
	wbuf_str(out, ", rspauth=");
	put_quoted(out, rspauth);
	wbuf_str(out, ", cnonce=");
	put_quoted(out, params->cnonce);
	wbuf_str(out, ", nc=");
	put_nc(out, params->nc);
}
