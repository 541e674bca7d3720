/*
 * The answer of onecred check for programs: one object, whose keys onecred(1)
 * lists and which do not change. Absent values are null.
 */

#include <jansson.h>
#include <stdio.h>

#include "cli/cli_check_print.h"
#include "core/span.h"

/* Text, or null where there is none or it is not UTF-8. */
static json_t *
text(const char *s)
{
	json_t *value = s == NULL || s[0] == '\0' ? NULL : json_string(s);

	return value == NULL ? json_null() : value;
}

static json_t *
logins(const struct check_report *report)
{
	static const char *const kinds[] = {
		[CHECK_SASL] = "sasl", [CHECK_SIP] = "sip",
		[CHECK_DOOR] = "door"
	};
	json_t *all = json_array();

	for (size_t i = 0; i < report->count; i++) {
		const struct check_line *line = &report->lines[i];

		(void)json_array_append_new(all, json_pack(
		    "{s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:o}",
		    "kind", kinds[line->kind], "login", line->what,
		    "realm", text(line->realm), "name", text(line->name),
		    "answer", check_state_str(line->state),
		    "reason", reason_str(line->reason),
		    "note", text(line->note), "password",
		    text(check_password_str(line->password))));
	}
	return all;
}

static json_t *
advice(const struct check_report *report)
{
	json_t *all = json_array();

	for (size_t i = 0; i < report->advice_count; i++)
		(void)json_array_append_new(all, json_pack("{s:o, s:o}",
		    "text", text(report->advice[i].text),
		    "command", text(report->advice[i].command)));
	return all;
}

static json_t *
refusals(const struct check_log *log)
{
	json_t *all = json_array();

	for (size_t i = 0; i < log->count; i++) {
		const struct check_refusal *r = check_log_at(log, i);

		(void)json_array_append_new(all, json_pack(
		    "{s:o, s:s, s:s, s:s, s:s, s:s, s:s}",
		    "time", text(r->time), "door", r->door,
		    "realm", r->realm, "mech", r->mech,
		    "verdict", r->verdict, "reason", r->reason,
		    "source", r->source));
	}
	return all;
}

static json_t *
remarks(const struct check_result *result)
{
	json_t *all = json_array();

	for (size_t i = 0; i < result->remark_count; i++)
		(void)json_array_append_new(all, text(result->remarks[i]));
	return all;
}

/* What the row and the domain say; null without them. */
static json_t *
account_object(const struct check_account *account)
{
	static const char *const origins[] = {
		[HA1_SAME] = "same", [HA1_UNPROVED] = "unproved",
		[HA1_SEPARATE] = "separate"
	};
	const struct credential *home;

	if (account->realm_count == 0)
		return json_null();
	home = &account->realms[0].row;
	return json_pack("{s:b, s:o, s:o, s:s, s:b}",
	    "found", (int)home->found, "enabled",
	    home->found ? json_boolean(home->enabled) : json_null(),
	    "ha1_origin", home->found ? text(origins[home->ha1_origin]) :
	    json_null(), "digests", home->policy.digests_none ? "none" :
	    home->policy.digests_sealed ? "sealed" : "plain",
	    "digest_md5", (int)home->policy.digest_md5);
}

static const char *
answer(enum cli_status status)
{
	switch (status) {
	case CLI_OK:
		return "can";
	case CLI_REFUSED:
		return "cannot";
	case CLI_USAGE:
	case CLI_SYSTEM:
		return "unknown";
	}
	return "unknown";
}

bool
check_print_json(const struct check_result *result)
{
	const struct account *name = &result->account->presented.account;
	char user[CHECK_NAME_MAX] = "";
	json_t *all;
	bool ok;

	if (name->localpart[0] != '\0')
		check_account_name(name, FORM_FULL, user);
	all = json_pack("{s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o,"
	    " s:o}",
	    "account", text(user), "presented", text(result->name),
	    "answer", answer(result->status),
	    "domain_known", (int)result->account->domain_known,
	    "row", account_object(result->account),
	    "logins", logins(result->report),
	    "advice", advice(result->report),
	    "refusals", refusals(result->log),
	    "notes", remarks(result),
	    "error", text(result->fault->text),
	    "command", text(result->fault->command));
	if (all == NULL)
		return false;
	ok = json_dumpf(all, stdout, JSON_INDENT(2)) == 0 &&
	    putchar('\n') != EOF;
	json_decref(all);
	return ok;
}
