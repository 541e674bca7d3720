/*
 * SIP requests: the messages of RFC 4475, each field alone, what two readers
 * could take for two different requests, limits, and time.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/sip_message.h"
#include "sip_messages.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BYTES(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }
#define START		"REGISTER sip:example.com SIP/2.0\r\n"
#define OTHERS		"Call-ID: 1@example.com\r\nCSeq: 7 REGISTER\r\n"
#define PARTIES		"From: <sip:a@example.com>;tag=1\r\n" \
			"To: <sip:a@example.com>\r\n"
#define END		"\r\n"

static char buffer[SIP_MESSAGE_MAX + 1];
static struct sip_message message;

static const struct {
	const char *section;
	struct span text;
	const char *method, *from, *from_tag, *to, *to_tag, *call_id;
	uint32_t cseq;
	size_t contacts, rows;
	const char *last_contact;
	size_t body;
} valid[] = {
	{ "3.1.1.1", BYTES(WSINV), "INVITE", "sip:jdrosen@example.com",
	    "98asjd8", "sip:vivekg@chair-dnrc.example.com", "1918181833n",
	    "wsinv.ndaksdj@192.0.2.1", 9, 1, 0,
	    "\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam ="
	    "\r\n      newvalue ;\r\n  secondparam ; q = 0.33", 5 },
	{ "3.1.1.2 without NUL", BYTES(INTMETH),
	    "!interesting-Method0123456789_*+`.%indeed'~",
	    "sip:mundane@example.com", "_token~1'+`*%!-.",
	    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
	    "", "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{", 139122385, 0,
	    0, "", 0 },
	{ "3.1.1.3", BYTES(ESC01), "INVITE",
	    "sip:I%20have%20spaces@example.net", "938",
	    "sip:%75se%72@example.com", "",
	    "esc01.239409asdfakjkn23onasd0-3234", 234234, 1, 0,
	    "<sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>",
	    5 },
	{ "3.1.1.4", BYTES(ESCNULL), "REGISTER",
	    "sip:null-%00-null@example.com", "839923423",
	    "sip:null-%00-null@example.com", "",
	    "escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd", 14398234, 2, 0,
	    "<sip:%00%00@host5.example.com>", 0 },
	{ "3.1.1.5", BYTES(ESC02), "RE%47IST%45R",
	    "sip:resource@example.com", "f232jadfj23",
	    "sip:resource@example.com", "",
	    "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf", 29344, 2, 0,
	    "<sip:alias3@host3.example.com>", 0 },
	{ "3.1.1.6", BYTES(LWSDISP), "OPTIONS", "sip:caller@example.com",
	    "323", "sip:user@example.com", "",
	    "lwsdisp.1234abcd@funky.example.com", 60, 0, 0, "", 0 },
	{ "3.1.1.8", BYTES(DBLREQ), "REGISTER", "sip:j.user@example.com",
	    "43251j3j324", "sip:j.user@example.com", "",
	    "dblreq.0ha0isndaksdj99sdfafnl3lk233412", 8, 1, 0,
	    "sip:j.user@host.example.com", 169 },
	{ "3.1.1.9", BYTES(SEMIURI), "OPTIONS", "sip:caller@example.org",
	    "33242", "sip:j_user@example.com", "", "semiuri.0ha0isndaksdj", 8,
	    0, 0, "", 0 },
	{ "3.1.1.11", BYTES(MPART01), "MESSAGE", "sip:fluffy@example.com",
	    "2fb0dcc9", "sip:kumiko@example.org", "",
	    "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..", 1, 1, 0,
	    "<sip:fluffy@127.0.0.1:5070>", 51 },
	/* What is wrong in these is not ours to judge. */
	{ "3.1.2.1", BYTES(BADINV01), "INVITE", "sip:caller@example.net",
	    "134161461246", "sip:j.user@example.com", "",
	    "badinv01.0ha0isndaksdjasdf3234nas", 8, 1, 0,
	    "\"Joe\" <sip:joe@example.org>;;;;", 5 },
	{ "3.1.2.2", BYTES(CLERR), "INVITE", "sip:caller@example.net",
	    "93942939o2", "sip:j.user@example.com", "",
	    "clerr.0ha0isndaksdjweiafasdk3", 8, 1, 0,
	    "<sip:caller@hungry.example.net>", 5 },
	{ "3.1.2.11", BYTES(ESCRURI), "INVITE", "sip:caller@example.net",
	    "341518", "sip:user@example.com", "",
	    "escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5", 149209342,
	    1, 0, "<sip:caller@host39923.example.net>", 0 },
	{ "3.1.2.13", BYTES(REGBADCT), "REGISTER", "sip:user@example.com",
	    "998332", "sip:user@example.com", "",
	    "regbadct.k345asrl3fdbv@10.0.0.1", 1, 1, 0,
	    "sip:user@example.com?Route=%3Csip:sip.example.com%3E", 0 },
	{ "3.3.2", BYTES(UNKSCM), "OPTIONS", "sip:caller@example.net", "384",
	    "sip:user@example.com", "", "unkscm.nasdfasser0q239nwsdfasdkl34",
	    3923423, 0, 0, "", 0 },
	{ "3.3.3", BYTES(NOVELSC), "OPTIONS", "sip:caller@example.net", "384",
	    "sip:user@example.com", "", "novelsc.asdfasser0q239nwsdfasdkl34",
	    3923423, 0, 0, "", 0 },
	{ "3.3.4", BYTES(UNKSM2), "REGISTER", "http://www.example.com",
	    "3234233", "isbn:2983792873", "",
	    "unksm2.daksdj@hyphenated-host.example.com", 234902, 1, 0,
	    "<name:John_Smith>", 0 },
	{ "3.3.7", BYTES(REGAUT01), "REGISTER", "sip:j.user@example.com",
	    "87321hj23128", "sip:j.user@example.com", "",
	    "regaut01.0ha0isndaksdj", 9338, 0, 1, "", 0 },
	{ "3.4.1", BYTES(INV2543), "INVITE",
	    "sip:+13035551111@ift.client.example.net;user=phone", "",
	    "sip:+16505552222@ss1.example.net", "",
	    "inv2543.1717@ift.client.example.com", 56, 0, 0, "", 5 }
};

#define is(got, want)	ck_assert_msg(span_equal(got, span_str(want)), \
	"%s: got %.*s", valid[_i].section, (int)(got).n, (const char *)(got).p)

static size_t
contact_count(struct span *last)
{
	size_t count = 0;

	for (size_t i = 0; i < message.effect_count; i++) {
		if (message.effects[i].name != SIP_CONTACT)
			continue;
		*last = message.effects[i].value;
		count++;
	}
	return count;
}

static void
check_valid(int _i)
{
	struct span last = SPAN_EMPTY;

	is(message.method, valid[_i].method);
	is(message.from.uri, valid[_i].from);
	is(message.from.tag, valid[_i].from_tag);
	is(message.to.uri, valid[_i].to);
	is(message.to.tag, valid[_i].to_tag);
	is(message.call_id, valid[_i].call_id);
	ck_assert_uint_eq(message.cseq, valid[_i].cseq);
	ck_assert_uint_eq(contact_count(&last), valid[_i].contacts);
	if (valid[_i].contacts > 0)
		is(last, valid[_i].last_contact);
	ck_assert_uint_eq(message.row_count, valid[_i].rows);
}

START_TEST(rfc4475_valid)
{
	struct span in = valid[_i].text;

	ck_assert_int_eq(sip_message_parse(in, SIP_REGISTRAR, &message), 0);
	check_valid(_i);
	ck_assert_uint_eq(message.body.n, valid[_i].body);
	if (message.body.n > 0)
		ck_assert_ptr_eq(message.body.p + message.body.n,
		    in.p + in.n);
}
END_TEST

/* The same with LF alone, but for bodies. */
START_TEST(rfc4475_valid_lf)
{
	struct span in = valid[_i].text;
	size_t n = 0;

	for (size_t i = 0; i < in.n - valid[_i].body; i++)
		if (in.p[i] != '\r')
			buffer[n++] = (char)in.p[i];
	if (valid[_i].contacts > 0 && strchr(valid[_i].last_contact, '\r'))
		return;
	ck_assert_int_eq(sip_message_parse(span_mem(buffer, n),
	    SIP_REGISTRAR, &message), 0);
	check_valid(_i);
	ck_assert_uint_eq(message.body.n, 0);
}
END_TEST

/* Each prefix, in memory that ends with it. */
START_TEST(rfc4475_truncated)
{
	struct span in = valid[_i].text;

	for (size_t n = 0; n < in.n; n++) {
		uint8_t *copy = malloc(n == 0 ? 1 : n);
		int rc, want = n < in.n - valid[_i].body ? -ERR_FORMAT : 0;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, in.p, n);
		rc = sip_message_parse(span_mem(copy, n), SIP_PROXY,
		    &message);
		free(copy);
		ck_assert_msg(rc == want, "%s: %zu octets: %d",
		    valid[_i].section, n, rc);
		if (rc != 0)
			ck_assert(message.method.n == 0 &&
			    message.from.uri.n == 0 && message.row_count == 0);
	}
}
END_TEST

/* from -> to mends it: nothing else is wrong with the message. */
static const struct {
	const char *section;
	struct span text;
	const char *from, *to;
} invalid[] = {
	{ "3.1.2.4", BYTES(SCALAR02), "36893488147419103232", "4294967295" },
	{ "3.1.2.6", BYTES(QUOTBAL), "User <", "User\"<" },
	{ "3.1.2.7", BYTES(LTGTRURI), "<sip:user@example.com> SIP",
	    "sip:user@example.com SIP" },
	{ "3.1.2.8", BYTES(LWSRURI), "; lr", ";lr" },
	{ "3.1.2.9, first", BYTES(LWSSTART),
	    "INVITE  sip:user@example.com  ", "INVITE sip:user@example.com " },
	{ "3.1.2.10", BYTES(TRWS), "SIP/2.0  \r\n", "SIP/2.0\r\n" },
	{ "3.1.2.14", BYTES(BADASPEC), "< sip:t.watson@example.org >",
	    "<sip:t.watson@example.org>" },
	{ "3.1.2.15", BYTES(BADDN), "Bell, Alex", "Bell Alex" },
	{ "3.1.2.16", BYTES(BADVERS), "OPTIONS sip:t.watson@example.org SIP/7",
	    "OPTIONS sip:t.watson@example.org SIP/2" },
	{ "3.1.2.17", BYTES(MISMATCH01), "8 INVITE", "8 OPTIONS" },
	{ "3.1.2.18", BYTES(MISMATCH02), "8 INVITE", "8 NEWMETHOD" },
	{ "3.1.2.19", BYTES(BIGCODE),
	    "SIP/2.0 4294967301 better not break the receiver",
	    "INVITE sip:user@example.edu SIP/2.0" },
	{ "3.3.1", BYTES(INSUF), "\r\nVia", "\r\n" PARTIES "i: 1\r\nVia" },
	{ "own: no SP", BYTES("REGISTER" END START PARTIES OTHERS END),
	    "REGISTER" END, "" },
	{ "own: version", BYTES("REGISTER sip:a SIP/2.00" END PARTIES OTHERS
	    END), "2.00", "2.0" },
	{ "own: no URI", BYTES("REGISTER  SIP/2.0" END PARTIES OTHERS END),
	    "  ", " x " },
	{ "own: HTAB", BYTES("REGISTER sip:a\tSIP/2.0" END PARTIES OTHERS
	    END), "\t", " " },
	{ "own: folded request line", BYTES("REGISTER sip:a\r\n SIP/2.0" END
	    PARTIES OTHERS END), "\r\n SIP", " SIP" },
	{ "own: fold where fields begin", BYTES(START " x" END PARTIES OTHERS
	    END), " x\r\n", "" },
	{ "own: bare CR", BYTES(START PARTIES "Subject: a\rTo: b" END OTHERS
	    END), "\rTo", "To" },
	{ "own: CR CR LF", BYTES(START PARTIES "Subject: a\r\r\n" OTHERS
	    END), "\r\r\n", "\r\n" },
	{ "own: no colon", BYTES(START PARTIES "Subject" END OTHERS END),
	    "Subject", "Subject:" },
	{ "own: no name", BYTES(START PARTIES ": x" END OTHERS END), ": x",
	    "x: x" },
	{ "own: blank name", BYTES(START PARTIES "To x: y" END OTHERS END),
	    "To x", "Tox" },
	{ "own: folded name", BYTES(START PARTIES "Subject\r\n : x" END OTHERS
	    END), "\r\n : x", " : x" },
	{ "own: two From, compact", BYTES(START PARTIES "f: <sip:b@c>" END
	    OTHERS END), "f:", "g:" },
	{ "own: two To, compact", BYTES(START PARTIES "T\t: <sip:b@c>" END
	    OTHERS END), "T\t:", "g:" },
	{ "own: two Call-ID, compact", BYTES(START PARTIES "I: 1@example.com"
	    END OTHERS END), "I:", "g:" },
	{ "own: two CSeq", BYTES(START PARTIES "CSEQ: 7 REGISTER" END OTHERS
	    END), "CSEQ:", "g:" },
	{ "own: the body has CSeq", BYTES(START PARTIES "i: 1" END END
	    "CSeq: 7 REGISTER" END END), "i: 1" END END, "i: 1" END },
	{ "own: CSeq in small letters", BYTES(START PARTIES
	    "i: 1" END "CSeq: 7 register" END END), "register", "REGISTER" },
	{ "own: CSeq 2**32", BYTES(START PARTIES "i: 1" END
	    "CSeq: 4294967296 REGISTER" END END), "7296", "7295" },
	{ "own: CSeq -1", BYTES(START PARTIES "i: 1" END
	    "CSeq: -1 REGISTER" END END), "-1", "0001" },
	{ "own: CSeq without blank", BYTES(START PARTIES "i: 1" END
	    "CSeq: 1REGISTER" END END), "1R", "1\t R" },
	{ "own: CSeq without method", BYTES(START PARTIES "i: 1" END
	    "CSeq: 1" END END), "CSeq: 1", "CSeq: 1 REGISTER" },
	{ "own: empty Call-ID", BYTES(START PARTIES "i:" END
	    "CSeq: 7 REGISTER" END END), "i:", "i:1" },
	{ "own: two words of Call-ID", BYTES(START PARTIES "i: 1 2" END
	    "CSeq: 7 REGISTER" END END), "1 2", "1,2" }
};

/* Text with the first `from` replaced, in buffer. */
static struct span
mended(struct span text, const char *from, const char *to)
{
	const uint8_t *hit = memmem(text.p, text.n, from, strlen(from));
	size_t before, after;

	ck_assert_ptr_nonnull(hit);
	before = (size_t)(hit - text.p);
	after = text.n - before - strlen(from);
	memcpy(buffer, text.p, before);
	memcpy(buffer + before, to, strlen(to));
	memcpy(buffer + before + strlen(to), hit + strlen(from), after);
	return span_mem(buffer, before + strlen(to) + after);
}

START_TEST(rfc4475_invalid)
{
	struct span in = invalid[_i].text;

	ck_assert_msg(sip_message_parse(in, SIP_PROXY, &message) ==
	    -ERR_FORMAT, "%s", invalid[_i].section);
	ck_assert(message.method.n == 0 && message.from.value.n == 0);
	in = mended(in, invalid[_i].from, invalid[_i].to);
	ck_assert_msg(sip_message_parse(in, SIP_PROXY, &message) == 0,
	    "%s, mended", invalid[_i].section);
}
END_TEST

START_TEST(rfc4475_3_1_1_2_nul)
{
	struct span in = BYTES(INTMETH_NUL);

	ck_assert_int_eq(sip_message_parse(in, SIP_PROXY, &message),
	    -ERR_FORMAT);
}
END_TEST

START_TEST(rfc4475_3_3_8_each_alone)
{
	static const char *const second[] = {
		"CSeq: 59", "Call-ID: multi01.98asdh@192.0.2.2",
		"To: sip:other", "From: sip:caller@example.net"
	};
	struct span in = BYTES(MULTI01), last;

	/* Until the last of them is gone it stays refused. */
	for (size_t i = 0; i < COUNT(second); i++) {
		char name[64];

		ck_assert_int_eq(sip_message_parse(in, SIP_PROXY, &message),
		    -ERR_FORMAT);
		snprintf(name, sizeof(name), "X-%s", second[i]);
		in = mended(in, second[i], name);
		memcpy(buffer + sizeof(buffer) / 2, buffer, in.n);
		in.p = (uint8_t *)buffer + sizeof(buffer) / 2;
	}
	ck_assert_int_eq(sip_message_parse(in, SIP_PROXY, &message), 0);
	ck_assert_uint_eq(contact_count(&last), 2);
}
END_TEST

/* uri NULL: refused. */
static const struct {
	const char *value, *uri, *tag;
} parties[] = {
	{ "<sip:a@b>", "sip:a@b", "" },
	{ "sip:a@b", "sip:a@b", "" },
	{ "sip:a@b;tag=1", "sip:a@b", "1" },
	{ "<sip:a@b;tag=uri>", "sip:a@b;tag=uri", "" },
	{ "<sip:a@b;tag=uri>;tag=field", "sip:a@b;tag=uri", "field" },
	{ "sip:a@b;x=y;TAG = 1;z", "sip:a@b", "1" },
	{ "<sip:a@b>\r\n ;\r\n x=\";tag=2\"\r\n\t; tag\r\n =\r\n 1",
	    "sip:a@b", "1" },
	{ "<sip:a@b>;x=\"\\\";tag=2\";tag=1", "sip:a@b", "1" },
	{ "<sip:a@b>;;tag=1;", "sip:a@b", "1" },
	{ "<sip:a@b>;tag=", "sip:a@b", "" },
	{ "<sip:a@b>;tag", "sip:a@b", "" },
	{ "<sip:a@b>;ttag=1;tagg=2", "sip:a@b", "" },
	{ "<sip:a@b>;h=[2001:db8::1];tag=1", "sip:a@b", "1" },
	{ "\"A, B\" <sip:a@b>", "sip:a@b", "" },
	{ "\"<sip:evil@c>\" <sip:a@b>", "sip:a@b", "" },
	{ "\"\\\"<sip:evil@c>\" <sip:a@b>", "sip:a@b", "" },
	{ "\"\\\\\"<sip:a@b>", "sip:a@b", "" },
	{ "\"x;tag=2\"<sip:a@b>;tag=1", "sip:a@b", "1" },
	{ "\"\"<sip:a@b>", "sip:a@b", "" },
	{ "A. B (c) <sip:a@b>", "sip:a@b", "" },
	{ "\303\204 <sip:a@b>", "sip:a@b", "" },
	{ "\"folded\r\n name\" <sip:a@b>", "sip:a@b", "" },
	{ "<tel:+1-201-555-0123>", "tel:+1-201-555-0123", "" },
	{ "", NULL, NULL }, { "<>", NULL, NULL }, { ";tag=1", NULL, NULL },
	{ "A> <sip:a@b>", NULL, NULL },
	{ "<sip:a@b", NULL, NULL }, { "sip:a@b>", NULL, NULL },
	{ "\"A\"", NULL, NULL }, { "\"A\" sip:a@b", NULL, NULL },
	{ "A sip:a@b", NULL, NULL }, { "sip:a@b c", NULL, NULL },
	{ "sip:a@b\r\n c", NULL, NULL }, { "\"A <sip:a@b>", NULL, NULL },
	{ "\"A\\\" <sip:a@b>", NULL, NULL }, { "A, B <sip:a@b>", NULL, NULL },
	{ "<sip:a@b>, <sip:c@d>", NULL, NULL },
	{ "<sip:a@b>;tag=1, <sip:c@d>", NULL, NULL },
	{ "sip:a@b, sip:c@d", NULL, NULL },
	{ "<sip:a@b> <sip:c@d>", NULL, NULL }, { "<sip:a@b>x", NULL, NULL },
	{ "<sip:a@b>;tag=1;tag=1", NULL, NULL },
	{ "<sip:a@b>;tag;TAG=1", NULL, NULL },
	{ "<sip:a@b>;tag=\"1\"", NULL, NULL },
	{ "<sip:a@b>;tag=1 2", NULL, NULL }, { "<sip:a@b>;=1", NULL, NULL },
	{ "<sip:a@b>;x=\"1", NULL, NULL }, { "<sip:a@b>;x=<1>", NULL, NULL },
	{ "sip:a@b;x=<sip:c@d>", NULL, NULL },
	{ "<sip:a@b<sip:c@d>", NULL, NULL }, { "<sip:\"a\"@b>", NULL, NULL }
};

START_TEST(rfc3261_20_10_party)
{
	bool ok = parties[_i].uri != NULL;
	int n;

	/* As To, and then as From behind another To. */
	for (int i = 0; i < 2; i++) {
		n = snprintf(buffer, sizeof(buffer),
		    START "%s: %s\r\n%s: <sip:x@y>\r\n" OTHERS END,
		    i == 0 ? "t" : "FROM \t", parties[_i].value,
		    i == 0 ? "f" : "To");
		ck_assert_msg(sip_message_parse(span_mem(buffer, (size_t)n),
		    SIP_PROXY, &message) == (ok ? 0 : -ERR_FORMAT), "%s",
		    parties[_i].value);
		if (!ok)
			continue;
		const struct sip_party *party = i == 0 ? &message.to :
		    &message.from;
		ck_assert_msg(span_equal(party->uri,
		    span_str(parties[_i].uri)), "%s", parties[_i].value);
		ck_assert_msg(span_equal(party->tag,
		    span_str(parties[_i].tag)), "%s", parties[_i].value);
		ck_assert(span_equal(party->value,
		    span_str(parties[_i].value)));
	}
}
END_TEST

#define ROWS	"Proxy-Authorization: Digest 0" END \
		"PROXY-AUTHORIZATION \t:\r\n\tDigest\r\n 1" END \
		"Authorization: Digest own" END \
		"Proxy-Authorization:" END \
		"X-Proxy-Authorization: Digest no" END \
		"proxy-authorization:Digest 3" END

START_TEST(rows_of_role)
{
	static const struct span in = BYTES(END "\n" START PARTIES ROWS OTHERS
	    END "Proxy-Authorization: body" END);
	static const char *const want[] = {
		"Digest 0", "Digest\r\n 1", "", "Digest 3"
	};

	ck_assert_int_eq(sip_message_parse(in, SIP_PROXY, &message), 0);
	ck_assert_uint_eq(message.row_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		ck_assert(span_equal(message.rows[i], span_str(want[i])));
	ck_assert(span_equal(message.body,
	    SPAN_LIT("Proxy-Authorization: body\r\n")));
	ck_assert_int_eq(sip_message_parse(in, SIP_REGISTRAR, &message), 0);
	ck_assert_uint_eq(message.row_count, 1);
	ck_assert(span_equal(message.rows[0], SPAN_LIT("Digest own")));
}
END_TEST

/* Appends text count times to what is in buffer. */
static size_t
append(size_t n, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_le(n + strlen(text), sizeof(buffer));
		memcpy(buffer + n, text, strlen(text));
		n += strlen(text);
	}
	return n;
}

static const struct {
	const char *line;
	size_t count;
	int rc;
} limits[] = {
	{ "x:\r\n", SIP_FIELDS_MAX - 4, 0 },
	{ "x:\r\n", SIP_FIELDS_MAX - 3, -ERR_TOO_LONG },
	{ "x:\r\n", 10000, -ERR_TOO_LONG },
	{ "x:\r\n x\r\n", SIP_FIELDS_MAX - 4, 0 },
	{ "m: *\r\n", SIP_EFFECTS_MAX, 0 },
	{ "m: *\r\n", SIP_EFFECTS_MAX + 1, -ERR_TOO_LONG },
	{ "Path: <sip:p>\r\nr: <sip:r>\r\n", SIP_EFFECTS_MAX / 2, 0 },
	{ "Path: <sip:p>\r\nr: <sip:r>\r\n", SIP_EFFECTS_MAX / 2 + 1,
	    -ERR_TOO_LONG },
	{ "Proxy-Authorization: x\r\n", SIP_ROWS_MAX, 0 },
	{ "Proxy-Authorization: x\r\n", SIP_ROWS_MAX + 1, -ERR_TOO_LONG },
	{ "Authorization: x\r\n", SIP_ROWS_MAX + 1, 0 }
};

START_TEST(limits_of_count)
{
	size_t n = append(0, START PARTIES OTHERS, 1);

	n = append(n, limits[_i].line, limits[_i].count);
	n = append(n, END, 1);
	ck_assert_int_eq(sip_message_parse(span_mem(buffer, n), SIP_PROXY,
	    &message), limits[_i].rc);
}
END_TEST

START_TEST(limit_of_size)
{
	size_t n = append(0, START PARTIES OTHERS END, 1);

	append(n, "b", sizeof(buffer) - n);
	ck_assert_int_eq(sip_message_parse(span_mem(buffer, SIP_MESSAGE_MAX),
	    SIP_PROXY, &message), 0);
	ck_assert_uint_eq(message.body.n, SIP_MESSAGE_MAX - n);
	ck_assert_int_eq(sip_message_parse(span_mem(buffer,
	    SIP_MESSAGE_MAX + 1), SIP_PROXY, &message), -ERR_TOO_LONG);
	ck_assert_uint_eq(message.method.n, 0);
}
END_TEST

/* 64 KiB of these, within what only a quadratic reader could need. */
static const char *const hostile[] = {
	"\r\n", "\n", " ", "a", "INVITE ", START "From: \"", START "To: \"\\",
	START "To: <", START "To: sip:a;", START "To: sip:a;x=\"\";",
	START "To: <a>;tag", START "To: a\r\n ", START "To:\r\n ",
	START "x:\r\n ", START ":", START "a", START "CSeq: 0",
	START "i: ", START "Proxy-Authorization:\r\n "
};

START_TEST(linear)
{
	const char *start = hostile[_i];
	size_t head = strncmp(start, START, strlen(START)) == 0 ?
	    strlen(START) : 0;
	size_t n = append(0, start, 1), unit = n > head + 2 ? 2 : n - head;
	clock_t began = clock();

	/* The last two octets (or one) over and over. */
	while (n + unit <= SIP_MESSAGE_MAX)
		n = append(n, start + strlen(start) - unit, 1);
	for (int i = 0; i < 4; i++)
		ck_assert_int_ne(sip_message_parse(span_mem(buffer, n),
		    SIP_PROXY, &message), 0);
	ck_assert_int_lt((clock() - began) / CLOCKS_PER_SEC, 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("sip_message");
	TCase *tc = tcase_create("sip_message");

	tcase_add_loop_test(tc, rfc4475_valid, 0, COUNT(valid));
	tcase_add_loop_test(tc, rfc4475_valid_lf, 0, COUNT(valid));
	tcase_add_loop_test(tc, rfc4475_truncated, 0, COUNT(valid));
	tcase_add_loop_test(tc, rfc4475_invalid, 0, COUNT(invalid));
	tcase_add_test(tc, rfc4475_3_1_1_2_nul);
	tcase_add_test(tc, rfc4475_3_3_8_each_alone);
	tcase_add_loop_test(tc, rfc3261_20_10_party, 0, COUNT(parties));
	tcase_add_test(tc, rows_of_role);
	tcase_add_loop_test(tc, limits_of_count, 0, COUNT(limits));
	tcase_add_test(tc, limit_of_size);
	tcase_add_loop_test(tc, linear, 0, COUNT(hostile));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
