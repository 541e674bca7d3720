#ifndef ONECRED_SIP_CREDENTIALS_H
#define ONECRED_SIP_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/digest.h"
#include "core/span.h"
#include "core/wbuf.h"

enum sip_credentials_kind {
	SIP_CREDENTIALS_OTHER = 0,	/* another scheme: nobody's business */
	SIP_CREDENTIALS_DIGEST,		/* complete: params can be verified */
	SIP_CREDENTIALS_EMPTY,		/* response or nonce "": as if absent */
	SIP_CREDENTIALS_BROKEN		/* Digest that cannot be read */
};

/* One set of credentials; views of the message, or of text (unescaped). */
struct sip_credentials {
	enum sip_credentials_kind kind;
	unsigned int	field;		/* header field, from 0 */
	bool		alone;		/* its field holds nothing else */
	bool		has_realm;	/* exactly one realm could be read,
					   in a BROKEN one too */
	struct digest_params params;	/* alg DIGEST_NONE: an unknown one;
					   method is the caller's to set */
};

/*
 * Reads the value of one Authorization or Proxy-Authorization field (RFC 3261
 * 25.1, RFC 7616 3.4, STANDARDS 1.5): parameters in any order and case, quoted
 * or not as seen in the field, folding. Adds one element to rows for each
 * "Digest ..." in it (FreeSWITCH joins two with a comma), or one OTHER for a
 * field of another scheme. A parameter said twice, an unterminated quote, a
 * uri without quotes, username and username* together, userhash=true, qop or
 * -sess without cnonce and 8 hex digits of nc: BROKEN, and of params only the
 * realm is left. algorithm missing: MD5. text takes what had to be unescaped;
 * it must have room for the field. Returns how many rows were written, at most
 * max; more than fit: -ERR_TOO_LONG.
 */
int	sip_credentials_parse(struct span value, unsigned int field,
	    struct wbuf *text, struct sip_credentials *rows, size_t max)
	    __attribute__((warn_unused_result));

#endif
