-- Makes an account; asks for its password, twice, or takes it from a file.
--
--     psql -v user=alice@example.com [-v password_file=F]
--         [-v seal_key_file=F] -f user-add.sql
--
-- The password is read by onecred hash alone: neither psql nor the server
-- ever sees it.

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-user.sql
\set exists no
\set service all

BEGIN;
\ir script/hash-environment.sql
\copy onecred_new from program '"${ONECRED:-onecred}" hash --environment' with (delimiter E'\x01')
SELECT onecred.account_load(:'user', 'create', :'service') AS onecred_done \gset
COMMIT;
\echo :onecred_done
