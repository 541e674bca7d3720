#ifndef ONECRED_DIGEST_VECTORS_H
#define ONECRED_DIGEST_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/digest.h"

/*
 * The accounts, HA1s and responses of STANDARDS 0, 1.7 and 5.6. Include it in
 * one file of a test program.
 */

struct account {
	const char *user, *realm, *password;
};

static const struct account alice =
    { "alice", "example.com", "wonderland" };
static const struct account alice_full =
    { "alice@example.com", "example.com", "wonderland" };
static const struct account bob = { "bob", "biloxi.com", "zanzibar" };
static const struct account mufasa =
    { "Mufasa", "http-auth@example.org", "Circle of Life" };
static const struct account mufasa_2617 =
    { "Mufasa", "testrealm@host.com", "Circle Of Life" };
static const struct account jason = { "J\xc3\xa4s\xc3\xb8n Doe",
    "api@example.org", "Secret, or not?" };
static const struct account rfc5090 =
    { "12345678", "example.com", "secret" };
static const struct account capital =
    { "alice", "Example.com", "wonderland" };
static const struct account quoted =
    { "al\"ice", "example.com", "wonderland" };
static const struct account raw_quoted =
    { "al\\\"ice", "example.com", "wonderland" };
static const struct account turn = { "user", "realm", "pass" };

static const struct {
	const char		*name;
	const struct account	*account;
	enum digest_alg		 alg;
	const char		*ha1;
} ha1s[] = {
	{ "project HA1 MD5", &alice, DIGEST_MD5,
	  "93dfce8dfebfae8af4a726982429d23a" },
	{ "project HA1 SHA-256", &alice, DIGEST_SHA_256,
	  "8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f" },
	{ "project HA1 SHA-512-256", &alice, DIGEST_SHA_512_256,
	  "9485c7b52baa1fc08914b6e75e4adc1d5a0845968231acfbb4d364fa3e4dd28b" },
	{ "project HA1b MD5", &alice_full, DIGEST_MD5,
	  "5f3b4d392d62686136b6dcfbeec41c21" },
	{ "project HA1b SHA-256", &alice_full, DIGEST_SHA_256,
	  "603d4bed3a30f15120794604a6424919d4987773717594eb75ba96903a34b60f" },
	{ "project HA1b SHA-512-256", &alice_full, DIGEST_SHA_512_256,
	  "65692966248ad81cfad98539c56bafd25716f37ebf7cf6fc9a9122ec9049ff68" },
	{ "draft-smith MD5", &bob, DIGEST_MD5,
	  "12af60467a33e8518da5c68bbff12b11" },
	{ "draft-smith SHA-256", &bob, DIGEST_SHA_256,
	  "e65db393e748c5228939a6b4b2879e9ea5625cd79fd5267868cb568d69f6b97e" },
	{ "draft-smith SHA-512-256", &bob, DIGEST_SHA_512_256,
	  "a969680ab364e333ec5c93ff823d570a79841c8d40270655dd42f37b755dfc38" },
	{ "RFC 7616 3.9.1 MD5", &mufasa, DIGEST_MD5,
	  "3d78807defe7de2157e2b0b6573a855f" },
	{ "RFC 7616 3.9.1 SHA-256", &mufasa, DIGEST_SHA_256,
	  "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232" },
	{ "RFC 7616 3.9.2 inputs", &jason, DIGEST_SHA_512_256,
	  "2d3d9f12c9f3d30011259dc5fecee005ae24de40e3e1f61806d03e65f1e6024f" },
	{ "RFC 2617", &mufasa_2617, DIGEST_MD5,
	  "939e7578ed9e3c518a452acee763bce9" },
	{ "RFC 5090", &rfc5090, DIGEST_MD5,
	  "625e946c1e25361d07c427ce2858f85d" },
	{ "RFC 8489", &turn, DIGEST_MD5,
	  "8493fbc53ba582fb4c044c456bdc40eb" },
	{ "realm octet for octet", &capital, DIGEST_MD5,
	  "6db56d2b7e61e427041312500eeada45" },
	{ "unescaped quote", &quoted, DIGEST_MD5,
	  "647e968c8d8c00c7e7eee0fa68bfd155" },
	{ "raw quote, as Kamailio hashes it", &raw_quoted, DIGEST_MD5,
	  "dfd890e925cc661e158cc6de528154b3" }
};

/* RFC 7616 3.4: everything a response depends on but the account. */
struct request {
	const char *method, *uri, *nonce, *nc, *cnonce;
	const char *body;
};

static const char sdp[] =
    "v=0\r\n"
    "o=bob 2890844526 2890844526 IN IP4 media.biloxi.com\r\n"
    "s=-\r\n"
    "c=IN IP4 media.biloxi.com\r\n"
    "t=0 0\r\n"
    "m=audio 49170 RTP/AVP 0\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "m=video 51372 RTP/AVP 31\r\n"
    "a=rtpmap:31 H261/90000\r\n"
    "m=video 53000 RTP/AVP 32\r\n"
    "a=rtpmap:32 MPV/90000\r\n";

static const struct request smith = { "INVITE", "sip:bob@biloxi.com",
    "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", sdp };
static const struct request smith_register = { "REGISTER", "sip:biloxi.com",
    "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b", "" };
static const struct request rfc7616_1 = { "GET", "/dir/index.html",
    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "" };
static const struct request rfc7616_2 = { "GET", "/doe.json",
    "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "00000001",
    "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", "" };
static const struct request project_register = { "REGISTER",
    "sip:example.com", "bm9uY2UtMDAwMQ", "00000001", "0a4f113b", "" };
static const struct request project_invite = { "INVITE",
    "sip:bob@example.com", "bm9uY2UtMDAwMQ", "00000001", "0a4f113b", "" };
static const struct request rfc5090_invite = { "INVITE",
    "sip:97226491335@example.com", "3bada1a0", "00000001", "56593a80", "" };
static const struct request rfc5090_get = { "GET", "/index.html",
    "a3086ac8", "00000001", "56593a80", "" };

static const struct vector {
	const char		*name;
	const struct account	*account;
	const struct request	*request;
	enum digest_alg		 alg;
	bool			 sess;
	const char		*qop, *response, *rspauth;
} vectors[] = {
	{ "draft-smith MD5, no qop", &bob, &smith, DIGEST_MD5, false, "",
	  "bf57e4e0d0bffc0fbaedce64d59add5e", NULL },
	{ "draft-smith MD5, auth", &bob, &smith, DIGEST_MD5, false, "auth",
	  "89eb0059246c02b2f6ee02c7961d5ea3",
	  "9175a7857f138ef9768651f475f1d73a" },
	{ "draft-smith MD5, auth-int", &bob, &smith, DIGEST_MD5, false,
	  "auth-int", "bdbeebb2da6adb6bca02599c2239e192", NULL },
	{ "draft-smith MD5-sess, auth", &bob, &smith, DIGEST_MD5, true,
	  "auth", "e4e4ea61d186d07a92c9e1f6919902e9", NULL },
	{ "draft-smith MD5-sess, auth-int", &bob, &smith, DIGEST_MD5, true,
	  "auth-int", "91984da2d8663716e91554859c22ca70", NULL },
	{ "draft-smith REGISTER, auth", &bob, &smith_register, DIGEST_MD5,
	  false, "auth", "9e2d1006810044fd79f39476209ae31a", NULL },
	{ "draft-smith REGISTER, auth-int, empty body", &bob,
	  &smith_register, DIGEST_MD5, false, "auth-int",
	  "21b30cb3720f1d6f22eba30b35c52265", NULL },
	{ "draft-smith SHA-256, no qop", &bob, &smith, DIGEST_SHA_256, false,
	  "",
	  "38aad98c50c33abe72c5f88dd17246ffcfa6b1f68852c855719ff0659386c0ca",
	  NULL },
	{ "draft-smith SHA-256, auth", &bob, &smith, DIGEST_SHA_256, false,
	  "auth",
	  "b3b5a6c69453abafaab9ae4dccdac90a076b6c80615d5f3498e7433b6e93bf4f",
	  "eac28e17b8d5d63e96e148e02f1b50afcf750aeecb3856ac20399028c0ee51e6" },
	{ "draft-smith SHA-256, auth-int", &bob, &smith, DIGEST_SHA_256,
	  false, "auth-int",
	  "c54fb1136ee077c9b9b31e2865b25b1326515c2b0ce1584c40f267672401d647",
	  NULL },
	{ "draft-smith SHA-256-sess, auth", &bob, &smith, DIGEST_SHA_256,
	  true, "auth",
	  "5da59c9ca40954be9d5063a15a174066c8251be2c10cf47c144c366dc7daf792",
	  NULL },
	{ "draft-smith SHA-512-256, auth", &bob, &smith, DIGEST_SHA_512_256,
	  false, "auth",
	  "7f1a09de0f19af0a1eac2b28d33e3f2fb89cca1ad8fb01bba5e1883b288bac14",
	  NULL },
	{ "draft-smith SHA-512-256, auth-int", &bob, &smith,
	  DIGEST_SHA_512_256, false, "auth-int",
	  "05fec0126aa34195c417d63037f4e226cc15fa737015ae0ce9a6fcf3d2ea4ed7",
	  NULL },
	{ "draft-smith SHA-512-256-sess, auth", &bob, &smith,
	  DIGEST_SHA_512_256, true, "auth",
	  "077d9677be83f41f162d1a4453dc163389919f81e5927391d972f477da767633",
	  NULL },
	{ "RFC 7616 3.9.1 MD5", &mufasa, &rfc7616_1, DIGEST_MD5, false,
	  "auth", "8ca523f5e9506fed4657c9700eebdbec",
	  "9b712497bc9f91499fbcca1dfc5f09a5" },
	{ "RFC 7616 3.9.1 MD5-sess", &mufasa, &rfc7616_1, DIGEST_MD5, true,
	  "auth", "e783283f46242139c486a698fec7211d", NULL },
	{ "RFC 7616 3.9.1 SHA-256", &mufasa, &rfc7616_1, DIGEST_SHA_256,
	  false, "auth",
	  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	  "86d3b25618d41854ca5039a5d7e53ff6355d5134a9b1fb088a78ac3c462195a0" },
	{ "RFC 7616 3.9.1 SHA-256-sess", &mufasa, &rfc7616_1, DIGEST_SHA_256,
	  true, "auth",
	  "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
	  NULL },
	{ "RFC 7616 3.9.2, corrected", &jason, &rfc7616_2,
	  DIGEST_SHA_512_256, false, "auth",
	  "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
	  NULL },
	{ "project MD5, no qop, REGISTER", &alice, &project_register,
	  DIGEST_MD5, false, "", "95e532e7c7dfa5f0307f6fb147938a10", NULL },
	{ "project MD5, no qop, INVITE", &alice, &project_invite,
	  DIGEST_MD5, false, "", "5e07944abb05084bf9b21da144ab8d96", NULL },
	{ "project MD5, auth, REGISTER", &alice, &project_register,
	  DIGEST_MD5, false, "auth", "1a81fb09121db07246ec0da143eda7c9",
	  "89dc0f0270907fa0aa7bd5968b9d8aea" },
	{ "project MD5, auth, INVITE", &alice, &project_invite, DIGEST_MD5,
	  false, "auth", "c01b323fe7814ed98b9464b7e1c2435b",
	  "83d2fdddbaacf1a5afcb69b3b0374b66" },
	{ "project SHA-256, auth, REGISTER", &alice, &project_register,
	  DIGEST_SHA_256, false, "auth",
	  "5819882ded35c5d1a156a9f4384b8dc44463193ba301ee436a47e10b168be665",
	  "9547a892e776a1f23b6c2fe37f052e89f2c4d01fe16c5af8cca4f230b9d6ffe5" },
	{ "project SHA-256, auth, INVITE", &alice, &project_invite,
	  DIGEST_SHA_256, false, "auth",
	  "5cbdb146d954caeffdb7e1057e364d47daa82a2b7adb3d2c8cf01cc4e5735f98",
	  "1e76728778077d050aea115b4a6d3e4fab88bbf9306e159f494641ce2b88c62e" },
	{ "project SHA-256, no qop, REGISTER", &alice, &project_register,
	  DIGEST_SHA_256, false, "",
	  "e927fd98b920629b5df910c361cb57c3e030149de8b3d55f10ac6d1c93bc5fe3",
	  NULL },
	{ "project SHA-512-256, auth, REGISTER", &alice, &project_register,
	  DIGEST_SHA_512_256, false, "auth",
	  "b02150a3a2bca8d2331d0ae49c7b331209cb375251815297832cd1736b648418",
	  NULL },
	{ "project SHA-512-256, auth, INVITE", &alice, &project_invite,
	  DIGEST_SHA_512_256, false, "auth",
	  "46aa89363c0f37cedbfcafa51806cba27ded40edab836122c8bcfc8653dfbc80",
	  NULL },
	{ "RFC 5090 INVITE", &rfc5090, &rfc5090_invite, DIGEST_MD5, false,
	  "auth", "756933f735fcd93f90a4bbdd5467f263",
	  "f847de948d12285f8f4199e366f1af21" },
	{ "RFC 5090 GET", &rfc5090, &rfc5090_get, DIGEST_MD5, false, "auth",
	  "a4fac45c27a30f4f244c54a2e99fa117",
	  "08c4e942d1d0a191de8b3aa98cd35147" }
};

#endif
