#ifndef ONECRED_HTTP_RESPONSE_H
#define ONECRED_HTTP_RESPONSE_H

#include <stdbool.h>

#include "doors/http_answer.h"

struct MHD_Response;

/*
 * A response to be queued and destroyed by the caller; the text stays the
 * answer's and must outlive it. closing: no further request is taken on this
 * connection. NULL: no memory.
 */
struct MHD_Response *http_response_new(const struct http_answer *answer,
	    bool closing);

#endif
