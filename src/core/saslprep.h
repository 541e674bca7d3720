#ifndef ONECRED_SASLPREP_H
#define ONECRED_SASLPREP_H

#include "core/secret.h"
#include "core/span.h"

/* Longest password that is prepared at all; longer ones are refused. */
#define PASSWORD_MAX	1024	/* octets, presented (PLAIN needs >= 255) */

enum saslprep_kind {
	SASLPREP_STORED = 0,	/* unassigned code points refused */
	SASLPREP_QUERY		/* unassigned code points pass */
};

/*
 * SASLprep (RFC 4013) of text into out, which the caller frees with
 * secret_free(). Printable ASCII passes unchanged without a call into the
 * stringprep library. 0, -ERR_FORMAT (not UTF-8), -ERR_CHARACTER
 * (prohibited, bidi, unassigned, NUL, or U+200B on which implementations
 * disagree), -ERR_TOO_LONG or -ERR_NOMEM. An empty result is an error
 * (-ERR_FORMAT).
 */
int	saslprep(struct span text, enum saslprep_kind kind,
	    struct secret *out) __attribute__((warn_unused_result));

#endif
