/*
 * An exchange between two of its steps, as octets. They are sealed before a
 * peer gets them (core/token), but are read like anything that comes from
 * outside.
 */

#include "core/scram_state.h"

#include <string.h>

#include "core/err.h"
#include "core/rbuf.h"

static void
put(struct wbuf *out, const void *p, size_t n)
{
	wbuf_u16(out, (uint16_t)n);
	wbuf_bytes(out, p, n);
}

void
scram_state_write(const struct scram_server *server, struct wbuf *out)
{
	wbuf_u8(out, (uint8_t)server->cb_flag);
	put(out, server->cb_type, span_str(server->cb_type).n);
	put(out, server->name, server->name_n);
	put(out, server->authzid, server->authzid_n);
	put(out, server->gs2, server->gs2_n);
	put(out, server->nonce, server->nonce_n);
	put(out, server->bare, server->bare_n);
	put(out, server->first, server->first_n);
}

static size_t
take(struct rbuf *rb, void *p, size_t max)
{
	struct span s = rbuf_lp16(rb, max);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return s.n;
}

int
scram_state_read(struct span in, struct scram_server *server)
{
	struct rbuf rb;
	uint8_t flag;

	memset(server, 0, sizeof(*server));
	rbuf_init(&rb, in.p, in.n);
	flag = rbuf_u8(&rb);
	if (flag > SCRAM_CB_USED)
		return -ERR_FORMAT;
	server->cb_flag = (enum scram_cb_flag)flag;
	(void)take(&rb, server->cb_type, sizeof(server->cb_type) - 1);
	server->name_n = take(&rb, server->name, sizeof(server->name));
	server->authzid_n = take(&rb, server->authzid,
	    sizeof(server->authzid));
	server->gs2_n = take(&rb, server->gs2, sizeof(server->gs2));
	server->nonce_n = take(&rb, server->nonce, sizeof(server->nonce));
	server->bare_n = take(&rb, server->bare, sizeof(server->bare));
	server->first_n = take(&rb, server->first, sizeof(server->first));
	return rbuf_done(&rb) ? 0 : -ERR_FORMAT;
}
