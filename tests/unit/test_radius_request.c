/*
 * Access-Request understood: what is asked for whom, and what is refused
 * before anybody is asked.
 */

#include <string.h>

#include "core/err.h"
#include "core/secret.h"
#include "doors/radius_request.h"
#include "radius_vectors.h"
#include "unit.h"

static struct crypto *crypto;
static struct octets octets;
static struct radius_packet packet;
static struct radius_request request;
static struct radius_client client;
static const char *const one[] = { "example.com", "example.org" };
static uint8_t secret[] = OWN_SECRET;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	memset(&client, 0, sizeof(client));
	client.secret = (struct secret){ secret, sizeof(secret) - 1 };
	(void)unhex(OWN_AUTHENTICATOR, &octets);
	memmove(octets.p + 4, octets.p, 16);
	octets.p[0] = RADIUS_ACCESS_REQUEST;
	octets.p[1] = 42;
	octets.n = RADIUS_HEADER_SIZE;
}

static void
teardown(void)
{
	radius_request_wipe(&request);
	crypto_free(&crypto);
}

static void
add(uint8_t type, const void *value, size_t n)
{
	octets.p[octets.n++] = type;
	octets.p[octets.n++] = (uint8_t)(n + 2);
	memcpy(octets.p + octets.n, value, n);
	octets.n += n;
}

static void
add_text(uint8_t type, const char *text)
{
	add(type, text, strlen(text));
}

static enum reason
read_request(void)
{
	octets.p[2] = (uint8_t)(octets.n >> 8);
	octets.p[3] = (uint8_t)octets.n;
	ck_assert_int_eq(radius_packet_parse(span_mem(octets.p, octets.n),
	    &packet), 0);
	return radius_request_read(crypto, &packet, &client, &request);
}

static void
add_password(void)
{
	struct octets hidden;
	struct span h = unhex(OWN_HIDDEN, &hidden);

	add(RADIUS_USER_PASSWORD, h.p, h.n);
}

START_TEST(rfc2865_password)
{
	add_text(RADIUS_USER_NAME, "alice@example.com");
	add_password();
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert_int_eq(request.asked.kind, AUTH_PASSWORD);
	ck_assert(span_equal(request.asked.name,
	    SPAN_LIT("alice@example.com")));
	ck_assert(span_equal(request.asked.password, SPAN_LIT("wonderland")));
	/* Two domains, or all: the name must say which. */
	ck_assert_uint_eq(request.asked.domain.n, 0);
	client.domains = (struct domain_list){ one, 2 };
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert_uint_eq(request.asked.domain.n, 0);
	ck_assert_ptr_eq(request.asked.domains, &client.domains);
	client.domains.count = 1;
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert(span_equal(request.asked.domain, SPAN_LIT("example.com")));
	ck_assert(!request.send_rspauth && !request.wants_nonce);

	radius_request_wipe(&request);
	for (size_t i = 0; i < sizeof(request.password); i++)
		ck_assert_uint_eq(request.password[i], 0);
}
END_TEST

static const struct {
	const char *name;
	uint8_t type[3];
	const char *value[3];
	enum reason reason;
} refused[] = {
	{ "nothing at all", { 0 }, { NULL }, REASON_METHOD },
	{ "a name alone", { 1 }, { "alice" }, REASON_METHOD },
	{ "CHAP", { 1, 3 }, { "alice", "01234567890123456" },
	    REASON_METHOD },
	{ "EAP", { 1, 79 }, { "alice", "xxxxx" }, REASON_METHOD },
	{ "two names", { 1, 1, 2 }, { "alice", "bob", "0123456789abcdef" },
	    REASON_MALFORMED },
	{ "two passwords", { 1, 2, 2 }, { "alice", "0123456789abcdef",
	    "0123456789abcdef" }, REASON_MALFORMED },
	{ "half a block", { 1, 2 }, { "alice", "0123456789abcde" },
	    REASON_MALFORMED },
	{ "no block", { 1, 2 }, { "alice", "" }, REASON_MALFORMED },
	{ "password and digest", { 1, 2, 103 }, { "alice",
	    "0123456789abcdef", "1a81fb09121db07246ec0da143eda7c9" },
	    REASON_MALFORMED },
	{ "method alone: a nonce, please", { 108 }, { "REGISTER" },
	    REASON_METHOD },
	{ "no algorithm of ours", { 105, 111 }, { "nonce", "SHA-1" },
	    REASON_NO_VERIFIER },
	{ "realm twice", { 104, 104, 105 }, { "a", "a", "nonce" },
	    REASON_MALFORMED }
};

START_TEST(refused_at_sight)
{
	for (size_t i = 0; i < 3 && refused[_i].value[i] != NULL; i++)
		add_text(refused[_i].type[i], refused[_i].value[i]);
	ck_assert_msg(read_request() == refused[_i].reason, "%s",
	    refused[_i].name);
}
END_TEST

START_TEST(name_with_nul)
{
	add(RADIUS_USER_NAME, "ali\0ce", 6);
	add_password();
	ck_assert_int_eq(read_request(), REASON_MALFORMED);
}
END_TEST

/* RFC 5090: the order is that of own vector; index 0 is User-Name. */
static const struct {
	uint8_t type;
	const char *value;
} digest[] = {
	{ RADIUS_USER_NAME, "alice@example.com" }, { 103,
	    "1a81fb09121db07246ec0da143eda7c9" }, { 104, "example.com" },
	{ 105, "bm9uY2UtMDAwMQ" }, { 108, "REGISTER" },
	{ 109, "sip:example.com" }, { 115, "alice" }, { 110, "auth" },
	{ 113, "0a4f113b" }, { 114, "00000001" }
};
#define DIGEST (sizeof(digest) / sizeof(digest[0]))
#define MANDATORY 7	/* the first of them */

static void
add_digest(size_t but, const char *instead)
{
	for (size_t i = 0; i < DIGEST; i++)
		if (i != but)
			add_text(digest[i].type, digest[i].value);
		else if (instead != NULL)
			add_text(digest[i].type, instead);
}

START_TEST(rfc5090_digest)
{
	add_digest(DIGEST, NULL);
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert_int_eq(request.asked.kind, AUTH_DIGEST);
	ck_assert(span_equal(request.asked.name, SPAN_LIT("alice")));
	ck_assert(span_equal(request.asked.lookup_name,
	    SPAN_LIT("alice@example.com")));
	ck_assert_uint_eq(request.asked.domain.n, 0);
	ck_assert(request.send_rspauth);
	ck_assert_str_eq(request.asked.aor.localpart, "");
	/* Who made the nonce is not judged here. */
	client.nonce_ours = true;
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert(!request.wants_nonce);
	ck_assert(span_equal(request.realm, SPAN_LIT("example.com")));
}
END_TEST

/* RFC 5090 3.2: with Digest-Method and without Digest-Nonce. */
static const struct {
	const char *realm, *user_name, *aor, *uri, *expected;
	bool one_realm;
} wanted[] = {
	{ "example.org", "alice@a.example", "sip:alice@b.example",
	    "sip:c.example", "example.org", false },
	{ "example.org", "alice", "", "sip:c.example", NULL, true },
	{ "", "alice@a.example", "sip:alice@b.example", "sip:c.example",
	    "only.example", true },
	{ "", "alice@a.example", "sips:alice@b.example:5061;lr?x=@y",
	    "sip:c.example", "b.example", false },
	{ "", "alice@a.example", "", "sip:c.example", "a.example", false },
	{ "", "alice", "", "sip:c.example", "c.example", false },
	{ "", "alice", "", "sip:bob@c.example;transport=tcp", "c.example",
	    false },
	{ "", "", "", "sip:c.example:5060", "c.example", false },
	{ "", "", "", "c.example", "", false },
	{ "", "", "", "", "", false }
};

START_TEST(rfc5090_nonce_wanted)
{
	static const char *const only[] = { "only.example" };

	client.nonce_ours = true;
	if (wanted[_i].one_realm)
		client.realms = (struct domain_list){ only, 1 };
	if (wanted[_i].user_name[0] != '\0')
		add_text(RADIUS_USER_NAME, wanted[_i].user_name);
	add_text(108, "REGISTER");
	if (wanted[_i].uri[0] != '\0')
		add_text(109, wanted[_i].uri);
	if (wanted[_i].realm[0] != '\0')
		add_text(104, wanted[_i].realm);
	if (wanted[_i].aor[0] != '\0')
		add_text(RADIUS_SIP_AOR, wanted[_i].aor);
	ck_assert_int_eq(read_request(), wanted[_i].expected != NULL ?
	    REASON_OK : REASON_UNKNOWN_REALM);
	ck_assert(request.wants_nonce);
	if (wanted[_i].expected != NULL)
		ck_assert(span_equal(request.realm,
		    span_str(wanted[_i].expected)));
	ck_assert(span_equal(request.asked.name,
	    span_str(wanted[_i].user_name)));
	/* A client that makes its own has nothing to ask. */
	client.nonce_ours = false;
	ck_assert_int_eq(read_request(), REASON_METHOD);
	ck_assert(request.wants_nonce);
}
END_TEST

START_TEST(rfc5090_nonce_wanted_without_method)
{
	client.nonce_ours = true;
	add_text(RADIUS_USER_NAME, "alice");
	add_text(109, "sip:example.com");
	ck_assert_int_eq(read_request(), REASON_MALFORMED);
}
END_TEST

START_TEST(rfc5090_nonce_wanted_two_aors)
{
	client.nonce_ours = true;
	add_text(108, "REGISTER");
	add_text(RADIUS_SIP_AOR, "sip:alice@example.com");
	add_text(RADIUS_SIP_AOR, "sip:alice@example.com");
	ck_assert_int_eq(read_request(), REASON_MALFORMED);
}
END_TEST

/* Without User-Name there is no second name to agree with. */
START_TEST(rfc5090_mandatory)
{
	static const enum reason reasons[MANDATORY] = {
		REASON_OK, REASON_MALFORMED, REASON_MALFORMED, REASON_MALFORMED,
		REASON_MALFORMED, REASON_MALFORMED, REASON_MALFORMED
	};

	add_digest((size_t)_i, NULL);
	ck_assert_int_eq(read_request(), reasons[_i]);
	ck_assert(!request.wants_nonce);
	octets.n = RADIUS_HEADER_SIZE;
	add_digest((size_t)_i, "");
	ck_assert_int_eq(read_request(), reasons[_i]);
}
END_TEST

static const struct {
	const char *qop;
	bool rspauth;
} qops[] = {
	{ NULL, true }, { "auth", true }, { "AUTH", true },
	{ "auth-int", false }, { "other", false }
};

START_TEST(rfc5090_response_auth)
{
	add_digest(7, qops[_i].qop);
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert(request.send_rspauth == qops[_i].rspauth);
}
END_TEST

START_TEST(sterman_gets_no_response_auth)
{
	(void)unhex(OWN_STERMAN_REQUEST, &octets);
	ck_assert_int_eq(read_request(), REASON_OK);
	ck_assert(!request.send_rspauth);
	ck_assert(span_equal(request.asked.lookup_name,
	    SPAN_LIT("alice@example.com")));
}
END_TEST

START_TEST(realm_must_be_the_clients)
{
	add_digest(DIGEST, NULL);
	client.realms = (struct domain_list){ one + 1, 1 };
	ck_assert_int_eq(read_request(), REASON_UNKNOWN_REALM);
	client.realms = (struct domain_list){ one, 2 };
	ck_assert_int_eq(read_request(), REASON_OK);
}
END_TEST

static const struct {
	const char *uri, *localpart;
} aors[] = {
	{ "sip:alice@example.com", "alice" },
	{ "sips:alice@example.com", "alice" },
	{ "SIP:Alice@Example.COM", "alice" },
	{ "sip:alice", NULL }, { "alice@example.com", NULL },
	{ "tel:+491234", NULL }, { "sip:@example.com", NULL },
	{ "sip:alice@", NULL }, { "sip:", NULL }, { "", NULL },
	{ ":alice@example.com", NULL },
	{ "sip:alice@example.com;transport=udp", NULL },
	{ "sip:alice@example.com:5060", NULL },
	{ "sip:al ice@example.com", NULL },
	{ "sip:sip:alice@example.com", NULL },
	{ "<sip:alice@example.com>", NULL }
};

START_TEST(rfc5090_sip_aor)
{
	bool good = aors[_i].localpart != NULL;
	struct account account;

	ck_assert_msg(radius_aor_read(span_str(aors[_i].uri), &account) ==
	    good, "%s", aors[_i].uri);
	if (good) {
		ck_assert_str_eq(account.localpart, aors[_i].localpart);
		ck_assert_str_eq(account.domain, "example.com");
	}
	add_digest(DIGEST, NULL);
	add_text(RADIUS_SIP_AOR, aors[_i].uri);
	ck_assert_int_eq(read_request(), good ? REASON_OK : REASON_IDENTITY);
	ck_assert_str_eq(request.asked.aor.localpart, good ? "alice" : "");
	add_text(RADIUS_SIP_AOR, aors[_i].uri);
	ck_assert_int_eq(read_request(), REASON_MALFORMED);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_request");
	TCase *tc = tcase_create("radius_request");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rfc2865_password);
	tcase_add_loop_test(tc, refused_at_sight, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, name_with_nul);
	tcase_add_test(tc, rfc5090_digest);
	tcase_add_loop_test(tc, rfc5090_nonce_wanted, 0,
	    sizeof(wanted) / sizeof(wanted[0]));
	tcase_add_test(tc, rfc5090_nonce_wanted_without_method);
	tcase_add_test(tc, rfc5090_nonce_wanted_two_aors);
	tcase_add_loop_test(tc, rfc5090_mandatory, 0, MANDATORY);
	tcase_add_loop_test(tc, rfc5090_response_auth, 0,
	    sizeof(qops) / sizeof(qops[0]));
	tcase_add_test(tc, sterman_gets_no_response_auth);
	tcase_add_test(tc, realm_must_be_the_clients);
	tcase_add_loop_test(tc, rfc5090_sip_aor, 0,
	    sizeof(aors) / sizeof(aors[0]));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
