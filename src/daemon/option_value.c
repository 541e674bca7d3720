/*
 * Values of onecred.conf by type: read, print, free. Every number has bounds;
 * a value that is not understood whole is refused, never cut or guessed.
 */

#include "daemon/option_value.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/secret.h"
#include "store/xalloc.h"

#define WORDS_MAX	256

struct unit {
	const char	*suffix;
	uint64_t	 factor;
};

/* Longest first: the first that divides a value is the one printed. */
static const struct unit durations[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	{ NULL, 0 }
};

static const struct unit sizes[] = {
	{ "m", 1024 * 1024 }, { "k", 1024 }, { "", 1 }, { NULL, 0 }
};

static void *
field(const struct option_def *def, void *section)
{
	return (char *)section + def->offset;
}

static const void *
field_const(const struct option_def *def, const void *section)
{
	return (const char *)section + def->offset;
}

/* Reads digits of base from the start of *s; false if none or too many. */
static bool
read_number(struct span *s, unsigned int base, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] < '0' + base) {
		v = v * base + (uint64_t)(s->p[n] - '0');
		if (v > UINT32_MAX)
			return false;
		n++;
	}
	*s = span_tail(*s, n);
	*out = v;
	return n > 0;
}

static int
bounded(const struct option_def *def, uint64_t v, void *section, char *why,
    size_t cap)
{
	unsigned int *out = field(def, section);

	if (v < def->min || v > def->max || v > UINT32_MAX) {
		(void)snprintf(why, cap,
		    "must be between %" PRIu64 " and %" PRIu64 "%s", def->min,
		    def->max, def->type == OPTION_DURATION ?
		    " milliseconds" : "");
		return -ERR_RANGE;
	}
	*out = (unsigned int)v;
	return 0;
}

static int
set_number(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	uint64_t v;

	if (!read_number(&value, 10, &v) || value.n > 0) {
		(void)snprintf(why, cap, "must be a number");
		return -ERR_FORMAT;
	}
	return bounded(def, v, section, why, cap);
}

static int
set_unit(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	bool duration = def->type == OPTION_DURATION;
	const struct unit *u = duration ? durations : sizes;
	uint64_t v;

	if (read_number(&value, 10, &v))
		for (; u->suffix != NULL; u++)
			if (span_equal(value, span_str(u->suffix)))
				return bounded(def, v * u->factor, section,
				    why, cap);
	(void)snprintf(why, cap, duration ?
	    "must be a duration like 200ms, 5s, 1m or 2h" :
	    "must be a size like 512, 64k or 1m");
	return -ERR_FORMAT;
}

static int
set_mode(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	unsigned int *out = field(def, section);
	uint64_t v;

	if (!read_number(&value, 8, &v) || value.n > 0 || v > 0777) {
		(void)snprintf(why, cap,
		    "must be an octal file mode like 0660");
		return -ERR_FORMAT;
	}
	*out = (unsigned int)v;
	return 0;
}

/* The place of word in "a|b|c", or -1. */
static int
choice_find(const char *choices, struct span word)
{
	struct span rest = span_str(choices);

	for (int place = 0; rest.n > 0; place++) {
		size_t end = span_find(rest, '|');

		if (span_equal(span_head(rest, end), word))
			return place;
		rest = span_tail(rest, end + 1);
	}
	return -1;
}

static struct span
choice_at(const char *choices, unsigned int place)
{
	struct span rest = span_str(choices);

	while (place-- > 0)
		rest = span_tail(rest, span_find(rest, '|') + 1);
	return span_head(rest, span_find(rest, '|'));
}

static int
set_choice(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	unsigned int *out = field(def, section);
	int place = choice_find(def->choices, value);

	if (place < 0) {
		(void)snprintf(why, cap, "must be one of %s", def->choices);
		return -ERR_FORMAT;
	}
	*out = (unsigned int)place;
	return 0;
}

/*
 * The next word of a list: separated by blanks or commas; in double quotes it
 * may contain them (realms do). 1 if there was one, 0 at the end, or -1.
 */
static int
next_word(struct span *rest, struct span *word)
{
	size_t n = 0;

	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t' ||
	    rest->p[0] == ','))
		*rest = span_tail(*rest, 1);
	if (rest->n == 0)
		return 0;
	if (rest->p[0] == '"') {
		*rest = span_tail(*rest, 1);
		n = span_find(*rest, '"');
		if (n == rest->n || n == 0)
			return -1;
		*word = span_head(*rest, n);
		*rest = span_tail(*rest, n + 1);
		return 1;
	}
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' &&
	    rest->p[n] != ',')
		if (rest->p[n++] == '"')
			return -1;
	*word = span_head(*rest, n);
	*rest = span_tail(*rest, n);
	return 1;
}

static int
set_flags(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	unsigned int *out = field(def, section), flags = 0;
	struct span word;
	int more;

	while ((more = next_word(&value, &word)) == 1) {
		int place = choice_find(def->choices, word);

		if (place < 0)
			break;
		flags |= 1u << place;
	}
	if (more != 0 || flags == 0) {
		(void)snprintf(why, cap, "must be some of %s", def->choices);
		return -ERR_FORMAT;
	}
	*out = flags;
	return 0;
}

static char *
copy_span(struct span s)
{
	char *copy = xcalloc(1, s.n + 1);

	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

static void
words_free(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->words[i]);
	free(list->words);
	*list = (struct word_list){ 0 };
}

static int
set_words(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	struct word_list list = { 0 }, *out = field(def, section);
	struct span word;
	int more;

	list.words = xcalloc(WORDS_MAX, sizeof(list.words[0]));
	while ((more = next_word(&value, &word)) == 1 &&
	    list.count < WORDS_MAX)
		list.words[list.count++] = copy_span(word);
	if (more != 0 || list.count == 0) {
		(void)snprintf(why, cap,
		    "must be 1 to %d words separated by blanks", WORDS_MAX);
		words_free(&list);
		return -ERR_FORMAT;
	}
	words_free(out);
	*out = list;
	return 0;
}

static int
set_string(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	char **out = field(def, section);

	if (value.n < def->min || value.n > def->max) {
		(void)snprintf(why, cap, "must have %" PRIu64 " to %" PRIu64
		    " octets", def->min, def->max);
		return -ERR_TOO_LONG;
	}
	option_clear(def, section);
	*out = copy_span(value);
	return 0;
}

int
option_set(const struct option_def *def, struct span value, void *section,
    char *why, size_t cap)
{
	if (value.n == 0) {
		(void)snprintf(why, cap, "needs a value");
		return -ERR_FORMAT;
	}
	switch (def->type) {
	case OPTION_STRING:
		return set_string(def, value, section, why, cap);
	case OPTION_UINT:
		return set_number(def, value, section, why, cap);
	case OPTION_DURATION:
	case OPTION_SIZE:
		return set_unit(def, value, section, why, cap);
	case OPTION_MODE:
		return set_mode(def, value, section, why, cap);
	case OPTION_CHOICE:
		return set_choice(def, value, section, why, cap);
	case OPTION_FLAGS:
		return set_flags(def, value, section, why, cap);
	case OPTION_WORDS:
		return set_words(def, value, section, why, cap);
	}
	return -ERR_UNSUPPORTED;
}

void
option_clear(const struct option_def *def, void *section)
{
	if (def->type == OPTION_STRING) {
		char **s = field(def, section);

		if (*s != NULL)
			secret_wipe(*s, span_str(*s).n);
		free(*s);
		*s = NULL;
	} else if (def->type == OPTION_WORDS)
		words_free(field(def, section));
	else
		*(unsigned int *)field(def, section) = 0;
}

static void
format_unit(const struct unit *u, unsigned int v, struct wbuf *out)
{
	while (u[1].suffix != NULL && (v == 0 || v % u->factor != 0))
		u++;
	wbuf_dec(out, v / u->factor);
	wbuf_str(out, u->suffix);
}

static void
format_flags(const struct option_def *def, unsigned int v, struct wbuf *out)
{
	bool first = true;

	for (unsigned int place = 0; place < 32; place++) {
		if ((v & 1u << place) == 0)
			continue;
		wbuf_str(out, first ? "" : " ");
		wbuf_span(out, choice_at(def->choices, place));
		first = false;
	}
}

static void
format_words(const struct word_list *list, struct wbuf *out)
{
	for (size_t i = 0; i < list->count; i++) {
		struct span word = span_str(list->words[i]);
		bool quoted = span_find(word, ' ') < word.n ||
		    span_find(word, '\t') < word.n ||
		    span_find(word, ',') < word.n;

		wbuf_str(out, i == 0 ? "" : " ");
		wbuf_str(out, quoted ? "\"" : "");
		wbuf_span(out, word);
		wbuf_str(out, quoted ? "\"" : "");
	}
}

void
option_format(const struct option_def *def, const void *section,
    struct wbuf *out)
{
	const void *at = field_const(def, section);
	unsigned int v;
	char mode[8];

	if (def->type == OPTION_STRING) {
		const char *s = *(const char *const *)at;

		if (s != NULL && (def->flags & OPT_SECRET) != 0)
			s = "<set>";
		wbuf_str(out, s);
		return;
	}
	if (def->type == OPTION_WORDS) {
		format_words(at, out);
		return;
	}
	v = *(const unsigned int *)at;
	switch (def->type) {
	case OPTION_DURATION:
		format_unit(durations, v, out);
		break;
	case OPTION_SIZE:
		format_unit(sizes, v, out);
		break;
	case OPTION_MODE:
		(void)snprintf(mode, sizeof(mode), "%04o", v & 0777);
		wbuf_str(out, mode);
		break;
	case OPTION_CHOICE:
		wbuf_span(out, choice_at(def->choices, v));
		break;
	case OPTION_FLAGS:
		format_flags(def, v, out);
		break;
	case OPTION_UINT:
	case OPTION_STRING:
	case OPTION_WORDS:
		wbuf_dec(out, v);
		break;
	}
}
