#ifndef ONECRED_FUZZ_H
#define ONECRED_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/span.h"

/*
 * Fuzz targets: one fuzz_<stem>.c per parser of untrusted octets, its first
 * inputs in <stem>/, one file each. `make fuzz FUZZ_SECONDS=60` builds all of
 * them with clang, AddressSanitizer and UBSan and runs each for that long. One
 * alone, after that, or on an input that it found:
 *
 *	build/fuzz/tests/fuzz/fuzz_verify tests/fuzz/verify
 *	build/fuzz/tests/fuzz/fuzz_verify build/fuzz/found/fuzz_verify-crash-...
 *
 * Besides crashes they look for broken promises of the headers: FUZZ_MUST().
 */
int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MUST(condition)	do {	\
	if (!(condition))		\
		abort();		\
} while (0)

/* Takes one line (without its end) off the front of rest. */
static inline struct span
fuzz_line(struct span *rest)
{
	size_t end = span_find(*rest, '\n');
	struct span line = span_head(*rest, end);

	*rest = span_tail(*rest, end + 1);
	return line;
}

#endif
