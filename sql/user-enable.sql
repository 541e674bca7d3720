-- Lets a disabled account in again, with its old password.
--
--     psql -v user=alice@example.com -f user-enable.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql

SELECT :'user' || ' enabled' AS onecred_done
FROM onecred.account_parse(:'user') AS a,
    LATERAL onecred.account_enable(a.domain, a.localpart, true) \gset
\echo :onecred_done
