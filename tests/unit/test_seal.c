/*
 * Sealed values, DESIGN 8: vectors made by another implementation (Python's
 * cryptography), every bit flipped, every other place, keys coming and going.
 */

#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/seal.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* 00..1f and 20..3f */
#define KEY_1	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_2	"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
#define MD5_LOCAL \
	"sealed:1:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"\
	"H0k="
#define SHA_256_LOCAL \
	"sealed:1:k1:oKGio6SlpqeoqaqrbG7EgLcgdi2dHXKoxBtlF06DCtZ7iDyFg2aTvlNV"\
	"1E6vjEl0nC8RwITpA4Ge1ubj"
#define SHA_256_FULL \
	"sealed:1:k1:oKGio6SlpqeoqaqrhiU3wH/78+5CHMHXoTiJx6Q0LmPjwtaH6bSwFkWf"\
	"ww5MT9Y45TGz8CE+Z5sTtlbp"

static struct crypto *crypto;
static struct seal_keyring ring;
static struct account alice;

static void
setup(void)
{
	unsigned int line;

	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k1 " KEY_1 "\n"), &ring,
	    &line), 0);
	ck_assert_int_eq(identity_parse(SPAN_LIT("alice@example.com"),
	    IDENTITY_STRICT, &alice), 0);
}

static void
teardown(void)
{
	seal_keyring_wipe(&ring);
	crypto_free(&crypto);
}

static struct seal_place
place_of(const char *algorithm, enum name_form form)
{
	return (struct seal_place){ &alice, SPAN_LIT("example.com"),
	    span_str(algorithm), form };
}

static const struct {
	const char	*text;
	const char	*algorithm;
	enum name_form	 form;
	size_t		 n;
	uint8_t		 value[32];
} vectors[] = {
	{ MD5_LOCAL, "MD5", FORM_LOCAL, 16,
	    { 0x93, 0xdf, 0xce, 0x8d, 0xfe, 0xbf, 0xae, 0x8a, 0xf4, 0xa7,
	    0x26, 0x98, 0x24, 0x29, 0xd2, 0x3a } },
	{ SHA_256_LOCAL, "SHA-256", FORM_LOCAL, 32,
	    { 0x8a, 0x76, 0xb8, 0xad, 0xf2, 0xeb, 0x74, 0x92, 0xff, 0x78,
	    0xf5, 0x7b, 0xc3, 0x61, 0xa5, 0xc9, 0x3e, 0x2f, 0x53, 0xc6, 0xe9,
	    0x3f, 0x7e, 0xe9, 0x1f, 0x68, 0xb5, 0x38, 0x2c, 0xfe, 0xa1,
	    0x4f } },
	{ SHA_256_FULL, "SHA-256", FORM_FULL, 32,
	    { 0x60, 0x3d, 0x4b, 0xed, 0x3a, 0x30, 0xf1, 0x51, 0x20, 0x79,
	    0x46, 0x04, 0xa6, 0x42, 0x49, 0x19, 0xd4, 0x98, 0x77, 0x73, 0x71,
	    0x75, 0x94, 0xeb, 0x75, 0xba, 0x96, 0x90, 0x3a, 0x34, 0xb6,
	    0x0f } }
};

START_TEST(vector)
{
	struct seal_place place = place_of(vectors[_i].algorithm,
	    vectors[_i].form);
	uint8_t out[32];

	ck_assert_int_eq(seal_open(crypto, &ring, &place,
	    span_str(vectors[_i].text), out, vectors[_i].n), 0);
	ck_assert_mem_eq(out, vectors[_i].value, vectors[_i].n);
}
END_TEST

/* A refusal leaves nothing behind in out. */
static void
refused(const struct seal_keyring *keys, const struct seal_place *place,
    struct span text, size_t n, int rc)
{
	static const uint8_t none[32];
	uint8_t out[32];

	memset(out, 0xee, sizeof(out));
	ck_assert_int_eq(seal_open(crypto, keys, place, text, out, n), rc);
	ck_assert_mem_eq(out, none, n);
}

START_TEST(round_trip)
{
	struct seal_place place = place_of(vectors[_i].algorithm,
	    vectors[_i].form);
	uint8_t text[2][SEAL_TEXT_MAX], out[32];
	struct wbuf wb[2];

	for (int i = 0; i < 2; i++) {
		wbuf_init(&wb[i], text[i], sizeof(text[i]));
		ck_assert_int_eq(seal_value(crypto, &ring, &place,
		    span_mem(vectors[_i].value, vectors[_i].n), &wb[i]), 0);
		ck_assert_int_eq(seal_open(crypto, &ring, &place,
		    wbuf_written(&wb[i]), out, vectors[_i].n), 0);
		ck_assert_mem_eq(out, vectors[_i].value, vectors[_i].n);
	}
	ck_assert(seal_is_sealed(wbuf_written(&wb[0])));
	/* A nonce of its own each time. */
	ck_assert(!span_equal(wbuf_written(&wb[0]), wbuf_written(&wb[1])));
	/* The other size is another value. */
	refused(&ring, &place, wbuf_written(&wb[0]), 48 - vectors[_i].n,
	    -ERR_FORMAT);
}
END_TEST

START_TEST(every_bit_flipped)
{
	struct seal_place place = place_of(vectors[_i].algorithm,
	    vectors[_i].form);
	struct span head = SPAN_LIT("sealed:1:k1:");
	struct span whole = span_str(vectors[_i].text);
	uint8_t blob[64], text[SEAL_TEXT_MAX];
	struct wbuf wb;
	size_t n;

	ck_assert_int_eq(base64_decode(span_tail(whole, head.n), blob,
	    sizeof(blob), &n), 0);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
		wbuf_init(&wb, text, sizeof(text));
		wbuf_span(&wb, head);
		wbuf_base64(&wb, span_mem(blob, n));
		refused(&ring, &place, wbuf_written(&wb), vectors[_i].n,
		    -ERR_KEY);
		blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* The same for the text, where a flip may break the grammar. */
	for (size_t bit = 0; bit < 8 * whole.n; bit++) {
		uint8_t out[32];

		memcpy(text, whole.p, whole.n);
		text[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_ne(seal_open(crypto, &ring, &place,
		    span_mem(text, whole.n), out, vectors[_i].n), 0);
	}
}
END_TEST

START_TEST(truncated_and_trailing)
{
	struct seal_place place = place_of(vectors[_i].algorithm,
	    vectors[_i].form);
	struct span whole = span_str(vectors[_i].text);
	uint8_t text[SEAL_TEXT_MAX + 64];

	for (size_t n = 0; n < whole.n; n++)
		refused(&ring, &place, span_head(whole, n), vectors[_i].n,
		    -ERR_FORMAT);
	memset(text, 'A', sizeof(text));
	memcpy(text, whole.p, whole.n);
	for (size_t n = whole.n + 1; n <= sizeof(text); n++)
		refused(&ring, &place, span_mem(text, n), vectors[_i].n,
		    -ERR_FORMAT);
	text[whole.n] = '\n';
	refused(&ring, &place, span_mem(text, whole.n + 1), vectors[_i].n,
	    -ERR_FORMAT);
	text[whole.n] = '\0';
	refused(&ring, &place, span_mem(text, whole.n + 1), vectors[_i].n,
	    -ERR_FORMAT);
}
END_TEST

START_TEST(other_place)
{
	struct span text = SPAN_LIT(SHA_256_LOCAL);
	struct account other = alice;
	struct seal_place place;

	place = place_of("SHA-256", FORM_FULL);
	refused(&ring, &place, text, 32, -ERR_KEY);
	place = place_of("SHA-512-256", FORM_LOCAL);
	refused(&ring, &place, text, 32, -ERR_KEY);
	place = place_of("SHA-256", FORM_LOCAL);
	place.realm = SPAN_LIT("Example.com");
	refused(&ring, &place, text, 32, -ERR_KEY);
	place.realm = SPAN_EMPTY;
	refused(&ring, &place, text, 32, -ERR_KEY);
	place = place_of("SHA-256", FORM_LOCAL);
	place.account = &other;
	memcpy(other.localpart, "alicf", 6);
	refused(&ring, &place, text, 32, -ERR_KEY);
	other = alice;
	memcpy(other.domain, "example.org", 12);
	refused(&ring, &place, text, 32, -ERR_KEY);
	/* Counted fields: moving an octet over a border is another place. */
	memcpy(other.localpart, "alicee", 7);
	memcpy(other.domain, "xample.com", 11);
	refused(&ring, &place, text, 32, -ERR_KEY);
}
END_TEST

START_TEST(keys_rotate)
{
	struct seal_place place = place_of("SHA-256", FORM_LOCAL);
	struct seal_keyring both, only_new, wrong;
	uint8_t text[SEAL_TEXT_MAX], out[32];
	unsigned int line;
	struct wbuf wb;

	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k2 " KEY_2 "\nk1 "
	    KEY_1), &both, &line), 0);
	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k2 " KEY_2), &only_new,
	    &line), 0);
	ck_assert_int_eq(seal_keyring_parse(SPAN_LIT("k1 " KEY_2), &wrong,
	    &line), 0);
	/* The old value is still read; new ones are made with the first. */
	ck_assert_int_eq(seal_open(crypto, &both, &place,
	    SPAN_LIT(SHA_256_LOCAL), out, 32), 0);
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(seal_value(crypto, &both, &place,
	    span_mem(vectors[1].value, 32), &wb), 0);
	ck_assert(span_equal(span_head(wbuf_written(&wb), 12),
	    SPAN_LIT("sealed:1:k2:")));
	ck_assert_int_eq(seal_open(crypto, &only_new, &place,
	    wbuf_written(&wb), out, 32), 0);
	ck_assert_mem_eq(out, vectors[1].value, 32);
	/* Unknown id, no ring, empty ring, other key under the same id. */
	refused(&only_new, &place, SPAN_LIT(SHA_256_LOCAL), 32, -ERR_KEY);
	refused(NULL, &place, SPAN_LIT(SHA_256_LOCAL), 32, -ERR_KEY);
	refused(&wrong, &place, SPAN_LIT(SHA_256_LOCAL), 32, -ERR_KEY);
	seal_keyring_wipe(&wrong);
	refused(&wrong, &place, SPAN_LIT(SHA_256_LOCAL), 32, -ERR_KEY);
	ck_assert_int_eq(seal_value(crypto, &wrong, &place,
	    span_mem(vectors[1].value, 32), &wb), -ERR_KEY);
	ck_assert_int_eq(seal_value(crypto, NULL, &place,
	    span_mem(vectors[1].value, 32), &wb), -ERR_KEY);
}
END_TEST

static const char *const malformed[] = {
	"", "sealed", "sealed:", "sealed:1", "sealed:1:", "sealed:1::",
	"sealed:1:k1", "sealed:1:k1:", "sealed:1:k1:=", "sealed:1:k1:A",
	"sealed:1:k1:AAAA", "sealed:1:k 1:AAAA",
	"Sealed:1:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"
	"H0k=",
	"sealed:2:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"
	"H0k=",
	"sealed:1::oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HYH0k"
	"=",
	/* an id of 17 octets, unused bits set, no padding, blank inside */
	"sealed:1:k1k1k1k1k1k1k1k1k:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/"
	"6J2B/CREXo8z4HYH0k=",
	"sealed:1:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"
	"H0l=",
	"sealed:1:k1:oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4HY"
	"H0k",
	"sealed:1:k1: oKGio6SlpqeoqaqrdceyoLt0rDWWwqFLI1MS5GXo/6J2B/CREXo8z4H"
	"YH0k=",
	"93dfce8dfebfae8af4a726982429d23a"
};

START_TEST(malformed_text)
{
	struct seal_place place = place_of("MD5", FORM_LOCAL);

	refused(&ring, &place, span_str(malformed[_i]), 16, -ERR_FORMAT);
	refused(NULL, &place, span_str(malformed[_i]), 16, -ERR_FORMAT);
}
END_TEST

START_TEST(value_sizes)
{
	struct seal_place place = place_of("MD5", FORM_LOCAL);
	uint8_t text[SEAL_TEXT_MAX], value[64] = { 0 };
	struct wbuf wb;

	for (size_t n = 0; n <= sizeof(value); n++) {
		wbuf_init(&wb, text, sizeof(text));
		ck_assert_int_eq(seal_value(crypto, &ring, &place,
		    span_mem(value, n), &wb), n == 16 || n == 32 ? 0 :
		    -ERR_FORMAT);
		ck_assert_int_eq(wb.n > 0, n == 16 || n == 32);
	}
	wbuf_init(&wb, text, 40);
	ck_assert_int_eq(seal_value(crypto, &ring, &place,
	    span_mem(value, 16), &wb), -ERR_TOO_LONG);
	refused(&ring, &place, SPAN_LIT(MD5_LOCAL), 0, -ERR_FORMAT);
	place.realm = span_mem(text, 70000);
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(seal_value(crypto, &ring, &place,
	    span_mem(value, 16), &wb), -ERR_TOO_LONG);
}
END_TEST

START_TEST(is_sealed)
{
	ck_assert(seal_is_sealed(SPAN_LIT("sealed:")));
	ck_assert(seal_is_sealed(SPAN_LIT("sealed:9:what")));
	ck_assert(!seal_is_sealed(SPAN_LIT("sealed")));
	ck_assert(!seal_is_sealed(SPAN_LIT("Sealed:1:")));
	ck_assert(!seal_is_sealed(SPAN_LIT(" sealed:1:")));
	ck_assert(!seal_is_sealed(SPAN_EMPTY));
}
END_TEST

static const struct {
	struct span	text;
	int		rc;
	unsigned int	line;
	size_t		count;
} files[] = {
#define FILE_(s, rc, line, count) \
	{ { (const uint8_t *)(s), sizeof(s) - 1 }, rc, line, count }
	FILE_("k1 " KEY_1, 0, 1, 1),
	FILE_("k1 " KEY_1 "\n", 0, 1, 1),
	FILE_("# the keys\r\n\r\n  k1\t" KEY_1 "  \r\n#\nK_2-x " KEY_2 "\n", 0,
	    5, 2),
	FILE_("0123456789abcdef " KEY_1, 0, 1, 1),
	FILE_("a " KEY_1 "\nb " KEY_1 "\nc " KEY_1 "\nd " KEY_1 "\n", 0, 4,
	    4),
	FILE_("a " KEY_1 "\nb " KEY_1 "\nc " KEY_1 "\nd " KEY_1 "\ne " KEY_1,
	    -ERR_TOO_LONG, 5, 0),
	FILE_("", -ERR_FORMAT, 0, 0),
	FILE_("# nothing\n\n", -ERR_FORMAT, 2, 0),
	FILE_("k1", -ERR_FORMAT, 1, 0),
	FILE_("k1 ", -ERR_FORMAT, 1, 0),
	FILE_(KEY_1, -ERR_FORMAT, 1, 0),
	FILE_("k1 " KEY_1 " x", -ERR_FORMAT, 1, 0),
	FILE_("k1 " KEY_1 "\nk1 " KEY_2 "\n", -ERR_FORMAT, 2, 0),
	FILE_("k:1 " KEY_1, -ERR_FORMAT, 1, 0),
	FILE_("k\xc3\xa9 " KEY_1, -ERR_FORMAT, 1, 0),
	FILE_("k\0 " KEY_1, -ERR_FORMAT, 1, 0),
	FILE_("0123456789abcdefg " KEY_1, -ERR_FORMAT, 1, 0),
	FILE_("\nk1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
	    -ERR_FORMAT, 2, 0),
	FILE_("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", -ERR_FORMAT,
	    1, 0),
	FILE_("k1 " KEY_1 "\nk2 AAEC\n", -ERR_FORMAT, 2, 0)
#undef FILE_
};

START_TEST(keyring)
{
	static const struct seal_keyring none;
	struct seal_keyring keys;
	unsigned int line = 77;

	memset(&keys, 0xee, sizeof(keys));
	ck_assert_int_eq(seal_keyring_parse(files[_i].text, &keys, &line),
	    files[_i].rc);
	ck_assert_uint_eq(line, files[_i].line);
	ck_assert_uint_eq(keys.count, files[_i].count);
	if (files[_i].rc != 0)
		ck_assert_mem_eq(&keys, &none, sizeof(keys));
	for (size_t i = 0; i < keys.count; i++)
		ck_assert_uint_eq(keys.keys[i].key[1] & 0x1f, 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("seal");
	TCase *tc = tcase_create("seal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, vector, 0, COUNT(vectors));
	tcase_add_loop_test(tc, round_trip, 0, COUNT(vectors));
	tcase_add_loop_test(tc, every_bit_flipped, 0, COUNT(vectors));
	tcase_add_loop_test(tc, truncated_and_trailing, 0, COUNT(vectors));
	tcase_add_test(tc, other_place);
	tcase_add_test(tc, keys_rotate);
	tcase_add_loop_test(tc, malformed_text, 0, COUNT(malformed));
	tcase_add_test(tc, value_sizes);
	tcase_add_test(tc, is_sealed);
	tcase_add_loop_test(tc, keyring, 0, COUNT(files));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
