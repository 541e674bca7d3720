/*
 * The options of onecred hash. Each has a name on the command line and one in
 * the environment, by which the psql scripts hand over account names and
 * policies: what stands there never passes through a shell or SQL text.
 */

#include "cli/cli_hash_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/scram.h"

#define ROLE_ITERATIONS	4096	/* PostgreSQL's own; every connect costs it */
#define ITERATIONS	10000

/* Raw texts, before they are judged together. NULL: not given. */
struct raw {
	const char	*user, *rule, *iterations, *algorithms, *digests;
	const char	*service, *non_ascii, *password_file, *seal_key_file;
	const char	*realms[VERIFIERS_REALMS_MAX];	/* lines of realms */
	size_t		 realm_count;
};

enum {
	OPTION_ENVIRONMENT = 256, OPTION_ROLE, OPTION_PASSWORD_FILE,
	OPTION_REALM, OPTION_ITERATIONS, OPTION_ALGORITHMS, OPTION_DIGESTS,
	OPTION_SEAL_KEY_FILE, OPTION_SERVICE, OPTION_NON_ASCII, OPTION_RULE
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "environment", no_argument, NULL, OPTION_ENVIRONMENT },
	{ "role", no_argument, NULL, OPTION_ROLE },
	{ "password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
	{ "realm", required_argument, NULL, OPTION_REALM },
	{ "iterations", required_argument, NULL, OPTION_ITERATIONS },
	{ "algorithms", required_argument, NULL, OPTION_ALGORITHMS },
	{ "digests", required_argument, NULL, OPTION_DIGESTS },
	{ "seal-key-file", required_argument, NULL, OPTION_SEAL_KEY_FILE },
	{ "service", required_argument, NULL, OPTION_SERVICE },
	{ "non-ascii", no_argument, NULL, OPTION_NON_ASCII },
	{ "rule", required_argument, NULL, OPTION_RULE },
	{ NULL, 0, NULL, 0 }
};

/* An unset and an empty variable are the same: not given. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || *value == '\0' ? NULL : value;
}

static void
raw_from_environment(struct raw *raw)
{
	raw->user = variable("ONECRED_USER");
	raw->rule = variable("ONECRED_RULE");
	raw->iterations = variable("ONECRED_ITERATIONS");
	raw->algorithms = variable("ONECRED_ALGORITHMS");
	raw->digests = variable("ONECRED_DIGESTS");
	raw->service = variable("ONECRED_SERVICE");
	raw->non_ascii = variable("ONECRED_NON_ASCII");
	raw->password_file = variable("ONECRED_PASSWORD_FILE");
	raw->seal_key_file = variable("ONECRED_SEAL_KEY_FILE");
	raw->realms[0] = variable("ONECRED_REALMS");
	raw->realm_count = raw->realms[0] != NULL;
}

static enum cli_status
raw_from_arguments(int argc, char **argv, struct raw *raw,
    struct hash_options *out)
{
	bool environment = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) !=
	    -1) {
		switch (option) {
		case 'h':
			out->help = true;
			return CLI_OK;
		case OPTION_ENVIRONMENT:
			environment = true;
			break;
		case OPTION_ROLE:
			out->role = true;
			break;
		case OPTION_PASSWORD_FILE:
			raw->password_file = optarg;
			break;
		case OPTION_REALM:
			if (raw->realm_count == VERIFIERS_REALMS_MAX) {
				cli_say("more than %d realms", VERIFIERS_REALMS_MAX);
				return CLI_USAGE;
			}
			raw->realms[raw->realm_count++] = optarg;
			break;
		case OPTION_ITERATIONS:
			raw->iterations = optarg;
			break;
		case OPTION_ALGORITHMS:
			raw->algorithms = optarg;
			break;
		case OPTION_DIGESTS:
			raw->digests = optarg;
			break;
		case OPTION_SEAL_KEY_FILE:
			raw->seal_key_file = optarg;
			break;
		case OPTION_SERVICE:
			raw->service = optarg;
			break;
		case OPTION_NON_ASCII:
			raw->non_ascii = "yes";
			break;
		case OPTION_RULE:
			raw->rule = optarg;
			break;
		default:
			return CLI_USAGE;	/* getopt has said why */
		}
	}
	if (argc - optind != (environment ? 0 : 1)) {
		cli_say("hash: give one account, like alice@example.com "
		    "(onecred hash --help)");
		return CLI_USAGE;
	}
	if (environment)
		raw_from_environment(raw);
	else
		raw->user = argv[optind];
	return CLI_OK;
}

/* One of the words of a NULL-terminated list, or -1. */
static int
choose(const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (span_equal(span_str(value), span_str(words[i])))
			return i;
	return -1;
}

static enum cli_status
bad(const char *what, const char *value)
{
	cli_say("hash: \"%s\" is not a valid %s", value, what);
	return CLI_USAGE;
}

static enum cli_status
read_iterations(const char *text, struct hash_options *out)
{
	struct span digits = span_str(text);
	uint32_t value = 0;

	if (digits.n == 0 || digits.n > 5)
		return bad("number of iterations", text);
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return bad("number of iterations", text);
		value = value * 10 + (uint32_t)(digits.p[i] - '0');
	}
	if (value < SCRAM_ITERATIONS_MIN || value > SCRAM_ITERATIONS_MAX) {
		cli_say("hash: iterations must be %d to %d",
		    SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
		return CLI_USAGE;
	}
	out->iterations = value;
	return CLI_OK;
}

/* "MD5,SHA-256", or "none". */
static enum cli_status
read_algorithms(const char *text, struct hash_options *out)
{
	struct span left = span_str(text), token;
	enum digest_alg alg;
	bool sess;

	memset(out->algorithms, 0, sizeof(out->algorithms));
	if (span_equal(left, SPAN_LIT("none")))
		return CLI_OK;
	for (;;) {
		token = span_head(left, span_find(left, ','));
		if (token.n == 0 ||
		    digest_alg_parse(token, &alg, &sess) != 0 || sess)
			return bad("list of algorithms (MD5, SHA-256, "
			    "SHA-512-256)", text);
		out->algorithms[alg] = true;
		if (token.n == left.n)
			return CLI_OK;
		left = span_tail(left, token.n + 1);
	}
}

static enum cli_status
add_realms(const char *lines, struct hash_options *out)
{
	struct span left = span_str(lines), realm;

	for (;;) {
		realm = span_head(left, span_find(left, '\n'));
		if (identity_check_realm(realm) != 0)
			return bad("realm", lines);
		if (out->realm_count == VERIFIERS_REALMS_MAX) {
			cli_say("hash: more than %d realms", VERIFIERS_REALMS_MAX);
			return CLI_USAGE;
		}
		for (size_t i = 0; i < out->realm_count; i++)
			if (span_equal(out->realms[i], realm)) {
				cli_say("hash: the same realm twice");
				return CLI_USAGE;
			}
		out->realms[out->realm_count++] = realm;
		if (realm.n == left.n)
			return CLI_OK;
		left = span_tail(left, realm.n + 1);
	}
}

static enum cli_status
read_account(const struct raw *raw, struct hash_options *out)
{
	static const char *const rules[] = { "strict", "wide", NULL };
	int rule = raw->rule == NULL ? 0 : choose(raw->rule, rules);
	int rc;

	if (rule < 0)
		return bad("rule (strict, wide)", raw->rule);
	rc = identity_parse(span_str(raw->user), rule == 0 ? IDENTITY_STRICT :
	    IDENTITY_WIDE, &out->account);
	if (rc == 0)
		return CLI_OK;
	if (rc == -ERR_TOO_LONG)
		cli_say("the account name is too long");
	else
		cli_say("\"%s\" cannot be an account: lower-case letters, "
		    "digits, \".\", \"_\", \"-\", then \"@\" and the domain",
		    raw->user);
	return CLI_REFUSED;
}

/* The options that are one of a few words. */
static enum cli_status
read_words(const struct raw *raw, struct hash_options *out)
{
	static const char *const digests[] = {
		"plain", "sealed", "none", NULL
	};
	static const char *const services[] = { "all", "sip", NULL };
	static const char *const booleans[] = {
		"no", "f", "false", "0", "off", "yes", "t", "true", "1", "on",
		NULL
	};
	int choice;

	if (raw->digests != NULL) {
		choice = choose(raw->digests, digests);
		if (choice < 0)
			return bad("kind of digests (plain, sealed, none)",
			    raw->digests);
		out->digests = (enum hash_digests)choice;
	} else if (raw->seal_key_file != NULL) {
		out->digests = HASH_DIGESTS_SEALED;
	}
	if (raw->service != NULL) {
		choice = choose(raw->service, services);
		if (choice < 0)
			return bad("service (all, sip)", raw->service);
		out->sip_only = choice == 1;
	}
	if (raw->non_ascii != NULL) {
		choice = choose(raw->non_ascii, booleans);
		if (choice < 0)
			return bad("non-ASCII flag (yes, no)", raw->non_ascii);
		out->non_ascii = choice >= 5;
	}
	return CLI_OK;
}

enum cli_status
hash_options_read(int argc, char **argv, struct hash_options *out)
{
	struct raw raw = { .user = NULL };
	enum cli_status status;

	memset(out, 0, sizeof(*out));
	status = raw_from_arguments(argc, argv, &raw, out);
	if (status != CLI_OK || out->help)
		return status;
	if (raw.user == NULL) {
		cli_say("hash: ONECRED_USER holds no account");
		return CLI_USAGE;
	}
	out->name = raw.user;
	out->password_file = raw.password_file;
	out->seal_key_file = raw.seal_key_file;
	out->iterations = out->role ? ROLE_ITERATIONS : ITERATIONS;
	for (size_t i = DIGEST_MD5; i < DIGEST_ALG_COUNT; i++)
		out->algorithms[i] = true;
	if (out->role)
		return CLI_OK;

	status = read_account(&raw, out);
	if (status == CLI_OK)
		status = read_words(&raw, out);
	if (status == CLI_OK && raw.iterations != NULL)
		status = read_iterations(raw.iterations, out);
	if (status == CLI_OK && raw.algorithms != NULL)
		status = read_algorithms(raw.algorithms, out);
	for (size_t i = 0; status == CLI_OK && i < raw.realm_count; i++)
		status = add_realms(raw.realms[i], out);
	if (status == CLI_OK && out->realm_count == 0)
		status = add_realms(out->account.domain, out);
	if (status == CLI_OK && out->digests == HASH_DIGESTS_SEALED &&
	    out->seal_key_file == NULL) {
		cli_say("the digests of this domain are sealed: "
		    "give the key file (--seal-key-file)");
		status = CLI_REFUSED;
	}
	if (status == CLI_OK && out->digests == HASH_DIGESTS_NONE &&
	    out->sip_only) {
		cli_say("this domain keeps no digests, "
		    "so SIP cannot have a password of its own");
		status = CLI_REFUSED;
	}
	return status;
}
