#ifndef ONECRED_SCRAM_CLIENT_H
#define ONECRED_SCRAM_CLIENT_H

/*
 * The client's side of SCRAM (RFC 5802 section 3) over OpenSSL, nothing of
 * ours in it but base64. Include it in one file of a test program.
 */

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base64.h"
#include "core/scram_server.h"

struct scram_client {
	const char	*password;
	const char	*gs2;		/* "n,,"; "p=tls-exporter,," */
	struct span	 cb_data;
	const EVP_MD	*md;
	char		 bare[512];
	char		 first[SCRAM_MESSAGE_MAX + 1];
	char		 final[SCRAM_MESSAGE_MAX + 1];
	char		 expected[192];	/* server-final-message */
};

static void
client_mac(const EVP_MD *md, const void *key, size_t key_n, const char *text,
    uint8_t *out)
{
	unsigned int n;

	HMAC(md, key, (int)key_n, (const unsigned char *)text, strlen(text),
	    out, &n);
}

static void
client_base64(struct span s, char *out, size_t cap)
{
	struct wbuf wb;

	wbuf_init(&wb, out, cap - 1);
	wbuf_base64(&wb, s);
	out[wb.n] = '\0';
}

/* Begins; name as it stands in the message, escaped. */
static void
client_first(struct scram_client *c, enum scram_mech mech, const char *name,
    const char *password, const char *gs2, struct span cb_data)
{
	memset(c, 0, sizeof(*c));
	c->md = mech == SCRAM_SHA_1 ? EVP_sha1() : mech == SCRAM_SHA_256 ?
	    EVP_sha256() : EVP_sha512();
	c->password = password;
	c->gs2 = gs2;
	c->cb_data = cb_data;
	(void)snprintf(c->bare, sizeof(c->bare),
	    "n=%s,r=fyko+d2lbbFgONRv9qkxdawL", name);
	(void)snprintf(c->first, sizeof(c->first), "%s%s", gs2, c->bare);
}

/* Answers server-first-message. False if that is none. */
static bool
client_final(struct scram_client *c, struct span challenge)
{
	char server_first[SCRAM_MESSAGE_MAX + 1], nonce[512], salt64[128];
	char bound[512], bound64[1024], text[3 * SCRAM_MESSAGE_MAX], b64[128];
	uint8_t salted[64], key[64], stored[64], mac[64], salt[128];
	unsigned int iterations, n;
	size_t salt_n, size = (size_t)EVP_MD_get_size(c->md), gs2_n;

	if (span_copy_str(challenge, server_first,
	    sizeof(server_first)) != 0 || sscanf(server_first,
	    "r=%511[^,],s=%127[^,],i=%u", nonce, salt64, &iterations) != 3 ||
	    strncmp(nonce, "fyko+d2lbbFgONRv9qkxdawL", 24) != 0 ||
	    base64_decode(span_str(salt64), salt, sizeof(salt),
	    &salt_n) != 0)
		return false;
	PKCS5_PBKDF2_HMAC(c->password, (int)strlen(c->password), salt,
	    (int)salt_n, (int)iterations, c->md, (int)size, salted);
	gs2_n = strlen(c->gs2);
	memcpy(bound, c->gs2, gs2_n);
	if (c->cb_data.n > 0)
		memcpy(bound + gs2_n, c->cb_data.p, c->cb_data.n);
	client_base64(span_mem(bound, gs2_n + c->cb_data.n), bound64,
	    sizeof(bound64));
	(void)snprintf(c->final, sizeof(c->final), "c=%s,r=%s", bound64,
	    nonce);
	(void)snprintf(text, sizeof(text), "%s,%s,%s", c->bare, server_first,
	    c->final);
	client_mac(c->md, salted, size, "Client Key", key);
	EVP_Digest(key, size, stored, &n, c->md, NULL);
	client_mac(c->md, stored, size, text, mac);
	for (size_t i = 0; i < size; i++)
		key[i] ^= mac[i];
	client_base64(span_mem(key, size), b64, sizeof(b64));
	(void)snprintf(c->final + strlen(c->final), sizeof(c->final) -
	    strlen(c->final), ",p=%s", b64);
	client_mac(c->md, salted, size, "Server Key", key);
	client_mac(c->md, key, size, text, mac);
	client_base64(span_mem(mac, size), b64, sizeof(b64));
	(void)snprintf(c->expected, sizeof(c->expected), "v=%s", b64);
	return true;
}

#endif
