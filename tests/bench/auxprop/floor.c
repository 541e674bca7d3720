/*
 * The least that an auxprop plugin can cost: "alice" and her verifiers from
 * memory. What a benchmark with it shows is libsasl2 itself. FLOOR_SCRAM and
 * FLOOR_HA1 (hex) in the environment are the values.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

int	sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version,
	    int *out_version, sasl_auxprop_plug_t **plug,
	    const char *plugname);

static const char *scram;
static char ha1[17];

static int
floor_lookup(void *context, sasl_server_params_t *params, unsigned flags,
    const char *user, unsigned user_n)
{
	const struct propval *p = params->utils->prop_get(params->propctx);

	(void)context;
	if ((flags & SASL_AUXPROP_AUTHZID) != 0)
		return SASL_OK;
	if (user_n < 5 || memcmp(user, "alice", 5) != 0)
		return SASL_NOUSER;
	for (; p->name != NULL; p++) {
		if (p->values != NULL)
			continue;
		if (strcmp(p->name, "*authPassword") == 0)
			(void)params->utils->prop_set(params->propctx,
			    p->name, scram, 0);
		else if (strcmp(p->name, "*cmusaslsecretDIGEST-MD5") == 0)
			(void)params->utils->prop_set(params->propctx,
			    p->name, ha1, 16);
	}
	return SASL_OK;
}

static char name[] = "floor";
static sasl_auxprop_plug_t floor_plug = {
	.name = name, .auxprop_lookup = floor_lookup
};

int
sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version,
    int *out_version, sasl_auxprop_plug_t **plug, const char *plugname)
{
	const char *hex = getenv("FLOOR_HA1");
	unsigned int octet;

	(void)utils;
	(void)max_version;
	(void)plugname;
	scram = getenv("FLOOR_SCRAM");
	if (scram == NULL || hex == NULL || strlen(hex) != 32)
		return SASL_FAIL;
	for (size_t i = 0; i < 16; i++) {
		if (sscanf(hex + 2 * i, "%2x", &octet) != 1)
			return SASL_FAIL;
		ha1[i] = (char)octet;
	}
	*out_version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &floor_plug;
	return SASL_OK;
}
