#ifndef ONECRED_HTTP_WATCH_H
#define ONECRED_HTTP_WATCH_H

#include <stdbool.h>

#include "doors/http_exchange.h"

/* What the door knows of itself. */
struct http_watch {
	const struct http_counts *counts;
	bool		 draining;	/* the daemon is about to end */
};

/* Answers what needs no token, at once. False: the path is under /v1. */
bool	http_watch_answer(const struct http_watch *watch,
	    struct http_exchange *exchange);

#endif
