/*
 * libpq connection strings: taken apart so that host names can be resolved
 * outside libpq, and handed back to it with the addresses filled in. libpq
 * resolves inside PQconnectPoll(), where a slow name server would stop every
 * door. Must never print a piece of the string.
 */

#include "store/conninfo.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "store/xalloc.h"

#define FIXED_PARAMS	6	/* three lists, two of our own, NULL */

struct conninfo {
	PQconninfoOption	*options;
	char			*application;
	char			*hosts, *addrs, *ports;	/* cut at commas */
	struct endpoint		 endpoints[CONNINFO_HOSTS_MAX];
	size_t			 count;
};

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val != NULL ? options->val : "";
	return "";
}

static void
options_free(PQconninfoOption *options)
{
	if (options == NULL)
		return;
	for (PQconninfoOption *o = options; o->keyword != NULL; o++)
		if (o->val != NULL)
			secret_wipe(o->val, strlen(o->val));
	PQconninfoFree(options);
}

/* Cuts list at its commas; more than max pieces are counted as max + 1. */
static size_t
split(char *list, const char **pieces, size_t max)
{
	size_t n = 0;

	if (*list == '\0')
		return 0;
	for (;;) {
		char *comma = strchr(list, ',');

		if (n == max)
			return max + 1;
		pieces[n++] = list;
		if (comma == NULL)
			return n;
		*comma = '\0';
		list = comma + 1;
	}
}

/* An address written as host: numbers that no resolver is needed for. */
static bool
numeric(const char *host)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM
	};
	struct addrinfo *found = NULL;

	if (*host == '\0' || getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

/* As libpq counts them: addresses, else names, else the default socket. */
static const char *
split_endpoints(struct conninfo *ci)
{
	const char *hosts[CONNINFO_HOSTS_MAX];
	const char *addrs[CONNINFO_HOSTS_MAX];
	const char *ports[CONNINFO_HOSTS_MAX];
	size_t host_n, addr_n, port_n, i;

	host_n = split(ci->hosts, hosts, CONNINFO_HOSTS_MAX);
	addr_n = split(ci->addrs, addrs, CONNINFO_HOSTS_MAX);
	port_n = split(ci->ports, ports, CONNINFO_HOSTS_MAX);
	ci->count = addr_n > 0 ? addr_n : host_n > 0 ? host_n : 1;
	if (ci->count > CONNINFO_HOSTS_MAX)
		return "it names more than 16 hosts";
	if (host_n > 0 && host_n != ci->count)
		return "host and hostaddr do not list equally many";
	if (port_n > 1 && port_n != ci->count)
		return "port does not list as many as there are hosts";
	for (i = 0; i < ci->count; i++) {
		ci->endpoints[i].host = host_n > 0 ? hosts[i] : "";
		ci->endpoints[i].addr = addr_n > 0 ? addrs[i] :
		    numeric(ci->endpoints[i].host) ?
		    ci->endpoints[i].host : "";
		ci->endpoints[i].port = port_n == 0 ? "" :
		    port_n == 1 ? ports[0] : ports[i];
	}
	return NULL;
}

struct conninfo *
conninfo_new(const char *text, const char *application, const char **why)
{
	struct conninfo *ci = xcalloc(1, sizeof(*ci));
	PQconninfoOption *defaults = NULL;
	const PQconninfoOption *from;
	char *message = NULL;

	*why = NULL;
	ci->options = PQconninfoParse(text, &message);
	if (message != NULL) {
		secret_wipe(message, strlen(message));
		PQfreemem(message);
	}
	if (ci->options == NULL) {
		*why = "it is not a libpq connection string or URI";
		goto out;
	}
	from = ci->options;
	/* PGHOST and PGHOSTADDR would be resolved inside libpq, too. */
	if (*option_value(from, "host") == '\0' &&
	    *option_value(from, "hostaddr") == '\0' &&
	    (defaults = PQconndefaults()) != NULL)
		from = defaults;
	ci->application = xstrdup(application);
	ci->hosts = xstrdup(option_value(from, "host"));
	ci->addrs = xstrdup(option_value(from, "hostaddr"));
	ci->ports = xstrdup(option_value(ci->options, "port"));
	*why = split_endpoints(ci);
out:
	options_free(defaults);
	if (*why != NULL)
		conninfo_free(&ci);
	else if (*option_value(ci->options, "service") != '\0')
		*why = "the hosts of service= are resolved by libpq, "
		    "which stops all logins while it does";
	return ci;
}

void
conninfo_free(struct conninfo **conninfo)
{
	struct conninfo *ci = *conninfo;

	if (ci == NULL)
		return;
	options_free(ci->options);
	free(ci->application);
	free(ci->hosts);
	free(ci->addrs);
	free(ci->ports);
	free(ci);
	*conninfo = NULL;
}

const struct endpoint *
conninfo_hosts(const struct conninfo *conninfo, size_t *count)
{
	*count = conninfo->count;
	return conninfo->endpoints;
}

bool
endpoint_needs_address(const struct endpoint *endpoint)
{
	/* '/' and '@' begin the path of a unix socket. */
	return *endpoint->addr == '\0' && *endpoint->host != '\0' &&
	    *endpoint->host != '/' && *endpoint->host != '@';
}

/* One list per parameter, as libpq wants them: "a,b" and "10.0.0.1,". */
struct lists {
	char	*hosts, *addrs, *ports;
};

static char *
list_put(char *at, bool first, const char *piece)
{
	size_t n = strlen(piece);

	if (!first)
		*at++ = ',';
	memcpy(at, piece, n);
	return at + n;
}

static void
lists_make(struct lists *lists, const struct endpoint *endpoints,
    size_t count)
{
	size_t host_n = 1, addr_n = 1, port_n = 1, i;
	char *host, *addr, *port;

	for (i = 0; i < count; i++) {	/* @UNSAFE: short trusted strings */
		host_n += strlen(endpoints[i].host) + 1;
		addr_n += strlen(endpoints[i].addr) + 1;
		port_n += strlen(endpoints[i].port) + 1;
	}
	host = lists->hosts = xcalloc(1, host_n);
	addr = lists->addrs = xcalloc(1, addr_n);
	port = lists->ports = xcalloc(1, port_n);
	for (i = 0; i < count; i++) {
		host = list_put(host, i == 0, endpoints[i].host);
		addr = list_put(addr, i == 0, endpoints[i].addr);
		port = list_put(port, i == 0, endpoints[i].port);
	}
}

PGconn *
conninfo_connect(const struct conninfo *conninfo,
    const struct endpoint *endpoints, size_t count)
{
	const char **keywords, **values;
	size_t n = FIXED_PARAMS;
	struct lists lists;
	PGconn *pg;

	for (PQconninfoOption *o = conninfo->options; o->keyword != NULL; o++)
		n++;
	keywords = xcalloc(n, sizeof(*keywords));
	values = xcalloc(n, sizeof(*values));
	lists_make(&lists, endpoints, count);
	n = 0;
	/* Later entries win over earlier ones; NULL and "" are passed over. */
	for (PQconninfoOption *o = conninfo->options; o->keyword != NULL;
	    o++) {
		keywords[n] = o->keyword;
		values[n++] = o->val;
	}
	keywords[n] = "host";
	values[n++] = lists.hosts;
	keywords[n] = "hostaddr";
	values[n++] = lists.addrs;
	if (*conninfo->ports != '\0') {	/* else PGPORT's turn */
		keywords[n] = "port";
		values[n++] = lists.ports;
	}
	keywords[n] = "fallback_application_name";
	values[n++] = conninfo->application;
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	pg = PQconnectStartParams(keywords, values, 0);
	free(lists.hosts);
	free(lists.addrs);
	free(lists.ports);
	/* The arrays hold pointers only; the strings are conninfo's. */
	free(keywords);
	free(values);
	return pg;
}
