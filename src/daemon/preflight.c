/*
 * What all parts of onecredd -t share, and the files it judges: secrets that
 * others could change, or read by their group.
 */

#include "daemon/preflight.h"

#include <sys/stat.h>

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SERVICE_USER	"onecred"

void
preflight_say(struct preflight *preflight, enum preflight_level level,
    const char *fmt, ...)
{
	char line[PREFLIGHT_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (level == PREFLIGHT_ERROR)
		preflight->errors++;
	preflight->cb(level, line, preflight->arg);
}

int
preflight_become(void)
{
	const struct passwd *pw;

	if (geteuid() != 0 || (pw = getpwnam(SERVICE_USER)) == NULL)
		return 0;
	if (initgroups(SERVICE_USER, pw->pw_gid) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return -1;
	return 1;
}

/* A file that holds secrets, or that decides which are used. */
static void
judge_file(struct preflight *preflight, const char *what, const char *path)
{
	const struct passwd *pw;
	struct stat st;

	if (stat(path, &st) != 0)
		return;		/* said by config_load() */
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		pw = getpwuid(st.st_uid);
		preflight_say(preflight, PREFLIGHT_WARNING, "%s: %s belongs "
		    "to %s, who can change it: chown root %s", what, path,
		    pw != NULL ? pw->pw_name : "a user without a name", path);
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		preflight_say(preflight, PREFLIGHT_WARNING, "%s: others than "
		    "its owner can change %s (mode %04o): chmod go-w %s",
		    what, path, (unsigned int)(st.st_mode & 07777), path);
	if ((st.st_mode & S_IRGRP) != 0 && st.st_gid != 0 &&
	    st.st_gid != getegid()) {
		const struct group *own = getgrgid(getegid());
		const struct group *gr = getgrgid(st.st_gid);

		preflight_say(preflight, PREFLIGHT_WARNING, "%s: the group "
		    "%s can read %s: chgrp %s %s", what, gr != NULL ?
		    gr->gr_name : "without a name", path, own != NULL ?
		    own->gr_name : SERVICE_USER, path);
	}
}

void
preflight_files(struct preflight *preflight)
{
	const struct config *config = preflight->config;
	char what[160];

	judge_file(preflight, "configuration", config->path);
	if (config->seal.head.line != 0)
		judge_file(preflight, "[seal] key_file",
		    config->seal.key_file);
	if (config->http.token_file != NULL)
		judge_file(preflight, "[http] token_file",
		    config->http.token_file);
	if (config->sip.nonce_key_file != NULL)
		judge_file(preflight, "[sip] nonce_key_file",
		    config->sip.nonce_key_file);
	for (size_t i = 0; i < config->client_count; i++) {
		(void)snprintf(what, sizeof(what),
		    "[radius-client %s] secret_file",
		    config->clients[i].head.name);
		judge_file(preflight, what, config->clients[i].secret_file);
	}
	for (size_t i = 0; i < config->http_section_count; i++) {
		(void)snprintf(what, sizeof(what),
		    "[http-client %s] token_file",
		    config->http_sections[i].head.name);
		judge_file(preflight, what,
		    config->http_sections[i].token_file);
	}
}
