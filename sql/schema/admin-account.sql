-- What the account scripts do on the server. Functions, so that names arrive
-- as values and every refusal is a sentence; for onecred_admin alone.

CREATE OR REPLACE FUNCTION onecred.account_parse(p_user text,
    OUT localpart text, OUT domain text)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    localpart := split_part(p_user, '@', 1);
    domain := split_part(p_user, '@', 2);
    IF p_user IS NULL OR p_user <> localpart || '@' || domain
        OR NOT onecred.domain_ok(domain)
        OR NOT onecred.localpart_ok(localpart, 'wide')
        OR octet_length(p_user) > 253 THEN
        PERFORM onecred.refuse('OC004', 'this is not an account: give one like -v user=alice@example.com, in lower case');
    END IF;
END
$$;

-- What onecred hash has to know: policy and realms of the account's domain,
-- as the texts that go into its environment. p_exists: the account must
-- (true), must not (false) be there, so that nobody types a password in vain.
CREATE OR REPLACE FUNCTION onecred.account_policy(p_user text,
    p_exists boolean)
RETURNS TABLE (account text, realms text, iterations text, algorithms text,
    digests text, rule text, non_ascii text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
    d onecred.domain;
BEGIN
    a := onecred.account_parse(p_user);
    SELECT * INTO d FROM onecred.domain x WHERE x.domain = a.domain;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002', format(
            'there is no domain %s: make it with domain-add.sql', a.domain));
    END IF;
    IF NOT onecred.localpart_ok(a.localpart, d.localpart_rule) THEN
        PERFORM onecred.refuse('OC004', format('%s takes only account names of a-z, 0-9, ".", "_", "-" that begin with a letter or digit', a.domain));
    END IF;
    IF p_exists <> EXISTS (SELECT FROM onecred.credential c
        WHERE c.domain = a.domain AND c.localpart = a.localpart) THEN
        IF p_exists THEN
            PERFORM onecred.refuse('OC002',
                format('there is no account %s', p_user));
        ELSE
            PERFORM onecred.refuse('OC001',
                format('%s exists already', p_user));
        END IF;
    END IF;
    RETURN QUERY SELECT p_user,
        (SELECT string_agg(r.realm, E'\n' ORDER BY r.home DESC, r.realm)
            FROM onecred.realm r WHERE r.domain = a.domain),
        d.iterations::text,
        coalesce(nullif(concat_ws(',', CASE WHEN d.store_md5 THEN 'MD5' END,
            CASE WHEN d.store_sha_256 THEN 'SHA-256' END,
            CASE WHEN d.store_sha_512_256 THEN 'SHA-512-256' END), ''),
            'none'),
        d.digests, d.localpart_rule, d.non_ascii::text;
END
$$;

-- Takes what onecred hash printed out of the temporary table onecred_new,
-- one line a row, and sets it. The last line counts the others: output that
-- was cut short changes nothing.
CREATE OR REPLACE FUNCTION onecred.account_load(p_user text, p_mode text,
    p_service text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
    v record;
    lines integer;
    ends text[];
BEGIN
    a := onecred.account_parse(p_user);
    SELECT count(*) - 1, array_agg(split_part(line, E'\t', 4))
            FILTER (WHERE split_part(line, E'\t', 1) = 'end')
    INTO lines, ends FROM pg_temp.onecred_new;
    IF ends IS DISTINCT FROM ARRAY[lines::text] OR EXISTS
        (SELECT FROM pg_temp.onecred_new
            WHERE line IS NULL OR line !~ '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]+$')
    THEN
        PERFORM onecred.refuse('OC004', format('onecred hash did not finish its work: nothing was changed for %s', p_user));
    END IF;
    SELECT array_agg(split_part(line, E'\t', 1)) AS names,
        array_agg(split_part(line, E'\t', 2)) AS realms,
        array_agg(split_part(line, E'\t', 3)) AS forms,
        array_agg(split_part(line, E'\t', 4)) AS texts
    INTO v FROM pg_temp.onecred_new WHERE line !~ '^end\t';
    PERFORM onecred.account_set(a.domain, a.localpart, p_mode, v.names,
        v.realms, v.forms, v.texts, p_service);
    RETURN format('%s %s: %s', p_user, CASE
            WHEN p_service = 'sip' THEN 'has its own password for SIP now'
            WHEN p_mode = 'create' THEN 'created'
            ELSE 'has a new password' END,
        onecred.account_summary(a.domain, a.localpart));
END
$$;

-- The realms an account has digests for, with their algorithms and names.
CREATE OR REPLACE FUNCTION onecred.account_realms(p_domain text,
    p_localpart text)
RETURNS TABLE (realm text, home boolean, algorithms text, names text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.realm, r.home,
        concat_ws(', ',
            CASE WHEN num_nonnulls(h.m, h.mb) > 0 THEN 'MD5' END,
            CASE WHEN num_nonnulls(h.s, h.sb) > 0 THEN 'SHA-256' END,
            CASE WHEN num_nonnulls(h.t, h.tb) > 0 THEN 'SHA-512-256' END),
        concat_ws(' and ',
            CASE WHEN num_nonnulls(h.m, h.s, h.t) > 0 THEN p_localpart END,
            CASE WHEN num_nonnulls(h.mb, h.sb, h.tb) > 0
                THEN p_localpart || '@' || p_domain END)
    FROM onecred.realm r CROSS JOIN LATERAL (
        SELECT ha1_md5, ha1_sha_256, ha1_sha_512_256, ha1b_md5, ha1b_sha_256,
            ha1b_sha_512_256
        FROM onecred.credential c WHERE r.home AND c.domain = p_domain
            AND c.localpart = p_localpart
        UNION ALL
        SELECT ha1_md5, ha1_sha_256, ha1_sha_512_256, ha1b_md5, ha1b_sha_256,
            ha1b_sha_512_256
        FROM onecred.credential_realm c WHERE c.domain = p_domain
            AND c.localpart = p_localpart AND c.realm = r.realm
        ) AS h (m, s, t, mb, sb, tb)
    WHERE r.domain = p_domain
        AND num_nonnulls(h.m, h.s, h.t, h.mb, h.sb, h.tb) > 0
    ORDER BY r.home DESC, r.realm
$$;

-- "SCRAM-SHA-1, SCRAM-SHA-256; SIP realm example.com".
CREATE OR REPLACE FUNCTION onecred.account_summary(p_domain text,
    p_localpart text)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(nullif(concat_ws(', ',
            CASE WHEN c.scram_sha_1 IS NOT NULL THEN 'SCRAM-SHA-1' END,
            CASE WHEN c.scram_sha_256 IS NOT NULL THEN 'SCRAM-SHA-256' END,
            CASE WHEN c.scram_sha_512 IS NOT NULL THEN 'SCRAM-SHA-512' END),
            ''), 'no SCRAM')
        || '; ' || coalesce('SIP realm ' || (SELECT
            string_agg(realm, ', ' ORDER BY home DESC, realm)
            FROM onecred.account_realms(p_domain, p_localpart)), 'no SIP')
    FROM onecred.credential c
    WHERE c.domain = p_domain AND c.localpart = p_localpart
$$;

-- user-show.sql: what this account can open, and with what.
CREATE OR REPLACE FUNCTION onecred.account_show(p_user text)
RETURNS TABLE (what text, answer text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
    d onecred.domain;
    c onecred.credential;
BEGIN
    a := onecred.account_parse(p_user);
    SELECT * INTO c FROM onecred.credential x
        WHERE x.domain = a.domain AND x.localpart = a.localpart;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002',
            format('there is no account %s', p_user));
    END IF;
    SELECT * INTO d FROM onecred.domain x WHERE x.domain = a.domain;
    RETURN QUERY VALUES ('account', p_user),
        ('state', CASE WHEN c.enabled THEN 'enabled'
            ELSE 'disabled: nothing below opens' END),
        ('created', c.created_at::timestamp(0)::text),
        ('changed', c.changed_at::timestamp(0)::text),
        ('version', c.version::text);
    RETURN QUERY SELECT 'mechanism', m FROM unnest(ARRAY[
        CASE WHEN c.scram_sha_1 IS NOT NULL THEN 'SCRAM-SHA-1' END,
        CASE WHEN c.scram_sha_256 IS NOT NULL THEN 'SCRAM-SHA-256' END,
        CASE WHEN c.scram_sha_512 IS NOT NULL THEN 'SCRAM-SHA-512' END,
        CASE WHEN num_nonnulls(c.scram_sha_1, c.scram_sha_256,
                c.scram_sha_512) > 0 OR c.ha1_origin = 'same'
            AND num_nonnulls(c.ha1_md5, c.ha1_sha_256, c.ha1_sha_512_256) > 0
            THEN 'PLAIN' END,
        CASE WHEN d.digest_md5 AND c.ha1_md5 IS NOT NULL
            AND c.ha1_origin = 'same' THEN 'DIGEST-MD5' END]) AS m
        WHERE m IS NOT NULL;
    RETURN QUERY SELECT 'SIP realm', format('%s: %s, as %s%s', r.realm,
            r.algorithms, r.names, CASE d.digests WHEN 'sealed'
            THEN ' (sealed)' ELSE '' END)
        FROM onecred.account_realms(a.domain, a.localpart) AS r;
    RETURN QUERY SELECT 'SIP realm', format(
            '%s: none until the password is set again', r.realm)
        FROM onecred.realm r WHERE r.domain = a.domain
            AND d.digests <> 'none' AND r.realm NOT IN (SELECT x.realm
                FROM onecred.account_realms(a.domain, a.localpart) AS x);
    RETURN QUERY VALUES ('SIP password', CASE c.ha1_origin
        WHEN 'same' THEN 'the same as for XMPP'
        WHEN 'separate' THEN 'one of its own'
        ELSE 'imported; nobody has shown yet that it is the same' END);
    RETURN QUERY SELECT 'alias', x.uri FROM onecred.alias x
        WHERE x.domain = a.domain AND x.localpart = a.localpart
        ORDER BY x.uri;
END
$$;

CREATE OR REPLACE FUNCTION onecred.alias_change(p_user text, p_uri text,
    p_add boolean)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
BEGIN
    a := onecred.account_parse(p_user);
    -- Presented URIs are folded too (daemon_owner()).
    p_uri := lower(p_uri COLLATE "C");
    IF p_uri IS NULL OR NOT onecred.alias_ok(p_uri) THEN
        PERFORM onecred.refuse('OC004', 'this is not an alias: give a URI like tel:+4930123 or sip:office@example.com, or a number');
    END IF;
    IF NOT EXISTS (SELECT FROM onecred.credential c
        WHERE c.domain = a.domain AND c.localpart = a.localpart) THEN
        PERFORM onecred.refuse('OC002',
            format('there is no account %s', p_user));
    END IF;
    IF p_add THEN
        INSERT INTO onecred.alias (domain, localpart, uri)
        VALUES (a.domain, a.localpart, p_uri) ON CONFLICT DO NOTHING;
        RETURN format('%s is an alias of %s', p_uri, p_user);
    END IF;
    DELETE FROM onecred.alias x WHERE x.domain = a.domain
        AND x.localpart = a.localpart AND x.uri = p_uri;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002',
            format('%s is not an alias of %s', p_uri, p_user));
    END IF;
    RETURN format('%s is no longer an alias of %s', p_uri, p_user);
END
$$;
