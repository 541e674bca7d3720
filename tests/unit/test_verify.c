/*
 * The heart, part one: passwords, against an oracle that is written down a
 * second time here (verify_row.h). Every kind of value in every column, all
 * states of an account, all origins. NULL, '' and malformed never match;
 * UNAVAILABLE only where nobody can know; the same work for every name.
 * Out of memory: test_alloc.c.
 */

#include "verify_row.h"

static void
check_password(const enum kind *kinds, enum state state)
{
	struct verify_result want = expect_password(kinds, 6);
	char where[64];
	size_t first = 0;
	bool slow;

	for (size_t i = 0; i < 6; i++)
		where[i] = (char)('0' + kinds[i]);
	where[6] = (char)('a' + state);
	where[7] = '\0';
	while (first < 6 && !is_usable(kinds[first]))
		first++;
	/* Fakes take the fast HA1 that the policy stores. */
	slow = state != UNKNOWN && first >= 2 && first <= 4;
	put_state(state);
	ck_assert_msg(verify_password_is_slow(&context, &row) == slow, "%s",
	    where);
	kdf_calls = 0;
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    expect_state(state, want), where);
	ck_assert_msg(kdf_calls == slow, "%s", where);
}

/* origin same: every kind in HA1 SHA-512-256 (_i), SHA-256, MD5, SCRAM-256. */
START_TEST(password_every_combination)
{
	enum kind k[6] = { (enum kind)_i };

	put_ha1(DIGEST_SHA_512_256, FORM_LOCAL, k[0]);
	for (int a = 0; a < HA1_KINDS; a++)
		for (int b = 0; b < SCRAM_KINDS; b++)
			for (int c = 0; c < HA1_KINDS; c++) {
				k[1] = (enum kind)a;
				k[2] = (enum kind)b;
				k[5] = (enum kind)c;
				put_ha1(DIGEST_SHA_256, FORM_LOCAL, k[1]);
				put_scram(SCRAM_SHA_256, k[2]);
				put_ha1(DIGEST_MD5, FORM_LOCAL, k[5]);
				check_password(k, ENABLED);
				check_password(k, UNKNOWN);
				if (b == ABSENT)
					check_password(k, DISABLED);
			}
}
END_TEST

/* The three SCRAM columns among each other, without and with HA1 MD5. */
START_TEST(password_scram_order)
{
	enum kind k[6] = { ABSENT, ABSENT, (enum kind)_i };

	for (int a = 0; a < SCRAM_KINDS; a++)
		for (int b = 0; b < SCRAM_KINDS; b++) {
			k[3] = (enum kind)a;
			k[4] = (enum kind)b;
			k[5] = (enum kind)(a + b == 0 ? RIGHT : WRONG);
			put_scram(SCRAM_SHA_256, k[2]);
			put_scram(SCRAM_SHA_512, k[3]);
			put_scram(SCRAM_SHA_1, k[4]);
			put_ha1(DIGEST_MD5, FORM_LOCAL, k[5]);
			check_password(k, ENABLED);
			check_password(k, DISABLED);
		}
}
END_TEST

/* HA1s of another origin stand for nothing; nor do those of form full. */
START_TEST(password_origin)
{
	static const enum ha1_origin origins[] = {
		HA1_UNPROVED, HA1_SEPARATE, HA1_SAME
	};
	enum ha1_origin origin = origins[_i];
	enum name_form form = origin == HA1_SAME ? FORM_FULL : FORM_LOCAL;

	row.ha1_origin = origin;
	for (int ha1 = ABSENT; ha1 < HA1_KINDS; ha1++)
		for (int scram = ABSENT; scram < SCRAM_KINDS; scram++) {
			enum kind k = (enum kind)scram;

			for (int i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++)
				put_ha1((enum digest_alg)i, form,
				    (enum kind)ha1);
			put_scram(SCRAM_SHA_256, k);
			is_result(verify_password(&context, &row,
			    RIGHT_PASSWORD), expect_password(&k, 1),
			    "origin");
		}
}
END_TEST

/* Without a realm an HA1 says nothing. */
START_TEST(password_no_realm)
{
	row.realm[0] = '\0';
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_DENY, REASON_NO_VERIFIER), "no realm");
}
END_TEST

static const struct span hostile[] = {
	{ (const uint8_t *)"", 0 },
	{ NULL, 0 },
	{ (const uint8_t *)"\0", 1 },
	{ (const uint8_t *)"wonderland\0", 11 },
	{ (const uint8_t *)"wonder\0land", 11 },
	{ (const uint8_t *)"wonderland\n", 11 },
	{ (const uint8_t *)"\xff\xfe", 2 },
	{ (const uint8_t *)"wonderland\xc3", 11 },
	{ (const uint8_t *)"\xc2\xad", 2 },
	{ (const uint8_t *)"wonder\xe2\x80\x8bland", 13 },
	{ (const uint8_t *)"\xd8\xa7" "1", 3 }
};

/* Told from the request alone, hence to everybody alike, and at once. */
START_TEST(password_malformed)
{
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, LOCKED);
	put_scram(SCRAM_SHA_256, _i % 2 == 0 ? RIGHT : ABSENT);
	kdf_calls = 0;
	for (int state = ENABLED; state < STATES; state++) {
		put_state((enum state)state);
		is_result(verify_password(&context, &row, hostile[_i]),
		    answer(VERDICT_DENY, REASON_MALFORMED), "malformed");
	}
	ck_assert_uint_eq(kdf_calls, 0);
}
END_TEST

START_TEST(password_bounds)
{
	uint8_t text[PASSWORD_MAX + 1];

	memset(text, 'a', sizeof(text));
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	is_result(verify_password(&context, &row, span_mem(text,
	    PASSWORD_MAX)), answer(VERDICT_DENY, REASON_WRONG_PASSWORD),
	    "longest");
	is_result(verify_password(&context, &row, span_mem(text,
	    PASSWORD_MAX + 1)), answer(VERDICT_DENY, REASON_MALFORMED),
	    "too long");
}
END_TEST

static const struct {
	const char	*password;
	bool		 good;
} spellings[] = {
	{ "wonderland", true }, { "Wonderland", false },
	{ "wonderlan", false }, { "wonderland ", false },
	{ " wonderland", false }, { "wonderlandwonderland", false },
	/* RFC 4013: soft hyphen vanishes, wide letters are narrowed */
	{ "wonder\xc2\xadland", true }, { "\xef\xbd\x97onderland", true },
	/* an unassigned code point passes a query; it is just wrong */
	{ "wonderland\xf0\x9f\x98\x80", false },
	/* the verifier itself is no password */
	{ "8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f",
	    false }
};

START_TEST(password_rfc4013)
{
	struct verify_result want = spellings[_i].good ?
	    answer(VERDICT_ALLOW, REASON_OK) :
	    answer(VERDICT_DENY, REASON_WRONG_PASSWORD);

	put_scram(SCRAM_SHA_1, RIGHT);
	is_result(verify_password(&context, &row,
	    span_str(spellings[_i].password)), want, "scram");
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	is_result(verify_password(&context, &row,
	    span_str(spellings[_i].password)), want, "ha1");
}
END_TEST

/* A zeroed struct denies. */
START_TEST(zeroed_row)
{
	memset(&row, 0, sizeof(row));
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_DENY, REASON_UNKNOWN_USER), "zeroed");
	row.found = true;
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_DENY, REASON_DISABLED), "found");
	row.enabled = true;
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_DENY, REASON_NO_VERIFIER), "enabled");
}
END_TEST

/*
 * The same work for right, wrong, unknown and disabled, and for the enabled
 * account without a verifier: as many key derivations.
 */
START_TEST(password_same_work)
{
	static const bool fast[] = { true, false };
	bool slow = !fast[_i];

	for (int i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++)
		row.policy.stores[i] = fast[_i] || i == DIGEST_MD5;
	for (int turn = 0; turn < 5; turn++) {
		enum kind kind = turn == 4 ? ABSENT : turn == 1 ? WRONG :
		    RIGHT;

		put_ha1(DIGEST_SHA_512_256, FORM_LOCAL, slow ? ABSENT : kind);
		put_scram(SCRAM_SHA_256, kind);
		put_state(turn == 2 ? UNKNOWN : turn == 3 ? DISABLED :
		    ENABLED);
		ck_assert_int_eq(verify_password_is_slow(&context, &row),
		    slow);
		kdf_calls = 0;
		ck_assert_int_eq(verify_password(&context, &row,
		    RIGHT_PASSWORD).verdict, turn == 0 ? VERDICT_ALLOW :
		    VERDICT_DENY);
		ck_assert_uint_eq(kdf_calls, slow);
	}
}
END_TEST

/* Where sealed values cannot be opened, the fake is no HA1 either. */
START_TEST(password_fake_follows_policy)
{
	put_state(UNKNOWN);
	ck_assert(!verify_password_is_slow(&context, &row));
	row.policy.digests_sealed = true;
	ck_assert(!verify_password_is_slow(&context, &row));
	context.keys = NULL;
	ck_assert(verify_password_is_slow(&context, &row));
	row.policy.digests_sealed = false;
	ck_assert(!verify_password_is_slow(&context, &row));
	row.policy.digests_none = true;
	ck_assert(verify_password_is_slow(&context, &row));
}
END_TEST

/* Nothing can be computed: nobody is told that the password is wrong. */
START_TEST(library_gone)
{
	struct crypto *none;

	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	put_scram(SCRAM_SHA_256, RIGHT);
	ck_assert_int_eq(crypto_new("provider=none", &none), 0);
	context.crypto = none;
	put_state((enum state)_i);
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    answer(VERDICT_UNAVAILABLE, REASON_INTERNAL), "no provider");
	crypto_free(&none);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("verify");
	TCase *tc = tcase_create("password");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, password_every_combination, 0, HA1_KINDS);
	tcase_add_loop_test(tc, password_scram_order, 0, SCRAM_KINDS);
	tcase_add_loop_test(tc, password_origin, 0, 3);
	tcase_add_test(tc, password_no_realm);
	tcase_add_loop_test(tc, password_malformed, 0, COUNT(hostile));
	tcase_add_test(tc, password_bounds);
	tcase_add_loop_test(tc, password_rfc4013, 0, COUNT(spellings));
	tcase_add_test(tc, zeroed_row);
	tcase_add_loop_test(tc, password_same_work, 0, 2);
	tcase_add_test(tc, password_fake_follows_policy);
	tcase_add_loop_test(tc, library_gone, 0, STATES);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
