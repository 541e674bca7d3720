/*
 * Access-Requests in the RADIUS door with nonce = theirs: what is remembered
 * of what was accepted, and clients that change between the two by a reload.
 */

#include "radius_digests.h"

/* A client that makes its own nonces is told how to get some of ours. */
START_TEST(nonce_wanted_from_theirs)
{
	open_door(INADDR_LOOPBACK);
	for (int i = 0; i < 3; i++) {
		want("REGISTER", NULL);
		ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_REJECT);
	}
	ck_assert_uint_eq(asked_n, 0);
	ck_assert_uint_eq(concluded, 3);
	ck_assert_ptr_nonnull(strstr(lines, "nonce = ours"));
	ck_assert_ptr_eq(strstr(lines, "nonce = ours"),
	    strstr(strstr(lines, "nonce = ours"), "nonce = ours"));
}
END_TEST

START_TEST(theirs_remembers)
{
	struct use use = USE("bm9uY2UtMDAwMQ"), other = use;
	int fd;

	open_door(INADDR_LOOPBACK);
	ck_assert_uint_eq(judge(&use, WRONG), RADIUS_ACCESS_REJECT);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	/* The next proxy, or the same one from another port. */
	fd = wire;
	wire = client_socket();
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	(void)close(fd);
	/* Another session under the same count, then under its own. */
	other.method = "INVITE";
	other.response = "b181fb0912db07246ec0da143eda7c99";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_REJECT);
	ck_assert_uint_eq(reply.octets.n, 38);
	other.nc = "00000002";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_ACCEPT);
	/* Kamailio gives one nonce to all clients of a second. */
	other.nc = "00000001";
	other.cnonce = "f00";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_ACCEPT);
	/* The encoding is no part of it. */
	use.sterman = true;
	ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(concluded, 0);
}
END_TEST

/* RFC 2069 has no counts: INVITE and BYE over one nonce, each its response. */
START_TEST(theirs_without_qop)
{
	struct use use = {
		.nonce = "bm9uY2UtMDAwMQ", .response = MD5_HEX,
		.method = "INVITE"
	}, bye = use;

	open_door(INADDR_LOOPBACK);
	bye.method = "BYE";
	bye.response = "b181fb0912db07246ec0da143eda7c99";
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(judge(&use, RIGHT), RADIUS_ACCESS_ACCEPT);
		ck_assert_uint_eq(judge(&bye, RIGHT), RADIUS_ACCESS_ACCEPT);
	}
}
END_TEST

/* Older than nonce_lifetime, though it comes as itself. */
START_TEST(theirs_too_old)
{
	struct use use[2] = { USE("bm9uY2UtMDAwMQ"), USE("bm9uY2UtMDAwMg") };

	window.lifetime_us = 1000;
	use[1].qop = use[1].nc = use[1].cnonce = NULL;
	open_door(INADDR_LOOPBACK);
	for (size_t i = 0; i < 2; i++) {
		uint64_t start = now_us();

		ck_assert_uint_eq(judge(&use[i], RIGHT),
		    RADIUS_ACCESS_ACCEPT);
		while (now_us() - start < 5000)
			;
		ck_assert_uint_eq(judge(&use[i], RIGHT),
		    RADIUS_ACCESS_REJECT);
	}
}
END_TEST

/* Both ways round, and what was remembered stays. */
START_TEST(reload_switches)
{
	char nonce[NONCE_TEXT_SIZE + 1];
	struct use theirs = USE("bm9uY2UtMDAwMQ"), ours = USE(nonce), other;

	open_door(INADDR_LOOPBACK);
	(void)nonce_of(0, &nonce_keys, nonce);
	ck_assert_uint_eq(judge(&theirs, RIGHT), RADIUS_ACCESS_ACCEPT);
	client.nonce_ours = true;
	radius_door_reload(door, &settings);
	ck_assert_uint_eq(judge(&theirs, RIGHT), RADIUS_ACCESS_CHALLENGE);
	ck_assert_uint_eq(judge(&ours, RIGHT), RADIUS_ACCESS_ACCEPT);
	client.nonce_ours = false;
	radius_door_reload(door, &settings);
	ck_assert_uint_eq(judge(&theirs, RIGHT), RADIUS_ACCESS_ACCEPT);
	other = theirs;
	other.response = "b181fb0912db07246ec0da143eda7c99";
	ck_assert_uint_eq(judge(&other, RIGHT), RADIUS_ACCESS_REJECT);
	want("REGISTER", NULL);
	ck_assert_uint_eq(next_reply(), RADIUS_ACCESS_REJECT);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_theirs");
	TCase *tc = tcase_create("radius_theirs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nonce_wanted_from_theirs);
	tcase_add_test(tc, theirs_remembers);
	tcase_add_test(tc, theirs_without_qop);
	tcase_add_test(tc, theirs_too_old);
	tcase_add_test(tc, reload_switches);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
