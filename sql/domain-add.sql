-- Adds a domain.
--
--     psql -v domain=example.com [-v digests=plain|sealed|none]
--         [-v digest_md5=yes] [-v iterations=10000]
--         [-v algorithms=MD5,SHA-256,SHA-512-256] [-v realm=R]
--         [-v localpart_rule=strict|wide] [-v non_ascii=yes]
--         -f domain-add.sql
--
-- digests: how HA1s, which SIP needs, are stored (none: no SIP); algorithms:
-- which of them; digest_md5: whether XMPP offers DIGEST-MD5; realm: the home
-- realm, where it is not the domain itself.

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-domain.sql
\ir script/domain-settings.sql

SELECT onecred.domain_define(true, :'domain', :'digests', :'digest_md5',
    :'iterations', :'algorithms', :'localpart_rule', :'non_ascii', :'realm',
    '') AS onecred_done \gset
\echo :onecred_done
