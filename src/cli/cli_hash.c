/*
 * Prints all verifiers of one account (core/verifiers). The output is for a
 * program (the psql scripts): it is gathered first and written in one go, and
 * its last line counts the others, so that half of it is never taken for an
 * account.
 */

#include "cli/cli_hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_file.h"
#include "cli/cli_hash_options.h"
#include "cli/cli_password.h"
#include "core/crypto.h"
#include "core/err.h"
#include "core/password.h"
#include "core/saslprep.h"
#include "core/scram.h"
#include "core/seal.h"
#include "core/verifiers.h"

#define KEY_FILE_MAX	4096	/* octets */
#define LINE_MAX_OCTETS	(SCRAM_TEXT_MAX + SEAL_TEXT_MAX + REALM_MAX + 64)
#define LINES_MAX	(SCRAM_MECH_COUNT + \
	    VERIFIERS_REALMS_MAX * DIGEST_ALG_COUNT * FORM_COUNT + 1)

/* One run: what is asked for, what it is made with, what came of it. */
struct hash_run {
	const struct hash_options *options;
	struct crypto		*crypto;
	struct seal_keyring	 keys;
	struct secret		 password;
	struct wbuf		 out;
	size_t			 lines;
};

static enum cli_status
failed(const char *what, int rc)
{
	cli_say("cannot make the %s: %s", what, err_str(rc));
	return CLI_SYSTEM;
}

/* The verifiers_put of all: one line each. */
static int
put_line(void *arg, const char *name, struct span realm, const char *form,
    struct span value)
{
	struct hash_run *run = arg;

	wbuf_str(&run->out, name);
	wbuf_u8(&run->out, '\t');
	wbuf_span(&run->out, realm);
	wbuf_u8(&run->out, '\t');
	wbuf_str(&run->out, form);
	wbuf_u8(&run->out, '\t');
	wbuf_span(&run->out, value);
	wbuf_u8(&run->out, '\n');
	run->lines++;
	return 0;
}

/* The verifier of a PostgreSQL role is the one of SCRAM-SHA-256. */
static enum cli_status
put_role(struct hash_run *run)
{
	struct scram_verifier verifier;
	uint8_t salt[SCRAM_SALT_NEW], text[SCRAM_TEXT_MAX];
	struct secret prepared = { NULL, 0 };
	struct wbuf wb;
	int rc;

	memset(&verifier, 0, sizeof(verifier));
	wbuf_init(&wb, text, sizeof(text));
	rc = saslprep(secret_span(&run->password), SASLPREP_STORED,
	    &prepared);
	if (rc == 0)
		rc = scram_new_salt(run->crypto, salt);
	if (rc == 0)
		rc = scram_make(run->crypto, SCRAM_SHA_256,
		    secret_span(&prepared), span_mem(salt, sizeof(salt)),
		    run->options->iterations, &verifier);
	if (rc == 0) {
		scram_format(&verifier, &wb);
		rc = put_line(run, "role", SPAN_EMPTY, "", wbuf_written(&wb));
	}
	secret_wipe(&verifier, sizeof(verifier));
	wbuf_wipe(&wb);
	secret_free(&prepared);
	return rc == 0 ? CLI_OK : failed("role's verifier", rc);
}

/* What the library lacks (FIPS) is left out, but not in silence. */
static void
warn_missing(const struct hash_run *run, const struct verifiers_plan *plan)
{
	for (int mech = SCRAM_SHA_1; plan->scram && mech < SCRAM_MECH_COUNT;
	    mech++) {
		enum hash_id hash = scram_mech_hash((enum scram_mech)mech);

		if (!crypto_has(run->crypto, hash))
			cli_say("warning: %s is not to be had here, so no %s",
			    hash_name(hash),
			    scram_mech_name((enum scram_mech)mech));
	}
	for (int alg = DIGEST_MD5; alg < DIGEST_ALG_COUNT; alg++)
		if (plan->algorithms[alg] && !crypto_has(run->crypto,
		    digest_alg_hash((enum digest_alg)alg)))
			cli_say("warning: %s is not to be had here, so no "
			    "digests with it",
			    digest_alg_name((enum digest_alg)alg));
}

static enum cli_status
put_all(struct hash_run *run)
{
	const struct hash_options *options = run->options;
	struct verifiers_plan plan = {
		.account = &options->account,
		.scram = !options->sip_only,
		.iterations = options->iterations,
		.realms = options->realms,
		.realm_count = options->realm_count,
		.seal = options->digests == HASH_DIGESTS_SEALED ?
		    &run->keys : NULL
	};
	int rc;

	if (options->role)
		return put_role(run);
	for (int alg = DIGEST_MD5; alg < DIGEST_ALG_COUNT; alg++)
		plan.algorithms[alg] = options->algorithms[alg] &&
		    options->digests != HASH_DIGESTS_NONE;
	warn_missing(run, &plan);
	rc = verifiers_make(run->crypto, &plan, secret_span(&run->password),
	    put_line, run);
	if (rc != 0)
		return failed("verifiers", rc);
	if (run->lines == 0) {
		cli_say("no verifier at all can be made here");
		return CLI_REFUSED;
	}
	return CLI_OK;
}

static enum cli_status
read_password(struct hash_run *run)
{
	const struct hash_options *options = run->options;
	enum cli_status status;
	const char *why = NULL;

	status = options->password_file != NULL ?
	    cli_password_read(options->password_file, &run->password) :
	    cli_password_ask(options->name, &run->password);
	if (status != CLI_OK)
		return status;
	if (password_check_new(secret_span(&run->password),
	    options->non_ascii, &why) == 0)
		return CLI_OK;
	cli_say("%s", why != NULL ? why : "the password is refused");
	return CLI_REFUSED;
}

static enum cli_status
read_keys(struct hash_run *run)
{
	const char *file = run->options->seal_key_file;
	struct secret text = { NULL, 0 };
	unsigned int line = 0;
	enum cli_status status;

	if (run->options->digests != HASH_DIGESTS_SEALED)
		return CLI_OK;
	status = cli_file_read(file, KEY_FILE_MAX, &text);
	if (status == CLI_OK && seal_keyring_parse(secret_span(&text),
	    &run->keys, &line) != 0) {
		cli_say("%s:%u: not a key file: one \"KEYID "
		    "base64-of-32-octets\" per line", file, line);
		status = CLI_REFUSED;
	}
	secret_free(&text);
	return status;
}

static enum cli_status
write_all(struct span left)
{
	ssize_t n;

	while (left.n > 0) {
		n = write(STDOUT_FILENO, left.p, left.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			cli_say("cannot write: %s", strerror(errno));
			return CLI_SYSTEM;
		}
		left = span_tail(left, (size_t)n);
	}
	return CLI_OK;
}

static void
print_help(void)
{
	puts("usage: onecred hash [options] alice@example.com\n"
	    "       onecred hash --role NAME\n"
	    "Makes every verifier of an account from its new password.\n\n"
	    "  --password-file F   take the password from F, do not ask\n"
	    "  --realm R           SIP realm; again for more (the domain)\n"
	    "  --iterations N      of SCRAM, 4096 to 65536 (10000)\n"
	    "  --algorithms LIST   of digests: MD5,SHA-256,SHA-512-256 (all)\n"
	    "  --digests WHICH     plain, sealed or none (plain)\n"
	    "  --seal-key-file F   seal the digests with the key in F\n"
	    "  --service WHICH     all, or sip: only digests (all)\n"
	    "  --rule WHICH        account names: strict or wide (strict)\n"
	    "  --non-ascii         allow passwords that are not ASCII\n"
	    "  --role              the verifier of a PostgreSQL role\n"
	    "  --environment       take all that from ONECRED_* variables");
}

enum cli_status
cli_hash(int argc, char **argv)
{
	struct hash_options options;
	struct hash_run run = { .options = &options };
	const size_t cap = (size_t)LINES_MAX * LINE_MAX_OCTETS;
	uint8_t *buf = NULL;
	enum cli_status status;

	status = hash_options_read(argc, argv, &options);
	if (status != CLI_OK)
		return status;
	if (options.help) {
		print_help();
		return CLI_OK;
	}
	buf = malloc(cap);
	if (buf == NULL || crypto_new(NULL, &run.crypto) != 0) {
		cli_say("out of memory, or OpenSSL does not start");
		status = CLI_SYSTEM;
		goto out;
	}
	wbuf_init(&run.out, buf, cap);
	status = read_keys(&run);
	if (status == CLI_OK)
		status = read_password(&run);
	if (status == CLI_OK)
		status = put_all(&run);
	if (status != CLI_OK)
		goto out;
	wbuf_str(&run.out, "end\t\t\t");
	wbuf_dec(&run.out, run.lines);
	wbuf_u8(&run.out, '\n');
	if (run.out.failed) {
		cli_say("the output does not fit");
		status = CLI_SYSTEM;
		goto out;
	}
	status = write_all(wbuf_written(&run.out));
out:
	secret_free(&run.password);
	seal_keyring_wipe(&run.keys);
	crypto_free(&run.crypto);
	if (buf != NULL)
		secret_wipe(buf, cap);
	free(buf);
	return status;
}
