#ifndef ONECRED_DOVECOT_EXCHANGES_H
#define ONECRED_DOVECOT_EXCHANGES_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sink.h"
#include "core/span.h"
#include "doors/dovecot_line.h"
#include "service/sasl.h"

/*
 * The exchanges of one client of Dovecot's protocol, and the lines that are
 * its answers. No socket: the door sends what stands in out.
 */
#define DOVECOT_OUT_MAX	32768	/* octets */

/* What is served; the same for all clients of a socket. */
struct dovecot_terms {
	struct sasl	*sasl;
	const struct sink *sink;
	const char	*domain;
	const struct domain_list *domains;	/* NULL: all */
	bool		 offers[SASL_MECH_COUNT];
};

struct dovecot_exchange;
TAILQ_HEAD(dovecot_list, dovecot_exchange);

typedef void dovecot_answered_cb(void *arg);

struct dovecot_exchanges {
	const struct dovecot_terms *terms;
	uint32_t		 minor;		/* the client's version */
	struct dovecot_list	 judged;
	struct dovecot_list	 waiting;	/* oldest first */
	unsigned int		 judged_count, waiting_count;
	dovecot_answered_cb	*answered;
	void			*arg;
	size_t			 out_n;
	uint8_t			 out[DOVECOT_OUT_MAX];
};

/*
 * all is zeroed, but for out. answered is called, from the loop, when a line
 * was added to out later.
 */
void	dovecot_exchanges_init(struct dovecot_exchanges *all,
	    const struct dovecot_terms *terms, dovecot_answered_cb *answered,
	    void *arg);

/* Cancels all that is under way; answered is not called any more. */
void	dovecot_exchanges_end(struct dovecot_exchanges *all);

/*
 * Whether another line may be taken on: its answer will fit into out,
 * whatever those under way become.
 */
bool	dovecot_exchanges_room(const struct dovecot_exchanges *all);

/* AUTH or CONT; answered now, in out, or later. */
void	dovecot_exchanges_take(struct dovecot_exchanges *all,
	    const struct dovecot_line *line);

/* An AUTH or CONT that is too long to be looked at. */
void	dovecot_exchanges_refuse(struct dovecot_exchanges *all, uint32_t id);

/* CANCEL: there is no answer. */
void	dovecot_exchanges_cancel(struct dovecot_exchanges *all, uint32_t id);

#endif
