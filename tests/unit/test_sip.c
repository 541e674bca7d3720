/*
 * The way of a SIP request, with a store that the test plays: what is asked
 * at which step, that each step can end it, that it can be cancelled and the
 * service freed at each, that the callback fires exactly once and never from
 * inside, and that nothing of the caller's is needed afterwards. What the
 * rules say is tested in test_sip_decision.c, with a database in test_sip.py.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "core/credential.h"
#include "core/crypto.h"
#include "core/hex.h"
#include "core/verdict.h"
#include "service/auth.h"
#include "service/replay.h"
#include "service/sip.h"
#include "service/workers.h"
#include "store/store.h"
#include "unit.h"

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))
#define PASSWORD	"wonderland"
#define QUESTIONS	64
#define MESSAGE		8192
#define ROWS		4096	/* octets, within a message */

static struct event_base *base;
static struct crypto *crypto;
static struct workers *workers;
static struct auth *auth;
static struct sip *sip;
static char lines[65536];

/* Everything that the store was asked; open: not answered yet. */
struct store_lookup {
	bool		 open;
	store_lookup_cb	*row_cb;	/* of a lookup */
	store_answer_cb	*cb;		/* of a question */
	enum store_question question;
	void		*arg;
	char		 values[4][256];
};
static struct store_lookup asked[QUESTIONS];
static int asks;

static struct store_lookup *
asked_new(const struct span *values, size_t count, void *arg)
{
	struct store_lookup *q = &asked[asks];

	ck_assert_int_lt(asks, QUESTIONS);
	ck_assert_uint_le(count, 4);
	memset(q, 0, sizeof(*q));
	asks++;
	q->open = true;
	q->arg = arg;
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(span_copy_str(values[i], q->values[i],
		    sizeof(q->values[i])), 0);
	return q;
}

struct store_lookup *
store_lookup(struct store *store, const struct store_key *key,
    store_lookup_cb *cb, void *arg)
{
	const struct span values[] = { key->localpart, key->realm };
	struct store_lookup *q = asked_new(values, 2, arg);

	(void)store;
	q->row_cb = cb;
	return q;
}

struct store_lookup *
store_ask(struct store *store, enum store_question question,
    const struct span *values, size_t count, store_answer_cb *cb, void *arg)
{
	struct store_lookup *q = asked_new(values, count, arg);

	(void)store;
	q->question = question;
	q->cb = cb;
	return q;
}

void
store_cancel(struct store_lookup *lookup)
{
	ck_assert(lookup->open);
	lookup->open = false;
}

bool
store_ready(const struct store *store)
{
	(void)store;
	return true;
}

void
store_stats(const struct store *store, struct store_stats *out)
{
	(void)store;
	memset(out, 0, sizeof(*out));
}

static int
open_questions(void)
{
	int n = 0;

	for (int i = 0; i < asks; i++)
		n += asked[i].open;
	return n;
}

/* The oldest question that waits. */
static struct store_lookup *
waiting(void)
{
	for (int i = 0; i < asks; i++)
		if (asked[i].open)
			return &asked[i];
	ck_abort_msg("nothing is asked");
	return NULL;
}

static void
hex_ha1(const char *user, const char *realm, char out[33])
{
	uint8_t ha1[DIGEST_SIZE_MAX];
	struct wbuf wb;

	ck_assert_int_eq(digest_ha1(crypto, DIGEST_MD5, span_str(user),
	    span_str(realm), SPAN_LIT(PASSWORD), ha1), 0);
	wbuf_init(&wb, out, 32);
	wbuf_hex(&wb, span_mem(ha1, 16));
	out[32] = '\0';
}

/*
 * The database answers as it would: every realm is one of example.com's, the
 * accounts are alice and bob; away: it is not there.
 */
static void
serve_one(bool away)
{
	struct store_lookup *q = waiting();
	char text[600];

	q->open = false;
	if (q->row_cb != NULL) {
		struct credential row = { .domain_known = true,
		    .found = true, .enabled = true, .version = 1,
		    .fake_iterations = 4096,
		    .fake_salt_n = SCRAM_SALT_NEW };

		row.policy.iterations = 4096;
		row.policy.stores[DIGEST_MD5] = true;
		(void)snprintf(row.realm, sizeof(row.realm), "%s",
		    q->values[1]);
		(void)snprintf(row.account.localpart,
		    sizeof(row.account.localpart), "%s", q->values[0]);
		(void)snprintf(row.account.domain,
		    sizeof(row.account.domain), "example.com");
		hex_ha1(q->values[0], q->values[1], text);
		credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL,
		    span_str(text));
		q->row_cb(away ? STORE_UNAVAILABLE : STORE_OK, &row, q->arg);
	} else if (away)
		q->cb(STORE_UNAVAILABLE, SPAN_EMPTY, q->arg);
	else if (q->question == STORE_REALM) {
		(void)snprintf(text, sizeof(text),
		    "%s\texample.com\tMD5\tdomain\t", q->values[0]);
		q->cb(STORE_OK, span_str(text), q->arg);
	} else
		q->cb(STORE_OK, span_equal(span_str(q->values[2]),
		    SPAN_LIT("bob")) ? SPAN_LIT("account") :
		    SPAN_LIT("none"), q->arg);
}

/* The last reply, copied. */
static struct {
	int		 count;
	enum sip_verdict verdict;
	unsigned int	 status;
	enum reason	 reason;
	size_t		 challenge_count;
	char		 challenges[4][512];
	bool		 stale[4];
	char		 user[LOCALPART_MAX + 1];
	int		 row;
	size_t		 row_count;
	bool		 has_info;
} got;

static bool again;

static void
on_reply(const struct sip_reply *reply, void *arg)
{
	got.count++;
	ck_assert_ptr_eq(arg, &got);
	got.verdict = reply->verdict;
	got.status = reply->status;
	got.reason = reply->reason;
	got.challenge_count = reply->challenge_count;
	ck_assert_uint_le(reply->challenge_count, 4);
	for (size_t i = 0; i < reply->challenge_count; i++) {
		ck_assert_int_eq(span_copy_str(reply->challenges[i],
		    got.challenges[i], sizeof(got.challenges[i])), 0);
		got.stale[i] = strstr(got.challenges[i], "stale=true") != NULL;
	}
	(void)snprintf(got.user, sizeof(got.user), "%s",
	    reply->account.localpart);
	got.row = reply->row;
	got.row_count = reply->row_count;
	got.has_info = reply->authentication_info.n > 0;
	if (again) {
		const struct sip_request request = {
			.door = "inner", .message = SPAN_LIT("x"),
			.realms = { SPAN_LIT("p1") }, .realm_count = 1
		};

		again = false;
		(void)sip_submit(sip, &request, on_reply, &got);
	}
}

/* The octets are gone as soon as sip_submit() is back. */
static struct sip_ticket *
submit(const char *message, const char *realm, const char *further)
{
	struct sip_request request = { .door = "test" };
	struct sip_ticket *ticket;
	char *octets, *copy, *more, *source;
	size_t n = strlen(message);

	octets = malloc(n + 1);
	copy = strdup(realm);
	more = strdup(further);
	source = strdup("192.0.2.1");
	memcpy(octets, message, n);
	request.message = span_mem(octets, n);
	request.source = span_str(source);
	request.realms[0] = span_str(copy);
	request.realms[1] = span_str(more);
	request.realm_count = *further == '\0' ? 1 : 2;
	memset(&got, 0, sizeof(got));
	ticket = sip_submit(sip, &request, on_reply, &got);
	ck_assert_int_eq(got.count, 0);
	memset(octets, 'x', n);
	free(octets);
	free(copy);
	free(more);
	free(source);
	return ticket;
}

static void
turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Serves and turns until there is an answer. */
static void
finish(void)
{
	while (got.count == 0) {
		turn();
		if (got.count == 0)
			serve_one(false);
	}
	turn();
	ck_assert_int_eq(got.count, 1);
	ck_assert_int_eq(open_questions(), 0);
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(lines);

	(void)arg;
	(void)level;
	(void)snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static const struct sink sink = { log_write, NULL, LEVEL_INFO };

static void
setup(void)
{
	const struct auth_settings no_keys = { .keys = NULL };
	struct sip_settings settings = {
		.nonce_keys = { .count = 1 },
		.nonce_lifetime_ms = 300000, .foreign_window_ms = 30000
	};

	asks = 0;
	lines[0] = '\0';
	again = false;
	base = event_base_new();
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	workers = workers_new(base, crypto, 1, 1);
	auth = auth_new(NULL, workers, crypto, base, &sink, &no_keys);
	sip = sip_new(auth, NULL, crypto, base, &sink, &settings);
	ck_assert_ptr_nonnull(sip);
}

static void
teardown(void)
{
	ck_assert_ptr_null(strstr(lines, PASSWORD));
	ck_assert_ptr_null(strstr(lines, "nonce"));
	sip_free(&sip);
	sip_free(&sip);
	workers_free(&workers);
	auth_free(&auth);
	ck_assert_int_eq(open_questions(), 0);
	crypto_free(&crypto);
	event_base_free(base);
}

/* An INVITE with these rows under this name. */
static const char *
invite(const char *from, const char *rows)
{
	static char text[MESSAGE];

	(void)snprintf(text, sizeof(text), "INVITE sip:carol@example.com "
	    "SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
	    "From: <sip:%s>;tag=1\r\nTo: <sip:carol@example.com>\r\n"
	    "Call-ID: 1\r\nCSeq: 1 INVITE\r\n%s\r\n", from, rows);
	return text;
}

/* A row of alice's that answers challenge i of the last reply. */
static const char *
row(size_t i, const char *realm, const char *password)
{
	static char text[4][1024];
	const char *nonce = strstr(got.challenges[i], " nonce=\"");
	struct digest_params params = {
		.alg = DIGEST_MD5, .username = SPAN_LIT("alice"),
		.realm = span_str(realm), .uri = SPAN_LIT("sip:carol"),
		.method = SPAN_LIT("INVITE"), .qop = SPAN_LIT("auth"),
		.nc = SPAN_LIT("00000001"), .cnonce = SPAN_LIT("c")
	};
	uint8_t ha1[DIGEST_SIZE_MAX], response[DIGEST_HEX_MAX];

	ck_assert_ptr_nonnull(nonce);
	params.nonce = span_mem(nonce + 8, NONCE_TEXT_SIZE);
	ck_assert_int_eq(digest_ha1(crypto, DIGEST_MD5, params.username,
	    params.realm, span_str(password), ha1), 0);
	ck_assert_int_eq(digest_response(crypto, ha1, &params, response), 0);
	(void)snprintf(text[i], sizeof(text[i]), "Proxy-Authorization: Digest "
	    "username=\"alice\", realm=\"%s\", nonce=\"%.*s\", "
	    "uri=\"sip:carol\", response=\"%.32s\", qop=auth, nc=00000001, "
	    "cnonce=\"c\"\r\n", realm, NONCE_TEXT_SIZE,
	    (const char *)params.nonce.p, (const char *)response);
	return text[i];
}

static const char *
both(const char *one, const char *two)
{
	static char text[ROWS];

	(void)snprintf(text, sizeof(text), "%s%s", one, two);
	return text;
}

static void
challenged(void)
{
	(void)submit(invite("alice@example.com", ""), "p1", "p2");
	finish();
	ck_assert_int_eq(got.verdict, SIP_CHALLENGE);
	ck_assert_uint_eq(got.challenge_count, 2);
}

START_TEST(accepted)
{
	const char *message;

	challenged();
	ck_assert_int_eq(asks, 2);
	ck_assert_uint_eq(got.status, 407);
	ck_assert_str_eq(lines, "");
	message = invite("alice@example.com", row(0, "p1", PASSWORD));
	(void)submit(message, "p1", "p2");
	finish();
	ck_assert_int_eq(got.verdict, SIP_ACCEPT);
	ck_assert_str_eq(got.user, "alice");
	ck_assert_int_eq(got.row, 0);
	ck_assert_uint_eq(got.row_count, 1);
	ck_assert(got.has_info);
	/* One lookup, no question about her own name, one line. */
	ck_assert_int_eq(asks, 3);
	ck_assert_ptr_nonnull(strstr(lines, "door=test "
	    "user=alice@example.com realm=p1 mech=Digest-MD5 verdict=allow "
	    "reason=ok source=192.0.2.1 "));
	ck_assert_ptr_eq(strchr(lines, '\n') + 1, lines + strlen(lines));
}
END_TEST

/*
 * The longest ways: to the owner of a name (realm p1, p2, account, owner), and
 * to the further rows (realm p1, p2, account, account).
 */
static const struct {
	const char	*from, *password;
	const char	*further;	/* password for p2, or NULL */
	int		 steps;
	enum sip_verdict verdict;
	enum reason	 reason;
} ways[] = {
	{ "x@example.net", PASSWORD, NULL, 2, SIP_ACCEPT, REASON_OK },
	{ "bob@example.com", PASSWORD, NULL, 2, SIP_FORBID,
	    REASON_IDENTITY },
	{ "alice@example.com", "wrong", PASSWORD, 2, SIP_CHALLENGE,
	    REASON_WRONG_PASSWORD },
	{ "alice@example.com", "wrong", "wrong too", 2, SIP_CHALLENGE,
	    REASON_WRONG_PASSWORD }
};
#define STEPS	3	/* served before something happens */

static struct sip_ticket *
begin(int way)
{
	static char own[1024], other[1024];

	challenged();
	(void)snprintf(own, sizeof(own), "%s", row(0, "p1",
	    ways[way].password));
	(void)snprintf(other, sizeof(other), "%s", row(1, "p2",
	    ways[way].further != NULL ? ways[way].further : ""));
	return submit(invite(ways[way].from, both(own,
	    ways[way].further != NULL ? other : "")), "p1", "p2");
}

START_TEST(way)
{
	int before;

	(void)begin(_i);
	before = asks - open_questions();
	finish();
	ck_assert_int_eq(got.verdict, ways[_i].verdict);
	ck_assert_int_eq(got.reason, ways[_i].reason);
	ck_assert_int_eq(asks - before, ways[_i].steps);
	ck_assert_str_eq(got.user, got.verdict == SIP_ACCEPT ? "alice" : "");
	ck_assert_ptr_nonnull(strstr(lines, reason_str(ways[_i].reason)));
	if (ways[_i].further == NULL || strcmp(ways[_i].further,
	    PASSWORD) == 0) {
		if (ways[_i].further != NULL)
			ck_assert(!got.stale[0] && got.stale[1]);
		/* One line, whatever the way; nothing of the further row. */
		ck_assert_ptr_eq(strchr(lines, '\n') + 1,
		    lines + strlen(lines));
		ck_assert_ptr_null(strstr(lines, "realm=p2"));
	} else {
		/* A wrong further row is a failure of its own. */
		ck_assert(!got.stale[0] && !got.stale[1]);
		ck_assert_ptr_nonnull(strstr(lines, "user=alice@example.com "
		    "realm=p2 mech=Digest-MD5 verdict=deny "
		    "reason=wrong-password "));
		ck_assert_ptr_nonnull(strstr(lines, "realm=p1 "));
	}
}
END_TEST

START_TEST(cancelled)
{
	int way_index = _i / STEPS, step = _i % STEPS;
	struct sip_ticket *ticket = begin(way_index);

	if (step >= ways[way_index].steps) {
		finish();
		return;
	}
	for (int i = 0; i < step; i++)
		serve_one(false);
	ck_assert_int_eq(got.count, 0);
	sip_cancel(ticket);
	ck_assert_int_eq(open_questions(), 0);
	turn();
	ck_assert_int_eq(got.count, 0);
	ck_assert_str_eq(lines, "");
}
END_TEST

START_TEST(freed)
{
	int way_index = _i / STEPS, step = _i % STEPS;

	(void)begin(way_index);
	for (int i = 0; i < step && got.count == 0; i++)
		serve_one(false);
	(void)submit("x", "p1", "p2");
	(void)submit(invite("alice@example.com", ""), "p3", "p4");
	sip_free(&sip);
	ck_assert_int_eq(open_questions(), 0);
	turn();
	ck_assert_int_eq(got.count, 0);
}
END_TEST

/* Away at any step: 503, whatever was right or wrong before. */
START_TEST(unavailable)
{
	int way_index = _i / STEPS, step = _i % STEPS;

	(void)begin(way_index);
	if (step >= ways[way_index].steps) {
		finish();
		return;
	}
	for (int i = 0; i < step; i++)
		serve_one(false);
	serve_one(true);
	turn();
	ck_assert_int_eq(got.count, 1);
	ck_assert_int_eq(got.verdict, SIP_UNAVAILABLE);
	ck_assert_uint_eq(got.status, 503);
	ck_assert_int_eq(got.reason, REASON_DB_DOWN);
	ck_assert_uint_eq(got.challenge_count, 0);
	ck_assert_uint_eq(got.row_count, 0);
	ck_assert_str_eq(got.user, "");
	ck_assert_int_eq(open_questions(), 0);
	ck_assert_ptr_nonnull(strstr(lines, "verdict=unavailable "
	    "reason=db-down"));
}
END_TEST

/* Two further rows are asked for; the first one's answer ends it all. */
START_TEST(unavailable_among_several)
{
	struct sip_request request = {
		.door = "test", .realm_count = 3,
		.realms = { SPAN_LIT("p1"), SPAN_LIT("p2"), SPAN_LIT("p3") }
	};
	char two[1024], three[1024];

	request.message = span_str(invite("alice@example.com", ""));
	memset(&got, 0, sizeof(got));
	(void)sip_submit(sip, &request, on_reply, &got);
	finish();
	(void)snprintf(two, sizeof(two), "%s", row(1, "p2", PASSWORD));
	(void)snprintf(three, sizeof(three), "%s", row(2, "p3", PASSWORD));
	request.message = span_str(invite("alice@example.com",
	    both(two, three)));
	memset(&got, 0, sizeof(got));
	(void)sip_submit(sip, &request, on_reply, &got);
	ck_assert_int_eq(open_questions(), 2);
	serve_one(_i == 0);
	if (_i != 0)
		serve_one(_i == 1);
	turn();
	ck_assert_int_eq(got.count, 1);
	ck_assert_int_eq(got.verdict, _i == 2 ? SIP_CHALLENGE :
	    SIP_UNAVAILABLE);
	ck_assert_int_eq(open_questions(), 0);
	if (_i == 2) {
		ck_assert(!got.stale[0] && got.stale[1] && got.stale[2]);
		ck_assert_str_eq(lines, "");
	}
}
END_TEST

/* A realm nobody has ever heard of while the database is away. */
START_TEST(realm_unavailable)
{
	(void)submit(invite("alice@example.com", ""), "p1", "p2");
	ck_assert_int_eq(open_questions(), 2);
	serve_one(_i == 0);
	ck_assert_int_eq(got.count, 0);
	serve_one(_i == 1);
	turn();
	ck_assert_int_eq(got.count, 1);
	ck_assert_int_eq(got.verdict, SIP_UNAVAILABLE);
	ck_assert_uint_eq(got.challenge_count, 0);
}
END_TEST

/* Decided at sight: still from the loop; a callback may ask anew. */
START_TEST(at_sight)
{
	(void)submit("x", "p1", "p2");
	turn();
	ck_assert_int_eq(got.count, 1);
	ck_assert_int_eq(got.verdict, SIP_MALFORMED);
	again = true;
	(void)submit("x", "p1", "p2");
	turn();
	turn();
	ck_assert_int_eq(got.count, 2);
	ck_assert_ptr_nonnull(strstr(lines, "door=inner user=- realm=p1 "
	    "mech=Digest verdict=deny reason=malformed"));
	sip_cancel(submit("x", "p1", "p2"));
	turn();
	ck_assert_int_eq(got.count, 0);
	ck_assert_int_eq(asks, 0);
}
END_TEST

/* Not even the realms are asked for. */
START_TEST(free_method)
{
	char text[MESSAGE], *at;

	challenged();
	(void)snprintf(text, sizeof(text), "%s", invite("alice@example.com",
	    row(0, "p1", "wrong")));
	while ((at = strstr(text, "INVITE")) != NULL)
		memcpy(at, "CANCEL", 6);
	(void)submit(text, "P1", "");
	ck_assert_int_eq(open_questions(), 0);
	turn();
	ck_assert_int_eq(got.count, 1);
	ck_assert_int_eq(got.verdict, SIP_ACCEPT);
	ck_assert_int_eq(got.reason, REASON_METHOD);
	ck_assert_str_eq(got.user, "");
	ck_assert_int_eq(got.row, -1);
	ck_assert_uint_eq(got.row_count, 1);
	ck_assert(!got.has_info);
	ck_assert_str_eq(lines, "");
}
END_TEST

/* RADIUS with nonces of ours: the same keys and window. */
START_TEST(shared)
{
	ck_assert_uint_eq(sip_nonce_keys(sip)->count, 1);
	ck_assert_ptr_nonnull(sip_replay(sip));
	challenged();
	ck_assert_uint_eq(replay_count(sip_replay(sip)), 0);
	(void)submit(invite("alice@example.com", row(0, "p1", PASSWORD)),
	    "p1", "");
	finish();
	ck_assert_uint_eq(replay_count(sip_replay(sip)), 1);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("sip");
	TCase *tc = tcase_create("the way of a request");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, accepted);
	tcase_add_loop_test(tc, way, 0, COUNT(ways));
	tcase_add_loop_test(tc, cancelled, 0, COUNT(ways) * STEPS);
	tcase_add_loop_test(tc, freed, 0, COUNT(ways) * STEPS);
	tcase_add_loop_test(tc, unavailable, 0, COUNT(ways) * STEPS);
	tcase_add_loop_test(tc, unavailable_among_several, 0, 3);
	tcase_add_loop_test(tc, realm_unavailable, 0, 2);
	tcase_add_test(tc, at_sight);
	tcase_add_test(tc, free_method);
	tcase_add_test(tc, shared);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
