#ifndef ONECRED_CONFIG_H
#define ONECRED_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "core/nonce.h"
#include "core/seal.h"
#include "core/sink.h"
#include "core/span.h"
#include "daemon/option_value.h"
#include "doors/dovecot.h"
#include "doors/http.h"
#include "doors/listener.h"
#include "doors/radius.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR	"/etc"
#endif
#define CONFIG_PATH	SYSCONFDIR "/onecred/onecred.conf"
#define CONFIG_ERROR_MAX	512

/*
 * One struct per section; the fields with a key are filled by the option
 * table (options.c), the others are worked out from them. Each begins with
 * its head.
 */
struct config_head {
	unsigned int	 line;		/* of [section]; 0: not in the file */
	char		*name;		/* of [section NAME], or NULL */
};

struct config_database {
	struct config_head head;
	char		*conninfo;
	char		*write_conninfo;	/* NULL: as conninfo */
	unsigned int	 connections;
	unsigned int	 lookup_timeout;	/* ms */
	unsigned int	 connect_timeout;	/* ms */
};

/* The keys that every listener has. */
struct config_listener {
	struct config_head head;
	char		*listen;
	unsigned int	 mode;
	char		*group;
	struct word_list allow_users;
	unsigned int	 rights;	/* enum right */
	struct word_list domains;
	uid_t		*users;		/* allow_users, resolved */
	char		*token_file;	/* [http] only */
};

struct config_dovecot {
	struct config_listener listener;	/* NB: first */
	char		*domain;
	char		*word;		/* "dovecot-NAME": its socket's name */
};

struct config_radius {
	struct config_head head;
	char		*listen;
};

struct config_radius_client {
	struct config_head head;
	char		*address;
	char		*secret_file;
	struct word_list realms;
	struct word_list domains;
	unsigned int	 require_ma;	/* no, yes, auto */
	unsigned int	 nonce;		/* theirs, ours */
	unsigned int	 unavailable;	/* drop, reject */
};

struct config_http_client {
	struct config_head head;
	char		*token_file;
	struct word_list domains;
	struct word_list realms;
	unsigned int	 rights;	/* enum right */
};

struct config_sip {
	struct config_head head;
	char		*nonce_key_file;	/* NULL: the default one */
	unsigned int	 nonce_lifetime;	/* ms */
	unsigned int	 foreign_window;	/* ms */
	struct nonce_keys keys;		/* count 0: there is no file yet */
};

struct config_workers {
	struct config_head head;
	unsigned int	 pbkdf2;
};

struct config_seal {
	struct config_head head;
	char		*key_file;
	struct seal_keyring keys;
};

struct config_log {
	struct config_head head;
	unsigned int	 level;		/* enum log_level */
};

/* onecred.conf, read and checked. Owns everything in it. */
struct config {
	char			*path;
	struct config_database	 database;
	struct config_listener	 extauth;
	struct config_listener	 saslauthd;
	struct config_dovecot	*dovecots;
	size_t			 dovecot_count;
	struct config_radius	 radius;
	struct config_listener	 http;		/* no rights */
	struct config_sip	 sip;
	struct config_workers	 workers;
	struct config_seal	 seal;
	struct config_log	 log;
	struct config_radius_client *clients;
	size_t			 client_count;
	/* clients as the door takes them, in the same order */
	struct radius_client_settings *radius_clients;
	struct config_http_client *http_sections;
	size_t			 http_section_count;
	/* as the door takes them: that of [http] first, if it has one */
	struct http_client_settings *http_clients;
	size_t			 http_client_count;
};

enum config_use {
	CONFIG_DAEMON = 0,
	CONFIG_HELPER		/* --extauth: no doors, no RADIUS secrets */
};

/*
 * Reads path and every file that it names. 0 and a config for
 * config_free(); or a negative error and a line "FILE:LINE: sentence" in
 * error (CONFIG_ERROR_MAX octets), which never repeats a secret.
 */
int	config_load(const char *path, enum config_use use,
	    struct config **out, char *error)
	    __attribute__((warn_unused_result));
void	config_free(struct config **config);

/* What the doors take; views of config. fd: handed over, or -1. */
void	config_listener(const struct config_listener *section,
	    const char *name, int fd, struct listener_settings *out);
void	config_radius(const struct config *config, int fd,
	    struct radius_settings *out);
void	config_http(const struct config *config, int fd,
	    struct http_settings *out);
void	config_dovecot(const struct config_dovecot *section, int fd,
	    struct dovecot_settings *out);

/* Every option with the value in force, as a file; secrets as <set>. */
void	config_dump(const struct config *config, FILE *out);

/* Calls changed for each option that differs and that only a restart can
   change; what is a phrase like "[database] conninfo". */
typedef void config_changed_cb(const char *what, void *arg);
void	config_changes(const struct config *from, const struct config *to,
	    config_changed_cb *changed, void *arg);

#endif
