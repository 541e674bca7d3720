#ifndef ONECRED_DOVECOT_LINE_H
#define ONECRED_DOVECOT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/span.h"

/*
 * One line of a client in Dovecot's authentication protocol (STANDARDS 7.3),
 * without its end:
 *	VERSION <major> <minor> | CPID <pid> | CANCEL <id> | CONT <id> <base64>
 *	AUTH <id> <mechanism> [<name>[=<value>]]... [resp=<base64>]
 * with a tab between fields.
 */
#define DOVECOT_LINE_MAX	16384	/* octets */
#define DOVECOT_FIELDS_MAX	64

enum dovecot_command {
	DOVECOT_UNKNOWN = 0,	/* to be ignored: of a later minor */
	DOVECOT_VERSION,
	DOVECOT_CPID,
	DOVECOT_AUTH,
	DOVECOT_CONT,
	DOVECOT_CANCEL
};

/* Views of the line. */
struct dovecot_line {
	enum dovecot_command command;
	uint32_t	 major, minor;		/* VERSION */
	uint32_t	 id;			/* AUTH, CONT, CANCEL */
	struct span	 mech;			/* AUTH */
	struct span	 service;		/* as sent, escapes and all */
	struct span	 source;		/* rip=, likewise */
	bool		 final_resp_ok;
	bool		 has_resp;		/* false: AUTH without resp= */
	struct span	 resp;			/* base64; "=" has become "" */
};

/*
 * 0, or -ERR_FORMAT: a known command without what it needs, which leaves
 * nobody to answer. line is zeroed then. What is merely wrong inside resp is
 * not judged here. "resp=" ends the line: all behind it is its value.
 */
int	dovecot_line_parse(struct span in, struct dovecot_line *line)
	    __attribute__((warn_unused_result));

/*
 * The id of an AUTH or CONT of which only the head has come, so that it can
 * be refused by its name. False: neither, or its id is not all there.
 */
bool	dovecot_line_id(struct span head, uint32_t *id);

#endif
