#ifndef ONECRED_LOOKUP_SQL_H
#define ONECRED_LOOKUP_SQL_H

/*
 * The one query of the daemon. $1 domain or NULL (then the realm decides), $2
 * localpart, $3 realm or NULL (then the home realm). No row: domain or realm
 * unknown, or not visible to this role. All columns are text but the last.
 * Schema: sql/schema.sql; the programs' schema range is checked at connect.
 */
#define LOOKUP_NAME	"onecred_lookup"
extern const char lookup_sql[];

/* Columns of the result, in order. */
enum lookup_column {
	LOOKUP_DOMAIN = 0,
	LOOKUP_DIGESTS,			/* plain, sealed, none */
	LOOKUP_STORES,			/* bit 1 MD5, 2 SHA-256, 4 SHA-512-256 */
	LOOKUP_DIGEST_MD5,		/* t, f */
	LOOKUP_ITERATIONS,
	LOOKUP_REALM,			/* NULL: no such realm of the domain */
	LOOKUP_FOUND,			/* t if the account's row exists */
	LOOKUP_ENABLED,
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
	LOOKUP_COLUMNS
};

/* Range of schema versions these programs work with. */
#define SCHEMA_MIN	1
#define SCHEMA_MAX	1

#endif
