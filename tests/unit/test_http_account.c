/*
 * Paths of accounts, and the bodies that change them.
 */

#include "core/err.h"
#include "doors/http_account.h"
#include "doors/http_json.h"
#include "doors/listener.h"
#include "unit.h"

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*path, *name, *domain;	/* name NULL: refused */
} paths[] = {
	{ "/v1/account/alice@example.com", "alice@example.com",
	    "example.com" },
	{ "/v1/account/a@b@c", "a@b@c", "c" },
	{ "/v1/account/ @ ", " @ ", " " },
	{ "/v1/account/", NULL, NULL }, { "/v1/account", NULL, NULL },
	{ "/v1/account/alice", NULL, NULL }, { "/v1/account/@", NULL, NULL },
	{ "/v1/account/@b", NULL, NULL }, { "/v1/account/a@", NULL, NULL },
	{ "/v1/account/a/b@c", NULL, NULL },
	{ "/v1/account/a@b/", NULL, NULL },
	{ "/v1/accounts/a@b", NULL, NULL }, { "", NULL, NULL }
};

START_TEST(reads_paths)
{
	struct span name, domain;
	int rc = http_account_parse(span_str(paths[_i].path), &name,
	    &domain);

	ck_assert_int_eq(rc, paths[_i].name == NULL ? -ERR_FORMAT : 0);
	ck_assert(span_equal(name, span_str(paths[_i].name)));
	ck_assert(span_equal(domain, span_str(paths[_i].domain)));
}
END_TEST

static const struct {
	const char	*body;
	enum account_change change;
} good[] = {
	{ "{\"password\":\"c4nary\"}", ACCOUNT_PUT },
	{ "{\"change\":\"set\",\"password\":\"c4nary\"}",
	    ACCOUNT_UPDATE },
	{ " {\"password\":\"c4nary\",\"change\":\"create\"} ",
	    ACCOUNT_CREATE }
};

START_TEST(reads_bodies)
{
	struct http_account_put put;

	http_json_setup();
	ck_assert_ptr_null(http_account_read(span_str(good[_i].body), &put));
	ck_assert(span_equal(put.password, SPAN_LIT("c4nary")));
	ck_assert_int_eq((int)put.change, (int)good[_i].change);
	http_account_clear(&put);
	ck_assert_ptr_null(put.json);
	ck_assert_uint_eq(put.password.n, 0);
	/* Cut anywhere, it is none. */
	for (size_t n = 0; good[_i].body[n + 1] != '\0'; n++)
		if (good[_i].body[n] != '}')
			ck_assert_ptr_nonnull(http_account_read(
			    span_mem(good[_i].body, n), &put));
}
END_TEST

static const struct {
	const char	*body, *wrong;
} bad[] = {
	{ "", "one JSON object" }, { "[]", "one JSON object" },
	{ "{}", "password is needed" },
	{ "{\"change\":\"set\"}", "password is needed" },
	{ "{\"passwd\":\"x\"}", "the keys are" },
	{ "{\"password\":\"x\",\"user\":\"y\"}", "the keys are" },
	{ "{\"password\":\"x\",\"password\":\"y\"}", "one JSON object" },
	{ "{\"password\":1}", "not a string" },
	{ "{\"password\":null}", "not a string" },
	{ "{\"password\":\"x\",\"change\":true}", "not a string" },
	{ "{\"password\":\"x\",\"change\":\"\"}", "set or create" },
	{ "{\"password\":\"x\",\"change\":\"Set\"}", "set or create" },
	{ "{\"password\":\"x\",\"change\":\"delete\"}",
	    "set or create" },
	{ "{\"password\":\"x\",\"change\":\"set set set set set\"}",
	    "too long" },
	{ "{\"password\":\"\\u0000\"}", "one JSON object" }
};

START_TEST(refuses_bodies)
{
	struct http_account_put put;
	const char *wrong;

	http_json_setup();
	wrong = http_account_read(span_str(bad[_i].body), &put);
	ck_assert_ptr_nonnull(wrong);
	ck_assert_msg(strstr(wrong, bad[_i].wrong) != NULL, "%s", wrong);
	ck_assert_ptr_null(put.json);
	ck_assert_uint_eq(put.password.n, 0);
}
END_TEST

static const struct {
	unsigned int	rights;
	enum account_change asked, done;
	bool		ok;
} rights[] = {
	{ RIGHT_SET, ACCOUNT_PUT, ACCOUNT_UPDATE, true },
	{ RIGHT_CREATE, ACCOUNT_PUT, ACCOUNT_CREATE, true },
	{ RIGHT_SET | RIGHT_CREATE, ACCOUNT_PUT, ACCOUNT_PUT, true },
	{ RIGHT_SET | RIGHT_CREATE, ACCOUNT_UPDATE, ACCOUNT_UPDATE, true },
	{ RIGHT_SET | RIGHT_CREATE, ACCOUNT_CREATE, ACCOUNT_CREATE, true },
	{ RIGHT_SET, ACCOUNT_CREATE, ACCOUNT_CREATE, false },
	{ RIGHT_CREATE, ACCOUNT_UPDATE, ACCOUNT_UPDATE, false },
	{ RIGHT_CREATE | RIGHT_SET, ACCOUNT_DELETE, ACCOUNT_DELETE, false },
	{ RIGHT_DELETE, ACCOUNT_DELETE, ACCOUNT_DELETE, true },
	{ RIGHT_DELETE | RIGHT_CHECK, ACCOUNT_PUT, ACCOUNT_PUT, false }
};

START_TEST(narrows_to_the_rights)
{
	enum account_change change = rights[_i].asked;

	ck_assert_int_eq(http_account_allow(rights[_i].rights, &change),
	    rights[_i].ok);
	ck_assert_int_eq((int)change, (int)rights[_i].done);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_account");
	TCase *tc = tcase_create("http_account");

	tcase_add_loop_test(tc, reads_paths, 0, COUNT(paths));
	tcase_add_loop_test(tc, reads_bodies, 0, COUNT(good));
	tcase_add_loop_test(tc, refuses_bodies, 0, COUNT(bad));
	tcase_add_loop_test(tc, narrows_to_the_rights, 0, COUNT(rights));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
