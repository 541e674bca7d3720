/*
 * onecred check: why can this user not log in. Asks the database as an
 * administrator, judges the row as the doors would, tries a password if one
 * is given, and reads what the daemon said lately. Never prints a verifier,
 * HA1, key or password.
 */

#include "cli/cli_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_check_account.h"
#include "cli/cli_check_advice.h"
#include "cli/cli_check_doors.h"
#include "cli/cli_check_judge.h"
#include "cli/cli_check_log.h"
#include "cli/cli_check_options.h"
#include "cli/cli_check_print.h"
#include "cli/cli_file.h"
#include "cli/cli_password.h"
#include "core/err.h"
#include "core/secret.h"
#include "daemon/config.h"

#define KEY_FILE_MAX	4096	/* octets */
#define JOURNAL_MS	5000

struct check {
	struct check_options	 options;
	struct check_account	 account;
	struct check_report	 report;
	struct check_log	 log;
	struct check_fault	 fault;
	struct check_result	 result;
	struct config		*config;	/* NULL: not to be read */
	struct crypto		*crypto;
	struct seal_keyring	 keys;
	struct secret		 password;
};

static void
print_help(void)
{
	puts("usage: onecred check [options] alice@example.com\n"
	    "Says what an account can log in with, what not, why, and what "
	    "to do.\n\n"
	    "  -d CONNINFO         database, as an administrator "
	    "(PGDATABASE, ...)\n"
	    "  -c FILE             configuration of onecredd\n"
	    "                      (" CONFIG_PATH ", if readable)\n"
	    "  --password-file F   try the password in F on every verifier\n"
	    "  --seal-key-file F   key of sealed digests "
	    "([seal] key_file)\n"
	    "  --log F             read refusals from F, not the journal\n"
	    "  --json              print one JSON object\n\n"
	    "Exit status: 0 everything works that should, 1 something "
	    "cannot log in,\n2 wrong usage, 3 nobody can tell (database, "
	    "files)");
}

static void __attribute__((format(printf, 2, 3)))
remark(struct check *c, const char *fmt, ...)
{
	struct check_result *result = &c->result;
	va_list ap;

	if (result->remark_count == CHECK_REMARKS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(result->remarks[result->remark_count++],
	    CHECK_REMARK_MAX, fmt, ap);
	va_end(ap);
}

/* As typed; what is not a name of the grammar is never repeated. */
static bool
read_name(struct check *c)
{
	struct span name = span_str(c->options.name);
	struct presented *presented = &c->account.presented;

	if (identity_present(name, SPAN_EMPTY, presented) != 0 ||
	    presented->account.domain[0] == '\0') {
		struct check_advice *advice = check_report_advise(&c->report,
		    "that cannot be an account: it is a name of letters, "
		    "digits, \".\", \"_\" and \"-\", then \"@\" and the "
		    "domain");

		memset(presented, 0, sizeof(*presented));
		if (advice != NULL)
			(void)snprintf(advice->command,
			    sizeof(advice->command),
			    "onecred check alice@example.com");
		return false;
	}
	for (size_t i = 0; i < span_rfind(name, '@'); i++)
		if (ascii_lower(name.p[i]) != name.p[i])
			c->account.local_folded = true;
	c->account.typed = name;
	c->result.name = c->options.name;
	return true;
}

/* The default may be out of reach for an administrator of the database. */
static bool
read_config(struct check *c)
{
	const char *path = c->options.config != NULL ? c->options.config :
	    CONFIG_PATH;
	char error[CONFIG_ERROR_MAX];

	if (config_load(path, CONFIG_HELPER, &c->config, error) == 0)
		return true;
	if (c->options.config != NULL) {
		(void)snprintf(c->fault.text, sizeof(c->fault.text), "%s",
		    error);
		return false;
	}
	remark(c, "doors and sealed digests are not judged: %s",
	    error);
	return true;
}

static enum cli_status
read_keys(struct check *c)
{
	struct secret text = { NULL, 0 };
	unsigned int line = 0;
	enum cli_status status;

	if (c->options.seal_key_file == NULL) {
		if (c->config != NULL)
			c->keys = c->config->seal.keys;
		return CLI_OK;
	}
	status = cli_file_read(c->options.seal_key_file, KEY_FILE_MAX, &text);
	if (status == CLI_OK && seal_keyring_parse(secret_span(&text),
	    &c->keys, &line) != 0) {
		cli_say("%s:%u: not a key file: one \"KEYID "
		    "base64-of-32-octets\" per line",
		    c->options.seal_key_file, line);
		status = CLI_SYSTEM;
	}
	secret_free(&text);
	return status == CLI_OK ? CLI_OK : CLI_SYSTEM;
}

static enum cli_status
read_files(struct check *c)
{
	if (read_keys(c) != CLI_OK)
		return CLI_SYSTEM;
	if (c->options.password_file == NULL)
		return CLI_OK;
	if (cli_password_read(c->options.password_file, &c->password) !=
	    CLI_OK)
		return CLI_SYSTEM;
	if (c->password.n == 0) {
		cli_say("%s is empty", c->options.password_file);
		return CLI_SYSTEM;
	}
	c->result.password_tried = true;
	return CLI_OK;
}

static void
read_log(struct check *c)
{
	const char *why;

	if (c->options.log != NULL) {
		why = check_log_file(&c->log, &c->account, c->options.log);
		if (why != NULL)
			remark(c, "no refusals to show: %s: %s",
			    c->options.log, why);
		return;
	}
	why = check_log_command(&c->log, &c->account, check_log_journal,
	    JOURNAL_MS);
	if (why != NULL)
		remark(c, "no refusals to show: the journal %s", why);
}

static void
judge(struct check *c)
{
	enum check_keys keys = c->keys.count > 0 ? CHECK_KEYS_THERE :
	    c->config != NULL ? CHECK_KEYS_NONE : CHECK_KEYS_UNKNOWN;
	const struct check_judge judge = {
		.account = &c->account, .crypto = c->crypto,
		.ring = c->keys.count > 0 ? &c->keys : NULL, .keys = keys,
		.password = secret_span(&c->password)
	};
	const struct check_advice_context context = {
		.account = &c->account,
		.config = c->config != NULL ? c->config->path : NULL,
		.key_file = c->options.seal_key_file != NULL ?
		    c->options.seal_key_file : c->config != NULL ?
		    c->config->seal.key_file : NULL,
		.keys = keys
	};

	check_judge(&judge, &c->report);
	check_advise(&context, &c->report);
	if (c->config != NULL && c->account.realm_count > 0)
		check_doors(&c->account, c->config, &c->report);
	if (c->account.realms_cut)
		remark(c, "the domain has more realms than are shown");
	read_log(c);
	/* A domain that is not there has no lines to tell it by. */
	c->result.status = c->account.realm_count == 0 ? CLI_REFUSED :
	    check_report_status(&c->report);
}

static enum cli_status
finish(struct check *c)
{
	struct check_result *result = &c->result;

	result->account = &c->account;
	result->report = &c->report;
	result->log = &c->log;
	result->fault = &c->fault;
	if (c->options.json) {
		if (!check_print_json(result))
			return CLI_SYSTEM;
	} else
		check_print_text(result);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cli_say("cannot write the answer");
		return CLI_SYSTEM;
	}
	return result->status;
}

enum cli_status
cli_check(int argc, char **argv)
{
	struct check *c = calloc(1, sizeof(*c));
	enum cli_status status;

	if (c == NULL) {
		cli_say("out of memory");
		return CLI_SYSTEM;
	}
	status = check_options_read(argc, argv, &c->options);
	if (status != CLI_OK || c->options.help) {
		if (status == CLI_OK)
			print_help();
		goto out;
	}
	c->result.status = CLI_SYSTEM;
	if (crypto_new(NULL, &c->crypto) != 0) {
		cli_say("OpenSSL does not start");
		status = CLI_SYSTEM;
		goto out;
	}
	if (!read_name(c)) {
		c->result.status = CLI_REFUSED;
		status = finish(c);
		goto out;
	}
	if (read_config(c)) {
		/* Which file, and why, has been said on standard error. */
		if (read_files(c) != CLI_OK)
			(void)snprintf(c->fault.text, sizeof(c->fault.text),
			    "a file that was named cannot be used");
		else if (check_account_load(&c->account, c->options.conninfo,
		    &c->fault))
			judge(c);
	}
	status = finish(c);
out:
	check_account_free(&c->account);
	check_report_free(&c->report);
	config_free(&c->config);
	secret_free(&c->password);
	seal_keyring_wipe(&c->keys);
	crypto_free(&c->crypto);
	free(c);
	return status;
}
