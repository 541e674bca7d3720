/*
 * Lines of Dovecot's authentication protocol (STANDARDS 7.3). Everything that
 * is looked at has no reason to be escaped (names of mechanisms, numbers,
 * base64), so nothing is unescaped: a value that is escaped is not equal to
 * any of ours. Parameters that are unknown, or known and without meaning here
 * (secured, lip, nologin, ...), are left out.
 */

#include "doors/dovecot_line.h"

#include <string.h>

#include "core/err.h"

#define RESP	SPAN_LIT("resp=")

static const struct {
	const char		*word;
	enum dovecot_command	 command;
} commands[] = {
	{ "VERSION", DOVECOT_VERSION },
	{ "CPID", DOVECOT_CPID },
	{ "AUTH", DOVECOT_AUTH },
	{ "CONT", DOVECOT_CONT },
	{ "CANCEL", DOVECOT_CANCEL }
};

/* Cuts the next field off *rest; false if there is none. */
static bool
next_field(struct span *rest, bool *more, struct span *field)
{
	size_t at;

	if (!*more)
		return false;
	at = span_find(*rest, '\t');
	*field = span_head(*rest, at);
	*more = at < rest->n;
	*rest = span_tail(*rest, at + 1);
	return true;
}

/* Decimal digits and nothing else, up to 2^32 - 1. */
static bool
read_number(struct span s, uint32_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 10)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*out = (uint32_t)v;
	return v <= UINT32_MAX;
}

static enum dovecot_command
read_command(struct span word)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_equal(word, span_str(commands[i].word)))
			return commands[i].command;
	return DOVECOT_UNKNOWN;
}

/* Nothing and "=" are both the message of no octets. */
static struct span
message_of(struct span value)
{
	return span_equal(value, SPAN_LIT("=")) ? SPAN_EMPTY : value;
}

/* The value of "name=value", or false. */
static bool
value_of(struct span field, struct span name, struct span *value)
{
	if (!span_equal(span_head(field, name.n), name))
		return false;
	*value = span_tail(field, name.n);
	return true;
}

static int
read_auth(struct span rest, bool more, struct dovecot_line *line)
{
	struct span field;

	if (!next_field(&rest, &more, &line->mech) || line->mech.n == 0)
		return -ERR_FORMAT;
	for (size_t i = 0; more; i++) {
		if (i == DOVECOT_FIELDS_MAX)
			return -ERR_FORMAT;
		/* NB: the message comes last; no parameter hides behind it. */
		if (value_of(rest, RESP, &field)) {
			line->has_resp = true;
			line->resp = message_of(field);
			return 0;
		}
		(void)next_field(&rest, &more, &field);
		if (span_equal(field, SPAN_LIT("final-resp-ok")))
			line->final_resp_ok = true;
		else if (!value_of(field, SPAN_LIT("service="),
		    &line->service))
			(void)value_of(field, SPAN_LIT("rip="),
			    &line->source);
	}
	return 0;
}

static int
read_line(struct span rest, struct dovecot_line *line)
{
	struct span word, field = SPAN_EMPTY, second = SPAN_EMPTY;
	bool more = true;

	(void)next_field(&rest, &more, &word);
	line->command = read_command(word);
	/* CPID may be anything, a pointer even: nobody needs it. */
	if (line->command == DOVECOT_UNKNOWN || line->command == DOVECOT_CPID)
		return 0;
	if (!next_field(&rest, &more, &field))
		return -ERR_FORMAT;
	if (line->command == DOVECOT_VERSION) {
		if (!read_number(field, &line->major))
			return -ERR_FORMAT;
		if (next_field(&rest, &more, &second) &&
		    !read_number(second, &line->minor))
			return -ERR_FORMAT;
		return 0;
	}
	if (!read_number(field, &line->id))
		return -ERR_FORMAT;
	if (line->command == DOVECOT_AUTH)
		return read_auth(rest, more, line);
	if (line->command == DOVECOT_CONT) {
		line->has_resp = true;
		line->resp = message_of(rest);
	}
	return 0;
}

int
dovecot_line_parse(struct span in, struct dovecot_line *line)
{
	int rc;

	memset(line, 0, sizeof(*line));
	rc = in.n > DOVECOT_LINE_MAX ? -ERR_FORMAT : read_line(in, line);
	if (rc != 0)
		memset(line, 0, sizeof(*line));
	return rc;
}

bool
dovecot_line_id(struct span head, uint32_t *id)
{
	struct span word, field;
	enum dovecot_command command;
	bool more = true;

	(void)next_field(&head, &more, &word);
	command = read_command(word);
	return (command == DOVECOT_AUTH || command == DOVECOT_CONT) &&
	    next_field(&head, &more, &field) && more &&
	    read_number(field, id);
}
