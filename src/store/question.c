/*
 * Questions beyond the lookup, and how their answers are read;
 * sql/schema/access.sql is the other half. A sentence of a failed statement is
 * passed on only if it is one of ours, which never quote a value.
 */

#include "store/question.h"

#include "core/wbuf.h"

static const struct question questions[STORE_QUESTION_COUNT] = {
	[STORE_REALM] = {
		.sql = "SELECT onecred.daemon_realm($1)",
		.values = 1
	},
	[STORE_OWNER] = {
		.sql = "SELECT onecred.daemon_owner($1, $2, $3, $4)",
		.values = 4
	},
	[STORE_ACCOUNT_POLICY] = {
		/* "t" if it exists, iterations, stores (bits as in a lookup),
		   digests, "t" for non-ASCII passwords, realms one a line */
		.sql = "SELECT concat_ws(E'\\t', found, iterations,"
		    " store_md5::int + 2 * store_sha_256::int"
		    " + 4 * store_sha_512_256::int, digests, non_ascii,"
		    " realms) FROM onecred.account_get($1, $2)",
		.values = 2
	},
	[STORE_ACCOUNT_SET] = {
		.sql = "SELECT onecred.account_set($1, $2, $3, $4, $5, $6,"
		    " $7)",
		.values = 7,
		.once = true
	},
	[STORE_ACCOUNT_DELETE] = {
		.sql = "SELECT onecred.account_delete($1, $2)",
		.values = 2,
		.once = true
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
question_read(const PGresult *result, char *sentence, struct span *text)
{
	struct wbuf wb;

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
	wbuf_init(&wb, sentence, QUESTION_SENTENCE_MAX);
	wbuf_span(&wb, *text);
	wbuf_u8(&wb, ' ');
	wbuf_span(&wb, span_head(field(result, PG_DIAG_MESSAGE_PRIMARY),
	    QUESTION_SENTENCE_MAX - wb.n));
	*text = wbuf_written(&wb);
	return STORE_REFUSED;
}
