/*
 * [sip]: where the keys of nonces come from. Nothing is made while a
 * configuration is only read: `onecredd -t' by root would leave a file that
 * the daemon cannot open.
 */

#include "daemon/config_sip.h"

#include "core/err.h"
#include "daemon/config_client.h"
#include "daemon/nonce_file.h"

#define WHY_MAX	192

bool
config_makes_nonces(const struct config *config)
{
	if (config->http_client_count > 0 || config->dovecot_count > 0)
		return true;
	for (size_t i = 0; i < config->client_count; i++)
		if (config->clients[i].nonce != 0)
			return true;
	return false;
}

int
config_check_sip(struct config *config, const struct config_source *source)
{
	struct config_sip *sip = &config->sip;
	const char *path = sip->nonce_key_file;
	char preset[NONCE_FILE_PATH_MAX], why[WHY_MAX];
	unsigned int line = config_key_line(source, sip->head.line,
	    "nonce_key_file");

	/* The helper runs as the XMPP server's user: not its business. */
	if (source->use == CONFIG_HELPER)
		return 0;
	if (path != NULL && path[0] != '/')
		return config_refuse(source, line, "[sip] nonce_key_file: "
		    "must be an absolute path");
	if (path == NULL) {
		if (!config_makes_nonces(config) ||
		    !nonce_file_default(preset, sizeof(preset)) ||
		    !nonce_file_exists(preset))
			return 0;
		path = preset;
	}
	if (nonce_file_read(path, &sip->keys, why, sizeof(why)) != 0)
		return config_refuse(source, line, "[sip] nonce_key_file: "
		    "%s %s", path, why);
	return 0;
}

int
config_nonce_keys(const struct config *config, struct crypto *crypto,
    const struct sink *sink, struct nonce_keys *keys)
{
	char path[NONCE_FILE_PATH_MAX] = "$STATE_DIRECTORY";
	char why[WHY_MAX] = "is no absolute path";

	*keys = config->sip.keys;
	if (keys->count > 0)
		return 0;
	if (nonce_file_default(path, sizeof(path)) &&
	    nonce_file_create(path, crypto, keys, why, sizeof(why)) == 0)
		return 0;
	nonce_keys_wipe(keys);
	sink_log(sink, LEVEL_WARNING, "[sip] nonce_key_file: %s %s; nonces "
	    "end with this process and no other daemon knows them. Make the "
	    "folder (install -d -m 0700 -o USER, of the user onecredd runs "
	    "as) or name a file", path, why);
	return -ERR_SYSTEM;
}
