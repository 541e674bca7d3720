#ifndef ONECRED_SCRAM_STATE_H
#define ONECRED_SCRAM_STATE_H

#include "core/scram_server.h"
#include "core/span.h"
#include "core/wbuf.h"

/* Octets of the longest state: four messages, names, counts. */
#define SCRAM_STATE_MAX	(3 * SCRAM_MESSAGE_MAX + SCRAM_NONCE_MAX + \
	    2 * SCRAM_NAME_MAX + 64)

/* Writes what scram_server_final() needs; out fails if it does not fit. */
void	scram_state_write(const struct scram_server *server, struct wbuf *out);

/* Reads it back. -ERR_FORMAT: not what was written. */
int	scram_state_read(struct span in, struct scram_server *server)
	    __attribute__((warn_unused_result));

#endif
