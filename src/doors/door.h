#ifndef ONECRED_DOOR_H
#define ONECRED_DOOR_H

#include "core/crypto.h"
#include "core/sink.h"
#include "service/auth.h"

struct accounts;
struct event_base;
struct sasl;
struct sip;

/* What every door is given; all of it outlives the door. */
struct door_context {
	struct event_base	*base;
	struct auth		*auth;
	struct accounts		*accounts;	/* changes; NULL with auth */
	struct sip		*sip;		/* NULL: neither [http] nor
						   [radius] */
	struct sasl		*sasl;		/* NULL: neither [http] nor
						   [dovecot NAME] */
	struct crypto		*crypto;	/* the loop's handle */
	const struct sink	*sink;
};

#endif
