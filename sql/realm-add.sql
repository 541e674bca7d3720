-- Adds a SIP realm to a domain, or changes the settings of one it has.
--
--     psql -v realm=R -v domain=example.com [-v algorithms=MD5,SHA-256]
--         [-v identity=domain|strict|off]
--         [-v domain_parameter='sip:example.com xmpp:example.com']
--         -f realm-add.sql
--
-- algorithms: what challenges offer; identity: whose From is accepted.

\set ON_ERROR_STOP on
\ir script/start.sql
\ir script/need-realm.sql
\ir script/need-domain.sql
\ir script/domain-settings.sql
\if :{?identity}
\else
\set identity ''
\endif
\if :{?domain_parameter}
\else
\set domain_parameter ''
\endif

SELECT onecred.realm_define(:'realm', :'domain', :'algorithms', :'identity',
    :'domain_parameter') AS onecred_done \gset
\echo :onecred_done
