#ifndef ONECRED_DECISION_H
#define ONECRED_DECISION_H

#include "core/sink.h"
#include "core/wbuf.h"
#include "service/auth.h"

/*
 * The log line of one decision (DESIGN 4):
 * door= user= realm= mech= verdict= reason= source= ms=
 */
struct decision {
	const struct auth_request *request;	/* name, password not read */
	const struct account	*account;	/* as presented, canonical;
						   NULL: outside the grammar */
	enum verdict		 verdict;
	enum reason		 reason;
	uint64_t		 usec;		/* since auth_submit() */
};

/* The word of a mechanism: "PLAIN", "Digest-MD5", "SCRAM-SHA-1-PLUS". Of the
   request only kind, algorithm and mechanism are read. */
void	decision_mech(const struct auth_request *request, struct wbuf *out);

void	decision_log(const struct sink *sink, const struct decision *decision);

#endif
