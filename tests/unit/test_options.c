/*
 * The option table itself: every default passes its own bounds, every key is
 * described in onecred.conf(5), and the man page knows no other.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/options.h"
#include "unit.h"

#define MAN_PAGE	"src/daemon/onecred.conf.5"

static char	page[65536];

/* Unit tests run in the top directory of the source. */
static void
read_page(void)
{
	FILE *f = fopen(MAN_PAGE, "r");
	size_t n;

	ck_assert_msg(f != NULL, "cannot open %s", MAN_PAGE);
	n = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	ck_assert_uint_lt(n, sizeof(page) - 1);
	page[n] = '\0';
}

/* The words behind ".Sh [section" up to the next ".Sh". */
static const char *
page_section(const char *word, const char **end)
{
	char head[80];
	const char *at;

	(void)snprintf(head, sizeof(head), "\n.Sh [%s", word);
	for (at = strstr(page, head); at != NULL; at = strstr(at + 1, head))
		if (at[strlen(head)] == ']' || at[strlen(head)] == ' ')
			break;
	if (at == NULL)
		return NULL;
	*end = strstr(at + 1, "\n.Sh ");
	return at;
}

START_TEST(defaults_are_good)
{
	const struct option_def *def;
	union {
		struct config_database		database;
		struct config_listener		listener;
		struct config_radius_client	client;
		struct config			all;
	} at;
	char why[128] = "";

	memset(&at, 0, sizeof(at));
	for (def = config_options; def->section != NULL; def++) {
		ck_assert_ptr_nonnull(def->help);
		ck_assert_ptr_nonnull(section_find(span_str(def->section)));
		ck_assert(def->preset == NULL ||
		    (def->flags & OPT_REQUIRED) == 0);
		if (def->preset == NULL)
			continue;
		ck_assert_msg(option_set(def, span_str(def->preset), &at,
		    why, sizeof(why)) == 0, "[%s] %s: %s", def->section,
		    def->key, why);
		option_clear(def, &at);
	}
}
END_TEST

START_TEST(no_key_twice)
{
	const struct option_def *a, *b;

	for (a = config_options; a->section != NULL; a++)
		for (b = a + 1; b->section != NULL; b++)
			ck_assert(strcmp(a->section, b->section) != 0 ||
			    (strcmp(a->key, b->key) != 0 &&
			    a->offset != b->offset));
}
END_TEST

START_TEST(every_key_is_in_the_man_page)
{
	const struct option_def *def;
	const char *from, *end, *at;
	char item[96];

	read_page();
	for (def = config_options; def->section != NULL; def++) {
		from = page_section(def->section, &end);
		ck_assert_msg(from != NULL, "no .Sh [%s", def->section);
		(void)snprintf(item, sizeof(item), "\n.It Ic %s\n",
		    def->key);
		at = strstr(from, item);
		ck_assert_msg(at != NULL && at < end,
		    "[%s] %s is not in %s", def->section, def->key,
		    MAN_PAGE);
		/* Its text names the default, up to the next item. */
		if (def->preset == NULL)
			continue;
		end = strstr(at + 1, "\n.It ");
		from = strstr(at, def->preset);
		ck_assert_msg(from != NULL && (end == NULL || from < end),
		    "[%s] %s: its default %s is not in %s", def->section,
		    def->key, def->preset, MAN_PAGE);
	}
}
END_TEST

START_TEST(the_man_page_has_no_other_key)
{
	static const char item[] = "\n.It Ic ", head[] = "\n.Sh [";
	const char *at = NULL;
	char word[80] = "", key[80];
	const struct section_def *section;

	read_page();
	at = page;
	while (*at != '\0') {
		if (strncmp(at, head, sizeof(head) - 1) == 0)
			(void)sscanf(at + sizeof(head) - 1, "%79[^] ]", word);
		if (strncmp(at, item, sizeof(item) - 1) == 0) {
			ck_assert_int_eq(sscanf(at + sizeof(item) - 1,
			    "%79s", key), 1);
			section = section_find(span_str(word));
			ck_assert_msg(section != NULL &&
			    option_find(section, span_str(key)) != NULL,
			    "[%s] %s stands in the man page only", word,
			    key);
		}
		at++;
	}
	ck_assert_str_eq(word, "log");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("options");
	TCase *tc = tcase_create("options");

	tcase_add_test(tc, defaults_are_good);
	tcase_add_test(tc, no_key_twice);
	tcase_add_test(tc, every_key_is_in_the_man_page);
	tcase_add_test(tc, the_man_page_has_no_other_key);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
