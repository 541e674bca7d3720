/*
 * onecredd -t and the places where doors listen: can the sockets be made, and
 * can those whom they are for reach them. Nothing is left behind: ports are
 * bound for a moment, unix sockets are not even tried.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/util.h>

#include "core/secret.h"
#include "core/span.h"
#include "daemon/config_file.h"
#include "daemon/preflight.h"

#define GROUPS_MAX	256
#define PROC_MAX	(4 * 1024 * 1024)

/* Where the control groups of units are, and the units that hold ports. */
#define UNITS_FOLDER	"/sys/fs/cgroup/system.slice/"
#define RADIUS_UNIT	"onecredd-radius.socket"
#define HTTP_UNIT	"onecredd-http.socket"

static const char *
own_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw != NULL ? pw->pw_name : "onecred";
}

static bool
in_groups(gid_t gid, const gid_t *groups, int count)
{
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* This process may give a file to the group. */
static bool
may_give(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int n;

	if (geteuid() == 0 || getegid() == gid)
		return true;
	n = getgroups(GROUPS_MAX, groups);
	return n < 0 || in_groups(gid, groups, n);
}

/* The permission bits (7) of a file for a user. */
static unsigned int
bits_for(const struct stat *st, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;

	if (uid == 0)
		return 7;
	if (st->st_uid == uid)
		return (st->st_mode >> 6) & 7;
	if (pw != NULL && getgrouplist(pw->pw_name, pw->pw_gid, groups,
	    &n) >= 0 && in_groups(st->st_gid, groups, n))
		return (st->st_mode >> 3) & 7;
	return st->st_mode & 7;
}

/* allow_users lets them in; the file and its folder must as well. */
static void
check_users(struct preflight *preflight, const char *word,
    const struct config_listener *section, const struct stat *folder,
    const char *directory)
{
	const struct group *gr = section->group == NULL ?
	    getgrgid(getegid()) : getgrnam(section->group);
	const char *group = gr == NULL ? "onecred-client" : gr->gr_name;
	struct stat socket_st = {
		.st_uid = geteuid(),
		.st_gid = gr == NULL ? getegid() : gr->gr_gid,
		.st_mode = (mode_t)section->mode
	};

	for (size_t i = 0; i < section->allow_users.count; i++) {
		if ((bits_for(&socket_st, section->users[i]) & 2) == 0)
			preflight_say(preflight, PREFLIGHT_WARNING,
			    "[%s] allow_users: %s may connect, but cannot "
			    "open the socket (group %s, mode %04o): adduser "
			    "%s %s, and restart its service", word,
			    section->allow_users.words[i], group,
			    section->mode, section->allow_users.words[i],
			    group);
		if ((bits_for(folder, section->users[i]) & 1) == 0)
			preflight_say(preflight, PREFLIGHT_WARNING,
			    "[%s] listen: %s cannot get through the folder "
			    "%s (mode %04o): chmod 0755 %s", word,
			    section->allow_users.words[i], directory,
			    (unsigned int)(folder->st_mode & 07777),
			    directory);
	}
}

/* True if a daemon answers there. */
static bool
is_served(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool served;
	int fd;

	if (span_copy_str(span_str(path), address.sun_path,
	    sizeof(address.sun_path)) != 0)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	served = connect(fd, (const struct sockaddr *)&address,
	    sizeof(address)) == 0 || errno == EAGAIN;
	(void)close(fd);
	return served;
}

/* The folder of path; false if there is none. */
static bool
folder_of(const char *path, char *out, size_t cap)
{
	struct span all = span_str(path);
	size_t slash = span_rfind(all, '/');

	return slash < all.n && span_copy_str(slash == 0 ? SPAN_LIT("/") :
	    span_head(all, slash), out, cap) == 0;
}

static void
check_folder(struct preflight *preflight, const char *word,
    const struct config_listener *section)
{
	const struct group *gr = section->group == NULL ? NULL :
	    getgrnam(section->group);
	char directory[PATH_MAX];
	struct stat st;
	int err;

	if (!folder_of(section->listen, directory, sizeof(directory)))
		return;
	if (stat(directory, &st) != 0) {
		err = errno;
		/* Folders of /run are the service manager's to make. */
		preflight_say(preflight, span_equal(span_head(
		    span_str(directory), 5), SPAN_LIT("/run/")) ?
		    PREFLIGHT_WARNING : PREFLIGHT_ERROR,
		    "[%s] listen: the folder %s cannot be looked at (%s): "
		    "install -d -o %s -m 0755 %s", word, directory,
		    strerror(err), own_name(), directory);
		return;
	}
	if (access(directory, W_OK | X_OK) != 0)
		preflight_say(preflight, PREFLIGHT_ERROR, "[%s] listen: the "
		    "user %s cannot make a socket in %s: chown %s %s", word,
		    own_name(), directory, own_name(), directory);
	if ((st.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
		preflight_say(preflight, PREFLIGHT_WARNING, "[%s] listen: "
		    "everybody can replace the socket in %s: chmod o-w %s",
		    word, directory, directory);
	if (gr != NULL && section->allow_users.count == 0 &&
	    (st.st_mode & S_IXOTH) == 0 &&
	    (st.st_gid != gr->gr_gid || (st.st_mode & S_IXGRP) == 0))
		preflight_say(preflight, PREFLIGHT_WARNING, "[%s] listen: "
		    "the group %s cannot get through the folder %s (mode "
		    "%04o): chmod 0755 %s", word, gr->gr_name, directory,
		    (unsigned int)(st.st_mode & 07777), directory);
	check_users(preflight, word, section, &st, directory);
}

static void
check_unix(struct preflight *preflight, const char *word,
    const struct config_listener *section)
{
	const struct group *gr;
	struct stat st;

	if (lstat(section->listen, &st) == 0 && !S_ISSOCK(st.st_mode))
		preflight_say(preflight, PREFLIGHT_ERROR, "[%s] listen: %s "
		    "is there and is not a socket: rm %s", word,
		    section->listen, section->listen);
	else if (is_served(section->listen))
		preflight_say(preflight, PREFLIGHT_NOTE, "[%s] listen: %s is "
		    "being served, by the running onecredd or its service "
		    "manager: not tried", word, section->listen);
	check_folder(preflight, word, section);
	gr = section->group == NULL ? NULL : getgrnam(section->group);
	if (gr != NULL && !may_give(gr->gr_gid))
		preflight_say(preflight, PREFLIGHT_ERROR, "[%s] group: the "
		    "user %s is not in the group %s and cannot give the "
		    "socket to it: adduser %s %s", word, own_name(),
		    gr->gr_name, own_name(), gr->gr_name);
}

/* One number in hex, or decimal, that the cursor stands on. */
static bool
read_number(struct span *at, unsigned int base, unsigned int *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < at->n && i < 10; i++) {
		uint8_t c = ascii_lower(at->p[i]);
		unsigned int digit = c >= '0' && c <= '9' ? c - 48u :
		    c >= 'a' && c <= 'f' ? c - 87u : 99;

		if (digit >= base)
			break;
		*out = *out * base + digit;
	}
	*at = span_tail(*at, i);
	return i > 0;
}

/* "  sl: ADDRESS:PORT ADDRESS:PORT st tx:rx tr:tm retrnsmt uid ..." */
bool
preflight_port_owned(const char *table, size_t n, unsigned int port,
    unsigned int uid)
{
	struct span left = span_mem(table, n);

	while (left.n > 0) {
		struct span line = span_head(left, span_find(left, '\n'));
		unsigned int found_port = 0, found_uid = 0;
		bool ok = true;

		left = span_tail(left, line.n + 1);
		for (int word = 0; word < 8 && ok; word++) {
			struct span at;

			line = span_trim(line);
			at = span_head(line, span_find(line, ' '));
			line = span_tail(line, at.n);
			if (word == 1) {
				at = span_tail(at, span_rfind(at, ':') + 1);
				ok = read_number(&at, 16, &found_port);
			} else if (word == 7)
				ok = read_number(&at, 10, &found_uid) &&
				    at.n == 0;
			else
				ok = at.n > 0;
		}
		if (ok && found_port == port && found_uid == uid)
			return true;
	}
	return false;
}

static bool
is_ours(const char *const *tables, unsigned int port)
{
	struct secret text;
	char why[128];
	bool ours = false;

	for (; *tables != NULL && !ours; tables++) {
		if (config_file_read(*tables, PROC_MAX, &text, NULL, why,
		    sizeof(why)) != 0)
			continue;
		ours = preflight_port_owned((const char *)text.p, text.n,
		    port, geteuid());
		secret_free(&text);
	}
	return ours;
}

/*
 * The unit by which the service manager holds the port, or NULL. Its sockets
 * are root's in those tables, like many others; its control group is there as
 * long as it holds them.
 */
static const char *
managing_unit(int type)
{
	if (type == SOCK_DGRAM)
		return access(UNITS_FOLDER RADIUS_UNIT, F_OK) == 0 ?
		    RADIUS_UNIT : NULL;
	return access(UNITS_FOLDER HTTP_UNIT, F_OK) == 0 ? HTTP_UNIT : NULL;
}

/* Binds once and lets go. */
static void
check_port(struct preflight *preflight, const char *word, const char *listen,
    int type)
{
	static const char *const udp[] = {
		"/proc/net/udp", "/proc/net/udp6", NULL
	};
	static const char *const tcp[] = {
		"/proc/net/tcp", "/proc/net/tcp6", NULL
	};
	struct sockaddr_storage ss = { 0 };
	int n = sizeof(ss), fd, err, on = 1;
	unsigned int port;

	if (evutil_parse_sockaddr_port(listen, (struct sockaddr *)&ss,
	    &n) != 0)
		return;		/* said by config_load() */
	fd = socket(ss.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		preflight_say(preflight, PREFLIGHT_ERROR, "[%s] listen: no "
		    "socket for %s (%s): use another address", word, listen,
		    strerror(errno));
		return;
	}
	/* As the door does it: what has just ended is not in the way. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
	err = bind(fd, (const struct sockaddr *)&ss, (socklen_t)n) == 0 ? 0 :
	    errno;
	(void)close(fd);
	if (err == 0)
		return;
	port = ntohs(ss.ss_family == AF_INET ?
	    ((const struct sockaddr_in *)&ss)->sin_port :
	    ((const struct sockaddr_in6 *)&ss)->sin6_port);
	if (err == EADDRINUSE && is_ours(type == SOCK_DGRAM ? udp : tcp,
	    port))
		preflight_say(preflight, PREFLIGHT_NOTE, "[%s] listen: %s is "
		    "held by a process of the user %s, by all appearance the "
		    "running onecredd: not tried", word, listen, own_name());
	else if (err == EADDRINUSE && managing_unit(type) != NULL)
		preflight_say(preflight, PREFLIGHT_NOTE, "[%s] listen: %s is "
		    "held, by all appearance by %s: not tried", word, listen,
		    managing_unit(type));
	else if (err == EADDRINUSE)
		preflight_say(preflight, PREFLIGHT_ERROR, "[%s] listen: %s "
		    "is taken by another program: ss -%slnp 'sport = :%u' "
		    "tells which", word, listen, type == SOCK_DGRAM ? "u" :
		    "t", port);
	else
		preflight_say(preflight, PREFLIGHT_ERROR, "[%s] listen: %s "
		    "cannot be had (%s): choose an address of this machine "
		    "and a port above 1023", word, listen, strerror(err));
}

void
preflight_sockets(struct preflight *preflight)
{
	const struct config *config = preflight->config;

	if (config->extauth.head.line != 0)
		check_unix(preflight, "extauth", &config->extauth);
	if (config->saslauthd.head.line != 0)
		check_unix(preflight, "saslauthd", &config->saslauthd);
	for (size_t i = 0; i < config->dovecot_count; i++) {
		const struct config_listener *section =
		    &config->dovecots[i].listener;
		char word[96];

		(void)snprintf(word, sizeof(word), "dovecot %s",
		    section->head.name);
		check_unix(preflight, word, section);
	}
	if (config->http.head.line != 0 && config->http.listen[0] == '/')
		check_unix(preflight, "http", &config->http);
	else if (config->http.head.line != 0)
		check_port(preflight, "http", config->http.listen,
		    SOCK_STREAM);
	if (config->radius.head.line != 0)
		check_port(preflight, "radius", config->radius.listen,
		    SOCK_DGRAM);
}
