/*
 * onecred check and the doors must never disagree: for every kind of row,
 * what check says about PLAIN is what verify_password() (RFC 4616) decides,
 * and what it says about a digest (RFC 7616) follows from the column.
 */

#include "cli/cli_check_advice.h"
#include "cli/cli_check_judge.h"
#include "verify_row.h"

static struct check_account account;
static struct check_realm realm;
static struct check_report report;

static struct check_line *
find(const char *what, const char *name)
{
	for (size_t i = 0; i < report.count; i++)
		if (strcmp(report.lines[i].what, what) == 0 &&
		    strcmp(report.lines[i].name, name) == 0)
			return &report.lines[i];
	ck_abort_msg("there is no line %s %s", what, name);
}

static void
judge(struct span typed, struct span password, enum check_keys keys)
{
	const struct check_judge how = {
		.account = &account, .crypto = crypto, .keys = keys,
		.ring = keys == CHECK_KEYS_THERE ? &ring : NULL,
		.password = password
	};

	check_report_free(&report);
	ck_assert_int_eq(identity_present(typed, SPAN_EMPTY,
	    &account.presented), 0);
	account.typed = typed;
	account.local_folded = typed.p[0] == 'A';
	account.domain_known = account.name_allowed = true;
	account.realms = &realm;
	account.realm_count = 1;
	realm.home = true;
	realm.row = row;
	check_judge(&how, &report);
}

#define ALICE	SPAN_LIT("alice@example.com")

static const enum ha1_origin origins[] = {
	HA1_SAME, HA1_UNPROVED, HA1_SEPARATE
};

/* _i: a kind for the SHA-256 HA1, the states and origins, with any SCRAM. */
START_TEST(plain_rfc4616)
{
	struct verify_result right, wrong;
	const struct check_line *line;
	enum state state = (enum state)(_i / HA1_KINDS % STATES);
	enum kind kinds[2] = { (enum kind)(_i % HA1_KINDS), ABSENT };

	put_ha1(DIGEST_SHA_256, FORM_LOCAL, kinds[0]);
	put_state(state);
	row.ha1_origin = origins[_i / HA1_KINDS / STATES];
	if (row.ha1_origin != HA1_SAME)
		kinds[0] = ABSENT;
	for (int kind = ABSENT; kind < SCRAM_KINDS; kind++) {
		kinds[1] = (enum kind)kind;
		put_scram(SCRAM_SHA_256, kinds[1]);
		right = verify_password(&context, &row, RIGHT_PASSWORD);
		is_result(right, expect_state(state, expect_password(kinds,
		    COUNT(kinds))), "the door");
		wrong = verify_password(&context, &row,
		    SPAN_LIT("of nobody at all"));
		judge(ALICE, RIGHT_PASSWORD, CHECK_KEYS_THERE);
		line = find("PLAIN", "");
		ck_assert_int_ne(wrong.verdict, VERDICT_ALLOW);
		ck_assert_msg((line->state == CHECK_CAN) ==
		    (wrong.reason == REASON_WRONG_PASSWORD),
		    "%d, SCRAM %d: %s, but the door says %s", _i, kind,
		    check_state_str(line->state), reason_str(wrong.reason));
		if (line->state == CHECK_CAN)
			ck_assert_int_eq(line->password,
			    right.verdict == VERDICT_ALLOW ? CHECK_AGREES :
			    CHECK_DIFFERS);
		else if (row.found && row.enabled)
			ck_assert_int_eq(line->reason, wrong.reason);
	}
}
END_TEST

/* _i: a kind of HA1, each algorithm and form. */
START_TEST(digest_rfc7616)
{
	enum kind kind = (enum kind)_i;
	const struct check_line *line;
	char what[32];

	for (int alg = DIGEST_MD5; alg < DIGEST_ALG_COUNT; alg++)
		for (int form = 0; form < FORM_COUNT; form++)
			put_ha1((enum digest_alg)alg, (enum name_form)form,
			    kind);
	judge(ALICE, RIGHT_PASSWORD, CHECK_KEYS_THERE);
	for (int alg = DIGEST_MD5; alg < DIGEST_ALG_COUNT; alg++) {
		(void)snprintf(what, sizeof(what), "SIP %s",
		    digest_alg_name((enum digest_alg)alg));
		for (int form = 0; form < FORM_COUNT; form++) {
			line = find(what, form == FORM_FULL ?
			    "alice@example.com" : "alice");
			ck_assert_str_eq(line->realm, "example.com");
			if (is_usable(kind)) {
				ck_assert_int_eq(line->state, CHECK_CAN);
				ck_assert_int_eq(line->password,
				    kind == RIGHT || kind == SEALED_RIGHT ?
				    CHECK_AGREES : CHECK_DIFFERS);
				continue;
			}
			ck_assert_int_eq(line->state, CHECK_CANNOT);
			ck_assert_int_eq(line->password, CHECK_UNTRIED);
			ck_assert_int_eq(line->reason, kind == LOCKED ||
			    kind == MOVED ? REASON_KEY_MISSING :
			    REASON_NO_VERIFIER);
		}
	}
	/* Without any key: known to be shut, or not known. */
	judge(ALICE, SPAN_EMPTY, CHECK_KEYS_UNKNOWN);
	line = find("SIP MD5", "alice");
	ck_assert_int_eq(line->state == CHECK_UNKNOWN, kind >= SEALED_RIGHT);
	judge(ALICE, SPAN_EMPTY, CHECK_KEYS_NONE);
	line = find("SIP MD5", "alice");
	ck_assert_int_eq(line->state == CHECK_CAN, kind == RIGHT ||
	    kind == WRONG);
}
END_TEST

START_TEST(capitals)
{
	put_ha1(DIGEST_MD5, FORM_LOCAL, RIGHT);
	put_ha1(DIGEST_MD5, FORM_FULL, RIGHT);
	put_scram(SCRAM_SHA_1, RIGHT);
	row.policy.digest_md5 = true;
	judge(SPAN_LIT("Alice@example.com"), SPAN_EMPTY, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("SIP MD5", "Alice")->reason, REASON_CASE);
	ck_assert_int_eq(find("SIP MD5", "Alice@example.com")->reason,
	    REASON_CASE);
	ck_assert_int_eq(find("DIGEST-MD5", "")->reason, REASON_CASE);
	ck_assert_int_eq(find("PLAIN", "")->state, CHECK_CAN);
	ck_assert_int_eq(find("SCRAM-SHA-1", "")->state, CHECK_CAN);
	judge(SPAN_LIT("alice@Example.com"), SPAN_EMPTY, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("SIP MD5", "alice")->state, CHECK_CAN);
	ck_assert_int_eq(find("SIP MD5", "alice@Example.com")->reason,
	    REASON_CASE);
	ck_assert_int_eq(find("DIGEST-MD5", "")->state, CHECK_CAN);
}
END_TEST

/* RFC 2831 digests only from the account's own password. */
START_TEST(digest_md5_origin)
{
	row.policy.digest_md5 = true;
	put_ha1(DIGEST_MD5, FORM_LOCAL, RIGHT);
	row.ha1_origin = origins[_i];
	judge(ALICE, RIGHT_PASSWORD, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("DIGEST-MD5", "")->state,
	    row.ha1_origin == HA1_SAME ? CHECK_CAN : CHECK_CANNOT);
	ck_assert_int_eq(find("DIGEST-MD5", "")->password,
	    row.ha1_origin == HA1_SAME ? CHECK_AGREES : CHECK_UNTRIED);
	ck_assert_int_eq(find("SIP MD5", "alice")->state, CHECK_CAN);
	row.policy.digest_md5 = false;
	judge(ALICE, RIGHT_PASSWORD, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("DIGEST-MD5", "")->state, CHECK_OFF);
}
END_TEST

START_TEST(policy_off)
{
	row.policy.stores[DIGEST_SHA_256] = false;
	judge(ALICE, SPAN_EMPTY, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("SIP SHA-256", "alice")->state, CHECK_OFF);
	ck_assert_int_eq(find("SIP MD5", "alice")->state, CHECK_CANNOT);
	row.policy.digests_none = true;
	judge(ALICE, SPAN_EMPTY, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("SIP MD5", "alice")->state, CHECK_OFF);
	/* What is there all the same does work. */
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	judge(ALICE, SPAN_EMPTY, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("SIP SHA-256", "alice")->state, CHECK_CAN);
}
END_TEST

/* A digest that libcrypto does not have (FIPS). */
START_TEST(no_md5_here)
{
	put_ha1(DIGEST_MD5, FORM_LOCAL, RIGHT);
	crypto_free(&crypto);
	no_md5 = true;
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	judge(ALICE, SPAN_EMPTY, CHECK_KEYS_NONE);
	ck_assert_int_eq(find("SIP MD5", "alice")->state, CHECK_CANNOT);
}
END_TEST

START_TEST(status)
{
	static const struct {
		enum check_state	sasl, sip;
		enum check_password	sasl_password, sip_password;
		bool			own;
		enum cli_status		status;
	} cases[] = {
		{ CHECK_CAN, CHECK_OFF, 0, 0, false, CLI_OK },
		{ CHECK_CAN, CHECK_CANNOT, 0, 0, false, CLI_REFUSED },
		{ CHECK_CANNOT, CHECK_UNKNOWN, 0, 0, false, CLI_REFUSED },
		{ CHECK_UNKNOWN, CHECK_CANNOT, 0, 0, false, CLI_REFUSED },
		{ CHECK_CAN, CHECK_UNKNOWN, 0, 0, false, CLI_SYSTEM },
		{ CHECK_CAN, CHECK_CAN, CHECK_AGREES, CHECK_AGREES, false,
		    CLI_OK },
		{ CHECK_CAN, CHECK_CAN, CHECK_AGREES, CHECK_DIFFERS, false,
		    CLI_REFUSED },
		{ CHECK_CAN, CHECK_CAN, CHECK_AGREES, CHECK_DIFFERS, true,
		    CLI_OK },
		{ CHECK_CAN, CHECK_CAN, CHECK_DIFFERS, CHECK_AGREES, true,
		    CLI_OK },
		{ CHECK_CAN, CHECK_CAN, CHECK_DIFFERS, CHECK_DIFFERS, true,
		    CLI_REFUSED }
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct check_line *line;

		check_report_free(&report);
		report.own_sip_password = cases[i].own;
		line = check_report_line(&report, CHECK_SASL, "a");
		line->state = cases[i].sasl;
		line->password = cases[i].sasl_password;
		line = check_report_line(&report, CHECK_SIP, "b");
		line->state = cases[i].sip;
		line->password = cases[i].sip_password;
		ck_assert_msg(check_report_status(&report) ==
		    cases[i].status, "case %zu", i);
	}
}
END_TEST

/* Many lines move; the same advice is given once, and not without end. */
START_TEST(report_bounds)
{
	struct check_line *line;

	check_report_free(&report);
	for (unsigned int i = 0; i < 500; i++) {
		line = check_report_line(&report, CHECK_SIP, "x");
		line->reason = (enum reason)(i % REASON_COUNT);
	}
	ck_assert_uint_eq(report.count, 500);
	for (unsigned int i = 0; i < 500; i++)
		ck_assert_uint_eq(report.lines[i].reason, i % REASON_COUNT);
	ck_assert_ptr_nonnull(check_report_advise(&report, "%s", "one"));
	ck_assert_ptr_null(check_report_advise(&report, "%s", "one"));
	for (unsigned int i = 0; i < 100; i++)
		(void)check_report_advise(&report, "%u", i);
	ck_assert_uint_eq(report.advice_count, CHECK_ADVICE_MAX);
}
END_TEST

static void
end(void)
{
	check_report_free(&report);
	teardown();
}

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("cli_check_judge");
	TCase *tc = tcase_create("judge");

	tcase_add_checked_fixture(tc, setup, end);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, plain_rfc4616, 0,
	    HA1_KINDS * STATES * (int)COUNT(origins));
	tcase_add_loop_test(tc, digest_rfc7616, 0, HA1_KINDS);
	tcase_add_loop_test(tc, digest_md5_origin, 0, (int)COUNT(origins));
	tcase_add_test(tc, capitals);
	tcase_add_test(tc, policy_off);
	tcase_add_test(tc, no_md5_here);
	tcase_add_test(tc, status);
	tcase_add_test(tc, report_bounds);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
