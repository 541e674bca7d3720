#!/usr/bin/python3 -B
"""
The Cyrus SASL plugin when something is wrong: PostgreSQL restarted, killed,
frozen, of another time or an impostor; a faulty configuration; a role that
somebody attacks with. Never a wrong answer, never a long wait.
"""

import base64
import os
import socket
import threading

from sasl import (BADAUTH, OK, UNAVAIL, Driver, check_canaries, configure,
                  log_lines, prepare)
from stage import case, run_cases, wait_until

TIMEOUT = 1000      # ms: onecred_timeout's default
SLACK = 1000        # ms: two busy cores


def outage(d, expected_first_ms):
    """UNAVAIL for everybody, then at once for a second."""
    for mech, user, password in (("SCRAM-SHA-256", "alice", "wonderland"),
                                 ("DIGEST-MD5", "nobody", "x"),
                                 ("SCRAM-SHA-1", "alice", "wrong")):
        codes, slowest, _ = d.login(mech, user, password)
        assert codes == {UNAVAIL: 1}, codes
        assert slowest < expected_first_ms, slowest
    codes, slowest, _ = d.login("DIGEST-MD5", "alice", "wonderland",
                                threads=8, count=5)
    assert codes == {UNAVAIL: 40} and slowest < 200, (codes, slowest)


def recovers(d):
    def good():
        return d.code("DIGEST-MD5", "alice", "wonderland") == OK
    wait_until(good, 10, "a login after the outage", 0.1)


@case("PostgreSQL restarted between two logins: nobody notices")
def restarted(stage):
    with Driver(stage) as d:
        for mode in ("fast", "immediate"):
            assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK
            stage.postgres.restart(mode)
            assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK
            assert d.code("SCRAM-SHA-256", "nobody", "x") == BADAUTH


@case("PostgreSQL killed: unavailable, never a wrong password")
def killed(stage):
    with Driver(stage) as d:
        assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK
        stage.postgres.stop("immediate")
        outage(d, TIMEOUT + SLACK)
        stage.postgres.start()
        recovers(d)
        # One line per outage, not one per login.
        assert 1 <= len(log_lines(d, "unavailable: ")) <= 2


@case("PostgreSQL frozen: no login waits longer than onecred_timeout")
def frozen(stage):
    with Driver(stage) as d, Driver(stage) as fresh:
        assert d.code("DIGEST-MD5", "alice", "wonderland") == OK
        stage.postgres.freeze()
        try:
            # Neither on a kept connection, nor in eight threads, nor when
            # connecting.
            codes, slowest, _ = d.login("DIGEST-MD5", "alice", "wonderland",
                                        threads=8)
            assert codes == {UNAVAIL: 8}, codes
            assert TIMEOUT * 0.9 < slowest < TIMEOUT + SLACK, slowest
            outage(d, 200)
            codes, slowest, _ = fresh.login("DIGEST-MD5", "alice", "x")
            assert codes == {UNAVAIL: 1}, codes
            assert TIMEOUT * 0.9 < slowest < TIMEOUT + SLACK, slowest
            configure(stage, "hasty", onecred_timeout="100")
            with Driver(stage, "hasty") as hasty:
                codes, slowest, _ = hasty.login("DIGEST-MD5", "alice", "x")
                assert codes == {UNAVAIL: 1} and slowest < 100 + SLACK
        finally:
            stage.postgres.thaw()
        recovers(d)
        recovers(fresh)


@case("a server that accepts and says nothing, or rubbish, is unavailable")
def silent_server(stage):
    for words in (b"", b"rubbish" * 100):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(5)
            taken = []

            def serve(listener=listener, taken=taken, words=words):
                try:
                    while True:
                        connection, _ = listener.accept()
                        connection.sendall(words)
                        taken.append(connection)
                except OSError:
                    pass

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            configure(stage, "mute", "host=127.0.0.1 user=x dbname=x "
                      f"port={listener.getsockname()[1]}",
                      onecred_timeout="300")
            with Driver(stage, "mute") as d:
                codes, slowest, _ = d.login("DIGEST-MD5", "alice", "x")
                assert codes == {UNAVAIL: 1} and slowest < 300 + SLACK
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for connection in taken:
                connection.close()


@case("the first of two hosts is dead or frozen: the second serves")
def two_hosts(stage):
    port = stage.postgres.port
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(50)
        for first in (f"127.0.0.1,{stage.postgres.directory}",
                      f"{stage.postgres.directory},127.0.0.1"):
            for bad in (mute.getsockname()[1], 1):
                ports = [port, port]
                ports[first.split(",").index("127.0.0.1")] = bad
                configure(stage, "two", f"host={first} dbname=onecred "
                          f"port={ports[0]},{ports[1]} user=cyrus password="
                          f"{stage.postgres.passwords['cyrus']}")
                with Driver(stage, "two") as d:
                    codes, slowest, _ = d.login("DIGEST-MD5", "alice",
                                                "wonderland")
                    assert codes == {OK: 1}, codes
                    assert slowest < TIMEOUT + SLACK
                    assert d.code("DIGEST-MD5", "alice", "wonderland") == OK


@case("the schema is of another time: unavailable, with a sentence")
def schema_range(stage):
    with Driver(stage) as d:
        stage.postgres.psql("UPDATE onecred.schema_version SET version = 99, "
                            "serves_programs_since = 99", check=True)
        try:
            assert d.code("SCRAM-SHA-256", "alice", "wonderland") == UNAVAIL
            assert log_lines(d, "schema has version 99"), d.log_text()
        finally:
            stage.postgres.psql("UPDATE onecred.schema_version SET version ="
                                " 1, serves_programs_since = 1", check=True)
        recovers(d)


@case("the plugin's role reads its own domain's lookups and nothing else")
def attacker(stage):
    tables = stage.postgres.value(
        "SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c "
        "WHERE relnamespace = 'onecred'::regnamespace "
        "AND relkind IN ('r', 'v', 'S', 'm', 'p', 'f')").split()
    assert "onecred.credential" in tables and "onecred.secret" in tables
    attempts = ["CREATE FUNCTION onecred.f() RETURNS int LANGUAGE sql AS "
                "'SELECT 1'",
                "SET ROLE onecred_admin",
                "SET SESSION AUTHORIZATION postgres"]
    for table in tables:
        attempts += [f"SELECT * FROM {table}", f"COPY {table} TO STDOUT"]
        if "seq" in table:
            continue
        attempts += [f"DELETE FROM {table}", f"TRUNCATE {table}",
                     f"LOCK TABLE {table}",
                     f"CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE "
                     "FUNCTION suppress_redundant_updates_trigger()"]
    done = stage.postgres.psql(
        "\\set ON_ERROR_STOP off\n" + "".join(
            f"\\echo {i}\nBEGIN;\n{sql};\nROLLBACK;\n\\warn {i}\n"
            for i, sql in enumerate(attempts)), role="cyrus")
    # Nothing but our numbers on standard output, one refusal each.
    assert done.stdout.split() == [str(i) for i in range(len(attempts))], \
        done.stdout
    assert done.stderr.count("ERROR:  permission denied") == len(attempts), \
        done.stderr
    # What it may call.
    functions = stage.postgres.value(
        "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc "
        "WHERE pronamespace = 'onecred'::regnamespace "
        "AND has_function_privilege('cyrus', oid, 'EXECUTE')")
    assert functions == "lookup schema_range", functions

    def lookup(domain, localpart, mechanism="SCRAM-SHA-256"):
        """found, enabled, verifier; None: the domain is not for it."""
        fields = stage.postgres.psql(
            f"SELECT onecred.lookup('{domain}', '{localpart}', "
            f"'{mechanism}')", role="cyrus").stdout.rstrip("\n").split("\t")
        return fields[6:9] if fields != [""] else None

    found, enabled, verifier = lookup("example.com", "alice")
    assert (found, enabled) == ("t", "t")
    # One verifier at a time; none of the disabled.
    assert verifier.startswith("SCRAM-SHA-256$") and verifier.count("$") == 2
    assert lookup("example.com", "carol") == ["t", "f", ""]
    assert lookup("example.com", "%") == ["f", "f", ""]
    for foreign in ("other.example.org", "plain.example.com", "", "%",
                    "*"):
        assert lookup(foreign, "alice") is None, foreign
    # Nor does a search path or a name of its own get into the function.
    assert stage.postgres.psql(
        "CREATE TEMP TABLE credential AS SELECT 'x' AS localpart; "
        "CREATE TEMP TABLE lookup_policy AS SELECT 'x' AS domain; "
        "SET search_path = pg_temp, onecred; "
        "SELECT onecred.lookup('other.example.org', 'alice', "
        "'SCRAM-SHA-1');", role="cyrus").stdout.strip() == ""


@case("a faulty configuration is unavailable, and says so without values")
def faulty(stage):
    secret = "conninfo-canary-1"
    key = stage.file("open.key", "k1 " + base64.b64encode(
        bytes(32)).decode() + "\n", mode=0o644)
    broken = stage.file("broken.key", f"k1 {secret}\n", mode=0o600)
    good = stage.postgres.conninfo("cyrus")
    for options, sentence in (
            ({"conninfo": f"password={secret} user"}, "onecred_conninfo"),
            ({"conninfo": f"password={secret} nonsense=1"},
             "onecred_conninfo"),
            ({"onecred_timeout": "soon"}, "onecred_timeout"),
            ({"onecred_timeout": "9"}, "onecred_timeout"),
            ({"onecred_timeout": "60001"}, "onecred_timeout"),
            ({"onecred_timeout": "99999999999999999999"}, "onecred_timeout"),
            ({"onecred_seal_key_file": "/nonexistent"},
             "onecred_seal_key_file"),
            ({"onecred_seal_key_file": key}, "read by everybody"),
            ({"onecred_seal_key_file": broken}, "does not hold keys"),
            ({"onecred_seal_key_file": stage.directory},
             "onecred_seal_key_file")):
        configure(stage, "faulty", **{"conninfo": good, **options})
        with Driver(stage, "faulty") as d:
            assert d.code("SCRAM-SHA-256", "alice", "wonderland") == UNAVAIL
            assert d.code("PLAIN", "alice", "wonderland") != OK
            assert log_lines(d, sentence), (options, d.log_text())
            assert secret not in d.log_text()


@case("a role whose parameters PostgreSQL may log is worth one warning")
def careless(stage):
    stage.role("chatty", "plugin", "example.com")
    stage.postgres.psql("ALTER ROLE chatty RESET ALL", check=True)
    configure(stage, "chatty", stage.postgres.conninfo("chatty"))
    for name, lines in (("chatty", 1), ("sample", 0)):
        with Driver(stage, name) as d:
            for _ in range(3):
                assert d.code("DIGEST-MD5", "alice", "wonderland") == OK
            assert len(log_lines(d, "log parameters")) == lines, name


@case("libpq never writes to standard error")
def no_stderr(stage):
    passfile = stage.file("passfile", f"*:*:*:cyrus:"
                          f"{stage.postgres.passwords['cyrus']}\n",
                          mode=0o600)
    conninfo = (f"host={stage.postgres.directory} port={stage.postgres.port} "
                f"dbname=onecred user=cyrus passfile={passfile}")
    configure(stage, "passfile", conninfo)
    with Driver(stage, "passfile") as d:
        assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK
    os.chmod(passfile, 0o644)
    home = stage.make_directory("home")
    stage.file("home/.pgpass", "*:*:*:*:x\n", mode=0o644)
    configure(stage, "nopass", conninfo.replace(f"passfile={passfile}", ""))
    # A server that sends notices with every answer.
    stage.role("noisy", "plugin", "example.com")
    stage.postgres.psql("ALTER ROLE noisy SET client_min_messages = debug5",
                        check=True)
    configure(stage, "noisy", stage.postgres.conninfo("noisy"))
    for name, code in (("passfile", UNAVAIL), ("nopass", UNAVAIL),
                       ("noisy", OK)):
        with Driver(stage, name, env={"HOME": home}) as d:
            assert d.code("SCRAM-SHA-256", "alice", "wonderland") == code
            assert all(line.startswith("log ") for line in
                       d.log_text().splitlines()), d.log_text()


@case("no password and no verifier in any log, at any level")
def canary(stage):
    check_canaries(stage)


if __name__ == "__main__":
    run_cases(__file__, prepare)
