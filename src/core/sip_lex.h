#ifndef ONECRED_SIP_LEX_H
#define ONECRED_SIP_LEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/span.h"

/*
 * The lexical rules that header fields of SIP share (RFC 3261 25.1). Each
 * takes something off the front of rest; none looks at an octet twice.
 */

bool		 sip_is_token(uint8_t c);
bool		 sip_is_blank(uint8_t c);	/* SP, HTAB, CR, LF */

/* LWS: blanks and folds. */
void		 sip_take_blanks(struct span *rest);

/* The token characters at the front; may be empty. */
struct span	 sip_take_token(struct span *rest);

/*
 * A quoted string, at whose opening quote rest stands; inner is what is
 * between the quotes, escapes included. false, and nothing left in rest, if
 * the closing quote is missing.
 */
bool		 sip_take_quoted(struct span *rest, struct span *inner);

/*
 * An unquoted value of a parameter: all up to a blank or one of ", ; < >" and
 * the quote. Wider than token, for hosts and what phones write there.
 */
struct span	 sip_take_word(struct span *rest);

#endif
