#ifndef ONECRED_BACKOFF_H
#define ONECRED_BACKOFF_H

#define BACKOFF_FIRST_MS	100
#define BACKOFF_LAST_MS		5000

/* How long to wait before the next attempt; zeroed = none failed yet. */
struct backoff {
	unsigned int	ms;	/* upper bound of the last delay */
};

/*
 * The delay before the next attempt: doubled each time, its second half drawn
 * at random so that many daemons do not return to a server in step.
 */
unsigned int	backoff_next(struct backoff *backoff);

/* The last attempt was a good one. */
void		backoff_reset(struct backoff *backoff);

#endif
