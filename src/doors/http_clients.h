#ifndef ONECRED_HTTP_CLIENTS_H
#define ONECRED_HTTP_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/secret.h"
#include "core/span.h"
#include "service/auth.h"

#define HTTP_TOKEN_MIN	16	/* octets */
#define HTTP_TOKEN_MAX	256

/* What [http-client NAME] says; the config owns all of it. */
struct http_client_settings {
	const char	*name;
	struct secret	 token;
	struct domain_list domains;	/* count 0: all */
	struct domain_list realms;	/* count 0: all */
	unsigned int	 rights;	/* enum right */
};

/* A client; a copy, without its token. */
struct http_client {
	char		*name;
	uint8_t		 proof[32];	/* keyed hash of the token */
	struct domain_list domains;
	struct domain_list realms;
	unsigned int	 rights;
};

/*
 * The clients of one configuration. Requests under way hold a reference, so
 * that a reload does not take their lists away.
 */
struct http_clients;

/*
 * The settings may go afterwards. NULL: no memory, or no random numbers.
 */
struct http_clients *http_clients_new(struct crypto *crypto,
	    const struct http_client_settings *settings, size_t count);
struct http_clients *http_clients_ref(struct http_clients *clients);
void	http_clients_unref(struct http_clients **clients);
size_t	http_clients_count(const struct http_clients *clients);

/*
 * The client with this token, or NULL. The time tells neither how much of a
 * token was right nor whose it was.
 */
const struct http_client *http_clients_find(
	    const struct http_clients *clients, struct crypto *crypto,
	    struct span token);

/* Whether the octet may stand in a token: visible ASCII. */
bool	http_token_octet(uint8_t c);

/* True if list is empty (all) or names s, whatever the case. */
bool	http_list_covers(const struct domain_list *list, struct span s);

/*
 * Who was refused lately, so that each source is logged once a minute.
 * Plain data, zeroed is empty; sources that find no place share the last one.
 */
#define HTTP_SOURCES	16
#define HTTP_SOURCE_MAX	64	/* octets of a source with its NUL */

struct http_refusals {
	struct {
		char		source[HTTP_SOURCE_MAX];
		bool		told;
		uint64_t	told_at;	/* monotonic ms */
		uint64_t	untold;		/* since then */
	} slots[HTTP_SOURCES];
};

/*
 * Counts one. True if it is time to tell; *untold is then how many of the
 * slot's sources went untold before.
 */
bool	http_refusals_take(struct http_refusals *refusals, const char *source,
	    uint64_t now, uint64_t *untold);

#endif
