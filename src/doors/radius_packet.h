#ifndef ONECRED_RADIUS_PACKET_H
#define ONECRED_RADIUS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/span.h"
#include "core/wbuf.h"

#define RADIUS_HEADER_SIZE		20	/* octets */
#define RADIUS_PACKET_MAX		4096
#define RADIUS_AUTHENTICATOR_SIZE	16
#define RADIUS_VALUE_MAX		253
#define RADIUS_PASSWORD_MAX		128

enum radius_code {
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT = 2,
	RADIUS_ACCESS_REJECT = 3,
	RADIUS_ACCESS_CHALLENGE = 11,
	RADIUS_STATUS_SERVER = 12
};

/* Attribute types; those of the digest stand in radius_digest.c. */
enum radius_type {
	RADIUS_USER_NAME = 1,
	RADIUS_USER_PASSWORD = 2,
	RADIUS_PROXY_STATE = 33,
	RADIUS_MESSAGE_AUTHENTICATOR = 80,
	RADIUS_DIGEST_RESPONSE_AUTH = 106,
	RADIUS_DIGEST_NEXTNONCE = 107,
	RADIUS_SIP_AOR = 122
};

/* A checked packet; views into the caller's datagram. */
struct radius_packet {
	uint8_t		code;
	uint8_t		id;
	struct span	octets;		/* Length of them, padding cut off */
	struct span	authenticator;
	struct span	attributes;	/* a well-formed TLV list */
};

struct radius_attribute {
	uint8_t		type;
	struct span	value;
};

/*
 * Checks header and the whole attribute list. 0, or -ERR_FORMAT: to be
 * discarded in silence (RFC 2865 3). Octets beyond Length are padding.
 */
int	radius_packet_parse(struct span datagram, struct radius_packet *out)
	    __attribute__((warn_unused_result));

/* The same packet, whose octets now also stand at copy. */
void	radius_packet_move(const struct radius_packet *packet,
	    const uint8_t *copy, struct radius_packet *out);

/* Takes the first attribute off the list; false when there is none left. */
bool	radius_attribute_next(struct span *list, struct radius_attribute *out);

/* How often type occurs; *value is the first one's, or empty. */
size_t	radius_packet_find(const struct radius_packet *packet, uint8_t type,
	    struct span *value);

enum radius_authentic {
	RADIUS_FORGED = 0,	/* wrong, twice, wrong length, cannot tell */
	RADIUS_UNSIGNED,	/* no Message-Authenticator */
	RADIUS_AUTHENTIC
};

/*
 * Judges Message-Authenticator, wherever it stands. authenticator is that of
 * the request, also for a reply.
 */
enum radius_authentic radius_packet_authentic(struct crypto *crypto,
	    const struct radius_packet *packet, struct span authenticator,
	    struct span secret);

/*
 * Uncovers a User-Password (RFC 2865 5.2) into RADIUS_PASSWORD_MAX octets,
 * padding NULs removed. 0, -ERR_FORMAT (not 1..8 blocks) or an error of the
 * cryptographic library. The caller wipes out.
 */
int	radius_password_open(struct crypto *crypto, struct span hidden,
	    struct span authenticator, struct span secret, uint8_t *out,
	    size_t *n) __attribute__((warn_unused_result));

/* Writes one attribute; a value over RADIUS_VALUE_MAX fails out. */
void	radius_attribute_write(struct wbuf *out, uint8_t type,
	    struct span value);

/* Writes the packet's Proxy-State attributes, whole and in their order. */
void	radius_packet_proxy_states(const struct radius_packet *packet,
	    struct wbuf *out);

/* A reply to be written; views. */
struct radius_reply {
	uint8_t		code;
	uint8_t		id;		/* of the request */
	struct span	authenticator;	/* of the request */
	struct span	response_auth;	/* Digest-Response-Auth, or empty */
	struct span	nextnonce;	/* Digest-Nextnonce, or empty */
	struct span	challenge;	/* whole attributes, or empty */
	struct span	proxy_states;	/* whole attributes, or empty */
};

/*
 * Writes the signed reply: Message-Authenticator first. 0, -ERR_TOO_LONG if
 * it exceeds RADIUS_PACKET_MAX or out, or an error of the cryptographic
 * library. out must be empty.
 */
int	radius_reply_write(struct crypto *crypto,
	    const struct radius_reply *reply, struct span secret,
	    struct wbuf *out) __attribute__((warn_unused_result));

/* The Response Authenticator (RFC 2865 3) of a complete reply. */
int	radius_response_authenticator(struct crypto *crypto,
	    struct span octets, struct span authenticator, struct span secret,
	    uint8_t *out) __attribute__((warn_unused_result));

#endif
