/*
 * [radius-client NAME]: address, shared secret and the rules that follow from
 * them. The secret lives in the config and is wiped with it.
 */

#include "daemon/config_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/identity.h"
#include "daemon/config_file.h"
#include "store/xalloc.h"

#define SECRET_FILE_MAX	1024

enum { REQUIRE_NO = 0, REQUIRE_YES, REQUIRE_AUTO };

/* A refusal at key of this client. */
#define REFUSE(source, section, key, ...)				\
	config_refuse((source),						\
	    config_key_line((source), (section)->head.line, (key)),	\
	    "[radius-client %s] " key ": " __VA_ARGS__)

/* Reads "IP" or "IP/PREFIX". */
static bool
read_network(const char *text, struct radius_client_settings *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->address;
	struct span all = span_str(text), digits;
	size_t slash = span_find(all, '/');
	unsigned int bits = 0, most;
	char ip[INET6_ADDRSTRLEN];

	if (span_copy_str(span_head(all, slash), ip, sizeof(ip)) != 0)
		return false;
	memset(&out->address, 0, sizeof(out->address));
	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
		out->address.ss_family = AF_INET;
		most = 32;
	} else if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1) {
		out->address.ss_family = AF_INET6;
		most = 128;
	} else
		return false;
	out->prefix = most;
	if (slash == all.n)
		return true;
	digits = span_tail(all, slash + 1);
	if (digits.n == 0 || digits.n > 3)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		bits = bits * 10 + (unsigned int)(digits.p[i] - '0');
	}
	out->prefix = bits;
	return bits <= most;
}

static const uint8_t *
address_octets(const struct radius_client_settings *client)
{
	if (client->address.ss_family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)
		    &client->address)->sin_addr;
	return (const uint8_t *)&((const struct sockaddr_in6 *)
	    &client->address)->sin6_addr;
}

/* True if the whole network is this host. */
static bool
is_loopback(const struct radius_client_settings *client)
{
	const struct in6_addr one = IN6ADDR_LOOPBACK_INIT;

	if (client->address.ss_family == AF_INET)
		return client->prefix >= 8 &&
		    address_octets(client)[0] == 127;
	return client->prefix == 128 &&
	    memcmp(address_octets(client), &one, sizeof(one)) == 0;
}

static bool
same_network(const struct radius_client_settings *a,
    const struct radius_client_settings *b)
{
	const uint8_t *pa = address_octets(a), *pb = address_octets(b);

	if (a->address.ss_family != b->address.ss_family ||
	    a->prefix != b->prefix)
		return false;
	for (unsigned int bit = 0; bit < a->prefix; bit++)
		if (((pa[bit / 8] ^ pb[bit / 8]) & (0x80 >> bit % 8)) != 0)
			return false;
	return true;
}

/* One line; one line end is removed, any other control is refused. */
static int
read_secret(const struct config_source *source,
    const struct config_radius_client *section, struct secret *out)
{
	struct span line;
	struct secret text;
	char why[128];
	int err;

	if (section->secret_file[0] != '/')
		return REFUSE(source, section, "secret_file",
		    "must be an absolute path", section->head.name);
	if (config_file_secret(section->secret_file, SECRET_FILE_MAX, &text,
	    why, sizeof(why)) != 0)
		return REFUSE(source, section, "secret_file", "%s %s",
		    section->head.name, section->secret_file, why);
	line = secret_span(&text);
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	err = line.n == 0 || !span_equal(line, span_trim(line)) ?
	    -ERR_FORMAT : 0;
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < ' ' || line.p[i] == 0x7f)
			err = -ERR_CHARACTER;
	if (err == 0)
		err = secret_set(out, line);
	secret_free(&text);
	if (err != 0)
		return REFUSE(source, section, "secret_file", "%s must hold "
		    "one line without blanks around it", section->head.name,
		    section->secret_file);
	return 0;
}

static int
check_client(const struct config_source *source,
    const struct config_radius_client *section,
    struct radius_client_settings *out)
{
	out->name = section->head.name;
	out->realms = (struct domain_list){
	    (const char *const *)section->realms.words,
	    section->realms.count };
	out->domains = (struct domain_list){
	    (const char *const *)section->domains.words,
	    section->domains.count };
	out->unavailable_reject = section->unavailable != 0;
	if (!read_network(section->address, out))
		return REFUSE(source, section, "address", "must be an IP "
		    "address or a network like 192.0.2.0/24",
		    section->head.name);
	out->require_message_authenticator =
	    section->require_ma == REQUIRE_YES ||
	    (section->require_ma == REQUIRE_AUTO && !is_loopback(out));
	out->nonce_ours = section->nonce != 0;
	for (size_t i = 0; i < section->realms.count; i++)
		if (identity_check_realm(
		    span_str(section->realms.words[i])) != 0)
			return REFUSE(source, section, "realms",
			    "\"%s\" is not a realm", section->head.name,
			    section->realms.words[i]);
	/* The helper runs as the XMPP server's user: not its business. */
	if (source->use == CONFIG_HELPER)
		return 0;
	return read_secret(source, section, &out->secret);
}

int
config_check_clients(struct config *config,
    const struct config_source *source)
{
	char title[96];
	int err;

	config->radius_clients = xcalloc(config->client_count + 1,
	    sizeof(config->radius_clients[0]));
	for (size_t i = 0; i < config->client_count; i++) {
		const struct config_radius_client *section =
		    &config->clients[i];

		err = check_client(source, section,
		    &config->radius_clients[i]);
		(void)snprintf(title, sizeof(title), "radius-client %s",
		    section->head.name);
		if (err == 0)
			err = config_check_domains(source,
			    section->head.line, title, &section->domains);
		if (err != 0)
			return err;
		for (size_t j = 0; j < i; j++)
			if (same_network(&config->radius_clients[i],
			    &config->radius_clients[j]))
				return REFUSE(source, section, "address",
				    "is that of [radius-client %s] too",
				    section->head.name,
				    config->clients[j].head.name);
	}
	return 0;
}
