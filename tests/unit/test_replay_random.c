/*
 * The replay window under random uses: a naive model that must agree, and what
 * may never happen however the clock jumps.
 */

#include "replay_uses.h"

/* xorshift64*; the same every time. */
static uint32_t
draw(uint64_t *state, uint32_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 33) %
	    below;
}

/*
 * The model: one array, every use remembered, looked through from the start.
 */
#define MODEL_NONCES	48
#define MODEL_USES	400

struct model_nonce {
	struct nonce		nonce;
	enum nonce_origin	origin;
	bool			held, once;
	uint32_t		newest;
	size_t			count;
	struct {
		uint32_t	nc;
		uint8_t		request;
		bool		noted;
	} uses[MODEL_USES];
};

struct model {
	struct model_nonce	n[MODEL_NONCES];
	uint64_t		floor[3];	/* by origin */
	size_t			max;
};

static size_t
model_held(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < MODEL_NONCES; i++)
		n += m->n[i].held;
	return n;
}

static void
model_drop(struct model *m, size_t i)
{
	struct model_nonce *n = &m->n[i];

	n->held = false;
	if (m->floor[n->origin] < n->nonce.time_us)
		m->floor[n->origin] = n->nonce.time_us;
}

static enum replay_answer
model_use(struct model *m, size_t i, uint32_t nc, uint8_t request,
    uint64_t now)
{
	struct model_nonce *n = &m->n[i];
	uint64_t age = now > n->nonce.time_us ? now - n->nonce.time_us : 0;
	size_t notes = 0, oldest = 0;

	for (size_t j = 0; j < MODEL_NONCES; j++)
		if (m->n[j].held && now > m->n[j].nonce.time_us &&
		    now - m->n[j].nonce.time_us > LIFETIME)
			model_drop(m, j);
	if (age > LIFETIME || n->nonce.time_us > now + 5 * SECOND)
		return REPLAY_STALE;
	if (n->held) {
		for (size_t j = n->count; j-- > 0 && notes < 8; notes++)
			if (n->uses[j].nc == nc &&
			    n->uses[j].request == request)
				return REPLAY_AGAIN;
		if (n->once || nc == 0)
			return REPLAY_STALE;
		if (nc < n->newest && n->newest - nc >= 64)
			return REPLAY_STALE;
		for (size_t j = 0; j < n->count; j++)
			if (n->uses[j].nc == nc)
				return REPLAY_STALE;
	} else {
		if (n->nonce.time_us <= m->floor[n->origin] ||
		    (n->origin == NONCE_FOREIGN && age > FOREIGN))
			return REPLAY_STALE;
		if (model_held(m) == m->max) {
			for (oldest = 0; !m->n[oldest].held;)
				oldest++;
			for (size_t j = oldest; j < MODEL_NONCES; j++)
				if (m->n[j].held && m->n[j].nonce.time_us <
				    m->n[oldest].nonce.time_us)
					oldest = j;
			model_drop(m, oldest);
		}
		n->held = true;
		n->count = 0;
		n->newest = 0;
		n->once = nc == 0 || n->origin == NONCE_FOREIGN;
	}
	if (n->newest < nc)
		n->newest = nc;
	ck_assert_uint_lt(n->count, MODEL_USES);
	n->uses[n->count].nc = nc;
	n->uses[n->count++].request = request;
	return REPLAY_FRESH;
}

START_TEST(random_uses_as_the_model)
{
	static struct model m;
	uint64_t state = 88172645463325252u + (uint64_t)_i, now = START;
	unsigned int seen[3] = { 0 };
	size_t entries = _i % 2 == 0 ? 6 : 14;
	struct replay *r = make(entries);

	memset(&m, 0, sizeof(m));
	m.max = entries;
	for (size_t i = 0; i < MODEL_NONCES; i++) {
		m.n[i].origin = draw(&state, 4) == 0 ? NONCE_FOREIGN :
		    NONCE_OWN;
		/* No two of one time: which goes first would be free. */
		m.n[i].nonce = nonce_of(m.n[i].origin == NONCE_OWN ? node_a :
		    node_b, START + i * 20 * SECOND +
		    draw(&state, 20 * SECOND), i);
	}
	for (int step = 0; step < 4000; step++) {
		/* Nonces of about now, mostly. */
		size_t i = (size_t)((now - START) / (20 * SECOND)) +
		    draw(&state, 20);
		uint32_t nc = draw(&state, draw(&state, 4) == 0 ? 200 : 12);
		uint8_t request = (uint8_t)draw(&state, 3);
		enum replay_answer want, got;

		i = (i < 18 ? 0 : i - 18) % MODEL_NONCES;
		now += draw(&state, SECOND / 2);
		want = model_use(&m, i, nc, request, now);
		got = use(r, m.n[i].origin, &m.n[i].nonce, nc, request, now);
		ck_assert_msg(got == want, "seed %d, step %d: %d, not %d",
		    _i, step, (int)got, (int)want);
		ck_assert_uint_eq(replay_count(r), model_held(&m));
		seen[got]++;
	}
	ck_assert_uint_gt(seen[REPLAY_STALE], 200);
	ck_assert_uint_gt(seen[REPLAY_FRESH], 100);
	ck_assert_uint_gt(seen[REPLAY_AGAIN], 25);
	replay_free(&r);
}
END_TEST

/*
 * However the clock jumps and whatever is marked: never twice the same count,
 * never "again" for a request that did not pass with it.
 */
#define CHAOS_NONCES	200
#define CHAOS_COUNTS	100
#define CHAOS_REQUESTS	3

START_TEST(never_twice)
{
	static struct nonce nonces[CHAOS_NONCES];
	static bool fresh[CHAOS_NONCES][CHAOS_COUNTS];
	static bool passed[CHAOS_NONCES][CHAOS_COUNTS][CHAOS_REQUESTS];
	uint64_t state = 362436069362436069u + (uint64_t)_i, now = START;
	struct replay *r = make(_i % 2 == 0 ? 5 : 150);
	uint8_t node[NONCE_NODE_SIZE] = "0 start";
	unsigned int passes = 0;

	replay_node(r, node);
	memset(fresh, 0, sizeof(fresh));
	memset(passed, 0, sizeof(passed));
	for (size_t i = 0; i < CHAOS_NONCES; i++)
		nonces[i] = nonce_of(node, now, i);
	for (int step = 0; step < 60000; step++) {
		size_t i = draw(&state, CHAOS_NONCES);
		uint32_t nc = draw(&state, CHAOS_COUNTS);
		uint8_t request = (uint8_t)draw(&state, CHAOS_REQUESTS);
		enum nonce_origin origin;
		enum replay_answer got;

		now += draw(&state, SECOND);
		if (draw(&state, 2000) == 0)
			now += draw(&state, 1000) * SECOND;
		if (draw(&state, 2000) == 0)
			now -= draw(&state, 1000) * SECOND;
		if (draw(&state, 5000) == 0) {
			node[0]++;
			replay_node(r, node);
		}
		if (draw(&state, 40) == 0) {
			nonces[i] = nonce_of(node, now, 1000 +
			    (uint64_t)step);
			memset(fresh[i], 0, sizeof(fresh[i]));
			memset(passed[i], 0, sizeof(passed[i]));
		}
		origin = span_equal(span_mem(nonces[i].node, sizeof(node)),
		    span_mem(node, sizeof(node))) ? NONCE_OWN :
		    NONCE_FOREIGN;
		if (draw(&state, 50) == 0) {
			mark(r, origin, &nonces[i], nc, request, now);
			passed[i][nc][request] = true;
			continue;
		}
		got = use(r, origin, &nonces[i], nc, request, now);
		if (got == REPLAY_FRESH) {
			ck_assert(!fresh[i][nc]);
			fresh[i][nc] = passed[i][nc][request] = true;
			passes++;
		} else if (got == REPLAY_AGAIN)
			ck_assert(passed[i][nc][request]);
	}
	ck_assert_uint_gt(passes, 100);
	replay_free(&r);
}
END_TEST

static Suite *
unit_suite(void)
{
	Suite *s = suite_create("replay_random");
	TCase *tc = tcase_create("replay_random");

	tcase_add_loop_test(tc, random_uses_as_the_model, 0, 30);
	tcase_add_loop_test(tc, never_twice, 0, 12);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(unit_suite)
