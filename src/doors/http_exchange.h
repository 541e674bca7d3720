#ifndef ONECRED_HTTP_EXCHANGE_H
#define ONECRED_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"
#include "doors/door.h"
#include "doors/http_answer.h"
#include "doors/http_clients.h"
#include "doors/http_request.h"
#include "service/accounts.h"
#include "service/sasl.h"
#include "service/sip.h"

struct http_exchange;

/*
 * Something to ask for under /v1. start() is called when the request is
 * complete: it answers at once, or submits, sets its ticket, and its callback
 * answers and calls http_exchange_ready().
 */
struct http_resource {
	const char	*path;		/* ends with '/': more follows */
	unsigned int	 methods;	/* enum http_method */
	unsigned int	 right;		/* enum right; 0: start() looks */
	size_t		 body_max;	/* octets; 0: none is read */
	const char	*type;		/* media type of the body; NULL: any */
	void		(*start)(struct http_exchange *exchange);
};

/* One request and its answer. Owner: the door's connection. */
struct http_exchange {
	const struct door_context *context;
	const struct http_resource *resource;	/* NULL: not one of /v1 */
	struct http_clients	*clients;	/* a reference, or NULL */
	const struct http_client *client;	/* whose token it is */
	enum http_method	 method;
	bool			 plain;		/* Accept: text/plain */
	struct http_target	 target;	/* views of text */
	char			*uri;
	size_t			 uri_n;
	uint8_t			*text;
	uint8_t			*body;		/* wiped once it is read */
	size_t			 body_n, body_cap;
	struct http_answer	 answer;
	struct auth_ticket	*auth;		/* under way, or NULL */
	struct sip_ticket	*sip;		/* under way, or NULL */
	struct sasl_ticket	*sasl;		/* under way, or NULL */
	struct accounts_ticket	*change;	/* under way, or NULL */
	void			*state;		/* the resource's; free() */
	void			(*ready)(void *arg);	/* answered later */
	void			*arg;
};

/* NULL: no memory. uri is copied. */
struct http_exchange *http_exchange_new(const struct door_context *context,
		    struct span uri);
void		 http_exchange_free(struct http_exchange **exchange);

/*
 * The header is here: finds the resource and whether this client may ask for
 * it. True: the body is wanted, http_exchange_body() and then
 * http_exchange_end() follow. False: answered.
 */
bool		 http_exchange_begin(struct http_exchange *exchange,
		    const struct http_headers *headers,
		    struct http_clients *clients);
void		 http_exchange_body(struct http_exchange *exchange,
		    struct span piece);

/* The body is here. True: answered; false: ready() will be called. */
bool		 http_exchange_end(struct http_exchange *exchange);

/* Nobody waits for the answer any more; ready() will not be called. */
void		 http_exchange_cancel(struct http_exchange *exchange);

/* For resources. */
struct span	 http_exchange_text(const struct http_exchange *exchange);
void		 http_exchange_wipe(struct http_exchange *exchange);
void		 http_exchange_error(struct http_exchange *exchange,
		    unsigned int status, const char *sentence);
void		 http_exchange_ready(struct http_exchange *exchange);
/* Answers 403 unless the client may ask for domain. */
bool		 http_exchange_domain(struct http_exchange *exchange,
		    struct span domain);

extern const struct http_resource http_password, http_account,
    http_freeswitch, http_sasl, http_sip;

#endif
