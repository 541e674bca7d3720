/*
 * UTF-8, RFC 3629: the table of section 3, and each way to break it.
 */

#include "core/err.h"
#include "core/utf8.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	uint32_t	 c;
	const char	*text;
} good[] = {
	{ 1, "\x01" }, { 'A', "A" }, { 0x7f, "\x7f" },
	{ 0x80, "\xc2\x80" }, { 0x7ff, "\xdf\xbf" },
	{ 0x800, "\xe0\xa0\x80" }, { 0xd7ff, "\xed\x9f\xbf" },
	{ 0xe000, "\xee\x80\x80" }, { 0xffff, "\xef\xbf\xbf" },
	{ 0x10000, "\xf0\x90\x80\x80" }, { 0x1f600, "\xf0\x9f\x98\x80" },
	{ 0x10ffff, "\xf4\x8f\xbf\xbf" }
};

START_TEST(rfc3629_section_3)
{
	struct span text = span_str(good[_i].text);
	uint8_t out[8];
	struct wbuf wb;
	uint32_t c;

	ck_assert_int_eq(utf8_take(&text, &c), 0);
	ck_assert_uint_eq(c, good[_i].c);
	ck_assert_uint_eq(text.n, 0);
	wbuf_init(&wb, out, sizeof(out));
	wbuf_utf8(&wb, c);
	ck_assert(span_equal(wbuf_written(&wb), span_str(good[_i].text)));
}
END_TEST

START_TEST(rfc3629_truncated)
{
	struct span whole = span_str(good[_i].text);
	uint32_t c;

	for (size_t n = 0; n < whole.n; n++) {
		struct span text = span_head(whole, n);

		ck_assert_int_eq(utf8_take(&text, &c), -ERR_FORMAT);
		ck_assert_uint_eq(text.n, n);
		ck_assert_uint_eq(c, 0);
	}
}
END_TEST

static const char *const bad[] = {
	"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
	"\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
	"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
	"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
	"\xc2" "A", "\xe2\x82" "A", "\xe2" "A\x82", "\xf0\x9f\x98" "A",
	"\xc2\xc2", "\xe2\x82\xe2"
};

START_TEST(rfc3629_refused)
{
	struct span text = span_str(bad[_i]);
	size_t n = text.n;
	uint32_t c = 7;

	ck_assert_int_eq(utf8_take(&text, &c), -ERR_FORMAT);
	ck_assert_uint_eq(c, 0);
	ck_assert_uint_eq(text.n, n);
}
END_TEST

START_TEST(nul_is_a_character)
{
	struct span text = span_mem("\0A", 2);
	uint32_t c = 7;

	ck_assert_int_eq(utf8_take(&text, &c), 0);
	ck_assert_uint_eq(c, 0);
	ck_assert_uint_eq(text.n, 1);
}
END_TEST

/* All scalar values there and back; nothing else is written. */
START_TEST(round_trip)
{
	for (uint32_t c = 0; c < 0x110100; c++) {
		bool scalar = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
		uint8_t out[4];
		struct wbuf wb;
		struct span text;
		uint32_t back;

		wbuf_init(&wb, out, sizeof(out));
		wbuf_utf8(&wb, c);
		if (wb.failed != !scalar)
			ck_abort_msg("U+%04X", c);
		text = wbuf_written(&wb);
		if (scalar && (utf8_take(&text, &back) != 0 || back != c ||
		    text.n != 0))
			ck_abort_msg("U+%04X", c);
	}
}
END_TEST

START_TEST(full_buffer)
{
	uint8_t out[3];
	struct wbuf wb;

	wbuf_init(&wb, out, sizeof(out));
	wbuf_utf8(&wb, 0x1f600);
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("utf8");
	TCase *tc = tcase_create("utf8");

	tcase_add_loop_test(tc, rfc3629_section_3, 0, COUNT(good));
	tcase_add_loop_test(tc, rfc3629_truncated, 0, COUNT(good));
	tcase_add_loop_test(tc, rfc3629_refused, 0, COUNT(bad));
	tcase_add_test(tc, nul_is_a_character);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, full_buffer);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
