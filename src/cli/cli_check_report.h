#ifndef ONECRED_CLI_CHECK_REPORT_H
#define ONECRED_CLI_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli_check_account.h"
#include "cli/cli_say.h"
#include "core/identity.h"
#include "core/verdict.h"
#include "daemon/scripts.h"

#define CHECK_NOTE_MAX		320
#define CHECK_WHAT_MAX		80
#define CHECK_ADVICE_MAX	16

enum check_kind {
	CHECK_SASL = 0,		/* a mechanism, by whatever door */
	CHECK_SIP,		/* digest in one realm */
	CHECK_DOOR
};

enum check_state {
	CHECK_CAN = 0,
	CHECK_CANNOT,
	CHECK_UNKNOWN,		/* nobody can tell from here */
	CHECK_OFF		/* the domain's policy does not ask for it */
};

enum check_password {
	CHECK_UNTRIED = 0,
	CHECK_AGREES,
	CHECK_DIFFERS
};

/* One way to log in. Holds no verifier and no password. */
struct check_line {
	enum check_kind		kind;
	enum check_state	state;
	enum check_password	password;
	enum reason		reason;
	char			what[CHECK_WHAT_MAX];	/* "SIP MD5" */
	char			realm[REALM_MAX + 1];	/* or "" */
	char			name[CHECK_NAME_MAX];	/* SIP; or "" */
	char			note[CHECK_NOTE_MAX];	/* or "" */
};

/* What to do about it. */
struct check_advice {
	char	text[CHECK_NOTE_MAX * 2];
	char	command[SCRIPTS_COMMAND_MAX];	/* or "" */
};

/* What check found. Zeroed before use; check_report_free(). */
struct check_report {
	struct check_line	*lines;
	size_t			 count;
	struct check_advice	 advice[CHECK_ADVICE_MAX];
	size_t			 advice_count;
	bool			 own_sip_password; /* origin: separate */
};

/* A new line at the end, CHECK_CAN and REASON_OK; valid until the next. */
struct check_line *check_report_line(struct check_report *report,
	    enum check_kind kind, const char *what);

/*
 * The same text is only said once, and what does not fit is left out. Both
 * return where the command goes, or NULL.
 */
struct check_advice *check_report_advise(struct check_report *report,
	    const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * All together: CLI_REFUSED as soon as one way that the policy asks for is
 * shut or the password that was tried does not fit it, else CLI_SYSTEM if
 * nobody can tell about one, else CLI_OK. Where SIP has a password of its
 * own, the one that was tried has to fit one side.
 */
enum cli_status	check_report_status(const struct check_report *report);

/* "can", "cannot", "unknown", "off"; "agrees", "differs", "". */
const char	*check_state_str(enum check_state state);
const char	*check_password_str(enum check_password password);

void		 check_report_free(struct check_report *report);

#endif
