/*
 * auxprop_store: what saslpasswd2, sasl_setpass() and auto_transition do. Of
 * all properties only userPassword counts: its plaintext makes every verifier
 * of the account at once and is then forgotten. What libsasl2 wants to store
 * or to delete besides (authPassword, cmusaslsecret*) is part of the same
 * password in our table: storing it is refused, and its deletion, which
 * saslpasswd2 sends right behind each new password, is not obeyed.
 *
 * It needs a database role that may write (role-add.sql, grant=daemon).
 */

#include <string.h>

#include "core/err.h"
#include "core/password.h"
#include "core/saslprep.h"
#include "core/secret.h"
#include "core/verifiers.h"
#include "plugin.h"
#include "plugin_sql.h"

/* What the properties ask of us. */
enum task {
	TASK_NOTHING = 0,	/* to delete what we do not have */
	TASK_FOREIGN,		/* to store what is not ours */
	TASK_SET,
	TASK_DELETE
};

/* One call. */
struct store {
	struct plugin			*plugin;
	const sasl_server_params_t	*params;
	struct account			 account;
	struct span			 password;	/* libsasl2's */
};

/* NB: asked for, but without values, is not the same as set to nothing. */
static bool
is_erased(const struct propval *p)
{
	return p->values != NULL && p->values[0] == NULL;
}

static enum task
find_task(const sasl_utils_t *utils, struct propctx *properties,
    struct span *password)
{
	const struct propval *p = utils->prop_get(properties);
	enum task task = TASK_NOTHING;

	for (; p != NULL && p->name != NULL; p++) {
		struct span name = span_str(p->name);

		if (p->values == NULL)
			continue;
		if (span_equal(name, SPAN_LIT(SASL_AUX_ALL)) && is_erased(p))
			return TASK_DELETE;
		/* "*name" belongs to the login that went before. */
		if (is_erased(p) || name.n == 0 || name.p[0] == '*')
			continue;
		if (!span_equal(name, SPAN_LIT(SASL_AUX_PASSWORD_PROP))) {
			if (task != TASK_SET)
				task = TASK_FOREIGN;
			continue;
		}
		*password = p->nvalues == 1 ?
		    span_mem(p->values[0], p->valsize) :
		    span_str(p->values[0]);
		task = TASK_SET;
	}
	return task;
}

/* Tells the application's log and its user. sentence holds no secret. */
static int
refuse(const struct store *store, int answer, const char *sentence)
{
	const sasl_utils_t *utils = store->params->utils;

	utils->log(utils->conn, SASL_LOG_ERR, "onecred: %s", sentence);
	utils->seterror(utils->conn, SASL_NOLOG, "%s", sentence);
	return answer;
}

/* Our own SQLSTATEs (sql/schema/account.sql) in libsasl2's words. */
static int
answer_of(const char *state)
{
	static const struct {
		const char	*state;
		int		 answer;
	} answers[] = {
		{ "OC002", SASL_NOUSER },
		{ "OC003", SASL_TRYAGAIN },
		{ "OC004", SASL_BADPARAM },
		{ "OC006", SASL_NOAUTHZ },
		{ "42501", SASL_NOAUTHZ }
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (span_equal(span_str(state),
		    span_str(answers[i].state)))
			return answers[i].answer;
	return SASL_FAIL;
}

/* Runs one query under the lock; SASL_OK: *result is set. */
static int
ask(const struct store *store, enum database_query query, int count,
    const char *const *values, PGresult **result)
{
	const struct plugin_options *options = &store->plugin->options;
	char why[DATABASE_WHY_MAX];
	struct process *process;
	int64_t deadline;
	int answer;

	*result = NULL;
	deadline = process_clock() + options->timeout_ms;
	process = process_enter(&store->plugin->processes, deadline);
	if (process == NULL)
		return SASL_UNAVAIL;
	switch (database_run(&process->database, options, query, count,
	    values, deadline, result, why)) {
	case DATABASE_ROWS:
		answer = SASL_OK;
		break;
	case DATABASE_REFUSED:
		answer = refuse(store, answer_of(process->database.state),
		    why);
		break;
	case DATABASE_DOWN:
	default:
		plugin_log_fault(store->params, process, "unavailable", why);
		answer = SASL_UNAVAIL;
		break;
	}
	process_leave(process);
	return answer;
}

/*
 * Whether password is the account's already, by the first SCRAM verifier that
 * there is: they all come from one plaintext (DESIGN 2).
 */
static bool
is_password(struct crypto *crypto, const struct credential *credential,
    struct span password)
{
	static const enum scram_mech order[] = {
		SCRAM_SHA_256, SCRAM_SHA_512, SCRAM_SHA_1
	};
	struct secret prepared = { NULL, 0 };
	struct scram_verifier verifier;
	enum verdict verdict = VERDICT_DENY;

	if (!credential->found ||
	    saslprep(password, SASLPREP_STORED, &prepared) != 0)
		return false;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (credential_scram(credential, order[i], &verifier) != 0)
			continue;
		verdict = scram_check(crypto, &verifier,
		    secret_span(&prepared));
		secret_wipe(&verifier, sizeof(verifier));
		break;
	}
	secret_free(&prepared);
	return verdict == VERDICT_ALLOW;
}

static int
write_verifiers(const struct store *store,
    const struct verifiers_arrays *verifiers, const char *version)
{
	const char *values[7];
	PGresult *result;
	int answer;

	values[0] = store->account.domain;
	values[1] = store->account.localpart;
	for (size_t i = 0; i < VERIFIERS_LISTS; i++)
		values[2 + i] = (const char *)verifiers->lists[i].p;
	values[6] = version;
	answer = ask(store, QUERY_ACCOUNT_SET, 7, values, &result);
	database_result_clear(&result);
	return answer;
}

static const char *
sentence_of(int rc)
{
	switch (rc) {
	case -ERR_KEY:
		return "this domain seals its digests, and "
		    "onecred_seal_key_file is not set";
	case -ERR_TOO_LONG:
		return "the domain has more realms than the plugin can make "
		    "digests for";
	default:
		return err_str(rc);
	}
}

/* Every verifier that the domain's policy asks for. */
static int
make_verifiers(struct crypto *crypto, const struct sql_account *row,
    const struct seal_keyring *ring, struct span password,
    struct verifiers_arrays *verifiers)
{
	const struct domain_policy *policy = &row->credential.policy;
	struct span realms[VERIFIERS_REALMS_MAX];
	struct verifiers_plan plan = {
		.account = &row->credential.account,
		.scram = true,
		.iterations = policy->iterations,
		.realms = realms,
		.seal = policy->digests_sealed ? ring : NULL
	};
	int rc;

	if (policy->digests_sealed && ring->count == 0)
		return -ERR_KEY;
	for (int alg = DIGEST_MD5; alg < DIGEST_ALG_COUNT; alg++)
		plan.algorithms[alg] = policy->stores[alg] &&
		    !policy->digests_none;
	rc = verifiers_realms(row->realms, realms, VERIFIERS_REALMS_MAX,
	    &plan.realm_count);
	if (rc == 0)
		rc = verifiers_make(crypto, &plan, password,
		    verifiers_arrays_put, verifiers);
	if (rc == 0)
		rc = verifiers_arrays_end(verifiers);
	return rc;
}

/* With the account's row and the domain's policy at hand. */
static int
set_password(const struct store *store, struct crypto *crypto,
    const struct sql_account *row)
{
	const struct credential *credential = &row->credential;
	struct verifiers_arrays verifiers;
	const char *sentence;
	bool same;
	int rc, answer;

	same = is_password(crypto, credential, store->password);
	/*
	 * After every PLAIN login auto_transition stores the same password
	 * again. And one that SIP does not share must not become SIP's so.
	 */
	if (same && (row->complete ||
	    credential->ha1_origin == HA1_SEPARATE))
		return SASL_OK;
	if (password_check_new(store->password, row->non_ascii,
	    &sentence) != 0)
		return refuse(store, SASL_WEAKPASS, sentence);
	rc = verifiers_arrays_init(&verifiers);
	if (rc == 0)
		rc = make_verifiers(crypto, row, &store->plugin->options.ring,
		    store->password, &verifiers);
	/* Only completed: a new password set meanwhile has to win. */
	answer = rc != 0 ? refuse(store, SASL_FAIL, sentence_of(rc)) :
	    write_verifiers(store, &verifiers, same ? row->version : NULL);
	verifiers_arrays_wipe(&verifiers);
	return answer;
}

static int
store_set(const struct store *store)
{
	const char *const values[] = { store->account.domain,
	    store->account.localpart };
	struct crypto *crypto = NULL;
	struct sql_account row;
	PGresult *result;
	int answer;

	answer = ask(store, QUERY_ACCOUNT_GET, 2, values, &result);
	if (answer != SASL_OK)
		return answer;
	if (sql_read_account(result, &store->account, &row) != 0)
		answer = refuse(store, SASL_FAIL, "the answer of "
		    "onecred.account_get is not understood");
	else if (crypto_new(NULL, &crypto) != 0)
		answer = SASL_NOMEM;
	else
		answer = set_password(store, crypto, &row);
	crypto_free(&crypto);
	credential_wipe(&row.credential);
	database_result_clear(&result);
	return answer;
}

static int
store_delete(const struct store *store)
{
	const char *const values[] = { store->account.domain,
	    store->account.localpart };
	PGresult *result;
	int answer;

	answer = ask(store, QUERY_ACCOUNT_DELETE, 2, values, &result);
	database_result_clear(&result);
	return answer;
}

int
plugin_store(void *context, sasl_server_params_t *params,
    struct propctx *properties, const char *user, unsigned user_n)
{
	struct store store = { .plugin = context, .params = params };
	struct presented presented;
	enum task task;

	if (store.plugin == NULL ||
	    store.plugin->options.state == PLUGIN_UNCONFIGURED)
		return SASL_CONSTRAINT_VIOLAT;
	/* Only asked whether anything can be stored here. */
	if (properties == NULL)
		return SASL_OK;
	if (params == NULL || params->utils == NULL || user == NULL)
		return SASL_BADPARAM;
	task = find_task(params->utils, properties, &store.password);
	if (task == TASK_NOTHING)
		return SASL_OK;
	if (task == TASK_FOREIGN)
		return SASL_CONSTRAINT_VIOLAT;
	if (store.plugin->options.state == PLUGIN_FAULTY)
		return refuse(&store, SASL_FAIL, store.plugin->options.fault);
	if (plugin_account(params, user, user_n, &presented) != 0)
		return refuse(&store, SASL_BADPARAM,
		    "this is not the name of an account of this domain");
	store.account = presented.account;
	return task == TASK_SET ? store_set(&store) : store_delete(&store);
}
