/*
 * Words for verdicts and reasons, as they stand in the log line.
 */

#include "core/verdict.h"

static const char *const reason_words[REASON_COUNT] = {
	[REASON_NONE] = "none",
	[REASON_OK] = "ok",
	[REASON_WRONG_PASSWORD] = "wrong-password",
	[REASON_UNKNOWN_USER] = "unknown-user",
	[REASON_DISABLED] = "disabled",
	[REASON_NO_VERIFIER] = "no-verifier",
	[REASON_CASE] = "case",
	[REASON_FOREIGN_DOMAIN] = "foreign-domain",
	[REASON_UNKNOWN_REALM] = "unknown-realm",
	[REASON_STALE] = "stale",
	[REASON_REPLAY] = "replay",
	[REASON_IDENTITY] = "identity",
	[REASON_THROTTLED] = "throttled",
	[REASON_DB_DOWN] = "db-down",
	[REASON_KEY_MISSING] = "key-missing",
	[REASON_MALFORMED] = "malformed",
	[REASON_METHOD] = "method",
	[REASON_NOT_PERMITTED] = "not-permitted",
	[REASON_INTERNAL] = "internal"
};

const char *
verdict_str(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_DENY:
		return "deny";
	case VERDICT_ALLOW:
		return "allow";
	case VERDICT_UNAVAILABLE:
		return "unavailable";
	}
	return "deny";
}

const char *
reason_str(enum reason reason)
{
	if ((unsigned int)reason >= REASON_COUNT)
		return "none";
	return reason_words[reason];
}
