/*
 * Whose name a SIP request bears: RFC 3261 10.3 (4), 19.1.4 (escaping), RFC
 * 3966 3 and 5.1.1 (numbers), RFC 3323 4.1.1.3 (anonymous). The account is the
 * one of the row that was verified; nothing of any other row is ever read.
 */

#include "service/sip_identity.h"

#include <string.h>

#include "core/err.h"
#include "core/hex.h"
#include "core/utf8.h"
#include "core/wbuf.h"

/*
 * Unescapes and folds a URI's user. -ERR_FORMAT for a bad escape,
 * -ERR_CHARACTER for controls, -ERR_TOO_LONG. separators: octets that mean
 * nothing there.
 */
static int
user_read(struct span user, struct span separators, char *out, size_t cap)
{
	struct wbuf wb;

	wbuf_init(&wb, out, cap - 1);
	for (size_t i = 0; i < user.n; i++) {
		uint8_t c = user.p[i];

		if (c == '%') {
			if (user.n - i < 3 ||
			    hex_decode(span_mem(user.p + i + 1, 2), &c, 1) != 0)
				return -ERR_FORMAT;
			i += 2;
		} else if (span_find(separators, c) < separators.n)
			continue;
		if (c < ' ' || c == 0x7f)
			return -ERR_CHARACTER;
		wbuf_u8(&wb, ascii_lower(c));
	}
	if (wb.failed)
		return -ERR_TOO_LONG;
	out[wb.n] = '\0';
	return 0;
}

/* Lower case, without the root's dot: "example.com." is the same host. */
static int
host_read(struct span host, char *out, size_t cap)
{
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	if (span_copy_str(host, out, cap) != 0)
		return -ERR_TOO_LONG;
	for (char *c = out; *c != '\0'; c++)
		*c = (char)ascii_lower((uint8_t)*c);
	return 0;
}

/* RFC 3986 3.1; "SIP :bob@..." is no other scheme but a trap. */
static bool
has_scheme(struct span uri)
{
	size_t n = span_find(uri, ':');

	for (size_t i = 0; i < n; i++) {
		uint8_t c = ascii_lower(uri.p[i]);
		bool letter = c >= 'a' && c <= 'z';

		if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '+' &&
		    c != '-' && c != '.')))
			return false;
	}
	return n > 0 && n < uri.n;
}

/*
 * -ERR_UNSUPPORTED: another scheme. A name is read up to what could make one
 * reader see "bob" where another sees "bob;x": parameters and password of the
 * user part go.
 */
static int
question_read(struct span uri, struct sip_identity_question *out)
{
	struct span user, host, tel = SPAN_LIT("tel:");
	int rc;

	memset(out, 0, sizeof(*out));
	if (!has_scheme(uri))
		return -ERR_FORMAT;
	if (span_equal_nocase(span_head(uri, tel.n), tel)) {
		user = span_tail(uri, tel.n);
		return user_read(span_head(user, span_find(user, ';')),
		    SPAN_LIT("-.()"), out->user, sizeof(out->user));
	}
	rc = sip_uri_parse(uri, &user, &host);
	if (rc != 0)
		return rc;
	user = span_head(user, span_find(user, ';'));
	user = span_head(user, span_find(user, ':'));
	rc = user_read(user, SPAN_EMPTY, out->user, sizeof(out->user));
	return rc != 0 ? rc : host_read(host, out->host, sizeof(out->host));
}

static bool
is_utf8(struct span s)
{
	uint32_t c;

	while (s.n > 0)
		if (utf8_take(&s, &c) != 0)
			return false;
	return true;
}

static bool
is(const struct sip_identity_question *question, const char *user,
    const char *host)
{
	return span_equal(span_str(question->user), span_str(user)) &&
	    span_equal(span_str(question->host), span_str(host));
}

/*
 * An address that a registrar which looks at the user part alone (Kamailio's
 * use_domain is 0) would take for one of this domain: "bob@elsewhere".
 */
static bool
is_disguise(const struct sip_identity_question *question,
    const struct account *account)
{
	return !span_equal(span_str(question->host),
	    span_str(account->domain)) && !span_equal(
	    span_str(question->user), span_str(account->localpart));
}

enum sip_identity
sip_identity_check(const struct sip_message *message,
    const struct account *account, enum identity_check rule,
    struct sip_identity_question *question)
{
	/* NB: in any case; Kamailio takes "register" for a REGISTER. */
	bool registering = span_equal_nocase(message->method,
	    SPAN_LIT("REGISTER"));
	enum sip_identity stranger = rule == IDENTITY_CHECK_STRICT ||
	    registering ? SIP_IDENTITY_REFUSE : SIP_IDENTITY_PASS;
	int rc;

	memset(question, 0, sizeof(*question));
	if (rule == IDENTITY_CHECK_OFF ||
	    (!registering && message->to.tag.n > 0))
		return SIP_IDENTITY_PASS;
	rc = question_read(registering ? message->to.uri : message->from.uri,
	    question);
	/* What cannot be an account of ours or an alias of one. */
	if (rc == -ERR_UNSUPPORTED || rc == -ERR_TOO_LONG)
		return stranger;
	/* What another reader might still take for one. */
	if (rc != 0)
		return SIP_IDENTITY_REFUSE;
	if (question->user[0] == '\0' || !is_utf8(span_str(question->user)) ||
	    !is_utf8(span_str(question->host)))
		return stranger;
	if (is(question, account->localpart, account->domain))
		return SIP_IDENTITY_PASS;
	/* For REGISTER it is an address like any other. */
	if (!registering && is(question, "anonymous", "anonymous.invalid"))
		return SIP_IDENTITY_PASS;
	question->rule = registering && is_disguise(question, account) ?
	    IDENTITY_CHECK_STRICT : rule;
	return SIP_IDENTITY_ASK;
}

bool
sip_identity_owned(struct span answer, enum identity_check rule,
    enum sip_identity *out)
{
	*out = SIP_IDENTITY_REFUSE;
	if (span_equal(answer, SPAN_LIT("alias")))
		*out = SIP_IDENTITY_PASS;
	else if (span_equal(answer, SPAN_LIT("none"))) {
		if (rule != IDENTITY_CHECK_STRICT)
			*out = SIP_IDENTITY_PASS;
	} else if (!span_equal(answer, SPAN_LIT("account")))
		return false;
	return true;
}
