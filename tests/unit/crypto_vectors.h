#ifndef ONECRED_CRYPTO_VECTORS_H
#define ONECRED_CRYPTO_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"

/* Vectors of the primitives. Include it in one file of a test program. */

static const struct {
	enum hash_id hash;
	const char *in, *out;
} hashes[] = {
	{ HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ HASH_SHA_1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ HASH_SHA_256, "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ HASH_SHA_512, "abc",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ HASH_SHA_512_256, "abc",
	  "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23" },
	{ HASH_SHA_512_256, "",
	  "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a" }
};

/* A text, or n times one octet. */
struct octets {
	uint8_t		fill;
	size_t		n;
	const char	*text;
};

static const struct {
	const char *name;
	enum hash_id hash;
	struct octets key, data;
	const char *out;
} hmacs[] = {
	{ "RFC 2202 MD5 1", HASH_MD5, { 0x0b, 16, NULL },
	  { 0, 0, "Hi There" },
	  "9294727a3638bb1c13f48ef8158bfc9d" },
	{ "RFC 2202 MD5 2", HASH_MD5, { 0, 0, "Jefe" },
	  { 0, 0, "what do ya want for nothing?" },
	  "750c783e6ab0b503eaa86e310a5db738" },
	{ "RFC 2202 MD5 3", HASH_MD5, { 0xaa, 16, NULL },
	  { 0xdd, 50, NULL },
	  "56be34521d144c88dbb8c733f0e8b3f6" },
	{ "RFC 2202 MD5 6", HASH_MD5, { 0xaa, 80, NULL },
	  { 0, 0, "Test Using Larger Than Block-Size Key - Hash Key First" },
	  "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd" },
	{ "RFC 2202 SHA-1 1", HASH_SHA_1, { 0x0b, 20, NULL },
	  { 0, 0, "Hi There" },
	  "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ "RFC 2202 SHA-1 2", HASH_SHA_1, { 0, 0, "Jefe" },
	  { 0, 0, "what do ya want for nothing?" },
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ "RFC 2202 SHA-1 6", HASH_SHA_1, { 0xaa, 80, NULL },
	  { 0, 0, "Test Using Larger Than Block-Size Key - Hash Key First" },
	  "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	{ "RFC 4231 SHA-256 1", HASH_SHA_256, { 0x0b, 20, NULL },
	  { 0, 0, "Hi There" },
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "RFC 4231 SHA-256 2", HASH_SHA_256, { 0, 0, "Jefe" },
	  { 0, 0, "what do ya want for nothing?" },
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "RFC 4231 SHA-256 3", HASH_SHA_256, { 0xaa, 20, NULL },
	  { 0xdd, 50, NULL },
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "RFC 4231 SHA-256 6", HASH_SHA_256, { 0xaa, 131, NULL },
	  { 0, 0, "Test Using Larger Than Block-Size Key - Hash Key First" },
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ "empty key and data, SHA-256", HASH_SHA_256, { 0, 0, "" },
	  { 0, 0, "" },
	  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	{ "RFC 4231 SHA-512 1", HASH_SHA_512, { 0x0b, 20, NULL },
	  { 0, 0, "Hi There" },
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ "RFC 4231 SHA-512 2", HASH_SHA_512, { 0, 0, "Jefe" },
	  { 0, 0, "what do ya want for nothing?" },
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ "RFC 4231 SHA-512 3", HASH_SHA_512, { 0xaa, 20, NULL },
	  { 0xdd, 50, NULL },
	  "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
	  "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" },
	{ "RFC 4231 SHA-512 6", HASH_SHA_512, { 0xaa, 131, NULL },
	  { 0, 0, "Test Using Larger Than Block-Size Key - Hash Key First" },
	  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	{ "empty key and data, SHA-512", HASH_SHA_512, { 0, 0, "" },
	  { 0, 0, "" },
	  "b936cee86c9f87aa5d3c6f2e84cb5a4239a5fe50480a6ec66b70ab5b1f4ac673"
	  "0c6c515421b327ec1d69402e53dfb49ad7381eb067b338fd7b0cb22247225d47" }};

static const struct {
	const char *name;
	enum hash_id hash;
	struct span password, salt;
	uint32_t iterations;
	const char *out;
} pbkdf2s[] = {
	{ "RFC 6070 1", HASH_SHA_1, { (const uint8_t *)"password", 8 },
	  { (const uint8_t *)"salt", 4 }, 1,
	  "0c60c80f961f0e71f3a9b524af6012062fe037a6" },
	{ "RFC 6070 2", HASH_SHA_1, { (const uint8_t *)"password", 8 },
	  { (const uint8_t *)"salt", 4 }, 2,
	  "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957" },
	{ "RFC 6070 3", HASH_SHA_1, { (const uint8_t *)"password", 8 },
	  { (const uint8_t *)"salt", 4 }, 4096,
	  "4b007901b765489abead49d926f721d065a429c1" },
	{ "RFC 6070 6, NUL inside", HASH_SHA_1,
	  { (const uint8_t *)"pass\0word", 9 },
	  { (const uint8_t *)"sa\0lt", 5 }, 4096,
	  "56fa6aa75548099dcc37d7f03425e0c37f1c42b2" },
	{ "RFC 7914 section 11, 1", HASH_SHA_256,
	  { (const uint8_t *)"passwd", 6 }, { (const uint8_t *)"salt", 4 }, 1,
	  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" },
	{ "RFC 7914 section 11, 2", HASH_SHA_256,
	  { (const uint8_t *)"Password", 8 }, { (const uint8_t *)"NaCl", 4 },
	  80000,
	  "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" },
	{ "RFC 5802 SaltedPassword", HASH_SHA_1,
	  { (const uint8_t *)"pencil", 6 },
	  { (const uint8_t *)"\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff"
	    "\x76", 12 }, 4096,
	  "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d" },
	{ "RFC 7677 SaltedPassword", HASH_SHA_256,
	  { (const uint8_t *)"pencil", 6 },
	  { (const uint8_t *)"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b"
	    "\x14\x12\x36\xfa\x81", 16 }, 4096,
	  "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d" },
	{ "SHA-512", HASH_SHA_512, { (const uint8_t *)"password", 8 },
	  { (const uint8_t *)"salt", 4 }, 4096,
	  "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5"
	  "143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5" },
	{ "empty password and salt", HASH_SHA_256, { NULL, 0 }, { NULL, 0 },
	  1,
	  "f7ce0b653d2d72a4108cf5abe912ffdd777616dbbb27a70e8204f3ae2d0f6fad" }
};

/* Test cases 13, 14 and 16 of the GCM specification: AES-256. */
static const struct {
	const char *key, *nonce, *aad, *plain, *sealed, *tag;
} gcms[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	  "000000000000000000000000", "", "", "",
	  "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	  "000000000000000000000000", "", "00000000000000000000000000000000",
	  "cea7403d4d606b6e074ec5d3baf39d18",
	  "d0d1c8a799996bf0265b98b5d48ab919" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	  "76fc6ece0f4e1768cddf8853bb2d551b" }
};

#endif
