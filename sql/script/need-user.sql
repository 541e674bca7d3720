\if :{?user}
\else
DO $$ BEGIN RAISE EXCEPTION 'say which account: -v user=alice@example.com'; END $$;
\endif
