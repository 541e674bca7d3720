#ifndef ONECRED_CHALLENGE_H
#define ONECRED_CHALLENGE_H

#include <stdbool.h>

#include "core/digest.h"
#include "core/span.h"
#include "core/wbuf.h"

/* One row of WWW-Authenticate or Proxy-Authenticate, the value only. */
struct challenge {
	struct span	realm;
	struct span	nonce;
	enum digest_alg	alg;
	struct span	domain;	/* URIs with blanks between; empty: leave out
				   (never in a 407) */
	bool		stale;
};

#define CHALLENGE_MAX	2048	/* octets of one row */

/*
 * Digest realm="...", [domain="...",] nonce="...", [stale=true,]
 * algorithm=MD5, qop="auth" (RFC 3261 25.1, RFC 8760). out fails if it does
 * not fit.
 */
void	challenge_write(const struct challenge *challenge, struct wbuf *out);

/*
 * The value of Authentication-Info for a request whose credentials were
 * right: nextnonce (empty: leave out), and with qop rspauth, cnonce and nc
 * (RFC 7616 3.5).
 */
void	authentication_info_write(const struct digest_params *params,
	    struct span rspauth, struct span nextnonce, struct wbuf *out);

#endif
