#ifndef ONECRED_HTTP_ANSWER_H
#define ONECRED_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/span.h"
#include "core/wbuf.h"

/* An answer that is ready to go. Owner: the exchange. */
struct http_answer {
	unsigned int	 status;	/* of HTTP; 0: there is none yet */
	const char	*type;		/* media type; static */
	unsigned int	 methods;	/* 405: enum http_method that work */
	unsigned int	 retry_after;	/* seconds; 0: not said */
	char		*text;		/* the body; wiped when freed */
	size_t		 n;
};

/* {"error":"sentence"}, or without memory nothing but the status. */
void	http_answer_error(struct http_answer *answer, unsigned int status,
	    const char *sentence);

/* Takes json over. Without memory: 500. */
void	http_answer_json(struct http_answer *answer, unsigned int status,
	    json_t *json);

/* A copy of text, which is of this type (static). */
void	http_answer_text(struct http_answer *answer, unsigned int status,
	    const char *type, struct span text);

/* The status alone. */
void	http_answer_status(struct http_answer *answer, unsigned int status);

/* Wipes and frees; zeroed again. */
void	http_answer_clear(struct http_answer *answer);

/* The value of Allow: "GET, HEAD". */
void	http_answer_allow(unsigned int methods, struct wbuf *out);

/* How long to wait with an outage: what is advised, or a second. */
unsigned int http_answer_patience(unsigned int advised);

/*
 * What is counted: answers by status, and tokens that were wrong or missing.
 * Plain data, zeroed is empty.
 */
#define HTTP_STATUSES	24	/* more than are used; the last: others */
#define HTTP_METRICS_MAX 4096	/* octets of their text */

struct http_counts {
	unsigned int	status[HTTP_STATUSES];	/* 0: free */
	uint64_t	count[HTTP_STATUSES];
	uint64_t	refused;	/* tokens */
};

void	http_counts_add(struct http_counts *counts, unsigned int status);

/* Prometheus' text format. */
void	http_counts_write(const struct http_counts *counts,
	    struct wbuf *out);

#endif
