/*
 * The key file of nonces: where it is, who may make it, and that of many who
 * make it at the same time all end with the same keys.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/nonce_file.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PROCESSES	12
#define HEX_KEY	\
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char		 dir[] = "/tmp/onecred.XXXXXX";
static char		 path[64];
static char		 why[192];
static struct crypto	*crypto;

static void
setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/nonce.key", dir);
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	why[0] = '\0';
}

static void
teardown(void)
{
	crypto_free(&crypto);
	(void)unlink(path);
	/* Nothing else was left behind. */
	ck_assert_int_eq(rmdir(dir), 0);
}

static const struct {
	const char *folders, *path;
} places[] = {
	{ NULL, "/var/lib/onecred/nonce.key" },
	{ "", "/var/lib/onecred/nonce.key" },
	{ "/var/lib/private/onecred", "/var/lib/private/onecred/nonce.key" },
	{ "/srv/a:/srv/b", "/srv/a/nonce.key" },
	{ ":/srv/b", NULL },
	{ "state", NULL }
};

START_TEST(default_place)
{
	char got[64] = "";

	if (places[_i].folders == NULL)
		ck_assert_int_eq(unsetenv("STATE_DIRECTORY"), 0);
	else
		ck_assert_int_eq(setenv("STATE_DIRECTORY",
		    places[_i].folders, 1), 0);
	ck_assert_int_eq(nonce_file_default(got, sizeof(got)),
	    places[_i].path != NULL);
	if (places[_i].path != NULL) {
		ck_assert_str_eq(got, places[_i].path);
		ck_assert(!nonce_file_default(got, strlen(got)));
	}
}
END_TEST

START_TEST(made_once)
{
	struct nonce_keys keys, again;
	struct stat st;

	memset(&keys, 0x5e, sizeof(keys));
	ck_assert(!nonce_file_exists(path));
	ck_assert_msg(nonce_file_create(path, crypto, &keys, why,
	    sizeof(why)) == 0, "%s", why);
	ck_assert(nonce_file_exists(path));
	ck_assert_uint_eq(keys.count, 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(nonce_file_read(path, &again, why, sizeof(why)), 0);
	ck_assert_mem_eq(again.key[0], keys.key[0], NONCE_KEY_SIZE);
	ck_assert_int_eq(nonce_file_create(path, crypto, &again, why,
	    sizeof(why)), 0);
	ck_assert_mem_eq(again.key[0], keys.key[0], NONCE_KEY_SIZE);
}
END_TEST

/* What somebody put there stays as it is, even if it is no good. */
START_TEST(never_replaced)
{
	struct nonce_keys keys;
	FILE *f = fopen(path, "w");
	struct stat st;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(fputs(HEX_KEY "\nwonderland\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(nonce_file_create(path, crypto, &keys, why,
	    sizeof(why)), -ERR_FORMAT);
	ck_assert_uint_eq(keys.count, 0);
	ck_assert_ptr_eq(strstr(why, "line 2: must hold"), why);
	ck_assert_ptr_null(strstr(why, "wonderland"));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)strlen(HEX_KEY) + 12);
	ck_assert_int_eq(chmod(path, 0604), 0);
	ck_assert_int_ne(nonce_file_create(path, crypto, &keys, why,
	    sizeof(why)), 0);
	ck_assert_ptr_nonnull(strstr(why, "open to everybody (mode 0604)"));
}
END_TEST

START_TEST(no_folder)
{
	struct nonce_keys keys;
	char none[80];

	(void)snprintf(none, sizeof(none), "%s/none/nonce.key", dir);
	ck_assert(!nonce_file_exists(none));
	ck_assert_int_eq(nonce_file_create(none, crypto, &keys, why,
	    sizeof(why)), -ERR_SYSTEM);
	ck_assert_str_eq(why, "cannot be made: No such file or directory");
	(void)snprintf(none, sizeof(none), "%s/x", path);
	ck_assert_int_eq(nonce_file_create(path, crypto, &keys, why,
	    sizeof(why)), 0);
	ck_assert(!nonce_file_exists(none));
	ck_assert_int_eq(nonce_file_create(none, crypto, &keys, why,
	    sizeof(why)), -ERR_SYSTEM);
	ck_assert_str_eq(why, "cannot be made: Not a directory");
}
END_TEST

/* A name that leads nowhere is taken, but nobody may be led there. */
START_TEST(dangling_link)
{
	struct nonce_keys keys;
	char target[80];

	(void)snprintf(target, sizeof(target), "%s/elsewhere", dir);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(nonce_file_create(path, crypto, &keys, why,
	    sizeof(why)), -ERR_SYSTEM);
	ck_assert_int_ne(access(target, F_OK), 0);
}
END_TEST

/* One of those who start at the same time: the key that it ended with. */
static void
start_one(int gate, int out)
{
	struct nonce_keys keys;
	struct crypto *own;
	char c;

	if (crypto_new(NULL, &own) != 0 || read(gate, &c, 1) != 0 ||
	    nonce_file_create(path, own, &keys, why, sizeof(why)) != 0 ||
	    write(out, keys.key[0], NONCE_KEY_SIZE) != NONCE_KEY_SIZE)
		_exit(1);
	_exit(0);
}

START_TEST(all_at_once)
{
	uint8_t first[NONCE_KEY_SIZE], key[NONCE_KEY_SIZE];
	int gate[2], out[2], status;

	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(pipe(out), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			(void)close(gate[1]);
			start_one(gate[0], out[1]);
		}
	}
	/* The end of the gate is what they wait for. */
	(void)close(gate[0]);
	(void)close(gate[1]);
	(void)close(out[1]);
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_eq(read(out[0], i == 0 ? first : key,
		    sizeof(key)), sizeof(key));
		if (i > 0)
			ck_assert_mem_eq(first, key, sizeof(key));
	}
	(void)close(out[0]);
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *s = suite_create("nonce_file");
	TCase *tc = tcase_create("nonce_file");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, default_place, 0, COUNT(places));
	tcase_add_test(tc, made_once);
	tcase_add_test(tc, never_replaced);
	tcase_add_test(tc, no_folder);
	tcase_add_test(tc, dangling_link);
	tcase_add_loop_test(tc, all_at_once, 0, 5);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(unit_suite)
