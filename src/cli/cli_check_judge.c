/*
 * Which mechanisms and realms an account can open, told from its row by the
 * same functions that decide about logins (core/credential, core/verify), and
 * whether a password fits each of its verifiers: SASLprep for the mechanisms,
 * the octets as they are for SIP, as a phone takes them (RFC 7616 3.4.2).
 * Verifiers are wiped here and never leave.
 */

#include "cli/cli_check_judge.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/saslprep.h"
#include "core/secret.h"

/* One run. */
struct run {
	const struct check_judge *judge;
	struct check_report	*report;
	const struct credential	*home;
	struct secret		 prepared;	/* empty: not tried */
	bool			 local_capitals;
	bool			 capitals;
};

/* A password by hand, wherever a digest is tried. */
static enum check_password
matches(bool equal)
{
	return equal ? CHECK_AGREES : CHECK_DIFFERS;
}

static void
shut(struct check_line *line, enum check_state state, enum reason reason,
    const char *note)
{
	line->state = state;
	line->reason = reason;
	(void)snprintf(line->note, sizeof(line->note), "%s", note);
}

/* What shuts every way alike. True if it did. */
static bool
shut_account(const struct run *run, struct check_line *line)
{
	if (!run->home->found)
		shut(line, CHECK_CANNOT, REASON_UNKNOWN_USER,
		    "there is no such account");
	else if (!run->home->enabled)
		shut(line, CHECK_CANNOT, REASON_DISABLED,
		    "the account is disabled");
	return line->state != CHECK_CAN;
}

static void
judge_scram(struct run *run, enum scram_mech mech)
{
	struct check_line *line = check_report_line(run->report, CHECK_SASL,
	    scram_mech_name(mech));
	struct crypto *crypto = run->judge->crypto;
	struct scram_verifier verifier;
	int rc = credential_scram(run->home, mech, &verifier);

	if (rc == 0 && run->prepared.n > 0)
		line->password = matches(scram_check(crypto, &verifier,
		    secret_span(&run->prepared)) == VERDICT_ALLOW);
	secret_wipe(&verifier, sizeof(verifier));
	if (shut_account(run, line))
		return;
	if (!crypto_has(crypto, scram_mech_hash(mech)))
		shut(line, CHECK_CANNOT, REASON_NO_VERIFIER,
		    "this machine's libcrypto does not have its hash");
	else if (rc != 0)
		shut(line, CHECK_CANNOT, REASON_NO_VERIFIER,
		    rc == -ERR_UNSUPPORTED ? "no verifier is stored" :
		    "the stored verifier is unusable");
}

/* Sealed, and it does not open. */
static void
shut_locked(const struct run *run, struct check_line *line)
{
	switch (run->judge->keys) {
	case CHECK_KEYS_THERE:
		shut(line, CHECK_CANNOT, REASON_KEY_MISSING,
		    "sealed, and no key of ours opens it");
		return;
	case CHECK_KEYS_NONE:
		shut(line, CHECK_CANNOT, REASON_KEY_MISSING,
		    "sealed, and the configuration has no key");
		return;
	case CHECK_KEYS_UNKNOWN:
		shut(line, CHECK_UNKNOWN, REASON_KEY_MISSING,
		    "sealed, and there is no key here");
		return;
	}
}

/* Tries the password on an HA1; raw octets, as phones do. */
static void
try_ha1(const struct run *run, const struct credential *row,
    enum digest_alg alg, enum name_form form, const uint8_t *ha1,
    struct check_line *line)
{
	uint8_t made[DIGEST_SIZE_MAX];
	char name[CHECK_NAME_MAX];

	if (run->prepared.n == 0)
		return;
	check_account_name(&row->account, form, name);
	if (digest_ha1(run->judge->crypto, alg, span_str(name),
	    span_str(row->realm), run->judge->password, made) == 0)
		line->password = matches(secret_equal(made, ha1,
		    digest_alg_size(alg)));
	secret_wipe(made, sizeof(made));
}

/* The line of whatever is decided by this HA1. */
static void
judge_ha1(struct run *run, const struct credential *row, enum digest_alg alg,
    enum name_form form, struct check_line *line)
{
	const struct domain_policy *policy = &run->home->policy;
	struct crypto *crypto = run->judge->crypto;
	uint8_t ha1[DIGEST_SIZE_MAX];
	int rc = credential_ha1(row, crypto, run->judge->ring, alg, form, ha1);

	if (rc == 0)
		try_ha1(run, row, alg, form, ha1, line);
	secret_wipe(ha1, sizeof(ha1));
	if (rc == -ERR_UNSUPPORTED && policy->digests_none)
		shut(line, CHECK_OFF, REASON_NONE,
		    "the domain keeps no digests");
	else if (rc == -ERR_UNSUPPORTED && !policy->stores[alg])
		shut(line, CHECK_OFF, REASON_NONE,
		    "the domain does not keep this algorithm");
	else if (shut_account(run, line))
		return;
	else if (!crypto_has(crypto, digest_alg_hash(alg)))
		shut(line, CHECK_CANNOT, REASON_NO_VERIFIER,
		    "this machine's libcrypto does not have its hash");
	else if (rc == -ERR_KEY)
		shut_locked(run, line);
	else if (rc != 0)
		shut(line, CHECK_CANNOT, REASON_NO_VERIFIER,
		    rc == -ERR_UNSUPPORTED ? "no digest is stored" :
		    "the stored digest is unusable");
	else if (form == FORM_LOCAL ? run->local_capitals : run->capitals)
		shut(line, CHECK_CANNOT, REASON_CASE,
		    "a digest over capital letters never matches");
}

static void
judge_digest_md5(struct run *run)
{
	struct check_line *line = check_report_line(run->report, CHECK_SASL,
	    "DIGEST-MD5");
	const struct credential *home = run->home;

	if (!home->policy.digest_md5) {
		shut(line, CHECK_OFF, REASON_NONE,
		    "the domain does not serve it");
		return;
	}
	judge_ha1(run, home, DIGEST_MD5, FORM_LOCAL, line);
	if (line->state != CHECK_CAN || home->ha1_origin == HA1_SAME)
		return;
	/* NB: such a digest is never shown to stand for the password. */
	line->password = CHECK_UNTRIED;
	shut(line, CHECK_CANNOT, REASON_NO_VERIFIER,
	    home->ha1_origin == HA1_SEPARATE ?
	    "its digest is SIP's own password" :
	    "its digest was imported and is not proved");
}

/* Any verifier that may stand for the password, and can be read. */
static void
judge_plain(struct run *run)
{
	const struct verifier_context context = {
		.crypto = run->judge->crypto, .keys = run->judge->ring
	};
	struct check_line *line = check_report_line(run->report, CHECK_SASL,
	    "PLAIN");
	const struct credential *home = run->home;
	uint8_t ha1[DIGEST_SIZE_MAX];
	struct scram_verifier verifier;
	bool any = false, locked = false;

	for (int i = SCRAM_NONE + 1; i < SCRAM_MECH_COUNT; i++) {
		enum scram_mech mech = (enum scram_mech)i;

		any = any || (crypto_has(context.crypto,
		    scram_mech_hash(mech)) &&
		    credential_scram(home, mech, &verifier) == 0);
	}
	for (int i = DIGEST_NONE + 1; i < DIGEST_ALG_COUNT &&
	    home->ha1_origin == HA1_SAME; i++) {
		int rc = credential_ha1(home, context.crypto, context.keys,
		    (enum digest_alg)i, FORM_LOCAL, ha1);

		any = any || rc == 0;
		locked = locked || rc == -ERR_KEY;
	}
	secret_wipe(ha1, sizeof(ha1));
	secret_wipe(&verifier, sizeof(verifier));
	if (any && run->prepared.n > 0 && home->enabled)
		line->password = matches(verify_password(&context, home,
		    run->judge->password).verdict == VERDICT_ALLOW);
	if (shut_account(run, line) || any)
		return;
	if (locked)
		shut_locked(run, line);
	else
		shut(line, CHECK_CANNOT, REASON_NO_VERIFIER,
		    "no verifier stands for the password");
}

static void
judge_realm(struct run *run, const struct credential *row)
{
	struct span typed = run->judge->account->typed;
	char what[CHECK_WHAT_MAX];

	for (int i = DIGEST_NONE + 1; i < DIGEST_ALG_COUNT; i++) {
		for (int form = FORM_LOCAL; form < FORM_COUNT; form++) {
			struct check_line *line;

			(void)snprintf(what, sizeof(what), "SIP %s",
			    digest_alg_name((enum digest_alg)i));
			line = check_report_line(run->report, CHECK_SIP, what);
			(void)snprintf(line->realm, sizeof(line->realm), "%s",
			    row->realm);
			/* As a device would send it, capitals and all. */
			if (span_copy_str(form == FORM_FULL ? typed :
			    span_head(typed, span_rfind(typed, '@')),
			    line->name, sizeof(line->name)) != 0)
				line->name[0] = '\0';
			judge_ha1(run, row, (enum digest_alg)i,
			    (enum name_form)form, line);
			if (line->state == CHECK_CAN &&
			    run->home->ha1_origin == HA1_SEPARATE)
				(void)snprintf(line->note, sizeof(line->note),
				    "with a password of its own");
			else if (line->state == CHECK_CAN &&
			    run->home->ha1_origin == HA1_UNPROVED)
				(void)snprintf(line->note, sizeof(line->note),
				    "imported: may be another password");
		}
	}
}

void
check_judge(const struct check_judge *judge, struct check_report *report)
{
	const struct check_account *account = judge->account;
	struct run run = { .judge = judge, .report = report };

	if (account->realm_count == 0)
		return;
	run.home = &account->realms[0].row;
	run.capitals = account->presented.folded;
	run.local_capitals = account->local_folded;
	report->own_sip_password = run.home->ha1_origin == HA1_SEPARATE;
	if (judge->password.n > 0 && run.home->found &&
	    saslprep(judge->password, SASLPREP_QUERY, &run.prepared) != 0)
		secret_free(&run.prepared);
	for (int mech = SCRAM_NONE + 1; mech < SCRAM_MECH_COUNT; mech++)
		judge_scram(&run, (enum scram_mech)mech);
	judge_digest_md5(&run);
	judge_plain(&run);
	for (size_t i = 0; i < account->realm_count; i++)
		judge_realm(&run, &account->realms[i].row);
	secret_free(&run.prepared);
}
