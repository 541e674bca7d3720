#ifndef ONECRED_SCRIPTS_H
#define ONECRED_SCRIPTS_H

#include <stddef.h>

#include "core/span.h"
#include "core/wbuf.h"

#define SCRIPTS_COMMAND_MAX	1024	/* octets of one command */
#define SCRIPTS_VALUES_MAX	4

/* A psql variable of a script. */
struct script_value {
	const char	*name;
	const char	*value;
};

/*
 * Writes the command that an administrator can paste into a shell:
 *     psql -d DATABASE -v user=alice@example.com -f /.../sql/user-add.sql
 * with the absolute path of the installed script (the one beside this
 * program). database may be NULL; values ends with a NULL name, at most
 * SCRIPTS_VALUES_MAX of them. What does not fit leaves out empty.
 */
void	scripts_command(const char *database, const char *script,
	    const struct script_value *values, char *out, size_t cap);

/*
 * Writes word so that a shell takes it for one word and nothing else. Names
 * need it too: in a domain that takes all of them, "$(reboot)" is one.
 */
void	scripts_word(struct wbuf *out, struct span word);

#endif
