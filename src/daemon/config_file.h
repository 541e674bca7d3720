#ifndef ONECRED_CONFIG_FILE_H
#define ONECRED_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/secret.h"

/*
 * Reads the regular file path, at most max octets, into out (a secret: it may
 * hold passwords); *mode, if not NULL, is set to its permission bits. 0 or a
 * negative error and why (cap octets): half a sentence like "cannot be read:
 * Permission denied".
 */
int	config_file_read(const char *path, size_t max, struct secret *out,
	    mode_t *mode, char *why, size_t cap)
	    __attribute__((warn_unused_result));

/*
 * The same for a file that nobody but owner and group may read or write, and
 * that is root's or our own: another owner could put in a secret that it
 * knows. Root, who only looks, reads the files of any service.
 */
int	config_file_secret(const char *path, size_t max, struct secret *out,
	    char *why, size_t cap) __attribute__((warn_unused_result));

#endif
