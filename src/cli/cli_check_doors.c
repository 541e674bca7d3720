/*
 * Ways in, section by section of onecred.conf: does the door serve the
 * account's domain, is a daemon behind it, and is anything open to the
 * account that this protocol can carry.
 */

#include "cli/cli_check_doors.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/span.h"

/* What each protocol carries. Doors that are not here carry passwords. */
enum carries {
	CARRIES_PASSWORD = 0,
	CARRIES_SASL,			/* SCRAM, or a password */
	CARRIES_DIGEST
};

/* A door, or a client of one, with its limits. */
struct door {
	char			 name[CHECK_WHAT_MAX];	/* of the section */
	const char		*protocol;	/* behind the name, or "" */
	enum carries		 carries;
	const char		*listen;	/* socket path, or NULL */
	struct domain_list	 domains;	/* count 0: all */
	struct domain_list	 realms;	/* count 0: all */
	bool			 rights;	/* may ask at all */
};

static struct domain_list
list_of(const struct word_list *words)
{
	return (struct domain_list){ (const char *const *)words->words,
	    words->count };
}

static bool
listed(const struct domain_list *list, const char *word)
{
	if (list->count == 0)
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (span_equal_nocase(span_str(list->names[i]),
		    span_str(word)))
			return true;
	return false;
}

/* Whether somebody accepts there; true too where only he can tell. */
static bool
is_served(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err = 0;

	if (span_copy_str(span_str(path), address.sun_path,
	    sizeof(address.sun_path)) != 0)
		return true;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)&address,
	    sizeof(address)) != 0)
		err = errno;
	(void)close(fd);
	return err != ENOENT && err != ECONNREFUSED;
}

static bool
is_carried(const struct door *door, const struct check_line *line)
{
	switch (door->carries) {
	case CARRIES_PASSWORD:
		return line->kind == CHECK_SASL &&
		    span_equal(span_str(line->what), SPAN_LIT("PLAIN"));
	case CARRIES_SASL:
		return line->kind == CHECK_SASL;
	case CARRIES_DIGEST:
		return line->kind == CHECK_SIP &&
		    listed(&door->realms, line->realm);
	}
	return false;
}

/* The best that the account has among the lines this door can carry. */
static void
judge_carried(const struct door *door, const struct check_report *report,
    size_t before, struct check_line *line)
{
	const struct check_line *best = NULL;

	for (size_t i = 0; i < before; i++) {
		const struct check_line *l = &report->lines[i];

		if (is_carried(door, l) && (best == NULL ||
		    l->state == CHECK_CAN ||
		    (l->state == CHECK_UNKNOWN &&
		    best->state != CHECK_CAN)))
			best = l;
	}
	if (best == NULL) {
		line->state = CHECK_OFF;
		line->reason = REASON_NONE;
		(void)snprintf(line->note, sizeof(line->note),
		    "none of the domain's realms is served here");
		return;
	}
	line->state = best->state;
	line->reason = best->reason;
	if (line->state != CHECK_CAN)
		(void)snprintf(line->note, sizeof(line->note), "%s",
		    best->note);
}

static void
judge_door(const struct door *door, const struct check_account *account,
    const struct config *config, struct check_report *report)
{
	const char *domain = account->presented.account.domain;
	size_t before = report->count;
	char what[CHECK_WHAT_MAX + 16];
	struct check_line *line;

	(void)snprintf(what, sizeof(what), "%s%s", door->name,
	    door->protocol);
	line = check_report_line(report, CHECK_DOOR, what);
	if (!listed(&door->domains, domain)) {
		line->state = CHECK_CANNOT;
		line->reason = REASON_FOREIGN_DOMAIN;
		(void)snprintf(line->note, sizeof(line->note),
		    "%s is not among its domains", domain);
		(void)check_report_advise(report, "add %s to the key domains "
		    "of [%s] in %s and restart onecredd, if it should be "
		    "served there", domain, door->name, config->path);
		return;
	}
	if (!door->rights) {
		line->state = CHECK_CANNOT;
		line->reason = REASON_NOT_PERMITTED;
		(void)snprintf(line->note, sizeof(line->note),
		    "its rights do not include check");
		(void)check_report_advise(report, "add \"check\" to the key "
		    "rights of [%s] in %s and restart onecredd", door->name,
		    config->path);
		return;
	}
	judge_carried(door, report, before, line);
	if (door->listen != NULL && !is_served(door->listen)) {
		struct check_advice *advice;

		line->state = CHECK_CANNOT;
		line->reason = REASON_NONE;
		(void)snprintf(line->note, sizeof(line->note),
		    "nobody listens at %s", door->listen);
		advice = check_report_advise(report,
		    "no onecredd listens at %s: start it", door->listen);
		if (advice != NULL)
			(void)snprintf(advice->command,
			    sizeof(advice->command),
			    "systemctl start onecredd");
	}
}

static void
judge_listener(const char *name, const struct config_listener *section,
    const struct check_account *account, const struct config *config,
    struct check_report *report)
{
	struct door door = {
		.protocol = "", .carries = CARRIES_PASSWORD,
		.listen = section->listen,
		.domains = list_of(&section->domains),
		.rights = (section->rights & RIGHT_CHECK) != 0
	};

	if (section->head.line == 0)
		return;
	(void)snprintf(door.name, sizeof(door.name), "%s", name);
	judge_door(&door, account, config, report);
}

/* One domain each, whatever name a client gives. */
static void
judge_dovecot(const struct config_dovecot *section,
    const struct check_account *account, const struct config *config,
    struct check_report *report)
{
	const char *const domain = section->domain;
	struct door door = {
		.protocol = "", .carries = CARRIES_SASL,
		.listen = section->listener.listen,
		.domains = { &domain, 1 },
		.rights = (section->listener.rights &
		    (RIGHT_CHECK | RIGHT_SASL)) != 0
	};

	/* A door for another domain is not this account's. */
	if (!listed(&door.domains, account->presented.account.domain))
		return;
	(void)snprintf(door.name, sizeof(door.name), "dovecot %s",
	    section->listener.head.name);
	judge_door(&door, account, config, report);
}

static void
judge_radius(const struct config_radius_client *section,
    const struct check_account *account, const struct config *config,
    struct check_report *report)
{
	struct door door = {
		.protocol = " PAP", .carries = CARRIES_PASSWORD,
		.domains = list_of(&section->domains),
		.realms = list_of(&section->realms), .rights = true
	};

	(void)snprintf(door.name, sizeof(door.name), "radius-client %s",
	    section->head.name);
	judge_door(&door, account, config, report);
	door.protocol = " digest";
	door.carries = CARRIES_DIGEST;
	judge_door(&door, account, config, report);
}

/* What the client's rights do not name it was not made for. */
static void
judge_http(const struct http_client_settings *client, bool own,
    const struct check_account *account, const struct config *config,
    struct check_report *report)
{
	static const struct {
		unsigned int	 right;
		const char	*protocol;
		enum carries	 carries;
	} uses[] = {
		{ RIGHT_CHECK, " password", CARRIES_PASSWORD },
		{ RIGHT_SASL, " SASL", CARRIES_SASL },
		{ RIGHT_SIP, " SIP", CARRIES_DIGEST }
	};
	struct door door = {
		.listen = config->http.listen[0] == '/' ?
		    config->http.listen : NULL,
		.domains = client->domains, .realms = client->realms,
		.rights = true
	};

	(void)snprintf(door.name, sizeof(door.name), "%s%s",
	    own ? "" : "http-client ", client->name);
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if ((client->rights & uses[i].right) == 0)
			continue;
		door.protocol = uses[i].protocol;
		door.carries = uses[i].carries;
		judge_door(&door, account, config, report);
	}
}

void
check_doors(const struct check_account *account, const struct config *config,
    struct check_report *report)
{
	judge_listener("extauth", &config->extauth, account, config, report);
	judge_listener("saslauthd", &config->saslauthd, account, config,
	    report);
	for (size_t i = 0; i < config->dovecot_count; i++)
		judge_dovecot(&config->dovecots[i], account, config, report);
	/* Of RADIUS and HTTP the clients are what has limits. */
	for (size_t i = 0; i < config->client_count; i++)
		judge_radius(&config->clients[i], account, config, report);
	for (size_t i = 0; i < config->http_client_count; i++)
		judge_http(&config->http_clients[i], i == 0 &&
		    config->http.token_file != NULL, account, config, report);
}
