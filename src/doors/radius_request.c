/*
 * What an Access-Request asks for, pure: a password (RFC 2865 5.2) or a digest
 * (RFC 5090 3.2 and section 4), by a client that may serve the realm.
 *
 * Two kinds of credentials in one request prove neither. A digest whose nonce
 * nobody vouches for must never be passed on.
 */

#include "doors/radius_request.h"

#include "core/err.h"
#include "core/secret.h"

bool
radius_aor_read(struct span uri, struct account *out)
{
	struct presented presented;
	size_t scheme = span_find(uri, ':');

	if (!span_equal_nocase(span_head(uri, scheme), SPAN_LIT("sip")) &&
	    !span_equal_nocase(span_head(uri, scheme), SPAN_LIT("sips")))
		return false;
	if (identity_present(span_tail(uri, scheme + 1), SPAN_EMPTY,
	    &presented) != 0 || presented.form != FORM_FULL)
		return false;
	*out = presented.account;
	return true;
}

/* alice@example.com, or alice if only one domain can be meant. */
static enum reason
read_password(struct crypto *crypto, const struct radius_packet *packet,
    const struct radius_client *client, struct span hidden,
    struct radius_request *out)
{
	size_t n = 0;
	int rc = radius_password_open(crypto, hidden, packet->authenticator,
	    secret_span(&client->secret), out->password, &n);

	out->asked.password = span_mem(out->password, n);
	if (client->domains.count == 1)
		out->asked.domain = span_str(client->domains.names[0]);
	if (rc == -ERR_FORMAT)
		return REASON_MALFORMED;
	return rc == 0 ? REASON_OK : REASON_INTERNAL;
}

/* The host in "sip:alice@example.com:5060;transport=udp". */
static struct span
uri_host(struct span uri)
{
	struct span rest = span_tail(uri, span_find(uri, ':') + 1);
	size_t at;

	rest = span_head(rest, span_find(rest, ';'));
	rest = span_head(rest, span_find(rest, '?'));
	at = span_rfind(rest, '@');
	if (at < rest.n)
		rest = span_tail(rest, at + 1);
	return span_head(rest, span_find(rest, ':'));
}

/*
 * The realm of a challenge is ours to choose (RFC 5090 3.3): the one asked
 * for, the client's only one, or what the caller's names say; last the callee,
 * which in a REGISTER is the domain itself.
 */
static struct span
choose_realm(const struct digest_params *digest, struct span user_name,
    struct span aor, const struct radius_client *client)
{
	size_t at = span_rfind(user_name, '@');

	if (digest->realm.n > 0)
		return digest->realm;
	if (client->realms.count == 1)
		return span_str(client->realms.names[0]);
	if (aor.n > 0)
		return uri_host(aor);
	if (at < user_name.n)
		return span_tail(user_name, at + 1);
	return uri_host(digest->uri);
}

static enum reason
read_nonce_request(const struct radius_client *client, struct span aor,
    struct radius_request *out)
{
	const struct digest_params *digest = &out->asked.digest;

	/* Nobody was hashed yet. */
	out->asked.name = out->asked.lookup_name;
	out->wants_nonce = true;
	if (!client->nonce_ours)
		return REASON_METHOD;
	if (digest->method.n == 0)
		return REASON_MALFORMED;
	out->realm = choose_realm(digest, out->asked.name, aor, client);
	return radius_list_covers(&client->realms, out->realm) ?
	    REASON_OK : REASON_UNKNOWN_REALM;
}

static enum reason
read_digest(const struct radius_packet *packet,
    const struct radius_client *client, struct radius_request *out)
{
	const struct digest_params *digest = &out->asked.digest;
	struct span aor;
	size_t aors = radius_packet_find(packet, RADIUS_SIP_AOR, &aor);

	if (aors <= 1 && digest->nonce.n == 0 && digest->response.n == 0)
		return read_nonce_request(client, aor, out);
	if (aors > 1 || digest->nonce.n == 0 || digest->response.n == 0 ||
	    digest->realm.n == 0 || digest->method.n == 0 ||
	    digest->uri.n == 0 || digest->username.n == 0)
		return REASON_MALFORMED;
	out->realm = digest->realm;
	if (!radius_list_covers(&client->realms, digest->realm))
		return REASON_UNKNOWN_REALM;
	if (aors == 1 && !radius_aor_read(aor, &out->asked.aor))
		return REASON_IDENTITY;
	/* RFC 5090 3.4: not for auth-int, which hashes the answer's body. */
	out->send_rspauth = out->digest.rfc5090 && (digest->qop.n == 0 ||
	    span_equal_nocase(digest->qop, SPAN_LIT("auth")));
	return REASON_OK;
}

enum reason
radius_request_read(struct crypto *crypto,
    const struct radius_packet *packet, const struct radius_client *client,
    struct radius_request *out)
{
	struct auth_request *asked = &out->asked;
	struct span hidden, user_name;
	size_t names = radius_packet_find(packet, RADIUS_USER_NAME,
	    &user_name);
	size_t passwords = radius_packet_find(packet, RADIUS_USER_PASSWORD,
	    &hidden);
	int rc = radius_digest_parse(packet, &out->digest);

	out->send_rspauth = out->wants_nonce = false;
	out->realm = SPAN_EMPTY;
	*asked = (struct auth_request){
		.kind = AUTH_PASSWORD,
		.name = user_name,
		.domains = &client->domains
	};
	if (out->digest.asked) {
		asked->kind = AUTH_DIGEST;
		asked->digest = out->digest.params;
		/* It was hashed, so it chooses HA1; User-Name must agree. */
		asked->name = asked->digest.username;
		asked->lookup_name = user_name;
	}
	if (rc == -ERR_UNSUPPORTED)
		return REASON_NO_VERIFIER;
	if (rc != 0 || names > 1 || passwords > 1 ||
	    (passwords == 1 && out->digest.asked) ||
	    span_find(user_name, '\0') != user_name.n)
		return REASON_MALFORMED;
	if (out->digest.asked)
		return read_digest(packet, client, out);
	if (passwords == 1)
		return read_password(crypto, packet, client, hidden, out);
	return REASON_METHOD;
}

void
radius_request_wipe(struct radius_request *request)
{
	secret_wipe(request->password, sizeof(request->password));
	request->asked.password = SPAN_EMPTY;
}
