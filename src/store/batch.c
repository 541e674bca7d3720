/*
 * Lookups gathered into one query. Each element is quoted and its '"' and '\'
 * escaped, whatever it holds, so that no name can end its element and become
 * two of them.
 */

#include "store/batch.h"

static void
array_clear(struct wbuf *wb, char *text, size_t cap)
{
	wbuf_init(wb, text, cap);
	wbuf_u8(wb, '{');
}

void
batch_clear(struct batch *batch)
{
	batch->count = 0;
	array_clear(&batch->domains, batch->domain_text,
	    sizeof(batch->domain_text));
	array_clear(&batch->localparts, batch->localpart_text,
	    sizeof(batch->localpart_text));
	array_clear(&batch->realms, batch->realm_text,
	    sizeof(batch->realm_text));
}

/* NULL is NULL. */
static void
array_add(struct wbuf *wb, bool first, const char *value)
{
	struct span text = span_str(value);

	if (!first)
		wbuf_u8(wb, ',');
	if (value == NULL) {
		wbuf_str(wb, "NULL");
		return;
	}
	wbuf_u8(wb, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			wbuf_u8(wb, '\\');
		wbuf_u8(wb, text.p[i]);
	}
	wbuf_u8(wb, '"');
}

/* A lookup may be the only one; until then nobody knows. */
static void
keep_first(struct batch *batch, const char *const values[3])
{
	char *const out[] = {
		batch->first_domain, batch->first_localpart,
		batch->first_realm
	};
	static const size_t caps[] = {
		DOMAIN_MAX + 1, LOCALPART_MAX + 1, REALM_MAX + 1
	};

	for (size_t i = 0; i < 3; i++)
		batch->null[i] = values[i] == NULL ||
		    span_copy_str(span_str(values[i]), out[i], caps[i]) != 0;
}

void
batch_add(struct batch *batch, const char *const values[3])
{
	static const char *const nobody[3] = { NULL, NULL, NULL };
	bool first = batch->count == 0;

	if (span_str(values[0]).n > DOMAIN_MAX ||
	    span_str(values[1]).n > LOCALPART_MAX ||
	    span_str(values[2]).n > REALM_MAX)
		values = nobody;
	if (first)
		keep_first(batch, values);
	array_add(&batch->domains, first, values[0]);
	array_add(&batch->localparts, first, values[1]);
	array_add(&batch->realms, first, values[2]);
	batch->count++;
}

static const char *
array_end(struct wbuf *wb)
{
	wbuf_bytes(wb, "}", sizeof("}"));
	return (const char *)wb->p;
}

const char *const *
batch_values(struct batch *batch)
{
	if (batch->count == 1) {
		batch->values[0] = batch->null[0] ? NULL : batch->first_domain;
		batch->values[1] = batch->null[1] ? NULL :
		    batch->first_localpart;
		batch->values[2] = batch->null[2] ? NULL : batch->first_realm;
		return batch->values;
	}
	batch->values[0] = array_end(&batch->domains);
	batch->values[1] = array_end(&batch->localparts);
	batch->values[2] = array_end(&batch->realms);
	return batch->values;
}
