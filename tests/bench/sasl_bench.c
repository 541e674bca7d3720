/*
 * Logins per second of a Cyrus SASL server with whatever auxprop plugin its
 * configuration names:
 *
 *   sasl_bench APPNAME MECHANISM PROCESSES SECONDS USER PASSWORD
 *
 * (SCRAM-SHA-256 or DIGEST-MD5) prints "logins/s p50-us p99-us failed cpu-us",
 * the times being those spent in sasl_server_*() and, last, the processor
 * time of the whole login, client and all, without PostgreSQL's. The processes
 * are forked after sasl_server_init(), as servers do. The SCRAM client is our
 * own and derives its key once, since a client's PBKDF2 would hide everything
 * else; DIGEST-MD5's is libsasl2's. For benchmarks only: the password is on
 * the command line.
 */

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sasl/sasl.h>

#include "core/base64.h"
#include "core/crypto.h"

#define REALM		"example.com"
#define FQDN		"srv.example.com"
#define BUCKETS		100000		/* of a microsecond */
#define HASH_N		32
#define TEXT_MAX	512

struct count {
	atomic_long	logins, failed;
	atomic_int	us[BUCKETS];
};

/* The SCRAM client: RFC 5802 section 3, keys kept between logins. */
struct scram_client {
	struct crypto	*crypto;
	const char	*user, *password;
	unsigned long	 serial;
	char		 salted_for[TEXT_MAX];	/* "s=...,i=..." of the keys */
	uint8_t		 client_key[HASH_N], stored_key[HASH_N];
	char		 bare[TEXT_MAX];
};

static struct count *count;
static const char *mech, *user, *password;
static struct scram_client scram;

static double
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
derive(struct scram_client *c, const char *salt_text, uint32_t iterations)
{
	static const struct span label = { (const uint8_t *)"Client Key", 10 };
	uint8_t salt[256], salted[HASH_N];
	struct span key;
	size_t n;

	if (base64_decode(span_mem(salt_text, strcspn(salt_text, ",")), salt,
	    sizeof(salt), &n) != 0 ||
	    crypto_pbkdf2(c->crypto, HASH_SHA_256, span_str(c->password),
	    span_mem(salt, n), iterations, salted) != 0)
		return -1;
	if (crypto_hmac(c->crypto, HASH_SHA_256, span_mem(salted, HASH_N),
	    &label, 1, c->client_key) != 0)
		return -1;
	key = span_mem(c->client_key, HASH_N);
	return crypto_hash(c->crypto, HASH_SHA_256, &key, 1, c->stored_key);
}

static size_t
scram_first(struct scram_client *c, char *out)
{
	(void)snprintf(c->bare, sizeof(c->bare), "n=%s,r=%d.%016lx", c->user,
	    (int)getpid(), c->serial++);
	return (size_t)snprintf(out, TEXT_MAX, "n,,%s", c->bare);
}

static size_t
scram_final(struct scram_client *c, const char *in, unsigned in_n, char *out)
{
	char first[TEXT_MAX], final[TEXT_MAX], message[3 * TEXT_MAX];
	uint8_t signature[HASH_N], proof[64];
	const char *s, *i;
	struct span text;
	struct wbuf wb;

	(void)snprintf(first, sizeof(first), "%.*s", (int)in_n, in);
	s = strstr(first, ",s=");
	i = strstr(first, ",i=");
	if (s == NULL || i == NULL)
		return 0;
	if (strcmp(c->salted_for, s) != 0) {
		if (derive(c, s + 3, (uint32_t)strtoul(i + 3, NULL, 10)) != 0)
			return 0;
		(void)snprintf(c->salted_for, sizeof(c->salted_for), "%s", s);
	}
	(void)snprintf(final, sizeof(final), "c=biws,%.*s", (int)(s - first),
	    first);
	(void)snprintf(message, sizeof(message), "%s,%s,%s", c->bare, first,
	    final);
	text = span_str(message);
	if (crypto_hmac(c->crypto, HASH_SHA_256, span_mem(c->stored_key,
	    HASH_N), &text, 1, signature) != 0)
		return 0;
	for (size_t k = 0; k < HASH_N; k++)
		signature[k] ^= c->client_key[k];
	wbuf_init(&wb, proof, sizeof(proof));
	wbuf_base64(&wb, span_mem(signature, HASH_N));
	return (size_t)snprintf(out, TEXT_MAX, "%s,p=%.*s", final, (int)wb.n,
	    (const char *)proof);
}

static int
get_simple(void *context, int id, const char **result, unsigned *len)
{
	(void)context;
	(void)id;
	*result = user;
	if (len != NULL)
		*len = (unsigned)strlen(user);
	return SASL_OK;
}

static int
get_secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **out)
{
	static union {
		sasl_secret_t	secret;
		char		room[sizeof(sasl_secret_t) + 256];
	} buffer;

	(void)conn;
	(void)context;
	(void)id;
	buffer.secret.len = strlen(password);
	memcpy(buffer.secret.data, password, buffer.secret.len);
	*out = &buffer.secret;
	return SASL_OK;
}

typedef int callback_fn(void);
#define CALLBACK(f) ((callback_fn *)(void (*)(void))(f))

static const sasl_callback_t callbacks[] = {
	{ SASL_CB_USER, CALLBACK(get_simple), NULL },
	{ SASL_CB_AUTHNAME, CALLBACK(get_simple), NULL },
	{ SASL_CB_PASS, CALLBACK(get_secret), NULL },
	{ SASL_CB_LIST_END, NULL, NULL }
};

/* What the client says next; false if it has nothing to say any more. */
static bool
client_next(sasl_conn_t *client, int turn, const char *in, unsigned in_n,
    char *room, const char **out, unsigned *out_n)
{
	const char *chosen;
	size_t n = 0;
	int rc;

	*out = NULL;
	*out_n = 0;
	if (client != NULL) {
		rc = turn == 0 ? sasl_client_start(client, mech, NULL, out,
		    out_n, &chosen) :
		    sasl_client_step(client, in, in_n, NULL, out, out_n);
		return rc == SASL_OK || rc == SASL_CONTINUE;
	}
	if (turn == 0)
		n = scram_first(&scram, room);
	else if (turn == 1)
		n = scram_final(&scram, in, in_n, room);
	*out = room;
	*out_n = (unsigned)n;
	return turn > 1 || n > 0;
}

/* One login; the microseconds spent in the server, or -1. */
static double
login(void)
{
	sasl_conn_t *client = NULL, *server = NULL;
	static const sasl_security_properties_t none;
	const char *in = NULL, *out;
	unsigned in_n = 0, out_n;
	char room[TEXT_MAX];
	double from, spent = 0;
	int rc;

	from = now_us();
	rc = sasl_server_new("xmpp", FQDN, REALM, NULL, NULL, NULL, 0,
	    &server);
	spent += now_us() - from;
	if (rc == SASL_OK && strcmp(mech, "DIGEST-MD5") == 0) {
		rc = sasl_client_new("xmpp", FQDN, NULL, NULL, callbacks, 0,
		    &client);
		(void)sasl_setprop(client, SASL_SEC_PROPS, &none);
	}
	(void)sasl_setprop(server, SASL_SEC_PROPS, &none);
	if (rc == SASL_OK)
		rc = SASL_CONTINUE;
	for (int turn = 0; rc == SASL_CONTINUE && turn < 5; turn++) {
		if (!client_next(client, turn, in, in_n, room, &out, &out_n)) {
			rc = SASL_FAIL;
			break;
		}
		from = now_us();
		rc = turn == 0 ? sasl_server_start(server, mech, out, out_n,
		    &in, &in_n) :
		    sasl_server_step(server, out, out_n, &in, &in_n);
		spent += now_us() - from;
	}
	from = now_us();
	sasl_dispose(&server);
	spent += now_us() - from;
	sasl_dispose(&client);
	return rc == SASL_OK ? spent : -1;
}

static void
child(double until)
{
	scram.user = user;
	scram.password = password;
	if (crypto_new(NULL, &scram.crypto) != 0)
		_exit(1);
	/* The first one connects and derives keys: not counted. */
	(void)login();
	while (now_us() < until) {
		double us = login();

		(void)atomic_fetch_add(us < 0 ? &count->failed :
		    &count->logins, 1);
		if (us >= 0)
			(void)atomic_fetch_add(&count->us[us < BUCKETS ?
			    (int)us : BUCKETS - 1], 1);
	}
	crypto_free(&scram.crypto);
	_exit(0);
}

static int
percentile(double part)
{
	double want = part * (double)count->logins;
	long seen = 0;

	for (int i = 0; i < BUCKETS; i++) {
		seen += count->us[i];
		if ((double)seen >= want)
			return i;
	}
	return BUCKETS;
}

static double
seconds_of(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	double seconds, start, cpu;
	struct rusage usage;
	int processes;

	if (argc != 7) {
		(void)fprintf(stderr, "usage: %s APPNAME MECH PROCESSES "
		    "SECONDS USER PASSWORD\n", argv[0]);
		return 2;
	}
	mech = argv[2];
	processes = atoi(argv[3]);
	seconds = atof(argv[4]);
	user = argv[5];
	password = argv[6];
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (count == MAP_FAILED || strlen(password) > 255 ||
	    sasl_server_init(NULL, argv[1]) != SASL_OK ||
	    sasl_client_init(callbacks) != SASL_OK)
		return 1;
	start = now_us();
	for (int i = 0; i < processes; i++)
		if (fork() == 0)
			child(start + seconds * 1e6);
	while (wait(NULL) > 0)
		;
	(void)getrusage(RUSAGE_CHILDREN, &usage);
	cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	(void)printf("%.0f %d %d %ld %.0f\n", (double)count->logins / seconds,
	    percentile(0.5), percentile(0.99), count->failed,
	    cpu * 1e6 / (double)(count->logins + 1));
	return 0;
}
