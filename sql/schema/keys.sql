-- A name under the secret key: the first 32 octets stand for the name in
-- notifications, the last 32 are the seed of its fakes. The key closes the
-- message as well, so that nobody can extend it; needs no extension. STABLE,
-- because convert_to() is: only so can the planner inline it.

CREATE OR REPLACE FUNCTION onecred.keyed(p_key bytea, p_domain text,
    p_localpart text)
RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha512(p_key || convert_to(p_domain || '/' || p_localpart, 'UTF8')
        || p_key)
$$;
