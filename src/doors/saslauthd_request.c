/*
 * The request of Cyrus SASL's saslauthd protocol (CYRUS.md 3.2):
 *
 *	request	= login password service realm [ client ]
 *	each	= 2 octets of length, big endian; that many octets
 *
 * libsasl 2.1 sends four strings, later ones add the client's address. There
 * is no version and no end mark, so a fifth string counts only if it has
 * already come with the others: who waits for it keeps a 2.1 client waiting
 * for ever. The password alone may fill the request: libsasl bounds no single
 * field, and who has a long password may use it through other doors too.
 */

#include "doors/saslauthd_request.h"

#include <string.h>

#include "core/err.h"
#include "core/rbuf.h"

#define COUNT_SIZE	2	/* octets of a length */
#define PASSWORD_LIMIT	(SASLAUTHD_REQUEST_MAX - 4 * COUNT_SIZE)

/*
 * 1 and the next string; 0 if some of it has not come; -ERR_TOO_LONG as soon
 * as its length says so.
 */
static int
take(struct rbuf *rb, size_t max, struct span *out)
{
	size_t n;

	if (rb->left < COUNT_SIZE)
		return 0;
	n = rbuf_u16(rb);
	if (n > max)
		return -ERR_TOO_LONG;
	if (n > rb->left)
		return 0;
	*out = rbuf_bytes(rb, n);
	return 1;
}

int
saslauthd_request_parse(struct span in, struct saslauthd_request *request)
{
	struct rbuf rb;
	int rc;

	memset(request, 0, sizeof(*request));
	rbuf_init(&rb, in.p, in.n < SASLAUTHD_REQUEST_MAX ? in.n :
	    SASLAUTHD_REQUEST_MAX);
	if ((rc = take(&rb, SASLAUTHD_FIELD_MAX, &request->login)) == 1 &&
	    (rc = take(&rb, PASSWORD_LIMIT, &request->password)) == 1 &&
	    (rc = take(&rb, SASLAUTHD_FIELD_MAX, &request->service)) == 1 &&
	    (rc = take(&rb, SASLAUTHD_FIELD_MAX, &request->realm)) == 1) {
		/* Whatever follows cannot make the request a bad one. */
		if (take(&rb, SASLAUTHD_FIELD_MAX, &request->client) != 1)
			request->client = SPAN_EMPTY;
		return 1;
	}
	memset(request, 0, sizeof(*request));
	return rc == 0 && in.n >= SASLAUTHD_REQUEST_MAX ? -ERR_TOO_LONG : rc;
}
