/*
 * The heart, part three: SCRAM in two steps (RFC 5802), with a client of the
 * test's own. Every kind of value in the column, all states of an account, a
 * row that changes between the steps; the same work for every name.
 */

#include "scram_client.h"
#include "verify_row.h"

#define PASSWORD	"wonderland"

static struct scram_server server;
static struct scram_client client;
static char text[SCRAM_MESSAGE_MAX + 1];

static const enum scram_mech mechs[] = {
	SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512
};

/* Takes server and client up to client-final-message. */
static void
begin(enum scram_mech mech, const char *gs2, struct span cb_data)
{
	struct scram_verifier verifier;
	struct wbuf wb;

	client_first(&client, mech, "alice", PASSWORD, gs2, cb_data);
	ck_assert_int_eq(scram_server_read_first(&server,
	    span_str(client.first), gs2[0] == 'p', false), 0);
	ck_assert_int_eq(verify_scram_first(&context, &row, mech, &verifier),
	    0);
	ck_assert_int_eq(verifier.mech, mech);
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(scram_server_first(&server, &verifier,
	    SPAN_LIT("server"), &wb), 0);
	ck_assert(client_final(&client, wbuf_written(&wb)));
}

/* The last step, with what the row says now. */
static struct verify_result
finish(enum scram_mech mech, struct span cb_data)
{
	struct verify_result r;
	struct wbuf wb;

	memset(text, 0x55, sizeof(text));
	wbuf_init(&wb, text, sizeof(text) - 1);
	r = verify_scram(&context, &row, mech, &server,
	    span_str(client.final), cb_data, &wb);
	if (r.verdict == VERDICT_ALLOW) {
		text[wb.n] = '\0';
		ck_assert_str_eq(text, client.expected);
	} else
		ck_assert_uint_eq(wb.n, 0);
	return r;
}

static struct verify_result
expect(enum kind kind, enum state state)
{
	return expect_state(state, kind == RIGHT ? answer(VERDICT_ALLOW,
	    REASON_OK) : answer(VERDICT_DENY, kind == WRONG ?
	    REASON_WRONG_PASSWORD : REASON_NO_VERIFIER));
}

START_TEST(rfc5802_every_row)
{
	enum scram_mech mech = mechs[_i];

	for (int kind = ABSENT; kind < SCRAM_KINDS; kind++)
		for (int state = ENABLED; state < STATES; state++) {
			put_scram(mech, (enum kind)kind);
			/* The columns of others are nobody's business. */
			for (size_t i = 0; i < COUNT(mechs); i++)
				if (mechs[i] != mech)
					put_scram(mechs[i], RIGHT);
			put_state((enum state)state);
			begin(mech, "n,,", SPAN_EMPTY);
			is_result(finish(mech, SPAN_EMPTY),
			    expect((enum kind)kind, (enum state)state),
			    scram_mech_name(mech));
			/* The nonce is spent. */
			ck_assert_int_eq(finish(mech, SPAN_EMPTY).verdict,
			    VERDICT_DENY);
		}
}
END_TEST

/* PLAIN and SCRAM agree about the column; an HA1 opens PLAIN alone. */
START_TEST(beside_a_password)
{
	enum kind kinds[2] = { (enum kind)_i, ABSENT };

	put_scram(SCRAM_SHA_256, kinds[0]);
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    expect_password(kinds, 1), "without HA1");
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	is_result(finish(SCRAM_SHA_256, SPAN_EMPTY),
	    expect(kinds[0], ENABLED), "without HA1");
	kinds[1] = kinds[0];
	kinds[0] = RIGHT;
	put_ha1(DIGEST_SHA_256, FORM_LOCAL, RIGHT);
	is_result(verify_password(&context, &row, RIGHT_PASSWORD),
	    expect_password(kinds, 2), "with HA1");
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	is_result(finish(SCRAM_SHA_256, SPAN_EMPTY),
	    expect(kinds[1], ENABLED), "with HA1");
}
END_TEST

/* The row of the last step counts: from each state to each other. */
START_TEST(row_changes_between)
{
	enum state from = (enum state)(_i / STATES);
	enum state to = (enum state)(_i % STATES);

	put_scram(SCRAM_SHA_256, RIGHT);
	put_state(from);
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	put_state(to);
	/* Who was shown a fake's salt has no proof of the row's. */
	is_result(finish(SCRAM_SHA_256, SPAN_EMPTY),
	    expect(from == ENABLED ? RIGHT : WRONG, to), "states");

	put_state(ENABLED);
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	put_scram(SCRAM_SHA_256, WRONG);
	is_result(finish(SCRAM_SHA_256, SPAN_EMPTY),
	    expect(WRONG, ENABLED), "password");
}
END_TEST

START_TEST(channel_binding)
{
	const struct span data = SPAN_LIT("finished");

	put_scram(SCRAM_SHA_256, RIGHT);
	begin(SCRAM_SHA_256, "p=tls-unique,,", data);
	is_result(finish(SCRAM_SHA_256, data), expect(RIGHT, ENABLED), "own");
	begin(SCRAM_SHA_256, "p=tls-unique,,", data);
	is_result(finish(SCRAM_SHA_256, SPAN_LIT("Finished")),
	    expect(WRONG, ENABLED), "another's");
	begin(SCRAM_SHA_256, "p=tls-unique,,", SPAN_EMPTY);
	is_result(finish(SCRAM_SHA_256, SPAN_EMPTY), expect(WRONG, ENABLED),
	    "none");
}
END_TEST

/* One salt for a name that has none of its own; the row's for who has. */
START_TEST(salts)
{
	enum scram_mech mech = mechs[_i];
	struct scram_verifier own, fake, again;

	put_scram(mech, RIGHT);
	ck_assert_int_eq(verify_scram_first(&context, &row, mech, &own), 0);
	ck_assert_uint_eq(own.salt_n, 16);
	ck_assert_mem_eq(own.salt, "0123456789abcdef", 16);
	for (int state = DISABLED; state < STATES; state++) {
		put_state((enum state)state);
		ck_assert_int_eq(verify_scram_first(&context, &row, mech,
		    state == DISABLED ? &fake : &again), 0);
	}
	ck_assert_uint_eq(fake.salt_n, SCRAM_SALT_NEW);
	ck_assert_uint_eq(fake.iterations, 4096);
	ck_assert_mem_eq(&fake, &again, sizeof(fake));
	row.seed[0] ^= 1;
	ck_assert_int_eq(verify_scram_first(&context, &row, mech, &again),
	    0);
	ck_assert_mem_ne(fake.salt, again.salt, fake.salt_n);
}
END_TEST

START_TEST(same_work)
{
	unsigned long known = 0;

	put_scram(SCRAM_SHA_256, WRONG);
	for (int state = ENABLED; state < STATES; state++) {
		put_state((enum state)state);
		begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
		hash_calls = kdf_calls = 0;
		ck_assert_int_eq(finish(SCRAM_SHA_256, SPAN_EMPTY).verdict,
		    VERDICT_DENY);
		ck_assert_uint_eq(kdf_calls, 0);
		ck_assert_uint_gt(hash_calls, 0);
		if (state == ENABLED)
			known = hash_calls;
		ck_assert_uint_eq(hash_calls, known);
	}
}
END_TEST

START_TEST(library_gone)
{
	struct scram_verifier verifier;
	struct crypto *none;

	put_scram(SCRAM_SHA_256, RIGHT);
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	ck_assert_int_eq(crypto_new("provider=none", &none), 0);
	context.crypto = none;
	put_state((enum state)_i);
	ck_assert_int_lt(verify_scram_first(&context, &row, SCRAM_SHA_256,
	    &verifier), 0);
	is_result(finish(SCRAM_SHA_256, SPAN_EMPTY),
	    answer(VERDICT_UNAVAILABLE, REASON_INTERNAL), "no provider");
	crypto_free(&none);
}
END_TEST

static const struct {
	const char	*cut, *put;
} finals[] = {
	{ "c=", "d=" }, { "r=", "R=" }, { ",p=", ",p" }, { ",p=", ",q=" },
	{ "server", "servex" }, { "c=biws", "c=eSws" }, { "c=", "" }
};

START_TEST(malformed)
{
	char *at;

	put_scram(SCRAM_SHA_256, RIGHT);
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	at = strstr(client.final, finals[_i].cut);
	ck_assert_ptr_nonnull(at);
	memmove(at + strlen(finals[_i].put), at + strlen(finals[_i].cut),
	    strlen(at + strlen(finals[_i].cut)) + 1);
	memcpy(at, finals[_i].put, strlen(finals[_i].put));
	ck_assert_int_eq(finish(SCRAM_SHA_256, SPAN_EMPTY).verdict,
	    VERDICT_DENY);
}
END_TEST

/* A mechanism that is none, and a state that no client has begun. */
START_TEST(nothing_begun)
{
	struct scram_verifier verifier;

	put_scram(SCRAM_SHA_256, RIGHT);
	begin(SCRAM_SHA_256, "n,,", SPAN_EMPTY);
	ck_assert_int_lt(verify_scram_first(&context, &row, SCRAM_NONE,
	    &verifier), 0);
	ck_assert_int_ne(finish(SCRAM_NONE, SPAN_EMPTY).verdict,
	    VERDICT_ALLOW);
	memset(&server, 0, sizeof(server));
	ck_assert_int_eq(finish(SCRAM_SHA_256, SPAN_EMPTY).verdict,
	    VERDICT_DENY);
	memset(&row, 0, sizeof(row));
	ck_assert_int_eq(finish(SCRAM_SHA_256, SPAN_EMPTY).verdict,
	    VERDICT_DENY);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("verify_scram");
	TCase *tc = tcase_create("scram");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc5802_every_row, 0, COUNT(mechs));
	tcase_add_loop_test(tc, beside_a_password, 0, SCRAM_KINDS);
	tcase_add_loop_test(tc, row_changes_between, 0, STATES * STATES);
	tcase_add_test(tc, channel_binding);
	tcase_add_loop_test(tc, salts, 0, COUNT(mechs));
	tcase_add_test(tc, same_work);
	tcase_add_loop_test(tc, library_gone, 0, STATES);
	tcase_add_loop_test(tc, malformed, 0, COUNT(finals));
	tcase_add_test(tc, nothing_begun);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
