/*
 * DESIGN 6 rule by rule, and the table of draft-sparks-sip-multiproxy-auth-00:
 * which rows are ours, which of them is verified, what the digest's verdict
 * and the window's answer mean, what is removed. Credentials are written as
 * they stand in a request and read by the real parser.
 */

#include <stdio.h>
#include <string.h>

#include "core/sip_credentials.h"
#include "service/sip_decision.h"
#include "unit.h"

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))
#define SECOND		UINT64_C(1000000)
#define NOW		UINT64_C(1700000000000000)
#define ROWS		9	/* of one case; the last is NULL */
#define CREDENTIALS	32

/* What stands around nonce, algorithm and qop. */
#define ROW(user, realm, nonce, more) \
	"Digest username=\"" user "\", realm=\"" realm "\", nonce=\"" nonce \
	"\", uri=\"sip:bob@example.com\", " \
	"response=\"0123456789abcdef0123456789abcdef\"" more
#define QOP		", qop=auth, nc=00000001, cnonce=\"c\""
#define MD5(user, nonce)	ROW(user, "p1", nonce, QOP)
#define SHA(user, nonce) \
	ROW(user, "p1", nonce, ", algorithm=SHA-256" QOP)
#define OTHER		ROW("alice", "p2", "n7", QOP)

static const struct realm_policy md5_only = {
	.realm = "p1", .domain = "example.com",
	.algs = { DIGEST_MD5 }, .alg_count = 1
};
static const struct realm_policy both = {
	.realm = "P1", .domain = "example.com",
	.algs = { DIGEST_SHA_256, DIGEST_MD5 }, .alg_count = 2
};

/* The credentials of one request. */
static struct sip_credentials all[CREDENTIALS];
static size_t all_count;
static uint8_t text_octets[65536];

static void
read_rows(const char *const *rows)
{
	struct wbuf text;

	all_count = 0;
	wbuf_init(&text, text_octets, sizeof(text_octets));
	for (unsigned int i = 0; i < ROWS && rows[i] != NULL; i++) {
		int n = sip_credentials_parse(span_str(rows[i]), i, &text,
		    all + all_count, CREDENTIALS - all_count);

		ck_assert_int_ge(n, 0);
		all_count += (size_t)n;
	}
}

/* Nonces are named by their age: n1 is newer than n2, f1 is foreign. */
static struct sip_nonce
nonce_named(struct span name)
{
	struct sip_nonce out;

	memset(&out, 0, sizeof(out));
	if (name.n != 2 || (name.p[0] != 'n' && name.p[0] != 'f'))
		return out;
	out.origin = name.p[0] == 'n' ? NONCE_OWN : NONCE_FOREIGN;
	out.nonce.time_us = NOW - (uint64_t)(name.p[1] - '0') * SECOND;
	return out;
}

static const struct selection_case {
	const char		*name;
	const struct realm_policy *policy;
	const char		*rows[ROWS];
	enum sip_next		 next;
	enum reason		 reason;
	int			 picked;	/* credentials, if VERIFY */
} selections[] = {
	/* The draft's table: none, one, two for one challenge. */
	{ "draft: no rows", &md5_only, { NULL },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "draft: only another proxy's", &md5_only, { OTHER },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "draft: exactly one", &md5_only, { MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "draft: one of ours, another's first", &md5_only,
	    { OTHER, MD5("alice", "n1") }, SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "draft: one of ours, another's last", &md5_only,
	    { MD5("alice", "n1"), OTHER }, SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "draft: two for one challenge", &md5_only,
	    { MD5("alice", "n1"), MD5("alice", "n1") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },
	{ "draft: two for one challenge, apart", &md5_only,
	    { MD5("alice", "n1"), OTHER, MD5("alice", "n1") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },
	{ "draft: two for one challenge among three", &md5_only,
	    { MD5("alice", "n2"), MD5("alice", "n1"), MD5("alice", "n2") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },
	{ "draft: two for one, of two algorithms", &both,
	    { SHA("alice", "n1"), MD5("alice", "n1") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },
	{ "draft: two for one challenge that nobody made", &md5_only,
	    { MD5("alice", "zz"), MD5("alice", "zz") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },
	{ "draft: two of another's for one of its challenges", &md5_only,
	    { OTHER, OTHER, MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 2 },
	{ "a decoy of another realm names somebody else", &md5_only,
	    { ROW("admin", "elsewhere", "n1", QOP), MD5("bob", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },

	/* 6.1: whose rows these are. */
	{ "6.1: the realm without case", &md5_only,
	    { ROW("alice", "P1", "n1", QOP) },
	    SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "6.1: a longer realm", &md5_only,
	    { ROW("alice", "p1.example.com", "n1", QOP) },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "6.1: broken, surely ours", &md5_only,
	    { "Digest realm=\"p1\", username=\"alice" },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "6.1: broken and ours beside a good one", &md5_only,
	    { MD5("alice", "n1"), "Digest realm=\"p1\", nonce=\"a" },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "6.1: broken, of another", &md5_only,
	    { "Digest realm=\"p2\", username=\"alice", MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.1: broken, realm said twice", &md5_only,
	    { "Digest realm=\"p1\", realm=\"p1\", username=\"alice\"",
	    MD5("alice", "n1") }, SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.1: broken, no realm", &md5_only,
	    { "Digest username=\"alice", MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.1: unknown scheme (RFC 4475 3.3.7)", &md5_only,
	    { "NoOneKnowsThisScheme realm=\"p1\"" },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "6.1: empty response, before any challenge", &md5_only,
	    { "Digest username=\"alice\", realm=\"p1\", nonce=\"\", "
	    "uri=\"sip:p1\", response=\"\"" },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },

	/* 6.2: rows that stand together. */
	{ "6.2: one per algorithm", &both,
	    { MD5("alice", "n1"), SHA("alice", "n2") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: one per algorithm, best first", &both,
	    { SHA("alice", "n2"), MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "6.2: the newest nonce", &md5_only,
	    { MD5("alice", "n3"), MD5("alice", "n1"), MD5("alice", "n2") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: a nonce of ours before a forged one", &md5_only,
	    { MD5("alice", "zz"), MD5("alice", "n9"), MD5("alice", "yy") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: another node's nonce, if newer", &md5_only,
	    { MD5("alice", "n3"), MD5("alice", "f2") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: the algorithm before the nonce", &both,
	    { SHA("alice", "zz"), MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "6.2: two accounts", &md5_only,
	    { MD5("alice", "n1"), MD5("bob", "n2") },
	    SIP_NEXT_FORBID, REASON_IDENTITY, 0 },
	{ "6.2: two accounts, other order", &md5_only,
	    { MD5("bob", "n2"), MD5("alice", "n1") },
	    SIP_NEXT_FORBID, REASON_IDENTITY, 0 },
	{ "6.2: two accounts, two algorithms", &both,
	    { SHA("alice", "n1"), MD5("bob", "n2") },
	    SIP_NEXT_FORBID, REASON_IDENTITY, 0 },
	{ "6.2: alice is alice@example.com", &md5_only,
	    { MD5("alice", "n2"), MD5("alice@example.com", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: Alice is alice", &md5_only,
	    { MD5("Alice", "n1"), MD5("alice", "n2") },
	    SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "6.2: alice is not alice@example.net", &md5_only,
	    { MD5("alice", "n2"), MD5("alice@example.net", "n1") },
	    SIP_NEXT_FORBID, REASON_IDENTITY, 0 },
	{ "6.2: alice is not a name outside the grammar", &md5_only,
	    { MD5("alice", "n2"), MD5("al ice", "n1") },
	    SIP_NEXT_FORBID, REASON_IDENTITY, 0 },
	{ "6.2: the same name outside the grammar", &md5_only,
	    { MD5("al ice", "n2"), MD5("al ice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: two names outside the grammar", &md5_only,
	    { MD5("al ice", "n2"), MD5("b ob", "n1") },
	    SIP_NEXT_FORBID, REASON_IDENTITY, 0 },
	{ "6.2: four", &md5_only,
	    { MD5("alice", "n4"), MD5("alice", "n3"), MD5("alice", "n1"),
	    MD5("alice", "n2") }, SIP_NEXT_VERIFY, REASON_NONE, 2 },
	{ "6.2: five", &md5_only,
	    { MD5("alice", "n5"), MD5("alice", "n4"), MD5("alice", "n3"),
	    MD5("alice", "n1"), MD5("alice", "n2") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },
	{ "6.2: four and five of another's", &md5_only,
	    { OTHER, MD5("alice", "n4"), OTHER, MD5("alice", "n3"),
	    MD5("alice", "n1"), OTHER, MD5("alice", "n2"), OTHER },
	    SIP_NEXT_VERIFY, REASON_NONE, 4 },
	{ "6.2: two in one field", &md5_only,
	    { MD5("alice", "n2") ", " MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.2: two for one challenge in one field", &md5_only,
	    { MD5("alice", "n1") ", " MD5("alice", "n1") },
	    SIP_NEXT_FORBID, REASON_MALFORMED, 0 },

	/* 6.7, Appendix A: what was not offered. */
	{ "6.7: an algorithm that is not offered", &md5_only,
	    { SHA("alice", "n1") }, SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "6.7: beside one that is", &md5_only,
	    { SHA("bob", "n1"), MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.7: an unknown algorithm", &both,
	    { ROW("alice", "p1", "n1", ", algorithm=SHA-512" QOP) },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "6.7: -sess", &md5_only,
	    { ROW("alice", "p1", "n1", ", algorithm=MD5-sess" QOP) },
	    SIP_NEXT_CHALLENGE, REASON_NONE, 0 },
	{ "6.7: no qop", &md5_only, { ROW("alice", "p1", "n1", "") },
	    SIP_NEXT_CHALLENGE, REASON_MALFORMED, 0 },
	{ "6.7: no qop, beside one with", &md5_only,
	    { ROW("alice", "p1", "n1", ""), MD5("alice", "n2") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
	{ "6.7: auth-int", &md5_only, { ROW("alice", "p1", "n1",
	    ", qop=auth-int, nc=00000001, cnonce=\"c\"") },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "6.7: AUTH", &md5_only, { ROW("alice", "p1", "n1",
	    ", qop=\"AUTH\", nc=0000000A, cnonce=\"c\"") },
	    SIP_NEXT_VERIFY, REASON_NONE, 0 },
	{ "A.4: nc missing", &md5_only, { ROW("alice", "p1", "n1",
	    ", qop=auth, cnonce=\"c\"") },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "A.4: nc short", &md5_only, { ROW("alice", "p1", "n1",
	    ", qop=auth, nc=1, cnonce=\"c\"") },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "A.4: nc of no request", &md5_only, { ROW("alice", "p1", "n1",
	    ", qop=auth, nc=00000000, cnonce=\"c\"") },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "A.4: cnonce missing", &md5_only, { ROW("alice", "p1", "n1",
	    ", qop=auth, nc=00000001") },
	    SIP_NEXT_MALFORMED, REASON_MALFORMED, 0 },
	{ "A.4: another's nc", &md5_only, { ROW("alice", "p2", "n1",
	    ", qop=auth, nc=1"), MD5("alice", "n1") },
	    SIP_NEXT_VERIFY, REASON_NONE, 1 },
};

START_TEST(selection)
{
	const struct selection_case *c = &selections[_i];
	struct sip_nonce nonces[SIP_OURS_MAX];
	struct sip_selection out;
	size_t at;

	read_rows(c->rows);
	sip_decision_rows(all, all_count, c->policy, &out);
	ck_assert_msg(out.next == c->next, "%s: next %d", c->name, out.next);
	ck_assert_msg(out.reason == c->reason, "%s: reason %s", c->name,
	    reason_str(out.reason));
	if (out.next != SIP_NEXT_VERIFY)
		return;
	for (size_t i = 0; i < out.count; i++)
		nonces[i] = nonce_named(all[out.rows[i]].params.nonce);
	at = sip_decision_pick(all, &out, nonces);
	ck_assert_msg(at < out.count && out.rows[at] == (size_t)c->picked,
	    "%s: picked %zu", c->name, at < out.count ? out.rows[at] : 99);
}
END_TEST

/* Whatever their order, the same row is verified. */
START_TEST(selection_in_any_order)
{
	static const char *const rows[] = {
		MD5("alice", "n2"), SHA("alice", "n3"), MD5("alice", "zz"),
		SHA("alice", "f2")
	};
	const char *turned[ROWS] = { NULL };

	for (int i = 0; i < COUNT(rows); i++)
		turned[(i + _i) % COUNT(rows)] = rows[_i < COUNT(rows) ? i :
		    COUNT(rows) - 1 - i];
	{
		struct sip_nonce nonces[SIP_OURS_MAX];
		struct sip_selection out;
		struct span nonce;

		read_rows(turned);
		sip_decision_rows(all, all_count, &both, &out);
		ck_assert_int_eq(out.next, SIP_NEXT_VERIFY);
		for (size_t i = 0; i < out.count; i++)
			nonces[i] = nonce_named(
			    all[out.rows[i]].params.nonce);
		nonce = all[out.rows[sip_decision_pick(all, &out,
		    nonces)]].params.nonce;
		ck_assert(span_equal(nonce, SPAN_LIT("f2")));
	}
}
END_TEST

static const struct digest_case {
	enum verdict	 verdict;
	enum reason	 reason;
	enum sip_verdict expected;
} digests[] = {
	{ VERDICT_ALLOW, REASON_OK, SIP_ACCEPT },
	/* 6.3: a failure, no stale; who exists is not told. */
	{ VERDICT_DENY, REASON_WRONG_PASSWORD, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_UNKNOWN_USER, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_DISABLED, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_NO_VERIFIER, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_CASE, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_FOREIGN_DOMAIN, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_MALFORMED, SIP_CHALLENGE },
	{ VERDICT_DENY, REASON_UNKNOWN_REALM, SIP_FORBID },
	{ VERDICT_UNAVAILABLE, REASON_DB_DOWN, SIP_UNAVAILABLE },
	{ VERDICT_UNAVAILABLE, REASON_KEY_MISSING, SIP_UNAVAILABLE },
	{ VERDICT_UNAVAILABLE, REASON_WRONG_PASSWORD, SIP_UNAVAILABLE },
};

START_TEST(digest_6_3)
{
	const struct digest_case *c = &digests[_i];
	struct sip_outcome out = sip_decision_digest(c->verdict, c->reason);

	ck_assert_int_eq(out.verdict, c->expected);
	ck_assert_int_eq(out.reason, c->reason);
	ck_assert(!out.stale);
}
END_TEST

static const struct nonce_case {
	const char		*name;
	enum nonce_origin	 origin;
	uint64_t		 age_s;
	enum replay_answer	 answer;
	enum sip_verdict	 verdict;
	enum reason		 reason;
} nonce_cases[] = {
	{ "first use", NONCE_OWN, 1, REPLAY_FRESH, SIP_ACCEPT, REASON_OK },
	{ "the same request again", NONCE_OWN, 299, REPLAY_AGAIN,
	    SIP_ACCEPT, REASON_OK },
	{ "used for something else", NONCE_OWN, 300, REPLAY_STALE,
	    SIP_CHALLENGE, REASON_REPLAY },
	{ "too old", NONCE_OWN, 301, REPLAY_STALE,
	    SIP_CHALLENGE, REASON_STALE },
	{ "another node's", NONCE_FOREIGN, 1, REPLAY_FRESH,
	    SIP_ACCEPT, REASON_OK },
	{ "another node's, again", NONCE_FOREIGN, 30, REPLAY_STALE,
	    SIP_CHALLENGE, REASON_REPLAY },
	{ "another node's, too old", NONCE_FOREIGN, 31, REPLAY_STALE,
	    SIP_CHALLENGE, REASON_STALE },
	{ "forged", NONCE_UNKNOWN, 0, REPLAY_STALE,
	    SIP_CHALLENGE, REASON_STALE },
	/* The window must not be able to let a forged one in. */
	{ "forged, window wrong", NONCE_UNKNOWN, 0, REPLAY_FRESH,
	    SIP_CHALLENGE, REASON_STALE },
	{ "forged, window wrong again", NONCE_UNKNOWN, 0, REPLAY_AGAIN,
	    SIP_CHALLENGE, REASON_STALE },
};

START_TEST(nonce_6_3)
{
	const struct replay_settings settings = {
		.entries = 1,
		.lifetime_us = 300 * SECOND,
		.foreign_us = 30 * SECOND
	};
	const struct nonce_case *c = &nonce_cases[_i];
	const struct sip_nonce nonce = {
		.origin = c->origin,
		.nonce = { .time_us = c->origin == NONCE_UNKNOWN ? 0 :
		    NOW - c->age_s * SECOND }
	};
	struct sip_outcome out;

	out = sip_decision_nonce(&nonce, c->answer, &settings, NOW);
	ck_assert_msg(out.verdict == c->verdict, "%s", c->name);
	ck_assert_msg(out.reason == c->reason, "%s: %s", c->name,
	    reason_str(out.reason));
	/* Right digest: always stale, or the client gives up. */
	ck_assert(out.stale == (out.verdict == SIP_CHALLENGE));
}
END_TEST

static const struct removal_case {
	const char	*name;
	const char	*rows[ROWS];
	size_t		 count;
	unsigned int	 fields[ROWS];
} removals[] = {
	{ "none", { NULL }, 0, { 0 } },
	{ "one", { MD5("alice", "n1") }, 1, { 0 } },
	{ "others stay", { OTHER, MD5("alice", "n1"), OTHER }, 1, { 1 } },
	{ "highest first", { MD5("alice", "n1"), OTHER, SHA("alice", "n1"),
	    MD5("x", "zz") }, 3, { 3, 2, 0 } },
	{ "shared with another", { MD5("alice", "n1") ", " OTHER },
	    0, { 0 } },
	{ "shared, another first", { OTHER ", " MD5("alice", "n1") },
	    0, { 0 } },
	{ "two of ours in one", { MD5("alice", "n1") ", " MD5("alice", "n2"),
	    OTHER }, 1, { 0 } },
	{ "unknown scheme", { "Bearer realm=\"p1\"" }, 0, { 0 } },
	{ "empty response", { "Digest username=\"alice\", realm=\"P1\", "
	    "nonce=\"\", uri=\"sip:p1\", response=\"\"" }, 1, { 0 } },
	{ "broken, ours", { OTHER, "Digest realm=\"p1\", nonce=\"a" },
	    1, { 1 } },
	{ "broken, nobody's", { "Digest nonce=\"a" }, 0, { 0 } },
	{ "an algorithm of nobody", { ROW("alice", "p1", "n1",
	    ", algorithm=SHA-512" QOP) }, 1, { 0 } },
};

START_TEST(removal)
{
	const struct removal_case *c = &removals[_i];
	unsigned int fields[SIP_ROWS_MAX];
	size_t n;

	read_rows(c->rows);
	n = sip_decision_removable(all, all_count, SPAN_LIT("p1"), fields);
	ck_assert_msg(n == c->count, "%s: %zu", c->name, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(fields[i] == c->fields[i], "%s: %u", c->name,
		    fields[i]);
}
END_TEST

/* Should a field hold what the parser could not make a row of: it stays. */
START_TEST(removal_of_the_unread)
{
	static const char *const rows[ROWS] = { MD5("alice", "n1") };
	unsigned int fields[SIP_ROWS_MAX];

	read_rows(rows);
	ck_assert(all[0].alone);
	all[0].alone = false;
	ck_assert_uint_eq(sip_decision_removable(all, all_count,
	    SPAN_LIT("p1"), fields), 0);
}
END_TEST

static const struct {
	const char	*method;
	bool		 free;
} methods[] = {
	{ "ACK", true }, { "CANCEL", true }, { "PRACK", true },
	{ "INVITE", false }, { "BYE", false }, { "REGISTER", false },
	{ "UPDATE", false }, { "OPTIONS", false }, { "ack", false },
	{ "ACKS", false }, { "AC", false }, { "", false },
};

START_TEST(method_6_5)
{
	ck_assert(sip_decision_method_is_free(span_str(methods[_i].method)) ==
	    methods[_i].free);
}
END_TEST

START_TEST(status)
{
	ck_assert_uint_eq(sip_decision_status(SIP_ACCEPT, SIP_PROXY), 200);
	ck_assert_uint_eq(sip_decision_status(SIP_CHALLENGE, SIP_PROXY), 407);
	ck_assert_uint_eq(sip_decision_status(SIP_CHALLENGE, SIP_REGISTRAR),
	    401);
	ck_assert_uint_eq(sip_decision_status(SIP_FORBID, SIP_PROXY), 403);
	ck_assert_uint_eq(sip_decision_status(SIP_MALFORMED, SIP_REGISTRAR),
	    400);
	ck_assert_uint_eq(sip_decision_status(SIP_UNAVAILABLE, SIP_PROXY),
	    503);
	/* What was forgotten forbids. */
	ck_assert_int_eq(SIP_FORBID, 0);
}
END_TEST

/* What a peer may hear does not tell who exists. */
START_TEST(reason_told)
{
	static const enum reason same[] = {
		REASON_WRONG_PASSWORD, REASON_UNKNOWN_USER, REASON_DISABLED,
		REASON_NO_VERIFIER, REASON_CASE
	};

	for (int i = 0; i < COUNT(same); i++)
		ck_assert_int_eq(sip_reason_told(same[i]),
		    REASON_WRONG_PASSWORD);
	ck_assert_int_eq(sip_reason_told(REASON_STALE), REASON_STALE);
	ck_assert_int_eq(sip_reason_told(REASON_IDENTITY), REASON_IDENTITY);
	ck_assert_int_eq(sip_reason_told(REASON_DB_DOWN), REASON_DB_DOWN);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("sip_decision");
	TCase *tc = tcase_create("DESIGN 6");

	tcase_add_loop_test(tc, selection, 0, COUNT(selections));
	tcase_add_loop_test(tc, selection_in_any_order, 0, 8);
	tcase_add_loop_test(tc, digest_6_3, 0, COUNT(digests));
	tcase_add_loop_test(tc, nonce_6_3, 0, COUNT(nonce_cases));
	tcase_add_loop_test(tc, removal, 0, COUNT(removals));
	tcase_add_test(tc, removal_of_the_unread);
	tcase_add_loop_test(tc, method_6_5, 0, COUNT(methods));
	tcase_add_test(tc, status);
	tcase_add_test(tc, reason_told);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
