#ifndef ONECRED_CONFIG_CHECK_H
#define ONECRED_CONFIG_CHECK_H

#include <sys/types.h>

#include "daemon/config.h"
#include "daemon/ini.h"

/* A configuration file that is being loaded. Views only. */
struct config_source {
	const char	*path;
	mode_t		 mode;		/* permission bits of the file */
	enum config_use	 use;
	const struct ini *ini;
	char		*error;		/* CONFIG_ERROR_MAX octets */
};

/* Writes "FILE:LINE: ..." (line 0: "FILE: ...") and returns -ERR_FORMAT. */
int	config_refuse(const struct config_source *source, unsigned int line,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Judges what the option table cannot: names, addresses, users, files that
 * are named; and fills the fields that follow from them. Every option has
 * its value. 0, or a negative error and source->error.
 */
int	config_check(struct config *config,
	    const struct config_source *source)
	    __attribute__((warn_unused_result));

#endif
