#ifndef ONECRED_VERDICT_H
#define ONECRED_VERDICT_H

/*
 * The answer to "may this login pass". DENY is 0 so that a zeroed struct
 * denies. UNAVAILABLE means that nobody knows (database away, deadline
 * passed, row unusable): it is neither yes nor no, and never told to a peer
 * as a wrong password where its protocol can say anything else.
 */
enum verdict {
	VERDICT_DENY = 0,
	VERDICT_ALLOW = 1,
	VERDICT_UNAVAILABLE = 2
};

/* Why; for the log and the metrics only, never for the peer. */
enum reason {
	REASON_NONE = 0,
	REASON_OK,
	REASON_WRONG_PASSWORD,
	REASON_UNKNOWN_USER,
	REASON_DISABLED,
	REASON_NO_VERIFIER,
	REASON_CASE,		/* Alice in SIP: the digest is over "Alice" */
	REASON_FOREIGN_DOMAIN,
	REASON_UNKNOWN_REALM,
	REASON_STALE,
	REASON_REPLAY,
	REASON_IDENTITY,
	REASON_THROTTLED,
	REASON_DB_DOWN,
	REASON_KEY_MISSING,
	REASON_MALFORMED,
	REASON_METHOD,
	REASON_NOT_PERMITTED,	/* the listener's rights or the peer's uid */
	REASON_INTERNAL,	/* out of memory, cryptographic library */
	REASON_COUNT
};

/* Words of the log line: "allow", "deny", "unavailable"; "wrong-password". */
const char	*verdict_str(enum verdict verdict);
const char	*reason_str(enum reason reason);

#endif
