-- Installs or upgrades onecred's schema in the database psql is connected to:
--
--     psql -d DATABASE -f sql/schema.sql
--
-- Safe to run again at any time; one transaction, so that a fault leaves
-- nothing behind. The caller is a superuser or may create roles and a schema
-- in this database. Everything belongs to the role onecred_admin, so that no
-- function of ours ever runs with a superuser's rights.

\set ON_ERROR_STOP on
\set QUIET on
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset pager off
\pset tuples_only on
\pset format unaligned

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL search_path = pg_catalog;

DO $$
BEGIN
    IF current_setting('server_version_num')::integer < 140000 THEN
        RAISE EXCEPTION 'onecred needs PostgreSQL 14 or newer';
    END IF;
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the database "%" has the encoding %, onecred needs UTF8: make one with  createdb -E UTF8 -T template0 %',
            current_database(), current_setting('server_encoding'),
            quote_ident(current_database() || '_utf8');
    END IF;
    -- Two of them at the same time would both find no schema.
    PERFORM pg_advisory_xact_lock(hashtext('onecred schema'));
END
$$;

\ir schema/roles.sql

\set onecred_version 0
SELECT to_regclass('onecred.schema_version') IS NOT NULL
    AS onecred_installed \gset
\if :onecred_installed
SELECT version AS onecred_version FROM onecred.schema_version \gset
\endif
SELECT :onecred_version > 1 AS onecred_newer,
    :onecred_version < 1 AS onecred_migrate_1 \gset

\if :onecred_newer
DO $$
BEGIN
    RAISE EXCEPTION 'this database has a newer onecred schema: run the schema.sql of the newer release';
END
$$;
\endif

\ir schema/checks.sql
\if :onecred_migrate_1
\ir schema/001-tables.sql
INSERT INTO onecred.schema_version (version, serves_programs_since)
VALUES (1, 1);
\endif

\ir schema/keys.sql
\ir schema/triggers.sql
\ir schema/access.sql
\ir schema/account.sql
\ir schema/admin-account.sql
\ir schema/admin-domain.sql
\ir schema/admin-role.sql
\ir schema/grants.sql
RESET ROLE;
COMMIT;
