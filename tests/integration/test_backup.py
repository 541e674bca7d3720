#!/usr/bin/python3 -B
"""
README.md, "Backup and restore" and "Upgrading": its commands as they stand. A
dump goes into a fresh cluster and every door logs in again, unknown names look
as before, and roles can do no more than before. A newer schema comes in while
daemons of the release before answer; one that serves them no longer makes
them answer "unavailable", not "wrong".
"""

import os
import re
import shutil
import threading
import time

import sasl
from postgres import Postgres
from radius import Client, digest, rfc5090
from readme import commands, run_commands
from stage import (Daemon, Extauth, NOBODY, case, free_port, run_cases,
                   wait_until)

SECRET = "a-32-octet-or-longer-shared-secret!"
CONFIG = """[database]
conninfo = {conninfo}
# While a schema comes in a table may be locked for a moment.
lookup_timeout = 3s

[extauth]
listen = {door}/extauth.sock

[saslauthd]
listen = {door}/saslauthd.sock
mode = 0666

[radius]
listen = 127.0.0.1:{port}

[radius-client all]
address = 127.0.0.1
secret_file = {secret}
"""

# Who, password, and whether it opens XMPP and SIP.
LOGINS = [("alice", "wonderland", True, True),
          ("alice", "wonderlanD", False, False),
          ("bob", "pass:word:1", False, False),         # disabled
          ("carol", "pass:word:1", True, False),        # SIP has its own
          ("carol", "sip:word:1", False, True),
          ("nobody-here", "wonderland", False, False)]


def prepare(stage):
    stage.basic()
    for name in ("bob", "carol"):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file("pass:word:1"))
    stage.script("user-disable", check=True, user="bob@example.com")
    stage.script("user-password", check=True, user="carol@example.com",
                 service="sip",
                 password_file=stage.password_file("sip:word:1"))
    stage.script("domain-add", check=True, domain="other.example")
    stage.script("user-add", check=True, user="alice@other.example",
                 password_file=stage.password_file("looking-glass"))
    stage.script("realm-add", check=True, realm="sip.example.com",
                 domain="example.com")
    stage.role("cyrus", "plugin", "example.com")
    stage.role("narrow", "daemon", "example.com")
    stage.role("boss", "admin", "")
    stage.make_directory("door", NOBODY)
    stage.secret = stage.file("radius.secret", SECRET + "\n", user=NOBODY)
    stage.first = stage.postgres


def daemon(stage, role="onecredd", postgres=None):
    stage.port = free_port("udp")
    d = Daemon(stage, CONFIG.format(
        conninfo=(postgres or stage.postgres).conninfo(role),
        door=stage.path("door"), port=stage.port, secret=stage.secret))
    d.wait_log("database: connected")
    return d


def extauth(stage, user, password, domain="example.com"):
    with Extauth.connect(stage.path("door/extauth.sock")) as helper:
        return helper.request(f"auth:{user}:{domain}:{password}".encode())


def radius(stage, user, password, algorithm="MD5", timeout=5):
    with Client(stage.port, SECRET, timeout=timeout) as client:
        fields = digest(user, password, "example.com", algorithm,
                        nonce=os.urandom(12).hex())
        return client.login([(1, user.encode()), *rfc5090(fields)])


def check_doors(stage):
    """Every door, every kind of login."""
    for user, password, xmpp, sip in LOGINS:
        what = (user, password)
        assert extauth(stage, user, password) == (
            Extauth.TRUE if xmpp else Extauth.FALSE), what
        done = stage.run(["testsaslauthd", "-u", user, "-p", password, "-s",
                          "xmpp", "-r", "example.com", "-f",
                          stage.path("door/saslauthd.sock")], user=NOBODY)
        assert ("OK " in done.stdout) is xmpp, (what, done.stdout)
        for algorithm in ("MD5", "SHA-256"):
            reply = radius(stage, user, password, algorithm)
            assert reply and reply.accepted is sip, (what, algorithm, reply)
    assert extauth(stage, "alice", "looking-glass", "other.example") == \
        Extauth.TRUE
    sasl.configure(stage)
    with sasl.Driver(stage) as driver:
        for mechanism in sasl.SCRAMS:
            for user, password, xmpp, _ in LOGINS:
                code = driver.code(mechanism, user, password)
                assert code == (sasl.OK if xmpp else sasl.BADAUTH), \
                    (mechanism, user, code)


# Everything but what a restore may change (none of it).
TABLES = ("schema_version", "secret", "domain", "realm", "credential",
          "credential_realm", "consumer", "fake_profile", "alias",
          "lookup_policy")


def contents(postgres):
    return {table: postgres.value(f"SELECT coalesce(string_agg(t::text, "
                                  f"E'\\n' ORDER BY t::text), '') "
                                  f"FROM onecred.{table} t")
            for table in TABLES}


def fakes(postgres):
    """What a client is shown of accounts that do not exist."""
    return postgres.value(
        "SELECT string_agg(onecred.lookup('example.com', 'nobody-' || i, "
        "'SCRAM-SHA-256'), E'\\n' ORDER BY i) FROM generate_series(1, 50) i",
        role="cyrus").splitlines()


def shell(stage, heading, postgres, folder, sql=None):
    """
    The README's commands below that heading, here; the scripts are those of
    the folder sql. PG* say which cluster it is about, as they would there.
    """
    text = commands(heading).replace(
        "/usr/local/share/onecred/sql",
        sql or os.path.dirname(stage.sql("schema")))
    done, told = run_commands(stage, text, cwd=folder,
                              env=postgres.environment("postgres",
                                                       "postgres"))
    assert done.returncode == 0, done.stderr
    return done, told


@case("backup: the README's commands; what they write is for one user alone")
def backup(stage):
    stage.daemon = daemon(stage)
    check_doors(stage)
    stage.daemon.stop()
    stage.folder = stage.make_directory("backup")
    shell(stage, "Backup", stage.postgres, stage.folder)
    names = sorted(os.listdir(stage.folder))
    assert names == ["onecred.dump", "roles.sql"], names
    for name in names:
        mode = os.stat(os.path.join(stage.folder, name)).st_mode & 0o777
        assert mode == 0o600, (name, oct(mode))
    stage.before = contents(stage.postgres)
    stage.fakes = fakes(stage.postgres)
    assert len(set(stage.fakes)) == 50


@case("restore into a fresh cluster: all rows, and every door logs in again")
def restore(stage):
    second = Postgres(stage, "restored")
    second.start()
    second.passwords = stage.first.passwords
    done, _ = shell(stage, "Restore", second, stage.folder)
    assert done.stderr.count("ERROR") == 1 and \
        'role "postgres" already exists' in done.stderr, done.stderr
    # NB: the first one down, so that nothing below is answered by it.
    stage.first.stop()
    stage.postgres = second
    assert second.value("SHOW server_encoding") == "UTF8"
    assert contents(second) == stage.before
    stage.daemon = daemon(stage)
    check_doors(stage)


@case("restored: unknown names look as they did before")
def same_fakes(stage):
    assert fakes(stage.postgres) == stage.fakes


@case("restored: roles keep their passwords, settings, domains and limits")
def roles(stage):
    settings = ("SELECT string_agg(rolname || rolconfig::text, ' ' "
                "ORDER BY rolname) FROM pg_roles WHERE rolname IN "
                "('onecredd', 'cyrus', 'narrow', 'boss')")
    value = stage.postgres.value
    assert value(settings).count("log_parameter_max_length=0") == 4
    for role in ("onecredd", "cyrus", "narrow"):
        done = stage.postgres.psql("SELECT * FROM onecred.credential",
                                   role=role)
        assert "permission denied" in done.stderr, (role, done)
    assert value("SELECT count(*) FROM onecred.credential",
                 role="boss") == "4"
    stage.daemon.stop()
    narrow = daemon(stage, "narrow")
    assert extauth(stage, "alice", "wonderland") == Extauth.TRUE
    assert extauth(stage, "alice", "looking-glass", "other.example") != \
        Extauth.TRUE
    narrow.stop()


@case("restored: an administrator goes on working, by script")
def administrator(stage):
    done = stage.script("user-password", as_role="boss",
                        user="alice@example.com",
                        password_file=stage.password_file("after-restore"))
    assert done.returncode == 0, done.stderr
    stage.daemon = daemon(stage)
    assert extauth(stage, "alice", "after-restore") == Extauth.TRUE
    assert extauth(stage, "alice", "wonderland") == Extauth.FALSE
    stage.script("user-password", check=True, user="alice@example.com",
                 password_file=stage.password_file("wonderland"))
    stage.daemon.stop()


@case("roles that cannot be dumped: made again, as the README says")
def without_roles(stage):
    third = Postgres(stage, "without-roles")
    third.start()
    stage.postgres.stop()
    stage.postgres = third
    stage.create_database("empty")
    stage.script("schema", database="empty", check=True)
    third.psql("DROP DATABASE empty;", database="postgres", check=True)
    for role in ("onecredd", "cyrus"):
        stage.run(["createuser", role], check=True,
                  env=third.environment("postgres"))
    folder = stage.make_directory("backup-without-roles")
    shutil.copy(os.path.join(stage.folder, "onecred.dump"), folder)
    stage.file("backup-without-roles/roles.sql", "")
    shell(stage, "Restore", third, folder)
    stage.role("onecredd", "daemon")
    stage.role("cyrus", "plugin", "example.com")
    stage.daemon = daemon(stage)
    check_doors(stage)
    assert fakes(third) == stage.fakes


# Upgrading: a release that does not exist yet.

def current_version(stage):
    return int(stage.postgres.value(
        "SELECT version FROM onecred.schema_version"))


def next_release(stage, serves=None):
    """
    A copy of the scripts with one migration more, a new column and a function
    more; serves: its serves_programs_since, as it is unless given.
    """
    version = current_version(stage) + 1
    folder = stage.path(f"next-{version}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.dirname(stage.sql("schema")), folder)
    path = os.path.join(folder, "schema.sql")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text, found = re.subn(r"(:onecred_version >) \d+ (AS onecred_newer)",
                          rf"\1 {version} \2", text)
    assert found == 1 and "RESET ROLE;\nCOMMIT;" in text
    text = text.replace("RESET ROLE;\nCOMMIT;", f"""
SELECT :onecred_version < {version} AS onecred_migrate_next \\gset
\\if :onecred_migrate_next
ALTER TABLE onecred.credential ADD COLUMN next_{version} text;
CREATE FUNCTION onecred.next_{version}() RETURNS text LANGUAGE sql AS
    $$ SELECT 'of the next release' $$;
UPDATE onecred.schema_version SET version = {version}{
    "" if serves is None else f", serves_programs_since = {serves}"};
\\endif
RESET ROLE;
COMMIT;""")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(folder, 0o755)
    return folder, version


def upgrade(stage, folder):
    _, told = shell(stage, "Upgrading", stage.postgres, folder, folder)
    assert told == ["restart onecredd"], told


class Load:
    """Logins through two doors for as long as it lasts."""

    def __init__(self, stage):
        self.stage = stage
        self.wrong = []
        self.count = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(one,))
                         for one in (self._extauth, self._radius)]

    def _run(self, one):
        while not self._stop.is_set():
            try:
                one()
            except (AssertionError, OSError) as e:
                self.wrong.append(repr(e))
            self.count += 1

    def _extauth(self):
        for password, answer in (("wonderland", Extauth.TRUE),
                                 ("wonderlanD", Extauth.FALSE)):
            got = extauth(self.stage, "alice", password)
            assert got == answer, (password, got)

    def _radius(self):
        for password, good in (("wonderland", True), ("wonderlanD", False)):
            reply = radius(self.stage, "alice", password)
            assert reply and reply.accepted is good, (password, reply)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


@case("the next schema comes in under load: not one login is lost")
def upgrade_under_load(stage):
    folder, version = next_release(stage)
    if not stage.daemon.process.running:
        stage.daemon = daemon(stage)
    with Load(stage) as load:
        wait_until(lambda: load.count > 50, 20)
        upgrade(stage, folder)
        seen = load.count
        wait_until(lambda: load.count > seen + 50, 20)
    assert load.wrong == [], (len(load.wrong), load.count, load.wrong[:5])
    assert current_version(stage) == version


@case("it may be run again; the schema.sql of the release before refuses")
def upgrade_again(stage):
    version = current_version(stage)
    upgrade(stage, stage.path(f"next-{version}"))
    assert current_version(stage) == version
    done = stage.script("schema")
    assert done.returncode == 3 and "newer onecred schema" in done.stderr, \
        done
    assert extauth(stage, "alice", "wonderland") == Extauth.TRUE


@case("the programs of the release before start, reconnect and administrate")
def older_programs(stage):
    stage.daemon.stop()
    stage.daemon = daemon(stage)
    check_doors(stage)
    stage.postgres.restart()
    wait_until(lambda: extauth(stage, "alice", "wonderland") == Extauth.TRUE,
               20)
    stage.script("user-password", check=True, user="alice@example.com",
                 password_file=stage.password_file("wonderland"))
    assert extauth(stage, "alice", "wonderland") == Extauth.TRUE


@case("backup and restore of the newer schema, too")
def newer_backup(stage):
    folder = stage.make_directory("backup-newer")
    shell(stage, "Backup", stage.postgres, folder)
    stage.before = contents(stage.postgres)
    version = current_version(stage)
    stage.daemon.stop()
    stage.postgres.stop()
    fourth = Postgres(stage, "restored-newer")
    fourth.start()
    fourth.passwords = stage.first.passwords
    shell(stage, "Restore", fourth, folder, stage.path(f"next-{version}"))
    stage.postgres = fourth
    assert contents(fourth) == stage.before
    stage.daemon = daemon(stage)
    check_doors(stage)


@case("a schema that serves these programs no longer: unavailable, not wrong")
def out_of_range(stage):
    version = current_version(stage) + 1
    folder, version = next_release(stage, serves=version)
    upgrade(stage, folder)
    # Connections that are open go on; the next one asks for the range.
    since = len(stage.daemon.log_text())
    stage.postgres.psql("SELECT pg_terminate_backend(pid) FROM "
                        "pg_stat_activity WHERE usename = 'onecredd'",
                        check=True)
    wait_until(lambda: extauth(stage, "alice", "wonderland") ==
               Extauth.FAILURE, 20)
    for password in ("wonderland", "wonderlanD"):
        assert extauth(stage, "alice", password) == Extauth.FAILURE
        assert radius(stage, "alice", password, timeout=2) is None
    stage.daemon.wait_log("upgrade this program", since=since)
    assert f"version {version} and serves programs since {version}" in \
        stage.daemon.log_text()[since:]


@case("it does serve them again: the same daemon answers, without a restart")
def recovered(stage):
    stage.postgres.psql("UPDATE onecred.schema_version SET "
                        "serves_programs_since = 1", check=True)
    start = time.monotonic()
    wait_until(lambda: extauth(stage, "alice", "wonderland") == Extauth.TRUE,
               40)
    print(f"# answered again after {time.monotonic() - start:.1f} s")
    check_doors(stage)
    stage.daemon.stop()


if __name__ == "__main__":
    run_cases(__file__, prepare)
