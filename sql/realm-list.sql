-- Lists the realms of one domain or of all.
--
--     psql [-v domain=example.com] -f realm-list.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\if :{?domain}
\else
\set domain ''
\endif

SELECT r.realm, 'domain=' || r.domain,
    CASE WHEN r.home THEN 'home' ELSE 'further' END,
    'algorithms=' || array_to_string(r.algorithms, ','),
    'identity=' || r.identity,
    'domain_parameter=' || array_to_string(r.domain_parameter, ' ')
FROM onecred.realm r
WHERE :'domain' IN ('', r.domain)
ORDER BY r.domain, r.home DESC, r.realm;
