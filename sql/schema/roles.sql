-- The group roles (DESIGN 3), the schema, and the role everything is made as.

DO $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY ARRAY['onecred_admin', 'onecred_daemon',
        'onecred_plugin', 'onecred_xmpp', 'onecred_sip', 'onecred_turn'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = r);
        -- Roles belong to the whole cluster: another database of it may
        -- make them at this moment.
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role % does not exist and you may not create roles: run schema.sql once as a superuser', r;
        END;
    END LOOP;
    IF NOT pg_has_role(current_user, 'onecred_admin', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT onecred_admin TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'you are not a member of onecred_admin: run schema.sql as one, or as a superuser';
        END;
    END IF;
    IF to_regnamespace('onecred') IS NULL THEN
        BEGIN
            CREATE SCHEMA onecred AUTHORIZATION onecred_admin;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'you may not create a schema in this database: run schema.sql as its owner';
        END;
    END IF;
END
$$;

SET LOCAL ROLE onecred_admin;
