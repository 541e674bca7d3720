/*
 * Questions beyond the lookup, and how their answers are read;
 * sql/schema/access.sql is the other half. A sentence of a failed statement is
 * passed on only if it is one of ours, which never quote a value.
 */

#include "store/question.h"

static const struct question questions[STORE_QUESTION_COUNT] = {
	[STORE_REALM] = {
		.sql = "SELECT onecred.daemon_realm($1)",
		.values = 1
	},
	[STORE_OWNER] = {
		.sql = "SELECT onecred.daemon_owner($1, $2, $3, $4)",
		.values = 4
	}
};

const struct question *
question_get(enum store_question question)
{
	return &questions[question];
}

static struct span
field(const PGresult *result, int code)
{
	return span_str(PQresultErrorField(result, code));
}

enum store_status
question_read(const PGresult *result, struct span *text)
{
	*text = SPAN_EMPTY;
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		if (PQntuples(result) != 1 || PQnfields(result) != 1)
			return STORE_UNAVAILABLE;
		*text = span_mem(PQgetvalue(result, 0, 0),
		    (size_t)PQgetlength(result, 0, 0));
		return STORE_OK;
	}
	*text = field(result, PG_DIAG_SQLSTATE);
	if (!span_equal(span_head(*text, 2), SPAN_LIT("OC")))
		return STORE_UNAVAILABLE;
	*text = field(result, PG_DIAG_MESSAGE_PRIMARY);
	return STORE_REFUSED;
}
