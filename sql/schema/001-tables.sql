-- Migration 1: the tables (DESIGN 3). Run once, by schema.sql, as the role
-- onecred_admin. What can be replaced at every upgrade (functions, triggers,
-- grants) stands in the other parts, never here. A later change of a table is
-- a new numbered part; this one stays as it is.

CREATE SEQUENCE onecred.version_seq;

CREATE TABLE onecred.schema_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL,
    serves_programs_since integer NOT NULL,
    CHECK (serves_programs_since BETWEEN 1 AND version)
);

-- Hides names in notifications and makes the fakes of accounts that do not
-- exist (keys.sql). gen_random_uuid() draws 122 bits each time from the
-- server's strong source, so sha256 of four is a full 32 octets.
CREATE TABLE onecred.secret (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);
INSERT INTO onecred.secret (key)
SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
           || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

CREATE TABLE onecred.domain (
    domain text COLLATE "C" PRIMARY KEY
        CONSTRAINT domain_name CHECK (onecred.domain_ok(domain)),
    iterations integer NOT NULL DEFAULT 10000
        CONSTRAINT domain_iterations CHECK (iterations BETWEEN 4096 AND 65536),
    store_md5 boolean NOT NULL DEFAULT true,
    store_sha_256 boolean NOT NULL DEFAULT true,
    store_sha_512_256 boolean NOT NULL DEFAULT true,
    digests text NOT NULL DEFAULT 'plain'
        CONSTRAINT domain_digests
        CHECK (digests IN ('plain', 'sealed', 'none')),
    digest_md5 boolean NOT NULL DEFAULT false,
    localpart_rule text NOT NULL DEFAULT 'strict'
        CONSTRAINT domain_localpart_rule
        CHECK (localpart_rule IN ('strict', 'wide')),
    non_ascii boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT nextval('onecred.version_seq'),
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- Every realm string; each domain has exactly one home realm, whose HA1s
-- stand in credential itself.
CREATE TABLE onecred.realm (
    realm text COLLATE "C" PRIMARY KEY
        CONSTRAINT realm_name CHECK (onecred.realm_ok(realm)),
    domain text COLLATE "C" NOT NULL
        REFERENCES onecred.domain ON DELETE CASCADE,
    home boolean NOT NULL DEFAULT false,
    algorithms text[] NOT NULL DEFAULT '{MD5}'
        CONSTRAINT realm_algorithms
        CHECK (onecred.algorithms_ok(algorithms)),
    domain_parameter text[] NOT NULL DEFAULT '{}'
        CONSTRAINT realm_domain_parameter
        CHECK (onecred.domain_parameter_ok(domain_parameter)),
    identity text NOT NULL DEFAULT 'domain'
        CONSTRAINT realm_identity
        CHECK (identity IN ('domain', 'strict', 'off')),
    version bigint NOT NULL DEFAULT nextval('onecred.version_seq'),
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (domain, realm)
);
CREATE UNIQUE INDEX realm_folded ON onecred.realm (lower(realm));
CREATE UNIQUE INDEX realm_home ON onecred.realm (domain) WHERE home;

-- The one credential table. NULL: the account cannot use that mechanism.
CREATE TABLE onecred.credential (
    domain text COLLATE "C" NOT NULL REFERENCES onecred.domain,
    localpart text COLLATE "C" NOT NULL
        CONSTRAINT credential_localpart
        CHECK (onecred.localpart_ok(localpart, 'wide')),
    enabled boolean NOT NULL DEFAULT true,
    ha1_origin text NOT NULL DEFAULT 'same'
        CONSTRAINT credential_ha1_origin
        CHECK (ha1_origin IN ('same', 'unproved', 'separate')),
    version bigint NOT NULL,
    scram_sha_1 text COLLATE "C" CONSTRAINT credential_scram_sha_1
        CHECK (onecred.scram_ok(scram_sha_1, 'SCRAM-SHA-1')),
    scram_sha_256 text COLLATE "C" CONSTRAINT credential_scram_sha_256
        CHECK (onecred.scram_ok(scram_sha_256, 'SCRAM-SHA-256')),
    scram_sha_512 text COLLATE "C" CONSTRAINT credential_scram_sha_512
        CHECK (onecred.scram_ok(scram_sha_512, 'SCRAM-SHA-512')),
    ha1_md5 text COLLATE "C" CONSTRAINT credential_ha1_md5
        CHECK (onecred.ha1_ok(ha1_md5, 16)),
    ha1_sha_256 text COLLATE "C" CONSTRAINT credential_ha1_sha_256
        CHECK (onecred.ha1_ok(ha1_sha_256, 32)),
    ha1_sha_512_256 text COLLATE "C" CONSTRAINT credential_ha1_sha_512_256
        CHECK (onecred.ha1_ok(ha1_sha_512_256, 32)),
    ha1b_md5 text COLLATE "C" CONSTRAINT credential_ha1b_md5
        CHECK (onecred.ha1_ok(ha1b_md5, 16)),
    ha1b_sha_256 text COLLATE "C" CONSTRAINT credential_ha1b_sha_256
        CHECK (onecred.ha1_ok(ha1b_sha_256, 32)),
    ha1b_sha_512_256 text COLLATE "C" CONSTRAINT credential_ha1b_sha_512_256
        CHECK (onecred.ha1_ok(ha1b_sha_512_256, 32)),
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (domain, localpart),
    CONSTRAINT credential_length
        CHECK (octet_length(localpart) + 1 + octet_length(domain) <= 253)
);

-- HA1s for realms beyond the home realm.
CREATE TABLE onecred.credential_realm (
    domain text COLLATE "C" NOT NULL,
    localpart text COLLATE "C" NOT NULL,
    realm text COLLATE "C" NOT NULL,
    ha1_md5 text COLLATE "C" CONSTRAINT credential_realm_ha1_md5
        CHECK (onecred.ha1_ok(ha1_md5, 16)),
    ha1_sha_256 text COLLATE "C" CONSTRAINT credential_realm_ha1_sha_256
        CHECK (onecred.ha1_ok(ha1_sha_256, 32)),
    ha1_sha_512_256 text COLLATE "C"
        CONSTRAINT credential_realm_ha1_sha_512_256
        CHECK (onecred.ha1_ok(ha1_sha_512_256, 32)),
    ha1b_md5 text COLLATE "C" CONSTRAINT credential_realm_ha1b_md5
        CHECK (onecred.ha1_ok(ha1b_md5, 16)),
    ha1b_sha_256 text COLLATE "C" CONSTRAINT credential_realm_ha1b_sha_256
        CHECK (onecred.ha1_ok(ha1b_sha_256, 32)),
    ha1b_sha_512_256 text COLLATE "C"
        CONSTRAINT credential_realm_ha1b_sha_512_256
        CHECK (onecred.ha1_ok(ha1b_sha_512_256, 32)),
    PRIMARY KEY (domain, localpart, realm),
    FOREIGN KEY (domain, localpart) REFERENCES onecred.credential
        ON DELETE CASCADE,
    FOREIGN KEY (domain, realm) REFERENCES onecred.realm (domain, realm)
);
CREATE INDEX credential_realm_realm ON onecred.credential_realm (realm);

-- Which login role may see which domain; '*' is every domain.
CREATE TABLE onecred.consumer (
    role name NOT NULL,
    domain text COLLATE "C" NOT NULL
        CONSTRAINT consumer_domain
        CHECK (domain = '*' OR onecred.domain_ok(domain)),
    PRIMARY KEY (role, domain)
);

-- What a fake shows: a name draws one of sixteen slots, which follow the
-- iterations and salt lengths found among the domain's accounts.
CREATE TABLE onecred.fake_profile (
    domain text COLLATE "C" NOT NULL
        REFERENCES onecred.domain ON DELETE CASCADE,
    slot smallint NOT NULL
        CONSTRAINT fake_profile_slot CHECK (slot BETWEEN 0 AND 15),
    iterations integer NOT NULL
        CONSTRAINT fake_profile_iterations
        CHECK (iterations BETWEEN 4096 AND 65536),
    salt_octets smallint NOT NULL
        CONSTRAINT fake_profile_salt CHECK (salt_octets BETWEEN 1 AND 64),
    PRIMARY KEY (domain, slot)
);

-- Further SIP identities of an account: tel:, sip: and number URIs.
CREATE TABLE onecred.alias (
    domain text COLLATE "C" NOT NULL,
    localpart text COLLATE "C" NOT NULL,
    uri text COLLATE "C" NOT NULL
        CONSTRAINT alias_uri CHECK (onecred.alias_ok(uri)),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (domain, localpart, uri),
    FOREIGN KEY (domain, localpart) REFERENCES onecred.credential
        ON DELETE CASCADE
);
CREATE INDEX alias_by_uri ON onecred.alias (uri);

-- All that a lookup needs to know about a domain, in one row: a lookup is then
-- two index scans, whatever it asks for. Made from domain, realm, consumer,
-- fake_profile and secret by lookup_policy_refresh(), never by hand. key is
-- 'd/' and the domain, or 'r/' and a realm in lower case; head and fakes are
-- ready-made parts of the answer of daemon_lookup().
CREATE TABLE onecred.lookup_policy (
    key text COLLATE "C" PRIMARY KEY,
    domain text COLLATE "C" NOT NULL
        REFERENCES onecred.domain ON DELETE CASCADE,
    home text COLLATE "C" NOT NULL,
    digest_md5 boolean NOT NULL,
    iterations integer NOT NULL,
    readers name[] NOT NULL,
    secret bytea NOT NULL,
    head text NOT NULL,
    fakes text[] NOT NULL
);
CREATE INDEX lookup_policy_domain ON onecred.lookup_policy (domain);
