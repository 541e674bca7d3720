#ifndef ONECRED_PLUGIN_H
#define ONECRED_PLUGIN_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "core/identity.h"
#include "plugin_options.h"
#include "plugin_process.h"

#define PLUGIN_NAME	"onecred"	/* as auxprop_plugin spells it */

/* One initialisation of the plugin: the glob_context. Owner: libsasl2. */
struct plugin {
	sasl_auxprop_plug_t	 sasl;
	struct plugin_options	 options;
	struct process_slot	 processes;
};

/* sasl_auxprop_plug_t's auxprop_lookup and auxprop_store. */
int	plugin_lookup(void *context, sasl_server_params_t *params,
	    unsigned flags, const char *user, unsigned user_n);
int	plugin_store(void *context, sasl_server_params_t *params,
	    struct propctx *properties, const char *user, unsigned user_n);

/*
 * Whom libsasl2's user means: within the realm that the application asked
 * for, or, where it named none, in the name's own domain or the host's. 0,
 * -ERR_FOREIGN, or another error for a name outside the grammar.
 */
int	plugin_account(const sasl_server_params_t *params, const char *user,
	    unsigned user_n, struct presented *out)
	    __attribute__((warn_unused_result));

/*
 * Logs a fault ("what: why") now and then; an empty why is never logged. Lock
 * held.
 */
void	plugin_log_fault(const sasl_server_params_t *params,
	    struct process *process, const char *what, const char *why);

#endif
