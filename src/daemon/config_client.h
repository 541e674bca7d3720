#ifndef ONECRED_CONFIG_CLIENT_H
#define ONECRED_CONFIG_CLIENT_H

#include "daemon/config_check.h"

/*
 * Judges every [radius-client NAME] and makes config->radius_clients out of
 * them. 0, or a negative error and source->error.
 */
int	config_check_clients(struct config *config,
	    const struct config_source *source)
	    __attribute__((warn_unused_result));

/* For both files of checks: the line of key in the section at a line. */
unsigned int config_key_line(const struct config_source *source,
	    unsigned int section, const char *key);
int	config_check_domains(const struct config_source *source,
	    unsigned int section, const char *title,
	    const struct word_list *domains)
	    __attribute__((warn_unused_result));

#endif
