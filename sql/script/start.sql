-- How every script starts: nothing of the caller's own psql settings gets in
-- the way, the first error ends it with status 3, and errors are one line.

\set ON_ERROR_STOP on
\set ON_ERROR_ROLLBACK off
\set AUTOCOMMIT on
\set ECHO none
\set QUIET on
\set SINGLELINE off
\set VERBOSITY terse
\set SHOW_CONTEXT never
\encoding UTF8
\timing off
\pset pager off
\pset tuples_only on
\pset format unaligned
\pset fieldsep '  '
\pset expanded off
\pset null ''
SET client_min_messages = warning;
SET jit = off;
SET search_path = pg_catalog;

DO $$
BEGIN
    IF to_regnamespace('onecred') IS NULL THEN
        RAISE EXCEPTION 'this database has no onecred schema: load it with  psql -d DATABASE -f schema.sql';
    ELSIF NOT pg_has_role(current_user, 'onecred_admin', 'MEMBER') THEN
        RAISE EXCEPTION 'you are not an administrator of onecred: role-add.sql -v grant=admin makes one';
    ELSIF to_regprocedure('onecred.account_load(text,text,text)') IS NULL THEN
        RAISE EXCEPTION 'the onecred schema of this database is of another release: run schema.sql of this one';
    END IF;
END
$$;
