#ifndef ONECRED_CONFIG_SIP_H
#define ONECRED_CONFIG_SIP_H

#include "core/crypto.h"
#include "core/sink.h"
#include "daemon/config_check.h"

/*
 * Judges [sip] and reads the keys of nonces: the file that is named, always;
 * the default one only if a door makes nonces and it is there. 0, or a
 * negative error and source->error.
 */
int	config_check_sip(struct config *config,
	    const struct config_source *source)
	    __attribute__((warn_unused_result));

/* True if a door of this configuration makes nonces. */
bool	config_makes_nonces(const struct config *config);

/*
 * The keys in force: those that were read, else those of the default file,
 * which is made now. A negative error if it cannot be, after a warning that
 * tells what to do; keys are then empty. keys hold secrets.
 */
int	config_nonce_keys(const struct config *config, struct crypto *crypto,
	    const struct sink *sink, struct nonce_keys *keys)
	    __attribute__((warn_unused_result));

#endif
