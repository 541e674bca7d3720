/*
 * From what is shut to what opens it: one sentence and one command each, the
 * one that helps most first.
 */

#include "cli/cli_check_advice.h"

#include <stdio.h>
#include <string.h>

#include "core/span.h"

#define KEY_FILE_WORD	"KEYFILE"

struct advisor {
	const struct check_advice_context *context;
	const struct check_account *account;
	struct check_report	*report;
	char			 user[CHECK_NAME_MAX];
};

static bool
has(const struct advisor *a, enum check_kind kind, enum check_state state,
    enum reason reason)
{
	for (size_t i = 0; i < a->report->count; i++) {
		const struct check_line *line = &a->report->lines[i];

		if (line->kind == kind && line->state == state &&
		    line->reason == reason)
			return true;
	}
	return false;
}

/* The password that was tried, on the lines of kind. */
static size_t
count_password(const struct advisor *a, enum check_kind kind,
    enum check_password password)
{
	size_t n = 0;

	for (size_t i = 0; i < a->report->count; i++)
		n += a->report->lines[i].kind == kind &&
		    a->report->lines[i].password == password;
	return n;
}

static void
command(const struct advisor *a, struct check_advice *advice,
    const char *script, const char *name, const char *value,
    const char *name_2, const char *value_2)
{
	struct script_value values[SCRIPTS_VALUES_MAX] = {
		{ name, value }, { name_2, value_2 }
	};

	if (advice != NULL)
		scripts_command(a->account->database, script, values,
		    advice->command, sizeof(advice->command));
}

/* A script that makes verifiers: a sealed domain needs its key. */
static void
command_password(const struct advisor *a, struct check_advice *advice,
    const char *script)
{
	const char *file = a->context->key_file != NULL ?
	    a->context->key_file : KEY_FILE_WORD;
	bool sealed = a->account->realm_count > 0 &&
	    a->account->realms[0].row.policy.digests_sealed;

	command(a, advice, script, "user", a->user,
	    sealed ? "seal_key_file" : NULL, file);
}

/* This program again; options end with a blank. */
static void
command_check(struct check_advice *advice, const char *options,
    const char *user)
{
	struct wbuf wb;

	if (advice == NULL)
		return;
	wbuf_init(&wb, advice->command, sizeof(advice->command));
	wbuf_str(&wb, "onecred check ");
	wbuf_str(&wb, options);
	scripts_word(&wb, span_str(user));
	wbuf_u8(&wb, '\0');
	if (wb.failed)
		advice->command[0] = '\0';
}

static void
advise_domain(struct advisor *a)
{
	const struct account *name = &a->account->presented.account;
	struct check_advice *advice;
	char user[CHECK_NAME_MAX];

	if (a->account->realm_of[0] != '\0') {
		advice = check_report_advise(a->report, "%s is not a domain "
		    "but a SIP realm of %s: check the account of that domain",
		    name->domain, a->account->realm_of);
		(void)snprintf(user, sizeof(user), "%s@%s", name->localpart,
		    a->account->realm_of);
		command_check(advice, "", user);
		return;
	}
	advice = check_report_advise(a->report, "the domain %s is not in "
	    "this database (it has: %s); if it should be, add it, then the "
	    "account", name->domain, a->account->domains[0] == '\0' ?
	    "none" : a->account->domains);
	command(a, advice, "domain-add", "domain", name->domain, NULL, NULL);
	advice = check_report_advise(a->report, "then the account");
	command_password(a, advice, "user-add");
}

static void
advise_account(struct advisor *a)
{
	const struct credential *home = &a->account->realms[0].row;
	struct check_advice *advice;

	if (!home->found && !a->account->name_allowed) {
		advice = check_report_advise(a->report, "the domain takes "
		    "only names of a-z, 0-9, \".\", \"_\" and \"-\"; to "
		    "allow others");
		command(a, advice, "domain-set", "domain",
		    home->account.domain, "localpart_rule", "wide");
	}
	if (!home->found) {
		advice = check_report_advise(a->report,
		    "there is no account %s: add it, if it should be there",
		    a->user);
		command_password(a, advice, "user-add");
	} else if (!home->enabled) {
		advice = check_report_advise(a->report, "%s is disabled: "
		    "enable it, if it should be let in", a->user);
		command(a, advice, "user-enable", "user", a->user, NULL,
		    NULL);
	}
}

static void
advise_keys(struct advisor *a)
{
	bool shut = has(a, CHECK_SIP, CHECK_CANNOT, REASON_KEY_MISSING) ||
	    has(a, CHECK_SASL, CHECK_CANNOT, REASON_KEY_MISSING);
	const char *config = a->context->config == NULL ? "onecred.conf" :
	    a->context->config;
	struct check_advice *advice;

	switch (a->context->keys) {
	case CHECK_KEYS_THERE:
		if (!shut)
			return;
		advice = check_report_advise(a->report, "digests of %s are "
		    "sealed with a key that %s does not hold: add that key "
		    "to the file, or set the password again", a->user,
		    a->context->key_file == NULL ? "the key file" :
		    a->context->key_file);
		command_password(a, advice, "user-password");
		return;
	case CHECK_KEYS_NONE:
		if (shut)
			(void)check_report_advise(a->report, "digests of the "
			    "domain are sealed: give %s a section [seal] "
			    "with key_file and restart onecredd", config);
		return;
	case CHECK_KEYS_UNKNOWN:
		if (!has(a, CHECK_SIP, CHECK_UNKNOWN, REASON_KEY_MISSING) &&
		    !has(a, CHECK_SASL, CHECK_UNKNOWN, REASON_KEY_MISSING))
			return;
		advice = check_report_advise(a->report, "digests of the "
		    "domain are sealed: check with the key");
		command_check(advice, "--seal-key-file " KEY_FILE_WORD " ",
		    a->user);
		return;
	}
}

/* Verifiers that are not there. */
static void
advise_missing(struct advisor *a)
{
	const struct credential *home = &a->account->realms[0].row;
	struct check_advice *advice;

	if (!has(a, CHECK_SASL, CHECK_CANNOT, REASON_NO_VERIFIER) &&
	    !has(a, CHECK_SIP, CHECK_CANNOT, REASON_NO_VERIFIER))
		return;
	if (home->ha1_origin == HA1_SEPARATE &&
	    has(a, CHECK_SIP, CHECK_CANNOT, REASON_NO_VERIFIER)) {
		advice = check_report_advise(a->report, "verifiers are "
		    "missing, and can only be made from the password: set "
		    "SIP's own password again");
		command(a, advice, "user-password", "user", a->user,
		    "service", "sip");
	}
	advice = check_report_advise(a->report, home->ha1_origin ==
	    HA1_SEPARATE ? "or give %s one password for everything" :
	    "verifiers of %s are missing, and can only be made from the "
	    "password: set it again (the same one will do)", a->user);
	command_password(a, advice, "user-password");
}

static void
advise_digests(struct advisor *a)
{
	const struct credential *home = &a->account->realms[0].row;
	struct check_advice *advice;

	if (home->ha1_origin == HA1_UNPROVED) {
		advice = check_report_advise(a->report, "the digests were "
		    "imported, and nobody has shown that they are of the "
		    "same password: set the password once, and they are");
		command_password(a, advice, "user-password");
	}
	if (home->policy.digests_none) {
		advice = check_report_advise(a->report, "the domain keeps no "
		    "digests, so SIP is off; to switch it on, and then set "
		    "the password again");
		command(a, advice, "domain-set", "domain",
		    home->account.domain, "digests", "plain");
	}
	if (has(a, CHECK_SIP, CHECK_CANNOT, REASON_CASE) ||
	    has(a, CHECK_SASL, CHECK_CANNOT, REASON_CASE))
		(void)check_report_advise(a->report, "the SIP device (or "
		    "DIGEST-MD5 client) computes its digest over the name as "
		    "it was typed in: enter \"%s\" there, in lower case",
		    home->account.localpart);
}

static void
advise_password(struct advisor *a)
{
	size_t sasl = count_password(a, CHECK_SASL, CHECK_DIFFERS);
	size_t sip = count_password(a, CHECK_SIP, CHECK_DIFFERS);
	size_t agree = count_password(a, CHECK_SASL, CHECK_AGREES) +
	    count_password(a, CHECK_SIP, CHECK_AGREES);
	struct check_advice *advice;

	if (sasl + sip == 0) {
		if (agree > 0)
			(void)check_report_advise(a->report, "the password "
			    "fits every verifier: look at what the client "
			    "has and sends");
		return;
	}
	if (a->report->own_sip_password && (sasl == 0 || sip == 0)) {
		(void)check_report_advise(a->report, "this is %s password; "
		    "the other side has one of its own", sasl == 0 ?
		    "the account's (XMPP)" : "SIP's");
		return;
	}
	advice = check_report_advise(a->report, agree == 0 ?
	    "this is not the password of %s; to set a new one" :
	    "the password fits some verifiers of %s and not others; to "
	    "make them one, set it again", a->user);
	command_password(a, advice, "user-password");
}

void
check_advise(const struct check_advice_context *context,
    struct check_report *report)
{
	const struct check_account *account = context->account;
	struct advisor a = {
		.context = context, .account = account, .report = report
	};

	check_account_name(&account->presented.account, FORM_FULL, a.user);
	if (account->realm_count == 0) {
		advise_domain(&a);
		return;
	}
	advise_account(&a);
	if (!account->realms[0].row.found)
		return;
	advise_keys(&a);
	advise_missing(&a);
	advise_digests(&a);
	advise_password(&a);
}
