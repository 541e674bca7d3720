/*
 * Verifiers as onecred.account_set() takes them: four arrays in PostgreSQL's
 * text form. What is not in them is deleted there, so that no verifier of an
 * older password survives.
 */

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/verifiers.h"

#define LIST_SIZE	(128 * 1024)	/* octets of one array literal */

int
verifiers_arrays_init(struct verifiers_arrays *arrays)
{
	memset(arrays, 0, sizeof(*arrays));
	for (size_t i = 0; i < VERIFIERS_LISTS; i++) {
		uint8_t *p = malloc(LIST_SIZE);

		if (p == NULL)
			return -ERR_NOMEM;
		wbuf_init(&arrays->lists[i], p, LIST_SIZE);
	}
	return 0;
}

/* Appends an element: "..." with '"' and '\' escaped. */
static void
append(struct wbuf *list, struct span element)
{
	wbuf_str(list, list->n == 0 ? "{\"" : ",\"");
	for (size_t i = 0; i < element.n; i++) {
		if (element.p[i] == '"' || element.p[i] == '\\')
			wbuf_u8(list, '\\');
		wbuf_u8(list, element.p[i]);
	}
	wbuf_u8(list, '"');
}

int
verifiers_arrays_put(void *arrays, const char *name, struct span realm,
    const char *form, struct span value)
{
	struct verifiers_arrays *a = arrays;

	append(&a->lists[VERIFIERS_NAMES], span_str(name));
	append(&a->lists[VERIFIERS_REALMS], realm);
	append(&a->lists[VERIFIERS_FORMS], span_str(form));
	append(&a->lists[VERIFIERS_VALUES], value);
	a->count++;
	return 0;
}

int
verifiers_arrays_end(struct verifiers_arrays *arrays)
{
	int rc = 0;

	for (size_t i = 0; i < VERIFIERS_LISTS; i++) {
		struct wbuf *list = &arrays->lists[i];

		wbuf_str(list, list->n == 0 ? "{}" : "}");
		wbuf_u8(list, 0);
		if (list->failed)
			rc = -ERR_TOO_LONG;
	}
	return rc;
}

void
verifiers_arrays_wipe(struct verifiers_arrays *arrays)
{
	for (size_t i = 0; i < VERIFIERS_LISTS; i++) {
		if (arrays->lists[i].p != NULL)
			wbuf_wipe(&arrays->lists[i]);
		free(arrays->lists[i].p);
		arrays->lists[i].p = NULL;
	}
}
