/*
 * Lines and advice of onecred check as they are gathered, and what they come
 * to. Never holds a verifier, HA1 or password.
 */

#include "cli/cli_check_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/span.h"
#include "store/xalloc.h"

#define LINES_STEP	64

struct check_line *
check_report_line(struct check_report *report, enum check_kind kind,
    const char *what)
{
	struct check_line *line, *lines;

	if (report->count % LINES_STEP == 0) {
		lines = xcalloc(report->count + LINES_STEP, sizeof(*lines));
		if (report->count > 0)
			memcpy(lines, report->lines,
			    report->count * sizeof(*lines));
		free(report->lines);
		report->lines = lines;
	}
	line = &report->lines[report->count++];
	line->kind = kind;
	line->reason = REASON_OK;
	(void)snprintf(line->what, sizeof(line->what), "%s", what);
	return line;
}

struct check_advice *
check_report_advise(struct check_report *report, const char *fmt, ...)
{
	struct check_advice *advice;
	va_list ap;

	if (report->advice_count == CHECK_ADVICE_MAX)
		return NULL;
	advice = &report->advice[report->advice_count];
	memset(advice, 0, sizeof(*advice));
	va_start(ap, fmt);
	(void)vsnprintf(advice->text, sizeof(advice->text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < report->advice_count; i++)
		if (span_equal(span_str(report->advice[i].text),
		    span_str(advice->text)))
			return NULL;
	report->advice_count++;
	return advice;
}

/* Whether a verifier of this kind differed from the password tried. */
static bool
kind_differs(const struct check_report *report, enum check_kind kind)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->lines[i].kind == kind &&
		    report->lines[i].password == CHECK_DIFFERS)
			return true;
	return false;
}

enum cli_status
check_report_status(const struct check_report *report)
{
	bool sasl = kind_differs(report, CHECK_SASL);
	bool sip = kind_differs(report, CHECK_SIP);
	enum cli_status status = CLI_OK;

	if (report->own_sip_password ? sasl && sip : sasl || sip)
		return CLI_REFUSED;
	for (size_t i = 0; i < report->count; i++) {
		if (report->lines[i].state == CHECK_CANNOT)
			return CLI_REFUSED;
		if (report->lines[i].state == CHECK_UNKNOWN)
			status = CLI_SYSTEM;
	}
	return status;
}

const char *
check_state_str(enum check_state state)
{
	switch (state) {
	case CHECK_CAN:
		return "can";
	case CHECK_CANNOT:
		return "cannot";
	case CHECK_UNKNOWN:
		return "unknown";
	case CHECK_OFF:
		return "off";
	}
	return "unknown";
}

const char *
check_password_str(enum check_password password)
{
	switch (password) {
	case CHECK_UNTRIED:
		return "";
	case CHECK_AGREES:
		return "agrees";
	case CHECK_DIFFERS:
		return "differs";
	}
	return "";
}

void
check_report_free(struct check_report *report)
{
	free(report->lines);
	memset(report, 0, sizeof(*report));
}
