#ifndef ONECRED_SIP_PRIVATE_H
#define ONECRED_SIP_PRIVATE_H

/*
 * One request on its way, between the files that it goes through: sip.c (its
 * life, its message and realms), sip_walk.c (rows to identity), sip_finish.c
 * (the answer). Nobody else includes this.
 */

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/sip_credentials.h"
#include "service/realms.h"
#include "service/replay.h"
#include "service/sip.h"
#include "service/sip_decision.h"

#define SIP_KEY_SIZE	32	/* octets, of the fingerprint */

/* One realm of the question. Owner: its ticket. */
struct sip_asked {
	struct sip_ticket	*ticket;
	struct span		 name;		/* as asked */
	enum realms_status	 status;
	struct realm_policy	*policy;	/* a copy; NULL unless KNOWN */
	struct realms_wait	*wait;		/* under way, or NULL */
	struct sip_selection	 selection;
	struct sip_nonce	 nonces[SIP_OURS_MAX];
	size_t			 picked;	/* of selection.rows */
	struct auth_ticket	*check;		/* under way, or NULL */
	bool			 stale;
};

/* Owner: sip, until the callback has returned or sip_cancel(). */
struct sip_ticket {
	TAILQ_ENTRY(sip_ticket)	 all;		/* in sip->tickets */
	TAILQ_ENTRY(sip_ticket)	 next;		/* in sip->decided */
	struct sip		*sip;
	const char		*door;
	enum sip_role		 role;
	const struct domain_list *domains;
	uint8_t			*octets;	/* what the spans point into */
	size_t			 octet_count;
	struct span		 source;
	struct sip_message	 message;
	struct sip_credentials	*credentials;
	size_t			 credential_count;
	struct sip_asked		 realms[SIP_REALMS_MAX];
	size_t			 realm_count;
	size_t			 waiting;	/* answers still to come */
	struct store_lookup	*owner;		/* under way, or NULL */
	enum identity_check	 owner_rule;	/* to judge its answer by */
	bool			 inside;	/* sip_submit() is running */
	bool			 decided;	/* in sip->decided */
	enum sip_verdict	 verdict;
	enum reason		 reason;
	struct account		 account;	/* who is let in */
	char			 rspauth[DIGEST_HEX_MAX + 1];
	sip_cb			*cb;
	void			*arg;
	uint64_t		 started;	/* us, monotonic */
};

TAILQ_HEAD(sip_ticket_list, sip_ticket);

struct sip {
	struct auth		*auth;
	struct store		*store;
	struct crypto		*crypto;
	const struct sink	*sink;
	struct nonce_keys	 keys;
	struct replay_settings	 window;
	struct replay		*replay;
	struct realms		*realms;
	uint8_t			 key[SIP_KEY_SIZE];	/* of the fingerprint */
	struct sip_ticket_list	 tickets;
	struct sip_ticket_list	 decided;
	struct event		*decided_event;
};

static inline uint64_t
sip_clock_usec(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * The credentials that are or were to be verified for a realm; NULL if its
 * rows were not looked at, or none of them can be verified.
 */
static inline const struct sip_credentials *
sip_picked(const struct sip_ticket *t, const struct sip_asked *asked)
{
	if (asked->picked >= asked->selection.count)
		return NULL;
	return &t->credentials[asked->selection.rows[asked->picked]];
}

/* sip.c: ends what is under way, wipes, frees. */
void	sip_ticket_free(struct sip_ticket *t);

/* sip_walk.c: all policies are here. The ticket may be gone afterwards. */
void	sip_walk(struct sip_ticket *t);

/*
 * sip_finish.c: the end of the way. The ticket is gone afterwards, unless
 * sip_submit() is running: then the callback comes from the loop.
 */
void	sip_decide(struct sip_ticket *t, enum sip_verdict verdict,
	    enum reason reason);
void	sip_answer_now(struct sip_ticket *t);

/* sip_finish.c: one decision line, and its counters, about asked's rows. */
void	sip_conclude(const struct sip_ticket *t, const struct sip_asked *asked,
	    enum verdict verdict, enum reason reason);

#endif
