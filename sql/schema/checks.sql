-- Grammars of the columns. Every one is IMMUTABLE, total (false for what it
-- does not like, true for NULL as CHECK has it) and names no value in an
-- error: they run over verifiers. Replaced at every run of schema.sql.

-- Lower-case A-labels (STANDARDS 4.2); at most 253 octets.
CREATE OR REPLACE FUNCTION onecred.domain_ok(p_domain text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT octet_length(p_domain) <= 253 AND (p_domain COLLATE "C") ~
        '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
$$;

CREATE OR REPLACE FUNCTION onecred.localpart_ok(p_localpart text, p_rule text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_localpart IS NULL OR
        (octet_length(p_localpart) BETWEEN 1 AND 64
        AND p_localpart <> 'anonymous'
        AND (p_localpart COLLATE "C") ~ CASE p_rule
            WHEN 'wide' THEN '^[a-z0-9!~*()+=$,][a-z0-9._!~*()+=$,-]*$'
            ELSE '^[a-z0-9][a-z0-9._-]*$' END)
$$;

-- No control characters, and none of " \ : (quoting and HA1 concatenation).
CREATE OR REPLACE FUNCTION onecred.realm_ok(p_realm text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT octet_length(p_realm) BETWEEN 1 AND 253
        AND (p_realm COLLATE "C") !~ '[\x01-\x1f\x7f\u0080-\u009f":\\]'
$$;

CREATE OR REPLACE FUNCTION onecred.algorithms_ok(p_algorithms text[])
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(cardinality(p_algorithms) BETWEEN 1 AND 3
        AND p_algorithms <@ ARRAY['MD5', 'SHA-256', 'SHA-512-256']
        AND cardinality(p_algorithms)
            = (SELECT count(DISTINCT a) FROM unnest(p_algorithms) AS a), false)
$$;

-- URIs of a challenge's domain parameter: no blanks, quotes or controls.
CREATE OR REPLACE FUNCTION onecred.domain_parameter_ok(p_uris text[])
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT cardinality(p_uris) <= 16
        AND NOT EXISTS (SELECT FROM unnest(p_uris) AS u WHERE u IS NULL
            OR octet_length(u) > 253
            OR (u COLLATE "C") !~ '^[a-z][a-z0-9+.-]*:[!#-\[\]-~]+$')
$$;

CREATE OR REPLACE FUNCTION onecred.alias_ok(p_uri text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT octet_length(p_uri) <= 253 AND (p_uri COLLATE "C") ~
        '^([a-z][a-z0-9+.-]*:[!#-;=?-\[\]-~]+|[+]?[0-9*#]+)$'
$$;

-- RFC 5803 text with canonical base64 (RFC 4648 3.5), keys of the exact
-- length, a salt of 1..64 octets, iterations 4096..65536. The expression only
-- asks for characters and lengths, which a regular expression does fast; its
-- own counted repetitions are a hundred times slower.
CREATE OR REPLACE FUNCTION onecred.scram_ok(p_text text, p_mechanism text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_text IS NULL OR (octet_length(p_text) <= 511
        AND (p_text COLLATE "C") ~ CASE p_mechanism
            WHEN 'SCRAM-SHA-1' THEN '^SCRAM-SHA-1\$(?:409[6-9]|4[1-9][0-9][0-9]|[5-9][0-9][0-9][0-9]|[1-5][0-9][0-9][0-9][0-9]|6[0-4][0-9][0-9][0-9]|65[0-4][0-9][0-9]|655[0-2][0-9]|6553[0-6]):[A-Za-z0-9+/]+(?:[AEIMQUYcgkosw048]=|[AQgw]==)?\$[A-Za-z0-9+/]+[AEIMQUYcgkosw048]=:[A-Za-z0-9+/]+[AEIMQUYcgkosw048]=$'
            WHEN 'SCRAM-SHA-256' THEN '^SCRAM-SHA-256\$(?:409[6-9]|4[1-9][0-9][0-9]|[5-9][0-9][0-9][0-9]|[1-5][0-9][0-9][0-9][0-9]|6[0-4][0-9][0-9][0-9]|65[0-4][0-9][0-9]|655[0-2][0-9]|6553[0-6]):[A-Za-z0-9+/]+(?:[AEIMQUYcgkosw048]=|[AQgw]==)?\$[A-Za-z0-9+/]+[AEIMQUYcgkosw048]=:[A-Za-z0-9+/]+[AEIMQUYcgkosw048]=$'
            WHEN 'SCRAM-SHA-512' THEN '^SCRAM-SHA-512\$(?:409[6-9]|4[1-9][0-9][0-9]|[5-9][0-9][0-9][0-9]|[1-5][0-9][0-9][0-9][0-9]|6[0-4][0-9][0-9][0-9]|65[0-4][0-9][0-9]|655[0-2][0-9]|6553[0-6]):[A-Za-z0-9+/]+(?:[AEIMQUYcgkosw048]=|[AQgw]==)?\$[A-Za-z0-9+/]+[AQgw]==:[A-Za-z0-9+/]+[AQgw]==$'
            ELSE 'no such mechanism' END
        AND octet_length(rtrim(split_part(split_part(p_text, '$', 2), ':', 2),
            '=')) BETWEEN 2 AND 86
        AND octet_length(split_part(split_part(p_text, '$', 2), ':', 2)) % 4 = 0
        AND octet_length(split_part(split_part(p_text, '$', 3), ':', 1))
            = CASE p_mechanism WHEN 'SCRAM-SHA-1' THEN 28
                WHEN 'SCRAM-SHA-256' THEN 44 ELSE 88 END
        AND octet_length(split_part(split_part(p_text, '$', 3), ':', 2))
            = CASE p_mechanism WHEN 'SCRAM-SHA-1' THEN 28
                WHEN 'SCRAM-SHA-256' THEN 44 ELSE 88 END)
$$;

-- Lower-case hex of p_octets octets, or a sealed value of as many (DESIGN 8:
-- nonce 12, ciphertext, tag 16, as base64).
CREATE OR REPLACE FUNCTION onecred.ha1_ok(p_text text, p_octets integer)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_text IS NULL OR CASE
        WHEN octet_length(p_text) = 2 * p_octets
        THEN (p_text COLLATE "C") ~ '^[0-9a-f]+$'
        ELSE octet_length(p_text) <= 160
            AND (p_text COLLATE "C") ~ '^sealed:1:[A-Za-z0-9_-]+:(?:[A-Za-z0-9+/]+|[A-Za-z0-9+/]+[AEIMQUYcgkosw048]=)$'
            AND octet_length(split_part(p_text, ':', 3)) BETWEEN 1 AND 16
            AND octet_length(rtrim(split_part(p_text, ':', 4), '='))
                = CASE p_octets WHEN 16 THEN 59 WHEN 32 THEN 80 END
            AND octet_length(split_part(p_text, ':', 4)) % 4 = 0 END
$$;
