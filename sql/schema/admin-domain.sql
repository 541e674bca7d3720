-- What the domain and realm scripts do on the server; for onecred_admin
-- alone. Settings come as texts, '' for "not given".

CREATE OR REPLACE FUNCTION onecred.yes_or_no(p_name text, p_value text,
    p_default boolean)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(p_value, '') = '' THEN
        RETURN p_default;
    ELSIF lower(p_value) IN ('yes', 'true', 'on', '1') THEN
        RETURN true;
    ELSIF lower(p_value) IN ('no', 'false', 'off', '0') THEN
        RETURN false;
    END IF;
    PERFORM onecred.refuse('OC004', format('%s is yes or no', p_name));
END
$$;

-- "MD5, SHA-256" as an array.
CREATE OR REPLACE FUNCTION onecred.algorithm_list(p_list text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    list text[] := regexp_split_to_array(upper(p_list), '[, ]+');
BEGIN
    IF upper(p_list) = 'NONE' THEN
        RETURN '{}';
    ELSIF NOT onecred.algorithms_ok(list) THEN
        PERFORM onecred.refuse('OC004', 'algorithms is a list out of MD5, SHA-256, SHA-512-256, each once');
    END IF;
    RETURN list;
END
$$;

-- Adds (p_add) or changes a domain.
CREATE OR REPLACE FUNCTION onecred.domain_define(p_add boolean,
    p_domain text, p_digests text, p_digest_md5 text, p_iterations text,
    p_algorithms text, p_localpart_rule text, p_non_ascii text,
    p_realm text, p_force text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    d onecred.domain;
    list text[];
BEGIN
    IF p_domain IS NULL OR NOT onecred.domain_ok(p_domain) THEN
        PERFORM onecred.refuse('OC004', 'this is not a domain: give one like -v domain=example.com, in lower case and as xn-- if it is not ASCII');
    END IF;
    IF p_digests NOT IN ('', 'plain', 'sealed', 'none') THEN
        PERFORM onecred.refuse('OC004',
            'digests is plain, sealed or none');
    ELSIF p_localpart_rule NOT IN ('', 'strict', 'wide') THEN
        PERFORM onecred.refuse('OC004', 'localpart_rule is strict or wide');
    ELSIF p_iterations !~ '^[0-9]{0,5}$' OR p_iterations <> ''
        AND p_iterations::integer NOT BETWEEN 4096 AND 65536 THEN
        PERFORM onecred.refuse('OC004', 'iterations is 4096 to 65536');
    END IF;
    SELECT * INTO d FROM onecred.domain x
        WHERE x.domain = p_domain FOR UPDATE;
    IF p_add AND FOUND THEN
        PERFORM onecred.refuse('OC001', format(
            '%s exists already: change it with domain-set.sql', p_domain));
    ELSIF NOT p_add AND NOT FOUND THEN
        PERFORM onecred.refuse('OC002',
            format('there is no domain %s', p_domain));
    END IF;
    IF p_add THEN
        INSERT INTO onecred.domain (domain) VALUES (p_domain)
        RETURNING * INTO d;
    END IF;
    IF p_algorithms <> '' THEN
        list := onecred.algorithm_list(p_algorithms);
    END IF;
    UPDATE onecred.domain x SET
        digests = coalesce(nullif(p_digests, ''), d.digests),
        digest_md5 = onecred.yes_or_no('digest_md5', p_digest_md5,
            d.digest_md5),
        iterations = coalesce(nullif(p_iterations, '')::integer,
            d.iterations),
        store_md5 = coalesce('MD5' = ANY (list), d.store_md5),
        store_sha_256 = coalesce('SHA-256' = ANY (list), d.store_sha_256),
        store_sha_512_256 = coalesce('SHA-512-256' = ANY (list),
            d.store_sha_512_256),
        localpart_rule = coalesce(nullif(p_localpart_rule, ''),
            d.localpart_rule),
        non_ascii = onecred.yes_or_no('non_ascii', p_non_ascii, d.non_ascii)
    WHERE x.domain = p_domain RETURNING * INTO d;
    IF d.digests = 'none' AND NOT p_add THEN
        PERFORM onecred.domain_drop_digests(p_domain,
            onecred.yes_or_no('force', p_force, false));
    END IF;
    IF p_realm NOT IN ('', p_domain) THEN
        PERFORM onecred.realm_refuse(p_realm);
        UPDATE onecred.realm r SET realm = p_realm
        WHERE r.domain = p_domain AND r.home;
    END IF;
    -- Now, while the sentence can still be given.
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN format('%s %s: SIP realm %s%s', p_domain,
        CASE WHEN p_add THEN 'added' ELSE 'changed' END,
        (SELECT r.realm FROM onecred.realm r
            WHERE r.domain = p_domain AND r.home),
        CASE d.digests
            WHEN 'none' THEN '; it keeps no digests, so no SIP'
            WHEN 'plain' THEN E'\nThe digests of this domain are stored unsealed: whoever steals the table can use them for SIP at once.'
            ELSE '; digests are sealed' END);
END
$$;

-- With digests=none nothing of them may stay.
CREATE OR REPLACE FUNCTION onecred.domain_drop_digests(p_domain text,
    p_force boolean)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    SELECT count(*) INTO n FROM onecred.credential c
    WHERE c.domain = p_domain AND (num_nonnulls(c.ha1_md5, c.ha1_sha_256,
            c.ha1_sha_512_256, c.ha1b_md5, c.ha1b_sha_256,
            c.ha1b_sha_512_256) > 0
        OR EXISTS (SELECT FROM onecred.credential_realm x
            WHERE x.domain = c.domain AND x.localpart = c.localpart));
    IF n > 0 AND NOT p_force THEN
        PERFORM onecred.refuse('OC005', format('accounts of %s hold digests (%s do), which would be deleted: add -v force=yes', p_domain, n));
    END IF;
    UPDATE onecred.credential c SET ha1_md5 = NULL, ha1_sha_256 = NULL,
        ha1_sha_512_256 = NULL, ha1b_md5 = NULL, ha1b_sha_256 = NULL,
        ha1b_sha_512_256 = NULL, ha1_origin = 'same'
    WHERE c.domain = p_domain AND num_nonnulls(c.ha1_md5, c.ha1_sha_256,
        c.ha1_sha_512_256, c.ha1b_md5, c.ha1b_sha_256,
        c.ha1b_sha_512_256) > 0;
    -- Last: it touches the accounts once more, which are judged again.
    DELETE FROM onecred.credential_realm c WHERE c.domain = p_domain;
END
$$;

CREATE OR REPLACE FUNCTION onecred.domain_delete(p_domain text, p_force text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM FROM onecred.domain d WHERE d.domain = p_domain FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002', 'there is no such domain');
    END IF;
    SELECT count(*) INTO n FROM onecred.credential c
        WHERE c.domain = p_domain;
    IF n > 0 AND NOT onecred.yes_or_no('force', p_force, false) THEN
        PERFORM onecred.refuse('OC005', format('%s still has accounts (%s), which would be deleted: add -v force=yes', p_domain, n));
    END IF;
    DELETE FROM onecred.credential c WHERE c.domain = p_domain;
    DELETE FROM onecred.domain d WHERE d.domain = p_domain;
    RETURN format('%s deleted; accounts deleted with it: %s', p_domain, n);
END
$$;

CREATE OR REPLACE FUNCTION onecred.realm_refuse(p_realm text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner text;
BEGIN
    IF p_realm IS NULL OR NOT onecred.realm_ok(p_realm) THEN
        PERFORM onecred.refuse('OC004', 'this is not a realm: 1 to 253 octets without control characters and without ", \ and :');
    END IF;
    SELECT r.domain INTO owner FROM onecred.realm r
        WHERE lower(r.realm) = lower(p_realm);
    IF FOUND THEN
        PERFORM onecred.refuse('OC001', format(
            'the realm %s (in any case of letters) belongs to %s already',
            p_realm, owner));
    END IF;
END
$$;

-- Adds a realm, or changes the settings of one that the domain has.
CREATE OR REPLACE FUNCTION onecred.realm_define(p_realm text, p_domain text,
    p_algorithms text, p_identity text, p_domain_parameter text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    list text[];
    uris text[];
    known boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM onecred.domain d WHERE d.domain = p_domain)
    THEN
        PERFORM onecred.refuse('OC002', 'there is no such domain');
    END IF;
    IF p_identity NOT IN ('', 'domain', 'strict', 'off') THEN
        PERFORM onecred.refuse('OC004',
            'identity is domain, strict or off');
    END IF;
    IF p_algorithms <> '' THEN
        list := onecred.algorithm_list(p_algorithms);
        IF list = '{}' THEN
            PERFORM onecred.refuse('OC004',
                'a realm needs at least one algorithm');
        END IF;
    END IF;
    IF p_domain_parameter <> '' THEN
        uris := regexp_split_to_array(p_domain_parameter, ' +');
        IF NOT onecred.domain_parameter_ok(uris) THEN
            PERFORM onecred.refuse('OC004', 'domain_parameter is a list of URIs with blanks between them');
        END IF;
    END IF;
    known := EXISTS (SELECT FROM onecred.realm r
        WHERE r.realm = p_realm AND r.domain = p_domain);
    IF NOT known THEN
        PERFORM onecred.realm_refuse(p_realm);
        INSERT INTO onecred.realm (realm, domain)
        VALUES (p_realm, p_domain);
    END IF;
    UPDATE onecred.realm r SET
        algorithms = coalesce(list, r.algorithms),
        identity = coalesce(nullif(p_identity, ''), r.identity),
        domain_parameter = coalesce(uris, r.domain_parameter)
    WHERE r.realm = p_realm;
    IF known THEN
        RETURN format('realm %s of %s changed', p_realm, p_domain);
    END IF;
    RETURN format('realm %s added to %s; an account can use it once its password is set again', p_realm, p_domain);
END
$$;

CREATE OR REPLACE FUNCTION onecred.realm_delete(p_realm text, p_force text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r onecred.realm;
    n bigint;
BEGIN
    SELECT * INTO r FROM onecred.realm x WHERE x.realm = p_realm FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002', 'there is no such realm');
    ELSIF r.home THEN
        PERFORM onecred.refuse('OC005', format(
            '%s is the home realm of %s and goes only with it', r.realm,
            r.domain));
    END IF;
    SELECT count(*) INTO n FROM onecred.credential_realm c
        WHERE c.realm = p_realm;
    IF n > 0 AND NOT onecred.yes_or_no('force', p_force, false) THEN
        PERFORM onecred.refuse('OC005', format('accounts hold digests for the realm %s (%s do), which would be deleted: add -v force=yes', p_realm, n));
    END IF;
    DELETE FROM onecred.credential_realm c WHERE c.realm = p_realm;
    DELETE FROM onecred.realm x WHERE x.realm = p_realm;
    RETURN format('realm %s of %s deleted', p_realm, r.domain);
END
$$;
