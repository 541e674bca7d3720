/*
 * The client table: which client an address belongs to, and what it may ask.
 */

#include <arpa/inet.h>
#include <string.h>

#include "core/secret.h"
#include "doors/radius_clients.h"
#include "doors/radius_socket.h"
#include "unit.h"

static const struct {
	const char *name, *address;
	unsigned int prefix;
} networks[] = {
	{ "all", "0.0.0.0", 0 },
	{ "ten", "10.0.0.0", 8 },
	{ "odd", "10.1.16.0", 20 },
	{ "host", "10.1.17.5", 32 },
	{ "six", "2001:db8::", 32 },
	{ "sixodd", "2001:db8:8000::", 33 },
	{ "sixhost", "2001:db8::1", 128 }
};
#define NETWORKS (sizeof(networks) / sizeof(networks[0]))

static void
address_of(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(out, &in, sizeof(in));
	else {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &in6.sin6_addr),
		    1);
		memcpy(out, &in6, sizeof(in6));
	}
}

/* first..last of networks, in that order or the reverse. */
static struct radius_clients *
table(size_t first, size_t last, bool reverse)
{
	struct radius_client_settings settings[NETWORKS];
	uint8_t secret[] = "secret";
	size_t n = last - first;

	memset(settings, 0, sizeof(settings));
	for (size_t i = 0; i < n; i++) {
		size_t from = first + (reverse ? n - 1 - i : i);

		settings[i].name = networks[from].name;
		settings[i].prefix = networks[from].prefix;
		address_of(networks[from].address, &settings[i].address);
		settings[i].secret = (struct secret){ secret, 6 };
	}
	return radius_clients_new(settings, n);
}

static const char *
owner(struct radius_clients *clients, const char *text)
{
	struct sockaddr_storage storage;
	struct radius_address address;
	struct radius_client *client;

	address_of(text, &storage);
	radius_address_read(&storage, &address);
	client = radius_clients_find(clients, address.ip);
	if (client == NULL)
		return "-";
	ck_assert(span_equal(secret_span(&client->secret),
	    SPAN_LIT("secret")));
	return client->name;
}

static const struct {
	const char *address, *owner, *without_all;
} lookups[] = {
	{ "10.1.17.5", "host", "host" }, { "10.1.17.6", "odd", "odd" },
	{ "10.1.16.0", "odd", "odd" }, { "10.1.31.255", "odd", "odd" },
	{ "10.1.32.0", "ten", "ten" }, { "10.1.15.255", "ten", "ten" },
	{ "11.0.0.0", "all", "-" }, { "9.255.255.255", "all", "-" },
	{ "::ffff:10.1.17.5", "host", "host" },
	{ "2001:db8::1", "sixhost", "sixhost" },
	{ "2001:db8::2", "six", "six" },
	{ "2001:db8:7fff::2", "six", "six" },
	{ "2001:db8:8000::2", "sixodd", "sixodd" },
	{ "2001:db9::1", "-", "-" }, { "::1", "-", "-" },
	/* 10.0.0.0/8 is no IPv6 network */
	{ "::10.1.17.5", "-", "-" }
};

START_TEST(longest_prefix)
{
	for (int reverse = 0; reverse < 2; reverse++)
		for (size_t first = 0; first < 2; first++) {
			struct radius_clients *clients = table(first,
			    NETWORKS, reverse == 1);

			ck_assert_str_eq(owner(clients, lookups[_i].address),
			    first == 0 ? lookups[_i].owner :
			    lookups[_i].without_all);
			radius_clients_unref(&clients);
			ck_assert_ptr_null(clients);
		}
}
END_TEST

START_TEST(empty_table)
{
	struct radius_clients *clients = radius_clients_new(NULL, 0);

	ck_assert_ptr_nonnull(clients);
	ck_assert_str_eq(owner(clients, "127.0.0.1"), "-");
	radius_clients_unref(&clients);
	radius_clients_unref(&clients);
}
END_TEST

/* The table is a copy, and lives as long as anybody holds it. */
START_TEST(settings_may_go)
{
	uint8_t secret[] = "secret";
	char name[] = "kam", realm[] = "example.com", domain[] = "d.example";
	const char *realms[] = { realm }, *domains[] = { domain, domain };
	struct radius_client_settings settings = {
		.name = name, .prefix = 0, .secret = { secret, 6 },
		.realms = { realms, 1 }, .domains = { domains, 2 },
		.require_message_authenticator = true,
		.unavailable_reject = true, .nonce_ours = true
	};
	struct radius_clients *clients, *other;
	struct radius_client *client;
	uint8_t ip[16] = { 0 };

	clients = radius_clients_new(&settings, 1);
	other = radius_clients_ref(clients);
	memset(name, 'x', sizeof(name) - 1);
	memset(realm, 'x', sizeof(realm) - 1);
	memset(domain, 'x', sizeof(domain) - 1);
	memset(secret, 'x', sizeof(secret) - 1);
	radius_clients_unref(&clients);
	client = radius_clients_find(other, ip);
	ck_assert_ptr_nonnull(client);
	ck_assert_str_eq(client->name, "kam");
	ck_assert(span_equal(secret_span(&client->secret),
	    SPAN_LIT("secret")));
	ck_assert(client->require_message_authenticator &&
	    client->unavailable_reject && client->nonce_ours);
	ck_assert(radius_list_covers(&client->realms,
	    SPAN_LIT("EXAMPLE.com")));
	ck_assert(!radius_list_covers(&client->realms,
	    SPAN_LIT("example.co")));
	ck_assert(!radius_list_covers(&client->realms, SPAN_EMPTY));
	ck_assert_uint_eq(client->domains.count, 2);
	ck_assert_str_eq(client->domains.names[1], "d.example");
	radius_clients_unref(&other);
}
END_TEST

START_TEST(empty_list_covers_all)
{
	const struct domain_list all = { NULL, 0 };

	ck_assert(radius_list_covers(&all, SPAN_LIT("example.com")));
	ck_assert(radius_list_covers(&all, SPAN_EMPTY));
}
END_TEST

START_TEST(quota_once_a_minute)
{
	struct radius_quota quota = { 0 };
	uint64_t untold = 99;

	ck_assert(radius_quota_take(&quota, 5, &untold));
	ck_assert_uint_eq(untold, 0);
	for (uint64_t now = 5; now < 60005; now += 1000)
		ck_assert(!radius_quota_take(&quota, now, &untold));
	ck_assert(radius_quota_take(&quota, 60005, &untold));
	ck_assert_uint_eq(untold, 60);
	ck_assert(!radius_quota_take(&quota, 60006, &untold));
}
END_TEST

static const struct {
	const char *in, *out;
} texts[] = {
	{ "127.0.0.1", "127.0.0.1" }, { "::1", "::1" },
	{ "::ffff:192.0.2.7", "192.0.2.7" },
	{ "2001:db8:0:0:0:0:0:1", "2001:db8::1" }
};

START_TEST(address_text)
{
	struct sockaddr_storage storage;
	struct radius_address address;
	char out[RADIUS_ADDRESS_TEXT];

	address_of(texts[_i].in, &storage);
	radius_address_read(&storage, &address);
	radius_address_text(&address, out);
	ck_assert_str_eq(out, texts[_i].out);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius_clients");
	TCase *tc = tcase_create("radius_clients");

	tcase_add_loop_test(tc, longest_prefix, 0,
	    sizeof(lookups) / sizeof(lookups[0]));
	tcase_add_test(tc, empty_table);
	tcase_add_test(tc, settings_may_go);
	tcase_add_test(tc, empty_list_covers_all);
	tcase_add_test(tc, quota_once_a_minute);
	tcase_add_loop_test(tc, address_text, 0,
	    sizeof(texts) / sizeof(texts[0]));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
