/*
 * extauth_frame_parse(): views stay inside the payload and put together give
 * it back; an error leaves nothing behind.
 */

#include <string.h>

#include "doors/extauth_frame.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_mem(data, size);
	struct extauth_frame f;
	size_t word;

	if (size > EXTAUTH_PAYLOAD_MAX)
		return 0;
	memset(&f, 0xff, sizeof(f));
	if (extauth_frame_parse(in, &f) != 0) {
		FUZZ_MUST(f.command == EXTAUTH_NONE && f.user.n == 0 &&
		    f.host.n == 0 && f.secret.n == 0);
		return 0;
	}
	word = span_str(extauth_command_str(f.command)).n;
	FUZZ_MUST(span_equal(span_head(in, word),
	    span_str(extauth_command_str(f.command))));
	FUZZ_MUST(f.user.p == data + word + 1);
	FUZZ_MUST(f.host.p == f.user.p + f.user.n + 1);
	FUZZ_MUST(span_find(f.user, ':') == f.user.n);
	FUZZ_MUST(span_find(f.host, ':') == f.host.n);
	if (f.command == EXTAUTH_ISUSER || f.command == EXTAUTH_REMOVEUSER) {
		FUZZ_MUST(f.host.p + f.host.n == data + size);
		FUZZ_MUST(f.secret.n == 0);
	} else
		FUZZ_MUST(f.host.p + f.host.n + 1 + f.secret.n ==
		    data + size);
	return 0;
}
