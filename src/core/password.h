#ifndef ONECRED_PASSWORD_H
#define ONECRED_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/span.h"

#define PASSWORD_NEW_MIN	8	/* octets */
#define PASSWORD_NEW_MAX	128	/* octets: RADIUS User-Password */

/*
 * Whether a new password works on both sides, XMPP and SIP (STANDARDS 4.3):
 * printable ASCII without leading or trailing blank, 8..128 octets; with
 * non_ascii also text that NFC, SASLprep and OpaqueString all leave alone.
 * 0, or a negative error and a sentence for the user in why (static storage,
 * never containing the password).
 */
int	password_check_new(struct span password, bool non_ascii,
	    const char **why) __attribute__((warn_unused_result));

#endif
