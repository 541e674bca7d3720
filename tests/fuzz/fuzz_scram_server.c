/*
 * The server side of SCRAM. Input: an octet of flags, client-first-message, a
 * newline, client-final-message, a newline, channel-binding data. Nobody here
 * knows the password, so nothing but a denial may come out.
 */

#include <string.h>

#include "core/err.h"
#include "core/scram_server.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct crypto *crypto;
	static struct scram_server server;
	struct span rest = span_mem(data, size);
	struct scram_verifier v;
	uint8_t out[SCRAM_MESSAGE_MAX];
	struct span first, final;
	struct wbuf wb;
	uint8_t flags;

	if (size == 0)
		return 0;
	if (crypto == NULL)
		FUZZ_MUST(crypto_new(NULL, &crypto) == 0);
	flags = data[0];
	rest = span_tail(rest, 1);
	first = fuzz_line(&rest);
	final = fuzz_line(&rest);
	memset(&v, 0x5a, sizeof(v));
	v.mech = (enum scram_mech)(SCRAM_SHA_1 + (flags >> 4) % 3);
	v.iterations = SCRAM_ITERATIONS_MIN;
	v.salt_n = SCRAM_SALT_NEW;
	if (scram_server_read_first(&server, first, flags & 1, flags & 2) != 0)
		return 0;
	FUZZ_MUST(server.name_n > 0 && server.name_n <= SCRAM_NAME_MAX);
	FUZZ_MUST(server.authzid_n <= SCRAM_NAME_MAX);
	FUZZ_MUST(memchr(server.name, 0, server.name_n) == NULL);
	wbuf_init(&wb, out, sizeof(out));
	if (scram_server_first(&server, &v, SPAN_LIT("3rfcNHYJY1ZVvWVs7j"),
	    &wb) != 0)
		return 0;
	FUZZ_MUST(!wb.failed && server.nonce_n <= SCRAM_NONCE_MAX);
	wbuf_init(&wb, out, sizeof(out));
	FUZZ_MUST(scram_server_final(&server, crypto, &v, flags & 4, final,
	    rest, &wb) == VERDICT_DENY);
	FUZZ_MUST(wb.n == 0);
	return 0;
}
