/*
 * The capped writer: exact fit, one octet too many, the failure that sticks.
 */

#include <string.h>

#include "core/wbuf.h"
#include "unit.h"

START_TEST(integers)
{
	static const uint8_t want[] = {
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0xff
	};
	uint8_t out[sizeof(want)];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	wbuf_u8(&wb, 0x01);
	wbuf_u16(&wb, 0x0203);
	wbuf_u32(&wb, 0x04050607);
	wbuf_u64(&wb, UINT64_C(0x08090a0b0c0d0eff));
	ck_assert(!wb.failed);
	ck_assert(span_equal(wbuf_written(&wb), span_mem(want,
	    sizeof(want))));
	wbuf_u8(&wb, 0);
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, sizeof(want));
}
END_TEST

START_TEST(all_or_nothing)
{
	uint8_t out[8];
	struct wbuf wb;

	memset(out, 'z', sizeof(out));
	wbuf_init(&wb, out, 4);
	wbuf_str(&wb, "ab");
	wbuf_span(&wb, SPAN_LIT("cde"));
	ck_assert(wb.failed);
	ck_assert(span_equal(wbuf_written(&wb), SPAN_LIT("ab")));
	/* One that would fit comes too late. */
	wbuf_str(&wb, "c");
	wbuf_u8(&wb, 'c');
	wbuf_bytes(&wb, NULL, 0);
	wbuf_dec(&wb, 1);
	ck_assert_uint_eq(wb.n, 2);
	ck_assert_int_eq(memcmp(out, "abzzzzzz", 8), 0);
}
END_TEST

START_TEST(bounds)
{
	uint8_t out[4];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	wbuf_str(&wb, "abcd");
	ck_assert(!wb.failed);
	wbuf_span(&wb, SPAN_EMPTY);
	wbuf_str(&wb, NULL);
	ck_assert(!wb.failed);
	wbuf_init(&wb, NULL, 0);
	wbuf_bytes(&wb, NULL, 0);
	ck_assert(!wb.failed);
	wbuf_u8(&wb, 0);
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 0);
	/* A length close to SIZE_MAX must not wrap round. */
	wbuf_init(&wb, out, sizeof(out));
	wbuf_u8(&wb, 'a');
	wbuf_bytes(&wb, out, SIZE_MAX);
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 1);
	for (size_t n = 0; n < 4; n++) {
		wbuf_init(&wb, out, n);
		wbuf_u32(&wb, 1);
		ck_assert(wb.failed);
		ck_assert_uint_eq(wb.n, 0);
	}
}
END_TEST

static const struct {
	uint64_t v;
	const char *text;
} decimals[] = {
	{ 0, "0" }, { 9, "9" }, { 10, "10" }, { 4096, "4096" },
	{ UINT32_MAX, "4294967295" }, { UINT64_MAX, "18446744073709551615" }
};

START_TEST(decimal)
{
	uint8_t out[20];
	struct wbuf wb;

	wbuf_init(&wb, out, strlen(decimals[_i].text));
	wbuf_dec(&wb, decimals[_i].v);
	ck_assert(!wb.failed);
	ck_assert(span_equal(wbuf_written(&wb),
	    span_str(decimals[_i].text)));
	wbuf_init(&wb, out, strlen(decimals[_i].text) - 1);
	wbuf_dec(&wb, decimals[_i].v);
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 0);
}
END_TEST

START_TEST(wiped)
{
	static const uint8_t zero[8];
	uint8_t out[8];
	struct wbuf wb;

	memset(out, 'z', sizeof(out));
	wbuf_init(&wb, out, sizeof(out));
	wbuf_str(&wb, "secret");
	wbuf_wipe(&wb);
	ck_assert_int_eq(memcmp(out, zero, sizeof(out)), 0);
	ck_assert_uint_eq(wbuf_written(&wb).n, 0);
	wbuf_init(&wb, NULL, 0);
	wbuf_wipe(&wb);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("wbuf");
	TCase *tc = tcase_create("wbuf");

	tcase_add_test(tc, integers);
	tcase_add_test(tc, all_or_nothing);
	tcase_add_test(tc, bounds);
	tcase_add_loop_test(tc, decimal, 0,
	    sizeof(decimals) / sizeof(decimals[0]));
	tcase_add_test(tc, wiped);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
