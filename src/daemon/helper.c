/*
 * onecredd --extauth, one self-contained helper of ejabberd. A helper that
 * exits while it starts makes ejabberd give up its whole pool for good
 * (XMPP.md 1.3), so this one ends on EOF and on nothing else; whatever is
 * wrong is said once on stderr and to the peer as 00 02 00 02.
 */

#include "daemon/helper.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/config.h"
#include "daemon/engine.h"
#include "daemon/hardening.h"
#include "daemon/log.h"
#include "doors/extauth.h"

#define RETRY_SECONDS	10

struct helper {
	const char		*path;
	struct log		 log;
	struct event_base	*base;
	struct event		*retry;
	struct door_context	 idle;		/* auth NULL: nothing yet */
	struct config		*config;
	struct engine		 engine;
	struct extauth_door	*door;
	char			 complaint[CONFIG_ERROR_MAX];
};

/* Says the same thing only once. */
static void
complain(struct helper *h, const char *error)
{
	size_t i = 0;

	while (error[i] != '\0' && error[i] == h->complaint[i])
		i++;
	if (error[i] == h->complaint[i])
		return;
	if (span_copy_str(span_str(error), h->complaint,
	    sizeof(h->complaint)) != 0)
		h->complaint[0] = '\0';
	sink_log(&h->log.sink, LEVEL_ERROR, "%s", error);
	sink_log(&h->log.sink, LEVEL_ERROR, "until that is mended, every "
	    "login is answered \"temporary failure\"");
}

/* Reads the configuration; when it is good, the door can decide. */
static void
attach(struct helper *h)
{
	const struct timeval tv = { RETRY_SECONDS, 0 };
	struct listener_settings settings;
	char error[CONFIG_ERROR_MAX];

	if (config_load(h->path, CONFIG_HELPER, &h->config, error) != 0) {
		complain(h, error);
		(void)event_add(h->retry, &tv);
		return;
	}
	h->log.sink.level = (enum log_level)h->config->log.level;
	if (!engine_start(&h->engine, h->config, CONFIG_HELPER, h->base,
	    &h->log.sink)) {
		config_free(&h->config);
		complain(h, "cannot start");
		(void)event_add(h->retry, &tv);
		return;
	}
	config_listener(&h->config->extauth, "extauth", -1, &settings);
	extauth_door_attach(h->door, &h->engine.context, &settings);
	if (h->complaint[0] != '\0')
		sink_log(&h->log.sink, LEVEL_WARNING, "%s is good now",
		    h->path);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	attach(arg);
}

static void
on_ended(void *arg)
{
	struct helper *h = arg;

	(void)event_base_loopbreak(h->base);
}

/* epoll refuses regular files, and stdin may be one. */
static struct event_base *
base_without_epoll(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL && event_config_avoid_method(config, "epoll") == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return base;
}

int
helper_run(const char *path)
{
	const struct listener_settings none = { .section = "extauth" };
	struct helper *h = calloc(1, sizeof(*h));
	int status = EXIT_FAILURE;

	if (h == NULL)
		return EXIT_FAILURE;
	hardening_close_inherited();
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	log_init(&h->log, STDERR_FILENO, LEVEL_INFO);
	h->path = path;
	h->base = base_without_epoll();
	if (h->base == NULL)
		goto out;
	h->idle.base = h->base;
	h->idle.sink = &h->log.sink;
	h->retry = evtimer_new(h->base, on_retry, h);
	h->door = extauth_door_stdio(&h->idle, &none, STDIN_FILENO,
	    STDOUT_FILENO, on_ended, h);
	if (h->retry == NULL || h->door == NULL)
		goto out;
	attach(h);
	(void)event_base_dispatch(h->base);
	status = EXIT_SUCCESS;
out:
	extauth_door_free(&h->door);
	engine_stop(&h->engine);
	config_free(&h->config);
	if (h->retry != NULL)
		event_free(h->retry);
	if (h->base != NULL)
		event_base_free(h->base);
	free(h);
	libevent_global_shutdown();
	return status;
}
