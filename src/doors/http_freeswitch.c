/*
 * POST /v1/freeswitch: the directory of FreeSWITCH's mod_xml_curl, for SIP
 * logins only (sofia's lookup with action=sip_auth). FreeSWITCH makes and
 * checks the nonces, and computes the digest once more by the a1-hash that it
 * is given. It gets that only after the response it holds was right here, so
 * that nobody can collect HA1s by asking for names.
 *
 * NB: a <user> without a1-hash lets everybody in (allow-empty-password is
 * FreeSWITCH's default). There is one function that writes a user, and it
 * needs the hash. The algorithm is not said: the length of the response tells.
 *
 * NB: FreeSWITCH takes the user of the domain that it asks for, whatever the
 * realm of the credentials. A password of alice@example.com must not open
 * alice@example.org: is_tied() stands between them.
 */

#include "doors/http_freeswitch.h"

#include <stdlib.h>

#include "core/err.h"
#include "core/identity.h"
#include "doors/http_exchange.h"
#include "doors/listener.h"

#define BODY_MAX	65536	/* phones choose how many X- fields there are */
#define XML_TYPE	"text/xml"
#define SOURCE_MAX	64	/* octets of an address */

int
freeswitch_parse(const struct http_form *form, struct freeswitch_request *out)
{
	struct digest_params *digest = &out->digest;
	struct span section, action, tag, key;
	const struct {
		struct span	 name;
		struct span	*value;
	} fields[] = {
		{ SPAN_LIT("section"), &section },
		{ SPAN_LIT("action"), &action },
		{ SPAN_LIT("tag_name"), &tag },
		{ SPAN_LIT("key_value"), &key },
		{ SPAN_LIT("user"), &out->user },
		{ SPAN_LIT("domain"), &out->domain },
		{ SPAN_LIT("ip"), &out->source },
		{ SPAN_LIT("sip_auth_username"), &digest->username },
		{ SPAN_LIT("sip_auth_realm"), &digest->realm },
		{ SPAN_LIT("sip_auth_nonce"), &digest->nonce },
		{ SPAN_LIT("sip_auth_uri"), &digest->uri },
		{ SPAN_LIT("sip_auth_qop"), &digest->qop },
		{ SPAN_LIT("sip_auth_nc"), &digest->nc },
		{ SPAN_LIT("sip_auth_cnonce"), &digest->cnonce },
		{ SPAN_LIT("sip_auth_response"), &digest->response },
		{ SPAN_LIT("sip_auth_method"), &digest->method }
	};

	*out = (struct freeswitch_request){ .sip_auth = false };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!http_form_get(form, fields[i].name, fields[i].value))
			return -ERR_FORMAT;
	if (!span_equal(section, SPAN_LIT("directory")) ||
	    !span_equal(action, SPAN_LIT("sip_auth")))
		return 0;
	if (out->domain.n == 0)
		out->domain = key;
	if (digest->username.n == 0 || digest->realm.n == 0 ||
	    digest->nonce.n == 0 || digest->uri.n == 0 ||
	    digest->response.n == 0 || digest->method.n == 0 ||
	    out->user.n == 0 || out->domain.n == 0 ||
	    (tag.n > 0 && !span_equal(tag, SPAN_LIT("domain"))))
		return -ERR_FORMAT;
	out->sip_auth = true;
	return 0;
}

void
freeswitch_escape(struct span s, struct wbuf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			wbuf_str(out, "&amp;");
			break;
		case '<':
			wbuf_str(out, "&lt;");
			break;
		case '>':
			wbuf_str(out, "&gt;");
			break;
		case '"':
			wbuf_str(out, "&quot;");
			break;
		case '\'':
			wbuf_str(out, "&apos;");
			break;
		default:
			wbuf_u8(out, s.p[i]);
		}
	}
}

void
freeswitch_write_user(struct span user, struct span domain, struct span ha1,
    struct wbuf *out)
{
	wbuf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\" "
	    "standalone=\"no\"?>\n<document type=\"freeswitch/xml\">\n"
	    "  <section name=\"directory\">\n    <domain name=\"");
	freeswitch_escape(domain, out);
	wbuf_str(out, "\">\n      <user id=\"");
	freeswitch_escape(user, out);
	wbuf_str(out, "\">\n        <params>\n"
	    "          <param name=\"a1-hash\" value=\"");
	freeswitch_escape(ha1, out);
	wbuf_str(out, "\"/>\n        </params>\n      </user>\n"
	    "    </domain>\n  </section>\n</document>\n");
	/* No hash, no user: see the top. */
	if (ha1.n == 0)
		out->failed = true;
}

struct span
freeswitch_not_found(void)
{
	return SPAN_LIT("<?xml version=\"1.0\" encoding=\"UTF-8\" "
	    "standalone=\"no\"?>\n<document type=\"freeswitch/xml\">\n"
	    "  <section name=\"result\">\n"
	    "    <result status=\"not found\"/>\n"
	    "  </section>\n</document>\n");
}

/* What the answer names; it outlives the body. Owner: the exchange. */
struct names {
	bool	tied;		/* the domain can only be the account's */
	size_t	user_n, domain_n;
	uint8_t	octets[];	/* user, then domain */
};

static void
answer_not_found(struct http_exchange *x)
{
	http_answer_text(&x->answer, 200, XML_TYPE, freeswitch_not_found());
}

static void
answer_user(struct http_exchange *x, struct span ha1)
{
	const struct names *names = x->state;
	uint8_t text[FREESWITCH_ANSWER_MAX];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	freeswitch_write_user(span_mem(names->octets, names->user_n),
	    span_mem(names->octets + names->user_n, names->domain_n), ha1,
	    &wb);
	if (wb.failed)
		answer_not_found(x);
	else
		http_answer_text(&x->answer, 200, XML_TYPE,
		    wbuf_written(&wb));
	wbuf_wipe(&wb);
}

/* Whether the directory's domain is that of the account. */
static bool
is_tied(const struct names *names, const struct account *account)
{
	struct span domain = span_mem(names->octets + names->user_n,
	    names->domain_n);

	return names->tied ||
	    span_equal_nocase(domain, span_str(account->domain));
}

static void
on_decided(const struct auth_reply *reply, void *arg)
{
	struct http_exchange *x = arg;

	switch (reply->verdict) {
	case VERDICT_ALLOW:
		if (is_tied(x->state, &reply->account))
			answer_user(x, span_str(reply->ha1));
		else
			answer_not_found(x);
		break;
	case VERDICT_DENY:
		answer_not_found(x);
		break;
	case VERDICT_UNAVAILABLE:
		http_exchange_error(x, 503, "nobody knows now");
		x->answer.retry_after = http_answer_patience(
		    reply->retry_after);
		break;
	}
	http_exchange_ready(x);
}

static bool
keep_names(struct http_exchange *x, const struct freeswitch_request *request)
{
	struct names *names;
	size_t n = request->user.n + request->domain.n;	/* @UNSAFE: of one
							   body */
	struct wbuf wb;

	names = malloc(sizeof(*names) + n);
	x->state = names;
	if (names == NULL)
		return false;
	/* Names within one realm mean one account, wherever they are used. */
	names->tied = x->client->realms.count == 1 ||
	    span_equal_nocase(request->domain, request->digest.realm);
	names->user_n = request->user.n;
	names->domain_n = request->domain.n;
	wbuf_init(&wb, names->octets, n);
	wbuf_span(&wb, request->user);
	wbuf_span(&wb, request->domain);
	return true;
}

static void
submit(struct http_exchange *x, const struct freeswitch_request *request)
{
	const struct auth_request asked = {
		.kind = AUTH_DIGEST, .door = "http", .service = SPAN_LIT("sip"),
		.name = request->digest.username, .digest = request->digest,
		.source = request->source, .domains = &x->client->domains,
		.want_ha1 = true
	};

	if (keep_names(x, request))
		x->auth = auth_submit(x->context->auth, &asked, on_decided,
		    x);
	else
		http_exchange_error(x, 503, "out of memory");
}

/* Whether it can be a login that this client may ask for. */
static bool
is_login(const struct http_exchange *x,
    const struct freeswitch_request *request)
{
	return request->sip_auth &&
	    (x->client->rights & RIGHT_HA1) != 0 &&
	    request->source.n <= SOURCE_MAX &&
	    span_equal(request->user, request->digest.username) &&
	    identity_check_realm(request->domain) == 0 &&
	    http_list_covers(&x->client->realms, request->digest.realm);
}

static void
start(struct http_exchange *x)
{
	struct freeswitch_request request;
	struct http_form form;
	struct wbuf text;

	/* NB: decoding only shrinks, so it may happen in place. */
	wbuf_init(&text, x->body, x->body_n);
	if (x->target.query.count > 0)
		http_exchange_error(x, 400, "this path takes no query");
	else if (http_form_parse(http_exchange_text(x), &text, &form) != 0)
		http_exchange_error(x, 400, "the form cannot be read");
	else if (freeswitch_parse(&form, &request) != 0 ||
	    !is_login(x, &request))
		answer_not_found(x);
	else
		submit(x, &request);
}

const struct http_resource http_freeswitch = {
	.path = "/v1/freeswitch",
	.methods = HTTP_POST,
	.right = RIGHT_SIP,
	.body_max = BODY_MAX,
	.type = "application/x-www-form-urlencoded",
	.start = start
};
