/*
 * Which hosts and addresses to try. libpq goes through a list by itself when
 * a host refuses, but its asynchronous interface has no timeout: a host that
 * is silent is taken out of the list by us, and the list tried again.
 */

#include "store/endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "store/resolve.h"
#include "store/xalloc.h"

#define CANDIDATES_MAX	64	/* addresses in one list */

struct candidate {
	struct endpoint	endpoint;	/* views: conninfo, resolve */
	bool		skip;
};

struct endpoints {
	struct event_base	*base;
	const struct conninfo	*conninfo;
	struct fault_log	*faults;
	void			(*cb)(void *);
	void			*arg;
	struct resolve		*names[CONNINFO_HOSTS_MAX];
	bool			 late[CONNINFO_HOSTS_MAX];
	bool			 listed;	/* in this round */
	struct candidate	 candidates[CANDIDATES_MAX];
	size_t			 count;
};

struct endpoints *
endpoints_new(struct event_base *base, const struct conninfo *conninfo,
    struct fault_log *faults, void (*cb)(void *arg), void *arg)
{
	struct endpoints *e = xcalloc(1, sizeof(*e));

	e->base = base;
	e->conninfo = conninfo;
	e->faults = faults;
	e->cb = cb;
	e->arg = arg;
	return e;
}

void
endpoints_free(struct endpoints **endpoints)
{
	if (*endpoints == NULL)
		return;
	for (size_t i = 0; i < CONNINFO_HOSTS_MAX; i++)
		resolve_free(&(*endpoints)->names[i]);
	free(*endpoints);
	*endpoints = NULL;
}

static bool
all_resolved(const struct endpoints *e)
{
	for (size_t i = 0; i < CONNINFO_HOSTS_MAX; i++)
		if (e->names[i] != NULL && !resolve_done(e->names[i]))
			return false;
	return true;
}

static void
name_resolved(void *arg)
{
	struct endpoints *e = arg;

	if (all_resolved(e))
		e->cb(e->arg);
}

bool
endpoints_resolve(struct endpoints *endpoints)
{
	const struct endpoint *hosts;
	size_t count, i;

	endpoints->listed = false;
	hosts = conninfo_hosts(endpoints->conninfo, &count);
	for (i = 0; i < count; i++) {
		if (!endpoint_needs_address(&hosts[i]))
			continue;
		/* At most one thread per name, however slow the answer. */
		if (endpoints->names[i] != NULL &&
		    !resolve_done(endpoints->names[i]))
			continue;
		/* An answer too late for the last round serves this one. */
		if (endpoints->late[i]) {
			endpoints->late[i] = false;
			continue;
		}
		resolve_free(&endpoints->names[i]);
		endpoints->names[i] = resolve_start(endpoints->base,
		    hosts[i].host, name_resolved, endpoints);
		if (endpoints->names[i] == NULL)
			fault_write(endpoints->faults, LEVEL_ERROR,
			    "database: no thread to resolve host names in");
	}
	return all_resolved(endpoints);
}

static void
candidate_add(struct endpoints *e, const struct endpoint *host,
    const char *addr)
{
	if (e->count == CANDIDATES_MAX)
		return;
	e->candidates[e->count].endpoint = *host;
	e->candidates[e->count].endpoint.addr = addr;
	e->candidates[e->count].skip = false;
	e->count++;
}

static void
candidates_list(struct endpoints *e)
{
	const struct endpoint *hosts;
	const char *addr, *error;
	size_t count, i, k;

	e->listed = true;
	e->count = 0;
	hosts = conninfo_hosts(e->conninfo, &count);
	for (i = 0; i < count; i++) {
		if (!endpoint_needs_address(&hosts[i])) {
			candidate_add(e, &hosts[i], hosts[i].addr);
			continue;
		}
		if (e->names[i] == NULL)
			continue;
		for (k = 0; (addr = resolve_address(e->names[i], k)) != NULL;
		    k++)
			candidate_add(e, &hosts[i], addr);
		e->late[i] = !resolve_done(e->names[i]);
		error = e->late[i] ? "no address yet" :
		    resolve_error(e->names[i]);
		if (error != NULL)
			fault_write(e->faults, LEVEL_WARNING,
			    "database: host %s: %s", hosts[i].host, error);
	}
}

PGconn *
endpoints_connect(struct endpoints *endpoints)
{
	struct endpoint list[CANDIDATES_MAX];
	size_t i, n = 0;

	if (!endpoints->listed)
		candidates_list(endpoints);
	for (i = 0; i < endpoints->count; i++)
		if (!endpoints->candidates[i].skip)
			list[n++] = endpoints->candidates[i].endpoint;
	return n == 0 ? NULL : conninfo_connect(endpoints->conninfo, list, n);
}

static bool
same(const char *ours, const char *libpqs)
{
	/* libpq fills in defaults for what we left out. */
	return *ours == '\0' || libpqs == NULL || strcmp(ours, libpqs) == 0;
}

size_t
endpoints_current(const struct endpoints *endpoints, const PGconn *pg)
{
	size_t i;

	for (i = 0; i < endpoints->count; i++) {
		const struct candidate *c = &endpoints->candidates[i];

		if (!c->skip && same(c->endpoint.host, PQhost(pg)) &&
		    same(c->endpoint.addr, PQhostaddr(pg)) &&
		    same(c->endpoint.port, PQport(pg)))
			break;
	}
	return i;
}

bool
endpoints_skip(struct endpoints *endpoints, const PGconn *pg)
{
	size_t i = endpoints_current(endpoints, pg);

	if (i == endpoints->count)
		return false;
	endpoints->candidates[i].skip = true;
	return true;
}
