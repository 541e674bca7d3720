-- What every writer has to obey, whoever it is: values in their grammar,
-- HA1s as the domain's policy has them, names and realms that never change
-- under the hashes made from them, a version for every change, and word to
-- whoever LISTENs.
--
-- NB: PostgreSQL's own message about a failed CHECK prints the whole row, and
-- the server logs it. The row triggers therefore judge first and raise a text
-- of their own; the CHECKs only stand behind them.

CREATE OR REPLACE FUNCTION onecred.refuse(p_code text, p_text text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = p_code, MESSAGE = p_text;
END
$$;

-- Refuses HA1s (any of p_values) that are malformed, or not sealed in a
-- sealed domain, sealed in a plain one, or there at all where none are kept.
-- The share lock makes a change of policy and a change of digests wait for
-- each other.
CREATE OR REPLACE FUNCTION onecred.ha1_judge(p_domain text,
    p_md5 text[], p_sha text[])
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    policy text;
    v text;
BEGIN
    SELECT d.digests INTO policy FROM onecred.domain d
        WHERE d.domain = p_domain FOR SHARE;
    IF NOT FOUND THEN
        PERFORM onecred.refuse('OC002', 'there is no such domain');
    END IF;
    FOREACH v IN ARRAY p_md5 LOOP
        IF NOT onecred.ha1_ok(v, 16) THEN
            PERFORM onecred.refuse('OC004', 'an MD5 digest is malformed');
        END IF;
    END LOOP;
    FOREACH v IN ARRAY p_sha LOOP
        IF NOT onecred.ha1_ok(v, 32) THEN
            PERFORM onecred.refuse('OC004', 'a SHA-2 digest is malformed');
        END IF;
    END LOOP;
    FOREACH v IN ARRAY p_md5 || p_sha LOOP
        CONTINUE WHEN v IS NULL;
        IF policy = 'none' THEN
            PERFORM onecred.refuse('OC005',
                format('%s keeps no digests (digests=none)', p_domain));
        ELSIF policy = 'sealed' AND v NOT LIKE 'sealed:%' THEN
            PERFORM onecred.refuse('OC005', format(
                'the digests of %s are sealed, this one is not', p_domain));
        ELSIF policy = 'plain' AND v LIKE 'sealed:%' THEN
            PERFORM onecred.refuse('OC005', format(
                'the digests of %s are not sealed, this one is', p_domain));
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION onecred.credential_row()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.domain, NEW.localpart)
        IS DISTINCT FROM (OLD.domain, OLD.localpart) THEN
        PERFORM onecred.refuse('OC005',
            'an account cannot be renamed: its digests are made from its name');
    END IF;
    IF NEW.domain IS NULL OR NOT onecred.domain_ok(NEW.domain) THEN
        PERFORM onecred.refuse('OC004', 'the domain is malformed');
    END IF;
    IF NEW.localpart IS NULL OR NOT onecred.localpart_ok(NEW.localpart, 'wide')
        OR octet_length(NEW.localpart) + 1 + octet_length(NEW.domain) > 253
    THEN
        PERFORM onecred.refuse('OC004',
            'the account name is outside the grammar');
    END IF;
    IF NOT onecred.scram_ok(NEW.scram_sha_1, 'SCRAM-SHA-1')
        OR NOT onecred.scram_ok(NEW.scram_sha_256, 'SCRAM-SHA-256')
        OR NOT onecred.scram_ok(NEW.scram_sha_512, 'SCRAM-SHA-512') THEN
        PERFORM onecred.refuse('OC004', 'a SCRAM verifier is malformed');
    END IF;
    IF NEW.enabled IS NULL OR NEW.created_at IS NULL
        OR coalesce(NEW.ha1_origin, '')
            NOT IN ('same', 'unproved', 'separate') THEN
        PERFORM onecred.refuse('OC004',
            'enabled, created_at or ha1_origin has no proper value');
    END IF;
    PERFORM onecred.ha1_judge(NEW.domain, ARRAY[NEW.ha1_md5, NEW.ha1b_md5],
        ARRAY[NEW.ha1_sha_256, NEW.ha1_sha_512_256, NEW.ha1b_sha_256,
            NEW.ha1b_sha_512_256]);
    NEW.version := nextval('onecred.version_seq');
    NEW.changed_at := now();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION onecred.credential_realm_row()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.domain, NEW.localpart, NEW.realm)
        IS DISTINCT FROM (OLD.domain, OLD.localpart, OLD.realm) THEN
        PERFORM onecred.refuse('OC005',
            'digests cannot be moved: they are made from account and realm');
    END IF;
    IF NEW.domain IS NULL OR NEW.localpart IS NULL OR NOT EXISTS
        (SELECT FROM onecred.realm r WHERE r.realm = NEW.realm
            AND r.domain = NEW.domain AND NOT r.home) THEN
        PERFORM onecred.refuse('OC004',
            'this is not a further realm of the account''s domain');
    END IF;
    PERFORM onecred.ha1_judge(NEW.domain, ARRAY[NEW.ha1_md5, NEW.ha1b_md5],
        ARRAY[NEW.ha1_sha_256, NEW.ha1_sha_512_256, NEW.ha1b_sha_256,
            NEW.ha1b_sha_512_256]);
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION onecred.domain_row()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.domain IS DISTINCT FROM OLD.domain THEN
        PERFORM onecred.refuse('OC005', 'a domain cannot be renamed');
    END IF;
    IF NEW.domain IS NULL OR NOT onecred.domain_ok(NEW.domain) THEN
        PERFORM onecred.refuse('OC004', 'the domain is malformed');
    END IF;
    NEW.version := nextval('onecred.version_seq');
    NEW.changed_at := now();
    RETURN NEW;
END
$$;

-- The home realm and the profile of the fakes come with the domain.
CREATE OR REPLACE FUNCTION onecred.domain_after()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM onecred.consumer WHERE domain = OLD.domain;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO onecred.realm (realm, domain, home)
        VALUES (NEW.domain, NEW.domain, true);
    END IF;
    IF TG_OP = 'INSERT' OR NEW.iterations <> OLD.iterations THEN
        PERFORM onecred.fake_profile_refresh(NEW.domain);
    END IF;
    RETURN NULL;
END
$$;

-- At commit: a domain whose policy says sealed (plain, none) holds nothing
-- else. Deferred, so that one transaction can change the policy and then
-- convert the digests.
CREATE OR REPLACE FUNCTION onecred.domain_digests_agree()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    policy text;
BEGIN
    SELECT digests INTO policy FROM onecred.domain d
        WHERE d.domain = NEW.domain;
    IF FOUND AND EXISTS (
        SELECT FROM (
            SELECT ha1_md5, ha1_sha_256, ha1_sha_512_256, ha1b_md5,
                ha1b_sha_256, ha1b_sha_512_256
            FROM onecred.credential c WHERE c.domain = NEW.domain
            UNION ALL
            SELECT ha1_md5, ha1_sha_256, ha1_sha_512_256, ha1b_md5,
                ha1b_sha_256, ha1b_sha_512_256
            FROM onecred.credential_realm c WHERE c.domain = NEW.domain) AS c,
            LATERAL unnest(ARRAY[ha1_md5, ha1_sha_256, ha1_sha_512_256,
                ha1b_md5, ha1b_sha_256, ha1b_sha_512_256]) AS v
        WHERE v IS NOT NULL AND policy <> CASE
            WHEN v LIKE 'sealed:%' THEN 'sealed' ELSE 'plain' END) THEN
        PERFORM onecred.refuse('OC005', format(
            'accounts of %s hold digests that do not fit digests=%s',
            NEW.domain, policy));
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION onecred.realm_row()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.domain, NEW.home) IS DISTINCT FROM (OLD.domain, OLD.home) THEN
            PERFORM onecred.refuse('OC005',
                'a realm cannot move to another domain, nor become or cease to be the home realm');
        END IF;
        NEW.version := nextval('onecred.version_seq');
        NEW.changed_at := now();
        IF NEW.realm IS NOT DISTINCT FROM OLD.realm THEN
            RETURN NEW;
        END IF;
    ELSIF OLD.home
        AND EXISTS (SELECT FROM onecred.domain d WHERE d.domain = OLD.domain)
    THEN
        PERFORM onecred.refuse('OC005', format(
            '%s is the home realm of %s and goes only with it',
            OLD.realm, OLD.domain));
    END IF;
    IF OLD.home THEN
        -- NB: waits for writers, which hold the domain row in share mode.
        PERFORM FROM onecred.domain d WHERE d.domain = OLD.domain FOR UPDATE;
        used := EXISTS (SELECT FROM onecred.credential c
            WHERE c.domain = OLD.domain AND num_nonnulls(c.ha1_md5,
                c.ha1_sha_256, c.ha1_sha_512_256, c.ha1b_md5, c.ha1b_sha_256,
                c.ha1b_sha_512_256) > 0);
    ELSE
        used := EXISTS (SELECT FROM onecred.credential_realm c
            WHERE c.realm = OLD.realm);
    END IF;
    IF used THEN
        PERFORM onecred.refuse('OC005', format(
            'accounts hold digests for the realm %s, so it must stay as it is',
            OLD.realm));
    END IF;
    RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END
$$;

-- A change of an account's further digests is a change of the account.
CREATE OR REPLACE FUNCTION onecred.credential_realm_raise()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE onecred.credential c SET enabled = c.enabled
    FROM (SELECT DISTINCT domain, localpart FROM changed) AS x
    WHERE c.domain = x.domain AND c.localpart = x.localpart;
    RETURN NULL;
END
$$;

-- NOTIFY onecred, '<keyed hash of the name> <version>' for each account that
-- changed, or '*' for many. Never a name: any role may LISTEN.
CREATE OR REPLACE FUNCTION onecred.credential_notify()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM changed LIMIT 1001) AS c) > 1000
    THEN
        PERFORM pg_notify('onecred', '*');
        RETURN NULL;
    END IF;
    PERFORM pg_notify('onecred', encode(substr(onecred.keyed(s.key, c.domain,
            c.localpart), 1, 32), 'hex') || ' ' || CASE TG_OP WHEN 'DELETE'
            THEN nextval('onecred.version_seq') ELSE c.version END)
    FROM changed c, onecred.secret s;
    RETURN NULL;
END
$$;

-- Policies, realms, visibility: rare, so lookup_policy is made anew for the
-- domains concerned and everybody starts afresh.
CREATE OR REPLACE FUNCTION onecred.policy_changed()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM onecred.lookup_policy_refresh('*');
    ELSE
        PERFORM onecred.lookup_policy_refresh(x.domain)
        FROM (SELECT DISTINCT domain FROM changed ORDER BY domain) AS x;
    END IF;
    PERFORM pg_notify('onecred', '*');
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION onecred.notify_all()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('onecred', '*');
    RETURN NULL;
END
$$;

-- p_domain '*' is every domain. One at a time in the whole database: two
-- changes of the same domain would not see each other's rows.
CREATE OR REPLACE FUNCTION onecred.lookup_policy_refresh(p_domain text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('onecred.lookup_policy'::regclass::oid::bigint);
    DELETE FROM onecred.lookup_policy l
    WHERE p_domain = '*' OR l.domain = p_domain;
    INSERT INTO onecred.lookup_policy (key, domain, home, digest_md5,
        iterations, readers, secret, head, fakes)
    SELECT k.key, d.domain, h.realm, d.digest_md5, d.iterations,
        ARRAY(SELECT DISTINCT c.role FROM onecred.consumer c
            WHERE c.domain IN (d.domain, '*') ORDER BY c.role),
        s.key,
        concat_ws(E'\t', d.domain, d.digests, d.store_md5::integer
            + 2 * d.store_sha_256::integer + 4 * d.store_sha_512_256::integer,
            left(d.digest_md5::text, 1), d.iterations),
        f.fakes
    FROM onecred.secret s
    CROSS JOIN onecred.domain d
    JOIN onecred.realm h ON h.domain = d.domain AND h.home
    CROSS JOIN LATERAL (SELECT array_agg(concat_ws(E'\t', p.iterations,
            p.salt_octets) ORDER BY p.slot) AS fakes
        FROM onecred.fake_profile p WHERE p.domain = d.domain) AS f
    CROSS JOIN LATERAL (SELECT 'd/' || d.domain AS key
        UNION ALL SELECT 'r/' || lower(r.realm) FROM onecred.realm r
            WHERE r.domain = d.domain) AS k
    WHERE (p_domain = '*' OR d.domain = p_domain)
        AND cardinality(f.fakes) = 16;
END
$$;

-- Draws the fakes of a domain from its policy. Imports, which bring other
-- iterations and salts, replace the slots with what they brought.
CREATE OR REPLACE FUNCTION onecred.fake_profile_refresh(p_domain text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO onecred.fake_profile (domain, slot, iterations, salt_octets)
    SELECT d.domain, s, d.iterations, 24
    FROM onecred.domain d, generate_series(0, 15) AS s
    WHERE d.domain = p_domain
    ON CONFLICT (domain, slot) DO UPDATE
    SET iterations = excluded.iterations, salt_octets = excluded.salt_octets
$$;

CREATE OR REPLACE TRIGGER a_row BEFORE INSERT OR UPDATE ON onecred.credential
    FOR EACH ROW EXECUTE FUNCTION onecred.credential_row();
CREATE OR REPLACE TRIGGER z_notify_insert AFTER INSERT ON onecred.credential
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.credential_notify();
CREATE OR REPLACE TRIGGER z_notify_update AFTER UPDATE ON onecred.credential
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.credential_notify();
CREATE OR REPLACE TRIGGER z_notify_delete AFTER DELETE ON onecred.credential
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.credential_notify();
CREATE OR REPLACE TRIGGER z_notify_truncate
    AFTER TRUNCATE ON onecred.credential
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.notify_all();

CREATE OR REPLACE TRIGGER a_row
    BEFORE INSERT OR UPDATE ON onecred.credential_realm
    FOR EACH ROW EXECUTE FUNCTION onecred.credential_realm_row();
CREATE OR REPLACE TRIGGER z_raise_insert
    AFTER INSERT ON onecred.credential_realm
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.credential_realm_raise();
CREATE OR REPLACE TRIGGER z_raise_update
    AFTER UPDATE ON onecred.credential_realm
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.credential_realm_raise();
CREATE OR REPLACE TRIGGER z_raise_delete
    AFTER DELETE ON onecred.credential_realm
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION onecred.credential_realm_raise();

CREATE OR REPLACE TRIGGER a_row BEFORE INSERT OR UPDATE ON onecred.domain
    FOR EACH ROW EXECUTE FUNCTION onecred.domain_row();
CREATE OR REPLACE TRIGGER b_after
    AFTER INSERT OR UPDATE OR DELETE ON onecred.domain
    FOR EACH ROW EXECUTE FUNCTION onecred.domain_after();
DROP TRIGGER IF EXISTS c_digests ON onecred.domain;
CREATE CONSTRAINT TRIGGER c_digests AFTER UPDATE OF digests ON onecred.domain
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION onecred.domain_digests_agree();
CREATE OR REPLACE TRIGGER a_row BEFORE UPDATE OR DELETE ON onecred.realm
    FOR EACH ROW EXECUTE FUNCTION onecred.realm_row();

-- The same four triggers for each table that lookup_policy is made from.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['domain', 'realm', 'consumer', 'fake_profile'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER z_policy_insert
            AFTER INSERT ON onecred.%I REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION onecred.policy_changed()', t);
        EXECUTE format('CREATE OR REPLACE TRIGGER z_policy_update
            AFTER UPDATE ON onecred.%I REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION onecred.policy_changed()', t);
        EXECUTE format('CREATE OR REPLACE TRIGGER z_policy_delete
            AFTER DELETE ON onecred.%I REFERENCING OLD TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION onecred.policy_changed()', t);
        EXECUTE format('CREATE OR REPLACE TRIGGER z_policy_truncate
            AFTER TRUNCATE ON onecred.%I
            FOR EACH STATEMENT EXECUTE FUNCTION onecred.policy_changed()', t);
    END LOOP;
END
$$;
