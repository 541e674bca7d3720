/*
 * DESIGN 6.9: whose name a request bears. A table of requests as they arrive,
 * what is decided at sight, what is asked, and what each answer means.
 */

#include <stdio.h>
#include <string.h>

#include "service/sip_identity.h"
#include "unit.h"

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))
#define DOMAIN		IDENTITY_CHECK_DOMAIN
#define STRICT		IDENTITY_CHECK_STRICT
#define OFF		IDENTITY_CHECK_OFF
#define PASS		SIP_IDENTITY_PASS
#define REFUSE		SIP_IDENTITY_REFUSE
#define ASK		SIP_IDENTITY_ASK
#define LONG		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONGER		LONG LONG LONG LONG LONG

static const struct account alice = { "alice", "example.com" };

/* A request of alice's; tag: To has one. */
static const struct identity_case {
	const char		*method, *from, *to;
	bool			 tag;
	enum identity_check	 rule;
	enum sip_identity	 expected;
	const char		*user, *host;	/* asked */
} cases[] = {
	/* Her own name. */
	{ "INVITE", "sip:alice@example.com", "sip:bob@example.com", false,
	    DOMAIN, PASS, NULL, NULL },
	{ "INVITE", "sip:alice@example.com", "sip:bob@example.com", false,
	    STRICT, PASS, NULL, NULL },
	{ "INVITE", "sips:ALICE@EXAMPLE.COM:5061;transport=tls", "sip:b@x",
	    false, STRICT, PASS, NULL, NULL },
	{ "INVITE", "sip:%61lic%65@example.com", "sip:b@x", false, STRICT,
	    PASS, NULL, NULL },
	{ "INVITE", "sip:alice;x=y@example.com.", "sip:b@x", false, STRICT,
	    PASS, NULL, NULL },
	{ "INVITE", "sip:alice:secret@example.com", "sip:b@x", false, STRICT,
	    PASS, NULL, NULL },

	/* Another's. */
	{ "INVITE", "sip:bob@example.com", "sip:alice@example.com", false,
	    DOMAIN, ASK, "bob", "example.com" },
	{ "INVITE", "sip:bob@example.com", "sip:alice@example.com", false,
	    STRICT, ASK, "bob", "example.com" },
	{ "INVITE", "sip:bob@example.com", "sip:alice@example.com", false,
	    OFF, PASS, NULL, NULL },
	{ "INVITE", "SIP:B%4fB@Example.COM;x=y?h=v", "sip:b@x", false, DOMAIN,
	    ASK, "bob", "example.com" },
	{ "INVITE", "sip:bob;alice@example.com.", "sip:b@x", false, DOMAIN,
	    ASK, "bob", "example.com" },
	{ "INVITE", "sip:alice@example.net", "sip:b@x", false, DOMAIN,
	    ASK, "alice", "example.net" },
	{ "INVITE", "sip:alice@192.0.2.1", "sip:b@x", false, DOMAIN,
	    ASK, "alice", "192.0.2.1" },
	{ "INVITE", "sip:+49301234@example.com;user=phone", "sip:b@x", false,
	    STRICT, ASK, "+49301234", "example.com" },
	{ "INVITE", "sip:j%C3%BCrgen@example.com", "sip:b@x", false, DOMAIN,
	    ASK, "j\xc3\xbcrgen", "example.com" },
	{ "INVITE", "tel:+49-30-(12)34;phone-context=x", "sip:b@x", false,
	    STRICT, ASK, "+49301234", "" },
	{ "INVITE", "TEL:112", "sip:b@x", false, DOMAIN, ASK, "112", "" },
	{ "OPTIONS", "sip:bob@example.com", "sip:x@y", false, DOMAIN, ASK,
	    "bob", "example.com" },

	/* No name. */
	{ "INVITE", "sip:anonymous@anonymous.invalid", "sip:b@x", false,
	    STRICT, PASS, NULL, NULL },
	{ "INVITE", "sip:Anonymous@Anonymous.Invalid", "sip:b@x", false,
	    DOMAIN, PASS, NULL, NULL },
	{ "INVITE", "sip:anonymous@example.com", "sip:b@x", false, STRICT,
	    ASK, "anonymous", "example.com" },
	{ "REGISTER", "sip:a@b", "sip:anonymous@anonymous.invalid", false,
	    STRICT, ASK, "anonymous", "anonymous.invalid" },

	/* In a dialog: never refused. */
	{ "BYE", "sip:bob@example.com", "sip:alice@example.com", true,
	    STRICT, PASS, NULL, NULL },
	{ "BYE", "sip:office@example.net", "sip:alice@example.com", true,
	    DOMAIN, PASS, NULL, NULL },
	{ "INVITE", "garbage", "sip:alice@example.com", true, STRICT, PASS,
	    NULL, NULL },

	/* REGISTER: To, whatever From is; a tag does not help. */
	{ "REGISTER", "sip:bob@example.com", "sip:alice@example.com", false,
	    STRICT, PASS, NULL, NULL },
	{ "REGISTER", "sip:alice@example.com", "sip:bob@example.com", false,
	    DOMAIN, ASK, "bob", "example.com" },
	{ "REGISTER", "sip:alice@example.com", "sip:bob@example.com", true,
	    DOMAIN, ASK, "bob", "example.com" },
	{ "REGISTER", "sip:alice@example.com", "sip:bob@example.com", true,
	    OFF, PASS, NULL, NULL },
	{ "register", "sip:alice@example.com", "sip:bob@example.com", false,
	    DOMAIN, ASK, "bob", "example.com" },
	{ "Register", "sip:alice@example.com", "sip:bob@example.com", true,
	    DOMAIN, ASK, "bob", "example.com" },
	{ "REGISTER", "sip:a@b", "sip:bob@example.net", false, OFF, PASS,
	    NULL, NULL },
	{ "REGISTER", "sip:a@b", "urn:bob", false, DOMAIN, REFUSE, NULL,
	    NULL },
	{ "REGISTER", "sip:a@b", "sip:example.com", false, DOMAIN, REFUSE,
	    NULL, NULL },
	{ "REGISTER", "sip:a@b", "sip:b%FFb@example.com", false, DOMAIN,
	    REFUSE, NULL, NULL },
	{ "REGISTER", "sip:a@b", "sip:" LONGER "@example.com", false, DOMAIN,
	    REFUSE, NULL, NULL },

	/* What can be nobody of ours. */
	{ "INVITE", "mailto:alice@example.com", "sip:b@x", false, STRICT,
	    REFUSE, NULL, NULL },
	{ "INVITE", "mailto:alice@example.com", "sip:b@x", false, DOMAIN,
	    PASS, NULL, NULL },
	{ "INVITE", "sip:example.com", "sip:b@x", false, STRICT, REFUSE,
	    NULL, NULL },
	{ "INVITE", "sip:example.com", "sip:b@x", false, DOMAIN, PASS, NULL,
	    NULL },
	{ "INVITE", "sip:j%FCrgen@example.com", "sip:b@x", false, DOMAIN,
	    PASS, NULL, NULL },
	{ "INVITE", "sip:j%FCrgen@example.com", "sip:b@x", false, STRICT,
	    REFUSE, NULL, NULL },
	{ "INVITE", "sip:" LONGER "@example.com", "sip:b@x", false, DOMAIN,
	    PASS, NULL, NULL },
	{ "INVITE", "sip:" LONGER "@example.com", "sip:b@x", false, STRICT,
	    REFUSE, NULL, NULL },
	{ "INVITE", "tel:", "sip:b@x", false, STRICT, REFUSE, NULL, NULL },

	/* What another reader could take for bob: refused by any rule. */
	{ "INVITE", "", "sip:b@x", false, DOMAIN, REFUSE, NULL, NULL },
	{ "INVITE", "bob", "sip:b@x", false, DOMAIN, REFUSE, NULL, NULL },
	{ "INVITE", "sip :bob@example.com", "sip:b@x", false, DOMAIN, REFUSE,
	    NULL, NULL },
	{ "INVITE", " sip:bob@example.com", "sip:b@x", false, DOMAIN, REFUSE,
	    NULL, NULL },
	{ "INVITE", "sip:bob%00x@example.com", "sip:b@x", false, DOMAIN,
	    REFUSE, NULL, NULL },
	{ "INVITE", "sip:bob%0d%0a@example.com", "sip:b@x", false, DOMAIN,
	    REFUSE, NULL, NULL },
	{ "INVITE", "sip:bob%zz@example.com", "sip:b@x", false, DOMAIN,
	    REFUSE, NULL, NULL },
	{ "INVITE", "sip:bob%4", "sip:b@x", false, DOMAIN, REFUSE, NULL,
	    NULL },
	{ "INVITE", "sip:bob%4@example.com", "sip:b@x", false, DOMAIN, REFUSE,
	    NULL, NULL },
	{ "INVITE", "sip:bob@example.com@example.net", "sip:b@x", false,
	    DOMAIN, REFUSE, NULL, NULL },
	{ "REGISTER", "sip:alice@example.com", "", false, DOMAIN, REFUSE,
	    NULL, NULL },
};

START_TEST(check)
{
	const struct identity_case *c = &cases[_i];
	struct sip_message message;
	struct sip_identity_question question;
	enum sip_identity found;

	memset(&message, 0, sizeof(message));
	message.method = span_str(c->method);
	message.from.uri = span_str(c->from);
	message.from.tag = SPAN_LIT("from");
	message.to.uri = span_str(c->to);
	if (c->tag)
		message.to.tag = SPAN_LIT("to");
	found = sip_identity_check(&message, &alice, c->rule, &question);
	ck_assert_msg(found == c->expected, "%s %s %s: %d", c->method,
	    c->from, c->to, found);
	if (found == ASK) {
		ck_assert_str_eq(question.user, c->user);
		ck_assert_str_eq(question.host, c->host);
	}
}
END_TEST

/*
 * Addresses that a registrar which looks at the user part alone takes for
 * ones of the domain: as aliases only, whatever the rule is.
 */
static const struct disguise_case {
	const char	*method, *uri;
	bool		 strictly;
} disguises[] = {
	{ "REGISTER", "sip:bob@example.net", true },
	{ "register", "sip:bob@example.net", true },
	{ "REGISTER", "sip:bob@192.0.2.1:5060", true },
	{ "REGISTER", "sip:1001@[2001:db8::1]", true },
	{ "REGISTER", "tel:bob", true },
	{ "REGISTER", "tel:+49-30-1234", true },
	{ "REGISTER", "sip:anonymous@anonymous.invalid", true },
	/* Another's by its account, not by its host. */
	{ "REGISTER", "sip:bob@example.com", false },
	{ "REGISTER", "sip:1001@example.com.", false },
	{ "REGISTER", "sip:alice@192.0.2.1", false },
	/* From binds nothing. */
	{ "INVITE", "sip:bob@example.net", false },
	{ "OPTIONS", "tel:+49-30-1234", false }
};

START_TEST(disguise)
{
	static const enum identity_check rules[] = { DOMAIN, STRICT };
	const struct disguise_case *c = &disguises[_i];
	struct sip_identity_question question;
	struct sip_message message;

	memset(&message, 0, sizeof(message));
	message.method = span_str(c->method);
	message.from.uri = message.to.uri = span_str(c->uri);
	for (int i = 0; i < COUNT(rules); i++) {
		ck_assert_msg(sip_identity_check(&message, &alice, rules[i],
		    &question) == ASK, "%s", c->uri);
		ck_assert_msg(question.rule == (c->strictly ? STRICT :
		    rules[i]), "%s", c->uri);
	}
}
END_TEST

static const struct owner_case {
	const char		*answer;
	enum identity_check	 rule;
	bool			 known;
	enum sip_identity	 expected;
} owners[] = {
	{ "alias", DOMAIN, true, PASS },
	{ "alias", STRICT, true, PASS },
	{ "account", DOMAIN, true, REFUSE },
	{ "account", STRICT, true, REFUSE },
	{ "none", DOMAIN, true, PASS },
	{ "none", STRICT, true, REFUSE },
	{ "", DOMAIN, false, REFUSE },
	{ "ALIAS", DOMAIN, false, REFUSE },
	{ "alias ", STRICT, false, REFUSE },
	{ "nobody", DOMAIN, false, REFUSE },
};

START_TEST(owned)
{
	const struct owner_case *c = &owners[_i];
	enum sip_identity out = PASS;

	ck_assert(sip_identity_owned(span_str(c->answer), c->rule, &out) ==
	    c->known);
	ck_assert_int_eq(out, c->expected);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *suite = suite_create("sip_identity");
	TCase *tc = tcase_create("DESIGN 6.9");

	tcase_add_loop_test(tc, check, 0, COUNT(cases));
	tcase_add_loop_test(tc, disguise, 0, COUNT(disguises));
	tcase_add_loop_test(tc, owned, 0, COUNT(owners));
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(unit_suite)
