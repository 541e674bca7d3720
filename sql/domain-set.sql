-- Changes a domain's settings; those not given stay. They apply to passwords
-- set from now on.
--
--     psql -v domain=example.com [settings as for domain-add.sql]
--         [-v force=yes] -f domain-set.sql
--
-- force=yes: digests=none deletes the digests of existing accounts.

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-domain.sql
\ir script/domain-settings.sql

SELECT onecred.domain_define(false, :'domain', :'digests', :'digest_md5',
    :'iterations', :'algorithms', :'localpart_rule', :'non_ascii', :'realm',
    :'force') AS onecred_done \gset
\echo :onecred_done
