#ifndef ONECRED_HARDENING_H
#define ONECRED_HARDENING_H

/*
 * What every process that holds passwords does first: descriptors 0 to 2 are
 * open, no core file, no ptrace by the same user, umask 077, SIGPIPE ignored,
 * no new privileges. Whatever a kernel refuses is left out.
 */
void	hardening_apply(void);

/* As many descriptors as the hard limit allows, at most 65536. */
void	hardening_raise_files(void);

/* Closes what was inherited beyond 0, 1 and 2. */
void	hardening_close_inherited(void);

#endif
