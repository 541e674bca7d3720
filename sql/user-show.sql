-- Shows which mechanisms and realms an account can open. No verifiers.
--
--     psql -v user=alice@example.com -f user-show.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql

SELECT rpad(what, 12), answer FROM onecred.account_show(:'user');
