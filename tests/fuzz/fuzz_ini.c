/*
 * ini_parse() and the option values behind it: whatever the file, an answer
 * with a line number; what was accepted is inside the text.
 */

#include "daemon/config.h"
#include "daemon/ini.h"
#include "daemon/options.h"
#include "fuzz.h"

static bool
inside(struct span part, const uint8_t *data, size_t size)
{
	return part.n == 0 || (part.p >= data &&
	    part.p + part.n <= data + size);
}

/* Sets one option of a zeroed section, prints it, frees it. */
static void
try_value(const struct option_def *def, struct span value)
{
	union {
		struct config_database		database;
		struct config_listener		listener;
		struct config_radius_client	client;
		struct config_seal		seal;
	} section = { .database = { .connections = 0 } };
	char why[160], out[8192];
	struct wbuf wb;

	if (option_set(def, value, &section, why, sizeof(why)) == 0) {
		wbuf_init(&wb, out, sizeof(out));
		option_format(def, &section, &wb);
		FUZZ_MUST(!wb.failed);
	} else
		FUZZ_MUST(span_find(span_mem(why, sizeof(why)), '\0') <
		    sizeof(why));
	option_clear(def, &section);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int line = 0;
	const char *why = NULL;
	struct ini ini;

	if (ini_parse(span_mem(data, size), &ini, &line, &why) != 0) {
		FUZZ_MUST(why != NULL && why[0] != '\0');
		FUZZ_MUST(ini.sections == NULL && ini.entries == NULL);
		return 0;
	}
	for (size_t i = 0; i < ini.section_count; i++) {
		const struct ini_section *s = &ini.sections[i];
		const struct section_def *section = section_find(s->word);

		FUZZ_MUST(inside(s->word, data, size) && s->word.n > 0);
		FUZZ_MUST(inside(s->name, data, size));
		FUZZ_MUST(s->first + s->count <= ini.entry_count);
		for (size_t j = 0; j < s->count && section != NULL; j++) {
			const struct ini_entry *e =
			    &ini.entries[s->first + j];
			const struct option_def *def = option_find(section,
			    e->key);

			FUZZ_MUST(inside(e->value, data, size));
			FUZZ_MUST(e->line > s->line && e->line <= line);
			if (def != NULL)
				try_value(def, e->value);
		}
	}
	ini_free(&ini);
	return 0;
}
