-- Reading: the one lookup of the daemon and the one of the plugin. Both are
-- limited to the domains that consumer gives to session_user (superusers and
-- onecred_admin see all; current_user is onecred_admin in here). Those roles
-- can read no table, so that a hole in a server process does not dump the
-- accounts.

-- The fields of enum lookup_column (src/store/lookup_sql.h) in one text,
-- separated by tabs, NULL as nothing; NULL if domain or realm is unknown or
-- not for session_user. p_domain NULL: the realm decides. p_realm NULL: the
-- home realm. One text, because each of 23 described columns would cost the
-- server 0.25 us more.
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

-- The same for many names at once, one text for each in the order asked; the
-- arrays run in parallel. Entering a limited function costs the server more
-- than a lookup inside it, so this is what a busy daemon calls; for one name
-- alone its plan is the dearer one. test_schema.py holds the two together.
-- NB: the plan is for index scans whatever the tables looked like when it was
-- made, and made once: planning anew would cost ten lookups.
CREATE OR REPLACE FUNCTION onecred.daemon_lookups(p_domains text[],
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
            CASE WHEN coalesce(q.folded = lower(l.home COLLATE "C"), true)
                THEN l.home ELSE f.realm END,
            CASE WHEN c.version IS NULL THEN 'f' ELSE 't' END,
            CASE c.enabled WHEN true THEN 't' WHEN false THEN 'f' END,
            c.version::text, c.ha1_origin, c.scram_sha_1, c.scram_sha_256,
            c.scram_sha_512,
            CASE WHEN coalesce(q.folded = lower(l.home COLLATE "C"), true)
            THEN array_to_string(ARRAY[c.ha1_md5, c.ha1_sha_256,
                c.ha1_sha_512_256, c.ha1b_md5, c.ha1b_sha_256,
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
    -- A further realm, or none of this domain's: then without digests. (OFFSET
    -- keeps it a subquery, which is not entered for the home realm.)
    LEFT JOIN LATERAL (SELECT r.realm, x.ha1_md5, x.ha1_sha_256,
            x.ha1_sha_512_256, x.ha1b_md5, x.ha1b_sha_256, x.ha1b_sha_512_256
        FROM onecred.realm r
        LEFT JOIN onecred.credential_realm x ON x.domain = c.domain
            AND x.localpart = c.localpart AND x.realm = r.realm
        WHERE q.folded <> lower(l.home COLLATE "C")
            AND lower(r.realm) = q.folded AND r.domain = l.domain
        OFFSET 0) AS f ON true
    CROSS JOIN LATERAL (SELECT onecred.keyed(l.secret, l.domain, q.localpart)
            AS key OFFSET 0) AS k
    ORDER BY q.n;
END
$$;

-- What a realm's challenges are made of, packed with tabs: realm, domain,
-- algorithms in the order offered, identity rule, URIs of the domain parameter
-- (lists with blanks between). NULL: unknown, or not for session_user.
CREATE OR REPLACE FUNCTION onecred.daemon_realm(p_realm text)
RETURNS text LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_to_string(ARRAY[r.realm, r.domain,
        array_to_string(r.algorithms, ' '), r.identity,
        array_to_string(r.domain_parameter, ' ')], E'\t', '')
    FROM onecred.realm r
    JOIN onecred.lookup_policy l
        ON l.key = 'r/' || lower(p_realm COLLATE "C")
    WHERE lower(r.realm) = lower(p_realm COLLATE "C")
        AND (session_user = ANY (l.readers)
            OR pg_has_role(session_user, 'onecred_admin', 'MEMBER'))
$$;

-- Whose a SIP URI is, seen from an account: 'alias' (one of its aliases),
-- 'account' (another account, or another account's alias), 'none'. p_user and
-- p_host are the URI's, unescaped and in lower case; p_host NULL: tel:. A
-- number is the same whether it comes as tel:, at the account's own domain,
-- or bare. NULL: the account's domain is not for session_user.
CREATE OR REPLACE FUNCTION onecred.daemon_owner(p_domain text,
    p_localpart text, p_user text, p_host text)
RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number boolean := coalesce(p_user COLLATE "C" ~ '^[+]?[0-9*#]+$', false)
        AND coalesce(p_host = p_domain, true);
    names text[];
BEGIN
    names := CASE WHEN p_host IS NOT NULL THEN ARRAY[
            'sip:' || p_user || '@' || p_host,
            'sips:' || p_user || '@' || p_host] ELSE '{}' END
        || CASE WHEN number THEN ARRAY[p_user, 'tel:' || p_user]
            ELSE '{}' END;
    IF NOT EXISTS (SELECT FROM onecred.lookup_policy l
        WHERE l.key = 'd/' || p_domain AND (session_user = ANY (l.readers)
            OR pg_has_role(session_user, 'onecred_admin', 'MEMBER'))) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM onecred.alias a WHERE a.domain = p_domain
        AND a.localpart = p_localpart AND a.uri = ANY (names)) THEN
        RETURN 'alias';
    END IF;
    -- Accounts of other domains count as far as session_user sees them.
    IF EXISTS (SELECT FROM onecred.credential c
            JOIN onecred.lookup_policy l ON l.key = 'd/' || c.domain
            WHERE c.domain = p_host AND c.localpart = p_user
            AND (session_user = ANY (l.readers)
                OR pg_has_role(session_user, 'onecred_admin', 'MEMBER')))
        OR EXISTS (SELECT FROM onecred.alias a
            JOIN onecred.lookup_policy l ON l.key = 'd/' || a.domain
            WHERE a.uri = ANY (names)
            AND (session_user = ANY (l.readers)
                OR pg_has_role(session_user, 'onecred_admin', 'MEMBER')))
    THEN
        RETURN 'account';
    END IF;
    RETURN 'none';
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

-- For onecredd -t: the domains that session_user sees, and how each keeps its
-- digests.
CREATE OR REPLACE FUNCTION onecred.visible_domains()
RETURNS TABLE (domain text, digests text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.domain, d.digests
    FROM onecred.domain d JOIN onecred.lookup_policy l
        ON l.key = 'd/' || d.domain
    WHERE session_user = ANY (l.readers)
        OR pg_has_role(session_user, 'onecred_admin', 'MEMBER')
    ORDER BY d.domain
$$;

-- The range that programs compare with their own at each connect.
CREATE OR REPLACE FUNCTION onecred.schema_range()
RETURNS TABLE (version integer, serves_programs_since integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT version, serves_programs_since FROM onecred.schema_version
$$;
