#ifndef ONECRED_HTTP_SIP_H
#define ONECRED_HTTP_SIP_H

#include <jansson.h>

#include "core/wbuf.h"
#include "doors/http_request.h"
#include "service/sip.h"

/* What the query of POST /v1/sip says; views of it. */
struct http_sip_request {
	enum sip_role	 role;
	struct span	 realms[SIP_REALMS_MAX];
	size_t		 realm_count;
	struct span	 source;	/* or empty */
};

/* Reads the query. NULL, or a sentence that says what is wrong. */
const char *http_sip_parse(const struct http_form *query,
	    struct http_sip_request *out);

/* "accept", "challenge", ... */
const char *http_sip_verdict(enum sip_verdict verdict);

/* The reply as JSON; NULL without memory. Owner: the caller. */
json_t	*http_sip_json(const struct sip_reply *reply);

/* The same as lines: `STATUS verdict user rows', then the challenges. */
void	http_sip_plain(const struct sip_reply *reply, struct wbuf *out);

#endif
