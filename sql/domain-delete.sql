-- Deletes a domain with its realms; with its accounts only if told so.
--
--     psql -v domain=example.com [-v force=yes] -f domain-delete.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-domain.sql
\ir script/domain-settings.sql

SELECT onecred.domain_delete(:'domain', :'force') AS onecred_done \gset
\echo :onecred_done
