/*
 * Everything made of one password: the canonical numbers of STANDARDS 0, what
 * a plan leaves out, sealing, and the array literals of account_set().
 */

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/verifiers.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PASSWORD	SPAN_LIT("wonderland")
#define LINES		32

/* What was put, as "name realm form value". */
static struct {
	char	lines[LINES][256];
	size_t	count;
	size_t	fail_at;
} got;

static struct crypto *crypto;
static struct account alice;
static const struct span realms[] = {
	{ (const uint8_t *)"example.com", 11 },
	{ (const uint8_t *)"Second Realm", 12 }
};

static void
setup(void)
{
	memset(&got, 0, sizeof(got));
	got.fail_at = LINES;
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	ck_assert_int_eq(identity_parse(SPAN_LIT("alice@example.com"),
	    IDENTITY_STRICT, &alice), 0);
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

static int
keep(void *arg, const char *name, struct span realm, const char *form,
    struct span value)
{
	ck_assert_ptr_eq(arg, &got);
	ck_assert_uint_lt(got.count, LINES);
	if (got.count == got.fail_at)
		return -ERR_SYSTEM;
	(void)snprintf(got.lines[got.count++], sizeof(got.lines[0]),
	    "%s %.*s %s %.*s", name, (int)realm.n,
	    realm.n > 0 ? (const char *)realm.p : "", form, (int)value.n,
	    (const char *)value.p);
	return 0;
}

static struct verifiers_plan
whole_plan(void)
{
	return (struct verifiers_plan){
		.account = &alice,
		.scram = true,
		.iterations = SCRAM_ITERATIONS_MIN,
		.algorithms = { false, true, true, true },
		.realms = realms,
		.realm_count = 1
	};
}

/* STANDARDS 0 */
static const char *const canonical[] = {
	"ha1_md5 example.com local 93dfce8dfebfae8af4a726982429d23a",
	"ha1_md5 example.com full 5f3b4d392d62686136b6dcfbeec41c21",
	"ha1_sha_256 example.com local 8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6"
	"e93f7ee91f68b5382cfea14f",
	"ha1_sha_256 example.com full 603d4bed3a30f15120794604a6424919d49877737"
	"17594eb75ba96903a34b60f",
	"ha1_sha_512_256 example.com local 9485c7b52baa1fc08914b6e75e4adc1d5a08"
	"45968231acfbb4d364fa3e4dd28b",
	"ha1_sha_512_256 example.com full 65692966248ad81cfad98539c56bafd25716f"
	"37ebf7cf6fc9a9122ec9049ff68"
};

START_TEST(all_of_a_plan)
{
	const struct verifiers_plan plan = whole_plan();
	static const char *const scram[] = {
		"scram_sha_1   SCRAM-SHA-1$4096:",
		"scram_sha_256   SCRAM-SHA-256$4096:",
		"scram_sha_512   SCRAM-SHA-512$4096:"
	};

	ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    0);
	ck_assert_uint_eq(got.count, COUNT(scram) + COUNT(canonical));
	for (size_t i = 0; i < COUNT(scram); i++)
		ck_assert_int_eq(strncmp(got.lines[i], scram[i],
		    strlen(scram[i])), 0);
	for (size_t i = 0; i < COUNT(canonical); i++)
		ck_assert_str_eq(got.lines[COUNT(scram) + i], canonical[i]);
}
END_TEST

/* Each mechanism has a salt of its own, and each making fresh ones. */
START_TEST(salts_are_fresh)
{
	const struct verifiers_plan plan = whole_plan();
	char salts[6][SCRAM_SALT_NEW * 2];

	for (int run = 0; run < 2; run++) {
		got.count = 0;
		ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep,
		    &got), 0);
		for (size_t i = 0; i < 3; i++) {
			char *salt = strchr(got.lines[i], ':') + 1;

			memcpy(salts[(size_t)run * 3 + i], salt, 32);
			salts[(size_t)run * 3 + i][32] = '\0';
		}
	}
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(salts[i], salts[j]);
}
END_TEST

START_TEST(parts_of_a_plan)
{
	struct verifiers_plan plan = whole_plan();

	/* SIP only, MD5 only, two realms. */
	plan.scram = false;
	plan.algorithms[DIGEST_SHA_256] = false;
	plan.algorithms[DIGEST_SHA_512_256] = false;
	plan.realm_count = 2;
	ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    0);
	ck_assert_uint_eq(got.count, 4);
	ck_assert_str_eq(got.lines[0], canonical[0]);
	ck_assert_ptr_nonnull(strstr(got.lines[3], "Second Realm full "));
	/* No realm: no digest. */
	got.count = 0;
	plan.realm_count = 0;
	ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    0);
	ck_assert_uint_eq(got.count, 0);
}
END_TEST

START_TEST(sealed)
{
	struct verifiers_plan plan = whole_plan();
	struct seal_keyring ring;
	struct seal_place place = { &alice, realms[0], SPAN_LIT("MD5"),
	    FORM_LOCAL };
	static const uint8_t ha1[16] = {
		0x93, 0xdf, 0xce, 0x8d, 0xfe, 0xbf, 0xae, 0x8a,
		0xf4, 0xa7, 0x26, 0x98, 0x24, 0x29, 0xd2, 0x3a
	};
	uint8_t opened[16];
	unsigned int line;

	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k1 "
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), &ring, &line),
	    0);
	plan.scram = false;
	plan.seal = &ring;
	ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    0);
	ck_assert_uint_eq(got.count, 6);
	ck_assert_int_eq(seal_open(crypto, &ring, &place,
	    span_str(strrchr(got.lines[0], ' ') + 1), opened, 16), 0);
	ck_assert_mem_eq(opened, ha1, 16);
	/* A ring without a key seals nothing, and nothing goes out plain. */
	got.count = 0;
	ring.count = 0;
	ck_assert_int_ne(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    0);
	ck_assert_uint_eq(got.count, 0);
	seal_keyring_wipe(&ring);
}
END_TEST

START_TEST(an_error_ends_it)
{
	struct verifiers_plan plan = whole_plan();

	got.fail_at = (size_t)_i;
	ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    -ERR_SYSTEM);
	ck_assert_uint_eq(got.count, (size_t)_i);
}
END_TEST

START_TEST(bounds)
{
	struct span many[VERIFIERS_REALMS_MAX + 1];
	struct verifiers_plan plan = whole_plan();
	size_t count;

	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = realms[0];
	plan.realms = many;
	plan.realm_count = COUNT(many);
	ck_assert_int_eq(verifiers_make(crypto, &plan, PASSWORD, keep, &got),
	    -ERR_TOO_LONG);
	ck_assert_uint_eq(got.count, 0);

	ck_assert_int_eq(verifiers_realms(SPAN_LIT("a\nb\nc"), many, 3,
	    &count), 0);
	ck_assert_uint_eq(count, 3);
	ck_assert(span_equal(many[2], SPAN_LIT("c")));
	ck_assert_int_eq(verifiers_realms(SPAN_LIT("a\nb\nc"), many, 2,
	    &count), -ERR_TOO_LONG);
	ck_assert_int_eq(verifiers_realms(SPAN_EMPTY, many, 2, &count), 0);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(array_literals)
{
	struct verifiers_arrays arrays;

	ck_assert_int_eq(verifiers_arrays_init(&arrays), 0);
	ck_assert_int_eq(verifiers_arrays_put(&arrays, "ha1_md5",
	    SPAN_LIT("a\"b\\c{},"), "local", SPAN_LIT("00")), 0);
	ck_assert_int_eq(verifiers_arrays_put(&arrays, "scram_sha_1",
	    SPAN_EMPTY, "", SPAN_LIT("x")), 0);
	ck_assert_int_eq(verifiers_arrays_end(&arrays), 0);
	ck_assert_uint_eq(arrays.count, 2);
	ck_assert_str_eq((char *)arrays.lists[VERIFIERS_NAMES].p,
	    "{\"ha1_md5\",\"scram_sha_1\"}");
	ck_assert_str_eq((char *)arrays.lists[VERIFIERS_REALMS].p,
	    "{\"a\\\"b\\\\c{},\",\"\"}");
	ck_assert_str_eq((char *)arrays.lists[VERIFIERS_FORMS].p,
	    "{\"local\",\"\"}");
	ck_assert_str_eq((char *)arrays.lists[VERIFIERS_VALUES].p,
	    "{\"00\",\"x\"}");
	verifiers_arrays_wipe(&arrays);
	ck_assert_ptr_null(arrays.lists[VERIFIERS_VALUES].p);

	/* Nothing at all is an empty array, not half of one. */
	ck_assert_int_eq(verifiers_arrays_init(&arrays), 0);
	ck_assert_int_eq(verifiers_arrays_end(&arrays), 0);
	ck_assert_str_eq((char *)arrays.lists[VERIFIERS_NAMES].p, "{}");
	verifiers_arrays_wipe(&arrays);
}
END_TEST

START_TEST(array_overflow)
{
	static const char big[] =
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct verifiers_arrays arrays;

	ck_assert_int_eq(verifiers_arrays_init(&arrays), 0);
	for (int i = 0; i < 4000; i++)
		ck_assert_int_eq(verifiers_arrays_put(&arrays, "ha1_md5",
		    SPAN_EMPTY, "", span_str(big)), 0);
	ck_assert_int_eq(verifiers_arrays_end(&arrays), -ERR_TOO_LONG);
	verifiers_arrays_wipe(&arrays);
}
END_TEST

static Suite *
verifiers_suite(void)
{
	Suite *suite = suite_create("verifiers");
	TCase *tc = tcase_create("verifiers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, all_of_a_plan);
	tcase_add_test(tc, salts_are_fresh);
	tcase_add_test(tc, parts_of_a_plan);
	tcase_add_test(tc, sealed);
	tcase_add_loop_test(tc, an_error_ends_it, 0, 9);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, array_literals);
	tcase_add_test(tc, array_overflow);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(verifiers_suite)
