/*
 * Credentials of Authorization and Proxy-Authorization: RFC 3261 22 and 25.1,
 * RFC 7616 3.4, the cases of STANDARDS 1.5 and 1.6, what phones and FreeSWITCH
 * send, and what would be read in two ways.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/sip_credentials.h"
#include "core/sip_message.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BYTES(s)	{ (const uint8_t *)(s), sizeof(s) - 1 }

static struct crypto *crypto;
static uint8_t text[SIP_MESSAGE_MAX];
static struct sip_credentials rows[SIP_ROWS_MAX];

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

static int
parse(struct span value, size_t max)
{
	struct wbuf wb;

	wbuf_init(&wb, text, value.n);
	return sip_credentials_parse(value, 7, &wb, rows, max);
}

static void
render_span(struct wbuf *wb, const char *name, struct span s)
{
	wbuf_str(wb, name);
	wbuf_span(wb, s);
}

/* "D u=a r=r ...": the kind, a "-" if it has no realm, what params hold. */
static void
render(struct wbuf *wb, const struct sip_credentials *row)
{
	static const char *const kinds[] = {
		[SIP_CREDENTIALS_OTHER] = "O",
		[SIP_CREDENTIALS_DIGEST] = "D",
		[SIP_CREDENTIALS_EMPTY] = "E",
		[SIP_CREDENTIALS_BROKEN] = "B"
	};
	const struct digest_params *params = &row->params;

	wbuf_str(wb, kinds[row->kind]);
	wbuf_str(wb, row->has_realm ? "" : "-");
	if (row->has_realm)
		render_span(wb, " r=", params->realm);
	else
		ck_assert_uint_eq(params->realm.n, 0);
	ck_assert_uint_eq(params->method.n + params->body_hash.n, 0);
	ck_assert_uint_eq(row->field, 7);
	if (row->kind == SIP_CREDENTIALS_BROKEN ||
	    row->kind == SIP_CREDENTIALS_OTHER) {
		ck_assert_uint_eq(params->username.n + params->nonce.n +
		    params->uri.n + params->response.n + params->qop.n, 0);
		ck_assert(params->alg == DIGEST_NONE && !params->sess);
		return;
	}
	render_span(wb, " u=", params->username);
	render_span(wb, " n=", params->nonce);
	render_span(wb, " ", params->uri);
	render_span(wb, " x=", params->response);
	if (params->qop.n + params->nc.n + params->cnonce.n > 0) {
		render_span(wb, " ", params->qop);
		render_span(wb, ",", params->nc);
		render_span(wb, ",", params->cnonce);
	}
	render_span(wb, " ", span_str(digest_alg_name(params->alg)));
	wbuf_str(wb, params->sess ? "-sess" : "");
}

static void
check(struct span value, const char *want)
{
	uint8_t out[2048];
	struct wbuf wb;
	int n = parse(value, SIP_ROWS_MAX);

	ck_assert_int_gt(n, 0);
	wbuf_init(&wb, out, sizeof(out));
	for (int i = 0; i < n; i++) {
		if (i > 0)
			wbuf_str(&wb, " & ");
		render(&wb, &rows[i]);
		ck_assert(rows[i].alone == (n == 1));
	}
	ck_assert(!wb.failed);
	ck_assert_msg(span_equal(wbuf_written(&wb), span_str(want)),
	    "%.*s\n gave %.*s\n not  %s", (int)value.n,
	    (const char *)value.p, (int)wb.n, (const char *)out, want);
}

#define U	"username=\"a\""
#define R	"realm=\"r\""
#define N	"nonce=\"n\""
#define I	"uri=\"sip:x\""
#define X	"response=\"0\""
#define ALL	U "," R "," N "," I "," X
#define GOOD	"D r=r u=a n=n sip:x x=0 MD5"
#define QOP	"qop=auth,nc=00000001,cnonce=\"c\""
#define GOOD_QOP "D r=r u=a n=n sip:x x=0 auth,00000001,c MD5"

struct vector {
	struct span	 value;
	const char	*want;
};

static const struct vector good[] = {
	{ BYTES("Digest " ALL), GOOD },
	{ BYTES("DIGEST " X ", " I ", " N ", " R ", " U), GOOD },
	{ BYTES("digest\r\n " ALL "\r\n ,\r\n\t" QOP), GOOD_QOP },
	{ BYTES("Digest\tUserName = \"a\" ,\r\n\tREALM\r\n =\r\n \"r\" , "
	    N " , Uri= \"sip:x\",ResPonse =\"0\""), GOOD },
	{ BYTES("Digest " ALL "," QOP), GOOD_QOP },
	{ BYTES("Digest " ALL ",qop=\"auth\",nc=\"00000001\",cnonce=\"c\","
	    "algorithm=\"md5\""), GOOD_QOP },
	{ BYTES("Digest " ALL ",qop=AUTH,nc=0000000A,cnonce=c"),
	    "D r=r u=a n=n sip:x x=0 AUTH,0000000A,c MD5" },
	/* Empty elements and a comma at the end. */
	{ BYTES("Digest ,, " ALL " , ,"), GOOD },
	/* Not known: ignored, whatever its value. */
	{ BYTES("Digest foo=bar," ALL ",opaque=\"\",foo=\"x\",foo=\"\\\"\","
	    "auth-param=\"x, Digest realm=x\",charset=UTF-8,empty="), GOOD },
	{ BYTES("Digest digest=\"x\"," ALL ",digest = x"), GOOD },
	/* Quotes may be missing where nothing is unclear. */
	{ BYTES("Digest username=a,realm=r,nonce=n=," I ",response=0"),
	    "D r=r u=a n=n= sip:x x=0 MD5" },
	/* RFC 7616 3.3, RFC 8760 2.1: algorithms. */
	{ BYTES("Digest " ALL ",algorithm=SHA-256"),
	    "D r=r u=a n=n sip:x x=0 SHA-256" },
	{ BYTES("Digest " ALL ",algorithm=sha-512-256"),
	    "D r=r u=a n=n sip:x x=0 SHA-512-256" },
	{ BYTES("Digest " ALL ",algorithm=MD5-sess," QOP),
	    "D r=r u=a n=n sip:x x=0 auth,00000001,c MD5-sess" },
	{ BYTES("Digest " ALL ",algorithm=SHA-512"),
	    "D r=r u=a n=n sip:x x=0 none" },
	{ BYTES("Digest " ALL ",algorithm=AKAv1-MD5"),
	    "D r=r u=a n=n sip:x x=0 none" },
	{ BYTES("Digest " ALL ",algorithm=\"\""),
	    "D r=r u=a n=n sip:x x=0 none" },
	/* RFC 2069: neither nc nor cnonce. An unknown qop is not judged. */
	{ BYTES("Digest " ALL ",qop=\"\""), GOOD },
	{ BYTES("Digest " ALL ",cnonce=\"c\""),
	    "D r=r u=a n=n sip:x x=0 ,,c MD5" },
	{ BYTES("Digest " ALL ",qop=x,nc=00000001,cnonce=\"c\""),
	    "D r=r u=a n=n sip:x x=0 x,00000001,c MD5" },
	/* STANDARDS 1.6: what the quotes stand for. */
	{ BYTES("Digest username=\"al\\\"ice\"," R "," N "," I "," X),
	    "D r=r u=al\"ice n=n sip:x x=0 MD5" },
	{ BYTES("Digest username=\"a\\\\\",realm=\"\\r\"," N "," I "," X),
	    "D r=r u=a\\ n=n sip:x x=0 MD5" },
	{ BYTES("Digest username=\"Doe, John\"," R "," N "," I "," X),
	    "D r=r u=Doe, John n=n sip:x x=0 MD5" },
	{ BYTES("Digest username=\"a%6c=;<\"," R "," N "," I "," X),
	    "D r=r u=a%6c=;< n=n sip:x x=0 MD5" },
	{ BYTES("Digest " U ",realm=\"r\r\n \t s\"," N "," I "," X),
	    "D r=r s u=a n=n sip:x x=0 MD5" },
	{ BYTES("Digest " U ",realm=\"r\n s\\\"\"," N "," I "," X),
	    "D r=r s\" u=a n=n sip:x x=0 MD5" },
	{ BYTES("Digest username=\"\303\244\"," R "," N "," I "," X),
	    "D r=r u=\303\244 n=n sip:x x=0 MD5" },
	{ BYTES("Digest username=\"\",realm=\"\"," N "," I "," X),
	    "D r= u= n=n sip:x x=0 MD5" },
	{ BYTES("Digest " U "," R "," N ",uri=\"sip:b;x=y,z@x?a=b\"," X),
	    "D r=r u=a n=n sip:b;x=y,z@x?a=b x=0 MD5" },
	/* RFC 5987: RFC 7616 3.4. */
	{ BYTES("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe," R "," N ","
	    I "," X ",userhash=false"),
	    "D r=r u=J\303\244s\303\270n Doe n=n sip:x x=0 MD5" },
	{ BYTES("Digest USERNAME* = utf-8'de-AT'a!#$&+-.^_`|~z," R "," N ","
	    I "," X), "D r=r u=a!#$&+-.^_`|~z n=n sip:x x=0 MD5" },
	/* As if absent: IMS, RFC 8760. */
	{ BYTES("Digest " U "," R ",nonce=\"\"," I ",response=\"\""),
	    "E r=r u=a n= sip:x x= MD5" },
	{ BYTES("Digest " U "," R "," N "," I ",response=\"\""),
	    "E r=r u=a n=n sip:x x= MD5" },
	{ BYTES("Digest " U "," R ",nonce=\"\"," I "," X),
	    "E r=r u=a n= sip:x x=0 MD5" },
	{ BYTES("Digest " R ",response=\"\""), "E r=r u= n=  x= MD5" },
	/* Nobody's business. */
	{ BYTES("NoOneKnowsThisScheme opaque-data=here"), "O-" },
	{ BYTES("Bearer abc.def=="), "O-" },
	{ BYTES("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Digest " ALL), "O-" },
	{ BYTES(""), "O-" }, { BYTES(" \r\n "), "O-" },
	{ BYTES("Digester " ALL), "O-" }, { BYTES("Digest=" ALL), "O-" },
	{ BYTES("Digest = x"), "O-" }, { BYTES("\"Digest\" " ALL), "O-" },
	{ BYTES(",Digest " ALL), "O-" }, { BYTES("Digest\"\" " ALL), "O-" },
	{ BYTES("\0"), "O-" }, { BYTES("Digest\0" ALL), "O-" }
};

START_TEST(rfc3261_25_1)
{
	check(good[_i].value, good[_i].want);
}
END_TEST

static const struct vector broken[] = {
	{ BYTES("Digest"), "B-" }, { BYTES("Digest ,"), "B-" },
	{ BYTES("Digest realm"), "B-" }, { BYTES("Digest Digest " R), "B-" },
	{ BYTES("Digest " R), "B r=r" }, { BYTES("Digest realm=\"\""), "B r=" },
	/* Each of those that must be there is missing. */
	{ BYTES("Digest " R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest " U "," N "," I "," X), "B-" },
	{ BYTES("Digest " U "," R "," I "," X), "B r=r" },
	{ BYTES("Digest " U "," R "," N "," X), "B r=r" },
	{ BYTES("Digest " U "," R "," N "," I), "B r=r" },
	/* Said twice, the same or not, in any case. */
	{ BYTES("Digest " ALL "," R), "B-" },
	{ BYTES("Digest " ALL ",realm=\"s\""), "B-" },
	{ BYTES("Digest " ALL ",REALM=\"s\",realm=\"t\""), "B-" },
	{ BYTES("Digest " ALL ",Username=\"b\""), "B r=r" },
	{ BYTES("Digest " ALL "," N), "B r=r" },
	{ BYTES("Digest " ALL "," I), "B r=r" },
	{ BYTES("Digest " ALL "," X), "B r=r" },
	{ BYTES("Digest " ALL ",response=\"\""), "B r=r" },
	{ BYTES("Digest " ALL ",algorithm=MD5,algorithm=MD5"), "B r=r" },
	{ BYTES("Digest " ALL "," QOP ",qop=auth"), "B r=r" },
	{ BYTES("Digest " ALL "," QOP ",nc=00000001"), "B r=r" },
	{ BYTES("Digest " ALL "," QOP ",cnonce=\"c\""), "B r=r" },
	{ BYTES("Digest " ALL ",opaque=\"\",opaque=\"\""), "B r=r" },
	{ BYTES("Digest " ALL ",userhash=false,userhash=false"), "B r=r" },
	/* Quotes. */
	{ BYTES("Digest " R "," U "," I "," X ",nonce=\"abc"), "B r=r" },
	{ BYTES("Digest " U "," N "," I "," X ",realm=\"r"), "B-" },
	{ BYTES("Digest " U "," N "," I "," X ",realm=\"r\\\""), "B-" },
	{ BYTES("Digest " U "," N "," I "," X ",realm=\"r\\"), "B-" },
	{ BYTES("Digest " U "," R "," N "," X ",uri=sip:x"), "B r=r" },
	{ BYTES("Digest " U "," R "," N "," X ",uri="), "B r=r" },
	{ BYTES("Digest " N "," R "," I "," X ",username="), "B r=r" },
	{ BYTES("Digest " ALL ",qop="), "B r=r" },
	{ BYTES("Digest " ALL ",algorithm=,"), "B r=r" },
	{ BYTES("Digest " ALL ",x=a\"b"), "B r=r" },
	{ BYTES("Digest " ALL ",x=\"a\"b"), "B r=r" },
	{ BYTES("Digest " ALL ",x=\"a\"\"b\""), "B r=r" },
	/* What is between commas is no parameter; the realm is found still. */
	{ BYTES("Digest username=\"a\" " R "," N "," I "," X), "B-" },
	{ BYTES("Digest x," ALL), "B r=r" }, { BYTES("Digest ,=," ALL), "B r=r" },
	{ BYTES("Digest " ALL "; x=y"), "B r=r" },
	{ BYTES("Digest " ALL ",x y,\",realm=s,\""), "B r=r" },
	{ BYTES("Digest \"," R ",\"," ALL), "B r=r" },
	{ BYTES("Digest \",realm=s,\"," ALL), "B r=r" },
	{ BYTES("Digest " ALL ",Basic QWxh"), "B r=r" },
	{ BYTES("Digest " ALL ",Bearer abc"), "B r=r" },
	/* Control characters, lone line ends. */
	{ BYTES("Digest username=\"a\0b\"," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest username=\"a\\\0b\"," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest username=\"a\177\"," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest username=\"a\nb\"," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest username=\"a\rb\"," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest username=\"a\r\n\"," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest username=\"a\\\r\n b\"," R "," N "," I "," X),
	    "B r=r" },
	{ BYTES("Digest " U ",realm=\"r\0\"," N "," I "," X), "B-" },
	{ BYTES("Digest username=a\0b," R "," N "," I "," X), "B r=r" },
	{ BYTES("Digest " ALL ",\0=x"), "B r=r" },
	/* RFC 7616 3.4: with qop (or -sess) nc and cnonce. */
	{ BYTES("Digest " ALL ",qop=auth"), "B r=r" },
	{ BYTES("Digest " ALL ",qop=auth,nc=00000001"), "B r=r" },
	{ BYTES("Digest " ALL ",qop=auth,cnonce=\"c\""), "B r=r" },
	{ BYTES("Digest " ALL ",qop=auth,nc=00000001,cnonce=\"\""), "B r=r" },
	{ BYTES("Digest " ALL ",qop=auth,nc=1,cnonce=\"c\""), "B r=r" },
	{ BYTES("Digest " ALL ",qop=auth,nc=000000001,cnonce=\"c\""),
	    "B r=r" },
	{ BYTES("Digest " ALL ",qop=auth,nc=0000000g,cnonce=\"c\""),
	    "B r=r" },
	{ BYTES("Digest " ALL ",algorithm=MD5-sess"), "B r=r" },
	/* RFC 5987, RFC 7616 3.4.4. */
	{ BYTES("Digest " ALL ",username*=UTF-8''a"), "B r=r" },
	{ BYTES("Digest " ALL ",userhash=true"), "B r=r" },
	{ BYTES("Digest " ALL ",userhash=\"TRUE\""), "B r=r" },
#define EXT(s)	{ BYTES("Digest " R "," N "," I "," X ",username*=" s), \
		"B r=r" }
	EXT("ISO-8859-1''%E4"), EXT("UTF-8'a"), EXT("UTF-8"), EXT("''a"),
	EXT("\"UTF-8''a\""), EXT("UTF-8''%C3"), EXT("UTF-8''%FF"),
	EXT("UTF-8''%C0%80"), EXT("UTF-8''%ED%A0%80"), EXT("UTF-8''%00"),
	EXT("UTF-8''%0A"), EXT("UTF-8''a%7F"), EXT("UTF-8''%4"),
	EXT("UTF-8''%"), EXT("UTF-8''%4g"), EXT("UTF-8''a*"),
	EXT("UTF-8''a'b"), EXT("UTF-8''\303\244"), EXT("UTF-8''a:b"),
	EXT("UTF-8''a b"), EXT("UTF-8''a,username*=UTF-8''b")
};

START_TEST(rfc3261_25_1_broken)
{
	check(broken[_i].value, broken[_i].want);
}
END_TEST

#define OTHER	"username=\"b\",realm=\"s\"," N "," I "," X

static const struct vector joined[] = {
	/* FreeSWITCH: signalwire/freeswitch issue 242 */
	{ BYTES("Digest " ALL ", Digest " OTHER),
	    GOOD " & D r=s u=b n=n sip:x x=0 MD5" },
	{ BYTES("Digest " ALL ",\r\n dIGEST\r\n " OTHER ",,digest\t" ALL),
	    GOOD " & D r=s u=b n=n sip:x x=0 MD5 & " GOOD },
	{ BYTES("Digest " ALL ", Digest " U "," R), GOOD " & B r=r" },
	{ BYTES("Digest " ALL ", Digest"), GOOD " & B-" },
	{ BYTES("Digest " ALL ", Digest,"), GOOD " & B-" },
	{ BYTES("Digest , Digest " ALL), "B- & " GOOD },
	{ BYTES("Digest x y, Digest " ALL), "B- & " GOOD },
	/* The same realm in both is no duplicate; twice in one it is. */
	{ BYTES("Digest " ALL "," R ", Digest " ALL), "B- & " GOOD },
	/* The word is none here. */
	{ BYTES("Digest username=\", Digest realm=s,\"," R "," N "," I ","
	    X), "D r=r u=, Digest realm=s, n=n sip:x x=0 MD5" },
	{ BYTES("Digest username=\"a\\\", Digest x\"," R "," N "," I "," X),
	    "D r=r u=a\", Digest x n=n sip:x x=0 MD5" },
	{ BYTES("Digest " ALL ", Digest=x"), GOOD },
	{ BYTES("Digest " ALL ", Digestx=x"), GOOD },
	{ BYTES("Digest " ALL " Digest " OTHER), "B-" },
	{ BYTES("Digest " ALL ",x=\", Digest " OTHER), "B r=r" },
	{ BYTES("Digest " ALL ",x=y Digest " OTHER), "B-" },
	{ BYTES("Digest " ALL ", Basic x, Digest " OTHER),
	    "B r=r & D r=s u=b n=n sip:x x=0 MD5" }
};

START_TEST(joined_in_one_field)
{
	check(joined[_i].value, joined[_i].want);
}
END_TEST

/* Prefixes of all: in memory that ends with them, no row of another kind. */
static void
check_prefixes(struct span value)
{
	for (size_t n = 0; n < value.n; n++) {
		uint8_t *copy = malloc(n == 0 ? 1 : n);
		uint8_t *small = malloc(n == 0 ? 1 : n);
		struct wbuf wb;
		int count;

		ck_assert(copy != NULL && small != NULL);
		memcpy(copy, value.p, n);
		wbuf_init(&wb, small, n);
		count = sip_credentials_parse(span_mem(copy, n), 7, &wb,
		    rows, SIP_ROWS_MAX);
		ck_assert_int_gt(count, 0);
		for (int i = 0; i < count; i++)
			ck_assert(rows[i].alone == (count == 1));
		free(copy);
		free(small);
	}
}

START_TEST(truncated)
{
	if ((size_t)_i < COUNT(good))
		check_prefixes(good[_i].value);
	if ((size_t)_i < COUNT(broken))
		check_prefixes(broken[_i].value);
	if ((size_t)_i < COUNT(joined))
		check_prefixes(joined[_i].value);
}
END_TEST

/* Every prefix of a complete row is broken: none can be verified. */
START_TEST(truncated_row_is_no_row)
{
	static const struct span value = BYTES("Digest " QOP "," ALL);

	check(value, GOOD_QOP);
	for (size_t n = sizeof("Digest") - 1; n < value.n; n++) {
		ck_assert_int_eq(parse(span_head(value, n), 1), 1);
		ck_assert_int_eq(rows[0].kind, SIP_CREDENTIALS_BROKEN);
		ck_assert(rows[0].has_realm == (n >= value.n -
		    strlen("," N "," I "," X)));
	}
}
END_TEST

/* RFC 7616 3.9.1 and RFC 2617 3.5, up to the response. */
static const struct {
	struct span value;
	const char *password;
	enum digest_alg alg;
} proofs[] = {
	{ BYTES("Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
	    "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
	    "uri=\"/dir/index.html\", qop=auth, nc=00000001, "
	    "cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1"
	    "\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""),
	    "Circle Of Life", DIGEST_MD5 },
	{ BYTES("Digest username=\"Mufasa\", realm=\"http-auth@example.org\","
	    " uri=\"/dir/index.html\", algorithm=MD5, "
	    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
	    "nc=00000001, "
	    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
	    "qop=auth, response=\"8ca523f5e9506fed4657c9700eebdbec\", "
	    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""),
	    "Circle of Life", DIGEST_MD5 },
	{ BYTES("Digest username=\"Mufasa\",\r\n"
	    "    realm=\"http-auth@example.org\",\r\n"
	    "    uri=\"/dir/index.html\",\r\n    algorithm=SHA-256,\r\n"
	    "    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\",\r\n"
	    "    nc=00000001,\r\n"
	    "    cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\",\r\n"
	    "    qop=auth,\r\n    response=\"753927fa0e85d155564e2e272a28d180"
	    "2ca10daf4496794697cf8db5856cb6c1\",\r\n"
	    "    opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""),
	    "Circle of Life", DIGEST_SHA_256 }
};

START_TEST(rfc7616_3_9_1_proof)
{
	uint8_t ha1[DIGEST_SIZE_MAX], out[DIGEST_HEX_MAX];
	struct digest_params *params = &rows[0].params;

	ck_assert_int_eq(parse(proofs[_i].value, 1), 1);
	ck_assert_int_eq(rows[0].kind, SIP_CREDENTIALS_DIGEST);
	ck_assert_int_eq(params->alg, proofs[_i].alg);
	params->method = SPAN_LIT("GET");
	ck_assert_int_eq(digest_ha1(crypto, params->alg, params->username,
	    params->realm, span_str(proofs[_i].password), ha1), 0);
	ck_assert_int_eq(digest_response(crypto, ha1, params, out), 0);
	ck_assert(span_equal(params->response,
	    span_mem(out, 2 * digest_alg_size(params->alg))));
}
END_TEST

START_TEST(rfc7616_3_9_2_userhash)
{
	static const struct span value = BYTES("Digest username=\"4888694"
	    "77bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec\", "
	    "realm=\"api@example.org\", uri=\"/doe.json\", "
	    "algorithm=SHA-512-256, "
	    "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
	    "nc=00000001, "
	    "cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm\", qop=auth, "
	    "response=\"ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c86122"
	    "9025f607a79dd\", userhash=true");

	check(value, "B r=api@example.org");
}
END_TEST

START_TEST(limits)
{
	static const struct span two = BYTES("Digest " ALL ", Digest " ALL);
	static const struct span escaped = BYTES("Digest username=\"a\\a\\a\","
	    R "," N "," I "," X);
	struct wbuf wb;

	ck_assert_int_eq(parse(two, 2), 2);
	rows[1].field = 99;
	ck_assert_int_eq(parse(two, 1), -ERR_TOO_LONG);
	ck_assert_uint_eq(rows[1].field, 99);
	ck_assert_int_eq(parse(two, 0), -ERR_TOO_LONG);
	ck_assert_int_eq(parse(span_head(two, 0), 0), -ERR_TOO_LONG);

	/* text is shared by fields, and its end is an error. */
	wbuf_init(&wb, text, 6);
	ck_assert_int_eq(sip_credentials_parse(escaped, 0, &wb, rows, 1), 1);
	ck_assert_int_eq(sip_credentials_parse(escaped, 1, &wb, rows + 1, 1),
	    1);
	ck_assert(span_equal(rows[0].params.username, SPAN_LIT("aaa")));
	ck_assert(span_equal(rows[1].params.username, SPAN_LIT("aaa")));
	ck_assert_uint_eq(rows[1].field, 1);
	ck_assert_int_eq(sip_credentials_parse(escaped, 2, &wb, rows + 2, 1),
	    -ERR_TOO_LONG);
}
END_TEST

/* The last octets over and over up to 64 KiB: only quadratic is slow. */
static const struct {
	const char *start;
	size_t unit;
} hostile[] = {
	{ "Digest  ", 1 }, { "Digest ,", 1 }, { "Digest \"", 1 },
	{ "Digest \"\\", 1 }, { "Digest a", 1 }, { "Digest a=", 1 },
	{ "Digest a=\"", 1 }, { "Digest a=\"\\\"", 2 }, { "Digest ,=", 2 },
	{ "Digest ,\"", 2 }, { "Digest ,a=\"", 4 }, { "Digest ,a=b", 4 },
	{ "Digest ,x y", 4 }, { "Digest ,digest=", 8 },
	{ "Digest ,digest", 7 }, { "Digest realm=\"\r\n ", 3 },
	{ "Digest username*=UTF-8''%41", 3 },
	{ "Digest username*=UTF-8''%C3%84", 6 },
	{ "Digest username=\"\\a", 2 }, { "digest ,Digest ", 8 }
};

START_TEST(linear)
{
	static uint8_t buffer[SIP_MESSAGE_MAX];
	const char *start = hostile[_i].start;
	size_t n = strlen(start), unit = hostile[_i].unit;
	clock_t began = clock();
	struct wbuf wb;

	memcpy(buffer, start, n);
	for (; n + unit <= sizeof(buffer); n += unit)
		memcpy(buffer + n, start + strlen(start) - unit, unit);
	for (int i = 0; i < 4; i++) {
		int rc;

		wbuf_init(&wb, text, n);
		rc = sip_credentials_parse(span_mem(buffer, n), 0, &wb, rows,
		    SIP_ROWS_MAX);
		ck_assert(rc > 0 || rc == -ERR_TOO_LONG);
		ck_assert(rc < 0 || rows[0].kind == SIP_CREDENTIALS_BROKEN);
	}
	ck_assert_int_lt((clock() - began) / CLOCKS_PER_SEC, 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("sip_credentials");
	TCase *tc = tcase_create("sip_credentials");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc3261_25_1, 0, COUNT(good));
	tcase_add_loop_test(tc, rfc3261_25_1_broken, 0, COUNT(broken));
	tcase_add_loop_test(tc, joined_in_one_field, 0, COUNT(joined));
	tcase_add_loop_test(tc, truncated, 0,
	    COUNT(good) > COUNT(broken) ? COUNT(good) : COUNT(broken));
	tcase_add_test(tc, truncated_row_is_no_row);
	tcase_add_loop_test(tc, rfc7616_3_9_1_proof, 0, COUNT(proofs));
	tcase_add_test(tc, rfc7616_3_9_2_userhash);
	tcase_add_test(tc, limits);
	tcase_add_loop_test(tc, linear, 0, COUNT(hostile));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
