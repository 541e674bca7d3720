/*
 * Protection of the process itself; the rest (users, namespaces, system
 * calls) is the service manager's.
 */

#include "daemon/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define FILES_MAX	65536

/*
 * NB: first of all. With a closed stderr, the next socket would become
 * descriptor 2 and get the log.
 */
static void
open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

void
hardening_apply(void)
{
	const struct rlimit none = { 0, 0 };

	open_standard();
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
}

void
hardening_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max :
	    FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

void
hardening_close_inherited(void)
{
	closefrom(STDERR_FILENO + 1);
}
