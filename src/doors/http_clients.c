/*
 * Who may ask the HTTP door, and for what. A client is known by its token
 * alone. No token is kept: each is hashed under a key that this process draws
 * for itself, so that comparing hashes tells nothing about tokens, and a copy
 * of the memory does not hold them. Every client is compared, every time.
 */

#include "doors/http_clients.h"

#include <stdlib.h>
#include <string.h>

#define QUOTA_PERIOD	60000		/* milliseconds */
#define OTHERS		(HTTP_SOURCES - 1)

struct http_clients {
	size_t			 references;
	size_t			 count;
	uint8_t			 key[32];
	struct http_client	 clients[];
};

static void
list_free(struct domain_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((void *)(uintptr_t)list->names[i]);
	free((void *)(uintptr_t)list->names);
	*list = (struct domain_list){ 0 };
}

static bool
list_copy(const struct domain_list *from, struct domain_list *to)
{
	const char **names;

	if (from->count == 0)
		return true;
	names = calloc(from->count, sizeof(*names));
	to->names = names;
	for (size_t i = 0; names != NULL && i < from->count; i++) {
		names[i] = strdup(from->names[i]);
		if (names[i] == NULL)
			return false;
		to->count++;
	}
	return names != NULL;
}

bool
http_list_covers(const struct domain_list *list, struct span s)
{
	for (size_t i = 0; i < list->count; i++)
		if (span_equal_nocase(span_str(list->names[i]), s))
			return true;
	return list->count == 0;
}

static bool
prove(const struct http_clients *clients, struct crypto *crypto,
    struct span token, uint8_t *proof)
{
	return crypto_hmac(crypto, HASH_SHA_256, span_mem(clients->key,
	    sizeof(clients->key)), &token, 1, proof) == 0;
}

static bool
client_copy(const struct http_clients *clients, struct crypto *crypto,
    const struct http_client_settings *from, struct http_client *to)
{
	to->rights = from->rights;
	to->name = strdup(from->name);
	return to->name != NULL &&
	    prove(clients, crypto, secret_span(&from->token), to->proof) &&
	    list_copy(&from->domains, &to->domains) &&
	    list_copy(&from->realms, &to->realms);
}

struct http_clients *
http_clients_new(struct crypto *crypto,
    const struct http_client_settings *settings, size_t count)
{
	struct http_clients *clients;

	if (count > SIZE_MAX / sizeof(clients->clients[0]) - 1)
		return NULL;
	clients = calloc(1, sizeof(*clients) +
	    count * sizeof(clients->clients[0]));	/* @UNSAFE: above */
	if (clients == NULL)
		return NULL;
	clients->references = 1;
	clients->count = count;
	if (count > 0 && crypto_random(crypto, clients->key,
	    sizeof(clients->key)) != 0)
		http_clients_unref(&clients);
	for (size_t i = 0; clients != NULL && i < count; i++)
		if (!client_copy(clients, crypto, &settings[i],
		    &clients->clients[i]))
			http_clients_unref(&clients);
	return clients;
}

struct http_clients *
http_clients_ref(struct http_clients *clients)
{
	clients->references++;
	return clients;
}

void
http_clients_unref(struct http_clients **clients)
{
	struct http_clients *c = *clients;

	*clients = NULL;
	if (c == NULL || --c->references > 0)
		return;
	for (size_t i = 0; i < c->count; i++) {
		free(c->clients[i].name);
		list_free(&c->clients[i].domains);
		list_free(&c->clients[i].realms);
		secret_wipe(c->clients[i].proof, sizeof(c->clients[i].proof));
	}
	secret_wipe(c->key, sizeof(c->key));
	free(c);
}

size_t
http_clients_count(const struct http_clients *clients)
{
	return clients->count;
}

const struct http_client *
http_clients_find(const struct http_clients *clients, struct crypto *crypto,
    struct span token)
{
	const struct http_client *found = NULL;
	uint8_t proof[HASH_SIZE_MAX];

	if (!prove(clients, crypto, span_head(token, HTTP_TOKEN_MAX + 1),
	    proof))
		return NULL;
	/* NB: all of them, always. */
	for (size_t i = 0; i < clients->count; i++)
		if (secret_equal(proof, clients->clients[i].proof,
		    sizeof(clients->clients[i].proof)))
			found = &clients->clients[i];
	secret_wipe(proof, sizeof(proof));
	return found;
}

bool
http_token_octet(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

bool
http_refusals_take(struct http_refusals *refusals, const char *source,
    uint64_t now, uint64_t *untold)
{
	size_t i;

	/* A slot whose minute is over is anybody's. */
	for (i = 0; i < OTHERS; i++)
		if (refusals->slots[i].told && span_equal(
		    span_str(refusals->slots[i].source), span_str(source)))
			break;
	if (i == OTHERS)
		for (i = 0; i < OTHERS; i++)
			if (!refusals->slots[i].told ||
			    now - refusals->slots[i].told_at >= QUOTA_PERIOD)
				break;
	if (refusals->slots[i].told &&
	    now - refusals->slots[i].told_at < QUOTA_PERIOD) {
		refusals->slots[i].untold++;
		return false;
	}
	*untold = refusals->slots[i].untold;
	refusals->slots[i].told = true;
	refusals->slots[i].told_at = now;
	refusals->slots[i].untold = 0;
	if (span_copy_str(span_str(source), refusals->slots[i].source,
	    sizeof(refusals->slots[i].source)) != 0)
		refusals->slots[i].source[0] = '\0';
	return true;
}
