/*
 * The log line of a decision. Names outside the grammar are not printed:
 * people type passwords into name fields. Nor are nonces or responses.
 */

#include "service/decision.h"

#include <inttypes.h>
#include <stdio.h>

#define FIELD_MAX	256

/*
 * s as one word: empty becomes "-", anything but visible ASCII and the
 * characters that structure the line becomes '?'.
 */
static const char *
word(struct span s, char *out, size_t cap)
{
	size_t n = s.n < cap - 1 ? s.n : cap - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = s.p[i] > ' ' && s.p[i] < 0x7f && s.p[i] != '=' &&
		    s.p[i] != '"' ? (char)s.p[i] : '?';
	out[n] = '\0';
	return n == 0 ? "-" : out;
}

void
decision_mech(const struct auth_request *request, struct wbuf *out)
{
	enum digest_alg alg = request->digest.alg;

	switch (request->kind) {
	case AUTH_PASSWORD:
		wbuf_str(out, "PLAIN");
		break;
	case AUTH_DIGEST:
		wbuf_str(out, "Digest");
		if (alg != DIGEST_NONE) {
			wbuf_str(out, "-");
			wbuf_str(out, digest_alg_name(alg));
		}
		break;
	case AUTH_EXISTS:
		wbuf_str(out, "exists");
		break;
	case AUTH_SCRAM:
		wbuf_str(out, scram_mech_name(request->scram));
		wbuf_str(out, request->plus ? "-PLUS" : "");
		break;
	}
}

void
decision_log(const struct sink *sink, const struct decision *decision)
{
	const struct auth_request *request = decision->request;
	char user[ACCOUNT_MAX + LOCALPART_MAX + 2];
	char realm[FIELD_MAX], source[FIELD_MAX], mech[32];
	struct wbuf wb;

	if (sink == NULL || sink->level < LEVEL_INFO)
		return;
	if (decision->account == NULL)
		(void)snprintf(user, sizeof(user), "invalid");
	else
		(void)snprintf(user, sizeof(user), "%s%s%s",
		    decision->account->localpart,
		    decision->account->domain[0] == '\0' ? "" : "@",
		    decision->account->domain);
	wbuf_init(&wb, mech, sizeof(mech));
	decision_mech(request, &wb);
	wbuf_u8(&wb, '\0');
	sink_log(sink, LEVEL_INFO, "door=%s user=%s realm=%s mech=%s "
	    "verdict=%s reason=%s source=%s ms=%" PRIu64 ".%" PRIu64,
	    request->door, user,
	    word(request->kind == AUTH_DIGEST ? request->digest.realm :
	    SPAN_EMPTY, realm, sizeof(realm)), mech,
	    verdict_str(decision->verdict), reason_str(decision->reason),
	    word(request->source, source, sizeof(source)),
	    decision->usec / 1000, decision->usec / 100 % 10);
}
