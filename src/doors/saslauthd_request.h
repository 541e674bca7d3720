#ifndef ONECRED_SASLAUTHD_REQUEST_H
#define ONECRED_SASLAUTHD_REQUEST_H

#include "core/span.h"

#define SASLAUTHD_FIELD_MAX	256	/* octets, as the original's */
#define SASLAUTHD_REQUEST_MAX	8192	/* octets, as libsasl's own buffer */

/* Views into the octets read; any of them may be empty or hold any octet. */
struct saslauthd_request {
	struct span	login;
	struct span	password;
	struct span	service;
	struct span	realm;
	struct span	client;		/* "192.0.2.1;5222", if it was there */
};

/*
 * Reads a request from all that has arrived so far. 1 if it is there, 0 if
 * octets are missing, -ERR_TOO_LONG if it can no longer become one: login,
 * service or realm over SASLAUTHD_FIELD_MAX, all of it over
 * SASLAUTHD_REQUEST_MAX. request is zeroed unless 1 is returned.
 */
int	saslauthd_request_parse(struct span in,
	    struct saslauthd_request *request)
	    __attribute__((warn_unused_result));

#endif
