#ifndef ONECRED_SIP_PHONE_H
#define ONECRED_SIP_PHONE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/span.h"
#include "core/wbuf.h"

/*
 * Phones that log in: requests of the size and shape of real ones, with a
 * right digest over the last challenge. For benches only; a header, because
 * each bench is one file.
 */
#define SIP_PHONE_NONCE	128	/* octets of somebody's nonce, with NUL */
#define SIP_PHONE_REQUEST 2048

struct sip_phone {
	char		name[32], call[40];	/* call: Call-ID and branch */
	uint8_t		ha1[DIGEST_SIZE_MAX];
	char		nonce[SIP_PHONE_NONCE];	/* "": not challenged yet */
	uint32_t	nc, cseq;
};

/* What all phones of a run have in common. */
struct sip_phones {
	struct crypto	*crypto;
	const char	*realm, *prefix;	/* users are PREFIX0.. */
	struct span	 password;
	bool		 invite;		/* else REGISTER */
};

static inline int
sip_phone_init(const struct sip_phones *all, size_t number,
    struct sip_phone *phone)
{
	memset(phone, 0, sizeof(*phone));
	(void)snprintf(phone->name, sizeof(phone->name), "%s%zu", all->prefix,
	    number);
	return digest_ha1(all->crypto, DIGEST_MD5, span_str(phone->name),
	    span_str(all->realm), all->password, phone->ha1);
}

/* The credentials row, by the next nc. */
static inline int
sip_phone_prove(const struct sip_phones *all, struct sip_phone *phone,
    const char *uri, struct wbuf *out)
{
	uint8_t response[DIGEST_HEX_MAX];
	char nc[16], row[640];
	struct digest_params p = {
		.alg = DIGEST_MD5, .username = span_str(phone->name),
		.realm = span_str(all->realm),
		.nonce = span_str(phone->nonce), .uri = span_str(uri),
		.method = span_str(all->invite ? "INVITE" : "REGISTER"),
		.qop = SPAN_LIT("auth"), .cnonce = SPAN_LIT("488b65b08723")
	};
	int rc;

	(void)snprintf(nc, sizeof(nc), "%08x", ++phone->nc);
	p.nc = span_str(nc);
	rc = digest_response(all->crypto, phone->ha1, &p, response);
	if (rc != 0)
		return rc;
	(void)snprintf(row, sizeof(row), "%sAuthorization: Digest "
	    "username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
	    "response=\"%.32s\", algorithm=MD5, cnonce=\"488b65b08723\", "
	    "qop=auth, nc=%s\r\n", all->invite ? "Proxy-" : "", phone->name,
	    all->realm, phone->nonce, uri, (const char *)response, nc);
	wbuf_str(out, row);
	return 0;
}

/*
 * Writes the phone's next request; serial makes its call another one. Without
 * a nonce it carries no credentials. 0 or an error of the crypto library.
 */
static inline int
sip_phone_write(const struct sip_phones *all, struct sip_phone *phone,
    uint64_t serial, unsigned int port, struct wbuf *out)
{
	static const char body[] = "v=0\r\no=- 3904 1 IN IP4 192.0.2.7\r\n"
	    "s=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
	    "m=audio 10020 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n"
	    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
	    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
	const char *method = all->invite ? "INVITE" : "REGISTER";
	char uri[128], text[1024];
	int rc = 0;

	(void)snprintf(phone->call, sizeof(phone->call), "z9hG4bK%016llx",
	    (unsigned long long)serial);
	(void)snprintf(uri, sizeof(uri), "sip:%s%s", all->invite ? "bob@" : "",
	    all->realm);
	(void)snprintf(text, sizeof(text), "%s %s SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=%s\r\n"
	    "Max-Forwards: 70\r\n"
	    "From: \"Bench\" <sip:%s@%s>;tag=%08x\r\n"
	    "To: <sip:%s@%s>\r\n"
	    "Call-ID: %s\r\nCSeq: %u %s\r\n"
	    "Contact: <sip:%s@127.0.0.1:%u;transport=udp>\r\n"
	    "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,INFO,UPDATE\r\n"
	    "User-Agent: onecred bench\r\n", method, uri, port, phone->call,
	    phone->name, all->realm, (unsigned int)serial,
	    all->invite ? "bob" : phone->name, all->realm, phone->call,
	    ++phone->cseq, method, phone->name, port);
	wbuf_str(out, text);
	if (phone->nonce[0] != '\0')
		rc = sip_phone_prove(all, phone, uri, out);
	if (all->invite)
		(void)snprintf(text, sizeof(text), "Content-Type: "
		    "application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		    sizeof(body) - 1, body);
	else
		(void)snprintf(text, sizeof(text), "Expires: 3600\r\n"
		    "Content-Length: 0\r\n\r\n");
	wbuf_str(out, text);
	return rc;
}

/*
 * Takes the nonce of a challenge within text (JSON's \" too); false: there is
 * none.
 */
static inline bool
sip_phone_challenged(struct sip_phone *phone, const char *text)
{
	const char *at = strstr(text, "nonce=");
	size_t n;

	if (at == NULL)
		return false;
	at += sizeof("nonce=") - 1;
	at += strspn(at, "\\\"");
	n = strcspn(at, "\\\"");
	if (n == 0 || n >= sizeof(phone->nonce))
		return false;
	memcpy(phone->nonce, at, n);
	phone->nonce[n] = '\0';
	phone->nc = 0;
	return true;
}

#endif
