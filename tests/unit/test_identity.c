/*
 * Names: STANDARDS 4.2 (what may be stored) and DESIGN 2 (what a peer may
 * present), and everything that would mean two things on two sides.
 */

#include <string.h>

#include "core/err.h"
#include "core/identity.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define A10	"aaaaaaaaaa"
#define A60	A10 A10 A10 A10 A10 A10
#define A63	A60 "aaa"
#define A64	A60 "aaaa"
#define D253	A63 "." A63 "." A63 "." A60 "a"
/* localpart@domain of 253 and 254 octets. */
#define D188	A63 "." A63 "." A60

static const struct {
	const char	*name;
	int		 strict, wide;
} localparts[] = {
	{ "alice", 0, 0 },
	{ "a", 0, 0 },
	{ "0", 0, 0 },
	{ "a.b_c-d", 0, 0 },
	{ "9..-_", 0, 0 },
	{ A64, 0, 0 },
	{ A64 "a", -ERR_TOO_LONG, -ERR_TOO_LONG },
	{ "", -ERR_FORMAT, -ERR_FORMAT },
	{ "anonymous", -ERR_FORMAT, -ERR_FORMAT },
	{ "anonymous1", 0, 0 },
	{ ".alice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "-alice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "_alice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "+49301234567", -ERR_CHARACTER, 0 },
	{ "a!~*()+=$,z", -ERR_CHARACTER, 0 },
	{ "Alice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al:ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al@ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al/ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al\"ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al\\ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al'ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al&ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al%6cice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al;ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al?ice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "alice\n", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "al\x7fice", -ERR_CHARACTER, -ERR_CHARACTER },
	{ "j\xc3\xbcrgen", -ERR_CHARACTER, -ERR_CHARACTER }
};

START_TEST(localpart)
{
	struct span name = span_str(localparts[_i].name);

	ck_assert_int_eq(identity_check_localpart(name, IDENTITY_STRICT),
	    localparts[_i].strict);
	ck_assert_int_eq(identity_check_localpart(name, IDENTITY_WIDE),
	    localparts[_i].wide);
}
END_TEST

/* Every octet in both places, against the lists of STANDARDS 4.2. */
START_TEST(localpart_octets)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char more[] = "._-", wide[] = "!~*()+=$,";

	for (int c = 0; c < 256; c++) {
		uint8_t name[2] = { 'a', (uint8_t)c };
		bool start = c != 0 && strchr(first, c) != NULL;
		bool tail = c != 0 && strchr(more, c) != NULL;
		bool extra = c != 0 && strchr(wide, c) != NULL;

		ck_assert_msg((identity_check_localpart(span_mem(name + 1, 1),
		    IDENTITY_STRICT) == 0) == start, "%d", c);
		ck_assert_msg((identity_check_localpart(span_mem(name + 1, 1),
		    IDENTITY_WIDE) == 0) == (start || extra), "%d", c);
		ck_assert_msg((identity_check_localpart(span_mem(name, 2),
		    IDENTITY_STRICT) == 0) == (start || tail), "%d", c);
		ck_assert_msg((identity_check_localpart(span_mem(name, 2),
		    IDENTITY_WIDE) == 0) == (start || tail || extra), "%d",
		    c);
	}
}
END_TEST

static const struct {
	const char	*name;
	int		 rc;
} domains[] = {
	{ "example.com", 0 }, { "localhost", 0 }, { "a", 0 }, { "1.2", 0 },
	{ "xn--bcher-kva.example", 0 }, { "a-b.c--d", 0 },
	{ A63 ".com", 0 }, { D253, 0 },
	{ A64 ".com", -ERR_FORMAT }, { D253 "a", -ERR_TOO_LONG },
	{ "", -ERR_FORMAT }, { ".", -ERR_FORMAT },
	{ "example.com.", -ERR_FORMAT }, { ".example.com", -ERR_FORMAT },
	{ "example..com", -ERR_FORMAT }, { "-example.com", -ERR_FORMAT },
	{ "example-.com", -ERR_FORMAT }, { "example.-com", -ERR_FORMAT },
	{ "example.com-", -ERR_FORMAT }, { "-", -ERR_FORMAT },
	{ "Example.com", -ERR_CHARACTER }, { "ex_ample.com", -ERR_CHARACTER },
	{ "example.com:5060", -ERR_CHARACTER }, { "[::1]", -ERR_CHARACTER },
	{ "exam ple.com", -ERR_CHARACTER }, { "a@b", -ERR_CHARACTER },
	{ "b\xc3\xbc" "cher.example", -ERR_CHARACTER },
	{ "example.com\n", -ERR_CHARACTER }
};

START_TEST(domain)
{
	ck_assert_int_eq(identity_check_domain(span_str(domains[_i].name)),
	    domains[_i].rc);
}
END_TEST

START_TEST(domain_octets)
{
	for (int c = 0; c < 256; c++) {
		uint8_t name[3] = { 'a', (uint8_t)c, 'z' };
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.';

		ck_assert_msg((identity_check_domain(span_mem(name, 3)) == 0)
		    == ok, "%d", c);
	}
}
END_TEST

static const struct {
	struct span	text;
	int		rc;
} realms[] = {
	{ { (const uint8_t *)"example.com", 11 }, 0 },
	{ { (const uint8_t *)"Example Realm (x)", 17 }, 0 },
	{ { (const uint8_t *)"b\xc3\xbc" "cher", 7 }, 0 },
	{ { (const uint8_t *)D253, 253 }, 0 },
	{ { (const uint8_t *)D253 "a", 254 }, -ERR_TOO_LONG },
	{ { (const uint8_t *)"", 0 }, -ERR_FORMAT },
	{ { (const uint8_t *)"a\0b", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\"b", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\\b", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a:b", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\tb", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\r\nb", 4 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\x7f" "b", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\xc2\x85", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\xc2\x9f", 3 }, -ERR_CHARACTER },
	{ { (const uint8_t *)"a\xc2\xa0", 3 }, 0 },
	{ { (const uint8_t *)"a\xc3", 2 }, -ERR_FORMAT },
	{ { (const uint8_t *)"a\xff", 2 }, -ERR_FORMAT },
	{ { (const uint8_t *)"a\xed\xa0\x80", 4 }, -ERR_FORMAT }
};

START_TEST(realm)
{
	ck_assert_int_eq(identity_check_realm(realms[_i].text),
	    realms[_i].rc);
}
END_TEST

static const struct {
	const char	*uri;
	int		 rc;
} uris[] = {
	{ "alice@example.com", 0 }, { "a@localhost", 0 },
	{ A64 "@" D188, 0 }, { A64 "@" D188 "a", -ERR_TOO_LONG },
	{ "alice", -ERR_FORMAT }, { "alice@", -ERR_FORMAT },
	{ "@example.com", -ERR_FORMAT }, { "", -ERR_FORMAT },
	{ "@", -ERR_FORMAT }, { "alice@b@example.com", -ERR_CHARACTER },
	{ "Alice@example.com", -ERR_CHARACTER },
	{ "alice@Example.com", -ERR_CHARACTER },
	{ "alice@example.com ", -ERR_CHARACTER },
	{ " alice@example.com", -ERR_CHARACTER },
	{ "alice@example.com/phone", -ERR_CHARACTER },
	{ "sip:alice@example.com", -ERR_CHARACTER },
	{ "anonymous@example.com", -ERR_FORMAT }
};

START_TEST(parse)
{
	static const struct account none;
	struct span uri = span_str(uris[_i].uri);
	struct account out;

	memset(&out, 'x', sizeof(out));
	ck_assert_int_eq(identity_parse(uri, IDENTITY_STRICT, &out),
	    uris[_i].rc);
	if (uris[_i].rc != 0) {
		ck_assert_mem_eq(&out, &none, sizeof(out));
		return;
	}
	ck_assert(span_equal(span_str(out.localpart),
	    span_head(uri, span_find(uri, '@'))));
	ck_assert(span_equal(span_str(out.domain),
	    span_tail(uri, span_find(uri, '@') + 1)));
}
END_TEST

START_TEST(parse_wide)
{
	struct account out;

	ck_assert_int_eq(identity_parse(SPAN_LIT("+1@a.b"), IDENTITY_STRICT,
	    &out), -ERR_CHARACTER);
	ck_assert_int_eq(identity_parse(SPAN_LIT("+1@a.b"), IDENTITY_WIDE,
	    &out), 0);
	ck_assert_str_eq(out.localpart, "+1");
}
END_TEST

static const struct {
	const char	*name, *domain;
	int		 rc;
	const char	*localpart, *found;
	enum name_form	 form;
	bool		 folded;
} shown[] = {
	{ "alice", "example.com", 0, "alice", "example.com", FORM_LOCAL,
	    false },
	{ "Alice", "example.com", 0, "alice", "example.com", FORM_LOCAL,
	    true },
	{ "alice", "EXAMPLE.com", 0, "alice", "example.com", FORM_LOCAL,
	    false },
	{ "alice@example.com", "example.com", 0, "alice", "example.com",
	    FORM_FULL, false },
	{ "alice@Example.com", "example.com", 0, "alice", "example.com",
	    FORM_FULL, true },
	{ "ALICE@EXAMPLE.COM", "Example.Com", 0, "alice", "example.com",
	    FORM_FULL, true },
	{ "+49", "example.com", 0, "+49", "example.com", FORM_LOCAL, false },
	/* SIP: no domain is asked for */
	{ "alice", "", 0, "alice", "", FORM_LOCAL, false },
	{ "aLice", "", 0, "alice", "", FORM_LOCAL, true },
	{ "alice@example.org", "", 0, "alice", "example.org", FORM_FULL,
	    false },
	{ A64 "@" D188, D188, 0, A64, D188, FORM_FULL, false },
	/* foreign */
	{ "alice@example.org", "example.com", -ERR_FOREIGN, "", "", 0, 0 },
	{ "alice@xexample.com", "example.com", -ERR_FOREIGN, "", "", 0, 0 },
	{ "alice@example.com.org", "example.com", -ERR_FOREIGN, "", "", 0,
	    0 },
	/* outside the grammar */
	{ "", "example.com", -ERR_FORMAT, "", "", 0, 0 },
	{ "", "", -ERR_FORMAT, "", "", 0, 0 },
	{ "@", "", -ERR_FORMAT, "", "", 0, 0 },
	{ "@example.com", "example.com", -ERR_FORMAT, "", "", 0, 0 },
	{ "alice@", "example.com", -ERR_FORMAT, "", "", 0, 0 },
	{ "alice@", "", -ERR_FORMAT, "", "", 0, 0 },
	{ "alice@b@example.com", "example.com", -ERR_CHARACTER, "", "", 0,
	    0 },
	{ "alice@@example.com", "example.com", -ERR_CHARACTER, "", "", 0, 0 },
	{ "alice@example.com@", "", -ERR_CHARACTER, "", "", 0, 0 },
	{ "alice@example.com.", "example.com", -ERR_FORMAT, "", "", 0, 0 },
	{ "alice", "example.com.", -ERR_FORMAT, "", "", 0, 0 },
	{ "alice", "exam ple", -ERR_CHARACTER, "", "", 0, 0 },
	{ "alice@a.b", "a_b", -ERR_CHARACTER, "", "", 0, 0 },
	{ "anonymous", "example.com", -ERR_FORMAT, "", "", 0, 0 },
	{ "Anonymous", "", -ERR_FORMAT, "", "", 0, 0 },
	{ " alice", "example.com", -ERR_CHARACTER, "", "", 0, 0 },
	{ "alice ", "example.com", -ERR_CHARACTER, "", "", 0, 0 },
	{ "alice\n", "example.com", -ERR_CHARACTER, "", "", 0, 0 },
	{ "al\x01ice", "", -ERR_CHARACTER, "", "", 0, 0 },
	{ "al\xc3\xadice", "", -ERR_CHARACTER, "", "", 0, 0 },
	{ "al\xff" "ce", "", -ERR_CHARACTER, "", "", 0, 0 },
	{ "alice@ex\xc3\xa4mple", "", -ERR_CHARACTER, "", "", 0, 0 },
	{ A64 "a", "", -ERR_TOO_LONG, "", "", 0, 0 },
	{ A64, D188 "a", -ERR_TOO_LONG, "", "", 0, 0 },
	{ "a", D253, -ERR_TOO_LONG, "", "", 0, 0 },
	{ "a@" D253, "", -ERR_TOO_LONG, "", "", 0, 0 },
	{ "a", D253 "a", -ERR_TOO_LONG, "", "", 0, 0 }
};

START_TEST(present)
{
	static const struct presented none;
	struct presented out;

	memset(&out, 'x', sizeof(out));
	ck_assert_int_eq(identity_present(span_str(shown[_i].name),
	    span_str(shown[_i].domain), &out), shown[_i].rc);
	if (shown[_i].rc != 0) {
		ck_assert_mem_eq(&out, &none, sizeof(out));
		return;
	}
	ck_assert_str_eq(out.account.localpart, shown[_i].localpart);
	ck_assert_str_eq(out.account.domain, shown[_i].found);
	ck_assert_int_eq(out.form, shown[_i].form);
	ck_assert_int_eq(out.folded, shown[_i].folded);
}
END_TEST

/* NUL never ends a name early. */
START_TEST(present_nul)
{
	struct presented out;

	ck_assert_int_eq(identity_present(span_mem("alice\0", 6),
	    SPAN_LIT("example.com"), &out), -ERR_CHARACTER);
	ck_assert_int_eq(identity_present(span_mem("alice\0@example.com", 18),
	    SPAN_EMPTY, &out), -ERR_CHARACTER);
	ck_assert_int_eq(identity_present(span_mem("alice@example.com\0", 18),
	    SPAN_EMPTY, &out), -ERR_CHARACTER);
	ck_assert_int_eq(identity_present(SPAN_LIT("alice"),
	    span_mem("example.com\0", 12), &out), -ERR_CHARACTER);
	ck_assert_int_eq(identity_present(SPAN_EMPTY, SPAN_EMPTY, &out),
	    -ERR_FORMAT);
}
END_TEST

/* No single octet in a name yields a name that could not be stored. */
START_TEST(present_octets)
{
	for (int c = 0; c < 256; c++) {
		uint8_t name[3] = { 'a', (uint8_t)c, 'z' };
		struct presented out;

		if (identity_present(span_mem(name, 3), SPAN_EMPTY, &out) != 0)
			continue;
		ck_assert_int_eq(identity_check_localpart(
		    span_str(out.account.localpart), IDENTITY_WIDE), 0);
		ck_assert_int_eq(out.folded, c >= 'A' && c <= 'Z');
		ck_assert_int_eq(out.form == FORM_FULL, c == '@');
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("identity");
	TCase *tc = tcase_create("identity");

	tcase_add_loop_test(tc, localpart, 0, COUNT(localparts));
	tcase_add_test(tc, localpart_octets);
	tcase_add_loop_test(tc, domain, 0, COUNT(domains));
	tcase_add_test(tc, domain_octets);
	tcase_add_loop_test(tc, realm, 0, COUNT(realms));
	tcase_add_loop_test(tc, parse, 0, COUNT(uris));
	tcase_add_test(tc, parse_wide);
	tcase_add_loop_test(tc, present, 0, COUNT(shown));
	tcase_add_test(tc, present_nul);
	tcase_add_test(tc, present_octets);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
