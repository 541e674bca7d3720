-- Reading: the one lookup of the daemon and the one of the plugin. Both are
-- limited to the domains that consumer gives to session_user (superusers and
-- onecred_admin see all; current_user is onecred_admin in here). Those roles
-- can read no table, so that a hole in a server process does not dump the
-- accounts.

-- For each name one text, in the order asked: the fields of enum lookup_column
-- (src/store/lookup_sql.h) separated by tabs, NULL as nothing; the text itself
-- is NULL if domain or realm is unknown or not for session_user. The arrays
-- run in parallel. A domain that is NULL: the realm decides. A realm that is
-- NULL: the home realm. Many at once, because entering a function that is
-- limited costs the server as much as two lookups in it; one text, because
-- each of 23 described columns would cost 0.25 us more.
-- NB: plans are for index scans whatever the tables looked like when they
-- were made, and made once: planning anew would cost ten lookups.
CREATE OR REPLACE FUNCTION onecred.daemon_lookup(p_domains text[],
    p_localparts text[], p_realms text[])
RETURNS SETOF text LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT CASE WHEN l.key IS NOT NULL AND q.localpart IS NOT NULL THEN
        array_to_string(ARRAY[l.head,
            CASE WHEN h.here THEN l.home ELSE f.realm END,
            CASE WHEN c.version IS NULL THEN 'f' ELSE 't' END,
            CASE c.enabled WHEN true THEN 't' WHEN false THEN 'f' END,
            c.version::text, c.ha1_origin, c.scram_sha_1, c.scram_sha_256,
            c.scram_sha_512,
            CASE WHEN h.here THEN array_to_string(ARRAY[c.ha1_md5,
                c.ha1_sha_256, c.ha1_sha_512_256, c.ha1b_md5, c.ha1b_sha_256,
                c.ha1b_sha_512_256], E'\t', '')
            ELSE array_to_string(ARRAY[f.ha1_md5, f.ha1_sha_256,
                f.ha1_sha_512_256, f.ha1b_md5, f.ha1b_sha_256,
                f.ha1b_sha_512_256], E'\t', '') END,
            l.fakes[(get_byte(k.key, 32) & 15) + 1],
            encode(substr(k.key, 33), 'hex'),
            encode(substr(k.key, 1, 32), 'hex')], E'\t', '') END
    FROM (SELECT u.n, u.localpart, lower(u.realm COLLATE "C") AS folded,
            CASE WHEN u.domain IS NULL
                THEN 'r/' || lower(u.realm COLLATE "C")
                ELSE 'd/' || u.domain END AS key
        FROM unnest(p_domains, p_localparts, p_realms) WITH ORDINALITY
            AS u (domain, localpart, realm, n) OFFSET 0) AS q
    LEFT JOIN onecred.lookup_policy l ON l.key = q.key
        AND (session_user = ANY (l.readers)
            OR pg_has_role(session_user, 'onecred_admin', 'MEMBER'))
    LEFT JOIN onecred.credential c
        ON c.domain = l.domain AND c.localpart = q.localpart
    CROSS JOIN LATERAL (SELECT q.folded IS NULL
            OR q.folded = lower(l.home COLLATE "C") AS here OFFSET 0) AS h
    -- A further realm, or none of this domain's: then without digests. (OFFSET
    -- keeps it a subquery, which is not entered for the home realm.)
    LEFT JOIN LATERAL (SELECT r.realm, x.ha1_md5, x.ha1_sha_256,
            x.ha1_sha_512_256, x.ha1b_md5, x.ha1b_sha_256, x.ha1b_sha_512_256
        FROM onecred.realm r
        LEFT JOIN onecred.credential_realm x ON x.domain = c.domain
            AND x.localpart = c.localpart AND x.realm = r.realm
        WHERE NOT h.here AND lower(r.realm) = q.folded
            AND r.domain = l.domain OFFSET 0) AS f ON true
    CROSS JOIN LATERAL (SELECT onecred.keyed(l.secret, l.domain, q.localpart)
            AS key OFFSET 0) AS k
    ORDER BY q.n;
END
$$;

-- What the Cyrus plugin may learn of one account: the one verifier of the
-- mechanism it runs (a SCRAM text; for DIGEST-MD5 the HA1, only where the
-- domain serves it and only if it stands for the account's password), and
-- what a fake is made of. Packed like the answer above: domain, digests,
-- stores, digest_md5, iterations, home realm, found, enabled, verifier, fake
-- iterations, fake salt octets, seed. NULL: domain unknown or not for
-- session_user.
CREATE OR REPLACE FUNCTION onecred.lookup(p_domain text, p_localpart text,
    p_mechanism text)
RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name_key bytea;
    fakes text[];
    answer text;
BEGIN
    IF p_mechanism IS NULL OR p_mechanism NOT IN ('SCRAM-SHA-1',
        'SCRAM-SHA-256', 'SCRAM-SHA-512', 'DIGEST-MD5') THEN
        PERFORM onecred.refuse('OC004', 'there is no such mechanism');
    END IF;
    SELECT l.secret, l.fakes, l.head || E'\t' || l.home || CASE
        WHEN c.version IS NULL THEN E'\tf\tf\t'
        WHEN NOT c.enabled THEN E'\tt\tf\t'
        ELSE E'\tt\tt\t' || coalesce(CASE p_mechanism
            WHEN 'SCRAM-SHA-1' THEN c.scram_sha_1
            WHEN 'SCRAM-SHA-256' THEN c.scram_sha_256
            WHEN 'SCRAM-SHA-512' THEN c.scram_sha_512
            ELSE CASE WHEN l.digest_md5 AND c.ha1_origin = 'same'
                THEN c.ha1_md5 END
            END, '') END
    INTO name_key, fakes, answer
    FROM onecred.lookup_policy l
    LEFT JOIN onecred.credential c
        ON c.domain = l.domain AND c.localpart = p_localpart
    WHERE l.key = 'd/' || p_domain AND (session_user = ANY (l.readers)
        OR pg_has_role(session_user, 'onecred_admin', 'MEMBER'));
    IF answer IS NULL OR p_localpart IS NULL THEN
        RETURN NULL;
    END IF;
    name_key := onecred.keyed(name_key, p_domain, p_localpart);
    RETURN answer || E'\t' || fakes[(get_byte(name_key, 32) & 15) + 1]
        || E'\t' || encode(substr(name_key, 33), 'hex');
END
$$;

-- The range that programs compare with their own at each connect.
CREATE OR REPLACE FUNCTION onecred.schema_range()
RETURNS TABLE (version integer, serves_programs_since integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT version, serves_programs_since FROM onecred.schema_version
$$;
