/*
 * The table of RADIUS clients: whose secret and which realms belong to a
 * source address. An address outside the table is never answered.
 */

#include "doors/radius_clients.h"

#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "doors/radius_socket.h"

#define QUOTA_PERIOD	60000		/* milliseconds */

struct radius_clients {
	size_t			 references;
	size_t			 count;
	struct radius_client	*clients;	/* longest prefix first */
};

bool
radius_quota_take(struct radius_quota *quota, uint64_t now, uint64_t *untold)
{
	if (quota->told && now - quota->told_at < QUOTA_PERIOD) {
		quota->untold++;
		return false;
	}
	*untold = quota->untold;
	quota->told = true;
	quota->told_at = now;
	quota->untold = 0;
	return true;
}

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
radius_list_covers(const struct domain_list *list, struct span s)
{
	for (size_t i = 0; i < list->count; i++)
		if (span_equal_nocase(span_str(list->names[i]), s))
			return true;
	return list->count == 0;
}

static bool
client_copy(const struct radius_client_settings *from,
    struct radius_client *to)
{
	struct radius_address address;

	to->require_message_authenticator =
	    from->require_message_authenticator;
	to->nonce_ours = from->nonce_ours;
	to->unavailable_reject = from->unavailable_reject;
	radius_address_read(&from->address, &address);
	memcpy(to->ip, address.ip, sizeof(to->ip));
	to->prefix = from->prefix;
	if (from->address.ss_family == AF_INET)
		to->prefix += RADIUS_MAPPED_BITS;
	if (to->prefix > 8 * sizeof(to->ip))
		to->prefix = 8 * sizeof(to->ip);
	to->name = strdup(from->name);
	return to->name != NULL &&
	    secret_set(&to->secret, secret_span(&from->secret)) == 0 &&
	    list_copy(&from->realms, &to->realms) &&
	    list_copy(&from->domains, &to->domains);
}

static int
longer_prefix_first(const void *a, const void *b)
{
	const struct radius_client *x = a, *y = b;

	return (x->prefix < y->prefix) - (x->prefix > y->prefix);
}

struct radius_clients *
radius_clients_new(const struct radius_client_settings *settings,
    size_t count)
{
	struct radius_clients *clients = calloc(1, sizeof(*clients));
	bool ok;

	if (clients == NULL)
		return NULL;
	clients->references = 1;
	clients->count = count;
	clients->clients = calloc(count + 1, sizeof(*clients->clients));
	ok = clients->clients != NULL;
	if (!ok)
		clients->count = 0;
	for (size_t i = 0; ok && i < count; i++)
		ok = client_copy(&settings[i], &clients->clients[i]);
	if (!ok) {
		radius_clients_unref(&clients);
		return NULL;
	}
	qsort(clients->clients, count, sizeof(*clients->clients),
	    longer_prefix_first);
	return clients;
}

struct radius_clients *
radius_clients_ref(struct radius_clients *clients)
{
	clients->references++;
	return clients;
}

void
radius_clients_unref(struct radius_clients **clients)
{
	struct radius_clients *c = *clients;

	*clients = NULL;
	if (c == NULL || --c->references > 0)
		return;
	for (size_t i = 0; i < c->count; i++) {
		free(c->clients[i].name);
		secret_free(&c->clients[i].secret);
		list_free(&c->clients[i].realms);
		list_free(&c->clients[i].domains);
	}
	free(c->clients);
	free(c);
}

static bool
prefix_covers(const uint8_t *network, unsigned int bits, const uint8_t *ip)
{
	size_t whole = bits / 8;
	unsigned int rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return span_equal(span_mem(network, whole), span_mem(ip, whole)) &&
	    (rest == 0 || (network[whole] & mask) == (ip[whole] & mask));
}

struct radius_client *
radius_clients_find(struct radius_clients *clients, const uint8_t *ip)
{
	for (size_t i = 0; i < clients->count; i++)
		if (prefix_covers(clients->clients[i].ip,
		    clients->clients[i].prefix, ip))
			return &clients->clients[i];
	return NULL;
}
