/*
 * The decision, with a store that the test plays: what is asked of it, what
 * each of its answers becomes, that a callback fires exactly once and never
 * from inside auth_submit(), that cancelled tickets are silent, and that no
 * log line carries a password.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "core/credential.h"
#include "core/crypto.h"
#include "core/verify.h"
#include "core/wbuf.h"
#include "service/auth.h"
#include "service/known.h"
#include "service/workers.h"
#include "store/store.h"
#include "unit.h"

/* STANDARDS 0: alice, example.com, wonderland. */
#define HA1_MD5		"93dfce8dfebfae8af4a726982429d23a"
#define HA1_SHA_256 \
	"8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f"
#define SCRAM_SHA_256_TEXT \
	"SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$koDA4w4uESj0AfNZTEbpK/" \
	"0Fx0yK4YVjtgcbcPyVqYQ=:+wjLhweKjn9o4b6f4w3u2pPId+QIekOvK0vJURzRXjQ="
/* STANDARDS 1.7 (d), REGISTER, auth, MD5. */
#define RESPONSE	"1a81fb09121db07246ec0da143eda7c9"
#define RSPAUTH		"89dc0f0270907fa0aa7bd5968b9d8aea"
#define CANARY		"c4naryPassw0rd"

static struct event_base *base;
static struct crypto *crypto;
static struct workers *workers;
static struct known *known;
static struct auth *auth;
static struct auth_reply reply;
static int replies;
static char last_line[1024];
static char all_lines[65536];

/* The store that the test plays: one lookup at a time. */
struct store_lookup {
	store_lookup_cb	*cb;
	void		*arg;
	char		 domain[64], localpart[80], realm[64];
};
static struct store_lookup asked;
static int lookups, cancels;

struct store_lookup *
store_lookup(struct store *store, const struct store_key *key,
    store_lookup_cb *cb, void *arg)
{
	(void)store;
	lookups++;
	asked.cb = cb;
	asked.arg = arg;
	ck_assert_int_eq(span_copy_str(key->domain, asked.domain,
	    sizeof(asked.domain)), 0);
	ck_assert_int_eq(span_copy_str(key->localpart, asked.localpart,
	    sizeof(asked.localpart)), 0);
	ck_assert_int_eq(span_copy_str(key->realm, asked.realm,
	    sizeof(asked.realm)), 0);
	return &asked;
}

void
store_cancel(struct store_lookup *lookup)
{
	ck_assert_ptr_eq(lookup, &asked);
	cancels++;
	asked.cb = NULL;
}

static bool ready;

bool
store_ready(const struct store *store)
{
	(void)store;
	return ready;
}

void
store_stats(const struct store *store, struct store_stats *out)
{
	(void)store;
	*out = (struct store_stats){ .lookups = 4711 };
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(all_lines);

	(void)arg;
	(void)level;
	(void)snprintf(last_line, sizeof(last_line), "%s", line);
	(void)snprintf(all_lines + n, sizeof(all_lines) - n, "%s\n", line);
}

static const struct sink sink = { log_write, NULL, LEVEL_DEBUG };

static void
setup(void)
{
	struct auth_settings settings = { .keys = NULL };

	replies = lookups = cancels = 0;
	last_line[0] = all_lines[0] = '\0';
	memset(&reply, 0, sizeof(reply));
	base = event_base_new();
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	workers = workers_new(base, crypto, 1, 1);
	ck_assert_ptr_nonnull(workers);
	known = known_new(crypto);
	ck_assert_ptr_nonnull(known);
	settings.known = known;
	auth = auth_new(NULL, workers, crypto, base, &sink, &settings);
	ck_assert_ptr_nonnull(auth);
}

static void
teardown(void)
{
	ck_assert_ptr_null(strstr(all_lines, CANARY));
	ck_assert_ptr_null(strstr(all_lines, "wonderland"));
	ck_assert_ptr_null(strstr(all_lines, RESPONSE));
	workers_free(&workers);
	auth_free(&auth);
	known_free(&known);
	crypto_free(&crypto);
	event_base_free(base);
}

static void
on_reply(const struct auth_reply *r, void *arg)
{
	ck_assert_ptr_eq(arg, &reply);
	reply = *r;
	replies++;
}

static struct auth_ticket *
submit(const struct auth_request *request)
{
	struct auth_ticket *ticket = auth_submit(auth, request, on_reply,
	    &reply);

	ck_assert_int_eq(replies, 0);
	return ticket;
}

static struct auth_request
password_request(const char *name, const char *password)
{
	return (struct auth_request){
		.kind = AUTH_PASSWORD, .door = "test",
		.name = span_str(name), .domain = SPAN_LIT("Example.COM"),
		.source = SPAN_LIT("192.0.2.1"),
		.password = span_str(password)
	};
}

static struct auth_request
digest_request(const char *name)
{
	return (struct auth_request){
		.kind = AUTH_DIGEST, .door = "test", .name = span_str(name),
		.digest = {
			.alg = DIGEST_MD5, .username = span_str(name),
			.realm = SPAN_LIT("example.com"),
			.nonce = SPAN_LIT("bm9uY2UtMDAwMQ"),
			.uri = SPAN_LIT("sip:example.com"),
			.method = SPAN_LIT("REGISTER"),
			.qop = SPAN_LIT("auth"), .nc = SPAN_LIT("00000001"),
			.cnonce = SPAN_LIT("0a4f113b"),
			.response = SPAN_LIT(RESPONSE)
		}
	};
}

/* alice's row: scram only, or with HA1s. */
static struct credential
alice(bool fast)
{
	struct credential row = { .domain_known = true, .found = true,
	    .enabled = true, .version = 1, .fake_iterations = 4096,
	    .fake_salt_n = SCRAM_SALT_NEW, .realm = "example.com",
	    .account = { "alice", "example.com" } };

	row.policy.iterations = 4096;
	credential_set_scram(&row, SCRAM_SHA_256,
	    SPAN_LIT(SCRAM_SHA_256_TEXT));
	if (fast) {
		row.policy.stores[DIGEST_MD5] = true;
		row.policy.stores[DIGEST_SHA_256] = true;
		credential_set_ha1(&row, DIGEST_MD5, FORM_LOCAL,
		    SPAN_LIT(HA1_MD5));
		credential_set_ha1(&row, DIGEST_SHA_256, FORM_LOCAL,
		    SPAN_LIT(HA1_SHA_256));
	} else
		row.policy.digests_none = true;
	return row;
}

static void
answer(enum store_status status, const struct credential *row)
{
	ck_assert(asked.cb != NULL);
	asked.cb(status, row, asked.arg);
}

static void
wait_reply(void)
{
	while (replies == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(replies, 1);
}

static const struct {
	const char *name;
	enum store_status status;
	bool fast, enabled, found;
	const char *password;
	enum verdict verdict;
	enum reason reason;
} passwords[] = {
	{ "alice", STORE_OK, true, true, true, "wonderland",
	    VERDICT_ALLOW, REASON_OK },
	{ "Alice@EXAMPLE.com", STORE_OK, true, true, true, "wonderland",
	    VERDICT_ALLOW, REASON_OK },
	{ "alice", STORE_OK, false, true, true, "wonderland",
	    VERDICT_ALLOW, REASON_OK },
	{ "alice", STORE_OK, true, true, true, CANARY,
	    VERDICT_DENY, REASON_WRONG_PASSWORD },
	{ "alice", STORE_OK, false, true, true, CANARY,
	    VERDICT_DENY, REASON_WRONG_PASSWORD },
	{ "alice", STORE_OK, true, false, true, "wonderland",
	    VERDICT_DENY, REASON_DISABLED },
	{ "alice", STORE_OK, false, false, true, "wonderland",
	    VERDICT_DENY, REASON_DISABLED },
	{ "alice", STORE_OK, true, true, false, "wonderland",
	    VERDICT_DENY, REASON_UNKNOWN_USER },
	{ "alice", STORE_OK, false, true, false, "wonderland",
	    VERDICT_DENY, REASON_UNKNOWN_USER },
	{ "alice", STORE_NO_DOMAIN, true, true, true, "wonderland",
	    VERDICT_DENY, REASON_FOREIGN_DOMAIN },
	{ "alice", STORE_UNAVAILABLE, true, true, true, "wonderland",
	    VERDICT_UNAVAILABLE, REASON_DB_DOWN }
};

START_TEST(password)
{
	struct auth_request request = password_request(passwords[_i].name,
	    passwords[_i].password);
	struct credential row = alice(passwords[_i].fast);

	submit(&request);
	ck_assert_str_eq(asked.localpart, "alice");
	ck_assert_str_eq(asked.domain, "example.com");
	ck_assert_str_eq(asked.realm, "");
	row.enabled = passwords[_i].enabled;
	row.found = passwords[_i].found;
	if (!row.found) {
		memset(row.scram, 0, sizeof(row.scram));
		memset(row.ha1, 0, sizeof(row.ha1));
	}
	answer(passwords[_i].status, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, passwords[_i].verdict);
	ck_assert_str_eq(reason_str(reply.reason),
	    reason_str(passwords[_i].reason));
	ck_assert_str_eq(reply.account.localpart,
	    reply.verdict == VERDICT_ALLOW ? "alice" : "");
	ck_assert_ptr_nonnull(strstr(last_line, "door=test "
	    "user=alice@example.com realm=- mech=PLAIN verdict="));
	ck_assert_ptr_nonnull(strstr(last_line,
	    reason_str(passwords[_i].reason)));
	ck_assert_ptr_nonnull(strstr(last_line, " source=192.0.2.1 ms="));
}
END_TEST

static void
ask_existence(enum store_status status, bool found, bool enabled)
{
	const struct auth_request request = {
		.kind = AUTH_EXISTS, .door = "test",
		.name = SPAN_LIT("Alice"), .domain = SPAN_LIT("example.com")
	};
	struct credential row = alice(true);

	row.found = found;
	row.enabled = enabled;
	replies = 0;
	submit(&request);
	answer(status, &row);
	wait_reply();
}

static void
ask_password(enum store_status status, const char *text)
{
	struct auth_request request = password_request("alice", text);
	struct credential row = alice(true);

	replies = 0;
	submit(&request);
	answer(status, &row);
	wait_reply();
}

/*
 * While the database is away: the last known yes, never a no. Whatever was
 * said before an outage, an outage opens no login.
 */
START_TEST(existence_in_an_outage)
{
	static const struct {
		bool asked, password, found, enabled, domain, yes;
	} before[] = {
		{ false, false, false, false, false, false },
		{ true, false, true, true, true, true },
		{ true, false, true, false, true, false },
		{ true, false, false, false, true, false },
		{ true, false, false, false, false, false },
		{ false, true, true, true, true, true },
		/* Known, and then not any more. */
		{ true, true, true, false, true, false },
		{ true, true, false, false, true, false },
		{ true, true, false, false, false, false }
	};

	if (before[_i].password)
		ask_password(STORE_OK, _i % 2 == 0 ? CANARY : "wonderland");
	if (before[_i].asked) {
		ask_existence(before[_i].domain ? STORE_OK : STORE_NO_DOMAIN,
		    before[_i].found, before[_i].enabled);
		ck_assert_int_eq(reply.verdict, before[_i].yes ?
		    VERDICT_ALLOW : VERDICT_DENY);
	}
	for (int i = 0; i < 2; i++) {
		ask_existence(STORE_UNAVAILABLE, false, false);
		ck_assert_int_eq(reply.verdict, before[_i].yes ?
		    VERDICT_ALLOW : VERDICT_UNAVAILABLE);
		ck_assert_int_eq(reply.reason, REASON_DB_DOWN);
		ask_password(STORE_UNAVAILABLE, "wonderland");
		ck_assert_int_eq(reply.verdict, VERDICT_UNAVAILABLE);
	}
}
END_TEST

static const struct {
	const char *name;
	enum reason reason;
} refused[] = {
	{ "", REASON_MALFORMED },
	{ CANARY " with blanks", REASON_MALFORMED },
	{ "alice@", REASON_MALFORMED },
	{ "@example.com", REASON_MALFORMED },
	{ "alice@evil.example", REASON_FOREIGN_DOMAIN },
	{ "al\tice", REASON_MALFORMED },
	{ "al\"ice", REASON_MALFORMED }
};

START_TEST(refused_at_sight)
{
	struct auth_request request = password_request(refused[_i].name,
	    CANARY);

	submit(&request);
	ck_assert_int_eq(lookups, 0);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_DENY);
	ck_assert_str_eq(reason_str(reply.reason),
	    reason_str(refused[_i].reason));
	ck_assert_ptr_nonnull(strstr(last_line, " user=invalid "));
}
END_TEST

START_TEST(domain_not_listed)
{
	static const char *const names[] = { "other.example" };
	const struct domain_list list = { names, 1 };
	struct auth_request request = password_request("alice", CANARY);
	struct credential row = alice(true);

	request.domains = &list;
	submit(&request);
	ck_assert_int_eq(lookups, 0);
	wait_reply();
	ck_assert_int_eq(reply.reason, REASON_FOREIGN_DOMAIN);

	/* For a digest the domain is known with the row only. */
	replies = 0;
	request = digest_request("alice");
	request.domains = &list;
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_DENY);
	ck_assert_int_eq(reply.reason, REASON_FOREIGN_DOMAIN);
	ck_assert_str_eq(reply.rspauth, "");
}
END_TEST

START_TEST(digest)
{
	struct auth_request request = digest_request("alice");
	struct credential row = alice(true);

	request.lookup_name = SPAN_LIT("Alice@example.com");
	submit(&request);
	ck_assert_str_eq(asked.domain, "");
	ck_assert_str_eq(asked.localpart, "alice");
	ck_assert_str_eq(asked.realm, "example.com");
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_ALLOW);
	ck_assert_str_eq(reply.rspauth, RSPAUTH);
	ck_assert_str_eq(reply.account.domain, "example.com");
	ck_assert_ptr_nonnull(strstr(last_line, "user=alice@example.com "
	    "realm=example.com mech=Digest-MD5 verdict=allow reason=ok"));
}
END_TEST

/* The HA1 goes to who asked for it, with ALLOW, and to nobody else. */
START_TEST(digest_hands_out_ha1)
{
	struct auth_request request = digest_request("alice");
	struct credential row = alice(true);

	for (int want = 0; want < 2; want++) {
		replies = 0;
		request.want_ha1 = want;
		submit(&request);
		answer(STORE_OK, &row);
		wait_reply();
		ck_assert_int_eq(reply.verdict, VERDICT_ALLOW);
		ck_assert_str_eq(reply.ha1, want ? HA1_MD5 : "");
	}
	replies = 0;
	request.lookup_name = SPAN_LIT("bob");
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_DENY);
	ck_assert_str_eq(reply.ha1, "");
	replies = 0;
	request.lookup_name = SPAN_EMPTY;
	request.digest.nonce = SPAN_LIT("x");
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_DENY);
	ck_assert_str_eq(reply.ha1, "");
}
END_TEST

static enum reason review_says;
static int reviews;

static enum reason
review(void *arg)
{
	(void)arg;
	ck_assert_int_eq(replies, 0);
	reviews++;
	return review_says;
}

/* What a door knows beyond the row has the last word, and only the last. */
START_TEST(digest_review)
{
	static const enum reason says[] = {
		REASON_OK, REASON_STALE, REASON_REPLAY, REASON_NONE
	};
	struct auth_request request = digest_request("alice");
	struct credential row = alice(true);
	bool allowed = says[_i] == REASON_OK;

	review_says = says[_i];
	request.review = review;
	request.no_rspauth = true;
	reviews = 0;
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reviews, 1);
	ck_assert_int_eq(reply.verdict, allowed ? VERDICT_ALLOW :
	    VERDICT_DENY);
	ck_assert_int_eq(reply.reason, says[_i]);
	ck_assert_str_eq(reply.rspauth, "");
	ck_assert_str_eq(reply.account.localpart, allowed ? "alice" : "");
	ck_assert_ptr_nonnull(strstr(last_line, "user=alice@example.com"));
	ck_assert_ptr_nonnull(strstr(last_line, reason_str(says[_i])));
	/* What is refused before it is not looked at, nor is an outage. */
	reviews = replies = 0;
	request.aor = (struct account){ "bob", "example.com" };
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.reason, REASON_IDENTITY);
	replies = 0;
	submit(&request);
	answer(STORE_UNAVAILABLE, NULL);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_UNAVAILABLE);
	ck_assert_int_eq(reviews, 0);
}
END_TEST

static const struct {
	const char *name, *lookup_name;
	enum reason reason;
} other_names[] = {
	{ "alice", "bob", REASON_IDENTITY },
	{ "alice", "bob@example.com", REASON_IDENTITY },
	{ "alice", "alice@evil.example", REASON_IDENTITY },
	{ "alice", "alice@", REASON_IDENTITY },
	{ "alice@evil.example", "", REASON_FOREIGN_DOMAIN }
};

/* A right response under two names, or of another domain, is refused. */
START_TEST(digest_names_disagree)
{
	struct auth_request request = digest_request(other_names[_i].name);
	struct credential row = alice(true);

	request.digest.username = SPAN_LIT("alice");
	request.lookup_name = span_str(other_names[_i].lookup_name);
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_DENY);
	ck_assert_str_eq(reason_str(reply.reason),
	    reason_str(other_names[_i].reason));
	ck_assert_str_eq(reply.rspauth, "");
	ck_assert_str_eq(reply.account.localpart, "");
}
END_TEST

static const struct {
	struct account aor;
	enum verdict verdict;
} aors[] = {
	{ { "alice", "example.com" }, VERDICT_ALLOW },
	{ { "bob", "example.com" }, VERDICT_DENY },
	{ { "alice", "evil.example" }, VERDICT_DENY },
	{ { "alice", "" }, VERDICT_DENY }
};

/* RFC 5090 3.1: the address to be used must be the account's own. */
START_TEST(rfc5090_aor)
{
	struct auth_request request = digest_request("alice");
	struct credential row = alice(true);

	request.aor = aors[_i].aor;
	submit(&request);
	answer(STORE_OK, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, aors[_i].verdict);
	ck_assert_int_eq(reply.reason, aors[_i].verdict == VERDICT_ALLOW ?
	    REASON_OK : REASON_IDENTITY);
	ck_assert_str_eq(reply.rspauth, aors[_i].verdict == VERDICT_ALLOW ?
	    RSPAUTH : "");
}
END_TEST

static const struct {
	bool found, enabled;
	enum store_status status;
	enum verdict verdict;
} existence[] = {
	{ true, true, STORE_OK, VERDICT_ALLOW },
	{ true, false, STORE_OK, VERDICT_DENY },
	{ false, false, STORE_OK, VERDICT_DENY },
	{ true, true, STORE_NO_DOMAIN, VERDICT_DENY },
	{ true, true, STORE_UNAVAILABLE, VERDICT_UNAVAILABLE }
};

START_TEST(exists)
{
	struct auth_request request = password_request("alice", "");
	struct credential row = alice(true);

	request.kind = AUTH_EXISTS;
	submit(&request);
	row.found = existence[_i].found;
	row.enabled = existence[_i].enabled;
	answer(existence[_i].status, &row);
	wait_reply();
	ck_assert_int_eq(reply.verdict, existence[_i].verdict);
}
END_TEST

START_TEST(cancel_deferred)
{
	struct auth_request request = password_request("", CANARY);

	auth_cancel(submit(&request));
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(replies, 0);
}
END_TEST

static void
on_reply_cancel(const struct auth_reply *r, void *arg)
{
	struct auth_ticket **ticket = arg;

	(void)r;
	replies++;
	auth_cancel(*ticket);
}

/* Who cancels the ticket that it is called for harms nobody. */
START_TEST(cancel_within_callback)
{
	struct auth_request request = password_request(
	    _i == 0 ? "" : "alice", "wonderland");
	struct credential row = alice(_i == 1);
	struct auth_ticket *ticket = auth_submit(auth, &request,
	    on_reply_cancel, &ticket);

	if (_i > 0)
		answer(STORE_OK, &row);
	while (replies == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(replies, 1);
	ck_assert_int_eq(cancels, 0);
}
END_TEST

START_TEST(cancel_lookup)
{
	struct auth_request request = password_request("alice", CANARY);

	auth_cancel(submit(&request));
	ck_assert_int_eq(cancels, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(replies, 0);
}
END_TEST

START_TEST(cancel_in_worker)
{
	struct auth_request request = password_request("alice", CANARY);
	struct credential row = alice(false);
	struct auth_ticket *ticket = submit(&request);

	answer(STORE_OK, &row);
	auth_cancel(ticket);
	workers_free(&workers);
	ck_assert_int_eq(replies, 0);
}
END_TEST

/* One job fits the queue of this test: the second is nobody's denial. */
START_TEST(workers_full)
{
	struct auth_request request = password_request("alice", "wonderland");
	struct credential row = alice(false);
	struct auth_ticket *first = submit(&request);

	answer(STORE_OK, &row);
	submit(&request);
	answer(STORE_OK, &row);
	ck_assert_int_eq(replies, 1);
	ck_assert_int_eq(reply.verdict, VERDICT_UNAVAILABLE);
	ck_assert_int_eq(reply.reason, REASON_THROTTLED);
	auth_cancel(first);
}
END_TEST

/* The caller's buffers may change as soon as auth_submit() has returned. */
START_TEST(request_is_copied)
{
	char secret[] = "wonderland", name[] = "alice";
	struct auth_request request = password_request(name, secret);
	struct credential row = alice(false);

	submit(&request);
	memset(secret, 'x', sizeof(secret) - 1);
	memset(name, 'x', sizeof(name) - 1);
	answer(STORE_OK, &row);
	memset(&row, 0, sizeof(row));
	wait_reply();
	ck_assert_int_eq(reply.verdict, VERDICT_ALLOW);
}
END_TEST

static int judged;

/* An auth_judge: the reply's account is at its address, the row is alice's. */
static struct verify_result
judge(const struct verifier_context *with, const struct credential *row,
    void *arg)
{
	ck_assert_ptr_eq(with->crypto, crypto);
	ck_assert_str_eq(row->account.localpart, "alice");
	ck_assert_ptr_eq(arg, &reply);
	ck_assert_int_eq(replies, 0);
	judged++;
	return (struct verify_result){ VERDICT_ALLOW, REASON_OK };
}

static const struct {
	const char	*name;
	enum store_status status;
	bool		 silent;
	int		 judged;
	enum verdict	 verdict;
	const char	*line;
} steps[] = {
	{ "Alice", STORE_OK, false, 1, VERDICT_ALLOW, "user=alice@example.com "
	    "realm=- mech=SCRAM-SHA-512-PLUS verdict=allow reason=ok" },
	{ "alice", STORE_OK, true, 1, VERDICT_ALLOW, "" },
	{ "alice", STORE_NO_DOMAIN, false, 0, VERDICT_DENY,
	    "verdict=deny reason=foreign-domain" },
	{ "alice", STORE_UNAVAILABLE, false, 0, VERDICT_UNAVAILABLE,
	    "verdict=unavailable reason=db-down" },
	{ "alice", STORE_UNAVAILABLE, true, 0, VERDICT_UNAVAILABLE, "" },
	{ CANARY " x", STORE_OK, false, 0, VERDICT_DENY,
	    "user=invalid realm=- mech=SCRAM-SHA-512-PLUS verdict=deny" }
};

START_TEST(scram_step)
{
	struct auth_request request = password_request(steps[_i].name, "");
	struct credential row = alice(true);
	struct auth_stats stats;

	request.kind = AUTH_SCRAM;
	request.scram = SCRAM_SHA_512;
	request.plus = true;
	request.silent = steps[_i].silent;
	request.judge = judge;
	judged = 0;
	submit(&request);
	ck_assert_int_eq(judged, 0);
	if (lookups > 0)
		answer(steps[_i].status, &row);
	wait_reply();
	ck_assert_int_eq(judged, steps[_i].judged);
	ck_assert_int_eq(reply.verdict, steps[_i].verdict);
	ck_assert_str_eq(reply.account.localpart,
	    reply.verdict == VERDICT_ALLOW ? "alice" : "");
	/* A silent one is neither logged nor counted: its caller does both. */
	ck_assert_int_eq(all_lines[0] == '\0', steps[_i].silent);
	ck_assert_ptr_nonnull(strstr(all_lines, steps[_i].line));
	auth_stats(auth, &stats);
	ck_assert_uint_eq(stats.verdicts[reply.verdict], !steps[_i].silent);
}
END_TEST

START_TEST(scram_step_cancelled)
{
	struct auth_request request = password_request("alice", "");

	request.kind = AUTH_SCRAM;
	request.judge = judge;
	judged = 0;
	auth_cancel(submit(&request));
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(judged + replies, 0);
	ck_assert_int_eq(cancels, 1);
}
END_TEST

/* Each decision is one count and each answered lookup one time; no names. */
START_TEST(metrics)
{
	static char text[AUTH_METRICS_MAX];
	struct auth_request request = password_request("alice", CANARY);
	struct credential row = alice(true);
	struct wbuf wb;

	for (int i = 0; i < 3; i++) {
		submit(&request);
		answer(i < 2 ? STORE_OK : STORE_UNAVAILABLE, &row);
		replies = 0;
	}
	ready = true;
	wbuf_init(&wb, text, sizeof(text) - 1);
	auth_metrics(auth, &wb);
	ck_assert(!wb.failed);
	text[wb.n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "mech=\"PLAIN\",verdict=\"deny\","
	    "reason=\"wrong-password\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "mech=\"PLAIN\","
	    "verdict=\"unavailable\",reason=\"db-down\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "onecred_lookup_seconds_count 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nonecred_lookups_total 4711\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nonecred_ready 1\n"));
	ck_assert_ptr_null(strstr(text, "alice"));
	ck_assert_ptr_null(strstr(text, CANARY));
	ck_assert(auth_ready(auth));
	ready = false;
	ck_assert(!auth_ready(auth));
}
END_TEST

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

static Suite *
suite(void)
{
	Suite *s = suite_create("auth");
	TCase *tc = tcase_create("auth");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, password, 0, COUNT(passwords));
	tcase_add_loop_test(tc, existence_in_an_outage, 0, 9);
	tcase_add_loop_test(tc, refused_at_sight, 0, COUNT(refused));
	tcase_add_test(tc, domain_not_listed);
	tcase_add_test(tc, digest);
	tcase_add_loop_test(tc, digest_review, 0, 4);
	tcase_add_test(tc, digest_hands_out_ha1);
	tcase_add_loop_test(tc, digest_names_disagree, 0, COUNT(other_names));
	tcase_add_loop_test(tc, rfc5090_aor, 0, COUNT(aors));
	tcase_add_loop_test(tc, exists, 0, COUNT(existence));
	tcase_add_test(tc, cancel_deferred);
	tcase_add_loop_test(tc, cancel_within_callback, 0, 3);
	tcase_add_test(tc, cancel_lookup);
	tcase_add_test(tc, cancel_in_worker);
	tcase_add_test(tc, workers_full);
	tcase_add_test(tc, request_is_copied);
	tcase_add_loop_test(tc, scram_step, 0, COUNT(steps));
	tcase_add_test(tc, scram_step_cancelled);
	tcase_add_test(tc, metrics);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
