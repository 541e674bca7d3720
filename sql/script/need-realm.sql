\if :{?realm}
\else
DO $$ BEGIN RAISE EXCEPTION 'say which realm: -v realm=example.com'; END $$;
\endif
