/*
 * Payloads of ejabberd's external authentication protocol:
 *
 *	auth:USER:HOST:PASSWORD		isuser:USER:HOST
 *	setpass:USER:HOST:PASSWORD	removeuser:USER:HOST
 *	tryregister:USER:HOST:PASSWORD	removeuser3:USER:HOST:PASSWORD
 *	certauth:USER:HOST:CERT
 *
 * USER and HOST cannot contain ':', the last field can. Pure; total; judges
 * the form only, never whether a name or password is good.
 */

#include "doors/extauth_frame.h"

#include <stdbool.h>

#include "core/err.h"
#include "core/rbuf.h"

static const struct {
	const char		*word;
	bool			 secret;	/* has a fourth field */
} commands[] = {
	[EXTAUTH_NONE] = { "unknown", false },
	[EXTAUTH_AUTH] = { "auth", true },
	[EXTAUTH_ISUSER] = { "isuser", false },
	[EXTAUTH_SETPASS] = { "setpass", true },
	[EXTAUTH_TRYREGISTER] = { "tryregister", true },
	[EXTAUTH_REMOVEUSER] = { "removeuser", false },
	[EXTAUTH_REMOVEUSER3] = { "removeuser3", true },
	[EXTAUTH_CERTAUTH] = { "certauth", true }
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

int
extauth_frame_parse(struct span payload, struct extauth_frame *frame)
{
	struct extauth_frame f = { EXTAUTH_NONE, SPAN_EMPTY, SPAN_EMPTY,
	    SPAN_EMPTY };
	struct rbuf rb;
	struct span word;

	*frame = f;
	rbuf_init(&rb, payload.p, payload.n);
	word = rbuf_until(&rb, ':', EXTAUTH_PAYLOAD_MAX);
	if (rb.failed)
		return -ERR_FORMAT;
	for (size_t i = EXTAUTH_AUTH; i < COMMANDS; i++)
		if (span_equal(word, span_str(commands[i].word)))
			f.command = (enum extauth_command)i;
	if (f.command == EXTAUTH_NONE)
		return -ERR_UNSUPPORTED;
	f.user = rbuf_until(&rb, ':', EXTAUTH_PAYLOAD_MAX);
	if (commands[f.command].secret) {
		f.host = rbuf_until(&rb, ':', EXTAUTH_PAYLOAD_MAX);
		f.secret = rbuf_rest(&rb, EXTAUTH_PAYLOAD_MAX);
	} else {
		f.host = rbuf_rest(&rb, EXTAUTH_PAYLOAD_MAX);
		if (span_find(f.host, ':') != f.host.n)
			return -ERR_FORMAT;
	}
	if (!rbuf_done(&rb))
		return -ERR_FORMAT;
	*frame = f;
	return 0;
}

const char *
extauth_command_str(enum extauth_command command)
{
	return (size_t)command < COMMANDS ? commands[command].word :
	    commands[EXTAUTH_NONE].word;
}
