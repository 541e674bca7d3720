#ifndef ONECRED_SESSION_H
#define ONECRED_SESSION_H

#include <stdbool.h>

#include <libpq-fe.h>

#define SESSION_STATE_MAX	6	/* SQLSTATE and its NUL */
#define SESSION_TEXT_MAX	320

/*
 * One blocking connection with deadlines, for `onecredd -t` and the command
 * line; the doors have the store. Zeroed before session_open(); end with
 * session_close() whatever that returned.
 */
struct session {
	PGconn		*pg;
	unsigned int	 ask_ms;
	char		 state[SESSION_STATE_MAX]; /* of the fault, or "" */
	char		 text[SESSION_TEXT_MAX];   /* the fault on one line */
};

/*
 * Tries the hosts of conninfo ("" is libpq's environment, a word without '='
 * a database) in turn, connect_ms each; a question later takes ask_ms at
 * most. False, and the fault of the first host in state and text; never a
 * password.
 */
bool	session_open(struct session *session, const char *conninfo,
	    const char *application, unsigned int connect_ms,
	    unsigned int ask_ms);

/*
 * Asks with count text parameters. The result (commands have one too) is for
 * PQclear(); or NULL, and the fault in state and text. After a deadline the
 * session is only good for closing.
 */
PGresult *session_ask(struct session *session, const char *sql, int count,
	    const char *const *values);

void	session_close(struct session *session);

#endif
