/*
 * The daemon: one event loop, the doors of the configuration, signals. A
 * reload builds a whole new config first and swaps in what can change while
 * running; a file that is not good changes nothing.
 */

#include "daemon/daemon.h"

#include <sys/signalfd.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/span.h"
#include "daemon/config.h"
#include "daemon/engine.h"
#include "daemon/hardening.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/version.h"
#include "doors/dovecot.h"
#include "doors/extauth.h"
#include "doors/http.h"
#include "doors/radius.h"
#include "doors/saslauthd.h"
#include "store/store.h"

#define DRAIN_TURN_MS	10
#define DRAIN_TURNS	200	/* 2 s in all */

struct daemon {
	const char		*path;
	enum log_level		 level_floor;
	struct log		 log;
	struct event_base	*base;
	int			 signal_fd;
	struct event		*signalled;
	struct event		*drain;
	unsigned int		 drain_turns;
	struct config		*config;	/* of the start */
	struct config		*reloaded;	/* the last, or NULL */
	struct notify_fds	 handed;
	struct engine		 engine;
	struct extauth_door	*extauth;
	struct saslauthd_door	*saslauthd;
	struct dovecot_door	**dovecots;	/* as config's */
	struct radius_door	*radius;
	struct http_door	*http;
};

static void
set_level(struct daemon *d, const struct config *config)
{
	enum log_level level = (enum log_level)config->log.level;

	d->log.sink.level = level > d->level_floor ? level : d->level_floor;
}

static void
on_changed(const char *what, void *arg)
{
	struct daemon *d = arg;

	sink_log(&d->log.sink, LEVEL_WARNING,
	    "reload: %s changed, which needs a restart", what);
}

static void
reload(struct daemon *d)
{
	struct config *config = NULL, *old;
	struct radius_settings settings;
	struct http_settings http;
	char error[CONFIG_ERROR_MAX];

	if (config_load(d->path, CONFIG_DAEMON, &config, error) != 0) {
		sink_log(&d->log.sink, LEVEL_ERROR, "%s", error);
		sink_log(&d->log.sink, LEVEL_ERROR,
		    "reload: the old configuration stays in force");
		return;
	}
	set_level(d, config);
	config_changes(d->config, config, on_changed, d);
	engine_reload(&d->engine, config);
	if (d->http != NULL && config->http.head.line != 0) {
		config_http(config, -1, &http);
		http_door_reload(d->http, &http);
	}
	if (d->radius != NULL && config->client_count > 0) {
		config_radius(config, -1, &settings);
		radius_door_reload(d->radius, &settings);
		old = d->reloaded;
		d->reloaded = config;
		config = old;
	}
	config_free(&config);
	sink_log(&d->log.sink, LEVEL_INFO, "reload: done");
}

static void
reload_asked(struct daemon *d)
{
	if (d->drain_turns > 0)
		return;
	notify_reloading();
	reload(d);
	notify_send("READY=1");
}

static bool
in_flight(const struct daemon *d)
{
	struct store_stats stats;

	if (d->extauth != NULL && extauth_door_busy(d->extauth) > 0)
		return true;
	if (d->saslauthd != NULL && saslauthd_door_busy(d->saslauthd) > 0)
		return true;
	for (size_t i = 0; i < d->config->dovecot_count; i++)
		if (dovecot_door_busy(d->dovecots[i]) > 0)
			return true;
	if (d->http != NULL && http_door_busy(d->http) > 0)
		return true;
	store_stats(d->engine.store, &stats);
	return stats.in_flight > 0;
}

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tv = { 0, DRAIN_TURN_MS * 1000 };
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (!in_flight(d) || d->drain_turns++ >= DRAIN_TURNS)
		(void)event_base_loopbreak(d->base);
	else
		(void)event_add(d->drain, &tv);
}

/* The first asks politely; the second does not wait for what is in flight. */
static void
stop_asked(struct daemon *d, const char *by)
{
	if (d->drain_turns > 0) {
		(void)event_base_loopbreak(d->base);
		return;
	}
	sink_log(&d->log.sink, LEVEL_INFO, "stopping (%s)", by);
	notify_send("STOPPING=1");
	d->drain_turns = 1;
	if (d->extauth != NULL)
		extauth_door_drain(d->extauth);
	if (d->saslauthd != NULL)
		saslauthd_door_drain(d->saslauthd);
	for (size_t i = 0; i < d->config->dovecot_count; i++)
		dovecot_door_drain(d->dovecots[i]);
	if (d->http != NULL)
		http_door_drain(d->http);
	on_drain(-1, 0, d);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo info;
	struct daemon *d = arg;

	(void)what;
	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		reload_asked(d);
	else if (info.ssi_signo == SIGTERM)
		stop_asked(d, "SIGTERM");
	else if (info.ssi_signo == SIGINT)
		stop_asked(d, "SIGINT");
	/* SIGUSR1 does nothing, which includes ending the daemon. */
}

/*
 * Signals are read like everything else, never handled asynchronously; what
 * comes while the daemon starts waits for the loop.
 */
static bool
start_signals(struct daemon *d)
{
	sigset_t set;

	if (sigemptyset(&set) != 0 || sigaddset(&set, SIGHUP) != 0 ||
	    sigaddset(&set, SIGTERM) != 0 || sigaddset(&set, SIGINT) != 0 ||
	    sigaddset(&set, SIGUSR1) != 0 ||
	    pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return false;
	d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return d->signal_fd >= 0;
}

static bool
start_loop(struct daemon *d)
{
	d->base = event_base_new();
	if (d->base == NULL)
		return false;
	d->drain = evtimer_new(d->base, on_drain, d);
	d->signalled = event_new(d->base, d->signal_fd, EV_READ | EV_PERSIST,
	    on_signal, d);
	return d->drain != NULL && d->signalled != NULL &&
	    event_add(d->signalled, NULL) == 0;
}

static bool
start_dovecots(struct daemon *d)
{
	const struct config *config = d->config;
	struct dovecot_settings settings;

	d->dovecots = calloc(config->dovecot_count + 1,
	    sizeof(struct dovecot_door *));
	if (d->dovecots == NULL)
		return false;
	for (size_t i = 0; i < config->dovecot_count; i++) {
		config_dovecot(&config->dovecots[i], notify_fds_take(
		    &d->handed, config->dovecots[i].word), &settings);
		d->dovecots[i] = dovecot_door_new(&d->engine.context,
		    &settings);
		if (d->dovecots[i] == NULL)
			return false;
	}
	return true;
}

/* A socket of the service manager that no section asked for. */
static void
say_unserved(struct daemon *d, const char *name)
{
	const struct span dovecot = SPAN_LIT("dovecot-");
	struct span all = span_str(name);
	bool named = all.n > dovecot.n &&
	    span_equal(span_head(all, dovecot.n), dovecot);
	const char *word = named ? "dovecot" : name;
	const char *which = named ? name + dovecot.n : "";

	sink_log(&d->log.sink, LEVEL_WARNING, "a socket named \"%s\" was "
	    "handed over, but there is no section for it: who connects waits "
	    "in vain. Add [%s%s%s], or: systemctl disable --now "
	    "onecredd-%s%s%s.socket", name, word, named ? " " : "", which,
	    word, named ? "@" : "", which);
}

static bool
start_doors(struct daemon *d)
{
	struct saslauthd_settings saslauthd = { .request_ms = 0 };
	struct http_settings http;
	struct listener_settings listener;
	struct radius_settings radius;

	if (d->config->extauth.head.line != 0) {
		config_listener(&d->config->extauth, "extauth",
		    notify_fds_take(&d->handed, "extauth"), &listener);
		d->extauth = extauth_door_new(&d->engine.context, &listener);
		if (d->extauth == NULL)
			return false;
	}
	if (d->config->saslauthd.head.line != 0) {
		config_listener(&d->config->saslauthd, "saslauthd",
		    notify_fds_take(&d->handed, "saslauthd"),
		    &saslauthd.listener);
		d->saslauthd = saslauthd_door_new(&d->engine.context,
		    &saslauthd);
		if (d->saslauthd == NULL)
			return false;
	}
	if (!start_dovecots(d))
		return false;
	if (d->config->radius.head.line != 0) {
		config_radius(d->config, notify_fds_take(&d->handed,
		    "radius"), &radius);
		d->radius = radius_door_new(&d->engine.context, &radius);
		if (d->radius == NULL)
			return false;
	}
	if (d->config->http.head.line != 0) {
		config_http(d->config, notify_fds_take(&d->handed, "http"),
		    &http);
		d->http = http_door_new(&d->engine.context, &http);
		if (d->http == NULL)
			return false;
	}
	for (size_t i = 0; i < d->handed.count; i++)
		if (d->handed.fds[i].fd >= 0)
			say_unserved(d, d->handed.fds[i].name);
	notify_fds_close(&d->handed);
	return true;
}

static bool
start(struct daemon *d)
{
	char error[CONFIG_ERROR_MAX];

	if (!start_signals(d)) {
		sink_log(&d->log.sink, LEVEL_ERROR, "no signals");
		return false;
	}
	if (config_load(d->path, CONFIG_DAEMON, &d->config, error) != 0) {
		sink_log(&d->log.sink, LEVEL_ERROR, "%s", error);
		return false;
	}
	set_level(d, d->config);
	if (!start_loop(d)) {
		sink_log(&d->log.sink, LEVEL_ERROR, "no event loop");
		return false;
	}
	return engine_start(&d->engine, d->config, CONFIG_DAEMON, d->base,
	    &d->log.sink) && start_doors(d);
}

static void
stop(struct daemon *d)
{
	extauth_door_free(&d->extauth);
	saslauthd_door_free(&d->saslauthd);
	for (size_t i = 0; d->dovecots != NULL &&
	    i < d->config->dovecot_count; i++)
		dovecot_door_free(&d->dovecots[i]);
	free(d->dovecots);
	if (d->radius != NULL)
		radius_door_free(&d->radius);
	http_door_free(&d->http);
	engine_stop(&d->engine);
	notify_fds_close(&d->handed);
	if (d->signalled != NULL)
		event_free(d->signalled);
	if (d->drain != NULL)
		event_free(d->drain);
	if (d->base != NULL)
		event_base_free(d->base);
	if (d->signal_fd >= 0)
		(void)close(d->signal_fd);
	config_free(&d->reloaded);
	config_free(&d->config);
	libevent_global_shutdown();
}

int
daemon_run(const char *path, enum log_level level_floor)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int status = EXIT_FAILURE;

	if (d == NULL)
		return EXIT_FAILURE;
	d->path = path;
	d->level_floor = level_floor;
	d->signal_fd = -1;
	log_init(&d->log, STDERR_FILENO, LEVEL_INFO);
	notify_init();
	notify_fds_collect(&d->handed);
	hardening_raise_files();
	if (start(d)) {
		sink_log(&d->log.sink, LEVEL_INFO, "onecredd %s ready",
		    ONECRED_VERSION);
		notify_send("READY=1\nSTATUS=ready");
		if (event_base_dispatch(d->base) == 0)
			status = EXIT_SUCCESS;
		sink_log(&d->log.sink, LEVEL_INFO, "onecredd %s stopped",
		    ONECRED_VERSION);
	}
	stop(d);
	free(d);
	return status;
}
