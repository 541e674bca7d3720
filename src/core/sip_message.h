#ifndef ONECRED_SIP_MESSAGE_H
#define ONECRED_SIP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/span.h"

#define SIP_MESSAGE_MAX	65536	/* octets */
#define SIP_FIELDS_MAX	512	/* header fields of one request */
#define SIP_EFFECTS_MAX	32	/* fields of enum sip_effect, together */
#define SIP_ROWS_MAX	32	/* credential fields of one name */

/*
 * What a request is to us: a proxy reads Proxy-Authorization and challenges
 * with 407, a registrar (or any UAS) reads Authorization and challenges with
 * 401 (RFC 3261 22.2, 22.3).
 */
enum sip_role {
	SIP_PROXY = 0,
	SIP_REGISTRAR
};

/*
 * Header fields that say what a request does, beside its body: they may not
 * be changed under credentials that were used already.
 */
enum sip_effect {
	SIP_CONTACT = 0,
	SIP_PATH,
	SIP_EXPIRES,
	SIP_REFER_TO,
	SIP_REFERRED_BY,
	SIP_REPLACES,
	SIP_JOIN,
	SIP_EVENT,
	SIP_PREFERRED_IDENTITY,
	SIP_EFFECT_COUNT
};

/* From or To: views of the message. */
struct sip_party {
	struct span	value;		/* the field's value, trimmed */
	struct span	uri;		/* without < >; never empty */
	struct span	tag;		/* empty: none */
};

/*
 * A SIP request as far as its authentication needs it; views of the text that
 * was parsed. Everything after the blank line is body, whatever
 * Content-Length says.
 */
struct sip_message {
	struct span	 method;
	struct span	 uri;		/* Request-URI */
	struct sip_party from, to;
	struct span	 call_id;
	uint32_t	 cseq;		/* its number */
	struct {
		enum sip_effect	 name;
		struct span	 value;
	}		 effects[SIP_EFFECTS_MAX];	/* in order */
	size_t		 effect_count;
	/* values of the credential fields of the role asked for, in order */
	struct span	 rows[SIP_ROWS_MAX];
	size_t		 row_count;
	struct span	 body;
};

/*
 * Reads a request: any octets, header names in any case and in compact form,
 * folded lines, LF alone as line end. 0; -ERR_FORMAT (no SIP request, no blank
 * line after the header, From, To, Call-ID or CSeq missing, said twice or not
 * to be read, CSeq's method another than the request's, NUL or a bare CR in
 * the header); -ERR_TOO_LONG (a limit above). On error out is zeroed. RFC 3261
 * 7, 25.1; RFC 4475.
 */
int	sip_message_parse(struct span in, enum sip_role role,
	    struct sip_message *out) __attribute__((warn_unused_result));

/*
 * "sip:" or "sips:" URI taken apart: user (still escaped; empty: none) and
 * host without port, parameters and headers. -ERR_UNSUPPORTED for another
 * scheme (tel:), -ERR_FORMAT; then both are empty.
 */
int	sip_uri_parse(struct span uri, struct span *user, struct span *host)
	    __attribute__((warn_unused_result));

#define SIP_FINGERPRINT_SIZE	16	/* octets */

/*
 * A keyed hash over what makes two requests the same (DESIGN 6.4): method,
 * Request-URI, From, To, Call-ID, the fields of enum sip_effect, body; for a
 * registrar CSeq too. CSeq, Via, Route and credentials may differ otherwise,
 * and the order of fields of different names. Each part is counted, folding
 * (CRLF and blanks) equals one SP. key: 32 octets, of this process.
 */
int	sip_fingerprint(struct crypto *crypto, const uint8_t *key,
	    const struct sip_message *message, enum sip_role role,
	    uint8_t *out) __attribute__((warn_unused_result));

#endif
