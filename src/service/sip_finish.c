/*
 * The end of a SIP request: answer, decision line, callback. One line per
 * request that presented something, with the reason of the last step (and one
 * for each wrong row of a further realm, which nobody else would count); a
 * challenge to a request without credentials, and ACK, CANCEL and PRACK, are
 * no login: they are told at level debug and not counted.
 */

#include <stdlib.h>

#include <event2/event.h>

#include "core/challenge.h"
#include "core/wbuf.h"
#include "service/decision.h"
#include "service/sip_answer.h"
#include "service/sip_private.h"
#include "store/xalloc.h"

static enum verdict
login_verdict(enum sip_verdict verdict)
{
	switch (verdict) {
	case SIP_ACCEPT:
		return VERDICT_ALLOW;
	case SIP_UNAVAILABLE:
		return VERDICT_UNAVAILABLE;
	case SIP_FORBID:
	case SIP_CHALLENGE:
	case SIP_MALFORMED:
		return VERDICT_DENY;
	}
	return VERDICT_DENY;
}

void
sip_conclude(const struct sip_ticket *t, const struct sip_asked *asked,
    enum verdict verdict, enum reason reason)
{
	const struct sip_credentials *ours = sip_picked(t, asked);
	struct account account = { "-", "" };	/* nobody was named */
	struct auth_request request = {
		.kind = AUTH_DIGEST,
		.door = t->door,
		.source = t->source,
		.digest = { .realm = asked->name }
	};
	struct decision decision = {
		.request = &request,
		.account = &account,
		.verdict = verdict,
		.reason = reason,
		.usec = sip_clock_usec(CLOCK_MONOTONIC) - t->started
	};

	/* Without one that can be verified: who is named first. */
	if (ours == NULL && asked->selection.count > 0)
		ours = &t->credentials[asked->selection.rows[0]];
	if (ours != NULL) {
		request.digest.alg = ours->params.alg;
		if (!sip_decision_account(ours->params.username,
		    asked->policy, &account))
			decision.account = NULL;
	}
	auth_conclude(t->sip->auth, &decision);
}

/* The one line and the counters of the request; see the top. */
static void
ticket_log(const struct sip_ticket *t)
{
	if ((t->verdict == SIP_CHALLENGE && t->reason == REASON_NONE) ||
	    t->reason == REASON_METHOD)
		sink_log(t->sip->sink, LEVEL_DEBUG, "door=%s: SIP request %s",
		    t->door, t->verdict == SIP_ACCEPT ? "passed, its method "
		    "is never challenged" : "challenged");
	else
		sip_conclude(t, &t->realms[0], login_verdict(t->verdict),
		    t->reason);
}

/*
 * Challenges of all realms; a realm that could not be asked for would be
 * missing in them (DESIGN 6.6: their number never changes).
 */
static bool
reply_challenge(struct sip_ticket *t, const struct sip_answer *answer,
    struct wbuf *text, struct sip_reply *reply)
{
	for (size_t i = 0; i < t->realm_count; i++) {
		const struct sip_asked *asked = &t->realms[i];

		if (asked->status == REALMS_UNAVAILABLE) {
			t->reason = REASON_DB_DOWN;
			return false;
		}
		if (asked->policy != NULL && sip_answer_challenge(answer,
		    asked->policy, asked->stale, text, reply) != 0) {
			t->reason = REASON_INTERNAL;
			return false;
		}
	}
	return true;
}

/*
 * What to remove, also from what is refused: a proxy may let a request of a
 * dialog pass without a challenge, and whoever it reaches has no use for our
 * credentials but to guess the password.
 */
static bool
has_rows(enum sip_verdict verdict)
{
	switch (verdict) {
	case SIP_ACCEPT:
	case SIP_CHALLENGE:
	case SIP_FORBID:
		return true;
	case SIP_MALFORMED:	/* perhaps not all have been read */
	case SIP_UNAVAILABLE:
		break;
	}
	return false;
}

/* Who passes: the row, Authentication-Info. */
static void
reply_accept(struct sip_ticket *t, const struct sip_answer *answer,
    struct wbuf *text, struct sip_reply *reply)
{
	const struct sip_credentials *ours = sip_picked(t, &t->realms[0]);
	const struct sip_asked *first = &t->realms[0];
	uint64_t made;

	if (ours == NULL)
		return;
	reply->account = t->account;
	for (size_t i = 0; i < reply->row_count; i++)
		if (reply->rows[i] == ours->field)
			reply->row = (int)ours->field;
	made = first->nonces[first->picked].nonce.time_us;
	/* A client's own strange cnonce costs it the header, no more. */
	if (sip_answer_info(answer, &ours->params, span_str(t->rspauth),
	    answer->now_us > made + t->sip->window.lifetime_us / 2, text,
	    reply) != 0)
		reply->authentication_info = SPAN_EMPTY;
}

/* Answers, logs, and ends the ticket. */
void
sip_answer_now(struct sip_ticket *t)
{
	const struct sip_answer answer = {
		t->sip->crypto, sip_nonce_keys(t->sip), t->role,
		sip_clock_usec(CLOCK_REALTIME)
	};
	size_t room = CHALLENGE_MAX * (t->verdict == SIP_CHALLENGE ?
	    t->realm_count * (DIGEST_ALG_COUNT - 1) : 1);
	uint8_t *octets = xcalloc(1, room);
	struct sip_reply reply = { .row = -1 };
	struct wbuf text;

	wbuf_init(&text, octets, room);
	if (has_rows(t->verdict))
		reply.row_count = sip_decision_removable(t->credentials,
		    t->credential_count, t->realms[0].name, reply.rows);
	if (t->verdict == SIP_ACCEPT)
		reply_accept(t, &answer, &text, &reply);
	else if (t->verdict == SIP_CHALLENGE &&
	    !reply_challenge(t, &answer, &text, &reply)) {
		t->verdict = SIP_UNAVAILABLE;
		reply.challenge_count = 0;
		reply.row_count = 0;
	}
	reply.verdict = t->verdict;
	reply.reason = t->reason;
	reply.status = sip_decision_status(t->verdict, t->role);
	ticket_log(t);
	t->cb(&reply, t->arg);
	wbuf_wipe(&text);
	free(octets);
	sip_ticket_free(t);
}

/* The end of the way. Nothing of the ticket may be used afterwards. */
void
sip_decide(struct sip_ticket *t, enum sip_verdict verdict,
    enum reason reason)
{
	t->verdict = verdict;
	t->reason = reason;
	if (!t->inside) {
		sip_answer_now(t);
		return;
	}
	/* Within sip_submit(): the callback comes from the loop. */
	t->decided = true;
	TAILQ_INSERT_TAIL(&t->sip->decided, t, next);
	event_active(t->sip->decided_event, EV_TIMEOUT, 1);
}
