/*
 * scram_parse(): what it accepts is the one spelling of its verifier.
 */

#include "core/scram.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_mem(data, size);
	struct scram_verifier v;
	uint8_t text[SCRAM_TEXT_MAX];
	struct wbuf wb;

	(void)scram_mech_parse(in);
	if (scram_parse(in, &v) != 0)
		return 0;
	FUZZ_MUST(v.iterations >= SCRAM_ITERATIONS_MIN &&
	    v.iterations <= SCRAM_ITERATIONS_MAX);
	FUZZ_MUST(v.salt_n > 0 && v.salt_n <= SCRAM_SALT_MAX);
	wbuf_init(&wb, text, sizeof(text));
	scram_format(&v, &wb);
	FUZZ_MUST(!wb.failed && span_equal(wbuf_written(&wb), in));
	return 0;
}
