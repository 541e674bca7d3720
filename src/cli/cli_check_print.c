/*
 * The answer of onecred check for people: one line on what the account is, a
 * table, what to do, the last refusals. Values come from the database, the
 * log and the command line; what could upset a terminal prints as '?'.
 */

#include "cli/cli_check_print.h"

#include <stdio.h>
#include <string.h>

#include "core/span.h"

#define COLUMNS_MAX	7
#define CELL_MAX	(CHECK_NOTE_MAX + 64)

/* A table that is printed twice: first to measure, then for good. */
struct table {
	size_t	columns;
	size_t	width[COLUMNS_MAX];
	bool	measuring;
};

static void
put_safe(const char *text)
{
	for (; *text != '\0'; text++)
		(void)putchar((unsigned char)*text < ' ' || *text == 0x7f ?
		    '?' : *text);
}

/* UTF-8 octets that begin a character count. */
static size_t
text_width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
table_row(struct table *table, const char *const *cells)
{
	for (size_t i = 0; i < table->columns; i++) {
		size_t n = text_width(cells[i]);

		if (table->measuring) {
			if (n > table->width[i])
				table->width[i] = n;
			continue;
		}
		put_safe(cells[i]);
		if (i + 1 < table->columns)
			printf("%*s", (int)(table->width[i] - n + 2), "");
	}
	if (!table->measuring)
		(void)putchar('\n');
}

/* The reason and what it means here. */
static void
why(const struct check_line *line, char *out, size_t cap)
{
	bool told = line->reason != REASON_OK && line->reason != REASON_NONE;

	(void)snprintf(out, cap, "%s%s%s", told ? reason_str(line->reason) :
	    "", told && line->note[0] != '\0' ? ": " : "", line->note);
}

static void
lines_table(const struct check_result *result, struct table *table)
{
	static const char *const heads[] = {
		"LOGIN", "REALM", "NAME", "ANSWER", "PASSWORD", "WHY"
	};
	const char *cells[COLUMNS_MAX];
	char note[CELL_MAX];
	size_t at;

	table->columns = 0;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (i != 4 || result->password_tried)
			cells[table->columns++] = heads[i];
	table_row(table, cells);
	for (size_t i = 0; i < result->report->count; i++) {
		const struct check_line *line = &result->report->lines[i];

		at = 0;
		why(line, note, sizeof(note));
		cells[at++] = line->what;
		cells[at++] = line->realm;
		cells[at++] = line->name;
		cells[at++] = check_state_str(line->state);
		if (result->password_tried)
			cells[at++] = check_password_str(line->password);
		cells[at++] = note;
		table_row(table, cells);
	}
}

static void
refusals_table(const struct check_log *log, struct table *table)
{
	const char *cells[COLUMNS_MAX];

	table->columns = COLUMNS_MAX;
	for (size_t i = 0; i < log->count; i++) {
		const struct check_refusal *r = check_log_at(log, i);

		cells[0] = r->time;
		cells[1] = r->door;
		cells[2] = r->mech;
		cells[3] = r->realm;
		cells[4] = r->source;
		cells[5] = r->reason;
		cells[6] = check_log_explain(r->reason);
		table_row(table, cells);
	}
}

static void
print_head(const struct check_result *result)
{
	const struct check_account *account = result->account;
	const struct credential *home;

	if (result->name == NULL) {
		puts("this is not the name of an account");
		return;
	}
	put_safe(result->name);
	if (account->realm_count == 0) {
		puts(": unknown domain");
		return;
	}
	home = &account->realms[0].row;
	if (!home->found) {
		puts(": no such account");
		return;
	}
	printf(": %s; digests %s; SIP password %s\n",
	    home->enabled ? "enabled" : "DISABLED",
	    home->policy.digests_none ? "none" :
	    home->policy.digests_sealed ? "sealed" : "plain",
	    home->ha1_origin == HA1_SAME ? "the same" :
	    home->ha1_origin == HA1_SEPARATE ? "its own" :
	    "imported, not proved");
}

static void
print_advice(const struct check_report *report)
{
	if (report->advice_count == 0)
		return;
	puts("\nWhat to do:");
	for (size_t i = 0; i < report->advice_count; i++) {
		printf("  - ");
		put_safe(report->advice[i].text);
		if (report->advice[i].command[0] != '\0') {
			printf(":\n      ");
			put_safe(report->advice[i].command);
		}
		(void)putchar('\n');
	}
}

void
check_print_text(const struct check_result *result)
{
	struct table table = { .measuring = true };

	if (result->fault->text[0] != '\0') {
		cli_say("%s", result->fault->text);
		if (result->fault->command[0] != '\0')
			cli_say("try: %s", result->fault->command);
		return;
	}
	print_head(result);
	/* Of an account that is not there every line says the same. */
	if (result->report->count > 0 &&
	    result->account->realms[0].row.found) {
		(void)putchar('\n');
		lines_table(result, &table);
		table.measuring = false;
		lines_table(result, &table);
	}
	print_advice(result->report);
	if (result->log->count > 0) {
		memset(&table, 0, sizeof(table));
		table.measuring = true;
		puts("\nLast refusals:");
		refusals_table(result->log, &table);
		table.measuring = false;
		refusals_table(result->log, &table);
	}
	if (result->remark_count > 0)
		(void)putchar('\n');
	for (size_t i = 0; i < result->remark_count; i++) {
		printf("Note: ");
		put_safe(result->remarks[i]);
		(void)putchar('\n');
	}
}
