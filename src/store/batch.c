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

void
batch_add(struct batch *batch, const char *const values[3])
{
	bool first = batch->count == 0;
	bool fits = span_str(values[0]).n <= DOMAIN_MAX &&
	    span_str(values[1]).n <= LOCALPART_MAX &&
	    span_str(values[2]).n <= REALM_MAX;

	array_add(&batch->domains, first, fits ? values[0] : NULL);
	array_add(&batch->localparts, first, fits ? values[1] : NULL);
	array_add(&batch->realms, first, fits ? values[2] : NULL);
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
	batch->values[0] = array_end(&batch->domains);
	batch->values[1] = array_end(&batch->localparts);
	batch->values[2] = array_end(&batch->realms);
	return batch->values;
}
