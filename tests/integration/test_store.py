#!/usr/bin/python3 -B
"""
The store against a real PostgreSQL that is stopped, killed, frozen and locked
under load: never a wrong answer, every lookup answered once and in time, and
all well again afterwards. The lookups are made by store_driver.c.
"""

import os
import select
import signal
import socket
import subprocess
import time

from process import descendants, signal_pid
from stage import BUILD, TOP, Postgres, case, free_port, run_cases, wait_until

DRIVER = os.path.join(TOP, BUILD, "tests", "integration", "store_driver")
TIMEOUT = 1000      # ms: lookup_timeout
SLACK = 1000        # ms: two busy cores and a sanitizer
PATIENT = 20000     # ms: lookup_timeout where speed is not the question
CONNECT = 1500      # ms: connect_timeout

# Ten domains' worth of right answers; see store_driver.c.
ACCOUNTS = """
INSERT INTO onecred.credential (domain, localpart, enabled, scram_sha_256,
    ha1_md5)
SELECT 'example.com', p.name, p.enabled,
    'SCRAM-SHA-256$4096:' || encode(substr(sha256(p.name::bytea), 1, 18),
        'base64') || '$' || encode(sha256(p.name::bytea), 'base64') || ':'
        || encode(sha256(('k' || p.name)::bytea), 'base64'),
    md5(p.name)
FROM (SELECT 'user' || lpad(i::text, 6, '0') AS name, true AS enabled
    FROM generate_series(0, 999) AS i
    UNION ALL SELECT 'gone' || lpad(i::text, 6, '0'), false
    FROM generate_series(0, 999) AS i) AS p;
INSERT INTO onecred.credential_realm (domain, localpart, realm, ha1_md5)
SELECT domain, localpart, 'Second Realm', md5('second:' || localpart)
FROM onecred.credential WHERE localpart LIKE 'user%';
ANALYZE onecred.credential;
"""


class Driver:
    """One store_driver."""

    _count = 0

    def __init__(self, stage, conninfo, connections=2, timeout=TIMEOUT,
                 connect=CONNECT):
        assert os.path.exists(DRIVER), f"{DRIVER} is not built"
        Driver._count += 1
        self.log = os.path.join(stage.log_directory,
                                f"driver-{Driver._count}.log")
        file = stage.file(f"conninfo-{Driver._count}", conninfo + "\n")
        with open(self.log, "wb") as log:
            self.process = stage.spawn(
                [DRIVER, file, connections, timeout, connect],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.pipes = self.process.popen
        self.first = self.line(20)

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is not None:
            self.process.end(signal.SIGKILL)
            return
        self.pipes.stdin.close()
        status = self.process.wait(20)
        self.pipes.stdout.close()
        assert status == 0, f"the driver ended with {status}"

    def line(self, seconds):
        ready, _, _ = select.select([self.pipes.stdout], [], [], seconds)
        assert ready, "the driver does not answer"
        return self.pipes.stdout.readline().decode().strip()

    def start(self, command):
        if isinstance(command, str):
            command = command.encode()
        self.pipes.stdin.write(command + b"\n")
        self.pipes.stdin.flush()

    def finish(self, seconds=60):
        """The answer as a dictionary; numbers as int."""
        line = self.line(seconds)
        assert line, f"the driver has ended: {self.process.exit_status}"
        pairs = [word.partition("=") for word in line.split()]
        return {k: int(v) if v.lstrip("-").isdigit() else v
                for k, _, v in pairs}

    def stop(self):
        """Ends a run and returns its answer."""
        self.start("stop")
        return self.finish()

    def ask(self, command, seconds=60):
        self.start(command)
        return self.finish(seconds)

    def wait_ready(self, wanted=1, ms=15000):
        found = self.ask(f"ready {wanted} {ms}")
        assert found["ready"] == wanted, (found, self.log_text()[-2000:])
        return found

    def wait_all_ready(self, connections=2):
        """ready= counts connections; the loop has to turn meanwhile."""
        def counted():
            self.ask("run 20 1")
            return self.ask("stats")["ready"] == connections
        wait_until(counted, 15, "all connections")

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, text, seconds=10):
        """The driver's loop turns only while it runs a command."""
        def found():
            self.ask("run 50 1")
            return text in self.log_text()
        wait_until(found, seconds, f"{text!r} in the driver's log")


def prepare(stage):
    stage.database()
    stage.script("schema", check=True)
    stage.script("domain-add", check=True, domain="example.com")
    stage.script("realm-add", check=True, realm="Second Realm",
                 domain="example.com")
    stage.role("onecredd", "daemon")
    stage.postgres.psql(ACCOUNTS, check=True)


def faultless(result, timeout=TIMEOUT):
    """What must hold whatever happens to the server."""
    assert result["wrong"] == 0, result
    assert result["lost"] == 0 and result["twice"] == 0, result
    assert result["max_ms"] <= timeout + SLACK, result


def healthy(driver, ms=300, flights=32):
    """Everything is answered, and rightly."""
    result = driver.ask(f"run {ms} {flights}")
    faultless(result)
    assert result["unavailable"] == 0 and result["ok"] > flights, result


def backends(stage):
    """Pids of the servers that serve drivers."""
    return [int(p) for p in stage.postgres.value(
        "SELECT pid FROM pg_stat_activity WHERE application_name = "
        "'store_driver' AND backend_type = 'client backend' ORDER BY 1"
    ).split()]


@case("a mix of names gets the right answers")
def right_answers(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        for flights in (1, 32, 128):
            healthy(driver, 500, flights)


@case("more lookups than slots wait for their turn")
def burst(stage):
    with Driver(stage, stage.postgres.conninfo(), timeout=PATIENT) as driver:
        driver.wait_all_ready()
        result = driver.ask("burst 8000")
        faultless(result, PATIENT)
        assert result["ok"] == 8000 and result["unavailable"] == 0, result


@case("the lookups of one turn go under one sync per connection")
def one_sync(stage):
    with Driver(stage, stage.postgres.conninfo(), timeout=PATIENT) as driver:
        driver.wait_all_ready()
        result = driver.ask("burst 500")
        assert result["ok"] == 500 and result["syncs"] == 2, result


@case("TCP and a host name")
def tcp(stage):
    conninfo = stage.postgres.conninfo(tcp=True)
    with Driver(stage, conninfo) as driver:
        driver.wait_all_ready()
        healthy(driver)
    conninfo = conninfo.replace("127.0.0.1", "local.example")
    with Driver(stage, conninfo) as driver:
        driver.wait_all_ready()
        healthy(driver)
        stats = driver.ask("stats")
        assert stats["blocking"] == 0, stats


@case("fields of the answers")
def fields(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_ready()

        def status(*names):
            found = driver.ask("one " + " ".join(names))
            assert found["inside"] == 0
            return found

        found = status("user000007", "example.com", "-")
        assert found["status"] == "ok" and found["found"] == 1
        assert found["enabled"] == 1 and found["version"] > 0
        assert found["realm"] == "set" and found["scram_sha_256"] > 90
        found = status("gone000007", "example.com", "-")
        assert (found["status"], found["found"], found["enabled"]) == \
            ("ok", 1, 0)
        found = status("nobody", "example.com", "-")
        assert (found["status"], found["found"]) == ("ok", 0)
        assert status("user000007", "-", "example.com")["found"] == 1
        assert status("nobody", "-", "example.com")["found"] == 0
        assert status("x", "nowhere.example", "-")["status"] == "no-domain"
        assert status("x", "-", "nowhere.example")["status"] == "no-domain"
        assert status("x", "example.com", "zz")["status"] == "no-realm"


@case("hostile keys find nothing and hurt nobody")
def hostile(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_ready()
        before = driver.ask("stats")
        long = b"x" * 254
        for key in (b"x " + long + b" -", long + b" example.com -",
                    b"x - " + long, b"x - -", b"- example.com -",
                    b"\xff - example.com", b"x \xff\xfe -",
                    b"x - \xc3\x28", b"x - a\x01b", b"x - a\"b",
                    b"x\x7f example.com -"):
            driver.start(b"one " + key)
            found = driver.finish()
            assert found["status"] == "no-domain", (key, found)
            assert found["found"] == 0 and found["inside"] == 0
        for name in ("x'--", "x;select", "$1", "\\'", "x\"y"):
            found = driver.ask(f"one {name} example.com -")
            assert (found["status"], found["found"]) == ("ok", 0), found
        healthy(driver)
        # None of them cost the connection.
        assert driver.ask("stats")["connects"] <= before["connects"] + 1


@case("cancelled lookups are not called back, the others are")
def cancel(stage):
    with Driver(stage, stage.postgres.conninfo(), timeout=PATIENT) as driver:
        driver.wait_all_ready()
        for n in (4, 1000, 8000):
            result = driver.ask(f"cancel {n}")
            faultless(result, PATIENT)
            assert result["cancelled"] > n // 4, result
            assert result["ok"] + result["cancelled"] == n, result
        healthy(driver)
        stats = driver.ask("stats")
        assert stats["in_flight"] == 0, stats


@case("a backend is terminated, again and again, under load")
def terminate(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        driver.start("run 60000 32")
        for _ in range(10):
            # One at a time: a lookup is sent again once, not twice.
            wait_until(lambda: len(backends(stage)) == 2, 10, "2 backends")
            stage.postgres.value(
                f"SELECT pg_terminate_backend({backends(stage)[0]})")
            time.sleep(0.2)
        result = driver.stop()
        faultless(result)
        assert result["unavailable"] == 0 and result["ok"] > 1000, result
        driver.wait_all_ready()
        assert driver.ask("stats")["connects"] >= 12


@case("a query is cancelled: only it fails, its neighbours are sent again")
def cancel_backend(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        before = driver.ask("stats")["connects"]
        driver.start("run 60000 128")
        for _ in range(40):
            stage.postgres.value("SELECT count(pg_cancel_backend(pid)) FROM "
                                 "pg_stat_activity WHERE application_name = "
                                 "'store_driver'")
        result = driver.stop()
        faultless(result)
        assert result["unavailable"] <= 4 and result["ok"] > 1000, result
        assert driver.ask("stats")["connects"] == before
        assert "SQLSTATE 57014" in driver.log_text()


@case("PostgreSQL restarts under load")
def restart(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        for mode in ("fast", "immediate"):
            driver.start("run 60000 32")
            time.sleep(0.3)
            stage.postgres.restart(mode)
            time.sleep(0.3)
            result = driver.stop()
            faultless(result)
            assert result["ok"] > 100, result
            driver.wait_all_ready()
            healthy(driver)


@case("a backend crashes under load")
def crash(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        driver.start("run 60000 32")
        time.sleep(0.3)
        signal_pid(backends(stage)[0], signal.SIGKILL)
        time.sleep(1)
        result = driver.stop()
        faultless(result)
        driver.wait_all_ready()
        healthy(driver)


@case("PostgreSQL is away: UNAVAILABLE at once after a second, then heals")
def away(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        stage.postgres.stop()
        driver.wait_ready(0)
        # Within the first second a lookup waits for a connection.
        found = driver.ask("one user000001 example.com -")
        assert found["status"] == "unavailable", found
        assert found["ms"] <= TIMEOUT + SLACK, found
        result = driver.ask("run 1200 4")
        faultless(result)
        assert result["ok"] == 0, result
        found = driver.ask("one user000001 example.com -")
        assert found["status"] == "unavailable", found
        assert found["ms"] < 200 and found["inside"] == 0, found
        stage.postgres.start()
        driver.wait_all_ready()
        healthy(driver)
        # However many attempts there were.
        assert driver.log_text().count("error: ") <= 8, driver.log_text()


@case("a short outage costs no answer: lookups in flight are sent again")
def short_outage(stage):
    with Driver(stage, stage.postgres.conninfo(), timeout=PATIENT) as driver:
        driver.wait_all_ready()
        victims = backends(stage)
        # Frozen, so that all of them are in flight when the end comes.
        stage.postgres.freeze()
        driver.start("burst 2000")
        time.sleep(0.3)
        for pid in victims:
            signal_pid(pid, signal.SIGTERM)
        stage.postgres.thaw()
        result = driver.finish()
        faultless(result, PATIENT)
        assert result["ok"] == 2000, result
        assert "connection lost" in driver.log_text(), driver.log_text()


@case("PostgreSQL is frozen: in time, no new lookups, and it thaws")
def frozen(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        driver.start("run 60000 16")
        time.sleep(0.3)
        stage.postgres.freeze()
        time.sleep(1.8)
        stage.postgres.thaw()
        time.sleep(0.5)
        result = driver.stop()
        faultless(result)
        assert result["unavailable"] > 0 and result["ok"] > 100, result
        driver.wait_all_ready()
        healthy(driver)
        # Short enough that nothing was closed.
        assert "is silent" not in driver.log_text(), driver.log_text()


@case("PostgreSQL is frozen for long: closed, and connected again")
def frozen_long(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        stage.postgres.freeze()
        result = driver.ask("run 6000 16")
        faultless(result)
        assert result["ok"] == 0 and result["gap_ms"] < 500, result
        assert "is silent" in driver.log_text(), driver.log_text()
        found = driver.ask("one user000001 example.com -")
        assert found["status"] == "unavailable" and found["ms"] < 200, found
        stage.postgres.thaw()
        driver.wait_all_ready()
        healthy(driver)


@case("one backend is frozen: the other connection goes on")
def one_frozen(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        victim = backends(stage)[0]
        driver.start("run 2000 16")
        time.sleep(0.3)
        signal_pid(victim, signal.SIGSTOP)
        result = driver.finish()
        faultless(result)
        # No more than what it held when it froze.
        assert result["unavailable"] <= 32 and result["ok"] > 500, result
        signal_pid(victim, signal.SIGCONT)
        driver.wait_all_ready()
        healthy(driver)


@case("a locked table: in time, and well afterwards")
def locked(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        driver.start("run 60000 16")
        stage.postgres.psql("BEGIN; LOCK TABLE onecred.credential IN ACCESS "
                            "EXCLUSIVE MODE; SELECT pg_sleep(1.5); COMMIT;",
                            check=True)
        time.sleep(0.5)
        result = driver.stop()
        faultless(result)
        assert result["unavailable"] > 0 and result["ok"] > 100, result
        driver.wait_all_ready()
        healthy(driver)


@case("conninfo that is none: refused, and not quoted")
def bad_conninfo(stage):
    for text in ("host=", "password=canary tulip", "nonsense=canary",
                 "host=a,b port=1,2,3 password=canary",
                 "host=a hostaddr=1.2.3.4,1.2.3.5 password=canary",
                 "postgresql://u:canary@[x", "host='canary"):
        with Driver(stage, text) as driver:
            if text == "host=":
                assert driver.first == "started"
                continue
            assert driver.first == "refused", text
            log = driver.log_text()
            assert "conninfo" in log and "canary" not in log, log
            assert "tulip" not in log, log


@case("a refused password: said once, without the password")
def refused_password(stage):
    conninfo = stage.postgres.conninfo(password="canary-tulip")
    with Driver(stage, conninfo) as driver:
        result = driver.ask("run 2500 2")
        faultless(result)
        assert result["ok"] == 0 and result["unavailable"] > 0, result
        log = driver.log_text()
        assert "password authentication failed" in log, log
        assert "canary" not in log and "tulip" not in log, log
        assert log.count("error: ") <= 2, log


@case("no schema: said how to get it, and served once it is there")
def no_schema(stage):
    stage.create_database("other")
    conninfo = stage.postgres.conninfo(database="other")
    with Driver(stage, conninfo) as driver:
        result = driver.ask("run 1500 2")
        faultless(result)
        assert result["ok"] == 0, result
        assert "run sql/schema.sql" in driver.log_text(), driver.log_text()
        assert not driver.ask("stats")["connects"]
        stage.script("schema", check=True, database="other")
        stage.postgres.psql("INSERT INTO onecred.consumer SELECT 'onecredd', "
                            "'*' ON CONFLICT DO NOTHING", database="other",
                            check=True)
        driver.wait_ready()
        found = driver.ask("one user000001 example.com -")
        assert found["status"] == "no-domain", found
        # Dropped under a prepared statement: nobody is told "unknown".
        stage.postgres.psql("DROP SCHEMA onecred CASCADE", database="other",
                            check=True)
        found = driver.ask("one user000001 example.com -")
        assert found["status"] == "unavailable", found
        driver.wait_ready(0)


@case("a schema out of range")
def schema_range(stage):
    def version(number, since):
        stage.postgres.psql(f"UPDATE onecred.schema_version SET version = "
                            f"{number}, serves_programs_since = {since}",
                            check=True)

    try:
        version(99, 98)
        with Driver(stage, stage.postgres.conninfo()) as driver:
            result = driver.ask("run 1500 2")
            faultless(result)
            assert result["ok"] == 0, result
            log = driver.log_text()
            assert "version 99" in log and "upgrade this program" in log, log
            # Newer, but it says that it still serves us.
            version(99, 1)
            driver.wait_all_ready()
            healthy(driver)
    finally:
        version(1, 1)


@case("several hosts: one refuses, one is silent, one is not resolved")
def several_hosts(stage):
    port, closed = stage.postgres.port, free_port()
    rest = stage.postgres.conninfo(tcp=True).split(" ", 2)[2]
    with Driver(stage, f"host=127.0.0.1,127.0.0.1 port={closed},{port} "
                       f"{rest}") as driver:
        driver.wait_all_ready()
        healthy(driver)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = silent.getsockname()[1]
        with Driver(stage, f"host=127.0.0.1,local.example port={mute},{port} "
                           f"{rest}", connect=400) as driver:
            driver.wait_all_ready()
            healthy(driver)
            assert f"no answer from 127.0.0.1 port {mute}" in \
                driver.log_text(), driver.log_text()
    with Driver(stage, f"host=slow.example,127.0.0.1 port={closed},{port} "
                       f"{rest}", connect=500) as driver:
        found = driver.wait_ready()
        assert found["gap_ms"] < 500, found
        driver.wait_all_ready()
        healthy(driver)
        assert driver.ask("stats")["blocking"] == 0
    # A socket directory beside an address.
    directory = stage.postgres.directory
    with Driver(stage, f"host={directory},127.0.0.1 port={closed},{port} "
                       f"{rest}") as driver:
        driver.wait_all_ready()
        healthy(driver)


@case("target_session_attrs picks the primary")
def session_attributes(stage):
    second = Postgres(stage, "second")
    second.configure(default_transaction_read_only="on")
    second.start()
    second.psql("SET default_transaction_read_only = off;\n"
                "CREATE DATABASE onecred;\nCREATE ROLE onecredd LOGIN "
                f"PASSWORD '{stage.postgres.passwords['onecredd']}'",
                database="postgres", check=True)
    rest = stage.postgres.conninfo(tcp=True).split(" ", 2)[2]
    with Driver(stage, f"host=127.0.0.1,127.0.0.1 port={second.port},"
                       f"{stage.postgres.port} {rest} "
                       "target_session_attrs=read-write") as driver:
        driver.wait_all_ready()
        healthy(driver)
        log = driver.log_text()
        assert f"connected to 127.0.0.1 port {stage.postgres.port}" in log
        assert f"connected to 127.0.0.1 port {second.port}" not in log
    second.end()


@case("a name that is resolved slowly does not stop the loop")
def slow_name(stage):
    rest = stage.postgres.conninfo(tcp=True).split(" ", 1)[1]
    with Driver(stage, f"host=slow.example {rest}", connect=300) as driver:
        before = driver.ask("stats")["threads"]
        result = driver.ask("run 2500 2")
        faultless(result)
        assert result["ok"] == 0 and result["gap_ms"] < 500, result
        stats = driver.ask("stats")
        # However often it was tried (five times or so): one thread for each
        # connection, and ThreadSanitizer's own.
        assert before < stats["threads"] <= before + 3, (before, stats)
        assert stats["blocking"] == 0, stats
        assert "host slow.example: no address yet" in driver.log_text()


@case("descriptors stay the same over 100 reconnects")
def descriptors(stage):
    with Driver(stage, stage.postgres.conninfo(), connections=4) as driver:
        driver.wait_all_ready(4)
        before = driver.ask("stats")
        for _ in range(25):
            stage.postgres.value(
                "SELECT count(pg_terminate_backend(pid)) FROM "
                "pg_stat_activity WHERE application_name = 'store_driver'")
            driver.wait_ready(0, 2000)
            driver.wait_all_ready(4)
            # Every connection answers once: its backoff begins anew.
            result = driver.ask("burst 64")
            faultless(result)
        after = driver.ask("stats")
        assert after["connects"] >= before["connects"] + 100, after
        assert after["fds"] == before["fds"], (before, after)
        assert after["threads"] == before["threads"], (before, after)


@case("bind parameters in the server's log: warned about once")
def log_settings(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        assert "bind parameters" not in driver.log_text(), driver.log_text()
    stage.postgres.psql("ALTER ROLE onecredd SET log_parameter_max_length "
                        "= -1", check=True)
    try:
        with Driver(stage, stage.postgres.conninfo()) as driver:
            driver.wait_all_ready()
            stage.postgres.value(
                "SELECT count(pg_terminate_backend(pid)) FROM "
                "pg_stat_activity WHERE application_name = 'store_driver'")
            driver.wait_ready(0, 2000)
            driver.wait_all_ready()
            assert driver.log_text().count("bind parameters") == 1
    finally:
        stage.postgres.psql("ALTER ROLE onecredd SET "
                            "log_parameter_max_length = 0", check=True)


@case("questions: a realm's policy")
def realm_policy(stage):
    stage.script("realm-add", check=True, realm="Third Realm",
                 domain="example.com", algorithms="SHA-256,MD5",
                 identity="strict",
                 domain_parameter="sip:example.com xmpp:example.com")
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_ready()
        for asked, answer in (
                ("example.com", "example.com|example.com|MD5|domain|"),
                ("EXAMPLE.com", "example.com|example.com|MD5|domain|"),
                ("nowhere.example", "")):
            found = driver.ask(f"ask realm {asked}")
            assert found == {"status": "ok", "inside": 0,
                             "answer": answer}, found
        stage.postgres.psql("UPDATE onecred.realm SET realm = 'third' "
                            "WHERE realm = 'Third Realm'", check=True)
        found = driver.ask("ask realm third")
        assert found["answer"] == ("third|example.com|SHA-256,MD5|strict|"
                                   "sip:example.com,xmpp:example.com"), found


@case("questions: whose URI is this")
def owner(stage):
    for user in ("alice", "bob"):
        stage.postgres.psql(
            "INSERT INTO onecred.credential (domain, localpart, "
            f"scram_sha_256, ha1_md5) SELECT domain, '{user}', scram_sha_256,"
            " ha1_md5 FROM onecred.credential WHERE localpart = 'user000001'",
            check=True)
    for user, uri in (("alice", "tel:+4930123"), ("alice", "4711"),
                      ("alice", "sip:Office@example.net"),
                      ("bob", "tel:+4930456")):
        stage.script("alias-add", check=True, user=f"{user}@example.com",
                     uri=uri)
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_ready()
        for user, host, answer in (
                ("+4930123", "-", "alias"), ("+4930123", "example.com",
                                             "alias"),
                ("+4930123", "example.net", "none"),
                ("4711", "example.com", "alias"), ("4711", "-", "alias"),
                ("office", "example.net", "alias"),
                ("office", "example.com", "none"),
                ("bob", "example.com", "account"),
                ("bob", "example.net", "none"),
                ("+4930456", "example.com", "account"),
                ("+4930456", "-", "account"), ("+4930999", "-", "none"),
                ("alice", "example.com", "account"),
                ("-", "example.com", "none"), ("'", "\"", "none")):
            found = driver.ask(f"ask owner example.com alice {user} {host}")
            assert found["answer"] == answer, (user, host, found)
        found = driver.ask(b"ask owner example.com alice \xff example.com")
        assert found["status"] == "refused", found


@case("questions go among the lookups, and a failing one hurts none of them")
def questions_under_load(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        result = driver.ask("mix 500 64")
        faultless(result)
        assert result["unavailable"] == 0, result
        assert result["asked"] == result["told"] > 20, result
        before = driver.ask("stats")["connects"]
        stage.postgres.psql("ALTER FUNCTION onecred.daemon_realm(text) "
                            "RENAME TO gone", check=True)
        result = driver.ask("mix 500 64")
        stage.postgres.psql("ALTER FUNCTION onecred.gone(text) "
                            "RENAME TO daemon_realm", check=True)
        assert result["told"] == 0 and result["unavailable"] == 0, result
        assert result["wrong"] == 0 and result["ok"] > 64, result
        assert driver.ask("stats")["connects"] == before
        assert "SQLSTATE 42883" in driver.log_text()


@case("questions while PostgreSQL is away")
def questions_away(stage):
    with Driver(stage, stage.postgres.conninfo()) as driver:
        driver.wait_all_ready()
        stage.postgres.stop()
        driver.wait_ready(0)
        found = driver.ask("ask realm example.com")
        assert found["status"] == "unavailable" and not found["answer"], found
        stage.postgres.start()
        driver.wait_ready()
        assert driver.ask("ask realm example.com")["status"] == "ok"


@case("no verifier and no password in any log of the driver")
def logs(stage):
    password = stage.postgres.passwords["onecredd"]
    hashes = stage.postgres.value(
        "SELECT ha1_md5 FROM onecred.credential LIMIT 5").split()
    texts = 0
    for name in os.listdir(stage.log_directory):
        if not name.startswith("driver-"):
            continue
        texts += 1
        with open(os.path.join(stage.log_directory, name),
                  encoding="utf-8", errors="replace") as f:
            text = f.read()
        for secret in (password, "canary", "SCRAM-SHA-256$", *hashes):
            assert secret not in text, (name, text)
    assert texts > 0


if __name__ == "__main__":
    run_cases(__file__, prepare)
