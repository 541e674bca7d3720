/*
 * The one table of onecred.conf: reading, defaults, bounds, `-t -v`, reload
 * and the check of onecred.conf(5) all follow it. A key that does nothing
 * must not stand here.
 */

#include "daemon/options.h"

#include "core/identity.h"
#include "daemon/config.h"

#define SECONDS(n)	((n) * 1000)
#define MINUTES(n)	((n) * 60000)
#define DOMAINS_HELP	"domains it may ask for (default: all)"

/* In the order of enum right. */
#define RIGHTS	"check|exists|sasl|sip|ha1|set|create|delete"

/* Who may connect to a unix socket. */
#define SOCKET_OPTIONS(word)						\
	{ word, "mode", OPTION_MODE, "0660", 0, 0777, NULL, 0,		\
	    offsetof(struct config_listener, mode),			\
	    "file mode of the socket" },				\
	{ word, "group", OPTION_STRING, NULL, 1, 64, NULL, 0,		\
	    offsetof(struct config_listener, group),			\
	    "group of the socket" },					\
	{ word, "allow_users", OPTION_WORDS, NULL, 0, 0, NULL, 0,	\
	    offsetof(struct config_listener, allow_users),		\
	    "OS users that may connect (default: whoever can open it)" }

/* listen is the section's own: its default and bounds differ. */
#define LISTENER_OPTIONS(word, rights_preset)				\
	{ word, "domains", OPTION_WORDS, NULL, 0, 0, NULL, 0,		\
	    offsetof(struct config_listener, domains), DOMAINS_HELP },	\
	SOCKET_OPTIONS(word),						\
	{ word, "rights", OPTION_FLAGS, rights_preset, 0, 0, RIGHTS, 0,	\
	    offsetof(struct config_listener, rights),			\
	    "what a peer may ask for" }

const struct section_def config_sections[] = {
	{ "database", false, true, false,
	    offsetof(struct config, database) },
	{ "extauth", false, false, true, offsetof(struct config, extauth) },
	{ "saslauthd", false, false, true,
	    offsetof(struct config, saslauthd) },
	{ "dovecot", true, false, false, 0 },
	{ "radius", false, false, true, offsetof(struct config, radius) },
	{ "radius-client", true, false, false, 0 },
	{ "http", false, false, true, offsetof(struct config, http) },
	{ "http-client", true, false, false, 0 },
	{ "sip", false, false, false, offsetof(struct config, sip) },
	{ "workers", false, false, false, offsetof(struct config, workers) },
	{ "seal", false, false, false, offsetof(struct config, seal) },
	{ "log", false, false, false, offsetof(struct config, log) },
	{ NULL, false, false, false, 0 }
};

const struct option_def config_options[] = {
	{ "database", "conninfo", OPTION_STRING, NULL, 1, 4000, NULL,
	    OPT_SECRET | OPT_REQUIRED,
	    offsetof(struct config_database, conninfo),
	    "libpq connection string" },
	{ "database", "write_conninfo", OPTION_STRING, NULL, 1, 4000, NULL,
	    OPT_SECRET, offsetof(struct config_database, write_conninfo),
	    "where accounts are changed (default: conninfo)" },
	{ "database", "connections", OPTION_UINT, "2", 1, 16, NULL, 0,
	    offsetof(struct config_database, connections),
	    "connections kept open" },
	{ "database", "lookup_timeout", OPTION_DURATION, "1s", 50,
	    SECONDS(20), NULL, 0,
	    offsetof(struct config_database, lookup_timeout),
	    "deadline of one lookup" },
	{ "database", "connect_timeout", OPTION_DURATION, "5s", 100,
	    MINUTES(1), NULL, 0,
	    offsetof(struct config_database, connect_timeout),
	    "deadline of one attempt to connect" },

	{ "extauth", "listen", OPTION_STRING, "/run/onecred/extauth.sock",
	    2, 100, NULL, 0, offsetof(struct config_listener, listen),
	    "path of the unix socket" },
	LISTENER_OPTIONS("extauth", "check exists"),

	{ "saslauthd", "listen", OPTION_STRING, "/run/onecred/saslauthd.sock",
	    2, 100, NULL, 0, offsetof(struct config_listener, listen),
	    "path of the unix socket" },
	LISTENER_OPTIONS("saslauthd", "check"),

	{ "dovecot", "listen", OPTION_STRING, NULL, 2, 100, NULL, 0,
	    offsetof(struct config_listener, listen),
	    "path of the unix socket "
	    "(default: /run/onecred/dovecot-NAME.sock)" },
	{ "dovecot", "domain", OPTION_STRING, NULL, 1, DOMAIN_MAX, NULL,
	    OPT_REQUIRED, offsetof(struct config_dovecot, domain),
	    "domain of the accounts" },
	LISTENER_OPTIONS("dovecot", "check sasl"),

	{ "radius", "listen", OPTION_STRING, "127.0.0.1:1812", 3, 64, NULL,
	    0, offsetof(struct config_radius, listen),
	    "UDP address and port" },

	{ "radius-client", "address", OPTION_STRING, NULL, 2, 64, NULL,
	    OPT_RELOAD | OPT_REQUIRED,
	    offsetof(struct config_radius_client, address),
	    "IP address or network" },
	{ "radius-client", "secret_file", OPTION_STRING, NULL, 2, 1000,
	    NULL, OPT_RELOAD | OPT_REQUIRED,
	    offsetof(struct config_radius_client, secret_file),
	    "file with the shared secret" },
	{ "radius-client", "realms", OPTION_WORDS, NULL, 0, 0, NULL,
	    OPT_RELOAD, offsetof(struct config_radius_client, realms),
	    "digest realms it may ask for (default: all)" },
	{ "radius-client", "domains", OPTION_WORDS, NULL, 0, 0, NULL,
	    OPT_RELOAD, offsetof(struct config_radius_client, domains),
	    DOMAINS_HELP },
	{ "radius-client", "require_message_authenticator", OPTION_CHOICE,
	    "auto", 0, 0, "no|yes|auto", OPT_RELOAD,
	    offsetof(struct config_radius_client, require_ma),
	    "auto: no for loopback addresses, else yes" },
	{ "radius-client", "nonce", OPTION_CHOICE, "theirs", 0, 0,
	    "theirs|ours", OPT_RELOAD,
	    offsetof(struct config_radius_client, nonce),
	    "who makes the nonces of digest challenges" },
	{ "radius-client", "unavailable", OPTION_CHOICE, "drop", 0, 0,
	    "drop|reject", OPT_RELOAD,
	    offsetof(struct config_radius_client, unavailable),
	    "the answer while the database is away" },

	{ "http", "listen", OPTION_STRING, "/run/onecred/http.sock", 2, 100,
	    NULL, 0, offsetof(struct config_listener, listen),
	    "path of the unix socket, or loopback address and port" },
	SOCKET_OPTIONS("http"),
	{ "http", "token_file", OPTION_STRING, NULL, 2, 1000, NULL,
	    OPT_RELOAD, offsetof(struct config_listener, token_file),
	    "file with the token of a client that may check" },
	{ "http", "domains", OPTION_WORDS, NULL, 0, 0, NULL, OPT_RELOAD,
	    offsetof(struct config_listener, domains), DOMAINS_HELP },

	{ "http-client", "token_file", OPTION_STRING, NULL, 2, 1000, NULL,
	    OPT_RELOAD | OPT_REQUIRED,
	    offsetof(struct config_http_client, token_file),
	    "file with its token" },
	{ "http-client", "domains", OPTION_WORDS, NULL, 0, 0, NULL,
	    OPT_RELOAD, offsetof(struct config_http_client, domains),
	    DOMAINS_HELP },
	{ "http-client", "realms", OPTION_WORDS, NULL, 0, 0, NULL,
	    OPT_RELOAD, offsetof(struct config_http_client, realms),
	    "digest realms it may ask for (default: all)" },
	{ "http-client", "rights", OPTION_FLAGS, "check exists sasl sip", 0,
	    0, RIGHTS, OPT_RELOAD,
	    offsetof(struct config_http_client, rights),
	    "what it may ask for" },

	{ "sip", "nonce_key_file", OPTION_STRING, NULL, 2, 1000, NULL,
	    OPT_RELOAD, offsetof(struct config_sip, nonce_key_file),
	    "file with the keys of nonces (default: in the state folder)" },
	{ "sip", "nonce_lifetime", OPTION_DURATION, "300s", SECONDS(10),
	    MINUTES(1440), NULL, 0,
	    offsetof(struct config_sip, nonce_lifetime),
	    "how long a nonce may be used" },
	{ "sip", "foreign_window", OPTION_DURATION, "30s", 0, MINUTES(60),
	    NULL, 0, offsetof(struct config_sip, foreign_window),
	    "how long another daemon's nonce may be used once" },

	{ "workers", "pbkdf2", OPTION_UINT, "2", 1, 64, NULL, 0,
	    offsetof(struct config_workers, pbkdf2),
	    "threads that check SCRAM verifiers" },

	{ "seal", "key_file", OPTION_STRING, NULL, 2, 1000, NULL,
	    OPT_REQUIRED, offsetof(struct config_seal, key_file),
	    "file with the keys of sealed digests" },

	/* In the order of enum log_level. */
	{ "log", "level", OPTION_CHOICE, "info", 0, 0,
	    "error|warning|info|debug", OPT_RELOAD,
	    offsetof(struct config_log, level), "the least that is logged" },

	{ NULL, NULL, OPTION_STRING, NULL, 0, 0, NULL, 0, 0, NULL }
};

const struct section_def *
section_find(struct span word)
{
	const struct section_def *def;

	for (def = config_sections; def->word != NULL; def++)
		if (span_equal(span_str(def->word), word))
			return def;
	return NULL;
}

const struct option_def *
option_find(const struct section_def *section, struct span key)
{
	const struct option_def *def;

	for (def = config_options; def->section != NULL; def++)
		if (span_equal(span_str(def->section),
		    span_str(section->word)) &&
		    span_equal(span_str(def->key), key))
			return def;
	return NULL;
}
