#ifndef ONECRED_HTTP_SASL_H
#define ONECRED_HTTP_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/span.h"
#include "service/sasl.h"

#define HTTP_SASL_DOMAIN_MAX	256	/* octets */
#define HTTP_SASL_CB_TYPE_MAX	32
#define HTTP_SASL_CB_DATA_MAX	256
#define HTTP_SASL_SOURCE_MAX	64

/*
 * The body of POST /v1/sasl: views of json, which it owns, and what was
 * decoded from base64. The caller's to clear.
 */
struct http_sasl_request {
	json_t		*json;
	enum sasl_mech	 mech;
	struct span	 domain;
	struct span	 source;	/* or empty */
	struct span	 cb_type;	/* or empty */
	bool		 has_data;	/* the key is there */
	size_t		 data_n, state_n, cb_data_n;
	uint8_t		 data[SASL_MESSAGE_MAX];
	uint8_t		 state[SASL_STATE_MAX];
	uint8_t		 cb_data[HTTP_SASL_CB_DATA_MAX];
};

/*
 * Reads {"mechanism","domain","data","cb_type","cb_data","state","source"}.
 * NULL, or a sentence that says what is wrong; out is then empty.
 */
const char *http_sasl_parse(struct span body, struct http_sasl_request *out);
void	http_sasl_clear(struct http_sasl_request *request);

/* The answer as JSON; NULL without memory. Owner: the caller. */
json_t	*http_sasl_answer(const struct sasl_reply *reply);

#endif
