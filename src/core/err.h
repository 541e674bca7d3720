#ifndef ONECRED_ERR_H
#define ONECRED_ERR_H

/*
 * Error numbers of the mechanics. Functions return 0 or the negated number
 * (-ERR_FORMAT); whether a login may pass is never expressed by one of these,
 * but by a verdict (verdict.h).
 */
enum err {
	ERR_FORMAT = 1,		/* input does not follow its grammar */
	ERR_TOO_LONG,		/* input or output exceeds a documented bound */
	ERR_CHARACTER,		/* a character that is not allowed there */
	ERR_FOREIGN,		/* a name of another domain */
	ERR_UNSUPPORTED,	/* algorithm not known, or disabled here */
	ERR_KEY,		/* no key with this id, or it does not open it */
	ERR_CRYPTO,		/* the cryptographic library failed */
	ERR_NOMEM,
	ERR_ORDER,		/* call out of order */
	ERR_SYSTEM,		/* see errno */
	ERR_RANGE		/* a number outside its bounds */
};

/*
 * A short English phrase for err, which may be given negated or not. Never
 * NULL; static storage.
 */
const char	*err_str(int err);

#endif
