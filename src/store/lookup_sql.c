/*
 * The daemon's question, for one name and for many, and the shape of the
 * answer; sql/schema/access.sql is its other half. The answer holds verifiers:
 * nothing here copies it.
 */

#include "store/lookup_sql.h"

#include "core/rbuf.h"

#define FIELD_MAX	1024	/* octets; above every column's own limit */

const char lookup_sql[] =
    "SELECT onecred.daemon_lookup($1::text, $2::text, $3::text)";

const char lookup_many_sql[] =
    "SELECT onecred.daemon_lookups($1::text[], $2::text[], $3::text[])";

bool
lookup_split(struct span packed, struct span *fields)
{
	struct rbuf rb;
	size_t i;

	rbuf_init(&rb, packed.p, packed.n);
	for (i = 0; i + 1 < LOOKUP_FIELDS; i++)
		fields[i] = rbuf_until(&rb, '\t', FIELD_MAX);
	fields[i] = rbuf_rest(&rb, FIELD_MAX);
	/* One tab too many would have gone into the last field. */
	return rbuf_done(&rb) && span_find(fields[i], '\t') == fields[i].n;
}
