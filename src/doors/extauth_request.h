#ifndef ONECRED_EXTAUTH_REQUEST_H
#define ONECRED_EXTAUTH_REQUEST_H

#include <stdbool.h>

#include "core/span.h"
#include "doors/door.h"
#include "doors/extauth_frame.h"
#include "doors/listener.h"

struct accounts_ticket;

typedef void	extauth_answered_cb(enum extauth_answer answer, void *arg);

/* One request under way; its owner zeroes it once. */
struct extauth_request {
	const struct door_context *context;
	const struct listener_settings *settings;
	enum extauth_command	 command;
	struct auth_ticket	*decision;	/* under way, or NULL */
	struct accounts_ticket	*change;	/* under way, or NULL */
	extauth_answered_cb	*answered;
	void			*arg;
};

/*
 * Finds the answer to a payload, which is not needed afterwards. True if it
 * comes later, exactly once, from the event loop; false if it is in *answer.
 * context and settings outlive the request.
 */
bool	extauth_request_start(struct extauth_request *request,
	    const struct door_context *context,
	    const struct listener_settings *settings, struct span payload,
	    extauth_answered_cb *answered, void *arg,
	    enum extauth_answer *answer);

/* The peer has gone: no answer will come. A change may still happen. */
void	extauth_request_cancel(struct extauth_request *request);

#endif
