/*
 * What onecred.conf means beyond single values: names that must exist,
 * addresses, secret files. A sentence per fault, with the line of the key; it
 * names files and keys, never what a secret file or conninfo holds.
 */

#include "daemon/config_check.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/util.h>

#include "core/err.h"
#include "core/identity.h"
#include "daemon/config_client.h"
#include "daemon/config_file.h"
#include "daemon/config_http.h"
#include "daemon/config_sip.h"
#include "doors/http_socket.h"
#include "store/xalloc.h"

#define KEY_FILE_MAX	4096
#define DOVECOT_NAME_MAX	48	/* octets: in the names of sockets */
#define DOVECOT_PATH_MAX	128
#define EXTAUTH_RIGHTS	(RIGHT_CHECK | RIGHT_EXISTS | RIGHT_SET | \
			RIGHT_CREATE | RIGHT_DELETE)

unsigned int
config_key_line(const struct config_source *source, unsigned int section,
    const char *key)
{
	for (size_t i = 0; i < source->ini->section_count; i++)
		if (source->ini->sections[i].line == section)
			return ini_line(source->ini,
			    &source->ini->sections[i], key);
	return section;
}

static int
check_conninfo(const char *key, const char *conninfo, unsigned int section,
    const struct config_source *source)
{
	unsigned int line = config_key_line(source, section, key);
	PQconninfoOption *options, *o;
	bool password = false;

	/* NB: libpq's own message would quote conninfo, password and all. */
	options = PQconninfoParse(conninfo, NULL);
	if (options == NULL)
		return config_refuse(source, line, "[database] %s: is not a "
		    "libpq connection string", key);
	for (o = options; o->keyword != NULL; o++)
		if ((o->dispchar[0] == '*') && o->val != NULL &&
		    o->val[0] != '\0')
			password = true;
	PQconninfoFree(options);
	if (password && (source->mode & S_IRWXO) != 0)
		return config_refuse(source, line, "[database] %s: "
		    "holds a password, and this file is open to everybody "
		    "(mode %04o): chmod o= it", key,
		    (unsigned int)source->mode);
	return 0;
}

static int
check_database(const struct config_database *database,
    const struct config_source *source)
{
	int err = check_conninfo("conninfo", database->conninfo,
	    database->head.line, source);

	if (err != 0 || database->write_conninfo == NULL)
		return err;
	return check_conninfo("write_conninfo", database->write_conninfo,
	    database->head.line, source);
}

int
config_check_domains(const struct config_source *source, unsigned int section,
    const char *title, const struct word_list *domains)
{
	for (size_t i = 0; i < domains->count; i++)
		if (identity_check_domain(span_str(domains->words[i])) != 0)
			return config_refuse(source,
			    config_key_line(source, section, "domains"),
			    "[%s] domains: \"%s\" is not a domain in lower "
			    "case", title, domains->words[i]);
	return 0;
}

/* A name, or a number. */
static bool
find_user(const char *name, uid_t *uid)
{
	struct passwd *pw = getpwnam(name);
	char *end;
	unsigned long v;

	if (pw != NULL) {
		*uid = pw->pw_uid;
		return true;
	}
	errno = 0;
	v = strtoul(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 ||
	    v >= UINT32_MAX)
		return false;
	*uid = (uid_t)v;
	return true;
}

/* What every unix socket has. */
static int
check_socket(struct config_listener *section, const char *word,
    const struct config_source *source)
{
	unsigned int line = section->head.line;

	if (section->group != NULL && getgrnam(section->group) == NULL)
		return config_refuse(source,
		    config_key_line(source, line, "group"),
		    "[%s] group: there is no group \"%s\": addgroup --system "
		    "%s", word, section->group, section->group);
	section->users = xcalloc(section->allow_users.count + 1,
	    sizeof(section->users[0]));
	for (size_t i = 0; i < section->allow_users.count; i++)
		if (!find_user(section->allow_users.words[i],
		    &section->users[i]))
			return config_refuse(source,
			    config_key_line(source, line, "allow_users"),
			    "[%s] allow_users: there is no user \"%s\"",
			    word, section->allow_users.words[i]);
	return 0;
}

static int
check_listener(struct config_listener *section, const char *word,
    unsigned int rights, const struct config_source *source)
{
	unsigned int line = section->head.line;
	int err;

	if (section->listen[0] != '/')
		return config_refuse(source,
		    config_key_line(source, line, "listen"),
		    "[%s] listen: must be the absolute path of a socket",
		    word);
	err = check_socket(section, word, source);
	if (err != 0)
		return err;
	if ((section->rights & ~rights) != 0)
		return config_refuse(source,
		    config_key_line(source, line, "rights"),
		    "[%s] rights: this protocol serves only check%s", word,
		    (rights & RIGHT_SASL) != 0 ? " and sasl" :
		    (rights & RIGHT_SET) != 0 ? ", exists, set, create and "
		    "delete" : "");
	return config_check_domains(source, line, word, &section->domains);
}

static bool
is_listed(const struct word_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (span_equal(span_str(list->words[i]), span_str(word)))
			return true;
	return list->count == 0;
}

/* The protocol names no domain: each socket is for one. */
static int
check_dovecot(struct config_dovecot *section,
    const struct config_source *source)
{
	struct config_listener *listener = &section->listener;
	unsigned int line = listener->head.line;
	char title[96], text[DOVECOT_PATH_MAX];
	int err;

	(void)snprintf(title, sizeof(title), "dovecot %s",
	    listener->head.name);
	if (span_str(listener->head.name).n > DOVECOT_NAME_MAX)
		return config_refuse(source, line, "[%s]: the name is too "
		    "long, %d octets at most", title, DOVECOT_NAME_MAX);
	(void)snprintf(text, sizeof(text), "dovecot-%s", listener->head.name);
	section->word = xstrdup(text);
	if (listener->listen == NULL) {
		(void)snprintf(text, sizeof(text),
		    "/run/onecred/dovecot-%s.sock", listener->head.name);
		listener->listen = xstrdup(text);
	}
	err = check_listener(listener, title, RIGHT_CHECK | RIGHT_SASL,
	    source);
	if (err != 0)
		return err;
	if (listener->rights == 0)
		return config_refuse(source, config_key_line(source, line,
		    "rights"), "[%s] rights: without check and sasl nobody "
		    "can log in", title);
	if (identity_check_domain(span_str(section->domain)) != 0)
		return config_refuse(source, config_key_line(source, line,
		    "domain"), "[%s] domain: \"%s\" is not a domain in lower "
		    "case", title, section->domain);
	if (!is_listed(&listener->domains, section->domain))
		return config_refuse(source, config_key_line(source, line,
		    "domains"), "[%s] domains: must hold %s, the domain of "
		    "this socket, or be left out", title, section->domain);
	return 0;
}

static int
check_dovecots(struct config *config, const struct config_source *source)
{
	const struct config_dovecot *all = config->dovecots;
	int err;

	for (size_t i = 0; i < config->dovecot_count; i++) {
		err = check_dovecot(&config->dovecots[i], source);
		if (err != 0)
			return err;
		for (size_t j = 0; j < i; j++)
			if (span_equal(span_str(all[i].listener.listen),
			    span_str(all[j].listener.listen)))
				return config_refuse(source,
				    config_key_line(source,
				    all[i].listener.head.line, "listen"),
				    "[dovecot %s] listen: is that of "
				    "[dovecot %s] too",
				    all[i].listener.head.name,
				    all[j].listener.head.name);
	}
	return 0;
}

static int
check_http(struct config_listener *http, const struct config_source *source)
{
	static const char *const keys[] = { "mode", "group", "allow_users" };
	unsigned int section = http->head.line;
	unsigned int line = config_key_line(source, section, "listen");
	struct sockaddr_storage ss;
	socklen_t n;

	if (http->listen[0] == '/')
		return check_socket(http, "http", source);
	switch (http_place_parse(http->listen, &ss, &n)) {
	case HTTP_PLACE_OK:
		break;
	case HTTP_PLACE_BAD:
		return config_refuse(source, line, "[http] listen: must be "
		    "the absolute path of a socket, or an address and port "
		    "like 127.0.0.1:9118");
	case HTTP_PLACE_PUBLIC:
		return config_refuse(source, line, "[http] listen: must be "
		    "a loopback address, since there is no TLS here; put a "
		    "proxy in front for other machines");
	}
	/* Nobody may believe that these protect a port. */
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (config_key_line(source, section, keys[i]) != section)
			return config_refuse(source, config_key_line(source,
			    section, keys[i]), "[http] %s: is for unix "
			    "sockets only, and listen is an address",
			    keys[i]);
	return 0;
}

static int
check_radius(struct config *config, const struct config_source *source)
{
	struct sockaddr_storage ss = { 0 };
	int n = sizeof(ss);
	bool ok;

	if (config->client_count > 0 && config->radius.head.line == 0)
		return config_refuse(source, config->clients[0].head.line,
		    "[radius-client %s] needs a section [radius]",
		    config->clients[0].head.name);
	if (config->radius.head.line == 0)
		return 0;
	ok = evutil_parse_sockaddr_port(config->radius.listen,
	    (struct sockaddr *)&ss, &n) == 0;
	if (ok && ss.ss_family == AF_INET)
		ok = ((struct sockaddr_in *)&ss)->sin_port != 0;
	else if (ok)
		ok = ((struct sockaddr_in6 *)&ss)->sin6_port != 0;
	if (!ok)
		return config_refuse(source, config_key_line(source,
		    config->radius.head.line, "listen"), "[radius] listen: "
		    "must be an address and port like 127.0.0.1:1812 or "
		    "[::1]:1812");
	if (config->client_count == 0)
		return config_refuse(source, config->radius.head.line,
		    "[radius] needs at least one [radius-client NAME]");
	return 0;
}

static int
check_seal(struct config_seal *seal, const struct config_source *source)
{
	unsigned int line = config_key_line(source, seal->head.line,
	    "key_file");
	unsigned int at = 0;
	struct secret text;
	char why[128];
	int err;

	if (seal->head.line == 0)
		return 0;
	if (seal->key_file[0] != '/')
		return config_refuse(source, line,
		    "[seal] key_file: must be an absolute path");
	if (config_file_secret(seal->key_file, KEY_FILE_MAX, &text, why,
	    sizeof(why)) != 0)
		return config_refuse(source, line, "[seal] key_file: %s %s",
		    seal->key_file, why);
	err = seal_keyring_parse(secret_span(&text), &seal->keys, &at);
	secret_free(&text);
	if (err != 0)
		return config_refuse(source, line, "[seal] key_file: %s, "
		    "line %u: %s", seal->key_file, at, err_str(err));
	return 0;
}

int
config_check(struct config *config, const struct config_source *source)
{
	int err;

	if ((err = check_database(&config->database, source)) != 0 ||
	    (err = check_listener(&config->extauth, "extauth",
	    EXTAUTH_RIGHTS, source)) != 0 ||
	    (err = check_listener(&config->saslauthd, "saslauthd",
	    RIGHT_CHECK, source)) != 0 ||
	    (err = check_dovecots(config, source)) != 0 ||
	    (err = check_radius(config, source)) != 0 ||
	    (err = check_http(&config->http, source)) != 0 ||
	    (err = config_check_clients(config, source)) != 0 ||
	    (err = config_check_http_clients(config, source)) != 0 ||
	    /* NB: after the doors, which say whether it needs keys. */
	    (err = config_check_sip(config, source)) != 0 ||
	    (err = check_seal(&config->seal, source)) != 0)
		return err;
	if (source->use == CONFIG_DAEMON && config->extauth.head.line == 0 &&
	    config->saslauthd.head.line == 0 && config->dovecot_count == 0 &&
	    config->radius.head.line == 0 && config->http_client_count == 0)
		return config_refuse(source, 0, "there is no door: give a "
		    "section [extauth], [saslauthd], [dovecot NAME] or "
		    "[radius], or [http] with token_file");
	return 0;
}
