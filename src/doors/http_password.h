#ifndef ONECRED_HTTP_PASSWORD_H
#define ONECRED_HTTP_PASSWORD_H

#include <jansson.h>

#include "core/span.h"

#define HTTP_USER_MAX		512	/* octets */
#define HTTP_PASSWORD_MAX	4096
#define HTTP_SERVICE_MAX	64
#define HTTP_SOURCE_FIELD_MAX	64

/* The body of POST /v1/password; views of json, which it owns. */
struct http_password_request {
	json_t		*json;
	struct span	 user;
	struct span	 password;
	struct span	 service;	/* or empty */
	struct span	 source;	/* or empty */
};

/*
 * Reads {"user","password","service","source"}. NULL, or a sentence that says
 * what is wrong; out is then empty.
 */
const char *http_password_parse(struct span body,
	    struct http_password_request *out);
void	http_password_clear(struct http_password_request *request);

#endif
