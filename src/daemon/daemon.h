#ifndef ONECRED_DAEMON_H
#define ONECRED_DAEMON_H

#include "core/sink.h"

/*
 * Runs onecredd in the foreground until SIGTERM or SIGINT; SIGHUP reads path
 * again. level_floor: at least this much is logged, whatever the file says.
 * The exit status: 0, or 1 if it could not start (the reason is in the log).
 */
int	daemon_run(const char *path, enum log_level level_floor);

#endif
