/*
 * SASL exchanges with a store that the test plays and a client of its own:
 * all mechanisms, what each step becomes when the row or the token is not what
 * it should be, that a callback fires exactly once and never from inside, that
 * each exchange is one log line, and that no line carries a password or proof.
 */

#include <stdlib.h>

#include <event2/event.h>

#include "core/credential.h"
#include "core/crypto.h"
#include "scram_client.h"
#include "service/auth.h"
#include "service/sasl.h"
#include "service/workers.h"
#include "store/store.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define PASSWORD	"wonder:l\xc3\xa4nd"
#define CANARY		"c4naryPassw0rd"
#define MINUTE		60

static struct event_base *base;
static struct crypto *crypto;
static struct workers *workers;
static struct auth *auth;
static struct sasl *sasl;
static struct nonce_keys keys;
static char all_lines[65536];
static int lines;
static time_t skew;		/* seconds that the wall clock is ahead */

/* The last reply, copied. */
static struct {
	int		 count;
	enum sasl_status status;
	enum reason	 reason;
	struct account	 account;
	char		 data[SASL_REPLY_MAX + 1];
	size_t		 data_n, state_n;
	uint8_t		 state[SASL_STATE_MAX];
} got;

/* The store that the test plays: one lookup at a time. */
struct store_lookup {
	store_lookup_cb	*cb;
	void		*arg;
};
static struct store_lookup asked;
static int lookups, cancels;

struct store_lookup *
store_lookup(struct store *store, const struct store_key *key,
    store_lookup_cb *cb, void *arg)
{
	(void)store;
	ck_assert_uint_gt(key->localpart.n, 0);
	ck_assert(span_equal(key->domain, SPAN_LIT("example.com")));
	lookups++;
	asked.cb = cb;
	asked.arg = arg;
	return &asked;
}

void
store_cancel(struct store_lookup *lookup)
{
	ck_assert_ptr_eq(lookup, &asked);
	cancels++;
	asked.cb = NULL;
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
	*out = (struct store_stats){ .lookups = 1 };
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (timespec_get(ts, TIME_UTC) != TIME_UTC)
		return -1;
	if (id == CLOCK_REALTIME)
		ts->tv_sec += skew;
	return 0;
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(all_lines);

	(void)arg;
	(void)level;
	lines++;
	(void)snprintf(all_lines + n, sizeof(all_lines) - n, "%s\n", line);
}

static const struct sink sink = { log_write, NULL, LEVEL_DEBUG };

static void
setup(void)
{
	const struct auth_settings settings = { .keys = NULL };
	const struct sasl_settings sasl_settings = { .nonce_keys = &keys };

	lookups = cancels = lines = 0;
	skew = 0;
	all_lines[0] = '\0';
	memset(&got, 0, sizeof(got));
	memset(&keys, 0x17, sizeof(keys));
	keys.count = 1;
	base = event_base_new();
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	workers = workers_new(base, crypto, 1, 4);
	ck_assert_ptr_nonnull(workers);
	auth = auth_new(NULL, workers, crypto, base, &sink, &settings);
	ck_assert_ptr_nonnull(auth);
	sasl = sasl_new(auth, crypto, base, &sasl_settings);
	ck_assert_ptr_nonnull(sasl);
}

static void
teardown(void)
{
	ck_assert_ptr_null(strstr(all_lines, CANARY));
	ck_assert_ptr_null(strstr(all_lines, "wonder"));
	sasl_free(&sasl);
	workers_free(&workers);
	auth_free(&auth);
	crypto_free(&crypto);
	event_base_free(base);
}

static void
on_reply(const struct sasl_reply *reply, void *arg)
{
	ck_assert_ptr_eq(arg, &got);
	got.count++;
	got.status = reply->status;
	got.reason = reply->reason;
	got.account = reply->account;
	ck_assert_uint_le(reply->data.n, SASL_REPLY_MAX);
	got.data_n = reply->data.n;
	if (reply->data.n > 0)
		memcpy(got.data, reply->data.p, reply->data.n);
	got.data[reply->data.n] = '\0';
	got.state_n = reply->state.n;
	ck_assert_uint_le(reply->state.n, sizeof(got.state));
	if (reply->state.n > 0)
		memcpy(got.state, reply->state.p, reply->state.n);
	/* Only who goes on has a token, only who is in has a name. */
	ck_assert_int_eq(reply->state.n > 0, reply->status == SASL_CONTINUE);
	ck_assert_str_eq(reply->account.localpart,
	    reply->status == SASL_ALLOW ? "alice" : "");
	if (reply->status == SASL_DENY || reply->status == SASL_UNAVAILABLE)
		ck_assert_uint_eq(reply->data.n, 0);
}

static struct sasl_request
request_of(enum sasl_mech mech)
{
	return (struct sasl_request){
		.door = "test", .mech = mech,
		.domain = SPAN_LIT("example.com"),
		.source = SPAN_LIT("192.0.2.1")
	};
}

/* Submits with data (NULL: none) and what the last reply gave as state. */
static struct sasl_ticket *
submit_n(struct sasl_request request, const char *data, size_t n)
{
	static uint8_t copy[8192];
	uint8_t *token = malloc(got.state_n + 1);
	struct sasl_ticket *ticket;
	int before = got.count;

	ck_assert_ptr_nonnull(token);
	memcpy(token, got.state, got.state_n);
	request.state = span_mem(token, got.state_n);
	ck_assert_uint_lt(n, sizeof(copy));
	if (data != NULL) {
		memcpy(copy, data, n);
		request.data = span_mem(copy, n);
		request.has_data = true;
	}
	ticket = sasl_submit(sasl, &request, on_reply, &got);
	ck_assert_int_eq(got.count, before);
	/* Nothing of the caller's is needed any more. */
	memset(copy, 'x', sizeof(copy));
	memset(token, 'x', got.state_n + 1);
	free(token);
	return ticket;
}

static struct sasl_ticket *
submit(struct sasl_request request, const char *data)
{
	return submit_n(request, data, data == NULL ? 0 : strlen(data));
}

static void
wait_reply(int count)
{
	while (got.count < count)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(got.count, count);
}

/* alice's row with these verifiers, from PASSWORD. */
static const struct credential *
alice(void)
{
	static struct credential row;
	static uint8_t text[SCRAM_MECH_COUNT][SCRAM_TEXT_MAX];
	struct scram_verifier v;
	struct wbuf wb;

	if (row.account.localpart[0] == '\0') {
		row = (struct credential){ .domain_known = true,
		    .found = true, .enabled = true, .version = 1,
		    .fake_iterations = 4096, .fake_salt_n = 16,
		    .realm = "example.com",
		    .account = { "alice", "example.com" } };
		row.policy.iterations = 4096;
		row.policy.digests_none = true;
		memset(row.seed, 0x5e, sizeof(row.seed));
		for (int i = SCRAM_SHA_1; i < SCRAM_MECH_COUNT; i++) {
			ck_assert_int_eq(scram_make(crypto,
			    (enum scram_mech)i, SPAN_LIT(PASSWORD),
			    SPAN_LIT("0123456789abcdef"), 4096, &v), 0);
			wbuf_init(&wb, text[i], SCRAM_TEXT_MAX);
			scram_format(&v, &wb);
			credential_set_scram(&row, (enum scram_mech)i,
			    wbuf_written(&wb));
		}
	}
	return &row;
}

enum state { ENABLED = 0, DISABLED, UNKNOWN, BARE, STATES };

static struct credential
row_of(enum state state)
{
	struct credential row = *alice();

	row.enabled = state != DISABLED;
	row.found = state != UNKNOWN;
	if (state == UNKNOWN || state == BARE)
		memset(row.scram, 0, sizeof(row.scram));
	return row;
}

static const enum reason reasons[STATES] = {
	REASON_OK, REASON_DISABLED, REASON_UNKNOWN_USER, REASON_NO_VERIFIER
};

static void
answer(enum store_status status, enum state state)
{
	struct credential row = row_of(state);
	store_lookup_cb *cb = asked.cb;

	ck_assert(cb != NULL);
	asked.cb = NULL;
	cb(status, &row, asked.arg);
	memset(&row, 0xff, sizeof(row));
}

static void
is_end(enum sasl_status status, enum reason reason, const char *mech)
{
	char line[256];

	ck_assert_int_eq(got.status, status);
	ck_assert_str_eq(reason_str(got.reason), reason_str(reason));
	ck_assert_int_eq(lines, 1);
	(void)snprintf(line, sizeof(line), "realm=- mech=%s verdict=%s "
	    "reason=%s source=192.0.2.1 ms=", mech,
	    status == SASL_ALLOW ? "allow" : status == SASL_DENY ? "deny" :
	    "unavailable", reason_str(reason));
	ck_assert_msg(strstr(all_lines, line) != NULL, "%s in %s", line,
	    all_lines);
	ck_assert_ptr_nonnull(strstr(all_lines, "door=test user="));
}

/* The exchange has ended: another begins. */
static void
next(void)
{
	memset(&got, 0, sizeof(got));
	lines = lookups = 0;
	all_lines[0] = '\0';
}

START_TEST(names)
{
	for (int i = SASL_MECH_NONE + 1; i < SASL_MECH_COUNT; i++)
		ck_assert_int_eq(sasl_mech_parse(span_str(
		    sasl_mech_name((enum sasl_mech)i))), i);
	ck_assert_str_eq(sasl_mech_name(SASL_MECH_SCRAM_SHA_256_PLUS),
	    "SCRAM-SHA-256-PLUS");
	ck_assert_int_eq(sasl_mech_parse(SPAN_LIT("plain")), SASL_MECH_NONE);
	ck_assert_int_eq(sasl_mech_parse(SPAN_LIT("PLAIN ")),
	    SASL_MECH_NONE);
	ck_assert_int_eq(sasl_mech_parse(SPAN_EMPTY), SASL_MECH_NONE);
	ck_assert_str_eq(sasl_mech_name(SASL_MECH_NONE), "");
}
END_TEST

#define PLAIN(a, n, p)	a "\0" n "\0" p, sizeof(a "\0" n "\0" p) - 1

static const struct {
	const char	*message;
	size_t		 n;
	enum state	 state;
	enum sasl_status status;
	enum reason	 reason;
	bool		 lookup;
} plains[] = {
	{ PLAIN("", "alice", PASSWORD), ENABLED, SASL_ALLOW, REASON_OK, 1 },
	{ PLAIN("", "ALICE@Example.Com", PASSWORD), ENABLED, SASL_ALLOW,
	    REASON_OK, 1 },
	{ PLAIN("alice", "alice", PASSWORD), ENABLED, SASL_ALLOW, REASON_OK,
	    1 },
	{ PLAIN("Alice@example.com", "alice", PASSWORD), ENABLED, SASL_ALLOW,
	    REASON_OK, 1 },
	{ PLAIN("", "alice", CANARY), ENABLED, SASL_DENY,
	    REASON_WRONG_PASSWORD, 1 },
	{ PLAIN("", "alice", PASSWORD), DISABLED, SASL_DENY, REASON_DISABLED,
	    1 },
	{ PLAIN("", "alice", PASSWORD), UNKNOWN, SASL_DENY,
	    REASON_UNKNOWN_USER, 1 },
	{ PLAIN("", "alice", PASSWORD), BARE, SASL_DENY, REASON_NO_VERIFIER,
	    1 },
	{ PLAIN("bob", "alice", PASSWORD), ENABLED, SASL_DENY,
	    REASON_IDENTITY, 0 },
	{ PLAIN("alice@evil.example", "alice", PASSWORD), ENABLED, SASL_DENY,
	    REASON_IDENTITY, 0 },
	{ PLAIN("alice@example.com/home", "alice", PASSWORD), ENABLED,
	    SASL_DENY, REASON_IDENTITY, 0 },
	{ PLAIN("", "alice@evil.example", PASSWORD), ENABLED, SASL_DENY,
	    REASON_FOREIGN_DOMAIN, 0 },
	{ PLAIN("", CANARY " x", PASSWORD), ENABLED, SASL_DENY,
	    REASON_MALFORMED, 0 },
	{ PLAIN("", "", PASSWORD), ENABLED, SASL_DENY, REASON_MALFORMED, 0 },
	{ PLAIN("", "alice", ""), ENABLED, SASL_DENY, REASON_MALFORMED, 0 },
	{ PLAIN("", "alice", PASSWORD "\0"), ENABLED, SASL_DENY,
	    REASON_MALFORMED, 0 },
	{ PLAIN("", "alice", "\xff" CANARY), ENABLED, SASL_DENY,
	    REASON_MALFORMED, 1 },
	{ "alice\0" PASSWORD, sizeof("alice\0" PASSWORD) - 1, ENABLED,
	    SASL_DENY, REASON_MALFORMED, 0 },
	{ "", 0, ENABLED, SASL_DENY, REASON_MALFORMED, 0 }
};

START_TEST(rfc4616_plain)
{
	submit_n(request_of(SASL_MECH_PLAIN), plains[_i].message,
	    plains[_i].n);
	ck_assert_int_eq(lookups, plains[_i].lookup);
	if (plains[_i].lookup)
		answer(STORE_OK, plains[_i].state);
	wait_reply(1);
	is_end(plains[_i].status, plains[_i].reason, "PLAIN");
	ck_assert_uint_eq(got.data_n, 0);
}
END_TEST

/* Without an initial response it is asked for; an empty one is one. */
START_TEST(rfc4422_no_initial_response)
{
	static const enum sasl_mech mechs[] = {
		SASL_MECH_PLAIN, SASL_MECH_SCRAM_SHA_1,
		SASL_MECH_SCRAM_SHA_256_PLUS
	};
	static const char message[] = "\0alice\0" PASSWORD;

	submit(request_of(mechs[_i]), NULL);
	wait_reply(1);
	ck_assert_int_eq(got.status, SASL_CONTINUE);
	ck_assert_uint_eq(got.data_n, 0);
	ck_assert_int_eq(lines, 0);
	if (mechs[_i] == SASL_MECH_PLAIN) {
		submit_n(request_of(mechs[_i]), message,
		    sizeof(message) - 1);
		answer(STORE_OK, ENABLED);
		wait_reply(2);
		is_end(SASL_ALLOW, REASON_OK, "PLAIN");
	} else {
		/* No answer again is not asked for again. */
		submit(request_of(mechs[_i]), NULL);
		wait_reply(2);
		is_end(SASL_DENY, REASON_MALFORMED, sasl_mech_name(
		    mechs[_i]));
	}
}
END_TEST

START_TEST(login)
{
	struct sasl_request request = request_of(SASL_MECH_LOGIN);
	int steps = 0;

	if (_i % 2 == 0) {
		submit(request, NULL);
		wait_reply(++steps);
		ck_assert_str_eq(got.data, "Username:");
	}
	submit(request, "Alice");
	wait_reply(++steps);
	ck_assert_int_eq(got.status, SASL_CONTINUE);
	ck_assert_str_eq(got.data, "Password:");
	ck_assert_int_eq(lookups, 0);
	ck_assert_int_eq(lines, 0);
	submit(request, _i < 2 ? PASSWORD : CANARY);
	answer(STORE_OK, ENABLED);
	wait_reply(++steps);
	is_end(_i < 2 ? SASL_ALLOW : SASL_DENY, _i < 2 ? REASON_OK :
	    REASON_WRONG_PASSWORD, "PLAIN");
}
END_TEST

static const struct {
	const char	*name, *password;
	enum reason	 reason;
} logins[] = {
	{ "", NULL, REASON_MALFORMED },
	{ "alice", "", REASON_MALFORMED },
	{ "alice@evil.example", CANARY, REASON_FOREIGN_DOMAIN },
	{ CANARY " x", CANARY, REASON_MALFORMED }
};

START_TEST(login_refused)
{
	struct sasl_request request = request_of(SASL_MECH_LOGIN);
	char longest[SCRAM_NAME_MAX + 2];

	submit(request, logins[_i].name);
	wait_reply(1);
	if (logins[_i].password != NULL) {
		ck_assert_int_eq(got.status, SASL_CONTINUE);
		submit(request, logins[_i].password);
		if (lookups > 0)
			answer(STORE_OK, ENABLED);
		wait_reply(2);
	}
	is_end(SASL_DENY, logins[_i].reason, "PLAIN");
	next();
	memset(longest, 'a', sizeof(longest));
	submit_n(request, longest, SCRAM_NAME_MAX + 1);
	wait_reply(1);
	is_end(SASL_DENY, REASON_MALFORMED, "PLAIN");
}
END_TEST

static const struct scram_kind {
	enum sasl_mech	 mech;
	enum scram_mech	 scram;
	const char	*gs2;
} scrams[] = {
	{ SASL_MECH_SCRAM_SHA_1, SCRAM_SHA_1, "n,," },
	{ SASL_MECH_SCRAM_SHA_1_PLUS, SCRAM_SHA_1, "p=tls-unique,," },
	{ SASL_MECH_SCRAM_SHA_256, SCRAM_SHA_256, "y,," },
	{ SASL_MECH_SCRAM_SHA_256_PLUS, SCRAM_SHA_256, "p=tls-exporter,," },
	{ SASL_MECH_SCRAM_SHA_512, SCRAM_SHA_512, "n,a=alice," },
	{ SASL_MECH_SCRAM_SHA_512_PLUS, SCRAM_SHA_512,
	    "p=tls-server-end-point,a=Alice@example.com," }
};

#define CB_DATA	SPAN_LIT("what the TLS library says: \1\2\3\0\xff")

/* The request of a service whose connection has what gs2 names. */
static struct sasl_request
scram_request(const struct scram_kind *kind)
{
	struct sasl_request request = request_of(kind->mech);
	struct span rest = span_str(kind->gs2);

	if (rest.p[0] == 'p') {
		rest = span_tail(rest, 2);
		request.plus_offered = true;
		request.cb_type = span_head(rest, span_find(rest, ','));
		request.cb_data = CB_DATA;
	}
	return request;
}

/* Up to the challenge. */
static void
scram_begin(const struct scram_kind *kind, struct scram_client *client,
    const char *name, const char *password, enum state state)
{
	struct sasl_request request = scram_request(kind);

	client_first(client, kind->scram, name, password, kind->gs2,
	    request.cb_data);
	submit(request, client->first);
	ck_assert_int_eq(lookups, 1);
	answer(STORE_OK, state);
	wait_reply(1);
	ck_assert_int_eq(got.status, SASL_CONTINUE);
	ck_assert_int_eq(lines, 0);
	ck_assert(client_final(client, span_mem(got.data, got.data_n)));
}

START_TEST(rfc5802_scram)
{
	const struct scram_kind *kind = &scrams[_i % COUNT(scrams)];
	enum state state = (enum state)(_i / COUNT(scrams));
	struct scram_client client;

	scram_begin(kind, &client, "Alice", PASSWORD, state);
	submit(scram_request(kind), client.final);
	ck_assert_int_eq(lookups, 2);
	answer(STORE_OK, state);
	wait_reply(2);
	is_end(state == ENABLED ? SASL_ALLOW : SASL_DENY, reasons[state],
	    sasl_mech_name(kind->mech));
	ck_assert_str_eq(got.data, state == ENABLED ? client.expected : "");
	ck_assert_ptr_null(strstr(all_lines, strstr(client.final, "p=")));
	if (state == ENABLED)
		return;
	/* A row that has become good meanwhile: the proof is not for it. */
	next();
	scram_begin(kind, &client, "alice", PASSWORD, state);
	submit(scram_request(kind), client.final);
	answer(STORE_OK, ENABLED);
	wait_reply(2);
	is_end(SASL_DENY, REASON_WRONG_PASSWORD, sasl_mech_name(kind->mech));
}
END_TEST

START_TEST(scram_wrong_password)
{
	const struct scram_kind *kind = &scrams[_i];
	struct scram_client client;

	scram_begin(kind, &client, "alice", CANARY, ENABLED);
	submit(scram_request(kind), client.final);
	answer(STORE_OK, ENABLED);
	wait_reply(2);
	is_end(SASL_DENY, REASON_WRONG_PASSWORD, sasl_mech_name(kind->mech));
}
END_TEST

/* What a client is shown does not tell who is there: one salt for a name. */
START_TEST(scram_salts)
{
	char first[STATES][SASL_REPLY_MAX];
	struct scram_client client;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < STATES; i++) {
			const char *salt;

			next();
			scram_begin(&scrams[2], &client, "alice", PASSWORD,
			    (enum state)i);
			salt = strstr(got.data, ",s=");
			ck_assert_ptr_nonnull(salt);
			if (round == 0)
				(void)snprintf(first[i], sizeof(first[i]),
				    "%s", salt);
			ck_assert_str_eq(first[i], salt);
			ck_assert_uint_eq(strlen(salt), strlen(first[0]));
		}
	ck_assert_str_eq(first[DISABLED], first[UNKNOWN]);
	ck_assert_str_eq(first[BARE], first[UNKNOWN]);
	ck_assert_str_ne(first[ENABLED], first[UNKNOWN]);
}
END_TEST

static const struct {
	enum sasl_mech	 mech;
	const char	*message;
	bool		 plus_offered;
	const char	*cb_type;
	enum reason	 reason;
} firsts[] = {
	{ SASL_MECH_SCRAM_SHA_256, "", 0, "", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "n,,n=alice", 0, "", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "n,,n=,r=abc", 0, "", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "n,,m=x,n=alice,r=abc", 0, "",
	    REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "n,,n=a=2Clice" CANARY "=,r=abc", 0, "",
	    REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "n,,n=alice x,r=abc", 0, "",
	    REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "n,,n=alice@evil.example,r=abc", 0, "",
	    REASON_FOREIGN_DOMAIN },
	{ SASL_MECH_SCRAM_SHA_256, "n,a=bob,n=alice,r=abc", 0, "",
	    REASON_IDENTITY },
	{ SASL_MECH_SCRAM_SHA_256, "n,a=alice@evil.example,n=alice,r=abc", 0,
	    "", REASON_IDENTITY },
	{ SASL_MECH_SCRAM_SHA_256, "n,a=" CANARY " x,n=alice,r=abc", 0, "",
	    REASON_IDENTITY },
	/* Somebody has cut -PLUS out of what the client was offered. */
	{ SASL_MECH_SCRAM_SHA_256, "y,,n=alice,r=abc", 1, "tls-exporter",
	    REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256, "p=tls-exporter,,n=alice,r=abc", 1,
	    "tls-exporter", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256_PLUS, "n,,n=alice,r=abc", 1,
	    "tls-exporter", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256_PLUS, "y,,n=alice,r=abc", 1,
	    "tls-exporter", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256_PLUS, "p=tls-unique,,n=alice,r=abc", 1,
	    "tls-exporter", REASON_MALFORMED },
	{ SASL_MECH_SCRAM_SHA_256_PLUS, "p=magic,,n=alice,r=abc", 1, "magic",
	    REASON_MALFORMED }
};

START_TEST(scram_first_refused)
{
	struct sasl_request request = request_of(firsts[_i].mech);

	request.plus_offered = firsts[_i].plus_offered;
	request.cb_type = span_str(firsts[_i].cb_type);
	request.cb_data = request.cb_type.n > 0 ? CB_DATA : SPAN_EMPTY;
	submit(request, firsts[_i].message);
	ck_assert_int_eq(lookups, 0);
	wait_reply(1);
	is_end(SASL_DENY, firsts[_i].reason, sasl_mech_name(
	    firsts[_i].mech));
}
END_TEST

/* What the service says about the channel in the last step. */
static const struct {
	const char	*type, *data;
	bool		 right;
} channels[] = {
	{ "tls-exporter", "right", true },
	{ "tls-exporter", "wrong", false },
	{ "tls-exporter", "righ", false },
	{ "tls-exporter", "", false },
	{ "tls-unique", "right", false },
	{ "", "right", false },
	{ "", "", false }
};

START_TEST(rfc5802_channel_binding)
{
	struct sasl_request request =
	    request_of(SASL_MECH_SCRAM_SHA_256_PLUS);
	struct scram_client client;

	request.plus_offered = true;
	/* In the first step the service may not know it yet. */
	client_first(&client, SCRAM_SHA_256, "alice", PASSWORD,
	    "p=tls-exporter,,", SPAN_LIT("right"));
	submit(request, client.first);
	answer(STORE_OK, ENABLED);
	wait_reply(1);
	ck_assert(client_final(&client, span_mem(got.data, got.data_n)));
	request.cb_type = span_str(channels[_i].type);
	request.cb_data = span_str(channels[_i].data);
	submit(request, client.final);
	if (asked.cb != NULL)
		answer(STORE_OK, ENABLED);
	wait_reply(2);
	ck_assert_int_eq(got.status, channels[_i].right ? SASL_ALLOW :
	    SASL_DENY);
	ck_assert_int_eq(lines, 1);
}
END_TEST

/*
 * "y" where the service has a binding: refused in whichever step the service
 * says so first.
 */
START_TEST(rfc5802_6_downgrade)
{
	struct sasl_request request = request_of(SASL_MECH_SCRAM_SHA_256);
	struct scram_client client;

	scram_begin(&scrams[2], &client, "alice", PASSWORD, ENABLED);
	request.plus_offered = _i > 0;
	request.cb_type = _i > 0 ? SPAN_LIT("tls-exporter") : SPAN_EMPTY;
	request.cb_data = _i > 0 ? CB_DATA : SPAN_EMPTY;
	submit(request, client.final);
	if (asked.cb != NULL)
		answer(STORE_OK, ENABLED);
	wait_reply(2);
	ck_assert_int_eq(got.status, _i > 0 ? SASL_DENY : SASL_ALLOW);
	ck_assert_int_eq(got.reason, _i > 0 ? REASON_MALFORMED : REASON_OK);
	ck_assert_int_eq(lines, 1);
}
END_TEST

START_TEST(scram_binding_too_long)
{
	static const char big[SCRAM_CB_MAX + 1] = "x";
	struct sasl_request request = scram_request(&scrams[3]);
	struct scram_client client;

	scram_begin(&scrams[3], &client, "alice", PASSWORD, ENABLED);
	request.cb_data = span_mem(big, sizeof(big));
	submit(request, client.final);
	wait_reply(2);
	is_end(SASL_DENY, REASON_MALFORMED, "SCRAM-SHA-256-PLUS");
}
END_TEST

static const struct {
	enum store_status status;
	enum sasl_status end;
	enum reason	 reason;
} outages[] = {
	{ STORE_UNAVAILABLE, SASL_UNAVAILABLE, REASON_DB_DOWN },
	{ STORE_NO_DOMAIN, SASL_DENY, REASON_FOREIGN_DOMAIN }
};

/* At each step that asks the store: 0, 1 of SCRAM, PLAIN, LOGIN. */
START_TEST(outage)
{
	static const char message[] = "\0alice\0" PASSWORD;
	int kind = _i % COUNT(outages), step = _i / COUNT(outages);
	const char *mech = step < 2 ? "SCRAM-SHA-256" : "PLAIN";
	struct scram_client client;

	if (step == 0) {
		client_first(&client, SCRAM_SHA_256, "alice", PASSWORD,
		    "n,,", SPAN_EMPTY);
		submit(request_of(SASL_MECH_SCRAM_SHA_256), client.first);
	} else if (step == 1) {
		scram_begin(&scrams[2], &client, "alice", PASSWORD, ENABLED);
		submit(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	} else if (step == 2) {
		submit_n(request_of(SASL_MECH_PLAIN), message,
		    sizeof(message) - 1);
	} else {
		submit(request_of(SASL_MECH_LOGIN), "alice");
		wait_reply(1);
		submit(request_of(SASL_MECH_LOGIN), PASSWORD);
	}
	answer(outages[kind].status, ENABLED);
	wait_reply(step == 0 || step == 2 ? 1 : 2);
	is_end(outages[kind].end, outages[kind].reason, mech);
}
END_TEST

/* Without a key no token can be made: nobody knows, and the log says so. */
START_TEST(no_key)
{
	struct scram_client client;

	keys.count = 0;
	if (_i == 0) {
		submit(request_of(SASL_MECH_LOGIN), NULL);
	} else {
		client_first(&client, SCRAM_SHA_256, "alice", PASSWORD,
		    "n,,", SPAN_EMPTY);
		submit(request_of(SASL_MECH_SCRAM_SHA_256), client.first);
		answer(STORE_OK, ENABLED);
	}
	wait_reply(1);
	is_end(SASL_UNAVAILABLE, REASON_INTERNAL, _i == 0 ? "PLAIN" :
	    "SCRAM-SHA-256");
}
END_TEST

/* The token of a SCRAM-SHA-256 exchange in which client is about to end. */
static struct scram_client
token(void)
{
	struct scram_client client;

	next();
	scram_begin(&scrams[2], &client, "alice", PASSWORD, ENABLED);
	return client;
}

static void
is_stale(struct sasl_request request, const char *data)
{
	int before = lookups;

	submit(request, data);
	ck_assert_int_eq(lookups, before);
	wait_reply(2);
	is_end(SASL_DENY, REASON_STALE, request.mech >= SASL_MECH_SCRAM_SHA_1
	    ? sasl_mech_name(request.mech) : "PLAIN");
}

START_TEST(token_of_another)
{
	struct scram_client client;
	struct sasl_request request;

	for (int i = SASL_MECH_NONE + 1; i < SASL_MECH_COUNT; i++)
		if (i != SASL_MECH_SCRAM_SHA_256) {
			client = token();
			is_stale(request_of((enum sasl_mech)i),
			    client.final);
		}
	client = token();
	request = request_of(SASL_MECH_SCRAM_SHA_256);
	request.domain = SPAN_LIT("example.net");
	is_stale(request, client.final);
	/* And those of PLAIN and LOGIN for SCRAM. */
	for (int i = SASL_MECH_PLAIN; i <= SASL_MECH_LOGIN; i++) {
		next();
		submit(request_of((enum sasl_mech)i), NULL);
		wait_reply(1);
		is_stale(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	}
}
END_TEST

START_TEST(token_altered)
{
	struct scram_client client = token();
	uint8_t good[SASL_STATE_MAX];
	size_t n = got.state_n;

	memcpy(good, got.state, n);
	for (size_t i = 0; i < n; i++) {
		next();
		memcpy(got.state, good, n);
		got.state[i] ^= (uint8_t)(1 << i % 8);
		got.state_n = n;
		got.count = 1;
		is_stale(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	}
	for (size_t cut = 1; cut < n; cut += 7) {
		next();
		memcpy(got.state, good, n);
		got.state_n = cut;
		got.count = 1;
		is_stale(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	}
	/* The one that was not touched is good. */
	next();
	memcpy(got.state, good, n);
	got.state_n = n;
	submit(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	answer(STORE_OK, ENABLED);
	wait_reply(1);
	is_end(SASL_ALLOW, REASON_OK, "SCRAM-SHA-256");
}
END_TEST

static const struct {
	time_t	skew;
	bool	good;
} ages[] = {
	{ MINUTE - 5, true }, { MINUTE + 5, false }, { 86400, false },
	{ -3, true }, { -10, false }, { -86400, false }
};

START_TEST(token_age)
{
	struct scram_client client = token();

	skew = ages[_i].skew;
	if (!ages[_i].good) {
		is_stale(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
		return;
	}
	submit(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	answer(STORE_OK, ENABLED);
	wait_reply(2);
	is_end(SASL_ALLOW, REASON_OK, "SCRAM-SHA-256");
}
END_TEST

/* Another daemon with the same keys ends it; one with others does not. */
START_TEST(token_of_another_daemon)
{
	const struct sasl_settings settings = { .nonce_keys = &keys };
	struct scram_client client = token();

	sasl_free(&sasl);
	sasl = sasl_new(auth, crypto, base, &settings);
	ck_assert_ptr_nonnull(sasl);
	if (_i == 1) {
		keys.key[0][5] ^= 1;
		is_stale(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
		return;
	}
	submit(request_of(SASL_MECH_SCRAM_SHA_256), client.final);
	answer(STORE_OK, ENABLED);
	wait_reply(2);
	is_end(SASL_ALLOW, REASON_OK, "SCRAM-SHA-256");
}
END_TEST

START_TEST(domain_not_listed)
{
	static const char *const names_of[] = { "other.example" };
	const struct domain_list list = { names_of, 1 };
	struct scram_client client;
	struct sasl_request request = request_of(SASL_MECH_SCRAM_SHA_256);

	request.domains = &list;
	client_first(&client, SCRAM_SHA_256, "alice", PASSWORD, "n,,",
	    SPAN_EMPTY);
	submit(request, client.first);
	ck_assert_int_eq(lookups, 0);
	wait_reply(1);
	is_end(SASL_DENY, REASON_FOREIGN_DOMAIN, "SCRAM-SHA-256");
}
END_TEST

START_TEST(bounds)
{
	static char big[SASL_MESSAGE_MAX + 2], domain[300];
	struct sasl_request request = request_of(SASL_MECH_PLAIN);

	memset(big, 'a', sizeof(big));
	submit_n(request, big, SASL_MESSAGE_MAX + 1);
	wait_reply(1);
	is_end(SASL_DENY, REASON_MALFORMED, "PLAIN");
	next();
	memset(domain, 'a', sizeof(domain));
	request.domain = span_mem(domain, sizeof(domain));
	submit(request, "x");
	wait_reply(1);
	is_end(SASL_DENY, REASON_MALFORMED, "PLAIN");
	next();
	submit(request_of(SASL_MECH_NONE), "x");
	wait_reply(1);
	is_end(SASL_DENY, REASON_MALFORMED, "PLAIN");
	next();
	submit(request_of((enum sasl_mech)99), "x");
	wait_reply(1);
	is_end(SASL_DENY, REASON_MALFORMED, "PLAIN");
	next();
	submit_n(request_of(SASL_MECH_SCRAM_SHA_256), big,
	    SASL_MESSAGE_MAX);
	wait_reply(1);
	is_end(SASL_DENY, REASON_MALFORMED, "SCRAM-SHA-256");
}
END_TEST

/* A ticket that is cancelled says nothing, wherever it stands. */
START_TEST(cancel)
{
	static const char message[] = "\0alice\0" PASSWORD;
	struct sasl_ticket *ticket;
	struct scram_client client;
	int before;

	if (_i == 0) {		/* decided, not yet told */
		ticket = submit(request_of(SASL_MECH_LOGIN), NULL);
	} else if (_i == 1) {	/* the first lookup */
		client_first(&client, SCRAM_SHA_1, "alice", PASSWORD, "n,,",
		    SPAN_EMPTY);
		ticket = submit(request_of(SASL_MECH_SCRAM_SHA_1),
		    client.first);
	} else if (_i == 2) {	/* the last */
		scram_begin(&scrams[0], &client, "alice", PASSWORD, ENABLED);
		ticket = submit(request_of(SASL_MECH_SCRAM_SHA_1),
		    client.final);
	} else {		/* a worker has it, or (4) may still get it */
		ticket = submit_n(request_of(SASL_MECH_PLAIN), message,
		    sizeof(message) - 1);
		answer(STORE_OK, ENABLED);
	}
	before = got.count;
	if (_i == 4) {
		sasl_cancel(ticket);
		workers_free(&workers);
	} else
		sasl_cancel(ticket);
	for (int i = 0; i < 50; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(got.count, before);
	ck_assert_int_eq(cancels, _i == 1 || _i == 2);
	ck_assert_int_eq(lines, 0);
}
END_TEST

static int told;

static void
on_reply_cancel(const struct sasl_reply *reply, void *arg)
{
	struct sasl_ticket **ticket = arg;

	(void)reply;
	told++;
	sasl_cancel(*ticket);
}

/* Who cancels the ticket that it is called for harms nobody. */
START_TEST(cancel_within_callback)
{
	struct sasl_request request = request_of(_i == 0 ?
	    SASL_MECH_LOGIN : SASL_MECH_PLAIN);
	struct sasl_ticket *ticket;

	told = 0;
	if (_i > 0) {
		request.data = SPAN_LIT("\0alice\0" PASSWORD);
		request.has_data = true;
	}
	ticket = sasl_submit(sasl, &request, on_reply_cancel, &ticket);
	if (_i > 0)
		answer(STORE_OK, ENABLED);
	for (int i = 0; told == 0 && i < 10000; i++)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(told, 1);
	ck_assert_int_eq(cancels, 0);
}
END_TEST

/* What is decided and not told ends with sasl, in silence. */
START_TEST(end_with_tickets)
{
	submit(request_of(SASL_MECH_LOGIN), NULL);
	submit(request_of(SASL_MECH_PLAIN), "x");
	sasl_free(&sasl);
	ck_assert_ptr_null(sasl);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(got.count, 0);
	sasl_free(&sasl);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("sasl");
	TCase *tc = tcase_create("sasl");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, names);
	tcase_add_loop_test(tc, rfc4616_plain, 0, COUNT(plains));
	tcase_add_loop_test(tc, rfc4422_no_initial_response, 0, 3);
	tcase_add_loop_test(tc, login, 0, 4);
	tcase_add_loop_test(tc, login_refused, 0, COUNT(logins));
	tcase_add_loop_test(tc, rfc5802_scram, 0, COUNT(scrams) * STATES);
	tcase_add_loop_test(tc, scram_wrong_password, 0, COUNT(scrams));
	tcase_add_test(tc, scram_salts);
	tcase_add_loop_test(tc, scram_first_refused, 0, COUNT(firsts));
	tcase_add_loop_test(tc, rfc5802_channel_binding, 0, COUNT(channels));
	tcase_add_loop_test(tc, rfc5802_6_downgrade, 0, 2);
	tcase_add_test(tc, scram_binding_too_long);
	tcase_add_loop_test(tc, outage, 0, 4 * COUNT(outages));
	tcase_add_loop_test(tc, no_key, 0, 2);
	tcase_add_test(tc, token_of_another);
	tcase_add_test(tc, token_altered);
	tcase_add_loop_test(tc, token_age, 0, COUNT(ages));
	tcase_add_loop_test(tc, token_of_another_daemon, 0, 2);
	tcase_add_test(tc, domain_not_listed);
	tcase_add_test(tc, bounds);
	tcase_add_loop_test(tc, cancel, 0, 5);
	tcase_add_loop_test(tc, cancel_within_callback, 0, 2);
	tcase_add_test(tc, end_with_tickets);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
