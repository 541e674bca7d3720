#ifndef ONECRED_NONCE_FILE_H
#define ONECRED_NONCE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/crypto.h"
#include "core/nonce.h"

#define NONCE_FILE_PATH_MAX	1024

/*
 * nonce.key in the state folder: the service manager's ($STATE_DIRECTORY), or
 * /var/lib/onecred. False if that is too long or not absolute.
 */
bool	nonce_file_default(char *path, size_t cap);

/*
 * True if there is a file by that name, readable or not; also if that cannot
 * be told.
 */
bool	nonce_file_exists(const char *path);

/*
 * Reads the keys; node is left alone. 0, or a negative error and why: half a
 * sentence that follows the path and never repeats what the file holds.
 */
int	nonce_file_read(const char *path, struct nonce_keys *keys, char *why,
	    size_t cap) __attribute__((warn_unused_result));

/*
 * Makes the file with one new key, unless somebody was faster: keys are in
 * both cases those of the file that is there afterwards. Results as above.
 */
int	nonce_file_create(const char *path, struct crypto *crypto,
	    struct nonce_keys *keys, char *why, size_t cap)
	    __attribute__((warn_unused_result));

#endif
