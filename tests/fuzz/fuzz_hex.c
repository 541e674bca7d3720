/*
 * hex_decode(): exactly n octets or none; what comes out goes in again.
 */

#include "core/hex.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[64], text[128];
	struct span in = span_mem(data, size);
	struct wbuf wb;

	for (size_t n = 0; n <= sizeof(out); n++) {
		if (hex_decode(in, out, n) != 0)
			continue;
		FUZZ_MUST(size == 2 * n);
		wbuf_init(&wb, text, sizeof(text));
		wbuf_hex(&wb, span_mem(out, n));
		FUZZ_MUST(span_equal_nocase(wbuf_written(&wb), in));
	}
	return 0;
}
