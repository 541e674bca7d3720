/*
 * The reader of onecred.conf:
 *
 *	file    = *( [ section / entry / comment ] LF )
 *	section = "[" word [ blanks name ] "]"
 *	entry   = key blanks "=" blanks value
 *	comment = "#" anything
 *
 * Pure over a buffer. It must never drop anything in silence: what does not
 * fit the grammar, is too long or stands there twice is an error with its
 * line number.
 */

#include "daemon/ini.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/err.h"

#define NAME_MAX_OCTETS	64

struct reader {
	struct ini	*ini;
	size_t		 cap;		/* of each of ini's arrays */
	unsigned int	 line;
	const char	*why;
};

static int
refuse(struct reader *rd, int err, const char *why)
{
	rd->why = why;
	return -err;
}

static bool
is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* [a-z][a-z0-9_-]* */
static bool
is_word(struct span s)
{
	if (s.n == 0 || s.n > NAME_MAX_OCTETS || !is_lower(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!is_lower(s.p[i]) && !is_digit(s.p[i]) &&
		    s.p[i] != '_' && s.p[i] != '-')
			return false;
	return true;
}

/* [A-Za-z0-9][A-Za-z0-9._-]* */
static bool
is_name(struct span s)
{
	if (s.n == 0 || s.n > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = ascii_lower(s.p[i]);

		if (is_lower(c) || is_digit(c))
			continue;
		if (i == 0 || (c != '.' && c != '_' && c != '-'))
			return false;
	}
	return true;
}

static int
read_section(struct reader *rd, struct span line)
{
	struct ini *ini = rd->ini;
	struct ini_section *section = &ini->sections[ini->section_count];
	struct span inside;
	size_t blank = 0;

	if (line.p[line.n - 1] != ']')
		return refuse(rd, ERR_FORMAT, "a section needs its \"]\"");
	inside = span_trim(span_head(span_tail(line, 1), line.n - 2));
	while (blank < inside.n && inside.p[blank] != ' ' &&
	    inside.p[blank] != '\t')
		blank++;
	section->word = span_head(inside, blank);
	section->name = span_trim(span_tail(inside, blank));
	section->line = rd->line;
	section->first = ini->entry_count;
	section->count = 0;
	if (!is_word(section->word) ||
	    (section->name.n > 0 && !is_name(section->name)))
		return refuse(rd, ERR_FORMAT,
		    "a section is [word] or [word NAME]");
	for (size_t i = 0; i < ini->section_count; i++)
		if (span_equal(ini->sections[i].word, section->word) &&
		    span_equal(ini->sections[i].name, section->name))
			return refuse(rd, ERR_FORMAT,
			    "this section was given before");
	ini->section_count++;
	return 0;
}

/* A '#' behind a blank: the writer meant a comment, libpq would not. */
static bool
has_comment(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '#' && (i == 0 || value.p[i - 1] == ' ' ||
		    value.p[i - 1] == '\t'))
			return true;
	return false;
}

static int
read_entry(struct reader *rd, struct span line)
{
	struct ini *ini = rd->ini;
	struct ini_entry *entry = &ini->entries[ini->entry_count];
	struct ini_section *section;
	size_t equals = span_find(line, '=');

	if (equals == line.n)
		return refuse(rd, ERR_FORMAT,
		    "expected \"key = value\", \"[section]\" or \"#\"");
	if (ini->section_count == 0)
		return refuse(rd, ERR_FORMAT,
		    "a key needs a [section] above it");
	section = &ini->sections[ini->section_count - 1];
	entry->key = span_trim(span_head(line, equals));
	entry->value = span_trim(span_tail(line, equals + 1));
	entry->line = rd->line;
	if (!is_word(entry->key))
		return refuse(rd, ERR_FORMAT,
		    "a key is made of a-z, 0-9 and \"_\"");
	if (has_comment(entry->value))
		return refuse(rd, ERR_FORMAT,
		    "a comment needs a line of its own");
	for (size_t i = section->first; i < ini->entry_count; i++)
		if (span_equal(ini->entries[i].key, entry->key))
			return refuse(rd, ERR_FORMAT,
			    "this key was given before in this section");
	ini->entry_count++;
	section->count++;
	return 0;
}

static int
read_line(struct reader *rd, struct span line)
{
	if (line.n > INI_LINE_MAX)
		return refuse(rd, ERR_TOO_LONG,
		    "the line is longer than 4096 octets");
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') ||
		    line.p[i] == 0x7f)
			return refuse(rd, ERR_CHARACTER,
			    "control characters are not allowed");
	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	if (rd->ini->section_count == rd->cap ||
	    rd->ini->entry_count == rd->cap)
		return refuse(rd, ERR_TOO_LONG, "the file has too many lines");
	return line.p[0] == '[' ? read_section(rd, line) :
	    read_entry(rd, line);
}

int
ini_parse(struct span text, struct ini *ini, unsigned int *line,
    const char **why)
{
	struct reader rd = { ini, 1, 0, "" };
	int err = 0;

	*ini = (struct ini){ 0 };
	if (text.n > INI_FILE_MAX) {
		err = refuse(&rd, ERR_TOO_LONG,
		    "the file is larger than 1 MiB");
		goto out;
	}
	for (size_t i = 0; i < text.n && rd.cap < INI_LINES_MAX; i++)
		if (text.p[i] == '\n')
			rd.cap++;
	ini->sections = calloc(rd.cap, sizeof(ini->sections[0]));
	ini->entries = calloc(rd.cap, sizeof(ini->entries[0]));
	if (ini->sections == NULL || ini->entries == NULL) {
		err = refuse(&rd, ERR_NOMEM, "out of memory");
		goto out;
	}
	while (err == 0 && text.n > 0) {
		size_t end = span_find(text, '\n');

		rd.line++;
		err = read_line(&rd, span_head(text, end));
		text = span_tail(text, end + 1);
	}
out:
	*line = rd.line;
	*why = rd.why;
	if (err != 0)
		ini_free(ini);
	return err;
}

void
ini_free(struct ini *ini)
{
	free(ini->sections);
	free(ini->entries);
	*ini = (struct ini){ 0 };
}

unsigned int
ini_line(const struct ini *ini, const struct ini_section *section,
    const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (span_equal(ini->entries[section->first + i].key,
		    span_str(key)))
			return ini->entries[section->first + i].line;
	return section->line;
}
