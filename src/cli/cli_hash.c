/*
 * All verifiers of one account from one plaintext, while that is in hand:
 * SCRAM (RFC 5802, 7677; RFC 5803 text) and the digest HA1s (RFC 7616 3.4,
 * RFC 8760) of each realm in both name forms, hex or sealed. The output is
 * for a program (the psql scripts): it is gathered first and written in one
 * go, and its last line counts the others, so that half of it is never taken
 * for an account.
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
#include "core/hex.h"
#include "core/password.h"
#include "core/saslprep.h"
#include "core/scram.h"
#include "core/seal.h"

#define KEY_FILE_MAX	4096	/* octets */
#define LINE_MAX_OCTETS	(SCRAM_TEXT_MAX + SEAL_TEXT_MAX + REALM_MAX + 64)
#define LINES_MAX	(SCRAM_MECH_COUNT + \
	    HASH_REALMS_MAX * DIGEST_ALG_COUNT * FORM_COUNT + 1)

static const char *const scram_names[SCRAM_MECH_COUNT] = {
	[SCRAM_SHA_1] = "scram_sha_1",
	[SCRAM_SHA_256] = "scram_sha_256",
	[SCRAM_SHA_512] = "scram_sha_512"
};

static const char *const ha1_names[DIGEST_ALG_COUNT] = {
	[DIGEST_MD5] = "ha1_md5",
	[DIGEST_SHA_256] = "ha1_sha_256",
	[DIGEST_SHA_512_256] = "ha1_sha_512_256"
};

static const char *const form_names[FORM_COUNT] = {
	[FORM_LOCAL] = "local",
	[FORM_FULL] = "full"
};

/* One run: what is asked for, what it is made with, what came of it. */
struct hash_run {
	const struct hash_options *options;
	struct crypto		*crypto;
	struct seal_keyring	 keys;
	struct secret		 password;	/* prepared */
	struct wbuf		 out;
	size_t			 lines;
};

static enum cli_status
failed(const char *what, int rc)
{
	cli_say("cannot make the %s: %s", what, err_str(rc));
	return CLI_SYSTEM;
}

static void
line_start(struct hash_run *run, const char *name, struct span realm,
    const char *form)
{
	wbuf_str(&run->out, name);
	wbuf_u8(&run->out, '\t');
	wbuf_span(&run->out, realm);
	wbuf_u8(&run->out, '\t');
	wbuf_str(&run->out, form);
	wbuf_u8(&run->out, '\t');
	run->lines++;
}

static enum cli_status
put_scram(struct hash_run *run, enum scram_mech mech, const char *name)
{
	struct scram_verifier verifier;
	uint8_t salt[SCRAM_SALT_NEW];
	int rc;

	memset(&verifier, 0, sizeof(verifier));
	if (!crypto_has(run->crypto, scram_mech_hash(mech))) {
		cli_say("warning: %s is not to be had here, so no %s",
		    hash_name(scram_mech_hash(mech)), scram_mech_name(mech));
		return CLI_OK;
	}
	rc = scram_new_salt(run->crypto, salt);
	if (rc == 0)
		rc = scram_make(run->crypto, mech, secret_span(&run->password),
		    span_mem(salt, sizeof(salt)), run->options->iterations,
		    &verifier);
	if (rc == 0) {
		line_start(run, name, SPAN_EMPTY, "");
		scram_format(&verifier, &run->out);
		wbuf_u8(&run->out, '\n');
	}
	secret_wipe(&verifier, sizeof(verifier));
	return rc == 0 ? CLI_OK : failed(scram_mech_name(mech), rc);
}

static enum cli_status
put_ha1(struct hash_run *run, struct span realm, enum digest_alg alg,
    enum name_form form)
{
	const struct account *account = &run->options->account;
	const struct seal_place place = {
		.account = account,
		.realm = realm,
		.algorithm = span_str(digest_alg_name(alg)),
		.form = form
	};
	uint8_t ha1[DIGEST_SIZE_MAX], name[ACCOUNT_MAX];
	struct wbuf user;
	struct span value;
	int rc;

	wbuf_init(&user, name, sizeof(name));
	wbuf_str(&user, account->localpart);
	if (form == FORM_FULL) {
		wbuf_u8(&user, '@');
		wbuf_str(&user, account->domain);
	}
	rc = user.failed ? -ERR_TOO_LONG : digest_ha1(run->crypto, alg,
	    wbuf_written(&user), realm, secret_span(&run->password), ha1);
	if (rc == 0) {
		value = span_mem(ha1, digest_alg_size(alg));
		line_start(run, ha1_names[alg], realm, form_names[form]);
		if (run->options->digests == HASH_DIGESTS_SEALED)
			rc = seal_value(run->crypto, &run->keys, &place, value,
			    &run->out);
		else
			wbuf_hex(&run->out, value);
		wbuf_u8(&run->out, '\n');
	}
	secret_wipe(ha1, sizeof(ha1));
	return rc == 0 ? CLI_OK : failed(digest_alg_name(alg), rc);
}

static enum cli_status
put_digests(struct hash_run *run, enum digest_alg alg)
{
	const struct hash_options *options = run->options;
	enum cli_status status = CLI_OK;

	if (!options->algorithms[alg])
		return CLI_OK;
	if (!crypto_has(run->crypto, digest_alg_hash(alg))) {
		cli_say("warning: %s is not to be had here, so no digests "
		    "with it", digest_alg_name(alg));
		return CLI_OK;
	}
	for (size_t i = 0; i < options->realm_count; i++) {
		status = put_ha1(run, options->realms[i], alg, FORM_LOCAL);
		if (status == CLI_OK)
			status = put_ha1(run, options->realms[i], alg,
			    FORM_FULL);
		if (status != CLI_OK)
			break;
	}
	return status;
}

static enum cli_status
put_all(struct hash_run *run)
{
	const struct hash_options *options = run->options;
	enum cli_status status = CLI_OK;

	if (options->role)
		return put_scram(run, SCRAM_SHA_256, "role");
	for (int mech = SCRAM_SHA_1; status == CLI_OK && !options->sip_only &&
	    mech < SCRAM_MECH_COUNT; mech++)
		status = put_scram(run, (enum scram_mech)mech,
		    scram_names[mech]);
	for (int alg = DIGEST_MD5; status == CLI_OK &&
	    options->digests != HASH_DIGESTS_NONE && alg < DIGEST_ALG_COUNT;
	    alg++)
		status = put_digests(run, (enum digest_alg)alg);
	if (status == CLI_OK && run->lines == 0) {
		cli_say("no verifier at all can be made here");
		status = CLI_REFUSED;
	}
	return status;
}

static enum cli_status
read_password(struct hash_run *run)
{
	const struct hash_options *options = run->options;
	struct secret typed = { NULL, 0 };
	enum cli_status status;
	const char *why = NULL;
	int rc;

	status = options->password_file != NULL ?
	    cli_password_read(options->password_file, &typed) :
	    cli_password_ask(options->name, &typed);
	if (status != CLI_OK)
		return status;
	if (password_check_new(secret_span(&typed), options->non_ascii,
	    &why) != 0) {
		cli_say("%s", why != NULL ? why : "the password is refused");
		status = CLI_REFUSED;
	} else {
		rc = saslprep(secret_span(&typed), SASLPREP_STORED,
		    &run->password);
		if (rc != 0)
			status = failed("password's prepared form", rc);
	}
	secret_free(&typed);
	return status;
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
