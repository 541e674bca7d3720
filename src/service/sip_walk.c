/*
 * From the rows of a SIP request to its verdict (DESIGN 6): rows, digest,
 * nonce, identity; see the top of sip.c. The rules stand in sip_decision.c and
 * sip_identity.c, here is what they wait for. Whoever is let in has passed all
 * of them in this order; UNAVAILABLE of any step is the answer, never a
 * challenge.
 */

#include <string.h>

#include "core/hex.h"
#include "service/sip_identity.h"
#include "service/sip_private.h"
#include "store/store.h"

/* Chooses the row of a realm and reads the nonces of all of its rows. */
static void
asked_select(struct sip_asked *asked)
{
	struct sip_ticket *t = asked->ticket;
	struct sip_selection *selection = &asked->selection;

	sip_decision_rows(t->credentials, t->credential_count, asked->policy,
	    selection);
	for (size_t i = 0; i < selection->count; i++) {
		const struct digest_params *params;

		params = &t->credentials[selection->rows[i]].params;
		asked->nonces[i].origin = nonce_read(t->sip->crypto,
		    &t->sip->keys, params->nonce,
		    span_str(asked->policy->realm), params->alg,
		    &asked->nonces[i].nonce);
	}
	asked->picked = sip_decision_pick(t->credentials, selection,
	    asked->nonces);
}

static void
asked_check(struct sip_asked *asked, auth_cb *cb)
{
	struct sip_ticket *t = asked->ticket;
	const struct digest_params *params =
	    &t->credentials[asked->selection.rows[asked->picked]].params;
	struct auth_request request = {
		.kind = AUTH_DIGEST,
		.silent = true,
		.door = t->door,
		.name = params->username,
		.source = t->source,
		.service = SPAN_LIT("sip"),
		.domains = t->domains,
		.digest = *params
	};

	request.digest.method = t->message.method;
	asked->check = auth_submit(t->sip->auth, &request, cb, asked);
}

/* A row for a further realm: right is stale, wrong is a failure. */
static void
on_further(const struct auth_reply *reply, void *arg)
{
	struct sip_asked *asked = arg;
	struct sip_ticket *t = asked->ticket;

	asked->check = NULL;
	t->waiting--;
	switch (reply->verdict) {
	case VERDICT_ALLOW:
		asked->stale = true;
		break;
	case VERDICT_DENY:
		/*
		 * NB: a request that is challenged here never reaches the
		 * further realm's proxy: uncounted, this would be a way to
		 * try passwords.
		 */
		sip_conclude(t, asked, VERDICT_DENY, reply->reason);
		break;
	case VERDICT_UNAVAILABLE:
		/* Without its stale the client would give up for good. */
		sip_decide(t, SIP_UNAVAILABLE, reply->reason);
		return;
	}
	if (t->waiting == 0)
		sip_decide(t, t->verdict, t->reason);
}

/* A challenge for the first realm; see the top about the others. */
static void
ticket_challenge(struct sip_ticket *t, enum reason reason, bool stale)
{
	t->realms[0].stale = stale;
	t->verdict = SIP_CHALLENGE;
	t->reason = reason;
	t->waiting = 0;
	for (size_t i = 1; i < t->realm_count; i++) {
		struct sip_asked *asked = &t->realms[i];

		if (asked->policy == NULL)
			continue;
		asked_select(asked);
		if (asked->selection.next != SIP_NEXT_VERIFY)
			continue;
		t->waiting++;
		asked_check(asked, on_further);
	}
	if (t->waiting == 0)
		sip_decide(t, t->verdict, t->reason);
}

static void
ticket_identity(struct sip_ticket *t, enum sip_identity identity)
{
	if (identity == SIP_IDENTITY_PASS)
		sip_decide(t, SIP_ACCEPT, REASON_OK);
	else
		sip_decide(t, SIP_FORBID, REASON_IDENTITY);
}

static void
on_owner(enum store_status status, struct span answer, void *arg)
{
	struct sip_ticket *t = arg;
	enum sip_identity identity;

	t->owner = NULL;
	/* What the database cannot even read as text is nobody's name. */
	if (status == STORE_REFUSED) {
		status = STORE_OK;
		answer = SPAN_LIT("none");
	}
	if (status != STORE_OK)
		sip_decide(t, SIP_UNAVAILABLE, status == STORE_UNAVAILABLE ?
		    REASON_DB_DOWN : REASON_INTERNAL);
	else if (!sip_identity_owned(answer, t->owner_rule, &identity))
		sip_decide(t, SIP_UNAVAILABLE, REASON_INTERNAL);
	else
		ticket_identity(t, identity);
}

static void
ticket_check_identity(struct sip_ticket *t)
{
	struct sip_identity_question question;
	enum sip_identity identity;

	identity = sip_identity_check(&t->message, &t->account,
	    t->realms[0].policy->identity, &question);
	if (identity == SIP_IDENTITY_ASK) {
		const struct span values[] = {
			span_str(t->account.domain),
			span_str(t->account.localpart),
			span_str(question.user), span_str(question.host)
		};

		t->owner_rule = question.rule;
		t->owner = store_ask(t->sip->store, STORE_OWNER, values,
		    sizeof(values) / sizeof(values[0]), on_owner, t);
	} else
		ticket_identity(t, identity);
}

/*
 * How the row uses its nonce; its nc was checked with its form. NB: the realm
 * is the table's: how a row spells it is in no digest, so that another
 * spelling must not be another use.
 */
static struct replay_use
nonce_use(const struct sip_ticket *t, const struct sip_asked *asked, size_t i,
    const uint8_t *fingerprint)
{
	const struct digest_params *params =
	    &t->credentials[asked->selection.rows[i]].params;
	struct replay_use use = {
		.origin = asked->nonces[i].origin,
		.nonce = &asked->nonces[i].nonce,
		.realm = span_str(asked->policy->realm),
		.fingerprint = fingerprint
	};
	uint8_t nc[4];

	if (params->qop.n > 0 && hex_decode(params->nc, nc, sizeof(nc)) == 0)
		use.nc = (uint32_t)nc[0] << 24 | (uint32_t)nc[1] << 16 |
		    (uint32_t)nc[2] << 8 | nc[3];
	return use;
}

/* The digest is right: may its nonce be used for this request. */
static void
ticket_check_nonce(struct sip_ticket *t)
{
	struct sip_asked *first = &t->realms[0];
	uint8_t fingerprint[SIP_FINGERPRINT_SIZE];
	uint64_t now_us = sip_clock_usec(CLOCK_REALTIME);
	struct sip_outcome outcome;
	struct replay_use use;

	if (sip_fingerprint(t->sip->crypto, t->sip->key, &t->message, t->role,
	    fingerprint) != 0) {
		sip_decide(t, SIP_UNAVAILABLE, REASON_INTERNAL);
		return;
	}
	use = nonce_use(t, first, first->picked, fingerprint);
	outcome = sip_decision_nonce(&first->nonces[first->picked],
	    replay_use(t->sip->replay, &use, now_us), &t->sip->window,
	    now_us);
	if (outcome.verdict != SIP_ACCEPT) {
		ticket_challenge(t, outcome.reason, outcome.stale);
		return;
	}
	/* The rows beside it must not be good for another request. */
	for (size_t i = 0; i < first->selection.count; i++) {
		if (i == first->picked ||
		    first->nonces[i].origin == NONCE_UNKNOWN)
			continue;
		use = nonce_use(t, first, i, fingerprint);
		replay_mark(t->sip->replay, &use, now_us);
	}
	ticket_check_identity(t);
}

static void
on_digest(const struct auth_reply *reply, void *arg)
{
	struct sip_asked *first = arg;
	struct sip_ticket *t = first->ticket;
	struct sip_outcome outcome;

	first->check = NULL;
	outcome = sip_decision_digest(reply->verdict, reply->reason);
	if (outcome.verdict == SIP_ACCEPT) {
		t->account = reply->account;
		memcpy(t->rspauth, reply->rspauth, sizeof(t->rspauth));
		ticket_check_nonce(t);
	} else if (outcome.verdict == SIP_CHALLENGE)
		ticket_challenge(t, outcome.reason, outcome.stale);
	else
		sip_decide(t, outcome.verdict, outcome.reason);
}

/* All policies are here. */
void
sip_walk(struct sip_ticket *t)
{
	struct sip_asked *first = &t->realms[0];

	switch (first->status) {
	case REALMS_KNOWN:
		break;
	case REALMS_UNKNOWN:
		sip_decide(t, SIP_FORBID, REASON_UNKNOWN_REALM);
		return;
	case REALMS_UNAVAILABLE:
		sip_decide(t, SIP_UNAVAILABLE, REASON_DB_DOWN);
		return;
	}
	if (first->policy->alg_count == 0) {
		sip_decide(t, SIP_UNAVAILABLE, REASON_INTERNAL);
		return;
	}
	asked_select(first);
	switch (first->selection.next) {
	case SIP_NEXT_CHALLENGE:
		ticket_challenge(t, first->selection.reason, false);
		break;
	case SIP_NEXT_VERIFY:
		asked_check(first, on_digest);
		break;
	case SIP_NEXT_FORBID:
		sip_decide(t, SIP_FORBID, first->selection.reason);
		break;
	case SIP_NEXT_MALFORMED:
		sip_decide(t, SIP_MALFORMED, first->selection.reason);
		break;
	}
}
