/*
 * Hexadecimal: RFC 4648 section 10, every octet there and back, every octet
 * that is no digit.
 */

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "unit.h"

START_TEST(rfc4648_section_10)
{
	uint8_t out[12], back[6];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	wbuf_hex(&wb, SPAN_LIT("foobar"));
	ck_assert(!wb.failed);
	ck_assert(span_equal(wbuf_written(&wb), SPAN_LIT("666f6f626172")));
	ck_assert_int_eq(hex_decode(SPAN_LIT("666F6f626172"), back, 6), 0);
	ck_assert_int_eq(memcmp(back, "foobar", 6), 0);
}
END_TEST

START_TEST(every_octet)
{
	for (unsigned int c = 0; c < 256; c++) {
		uint8_t octet = (uint8_t)c, text[2], back;
		char want[3];
		struct wbuf wb;

		ck_assert_int_eq(snprintf(want, sizeof(want), "%02x", c), 2);
		wbuf_init(&wb, text, sizeof(text));
		wbuf_hex(&wb, span_mem(&octet, 1));
		ck_assert(span_equal(wbuf_written(&wb), span_str(want)));
		ck_assert_int_eq(hex_decode(span_str(want), &back, 1), 0);
		ck_assert_uint_eq(back, c);
		ck_assert_int_eq(snprintf(want, sizeof(want), "%02X", c), 2);
		ck_assert_int_eq(hex_decode(span_str(want), &back, 1), 0);
		ck_assert_uint_eq(back, c);
	}
}
END_TEST

START_TEST(every_other_character)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (unsigned int c = 0; c < 256; c++) {
		const uint8_t high[2] = { (uint8_t)c, '0' };
		const uint8_t low[2] = { '0', (uint8_t)c };
		bool digit = memchr(digits, (int)c, sizeof(digits) - 1) !=
		    NULL;
		uint8_t out = 0x5a;

		ck_assert_int_eq(hex_decode(span_mem(high, 2), &out, 1),
		    digit ? 0 : -ERR_FORMAT);
		if (!digit)
			ck_assert_uint_eq(out, 0);
		out = 0x5a;
		ck_assert_int_eq(hex_decode(span_mem(low, 2), &out, 1),
		    digit ? 0 : -ERR_FORMAT);
		if (!digit)
			ck_assert_uint_eq(out, 0);
	}
}
END_TEST

START_TEST(lengths)
{
	static const uint8_t zero[4];
	static const char *const bad[] = {
		"", "0", "00", "000000", "0000000", "000000000", "0000000000"
	};
	uint8_t out[4];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(out, 'z', sizeof(out));
		ck_assert_int_eq(hex_decode(span_str(bad[i]), out,
		    sizeof(out)), -ERR_FORMAT);
		ck_assert_int_eq(memcmp(out, zero, sizeof(out)), 0);
	}
	ck_assert_int_eq(hex_decode(SPAN_EMPTY, out, 0), 0);
	/* What was decoded before a bad digit goes too. */
	memset(out, 'z', sizeof(out));
	ck_assert_int_eq(hex_decode(SPAN_LIT("ffffff0x"), out, sizeof(out)),
	    -ERR_FORMAT);
	ck_assert_int_eq(memcmp(out, zero, sizeof(out)), 0);
}
END_TEST

START_TEST(writer_bounds)
{
	uint8_t out[5];
	struct wbuf wb;

	memset(out, 'z', sizeof(out));
	wbuf_init(&wb, out, sizeof(out));
	wbuf_hex(&wb, SPAN_LIT("abc"));
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 0);
	ck_assert_int_eq(memcmp(out, "zzzzz", 5), 0);
	wbuf_hex(&wb, SPAN_LIT("a"));
	ck_assert_uint_eq(wb.n, 0);
	wbuf_init(&wb, out, sizeof(out));
	wbuf_u8(&wb, '#');
	wbuf_hex(&wb, SPAN_LIT("ab"));
	ck_assert(!wb.failed);
	ck_assert(span_equal(wbuf_written(&wb), SPAN_LIT("#6162")));
	wbuf_hex(&wb, SPAN_EMPTY);
	ck_assert(!wb.failed);
	wbuf_hex(&wb, SPAN_LIT("a"));
	ck_assert(wb.failed);
	wbuf_init(&wb, NULL, 0);
	wbuf_hex(&wb, SPAN_EMPTY);
	ck_assert(!wb.failed);
	wbuf_hex(&wb, span_mem(out, SIZE_MAX));
	ck_assert(wb.failed);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("hex");
	TCase *tc = tcase_create("hex");

	tcase_add_test(tc, rfc4648_section_10);
	tcase_add_test(tc, every_octet);
	tcase_add_test(tc, every_other_character);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, writer_bounds);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
