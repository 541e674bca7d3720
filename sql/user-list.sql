-- Lists the accounts of one domain or of all: name, state, what they open.
--
--     psql [-v domain=example.com] -f user-list.sql

\set ON_ERROR_STOP on
\ir script/start.sql
\if :{?domain}
\else
\set domain ''
\endif

SELECT c.localpart || '@' || c.domain,
    CASE WHEN c.enabled THEN 'enabled' ELSE 'disabled' END,
    onecred.account_summary(c.domain, c.localpart)
FROM onecred.credential c
WHERE :'domain' IN ('', c.domain)
ORDER BY c.domain, c.localpart;
