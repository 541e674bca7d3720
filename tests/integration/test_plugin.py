#!/usr/bin/python3 -B
"""
The Cyrus SASL plugin in real libsasl2: Cyrus' own programs, and a client and
a server in one process (sasl_driver.c). Who gets in and who does not, in one
process, in many, and in many threads.
"""

import base64
import os
import pty
import re
import select
import subprocess
import time

from sasl import (BADAUTH, DRIVER, FAIL, LATIN_1, NOMECH, NON_ASCII, NOUSER, OK,
                  SCRAMS, UNAVAIL, Driver, add_domain, check_canaries,
                  configure, environment, log_lines, prepare, sasl_path)
from stage import TOP, case, find_program, run_cases, wait_until


@case("the library exports sasl_auxprop_plug_init and nothing else")
def one_symbol(stage):
    done = stage.run(["nm", "-D", "--defined-only", "--format=posix",
                      f"{sasl_path(stage)}/libonecred.so"], check=True)
    symbols = [line.split()[0] for line in done.stdout.splitlines()]
    assert symbols == ["sasl_auxprop_plug_init"], symbols
    done = stage.run(["readelf", "-d", f"{sasl_path(stage)}/libonecred.so"],
                     check=True)
    assert "libsasl2" not in done.stdout


@case("the man page names every option, and no other")
def man_page(_stage):
    with open(os.path.join(TOP, "plugin", "plugin_options.c"),
              encoding="utf-8") as f:
        read = set(re.findall(r'option_get\(utils,\s*"(\w+)"\)', f.read()))
    with open(os.path.join(TOP, "plugin", "onecred-sasl.8"),
              encoding="utf-8") as f:
        told = set(re.findall(r"^\.It Cm (onecred_\w+)$", f.read(), re.M))
    assert read == told and len(read) == 3, (read, told)


@case("other layouts of sasl_utils_t and older libraries are refused")
def abi(stage):
    done = stage.run([DRIVER, "abi", f"{sasl_path(stage)}/libonecred.so"],
                     env=environment(stage))
    assert done.stdout == "right 0 newer 0 older -23 shrunk -23 other -23\n", \
        (done.stdout, done.stderr)


@case("right, wrong, unknown, disabled, without a verifier")
def passwords(stage):
    with Driver(stage) as d:
        for mech in (*SCRAMS, "DIGEST-MD5"):
            assert d.code(mech, "alice", "wonderland") == OK, mech
            assert d.code(mech, "bob", "pass:word:1") == OK, mech
            assert d.code(mech, "olga", NON_ASCII) == OK, mech
            # All that is not right fails at the same step in one way.
            for user, password in (
                    ("alice", "wonderlane"), ("nobody", "wonderland"),
                    ("carol", "carolcarol"), ("dave", "davedavedave"),
                    ("bob", "pass"), ("a.b-c_d", "wonderland")):
                assert d.code(mech, user, password) == BADAUTH, (mech, user)
        for mech in SCRAMS:
            assert d.code(mech, "latin", LATIN_1) == OK
            assert d.code(mech, "sip", "sipsipsip") == OK
        # RFC 2831 clients hash Latin-1 where they can; SIP never does.
        assert d.code("DIGEST-MD5", "latin", LATIN_1) == BADAUTH
        # An HA1 of another password never stands for the account's.
        assert d.code("DIGEST-MD5", "sip", "another1") == BADAUTH
        assert d.code("DIGEST-MD5", "sip", "sipsipsip") == BADAUTH


@case("names: @domain, capitals, foreign domains, outside the grammar")
def names(stage):
    with Driver(stage) as d:
        codes, _, name = d.login("SCRAM-SHA-256", "alice@example.com",
                                 "wonderland")
        assert (codes, name) == ({OK: 1}, "alice@example.com")
        assert d.code("SCRAM-SHA-256", "Alice@Example.COM",
                      "wonderland") == OK
        assert d.code("SCRAM-SHA-256", "ALICE", "wonderland") == OK
        # The hash is over the name as typed.
        assert d.code("DIGEST-MD5", "Alice", "wonderland") == BADAUTH
        for foreign in ("alice@other.example.org", "alice@evil.example",
                        "alice@example.com@other.example.org"):
            assert d.code("SCRAM-SHA-256", foreign, "otherworld") == NOUSER
        for strange in ("al ice", "al\x01ice", "\u00e4lice", "x" * 65, "-a",
                        "anonymous", "alice'--", "%s%n", "alice\\"):
            for mech in ("SCRAM-SHA-256", "DIGEST-MD5"):
                assert d.code(mech, strange, "wonderland") in (
                    NOUSER, BADAUTH), strange
    with Driver(stage, realm="other.example.org") as d:
        # Not this role's domain: there, but not for it.
        assert d.code("SCRAM-SHA-256", "alice", "otherworld") == NOUSER
    configure(stage, "all", stage.postgres.conninfo("cyrusall"))
    with Driver(stage, "all") as d:
        # There, and for this role, but not what the application asked for.
        assert d.code("SCRAM-SHA-256", "alice@other.example.org",
                      "otherworld") == NOUSER
    with Driver(stage, "all", realm="other.example.org") as d:
        assert d.code("SCRAM-SHA-256", "alice", "otherworld") == OK
        assert d.code("SCRAM-SHA-256", "alice", "wonderland") == BADAUTH


@case("an application without a realm: the name's domain, or the host's")
def no_realm(stage):
    with Driver(stage, realm="-", fqdn="example.com") as d:
        for user in ("alice", "alice@example.com"):
            assert d.code("SCRAM-SHA-256", user, "wonderland") == OK
        assert d.code("SCRAM-SHA-256", "alice@other.example.org",
                      "otherworld") == NOUSER
    with Driver(stage, realm="-", fqdn="srv.example.net") as d:
        assert d.code("SCRAM-SHA-256", "alice", "wonderland") == NOUSER
        assert d.code("SCRAM-SHA-256", "alice@example.com",
                      "wonderland") == OK


@case("-PLUS with channel binding")
def plus(stage):
    with Driver(stage) as d:
        for mech in SCRAMS:
            assert d.code(f"{mech}-PLUS", "alice", "wonderland",
                          binding=True) == OK
            assert d.code(f"{mech}-PLUS", "alice", "wrong",
                          binding=True) == BADAUTH


@case("accounts made by user-add.sql, a home realm that is not the domain")
def scripts(stage):
    add_domain(stage, "example.net", realm="Home", non_ascii="yes")
    configure(stage, "all", stage.postgres.conninfo("cyrusall"))
    for user, password in (("rose", "r0se:r0se"), ("vera", NON_ASCII)):
        stage.script("user-add", check=True, user=f"{user}@example.net",
                     password_file=stage.password_file(password))
        with Driver(stage, "all", realm="example.net") as d:
            for mech in SCRAMS:
                assert d.code(mech, user, password) == OK, (mech, user)
            # No client can answer in the realm that the hash is of.
            assert d.code("DIGEST-MD5", user, password) == NOMECH
            assert log_lines(d, "home realm")


@case("an authorization identity needs no second lookup and gives no rights")
def authzid(stage):
    with Driver(stage) as d:
        codes, _, name = d.login("SCRAM-SHA-256", "alice", "wonderland",
                                 authzid="alice")
        assert (codes, name) == ({OK: 1}, "alice@example.com")
        assert d.code("SCRAM-SHA-256", "alice", "wonderland",
                      authzid="bob") not in (OK, UNAVAIL)


@case("DIGEST-MD5 is served only where the domain allows it")
def digest_policy(stage):
    configure(stage, "all", stage.postgres.conninfo("cyrusall"))
    with Driver(stage, "all", realm="plain.example.com") as d:
        assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK
        for user in ("alice", "nobody"):
            assert d.code("DIGEST-MD5", user, "wonderland") == NOMECH
    with Driver(stage, "all") as d:
        assert d.code("DIGEST-MD5", "alice", "wonderland") == OK


@case("mechanisms that are not ours find nobody; ANONYMOUS never gets in")
def other_mechanisms(stage):
    configure(stage, "free", mech_list=None, pwcheck_method=None)
    with Driver(stage, "free") as d:
        assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK
        for mech in ("ANONYMOUS", "CRAM-MD5", "PLAIN", "LOGIN", "NTLM",
                     "SCRAM-SHA-224", "SCRAM-SHA-384"):
            code = d.code(mech, "alice", "wonderland")
            assert code not in (OK, UNAVAIL), (mech, code)
        assert d.code("PLAIN", "alice", "") not in (OK, UNAVAIL)


@case("an application that does not configure it hears nothing of it")
def unconfigured(stage):
    stage.file("sasl/silent.conf", "log_level: 7\nmech_list: SCRAM-SHA-256\n")
    stage.file("sasl/named.conf", "log_level: 7\nmech_list: SCRAM-SHA-256\n"
               "auxprop_plugin: onecred\n")
    for name in ("silent", "named", "nofile"):
        with Driver(stage, name) as d:
            code = d.code("SCRAM-SHA-256", "alice", "wonderland")
            # sasldb answers where no plugin is named; its file may be there,
            # and closed to an ordinary user.
            assert code in (NOUSER, NOMECH, FAIL), code
        assert "onecred" not in d.log_text(), d.log_text()
    # Neither does the log of the system, where init failures go. (Alone:
    # Cyrus' sql plugin does complain there.)
    done = stage.run(["strace", "-f", "-e", "trace=connect", DRIVER,
                      "silent", "example.com"],
                     env={**environment(stage),
                          "SASL_PATH": sasl_path(stage)})
    assert "exited with 0" in done.stderr, done.stderr
    assert "/dev/log" not in done.stderr, done.stderr


def fake_challenge(stage, user, mech="SCRAM-SHA-256"):
    """The server's first message to user, from sasl-sample-server."""
    server = start_sample_server(stage, mech)
    try:
        expect(server.stdout, b"S: ")       # the list of mechanisms
        first = f"n,,n={user},r=0123456789abcdef".encode()
        server.stdin.write(b"C: " + base64.b64encode(
            mech.encode() + b"\0" + first) + b"\n")
        server.stdin.flush()
        return base64.b64decode(expect(server.stdout, b"S: "))
    finally:
        server.kill()
        server.wait()


@case("fakes: stable salts, and nothing to tell them by")
def fakes(stage):
    shapes = set()
    for user in ("alice", "nobody", "carol", "dave"):
        salts = set()
        for _ in range(2):
            parts = dict(p.split("=", 1) for p in
                         fake_challenge(stage, user).decode().split(","))
            salts.add(parts["s"])
        assert len(salts) == 1, user
        shapes.add((len(salts.pop()), parts["i"]))
    assert len(shapes) == 1, shapes


def start_sample_server(stage, mech, name="sample"):
    plugins = environment(stage)
    return subprocess.Popen(
        ["stdbuf", "-oL", find_program("sasl-sample-server"), "-p",
         plugins["SASL_PATH"], "-s", "xmpp", "-d", "srv.example.com", "-u",
         "example.com", "-m", mech],
        env={**os.environ, **plugins, "LC_ALL": "C.UTF-8"}, bufsize=0,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)


def expect(stream, start, timeout=20):
    """The rest of the next line that begins with start."""
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        assert left > 0 and select.select([stream], [], [], left)[0], start
        line = stream.readline()
        assert line, f"the program ended before {start}"
        if line.startswith(start):
            return line[len(start):].strip()


def sample_login(stage, mech, user, password):
    """sasl-sample-client against sasl-sample-server: what both said."""
    server = start_sample_server(stage, mech)
    # The client asks for the password on its terminal.
    master, terminal = pty.openpty()
    client = subprocess.Popen(
        ["stdbuf", "-oL", find_program("sasl-sample-client"), "-s", "xmpp",
         "-n", "srv.example.com", "-a", user, "-u", user, "-m", mech],
        env={**os.environ, "LC_ALL": "C.UTF-8"}, bufsize=0,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=terminal,
        start_new_session=True, preexec_fn=lambda: take_terminal(terminal))
    os.close(terminal)
    streams = {server.stdout: (b"S: ", client.stdin),
               client.stdout: (b"C: ", server.stdin)}
    said = b""
    end = time.monotonic() + 30
    try:
        while True:
            assert time.monotonic() < end, said
            ready = select.select([master, *streams], [], [], 1)[0]
            if master in ready:
                try:
                    asked = os.read(master, 4096)
                except OSError:
                    asked = b""     # the client has gone
                    said += client.stdout.read()
                    return said.decode(errors="replace")
                if b"assword" in asked:
                    os.write(master, password.encode() + b"\n")
            for stream in ready:
                if stream == master:
                    continue
                line = stream.readline()
                said += line
                start, to = streams[stream]
                if not line or b"Username: " in line and b"@" in line:
                    return said.decode(errors="replace")
                if line.startswith(start):
                    to.write(line)
    finally:
        for process in (client, server):
            process.kill()
            process.wait()
        os.close(master)


def take_terminal(terminal):
    import fcntl
    import termios
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@case("Cyrus' sample server and client, every mechanism")
def samples(stage):
    for mech in (*SCRAMS, "DIGEST-MD5"):
        said = sample_login(stage, mech, "alice", "wonderland")
        assert "Username: alice@example.com" in said, (mech, said)
        said = sample_login(stage, mech, "alice", "wonderlane")
        assert "Username: alice@example.com" not in said and \
            "authentication failure" in said, (mech, said)


def connections(stage, role="cyrus"):
    return int(stage.postgres.value(
        f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'"))


@case("one connection per process: threads, forks before and after it")
def processes(stage):
    with Driver(stage) as d:
        # Nothing is connected at init: the first children do it themselves.
        assert connections(stage) == 0
        codes, _, _ = d.login("DIGEST-MD5", "alice", "wonderland",
                              processes=4, threads=8, count=50)
        assert codes == {OK: 1600}, codes
        assert connections(stage) == 0
        codes, _, _ = d.login("DIGEST-MD5", "alice", "wonderland",
                              threads=8, count=100)
        assert codes == {OK: 800}, codes
        assert connections(stage) == 1
        pid = stage.postgres.value("SELECT pid FROM pg_stat_activity "
                                   "WHERE usename = 'cyrus'")
        # The parent's connection outlives its children, who never use it.
        codes, _, _ = d.login("DIGEST-MD5", "alice", "wonderland",
                              processes=4, threads=8, count=50)
        assert codes == {OK: 1600}, codes
        codes, _, _ = d.login("DIGEST-MD5", "alice", "nope", processes=4)
        assert codes == {BADAUTH: 4}, codes
        assert d.code("DIGEST-MD5", "alice", "wonderland") == OK
        assert stage.postgres.value(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'cyrus'") == pid
        assert "onecred" not in d.log_text()
    wait_until(lambda: connections(stage) == 0, what="goodbye")


@case("forks while threads are in the middle of lookups")
def storm(stage):
    with Driver(stage) as d:
        assert d.code("DIGEST-MD5", "alice", "wonderland") == OK
        answer = d.ask("storm", 50, 8, 300, "DIGEST-MD5", "alice", "",
                       "wonderland")
        assert answer.startswith(f"{OK}={8 * 300 + 50} ms="), answer
        assert connections(stage) == 1


@case("libsasl2 is ended and begun again and again: nothing is left behind")
def again(stage):
    with Driver(stage) as d:
        d.code("DIGEST-MD5", "alice", "wonderland")
        before = int(d.ask("fds"))
        for _ in range(20):
            d.ask("again")
            assert d.code("DIGEST-MD5", "alice", "wonderland") == OK
        assert int(d.ask("fds")) == before
        assert len(os.listdir(f"/proc/{d.process.pid}/task")) == 1


@case("no password and no verifier in any log, at any level")
def canary(stage):
    check_canaries(stage)


if __name__ == "__main__":
    run_cases(__file__, prepare)
