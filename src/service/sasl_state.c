/*
 * The tokens of SASL exchanges: mechanism(1) | step(1) | domain(2 + n) | text,
 * sealed. A token names its mechanism and domain, so that it finishes nothing
 * but the exchange it comes from. It is good for a minute and not for one use
 * only: who holds it (the service, not its users) could try several last
 * messages, each of which is a decision of its own, in the log and counted.
 */

#include "service/sasl_state.h"

#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/identity.h"
#include "core/rbuf.h"
#include "core/token.h"

#define LABEL	SPAN_LIT("onecred sasl state")

static uint64_t
wall_us(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int
sasl_state_seal(struct crypto *crypto, const struct nonce_keys *keys,
    const struct sasl_state *state, struct wbuf *out)
{
	uint8_t plain[SASL_STATE_MAX];
	struct wbuf wb;
	int rc = -ERR_TOO_LONG;

	wbuf_init(&wb, plain, sizeof(plain));
	wbuf_u8(&wb, (uint8_t)state->mech);
	wbuf_u8(&wb, (uint8_t)state->step);
	wbuf_u16(&wb, (uint16_t)state->domain.n);
	wbuf_span(&wb, state->domain);
	wbuf_span(&wb, state->text);
	if (!wb.failed && state->domain.n <= DOMAIN_MAX)
		rc = token_seal(crypto, keys, LABEL, wall_us(),
		    wbuf_written(&wb), out);
	wbuf_wipe(&wb);
	return rc;
}

int
sasl_state_open(struct crypto *crypto, const struct nonce_keys *keys,
    enum sasl_mech mech, struct span domain, struct span token,
    struct wbuf *plain, struct sasl_state *state)
{
	struct rbuf rb;
	uint8_t id, step;
	int rc;

	memset(state, 0, sizeof(*state));
	rc = token_open(crypto, keys, LABEL, wall_us(),
	    (uint64_t)SASL_STATE_MS * 1000, token, plain);
	if (rc != 0)
		return rc;
	rbuf_init(&rb, plain->p, plain->n);
	id = rbuf_u8(&rb);
	step = rbuf_u8(&rb);
	state->domain = rbuf_lp16(&rb, DOMAIN_MAX);
	state->text = rbuf_rest(&rb, SASL_STATE_MAX);
	if (rbuf_done(&rb) && id == (uint8_t)mech && step < SASL_STEP_COUNT &&
	    span_equal(state->domain, domain)) {
		state->mech = mech;
		state->step = (enum sasl_step)step;
		return 0;
	}
	memset(state, 0, sizeof(*state));
	return -ERR_FORMAT;
}
