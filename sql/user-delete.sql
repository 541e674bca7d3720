-- Deletes an account with all its verifiers and aliases.
--
--     psql -v user=alice@example.com -f user-delete.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql

SELECT :'user' || ' deleted' AS onecred_done
FROM onecred.account_parse(:'user') AS a,
    LATERAL onecred.account_delete(a.domain, a.localpart) \gset
\echo :onecred_done
