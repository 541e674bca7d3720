#ifndef ONECRED_HTTP_JSON_H
#define ONECRED_HTTP_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "core/span.h"

#define HTTP_JSON_DEPTH	4	/* of arrays and objects in each other */

/*
 * Makes jansson, in the whole process, wipe what it frees: passwords go
 * through it. To be called before the first use of jansson; again is fine.
 */
void	http_json_setup(void);

/*
 * Reads one JSON object. NULL unless it is all of in, without a key said
 * twice or a NUL, and not nested too deeply. Owner: the caller (json_decref).
 */
json_t	*http_json_parse(struct span in);

/*
 * The string under key, a view of object; empty if there is none. 0 or
 * -ERR_FORMAT if it is something else, -ERR_TOO_LONG beyond max octets.
 */
int	http_json_string(const json_t *object, const char *key, size_t max,
	    struct span *out) __attribute__((warn_unused_result));

/*
 * The text of json on one line with '\n' at its end, and its length; NULL
 * without memory (or without json). To be given to http_json_free(). Takes
 * json over.
 */
char	*http_json_text(json_t *json, size_t *n);

/* n octets that http_json_free() wipes; NULL without memory. */
char	*http_json_alloc(size_t n);
void	http_json_free(char *text);

#endif
