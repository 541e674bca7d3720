/*
 * Commands for sentences that say how to mend something. The scripts are
 * those that were installed with this program: bin/ and sbin/ have share/ as
 * their neighbour.
 */

#include "daemon/scripts.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define SQL_FOLDER	"share/onecred/sql"
#define SQL_DEFAULT	"/usr/local/" SQL_FOLDER

/* Where the scripts are: PREFIX of the running program, if they are there. */
static void
put_folder(struct wbuf *out)
{
	char exe[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe));
	struct span prefix = span_mem(exe, n > 0 ? (size_t)n : 0);

	/* Two slashes back: without the program's name and its folder. */
	for (int i = 0; i < 2 && prefix.n > 0; i++) {
		size_t slash = span_rfind(prefix, '/');

		prefix = span_head(prefix, slash < prefix.n ? slash : 0);
	}
	(void)snprintf(path, sizeof(path), "%.*s/" SQL_FOLDER, (int)prefix.n,
	    (const char *)exe);
	wbuf_str(out, access(path, F_OK) == 0 ? path : SQL_DEFAULT);
}

static bool
is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    span_find(SPAN_LIT("@._/:=+-,"), c) < 9;
}

void
scripts_word(struct wbuf *out, struct span word)
{
	bool plain = word.n > 0;

	for (size_t i = 0; i < word.n; i++)
		plain = plain && is_plain(word.p[i]);
	if (plain) {
		wbuf_span(out, word);
		return;
	}
	wbuf_u8(out, '\'');
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\'')
			wbuf_str(out, "'\\''");
		else
			wbuf_u8(out, word.p[i]);
	}
	wbuf_u8(out, '\'');
}

void
scripts_command(const char *database, const char *script,
    const struct script_value *values, char *out, size_t cap)
{
	struct wbuf wb;

	wbuf_init(&wb, out, cap);
	wbuf_str(&wb, "psql");
	if (database != NULL && database[0] != '\0') {
		wbuf_str(&wb, " -d ");
		scripts_word(&wb, span_str(database));
	}
	for (size_t i = 0; i < SCRIPTS_VALUES_MAX && values != NULL &&
	    values[i].name != NULL; i++) {
		wbuf_str(&wb, " -v ");
		wbuf_str(&wb, values[i].name);
		wbuf_u8(&wb, '=');
		if (values[i].value[0] != '\0')
			scripts_word(&wb, span_str(values[i].value));
	}
	wbuf_str(&wb, " -f ");
	put_folder(&wb);
	wbuf_u8(&wb, '/');
	wbuf_str(&wb, script);
	wbuf_str(&wb, ".sql");
	wbuf_u8(&wb, '\0');
	if (wb.failed && cap > 0)
		out[0] = '\0';
}
