-- Who may call what. Everything is taken away first, so that running
-- schema.sql again also repairs grants. A function that no line below names
-- is for onecred_admin alone.

REVOKE ALL ON SCHEMA onecred FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA onecred FROM PUBLIC, onecred_daemon,
    onecred_plugin;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA onecred FROM PUBLIC, onecred_daemon,
    onecred_plugin;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA onecred FROM PUBLIC, onecred_daemon,
    onecred_plugin;

GRANT USAGE ON SCHEMA onecred TO onecred_daemon, onecred_plugin;

GRANT SELECT ON onecred.schema_version TO onecred_daemon;
GRANT EXECUTE ON FUNCTION onecred.schema_range()
    TO onecred_daemon, onecred_plugin;
GRANT EXECUTE ON FUNCTION onecred.visible_domains() TO onecred_daemon;
GRANT EXECUTE ON FUNCTION
    onecred.daemon_lookup(text, text, text),
    onecred.daemon_lookups(text[], text[], text[]),
    onecred.daemon_realm(text),
    onecred.daemon_owner(text, text, text, text)
    TO onecred_daemon;
GRANT EXECUTE ON FUNCTION onecred.lookup(text, text, text)
    TO onecred_plugin;
GRANT EXECUTE ON FUNCTION
    onecred.account_get(text, text),
    onecred.account_set(text, text, text, text[], text[], text[], text[],
        text, bigint),
    onecred.account_enable(text, text, boolean),
    onecred.account_delete(text, text)
    TO onecred_daemon;
