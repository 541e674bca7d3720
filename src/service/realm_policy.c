/*
 * The store's packed answer about a realm. It comes from the schema's own
 * function, which checks what it packs; a newer schema may know more
 * algorithms than we do, and must not make us offer less than one.
 */

#include "service/realm_policy.h"

#include <string.h>

#include "core/err.h"

enum field {
	FIELD_REALM = 0,
	FIELD_DOMAIN,
	FIELD_ALGORITHMS,
	FIELD_IDENTITY,
	FIELD_URIS,
	FIELD_COUNT
};

/* The words of a rule, in the order of enum identity_check. */
static const char *const rules[] = { "domain", "strict", "off" };

/* Takes what stands before the next separator, which goes too. */
static struct span
take(struct span *rest, uint8_t separator)
{
	size_t n = span_find(*rest, separator);
	struct span word = span_head(*rest, n);

	*rest = span_tail(*rest, n + 1);
	return word;
}

static void
read_algorithms(struct span list, struct realm_policy *out)
{
	while (list.n > 0) {
		struct span word = take(&list, ' ');
		enum digest_alg alg;
		bool sess, known = false;

		if (word.n == 0 || digest_alg_parse(word, &alg, &sess) != 0 ||
		    sess)
			continue;
		for (size_t i = 0; i < out->alg_count; i++)
			known = known || out->algs[i] == alg;
		if (!known && out->alg_count < DIGEST_ALG_COUNT)
			out->algs[out->alg_count++] = alg;
	}
}

/* NB: it will stand between quotes. */
static bool
uri_is_safe(struct span uri)
{
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= ' ' || uri.p[i] >= 0x7f || uri.p[i] == '"' ||
		    uri.p[i] == '\\')
			return false;
	return uri.n > 0;
}

static void
read_uris(struct span list, struct realm_policy *out)
{
	size_t n = 0;

	while (list.n > 0) {
		struct span uri = take(&list, ' ');

		if (!uri_is_safe(uri) ||
		    uri.n + 1 > sizeof(out->domain_parameter) - 1 - n)
			continue;
		if (n > 0)
			out->domain_parameter[n++] = ' ';
		memcpy(out->domain_parameter + n, uri.p, uri.n);
		n += uri.n;
	}
	out->domain_parameter[n] = '\0';
}

static bool
read_rule(struct span word, struct realm_policy *out)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (span_equal(word, span_str(rules[i]))) {
			out->identity = (enum identity_check)i;
			return true;
		}
	return false;
}

int
realm_policy_parse(struct span answer, struct realm_policy *out)
{
	struct span fields[FIELD_COUNT];
	size_t tabs = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < answer.n; i++)
		tabs += answer.p[i] == '\t';
	if (tabs != FIELD_COUNT - 1)
		return -ERR_FORMAT;
	for (size_t i = 0; i < FIELD_COUNT; i++)
		fields[i] = take(&answer, '\t');
	read_algorithms(fields[FIELD_ALGORITHMS], out);
	read_uris(fields[FIELD_URIS], out);
	if (identity_check_realm(fields[FIELD_REALM]) == 0 &&
	    identity_check_domain(fields[FIELD_DOMAIN]) == 0 &&
	    span_copy_str(fields[FIELD_REALM], out->realm,
	    sizeof(out->realm)) == 0 &&
	    span_copy_str(fields[FIELD_DOMAIN], out->domain,
	    sizeof(out->domain)) == 0 &&
	    read_rule(fields[FIELD_IDENTITY], out) && out->alg_count > 0)
		return 0;
	memset(out, 0, sizeof(*out));
	return -ERR_FORMAT;
}
