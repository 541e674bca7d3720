#ifndef ONECRED_SCRAM_SERVER_H
#define ONECRED_SCRAM_SERVER_H

#include "core/scram.h"

/*
 * The server side of one exchange (RFC 5802 section 7), as two pure steps over
 * messages. The state is a plain struct that the caller may keep, seal into a
 * token or throw away: scram_server_read_first, (lookup of the verifier),
 * scram_server_first, scram_server_final.
 */
#define SCRAM_NAME_MAX		255	/* octets, decoded */
#define SCRAM_NONCE_MAX		256	/* octets, client and server together */
#define SCRAM_MESSAGE_MAX	2048	/* octets of any one message */
#define SCRAM_CB_MAX		256	/* octets of channel-binding data */

enum scram_cb_flag {
	SCRAM_CB_NONE = 0,	/* "n": client has no channel binding */
	SCRAM_CB_UNUSED,	/* "y": client thinks the server has none */
	SCRAM_CB_USED		/* "p=type" */
};

struct scram_server {
	enum scram_cb_flag cb_flag;
	char		cb_type[32];		/* "tls-exporter" or "" */
	size_t		name_n, authzid_n;
	uint8_t		name[SCRAM_NAME_MAX];	/* decoded, not prepared */
	uint8_t		authzid[SCRAM_NAME_MAX];
	size_t		gs2_n, nonce_n, bare_n, first_n;
	uint8_t		gs2[SCRAM_MESSAGE_MAX];	 /* header as received */
	uint8_t		nonce[SCRAM_NONCE_MAX];	 /* client's, then all of it */
	uint8_t		bare[SCRAM_MESSAGE_MAX]; /* client-first-message-bare */
	uint8_t		first[SCRAM_MESSAGE_MAX];/* our server-first-message */
};

/*
 * Reads client-first-message. plus: the mechanism negotiated is the -PLUS
 * one (then "p=" is required); plus_offered: the server offered -PLUS at all
 * (then "y" is a downgrade and refused). 0, -ERR_FORMAT, -ERR_TOO_LONG,
 * -ERR_CHARACTER or -ERR_UNSUPPORTED (mandatory extension "m=", downgrade).
 */
int	scram_server_read_first(struct scram_server *server,
	    struct span message, bool plus, bool plus_offered)
	    __attribute__((warn_unused_result));

/*
 * Appends server_nonce (printable ASCII without ',') to the nonce and writes
 * server-first-message for the verifier (or its fake) to out.
 */
int	scram_server_first(struct scram_server *server,
	    const struct scram_verifier *verifier, struct span server_nonce,
	    struct wbuf *out) __attribute__((warn_unused_result));

/*
 * Checks client-final-message; cb_data is the binding data of the type that
 * the client named (empty without channel binding). ALLOW: server-final-
 * message ("v=...") is in out. DENY: proof, nonce or binding wrong, or
 * message malformed. UNAVAILABLE: the cryptographic library failed. doomed:
 * the verifier is a fake; the work is done in full, the answer is DENY.
 */
enum verdict scram_server_final(struct scram_server *server,
	    struct crypto *crypto, const struct scram_verifier *verifier,
	    bool doomed, struct span message, struct span cb_data,
	    struct wbuf *out);

#endif
