/*
 * onecred.conf as a struct: the option table is applied to what the reader
 * found, then judged as a whole (config_check.c). A config is built complete
 * or not at all, so that a reload can swap it in; it never changes later.
 */

#include "daemon/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/config_check.h"
#include "daemon/config_file.h"
#include "daemon/options.h"
#include "store/xalloc.h"

#define VALUE_MAX	8192

int
config_refuse(const struct config_source *source, unsigned int line,
    const char *fmt, ...)
{
	char *at = source->error;
	size_t left = CONFIG_ERROR_MAX;
	va_list ap;
	int n;

	if (line == 0)
		n = snprintf(at, left, "%s: ", source->path);
	else
		n = snprintf(at, left, "%s:%u: ", source->path, line);
	if (n > 0 && (size_t)n < left) {
		va_start(ap, fmt);
		(void)vsnprintf(at + n, left - (size_t)n, fmt, ap);
		va_end(ap);
	}
	return -ERR_FORMAT;
}

/* The i-th section of a named kind, or NULL. */
static struct config_head *
named_section(const struct config *config, const struct section_def *def,
    size_t i)
{
	if (span_equal(span_str(def->word), span_str("dovecot")))
		return i < config->dovecot_count ?
		    &config->dovecots[i].listener.head : NULL;
	if (span_equal(span_str(def->word), span_str("http-client")))
		return i < config->http_section_count ?
		    &config->http_sections[i].head : NULL;
	return i < config->client_count ? &config->clients[i].head : NULL;
}

/* Where to put the section: of a named kind, the first that is free. */
static void *
section_struct(struct config *config, const struct section_def *def)
{
	struct config_head *head;

	if (!def->named)
		return (char *)config + def->offset;
	for (size_t i = 0; ; i++) {
		head = named_section(config, def, i);
		if (head == NULL || head->line == 0)
			return head;
	}
}

static size_t
count_sections(const struct ini *ini, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < ini->section_count; i++)
		n += span_equal(ini->sections[i].word, span_str(word));
	return n;
}

/* The bracket as it stands in the file, for messages. */
static const char *
section_title(const struct ini_section *section, char *out, size_t cap)
{
	(void)snprintf(out, cap, "[%.*s%s%.*s]", (int)section->word.n,
	    (const char *)section->word.p, section->name.n > 0 ? " " : "",
	    (int)section->name.n, section->name.n > 0 ?
	    (const char *)section->name.p : "");
	return out;
}

/* Gives every option of the section its default. */
static void
apply_presets(const struct section_def *section, void *at)
{
	const struct option_def *def;
	char why[128];

	for (def = config_options; def->section != NULL; def++)
		if (def->preset != NULL && span_equal(span_str(def->section),
		    span_str(section->word)) &&
		    option_set(def, span_str(def->preset), at, why,
		    sizeof(why)) != 0)
			abort();	/* the table is wrong */
}

static int
check_required(const struct section_def *section,
    const struct ini_section *found, const struct config_source *source)
{
	const struct option_def *def;
	char title[160];

	for (def = config_options; def->section != NULL; def++)
		if ((def->flags & OPT_REQUIRED) != 0 &&
		    span_equal(span_str(def->section),
		    span_str(section->word)) &&
		    ini_line(source->ini, found, def->key) == found->line)
			return config_refuse(source, found->line,
			    "%s needs %s", section_title(found, title,
			    sizeof(title)), def->key);
	return 0;
}

static int
apply_section(struct config *config, const struct config_source *source,
    const struct ini_section *found)
{
	const struct section_def *section = section_find(found->word);
	char title[160], why[160];
	struct config_head *head;

	(void)section_title(found, title, sizeof(title));
	if (section == NULL)
		return config_refuse(source, found->line,
		    "%s: there is no such section", title);
	if (section->named != (found->name.n > 0))
		return config_refuse(source, found->line, section->named ?
		    "%s: this section needs a name" :
		    "%s: this section takes no name", title);
	head = section_struct(config, section);
	if (head == NULL)
		abort();	/* they were counted wrongly */
	head->line = found->line;
	if (section->named) {
		head->name = xcalloc(1, found->name.n + 1);
		memcpy(head->name, found->name.p, found->name.n);
		apply_presets(section, head);
	}
	for (size_t i = 0; i < found->count; i++) {
		const struct ini_entry *entry =
		    &source->ini->entries[found->first + i];
		const struct option_def *def = option_find(section,
		    entry->key);

		if (def == NULL)
			return config_refuse(source, entry->line,
			    "%s %.*s: there is no such key", title,
			    (int)entry->key.n, (const char *)entry->key.p);
		if (option_set(def, entry->value, head, why,
		    sizeof(why)) != 0)
			return config_refuse(source, entry->line,
			    "%s %s: %s", title, def->key, why);
	}
	return check_required(section, found, source);
}

static int
apply_all(struct config *config, const struct config_source *source)
{
	const struct ini *ini = source->ini;
	const struct section_def *def;
	int err;

	config->client_count = count_sections(ini, "radius-client");
	config->clients = xcalloc(config->client_count + 1,
	    sizeof(config->clients[0]));
	config->http_section_count = count_sections(ini, "http-client");
	config->http_sections = xcalloc(config->http_section_count + 1,
	    sizeof(config->http_sections[0]));
	config->dovecot_count = count_sections(ini, "dovecot");
	config->dovecots = xcalloc(config->dovecot_count + 1,
	    sizeof(config->dovecots[0]));
	for (def = config_sections; def->word != NULL; def++)
		if (!def->named)
			apply_presets(def, (char *)config + def->offset);
	for (size_t i = 0; i < ini->section_count; i++) {
		err = apply_section(config, source, &ini->sections[i]);
		if (err != 0)
			return err;
	}
	for (def = config_sections; def->word != NULL; def++)
		if (def->required && ((const struct config_head *)(const void *)
		    ((char *)config + def->offset))->line == 0)
			return config_refuse(source, 0,
			    "the section [%s] is missing", def->word);
	return config_check(config, source);
}

int
config_load(const char *path, enum config_use use, struct config **out,
    char *error)
{
	struct config_source source = { path, 0, use, NULL, error };
	struct config *config = NULL;
	struct ini ini = { 0 };
	struct secret text;
	unsigned int line = 0;
	const char *reason;
	char why[128];
	int err;

	*out = NULL;
	err = config_file_read(path, INI_FILE_MAX, &text, &source.mode, why,
	    sizeof(why));
	if (err != 0) {
		(void)config_refuse(&source, 0, "%s", why);
		return err;
	}
	err = ini_parse(secret_span(&text), &ini, &line, &reason);
	if (err != 0) {
		(void)config_refuse(&source, line, "%s", reason);
		goto out;
	}
	source.ini = &ini;
	config = xcalloc(1, sizeof(*config));
	config->path = xstrdup(path);
	err = apply_all(config, &source);
	if (err == 0) {
		*out = config;
		config = NULL;
	}
out:
	config_free(&config);
	ini_free(&ini);
	secret_free(&text);
	return err;
}

static void
clear_section(const char *word, struct config_head *at)
{
	const struct option_def *def;

	for (def = config_options; def->section != NULL; def++)
		if (span_equal(span_str(def->section), span_str(word)))
			option_clear(def, at);
	free(at->name);
	at->name = NULL;
}

void
config_free(struct config **config)
{
	struct config *c = *config;
	const struct section_def *def;

	*config = NULL;
	if (c == NULL)
		return;
	free(c->extauth.users);
	free(c->saslauthd.users);
	free(c->http.users);
	for (def = config_sections; def->word != NULL; def++)
		if (!def->named)
			clear_section(def->word, (struct config_head *)(void *)
			    ((char *)c + def->offset));
	for (size_t i = 0; i < c->client_count; i++) {
		if (c->radius_clients != NULL)
			secret_free(&c->radius_clients[i].secret);
		if (c->clients != NULL)
			clear_section("radius-client", &c->clients[i].head);
	}
	for (size_t i = 0; i < c->dovecot_count; i++) {
		free(c->dovecots[i].listener.users);
		free(c->dovecots[i].word);
		clear_section("dovecot", &c->dovecots[i].listener.head);
	}
	free(c->dovecots);
	for (size_t i = 0; i < c->http_section_count; i++)
		clear_section("http-client", &c->http_sections[i].head);
	for (size_t i = 0; i < c->http_client_count; i++)
		secret_free(&c->http_clients[i].token);
	seal_keyring_wipe(&c->seal.keys);
	nonce_keys_wipe(&c->sip.keys);
	free(c->clients);
	free(c->radius_clients);
	free(c->http_sections);
	free(c->http_clients);
	free(c->path);
	free(c);
}

void
config_listener(const struct config_listener *section, const char *name,
    int fd, struct listener_settings *out)
{
	*out = (struct listener_settings){
		.section = name,
		.path = section->listen,
		.mode = (mode_t)section->mode,
		.group = section->group,
		.users = section->users,
		.user_count = section->allow_users.count,
		.rights = section->rights,
		.domains = { (const char *const *)section->domains.words,
		    section->domains.count },
		.fd = fd
	};
}

void
config_radius(const struct config *config, int fd,
    struct radius_settings *out)
{
	*out = (struct radius_settings){
		.listen = config->radius.listen,
		.fd = fd,
		.clients = config->radius_clients,
		.client_count = config->client_count
	};
}

void
config_http(const struct config *config, int fd, struct http_settings *out)
{
	*out = (struct http_settings){
		.clients = config->http_clients,
		.client_count = config->http_client_count
	};
	config_listener(&config->http, "http", fd, &out->listener);
}

void
config_dovecot(const struct config_dovecot *section, int fd,
    struct dovecot_settings *out)
{
	*out = (struct dovecot_settings){ .domain = section->domain };
	config_listener(&section->listener, section->word, fd,
	    &out->listener);
}

static void
dump_section(const char *word, const struct config_head *at, FILE *out)
{
	const struct option_def *def;
	char value[VALUE_MAX];
	struct wbuf wb;

	(void)fprintf(out, "[%s%s%s]\n", word, at->name != NULL ? " " : "",
	    at->name != NULL ? at->name : "");
	for (def = config_options; def->section != NULL; def++) {
		if (!span_equal(span_str(def->section), span_str(word)))
			continue;
		wbuf_init(&wb, value, sizeof(value));
		option_format(def, at, &wb);
		(void)fprintf(out, "%s%s =%s%.*s\n", wb.n == 0 ? "# " : "",
		    def->key, wb.n == 0 ? "" : " ", (int)wb.n, value);
	}
	(void)fputc('\n', out);
}

void
config_dump(const struct config *config, FILE *out)
{
	const struct section_def *def;

	(void)fprintf(out, "# %s as understood\n\n", config->path);
	for (def = config_sections; def->word != NULL; def++) {
		const struct config_head *at = (const struct config_head *)
		    (const void *)((const char *)config + def->offset);

		if (def->named)
			for (size_t i = 0; (at = named_section(config, def,
			    i)) != NULL; i++)
				dump_section(def->word, at, out);
		else if (at->line != 0)
			dump_section(def->word, at, out);
	}
}

/* What a secret string holds counts too, though it prints as <set>. */
static bool
option_same(const struct option_def *def, const void *a, const void *b)
{
	static const uint8_t none[1];
	char *const *sa, *const *sb;
	char va[VALUE_MAX], vb[VALUE_MAX];
	struct wbuf wa, wb;

	if (def->type == OPTION_STRING) {
		sa = (char *const *)(const void *)
		    ((const char *)a + def->offset);
		sb = (char *const *)(const void *)
		    ((const char *)b + def->offset);
		return secret_equal_span(*sa == NULL ? span_mem(none, 0) :
		    span_str(*sa), *sb == NULL ? span_mem(none, 0) :
		    span_str(*sb));
	}
	wbuf_init(&wa, va, sizeof(va));
	wbuf_init(&wb, vb, sizeof(vb));
	option_format(def, a, &wa);
	option_format(def, b, &wb);
	return span_equal(wbuf_written(&wa), wbuf_written(&wb));
}

/* The section of that name and kind, or NULL. */
static const struct config_head *
find_named(const struct config *config, const struct section_def *section,
    const char *name)
{
	const struct config_head *head;

	for (size_t i = 0; (head = named_section(config, section, i)) != NULL;
	    i++)
		if (span_equal(span_str(head->name), span_str(name)))
			return head;
	return NULL;
}

/* What differs between two sections of one name, of which b may be NULL. */
static void
named_changes(const struct section_def *section,
    const struct config_head *a, const struct config_head *b,
    config_changed_cb *changed, void *arg)
{
	const struct option_def *def;
	char what[160];

	for (def = config_options; def->section != NULL; def++) {
		if ((def->flags & OPT_RELOAD) != 0 ||
		    !span_equal(span_str(def->section),
		    span_str(section->word)) ||
		    (b != NULL && option_same(def, a, b)))
			continue;
		(void)snprintf(what, sizeof(what), "[%s %s]%s%s",
		    section->word, a->name, b == NULL ? "" : " ",
		    b == NULL ? "" : def->key);
		changed(what, arg);
		if (b == NULL)
			return;
	}
}

static void
all_named_changes(const struct section_def *section,
    const struct config *from, const struct config *to,
    config_changed_cb *changed, void *arg)
{
	const struct config_head *head;

	for (size_t i = 0; (head = named_section(from, section, i)) != NULL;
	    i++)
		named_changes(section, head, find_named(to, section,
		    head->name), changed, arg);
	for (size_t i = 0; (head = named_section(to, section, i)) != NULL;
	    i++)
		if (find_named(from, section, head->name) == NULL)
			named_changes(section, head, NULL, changed, arg);
}

void
config_changes(const struct config *from, const struct config *to,
    config_changed_cb *changed, void *arg)
{
	const struct section_def *section;
	const struct option_def *def;
	char what[160];

	for (section = config_sections; section->word != NULL; section++) {
		const char *a = (const char *)from + section->offset;
		const char *b = (const char *)to + section->offset;
		bool was, is;

		if (section->named) {
			all_named_changes(section, from, to, changed, arg);
			continue;
		}
		was = ((const struct config_head *)(const void *)a)->line != 0;
		is = ((const struct config_head *)(const void *)b)->line != 0;
		if (section->door && was != is) {
			(void)snprintf(what, sizeof(what), "[%s]",
			    section->word);
			changed(what, arg);
			continue;
		}
		for (def = config_options; def->section != NULL; def++) {
			if ((def->flags & OPT_RELOAD) != 0 ||
			    !span_equal(span_str(def->section),
			    span_str(section->word)) ||
			    option_same(def, a, b))
				continue;
			(void)snprintf(what, sizeof(what), "[%s] %s",
			    section->word, def->key);
			changed(what, arg);
		}
	}
	if (!secret_equal(&from->seal.keys, &to->seal.keys,
	    sizeof(from->seal.keys)))
		changed("the keys in [seal] key_file", arg);
}
