#ifndef ONECRED_RADIUS_REQUEST_H
#define ONECRED_RADIUS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/verdict.h"
#include "doors/radius_clients.h"
#include "doors/radius_digest.h"
#include "doors/radius_packet.h"
#include "service/auth.h"

/*
 * An Access-Request understood. asked views the packet, the client and the
 * buffers here, so the struct is not to be copied. Holds a password:
 * radius_request_wipe().
 */
struct radius_request {
	struct auth_request	asked;	/* door and source are the caller's */
	bool			send_rspauth;
	bool			wants_nonce;	/* of ours; nothing to verify */
	struct span		realm;	/* of the digest, or for a nonce */
	uint8_t			password[RADIUS_PASSWORD_MAX];
	struct radius_digest	digest;
};

/*
 * Reads an attributable Access-Request of client. REASON_OK: asked may be
 * submitted or, with wants_nonce, challenged in realm. Anything else: to be
 * rejected, asked says about whom; with wants_nonce and REASON_METHOD a nonce
 * was asked for by a client that makes its own.
 */
enum reason radius_request_read(struct crypto *crypto,
	    const struct radius_packet *packet,
	    const struct radius_client *client, struct radius_request *out);

void	radius_request_wipe(struct radius_request *request);

/*
 * Reads "sip:" or "sips:" and an account. False if it is anything else: then
 * it cannot be an account's.
 */
bool	radius_aor_read(struct span uri, struct account *out);

#endif
