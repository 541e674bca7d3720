#ifndef ONECRED_ENGINE_H
#define ONECRED_ENGINE_H

#include <stdbool.h>

#include "core/sink.h"
#include "daemon/config.h"
#include "doors/door.h"

struct known;
struct sasl;
struct sip;
struct store;
struct workers;

/* What decides: everything below the doors, made from one config. */
struct engine {
	struct door_context	 context;	/* for the doors */
	struct crypto		*crypto;
	struct workers		*workers;
	struct store		*store;
	struct store		*writing;	/* NULL: store does */
	struct known		*known;
	struct auth		*auth;
	struct accounts		*accounts;
	struct sip		*sip;		/* or NULL */
	struct sasl		*sasl;		/* or NULL */
	struct nonce_keys	 nonce_keys;	/* sasl's; sip has a copy */
};

/*
 * use CONFIG_HELPER: one connection and one worker, whatever the config says.
 * False on failure, the reason in sink; engine is then as after stop. base,
 * config and sink outlive the engine, which must not move.
 */
bool	engine_start(struct engine *engine, const struct config *config,
	    enum config_use use, struct event_base *base,
	    const struct sink *sink);

/* Takes over what of config may change while running: the keys of nonces. */
void	engine_reload(struct engine *engine, const struct config *config);

/* After the doors. Any state of engine that was zeroed once. */
void	engine_stop(struct engine *engine);

#endif
