#ifndef ONECRED_ENGINE_H
#define ONECRED_ENGINE_H

#include <stdbool.h>

#include "core/sink.h"
#include "daemon/config.h"
#include "doors/door.h"

struct store;
struct workers;

/* What decides: everything below the doors, made from one config. */
struct engine {
	struct door_context	 context;	/* for the doors */
	struct crypto		*crypto;
	struct workers		*workers;
	struct store		*store;
	struct auth		*auth;
};

/*
 * use CONFIG_HELPER: one connection and one worker, whatever the config says.
 * False on failure, the reason in sink; engine is then as after stop. base,
 * config and sink outlive the engine, which must not move.
 */
bool	engine_start(struct engine *engine, const struct config *config,
	    enum config_use use, struct event_base *base,
	    const struct sink *sink);

/* After the doors. Any state of engine that was zeroed once. */
void	engine_stop(struct engine *engine);

#endif
