/*
 * Tokens, rights and lists of HTTP clients; who is told about how often.
 */

#include <stdio.h>
#include <string.h>

#include "core/crypto.h"
#include "doors/http_clients.h"
#include "unit.h"

#define A	"aaaaaaaaaaaaaaaa"
#define B	"aaaaaaaaaaaaaaab"

static struct crypto	*crypto;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

static struct http_clients *
make(void)
{
	static const char *const domains[] = { "example.com" };
	static char a[] = A, b[] = B;
	const struct http_client_settings settings[] = {
		{ .name = "a", .token = { (uint8_t *)a, sizeof(a) - 1 },
		    .domains = { domains, 1 }, .rights = 1 },
		{ .name = "b", .token = { (uint8_t *)b, sizeof(b) - 1 },
		    .realms = { domains, 1 }, .rights = 2 }
	};
	struct http_clients *clients = http_clients_new(crypto, settings, 2);

	ck_assert_ptr_nonnull(clients);
	return clients;
}

static const struct {
	const char	*token, *name;
} tokens[] = {
	{ A, "a" }, { B, "b" }, { "", NULL }, { "aaaaaaaaaaaaaaa", NULL },
	{ A "a", NULL }, { "aaaaaaaaaaaaaaac", NULL },
	{ "AAAAAAAAAAAAAAAA", NULL }, { B A, NULL }
};

START_TEST(finds_by_token)
{
	struct http_clients *clients = make();
	const struct http_client *found = http_clients_find(clients, crypto,
	    span_str(tokens[_i].token));

	if (tokens[_i].name == NULL)
		ck_assert_ptr_null(found);
	else
		ck_assert_str_eq(found->name, tokens[_i].name);
	http_clients_unref(&clients);
	ck_assert_ptr_null(clients);
}
END_TEST

/* A token that is longer than any must not pass by its beginning. */
START_TEST(long_tokens)
{
	uint8_t longest[HTTP_TOKEN_MAX + 2];
	struct http_client_settings settings = { .name = "x",
	    .token = { longest, HTTP_TOKEN_MAX } };
	struct http_clients *clients;

	memset(longest, 'x', sizeof(longest));
	clients = http_clients_new(crypto, &settings, 1);
	ck_assert_ptr_nonnull(http_clients_find(clients, crypto,
	    span_mem(longest, HTTP_TOKEN_MAX)));
	ck_assert_ptr_null(http_clients_find(clients, crypto,
	    span_mem(longest, HTTP_TOKEN_MAX + 1)));
	ck_assert_ptr_null(http_clients_find(clients, crypto,
	    span_mem(longest, HTTP_TOKEN_MAX + 2)));
	ck_assert_ptr_null(http_clients_find(clients, crypto,
	    span_mem(longest, HTTP_TOKEN_MAX - 1)));
	http_clients_unref(&clients);
}
END_TEST

START_TEST(nobody)
{
	struct http_clients *clients = http_clients_new(crypto, NULL, 0);

	ck_assert_uint_eq(http_clients_count(clients), 0);
	ck_assert_ptr_null(http_clients_find(clients, crypto, SPAN_LIT(A)));
	ck_assert_ptr_null(http_clients_find(clients, crypto, SPAN_EMPTY));
	http_clients_unref(&clients);
}
END_TEST

/* The proofs of two processes (here: tables) tell nothing about each other. */
START_TEST(proofs_are_of_one_table)
{
	struct http_clients *x = make(), *y = make();

	ck_assert(!span_equal(
	    span_mem(http_clients_find(x, crypto, SPAN_LIT(A))->proof, 32),
	    span_mem(http_clients_find(y, crypto, SPAN_LIT(A))->proof, 32)));
	http_clients_unref(&x);
	http_clients_unref(&y);
}
END_TEST

START_TEST(outlives_a_reload)
{
	struct http_clients *clients = make();
	struct http_clients *mine = http_clients_ref(clients);
	const struct http_client *found = http_clients_find(mine, crypto,
	    SPAN_LIT(A));

	http_clients_unref(&clients);
	ck_assert_str_eq(found->domains.names[0], "example.com");
	ck_assert(http_list_covers(&found->domains, SPAN_LIT("Example.COM")));
	ck_assert(!http_list_covers(&found->domains,
	    SPAN_LIT("example.org")));
	ck_assert(!http_list_covers(&found->domains, SPAN_EMPTY));
	ck_assert(http_list_covers(&found->realms, SPAN_LIT("any")));
	http_clients_unref(&mine);
}
END_TEST

START_TEST(octets_of_a_token)
{
	for (int c = 0; c < 256; c++)
		ck_assert_int_eq(http_token_octet((uint8_t)c),
		    c >= '!' && c <= '~');
}
END_TEST

START_TEST(told_once_a_minute)
{
	struct http_refusals refusals = { 0 };
	uint64_t untold = 7;

	ck_assert(http_refusals_take(&refusals, "a", 5, &untold));
	ck_assert_uint_eq(untold, 0);
	ck_assert(!http_refusals_take(&refusals, "a", 60004, &untold));
	ck_assert(http_refusals_take(&refusals, "b", 60004, &untold));
	ck_assert(http_refusals_take(&refusals, "a", 60005, &untold));
	ck_assert_uint_eq(untold, 1);
	ck_assert(!http_refusals_take(&refusals, "a", 60006, &untold));
}
END_TEST

/* However many sources there are, the lines stay few. */
START_TEST(told_about_many)
{
	struct http_refusals refusals = { 0 };
	unsigned int told = 0;
	uint64_t untold;
	char source[32];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(source, sizeof(source), "127.0.0.%d", i);
		told += http_refusals_take(&refusals, source, 1, &untold);
	}
	ck_assert_uint_eq(told, HTTP_SOURCES);
	ck_assert(http_refusals_take(&refusals, "new", 60001, &untold));
}
END_TEST

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

static Suite *
suite(void)
{
	Suite *s = suite_create("http_clients");
	TCase *tc = tcase_create("http_clients");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, finds_by_token, 0, COUNT(tokens));
	tcase_add_test(tc, long_tokens);
	tcase_add_test(tc, nobody);
	tcase_add_test(tc, proofs_are_of_one_table);
	tcase_add_test(tc, outlives_a_reload);
	tcase_add_test(tc, octets_of_a_token);
	tcase_add_test(tc, told_once_a_minute);
	tcase_add_test(tc, told_about_many);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
