/*
 * POST /v1/sip: the whole decision about a SIP request (service/sip.h). The
 * query says who asks in which role for which realms, the body is the request
 * as it came from the wire. A decision is HTTP 200 whatever it says; only an
 * outage is 503, so that a script can tell "no" from "nobody knows" by either.
 */

#include "doors/http_sip.h"

#include <stdlib.h>

#include "core/challenge.h"
#include "core/identity.h"
#include "doors/http_exchange.h"
#include "doors/listener.h"

#define SOURCE_MAX	64	/* octets of an address */
#define PLAIN_MAX	(512 + (SIP_CHALLENGES_MAX + 1) * (CHALLENGE_MAX + 1))
#define PLAIN_TYPE	"text/plain; charset=utf-8"

static const char *
add_realm(struct http_sip_request *out, struct span realm)
{
	if (out->realm_count == SIP_REALMS_MAX)
		return "too many realms";
	if (identity_check_realm(realm) != 0)
		return "a realm is not one";
	for (size_t i = 0; i < out->realm_count; i++)
		if (span_equal_nocase(out->realms[i], realm))
			return "a realm is named twice";
	out->realms[out->realm_count++] = realm;
	return NULL;
}

const char *
http_sip_parse(const struct http_form *query, struct http_sip_request *out)
{
	const char *wrong = NULL;
	struct span as;

	*out = (struct http_sip_request){ .role = SIP_PROXY };
	if (!http_form_get(query, SPAN_LIT("as"), &as) ||
	    !http_form_get(query, SPAN_LIT("source"), &out->source))
		return "as and source may be named once";
	for (size_t i = 0; wrong == NULL && i < query->count; i++) {
		const struct http_field *field = &query->fields[i];

		if (span_equal(field->name, SPAN_LIT("realm")))
			wrong = add_realm(out, field->value);
		else if (!span_equal(field->name, SPAN_LIT("as")) &&
		    !span_equal(field->name, SPAN_LIT("source")))
			wrong = "the query has as, realm and source";
	}
	if (wrong != NULL)
		return wrong;
	if (span_equal(as, SPAN_LIT("registrar")))
		out->role = SIP_REGISTRAR;
	else if (!span_equal(as, SPAN_LIT("proxy")))
		return "as must be proxy or registrar";
	if (out->realm_count == 0)
		return "at least one realm is needed";
	return out->source.n > SOURCE_MAX ? "source is too long" : NULL;
}

const char *
http_sip_verdict(enum sip_verdict verdict)
{
	switch (verdict) {
	case SIP_ACCEPT:
		return "accept";
	case SIP_CHALLENGE:
		return "challenge";
	case SIP_FORBID:
		return "forbid";
	case SIP_MALFORMED:
		return "malformed";
	case SIP_UNAVAILABLE:
		break;
	}
	return "unavailable";
}

/* alice@example.com, or nothing. */
static void
write_user(const struct account *account, struct wbuf *out)
{
	if (account->localpart[0] == '\0')
		return;
	wbuf_str(out, account->localpart);
	wbuf_u8(out, '@');
	wbuf_str(out, account->domain);
}

/* A JSON string; NULL also for what is not UTF-8. */
static json_t *
string_of(struct span s)
{
	return json_stringn(s.n > 0 ? (const char *)s.p : "", s.n);
}

/*
 * NB: Authentication-Info holds the phone's cnonce, which may be any octets:
 * what JSON cannot say is left out. The login is right all the same.
 */
static json_t *
info_of(struct span info)
{
	json_t *string = string_of(info);

	return string != NULL ? string : string_of(SPAN_EMPTY);
}

json_t *
http_sip_json(const struct sip_reply *reply)
{
	json_t *rows = json_array(), *challenges = json_array();
	uint8_t user[ACCOUNT_MAX + LOCALPART_MAX + 2];
	struct wbuf wb;
	bool ok = rows != NULL && challenges != NULL;

	wbuf_init(&wb, user, sizeof(user));
	write_user(&reply->account, &wb);
	for (size_t i = 0; ok && i < reply->row_count; i++)
		ok = json_array_append_new(rows,
		    json_integer(reply->rows[i])) == 0;
	for (size_t i = 0; ok && i < reply->challenge_count; i++)
		ok = json_array_append_new(challenges,
		    string_of(reply->challenges[i])) == 0;
	if (!ok) {
		json_decref(rows);
		json_decref(challenges);
		return NULL;
	}
	/* NB: "o" takes its value over even if it fails. */
	return json_pack("{s:s,s:i,s:s,s:o,s:i,s:o,s:o,s:o}",
	    "verdict", http_sip_verdict(reply->verdict),
	    "status", (int)reply->status,
	    "reason", reason_str(sip_reason_told(reply->reason)),
	    "user", string_of(wbuf_written(&wb)),
	    "row", reply->row,
	    "rows", rows,
	    "challenges", challenges,
	    "authentication_info", info_of(reply->authentication_info));
}

void
http_sip_plain(const struct sip_reply *reply, struct wbuf *out)
{
	wbuf_dec(out, reply->status);
	wbuf_u8(out, ' ');
	wbuf_str(out, http_sip_verdict(reply->verdict));
	wbuf_u8(out, ' ');
	if (reply->account.localpart[0] == '\0')
		wbuf_u8(out, '-');
	write_user(&reply->account, out);
	wbuf_u8(out, ' ');
	if (reply->row_count == 0)
		wbuf_u8(out, '-');
	for (size_t i = 0; i < reply->row_count; i++) {
		if (i > 0)
			wbuf_u8(out, ',');
		wbuf_dec(out, reply->rows[i]);
	}
	wbuf_u8(out, '\n');
	for (size_t i = 0; i < reply->challenge_count; i++) {
		wbuf_span(out, reply->challenges[i]);
		wbuf_u8(out, '\n');
	}
}

static void
answer_plain(struct http_exchange *x, unsigned int status,
    const struct sip_reply *reply)
{
	uint8_t *text = malloc(PLAIN_MAX);
	struct wbuf wb;

	wbuf_init(&wb, text, text != NULL ? PLAIN_MAX : 0);
	http_sip_plain(reply, &wb);
	if (wb.failed)
		http_exchange_error(x, 500, "no answer could be made");
	else
		http_answer_text(&x->answer, status, PLAIN_TYPE,
		    wbuf_written(&wb));
	free(text);
}

static void
on_decided(const struct sip_reply *reply, void *arg)
{
	struct http_exchange *x = arg;
	bool away = reply->verdict == SIP_UNAVAILABLE;
	unsigned int status = away ? 503 : 200;

	if (x->plain)
		answer_plain(x, status, reply);
	else
		http_answer_json(&x->answer, status, http_sip_json(reply));
	if (away)
		x->answer.retry_after = http_answer_patience(0);
	http_exchange_ready(x);
}

static void
start(struct http_exchange *x)
{
	struct http_sip_request request;
	struct sip_request asked = {
		.door = "http", .message = http_exchange_text(x),
		.domains = &x->client->domains
	};
	const char *wrong = http_sip_parse(&x->target.query, &request);

	if (wrong != NULL) {
		http_exchange_error(x, 400, wrong);
		return;
	}
	for (size_t i = 0; i < request.realm_count; i++) {
		if (!http_list_covers(&x->client->realms,
		    request.realms[i])) {
			http_exchange_error(x, 403, "this client may not ask "
			    "for this realm");
			return;
		}
		asked.realms[i] = request.realms[i];
	}
	asked.realm_count = request.realm_count;
	asked.role = request.role;
	asked.source = request.source;
	x->sip = sip_submit(x->context->sip, &asked, on_decided, x);
}

const struct http_resource http_sip = {
	.path = "/v1/sip",
	.methods = HTTP_POST,
	.right = RIGHT_SIP,
	.body_max = SIP_MESSAGE_MAX,
	.start = start
};
