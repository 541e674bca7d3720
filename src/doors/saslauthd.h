#ifndef ONECRED_SASLAUTHD_H
#define ONECRED_SASLAUTHD_H

#include "doors/door.h"
#include "doors/listener.h"

/*
 * Cyrus SASL's saslauthd protocol (CYRUS.md 3.2): PLAIN and LOGIN for every
 * application with `pwcheck_method: saslauthd'.
 */
struct saslauthd_door;

struct saslauthd_settings {
	struct listener_settings listener;
	unsigned int	 request_ms;	/* for a whole request; 0: 10 s */
};

/* NULL on failure, the reason in the context's sink. */
struct saslauthd_door *saslauthd_door_new(const struct door_context *context,
		    const struct saslauthd_settings *settings);

/* Whoever still waits is answered 00 00. */
void		 saslauthd_door_free(struct saslauthd_door **door);

/*
 * Towards the end: who has connected is still accepted, half requests are
 * answered 00 00, the others as they are decided.
 */
void		 saslauthd_door_drain(struct saslauthd_door *door);

/* Peers that are not answered yet, or may not have read their answer. */
size_t		 saslauthd_door_busy(const struct saslauthd_door *door);

#endif
