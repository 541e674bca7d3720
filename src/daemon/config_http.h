#ifndef ONECRED_CONFIG_HTTP_H
#define ONECRED_CONFIG_HTTP_H

#include "daemon/config_check.h"

/*
 * Judges [http] token_file and every [http-client NAME] and makes
 * config->http_clients out of them. 0, or a negative error and
 * source->error.
 */
int	config_check_http_clients(struct config *config,
	    const struct config_source *source)
	    __attribute__((warn_unused_result));

#endif
