#ifndef ONECRED_DOMAIN_LIST_H
#define ONECRED_DOMAIN_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Domains a door may ask for; count 0 means all. Owned by the config. */
struct domain_list {
	const char *const	*names;		/* canonical */
	size_t			 count;
};

/* Whether list (NULL or empty: all) names the canonical domain. */
bool	domain_listed(const struct domain_list *list, const char *domain);

#endif
