-- role-add.sql on the server: a login role with one of our group roles, its
-- domains, and settings that keep digests out of the server's log. Runs with
-- its caller's rights; for onecred_admin alone.

-- p_verifier: a PostgreSQL SCRAM-SHA-256 verifier, '' for no password, or NULL
-- for what the role has.
CREATE OR REPLACE FUNCTION onecred.role_define(p_role text, p_grant text,
    p_domain text, p_verifier text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known pg_roles;
BEGIN
    PERFORM onecred.role_refuse(p_role, p_grant, p_domain);
    IF p_verifier <> '' AND NOT onecred.scram_ok(p_verifier, 'SCRAM-SHA-256')
    THEN
        PERFORM onecred.refuse('OC004', 'the role''s verifier is malformed');
    END IF;
    SELECT * INTO known FROM pg_roles WHERE rolname = p_role;
    IF p_verifier IS NULL AND known.rolname IS NULL THEN
        PERFORM onecred.refuse('OC002', format('there is no role %s whose password could be kept: leave -v keep_password= away', p_role));
    END IF;
    -- NB: an error inside EXECUTE carries the statement, and with it the
    -- verifier, into the log; only its message goes on.
    BEGIN
        EXECUTE format('%s ROLE %I LOGIN INHERIT%s',
            CASE WHEN known.rolname IS NULL THEN 'CREATE' ELSE 'ALTER' END,
            p_role, CASE WHEN p_verifier IS NULL THEN ''
                WHEN p_verifier = '' THEN ' PASSWORD NULL'
                ELSE ' PASSWORD ' || quote_literal(p_verifier) END);
        EXECUTE format('GRANT %I TO %I', 'onecred_' || p_grant, p_role);
        IF NOT has_database_privilege(p_role, current_database(), 'CONNECT')
        THEN
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I',
                current_database(), p_role);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        PERFORM onecred.refuse(SQLSTATE, format(
            'the role %s cannot be made: %s', p_role, SQLERRM));
    END;
    IF known.rolname IS NULL THEN
        -- Left over from a role of this name that was dropped.
        DELETE FROM onecred.consumer c WHERE c.role = p_role;
    END IF;
    IF p_domain <> '' THEN
        INSERT INTO onecred.consumer (role, domain)
        VALUES (p_role, p_domain) ON CONFLICT DO NOTHING;
    END IF;
    PERFORM onecred.role_settings(p_role, p_grant);
    RETURN format('role %s: onecred_%s%s%s', p_role, p_grant, CASE
            WHEN p_grant = 'admin' THEN ', all domains'
            ELSE ', domains ' || (SELECT string_agg(c.domain, ', '
                ORDER BY c.domain) FROM onecred.consumer c
                WHERE c.role = p_role) END,
        CASE WHEN p_verifier IS NULL THEN ', password as it was'
            WHEN p_verifier = '' THEN ', no password (peer or certificate)'
            ELSE '' END);
END
$$;

CREATE OR REPLACE FUNCTION onecred.role_refuse(p_role text, p_grant text,
    p_domain text)
RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(p_role, '') !~ '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$'
        OR p_role ~ '^(pg_|onecred_)' OR p_role IN ('public', 'none') THEN
        PERFORM onecred.refuse('OC004', 'this is not a name for a login role: letters, digits, "_", "." and "-", not beginning with pg_ or onecred_');
    ELSIF coalesce(p_grant, '') NOT IN ('admin', 'daemon', 'plugin', 'xmpp',
        'sip', 'turn') THEN
        PERFORM onecred.refuse('OC004',
            'grant is admin, daemon, plugin, xmpp, sip or turn');
    ELSIF p_grant = 'admin' AND p_domain <> '' THEN
        PERFORM onecred.refuse('OC004',
            'an administrator sees all domains: leave -v domain= away');
    ELSIF p_grant <> 'admin' AND coalesce(p_domain, '') = '' THEN
        PERFORM onecred.refuse('OC004', 'say which domain this role may see: -v domain=example.com, or -v domain=* for all');
    ELSIF p_domain NOT IN ('', '*') AND NOT EXISTS
        (SELECT FROM onecred.domain d WHERE d.domain = p_domain) THEN
        PERFORM onecred.refuse('OC002', 'there is no such domain');
    ELSIF EXISTS (SELECT FROM pg_roles r
        WHERE r.rolname = p_role AND r.rolsuper) THEN
        PERFORM onecred.refuse('OC005', format(
            '%s is a superuser, whom nothing limits', p_role));
    END IF;
END
$$;

-- PostgreSQL logs bind parameters with slow and with failed statements, HA1s
-- among them. Two of the settings are a superuser's to make. A program that
-- stays connected keeps its plans; one made while there were three accounts
-- must not read the whole table when there are a million.
CREATE OR REPLACE FUNCTION onecred.role_settings(p_role text, p_grant text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER ROLE %I SET log_parameter_max_length_on_error = 0',
        p_role);
    IF p_grant <> 'admin' THEN
        EXECUTE format('ALTER ROLE %I SET enable_seqscan = off', p_role);
    END IF;
    BEGIN
        EXECUTE format('ALTER ROLE %I SET log_parameter_max_length = 0',
            p_role);
        EXECUTE format('ALTER ROLE %I SET log_min_error_statement = panic',
            p_role);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'only a superuser can set log_parameter_max_length and log_min_error_statement for %: until one runs role-add.sql again, the server''s log may show digests that it sends', p_role;
    END;
END
$$;

-- With p_verifier: takes it out of the temporary table onecred_new, where
-- onecred hash --role has put two lines. NULL: the password stays.
CREATE OR REPLACE FUNCTION onecred.role_load(p_role text, p_grant text,
    p_domain text, p_verifier boolean)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lines text[];
BEGIN
    IF p_verifier IS NOT TRUE THEN
        RETURN onecred.role_define(p_role, p_grant, p_domain,
            CASE WHEN NOT p_verifier THEN '' END);
    END IF;
    SELECT array_agg(line ORDER BY line DESC) INTO lines
    FROM pg_temp.onecred_new;
    IF cardinality(lines) IS DISTINCT FROM 2 OR lines[2] <> E'end\t\t\t1'
        OR lines[1] !~ '^role\t\t\t[^\t]+$' THEN
        PERFORM onecred.refuse('OC004', format('onecred hash did not finish its work: nothing was changed for %s', p_role));
    END IF;
    RETURN onecred.role_define(p_role, p_grant, p_domain,
        split_part(lines[1], E'\t', 4));
END
$$;
