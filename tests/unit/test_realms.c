/*
 * The realms' policies, with a store and a clock that the test plays: what is
 * asked when, what is answered meanwhile, what an outage leaves, that each
 * wait is answered once, and that the number of entries is bounded.
 */

#include <stdio.h>
#include <string.h>

#include "service/realm_policy.h"
#include "service/realms.h"
#include "store/clock.h"
#include "store/store.h"
#include "unit.h"

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))
#define ASKED_MAX	8192
#define ANSWER \
	"Example.com\texample.com\tSHA-256 MD5\tstrict\tsip:example.com"
#define ANSWER_2	"Example.com\texample.com\tMD5\toff\t"

static int64_t now_ms;

/* Stands in front of libc's: the clock only moves when the test says so. */
int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(now_ms / 1000);
	ts->tv_nsec = (long)(now_ms % 1000 * 1000000);
	return 0;
}

struct store_lookup {
	store_answer_cb	*cb;
	void		*arg;
	char		 realm[REALM_MAX + 1];
	bool		 open;
};
static struct store_lookup asked[ASKED_MAX];
static int asks, cancels;

struct store_lookup *
store_ask(struct store *store, enum store_question question,
    const struct span *values, size_t count, store_answer_cb *cb, void *arg)
{
	struct store_lookup *lookup = &asked[asks];

	(void)store;
	ck_assert_int_lt(asks, ASKED_MAX);
	ck_assert_int_eq(question, STORE_REALM);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(span_copy_str(values[0], lookup->realm,
	    sizeof(lookup->realm)), 0);
	lookup->cb = cb;
	lookup->arg = arg;
	lookup->open = true;
	asks++;
	return lookup;
}

void
store_cancel(struct store_lookup *lookup)
{
	ck_assert(lookup->open);
	lookup->open = false;
	cancels++;
}

/* The store answers the last question. */
static void
answer(enum store_status status, const char *text)
{
	struct store_lookup *lookup = &asked[asks - 1];

	ck_assert(lookup->open);
	lookup->open = false;
	lookup->cb(status, span_str(text), lookup->arg);
}

/* What was said to whoever waits. */
struct told {
	int		 times;
	enum realms_status status;
	struct realm_policy policy;
	struct realms_wait *wait;
};

static struct realms *realms;

static void
on_policy(enum realms_status status, const struct realm_policy *policy,
    void *arg)
{
	struct told *told = arg;

	told->times++;
	told->status = status;
	ck_assert((policy != NULL) == (status == REALMS_KNOWN));
	if (policy != NULL)
		told->policy = *policy;
}

/* True: answered at once, as if it had been told. */
static bool
get(const char *realm, struct told *told)
{
	const struct realm_policy *policy;
	enum realms_status status;

	memset(told, 0, sizeof(*told));
	if (!realms_get(realms, span_str(realm), &status, &policy, on_policy,
	    told, &told->wait)) {
		ck_assert_ptr_nonnull(told->wait);
		return false;
	}
	on_policy(status, policy, told);
	ck_assert_ptr_null(told->wait);
	return true;
}

static void
setup(void)
{
	now_ms = 1000000;
	asks = cancels = 0;
	realms = realms_new(NULL, NULL);
	ck_assert_ptr_nonnull(realms);
}

static void
teardown(void)
{
	realms_free(&realms);
	ck_assert_ptr_null(realms);
	realms_free(&realms);
}

START_TEST(known)
{
	struct told a, b, c;

	ck_assert(!get("example.com", &a));
	ck_assert(!get("EXAMPLE.com", &b));
	ck_assert_int_eq(asks, 1);
	ck_assert_str_eq(asked[0].realm, "example.com");
	answer(STORE_OK, ANSWER);
	ck_assert_int_eq(a.times, 1);
	ck_assert_int_eq(b.times, 1);
	ck_assert_int_eq(a.status, REALMS_KNOWN);
	ck_assert_str_eq(b.policy.realm, "Example.com");
	now_ms += 10000;
	ck_assert(get("Example.Com", &c));
	ck_assert_int_eq(c.status, REALMS_KNOWN);
	ck_assert_str_eq(c.policy.domain, "example.com");
	ck_assert_int_eq(asks, 1);
}
END_TEST

START_TEST(refreshed_in_the_background)
{
	struct told told;

	ck_assert(!get("example.com", &told));
	answer(STORE_OK, ANSWER);
	now_ms += 10001;
	ck_assert(get("example.com", &told));
	ck_assert_uint_eq(told.policy.alg_count, 2);
	ck_assert_int_eq(asks, 2);
	/* One question at a time; the old answer goes on being used. */
	now_ms += 49000;
	ck_assert(get("example.com", &told));
	ck_assert_int_eq(asks, 2);
	answer(STORE_OK, ANSWER_2);
	ck_assert(get("example.com", &told));
	ck_assert_uint_eq(told.policy.alg_count, 1);
	ck_assert_int_eq(told.policy.identity, IDENTITY_CHECK_OFF);
	ck_assert_int_eq(asks, 2);
}
END_TEST

START_TEST(too_old_waits)
{
	struct told told;

	ck_assert(!get("example.com", &told));
	answer(STORE_OK, ANSWER);
	now_ms += 60001;
	ck_assert(!get("example.com", &told));
	answer(STORE_OK, ANSWER_2);
	ck_assert_int_eq(told.times, 1);
	ck_assert_uint_eq(told.policy.alg_count, 1);
	/* It has gone meanwhile. */
	now_ms += 60001;
	ck_assert(!get("example.com", &told));
	answer(STORE_OK, "");
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
}
END_TEST

START_TEST(unknown)
{
	struct told told;

	ck_assert(!get("example.net", &told));
	answer(STORE_OK, "");
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
	now_ms += 10000;
	ck_assert(get("example.net", &told));
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
	ck_assert_int_eq(asks, 1);
	/* Made by now. */
	now_ms++;
	ck_assert(get("example.net", &told));
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
	answer(STORE_OK, ANSWER);
	ck_assert(get("example.net", &told));
	ck_assert_int_eq(told.status, REALMS_KNOWN);
}
END_TEST

static const char *const no_realms[] = {
	"", "a\"b", "a\\b", "a:b", "a\tb", "\xff", "a\nb"
};

START_TEST(not_a_realm)
{
	struct told told;

	ck_assert(get(no_realms[_i], &told));
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
	ck_assert_int_eq(asks, 0);
}
END_TEST

START_TEST(outage_without_policy)
{
	struct told told;

	ck_assert(!get("example.com", &told));
	answer(STORE_UNAVAILABLE, "");
	ck_assert_int_eq(told.times, 1);
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
	/* Not asked again at once, and nobody waits. */
	ck_assert(get("example.com", &told));
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
	ck_assert_int_eq(asks, 1);
	now_ms += 1000;
	ck_assert(!get("example.com", &told));
	answer(STORE_OK, ANSWER);
	ck_assert_int_eq(told.status, REALMS_KNOWN);
}
END_TEST

START_TEST(outage_with_policy)
{
	struct told told;

	ck_assert(!get("example.com", &told));
	answer(STORE_OK, ANSWER);
	for (int hour = 0; hour < 48; hour++) {
		now_ms += 3600 * 1000;
		ck_assert(!get("example.com", &told));
		answer(STORE_UNAVAILABLE, "");
		ck_assert_int_eq(told.status, REALMS_KNOWN);
		ck_assert_str_eq(told.policy.realm, "Example.com");
		now_ms += 500;
		ck_assert(get("example.com", &told));
		ck_assert_int_eq(told.status, REALMS_KNOWN);
	}
	now_ms += 1000;
	ck_assert(!get("example.com", &told));
	answer(STORE_OK, "");
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
}
END_TEST

/* That there is no such realm is not believed for ever. */
START_TEST(outage_after_unknown)
{
	struct told told;

	ck_assert(!get("example.net", &told));
	answer(STORE_OK, "");
	now_ms += 30000;
	ck_assert(get("example.net", &told));
	answer(STORE_UNAVAILABLE, "");
	ck_assert(get("example.net", &told));
	ck_assert_int_eq(told.status, REALMS_UNKNOWN);
	now_ms += 30001;
	ck_assert(!get("example.net", &told));
	answer(STORE_UNAVAILABLE, "");
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
	ck_assert(get("example.net", &told));
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
}
END_TEST

static const char *const unusable[] = {
	"x", "a\tb\tMD5\tdomain", ANSWER "\tx",
	"example.com\texample.com\t\tdomain\t",
	"example.com\texample.com\tMD4\tdomain\t",
	"example.com\texample.com\tMD5\tDomain\t",
	"example.com\texample.com\tMD5\t\t",
	"\texample.com\tMD5\tdomain\t",
	"example.com\t\tMD5\tdomain\t",
	"example.com\tExample.com\tMD5\tdomain\t",
	"exa\"mple\texample.com\tMD5\tdomain\t",
};

/* What cannot be read is no answer. */
START_TEST(unusable_answer)
{
	struct realm_policy policy;
	struct told told;

	ck_assert_int_ne(realm_policy_parse(span_str(unusable[_i]), &policy),
	    0);
	ck_assert_uint_eq(policy.alg_count, 0);
	ck_assert_str_eq(policy.realm, "");
	ck_assert(!get("example.com", &told));
	answer(STORE_OK, unusable[_i]);
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
}
END_TEST

START_TEST(refused_is_no_answer)
{
	struct told told;

	ck_assert(!get("example.com", &told));
	answer(STORE_REFUSED, "no");
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
}
END_TEST

START_TEST(policy)
{
	struct realm_policy p;

	ck_assert_int_eq(realm_policy_parse(SPAN_LIT("Büro\texample.com\t"
	    "SHA-512-256 SHA-256 MD5\tdomain\tsip:a xmpp:b"), &p), 0);
	ck_assert_str_eq(p.realm, "Büro");
	ck_assert_uint_eq(p.alg_count, 3);
	ck_assert_int_eq(p.algs[0], DIGEST_SHA_512_256);
	ck_assert_int_eq(p.algs[1], DIGEST_SHA_256);
	ck_assert_int_eq(p.algs[2], DIGEST_MD5);
	ck_assert_int_eq(p.identity, IDENTITY_CHECK_DOMAIN);
	ck_assert_str_eq(p.domain_parameter, "sip:a xmpp:b");
	/* A newer schema's algorithm, -sess, and one said twice. */
	ck_assert_int_eq(realm_policy_parse(SPAN_LIT("r\tx\t"
	    "SHA-3 MD5-sess MD5 MD5\toff\t"), &p), 0);
	ck_assert_uint_eq(p.alg_count, 1);
	ck_assert_int_eq(p.algs[0], DIGEST_MD5);
	ck_assert_str_eq(p.domain_parameter, "");
	/* What would break out of its quotes stays out. */
	ck_assert_int_eq(realm_policy_parse(SPAN_LIT("r\tx\tMD5\toff\t"
	    "sip:a\" sip:b\\ sip:c  sip:\x7f"), &p), 0);
	ck_assert_str_eq(p.domain_parameter, "sip:c");
}
END_TEST

/* More URIs than there is room for: as many whole ones as fit. */
START_TEST(policy_many_uris)
{
	char text[8192], uri[201];
	struct realm_policy p;
	size_t n;

	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "sip:", 4);
	uri[200] = '\0';
	n = (size_t)snprintf(text, sizeof(text), "r\tx\tMD5\toff\t%s", uri);
	for (int i = 0; i < 15; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", uri);
	ck_assert_int_eq(realm_policy_parse(span_mem(text, n), &p), 0);
	ck_assert_uint_eq(span_str(p.domain_parameter).n, 5 * 200 + 4);
}
END_TEST

START_TEST(cancelled)
{
	struct told a, b, c;

	ck_assert(!get("example.com", &a));
	ck_assert(!get("example.com", &b));
	ck_assert(!get("example.com", &c));
	realms_cancel(b.wait);
	answer(STORE_OK, ANSWER);
	ck_assert_int_eq(a.times, 1);
	ck_assert_int_eq(b.times, 0);
	ck_assert_int_eq(c.times, 1);
}
END_TEST

/* From inside a callback: another wait is cancelled, more is asked. */
static struct told inner[3];

static void
on_policy_busy(enum realms_status status, const struct realm_policy *p,
    void *arg)
{
	on_policy(status, p, arg);
	if (inner[1].wait != NULL && inner[1].times == 0)
		realms_cancel(inner[1].wait);
	(void)get("example.com", &inner[2]);
}

START_TEST(busy_callback)
{
	const struct realm_policy *p;
	enum realms_status status;

	memset(inner, 0, sizeof(inner));
	ck_assert(!realms_get(realms, SPAN_LIT("example.com"), &status, &p,
	    on_policy_busy, &inner[0], &inner[0].wait));
	ck_assert(!get("example.com", &inner[1]));
	answer(STORE_UNAVAILABLE, "");
	ck_assert_int_eq(inner[0].times, 1);
	ck_assert_int_eq(inner[1].times, 0);
	ck_assert_int_eq(inner[2].times, 1);
	ck_assert_int_eq(inner[2].status, REALMS_UNAVAILABLE);
}
END_TEST

START_TEST(freed_while_asking)
{
	struct told told;

	ck_assert(!get("example.com", &told));
	realms_free(&realms);
	ck_assert_int_eq(cancels, 1);
	ck_assert_int_eq(told.times, 0);
}
END_TEST

START_TEST(bounded)
{
	char name[32];
	struct told told;
	static struct told waits[4096];

	/* Everybody is waited for: the next one is not taken. */
	for (int i = 0; i < 4096; i++) {
		(void)snprintf(name, sizeof(name), "realm%d", i);
		ck_assert(!get(name, &waits[i]));
	}
	ck_assert(get("one.more", &told));
	ck_assert_int_eq(told.status, REALMS_UNAVAILABLE);
	/* The one used last stays, the oldest goes. */
	for (int i = 0; i < 4096; i++) {
		asked[i].open = false;
		asked[i].cb(STORE_OK, SPAN_LIT(ANSWER), asked[i].arg);
		ck_assert_int_eq(waits[i].times, 1);
	}
	ck_assert(get("realm0", &told));
	ck_assert(!get("one.more", &waits[0]));
	ck_assert(get("realm0", &told));
	ck_assert(!get("realm1", &waits[1]));
	ck_assert(get("realm3", &told));
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("realms");
	TCase *tc = tcase_create("realms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, known);
	tcase_add_test(tc, refreshed_in_the_background);
	tcase_add_test(tc, too_old_waits);
	tcase_add_test(tc, unknown);
	tcase_add_loop_test(tc, not_a_realm, 0, COUNT(no_realms));
	tcase_add_test(tc, outage_without_policy);
	tcase_add_test(tc, outage_with_policy);
	tcase_add_test(tc, outage_after_unknown);
	tcase_add_loop_test(tc, unusable_answer, 0, COUNT(unusable));
	tcase_add_test(tc, refused_is_no_answer);
	tcase_add_test(tc, policy);
	tcase_add_test(tc, policy_many_uris);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, busy_callback);
	tcase_add_test(tc, freed_while_asking);
	tcase_add_test(tc, bounded);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
