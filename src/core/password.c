/*
 * Policy for new passwords (DESIGN 2, STANDARDS 4.3): only what SCRAM
 * (SASLprep, RFC 4013), digest (OpaqueString, RFC 8265 section 4.2) and the
 * octets that a SIP phone sends as typed all agree upon. Anything else would
 * open one side only, and nobody would know why. Never for login, where a
 * password that does not fit is simply wrong. A sentence never quotes the
 * password.
 */

#include "core/password.h"

#include "core/err.h"
#include "core/saslprep.h"
#include "core/secret.h"
#include "core/utf8.h"

struct range {
	uint32_t	first, last;
};

/*
 * What RFC 8264 (FreeformClass) refuses although SASLprep lets it pass
 * unchanged. Code points that are good in a certain neighbourhood only
 * (RFC 5892 appendix A, CONTEXTO) are refused without looking around.
 */
static const struct range not_opaque[] = {
	{ 0x00b7, 0x00b7 },	/* CONTEXTO: middle dot */
	{ 0x0375, 0x0375 },	/* CONTEXTO: Greek keraia */
	{ 0x05f3, 0x05f4 },	/* CONTEXTO: Hebrew geresh, gershayim */
	{ 0x0640, 0x0640 },	/* exception: Arabic tatweel */
	{ 0x1100, 0x11ff },	/* old Hangul jamo */
	{ 0x17b4, 0x17b5 },	/* ignorable: Khmer inherent vowels */
	{ 0x302e, 0x302f },	/* exception: Hangul tone marks */
	{ 0x3031, 0x3035 },	/* exception: Japanese repeat marks */
	{ 0x303b, 0x303b },	/* exception: the same */
	{ 0x30fb, 0x30fb }	/* CONTEXTO: katakana middle dot */
};

static bool
is_not_opaque(uint32_t c)
{
	for (size_t i = 0; i < sizeof(not_opaque) / sizeof(not_opaque[0]); i++)
		if (c >= not_opaque[i].first && c <= not_opaque[i].last)
			return true;
	return false;
}

static bool
is_control(uint8_t c)
{
	return c < ' ' || c == 0x7f;
}

static int
refuse(const char **why, int rc, const char *sentence)
{
	*why = sentence;
	return rc;
}

static bool
is_utf8(struct span text)
{
	uint32_t c;

	while (text.n > 0)
		if (utf8_take(&text, &c) != 0)
			return false;
	return true;
}

static int
check_opaque(struct span password, const char **why)
{
	bool arabic = false, eastern_arabic = false;
	uint32_t c;

	while (password.n > 0 && utf8_take(&password, &c) == 0) {
		if (is_not_opaque(c))
			return refuse(why, -ERR_CHARACTER,
			    "The password contains a character that the "
			    "rules for SIP passwords (RFC 8265) do not "
			    "allow.");
		arabic = arabic || (c >= 0x660 && c <= 0x669);
		eastern_arabic = eastern_arabic || (c >= 0x6f0 && c <= 0x6f9);
	}
	if (arabic && eastern_arabic)
		return refuse(why, -ERR_CHARACTER,
		    "The password mixes two kinds of Arabic digits.");
	return 0;
}

/*
 * P == SASLprep(P) implies that P is in NFKC, and what is in NFKC is in NFC
 * (UAX 15): composing is then no change, and neither is OpaqueString's
 * mapping of spaces, since SASLprep leaves no space but U+0020.
 */
static int
check_non_ascii(struct span password, const char **why)
{
	struct secret prepared;
	int rc;

	if (!is_utf8(password))
		return refuse(why, -ERR_FORMAT,
		    "The password is not valid UTF-8.");
	rc = saslprep(password, SASLPREP_STORED, &prepared);
	if (rc == -ERR_NOMEM)
		return refuse(why, rc, "Out of memory.");
	/* -ERR_FORMAT: nothing is left of it; the sentence below fits. */
	if (rc != 0 && rc != -ERR_FORMAT)
		return refuse(why, rc, "The password contains a character "
		    "that XMPP passwords (SASLprep, RFC 4013) cannot contain "
		    "or cannot contain in this order.");
	if (!secret_equal_span(password, secret_span(&prepared)))
		rc = refuse(why, -ERR_CHARACTER, "The password contains a "
		    "character that XMPP programs replace by another one "
		    "(SASLprep, RFC 4013) and SIP programs do not, so it "
		    "would open one side only.");
	secret_free(&prepared);
	return rc != 0 ? rc : check_opaque(password, why);
}

int
password_check_new(struct span password, bool non_ascii, const char **why)
{
	bool ascii = true;

	*why = NULL;
	if (password.n == 0)
		return refuse(why, -ERR_FORMAT, "The password is empty.");
	if (password.n < PASSWORD_NEW_MIN)
		return refuse(why, -ERR_RANGE, "The password is too short: "
		    "at least 8 characters (octets) are needed.");
	if (password.n > PASSWORD_NEW_MAX)
		return refuse(why, -ERR_TOO_LONG, "The password is too long: "
		    "RADIUS carries at most 128 octets.");
	for (size_t i = 0; i < password.n; i++) {
		if (is_control(password.p[i]))
			return refuse(why, -ERR_CHARACTER, "The password "
			    "contains a control character.");
		ascii = ascii && password.p[i] < 0x80;
	}
	if (password.p[0] == ' ' || password.p[password.n - 1] == ' ')
		return refuse(why, -ERR_CHARACTER, "The password begins or "
		    "ends with a blank, which many programs cut off.");
	if (ascii)
		return 0;
	if (!non_ascii)
		return refuse(why, -ERR_CHARACTER, "The password contains a "
		    "character that is not ASCII; SIP programs do not agree "
		    "on how to send it.");
	return check_non_ascii(password, why);
}
