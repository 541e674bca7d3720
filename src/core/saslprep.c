/*
 * SASLprep, RFC 4013, over libidn's tables (Unicode 3.2, as the RFC says).
 * The library never sees octets that are not UTF-8, nor NUL, at which it
 * would silently stop. All buffers of ours are wiped; what normalization
 * allocates inside the library for text that is not ASCII cannot be reached.
 */

#include "core/saslprep.h"

#include <stdbool.h>
#include <stdlib.h>

#include <stringprep.h>

#include "core/err.h"
#include "core/utf8.h"

/* One character may become 18; what grows beyond this is refused. */
#define CODE_POINTS_MAX	(2 * PASSWORD_MAX)

#define ZERO_WIDTH_SPACE	0x200b

static bool
is_printable_ascii(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return true;
}

static int
decode(struct span text, uint32_t *out, size_t *n)
{
	*n = 0;
	while (text.n > 0) {
		if (utf8_take(&text, &out[*n]) != 0)
			return -ERR_FORMAT;
		/*
		 * RFC 3454 lists U+200B in B.1 (drop it) and in C.1.2 (make it
		 * a space); implementations differ, so neither is right.
		 */
		if (out[*n] == 0 || out[*n] == ZERO_WIDTH_SPACE)
			return -ERR_CHARACTER;
		(*n)++;
	}
	return 0;
}

static int
prepare_error(int rc)
{
	switch (rc) {
	case STRINGPREP_OK:
		return 0;
	case STRINGPREP_CONTAINS_UNASSIGNED:
	case STRINGPREP_CONTAINS_PROHIBITED:
	case STRINGPREP_BIDI_BOTH_L_AND_RAL:
	case STRINGPREP_BIDI_LEADTRAIL_NOT_RAL:
	case STRINGPREP_BIDI_CONTAINS_PROHIBITED:
		return -ERR_CHARACTER;
	case STRINGPREP_TOO_SMALL_BUFFER:
		return -ERR_TOO_LONG;
	default:
		return -ERR_NOMEM;
	}
}

static int
encode(const uint32_t *code_points, size_t n, struct secret *out)
{
	uint8_t text[PASSWORD_MAX];
	struct wbuf wb;
	int rc = -ERR_TOO_LONG;

	wbuf_init(&wb, text, sizeof(text));
	for (size_t i = 0; i < n; i++)
		wbuf_utf8(&wb, code_points[i]);
	if (!wb.failed)
		rc = wb.n == 0 ? -ERR_FORMAT :
		    secret_set(out, wbuf_written(&wb));
	wbuf_wipe(&wb);
	return rc;
}

int
saslprep(struct span text, enum saslprep_kind kind, struct secret *out)
{
	uint32_t code_points[CODE_POINTS_MAX];
	size_t n = 0;
	int rc;

	*out = (struct secret){ NULL, 0 };
	if (text.n == 0)
		return -ERR_FORMAT;
	if (text.n > PASSWORD_MAX)
		return -ERR_TOO_LONG;
	if (is_printable_ascii(text))
		return secret_set(out, text);
	rc = decode(text, code_points, &n);
	if (rc == 0)
		rc = prepare_error(stringprep_4i(code_points, &n,
		    CODE_POINTS_MAX, kind == SASLPREP_QUERY ? 0 :
		    STRINGPREP_NO_UNASSIGNED, stringprep_saslprep));
	if (rc == 0)
		rc = encode(code_points, n, out);
	secret_wipe(code_points, sizeof(code_points));
	return rc;
}
