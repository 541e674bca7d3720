/*
 * Account names, domains and realms: DESIGN 2, STANDARDS 4.1 and 4.2. What
 * passes here can stand unescaped in a JID, a SIP URI, a quoted string, an
 * HA1 and a log line. Names are never repaired: capitals of a presented name
 * are folded, everything else outside the grammar is refused.
 */

#include "core/identity.h"

#include <string.h>

#include "core/err.h"
#include "core/utf8.h"

#define LABEL_MAX	63	/* octets, RFC 1035 section 2.3.4 */

_Static_assert(LOCALPART_MAX + 1 < ACCOUNT_MAX, "room for a domain");

static bool
is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* NB: span_find() over the list; a C string function would match NUL. */
static bool
is_one_of(struct span list, uint8_t c)
{
	return span_find(list, c) < list.n;
}

/* What wide adds may also come first: "+49301234567". */
static bool
is_local_start(uint8_t c, enum identity_rule rule)
{
	return is_alnum(c) || (rule == IDENTITY_WIDE &&
	    is_one_of(SPAN_LIT("!~*()+=$,"), c));
}

int
identity_check_localpart(struct span localpart, enum identity_rule rule)
{
	if (localpart.n == 0)
		return -ERR_FORMAT;
	if (localpart.n > LOCALPART_MAX)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < localpart.n; i++) {
		uint8_t c = localpart.p[i];

		if (!is_local_start(c, rule) &&
		    (i == 0 || !is_one_of(SPAN_LIT("._-"), c)))
			return -ERR_CHARACTER;
	}
	/* RFC 3261 22.1: anybody may try "anonymous" with no password. */
	if (span_equal(localpart, SPAN_LIT("anonymous")))
		return -ERR_FORMAT;
	return 0;
}

static int
check_label(struct span label)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return -ERR_FORMAT;
	for (size_t i = 0; i < label.n; i++)
		if (!is_alnum(label.p[i]) && label.p[i] != '-')
			return -ERR_CHARACTER;
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return -ERR_FORMAT;
	return 0;
}

int
identity_check_domain(struct span domain)
{
	struct span rest = domain;
	int rc;

	if (domain.n > DOMAIN_MAX)
		return -ERR_TOO_LONG;
	for (;;) {
		size_t dot = span_find(rest, '.');

		rc = check_label(span_head(rest, dot));
		if (rc != 0 || dot == rest.n)
			return rc;
		/* A dot at the end leaves an empty label: refused. */
		rest = span_tail(rest, dot + 1);
	}
}

int
identity_check_realm(struct span realm)
{
	uint32_t c;

	if (realm.n == 0)
		return -ERR_FORMAT;
	if (realm.n > REALM_MAX)
		return -ERR_TOO_LONG;
	while (realm.n > 0) {
		if (utf8_take(&realm, &c) != 0)
			return -ERR_FORMAT;
		/* C0, DEL and C1 controls: the same as onecred.realm_ok(). */
		if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == '"' ||
		    c == '\\' || c == ':')
			return -ERR_CHARACTER;
	}
	return 0;
}

/* Checks the parts and fills out, which is zeroed on error. */
static int
account_fill(struct span localpart, struct span domain,
    enum identity_rule rule, struct account *out)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = identity_check_localpart(localpart, rule);
	if (rc == 0)
		rc = identity_check_domain(domain);
	if (rc == 0 && localpart.n + 1 + domain.n > ACCOUNT_MAX)
		rc = -ERR_TOO_LONG;
	if (rc == 0)
		rc = span_copy_str(localpart, out->localpart,
		    sizeof(out->localpart));
	if (rc == 0)
		rc = span_copy_str(domain, out->domain, sizeof(out->domain));
	if (rc != 0)
		memset(out, 0, sizeof(*out));
	return rc;
}

int
identity_parse(struct span uri, enum identity_rule rule, struct account *out)
{
	size_t at = span_rfind(uri, '@');

	return account_fill(span_head(uri, at), span_tail(uri, at + 1), rule,
	    out);
}

/* Copies from in lower case into to; true if that changed anything. */
static bool
fold(struct span from, uint8_t *to)
{
	bool folded = false;

	for (size_t i = 0; i < from.n; i++) {
		to[i] = ascii_lower(from.p[i]);
		folded = folded || to[i] != from.p[i];
	}
	return folded;
}

int
identity_present(struct span name, struct span domain, struct presented *out)
{
	uint8_t lower[ACCOUNT_MAX], asked[DOMAIN_MAX];
	struct span local, own, wanted;
	size_t at;
	int rc;

	memset(out, 0, sizeof(*out));
	if (name.n > sizeof(lower) || domain.n > sizeof(asked))
		return -ERR_TOO_LONG;
	out->folded = fold(name, lower);
	(void)fold(domain, asked);
	wanted = span_mem(asked, domain.n);
	at = span_rfind(name, '@');
	local = span_mem(lower, at);
	own = span_mem(lower + at, name.n - at);
	if (own.n > 0) {
		out->form = FORM_FULL;
		own = span_tail(own, 1);
	} else
		own = wanted;

	if (out->form == FORM_LOCAL && wanted.n == 0) {
		/* SIP: the realm will tell the domain. */
		rc = identity_check_localpart(local, IDENTITY_WIDE);
		if (rc == 0)
			rc = span_copy_str(local, out->account.localpart,
			    sizeof(out->account.localpart));
	} else
		rc = account_fill(local, own, IDENTITY_WIDE, &out->account);
	if (rc == 0 && wanted.n > 0) {
		rc = identity_check_domain(wanted);
		if (rc == 0 && !span_equal(own, wanted))
			rc = -ERR_FOREIGN;
	}
	if (rc != 0)
		memset(out, 0, sizeof(*out));
	return rc;
}
