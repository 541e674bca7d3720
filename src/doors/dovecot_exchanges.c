/*
 * The exchanges of one client (STANDARDS 7.3): each message of theirs is one
 * step of service/sasl, each answer one line. What an exchange has to remember
 * is the sealed token of service/sasl.
 *
 * NB: a client that is shared by many users (Prosody) does not tell when one
 * of them has gone: what was begun and left is forgotten here. Whatever is
 * wrong with one message is a FAIL of its id, and no other user's business.
 */

#include "doors/dovecot_exchanges.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base64.h"
#include "core/secret.h"
#include "core/wbuf.h"

#define ANSWER_MAX	3072	/* octets of any one line of ours */
#define EXCHANGES_MAX	1024	/* that wait for the client's next message */
#define NONE_MINOR	2	/* below, an empty resp= means none */

_Static_assert(BASE64_SIZE(SASL_REPLY_MAX) + LOCALPART_MAX + 64 < ANSWER_MAX,
    "a line holds a message");

/* Owner: its list. */
struct dovecot_exchange {
	TAILQ_ENTRY(dovecot_exchange) next;
	struct dovecot_exchanges *all;
	struct sasl_ticket	*ticket;	/* being judged, or NULL */
	uint32_t		 id;
	enum sasl_mech		 mech;
	bool			 final_resp;	/* OK may carry a message */
	bool			 allowed;	/* the client has yet to nod */
	char			 user[LOCALPART_MAX + 1];
	char			 source[64];
	time_t			 since;		/* monotonic */
	struct secret		 state;		/* for the next message */
};

static time_t
seconds(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Takes it out of its list too. */
static void
exchange_free(struct dovecot_exchange *x)
{
	struct dovecot_exchanges *all = x->all;

	if (x->ticket != NULL) {
		sasl_cancel(x->ticket);
		TAILQ_REMOVE(&all->judged, x, next);
		all->judged_count--;
	} else {
		TAILQ_REMOVE(&all->waiting, x, next);
		all->waiting_count--;
	}
	secret_free(&x->state);
	free(x);
}

bool
dovecot_exchanges_room(const struct dovecot_exchanges *all)
{
	return all->out_n + (all->judged_count + 1) * (size_t)ANSWER_MAX <=
	    sizeof(all->out);
}

/*
 * Every answer begins and ends here. NB: there is room for it, since no line
 * is taken on without.
 */
static void
open_line(struct dovecot_exchanges *all, const char *word, uint32_t id,
    struct wbuf *wb)
{
	wbuf_init(wb, all->out + all->out_n, sizeof(all->out) - all->out_n);
	wbuf_str(wb, word);
	wbuf_u8(wb, '\t');
	wbuf_dec(wb, id);
}

static void
close_line(struct dovecot_exchanges *all, struct wbuf *wb)
{
	wbuf_u8(wb, '\n');
	all->out_n += wb->n;
}

static void
answer_cont(struct dovecot_exchanges *all, uint32_t id, struct span challenge)
{
	struct wbuf wb;

	open_line(all, "CONT", id, &wb);
	wbuf_u8(&wb, '\t');
	wbuf_base64(&wb, challenge);
	close_line(all, &wb);
}

/* user without its domain: Prosody takes it for the whole local part. */
static void
answer_ok(struct dovecot_exchanges *all, uint32_t id, const char *user,
    struct span message)
{
	struct wbuf wb;

	open_line(all, "OK", id, &wb);
	wbuf_str(&wb, "\tuser=");
	wbuf_str(&wb, user);
	if (message.n > 0) {
		wbuf_str(&wb, "\tresp=");
		wbuf_base64(&wb, message);
	}
	close_line(all, &wb);
}

/* The old word for it and the new one: Prosody knows only the old. */
static void
answer_fail(struct dovecot_exchanges *all, uint32_t id, bool temporary)
{
	struct wbuf wb;

	open_line(all, "FAIL", id, &wb);
	wbuf_str(&wb, temporary ? "\ttemp\tcode=temp_fail" : "");
	close_line(all, &wb);
}

/* The client has to say something now; challenge is what it is told. */
static void
await(struct dovecot_exchange *x, struct span challenge)
{
	struct dovecot_exchanges *all = x->all;

	x->since = seconds();
	TAILQ_INSERT_TAIL(&all->waiting, x, next);
	all->waiting_count++;
	answer_cont(all, x->id, challenge);
}

static void
on_decided(const struct sasl_reply *reply, void *arg)
{
	struct dovecot_exchange *x = arg;
	struct dovecot_exchanges *all = x->all;

	TAILQ_REMOVE(&all->judged, x, next);
	all->judged_count--;
	x->ticket = NULL;
	if (reply->status == SASL_CONTINUE &&
	    secret_set(&x->state, reply->state) == 0)
		await(x, reply->data);
	else if (reply->status == SASL_ALLOW && reply->data.n > 0 &&
	    !x->final_resp) {
		x->allowed = true;
		memcpy(x->user, reply->account.localpart, sizeof(x->user));
		await(x, reply->data);
	} else {
		if (reply->status == SASL_ALLOW)
			answer_ok(all, x->id, reply->account.localpart,
			    reply->data);
		else
			answer_fail(all, x->id, reply->status != SASL_DENY);
		secret_free(&x->state);
		free(x);
	}
	all->answered(all->arg);
}

/* Hands the client's message on; x is in no list, and then in judged. */
static void
submit(struct dovecot_exchange *x, bool has_data, struct span data)
{
	struct dovecot_exchanges *all = x->all;
	const struct sasl_request request = {
		.door = "dovecot",
		.mech = x->mech,
		.domain = span_str(all->terms->domain),
		.source = span_str(x->source),
		.domains = all->terms->domains,
		.data = data,
		.has_data = has_data,
		.state = secret_span(&x->state)
	};

	TAILQ_INSERT_TAIL(&all->judged, x, next);
	all->judged_count++;
	x->ticket = sasl_submit(all->terms->sasl, &request, on_decided, x);
	secret_free(&x->state);
}

static struct dovecot_exchange *
find(struct dovecot_list *list, uint32_t id)
{
	struct dovecot_exchange *x;

	TAILQ_FOREACH(x, list, next)
		if (x->id == id)
			return x;
	return NULL;
}

/*
 * Makes room for one more. Clients do not cancel: what Prosody's users leave
 * behind in the middle ends here. NB: the oldest goes, so that who is quick
 * gets through whatever others begin and leave.
 */
static void
forget_old(struct dovecot_exchanges *all)
{
	struct dovecot_exchange *x;

	while ((x = TAILQ_FIRST(&all->waiting)) != NULL &&
	    (all->waiting_count >= EXCHANGES_MAX ||
	    seconds() - x->since > SASL_STATE_MS / 1000))
		exchange_free(x);
}

/*
 * What the message means if it is empty. Exim before 1.2 cannot say that it
 * has none; Prosody neither, but would choke on an empty challenge, and LOGIN
 * can do without.
 */
static bool
has_message(const struct dovecot_exchanges *all, enum sasl_mech mech,
    const struct dovecot_line *line)
{
	if (!line->has_resp || line->resp.n > 0)
		return line->has_resp;
	return mech != SASL_MECH_LOGIN && (all->minor >= NONE_MINOR ||
	    span_equal(line->service, SPAN_LIT("xmpp")));
}

/* A message that is whole but wrong: refused by its id, and logged. */
static void
refuse(struct dovecot_exchanges *all, uint32_t id, enum verdict verdict,
    enum reason reason)
{
	sink_log(all->terms->sink, LEVEL_INFO,
	    "door=dovecot verdict=%s reason=%s", verdict_str(verdict),
	    reason_str(reason));
	answer_fail(all, id, verdict == VERDICT_UNAVAILABLE);
}

static void
begin(struct dovecot_exchanges *all, const struct dovecot_line *line,
    struct span data)
{
	enum sasl_mech mech = sasl_mech_parse(line->mech);
	struct dovecot_exchange *x;

	if (!all->terms->offers[mech]) {
		refuse(all, line->id, VERDICT_DENY, REASON_MALFORMED);
		return;
	}
	forget_old(all);
	x = calloc(1, sizeof(*x));
	if (x == NULL) {
		refuse(all, line->id, VERDICT_UNAVAILABLE, REASON_INTERNAL);
		return;
	}
	x->all = all;
	x->id = line->id;
	x->mech = mech;
	/*
	 * Prosody's module does not say final-resp-ok, but takes the message
	 * and hands it on with success, where XMPP wants it; a challenge that
	 * needs no answer is too much for some XMPP clients.
	 */
	x->final_resp = line->final_resp_ok ||
	    span_equal(line->service, SPAN_LIT("xmpp"));
	if (span_copy_str(line->source, x->source, sizeof(x->source)) != 0)
		x->source[0] = '\0';
	submit(x, has_message(all, mech, line), data);
}

static void
proceed(struct dovecot_exchange *x, struct span data)
{
	struct dovecot_exchanges *all = x->all;

	if (x->allowed) {
		/* RFC 5802 5: nothing is left to be said. */
		if (data.n == 0)
			answer_ok(all, x->id, x->user, SPAN_EMPTY);
		else
			refuse(all, x->id, VERDICT_DENY, REASON_MALFORMED);
		exchange_free(x);
		return;
	}
	TAILQ_REMOVE(&all->waiting, x, next);
	all->waiting_count--;
	submit(x, true, data);
}

static void
forget(struct dovecot_exchange *x)
{
	if (x != NULL)
		exchange_free(x);
}

void
dovecot_exchanges_take(struct dovecot_exchanges *all,
    const struct dovecot_line *line)
{
	struct dovecot_exchange *x = find(&all->waiting, line->id);
	bool first = line->command == DOVECOT_AUTH;
	uint8_t data[SASL_MESSAGE_MAX];
	size_t n;

	/* Out of turn, or an id that is used again: the old one is over. */
	forget(find(&all->judged, line->id));
	if (first) {
		forget(x);
		x = NULL;
	}
	if (!first && x == NULL)
		refuse(all, line->id, VERDICT_DENY, REASON_STALE);
	else if (base64_decode(line->resp, data, sizeof(data), &n) != 0) {
		forget(x);
		refuse(all, line->id, VERDICT_DENY, REASON_MALFORMED);
	} else if (first)
		begin(all, line, span_mem(data, n));
	else
		proceed(x, span_mem(data, n));
	secret_wipe(data, sizeof(data));
}

void
dovecot_exchanges_cancel(struct dovecot_exchanges *all, uint32_t id)
{
	forget(find(&all->judged, id));
	forget(find(&all->waiting, id));
}

void
dovecot_exchanges_refuse(struct dovecot_exchanges *all, uint32_t id)
{
	dovecot_exchanges_cancel(all, id);
	refuse(all, id, VERDICT_DENY, REASON_MALFORMED);
}

void
dovecot_exchanges_init(struct dovecot_exchanges *all,
    const struct dovecot_terms *terms, dovecot_answered_cb *answered,
    void *arg)
{
	all->terms = terms;
	all->answered = answered;
	all->arg = arg;
	TAILQ_INIT(&all->judged);
	TAILQ_INIT(&all->waiting);
}

void
dovecot_exchanges_end(struct dovecot_exchanges *all)
{
	while (!TAILQ_EMPTY(&all->judged))
		exchange_free(TAILQ_FIRST(&all->judged));
	while (!TAILQ_EMPTY(&all->waiting))
		exchange_free(TAILQ_FIRST(&all->waiting));
}
