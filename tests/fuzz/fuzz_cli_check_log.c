/*
 * check_log_feed(): whatever the log holds and however it is cut into pieces,
 * the same lines are kept, as words that can be printed.
 */

#include <stdio.h>
#include <string.h>

#include "cli/cli_check_log.h"
#include "fuzz.h"

static struct check_realm realm;
static struct check_account account = { .realms = &realm, .realm_count = 1 };
static struct check_log whole, pieces;

static void
printable(const char *field)
{
	FUZZ_MUST(memchr(field, '\0', CHECK_FIELD_MAX) != NULL);
	for (; *field != '\0'; field++)
		FUZZ_MUST(*field > ' ' && *field < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size == 0 ? 1 : data[0] % 64u + 1;

	(void)snprintf(realm.row.realm, sizeof(realm.row.realm),
	    "sip.example");
	(void)snprintf(account.presented.account.localpart, LOCALPART_MAX,
	    "alice");
	(void)snprintf(account.presented.account.domain, DOMAIN_MAX,
	    "example.com");
	memset(&whole, 0, sizeof(whole));
	memset(&pieces, 0, sizeof(pieces));
	check_log_feed(&whole, &account, span_mem(data, size));
	for (size_t i = 0; i < size; i += step)
		check_log_feed(&pieces, &account, span_mem(data + i,
		    size - i < step ? size - i : step));
	FUZZ_MUST(whole.count == pieces.count);
	FUZZ_MUST(whole.count <= CHECK_REFUSALS_MAX);
	for (size_t i = 0; i < whole.count; i++) {
		const struct check_refusal *r = check_log_at(&whole, i);

		FUZZ_MUST(memcmp(r, check_log_at(&pieces, i),
		    sizeof(*r)) == 0);
		printable(r->time);
		printable(r->door);
		printable(r->realm);
		printable(r->mech);
		printable(r->verdict);
		printable(r->reason);
		printable(r->source);
	}
	return 0;
}
