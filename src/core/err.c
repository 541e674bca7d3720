/*
 * Phrases for the error numbers. No state, no I/O.
 */

#include "core/err.h"

const char *
err_str(int err)
{
	/* In unsigned arithmetic: INT_MIN has no positive counterpart. */
	unsigned int number = err < 0 ? 0u - (unsigned int)err :
	    (unsigned int)err;

	switch ((enum err)number) {
	case ERR_FORMAT:
		return "malformed";
	case ERR_TOO_LONG:
		return "too long";
	case ERR_CHARACTER:
		return "character not allowed";
	case ERR_FOREIGN:
		return "name of another domain";
	case ERR_UNSUPPORTED:
		return "not supported";
	case ERR_KEY:
		return "key missing or wrong";
	case ERR_CRYPTO:
		return "cryptographic library failed";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_ORDER:
		return "call out of order";
	case ERR_SYSTEM:
		return "system error";
	case ERR_RANGE:
		return "number out of range";
	}
	return err == 0 ? "no error" : "unknown error";
}
