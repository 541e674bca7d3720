/*
 * Growing delays with jitter between attempts to reach a server.
 */

#include "store/backoff.h"

#include <sys/random.h>

unsigned int
backoff_next(struct backoff *backoff)
{
	unsigned int dice = 0, half;

	if (backoff->ms == 0)
		backoff->ms = BACKOFF_FIRST_MS;
	else if (backoff->ms > BACKOFF_LAST_MS / 2)
		backoff->ms = BACKOFF_LAST_MS;
	else
		backoff->ms *= 2;
	half = backoff->ms / 2;
	/* No randomness this early in a boot only means no jitter. */
	if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != sizeof(dice))
		dice = 0;
	return half + dice % (half + 1);
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->ms = 0;
}
