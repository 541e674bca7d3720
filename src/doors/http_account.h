#ifndef ONECRED_HTTP_ACCOUNT_H
#define ONECRED_HTTP_ACCOUNT_H

#include <jansson.h>

#include "core/span.h"
#include "service/accounts.h"

#define HTTP_ACCOUNT_PATH	"/v1/account/"
#define HTTP_NEW_PASSWORD_MAX	4096	/* octets; the policy takes fewer */

/* The body of PUT; views of json, which it owns. */
struct http_account_put {
	json_t		*json;
	struct span	 password;
	enum account_change change;	/* ACCOUNT_PUT: not said */
};

/*
 * The name in a decoded path "/v1/account/alice@example.com": user and domain
 * (views), either with at least one octet and no '/'. 0 or -ERR_FORMAT.
 */
int	http_account_parse(struct span path, struct span *name,
	    struct span *domain) __attribute__((warn_unused_result));

/*
 * Reads {"password","change"}. NULL, or a sentence that says what is wrong;
 * out is then empty.
 */
const char *http_account_read(struct span body, struct http_account_put *out);
void	http_account_clear(struct http_account_put *put);

/*
 * What a client with these rights (enum right) may do of what it asks for:
 * narrows ACCOUNT_PUT to what the rights cover. False: nothing.
 */
bool	http_account_allow(unsigned int rights, enum account_change *change);

#endif
