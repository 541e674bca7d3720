#ifndef ONECRED_CLI_CHECK_DOORS_H
#define ONECRED_CLI_CHECK_DOORS_H

#include "cli/cli_check_account.h"
#include "cli/cli_check_report.h"
#include "daemon/config.h"

/*
 * Adds a line for each door of the configuration, after the lines of
 * mechanisms and realms, which it counts on: through this door, can the
 * account log in; and what to do if it cannot.
 */
void	check_doors(const struct check_account *account,
	    const struct config *config, struct check_report *report);

#endif
