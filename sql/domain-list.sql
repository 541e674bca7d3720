-- Lists the domains with their policies and numbers of accounts.
--
--     psql -f domain-list.sql

\set ON_ERROR_STOP on
\ir script/start.sql

SELECT d.domain, 'accounts=' || (SELECT count(*) FROM onecred.credential c
        WHERE c.domain = d.domain),
    'realm=' || (SELECT r.realm FROM onecred.realm r
        WHERE r.domain = d.domain AND r.home),
    'digests=' || d.digests,
    'algorithms=' || coalesce(nullif(concat_ws(',',
        CASE WHEN d.store_md5 THEN 'MD5' END,
        CASE WHEN d.store_sha_256 THEN 'SHA-256' END,
        CASE WHEN d.store_sha_512_256 THEN 'SHA-512-256' END), ''), 'none'),
    'digest_md5=' || CASE WHEN d.digest_md5 THEN 'yes' ELSE 'no' END,
    'iterations=' || d.iterations,
    'localpart_rule=' || d.localpart_rule,
    'non_ascii=' || CASE WHEN d.non_ascii THEN 'yes' ELSE 'no' END
FROM onecred.domain d ORDER BY d.domain;
