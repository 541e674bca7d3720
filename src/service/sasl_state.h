#ifndef ONECRED_SASL_STATE_H
#define ONECRED_SASL_STATE_H

#include "core/crypto.h"
#include "core/nonce.h"
#include "core/span.h"
#include "core/wbuf.h"
#include "service/sasl.h"

/* What is due next. */
enum sasl_step {
	SASL_STEP_START = 0,	/* the client's first message */
	SASL_STEP_NAME,		/* LOGIN */
	SASL_STEP_PASSWORD,	/* LOGIN */
	SASL_STEP_FINAL,	/* SCRAM */
	SASL_STEP_COUNT
};

/* An exchange between two of its steps; the spans are views. */
struct sasl_state {
	enum sasl_mech	mech;
	enum sasl_step	step;
	struct span	domain;
	struct span	text;		/* what the step needs */
};

/* Writes a token (core/token.h). 0 or a negative error. */
int	sasl_state_seal(struct crypto *crypto, const struct nonce_keys *keys,
	    const struct sasl_state *state, struct wbuf *out)
	    __attribute__((warn_unused_result));

/*
 * Opens a token of at most SASL_STATE_MS; state becomes a view of plain,
 * which is the caller's to wipe. 0; a negative error, also if the token is of
 * another mechanism or domain than mech and domain: then state is zeroed.
 */
int	sasl_state_open(struct crypto *crypto, const struct nonce_keys *keys,
	    enum sasl_mech mech, struct span domain, struct span token,
	    struct wbuf *plain, struct sasl_state *state)
	    __attribute__((warn_unused_result));

#endif
