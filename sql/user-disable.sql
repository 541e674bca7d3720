-- Shuts an account out of everything; its password stays as it is.
--
--     psql -v user=alice@example.com -f user-disable.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql

SELECT :'user' || ' disabled' AS onecred_done
FROM onecred.account_parse(:'user') AS a,
    LATERAL onecred.account_enable(a.domain, a.localpart, false) \gset
\echo :onecred_done
