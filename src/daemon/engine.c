/*
 * Starts and stops crypto, workers, store, auth, accounts, sip and sasl in the
 * order in which they need each other.
 */

#include "daemon/engine.h"

#include <string.h>

#include "core/err.h"
#include "daemon/config_sip.h"
#include "service/accounts.h"
#include "service/known.h"
#include "service/sasl.h"
#include "service/sip.h"
#include "service/workers.h"
#include "store/store.h"

#define QUEUE_PER_WORKER	256	/* PBKDF2 jobs: about a second's work */

/* Keys of nonces that end with this process. */
static int
draw_keys(struct crypto *crypto, struct nonce_keys *keys)
{
	int err = crypto_random(crypto, keys->key[0], NONCE_KEY_SIZE);

	keys->count = err == 0 ? 1 : 0;
	return err;
}

static bool
start_sip(struct engine *e, const struct config *config)
{
	struct sip_settings settings = {
		.nonce_lifetime_ms = config->sip.nonce_lifetime,
		.foreign_window_ms = config->sip.foreign_window,
		.nonce_keys = e->nonce_keys
	};

	e->sip = sip_new(e->auth, e->store, e->crypto, e->context.base,
	    e->context.sink, &settings);
	nonce_keys_wipe(&settings.nonce_keys);
	e->context.sip = e->sip;
	return e->sip != NULL;
}

static bool
start_sasl(struct engine *e)
{
	const struct sasl_settings settings = {
		.nonce_keys = &e->nonce_keys
	};

	e->sasl = sasl_new(e->auth, e->crypto, e->context.base, &settings);
	e->context.sasl = e->sasl;
	return e->sasl != NULL;
}

/*
 * What makes nonces, or tokens with their keys.
 *
 * NB: [radius] gets them even if no client needs them yet: a reload may bring
 * one that does. Its key file is made when that happens.
 */
static bool
start_keyed(struct engine *e, const struct config *config)
{
	const struct sink *sink = e->context.sink;
	bool http = config->http.head.line != 0;
	bool sip = http || config->radius.head.line != 0;
	bool sasl = http || config->dovecot_count > 0;
	int err = 0;

	if (!sip && !sasl)
		return true;
	if (!config_makes_nonces(config) || config_nonce_keys(config,
	    e->crypto, sink, &e->nonce_keys) != 0)
		err = draw_keys(e->crypto, &e->nonce_keys);
	if (err == 0 && (!sip || start_sip(e, config)) &&
	    (!sasl || start_sasl(e)))
		return true;
	sink_log(sink, LEVEL_ERROR, "cannot make nonces: %s",
	    err_str(err == 0 ? ERR_NOMEM : err));
	return false;
}

/*
 * What decides about logins, and what changes accounts: where writing is
 * possible, by a connection of its own if that is elsewhere.
 */
static bool
start_services(struct engine *e, const struct config *config,
    const struct store_settings *reading)
{
	const struct door_context *c = &e->context;
	const struct seal_keyring *keys = config->seal.keys.count > 0 ?
	    &config->seal.keys : NULL;
	const char *place = config->database.write_conninfo;
	struct store_settings writing = *reading;

	e->store = store_new(c->base, reading, c->sink);
	if (e->store == NULL)
		return false;
	if (place != NULL &&
	    !span_equal(span_str(place), span_str(reading->conninfo))) {
		writing.conninfo = place;
		writing.connections = 1;
		e->writing = store_new(c->base, &writing, c->sink);
		if (e->writing == NULL)
			return false;
	}
	e->known = known_new(e->crypto);
	if (e->known != NULL)
		e->auth = auth_new(e->store, e->workers, e->crypto, c->base,
		    c->sink, &(struct auth_settings){ .keys = keys,
		    .known = e->known });
	if (e->auth != NULL)
		e->accounts = accounts_new(e->writing != NULL ? e->writing :
		    e->store, e->workers, c->base, c->sink,
		    &(struct accounts_settings){ .keys = keys,
		    .known = e->known });
	if (e->accounts == NULL) {
		sink_log(c->sink, LEVEL_ERROR, "out of memory");
		return false;
	}
	e->context.auth = e->auth;
	e->context.accounts = e->accounts;
	return true;
}

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
	if (!start_services(e, config, &store))
		return false;
	e->context.crypto = e->crypto;
	return helper || start_keyed(e, config);
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
engine_reload(struct engine *engine, const struct config *config)
{
	struct nonce_keys keys;

	if ((engine->sip == NULL && engine->sasl == NULL) ||
	    !config_makes_nonces(config))
		return;
	if (config_nonce_keys(config, engine->crypto, engine->context.sink,
	    &keys) == 0) {
		if (engine->sip != NULL)
			sip_rekey(engine->sip, &keys);
		/* In place: sasl looks here. */
		memcpy(engine->nonce_keys.key, keys.key, sizeof(keys.key));
		engine->nonce_keys.count = keys.count;
	}
	nonce_keys_wipe(&keys);
}

void
engine_stop(struct engine *engine)
{
	sasl_free(&engine->sasl);
	sip_free(&engine->sip);
	/* NB: the jobs of cancelled decisions end with the workers. */
	if (engine->workers != NULL)
		workers_free(&engine->workers);
	if (engine->accounts != NULL)
		accounts_free(&engine->accounts);
	if (engine->auth != NULL)
		auth_free(&engine->auth);
	known_free(&engine->known);
	if (engine->writing != NULL)
		store_free(&engine->writing);
	if (engine->store != NULL)
		store_free(&engine->store);
	crypto_free(&engine->crypto);
	nonce_keys_wipe(&engine->nonce_keys);
	engine->context.auth = NULL;
	engine->context.accounts = NULL;
	engine->context.sip = NULL;
	engine->context.sasl = NULL;
	engine->context.crypto = NULL;
}
