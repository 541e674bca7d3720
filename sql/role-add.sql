-- Makes a login role for a program or a person, or changes one.
--
--     psql -v role=R -v grant=admin|daemon|plugin|xmpp|sip|turn
--         [-v domain=example.com|*]
--         [-v password_file=F | -v keep_password=yes] -f role-add.sql
--
-- Asks for the role's password, twice, or takes it from the file; with
-- -v password_file= (empty) the role has none, for peer authentication. Only
-- a SCRAM verifier reaches the server. Run it again for a further domain, or
-- to mend grants and settings: with -v keep_password=yes the role goes on
-- with the password that it has, or with none.
-- As a superuser, best: two settings that keep digests out of the server's
-- log are not for others to make.

\set ON_ERROR_STOP on
\ir script/start.sql
\if :{?role}
\else
DO $$ BEGIN RAISE EXCEPTION 'say which role: -v role=onecredd'; END $$;
\endif
\if :{?grant}
\else
DO $$ BEGIN RAISE EXCEPTION 'say what it is for: -v grant=admin, daemon, plugin, xmpp, sip or turn'; END $$;
\endif
\if :{?domain}
\else
\set domain ''
\endif
SELECT onecred.role_refuse(:'role', :'grant', :'domain') AS onecred_void \gset

\set onecred_ask yes
\set onecred_password yes
\setenv ONECRED_PASSWORD_FILE
\if :{?password_file}
\if :{?keep_password}
DO $$ BEGIN RAISE EXCEPTION 'either -v password_file= or -v keep_password=yes'; END $$;
\endif
\setenv ONECRED_PASSWORD_FILE :password_file
SELECT :'password_file' <> '' AS onecred_ask \gset
\set onecred_password :onecred_ask
\elif :{?keep_password}
SELECT NOT :'keep_password'::boolean AS onecred_ask,
    CASE WHEN :'keep_password'::boolean THEN '' ELSE 'yes' END
        AS onecred_password \gset
\endif
\setenv ONECRED_USER :role

BEGIN;
CREATE TEMPORARY TABLE onecred_new (line text) ON COMMIT DROP;
\if :onecred_ask
\copy onecred_new from program '"${ONECRED:-onecred}" hash --role --environment' with (delimiter E'\x01')
\endif
SELECT onecred.role_load(:'role', :'grant', :'domain',
    nullif(:'onecred_password', '')::boolean) AS onecred_done \gset
COMMIT;
\echo :onecred_done
