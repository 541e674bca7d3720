/*
 * Entry of the Cyrus SASL auxprop plugin (DESIGN 9). The one exported symbol
 * is sasl_auxprop_plug_init; libsasl2 finds it by name.
 *
 * This code lives inside other people's servers: it never exits, never writes
 * to standard error, starts no thread, registers nothing that outlives it,
 * and calls libsasl2 only through the sasl_utils_t that it is given.
 */

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

__attribute__((visibility("default")))
int	sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version,
	    int *out_version, sasl_auxprop_plug_t **plug,
	    const char *plugname);

static char plugin_name[] = PLUGIN_NAME;

/* Is function what the library exports as name? */
static bool
is_function(void *library, const char *name, const void *function)
{
	const void *exported = dlsym(library, name);
	const void *given;

	memcpy(&given, function, sizeof(given));
	return exported != NULL && exported == given;
}

/*
 * Whether utils is laid out as our header says. Later libraries dropped eight
 * members out of its middle, so that every call of ours would hit a wrong
 * function, and no number tells: the plugin's version stayed the same, no
 * library ever sets utils->version, and unreleased ones call themselves
 * 2.1.28. But the library that calls us exports some of the functions that
 * have to be in there.
 *
 * NB: the first question is about a member that exists in every layout.
 */
static bool
is_known_layout(const sasl_utils_t *utils)
{
	void *library;
	Dl_info info;
	bool known;

	/* Where does getopt live, which stands before the change? */
	memcpy(&library, &utils->getopt, sizeof(library));
	if (dladdr(library, &info) == 0)
		return false;
	library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (library == NULL)
		return false;
	known = is_function(library, "sasl_getprop", &utils->getprop) &&
	    is_function(library, "sasl_seterror", &utils->seterror) &&
	    is_function(library, "prop_get", &utils->prop_get) &&
	    is_function(library, "prop_set", &utils->prop_set) &&
	    is_function(library, "prop_erase", &utils->prop_erase);
	(void)dlclose(library);
	return known;
}

/* NB: a forked child comes here too, when it ends with sasl_done(). */
static void
plugin_free(void *context, const sasl_utils_t *utils)
{
	struct plugin *plugin = context;

	(void)utils;
	if (plugin == NULL)
		return;
	process_slot_clear(&plugin->processes);
	plugin_options_wipe(&plugin->options);
	free(plugin);
}

int
sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version,
    int *out_version, sasl_auxprop_plug_t **plug, const char *plugname)
{
	struct plugin *plugin;

	(void)plugname;
	if (utils == NULL || out_version == NULL || plug == NULL)
		return SASL_BADPARAM;
	if (max_version < SASL_AUXPROP_PLUG_VERSION ||
	    !is_known_layout(utils))
		return SASL_BADVERS;
	plugin = calloc(1, sizeof(*plugin));
	if (plugin == NULL)
		return SASL_NOMEM;
	plugin->sasl.name = plugin_name;
	plugin->sasl.glob_context = plugin;
	plugin->sasl.auxprop_free = plugin_free;
	plugin->sasl.auxprop_lookup = plugin_lookup;
	plugin->sasl.auxprop_store = plugin_store;
	plugin_options_read(&plugin->options, utils);
	*out_version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &plugin->sasl;
	return SASL_OK;
}
