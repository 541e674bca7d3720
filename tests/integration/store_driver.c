/*
 * Drives the store for test_store.py: reads commands from standard input, one
 * per line, answers each with one line, and logs to standard error.
 *
 *     store_driver CONNINFO_FILE CONNECTIONS LOOKUP_TIMEOUT CONNECT_TIMEOUT
 *
 *     run MS N         keep N lookups in flight for MS milliseconds, then wait
 *                      for the last: ok= wrong= unavailable= lost= twice=
 *                      max_ms= gap_ms=; a further line ("stop") ends it sooner
 *     burst N          start N lookups within one turn, wait for all; the
 *                      same answer, and syncs=
 *     cancel N         start N, cancel every second one, half of those a turn
 *                      later; the same answer, and cancelled=
 *     one LOCAL DOMAIN REALM      "-" is empty: status= found= enabled=
 *                      version= realm= ms= inside= (called from inside)
 *     ready WANTED MS  wait until store_ready() is 0 or 1: ready= ms=
 *     ask realm R | ask owner DOMAIN LOCAL USER HOST      a question: status=
 *                      answer= (tabs as '|', blanks as ','), inside=
 *     mix MS N         run, and a question about example.com in each tick:
 *                      the line of run after asked= told=
 *     stats            lookups= unavailable= syncs= connects= ready=
 *                      in_flight= fds= threads= blocking= (names that were
 *                      resolved in the loop's own thread)
 *     quit
 *
 * What the right answers are is fixed by test_store.py's accounts: ha1_md5 of
 * userNNNNNN is the MD5 of the name, in the second realm that of "second:"
 * and the name. "wrong" counts every other answer; "lost" are lookups that
 * nobody called back 2 s after their time; gap_ms is the longest time for
 * which the loop did not turn. Host names: slow.example takes 3 s and is not
 * found, local.example is 127.0.0.1.
 */

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/evp.h>

#include "core/hex.h"
#include "store/clock.h"
#include "store/store.h"
#include "store/xalloc.h"

#define USERS		1000
#define FLIGHT_MAX	8192
#define LINE_CAP	1024
#define TICK_MS		5
#define PAUSE_MS	10	/* after UNAVAILABLE, before asking again */
#define LOST_MS		2000

enum question {
	ASK_USER = 0,
	ASK_BY_REALM,		/* no domain: the realm decides */
	ASK_SECOND,		/* the domain's second realm */
	ASK_GHOST,
	ASK_DISABLED,
	ASK_NO_DOMAIN,
	ASK_NO_REALM,
	ASK_COUNT
};

struct flight {
	enum question	 question;
	char		 local[LOCALPART_MAX + 1];
	int64_t		 started;
	int64_t		 pause_until;	/* 0: in flight */
	bool		 cancelled;
	struct store_lookup *lookup;	/* NULL: answered */
};

static struct {
	struct event_base *base;
	struct store	*store;
	struct event	*tick, *input;
	char		 command[LINE_CAP];
	unsigned int	 timeout_ms;
	bool		 inside;	/* within store_lookup() */
	/* The running command. */
	struct flight	 flights[FLIGHT_MAX];
	unsigned int	 flight_count, open, serial;
	int64_t		 until, started, last_turn;
	int64_t		 max_ms, gap_ms;
	uint64_t	 ok, wrong, unavailable, lost, twice, cancelled;
	uint64_t	 syncs;
	bool		 again;
	bool		 mix;
	uint64_t	 asked, told;	/* questions of "mix" */
	int		 wanted;	/* of "ready" */
	pthread_t	 loop;
	unsigned int	 blocking;
} d;

/*
 * Stands in front of libc's, for us and for libpq: a name server that is slow
 * in a way that a test can rely on.
 */
int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
	bool numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST);

	memcpy(&real, &symbol, sizeof(real));
	if (name != NULL && !numeric) {
		if (pthread_equal(pthread_self(), d.loop))
			d.blocking++;
		if (strcmp(name, "slow.example") == 0) {
			(void)sleep(3);
			return EAI_AGAIN;
		}
		if (strcmp(name, "local.example") == 0)
			name = "127.0.0.1";
	}
	return real(name, service, hints, found);
}

static void
log_write(void *arg, enum log_level level, const char *line)
{
	static const char *const names[] = {
		"error", "warning", "info", "debug"
	};

	(void)arg;
	fprintf(stderr, "%s: %s\n", names[level], line);
}

static void
md5_hex(const char *prefix, const char *name, char out[33])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char text[128];
	struct wbuf wb;
	int n = snprintf(text, sizeof(text), "%s%s", prefix, name);

	if (EVP_Digest(text, (size_t)n, digest, NULL, EVP_md5(), NULL) != 1)
		abort();
	wbuf_init(&wb, out, 32);
	wbuf_hex(&wb, span_mem(digest, 16));
	out[32] = '\0';
}

static bool
ha1_is(const struct credential *c, const char *prefix, const char *name)
{
	const struct ha1_text *ha1 = &c->ha1[DIGEST_MD5][FORM_LOCAL];
	char expected[33];

	md5_hex(prefix, name, expected);
	return ha1->n == 32 && memcmp(ha1->text, expected, 32) == 0;
}

static bool
all_zero(const struct credential *c)
{
	static const struct credential zero;

	return memcmp(c, &zero, sizeof(zero)) == 0;
}

/* Whether the answer is the right one; UNAVAILABLE is not judged here. */
static bool
right(const struct flight *f, enum store_status status,
    const struct credential *c)
{
	struct span local = span_str(f->local);
	bool known = status == STORE_OK && c->domain_known &&
	    span_equal(span_str(c->account.localpart), local) &&
	    span_equal(span_str(c->account.domain), SPAN_LIT("example.com"));

	switch (f->question) {
	case ASK_USER:
	case ASK_BY_REALM:
		return known && c->found && c->enabled && c->version > 0 &&
		    span_equal(span_str(c->realm), SPAN_LIT("example.com")) &&
		    ha1_is(c, "", f->local);
	case ASK_SECOND:
		return known && c->found &&
		    span_equal(span_str(c->realm), SPAN_LIT("Second Realm")) &&
		    ha1_is(c, "second:", f->local);
	case ASK_GHOST:
		return known && !c->found && !c->enabled &&
		    c->fake_iterations >= SCRAM_ITERATIONS_MIN &&
		    c->fake_salt_n > 0 && c->policy.stores[DIGEST_MD5] &&
		    c->scram[SCRAM_SHA_256].n == 0 &&
		    c->ha1[DIGEST_MD5][FORM_LOCAL].n == 0;
	case ASK_DISABLED:
		return known && c->found && !c->enabled;
	case ASK_NO_DOMAIN:
		return status == STORE_NO_DOMAIN && all_zero(c);
	case ASK_NO_REALM:
		return status == STORE_NO_REALM && all_zero(c);
	case ASK_COUNT:
		break;
	}
	return false;
}

static void	answered(enum store_status, const struct credential *, void *);

static void
ask(struct flight *f)
{
	struct store_key key = { .domain = SPAN_LIT("example.com") };
	unsigned int n = d.serial++;

	f->question = (enum question)(n % ASK_COUNT);
	(void)snprintf(f->local, sizeof(f->local), "%s%06u",
	    f->question == ASK_GHOST ? "ghost" :
	    f->question == ASK_DISABLED ? "gone" : "user",
	    n * 7919 % USERS);
	key.localpart = span_str(f->local);
	switch (f->question) {
	case ASK_BY_REALM:
		key.domain = SPAN_EMPTY;
		key.realm = SPAN_LIT("example.com");
		break;
	case ASK_SECOND:
		key.realm = SPAN_LIT("Second Realm");
		break;
	case ASK_NO_DOMAIN:
		key.domain = SPAN_LIT("nowhere.example");
		break;
	case ASK_NO_REALM:
		key.realm = SPAN_LIT("nowhere");
		break;
	case ASK_USER:
	case ASK_GHOST:
	case ASK_DISABLED:
	case ASK_COUNT:
		break;
	}
	f->started = clock_ms();
	f->pause_until = 0;
	f->cancelled = false;
	d.open++;
	d.inside = true;
	f->lookup = store_lookup(d.store, &key, answered, f);
	d.inside = false;
}

static void
report(void)
{
	struct store_stats stats;

	store_stats(d.store, &stats);
	if (d.mix)
		printf("asked=%llu told=%llu ", (unsigned long long)d.asked,
		    (unsigned long long)d.told);
	printf("ok=%llu wrong=%llu unavailable=%llu lost=%llu twice=%llu "
	    "cancelled=%llu max_ms=%lld gap_ms=%lld syncs=%llu\n",
	    (unsigned long long)d.ok, (unsigned long long)d.wrong,
	    (unsigned long long)d.unavailable, (unsigned long long)d.lost,
	    (unsigned long long)d.twice, (unsigned long long)d.cancelled,
	    (long long)d.max_ms, (long long)d.gap_ms,
	    (unsigned long long)(stats.syncs - d.syncs));
	(void)fflush(stdout);
	(void)event_base_loopbreak(d.base);
}

static void
answered(enum store_status status, const struct credential *c, void *arg)
{
	struct flight *f = arg;
	int64_t now = clock_ms();

	if (f->lookup == NULL || f->cancelled || d.inside) {
		d.twice++;
		return;
	}
	f->lookup = NULL;
	d.open--;
	if (now - f->started > d.max_ms)
		d.max_ms = now - f->started;
	if (status == STORE_UNAVAILABLE) {
		d.unavailable++;
		if (!all_zero(c))
			d.wrong++;
		f->pause_until = now + PAUSE_MS;
		return;
	}
	if (right(f, status, c))
		d.ok++;
	else
		d.wrong++;
	if (d.again && now < d.until)
		ask(f);
}

static void
mixed(enum store_status status, struct span answer, void *arg)
{
	(void)arg;
	d.open--;
	if (status == STORE_OK && answer.n > 0)
		d.told++;
}

static void
tick_run(int64_t now)
{
	const struct span realm = SPAN_LIT("example.com");

	if (d.mix && now < d.until) {
		d.asked++;
		d.open++;
		(void)store_ask(d.store, STORE_REALM, &realm, 1, mixed, NULL);
	}
	for (unsigned int i = 0; i < d.flight_count; i++) {
		struct flight *f = &d.flights[i];

		if (f->lookup == NULL && f->pause_until != 0 &&
		    f->pause_until <= now && d.again && now < d.until)
			ask(f);
		if (f->lookup != NULL && !f->cancelled &&
		    now - f->started > d.timeout_ms + LOST_MS) {
			d.lost++;
			d.open--;
			f->cancelled = true;
		}
	}
	if (d.open == 0 && (!d.again || now >= d.until))
		report();
}

static void
tick_fired(evutil_socket_t fd, short what, void *arg)
{
	int64_t now = clock_ms();

	(void)fd;
	(void)what;
	(void)arg;
	if (now - d.last_turn > d.gap_ms)
		d.gap_ms = now - d.last_turn;
	d.last_turn = now;
	if (d.wanted < 0) {
		tick_run(now);
		return;
	}
	if ((int)store_ready(d.store) != d.wanted && now < d.until)
		return;
	printf("ready=%d ms=%lld gap_ms=%lld\n", (int)store_ready(d.store),
	    (long long)(now - d.started), (long long)d.gap_ms);
	(void)fflush(stdout);
	(void)event_base_loopbreak(d.base);
}

/* The next command is here: no more lookups, but those under way end. */
static void
input_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	d.until = clock_ms();
}

/* Clears what the command before has counted, and runs the loop. */
static void
command_begin(int64_t ms, int wanted)
{
	struct timeval tv = clock_timeval(TICK_MS);
	struct store_stats stats;

	store_stats(d.store, &stats);
	d.syncs = stats.syncs;
	d.ok = d.wrong = d.unavailable = d.lost = d.twice = d.cancelled = 0;
	d.max_ms = d.gap_ms = 0;
	d.open = d.flight_count = 0;
	d.asked = d.told = 0;
	d.started = d.last_turn = clock_ms();
	d.until = d.started + ms;
	d.wanted = wanted;
	(void)event_add(d.tick, &tv);
}

static void
command_run(int64_t ms, unsigned int n, bool again)
{
	if (n == 0 || n > FLIGHT_MAX)
		exit(2);
	command_begin(ms, -1);
	d.flight_count = n;
	d.again = again;
	for (unsigned int i = 0; i < n; i++)
		ask(&d.flights[i]);
	if (again)
		(void)event_add(d.input, NULL);
	(void)event_base_dispatch(d.base);
	(void)event_del(d.input);
	(void)event_del(d.tick);
}

static void
cancel(struct flight *f)
{
	if (f->lookup == NULL || f->cancelled)
		return;
	store_cancel(f->lookup);
	f->cancelled = true;
	d.cancelled++;
	d.open--;
}

static void
command_cancel(unsigned int n)
{
	if (n == 0 || n > FLIGHT_MAX)
		exit(2);
	command_begin(0, -1);
	d.flight_count = n;
	d.again = false;
	for (unsigned int i = 0; i < n; i++)
		ask(&d.flights[i]);
	for (unsigned int i = 0; i < n; i += 4)
		cancel(&d.flights[i]);
	/* Now the others are in flight. */
	(void)event_base_loop(d.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	for (unsigned int i = 2; i < n; i += 4)
		cancel(&d.flights[i]);
	(void)event_base_dispatch(d.base);
	(void)event_del(d.tick);
}

struct single {
	int64_t	started;
	bool	inside;
};

static void
single_answered(enum store_status status, const struct credential *c,
    void *arg)
{
	static const char *const names[] = {
		"ok", "no-domain", "no-realm", "unavailable", "refused"
	};
	struct single *single = arg;

	printf("status=%s found=%d enabled=%d version=%lld realm=%s "
	    "scram_sha_256=%u ms=%lld inside=%d\n", names[status], c->found,
	    c->enabled, (long long)c->version,
	    *c->realm != '\0' ? "set" : "-", c->scram[SCRAM_SHA_256].n,
	    (long long)(clock_ms() - single->started), single->inside);
	(void)fflush(stdout);
	(void)event_base_loopbreak(d.base);
}

static struct span
argument(const char *text)
{
	struct span s = span_str(text);

	return span_equal(s, SPAN_LIT("-")) ? SPAN_EMPTY : s;
}

static void
command_one(const char *local, const char *domain, const char *realm)
{
	struct store_key key = {
		argument(domain), argument(local), argument(realm)
	};
	struct single single = { clock_ms(), true };

	(void)store_lookup(d.store, &key, single_answered, &single);
	single.inside = false;
	(void)event_base_dispatch(d.base);
}

static void
question_answered(enum store_status status, struct span answer, void *arg)
{
	const bool *inside = arg;

	printf("status=%s inside=%d answer=", status == STORE_OK ? "ok" :
	    status == STORE_REFUSED ? "refused" : "unavailable", *inside);
	for (size_t i = 0; i < answer.n; i++)
		putchar(answer.p[i] == '\t' ? '|' : answer.p[i] == ' ' ? ',' :
		    answer.p[i]);
	putchar('\n');
	(void)fflush(stdout);
	(void)event_base_loopbreak(d.base);
}

static void
command_ask(enum store_question question, const char *words, size_t count)
{
	struct span values[STORE_VALUES_MAX];
	bool inside = true;

	for (size_t i = 0; i < count; i++)
		values[i] = argument(words + i * 300);
	(void)store_ask(d.store, question, values, count, question_answered,
	    &inside);
	inside = false;
	(void)event_base_dispatch(d.base);
}

static unsigned int
entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	if (dir == NULL)
		exit(2);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void
command_stats(void)
{
	struct store_stats s;

	store_stats(d.store, &s);
	printf("lookups=%llu unavailable=%llu syncs=%llu connects=%llu "
	    "ready=%u in_flight=%u fds=%u threads=%u blocking=%u\n",
	    (unsigned long long)s.lookups, (unsigned long long)s.unavailable,
	    (unsigned long long)s.syncs, (unsigned long long)s.connects,
	    s.ready, s.in_flight, entries("/proc/self/fd"),
	    entries("/proc/self/task"), d.blocking);
	(void)fflush(stdout);
}

/* False at the end of input. */
static bool
command_next(void)
{
	char word[16], a[300], b[300], c[300], words[4][300];
	unsigned int m, n;

	if (fgets(d.command, sizeof(d.command), stdin) == NULL ||
	    sscanf(d.command, "%15s", word) != 1)
		return false;
	if (sscanf(d.command, "run %u %u", &m, &n) == 2) {
		d.mix = false;
		command_run(m, n, true);
	} else if (sscanf(d.command, "mix %u %u", &m, &n) == 2) {
		d.mix = true;
		command_run(m, n, true);
		d.mix = false;
	} else if (sscanf(d.command, "ask realm %299s", words[0]) == 1) {
		command_ask(STORE_REALM, words[0], 1);
	} else if (sscanf(d.command, "ask owner %299s %299s %299s %299s",
	    words[0], words[1], words[2], words[3]) == 4) {
		command_ask(STORE_OWNER, words[0], 4);
	} else if (sscanf(d.command, "burst %u", &n) == 1) {
		command_run(0, n, false);
	} else if (sscanf(d.command, "cancel %u", &n) == 1) {
		command_cancel(n);
	} else if (sscanf(d.command, "ready %u %u", &n, &m) == 2) {
		command_begin(m, (int)n);
		(void)event_base_dispatch(d.base);
		(void)event_del(d.tick);
	} else if (sscanf(d.command, "one %299s %299s %299s", a, b, c) == 3) {
		command_one(a, b, c);
	} else if (span_equal(span_str(word), SPAN_LIT("stats"))) {
		command_stats();
	} else if (span_equal(span_str(word), SPAN_LIT("stop"))) {
		return true;
	} else {
		return false;
	}
	return true;
}

/* The connection string comes from a file: it may hold a password. */
static char *
file_line(const char *path)
{
	static char line[LINE_CAP];
	FILE *f = fopen(path, "r");

	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		exit(2);
	(void)fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

int
main(int argc, char **argv)
{
	const struct sink sink = { log_write, NULL, LEVEL_DEBUG };
	struct store_settings settings;

	if (argc != 5)
		return 2;
	settings = (struct store_settings){
		.conninfo = file_line(argv[1]),
		.connections = (unsigned int)strtoul(argv[2], NULL, 10),
		.lookup_timeout_ms = (unsigned int)strtoul(argv[3], NULL, 10),
		.connect_timeout_ms = (unsigned int)strtoul(argv[4], NULL, 10),
		.application = "store_driver"
	};
	/* What is not read yet must be seen by poll. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	(void)setvbuf(stderr, NULL, _IOLBF, 0);
	d.loop = pthread_self();
	d.timeout_ms = settings.lookup_timeout_ms;
	d.base = event_base_new();
	d.tick = event_new(d.base, -1, EV_PERSIST, tick_fired, NULL);
	d.input = event_new(d.base, STDIN_FILENO, EV_READ, input_readable,
	    NULL);
	d.store = store_new(d.base, &settings, &sink);
	if (d.store == NULL) {
		printf("refused\n");
	} else {
		printf("started\n");
		(void)fflush(stdout);
		while (command_next())
			;
		store_free(&d.store);
	}
	event_free(d.input);
	event_free(d.tick);
	event_base_free(d.base);
	return 0;
}
