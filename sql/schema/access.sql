-- Reading: the one lookup of the daemon and the one of the plugin. Both are
-- limited to the domains that consumer gives to session_user (superusers and
-- onecred_admin see all; current_user is onecred_admin in here). Those roles
-- can read no table, so that a hole in a server process does not dump the
-- accounts.

-- The fields of enum lookup_column (src/store/lookup_sql.h) in one text,
-- separated by tabs, NULL as nothing; NULL if domain or realm is unknown or
-- not for session_user. p_domain NULL: the realm decides. p_realm NULL: the
-- home realm. One text, because describing and sending 23 columns costs the
-- server more than finding them.
CREATE OR REPLACE FUNCTION onecred.daemon_lookup(p_domain text,
    p_localpart text, p_realm text)
RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded text := lower(p_realm COLLATE "C");
    policy_key text := CASE WHEN p_domain IS NULL
        THEN 'r/' || folded ELSE 'd/' || p_domain END;
    the_domain text;
    the_home text;
    name_key bytea;
    fakes text[];
    answer text;
BEGIN
    SELECT l.domain, l.home, l.secret, l.fakes,
        array_to_string(ARRAY[l.head, l.home,
            CASE WHEN c.version IS NULL THEN 'f' ELSE 't' END,
            CASE c.enabled WHEN true THEN 't' WHEN false THEN 'f' END,
            c.version::text, c.ha1_origin, c.scram_sha_1, c.scram_sha_256,
            c.scram_sha_512, c.ha1_md5, c.ha1_sha_256, c.ha1_sha_512_256,
            c.ha1b_md5, c.ha1b_sha_256, c.ha1b_sha_512_256], E'\t', '')
    INTO the_domain, the_home, name_key, fakes, answer
    FROM onecred.lookup_policy l
    LEFT JOIN onecred.credential c
        ON c.domain = l.domain AND c.localpart = p_localpart
    WHERE l.key = policy_key AND (session_user = ANY (l.readers)
        OR pg_has_role(session_user, 'onecred_admin', 'MEMBER'));
    IF answer IS NULL OR p_localpart IS NULL THEN
        RETURN NULL;
    END IF;
    IF folded <> lower(the_home COLLATE "C") THEN
        -- A further realm, or none of this domain's: then without digests.
        SELECT array_to_string(ARRAY[l.head, r.realm,
            CASE WHEN c.version IS NULL THEN 'f' ELSE 't' END,
            CASE c.enabled WHEN true THEN 't' WHEN false THEN 'f' END,
            c.version::text, c.ha1_origin, c.scram_sha_1, c.scram_sha_256,
            c.scram_sha_512, x.ha1_md5, x.ha1_sha_256, x.ha1_sha_512_256,
            x.ha1b_md5, x.ha1b_sha_256, x.ha1b_sha_512_256], E'\t', '')
        INTO answer
        FROM onecred.lookup_policy l
        LEFT JOIN onecred.realm r
            ON lower(r.realm) = folded AND r.domain = l.domain
        LEFT JOIN onecred.credential c
            ON c.domain = l.domain AND c.localpart = p_localpart
        LEFT JOIN onecred.credential_realm x ON x.domain = c.domain
            AND x.localpart = c.localpart AND x.realm = r.realm
        WHERE l.key = policy_key;
    END IF;
    name_key := onecred.keyed(name_key, the_domain, p_localpart);
    RETURN answer || E'\t' || fakes[(get_byte(name_key, 32) & 15) + 1]
        || E'\t' || encode(substr(name_key, 33), 'hex')
        || E'\t' || encode(substr(name_key, 1, 32), 'hex');
END
$$;

-- What the Cyrus plugin may learn of one account: the one verifier of the
-- mechanism it runs (a SCRAM text; for DIGEST-MD5 the HA1, only where the
-- domain serves it and only if it stands for the account's password), and
-- what a fake is made of. No row: domain unknown or not for session_user.
CREATE OR REPLACE FUNCTION onecred.lookup(p_domain text, p_localpart text,
    p_mechanism text)
RETURNS TABLE (found boolean, enabled boolean, version bigint, realm text,
    verifier text, iterations integer, fake_iterations integer,
    fake_salt integer, seed text)
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF p_mechanism IS NULL OR p_mechanism NOT IN ('SCRAM-SHA-1',
        'SCRAM-SHA-256', 'SCRAM-SHA-512', 'DIGEST-MD5') THEN
        RAISE EXCEPTION USING ERRCODE = 'OC004',
            MESSAGE = 'there is no such mechanism';
    END IF;
    RETURN QUERY
    SELECT c.version IS NOT NULL, coalesce(c.enabled, false), c.version,
        l.home, CASE WHEN c.enabled THEN CASE p_mechanism
            WHEN 'SCRAM-SHA-1' THEN c.scram_sha_1
            WHEN 'SCRAM-SHA-256' THEN c.scram_sha_256
            WHEN 'SCRAM-SHA-512' THEN c.scram_sha_512
            WHEN 'DIGEST-MD5' THEN CASE
                WHEN l.digest_md5 AND c.ha1_origin = 'same' THEN c.ha1_md5 END
            END END,
        l.iterations, split_part(k.fake, E'\t', 1)::integer,
        split_part(k.fake, E'\t', 2)::integer,
        encode(substr(k.key, 33), 'hex')
    FROM onecred.lookup_policy l
    CROSS JOIN LATERAL (SELECT n.key,
            l.fakes[(get_byte(n.key, 32) & 15) + 1] AS fake
        FROM (SELECT onecred.keyed(l.secret, l.domain, p_localpart) AS key
            OFFSET 0) AS n OFFSET 0) AS k
    LEFT JOIN onecred.credential c
        ON c.domain = l.domain AND c.localpart = p_localpart
    WHERE l.key = 'd/' || p_domain
        AND (session_user = ANY (l.readers)
            OR pg_has_role(session_user, 'onecred_admin', 'MEMBER'));
END
$$;

-- The range that programs compare with their own at each connect.
CREATE OR REPLACE FUNCTION onecred.schema_range()
RETURNS TABLE (version integer, serves_programs_since integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT version, serves_programs_since FROM onecred.schema_version
$$;
