#ifndef ONECRED_INI_H
#define ONECRED_INI_H

#include <stddef.h>

#include "core/span.h"

#define INI_LINE_MAX	4096		/* octets without the line end */
#define INI_FILE_MAX	(1024 * 1024)	/* octets */
#define INI_LINES_MAX	8192		/* sections, or keys, of one file */

/* [word] or [word name]; its entries are entries[first .. first+count). */
struct ini_section {
	struct span	word;
	struct span	name;		/* empty if there is none */
	unsigned int	line;
	size_t		first;
	size_t		count;
};

struct ini_entry {
	struct span	key;
	struct span	value;		/* trimmed; may be empty */
	unsigned int	line;
};

/* The parsed text. Owns the arrays; the spans point into the text. */
struct ini {
	struct ini_section	*sections;
	size_t			 section_count;
	struct ini_entry	*entries;
	size_t			 entry_count;
};

/*
 * Parses text. 0; or a negative error, then *line (from 1) and *why (static,
 * a sentence without its full stop) say what is wrong, and ini is empty.
 */
int	ini_parse(struct span text, struct ini *ini, unsigned int *line,
	    const char **why) __attribute__((warn_unused_result));
void	ini_free(struct ini *ini);

/* The line of key in section; the section's own line if it is not there. */
unsigned int ini_line(const struct ini *ini,
	    const struct ini_section *section, const char *key);

#endif
