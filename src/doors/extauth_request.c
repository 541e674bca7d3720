/*
 * What each command of ejabberd's external authentication asks, and what the
 * outcome is called there (XMPP.md 1.2).
 *
 * "false" is said only where it means what happened: a login that was judged,
 * a name that is taken. NB: to a password change ejabberd takes "false" for
 * success and keeps the new password, so whatever is not done is 00 02 00 02.
 * An account that is to be removed and is not there is "true": it is gone, and
 * after "false" ejabberd would go on letting its cached password in.
 */

#include "doors/extauth_request.h"

#include "service/accounts.h"

#define DOOR_WORD	"extauth"

/* What a command needs, and the change that it asks for, if it does. */
static const struct {
	const char		*word;		/* of the right */
	unsigned int		 right;
	enum account_change	 change;
} needs[] = {
	[EXTAUTH_NONE] = { NULL, 0, 0 },
	[EXTAUTH_AUTH] = { "check", RIGHT_CHECK, 0 },
	[EXTAUTH_ISUSER] = { "exists", RIGHT_EXISTS, 0 },
	[EXTAUTH_SETPASS] = { "set", RIGHT_SET, ACCOUNT_UPDATE },
	[EXTAUTH_TRYREGISTER] = { "create", RIGHT_CREATE, ACCOUNT_CREATE },
	[EXTAUTH_REMOVEUSER] = { "delete", RIGHT_DELETE, ACCOUNT_DELETE },
	[EXTAUTH_REMOVEUSER3] = { "delete", RIGHT_DELETE, ACCOUNT_DELETE },
	[EXTAUTH_CERTAUTH] = { NULL, 0, 0 }
};

static enum extauth_answer
answer_of_decision(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOW:
		return EXTAUTH_TRUE;
	case VERDICT_DENY:
		return EXTAUTH_FALSE;
	case VERDICT_UNAVAILABLE:
		return EXTAUTH_UNAVAILABLE;
	}
	return EXTAUTH_UNAVAILABLE;
}

static enum extauth_answer
answer_of_change(enum account_change change, enum account_result result)
{
	if (result == ACCOUNT_DONE ||
	    (result == ACCOUNT_NO_ACCOUNT && change == ACCOUNT_DELETE))
		return EXTAUTH_TRUE;
	if (result == ACCOUNT_EXISTS && change == ACCOUNT_CREATE)
		return EXTAUTH_FALSE;
	return EXTAUTH_UNAVAILABLE;
}

static void
on_changed(const struct account_reply *reply, void *arg)
{
	struct extauth_request *r = arg;

	r->change = NULL;
	r->answered(answer_of_change(needs[r->command].change,
	    reply->result), r->arg);
}

static void
start_change(struct extauth_request *r, struct span name, struct span domain,
    struct span password)
{
	const struct account_request change = {
		.change = needs[r->command].change,
		.door = DOOR_WORD,
		.name = name,
		.domain = domain,
		.password = password,
		.domains = &r->settings->domains
	};

	r->change = accounts_submit(r->context->accounts, &change, on_changed,
	    r);
}

static void
on_decided(const struct auth_reply *reply, void *arg)
{
	struct extauth_request *r = arg;

	r->decision = NULL;
	if (r->command == EXTAUTH_REMOVEUSER3 &&
	    reply->verdict == VERDICT_ALLOW)
		start_change(r, span_str(reply->account.localpart),
		    span_str(reply->account.domain), SPAN_EMPTY);
	else
		r->answered(answer_of_decision(reply->verdict), r->arg);
}

static void
start_decision(struct extauth_request *r, const struct extauth_frame *frame)
{
	const struct auth_request request = {
		.kind = r->command == EXTAUTH_ISUSER ? AUTH_EXISTS :
		    AUTH_PASSWORD,
		.door = DOOR_WORD,
		.service = SPAN_LIT("xmpp"),
		.name = frame->user,
		.domain = frame->host,
		.password = frame->secret,
		.domains = r->settings->domains.count > 0 ?
		    &r->settings->domains : NULL
	};

	r->decision = auth_submit(r->context->auth, &request, on_decided, r);
}

/* Without a decision, which says "not here", never "no". */
static bool
refuse(const struct extauth_request *r, enum reason reason,
    enum extauth_answer *answer)
{
	sink_log(r->context->sink, LEVEL_INFO,
	    "door=" DOOR_WORD " command=%s verdict=unavailable reason=%s",
	    extauth_command_str(r->command), reason_str(reason));
	*answer = EXTAUTH_UNAVAILABLE;
	return false;
}

/*
 * The line is a warning and always the same, so the log writes it once in a
 * while (log.h), however often a server asks.
 */
static bool
refuse_right(const struct extauth_request *r, enum extauth_answer *answer)
{
	const char *word = needs[r->command].word;

	if (word == NULL)
		return refuse(r, REASON_NOT_PERMITTED, answer);
	sink_log(r->context->sink, LEVEL_WARNING,
	    "door=" DOOR_WORD " command=%s verdict=unavailable reason=%s: "
	    "[%s] rights has no \"%s\"", extauth_command_str(r->command),
	    reason_str(REASON_NOT_PERMITTED), r->settings->section, word);
	*answer = EXTAUTH_UNAVAILABLE;
	return false;
}

bool
extauth_request_start(struct extauth_request *request,
    const struct door_context *context,
    const struct listener_settings *settings, struct span payload,
    extauth_answered_cb *answered, void *arg, enum extauth_answer *answer)
{
	struct extauth_request *r = request;
	struct extauth_frame frame;
	int err = extauth_frame_parse(payload, &frame);

	*r = (struct extauth_request){
		.context = context, .settings = settings,
		.command = frame.command, .answered = answered, .arg = arg
	};
	if (err != 0)
		return refuse(r, REASON_MALFORMED, answer);
	if (context->auth == NULL)
		return refuse(r, REASON_INTERNAL, answer);
	if ((settings->rights & needs[r->command].right) == 0)
		return refuse_right(r, answer);
	switch (r->command) {
	case EXTAUTH_SETPASS:
	case EXTAUTH_TRYREGISTER:
	case EXTAUTH_REMOVEUSER:
		start_change(r, frame.user, frame.host, frame.secret);
		break;
	case EXTAUTH_AUTH:
	case EXTAUTH_ISUSER:
	case EXTAUTH_REMOVEUSER3:
		start_decision(r, &frame);
		break;
	case EXTAUTH_NONE:
	case EXTAUTH_CERTAUTH:	/* refused above: no right is theirs */
		return refuse(r, REASON_INTERNAL, answer);
	}
	return true;
}

void
extauth_request_cancel(struct extauth_request *request)
{
	if (request->decision != NULL)
		auth_cancel(request->decision);
	if (request->change != NULL)
		accounts_cancel(request->change);
	request->decision = NULL;
	request->change = NULL;
}
