#ifndef ONECRED_HELPER_H
#define ONECRED_HELPER_H

/*
 * onecredd --extauth: serves ejabberd's frames on stdin and stdout until EOF.
 * A configuration that cannot be read is no reason to end: every frame is
 * then answered 00 02 00 02, and the file is read again now and then. The
 * exit status.
 */
int	helper_run(const char *path);

#endif
