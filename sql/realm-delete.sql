-- Deletes a further realm; with the accounts' digests for it only if told so.
--
--     psql -v realm=R [-v force=yes] -f realm-delete.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-realm.sql
\ir script/domain-settings.sql

SELECT onecred.realm_delete(:'realm', :'force') AS onecred_done \gset
\echo :onecred_done
