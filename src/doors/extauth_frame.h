#ifndef ONECRED_EXTAUTH_FRAME_H
#define ONECRED_EXTAUTH_FRAME_H

#include "core/span.h"

#define EXTAUTH_HEADER		2	/* octets: length, big endian */
#define EXTAUTH_PAYLOAD_MAX	65535	/* octets */
#define EXTAUTH_ANSWER		4	/* octets: 00 02 00 XX */

enum extauth_command {
	EXTAUTH_NONE = 0,
	EXTAUTH_AUTH,
	EXTAUTH_ISUSER,
	EXTAUTH_SETPASS,
	EXTAUTH_TRYREGISTER,
	EXTAUTH_REMOVEUSER,
	EXTAUTH_REMOVEUSER3,
	EXTAUTH_CERTAUTH
};

/*
 * XX of the answer. Whatever is neither true nor false makes ejabberd log an
 * error and cache nothing: its only word for "not now" and "not here".
 */
enum extauth_answer {
	EXTAUTH_FALSE = 0,
	EXTAUTH_TRUE = 1,
	EXTAUTH_UNAVAILABLE = 2
};

/* Views into the payload; any of them may be empty or hold any octet. */
struct extauth_frame {
	enum extauth_command	command;
	struct span		user;
	struct span		host;
	struct span		secret;	/* password or certificate */
};

/*
 * Reads the payload of one frame (what follows its length). 0, or
 * -ERR_UNSUPPORTED for a command that is not known, or -ERR_FORMAT if fields
 * are missing or too many; frame is zeroed on error.
 */
int	extauth_frame_parse(struct span payload, struct extauth_frame *frame)
	    __attribute__((warn_unused_result));

/* The command's word; "unknown" for EXTAUTH_NONE. */
const char *extauth_command_str(enum extauth_command command);

#endif
