/*
 * auxprop_lookup: hands the running mechanism the one verifier that it needs,
 * authPassword (RFC 5803) for SCRAM or cmusaslsecretDIGEST-MD5 (RFC 2831,
 * 16 octets), from one query. Whoever has none gets a fake, so that the
 * exchange runs to its end and fails there like a wrong password (DESIGN 4).
 *
 * Never sets userPassword, which would make the mechanisms ignore verifiers;
 * never sets a property without a value, which would crash them; never
 * answers an outage with "no such user". With nothing to look up it says
 * SASL_NOUSER and not SASL_OK, on which ANONYMOUS would log in.
 */

#include "core/digest.h"
#include "core/err.h"
#include "core/fake.h"
#include "core/identity.h"
#include "core/secret.h"
#include "plugin.h"
#include "plugin_sql.h"

#define PROPERTY_SCRAM	"*authPassword"
#define PROPERTY_DIGEST	"*cmusaslsecretDIGEST-MD5"
#define LOG_EVERY_MS	10000	/* an outage is not logged more often */
#define DIGEST_MD5_SIZE	16

/* What the running mechanism wants: a SCRAM verifier, or HA1. */
struct wanted {
	const char	*property;	/* NULL: nothing that we have */
	const char	*mechanism;	/* as onecred.lookup() spells it */
	enum scram_mech	 mech;		/* SCRAM_NONE: DIGEST-MD5 */
};

/* True if properties asks for name and it has no value yet. */
static bool
is_requested(const sasl_utils_t *utils, struct propctx *properties,
    unsigned flags, const char *name)
{
	const struct propval *p = utils->prop_get(properties);

	for (; p != NULL && p->name != NULL; p++) {
		if (!span_equal(span_str(p->name), span_str(name)))
			continue;
		return p->values == NULL ||
		    (flags & SASL_AUXPROP_OVERRIDE) != 0;
	}
	return false;
}

/*
 * NB: SCRAM fails with "no memory" on an authPassword of another scheme, so
 * the mechanism has to be known, not only the properties.
 */
static struct wanted
find_wanted(const sasl_server_params_t *params, unsigned flags)
{
	static const struct span plus = { (const uint8_t *)"-PLUS", 5 };
	const sasl_utils_t *utils = params->utils;
	struct wanted wanted = { NULL, NULL, SCRAM_NONE };
	const void *value = NULL;
	struct span name;

	if (utils->getprop(utils->conn, SASL_MECHNAME, &value) != SASL_OK)
		return wanted;
	name = span_str(value);
	if (name.n > plus.n &&
	    span_equal(span_tail(name, name.n - plus.n), plus))
		name = span_head(name, name.n - plus.n);
	wanted.mech = scram_mech_parse(name);
	if (wanted.mech != SCRAM_NONE) {
		wanted.mechanism = scram_mech_name(wanted.mech);
		wanted.property = PROPERTY_SCRAM;
	} else if (span_equal(name, SPAN_LIT("DIGEST-MD5"))) {
		wanted.mechanism = "DIGEST-MD5";
		wanted.property = PROPERTY_DIGEST;
	}
	if (wanted.property != NULL && !is_requested(utils, params->propctx,
	    flags, wanted.property))
		wanted.property = NULL;
	return wanted;
}

int
plugin_account(const sasl_server_params_t *params, const char *user,
    unsigned user_n, struct presented *out)
{
	struct span name = span_mem(user, user_n);
	struct span domain = span_str(params->user_realm);

	/* An application without a realm: the name's own, or the host's. */
	if (domain.n == 0 && span_rfind(name, '@') == name.n) {
		domain = span_str(params->serverFQDN);
		if (domain.n == 0)
			return -ERR_FORMAT;
	}
	return identity_present(name, domain, out);
}

void
plugin_log_fault(const sasl_server_params_t *params, struct process *process,
    const char *what, const char *why)
{
	struct database *database = &process->database;
	int64_t now = process_clock();

	if (why[0] == '\0' || (database->logged &&
	    now - database->logged_at < LOG_EVERY_MS))
		return;
	database->logged = true;
	database->logged_at = now;
	params->utils->log(params->utils->conn, SASL_LOG_ERR,
	    "onecred: %s: %s", what, why);
}

static int
set_property(const sasl_server_params_t *params, const char *name,
    const void *value, size_t n)
{
	/* NB: prop_set() appends to what is there. */
	params->utils->prop_erase(params->propctx, name);
	return params->utils->prop_set(params->propctx, name, value, (int)n);
}

static int
give_scram(const sasl_server_params_t *params, struct process *process,
    const struct credential *credential, enum scram_mech mech)
{
	struct scram_verifier verifier;
	uint8_t text[SCRAM_TEXT_MAX];
	struct crypto *crypto;
	int rc, answer = SASL_UNAVAIL;
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	rc = credential->enabled ?
	    credential_scram(credential, mech, &verifier) : -ERR_UNSUPPORTED;
	if (rc != 0) {
		crypto = process_crypto(process);
		rc = crypto == NULL ? -ERR_CRYPTO :
		    fake_scram(crypto, credential, mech, &verifier);
	}
	if (rc == 0)
		scram_format(&verifier, &wb);
	if (rc == 0 && !wb.failed)
		answer = set_property(params, PROPERTY_SCRAM, text, wb.n);
	secret_wipe(&verifier, sizeof(verifier));
	wbuf_wipe(&wb);
	return answer;
}

/*
 * The hash is over the realm that libsasl2 offers, letter by letter, and the
 * one we have is of the home realm.
 */
static bool
is_home_realm(const sasl_server_params_t *params,
    const struct credential *credential)
{
	return params->user_realm == NULL || params->user_realm[0] == '\0' ||
	    span_equal(span_str(params->user_realm),
	    span_str(credential->realm));
}

static int
give_digest(const sasl_server_params_t *params, struct process *process,
    const struct credential *credential, const struct seal_keyring *ring)
{
	struct crypto *crypto = process_crypto(process);
	uint8_t ha1[DIGEST_SIZE_MAX];
	int rc, answer = SASL_UNAVAIL;

	/* All accounts of the domain alike: the client may try another one. */
	if (!credential->policy.digest_md5)
		return SASL_NOMECH;
	if (!is_home_realm(params, credential)) {
		plugin_log_fault(params, process, "DIGEST-MD5 is not served",
		    "the application's realm is not the domain's home realm");
		return SASL_NOMECH;
	}
	if (crypto == NULL)
		return SASL_UNAVAIL;
	/* Without any key not even the unknown may look different. */
	if (credential->policy.digests_sealed && ring->count == 0)
		rc = -ERR_KEY;
	else if (credential->enabled)
		rc = credential_ha1(credential, crypto, ring, DIGEST_MD5,
		    FORM_LOCAL, ha1);
	else
		rc = -ERR_UNSUPPORTED;
	if (rc == -ERR_KEY)
		plugin_log_fault(params, process, "unavailable",
		    "a sealed digest cannot be opened: see "
		    "onecred_seal_key_file");
	if (rc == -ERR_UNSUPPORTED || rc == -ERR_FORMAT)
		rc = fake_ha1(crypto, credential, DIGEST_MD5, FORM_LOCAL,
		    ha1);
	if (rc == 0)
		answer = set_property(params, PROPERTY_DIGEST, ha1,
		    DIGEST_MD5_SIZE);
	secret_wipe(ha1, sizeof(ha1));
	return answer;
}

/* The database's log, in which a stored password's digests would appear. */
static void
warn_once(const sasl_server_params_t *params, struct process *process)
{
	if (!process->database.careless || process->database.warned)
		return;
	process->database.warned = true;
	params->utils->log(params->utils->conn, SASL_LOG_WARN, "onecred: the "
	    "database role lets PostgreSQL log parameters; see role-add.sql");
}

/* Lock held. */
static int
look_up(const struct plugin *plugin, const sasl_server_params_t *params,
    struct process *process, const struct account *account,
    const struct wanted *wanted, int64_t deadline)
{
	const char *values[3];
	struct credential credential;
	char why[DATABASE_WHY_MAX];
	PGresult *result = NULL;
	int answer = SASL_UNAVAIL;

	values[0] = account->domain;
	values[1] = account->localpart;
	values[2] = wanted->mechanism;
	if (plugin->options.state == PLUGIN_FAULTY) {
		plugin_log_fault(params, process, "unavailable",
		    plugin->options.fault);
		return SASL_UNAVAIL;
	}
	if (database_run(&process->database, &plugin->options, QUERY_LOOKUP,
	    3, values, deadline, &result, why) != DATABASE_ROWS) {
		plugin_log_fault(params, process, "unavailable", why);
		return SASL_UNAVAIL;
	}
	warn_once(params, process);
	switch (sql_read_lookup(result, account, wanted->mech, &credential)) {
	case 0:
		answer = wanted->mech != SCRAM_NONE ?
		    give_scram(params, process, &credential, wanted->mech) :
		    give_digest(params, process, &credential,
		    &plugin->options.ring);
		break;
	case -ERR_UNSUPPORTED:
		/* The whole domain is not ours: this tells of no account. */
		answer = SASL_NOUSER;
		break;
	default:
		plugin_log_fault(params, process, "unavailable",
		    "the answer of onecred.lookup is not understood");
		break;
	}
	credential_wipe(&credential);
	database_result_clear(&result);
	return answer;
}

int
plugin_lookup(void *context, sasl_server_params_t *params, unsigned flags,
    const char *user, unsigned user_n)
{
	struct plugin *plugin = context;
	struct process *process;
	struct presented presented;
	struct wanted wanted;
	int64_t deadline;
	int answer;

	if (plugin == NULL || params == NULL || params->utils == NULL ||
	    user == NULL)
		return SASL_BADPARAM;
	if (plugin->options.state == PLUGIN_UNCONFIGURED)
		return SASL_NOMECH;
	/* The authorization identity: we have no properties of it. */
	if ((flags & SASL_AUXPROP_AUTHZID) != 0)
		return SASL_OK;
	wanted = find_wanted(params, flags);
	if (wanted.property == NULL)
		return SASL_NOUSER;
	if (plugin_account(params, user, user_n, &presented) != 0)
		return SASL_NOUSER;
	deadline = process_clock() + plugin->options.timeout_ms;
	process = process_enter(&plugin->processes, deadline);
	if (process == NULL)
		return SASL_UNAVAIL;
	answer = look_up(plugin, params, process, &presented.account, &wanted,
	    deadline);
	process_leave(process);
	return answer;
}
