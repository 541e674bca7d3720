#ifndef ONECRED_FAREWELL_H
#define ONECRED_FAREWELL_H

#include <stddef.h>

struct event_base;
struct farewell;

/* NULL if there is no memory. base outlives it. */
struct farewell	*farewell_new(struct event_base *base);

/* Closes what still lingers. */
void		 farewell_free(struct farewell **farewell);

/*
 * Takes over fd (a stream socket, nonblocking), to which all has been said:
 * the peer sees the end of the stream behind what was said, and what it still
 * sends is forgotten until it closes, or a second is over, or it is too much.
 */
void		 farewell_add(struct farewell *farewell, int fd);

/* How many there are. */
size_t		 farewell_count(const struct farewell *farewell);

#endif
