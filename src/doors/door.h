#ifndef ONECRED_DOOR_H
#define ONECRED_DOOR_H

#include "core/crypto.h"
#include "core/sink.h"
#include "service/auth.h"

struct event_base;

/* What every door is given; all of it outlives the door. */
struct door_context {
	struct event_base	*base;
	struct auth		*auth;
	struct crypto		*crypto;	/* the loop's handle */
	const struct sink	*sink;
};

#endif
