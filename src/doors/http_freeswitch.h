#ifndef ONECRED_HTTP_FREESWITCH_H
#define ONECRED_HTTP_FREESWITCH_H

#include <stdbool.h>

#include "core/digest.h"
#include "core/span.h"
#include "core/wbuf.h"
#include "doors/http_request.h"

/* What FreeSWITCH asks for; views of a form. */
struct freeswitch_request {
	bool		sip_auth;	/* a login; else another lookup */
	struct span	user;		/* of the directory */
	struct span	domain;
	struct span	source;		/* the phone's address, or empty */
	struct digest_params digest;	/* sip_auth only */
};

/*
 * Reads the form of mod_xml_curl's lookup. 0; or -ERR_FORMAT: a field that
 * counts came twice, or a login lacks one.
 */
int	freeswitch_parse(const struct http_form *form,
	    struct freeswitch_request *out)
	    __attribute__((warn_unused_result));

#define FREESWITCH_ANSWER_MAX	8192	/* octets; longer names: none */

/* The document that lets a user in by this HA1 (hex). */
void	freeswitch_write_user(struct span user, struct span domain,
	    struct span ha1, struct wbuf *out);

/* The document that says that there is none. */
struct span freeswitch_not_found(void);

/* s with what XML has a meaning for written as references. */
void	freeswitch_escape(struct span s, struct wbuf *out);

#endif
