/*
 * Drives the decision about SIP requests for test_sip.py: reads commands from
 * standard input, answers each with lines and logs to standard error.
 *
 *     sip_driver CONNINFO_FILE NONCE_KEY_FILE LIFETIME_MS FOREIGN_MS [DOMAIN]
 *
 *     ask ROLE SOURCE LENGTH REALM...     ROLE: proxy or registrar; fields are
 *                      separated by tabs, "-" is no source; LENGTH octets of
 *                      the request follow the line. Answers
 *                      "verdict= status= reason= told= user= row= rows= inside="
 *                      (rows with commas; inside: called back from inside),
 *                      then "challenge VALUE" lines, "info VALUE", "end"
 *     cancel TURNS ROLE SOURCE LENGTH REALM...     the same, cancelled after
 *                      that many turns of the loop: "cancelled" or "answered"
 *     many N ROLE ...  N of them at once: "verdicts=ACCEPT,CHALLENGE,..."
 *     ready WANTED MS  wait until the database can be asked, or not: ready=
 *     stats            allow= deny= unavailable= lookups=
 *     quit
 *
 * DOMAIN: the only domain that this door may ask for.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/sip_message.h"
#include "core/wbuf.h"
#include "service/auth.h"
#include "service/sip.h"
#include "service/workers.h"
#include "store/clock.h"
#include "store/store.h"

#define LINE_CAP	8192
#define MESSAGE_CAP	(2 * SIP_MESSAGE_MAX)
#define MANY_MAX	256

static struct {
	struct event_base *base;
	struct store	*store;
	struct auth	*auth;
	struct sip	*sip;
	struct domain_list domains;
	char		 line[LINE_CAP];
	uint8_t		 message[MESSAGE_CAP];
	struct sip_request request;
	bool		 inside;
	unsigned int	 answered;
	enum sip_verdict verdicts[MANY_MAX];
	bool		 quiet;
} d;

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
print(const char *label, struct span s)
{
	printf("%s %.*s\n", label, (int)s.n, (const char *)s.p);
}

static void
on_reply(const struct sip_reply *reply, void *arg)
{
	static const char *const verdicts[] = {
		"forbid", "accept", "challenge", "malformed", "unavailable"
	};

	(void)arg;
	d.verdicts[d.answered++ % MANY_MAX] = reply->verdict;
	if (d.quiet)
		return;
	printf("verdict=%s status=%u reason=%s told=%s user=%s%s%s row=%d "
	    "rows=", verdicts[reply->verdict], reply->status,
	    reason_str(reply->reason),
	    reason_str(sip_reason_told(reply->reason)),
	    reply->account.localpart,
	    reply->account.localpart[0] == '\0' ? "" : "@",
	    reply->account.domain, reply->row);
	for (size_t i = 0; i < reply->row_count; i++)
		printf("%s%u", i == 0 ? "" : ",", reply->rows[i]);
	printf(" inside=%d\n", d.inside);
	for (size_t i = 0; i < reply->challenge_count; i++)
		print("challenge", reply->challenges[i]);
	if (reply->authentication_info.n > 0)
		print("info", reply->authentication_info);
	printf("end\n");
}

/* The next field of the line, or NULL. */
static char *
field(char **at)
{
	return strsep(at, "\t\n");
}

/* The octets are read as they come: a line may not eat into them. */
static void
read_all(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(STDIN_FILENO, p, n);

		if (got <= 0)
			exit(2);
		p += got;
		n -= (size_t)got;
	}
}

static bool
read_line(void)
{
	size_t n = 0;

	while (n < sizeof(d.line) - 1) {
		if (read(STDIN_FILENO, d.line + n, 1) != 1)
			return false;
		if (d.line[n++] == '\n')
			break;
	}
	d.line[n] = '\0';
	return true;
}

/* ROLE SOURCE LENGTH REALM... and the request itself. */
static void
read_request(char *at)
{
	const char *role = field(&at), *source = field(&at), *realm;
	const char *length = field(&at);
	size_t n;

	if (role == NULL || source == NULL || length == NULL)
		exit(2);
	n = strtoul(length, NULL, 10);
	if (n > sizeof(d.message))
		exit(2);
	read_all(d.message, n);
	d.request = (struct sip_request){
		.door = "driver",
		.role = *role == 'p' ? SIP_PROXY : SIP_REGISTRAR,
		.message = span_mem(d.message, n),
		.source = *source == '-' ? SPAN_EMPTY : span_str(source),
		.domains = &d.domains
	};
	while ((realm = field(&at)) != NULL && *realm != '\0' &&
	    d.request.realm_count < SIP_REALMS_MAX)
		d.request.realms[d.request.realm_count++] = span_str(realm);
}

static void
turn(unsigned int count)
{
	while (d.answered < count)
		(void)event_base_loop(d.base, EVLOOP_ONCE);
}

static struct sip_ticket *
submit(void)
{
	struct sip_ticket *ticket;

	d.inside = true;
	ticket = sip_submit(d.sip, &d.request, on_reply, NULL);
	d.inside = false;
	/* Nothing of it may be needed any more. */
	return ticket;
}

static void
command_cancel(unsigned int turns)
{
	struct sip_ticket *ticket = submit();

	for (unsigned int i = 0; i < turns && d.answered == 0; i++)
		(void)event_base_loop(d.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	if (d.answered == 0)
		sip_cancel(ticket);
	printf("%s\n", d.answered == 0 ? "cancelled" : "answered");
}

static void
command_many(unsigned int n)
{
	unsigned int counts[SIP_UNAVAILABLE + 1] = { 0 };

	if (n > MANY_MAX)
		exit(2);
	for (unsigned int i = 0; i < n; i++)
		(void)submit();
	turn(n);
	for (unsigned int i = 0; i < n; i++)
		counts[d.verdicts[i]]++;
	printf("forbid=%u accept=%u challenge=%u malformed=%u "
	    "unavailable=%u\n", counts[SIP_FORBID], counts[SIP_ACCEPT],
	    counts[SIP_CHALLENGE], counts[SIP_MALFORMED],
	    counts[SIP_UNAVAILABLE]);
}

static void
command_ready(bool wanted, int64_t ms)
{
	int64_t until = clock_ms() + ms;
	struct timeval tv = { 0, 10000 };

	while (auth_ready(d.auth) != wanted && clock_ms() < until) {
		(void)event_base_loopexit(d.base, &tv);
		(void)event_base_dispatch(d.base);
	}
	printf("ready=%d\n", auth_ready(d.auth));
}

static void
command_stats(void)
{
	struct auth_stats stats;
	struct store_stats store;

	auth_stats(d.auth, &stats);
	store_stats(d.store, &store);
	printf("allow=%llu deny=%llu unavailable=%llu lookups=%llu\n",
	    (unsigned long long)stats.verdicts[VERDICT_ALLOW],
	    (unsigned long long)stats.verdicts[VERDICT_DENY],
	    (unsigned long long)stats.verdicts[VERDICT_UNAVAILABLE],
	    (unsigned long long)store.lookups);
}

static bool
command_next(void)
{
	char *at = d.line;
	struct span word;
	unsigned int n = 0;

	if (!read_line())
		return false;
	word = span_str(field(&at));
	d.answered = 0;
	d.quiet = !span_equal(word, SPAN_LIT("ask"));
	if (span_equal(word, SPAN_LIT("ask"))) {
		read_request(at);
		(void)submit();
		turn(1);
	} else if (span_equal(word, SPAN_LIT("cancel"))) {
		n = (unsigned int)strtoul(field(&at), NULL, 10);
		read_request(at);
		command_cancel(n);
	} else if (span_equal(word, SPAN_LIT("many"))) {
		n = (unsigned int)strtoul(field(&at), NULL, 10);
		read_request(at);
		command_many(n);
	} else if (span_equal(word, SPAN_LIT("ready"))) {
		n = (unsigned int)strtoul(field(&at), NULL, 10);
		command_ready(n != 0, (int64_t)strtoul(field(&at), NULL, 10));
	} else if (span_equal(word, SPAN_LIT("stats"))) {
		command_stats();
	} else
		return false;
	(void)fflush(stdout);
	return true;
}

static size_t
file_read(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		exit(2);
	n = fread(out, 1, cap - 1, f);
	(void)fclose(f);
	out[n] = '\0';
	return n;
}

int
main(int argc, char **argv)
{
	const struct sink sink = { log_write, NULL, LEVEL_DEBUG };
	const struct auth_settings no_keys = { .keys = NULL };
	struct sip_settings settings;
	struct store_settings store;
	struct crypto *crypto;
	struct workers *workers;
	char conninfo[LINE_CAP], keys[LINE_CAP];
	unsigned int line;
	size_t n;

	if (argc < 5)
		return 2;
	memset(&settings, 0, sizeof(settings));
	n = file_read(argv[2], keys, sizeof(keys));
	if (nonce_keys_parse(span_mem(keys, n), &settings.nonce_keys,
	    &line) != 0 || crypto_new(NULL, &crypto) != 0)
		return 2;
	settings.nonce_lifetime_ms = (unsigned int)strtoul(argv[3], NULL, 10);
	settings.foreign_window_ms = (unsigned int)strtoul(argv[4], NULL, 10);
	d.domains.names = (const char *const *)(argv + 5);
	d.domains.count = (size_t)argc - 5;
	(void)file_read(argv[1], conninfo, sizeof(conninfo));
	conninfo[strcspn(conninfo, "\n")] = '\0';
	store = (struct store_settings){
		.conninfo = conninfo,
		.connections = 1,
		.lookup_timeout_ms = 1000,
		.connect_timeout_ms = 1000,
		.application = "sip_driver"
	};
	(void)setvbuf(stderr, NULL, _IOLBF, 0);
	d.base = event_base_new();
	d.store = store_new(d.base, &store, &sink);
	workers = workers_new(d.base, crypto, 1, 16);
	d.auth = auth_new(d.store, workers, crypto, d.base, &sink, &no_keys);
	d.sip = sip_new(d.auth, d.store, crypto, d.base, &sink, &settings);
	nonce_keys_wipe(&settings.nonce_keys);
	if (d.sip == NULL)
		return 2;
	printf("started\n");
	(void)fflush(stdout);
	while (command_next())
		;
	sip_free(&d.sip);
	workers_free(&workers);
	auth_free(&d.auth);
	store_free(&d.store);
	crypto_free(&crypto);
	event_base_free(d.base);
	return 0;
}
