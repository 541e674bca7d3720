/*
 * The connection string of onecred_conninfo, as far as the plugin has to know
 * it: the hosts, and the password file. Everything else is libpq's. Never
 * repeats libpq's message about a malformed string: it quotes pieces of it,
 * and the piece may be the password.
 */

#include "plugin_conninfo.h"

#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "core/err.h"
#include "core/secret.h"
#include "core/span.h"

#define HOSTS_MAX	16

static size_t
list_count(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		if (*list == ',')
			n++;
	return n;
}

/* Keeps the value of option if it is one of those we want. */
static int
keep(struct conninfo *conninfo, const PQconninfoOption *option)
{
	static const char *const names[CONNINFO_LISTS] = {
		"host", "hostaddr", "port"
	};
	struct span keyword = span_str(option->keyword);
	char **to = NULL;

	if (option->val == NULL || *option->val == '\0')
		return 0;
	if (span_equal(keyword, SPAN_LIT("passfile")))
		to = &conninfo->passfile;
	for (size_t i = 0; i < CONNINFO_LISTS; i++)
		if (span_equal(keyword, span_str(names[i])))
			to = &conninfo->lists[i];
	if (to == NULL)
		return 0;
	*to = strdup(option->val);
	return *to == NULL ? -ERR_NOMEM : 0;
}

/*
 * How many hosts there are. Lists of different lengths are libpq's to refuse
 * (or to understand: one port may serve them all), so they count as one.
 */
static size_t
host_count(const struct conninfo *conninfo)
{
	size_t n = 0;

	for (int i = CONNINFO_HOST; i <= CONNINFO_HOSTADDR; i++) {
		const char *list = conninfo->lists[i];

		if (list == NULL)
			continue;
		if (n != 0 && list_count(list) != n)
			return 1;
		n = list_count(list);
	}
	if (n == 0 || n > HOSTS_MAX)
		return 1;
	if (conninfo->lists[CONNINFO_PORT] != NULL &&
	    list_count(conninfo->lists[CONNINFO_PORT]) != n &&
	    list_count(conninfo->lists[CONNINFO_PORT]) != 1)
		return 1;
	return n;
}

int
conninfo_read(struct conninfo *conninfo, const char *text)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL);
	int rc = 0;

	memset(conninfo, 0, sizeof(*conninfo));
	if (options == NULL)
		return -ERR_FORMAT;
	for (PQconninfoOption *o = options; rc == 0 && o->keyword != NULL; o++)
		rc = keep(conninfo, o);
	PQconninfoFree(options);
	conninfo->hosts = host_count(conninfo);
	conninfo->text = strdup(text);
	return conninfo->text == NULL ? -ERR_NOMEM : rc;
}

void
conninfo_wipe(struct conninfo *conninfo)
{
	if (conninfo->text != NULL)
		secret_wipe(conninfo->text, span_str(conninfo->text).n);
	free(conninfo->text);
	free(conninfo->passfile);
	for (size_t i = 0; i < CONNINFO_LISTS; i++)
		free(conninfo->lists[i]);
	memset(conninfo, 0, sizeof(*conninfo));
}

bool
conninfo_entry(const struct conninfo *conninfo, enum conninfo_list list,
    size_t i, char *out, size_t cap)
{
	struct span rest = span_str(conninfo->lists[list]);

	out[0] = '\0';
	if (conninfo->lists[list] == NULL)
		return false;
	/* One entry serves all hosts. */
	if (span_find(rest, ',') == rest.n)
		i = 0;
	for (; i > 0; i--)
		rest = span_tail(rest, span_find(rest, ',') + 1);
	return span_copy_str(span_head(rest, span_find(rest, ',')), out,
	    cap) == 0;
}
