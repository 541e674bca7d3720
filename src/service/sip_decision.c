/*
 * DESIGN 6 step by step: draft-sparks-sip-multiproxy-auth-00, RFC 3261 22,
 * RFC 7616 3.4, RFC 8760. Pure: no clock, no I/O, no allocation. It never
 * judges a row of another realm, never takes one row's answer for another's,
 * and never says stale about a digest that was not right.
 */

#include "service/sip_decision.h"

#include <string.h>

#include "core/hex.h"

#define NC_OCTETS	4	/* RFC 7616 3.4: nc = 8LHEX */

bool
sip_decision_method_is_free(struct span method)
{
	/* Methods are case-sensitive (RFC 3261 7.1). */
	return span_equal(method, SPAN_LIT("ACK")) ||
	    span_equal(method, SPAN_LIT("CANCEL")) ||
	    span_equal(method, SPAN_LIT("PRACK"));
}

unsigned int
sip_decision_status(enum sip_verdict verdict, enum sip_role role)
{
	switch (verdict) {
	case SIP_FORBID:
		return 403;
	case SIP_ACCEPT:
		return 200;
	case SIP_CHALLENGE:
		return role == SIP_PROXY ? 407 : 401;
	case SIP_MALFORMED:
		return 400;
	case SIP_UNAVAILABLE:
		return 503;
	}
	return 403;
}

/*
 * The realm is compared without case, as Kamailio does; a row that matches
 * only so has another digest and fails by it.
 */
static bool
is_of_realm(const struct sip_credentials *c, struct span realm)
{
	return c->kind != SIP_CREDENTIALS_OTHER && c->has_realm &&
	    span_equal_nocase(c->params.realm, realm);
}

/* -sess is never offered (STANDARDS 1.6). */
static bool
is_offered(const struct digest_params *params,
    const struct realm_policy *policy)
{
	if (params->alg == DIGEST_NONE || params->sess)
		return false;
	for (size_t i = 0; i < policy->alg_count; i++)
		if (policy->algs[i] == params->alg)
			return true;
	return false;
}

/* With qop, what must come with it; qop=auth is all that is ever offered. */
static bool
is_wellformed(const struct digest_params *params)
{
	uint8_t nc[NC_OCTETS];

	if (params->qop.n == 0)
		return true;
	return span_equal_nocase(params->qop, SPAN_LIT("auth")) &&
	    params->cnonce.n > 0 &&
	    hex_decode(params->nc, nc, sizeof(nc)) == 0 &&
	    (nc[0] | nc[1] | nc[2] | nc[3]) != 0;
}

bool
sip_decision_account(struct span username, const struct realm_policy *policy,
    struct account *out)
{
	struct presented presented;

	memset(out, 0, sizeof(*out));
	if (identity_present(username, SPAN_EMPTY, &presented) != 0)
		return false;
	if (presented.account.domain[0] == '\0' &&
	    span_copy_str(span_str(policy->domain), presented.account.domain,
	    sizeof(presented.account.domain)) != 0)
		return false;
	*out = presented.account;
	return true;
}

static bool
is_same_account(struct span a, struct span b,
    const struct realm_policy *policy)
{
	struct account x, y;
	bool named = sip_decision_account(a, policy, &x);

	if (named != sip_decision_account(b, policy, &y))
		return false;
	/* Names that can be nobody's are the same if they look the same. */
	if (!named)
		return span_equal_nocase(a, b);
	return span_equal(span_str(x.localpart), span_str(y.localpart)) &&
	    span_equal(span_str(x.domain), span_str(y.domain));
}

static void
refuse(struct sip_selection *out, enum sip_next next, enum reason reason)
{
	out->next = next;
	out->reason = reason;
}

/* DESIGN 6.2: what is hunting, and what is one row per algorithm. */
static bool
may_stand_together(const struct sip_credentials *all,
    const struct realm_policy *policy, struct sip_selection *out)
{
	for (size_t i = 0; i < out->count; i++)
		for (size_t j = i + 1; j < out->count; j++) {
			const struct digest_params *a, *b;

			a = &all[out->rows[i]].params;
			b = &all[out->rows[j]].params;
			if (span_equal(a->nonce, b->nonce)) {
				refuse(out, SIP_NEXT_FORBID, REASON_MALFORMED);
				return false;
			}
			if (!is_same_account(a->username, b->username,
			    policy)) {
				refuse(out, SIP_NEXT_FORBID, REASON_IDENTITY);
				return false;
			}
		}
	return true;
}

void
sip_decision_rows(const struct sip_credentials *all, size_t count,
    const struct realm_policy *policy, struct sip_selection *out)
{
	struct span realm = span_str(policy->realm);
	bool many = false, verifiable = false;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < count; i++) {
		const struct sip_credentials *c = &all[i];

		if (!is_of_realm(c, realm))
			continue;
		if (c->kind == SIP_CREDENTIALS_BROKEN) {
			refuse(out, SIP_NEXT_MALFORMED, REASON_MALFORMED);
			return;
		}
		if (c->kind != SIP_CREDENTIALS_DIGEST ||
		    !is_offered(&c->params, policy))
			continue;
		if (out->count < SIP_OURS_MAX)
			out->rows[out->count++] = i;
		else
			many = true;
	}
	if (many) {
		refuse(out, SIP_NEXT_FORBID, REASON_MALFORMED);
		return;
	}
	if (!may_stand_together(all, policy, out))
		return;
	for (size_t i = 0; i < out->count; i++) {
		const struct digest_params *p = &all[out->rows[i]].params;

		if (!is_wellformed(p)) {
			refuse(out, SIP_NEXT_MALFORMED, REASON_MALFORMED);
			return;
		}
		verifiable = verifiable || p->qop.n > 0;
	}
	/* Without qop there is no defence against replay: DESIGN 6.7. */
	if (verifiable)
		out->next = SIP_NEXT_VERIFY;
	else
		refuse(out, SIP_NEXT_CHALLENGE,
		    out->count > 0 ? REASON_MALFORMED : REASON_NONE);
}

/* Whether row i is to be verified rather than row j; both have qop. */
static bool
is_better(const struct digest_params *i, const struct sip_nonce *at_i,
    const struct digest_params *j, const struct sip_nonce *at_j)
{
	if (i->alg != j->alg)
		return i->alg > j->alg;
	if ((at_i->origin == NONCE_UNKNOWN) != (at_j->origin == NONCE_UNKNOWN))
		return at_i->origin != NONCE_UNKNOWN;
	return at_i->nonce.time_us > at_j->nonce.time_us;
}

size_t
sip_decision_pick(const struct sip_credentials *all,
    const struct sip_selection *selection, const struct sip_nonce *nonces)
{
	size_t best = selection->count;

	for (size_t i = 0; i < selection->count; i++) {
		const struct digest_params *p;

		p = &all[selection->rows[i]].params;
		if (p->qop.n > 0 && (best == selection->count ||
		    is_better(p, &nonces[i],
		    &all[selection->rows[best]].params, &nonces[best])))
			best = i;
	}
	return best;
}

struct sip_outcome
sip_decision_digest(enum verdict verdict, enum reason reason)
{
	struct sip_outcome out = { SIP_FORBID, reason, false };

	switch (verdict) {
	case VERDICT_ALLOW:
		out.verdict = SIP_ACCEPT;
		break;
	case VERDICT_DENY:
		/* The realm went away after its policy had been cached. */
		if (reason != REASON_UNKNOWN_REALM)
			out.verdict = SIP_CHALLENGE;
		break;
	case VERDICT_UNAVAILABLE:
		out.verdict = SIP_UNAVAILABLE;
		break;
	}
	return out;
}

struct sip_outcome
sip_decision_nonce(const struct sip_nonce *nonce, enum replay_answer answer,
    const struct replay_settings *settings, uint64_t now_us)
{
	struct sip_outcome out = { SIP_CHALLENGE, REASON_STALE, true };
	uint64_t age = now_us > nonce->nonce.time_us ?
	    now_us - nonce->nonce.time_us : 0;

	switch (answer) {
	case REPLAY_FRESH:
	case REPLAY_AGAIN:
		if (nonce->origin == NONCE_UNKNOWN)
			break;
		return (struct sip_outcome){ SIP_ACCEPT, REASON_OK, false };
	case REPLAY_STALE:
		/* It could have been used, so it has been. */
		if (nonce->origin != NONCE_UNKNOWN &&
		    age <= settings->lifetime_us &&
		    (nonce->origin == NONCE_OWN ||
		    age <= settings->foreign_us))
			out.reason = REASON_REPLAY;
		break;
	}
	return out;
}

size_t
sip_decision_removable(const struct sip_credentials *all, size_t count,
    struct span realm, unsigned int *fields)
{
	size_t n = 0;

	/* From the last to the first; a field's credentials stand together. */
	for (size_t end = count; end > 0;) {
		unsigned int field = all[end - 1].field;
		size_t begin = end;
		bool ours = true;

		while (begin > 0 && all[begin - 1].field == field) {
			begin--;
			ours = ours && is_of_realm(&all[begin], realm);
		}
		/* NB: one that is not alone shares with what was not read. */
		if (end - begin == 1)
			ours = ours && all[begin].alone;
		if (ours && n < SIP_ROWS_MAX)
			fields[n++] = field;
		end = begin;
	}
	return n;
}
