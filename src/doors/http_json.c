/*
 * JSON (RFC 8259) by jansson, with what a door needs around it: bounds, one
 * meaning per text, and memory that is wiped before it goes back, because
 * jansson copies passwords and has no notion of secrets.
 */

#include "doors/http_json.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/secret.h"

/* In front of every piece: its length. Keeps what follows aligned. */
union header {
	size_t		n;
	max_align_t	align;
};

static void *
wiping_malloc(size_t n)
{
	union header *header;

	if (n > SIZE_MAX - sizeof(*header))
		return NULL;
	header = malloc(sizeof(*header) + n);	/* @UNSAFE: see above */
	if (header == NULL)
		return NULL;
	header->n = n;
	return header + 1;
}

static void
wiping_free(void *p)
{
	union header *header = p;

	if (header == NULL)
		return;
	header--;
	secret_wipe(header + 1, header->n);
	free(header);
}

void
http_json_setup(void)
{
	json_set_alloc_funcs(wiping_malloc, wiping_free);
}

/* Before jansson sees it: it would go 2048 levels deep. */
static bool
is_flat(struct span in)
{
	bool text = false, escaped = false;
	unsigned int depth = 0;

	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];

		if (escaped)
			escaped = false;
		else if (text && c == '\\')
			escaped = true;
		else if (c == '"')
			text = !text;
		else if (!text && (c == '[' || c == '{') &&
		    ++depth > HTTP_JSON_DEPTH)
			return false;
		else if (!text && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return true;
}

json_t *
http_json_parse(struct span in)
{
	json_t *json;

	if (in.n == 0 || !is_flat(in))
		return NULL;
	json = json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES,
	    NULL);
	if (json != NULL && !json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

int
http_json_string(const json_t *object, const char *key, size_t max,
    struct span *out)
{
	const json_t *value = json_object_get(object, key);

	*out = SPAN_EMPTY;
	if (value == NULL)
		return 0;
	if (!json_is_string(value))
		return -ERR_FORMAT;
	*out = span_mem(json_string_value(value), json_string_length(value));
	return out->n > max ? -ERR_TOO_LONG : 0;
}

char *
http_json_text(json_t *json, size_t *n)
{
	const size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII;
	char *text = NULL;
	size_t size;

	*n = 0;
	if (json == NULL)
		return NULL;
	size = json_dumpb(json, NULL, 0, flags);
	if (size > 0 && size < SIZE_MAX)
		text = wiping_malloc(size + 1);
	if (text != NULL && json_dumpb(json, text, size, flags) == size) {
		text[size] = '\n';
		*n = size + 1;
	} else {
		wiping_free(text);
		text = NULL;
	}
	json_decref(json);
	return text;
}

char *
http_json_alloc(size_t n)
{
	return wiping_malloc(n);
}

void
http_json_free(char *text)
{
	wiping_free(text);
}
