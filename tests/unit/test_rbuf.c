/*
 * The bounded reader: each read at, before and beyond the end, and the error
 * that sticks.
 */

#include <string.h>

#include "core/rbuf.h"
#include "unit.h"

static const uint8_t octets[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff
};

START_TEST(integers)
{
	struct rbuf rb;

	rbuf_init(&rb, octets, sizeof(octets));
	ck_assert_uint_eq(rbuf_u64(&rb), UINT64_C(0x0102030405060708));
	ck_assert_uint_eq(rbuf_u32(&rb), 0xf9fafbfc);
	ck_assert_uint_eq(rbuf_u16(&rb), 0xfdfe);
	ck_assert(!rbuf_done(&rb));
	ck_assert_uint_eq(rbuf_u8(&rb), 0xff);
	ck_assert(rbuf_done(&rb));
	ck_assert_uint_eq(rbuf_u8(&rb), 0);
	ck_assert(rb.failed);
	ck_assert(!rbuf_done(&rb));
}
END_TEST

/* An integer that does not fit entirely is not read in part. */
START_TEST(integers_truncated)
{
	struct rbuf rb;

	for (size_t n = 0; n < 8; n++) {
		rbuf_init(&rb, octets, n);
		ck_assert_uint_eq(rbuf_u64(&rb), 0);
		ck_assert(rb.failed);
		ck_assert_uint_eq(rb.left, n);
		if (n < 4) {
			rbuf_init(&rb, octets, n);
			ck_assert_uint_eq(rbuf_u32(&rb), 0);
			ck_assert(rb.failed);
		}
		if (n < 2) {
			rbuf_init(&rb, octets, n);
			ck_assert_uint_eq(rbuf_u16(&rb), 0);
			ck_assert(rb.failed);
		}
	}
	rbuf_init(&rb, NULL, 0);
	ck_assert(rbuf_done(&rb));
	ck_assert_uint_eq(rbuf_u8(&rb), 0);
	ck_assert(rb.failed);
}
END_TEST

START_TEST(sticky)
{
	struct rbuf rb;

	rbuf_init(&rb, octets, sizeof(octets));
	ck_assert_uint_eq(rbuf_bytes(&rb, sizeof(octets) + 1).n, 0);
	/* All of these would succeed on a fresh reader. */
	ck_assert_uint_eq(rbuf_u8(&rb), 0);
	ck_assert_uint_eq(rbuf_u16(&rb), 0);
	ck_assert_uint_eq(rbuf_bytes(&rb, 1).n, 0);
	ck_assert_uint_eq(rbuf_until(&rb, 0x03, 15).n, 0);
	ck_assert_uint_eq(rbuf_rest(&rb, 15).n, 0);
	ck_assert_uint_eq(rbuf_lp16(&rb, 65535).n, 0);
	ck_assert(rb.failed);
	ck_assert_uint_eq(rb.left, sizeof(octets));
	ck_assert(!rbuf_done(&rb));
}
END_TEST

START_TEST(bytes)
{
	struct rbuf rb;
	struct span s;

	rbuf_init(&rb, octets, 3);
	s = rbuf_bytes(&rb, 0);
	ck_assert_uint_eq(s.n, 0);
	s = rbuf_bytes(&rb, 2);
	ck_assert(span_equal(s, span_mem(octets, 2)));
	/* A length close to SIZE_MAX must not wrap round. */
	s = rbuf_bytes(&rb, SIZE_MAX);
	ck_assert_uint_eq(s.n, 0);
	ck_assert(rb.failed);
}
END_TEST

static const struct {
	const char *name;
	struct span in;
	size_t max, n;
	bool ok;
} counted[] = {
	{ "empty string", { (const uint8_t *)"\0\0", 2 }, 8, 0, true },
	{ "exact", { (const uint8_t *)"\0\3abc", 5 }, 3, 3, true },
	{ "above the maximum", { (const uint8_t *)"\0\3abc", 5 }, 2, 0,
	  false },
	{ "one octet short", { (const uint8_t *)"\0\3ab", 4 }, 8, 0, false },
	{ "length alone", { (const uint8_t *)"\0\3", 2 }, 8, 0, false },
	{ "half a length", { (const uint8_t *)"\0", 1 }, 8, 0, false },
	{ "nothing", { NULL, 0 }, 8, 0, false },
	{ "65535 announced", { (const uint8_t *)"\xff\xff" "abc", 5 }, 65535,
	  0, false },
	{ "NUL inside", { (const uint8_t *)"\0\3a\0c", 5 }, 8, 3, true }
};

START_TEST(counted_string)
{
	struct rbuf rb;
	struct span s;

	rbuf_init(&rb, counted[_i].in.p, counted[_i].in.n);
	s = rbuf_lp16(&rb, counted[_i].max);
	ck_assert_msg(s.n == counted[_i].n, "%s", counted[_i].name);
	ck_assert_msg(rbuf_done(&rb) == counted[_i].ok, "%s",
	    counted[_i].name);
}
END_TEST

START_TEST(until)
{
	struct rbuf rb;

	rbuf_init(&rb, "ab::c", 5);
	ck_assert(span_equal(rbuf_until(&rb, ':', 2), SPAN_LIT("ab")));
	ck_assert_uint_eq(rbuf_until(&rb, ':', 0).n, 0);
	ck_assert(!rb.failed);
	ck_assert_uint_eq(rb.left, 1);
	/* No stop octet left. */
	ck_assert_uint_eq(rbuf_until(&rb, ':', 10).n, 0);
	ck_assert(rb.failed);

	rbuf_init(&rb, "abc:", 4);
	ck_assert_uint_eq(rbuf_until(&rb, ':', 2).n, 0);
	ck_assert(rb.failed);
	rbuf_init(&rb, "abc:", 4);
	ck_assert_uint_eq(rbuf_until(&rb, ':', 3).n, 3);
	ck_assert(rbuf_done(&rb));
	rbuf_init(&rb, NULL, 0);
	ck_assert_uint_eq(rbuf_until(&rb, ':', 3).n, 0);
	ck_assert(rb.failed);
	rbuf_init(&rb, "a\0b\0", 4);
	ck_assert_uint_eq(rbuf_until(&rb, '\0', 3).n, 1);
	ck_assert_uint_eq(rb.left, 2);
}
END_TEST

START_TEST(rest)
{
	struct rbuf rb;

	rbuf_init(&rb, "abc", 3);
	(void)rbuf_u8(&rb);
	ck_assert(span_equal(rbuf_rest(&rb, 2), SPAN_LIT("bc")));
	ck_assert(rbuf_done(&rb));
	ck_assert_uint_eq(rbuf_rest(&rb, 0).n, 0);
	ck_assert(rbuf_done(&rb));
	rbuf_init(&rb, "abc", 3);
	ck_assert_uint_eq(rbuf_rest(&rb, 2).n, 0);
	ck_assert(rb.failed);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("rbuf");
	TCase *tc = tcase_create("rbuf");

	tcase_add_test(tc, integers);
	tcase_add_test(tc, integers_truncated);
	tcase_add_test(tc, sticky);
	tcase_add_test(tc, bytes);
	tcase_add_loop_test(tc, counted_string, 0,
	    sizeof(counted) / sizeof(counted[0]));
	tcase_add_test(tc, until);
	tcase_add_test(tc, rest);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
