#ifndef ONECRED_HTTP_REQUEST_H
#define ONECRED_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"
#include "core/wbuf.h"

#define HTTP_TARGET_MAX	8192	/* octets of a request target */
#define HTTP_FIELDS_MAX	256	/* fields of one form */

/* One name=value, decoded. */
struct http_field {
	struct span	name;
	struct span	value;
};

/* A query or a form, in its order; views of the text it was decoded into. */
struct http_form {
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t		 count;
};

/*
 * Reads application/x-www-form-urlencoded: '&' between fields, '+' is a
 * blank, %XX any octet but NUL; line ends behind it do not count. text takes
 * what is decoded; as much room as in has suffices. 0; -ERR_FORMAT (a '%' without two hex digits);
 * -ERR_CHARACTER (NUL, or an octet below SP that is not encoded);
 * -ERR_TOO_LONG (too many fields, or no room).
 */
int	http_form_parse(struct span in, struct wbuf *text,
	    struct http_form *out) __attribute__((warn_unused_result));

/*
 * The value of the only field of this name; empty if there is none. False if
 * there are two.
 */
bool	http_form_get(const struct http_form *form, struct span name,
	    struct span *value);

/* A request target taken apart: decoded path, and the query. */
struct http_target {
	struct span	 path;
	struct http_form query;
};

/*
 * Reads the target of a request line ("/v1/sip?as=proxy"), by the rules
 * above, except that '+' stands for itself in the path.
 */
int	http_target_parse(struct span in, struct wbuf *text,
	    struct http_target *out) __attribute__((warn_unused_result));

enum http_method {
	HTTP_OTHER = 0,
	HTTP_GET = 1 << 0,
	HTTP_HEAD = 1 << 1,
	HTTP_POST = 1 << 2,
	HTTP_PUT = 1 << 3,
	HTTP_DELETE = 1 << 4
};

enum http_method http_method_parse(struct span word);

/* The header fields that are looked at; views. */
struct http_headers {
	struct span	authorization;
	struct span	content_type;
	struct span	content_length;
	struct span	accept;
	bool		chunked;	/* Transfer-Encoding is there */
	bool		repeated;	/* what may come once came twice */
	bool		malformed;	/* others may read another request */
};

/* Takes one header field in. */
void	http_headers_add(struct http_headers *headers, struct span name,
	    struct span value);

/*
 * Content-Length: digits alone. 0 and *n (0 if there is none);
 * -ERR_FORMAT; -ERR_TOO_LONG for what no size_t of 32 bits holds.
 */
int	http_headers_length(const struct http_headers *headers, size_t *n)
	    __attribute__((warn_unused_result));

/* Whether the value is of this media type, whatever its parameters. */
bool	http_media_type(struct span value, struct span type);

/* Whether Accept names text/plain first: JSON is for everybody else. */
bool	http_accepts_plain(const struct http_headers *headers);

#define HTTP_TOKEN_ROOM	512	/* octets of decoded Basic credentials */

/*
 * The token of "Bearer TOKEN" (RFC 6750 2.1), or of "Basic" (RFC 7617) the
 * password: mod_xml_curl knows nothing else. Empty if it is neither. room
 * (HTTP_TOKEN_ROOM octets, the caller's to wipe) takes what is decoded.
 */
struct span http_token(struct span authorization, uint8_t *room);

#endif
