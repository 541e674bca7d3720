/*
 * Fakes: the same today, tomorrow and in the plugin (vectors made with
 * Python's hmac), different for every name, mechanism, algorithm and form,
 * and of the looks of real ones (STANDARDS 9.3).
 */

#include <string.h>

#include "core/err.h"
#include "core/fake.h"
#include "core/hex.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static struct crypto *crypto;
static struct credential row;

static void
setup(void)
{
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
	memset(&row, 0, sizeof(row));
	for (size_t i = 0; i < sizeof(row.seed); i++)
		row.seed[i] = (uint8_t)i;
	row.fake_iterations = 20000;
	row.fake_salt_n = SCRAM_SALT_NEW;
}

static void
teardown(void)
{
	crypto_free(&crypto);
}

static void
is_hex_of(const uint8_t *octets, size_t n, const char *hex)
{
	uint8_t text[2 * SCRAM_KEY_MAX];
	struct wbuf wb;

	wbuf_init(&wb, text, sizeof(text));
	wbuf_hex(&wb, span_mem(octets, n));
	ck_assert_msg(span_equal(wbuf_written(&wb), span_str(hex)), "%.*s",
	    (int)wb.n, (const char *)text);
}

START_TEST(scram_vectors)
{
	struct scram_verifier v;

	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_256, &v), 0);
	ck_assert_int_eq(v.mech, SCRAM_SHA_256);
	ck_assert_uint_eq(v.iterations, 20000);
	ck_assert(span_equal(span_mem(v.salt, v.salt_n),
	    SPAN_LIT("PlWgs+PYUSEYvYd3vKN6kkiX")));
	row.fake_salt_n = 16;
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_256, &v), 0);
	ck_assert_uint_eq(v.salt_n, 16);
	is_hex_of(v.salt, 16, "3e55a0b3e3d8512118bd8777bca37a92");
	row.fake_salt_n = 36;
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_1, &v), 0);
	ck_assert(span_equal(span_mem(v.salt, v.salt_n),
	    SPAN_LIT("4c153bc5-8c9b-42e9-b380-cd200e4a806e")));
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_512, &v), 0);
	is_hex_of(v.stored_key, 64,
	    "45b3a65a118db3554fde98b8bd7a4fb5aa4758b1cb5c33059844286dae50c30c"
	    "e6e8c8b69824b0211b69a820c2d52a1bfe77f5ed5baf705bd7e36c09ee86798a"
	    );
	is_hex_of(v.server_key, 64,
	    "d12fabe3843f7df2e38d01721ce96a0e1ef63091891a953affecec06d503b2bf"
	    "614a97a1d2339b03f13b3c2cd1090ff99ec5d46024474ef50906209ebd6df0cf"
	    );
}
END_TEST

static const struct {
	enum digest_alg	 alg;
	enum name_form	 form;
	const char	*hex;
} ha1s[] = {
	{ DIGEST_MD5, FORM_LOCAL, "a4aea0c5df702ade7bcee5425fa43771" },
	{ DIGEST_MD5, FORM_FULL, "15330d19ce05f882ff1cd9ce8c658628" },
	{ DIGEST_SHA_256, FORM_LOCAL, "0ccb005e77749d4d57b899bf42743b3a"
	    "85f5e0cfa38b9537bdda527e3df3adc2" },
	{ DIGEST_SHA_256, FORM_FULL, "6c4f7ab349aa44a738c71c883949c53d"
	    "0dd8bbbb496d8bb5704db8a605f15e1e" },
	{ DIGEST_SHA_512_256, FORM_LOCAL, "136ea9d315d59501ab62cda81702f52b"
	    "bc956479dde4ce15529e9049a1b7986a" },
	{ DIGEST_SHA_512_256, FORM_FULL, "55f483644413fe187270b89b05bdb784"
	    "10c6577f10a507de1ea04da2f5a70d38" }
};

START_TEST(ha1_vectors)
{
	uint8_t out[DIGEST_SIZE_MAX], other[DIGEST_SIZE_MAX];
	size_t n = digest_alg_size(ha1s[_i].alg);

	ck_assert_int_eq(fake_ha1(crypto, &row, ha1s[_i].alg, ha1s[_i].form,
	    out), 0);
	is_hex_of(out, n, ha1s[_i].hex);
	row.seed[31] ^= 1;
	ck_assert_int_eq(fake_ha1(crypto, &row, ha1s[_i].alg, ha1s[_i].form,
	    other), 0);
	ck_assert_mem_ne(out, other, n);
}
END_TEST

/* Whatever length is drawn, two names and two mechanisms differ in salt. */
START_TEST(salts)
{
	struct scram_verifier v[3];

	row.fake_salt_n = (uint32_t)_i;
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_1, &v[0]), 0);
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_256, &v[1]), 0);
	row.seed[0] ^= 1;
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_1, &v[2]), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(v[i].salt_n, _i == 0 || _i > SCRAM_SALT_MAX ?
		    SCRAM_SALT_NEW : (size_t)_i);
	if (v[0].salt_n < 8)
		return;
	ck_assert(!span_equal(span_mem(v[0].salt, v[0].salt_n),
	    span_mem(v[1].salt, v[1].salt_n)));
	ck_assert(!span_equal(span_mem(v[0].salt, v[0].salt_n),
	    span_mem(v[2].salt, v[2].salt_n)));
}
END_TEST

/* A fake is a verifier like any other: it has a text that parses. */
START_TEST(looks_real)
{
	for (int mech = SCRAM_NONE + 1; mech < SCRAM_MECH_COUNT; mech++) {
		struct scram_verifier v, parsed;
		uint8_t text[SCRAM_TEXT_MAX];
		struct wbuf wb;

		ck_assert_int_eq(fake_scram(crypto, &row,
		    (enum scram_mech)mech, &v), 0);
		wbuf_init(&wb, text, sizeof(text));
		scram_format(&v, &wb);
		ck_assert(!wb.failed);
		ck_assert_int_eq(scram_parse(wbuf_written(&wb), &parsed), 0);
		ck_assert_mem_eq(v.salt, parsed.salt, v.salt_n);
	}
}
END_TEST

static const struct {
	uint32_t	fake, policy, want;
} iterations[] = {
	{ 4096, 10000, 4096 }, { 65536, 10000, 65536 },
	{ 0, 12000, 12000 }, { 4095, 12000, 12000 },
	{ 65537, 12000, 12000 }, { 0, 0, 10000 },
	{ 0xffffffff, 0xffffffff, 10000 }, { 1, 4095, 10000 }
};

START_TEST(iterations_bounded)
{
	struct scram_verifier v;

	row.fake_iterations = iterations[_i].fake;
	row.policy.iterations = iterations[_i].policy;
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_SHA_256, &v), 0);
	ck_assert_uint_eq(v.iterations, iterations[_i].want);
}
END_TEST

START_TEST(unsupported)
{
	static const struct scram_verifier none;
	uint8_t out[DIGEST_SIZE_MAX];
	struct crypto *fips;
	struct scram_verifier v;

	memset(&v, 0xee, sizeof(v));
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_NONE, &v),
	    -ERR_UNSUPPORTED);
	ck_assert_mem_eq(&v, &none, sizeof(v));
	ck_assert_int_eq(fake_scram(crypto, &row, SCRAM_MECH_COUNT, &v),
	    -ERR_UNSUPPORTED);
	ck_assert_int_eq(fake_ha1(crypto, &row, DIGEST_NONE, FORM_LOCAL, out),
	    -ERR_UNSUPPORTED);
	ck_assert_int_eq(fake_ha1(crypto, &row, DIGEST_ALG_COUNT, FORM_LOCAL,
	    out), -ERR_UNSUPPORTED);
	/* No provider has this property: nothing at all can be computed. */
	ck_assert_int_eq(crypto_new("provider=none", &fips), 0);
	memset(&v, 0xee, sizeof(v));
	ck_assert_int_ne(fake_scram(fips, &row, SCRAM_SHA_1, &v), 0);
	ck_assert_mem_eq(&v, &none, sizeof(v));
	ck_assert_int_ne(fake_ha1(fips, &row, DIGEST_MD5, FORM_LOCAL, out),
	    0);
	crypto_free(&fips);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("fake");
	TCase *tc = tcase_create("fake");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, scram_vectors);
	tcase_add_loop_test(tc, ha1_vectors, 0, COUNT(ha1s));
	tcase_add_loop_test(tc, salts, 0, SCRAM_SALT_MAX + 3);
	tcase_add_test(tc, looks_real);
	tcase_add_loop_test(tc, iterations_bounded, 0, COUNT(iterations));
	tcase_add_test(tc, unsupported);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
