/*
 * Changes of accounts, with a store that the test plays: what is asked, what
 * each answer becomes, that a callback fires once and never from inside, that
 * cancelled tickets are silent, and that no log line carries a password.
 */

#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "core/crypto.h"
#include "service/accounts.h"
#include "service/known.h"
#include "service/workers.h"
#include "store/store.h"
#include "unit.h"

#define CANARY	"c4nary Passw0rd"
#define POLICY_NEW	"f\t4096\t7\tplain\tf\texample.com\nSecond Realm"
#define POLICY_OLD	"t\t4096\t1\tplain\tf\texample.com"

static struct event_base *base;
static struct crypto *crypto;
static struct workers *workers;
static struct accounts *accounts;
static struct known *known;
static struct account_reply reply;
static char sentence[512];
static int replies;
static char all_lines[65536];

/* The store that the test plays: one question at a time. */
struct store_lookup {
	enum store_question question;
	store_answer_cb	*cb;
	void		*arg;
	size_t		 count;
	char		 values[STORE_VALUES_MAX][4096];
};
static struct store_lookup asked;
static int questions, cancels;

struct store_lookup *
store_ask(struct store *store, enum store_question question,
    const struct span *values, size_t count, store_answer_cb *cb, void *arg)
{
	(void)store;
	questions++;
	asked.question = question;
	asked.cb = cb;
	asked.arg = arg;
	asked.count = count;
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(span_copy_str(values[i], asked.values[i],
		    sizeof(asked.values[i])), 0);
	return &asked;
}

void
store_cancel(struct store_lookup *lookup)
{
	ck_assert_ptr_eq(lookup, &asked);
	cancels++;
	asked.cb = NULL;
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(all_lines);

	(void)arg;
	(void)level;
	(void)snprintf(all_lines + n, sizeof(all_lines) - n, "%s\n", line);
}

static const struct sink sink = { log_write, NULL, LEVEL_DEBUG };

static void
setup(void)
{
	struct accounts_settings settings = { .keys = NULL };

	replies = questions = cancels = 0;
	all_lines[0] = '\0';
	memset(&asked, 0, sizeof(asked));
	base = event_base_new();
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	workers = workers_new(base, crypto, 1, 1);
	ck_assert_ptr_nonnull(workers);
	known = known_new(crypto);
	ck_assert_ptr_nonnull(known);
	settings.known = known;
	accounts = accounts_new(NULL, workers, base, &sink, &settings);
	ck_assert_ptr_nonnull(accounts);
}

static void
teardown(void)
{
	ck_assert_ptr_null(strstr(all_lines, CANARY));
	ck_assert_ptr_null(strstr(all_lines, "SCRAM-SHA"));
	workers_free(&workers);
	accounts_free(&accounts);
	known_free(&known);
	crypto_free(&crypto);
	event_base_free(base);
}

static void
replied(const struct account_reply *r, void *arg)
{
	ck_assert_ptr_eq(arg, &reply);
	replies++;
	reply = *r;
	(void)snprintf(sentence, sizeof(sentence), "%s", r->sentence);
	(void)event_base_loopbreak(base);
}

static struct accounts_ticket *
submit(enum account_change change, const char *name, const char *password)
{
	struct account_request request = {
		.change = change,
		.door = "test",
		.name = span_str(name),
		.domain = SPAN_LIT("example.com"),
		.password = span_str(password)
	};
	struct accounts_ticket *ticket = accounts_submit(accounts, &request,
	    replied, &reply);

	ck_assert_int_eq(replies, 0);
	return ticket;
}

static void
answer(enum store_status status, const char *text)
{
	store_answer_cb *cb = asked.cb;

	ck_assert(cb != NULL);
	asked.cb = NULL;
	cb(status, span_str(text), asked.arg);
}

/* Lets the worker work until there is a question or a reply. */
static void
work(void)
{
	int before = questions;

	while (replies == 0 && questions == before)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

static const struct {
	enum account_change	 change;
	const char		*policy, *mode;
	bool			 created;
} made[] = {
	{ ACCOUNT_UPDATE, POLICY_OLD, "update", false },
	{ ACCOUNT_CREATE, POLICY_NEW, "create", true },
	{ ACCOUNT_PUT, POLICY_OLD, "set", false },
	{ ACCOUNT_PUT, POLICY_NEW, "set", true }
};

START_TEST(verifiers_are_written)
{
	(void)submit(made[_i].change, "Alice", CANARY);
	ck_assert_int_eq(asked.question, STORE_ACCOUNT_POLICY);
	ck_assert_str_eq(asked.values[0], "example.com");
	ck_assert_str_eq(asked.values[1], "alice");
	answer(STORE_OK, made[_i].policy);
	work();
	ck_assert_int_eq(asked.question, STORE_ACCOUNT_SET);
	ck_assert_uint_eq(asked.count, 7);
	ck_assert_str_eq(asked.values[0], "example.com");
	ck_assert_str_eq(asked.values[1], "alice");
	ck_assert_str_eq(asked.values[2], made[_i].mode);
	ck_assert_ptr_nonnull(strstr(asked.values[3], "\"scram_sha_512\""));
	ck_assert_ptr_nonnull(strstr(asked.values[3], "\"ha1_md5\""));
	ck_assert_int_eq(strstr(asked.values[3], "ha1_sha_256") != NULL,
	    made[_i].created);
	ck_assert_int_eq(strstr(asked.values[4], "Second Realm") != NULL,
	    made[_i].created);
	ck_assert_ptr_nonnull(strstr(asked.values[6], "SCRAM-SHA-256$4096:"));
	ck_assert_int_eq(replies, 0);
	answer(STORE_OK, "4711");
	ck_assert_int_eq(replies, 1);
	ck_assert_int_eq(reply.result, ACCOUNT_DONE);
	ck_assert_int_eq(reply.created, made[_i].created);
	ck_assert_ptr_nonnull(strstr(all_lines, "door=test "
	    "user=alice@example.com change="));
	ck_assert_ptr_nonnull(strstr(all_lines, " result=done "));
}
END_TEST

/* What the policy question becomes without any work. */
static const struct {
	enum account_change	 change;
	const char		*password;
	enum store_status	 status;
	const char		*text;
	enum account_result	 result;
} ends[] = {
	{ ACCOUNT_UPDATE, CANARY, STORE_OK, POLICY_NEW, ACCOUNT_NO_ACCOUNT },
	{ ACCOUNT_CREATE, CANARY, STORE_OK, POLICY_OLD, ACCOUNT_EXISTS },
	{ ACCOUNT_PUT, CANARY, STORE_UNAVAILABLE, "", ACCOUNT_UNAVAILABLE },
	{ ACCOUNT_PUT, CANARY, STORE_REFUSED, "OC002 there is no domain",
	    ACCOUNT_NO_ACCOUNT },
	{ ACCOUNT_PUT, CANARY, STORE_REFUSED, "OC006 you may not",
	    ACCOUNT_FOREIGN },
	{ ACCOUNT_PUT, CANARY, STORE_REFUSED, "", ACCOUNT_REFUSED },
	{ ACCOUNT_PUT, "short", STORE_OK, POLICY_OLD, ACCOUNT_REFUSED },
	{ ACCOUNT_PUT, "p\xc3\xa4ssw\xc3\xb6rter", STORE_OK, POLICY_OLD,
	    ACCOUNT_REFUSED },
	{ ACCOUNT_PUT, "", STORE_OK, POLICY_OLD, ACCOUNT_REFUSED },
	/* Sealed without a key: never stored in the clear. */
	{ ACCOUNT_PUT, CANARY, STORE_OK, "t\t4096\t7\tsealed\tf\texample.com",
	    ACCOUNT_UNAVAILABLE },
	/* Not what the schema promises. */
	{ ACCOUNT_PUT, CANARY, STORE_OK, "", ACCOUNT_UNAVAILABLE },
	{ ACCOUNT_PUT, CANARY, STORE_OK, "t\t4096\t8\tplain\tf\texample.com",
	    ACCOUNT_UNAVAILABLE },
	{ ACCOUNT_PUT, CANARY, STORE_OK, "t\t99999\t7\tplain\tf\texample.com",
	    ACCOUNT_UNAVAILABLE },
	{ ACCOUNT_PUT, CANARY, STORE_OK, "t\t4096\t7\tother\tf\texample.com",
	    ACCOUNT_UNAVAILABLE }
};

START_TEST(policy_ends_it)
{
	(void)submit(ends[_i].change, "alice", ends[_i].password);
	answer(ends[_i].status, ends[_i].text);
	if (replies == 0)
		work();
	ck_assert_int_eq(replies, 1);
	ck_assert_int_eq(questions, 1);
	ck_assert_int_eq(reply.result, ends[_i].result);
}
END_TEST

START_TEST(the_database_has_the_last_word)
{
	static const struct {
		enum store_status status;
		const char *text;
		enum account_result result;
	} last[] = {
		{ STORE_REFUSED, "OC001 a@b exists already", ACCOUNT_EXISTS },
		{ STORE_REFUSED, "OC004 the account name", ACCOUNT_REFUSED },
		{ STORE_UNAVAILABLE, "", ACCOUNT_UNAVAILABLE }
	};

	(void)submit(ACCOUNT_CREATE, "alice", CANARY);
	answer(STORE_OK, POLICY_NEW);
	work();
	answer(last[_i].status, last[_i].text);
	ck_assert_int_eq(replies, 1);
	ck_assert_int_eq(reply.result, last[_i].result);
	if (last[_i].status == STORE_REFUSED)
		ck_assert_str_eq(sentence, last[_i].text + 6);
	/* Not every protocol can tell the user. */
	ck_assert_int_eq(strstr(all_lines, " why=the account name\n") !=
	    NULL, last[_i].result == ACCOUNT_REFUSED);
	ck_assert_int_eq(strstr(all_lines, "why=") != NULL,
	    last[_i].result == ACCOUNT_REFUSED);
}
END_TEST

START_TEST(delete_asks_once)
{
	static const struct {
		enum store_status status;
		const char *text;
		enum account_result result;
		bool known;	/* afterwards */
	} ways[] = {
		{ STORE_OK, "7", ACCOUNT_DONE, false },
		{ STORE_REFUSED, "OC002 there is no such account",
		    ACCOUNT_NO_ACCOUNT, true },
		{ STORE_UNAVAILABLE, "", ACCOUNT_UNAVAILABLE, true }
	};
	const struct account alice = { "alice", "example.com" };

	known_confirm(known, &alice, 0);
	(void)submit(ACCOUNT_DELETE, "alice@example.com", "");
	ck_assert_int_eq(asked.question, STORE_ACCOUNT_DELETE);
	answer(ways[_i].status, ways[_i].text);
	ck_assert_int_eq(reply.result, ways[_i].result);
	ck_assert(!reply.created);
	ck_assert_int_eq(known_recently(known, &alice, 0), ways[_i].known);
}
END_TEST

START_TEST(names_refused_at_sight)
{
	static const struct {
		const char *name;
		enum account_result result;
	} names[] = {
		{ "alice@example.net", ACCOUNT_FOREIGN },
		{ "", ACCOUNT_REFUSED },
		{ "a b", ACCOUNT_REFUSED },
		{ CANARY, ACCOUNT_REFUSED }
	};

	(void)submit(ACCOUNT_PUT, names[_i].name, CANARY);
	ck_assert_int_eq(questions, 0);
	work();
	ck_assert_int_eq(replies, 1);
	ck_assert_int_eq(reply.result, names[_i].result);
}
END_TEST

START_TEST(cancelled_is_silent)
{
	struct accounts_ticket *ticket = submit(ACCOUNT_PUT, _i == 0 ?
	    "alice@example.net" : "alice", CANARY);

	if (_i >= 2)
		answer(STORE_OK, POLICY_NEW);
	if (_i == 3)
		work();
	accounts_cancel(ticket);
	ck_assert_int_eq(cancels, _i == 1 || _i == 3 ? 1 : 0);
	if (_i == 2)
		for (int i = 0; i < 50; i++)
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(replies, 0);
	ck_assert_int_eq(questions, _i == 0 ? 0 : _i == 3 ? 2 : 1);
}
END_TEST

static Suite *
accounts_suite(void)
{
	Suite *suite = suite_create("accounts");
	TCase *tc = tcase_create("accounts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, verifiers_are_written, 0,
	    sizeof(made) / sizeof(made[0]));
	tcase_add_loop_test(tc, policy_ends_it, 0,
	    sizeof(ends) / sizeof(ends[0]));
	tcase_add_loop_test(tc, the_database_has_the_last_word, 0, 3);
	tcase_add_loop_test(tc, delete_asks_once, 0, 3);
	tcase_add_loop_test(tc, names_refused_at_sight, 0, 4);
	tcase_add_loop_test(tc, cancelled_is_silent, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(accounts_suite)
