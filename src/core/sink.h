#ifndef ONECRED_SINK_H
#define ONECRED_SINK_H

enum log_level {
	LEVEL_ERROR = 0,
	LEVEL_WARNING,
	LEVEL_INFO,
	LEVEL_DEBUG
};

/*
 * Where the layers above core send their log lines. Core never does; the type
 * stands here because store, service and doors all need it and none of them
 * may include the daemon's log. The owner of the sink outlives its users.
 */
struct sink {
	void		(*write)(void *arg, enum log_level level,
			    const char *line);	/* line: no newline at its end */
	void		*arg;
	enum log_level	 level;		/* lines above it are not made */
};

/*
 * Formats one line (cut at 1023 octets; control characters become '?') and
 * hands it to the sink. Never given a password, verifier, HA1 or response.
 */
void	sink_log(const struct sink *sink, enum log_level level,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
