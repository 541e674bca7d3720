/*
 * Lookups gathered into arrays: each value is one element, whatever it holds,
 * and stays in step with the two others.
 */

#include <string.h>

#include "store/batch.h"
#include "unit.h"

static struct batch batch;

static void
add(const char *domain, const char *localpart, const char *realm)
{
	const char *const values[] = { domain, localpart, realm };

	batch_add(&batch, values);
}

static void
expect(const char *domains, const char *localparts, const char *realms)
{
	const char *const *values = batch_values(&batch);

	ck_assert_str_eq(values[0], domains);
	ck_assert_str_eq(values[1], localparts);
	ck_assert_str_eq(values[2], realms);
}

START_TEST(in_step)
{
	batch_clear(&batch);
	add("example.com", "alice", NULL);
	add(NULL, "bob", "Example Realm");
	ck_assert_uint_eq(batch.count, 2);
	expect("{\"example.com\",NULL}", "{\"alice\",\"bob\"}",
	    "{NULL,\"Example Realm\"}");
}
END_TEST

/* One lookup goes out as plain values, without quotes. */
START_TEST(alone)
{
	const char *const *values;

	batch_clear(&batch);
	add("a", "b", "c");
	batch_clear(&batch);
	ck_assert_uint_eq(batch.count, 0);
	add("example.com", "\"al,ice\\", NULL);
	values = batch_values(&batch);
	ck_assert_str_eq(values[0], "example.com");
	ck_assert_str_eq(values[1], "\"al,ice\\");
	ck_assert_ptr_null(values[2]);
}
END_TEST

START_TEST(hostile_values)
{
	batch_clear(&batch);
	add("\",\"evil", "a,b}{", "\\\"\\");
	add("NULL", "", "null");
	expect("{\"\\\",\\\"evil\",\"NULL\"}", "{\"a,b}{\",\"\"}",
	    "{\"\\\\\\\"\\\\\",\"null\"}");
}
END_TEST

/* Nobody is found for a name that cannot be one; never a shorter name. */
START_TEST(oversized)
{
	char name[DOMAIN_MAX + 2];

	memset(name, 'a', sizeof(name));
	name[LOCALPART_MAX + 1] = '\0';
	batch_clear(&batch);
	add("example.com", name, NULL);
	ck_assert_ptr_null(batch_values(&batch)[0]);
	ck_assert_ptr_null(batch_values(&batch)[1]);
	ck_assert_ptr_null(batch_values(&batch)[2]);
	name[LOCALPART_MAX + 1] = 'a';
	name[sizeof(name) - 1] = '\0';
	batch_clear(&batch);
	add(name, "alice", NULL);
	add("example.com", "alice", name);
	expect("{NULL,NULL}", "{NULL,NULL}", "{NULL,NULL}");
}
END_TEST

START_TEST(full_of_the_longest)
{
	char domain[DOMAIN_MAX + 1], localpart[LOCALPART_MAX + 1];

	memset(domain, '"', sizeof(domain));
	memset(localpart, '\\', sizeof(localpart));
	domain[DOMAIN_MAX] = localpart[LOCALPART_MAX] = '\0';
	batch_clear(&batch);
	for (int i = 0; i < BATCH_MAX; i++)
		add(domain, localpart, domain);
	ck_assert_uint_eq(batch.count, BATCH_MAX);
	(void)batch_values(&batch);
	ck_assert(!batch.domains.failed && !batch.localparts.failed &&
	    !batch.realms.failed);
	ck_assert_uint_eq(strlen(batch.values[0]), batch.domains.n - 1);
	ck_assert_uint_eq(strlen(batch.values[1]), batch.localparts.n - 1);
	ck_assert_uint_eq(strlen(batch.values[2]), batch.realms.n - 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("store_batch");
	TCase *tc = tcase_create("batch");

	tcase_add_test(tc, in_step);
	tcase_add_test(tc, alone);
	tcase_add_test(tc, hostile_values);
	tcase_add_test(tc, oversized);
	tcase_add_test(tc, full_of_the_longest);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
