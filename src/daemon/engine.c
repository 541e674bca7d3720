/*
 * Starts and stops crypto, workers, store and auth in the order in which they
 * need each other.
 */

#include "daemon/engine.h"

#include <string.h>

#include "core/err.h"
#include "service/workers.h"
#include "store/store.h"

#define QUEUE_PER_WORKER	256	/* PBKDF2 jobs: about a second's work */

static bool
start(struct engine *e, const struct config *config, enum config_use use)
{
	const struct door_context *c = &e->context;
	bool helper = use == CONFIG_HELPER;
	unsigned int threads = helper ? 1 : config->workers.pbkdf2;
	const struct store_settings store = {
		.conninfo = config->database.conninfo,
		.connections = helper ? 1 : config->database.connections,
		.lookup_timeout_ms = config->database.lookup_timeout,
		.connect_timeout_ms = config->database.connect_timeout,
		.application = helper ? "onecredd-extauth" : "onecredd"
	};
	const struct auth_settings auth = {
		.keys = config->seal.keys.count > 0 ? &config->seal.keys :
		    NULL
	};
	int err = crypto_new(NULL, &e->crypto);

	if (err != 0) {
		sink_log(c->sink, LEVEL_ERROR, "libcrypto: %s", err_str(err));
		return false;
	}
	for (int hash = HASH_MD5; hash < HASH_COUNT; hash++)
		if (!crypto_has(e->crypto, (enum hash_id)hash))
			sink_log(c->sink, LEVEL_WARNING, "%s is not to be had "
			    "from libcrypto: disabled",
			    hash_name((enum hash_id)hash));
	e->workers = workers_new(c->base, e->crypto, threads,
	    (size_t)QUEUE_PER_WORKER * threads);
	if (e->workers == NULL) {
		sink_log(c->sink, LEVEL_ERROR, "cannot start threads");
		return false;
	}
	e->store = store_new(c->base, &store, c->sink);
	if (e->store == NULL)
		return false;
	e->auth = auth_new(e->store, e->workers, e->crypto, c->base, c->sink,
	    &auth);
	if (e->auth == NULL) {
		sink_log(c->sink, LEVEL_ERROR, "out of memory");
		return false;
	}
	e->context.auth = e->auth;
	e->context.crypto = e->crypto;
	return true;
}

bool
engine_start(struct engine *engine, const struct config *config,
    enum config_use use, struct event_base *base, const struct sink *sink)
{
	memset(engine, 0, sizeof(*engine));
	engine->context.base = base;
	engine->context.sink = sink;
	if (start(engine, config, use))
		return true;
	engine_stop(engine);
	return false;
}

void
engine_stop(struct engine *engine)
{
	/* NB: the jobs of cancelled decisions end with the workers. */
	if (engine->workers != NULL)
		workers_free(&engine->workers);
	if (engine->auth != NULL)
		auth_free(&engine->auth);
	if (engine->store != NULL)
		store_free(&engine->store);
	crypto_free(&engine->crypto);
	engine->context.auth = NULL;
	engine->context.crypto = NULL;
}
