\if :{?domain}
\else
DO $$ BEGIN RAISE EXCEPTION 'say which domain: -v domain=example.com'; END $$;
\endif
