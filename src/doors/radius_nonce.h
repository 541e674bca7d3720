#ifndef ONECRED_RADIUS_NONCE_H
#define ONECRED_RADIUS_NONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/nonce.h"
#include "core/sip_message.h"
#include "core/wbuf.h"
#include "doors/radius_memory.h"
#include "doors/radius_request.h"
#include "service/realms.h"
#include "service/replay.h"

#define RADIUS_NONCE_KEY_SIZE	32	/* octets */

/* nonce = ours: how a digest uses its nonce. */
struct radius_ours {
	enum nonce_origin origin;
	struct nonce	 nonce;
	uint32_t	 nc;
	uint8_t		 fingerprint[SIP_FINGERPRINT_SIZE];
};

enum radius_form {
	RADIUS_FORM_OK = 0,
	RADIUS_FORM_OTHER,	/* not what we challenge with: no qop, another
				   algorithm */
	RADIUS_FORM_BROKEN	/* nc or cnonce missing, auth-int */
};

/*
 * Whether the request answers a challenge of ours with alg. An algorithm that
 * is not named is inferred from the length of the response, and set.
 */
enum radius_form radius_ours_form(struct digest_params *params,
	    enum digest_alg alg);

/*
 * Reads the nonce of a request in good form; key is the door's, realm that of
 * the table. 0, or an error of the cryptographic library.
 */
int	radius_ours_read(struct crypto *crypto, const uint8_t *key,
	    const struct nonce_keys *keys,
	    const struct radius_request *request, struct span realm,
	    struct radius_ours *out)
	    __attribute__((warn_unused_result));

/*
 * Judges it and notes its use, once the digest was right: REASON_OK,
 * REASON_REPLAY or REASON_STALE.
 */
enum reason radius_ours_judge(struct replay *replay,
	    const struct replay_settings *window,
	    const struct radius_ours *ours, struct span realm,
	    uint64_t now_us);

/* nonce = theirs: what is to be remembered of a digest of this client. */
int	radius_theirs_read(struct crypto *crypto, const uint8_t *key,
	    const char *client, const struct digest_params *params,
	    struct radius_use_of *out) __attribute__((warn_unused_result));

/* A challenge (RFC 5090 3.3); views. */
struct radius_challenge {
	struct span	realm;
	struct span	nonce;
	enum digest_alg	alg;
	struct span	domain;		/* URIs with blanks between, or empty */
	bool		stale;
	bool		sterman;	/* in the encoding that was asked in */
};

/* Writes its attributes. */
void	radius_challenge_write(const struct radius_challenge *challenge,
	    struct wbuf *out);

#endif
