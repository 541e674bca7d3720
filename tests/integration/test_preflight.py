#!/usr/bin/python3 -B
"""
onecredd -t: everything that can be wrong on the way to a daemon that starts,
is reached and answers, each told by one sentence with the command that mends
it; where that is a script, the command is run. Configuration faults are in
test_daemon.py.
"""

import os
import pwd
import re
import socket
import time

from stage import (IS_ROOT, NOBODY, Daemon, case, free_port, give_to,
                   run_cases, wait_until)

SECRET = "shared-secret-4711"
_printed = []


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)
    stage.file("radius.secret", SECRET + "\n", user=NOBODY)


def config_text(stage, conninfo=None, listen=None, extauth="", rest="",
                database=""):
    return (f"[database]\nconninfo = {conninfo or stage.postgres.conninfo()}"
            f"\n{database}\n[extauth]\nlisten = "
            f"{listen or stage.path('run') + '/extauth.sock'}\n{extauth}\n"
            f"{rest}")


def check(stage, status, *argv, mode=0o600, text=None, **parts):
    """
    onecredd -t as NOBODY must end with status; its findings as [(level,
    sentence)], which name only scripts that there are.
    """
    path = stage.file("check.conf", text or config_text(stage, **parts),
                      user=NOBODY, mode=mode)
    done = stage.run([stage.program("onecredd"), "-t", *argv, "-c", path],
                     user=NOBODY)
    _printed.append(done.stdout + done.stderr)
    assert done.returncode == status, done
    assert done.stdout == ("" if status else f"{path}: OK\n"), done
    found = []
    for line in done.stderr.splitlines():
        if line == 'WARNING: password file "/dev/null" is not a plain file':
            continue    # libpq, about PGPASSFILE of the harness
        end = re.fullmatch(rf"onecredd: {path}: not ready, errors: (\d+)",
                           line)
        if end:
            assert int(end[1]) == sum(x[0] == "error" for x in found), done
            assert status == 1
            continue
        one = re.fullmatch(r"onecredd: (note|warning|error): (.+)", line)
        assert one, line
        found.append(one.groups())
        for script in re.findall(r" -f (/\S+)", line):
            assert os.path.isfile(script), line
    return found


def only(found, level, *words):
    """There is one finding, of this level, with these words -> sentence."""
    assert len(found) == 1 and found[0][0] == level, found
    for word in words:
        assert word in found[0][1], (word, found)
    return found[0][1]


def obey(stage, sentence):
    """
    Runs the psql command at the end of a sentence as a superuser. NB: there
    is no terminal, so one that asks for a password fails.
    """
    command = re.search(r"(psql .*)$", sentence)[1]
    return stage.run(["sh", "-c", command], check=True, cwd="/",
                     env=stage.postgres.environment())


@case("nothing is wrong: OK, and not a word")
def good(stage):
    port = free_port("udp")
    rest = (f"[radius]\nlisten = 127.0.0.1:{port}\n[radius-client a]\n"
            "address = 127.0.0.1\n"
            f"secret_file = {stage.path('radius.secret')}\n"
            f"[http]\nlisten = 127.0.0.1:{free_port()}\n")
    assert check(stage, 0, rest=rest) == []
    assert os.listdir(stage.path("run")) == []


@case("no connection: server, database, role, password")
def connection(stage):
    text = only(check(stage, 1, conninfo=f"host={stage.path('run')} "
                      "dbname=onecred user=onecredd"), "error",
                "no connection", "systemctl start postgresql")
    assert "No such file" in text
    only(check(stage, 1, conninfo=stage.postgres.conninfo(
        database="nowhere")), "error", '"nowhere" does not exist',
        "createdb -E UTF8 -T template0 onecred")
    for options in ({"password": "wrong-word-1"},
                    {"role": "stranger", "password": "wrong-word-1"}):
        only(check(stage, 1, conninfo=stage.postgres.conninfo(**options)),
             "error", "password authentication failed", "role-add.sql",
             f"-v role={options.get('role', 'onecredd')} -v grant=daemon "
             "-v domain='*' -f /", "correct the password in conninfo")
    # No such role, and the server needs no password to say so.
    conninfo = stage.postgres.conninfo("nobody-there", tcp=True)
    hba = os.path.join(stage.postgres.data, "pg_hba.conf")
    with open(hba, encoding="ascii") as f:
        before = f.read()
    with open(hba, "w", encoding="ascii") as f:
        f.write("host all nobody-there 127.0.0.1/32 trust\n" + before)
    stage.postgres.reload()
    wait_until(lambda: "does not exist" in stage.postgres.psql(
        "SELECT 1", role="nobody-there",
        env={"PGHOST": "127.0.0.1"}).stderr, 10, "the new pg_hba.conf")
    sentence = only(check(stage, 1, conninfo=conninfo), "error",
                    "-v role=nobody-there", "pg_hba.conf")
    # No password led here, so none is asked for.
    obey(stage, sentence)
    assert check(stage, 0, conninfo=conninfo) == []
    assert stage.postgres.value("SELECT rolpassword IS NULL FROM pg_authid "
                                "WHERE rolname = 'nobody-there'") == "t"
    # The second host is tried when the first is not there.
    conninfo = stage.postgres.conninfo(tcp=True)
    conninfo = conninfo.replace("host=127.0.0.1 ", "host=127.0.0.1,127.0.0.1 "
                                ).replace(f"port={stage.postgres.port}",
                                          f"port={free_port()},"
                                          f"{stage.postgres.port}")
    assert check(stage, 0, conninfo=conninfo) == []


@case("a database without the schema, and one of another encoding")
def databases(stage):
    stage.create_database("empty")
    sentence = only(check(stage, 1, conninfo=stage.postgres.conninfo(
        database="empty")), "error", "has no onecred schema",
        "psql -d empty -f ")
    obey(stage, sentence)
    # Now it sees no domain: a sentence that goes on from there.
    only(check(stage, 0, conninfo=stage.postgres.conninfo(
        database="empty")), "warning", "sees no domain at all")
    stage.run(["createdb", "-E", "LATIN1", "-T", "template0", "--locale=C",
               "latin"], env=stage.postgres.environment("postgres"),
              check=True)
    only(check(stage, 1, conninfo=stage.postgres.conninfo(
        database="latin")), "error", "encoding LATIN1",
        "createdb -E UTF8 -T template0")


@case("a schema of another release")
def schema(stage):
    change = ("ALTER TABLE onecred.schema_version DROP CONSTRAINT IF EXISTS "
              "schema_version_check; "
              "UPDATE onecred.schema_version SET version = {0}, "
              "serves_programs_since = {0}")
    conninfo = stage.postgres.conninfo(database="empty")
    for version, words in ((99, "upgrade onecred on this machine"),
                           (0, "schema.sql")):
        stage.postgres.psql(change.format(version), database="empty",
                            check=True)
        only(check(stage, 1, conninfo=conninfo), "error",
             f"version {version}"
             if version == 0 else "serves programs since 99", words)
    # A lookup that went missing, as after half an upgrade.
    stage.postgres.psql(change.format(1) + "; DROP FUNCTION "
                        "onecred.daemon_lookup(text, text, text)",
                        database="empty", check=True)
    sentence = only(check(stage, 1, conninfo=conninfo), "error",
                    "cannot look up accounts", "42883", "schema.sql")
    obey(stage, sentence)
    # An older schema of our range only knows less.
    stage.postgres.psql("DROP FUNCTION onecred.visible_domains()",
                        database="empty", check=True)
    sentence = only(check(stage, 0, conninfo=conninfo), "warning",
                    "older release", "schema.sql")
    obey(stage, sentence)


@case("a role without rights, without settings, with too many rights")
def roles(stage):
    stage.postgres.psql("CREATE ROLE plain LOGIN PASSWORD 'plain-pw-1'",
                        check=True)
    stage.postgres.passwords["plain"] = "plain-pw-1"
    found = check(stage, 1, conninfo=stage.postgres.conninfo("plain"))
    assert [x[0] for x in found] == ["warning", "error"], found
    assert "may not read the schema's version" in found[1][1]
    assert "-v role=plain -v grant=daemon -v domain='*'" in found[1][1]
    obey(stage, found[1][1])
    assert check(stage, 0, conninfo=stage.postgres.conninfo("plain")) == []
    for setting in ("log_parameter_max_length", "log_min_error_statement",
                    "log_parameter_max_length_on_error"):
        # NB: the server's default of the last is 0, as it should be.
        stage.postgres.psql(
            f"ALTER ROLE onecredd SET {setting} = " + (
                "error" if "statement" in setting else "-1"), check=True)
        sentence = only(check(stage, 0), "warning", "digests among it",
                        "-v role=onecredd")
        obey(stage, sentence)
        assert check(stage, 0) == []
    stage.role("boss", "admin", domain="")
    only(check(stage, 0, conninfo=stage.postgres.conninfo("boss")),
         "warning", "administrator's", "-v role=onecred -v grant=daemon")


@case("domains that the role does not see, or cannot open")
def domains(stage):
    only(check(stage, 0, extauth="domains = example.com nowhere.org"),
         "warning", "[extauth] domains: nowhere.org", "domain=nowhere.org")
    stage.role("narrow", "daemon", domain="example.com")
    stage.script("domain-add", check=True, domain="sealed.example",
                 digests="sealed")
    conninfo = stage.postgres.conninfo("narrow")
    assert check(stage, 0, conninfo=conninfo) == []
    sentence = only(check(stage, 0, conninfo=conninfo,
                          extauth="domains = sealed.example"), "warning",
                    "the role narrow may not see it")
    obey(stage, sentence)
    only(check(stage, 0, conninfo=conninfo,
               extauth="domains = sealed.example"), "warning",
         "the digests of sealed.example are sealed", "[seal]")
    stage.script("domain-delete", check=True, domain="sealed.example")


@case("a server that does not answer is waited for as configured")
def frozen(stage):
    stage.postgres.freeze()
    try:
        start = time.monotonic()
        found = check(stage, 1, database="connect_timeout = 300ms")
        took = time.monotonic() - start
    finally:
        stage.postgres.thaw()
    only(found, "error", "did not answer in time")
    assert 0.3 <= took < 10, took


@case("the clocks of daemon and database")
def clock(stage):
    stage.create_database("skewed")
    stage.script("schema", check=True, database="skewed")
    conninfo = stage.postgres.conninfo(database="skewed")
    stage.script("domain-add", check=True, domain="example.com",
                 database="skewed")
    stage.script("role-add", check=True, database="skewed", role="onecredd",
                 grant="daemon", domain="*", password_file=stage.password_file(
                     stage.postgres.passwords["onecredd"]))
    assert check(stage, 0, conninfo=conninfo) == []
    stage.postgres.psql("""
        SET allow_system_table_mods = on;
        ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO true_clock;
        CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz
        LANGUAGE sql AS
            'SELECT pg_catalog.true_clock() + interval ''90 s''';
        """, database="skewed", check=True)
    sentence = only(check(stage, 0, conninfo=conninfo), "warning",
                    "seconds behind", "timedatectl set-ntp true")
    assert 88 <= int(re.search(r"(\d+) seconds", sentence)[1]) <= 92


@case("sockets: folder, group, users, something else in their place")
def sockets(stage):
    missing = stage.path("missing") + "/extauth.sock"
    only(check(stage, 1, listen=missing), "error",
         "install -d -o ", f"-m 0755 {os.path.dirname(missing)}",
         "(No such file or directory)")
    only(check(stage, 0, listen="/run/onecred-test-missing/extauth.sock"),
         "warning", "install -d -o ")
    only(check(stage, 1, listen="/proc/extauth.sock"), "error",
         "cannot make a socket in /proc", "chown ")
    # A group that the daemon's user is not in.
    only(check(stage, 1, extauth="group = daemon"), "error",
         "is not in the group daemon", "adduser ", " daemon")
    path = stage.file("run/plain.sock", "", user=NOBODY)
    only(check(stage, 1, listen=path), "error", "is not a socket",
         f"rm {path}")
    only(check(stage, 0, extauth="allow_users = daemon"), "warning",
         "daemon may connect, but cannot open the socket", "adduser daemon")
    assert check(stage, 0, extauth="allow_users = daemon\nmode = 0666") == []
    folder = stage.make_directory("narrow", NOBODY)
    os.chmod(folder, 0o700)
    only(check(stage, 0, listen=f"{folder}/a.sock",
               extauth="allow_users = daemon\nmode = 0666"), "warning",
         "cannot get through the folder", f"chmod 0755 {folder}")
    os.chmod(folder, 0o777)
    only(check(stage, 0, listen=f"{folder}/a.sock"), "warning",
         "everybody can replace the socket", f"chmod o-w {folder}")
    os.chmod(folder, 0o755)


@case("files that others can change")
def files(stage):
    path = stage.file("check.conf", "", user=NOBODY)
    only(check(stage, 0, mode=0o620), "warning", "configuration: ",
         f"chmod go-w {path}")
    key = stage.file("seal.key", "k1 " + "A" * 43 + "=\n", user=NOBODY,
                     mode=0o660)
    only(check(stage, 0, rest=f"[seal]\nkey_file = {key}\n"), "warning",
         "[seal] key_file: ", "mode 0660", f"chmod go-w {key}")
    os.chmod(key, 0o600)
    assert check(stage, 0, rest=f"[seal]\nkey_file = {key}\n") == []


def radius(stage, port, address="127.0.0.1"):
    return (f"[radius]\nlisten = {address}:{port}\n[radius-client a]\n"
            "address = 127.0.0.1\n"
            f"secret_file = {stage.path('radius.secret')}\n")


@case("ports: taken by another program, or not to be had")
def ports(stage):
    for kind, make in (
            (socket.SOCK_DGRAM, lambda port: radius(stage, port)),
            (socket.SOCK_STREAM,
             lambda port: f"[http]\nlisten = 127.0.0.1:{port}\n")):
        name = "udp" if kind == socket.SOCK_DGRAM else "tcp"
        with socket.socket(socket.AF_INET, kind) as other:
            port = free_port(name)
            other.bind(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                other.listen()
            if IS_ROOT:
                only(check(stage, 1, rest=make(port)), "error",
                     "taken by another program", f"ss -{name[0]}lnp "
                     f"'sport = :{port}'")
            else:
                only(check(stage, 0, rest=make(port)), "note", "not tried")
    # 192.0.2.0/24 is for documentation: no machine has it.
    only(check(stage, 1, rest=radius(stage, 1812, "192.0.2.1")), "error",
         "cannot be had", "choose an address of this machine")


@case("what a running daemon holds is not tried, and it runs on")
def running(stage):
    rest = (radius(stage, free_port("udp"))
            + f"[http]\nlisten = 127.0.0.1:{free_port()}\n")
    text = config_text(stage, rest=rest)
    with Daemon(stage, text) as daemon:
        found = check(stage, 0, text=text)
        assert [x[0] for x in found] == ["note"] * 3, found
        assert {re.match(r"\[(\w+)\]", x[1])[1] for x in found} == {
            "extauth", "http", "radius"}
        assert daemon.process.running
        assert os.path.exists(f"{stage.path('run')}/extauth.sock")


@case("-t --offline asks nobody; a socket folder that is a link is followed")
def offline(stage):
    nowhere = f"host={stage.path('run')} dbname=x user=y"
    assert check(stage, 0, "--offline", conninfo=nowhere,
                 listen="/nonexistent/extauth.sock") == []
    link = stage.path("link")
    os.symlink(stage.path("run"), link)
    assert check(stage, 0, listen=f"{link}/extauth.sock") == []
    done = stage.run([stage.program("onecredd"), "--offline"])
    assert done.returncode == 2, done


@case("as root it looks with the eyes of the user onecred, if there is one")
def become(stage):
    path = stage.file("root.conf", config_text(stage), user=None)
    argv = [stage.program("onecredd"), "-t", "-c", path]
    if not IS_ROOT:
        # Then it is whoever it is, and the file is its own.
        done = stage.run(argv)
        assert done.returncode == 0 and "as the user" not in done.stderr
        return
    # Its own /etc/passwd for this command alone: onecred, with no group.
    nobody = pwd.getpwnam(NOBODY)
    for name in ("passwd", "group"):
        with open(f"/etc/{name}", encoding="utf-8") as f:
            lines = [x for x in f if not x.startswith("onecred:")]
        if name == "passwd":
            lines.append(f"onecred:x:{nobody.pw_uid}:{nobody.pw_gid}::/:/x\n")
        stage.file(f"etc-{name}", "".join(lines), mode=0o644)
    script = (f"mount --bind {stage.path('etc-passwd')} /etc/passwd && "
              f"mount --bind {stage.path('etc-group')} /etc/group && "
              'exec "$@"')

    def inside():
        return stage.run(["unshare", "-m", "sh", "-c", script, "sh", *argv])

    done = inside()
    assert done.returncode == 1 and done.stdout == "", done
    assert "root.conf: cannot be opened: Permission denied (as the user " \
        "onecred)" in done.stderr, done
    give_to(path, NOBODY)
    done = inside()
    assert done.returncode == 0 and done.stdout == f"{path}: OK\n", done
    os.chmod(stage.path("run"), 0o555)
    done = inside()
    os.chmod(stage.path("run"), 0o755)
    assert done.returncode == 1, done
    assert "onecred cannot make a socket in" in done.stderr or \
        f"{NOBODY} cannot make a socket in" in done.stderr, done
    assert "not ready, errors: 1 (as the user onecred)" in done.stderr, done


@case("no secret was ever printed")
def canaries(stage):
    assert len(_printed) > 40
    for text in _printed:
        for secret in (SECRET, "wrong-word-1", "A" * 43,
                       *stage.postgres.passwords.values()):
            assert secret not in text, text


if __name__ == "__main__":
    run_cases(__file__, prepare)
