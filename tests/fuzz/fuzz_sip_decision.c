/*
 * The pure way of a SIP request: rows, the one that is verified, what is
 * removed, whose name it bears. What may never happen whatever stands in it:
 * another realm's row is chosen or removed, two answers to one challenge are
 * verified, a name is let pass by the strict rule that is not the account's.
 */

#include "core/sip_credentials.h"
#include "core/sip_message.h"
#include "fuzz.h"
#include "service/sip_decision.h"
#include "service/sip_identity.h"

#define CREDENTIALS	64

static const struct realm_policy policy = {
	.realm = "p1", .domain = "example.com",
	.algs = { DIGEST_SHA_256, DIGEST_MD5 }, .alg_count = 2
};
static const struct account alice = { "alice", "example.com" };

static struct sip_credentials all[CREDENTIALS];

static bool
is_ours(const struct sip_credentials *c)
{
	return c->kind != SIP_CREDENTIALS_OTHER && c->has_realm &&
	    span_equal_nocase(c->params.realm, span_str(policy.realm));
}

static void
check_rows(size_t count)
{
	struct sip_nonce nonces[SIP_OURS_MAX] = { 0 };
	unsigned int fields[SIP_ROWS_MAX];
	struct sip_selection out;
	size_t n, at;

	sip_decision_rows(all, count, &policy, &out);
	FUZZ_MUST(out.count <= SIP_OURS_MAX);
	for (size_t i = 0; i < out.count; i++) {
		FUZZ_MUST(out.rows[i] < count);
		FUZZ_MUST(is_ours(&all[out.rows[i]]));
		for (size_t j = 0; j < i; j++)
			FUZZ_MUST(out.next == SIP_NEXT_FORBID ||
			    out.next == SIP_NEXT_MALFORMED || !span_equal(
			    all[out.rows[i]].params.nonce,
			    all[out.rows[j]].params.nonce));
	}
	if (out.next == SIP_NEXT_VERIFY) {
		const struct digest_params *params;

		at = sip_decision_pick(all, &out, nonces);
		FUZZ_MUST(at < out.count);
		params = &all[out.rows[at]].params;
		FUZZ_MUST(all[out.rows[at]].kind == SIP_CREDENTIALS_DIGEST);
		FUZZ_MUST(params->alg == DIGEST_MD5 ||
		    params->alg == DIGEST_SHA_256);
		FUZZ_MUST(!params->sess && params->qop.n == 4 &&
		    params->nc.n == 8 && params->cnonce.n > 0);
	}
	n = sip_decision_removable(all, count, span_str(policy.realm), fields);
	for (size_t i = 0; i < n; i++) {
		FUZZ_MUST(i == 0 || fields[i] < fields[i - 1]);
		for (size_t j = 0; j < count; j++)
			FUZZ_MUST(all[j].field != fields[i] ||
			    is_ours(&all[j]));
	}
}

static void
check_identity(const struct sip_message *message)
{
	struct sip_identity_question question;
	enum sip_identity strict, lax;
	struct span user, host;

	lax = sip_identity_check(message, &alice, IDENTITY_CHECK_DOMAIN,
	    &question);
	strict = sip_identity_check(message, &alice, IDENTITY_CHECK_STRICT,
	    &question);
	FUZZ_MUST((strict == SIP_IDENTITY_ASK) == (lax == SIP_IDENTITY_ASK));
	FUZZ_MUST(lax != SIP_IDENTITY_REFUSE || strict == lax);
	user = span_str(question.user);
	host = span_str(question.host);
	for (size_t i = 0; i < user.n; i++)
		FUZZ_MUST(user.p[i] >= ' ' &&
		    user.p[i] == ascii_lower(user.p[i]));
	for (size_t i = 0; i < host.n; i++)
		FUZZ_MUST(host.p[i] == ascii_lower(host.p[i]));
	if (strict == SIP_IDENTITY_ASK)
		FUZZ_MUST(user.n > 0);
	if (strict == SIP_IDENTITY_PASS && message->to.tag.n == 0)
		FUZZ_MUST(span_equal(user, span_str(alice.localpart)) ||
		    span_equal(user, SPAN_LIT("anonymous")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t octets[SIP_MESSAGE_MAX];
	struct sip_message message;
	struct wbuf text;
	size_t count = 0;

	if (sip_message_parse(span_mem(data, size), SIP_PROXY, &message) != 0)
		return 0;
	check_identity(&message);
	wbuf_init(&text, octets, sizeof(octets));
	for (size_t i = 0; i < message.row_count; i++) {
		int n = sip_credentials_parse(message.rows[i],
		    (unsigned int)i, &text, all + count, CREDENTIALS - count);

		if (n < 0)
			return 0;
		count += (size_t)n;
	}
	check_rows(count);
	return 0;
}
