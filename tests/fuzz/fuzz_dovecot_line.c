/*
 * dovecot_line_parse(): views stay inside the line, an error leaves nothing
 * behind, and the head of a line has the id that the whole line has.
 */

#include <string.h>

#include "doors/dovecot_line.h"
#include "fuzz.h"

static void
inside(struct span in, struct span s)
{
	FUZZ_MUST(s.n == 0 || (s.p >= in.p && s.p + s.n <= in.p + in.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_mem(data, size);
	struct dovecot_line line, zero;
	uint32_t id = 0;
	bool head;

	memset(&zero, 0, sizeof(zero));
	memset(&line, 0xff, sizeof(line));
	head = dovecot_line_id(in, &id);
	if (dovecot_line_parse(in, &line) != 0) {
		FUZZ_MUST(memcmp(&line, &zero, sizeof(line)) == 0);
		return 0;
	}
	FUZZ_MUST(size <= DOVECOT_LINE_MAX);
	inside(in, line.mech);
	inside(in, line.service);
	inside(in, line.source);
	inside(in, line.resp);
	FUZZ_MUST(span_find(line.mech, '\t') == line.mech.n);
	FUZZ_MUST(span_find(line.service, '\t') == line.service.n);
	FUZZ_MUST(line.has_resp || line.resp.n == 0);
	FUZZ_MUST((line.command == DOVECOT_AUTH) == (line.mech.n > 0));
	if (head)
		FUZZ_MUST((line.command == DOVECOT_AUTH ||
		    line.command == DOVECOT_CONT) && line.id == id);
	return 0;
}
