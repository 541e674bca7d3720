#ifndef ONECRED_CLI_CHECK_ADVICE_H
#define ONECRED_CLI_CHECK_ADVICE_H

#include "cli/cli_check_account.h"
#include "cli/cli_check_judge.h"
#include "cli/cli_check_report.h"

/* What commands have to name. */
struct check_advice_context {
	const struct check_account *account;
	const char	*config;	/* path, or NULL */
	const char	*key_file;	/* path, or NULL */
	enum check_keys	 keys;
};

/* Adds what to do about the lines that the report has. */
void	check_advise(const struct check_advice_context *context,
	    struct check_report *report);

#endif
