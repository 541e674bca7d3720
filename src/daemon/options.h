#ifndef ONECRED_OPTIONS_H
#define ONECRED_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/span.h"
#include "daemon/option_value.h"

/* One section of onecred.conf and where its struct stands. */
struct section_def {
	const char	*word;
	bool		 named;		/* [word NAME], any number of them */
	bool		 required;
	bool		 door;		/* being there at all means something */
	size_t		 offset;	/* in struct config; unnamed only */
};

/* Both tables end with an entry whose section (word) is NULL. */
extern const struct section_def config_sections[];
extern const struct option_def config_options[];

/* NULL if there is none. */
const struct section_def *section_find(struct span word);
const struct option_def	 *option_find(const struct section_def *section,
			    struct span key);

#endif
