/*
 * Access-Requests in the RADIUS door with nonce = ours: challenges, stale,
 * nextnonce, replay, a realm that is known only later. The digests are right
 * or wrong because the test's auth says so.
 */

#include "radius_digests.h"

static void
open_ours(void)
{
	client.nonce_ours = true;
	open_door(INADDR_LOOPBACK);
}

START_TEST(rfc5090_challenge)
{
	struct nonce nonce;

	(void)snprintf(policy.domain_parameter,
	    sizeof(policy.domain_parameter),
	    "sip:example.com xmpp:example.com");
	open_ours();
	for (int i = 0; i < 2; i++) {
		/* Nobody is named: the realm comes from the URI. */
		want(i == 0 ? "REGISTER" : "INVITE", NULL);
		ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
		ck_assert_str_eq(policy_asked, "example.com");
		ck_assert_str_eq(value_of(104), "example.com");
		ck_assert_str_eq(value_of(110), "auth");
		ck_assert_str_eq(value_of(111), "MD5");
		ck_assert_str_eq(value_of(119), "sip:example.com");
		ck_assert_str_eq(value_of(120), "");
		ck_assert_str_eq(value_of(24), "");	/* State */
		ck_assert_int_eq(nonce_read(crypto, &nonce_keys,
		    span_str(value_of(105)), SPAN_LIT("example.com"),
		    DIGEST_MD5, &nonce), NONCE_OWN);
	}
	/* Nothing was decided, so there is no decision line. */
	ck_assert_uint_eq(asked_n + concluded, 0);
	ck_assert_ptr_null(strstr(lines, "verdict="));
	ck_assert_ptr_nonnull(strstr(lines, "challenged"));
}
END_TEST

/* The first algorithm of the policy; RFC 5090 has room for one. */
START_TEST(challenge_algorithm)
{
	struct nonce nonce;

	policy.algs[0] = DIGEST_SHA_256;
	policy.algs[1] = DIGEST_MD5;
	policy.alg_count = 2;
	open_ours();
	want("REGISTER", "example.com");
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
	ck_assert_str_eq(value_of(111), "SHA-256");
	ck_assert_int_eq(nonce_read(crypto, &nonce_keys,
	    span_str(value_of(105)), SPAN_LIT("example.com"), DIGEST_SHA_256,
	    &nonce), NONCE_OWN);
}
END_TEST

START_TEST(sterman_challenge)
{
	struct octets o;
	struct span list, value = SPAN_EMPTY;
	struct radius_attribute a;
	size_t subs = 0;

	open_ours();
	begin(&o);
	add(&o, 1, "alice@example.com");
	add_sub(&o, 3, "REGISTER");
	ask_from(wire, sign(&o));
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
	ck_assert_str_eq(value_of(105), "");
	list = reply.attributes;
	while (radius_attribute_next(&list, &a))
		if (a.type == 207 && ++subs == 2)
			value = a.value;
	ck_assert_uint_eq(subs, 4);
	ck_assert_uint_eq(value.n, 2 + NONCE_TEXT_SIZE);
}
END_TEST

START_TEST(right_and_wrong)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);

	open_ours();
	(void)nonce_of(0, &nonce_keys, nonce);
	ck_assert_uint_eq(judge(&use, WRONG), RADIUS_ACCESS_REJECT);
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert_str_eq(value_of(106), "89dc0f0270907fa0aa7bd5968b9d8aea");
	ck_assert_str_eq(value_of(107), "");
	ck_assert_int_eq(asked[asked_n - 1].request.digest.alg, DIGEST_MD5);
	/* Wrong is wrong, whatever the nonce. */
	use.nonce = "bm9uY2UtMDAwMQ";
	ck_assert_uint_eq(judge(&use, WRONG), RADIUS_ACCESS_REJECT);
	(void)nonce_of(400000000, &nonce_keys, nonce);
	use.nonce = nonce;
	ck_assert_uint_eq(judge(&use, WRONG), RADIUS_ACCESS_REJECT);
	ck_assert_ptr_null(strstr(lines, "a nonce that is not ours"));
}
END_TEST

/* Right, but over a nonce that is old, another node's, forged, foreign. */
START_TEST(stale)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);
	struct nonce_keys keys = nonce_keys;

	open_ours();
	switch (_i) {
	case 0:
		(void)nonce_of(301000000, &keys, nonce);
		break;
	case 1:
		(void)snprintf(nonce, sizeof(nonce), "bm9uY2UtMDAwMQ");
		break;
	case 2:
		(void)nonce_of(0, &keys, nonce);
		nonce[20] = nonce[20] == 'A' ? 'B' : 'A';
		break;
	case 3:
		keys.node[0] ^= 1;
		(void)nonce_of(31000000, &keys, nonce);
		break;
	case 4:
		keys.key[0][0] ^= 1;
		(void)nonce_of(0, &keys, nonce);
		break;
	default:
		ck_abort();
	}
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_CHALLENGE);
	ck_assert_str_eq(value_of(120), "true");
	ck_assert_str_eq(value_of(106), "");
	/* The nonce in it is good. */
	(void)snprintf(nonce, sizeof(nonce), "%s", value_of(105));
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert((strstr(lines, "a nonce that is not ours") != NULL) ==
	    (_i == 1 || _i == 2 || _i == 4));
}
END_TEST

START_TEST(another_nodes_nonce_once)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);
	struct nonce_keys keys = nonce_keys;

	open_ours();
	keys.node[0] ^= 1;
	(void)nonce_of(0, &keys, nonce);
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	use.nc = "00000002";
	use.response = "b181fb0912db07246ec0da143eda7c99";
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_CHALLENGE);
	ck_assert_str_eq(value_of(120), "true");
}
END_TEST

/* RFC 7616 5.4: the same again passes, another use of the count does not. */
START_TEST(rfc7616_replay)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce), other;

	open_ours();
	(void)nonce_of(0, &nonce_keys, nonce);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	other = use;
	other.method = "INVITE";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_CHALLENGE);
	ck_assert_str_eq(value_of(120), "true");
	other = use;
	other.cnonce = "another";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_CHALLENGE);
	other.nc = "00000002";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(concluded, 0);	/* auth has told all of it */
}
END_TEST

/* A full window never lets a nonce pass that it no longer knows. */
START_TEST(window_full)
{
	char nonce[6][NONCE_TEXT_SIZE + 1];

	open_ours();
	for (size_t i = 0; i < 6; i++) {
		struct use use = USE(nonce[i]);

		(void)nonce_of(60000000 - i * 1000000, &nonce_keys, nonce[i]);
		ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	}
	for (size_t i = 0; i < 6; i++) {
		struct use use = USE(nonce[i]);

		ck_assert_uint_eq(judge(&use, RIGHT), i < 2 ?
		    RADIUS_ACCESS_CHALLENGE : RADIUS_ACCESS_ACCEPT);
	}
}
END_TEST

START_TEST(rfc5090_nextnonce)
{
	char nonce[NONCE_TEXT_SIZE + 1], next[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);

	open_ours();
	(void)nonce_of(140000000, &nonce_keys, nonce);
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert_str_eq(value_of(107), "");
	(void)nonce_of(160000000, &nonce_keys, nonce);
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	(void)snprintf(next, sizeof(next), "%s", value_of(107));
	ck_assert_uint_eq(strlen(next), NONCE_TEXT_SIZE);
	use.nonce = next;
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	/* draft-sterman has no such attribute. */
	use.nonce = nonce;
	use.sterman = true;
	use.nc = "00000002";
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(reply.octets.n, 38);
}
END_TEST

/* Not what was asked for: asked again, without stale and without a look. */
START_TEST(other_form)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);

	open_ours();
	(void)nonce_of(0, &nonce_keys, nonce);
	if (_i == 0)
		use.qop = NULL;
	else
		use.response = MD5_HEX MD5_HEX;
	present(&use);
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
	ck_assert_str_eq(value_of(120), "");
	ck_assert_uint_eq(asked_n, 0);
	ck_assert_uint_eq(concluded, 1);
	ck_assert_int_eq(concluded_reason, REASON_MALFORMED);
}
END_TEST

START_TEST(broken_form)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);

	open_ours();
	(void)nonce_of(0, &nonce_keys, nonce);
	if (_i == 0)
		use.nc = "00000000";
	else if (_i == 1)
		use.cnonce = NULL;
	else
		use.qop = "auth-int";
	present(&use);
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_REJECT);
	ck_assert_uint_eq(asked_n, 0);
	ck_assert_uint_eq(concluded, 1);
	ck_assert_int_eq(concluded_reason, REASON_MALFORMED);
}
END_TEST

/* The realm of a nonce request: unknown, another client's, not its domain. */
START_TEST(unknown_realm)
{
	static const char *const realms[] = { "example.org", "example.net" };
	static const char *const domains[] = { "example.org" };

	if (_i == 0)
		policy_status = REALMS_UNKNOWN;
	else if (_i == 1)
		client.realms = (struct domain_list){ realms, 2 };
	else
		client.domains = (struct domain_list){ domains, 1 };
	open_ours();
	want("REGISTER", "example.com");
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_REJECT);
	ck_assert_uint_eq(concluded, 1);
	ck_assert_int_eq(concluded_verdict, VERDICT_DENY);
	ck_assert_int_eq(concluded_reason, REASON_UNKNOWN_REALM);
}
END_TEST

/* The database is away: silence, or Reject if the client wants that. */
START_TEST(no_policy)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);

	policy_status = REALMS_UNAVAILABLE;
	client.unavailable_reject = _i == 1;
	open_ours();
	(void)nonce_of(0, &nonce_keys, nonce);
	for (size_t i = 1; i <= 2; i++) {
		if (i == 1)
			want("REGISTER", NULL);
		else
			present(&use);
		if (_i == 1)
			ck_assert_uint_eq(next_reply(),
			    RADIUS_ACCESS_REJECT);
		else
			silence();
		ck_assert_uint_eq(concluded, i);
		ck_assert_int_eq(concluded_verdict, VERDICT_UNAVAILABLE);
		ck_assert_int_eq(concluded_reason, REASON_DB_DOWN);
	}
	ck_assert_uint_eq(asked_n, 0);
}
END_TEST

START_TEST(policy_comes_later)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);

	policy_later = true;
	open_ours();
	want("REGISTER", NULL);
	silence();
	realm_answers();
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
	(void)snprintf(nonce, sizeof(nonce), "%s", value_of(105));
	present(&use);
	ck_assert_uint_eq(asked_n, 0);
	/* Another datagram meanwhile, in the same buffers. */
	silence();
	realm_answers();
	ck_assert_uint_eq(asked_n, 1);
	ck_assert_str_eq(asked_name, "alice");
	ck_assert_str_eq(asked_source, "127.0.0.1");
	decide(0, RIGHT, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_ACCEPT);
	/* A reload to theirs: who waits is judged as the client was. */
	present(&use);
	client.nonce_ours = false;
	radius_door_reload(door, &settings);
	realm_answers();
	decide(1, RIGHT, "alice", "");
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_ACCEPT);
}
END_TEST

START_TEST(free_cancels_waiting)
{
	policy_later = true;
	open_ours();
	want("REGISTER", NULL);
	radius_door_free(&door);
	ck_assert_uint_eq(policies_cancelled, 1);
}
END_TEST

/* A retransmission is answered before any nonce is looked at. */
START_TEST(rfc5080_duplicate_first)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use use = USE(nonce);
	struct octets first;

	open_ours();
	want("REGISTER", NULL);
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
	first = reply_octets;
	id--;
	want("REGISTER", NULL);
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_CHALLENGE);
	ck_assert(span_equal(span_mem(first.p, first.n),
	    span_mem(reply_octets.p, reply_octets.n)));
	(void)nonce_of(0, &nonce_keys, nonce);
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	id--;
	present(&use);
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(asked_n, 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_login");
	TCase *tc = tcase_create("radius_login");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, rfc5090_challenge);
	tcase_add_test(tc, challenge_algorithm);
	tcase_add_test(tc, sterman_challenge);
	tcase_add_test(tc, right_and_wrong);
	tcase_add_loop_test(tc, stale, 0, 5);
	tcase_add_test(tc, another_nodes_nonce_once);
	tcase_add_test(tc, rfc7616_replay);
	tcase_add_test(tc, window_full);
	tcase_add_test(tc, rfc5090_nextnonce);
	tcase_add_loop_test(tc, other_form, 0, 2);
	tcase_add_loop_test(tc, broken_form, 0, 3);
	tcase_add_loop_test(tc, unknown_realm, 0, 3);
	tcase_add_loop_test(tc, no_policy, 0, 2);
	tcase_add_test(tc, policy_comes_later);
	tcase_add_test(tc, free_cancels_waiting);
	tcase_add_test(tc, rfc5080_duplicate_first);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
