#ifndef ONECRED_LOOKUP_SQL_H
#define ONECRED_LOOKUP_SQL_H

#include <stdbool.h>

#include "core/span.h"

/*
 * The daemon's question: $1 domain (NULL: the realm decides), $2 localpart,
 * $3 realm (NULL: the home realm). One row with one text column: NULL if the
 * domain (or the realm, where it decides) is unknown or not visible to this
 * role, otherwise the fields below packed, which lookup_split() takes apart.
 * Schema: sql/schema.sql; the programs' schema range is checked at connect:
 * SELECT version, serves_programs_since FROM onecred.schema_version.
 */
#define LOOKUP_NAME	"onecred_lookup"
extern const char lookup_sql[];

/*
 * The same for many names: arrays that run in parallel, and one row for each
 * name in that order.
 */
#define LOOKUP_MANY_NAME	"onecred_lookups"
extern const char lookup_many_sql[];

/* Fields of the packed answer, in order. An empty field is NULL. */
enum lookup_column {
	LOOKUP_DOMAIN = 0,
	LOOKUP_DIGESTS,			/* plain, sealed, none */
	LOOKUP_STORES,			/* bit 1 MD5, 2 SHA-256, 4 SHA-512-256 */
	LOOKUP_DIGEST_MD5,		/* t, f */
	LOOKUP_ITERATIONS,
	LOOKUP_REALM,			/* NULL: no such realm of the domain */
	LOOKUP_FOUND,			/* t if the account's row exists, or f */
	LOOKUP_ENABLED,			/* t, f; NULL if not found */
	LOOKUP_VERSION,
	LOOKUP_HA1_ORIGIN,
	LOOKUP_SCRAM_SHA_1,
	LOOKUP_SCRAM_SHA_256,
	LOOKUP_SCRAM_SHA_512,
	LOOKUP_HA1_MD5,
	LOOKUP_HA1_SHA_256,
	LOOKUP_HA1_SHA_512_256,
	LOOKUP_HA1B_MD5,
	LOOKUP_HA1B_SHA_256,
	LOOKUP_HA1B_SHA_512_256,
	LOOKUP_FAKE_ITERATIONS,
	LOOKUP_FAKE_SALT_N,
	LOOKUP_SEED,			/* 64 hex digits */
	LOOKUP_NAME_KEY,		/* hex: as in NOTIFY onecred */
	LOOKUP_FIELDS
};

/*
 * Takes the packed answer apart into LOOKUP_FIELDS views of it (n = 0: NULL).
 * False if it does not have exactly that many fields.
 */
bool	lookup_split(struct span packed, struct span *fields)
	    __attribute__((warn_unused_result));

/* Range of schema versions these programs work with. */
#define SCHEMA_MIN	1
#define SCHEMA_MAX	1

#endif
