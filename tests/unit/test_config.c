/*
 * onecred.conf from a real file: what it becomes, and file:line and sentence
 * for everything that is wrong. "@" in a text stands for the directory of the
 * test, which holds the files below and is the state folder.
 */

#include <sys/stat.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/config.h"
#include "unit.h"

#define DB	"[database]\nconninfo = dbname=x\n"		/* 2 lines */
#define DOOR	DB "[extauth]\nlisten = @/s\n"			/* 4 lines */
#define NONCES	DOOR "[http]\nlisten = @/h\ntoken_file = @/token\n"
#define RADIUS	DB "[radius]\n[radius-client a]\n"		/* 4 lines */
#define CANARY	"canary-1f2e"
#define HEX_KEY	\
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char		 dir[] = "/tmp/onecred.XXXXXX";
static char		 path[64];
static char		 error[CONFIG_ERROR_MAX];
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

static const char *const files[] = {
	"c", "secret", "open", "empty", "two-lines", "keys", "bad-keys",
	"nonce-keys", "bad-nonce-keys", "open-nonce-keys", "nonce.key", "token"
};

static void
setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/c", dir);
	put("secret", CANARY "\n", 0640);
	put("open", CANARY "\n", 0644);
	put("empty", "\n", 0600);
	put("two-lines", CANARY "\nmore\n", 0600);
	put("keys", "k1 MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n",
	    0600);
	put("nonce-keys", "# two\n"
	    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n" HEX_KEY "\n",
	    0640);
	put("bad-nonce-keys", HEX_KEY "\n" CANARY "\n", 0600);
	put("token", HEX_KEY "\n", 0600);
	put("open-nonce-keys", HEX_KEY "\n", 0604);
	ck_assert_int_eq(setenv("STATE_DIRECTORY", dir, 1), 0);
	put("bad-keys", "# none\nk1 " CANARY "\n", 0600);
	error[0] = '\0';
}

static void
teardown(void)
{
	char at[96];

	config_free(&config);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(at, sizeof(at), "%s/%s", dir, files[i]);
		(void)unlink(at);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static int
load(const char *text, mode_t mode)
{
	put("c", text, mode);
	config_free(&config);
	return config_load(path, CONFIG_DAEMON, &config, error);
}

START_TEST(defaults)
{
	ck_assert_msg(load(DOOR, 0644) == 0, "%s", error);
	ck_assert_str_eq(config->database.conninfo, "dbname=x");
	ck_assert_ptr_null(config->database.write_conninfo);
	ck_assert_uint_eq(config->database.connections, 2);
	ck_assert_uint_eq(config->database.lookup_timeout, 1000);
	ck_assert_uint_eq(config->database.connect_timeout, 5000);
	ck_assert_uint_eq(config->extauth.mode, 0660);
	ck_assert_uint_eq(config->extauth.rights,
	    RIGHT_CHECK | RIGHT_EXISTS);
	ck_assert_uint_eq(config->workers.pbkdf2, 2);
	ck_assert_uint_eq(config->log.level, LEVEL_INFO);
	ck_assert_uint_eq(config->seal.keys.count, 0);
	ck_assert_ptr_null(config->sip.nonce_key_file);
	ck_assert_uint_eq(config->sip.nonce_lifetime, 300000);
	ck_assert_uint_eq(config->sip.foreign_window, 30000);
	ck_assert_uint_eq(config->sip.keys.count, 0);
	ck_assert_uint_eq(config->radius.head.line, 0);
	ck_assert_uint_eq(config->client_count, 0);
}
END_TEST

START_TEST(everything)
{
	const struct radius_client_settings *a, *b, *c;
	struct listener_settings listener;
	struct radius_settings radius;

	ck_assert_msg(load(DOOR
	    "mode = 0600\nallow_users = root 4711\n"
	    "rights = check exists set create delete\n"
	    "domains = example.com example.net\ngroup = root\n"
	    "[radius]\nlisten = [::1]:1812\n"
	    "[radius-client a]\naddress = 127.0.0.1\n"
	    "secret_file = @/secret\n"
	    "[radius-client b]\naddress = 192.0.2.0/24\n"
	    "secret_file = @/secret\nrealms = \"My Realm\" example.com\n"
	    "unavailable = reject\n"
	    "[radius-client c]\naddress = 2001:db8::1\n"
	    "secret_file = @/secret\nrequire_message_authenticator = no\n"
	    "nonce = ours\n"
	    "[seal]\nkey_file = @/keys\n"
	    "[sip]\nnonce_key_file = @/nonce-keys\nnonce_lifetime = 1m\n"
	    "foreign_window = 0s\n"
	    "[workers]\npbkdf2 = 7\n[log]\nlevel = debug\n", 0600) == 0,
	    "%s", error);
	config_listener(&config->extauth, "extauth", 5, &listener);
	ck_assert_str_eq(listener.section, "extauth");
	ck_assert_int_eq(listener.fd, 5);
	ck_assert_uint_eq(listener.mode, 0600);
	ck_assert_str_eq(listener.group, "root");
	ck_assert_uint_eq(listener.user_count, 2);
	ck_assert_uint_eq(listener.users[0], 0);
	ck_assert_uint_eq(listener.users[1], 4711);
	ck_assert_uint_eq(listener.rights, RIGHT_CHECK | RIGHT_EXISTS |
	    RIGHT_SET | RIGHT_CREATE | RIGHT_DELETE);
	ck_assert_uint_eq(listener.domains.count, 2);
	ck_assert_str_eq(listener.domains.names[1], "example.net");
	config_radius(config, -1, &radius);
	ck_assert_str_eq(radius.listen, "[::1]:1812");
	ck_assert_uint_eq(radius.client_count, 3);
	a = &radius.clients[0];
	b = &radius.clients[1];
	c = &radius.clients[2];
	ck_assert_str_eq(a->name, "a");
	ck_assert_uint_eq(a->prefix, 32);
	ck_assert(!a->require_message_authenticator);
	ck_assert(!a->unavailable_reject);
	ck_assert_uint_eq(a->realms.count, 0);
	ck_assert(secret_equal_span(secret_span(&a->secret),
	    SPAN_LIT(CANARY)));
	ck_assert_int_eq(b->address.ss_family, AF_INET);
	ck_assert_uint_eq(b->prefix, 24);
	ck_assert(b->require_message_authenticator);
	ck_assert(b->unavailable_reject);
	ck_assert_str_eq(b->realms.names[0], "My Realm");
	ck_assert_int_eq(c->address.ss_family, AF_INET6);
	ck_assert_uint_eq(c->prefix, 128);
	ck_assert(!c->require_message_authenticator);
	ck_assert(c->nonce_ours && !a->nonce_ours && !b->nonce_ours);
	ck_assert_uint_eq(config->seal.keys.count, 1);
	ck_assert_uint_eq(config->sip.keys.count, 2);
	ck_assert_uint_eq(config->sip.keys.key[0][0], '0');
	ck_assert_uint_eq(config->sip.keys.key[1][31], 0x1f);
	ck_assert_uint_eq(config->sip.nonce_lifetime, 60000);
	ck_assert_uint_eq(config->sip.foreign_window, 0);
	ck_assert_uint_eq(config->workers.pbkdf2, 7);
	ck_assert_uint_eq(config->log.level, LEVEL_DEBUG);
}
END_TEST

static const char *const http_places[] = {
	"/run/onecred/http.sock", "127.0.0.1:9118", "[::1]:9118"
};

START_TEST(http)
{
	struct listener_settings listener;
	char text[160];

	(void)snprintf(text, sizeof(text), DOOR "[http]\nlisten = %s\n%s",
	    http_places[_i], _i == 0 ? "mode = 0600\nallow_users = 7\n" : "");
	ck_assert_msg(load(text, 0600) == 0, "%s", error);
	config_listener(&config->http, "http", -1, &listener);
	ck_assert_str_eq(listener.path, http_places[_i]);
	ck_assert_uint_eq(listener.user_count, _i == 0);
	ck_assert_uint_eq(listener.domains.count, 0);
	ck_assert_uint_eq(listener.rights, 0);
	/* Its default is a unix socket. */
	ck_assert_int_eq(load(DOOR "[http]\n", 0600), 0);
	ck_assert_str_eq(config->http.listen, http_places[0]);
}
END_TEST

START_TEST(dovecot)
{
	struct dovecot_settings settings;

	ck_assert_msg(load(DB "[dovecot prosody]\ndomain = example.com\n"
	    "[dovecot Mail.1]\ndomain = example.net\nlisten = @/m\n"
	    "rights = sasl\nmode = 0600\nallow_users = 7\n"
	    "domains = example.net example.com\n", 0600) == 0, "%s", error);
	ck_assert_uint_eq(config->dovecot_count, 2);
	config_dovecot(&config->dovecots[0], 7, &settings);
	ck_assert_str_eq(settings.domain, "example.com");
	ck_assert_str_eq(settings.listener.section, "dovecot-prosody");
	ck_assert_str_eq(settings.listener.path,
	    "/run/onecred/dovecot-prosody.sock");
	ck_assert_int_eq(settings.listener.fd, 7);
	ck_assert_uint_eq(settings.listener.mode, 0660);
	ck_assert_uint_eq(settings.listener.rights, RIGHT_CHECK | RIGHT_SASL);
	config_dovecot(&config->dovecots[1], -1, &settings);
	ck_assert_str_eq(settings.listener.section, "dovecot-Mail.1");
	ck_assert_str_eq(settings.domain, "example.net");
	ck_assert_uint_eq(settings.listener.rights, RIGHT_SASL);
	ck_assert_uint_eq(settings.listener.user_count, 1);
	ck_assert_uint_eq(settings.listener.domains.count, 2);
}
END_TEST

#define DOVECOT	"[dovecot a]\n"
#define NAME_49	"a23456789b23456789c23456789d23456789e23456789"

static const struct {
	const char	*text;
	unsigned int	 line;		/* 0: none is given */
	const char	*sentence;
} bad[] = {
	{ DB "[dovecot]\ndomain = example.com\n", 3,
	    "[dovecot]: this section needs a name" },
	{ DB "[dovecot a]\n", 3, "[dovecot a] needs domain" },
	{ DB "[dovecot a]\ndomain =\n", 4,
	    "[dovecot a] domain: needs a value" },
	{ DB "[dovecot a]\ndomain = Example.com\n", 4,
	    "[dovecot a] domain: \"Example.com\" is not a domain" },
	{ DB "[dovecot a]\ndomain = example.com\nlisten = run/s\n", 5,
	    "[dovecot a] listen: must be the absolute path" },
	{ DB "[dovecot a]\ndomain = example.com\nrights = check exists\n",
	    5, "[dovecot a] rights: this protocol serves only check and" },
	{ DB "[dovecot a]\ndomain = example.com\nrights =\n", 5,
	    "[dovecot a] rights:" },
	{ DB "[dovecot a]\ndomain = example.com\ndomains = example.net\n",
	    5, "[dovecot a] domains: must hold example.com" },
	{ DB "[dovecot a]\ndomain = example.com\nlisten = @/s\n"
	    "[dovecot b]\nlisten = @/s\ndomain = example.net\n", 7,
	    "[dovecot b] listen: is that of [dovecot a] too" },
	{ DB "[dovecot " NAME_49 "efgh]\ndomain = example.com\n", 3,
	    "[dovecot " NAME_49 "efgh]: the name is too long" },
	{ "", 0, "the section [database] is missing" },
	{ DB, 0, "there is no door" },
	{ "[database]\n", 1, "[database] needs conninfo" },
	{ "[database]\nconninfo =\n", 2, "[database] conninfo: needs" },
	{ "[database]\nconninfo = bogus " CANARY "\n", 2,
	    "[database] conninfo: is not a libpq connection string" },
	{ "[database]\nconninfo = password=" CANARY "\n[extauth]\n", 2,
	    "[database] conninfo: holds a password, and this file is open" },
	{ "[database]\nconninfo = postgresql:///d?password=" CANARY "\n"
	    "[extauth]\n", 2, "[database] conninfo: holds a password" },
	{ DB "write_conninfo =\n", 3, "[database] write_conninfo: needs" },
	{ DB "write_conninfo = bogus " CANARY "\n", 3,
	    "[database] write_conninfo: is not a libpq connection string" },
	{ DB "\nwrite_conninfo = password=" CANARY "\n[extauth]\n", 4,
	    "[database] write_conninfo: holds a password, and this file" },
	{ DOOR "[cache]\n", 5, "[cache]: there is no such section" },
	{ DOOR "[log x]\n", 5, "[log x]: this section takes no name" },
	{ DB "[radius]\n[radius-client]\n", 4,
	    "[radius-client]: this section needs a name" },
	{ DOOR "key_file = x\n", 5, "[extauth] key_file: there is no such" },
	{ DOOR "listen = @/t\n", 5, "this key was given before" },
	{ "oops\n", 1, "expected" },
	{ DOOR "[workers]\npbkdf2 = 65\n", 6,
	    "[workers] pbkdf2: must be between 1 and 64" },
	{ DB "[extauth]\n\nlisten = run/s\n", 5,
	    "[extauth] listen: must be the absolute path" },
	{ DOOR "group = no-such-group\n", 5,
	    "[extauth] group: there is no group \"no-such-group\"" },
	{ DOOR "allow_users = root no-such-user\n", 5,
	    "[extauth] allow_users: there is no user \"no-such-user\"" },
	{ DOOR "allow_users = 4294967295\n", 5, "[extauth] allow_users" },
	{ DOOR "rights = check sip\n", 5, "[extauth] rights: this protocol "
	    "serves only check, exists, set, create and delete" },
	{ DOOR "rights = chek\n", 5, "[extauth] rights: must be some of" },
	{ DOOR "domains = Example.com\n", 5,
	    "[extauth] domains: \"Example.com\" is not a domain" },
	{ DB "[saslauthd]\nlisten = mux\n", 4,
	    "[saslauthd] listen: must be the absolute path" },
	{ DB "[saslauthd]\nrights = check exists\n", 4,
	    "[saslauthd] rights: this protocol serves only check" },
	{ DB "[http]\nlisten = @/s\n", 0, "there is no door" },
	{ DOOR "[http]\nlisten = http.sock\n", 6,
	    "[http] listen: must be the absolute path of a socket, or an" },
	{ DOOR "[http]\nlisten = 127.0.0.1\n", 6, "[http] listen: must" },
	{ DOOR "[http]\nlisten = 127.0.0.1:0\n", 6, "[http] listen: must" },
	{ DOOR "[http]\nlisten = localhost:80\n", 6, "[http] listen: must" },
	{ DOOR "[http]\nlisten = 0.0.0.0:9118\n", 6,
	    "[http] listen: must be a loopback address" },
	{ DOOR "[http]\nlisten = 192.0.2.1:9118\n", 6,
	    "[http] listen: must be a loopback address" },
	{ DOOR "[http]\nlisten = [::]:9118\n", 6,
	    "[http] listen: must be a loopback address" },
	{ DOOR "[http]\nlisten = [::ffff:192.0.2.1]:9118\n", 6,
	    "[http] listen: must be a loopback address" },
	{ DOOR "[http]\nlisten = 127.0.0.1:9118\nallow_users = root\n", 7,
	    "[http] allow_users: is for unix sockets only" },
	{ DOOR "[http]\nlisten = [::1]:9118\nmode = 0660\n", 7,
	    "[http] mode: is for unix sockets only" },
	{ DOOR "[http]\nlisten = [::1]:9118\n\ngroup = root\n", 8,
	    "[http] group: is for unix sockets only" },
	{ DOOR "[http]\ngroup = no-such-group\n", 6,
	    "[http] group: there is no group \"no-such-group\"" },
	{ DOOR "[http]\nrights = check\n", 6,
	    "[http] rights: there is no such key" },
	{ DOOR "[radius]\n", 5, "[radius] needs at least one" },
	{ DOOR "[radius-client a]\naddress = ::1\nsecret_file = @/secret\n",
	    5, "[radius-client a] needs a section [radius]" },
	{ DB "[radius]\nlisten = 127.0.0.1\n", 4, "[radius] listen: must" },
	{ DB "[radius]\nlisten = localhost:1812\n", 4,
	    "[radius] listen: must be" },
	{ RADIUS "address = 127.0.0.1\n", 4,
	    "[radius-client a] needs secret_file" },
	{ RADIUS "secret_file = @/secret\n", 4,
	    "[radius-client a] needs address" },
	{ RADIUS "address = 127.0.0.1/33\nsecret_file = @/secret\n", 5,
	    "[radius-client a] address: must be an IP address" },
	{ RADIUS "address = 127.0.0.1/\nsecret_file = @/secret\n", 5,
	    "[radius-client a] address: must be" },
	{ RADIUS "address = ::/0129\nsecret_file = @/secret\n", 5,
	    "[radius-client a] address: must be" },
	{ RADIUS "address = sip.example.com\nsecret_file = @/secret\n", 5,
	    "[radius-client a] address: must be" },
	{ RADIUS "address = 192.0.2.1/24\nsecret_file = @/secret\n"
	    "[radius-client b]\nsecret_file = @/secret\n"
	    "address = 192.0.2.2/24\n", 9,
	    "[radius-client b] address: is that of [radius-client a] too" },
	{ RADIUS "address = ::1\nsecret_file = secret\n", 6,
	    "[radius-client a] secret_file: must be an absolute path" },
	{ RADIUS "address = ::1\nsecret_file = @/none\n", 6,
	    "[radius-client a] secret_file: @/none cannot be opened: No" },
	{ RADIUS "address = ::1\nsecret_file = @/open\n", 6,
	    "[radius-client a] secret_file: @/open holds a secret and is "
	    "open to everybody (mode 0644)" },
	{ RADIUS "address = ::1\nsecret_file = @/empty\n", 6,
	    "[radius-client a] secret_file: @/empty must hold one line" },
	{ RADIUS "address = ::1\nsecret_file = @/two-lines\n", 6,
	    "[radius-client a] secret_file: @/two-lines must hold" },
	{ RADIUS "address = ::1\nsecret_file = @\n", 6,
	    "[radius-client a] secret_file: @ is not a regular file" },
	{ RADIUS "address = ::1\nsecret_file = @/secret\nnonce = mine\n", 7,
	    "[radius-client a] nonce: must be one of theirs|ours" },
	{ RADIUS "address = ::1\nsecret_file = @/secret\n"
	    "realms = \"a:b\"\n", 7,
	    "[radius-client a] realms: \"a:b\" is not a realm" },
	{ RADIUS "address = ::1\nsecret_file = @/secret\ndomains = A\n", 7,
	    "[radius-client a] domains: \"A\" is not a domain" },
	{ DOOR "[seal]\n", 5, "[seal] needs key_file" },
	{ DOOR "[seal]\nkey_file = keys\n", 6, "[seal] key_file: must be" },
	{ DOOR "[seal]\nkey_file = @/open\n", 6,
	    "[seal] key_file: @/open holds a secret" },
	{ DOOR "[seal]\nkey_file = @/bad-keys\n", 6,
	    "[seal] key_file: @/bad-keys, line 2: " },
	/* Named, so it is read even if no door makes nonces. */
	{ DOOR "[sip]\nnonce_key_file = nonce-keys\n", 6,
	    "[sip] nonce_key_file: must be an absolute path" },
	{ DOOR "[sip]\n\nnonce_key_file = @/none\n", 7,
	    "[sip] nonce_key_file: @/none cannot be opened: No such file" },
	{ DOOR "[sip]\nnonce_key_file = @\n", 6,
	    "[sip] nonce_key_file: @ is not a regular file" },
	{ DOOR "[sip]\nnonce_key_file = @/open-nonce-keys\n", 6,
	    "[sip] nonce_key_file: @/open-nonce-keys holds a secret and is "
	    "open to everybody (mode 0604): chmod o= it" },
	{ DOOR "[sip]\nnonce_key_file = @/bad-nonce-keys\n", 6,
	    "[sip] nonce_key_file: @/bad-nonce-keys line 2: must hold" },
	{ DOOR "[sip]\nnonce_key_file = @/empty\n", 6,
	    "[sip] nonce_key_file: @/empty line 1: must hold one or two" },
	{ DOOR "[sip]\nnonce_lifetime = 9s\n", 6,
	    "[sip] nonce_lifetime: must be between 10000 and" },
	{ DOOR "[sip]\nforeign_window = 2h\n", 6,
	    "[sip] foreign_window: must be between 0 and" },
	{ DOOR "[sip x]\n", 5, "[sip x]: this section takes no name" }
};

START_TEST(refused_with_file_and_line)
{
	char expected[CONFIG_ERROR_MAX];
	size_t n;

	ck_assert_int_ne(load(bad[_i].text, 0644), 0);
	ck_assert_ptr_null(config);
	n = (size_t)(bad[_i].line == 0 ?
	    snprintf(expected, sizeof(expected), "%s: ", path) :
	    snprintf(expected, sizeof(expected), "%s:%u: ", path,
	    bad[_i].line));
	for (const char *s = bad[_i].sentence; *s != '\0'; s++)
		n += (size_t)snprintf(expected + n, sizeof(expected) - n,
		    *s == '@' ? "%s" : "%.1s", *s == '@' ? dir : s);
	ck_assert_msg(strncmp(error, expected, n) == 0,
	    "got      %s\nexpected %s", error, expected);
	ck_assert_ptr_null(strstr(error, CANARY));
}
END_TEST

START_TEST(no_file)
{
	ck_assert_int_ne(config_load("/nonexistent/c", CONFIG_DAEMON,
	    &config, error), 0);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(error,
	    "/nonexistent/c: cannot be opened: No such file or directory");
}
END_TEST

/* It belongs to the state folder, not to the file: judged only if needed. */
START_TEST(default_nonce_keys)
{
	char expected[CONFIG_ERROR_MAX];

	ck_assert_msg(load(NONCES, 0600) == 0, "%s", error);
	ck_assert_uint_eq(config->sip.keys.count, 0);
	config_free(&config);
	put("nonce.key", HEX_KEY "\n", 0600);
	ck_assert_msg(load(NONCES, 0600) == 0, "%s", error);
	ck_assert_uint_eq(config->sip.keys.count, 1);
	ck_assert_uint_eq(config->sip.keys.key[0][31], 0x1f);
	config_free(&config);
	put("nonce.key", CANARY "\n", 0600);
	ck_assert_int_ne(load(NONCES, 0600), 0);
	(void)snprintf(expected, sizeof(expected), "%s: [sip] "
	    "nonce_key_file: %s/nonce.key line 1: must hold one or two "
	    "different keys, each 32 octets as base64 or hex in a line",
	    path, dir);
	ck_assert_str_eq(error, expected);
	ck_assert_msg(load(DOOR, 0600) == 0, "%s", error);
	config_free(&config);
	/* Another file is named. */
	ck_assert_msg(load(NONCES "[sip]\n"
	    "nonce_key_file = @/nonce-keys\n", 0600) == 0, "%s", error);
	ck_assert_uint_eq(config->sip.keys.count, 2);
}
END_TEST

/* A password in a file for the daemon alone is fine; it never shows. */
START_TEST(dump_hides_secrets)
{
	char out[4096] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	ck_assert_msg(load("[database]\nconninfo = dbname=x password="
	    CANARY "\nwrite_conninfo = dbname=y password=" CANARY
	    "\n[extauth]\nlisten = @/s\n", 0640) == 0, "%s", error);
	ck_assert_ptr_nonnull(f);
	config_dump(config, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_null(strstr(out, CANARY));
	ck_assert_ptr_nonnull(strstr(out, "\nconninfo = <set>\n"));
	ck_assert_ptr_nonnull(strstr(out, "\nwrite_conninfo = <set>\n"));
	ck_assert_ptr_nonnull(strstr(out, "\nlookup_timeout = 1s\n"));
	ck_assert_ptr_nonnull(strstr(out, "\nrights = check exists\n"));
	ck_assert_ptr_nonnull(strstr(out, "\n# group =\n"));
	ck_assert_ptr_null(strstr(out, "[radius]"));
}
END_TEST

/* The helper is another user: the RADIUS secrets are none of its business. */
START_TEST(helper_opens_no_radius_secret)
{
	put("c", DB "[radius]\n[radius-client a]\naddress = ::1\n"
	    "secret_file = @/none\n"
	    "[sip]\nnonce_key_file = @/none\n", 0600);
	ck_assert_msg(config_load(path, CONFIG_HELPER, &config, error) == 0,
	    "%s", error);
	config_free(&config);
	put("c", DB, 0600);
	ck_assert_msg(config_load(path, CONFIG_HELPER, &config, error) == 0,
	    "%s", error);
}
END_TEST

static char	changed[512];

static void
on_changed(const char *what, void *arg)
{
	(void)arg;
	strncat(changed, what, sizeof(changed) - strlen(changed) - 2);
	strncat(changed, ";", 2);
}

static const struct {
	const char	*text;
	const char	*changed;
} reloads[] = {
	{ DOOR, "" },
	{ DOOR "[log]\nlevel = debug\n", "" },
	{ DOOR "[workers]\npbkdf2 = 2\n", "" },
	{ DOOR "[workers]\npbkdf2 = 3\n", "[workers] pbkdf2;" },
	{ DB "[extauth]\nlisten = @/t\n", "[extauth] listen;" },
	{ DOOR "mode = 0660\n", "" },
	{ DOOR "domains = example.com\nmode = 0600\n",
	    "[extauth] domains;[extauth] mode;" },
	{ "[database]\nconninfo = dbname=y\n[extauth]\nlisten = @/s\n",
	    "[database] conninfo;" },
	{ DB "[radius]\n[radius-client a]\naddress = ::1\n"
	    "secret_file = @/secret\n", "[extauth];[radius];" },
	{ DB "[saslauthd]\nlisten = @/s\n", "[extauth];[saslauthd];" },
	{ DOOR DOVECOT "domain = example.com\nmode = 0660\n", "" },
	{ DOOR, "[dovecot a];" },
	{ DOOR "[dovecot b]\ndomain = example.com\n",
	    "[dovecot a];[dovecot b];" },
	{ DOOR DOVECOT "domain = example.net\nrights = sasl\n",
	    "[dovecot a] domain;[dovecot a] rights;" },
	{ DOOR "[seal]\nkey_file = @/keys\n",
	    "[seal] key_file;the keys in [seal] key_file;" },
	{ DOOR "[sip]\nnonce_key_file = @/nonce-keys\n", "" },
	{ DOOR "[sip]\nnonce_lifetime = 1m\nforeign_window = 1s\n",
	    "[sip] nonce_lifetime;[sip] foreign_window;" }
};

START_TEST(reload_names_what_needs_a_restart)
{
	struct config *before;

	ck_assert_int_eq(load(strstr(reloads[_i].changed, "dovecot") == NULL &&
	    strstr(reloads[_i].text, "dovecot") == NULL ? DOOR :
	    DOOR DOVECOT "domain = example.com\n", 0600), 0);
	before = config;
	config = NULL;
	ck_assert_msg(load(reloads[_i].text, 0600) == 0, "%s", error);
	changed[0] = '\0';
	config_changes(before, config, on_changed, NULL);
	ck_assert_str_eq(changed, reloads[_i].changed);
	config_free(&before);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, http, 0, 3);
	tcase_add_test(tc, dovecot);
	tcase_add_loop_test(tc, refused_with_file_and_line, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, no_file);
	tcase_add_test(tc, default_nonce_keys);
	tcase_add_test(tc, dump_hides_secrets);
	tcase_add_test(tc, helper_opens_no_radius_secret);
	tcase_add_loop_test(tc, reload_names_what_needs_a_restart, 0,
	    sizeof(reloads) / sizeof(reloads[0]));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
