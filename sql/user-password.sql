-- Gives an account a new password; asks for it, twice, or takes it from a
-- file. With service=sip only SIP gets the new password, as one of its own.
--
--     psql -v user=alice@example.com [-v service=sip] [-v password_file=F]
--         [-v seal_key_file=F] -f user-password.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql
\set exists yes
\if :{?service}
\else
\set service all
\endif

BEGIN;
\ir script/hash-environment.sql
\copy onecred_new from program '"${ONECRED:-onecred}" hash --environment' with (delimiter E'\x01')
SELECT onecred.account_load(:'user', 'update', :'service') AS onecred_done \gset
COMMIT;
\echo :onecred_done
