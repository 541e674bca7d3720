#ifndef ONECRED_DOVECOT_H
#define ONECRED_DOVECOT_H

#include <stddef.h>

#include "doors/door.h"
#include "doors/listener.h"

/*
 * Dovecot's authentication protocol for clients, 1.2 (STANDARDS 7.3): PLAIN,
 * LOGIN and SCRAM for Prosody's mod_auth_dovecot, Postfix and Exim. The
 * protocol names no domain, so each socket serves one.
 */
struct dovecot_door;

struct dovecot_settings {
	struct listener_settings listener;	/* RIGHT_CHECK: PLAIN, LOGIN;
						   RIGHT_SASL: SCRAM */
	const char	*domain;	/* outlives the door */
	unsigned int	 stall_ms;	/* for half a line, or an answer that
					   nobody reads; 0: 10 s */
};

/* context->sasl must be there. NULL on failure, the reason in the sink. */
struct dovecot_door *dovecot_door_new(const struct door_context *context,
		    const struct dovecot_settings *settings);
void		 dovecot_door_free(struct dovecot_door **door);

/*
 * Towards the end: what has been asked by now is answered, and who is owed
 * nothing is sent away; clients connect again by themselves.
 */
void		 dovecot_door_drain(struct dovecot_door *door);

/* Peers that are not answered yet. */
size_t		 dovecot_door_busy(const struct dovecot_door *door);

#endif
