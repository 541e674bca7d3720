/*
 * Drives a Cyrus SASL client against a Cyrus SASL server in one process, as
 * tests/integration/test_plugin.py says on standard input, one command per
 * line, fields separated by tabs; one line of answer each:
 *
 *   login P T N MECH AUTHID AUTHZID PASSWORD [cb]
 *       N logins in each of T threads of each of P forked processes (0: in
 *       this one). Answer: every result code of the server with its count
 *       ("0=7 -13=1"), the slowest login ("ms=12"), the name ("as=alice").
 *   storm C T N MECH AUTHID AUTHZID PASSWORD
 *       N logins in each of T threads, and meanwhile C children, one after
 *       the other, with a login each, by SCRAM-SHA-256. Answer as above.
 *   setpass USER PASSWORD   what saslpasswd2 does; PASSWORD "-" deletes
 *   again                   sasl_done(), then everything from the start
 *   fds                     number of open descriptors
 *   rss                     resident memory, in kB
 *   leaks                   what LeakSanitizer, if preloaded, says now: 0 or 1
 *
 * sasl_driver APPNAME REALM [FQDN]; "-" for no realm. What libsasl2 logs goes
 * to standard error as "log LEVEL TEXT".
 *
 * sasl_driver abi FILE: what the plugin's init says to the library as it is,
 * of another plugin version, and with other layouts of sasl_utils_t.
 */

#include <sys/mman.h>
#include <sys/wait.h>

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#define CODES		128	/* result codes -64..63 */
#define CODE_ZERO	64
#define CHILD_SECONDS	10	/* then it hangs */
#define FIELDS_MAX	9
#define LINE_SIZE	8192
#define THREADS_MAX	64

/* Counted by all processes and threads of one command. */
struct tally {
	atomic_int	codes[CODES];
	atomic_int	slowest_ms;
	char		name[256];
};

struct login {
	struct tally	*tally;
	int		 count;
	const char	*mech, *authid, *authzid, *password;
	bool		 channel_binding;
	bool		 keep;		/* do not dispose: see do_storm() */
};

static const char *appname, *realm, *fqdn = "srv.example.com";
static struct tally *tally;
static pthread_mutex_t name_lock = PTHREAD_MUTEX_INITIALIZER;
static char *argv0;

static int
log_line(void *context, int level, const char *message)
{
	(void)context;
	(void)fprintf(stderr, "log %d %s\n", level, message);
	return SASL_OK;
}

static void *
mutex_new(void)
{
	pthread_mutex_t *m = malloc(sizeof(*m));

	if (m != NULL)
		(void)pthread_mutex_init(m, NULL);
	return m;
}

static int
mutex_lock(void *m)
{
	return pthread_mutex_lock(m) == 0 ? SASL_OK : SASL_FAIL;
}

static int
mutex_unlock(void *m)
{
	return pthread_mutex_unlock(m) == 0 ? SASL_OK : SASL_FAIL;
}

static void
mutex_free(void *m)
{
	(void)pthread_mutex_destroy(m);
	free(m);
}

static int
get_name(void *context, int id, const char **result, unsigned *len)
{
	const struct login *login = context;

	*result = id == SASL_CB_USER ? login->authzid : login->authid;
	if (len != NULL)
		*len = (unsigned)strlen(*result);
	return SASL_OK;
}

static int
get_password(sasl_conn_t *conn, void *context, int id, sasl_secret_t **out)
{
	/* libsasl2 keeps no copy: one per thread, for its one connection. */
	static _Thread_local union {
		sasl_secret_t	secret;
		char		room[sizeof(sasl_secret_t) + 1024];
	} buffer;
	const struct login *login = context;
	size_t n = strlen(login->password);

	(void)conn;
	(void)id;
	if (n > 1023)
		return SASL_FAIL;
	buffer.secret.len = n;
	memcpy(buffer.secret.data, login->password, n + 1);
	*out = &buffer.secret;
	return SASL_OK;
}

/* The callbacks have types of their own; the library casts them back. */
typedef int callback_fn(void);
#define CALLBACK(f) ((callback_fn *)(void (*)(void))(f))

static sasl_callback_t log_callbacks[] = {
	{ SASL_CB_LOG, CALLBACK(log_line), NULL },
	{ SASL_CB_LIST_END, NULL, NULL }
};

static void
start(void)
{
	if (sasl_server_init(log_callbacks, appname) != SASL_OK ||
	    sasl_client_init(log_callbacks) != SASL_OK) {
		(void)fprintf(stderr, "%s: libsasl2 does not start\n", argv0);
		exit(1);
	}
}

/* As Prosody sets them up: no security layers. */
static void
set_properties(sasl_conn_t *conn, bool channel_binding)
{
	static const sasl_security_properties_t none;
	static const unsigned char octets[] = "0123456789abcdef";
	static sasl_channel_binding_t binding = {
		.name = "tls-exporter", .critical = 0,
		.len = sizeof(octets) - 1, .data = octets
	};

	(void)sasl_setprop(conn, SASL_SEC_PROPS, &none);
	if (channel_binding)
		(void)sasl_setprop(conn, SASL_CHANNEL_BINDING, &binding);
}

static int
converse(sasl_conn_t *client, sasl_conn_t *server, const char *mech)
{
	const char *in = NULL, *out = NULL, *chosen;
	unsigned in_n = 0, out_n = 0;
	int c, s;

	c = sasl_client_start(client, mech, NULL, &out, &out_n, &chosen);
	if (c != SASL_OK && c != SASL_CONTINUE)
		return 62;	/* the client gave up at once */
	/* NB: a client that says nothing is not one that says "". */
	s = sasl_server_start(server, chosen, out, out_n, &in, &in_n);
	for (int i = 0; s == SASL_CONTINUE && i < 10; i++) {
		out = NULL;
		out_n = 0;
		c = sasl_client_step(client, in, in_n, NULL, &out, &out_n);
		if (c != SASL_OK && c != SASL_CONTINUE)
			return 63;	/* the client does not trust us */
		in = NULL;
		in_n = 0;
		s = sasl_server_step(server, out, out_n, &in, &in_n);
	}
	return s;
}

static void
login_once(const struct login *login)
{
	sasl_callback_t callbacks[] = {
		{ SASL_CB_USER, CALLBACK(get_name), NULL },
		{ SASL_CB_AUTHNAME, CALLBACK(get_name), NULL },
		{ SASL_CB_PASS, CALLBACK(get_password), NULL },
		{ SASL_CB_LOG, CALLBACK(log_line), NULL },
		{ SASL_CB_LIST_END, NULL, NULL }
	};
	sasl_conn_t *client = NULL, *server = NULL;
	struct timespec from, to;
	const void *name = NULL;
	int rc, ms, slowest;

	/* The context is not const, though nobody writes to it. */
	for (size_t i = 0; i < 3; i++)
		memcpy(&callbacks[i].context, &login, sizeof(login));
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	rc = sasl_server_new("xmpp", fqdn, realm, NULL, NULL, log_callbacks,
	    0, &server);
	if (rc == SASL_OK)
		rc = sasl_client_new("xmpp", fqdn, NULL, NULL, callbacks, 0,
		    &client);
	if (rc == SASL_OK) {
		set_properties(server, login->channel_binding);
		set_properties(client, login->channel_binding);
		rc = converse(client, server, login->mech);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	if (rc == SASL_OK && sasl_getprop(server, SASL_USERNAME, &name) ==
	    SASL_OK && name != NULL) {
		(void)pthread_mutex_lock(&name_lock);
		(void)snprintf(login->tally->name, sizeof(login->tally->name),
		    "%s", (const char *)name);
		(void)pthread_mutex_unlock(&name_lock);
	}
	if (!login->keep) {
		sasl_dispose(&client);
		sasl_dispose(&server);
	}
	ms = (int)((to.tv_sec - from.tv_sec) * 1000 +
	    (to.tv_nsec - from.tv_nsec) / 1000000);
	slowest = atomic_load(&login->tally->slowest_ms);
	while (ms > slowest && !atomic_compare_exchange_weak(
	    &login->tally->slowest_ms, &slowest, ms))
		;
	if (rc < -CODE_ZERO || rc >= CODES - CODE_ZERO)
		rc = -CODE_ZERO;
	(void)atomic_fetch_add(&login->tally->codes[rc + CODE_ZERO], 1);
}

static void *
login_thread(void *arg)
{
	const struct login *login = arg;

	for (int i = 0; i < login->count; i++)
		login_once(login);
	return NULL;
}

static void
login_threads(struct login *login, int threads)
{
	pthread_t ids[THREADS_MAX];
	int n = 0;

	if (threads <= 1) {
		(void)login_thread(login);
		return;
	}
	while (n < threads && n < THREADS_MAX && pthread_create(&ids[n], NULL,
	    login_thread, login) == 0)
		n++;
	while (n > 0)
		(void)pthread_join(ids[--n], NULL);
}

static void
login_processes(struct login *login, int processes, int threads)
{
	int bad = 0, status;

	if (processes == 0) {
		login_threads(login, threads);
		return;
	}
	(void)fflush(NULL);
	for (int i = 0; i < processes; i++) {
		if (fork() == 0) {
			login_threads(login, threads);
			/* As a server's child ends. */
			sasl_done();
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		if (status != 0)
			bad++;
	if (bad > 0)
		(void)printf("crashed=%d ", bad);
}

static void
print_tally(void)
{
	for (int i = 0; i < CODES; i++)
		if (tally->codes[i] > 0)
			(void)printf("%d=%d ", i - CODE_ZERO,
			    tally->codes[i]);
	(void)printf("ms=%d as=%s\n", tally->slowest_ms, tally->name);
}

static void
do_login(char **field, int n)
{
	struct login login;

	if (n < 8) {
		(void)printf("usage\n");
		return;
	}
	memset(tally, 0, sizeof(*tally));
	login = (struct login){
		.tally = tally, .count = atoi(field[3]), .mech = field[4],
		.authid = field[5], .authzid = field[6], .password = field[7],
		.channel_binding = n > 8
	};
	login_processes(&login, atoi(field[1]), atoi(field[2]));
	print_tally();
}

/*
 * NB: a child may be forked while a thread is inside libsasl2 and holds its
 * lock of sasl_dispose() or DIGEST-MD5's, so the children touch neither.
 */
static void
do_storm(char **field, int n)
{
	pthread_t ids[THREADS_MAX];
	struct login login, child;
	int crashed = 0, status, threads = 0;

	if (n < 8) {
		(void)printf("usage\n");
		return;
	}
	memset(tally, 0, sizeof(*tally));
	login = (struct login){
		.tally = tally, .count = atoi(field[3]), .mech = field[4],
		.authid = field[5], .authzid = field[6], .password = field[7]
	};
	child = login;
	child.keep = true;
	child.mech = "SCRAM-SHA-256";
	(void)fflush(NULL);
	while (threads < atoi(field[2]) && threads < THREADS_MAX &&
	    pthread_create(&ids[threads], NULL, login_thread, &login) == 0)
		threads++;
	for (int i = 0; i < atoi(field[1]); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)alarm(CHILD_SECONDS);
			login_once(&child);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			crashed++;
	}
	while (threads > 0)
		(void)pthread_join(ids[--threads], NULL);
	if (crashed > 0)
		(void)printf("crashed=%d ", crashed);
	print_tally();
}

static void
do_setpass(char **field, int n)
{
	sasl_conn_t *server = NULL;
	bool disable;
	int rc;

	if (n < 3) {
		(void)printf("usage\n");
		return;
	}
	disable = strcmp(field[2], "-") == 0;
	rc = sasl_server_new("xmpp", fqdn, realm, NULL, NULL, log_callbacks,
	    0, &server);
	if (rc == SASL_OK)
		rc = sasl_setpass(server, field[1], disable ? NULL : field[2],
		    disable ? 0 : (unsigned)strlen(field[2]), NULL, 0,
		    disable ? SASL_SET_DISABLE : SASL_SET_CREATE);
	sasl_dispose(&server);
	(void)printf("%d\n", rc);
}

static void
print_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		(void)closedir(dir);
	(void)printf("%d\n", n - 3);	/* ".", ".." and dir's own */
}

static void
print_rss(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	if (f != NULL) {
		if (fscanf(f, "%ld %ld", &size, &resident) != 2)
			resident = 0;
		(void)fclose(f);
	}
	(void)printf("%ld\n", resident * (sysconf(_SC_PAGESIZE) / 1024));
}

static void
print_leaks(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "__lsan_do_recoverable_leak_check");
	int (*check)(void);

	if (symbol == NULL) {
		(void)printf("no LeakSanitizer\n");
		return;
	}
	memcpy(&check, &symbol, sizeof(check));
	(void)printf("%d\n", check());
}

static void
obey(char *line)
{
	char *field[FIELDS_MAX] = { line };
	int n = 0;

	line[strcspn(line, "\n")] = '\0';
	for (; line != NULL && n < FIELDS_MAX; n++)
		field[n] = strsep(&line, "\t");
	if (strcmp(field[0], "login") == 0)
		do_login(field, n);
	else if (strcmp(field[0], "storm") == 0)
		do_storm(field, n);
	else if (strcmp(field[0], "setpass") == 0)
		do_setpass(field, n);
	else if (strcmp(field[0], "fds") == 0)
		print_fds();
	else if (strcmp(field[0], "rss") == 0)
		print_rss();
	else if (strcmp(field[0], "leaks") == 0)
		print_leaks();
	else if (strcmp(field[0], "again") == 0) {
		sasl_done();
		start();
		(void)printf("again\n");
	} else
		(void)printf("usage\n");
	(void)fflush(stdout);
}

static const sasl_utils_t *real_utils;

/* An auxprop plugin whose only purpose is to see what libsasl2 passes. */
static int
capture_init(const sasl_utils_t *utils, int max_version, int *out_version,
    sasl_auxprop_plug_t **plug, const char *name)
{
	(void)max_version;
	(void)out_version;
	(void)plug;
	(void)name;
	real_utils = utils;
	return SASL_FAIL;
}

static int
try_init(sasl_auxprop_init_t *init, const sasl_utils_t *utils, int version)
{
	sasl_auxprop_plug_t *plug = NULL;
	int rc, out_version = 0;

	rc = init(utils, version, &out_version, &plug, "onecred");
	if (rc == SASL_OK)
		plug->auxprop_free(plug->glob_context, utils);
	return rc;
}

/*
 * The structure without the MD5 functions, as libraries after 2.1.28 have it,
 * in a piece of memory that ends where theirs does.
 */
static sasl_utils_t *
shrink(const sasl_utils_t *utils)
{
	size_t from = offsetof(sasl_utils_t, mkchal);
	size_t to = offsetof(sasl_utils_t, MD5Init);
	char *p = malloc(sizeof(*utils) - (from - to));

	if (p == NULL)
		exit(1);
	memcpy(p, utils, to);
	memcpy(p + to, (const char *)utils + from, sizeof(*utils) - from);
	return (sasl_utils_t *)(void *)p;
}

static int
check_abi(const char *file)
{
	sasl_auxprop_init_t *init;
	sasl_utils_t utils, *small;
	void *handle, *symbol;

	appname = "abi";
	start();
	(void)sasl_auxprop_add_plugin("capture", capture_init);
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	symbol = handle == NULL ? NULL :
	    dlsym(handle, "sasl_auxprop_plug_init");
	if (symbol == NULL || real_utils == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	memcpy(&init, &symbol, sizeof(init));
	utils = *real_utils;
	(void)printf("right %d newer %d older %d",
	    try_init(init, &utils, SASL_AUXPROP_PLUG_VERSION),
	    try_init(init, &utils, SASL_AUXPROP_PLUG_VERSION + 1),
	    try_init(init, &utils, SASL_AUXPROP_PLUG_VERSION - 1));
	small = shrink(&utils);
	(void)printf(" shrunk %d", try_init(init, small,
	    SASL_AUXPROP_PLUG_VERSION));
	free(small);
	/* A member that moved further behind. */
	utils.prop_erase = NULL;
	(void)printf(" other %d\n", try_init(init, &utils,
	    SASL_AUXPROP_PLUG_VERSION));
	(void)dlclose(handle);
	sasl_done();
	return 0;
}

int
main(int argc, char **argv)
{
	static char line[LINE_SIZE];

	argv0 = argv[0];
	if (argc == 3 && strcmp(argv[1], "abi") == 0)
		return check_abi(argv[2]);
	if (argc < 3) {
		(void)fprintf(stderr, "usage: %s APPNAME REALM [FQDN]\n",
		    argv0);
		return 2;
	}
	appname = argv[1];
	realm = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
	if (argc > 3)
		fqdn = argv[3];
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
	start();
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(line);
	sasl_done();
	return 0;
}
