#ifndef ONECRED_CLI_CHECK_PRINT_H
#define ONECRED_CLI_CHECK_PRINT_H

#include <stdbool.h>

#include "cli/cli_check_account.h"
#include "cli/cli_check_log.h"
#include "cli/cli_check_report.h"

#define CHECK_REMARKS_MAX	8
#define CHECK_REMARK_MAX	640

/* All that onecred check has to tell. Views only. */
struct check_result {
	const char			*name;	/* as presented, or NULL */
	const struct check_account	*account;
	const struct check_report	*report;
	const struct check_log		*log;
	const struct check_fault	*fault;	/* text "": none */
	enum cli_status			 status;
	bool				 password_tried;
	/* what could not be looked at, and why */
	char	remarks[CHECK_REMARKS_MAX][CHECK_REMARK_MAX];
	size_t	remark_count;
};

void	check_print_text(const struct check_result *result);

/* One object, the keys of onecred(1). False: no memory, or cannot write. */
bool	check_print_json(const struct check_result *result);

#endif
