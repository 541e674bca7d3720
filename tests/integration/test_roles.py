#!/usr/bin/python3 -B
"""
Database roles: what role-add.sql makes of them, and that whoever gets hold of
one (a hole in an XMPP server, say) learns and changes nothing beyond what
that program needs, and nothing of another domain.
"""

import re

from rows import account_set, ha1, scram
from stage import case, run_cases

TABLES = ("credential", "credential_realm", "domain", "realm", "consumer",
          "secret", "fake_profile", "alias", "lookup_policy")
ATTACKERS = ("plugin", "xmpp", "sip", "turn", "daemon")


def prepare(stage):
    stage.database(log_statement="'all'", log_min_duration_statement="0")
    stage.script("schema", check=True)
    for domain in ("example.com", "other.example"):
        stage.script("domain-add", check=True, domain=domain,
                     digest_md5="yes")
        stage.script("user-add", check=True, user=f"alice@{domain}",
                     password_file=stage.password_file("wonderland"))
    for grant in ATTACKERS:
        stage.role(f"r_{grant}", grant, "example.com")
    stage.role("r_all", "daemon", "*")
    stage.role("r_boss", "admin", "")
    stage.postgres.psql("CREATE ROLE r_nobody LOGIN PASSWORD 'pw-r_nobody'",
                        check=True)
    stage.postgres.passwords["r_nobody"] = "pw-r_nobody"


def ask(stage, role, sql):
    return stage.postgres.psql(sql, role=role)


def denied(stage, role, sql):
    done = ask(stage, role, sql)
    assert done.returncode == 3, (role, sql, done)
    assert "permission denied" in done.stderr or \
        "you may not" in done.stderr or \
        "must be" in done.stderr, (role, sql, done.stderr)


@case("no role of a program reads a table")
def no_tables(stage):
    for role in [f"r_{g}" for g in ATTACKERS] + ["r_all", "r_nobody"]:
        tries = [f"{verb} onecred.{table}{rest}" for table in TABLES
                 for verb, rest in (
                     ("SELECT * FROM", ""), ("SELECT count(*) FROM", ""),
                     ("DELETE FROM", ""), ("COPY", " TO STDOUT"),
                     ("TRUNCATE", ""), ("CREATE TEMP TABLE x AS TABLE", ""))]
        tries += ["SELECT nextval('onecred.version_seq')",
                  "CREATE TABLE onecred.mine (x int)",
                  "SET ROLE onecred_admin"]
        done = ask(stage, role, "\\set ON_ERROR_STOP 0\n" +
                   ";\n".join(tries) + ";")
        assert done.stdout == "", (role, done)
        assert done.stderr.count("permission denied") == len(tries), \
            (role, done.stderr)


@case("nobody but onecred_admin may execute more than it was given")
def functions(stage):
    allowed = {
        "onecred_plugin": {"lookup", "schema_range"},
        "onecred_daemon": {"daemon_lookup", "daemon_lookups", "daemon_realm",
                           "daemon_owner", "schema_range", "account_get",
                           "account_set", "account_enable", "account_delete",
                           "visible_domains"},
        "onecred_xmpp": set(), "onecred_sip": set(), "onecred_turn": set(),
        "r_nobody": set()}
    for role, names in allowed.items():
        got = set(stage.postgres.value(
            "SELECT coalesce(string_agg(DISTINCT proname, ' '), '') FROM "
            "pg_proc WHERE pronamespace = 'onecred'::regnamespace AND "
            f"has_function_privilege('{role}', oid, 'EXECUTE')").split())
        assert got == names, (role, got)
    # Every function that runs with more rights has a fixed search_path.
    bare = stage.postgres.value(
        "SELECT coalesce(string_agg(proname, ' '), '') FROM pg_proc "
        "WHERE pronamespace = 'onecred'::regnamespace AND prosecdef AND "
        "NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'],"
        " false)")
    assert bare == "", bare
    owners = stage.postgres.value(
        "SELECT string_agg(DISTINCT pg_get_userbyid(proowner), ' ') FROM "
        "pg_proc WHERE pronamespace = 'onecred'::regnamespace")
    assert owners == "onecred_admin", owners


@case("the plugin: one verifier at a time, of its own domain")
def plugin(stage):
    def lookup(localpart, mechanism, domain="example.com", role="r_plugin"):
        done = ask(stage, role, f"SELECT onecred.lookup('{domain}', "
                   f"'{localpart}', '{mechanism}')")
        assert done.returncode == 0, done
        fields = done.stdout.rstrip("\n").split("\t")
        # found, enabled, home realm, verifier, fake salt, seed
        return [fields[i] for i in (6, 7, 5, 8, 10, 11)] \
            if fields != [""] else None

    for n in ("1", "256", "512"):
        row = lookup("alice", f"SCRAM-SHA-{n}")
        assert row[:3] == ["t", "t", "example.com"], row
        assert row[3].startswith(f"SCRAM-SHA-{n}$10000:"), row
    assert re.fullmatch("[0-9a-f]{32}", lookup("alice", "DIGEST-MD5")[3])
    unknown = lookup("nobody", "SCRAM-SHA-1")
    assert unknown[:5] == ["f", "f", "example.com", "", "24"]
    assert re.fullmatch("[0-9a-f]{64}", unknown[5])
    assert lookup("alice", "SCRAM-SHA-1", "other.example") is None
    assert lookup("alice", "SCRAM-SHA-1", "unknown.example") is None
    done = ask(stage, "r_plugin",
               "SELECT * FROM onecred.lookup('example.com', 'alice', 'X')")
    assert done.returncode == 3 and "mechanism" in done.stderr
    # Disabled, or SIP has a password of its own, or not served: nothing.
    stage.script("user-disable", check=True, user="alice@example.com")
    assert lookup("alice", "SCRAM-SHA-1")[:4] == ["t", "f", "example.com", ""]
    assert lookup("alice", "DIGEST-MD5")[3] == ""
    stage.script("user-enable", check=True, user="alice@example.com")
    stage.script("user-password", check=True, user="alice@example.com",
                 service="sip",
                 password_file=stage.password_file("sip only 1"))
    assert lookup("alice", "DIGEST-MD5")[3] == ""
    assert lookup("alice", "SCRAM-SHA-1")[3] != ""
    stage.script("user-password", check=True, user="alice@example.com",
                 password_file=stage.password_file("wonderland"))
    stage.script("domain-set", check=True, domain="example.com",
                 digest_md5="no")
    assert lookup("alice", "DIGEST-MD5")[3] == ""
    for sql in ("SELECT onecred.daemon_lookups('{example.com}', '{alice}', "
                "'{NULL}')",
                "SELECT onecred.daemon_lookup('example.com', 'alice', NULL)",
                account_set("example.com", "alice"),
                "SELECT onecred.account_delete('example.com', 'alice')",
                "SELECT onecred.account_enable('example.com', 'alice', "
                "false)"):
        denied(stage, "r_plugin", sql)


@case("the daemon: lookups and writing, in its domains only")
def daemon(stage):
    def lookup(role, domain, realm="NULL"):
        done = ask(stage, role, f"SELECT onecred.daemon_lookup({domain}, "
                   f"'alice', {realm})")
        assert done.returncode == 0, done
        many = ask(stage, role, f"SELECT onecred.daemon_lookups(ARRAY["
                   f"{domain}]::text[], '{{alice}}', ARRAY[{realm}]::text[])")
        assert many.stdout == done.stdout, (done, many)
        return done.stdout.strip()

    assert lookup("r_daemon", "'example.com'").startswith("example.com\t")
    assert lookup("r_daemon", "NULL", "'example.com'") != ""
    assert lookup("r_daemon", "'other.example'") == ""
    assert lookup("r_daemon", "NULL", "'other.example'") == ""
    assert "SCRAM" in lookup("r_all", "'other.example'")
    for sql in (account_set("other.example", "alice"),
                "SELECT onecred.account_delete('other.example', 'alice')",
                "SELECT onecred.account_enable('other.example', 'alice', "
                "false)", account_set("unknown.example", "alice")):
        denied(stage, "r_daemon", sql)
    assert ask(stage, "r_all",
               account_set("other.example", "zoe")).returncode == 0
    assert ask(stage, "r_daemon",
               account_set("example.com", "zoe")).returncode == 0
    # A daemon's role is not an administrator's.
    done = stage.script("user-show", as_role="r_all",
                        user="alice@example.com")
    assert done.returncode == 3 and done.stdout == "", done
    # What it is to know of the schema.
    assert ask(stage, "r_daemon", "SELECT version, serves_programs_since "
               "FROM onecred.schema_version").stdout == "1|1\n"
    assert ask(stage, "r_plugin", "SELECT * FROM onecred.schema_range()"
               ).stdout == "1|1\n"


@case("limits go by the login role, whatever SET ROLE says")
def session(stage):
    stage.postgres.psql("GRANT r_all TO r_daemon; GRANT r_daemon TO r_plugin",
                        check=True)
    for role in ("r_all", "onecred_daemon"):
        done = ask(stage, "r_daemon", f"SET ROLE {role}; SELECT "
                   "onecred.daemon_lookups('{other.example}', '{alice}', "
                   "'{NULL}')")
        assert done.stdout.strip() == "", done
        # Not even the realms of another domain, or who is an alias there.
        for call in ("daemon_realm('other.example')", "daemon_owner("
                     "'other.example', 'alice', 'alice', 'other.example')"):
            done = ask(stage, "r_daemon", f"SET ROLE {role}; SELECT "
                       f"onecred.{call}")
            assert done.stdout.strip() == "", (call, done)
    done = ask(stage, "r_daemon", "SELECT onecred.daemon_owner('example.com',"
               " 'alice', 'alice', 'other.example')")
    assert done.stdout.strip() == "none", done
    denied(stage, "r_daemon", "SET ROLE r_all; " +
           account_set("other.example", "alice"))
    stage.postgres.psql("REVOKE r_all FROM r_daemon; "
                        "REVOKE r_daemon FROM r_plugin", check=True)


@case("functions of the attacker's own are not called by ours")
def shadowing(stage):
    stage.postgres.psql("CREATE SCHEMA trap AUTHORIZATION r_daemon",
                        check=True)
    trap = """SET search_path = trap, pg_catalog;
        CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'trapped'; END$$;
        CREATE FUNCTION trap.octet_length(text) RETURNS int LANGUAGE plpgsql
            AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$;
        CREATE TEMPORARY TABLE credential (x int);
        SELECT onecred.daemon_lookups('{example.com}', '{alice}',
            '{EXAMPLE.com}')
            <> '';"""
    done = ask(stage, "r_daemon", trap + account_set("example.com", "zoe"))
    assert done.returncode == 0 and done.stdout.startswith("t\n"), done


@case("LISTEN tells an outsider nothing")
def listening(stage):
    done = ask(stage, "r_nobody", "LISTEN onecred;")
    assert done.returncode == 0
    done = stage.postgres.psql("LISTEN onecred;" + account_set(
        "example.com", "canaryname", values={
            "scram_sha_1": scram(1),
            ("ha1_md5", "example.com", "local"): ha1()}) + ";")
    payloads = re.findall(r'payload "([^"]*)"', done.stdout)
    assert payloads and "canaryname" not in "".join(payloads)
    assert "example" not in "".join(payloads)
    # Nor can it be guessed: the same name has another hash in a fresh schema.
    stage.create_database("second")
    stage.script("schema", check=True, database="second")
    keys = [stage.postgres.value(
        "SELECT encode(substr(onecred.keyed(key, 'example.com', "
        "'canaryname'), 1, 32), 'hex') FROM onecred.secret", database=d)
        for d in ("onecred", "second")]
    assert keys[0] == payloads[0].split()[0] and keys[0] != keys[1]


@case("role-add: settings, passwords, running it again")
def role_add(stage):
    def settings(role):
        return stage.postgres.value(
            "SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting "
            f"WHERE setrole = '{role}'::regrole")

    for role in ("r_daemon", "r_plugin", "r_boss", "r_sip"):
        text = settings(role)
        for word in ("log_parameter_max_length=0",
                     "log_parameter_max_length_on_error=0",
                     "log_min_error_statement=panic"):
            assert word in text.split(), (role, text)
    assert stage.postgres.value(
        "SELECT bool_and(rolpassword ~ '^SCRAM-SHA-256[$]4096:' AND rolcanlogin"
        " AND NOT rolsuper AND NOT rolcreaterole) FROM pg_authid "
        "WHERE rolname ~ '^r_' AND rolname <> 'r_nobody'") == "t"
    # Again: a further domain, another password, nothing lost.
    done = stage.role("r_sip", "sip", "other.example")
    assert "example.com, other.example" in done.stdout, done
    assert ask(stage, "r_sip", "SELECT 1").returncode == 0
    done = stage.script("role-add", role="peer", grant="daemon", domain="*",
                        password_file="")
    assert done.returncode == 0 and "no password" in done.stdout
    assert stage.postgres.value("SELECT rolpassword IS NULL FROM pg_authid "
                                "WHERE rolname = 'peer'") == "t"
    # keep_password: mended, with the password it has, or with none.
    before = stage.postgres.value(
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'r_sip'")
    stage.postgres.psql("ALTER ROLE r_sip RESET ALL; ALTER ROLE peer RESET "
                        "ALL", check=True)
    for role, grant in (("r_sip", "sip"), ("peer", "daemon")):
        done = stage.script("role-add", role=role, grant=grant, domain="*",
                            keep_password="yes")
        assert done.returncode == 0 and "as it was" in done.stdout, done
        assert "log_min_error_statement=panic" in settings(role)
    assert stage.postgres.value("SELECT rolpassword FROM pg_authid WHERE "
                                "rolname = 'r_sip'") == before
    assert stage.postgres.value("SELECT rolpassword IS NULL FROM pg_authid "
                                "WHERE rolname = 'peer'") == "t"
    stage.postgres.psql("DELETE FROM onecred.consumer WHERE role = 'r_sip' "
                        "AND domain = '*'", check=True)
    # A dropped role's successor does not inherit its domains.
    stage.postgres.psql("DROP ROLE peer", check=True)
    stage.script("role-add", check=True, role="peer", grant="daemon",
                 domain="example.com", password_file="")
    assert stage.postgres.value("SELECT string_agg(domain, ' ') FROM "
                                "onecred.consumer WHERE role = 'peer'"
                                ) == "example.com"


@case("role-add: refusals")
def role_refusals(stage):
    f = stage.password_file("role-password-1")
    for variables, word in (
            ({"role": "x", "grant": "king", "domain": "*"}, "grant is"),
            ({"role": "x", "grant": "daemon"}, "-v domain="),
            ({"role": "x", "grant": "plugin"}, "-v domain="),
            ({"role": "x", "grant": "admin", "domain": "*"}, "all domains"),
            ({"role": "x", "grant": "sip", "domain": "no.example"},
             "no such domain"),
            ({"role": "onecred_daemon", "grant": "daemon", "domain": "*"},
             "not a name"),
            ({"role": "pg_monitor", "grant": "daemon", "domain": "*"},
             "not a name"),
            ({"role": "postgres", "grant": "daemon", "domain": "*"},
             "superuser"),
            ({"role": "", "grant": "daemon", "domain": "*"}, "not a name")):
        done = stage.script("role-add", password_file=f, **variables)
        assert done.returncode == 3 and word in done.stderr, (variables, done)
    for variables, word in (
            ({"keep_password": "yes"}, "no role x whose password"),
            ({"keep_password": "maybe"}, "boolean"),
            ({"keep_password": "yes", "password_file": f}, "either")):
        done = stage.script("role-add", role="x", grant="sip", domain="*",
                            **variables)
        assert done.returncode == 3 and word in done.stderr, (variables, done)
    done = stage.script("role-add", role="x", grant="sip", domain="*",
                        password_file=stage.password_file("short"))
    assert done.returncode == 3 and "8" in done.stderr, done
    assert stage.postgres.value("SELECT count(*) FROM pg_roles "
                                "WHERE rolname = 'x'") == "0"


@case("an administrator who is no superuser runs the scripts")
def boss(stage):
    f = stage.password_file("wonderland")
    for name, variables in (
            ("domain-add", {"domain": "boss.example"}),
            ("user-add", {"user": "al@boss.example", "password_file": f}),
            ("user-password", {"user": "al@boss.example", "password_file": f,
                               "service": "sip"}),
            ("realm-add", {"realm": "Boss", "domain": "boss.example"}),
            ("user-show", {"user": "al@boss.example"}),
            ("user-delete", {"user": "al@boss.example"}),
            ("domain-delete", {"domain": "boss.example"})):
        done = stage.script(name, as_role="r_boss", **variables)
        assert done.returncode == 0, (name, done)
    # Making roles is not in his power until somebody gives it to him; and
    # what only a superuser can set is said.
    done = stage.script("role-add", as_role="r_boss", role="r_new",
                        grant="daemon", domain="*", password_file=f)
    assert done.returncode == 3 and "r_new" in done.stderr, done
    stage.postgres.psql("ALTER ROLE r_boss CREATEROLE", check=True)
    done = stage.script("role-add", as_role="r_boss", role="r_new",
                        grant="daemon", domain="*", password_file=f)
    assert done.returncode == 0, done
    assert "only a superuser can set log_parameter_max_length" in done.stderr
    assert "onecred_daemon" in done.stdout
    # And a stranger gets nowhere.
    done = stage.script("user-list", as_role="r_nobody")
    assert done.returncode == 3 and "not an administrator" in done.stderr


@case("neither role passwords nor their verifiers are in the server's log")
def log(stage):
    text = stage.postgres.log_text()
    for password in stage.postgres.passwords.values():
        if password != "pw-r_nobody":
            assert password not in text, password
    verifiers = stage.postgres.psql(
        "SET log_statement = 'none'; SET log_min_duration_statement = -1;\n"
        "SELECT right(rolpassword, 44) FROM pg_authid WHERE rolname ~ '^r_'",
        check=True).stdout.split()
    assert len(verifiers) > 6
    for verifier in verifiers:
        assert verifier not in text
    assert "role_load" in text


if __name__ == "__main__":
    run_cases(__file__, prepare)
