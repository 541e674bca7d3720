/*
 * Base64: RFC 4648 section 10 vectors, and everything that is not canonical.
 */

#include <string.h>

#include "core/base64.h"
#include "core/err.h"
#include "unit.h"

static const struct {
	const char *plain, *text;
} vectors[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }
};

START_TEST(rfc4648_section_10)
{
	uint8_t out[16];
	struct wbuf wb;
	size_t n;

	wbuf_init(&wb, out, sizeof(out));
	wbuf_base64(&wb, span_str(vectors[_i].plain));
	ck_assert(!wb.failed);
	ck_assert(span_equal(wbuf_written(&wb), span_str(vectors[_i].text)));
	ck_assert_int_eq(base64_decode(span_str(vectors[_i].text), out,
	    strlen(vectors[_i].plain), &n), 0);
	ck_assert(span_equal(span_mem(out, n), span_str(vectors[_i].plain)));
}
END_TEST

static const char *const bad[] = {
	"Zg=", "Zg", "Z", "Zh==", "Zm9=", "Zg==Zg==", "====", "=g==", "Zg=a",
	"Zm9v\n", " Zg==", "Zm9\x80", "Zm-_", "Z===", "Zm9vYmFy===="
};

START_TEST(refused)
{
	uint8_t out[16];
	size_t n = 7;

	ck_assert_int_eq(base64_decode(span_str(bad[_i]), out, sizeof(out),
	    &n), -ERR_FORMAT);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(bounds)
{
	uint8_t out[3];
	struct wbuf wb;
	size_t n;

	ck_assert_int_eq(base64_decode(SPAN_LIT("Zm9vYg=="), out, 3, &n),
	    -ERR_TOO_LONG);
	wbuf_init(&wb, out, sizeof(out));
	wbuf_base64(&wb, SPAN_LIT("f"));
	ck_assert(wb.failed);
	ck_assert_uint_eq(wb.n, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("base64");
	TCase *tc = tcase_create("base64");

	tcase_add_loop_test(tc, rfc4648_section_10, 0,
	    sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_loop_test(tc, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, bounds);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
