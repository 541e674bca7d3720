/*
 * base64_decode(): what it accepts is the one spelling of its octets.
 */

#include "core/base64.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[512], text[BASE64_SIZE(sizeof(out))];
	struct span in = span_mem(data, size);
	struct wbuf wb;
	size_t n, less;

	if (base64_decode(in, out, sizeof(out), &n) != 0) {
		FUZZ_MUST(n == 0);
		return 0;
	}
	wbuf_init(&wb, text, sizeof(text));
	wbuf_base64(&wb, span_mem(out, n));
	FUZZ_MUST(!wb.failed && span_equal(wbuf_written(&wb), in));
	FUZZ_MUST(n == 0 || base64_decode(in, out, n - 1, &less) != 0);
	return 0;
}
