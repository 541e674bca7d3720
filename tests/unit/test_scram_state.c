/*
 * An exchange between its steps, as octets: what is read back finishes it as
 * the original would (RFC 5802 7), and nothing else is read.
 */

#include <string.h>

#include "core/err.h"
#include "core/scram_state.h"
#include "scram_exchanges.h"
#include "unit.h"

static struct crypto *crypto;

static const uint8_t cb_octets[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
};

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

/* The state after the first two messages of v. */
static struct span
state_of(const struct vector *v, struct scram_verifier *verifier,
    uint8_t *state)
{
	uint8_t text[SCRAM_MESSAGE_MAX];
	struct scram_server server;
	struct wbuf wb;

	ck_assert_int_eq(scram_parse(span_str(v->verifier), verifier), 0);
	ck_assert_int_eq(scram_server_read_first(&server,
	    span_str(v->c_first), v->flag == SCRAM_CB_USED, false), 0);
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(scram_server_first(&server, verifier,
	    span_str(v->s_nonce), &wb), 0);
	wbuf_init(&wb, state, SCRAM_STATE_MAX);
	scram_state_write(&server, &wb);
	ck_assert(!wb.failed);
	return wbuf_written(&wb);
}

START_TEST(rfc5802_resumed)
{
	const struct vector *v = &vectors[_i];
	struct span cb = v->flag == SCRAM_CB_USED ? span_mem(cb_octets,
	    sizeof(cb_octets)) : SPAN_EMPTY;
	uint8_t state[SCRAM_STATE_MAX], text[SCRAM_MESSAGE_MAX];
	uint8_t again[SCRAM_STATE_MAX];
	struct scram_verifier verifier;
	struct scram_server server;
	struct span written;
	struct wbuf wb;

	written = state_of(v, &verifier, state);
	memset(&server, 0xff, sizeof(server));
	ck_assert_int_eq(scram_state_read(written, &server), 0);
	ck_assert_int_eq(server.cb_flag, v->flag);
	ck_assert_str_eq(server.cb_type, v->cb_type);
	ck_assert(span_equal(span_mem(server.name, server.name_n),
	    span_str(v->user)));
	ck_assert(span_equal(span_mem(server.authzid, server.authzid_n),
	    span_str(v->authzid)));
	wbuf_init(&wb, again, sizeof(again));
	scram_state_write(&server, &wb);
	ck_assert(span_equal(wbuf_written(&wb), written));
	wbuf_init(&wb, text, sizeof(text));
	ck_assert_int_eq(scram_server_final(&server, crypto, &verifier,
	    false, span_str(v->c_final), cb, &wb), VERDICT_ALLOW);
	ck_assert(span_equal(wbuf_written(&wb), span_str(v->s_final)));
}
END_TEST

START_TEST(truncated_and_longer)
{
	uint8_t state[SCRAM_STATE_MAX + 1];
	struct scram_verifier verifier;
	struct scram_server server;
	struct span all = state_of(&vectors[_i], &verifier, state);

	for (size_t n = 0; n < all.n; n++)
		ck_assert_int_eq(scram_state_read(span_head(all, n), &server),
		    -ERR_FORMAT);
	state[all.n] = 0;
	ck_assert_int_eq(scram_state_read(span_mem(state, all.n + 1),
	    &server), -ERR_FORMAT);
	state[0] = SCRAM_CB_USED + 1;
	ck_assert_int_eq(scram_state_read(all, &server), -ERR_FORMAT);
}
END_TEST

/* Every field at its limit, and one octet over it. */
START_TEST(limits)
{
	static const size_t max[] = {
		sizeof(((struct scram_server *)0)->cb_type) - 1,
		SCRAM_NAME_MAX, SCRAM_NAME_MAX, SCRAM_MESSAGE_MAX,
		SCRAM_NONCE_MAX, SCRAM_MESSAGE_MAX, SCRAM_MESSAGE_MAX
	};
	static uint8_t text[SCRAM_STATE_MAX + 64], out[SCRAM_STATE_MAX];
	static uint8_t filler[SCRAM_MESSAGE_MAX + 1];
	static struct scram_server server;
	struct wbuf wb;

	memset(filler, 'x', sizeof(filler));
	for (size_t over = 0; over <= COUNT(max); over++) {
		wbuf_init(&wb, text, sizeof(text));
		wbuf_u8(&wb, SCRAM_CB_USED);
		for (size_t i = 0; i < COUNT(max); i++) {
			size_t n = max[i] + (i == over);

			wbuf_u16(&wb, (uint16_t)n);
			wbuf_bytes(&wb, filler, n);
		}
		ck_assert(!wb.failed);
		ck_assert_int_eq(scram_state_read(wbuf_written(&wb), &server),
		    over == COUNT(max) ? 0 : -ERR_FORMAT);
	}
	ck_assert_uint_eq(span_str(server.cb_type).n, max[0]);
	/* The longest of all states fits into the room that is named. */
	wbuf_init(&wb, out, sizeof(out));
	scram_state_write(&server, &wb);
	ck_assert(!wb.failed);
	wbuf_init(&wb, out, 100);
	scram_state_write(&server, &wb);
	ck_assert(wb.failed);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("scram_state");
	TCase *tc = tcase_create("scram_state");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rfc5802_resumed, 0, (int)COUNT(vectors));
	tcase_add_loop_test(tc, truncated_and_longer, 0,
	    (int)COUNT(vectors));
	tcase_add_test(tc, limits);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
