#ifndef ONECRED_PLUGIN_OPTIONS_H
#define ONECRED_PLUGIN_OPTIONS_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "core/seal.h"
#include "plugin_conninfo.h"

/*
 * What the application's SASL configuration says to this plugin. Read once,
 * at init: the server may still have the rights to read files then, and
 * libsasl2's strings do not live longer than its configuration.
 */
enum plugin_state {
	PLUGIN_UNCONFIGURED = 0,	/* not meant for this application */
	PLUGIN_FAULTY,			/* meant, but not usable as written */
	PLUGIN_READY
};

struct plugin_options {
	enum plugin_state	 state;
	const char		*fault;		/* why it is FAULTY */
	struct conninfo		 conninfo;
	int			 timeout_ms;
	struct seal_keyring	 ring;		/* count 0: no key */
};

/*
 * Fills options. If something in them is wrong they are FAULTY and the system
 * log says why; libsasl2 lets the application's log hear nothing yet. Says
 * nothing if onecred_conninfo is not there.
 */
void	plugin_options_read(struct plugin_options *options,
	    const sasl_utils_t *utils);
void	plugin_options_wipe(struct plugin_options *options);

#endif
