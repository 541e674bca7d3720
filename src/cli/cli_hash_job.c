/*
 * All verifiers of one account from one plaintext, while it is in hand: SCRAM
 * with a fresh salt per mechanism, HA1 and HA1b for every realm. Form "local"
 * is what a phone makes of "alice", "full" of "alice@example.com".
 */

#include "cli/cli_hash_job.h"

#include <stdio.h>

#include "cli/cli_message.h"
#include "cli/cli_seal_key.h"
#include "core/err.h"
#include "core/hex.h"
#include "core/saslprep.h"
#include "core/scram.h"
#include "core/seal.h"

/* What PostgreSQL itself makes: 4096 iterations, 16 octets of salt. */
#define ROLE_ITERATIONS	4096
#define ROLE_SALT	16

static const struct {
	enum scram_mech	 mech;
	const char	*name;
} scram_columns[] = {
	{ SCRAM_SHA_1, "scram_sha_1" },
	{ SCRAM_SHA_256, "scram_sha_256" },
	{ SCRAM_SHA_512, "scram_sha_512" }
};

static const struct {
	enum digest_alg	 alg;
	const char	*name;
} ha1_columns[] = {
	{ DIGEST_MD5, "ha1_md5" },
	{ DIGEST_SHA_256, "ha1_sha_256" },
	{ DIGEST_SHA_512_256, "ha1_sha_512_256" }
};

static const char *const form_words[FORM_COUNT] = { "local", "full" };

/* One run: what the steps share. keys holds secrets. */
struct run {
	const struct hash_job	*job;
	struct crypto		*crypto;
	struct seal_keyring	 keys;
	struct wbuf		*out;
	unsigned int		 lines;
};

/* NULL realm and form: empty fields. The value is written by the caller. */
static void
begin_line(struct run *run, const char *name, const char *realm,
    const char *form)
{
	wbuf_str(run->out, name);
	wbuf_u8(run->out, '\t');
	wbuf_str(run->out, realm);
	wbuf_u8(run->out, '\t');
	wbuf_str(run->out, form);
	wbuf_u8(run->out, '\t');
	run->lines++;
}

static int
write_scram(struct run *run, const char *name, enum scram_mech mech,
    struct span prepared, struct span salt, uint32_t iterations)
{
	struct scram_verifier verifier;
	int rc;

	rc = scram_make(run->crypto, mech, prepared, salt, iterations,
	    &verifier);
	if (rc == 0) {
		begin_line(run, name, "", "");
		scram_format(&verifier, run->out);
		wbuf_u8(run->out, '\n');
	}
	secret_wipe(&verifier, sizeof(verifier));
	return rc;
}

static int
write_all_scram(struct run *run, struct span prepared)
{
	uint8_t salt[SCRAM_SALT_NEW];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 3; i++) {
		rc = scram_new_salt(run->crypto, salt);
		if (rc == 0)
			rc = write_scram(run, scram_columns[i].name,
			    scram_columns[i].mech, prepared,
			    span_mem(salt, sizeof(salt)),
			    run->job->iterations);
	}
	return rc;
}

static int
write_role(struct run *run, struct span prepared)
{
	uint8_t salt[ROLE_SALT];
	int rc;

	rc = crypto_random(run->crypto, salt, sizeof(salt));
	if (rc != 0)
		return rc;
	return write_scram(run, "role", SCRAM_SHA_256, prepared,
	    span_mem(salt, sizeof(salt)), ROLE_ITERATIONS);
}

static int
write_ha1(struct run *run, struct span password, const char *realm,
    size_t column, enum name_form form)
{
	const struct account *account = &run->job->account;
	enum digest_alg alg = ha1_columns[column].alg;
	struct seal_place place = {
		.account = account, .realm = span_str(realm),
		.algorithm = span_str(digest_alg_name(alg)), .form = form
	};
	char name[ACCOUNT_MAX + 2];
	uint8_t ha1[DIGEST_SIZE_MAX];
	struct span value = span_mem(ha1, digest_alg_size(alg));
	int rc;

	(void)snprintf(name, sizeof(name), "%s%s%s", account->localpart,
	    form == FORM_FULL ? "@" : "",
	    form == FORM_FULL ? account->domain : "");
	rc = digest_ha1(run->crypto, alg, span_str(name), span_str(realm),
	    password, ha1);
	if (rc == 0) {
		begin_line(run, ha1_columns[column].name, realm,
		    form_words[form]);
		if (run->job->digests == HASH_DIGESTS_SEALED)
			rc = seal_value(run->crypto, &run->keys, &place,
			    value, run->out);
		else
			wbuf_hex(run->out, value);
		wbuf_u8(run->out, '\n');
	}
	secret_wipe(ha1, sizeof(ha1));
	return rc;
}

static int
write_all_ha1(struct run *run, struct span password)
{
	const struct hash_job *job = run->job;
	int rc = 0;

	for (size_t r = 0; rc == 0 && r < job->realm_count; r++)
		for (size_t c = 0; rc == 0 && c < 3; c++) {
			if (!job->algorithms[ha1_columns[c].alg])
				continue;
			rc = write_ha1(run, password, job->realms[r], c,
			    FORM_LOCAL);
			if (rc == 0)
				rc = write_ha1(run, password, job->realms[r],
				    c, FORM_FULL);
		}
	return rc;
}

static int
write_all(struct run *run, struct span password, struct span prepared)
{
	int rc = 0;

	if (run->job->role)
		rc = write_role(run, prepared);
	else if (!run->job->sip_only)
		rc = write_all_scram(run, prepared);
	if (rc == 0 && !run->job->role &&
	    run->job->digests != HASH_DIGESTS_NONE)
		rc = write_all_ha1(run, password);
	/* Tells the reader that nothing was cut off. */
	wbuf_str(run->out, "end\t\t\t");
	wbuf_dec(run->out, run->lines);
	wbuf_u8(run->out, '\n');
	return rc == 0 && run->out->failed ? -ERR_TOO_LONG : rc;
}

int
hash_job_run(const struct hash_job *job, struct span password,
    struct wbuf *out)
{
	struct run run = { .job = job, .out = out };
	struct secret prepared = { NULL, 0 };
	int rc, status = CLI_OK;

	if (job->digests == HASH_DIGESTS_SEALED && !job->role)
		status = cli_seal_key_read(job->seal_key_file, &run.keys);
	if (status != CLI_OK)
		return status;
	rc = crypto_new(NULL, &run.crypto);
	if (rc == 0)
		rc = saslprep(password, SASLPREP_STORED, &prepared);
	if (rc == 0)
		rc = write_all(&run, password, secret_span(&prepared));
	if (rc != 0) {
		cli_error("the verifiers could not be made: %s", err_str(rc));
		status = CLI_SYSTEM;
		wbuf_wipe(out);
	}
	secret_free(&prepared);
	seal_keyring_wipe(&run.keys);
	crypto_free(&run.crypto);
	return status;
}
