/*
 * CPU time of one decision about a SIP request without HTTP and PostgreSQL:
 * the whole of sip_submit() over a store that answers out of memory, then the
 * steps that it takes one by one. Time of this thread, median of the passes;
 * every pass has requests of its own, each with an nc that was not used.
 *
 *     sip_bench [PASSES]
 */

#include <event2/event.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/challenge.h"
#include "core/crypto.h"
#include "core/hex.h"
#include "core/nonce.h"
#include "core/sip_credentials.h"
#include "core/sip_message.h"
#include "core/verify.h"
#include "service/auth.h"
#include "service/sip.h"
#include "service/sip_decision.h"
#include "service/sip_identity.h"
#include "service/workers.h"
#include "sip_phone.h"
#include "store/store.h"

#define PHONES		1000
#define PASSES		40
#define PASSES_MAX	1000
#define ROWS_MAX	4
#define REALM		"example.com"

enum step {
	STEP_WHOLE = 0,
	STEP_CHALLENGE,
	STEP_MESSAGE,
	STEP_CREDENTIALS,
	STEP_ROWS,
	STEP_NONCE,
	STEP_NAME,
	STEP_DIGEST,
	STEP_FINGERPRINT,
	STEP_REPLAY,
	STEP_IDENTITY,
	STEP_INFO,
	STEP_RESPONSE,
	STEP_RSPAUTH,
	STEP_NONCE_MAKE,
	STEP_COUNT
};

static const char *const step_names[STEP_COUNT] = {
	[STEP_WHOLE] = "decision, all of it (aim: 10)",
	[STEP_CHALLENGE] = "challenge, all of it",
	[STEP_MESSAGE] = "sip_message_parse",
	[STEP_CREDENTIALS] = "sip_credentials_parse",
	[STEP_ROWS] = "sip_decision_rows, _pick, _removable",
	[STEP_NONCE] = "nonce_read",
	[STEP_NAME] = "identity_present",
	[STEP_DIGEST] = "verify_digest",
	[STEP_FINGERPRINT] = "sip_fingerprint",
	[STEP_REPLAY] = "replay_use, sip_decision_nonce",
	[STEP_IDENTITY] = "sip_identity_check",
	[STEP_INFO] = "authentication_info_write",
	[STEP_RESPONSE] = "digest_response",
	[STEP_RSPAUTH] = "digest_rspauth",
	[STEP_NONCE_MAKE] = "nonce_make"
};

/* One request, and what the steps make of it. */
struct item {
	uint8_t		octets[SIP_PHONE_REQUEST], text[1024];
	size_t		n;
	struct sip_message message;
	struct sip_credentials rows[ROWS_MAX];
	struct sip_selection selection;
	struct sip_nonce nonces[SIP_OURS_MAX];
	size_t		picked;
	struct presented presented;
	char		rspauth[DIGEST_HEX_MAX + 1];
	uint8_t		fingerprint[SIP_FINGERPRINT_SIZE];
};

static struct sip_phones all = {
	.realm = REALM, .prefix = "bench"
};
static struct sip_phone phones[PHONES];
static struct credential rows[PHONES];
static struct item items[PHONES];
static const struct realm_policy policy = {
	.realm = REALM, .domain = REALM, .algs = { DIGEST_MD5 },
	.alg_count = 1
};
static enum sip_role role;
static struct event_base *base;
static struct sip *sip;
static struct replay *replay;
static struct nonce_keys keys = { .count = 1 };
static double times[STEP_COUNT][PASSES_MAX];
static size_t answers[5], line_count;

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "sip_bench: %s\n", what);
	exit(1);
}

/* The store: all that is asked for is answered in the next turn. */
struct store_lookup {
	store_lookup_cb	*row_cb;
	store_answer_cb	*cb;
	void		*arg;
	size_t		 phone;
};
static struct store_lookup asked[PHONES];
static size_t asked_count;

static struct store_lookup *
ask(store_lookup_cb *row_cb, store_answer_cb *cb, void *arg, size_t phone)
{
	if (asked_count == PHONES)
		die("too many questions");
	asked[asked_count] = (struct store_lookup){ row_cb, cb, arg, phone };
	return &asked[asked_count++];
}

struct store_lookup *
store_lookup(struct store *store, const struct store_key *key,
    store_lookup_cb *cb, void *arg)
{
	size_t phone = 0;

	(void)store;
	for (size_t i = sizeof("bench") - 1; i < key->localpart.n; i++)
		phone = 10 * phone + (size_t)(key->localpart.p[i] - '0');
	return ask(cb, NULL, arg, phone % PHONES);
}

struct store_lookup *
store_ask(struct store *store, enum store_question question,
    const struct span *values, size_t count, store_answer_cb *cb, void *arg)
{
	(void)store;
	(void)values;
	(void)count;
	if (question != STORE_REALM)
		die("a question of the identity rule");
	return ask(NULL, cb, arg, 0);
}

void
store_cancel(struct store_lookup *lookup)
{
	lookup->row_cb = NULL;
	lookup->cb = NULL;
}

bool
store_ready(const struct store *store)
{
	(void)store;
	return true;
}

void
store_stats(const struct store *store, struct store_stats *out)
{
	(void)store;
	memset(out, 0, sizeof(*out));
}

static void
serve(void)
{
	for (size_t i = 0; i < asked_count; i++) {
		if (asked[i].row_cb != NULL)
			asked[i].row_cb(STORE_OK, &rows[asked[i].phone],
			    asked[i].arg);
		if (asked[i].cb != NULL)
			asked[i].cb(STORE_OK, SPAN_LIT(REALM "\t" REALM
			    "\tMD5\tdomain\t"), asked[i].arg);
	}
	asked_count = 0;
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	line_count += line[0] != '\0';
}

static const struct sink sink = { log_write, NULL, LEVEL_INFO };

static void
on_reply(const struct sip_reply *reply, void *arg)
{
	(void)arg;
	answers[reply->verdict]++;
}

static double
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static uint64_t
now_real(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A request of each phone; proved: with credentials. */
static void
make_requests(uint64_t pass, bool proved)
{
	for (size_t i = 0; i < PHONES; i++) {
		struct sip_phone phone = phones[i];
		struct wbuf wb;

		if (!proved)
			phone.nonce[0] = '\0';
		wbuf_init(&wb, items[i].octets, sizeof(items[i].octets));
		if (sip_phone_write(&all, &phone, pass * PHONES + i, 5060,
		    &wb) != 0 || wb.failed)
			die("a request cannot be written");
		items[i].n = wb.n;
		if (proved)
			phones[i] = phone;
	}
}

/* As many at a time as a busy daemon has in flight. */
static void
run_whole(enum step step, size_t pass, enum sip_verdict expected)
{
	size_t before = answers[expected];
	double start = now_us();

	for (size_t i = 0; i < PHONES;) {
		for (size_t k = 0; k < 32 && i < PHONES; k++, i++) {
			struct sip_request request = {
				.door = "bench", .role = role,
				.message = span_mem(items[i].octets,
				    items[i].n),
				.source = SPAN_LIT("192.0.2.7"),
				.realms = { SPAN_LIT(REALM) },
				.realm_count = 1
			};

			(void)sip_submit(sip, &request, on_reply, NULL);
		}
		serve();
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		serve();
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	}
	times[step][pass] = (now_us() - start) / PHONES;
	if (answers[expected] - before != PHONES)
		die("another verdict than expected");
}

static struct digest_params *
picked(struct item *item)
{
	return &item->rows[item->selection.rows[item->picked]].params;
}

static void
step_run(enum step step, struct item *item, size_t number)
{
	const struct verifier_context context = { all.crypto, NULL };
	struct sip_identity_question question;
	uint8_t octets[CHALLENGE_MAX];
	unsigned int fields[SIP_ROWS_MAX];
	char nonce[NONCE_TEXT_SIZE + 1];
	struct replay_use use;
	struct wbuf wb;
	uint64_t now;
	bool ok = true;

	switch (step) {
	case STEP_MESSAGE:
		ok = sip_message_parse(span_mem(item->octets, item->n), role,
		    &item->message) == 0 && item->message.row_count == 1;
		break;
	case STEP_CREDENTIALS:
		wbuf_init(&wb, item->text, sizeof(item->text));
		ok = sip_credentials_parse(item->message.rows[0], 0, &wb,
		    item->rows, ROWS_MAX) == 1;
		break;
	case STEP_ROWS:
		/* NB: picks before the nonces are read; with one it is one. */
		sip_decision_rows(item->rows, 1, &policy, &item->selection);
		item->picked = sip_decision_pick(item->rows,
		    &item->selection, item->nonces);
		ok = item->selection.count == 1 && item->picked == 0 &&
		    sip_decision_removable(item->rows, 1, SPAN_LIT(REALM),
		    fields) == 1;
		break;
	case STEP_NONCE:
		item->nonces[0].origin = nonce_read(all.crypto, &keys,
		    picked(item)->nonce, SPAN_LIT(REALM), DIGEST_MD5,
		    &item->nonces[0].nonce);
		ok = item->nonces[0].origin == NONCE_OWN;
		break;
	case STEP_NAME:
		picked(item)->method = item->message.method;
		ok = identity_present(picked(item)->username, SPAN_EMPTY,
		    &item->presented) == 0;
		break;
	case STEP_DIGEST:
		ok = verify_digest(&context, &rows[number], &item->presented,
		    picked(item), item->rspauth).verdict == VERDICT_ALLOW;
		break;
	case STEP_FINGERPRINT:
		ok = sip_fingerprint(all.crypto, keys.key[0], &item->message,
		    role, item->fingerprint) == 0;
		break;
	case STEP_REPLAY:
		use = (struct replay_use){
			.origin = NONCE_OWN, .nonce = &item->nonces[0].nonce,
			.realm = SPAN_LIT(REALM), .nc = phones[number].nc,
			.fingerprint = item->fingerprint
		};
		now = now_real();
		ok = sip_decision_nonce(&item->nonces[0], replay_use(replay,
		    &use, now), &(struct replay_settings){ .lifetime_us =
		    300000000 }, now).verdict == SIP_ACCEPT;
		break;
	case STEP_IDENTITY:
		ok = sip_identity_check(&item->message, &rows[number].account,
		    IDENTITY_CHECK_DOMAIN, &question) == SIP_IDENTITY_PASS;
		break;
	case STEP_INFO:
		wbuf_init(&wb, octets, sizeof(octets));
		authentication_info_write(picked(item),
		    span_str(item->rspauth), SPAN_EMPTY, &wb);
		ok = !wb.failed;
		break;
	case STEP_RESPONSE:
		ok = digest_response(all.crypto, phones[number].ha1,
		    picked(item), octets) == 0;
		break;
	case STEP_RSPAUTH:
		ok = digest_rspauth(all.crypto, phones[number].ha1,
		    picked(item), octets) == 0;
		break;
	case STEP_NONCE_MAKE:
		ok = nonce_make(all.crypto, &keys, SPAN_LIT(REALM),
		    DIGEST_MD5, now_real(), nonce) == 0;
		break;
	case STEP_WHOLE:
	case STEP_CHALLENGE:
	case STEP_COUNT:
		ok = false;
		break;
	}
	if (!ok)
		die(step_names[step]);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(enum step step, size_t passes)
{
	qsort(times[step], passes, sizeof(times[step][0]), compare);
	return times[step][passes / 2];
}

static void
print_all(const char *method, size_t passes)
{
	double whole = median(STEP_WHOLE, passes), sum = 0;

	printf("%s, us of CPU without HTTP and store (%zu passes of %d):\n"
	    "  %-38s %6.2f  (least %.2f)\n", method, passes, PHONES,
	    step_names[STEP_WHOLE], whole, times[STEP_WHOLE][0]);
	for (enum step s = STEP_MESSAGE; s < STEP_RESPONSE; s++) {
		double us = median(s, passes);

		sum += us;
		printf("    %-36s %6.2f\n", step_names[s], us);
		if (s != STEP_DIGEST)
			continue;
		for (enum step in = STEP_RESPONSE; in <= STEP_RSPAUTH; in++)
			printf("      %-34s %6.2f\n", step_names[in],
			    median(in, passes));
	}
	printf("    %-36s %6.2f\n  %-38s %6.2f\n    %-36s %6.2f\n",
	    "the rest: tickets, copies, log line", whole - sum,
	    step_names[STEP_CHALLENGE], median(STEP_CHALLENGE, passes),
	    step_names[STEP_NONCE_MAKE], median(STEP_NONCE_MAKE, passes));
}

/* Accounts as the store hands them out, and a nonce for each phone. */
static void
prepare(void)
{
	struct nonce_keys const *made_by = sip_nonce_keys(sip);

	keys = *made_by;
	for (size_t i = 0; i < PHONES; i++) {
		struct credential *row = &rows[i];
		char hex[DIGEST_HEX_MAX + 1];
		struct wbuf wb;

		if (sip_phone_init(&all, i, &phones[i]) != 0 ||
		    nonce_make(all.crypto, &keys, SPAN_LIT(REALM), DIGEST_MD5,
		    now_real(), phones[i].nonce) != 0)
			die("a phone cannot be made");
		*row = (struct credential){
			.realm = REALM, .domain_known = true, .found = true,
			.enabled = true, .version = 1
		};
		row->policy.stores[DIGEST_MD5] = true;
		if (span_copy_str(span_str(phones[i].name),
		    row->account.localpart, sizeof(row->account.localpart)) !=
		    0 || span_copy_str(SPAN_LIT(REALM), row->account.domain,
		    sizeof(row->account.domain)) != 0)
			die("an account cannot be made");
		wbuf_init(&wb, hex, sizeof(hex));
		wbuf_hex(&wb, span_mem(phones[i].ha1, 16));
		credential_set_ha1(row, DIGEST_MD5, FORM_LOCAL,
		    wbuf_written(&wb));
	}
}

static void
bench(const char *method, size_t passes)
{
	all.invite = role == SIP_PROXY;
	all.password = SPAN_LIT("wonderland");
	prepare();
	for (size_t pass = 0; pass < passes; pass++) {
		make_requests(pass, false);
		run_whole(STEP_CHALLENGE, pass, SIP_CHALLENGE);
		make_requests(pass, true);
		run_whole(STEP_WHOLE, pass, SIP_ACCEPT);
		for (enum step s = STEP_MESSAGE; s < STEP_COUNT; s++) {
			double start = now_us();

			for (size_t i = 0; i < PHONES; i++)
				step_run(s, &items[i], i);
			times[s][pass] = (now_us() - start) / PHONES;
		}
	}
	print_all(method, passes);
}

int
main(int argc, char **argv)
{
	const struct auth_settings no_keys = { .keys = NULL };
	struct sip_settings settings = {
		.nonce_keys = { .count = 1 }, .nonce_lifetime_ms = 300000
	};
	const struct replay_settings window = {
		.entries = 65536, .lifetime_us = 300000000
	};
	static const uint8_t seed[16] = { 1 };
	size_t passes = argc > 1 ? strtoul(argv[1], NULL, 10) : PASSES;
	struct workers *workers;
	struct auth *auth;

	if (passes == 0 || passes > PASSES_MAX)
		die("PASSES is 1..1000");
	/*
	 * Here all tickets of a turn are at the end of the heap, and giving
	 * it back and faulting it in again would cost 3 us each. The daemon's
	 * does not shrink (no brk, no page fault under load).
	 */
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	base = event_base_new();
	if (base == NULL || crypto_new(NULL, &all.crypto) != 0)
		die("start");
	workers = workers_new(base, all.crypto, 1, 1);
	auth = auth_new(NULL, workers, all.crypto, base, &sink, &no_keys);
	sip = sip_new(auth, NULL, all.crypto, base, &sink, &settings);
	replay = replay_new(&window, seed);
	if (sip == NULL || replay == NULL)
		die("start");
	role = SIP_REGISTRAR;
	bench("REGISTER", passes);
	role = SIP_PROXY;
	bench("INVITE", passes);
	if (line_count < 2 * passes * PHONES)
		die("decisions without a line in the log");
	replay_free(&replay);
	sip_free(&sip);
	workers_free(&workers);
	auth_free(&auth);
	crypto_free(&all.crypto);
	event_base_free(base);
	return 0;
}
