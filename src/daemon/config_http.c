/*
 * Who may ask over HTTP: [http] token_file is one client, each [http-client
 * NAME] another. Tokens live in the config and are wiped with it; no message
 * holds an octet of one.
 */

#include "daemon/config_http.h"

#include <stdio.h>

#include "core/err.h"
#include "core/identity.h"
#include "daemon/config_client.h"
#include "daemon/config_file.h"
#include "store/xalloc.h"

#define TOKEN_FILE_MAX	1024

/* The rights of the client that [http] token_file makes. */
#define OWN_RIGHTS	(RIGHT_CHECK | RIGHT_EXISTS | RIGHT_SASL | RIGHT_SIP)

/* Where a client stands in the file, for messages. */
struct place {
	const char	*title;		/* "http-client kamailio" */
	unsigned int	 line;		/* of its section */
};

/* One line; one line end is removed. */
static int
read_token(const struct config_source *source, const struct place *place,
    const char *path, struct secret *out)
{
	unsigned int line = config_key_line(source, place->line,
	    "token_file");
	struct secret text;
	struct span token;
	char why[128];
	int err;

	if (path[0] != '/')
		return config_refuse(source, line, "[%s] token_file: must "
		    "be an absolute path", place->title);
	if (config_file_secret(path, TOKEN_FILE_MAX, &text, why,
	    sizeof(why)) != 0)
		return config_refuse(source, line, "[%s] token_file: %s %s",
		    place->title, path, why);
	token = secret_span(&text);
	if (token.n > 0 && token.p[token.n - 1] == '\n')
		token.n--;
	if (token.n > 0 && token.p[token.n - 1] == '\r')
		token.n--;
	err = token.n < HTTP_TOKEN_MIN || token.n > HTTP_TOKEN_MAX ?
	    -ERR_RANGE : 0;
	for (size_t i = 0; i < token.n; i++)
		if (!http_token_octet(token.p[i]))
			err = -ERR_CHARACTER;
	if (err == 0)
		err = secret_set(out, token);
	secret_free(&text);
	if (err != 0)
		return config_refuse(source, line, "[%s] token_file: %s must "
		    "hold one line of %d to %d visible ASCII characters",
		    place->title, path, HTTP_TOKEN_MIN, HTTP_TOKEN_MAX);
	return 0;
}

/* Two clients with one token could not be told apart. */
static int
check_twin(const struct config *config, const struct config_source *source,
    const struct place *place)
{
	size_t last = config->http_client_count - 1;

	for (size_t i = 0; i < last; i++)
		if (secret_equal_span(
		    secret_span(&config->http_clients[i].token),
		    secret_span(&config->http_clients[last].token)))
			return config_refuse(source, config_key_line(source,
			    place->line, "token_file"), "[%s] token_file: "
			    "holds the token of another client too",
			    place->title);
	return 0;
}

static int
add_client(struct config *config, const struct config_source *source,
    const struct place *place, const char *token_file,
    const struct http_client_settings *settings)
{
	struct http_client_settings *client =
	    &config->http_clients[config->http_client_count++];
	int err;

	*client = *settings;
	/* The helper runs as the XMPP server's user: not its business. */
	if (source->use == CONFIG_HELPER)
		return 0;
	err = read_token(source, place, token_file, &client->token);
	return err != 0 ? err : check_twin(config, source, place);
}

static struct domain_list
list_of(const struct word_list *words)
{
	return (struct domain_list){ (const char *const *)words->words,
	    words->count };
}

static int
check_own(struct config *config, const struct config_source *source)
{
	const struct config_listener *http = &config->http;
	const struct place place = { "http", http->head.line };
	const struct http_client_settings client = {
		.name = "http", .domains = list_of(&http->domains),
		.rights = OWN_RIGHTS
	};

	if (http->token_file != NULL)
		return add_client(config, source, &place, http->token_file,
		    &client);
	if (http->domains.count > 0)
		return config_refuse(source, config_key_line(source,
		    place.line, "domains"), "[http] domains: belongs to "
		    "token_file, which is not there");
	return 0;
}

static int
check_section(struct config *config, const struct config_source *source,
    const struct config_http_client *section)
{
	char title[96];
	const struct place place = { title, section->head.line };
	const struct http_client_settings client = {
		.name = section->head.name,
		.domains = list_of(&section->domains),
		.realms = list_of(&section->realms),
		.rights = section->rights
	};
	int err;

	(void)snprintf(title, sizeof(title), "http-client %s",
	    section->head.name);
	for (size_t i = 0; i < section->realms.count; i++)
		if (identity_check_realm(
		    span_str(section->realms.words[i])) != 0)
			return config_refuse(source, config_key_line(source,
			    place.line, "realms"), "[%s] realms: \"%s\" is "
			    "not a realm", title, section->realms.words[i]);
	err = config_check_domains(source, place.line, title,
	    &section->domains);
	return err != 0 ? err : add_client(config, source, &place,
	    section->token_file, &client);
}

int
config_check_http_clients(struct config *config,
    const struct config_source *source)
{
	int err;

	if (config->http_section_count > 0 && config->http.head.line == 0)
		return config_refuse(source,
		    config->http_sections[0].head.line,
		    "[http-client %s] needs a section [http]",
		    config->http_sections[0].head.name);
	config->http_clients = xcalloc(config->http_section_count + 1,
	    sizeof(config->http_clients[0]));
	err = config_check_domains(source, config->http.head.line, "http",
	    &config->http.domains);
	if (err == 0)
		err = check_own(config, source);
	for (size_t i = 0; err == 0 && i < config->http_section_count; i++)
		err = check_section(config, source,
		    &config->http_sections[i]);
	return err;
}
