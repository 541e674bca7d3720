#ifndef ONECRED_CLI_SEAL_KEY_H
#define ONECRED_CLI_SEAL_KEY_H

#include "core/seal.h"

/*
 * Reads a key file into ring. Returns an enum cli_status, a sentence printed
 * unless it is CLI_OK; file NULL is refused. The caller wipes ring.
 */
int	cli_seal_key_read(const char *file, struct seal_keyring *ring)
	    __attribute__((warn_unused_result));

#endif
