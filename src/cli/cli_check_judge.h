#ifndef ONECRED_CLI_CHECK_JUDGE_H
#define ONECRED_CLI_CHECK_JUDGE_H

#include "cli/cli_check_account.h"
#include "cli/cli_check_report.h"
#include "core/seal.h"
#include "core/verify.h"

/* What is known about the keys of sealed digests. */
enum check_keys {
	CHECK_KEYS_THERE = 0,
	CHECK_KEYS_NONE,	/* onecred.conf was read and has no [seal] */
	CHECK_KEYS_UNKNOWN	/* no configuration that could be read */
};

struct check_judge {
	const struct check_account *account;
	struct crypto		*crypto;
	const struct seal_keyring *ring;	/* NULL unless THERE */
	enum check_keys		 keys;
	struct span		 password;	/* tried if not empty */
};

/*
 * Adds a line for each mechanism, and for each realm, algorithm and name
 * form. Pure.
 */
void	check_judge(const struct check_judge *judge,
	    struct check_report *report);

#endif
