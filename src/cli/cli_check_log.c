/*
 * The daemon's decision lines ("door= user= realm= mech= verdict= reason=
 * source= ms=", DESIGN 4): the last refusals of one account. A log is
 * untrusted: anybody can be the source of a line in a file or journal, and
 * peers choose the words. Only visible ASCII of known fields is kept.
 */

#include "cli/cli_check_log.h"

#include <string.h>

/* The fields of a line, in their order; ms closes it. */
enum field {
	FIELD_DOOR = 0, FIELD_USER, FIELD_REALM, FIELD_MECH, FIELD_VERDICT,
	FIELD_REASON, FIELD_SOURCE, FIELD_MS, FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
	"door=", "user=", "realm=", "mech=", "verdict=", "reason=",
	"source=", "ms="
};

/* The next word of text, which loses it and the blanks around it. */
static struct span
next_word(struct span *text)
{
	struct span all = span_trim(*text), word;

	word = span_head(all, span_find(all, ' '));
	*text = span_tail(all, word.n);
	return word;
}

/*
 * Finds "door=" at the beginning of a word and takes the fields that follow
 * it, each in its place. False: no decision line.
 */
static bool
split_line(struct span line, struct span *before, struct span *fields)
{
	struct span left = line, word;
	struct span door = span_str(field_names[FIELD_DOOR]);

	*before = next_word(&left);
	word = *before;
	while (word.n > 0 && !span_equal(span_head(word, door.n), door))
		word = next_word(&left);
	for (int i = FIELD_DOOR; i < FIELD_COUNT; i++) {
		struct span name = span_str(field_names[i]);

		if (word.n <= name.n ||
		    !span_equal(span_head(word, name.n), name))
			return false;
		fields[i] = span_tail(word, name.n);
		word = next_word(&left);
	}
	return true;
}

/* The user of a line is the account, by its full name or in its realms. */
static bool
is_account(const struct check_account *account, struct span user,
    struct span realm)
{
	const struct account *name = &account->presented.account;
	size_t at = span_rfind(user, '@');

	if (!span_equal(span_head(user, at), span_str(name->localpart)))
		return false;
	if (at < user.n)
		return span_equal(span_tail(user, at + 1),
		    span_str(name->domain));
	for (size_t i = 0; i < account->realm_count; i++)
		if (span_equal_nocase(realm,
		    span_str(account->realms[i].row.realm)))
			return true;
	return span_equal_nocase(realm, span_str(name->domain));
}

static void
keep_word(struct span word, char *out)
{
	size_t n = word.n < CHECK_FIELD_MAX ? word.n : CHECK_FIELD_MAX - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = word.p[i] > ' ' && word.p[i] < 0x7f ?
		    (char)word.p[i] : '?';
	out[n] = '\0';
}

static void
read_line(struct check_log *log, const struct check_account *account,
    struct span line)
{
	struct span fields[FIELD_COUNT], before;
	struct check_refusal *r;
	size_t at;

	if (!split_line(line, &before, fields) ||
	    span_equal(fields[FIELD_VERDICT], SPAN_LIT("allow")) ||
	    !is_account(account, fields[FIELD_USER], fields[FIELD_REALM]))
		return;
	if (log->count < CHECK_REFUSALS_MAX) {
		at = log->count++;
	} else {
		at = log->first;
		log->first = (log->first + 1) % CHECK_REFUSALS_MAX;
	}
	r = &log->refusals[at];
	memset(r, 0, sizeof(*r));
	/* "2026-11-22T10:00:00": the log's own or the journal's. */
	if (before.n > 10 && before.p[0] >= '0' && before.p[0] <= '9' &&
	    before.p[10] == 'T')
		keep_word(before, r->time);
	keep_word(fields[FIELD_DOOR], r->door);
	keep_word(fields[FIELD_REALM], r->realm);
	keep_word(fields[FIELD_MECH], r->mech);
	keep_word(fields[FIELD_VERDICT], r->verdict);
	keep_word(fields[FIELD_REASON], r->reason);
	keep_word(fields[FIELD_SOURCE], r->source);
}

void
check_log_feed(struct check_log *log, const struct check_account *account,
    struct span octets)
{
	while (octets.n > 0) {
		size_t end = span_find(octets, '\n');
		struct span piece = span_head(octets, end);

		if (piece.n > sizeof(log->pending) - log->pending_n)
			log->skipping = true;
		else if (!log->skipping && piece.n > 0) {
			memcpy(log->pending + log->pending_n, piece.p,
			    piece.n);
			log->pending_n += piece.n;
		}
		if (end == octets.n)
			return;
		if (!log->skipping)
			read_line(log, account, span_mem(log->pending,
			    log->pending_n));
		log->skipping = false;
		log->pending_n = 0;
		octets = span_tail(octets, end + 1);
	}
}

const struct check_refusal *
check_log_at(const struct check_log *log, size_t i)
{
	return &log->refusals[(log->first + i) % CHECK_REFUSALS_MAX];
}

const char *
check_log_explain(const char *reason)
{
	static const struct {
		const char	*word, *text;
	} explained[] = {
		{ "wrong-password", "the client has another password" },
		{ "unknown-user", "there was no such account" },
		{ "disabled", "the account was disabled" },
		{ "no-verifier", "there was no verifier for it" },
		{ "case", "capital letters in the name; SIP needs it in "
		    "lower case" },
		{ "foreign-domain", "the domain is not one this door "
		    "serves" },
		{ "unknown-realm", "the realm is not in the database" },
		{ "stale", "an old challenge; the client should try again" },
		{ "replay", "the same answer was used before" },
		{ "identity", "the call was made under another name" },
		{ "throttled", "too many failures shortly before" },
		{ "db-down", "the database did not answer" },
		{ "key-missing", "the daemon has no key for sealed digests" },
		{ "malformed", "the request was not understood" },
		{ "not-permitted", "this door may not ask that" }
	};
	struct span word = span_str(reason);

	for (size_t i = 0; i < sizeof(explained) / sizeof(explained[0]); i++)
		if (span_equal(word, span_str(explained[i].word)))
			return explained[i].text;
	return "";
}
