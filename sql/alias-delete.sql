-- Takes a SIP identity away from an account.
--
--     psql -v user=alice@example.com -v uri=tel:+4930123 -f alias-delete.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql
\if :{?uri}
\else
DO $$ BEGIN RAISE EXCEPTION 'say which identity: -v uri=tel:+4930123'; END $$;
\endif

SELECT onecred.alias_change(:'user', :'uri', false) AS onecred_done \gset
\echo :onecred_done
