#ifndef ONECRED_RADIUS_DIGEST_H
#define ONECRED_RADIUS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/digest.h"
#include "doors/radius_packet.h"

/*
 * What an Access-Request says about a digest. params views text and the
 * packet: the struct is not to be copied.
 */
struct radius_digest {
	bool		asked;		/* any digest attribute at all */
	bool		rfc5090;	/* some of RFC 5090's numbers */
	struct digest_params params;	/* what was absent is empty */
	size_t		text_n;
	uint8_t		text[2 * RADIUS_PACKET_MAX];
};

/*
 * Reads the digest attributes in either encoding. 0 with asked false: there
 * are none. -ERR_FORMAT: sub-attributes that do not add up, something said
 * twice, or two encodings that do not say the same; -ERR_CHARACTER: a NUL;
 * -ERR_UNSUPPORTED: an algorithm that nobody here knows. Absent parameters
 * are the caller's to judge.
 */
int	radius_digest_parse(const struct radius_packet *packet,
	    struct radius_digest *out) __attribute__((warn_unused_result));

#endif
