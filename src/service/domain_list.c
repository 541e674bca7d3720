/*
 * Which domains a door serves.
 */

#include "service/domain_list.h"

#include "core/span.h"

bool
domain_listed(const struct domain_list *list, const char *domain)
{
	if (list == NULL || list->count == 0)
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (span_equal(span_str(list->names[i]), span_str(domain)))
			return true;
	return false;
}
