#ifndef ONECRED_QUESTION_H
#define ONECRED_QUESTION_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "store/store.h"

/*
 * The statement of each question that store_ask() takes: one row with one
 * text column. Asked seldom, so never prepared.
 */
struct question {
	const char	*sql;
	size_t		 values;	/* parameters, all text */
	bool		 once;		/* not to be sent again after a loss:
					   the first one may have worked */
};

const struct question *question_get(enum store_question question);

/*
 * What the result says: STORE_OK with the text (empty: NULL), STORE_REFUSED
 * with SQLSTATE (of class OC) and our own sentence, or STORE_UNAVAILABLE with
 * the SQLSTATE, empty if there is none. A view of result or of sentence.
 */
#define QUESTION_SENTENCE_MAX	512	/* octets; what is longer is cut */
enum store_status question_read(const PGresult *result, char *sentence,
	    struct span *text);

#endif
