-- Writing accounts. Every way in (scripts, doors, imports, learning) ends in
-- account_set(); the values come ready-made, never a password. All check
-- their caller, judge before they write and raise sentences that contain no
-- value. SQLSTATEs: OC001 exists already, OC002 no such account or domain,
-- OC003 changed in the meantime, OC004 malformed, OC005 against the domain's
-- policy, OC006 not yours.

-- May session_user write in this domain? Daemons may in theirs.
CREATE OR REPLACE FUNCTION onecred.may_write(p_domain text)
RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role(session_user, 'onecred_admin', 'MEMBER')
        OR (pg_has_role(session_user, 'onecred_daemon', 'MEMBER')
            AND EXISTS (SELECT FROM onecred.consumer c
                WHERE c.role = session_user AND c.domain IN (p_domain, '*')))
$$;

-- The policy of a domain that session_user may write in, its row locked
-- against changes until the transaction ends. An unknown domain and one that
-- is not yours look alike, except to administrators.
CREATE OR REPLACE FUNCTION onecred.domain_for_writing(p_domain text)
RETURNS onecred.domain LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    d onecred.domain;
BEGIN
    IF p_domain IS NULL OR NOT onecred.domain_ok(p_domain) THEN
        PERFORM onecred.refuse('OC004', 'the domain is malformed');
    END IF;
    IF NOT onecred.may_write(p_domain) THEN
        PERFORM onecred.refuse('OC006',
            format('you may not change accounts of %s', p_domain));
    END IF;
    SELECT * INTO d FROM onecred.domain x WHERE x.domain = p_domain FOR SHARE;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002',
            format('there is no domain %s', p_domain));
    END IF;
    RETURN d;
END
$$;

-- Sets the verifiers of an account, all of them at once, and returns its new
-- version. p_names (scram_sha_1, ..., ha1_sha_512_256), p_realms, p_forms
-- (local, full; NULL or '' with a SCRAM name) and p_values run in parallel:
-- what onecred hash prints. What is not given is deleted, so that no verifier
-- of an older password survives.
--   p_mode: create (must not exist), update (must exist), set (either)
--   p_service: all; sip = SIP gets a password of its own: only the digests
--     are replaced, and from now on they do not stand for the password
--   p_expected_version: refuse (OC003) unless the row still has this version
CREATE OR REPLACE FUNCTION onecred.account_set(p_domain text,
    p_localpart text, p_mode text, p_names text[], p_realms text[],
    p_forms text[], p_values text[], p_service text DEFAULT 'all',
    p_expected_version bigint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    uri text;
    d onecred.domain;
    given jsonb;
    home text;
    c onecred.credential;
    known boolean;
    answer bigint;
BEGIN
    d := onecred.domain_for_writing(p_domain);
    IF p_localpart IS NULL
        OR NOT onecred.localpart_ok(p_localpart, d.localpart_rule) THEN
        PERFORM onecred.refuse('OC004', CASE d.localpart_rule
            WHEN 'strict' THEN 'the account name must be a-z, 0-9, ".", "_", "-" only, begin with a letter or digit, and not be "anonymous"'
            ELSE 'the account name is outside the grammar' END);
    END IF;
    uri := p_localpart || '@' || p_domain;
    IF coalesce(p_mode, '') NOT IN ('create', 'update', 'set')
        OR coalesce(p_service, '') NOT IN ('all', 'sip')
        OR (p_mode = 'create' AND (p_service = 'sip'
            OR p_expected_version IS NOT NULL)) THEN
        PERFORM onecred.refuse('OC004',
            'account_set: there is no such mode or service');
    END IF;
    SELECT r.realm INTO home FROM onecred.realm r
        WHERE r.domain = p_domain AND r.home;
    given := onecred.account_values(d, home, p_service, p_names, p_realms,
        p_forms, p_values);

    SELECT * INTO c FROM onecred.credential x
        WHERE x.domain = p_domain AND x.localpart = p_localpart FOR UPDATE;
    known := FOUND;
    IF known AND p_mode = 'create' THEN
        PERFORM onecred.refuse('OC001', format('%s exists already', uri));
    ELSIF NOT known AND (p_mode = 'update' OR p_service = 'sip') THEN
        PERFORM onecred.refuse('OC002', format('there is no account %s', uri));
    ELSIF p_expected_version IS NOT NULL
        AND p_expected_version IS DISTINCT FROM c.version THEN
        PERFORM onecred.refuse('OC003',
            format('%s was changed in the meantime', uri));
    END IF;
    IF NOT known THEN
        INSERT INTO onecred.credential (domain, localpart)
        VALUES (p_domain, p_localpart) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            -- Somebody else was faster; its row is not ours to overwrite.
            PERFORM onecred.refuse('OC001',
                format('%s was created in the meantime', uri));
        END IF;
    END IF;

    DELETE FROM onecred.credential_realm x
        WHERE x.domain = p_domain AND x.localpart = p_localpart;
    INSERT INTO onecred.credential_realm (domain, localpart, realm, ha1_md5,
        ha1_sha_256, ha1_sha_512_256, ha1b_md5, ha1b_sha_256,
        ha1b_sha_512_256)
    SELECT p_domain, p_localpart, g.key, g.value->>'ha1_md5',
        g.value->>'ha1_sha_256', g.value->>'ha1_sha_512_256',
        g.value->>'ha1b_md5', g.value->>'ha1b_sha_256',
        g.value->>'ha1b_sha_512_256'
    FROM jsonb_each(given->'realms') AS g WHERE g.key <> home;
    UPDATE onecred.credential x SET
        scram_sha_1 = CASE p_service WHEN 'sip' THEN x.scram_sha_1
            ELSE given->>'scram_sha_1' END,
        scram_sha_256 = CASE p_service WHEN 'sip' THEN x.scram_sha_256
            ELSE given->>'scram_sha_256' END,
        scram_sha_512 = CASE p_service WHEN 'sip' THEN x.scram_sha_512
            ELSE given->>'scram_sha_512' END,
        ha1_md5 = given->'realms'->home->>'ha1_md5',
        ha1_sha_256 = given->'realms'->home->>'ha1_sha_256',
        ha1_sha_512_256 = given->'realms'->home->>'ha1_sha_512_256',
        ha1b_md5 = given->'realms'->home->>'ha1b_md5',
        ha1b_sha_256 = given->'realms'->home->>'ha1b_sha_256',
        ha1b_sha_512_256 = given->'realms'->home->>'ha1b_sha_512_256',
        ha1_origin = CASE p_service WHEN 'sip' THEN 'separate'
            ELSE 'same' END
    WHERE x.domain = p_domain AND x.localpart = p_localpart
    RETURNING x.version INTO answer;
    RETURN answer;
END
$$;

-- Judges the arrays of account_set() and puts them into one object:
-- {"scram_sha_1": ..., "realms": {realm: {"ha1_md5": ..., "ha1b_md5": ...}}}.
CREATE OR REPLACE FUNCTION onecred.account_values(d onecred.domain,
    p_home text, p_service text, p_names text[], p_realms text[],
    p_forms text[], p_values text[])
RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given jsonb := '{"realms": {}}';
    n integer := cardinality(p_names);
    name text;
    realm text;
    value text;
    path text[];
BEGIN
    IF n IS NULL OR n NOT BETWEEN 1 AND 1000
        OR n IS DISTINCT FROM cardinality(p_realms)
        OR n IS DISTINCT FROM cardinality(p_forms)
        OR n IS DISTINCT FROM cardinality(p_values) THEN
        PERFORM onecred.refuse('OC004',
            'account_set: the four lists must be equally long and not empty');
    END IF;
    FOR i IN 1 .. n LOOP
        name := p_names[i];
        realm := p_realms[i];
        value := p_values[i];
        IF name IN ('scram_sha_1', 'scram_sha_256', 'scram_sha_512') THEN
            IF p_service = 'sip' OR coalesce(realm, '') <> ''
                OR coalesce(p_forms[i], '') <> '' OR value IS NULL
                OR NOT onecred.scram_ok(value,
                    upper(replace(name, '_', '-'))) THEN
                PERFORM onecred.refuse('OC004',
                    'account_set: a SCRAM verifier is malformed or out of place');
            END IF;
            path := ARRAY[name];
        ELSIF name IN ('ha1_md5', 'ha1_sha_256', 'ha1_sha_512_256') THEN
            IF d.digests = 'none' OR NOT (CASE name
                WHEN 'ha1_md5' THEN d.store_md5
                WHEN 'ha1_sha_256' THEN d.store_sha_256
                ELSE d.store_sha_512_256 END) THEN
                PERFORM onecred.refuse('OC005', format(
                    '%s keeps no digests of this algorithm', d.domain));
            END IF;
            IF value IS NULL
                OR NOT onecred.ha1_ok(value, CASE name
                    WHEN 'ha1_md5' THEN 16 ELSE 32 END)
                OR coalesce(p_forms[i], '') NOT IN ('local', 'full') THEN
                PERFORM onecred.refuse('OC004',
                    'account_set: a digest is malformed');
            END IF;
            -- The exact string: the digest is made from these octets.
            IF NOT EXISTS (SELECT FROM onecred.realm r
                WHERE r.realm = p_realms[i] AND r.domain = d.domain) THEN
                PERFORM onecred.refuse('OC004', format(
                    'account_set: this is not a realm of %s', d.domain));
            END IF;
            IF NOT given->'realms' ? realm THEN
                given := jsonb_set(given, ARRAY['realms', realm], '{}');
            END IF;
            path := ARRAY['realms', realm, CASE p_forms[i]
                WHEN 'full' THEN replace(name, 'ha1_', 'ha1b_')
                ELSE name END];
        ELSE
            PERFORM onecred.refuse('OC004',
                'account_set: there is no such verifier');
        END IF;
        IF given #> path IS NOT NULL THEN
            PERFORM onecred.refuse('OC004',
                'account_set: a verifier is given twice');
        END IF;
        given := jsonb_set(given, path, to_jsonb(value));
    END LOOP;
    RETURN given;
END
$$;

-- What whoever sets a password has to know: the domain's policy and realms
-- (one a line, the home realm first), and whether the account has all the
-- verifiers that this policy asks for already, from one password.
CREATE OR REPLACE FUNCTION onecred.account_get(p_domain text,
    p_localpart text)
RETURNS TABLE (found boolean, version bigint, ha1_origin text,
    complete boolean, scram_sha_1 text, scram_sha_256 text,
    scram_sha_512 text, iterations integer, store_md5 boolean,
    store_sha_256 boolean, store_sha_512_256 boolean, digests text,
    non_ascii boolean, realms text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    d onecred.domain;
BEGIN
    IF NOT onecred.may_write(p_domain) THEN
        PERFORM onecred.refuse('OC006',
            format('you may not change accounts of %s', p_domain));
    END IF;
    SELECT * INTO d FROM onecred.domain x WHERE x.domain = p_domain;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002',
            format('there is no domain %s', p_domain));
    END IF;
    RETURN QUERY
    SELECT c.version IS NOT NULL, c.version, c.ha1_origin,
        num_nonnulls(c.scram_sha_1, c.scram_sha_256, c.scram_sha_512) = 3
            AND c.ha1_origin = 'same'
            AND (d.digests = 'none' OR NOT EXISTS (
                SELECT FROM onecred.realm r
                LEFT JOIN onecred.credential_realm x
                    ON x.domain = c.domain AND x.localpart = c.localpart
                    AND x.realm = r.realm
                WHERE r.domain = p_domain AND (
                    d.store_md5 AND num_nonnulls(
                        CASE WHEN r.home THEN c.ha1_md5 ELSE x.ha1_md5 END,
                        CASE WHEN r.home THEN c.ha1b_md5
                            ELSE x.ha1b_md5 END) < 2
                    OR d.store_sha_256 AND num_nonnulls(
                        CASE WHEN r.home THEN c.ha1_sha_256
                            ELSE x.ha1_sha_256 END,
                        CASE WHEN r.home THEN c.ha1b_sha_256
                            ELSE x.ha1b_sha_256 END) < 2
                    OR d.store_sha_512_256 AND num_nonnulls(
                        CASE WHEN r.home THEN c.ha1_sha_512_256
                            ELSE x.ha1_sha_512_256 END,
                        CASE WHEN r.home THEN c.ha1b_sha_512_256
                            ELSE x.ha1b_sha_512_256 END) < 2))),
        c.scram_sha_1, c.scram_sha_256, c.scram_sha_512, d.iterations,
        d.store_md5, d.store_sha_256, d.store_sha_512_256, d.digests,
        d.non_ascii, (SELECT string_agg(r.realm, E'\n'
            ORDER BY r.home DESC, r.realm)
            FROM onecred.realm r WHERE r.domain = p_domain)
    FROM (VALUES (1)) AS one
    LEFT JOIN onecred.credential c
        ON c.domain = p_domain AND c.localpart = p_localpart;
END
$$;

-- Both return the account's new version; setting what is set already is not
-- an error.
CREATE OR REPLACE FUNCTION onecred.account_enable(p_domain text,
    p_localpart text, p_enabled boolean)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer bigint;
BEGIN
    PERFORM onecred.domain_for_writing(p_domain);
    IF p_enabled IS NULL THEN
        PERFORM onecred.refuse('OC004', 'account_enable: yes or no?');
    END IF;
    UPDATE onecred.credential c SET enabled = p_enabled
    WHERE c.domain = p_domain AND c.localpart = p_localpart
    RETURNING c.version INTO answer;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002', 'there is no such account');
    END IF;
    RETURN answer;
END
$$;

CREATE OR REPLACE FUNCTION onecred.account_delete(p_domain text,
    p_localpart text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM onecred.domain_for_writing(p_domain);
    DELETE FROM onecred.credential c
    WHERE c.domain = p_domain AND c.localpart = p_localpart;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002', 'there is no such account');
    END IF;
    RETURN nextval('onecred.version_seq');
END
$$;
