/*
 * [http] token_file and [http-client NAME] from real files: the clients that
 * come out, and file:line and sentence for everything that is wrong. "@" in a
 * text stands for the directory of the test.
 */

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))
#define DB	"[database]\nconninfo = dbname=x\n"		/* 2 lines */
#define HTTP	DB "[http]\nlisten = @/s\n"			/* 4 lines */
#define CLIENT	HTTP "[http-client a]\n"			/* 5 lines */
#define A	"aaaaaaaaaaaaaaaa"

static char		 dir[] = "/tmp/onecred.XXXXXX";
static char		 path[64], error[CONFIG_ERROR_MAX];
static struct config	*config;

static void
put(const char *name, const char *text, mode_t mode)
{
	char at[96];
	FILE *f;

	(void)snprintf(at, sizeof(at), "%s/%s", dir, name);
	f = fopen(at, "w");
	ck_assert_ptr_nonnull(f);
	for (; *text != '\0'; text++)
		if (*text == '@')
			fputs(dir, f);
		else
			fputc(*text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(at, mode), 0);
}

static const struct {
	const char	*name, *text;
	mode_t		 mode;
} files[] = {
	{ "c", "", 0600 }, { "a", A "\n", 0640 }, { "b", A "b\r\n", 0600 },
	{ "twin", A, 0400 }, { "open", A "c\n", 0644 },
	{ "empty", "", 0600 }, { "short", "aaaaaaaaaaaaaaa\n", 0600 },
	{ "two", A "\n" A "\n", 0600 }, { "blank", A " " A "\n", 0600 },
	{ "lead", " " A "\n", 0600 }, { "utf8", A "\xc3\xa9\n", 0600 },
	{ "tab", A "\t\n", 0600 }
};

static void
setup(void)
{
	char text[300];

	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/c", dir);
	for (int i = 0; i < COUNT(files); i++)
		put(files[i].name, files[i].text, files[i].mode);
	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	put("max", text, 0600);
	memset(text, 'x', sizeof(text));
	text[257] = '\0';
	put("long", text, 0600);
	/* Where the keys of nonces would be. */
	ck_assert_int_eq(setenv("STATE_DIRECTORY", dir, 1), 0);
	config = NULL;
}

static void
teardown(void)
{
	char at[96];

	config_free(&config);
	for (int i = 0; i < COUNT(files); i++) {
		(void)snprintf(at, sizeof(at), "%s/%s", dir, files[i].name);
		(void)unlink(at);
	}
	(void)snprintf(at, sizeof(at), "%s/max", dir);
	(void)unlink(at);
	(void)snprintf(at, sizeof(at), "%s/long", dir);
	(void)unlink(at);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int
load(const char *text, enum config_use use)
{
	put("c", text, 0600);
	config_free(&config);
	error[0] = '\0';
	return config_load(path, use, &config, error);
}

static void
is_token(const struct http_client_settings *client, const char *token)
{
	ck_assert(span_equal(secret_span(&client->token), span_str(token)));
}

START_TEST(clients)
{
	struct http_settings http;

	ck_assert_msg(load(HTTP "token_file = @/a\ndomains = example.com\n"
	    "[http-client b]\ntoken_file = @/b\nrights = sip ha1\n"
	    "realms = \"A realm\" r2\ndomains = d1 d2\n"
	    "[http-client c]\ntoken_file = @/max\n", CONFIG_DAEMON) == 0,
	    "%s", error);
	config_http(config, -1, &http);
	ck_assert_uint_eq(http.client_count, 3);
	ck_assert_str_eq(http.clients[0].name, "http");
	is_token(&http.clients[0], A);
	ck_assert_uint_eq(http.clients[0].rights, RIGHT_CHECK | RIGHT_EXISTS |
	    RIGHT_SASL | RIGHT_SIP);
	ck_assert_uint_eq(http.clients[0].domains.count, 1);
	ck_assert_str_eq(http.clients[1].name, "b");
	is_token(&http.clients[1], A "b");
	ck_assert_uint_eq(http.clients[1].rights, RIGHT_SIP | RIGHT_HA1);
	ck_assert_uint_eq(http.clients[1].domains.count, 2);
	ck_assert_str_eq(http.clients[1].realms.names[0], "A realm");
	/* Nothing that writes or tells a hash by default. */
	ck_assert_uint_eq(http.clients[2].rights, RIGHT_CHECK | RIGHT_EXISTS |
	    RIGHT_SASL | RIGHT_SIP);
	ck_assert_uint_eq(http.clients[2].token.n, HTTP_TOKEN_MAX);
}
END_TEST

/* The helper runs as somebody who cannot read them, and must not. */
START_TEST(helper_reads_no_token)
{
	ck_assert_int_eq(load(HTTP "token_file = @/none\n"
	    "[http-client b]\ntoken_file = @/open\n", CONFIG_HELPER), 0);
	ck_assert_uint_eq(config->http_clients[0].token.n, 0);
}
END_TEST

START_TEST(dump_names_files_only)
{
	char text[8192];
	size_t n;
	FILE *f = tmpfile();

	ck_assert_int_eq(load(HTTP "token_file = @/a\n[http-client b]\n"
	    "token_file = @/b\n", CONFIG_DAEMON), 0);
	config_dump(config, f);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(strstr(text, "[http-client b]\n"));
	ck_assert_ptr_nonnull(strstr(text, "/b\n"));
	ck_assert_ptr_nonnull(strstr(text, "rights = check"));
	ck_assert_ptr_null(strstr(text, A));
}
END_TEST

static const struct {
	const char	*text;
	unsigned int	 line;
	const char	*sentence;
} wrong[] = {
	{ HTTP, 0, "there is no door" },
	{ DB "[extauth]\nlisten = @/s\n[http-client a]\ntoken_file = @/a\n",
	    5, "[http-client a] needs a section [http]" },
	{ HTTP "domains = example.com\n", 5, "[http] domains: belongs to" },
	{ HTTP "token_file = @/a\ndomains = Example.com\n", 6,
	    "[http] domains: \"Example.com\" is not" },
	{ HTTP "token_file = rel/a\n", 5, "[http] token_file: must be an abs" },
	{ HTTP "rights = check\n", 5, "[http] rights: there is no such key" },
	{ CLIENT, 5, "[http-client a] needs token_file" },
	{ CLIENT "token_file = @/none\n", 6, "cannot be opened" },
	{ CLIENT "token_file = @/open\n", 6, "is open to everybody" },
	{ CLIENT "token_file = @/empty\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/short\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/long\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/two\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/blank\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/lead\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/utf8\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/tab\n", 6, "must hold one line of 16" },
	{ CLIENT "token_file = @/a\nrights = root\n", 7,
	    "[http-client a] rights: must be some of" },
	{ CLIENT "token_file = @/a\nrealms = a:b\n", 7,
	    "[http-client a] realms: \"a:b\" is not a realm" },
	{ CLIENT "token_file = @/a\ndomains = A\n", 7,
	    "[http-client a] domains: \"A\" is not" },
	{ CLIENT "token_file = @/a\n[http-client b]\ntoken_file = @/twin\n",
	    8, "[http-client b] token_file: holds the token of another" },
	{ HTTP "token_file = @/a\n[http-client b]\ntoken_file = @/a\n", 7,
	    "[http-client b] token_file: holds the token of another" },
	{ CLIENT "listen = @/x\n", 6, "there is no such key" },
	{ HTTP "[http-client]\n", 5, "this section needs a name" }
};

START_TEST(refused)
{
	char start[96];

	ck_assert_int_ne(load(wrong[_i].text, CONFIG_DAEMON), 0);
	ck_assert_ptr_null(config);
	if (wrong[_i].line > 0)
		(void)snprintf(start, sizeof(start), "%s:%u: ", path,
		    wrong[_i].line);
	else
		(void)snprintf(start, sizeof(start), "%s: ", path);
	ck_assert_msg(strncmp(error, start, strlen(start)) == 0 &&
	    strstr(error, wrong[_i].sentence) != NULL, "%s", error);
	ck_assert_ptr_null(strstr(error, A));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("config_http");
	TCase *tc = tcase_create("config_http");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, clients);
	tcase_add_test(tc, helper_reads_no_token);
	tcase_add_test(tc, dump_names_files_only);
	tcase_add_loop_test(tc, refused, 0, COUNT(wrong));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
