#!/usr/bin/python3 -B
"""
Cyrus SASL's saslauthd protocol (CYRUS.md 3.2), asked octet by octet, by
testsaslauthd and by libsasl2 itself. Every connection is answered: OK, NO, or
00 00 for what nobody knows, which libsasl2 takes for SASL_FAIL.
"""

import os
import socket
import struct
import signal
import subprocess
import threading
import time

from handover import ConnectedDaemon as Daemon, HandedSocket
from sasl import BADAUTH, OK as SASL_OK, Driver, add_account, configure
from stage import NOBODY, case, run_cases, wait_until

OK, NO, UNKNOWN = b"\0\2OK", b"\0\2NO", b"\0\0"
SASL_FAIL = -1
CANARY = "Canary-7f3a"
COLONS = "se:cr:et:12"
UMLAUT = "p\u00e4ssw\u00f6rd"
LONG = "0123456789abcde" * 17       # 255 octets

# STANDARDS 7.2.
VECTOR = bytes.fromhex("0005616c696365000a776f6e6465726c616e640004786d7070"
                       "000b6578616d706c652e636f6d")
FIFTH = bytes.fromhex("000e3139322e302e322e313b35323232")


def socket_path(stage):
    return f"{stage.path('run')}/saslauthd.sock"


def config_text(stage, extra=""):
    return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 1s\n"
            f"[saslauthd]\nlisten = {socket_path(stage)}\nmode = 0666\n"
            f"{extra}\n[log]\nlevel = debug\n")


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)
    stage.script("domain-add", check=True, domain="example.net")
    for name, domain, password in (("dora", "example.com", "wonderland"),
                                   ("alice", "example.net", "looking-glass"),
                                   ("canary", "example.com", CANARY)):
        stage.script("user-add", check=True, user=f"{name}@{domain}",
                     password_file=stage.password_file(password))
    stage.script("user-disable", check=True, user="dora@example.com")
    # Passwords that an import brings.
    for name, password in (("carol", COLONS), ("uma", UMLAUT),
                           ("lola", LONG)):
        add_account(stage, name, password)
    add_account(stage, "erik", "wonderland", scram_sha_1=None,
                scram_sha_256=None, scram_sha_512=None, ha1_md5=None)


def fields(*texts):
    octets = [t if isinstance(t, bytes) else t.encode() for t in texts]
    return b"".join(struct.pack(">H", len(o)) + o for o in octets)


class Peer:
    """One connection to the door."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(timeout)

    def send(self, octets):
        self.socket.sendall(octets)

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self):
        """All there is until the end of the stream."""
        data = b""
        while piece := self.socket.recv(4096):
            data += piece
        return data

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def ask_raw(path, octets):
    with Peer(path) as peer:
        peer.send(octets)
        return peer.receive()


def ask(stage, login, password, realm="example.com", service="xmpp"):
    return ask_raw(socket_path(stage),
                   fields(login, password, service, realm))


def testsaslauthd(stage, login, password, realm="example.com"):
    return stage.run(
        ["testsaslauthd", "-u", login, "-p", password, "-s", "xmpp", "-r",
         realm, "-f", socket_path(stage)], user=NOBODY, timeout=30)


# login, password, realm, whether it passes
LOGINS = [
    ("alice", "wonderland", "example.com", True),
    ("alice@example.com", "wonderland", "example.com", True),
    ("alice@example.com", "wonderland", "", True),
    ("Alice", "wonderland", "EXAMPLE.COM", True),
    ("ALICE@Example.Com", "wonderland", "example.com", True),
    ("alice", "looking-glass", "example.net", True),
    ("carol", COLONS, "example.com", True),
    ("uma", UMLAUT, "example.com", True),
    ("lola", LONG, "example.com", True),
    ("alice", "Wonderland", "example.com", False),
    ("alice", "wonderland ", "example.com", False),
    ("alice", "wonderlan", "example.com", False),
    ("alice", "looking-glass", "example.com", False),
    ("alice", "wonderland", "example.net", False),
    ("alice@example.net", "wonderland", "example.com", False),
    ("alice@example.net", "looking-glass", "example.com", False),
    ("alice", "wonderland", "example.org", False),
    ("alice", "wonderland", "", False),
    ("nobody", "wonderland", "example.com", False),
    ("dora", "wonderland", "example.com", False),
    ("erik", "wonderland", "example.com", False),
    ("anonymous", "wonderland", "example.com", False),
    ("al ice", "wonderland", "example.com", False),
    ("a" * 256, "wonderland", "example.com", False),
    ("a" * 257, "wonderland", "example.com", False),
    ("carol", "se", "example.com", False),
    ("uma", "passw\u00f6rd", "example.com", False),
    ("lola", LONG[:-1], "example.com", False),
    ("alice", "", "example.com", False),
    ("", "wonderland", "example.com", False),
    ("", "", "", False),
    ("alice", "p" * 8140, "example.com", False),
    ("alice", "wonderland" + " " * 8130, "example.com", False),
    ("alice", "wonderland", "example.com", True),
]

# What testsaslauthd cannot send.
OCTETS = [
    (VECTOR, OK),
    (VECTOR + FIFTH, OK),
    (VECTOR + b"\0\0", OK),
    (VECTOR + FIFTH[:-1], OK),
    (VECTOR + b"\xff\xff", OK),
    (VECTOR.replace(b"wonderland", b"wonderlanD"), NO),
    (fields("alice", b"wonder\0land", "xmpp", "example.com"), NO),
    (fields("alice", b"wonderland\0", "xmpp", "example.com"), NO),
    (fields("alice", b"wonderland\xff", "xmpp", "example.com"), NO),
    (fields("alice", b"\xc3\x28", "xmpp", "example.com"), NO),
    (fields(b"alice\0", b"wonderland", "xmpp", "example.com"), NO),
    (fields("alice", "wonderland", "", "example.com"), OK),
    (fields("alice", "wonderland", b"\0\xff", "example.com"), OK),
    (fields("alice", "wonderland", "s" * 256, "example.com"), OK),
    (fields("alice", "wonderland", "xmpp", "r" * 256), NO),
    # Refused by what comes first: the rest need not be there.
    (b"\1\1", NO),
    (b"GET / HTTP/1.1\r\n\r\n", NO),
    (fields("alice", "p" * 8142, "xmpp", "example.com", ""), NO),
]


@case("testsaslauthd: every login gets its answer")
def logins(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        for login, password, realm, passes in LOGINS:
            done = testsaslauthd(stage, login, password, realm)
            expected = ((0, '0: OK "Success."\n') if passes else
                        (255, '0: NO "authentication failed"\n'))
            assert (done.returncode, done.stdout) == expected, \
                (login[:60], password[:60], realm, done)
            answer = ask(stage, login, password, realm)
            assert answer == (OK if passes else NO), (login[:60], answer)
        for reason in ("wrong-password", "unknown-user", "disabled",
                       "no-verifier", "foreign-domain", "malformed"):
            assert f"reason={reason}" in daemon.log_text(), reason


@case("every request gets its octets, and the end of the stream")
def octets_exact(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        for request, expected in OCTETS:
            with Peer(socket_path(stage)) as peer:
                peer.send(request)
                head = peer.socket.recv(4)
                assert head == expected, (request[:60], head)
        assert ask_raw(socket_path(stage), VECTOR + FIFTH) == OK
        daemon.wait_log("source=192.0.2.1 ")


@case("octet by octet, and a fifth string that comes late")
def fragments(stage):
    with Daemon(stage, config_text(stage)):
        for rest in (b"", FIFTH):
            with Peer(socket_path(stage)) as peer:
                for octet in VECTOR[:-1]:
                    peer.send(bytes([octet]))
                peer.send(VECTOR[-1:])
                try:
                    peer.send(rest)
                except BrokenPipeError:
                    pass
                assert peer.socket.recv(4) == OK


@case("half a request and the end: 00 00; a whole one and the end: judged")
def end_of_input(stage):
    with Daemon(stage, config_text(stage)):
        for n in (0, 1, 2, 7, 20, len(VECTOR) - 1):
            with Peer(socket_path(stage)) as peer:
                peer.send(VECTOR[:n])
                peer.end()
                assert peer.receive() == UNKNOWN, n
            with Peer(socket_path(stage)) as peer:
                peer.send(VECTOR[:n])
        with Peer(socket_path(stage)) as peer:
            peer.send(VECTOR)
            peer.end()
            assert peer.receive() == OK
        with Peer(socket_path(stage)) as peer:
            peer.send(VECTOR)
        assert ask_raw(socket_path(stage), VECTOR) == OK


@case("half a request and silence: 00 00 after ten seconds, others served")
def silence(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        start = time.monotonic()
        peers = [Peer(socket_path(stage), timeout=30) for _ in range(100)]
        for i, peer in enumerate(peers):
            peer.send(VECTOR[:i % len(VECTOR)])
        assert ask_raw(socket_path(stage), VECTOR) == OK
        assert time.monotonic() - start < 5
        for peer in peers:
            assert peer.receive() == UNKNOWN
            peer.close()
        assert 9 < time.monotonic() - start < 25
        assert "half a request" in daemon.log_text()


@case("domains: the only one stands in, others are refused")
def domains(stage):
    with Daemon(stage, config_text(stage, "domains = example.com")):
        assert ask(stage, "alice", "wonderland", "") == OK
        assert ask(stage, "alice", "wonderland") == OK
        assert ask(stage, "alice@example.com", "wonderland", "") == OK
        for login, realm in (("alice", "example.net"),
                             ("alice@example.net", "")):
            assert ask(stage, login, "looking-glass", realm) == NO
    with Daemon(stage, config_text(stage,
                                   "domains = example.net example.com")):
        assert ask(stage, "alice", "wonderland", "") == NO
        assert ask(stage, "alice", "wonderland") == OK
        assert ask(stage, "alice", "looking-glass", "example.net") == OK


@case("allow_users: another user is told 00 00, whenever it asks")
def allow_users(stage):
    with Daemon(stage, config_text(stage, "allow_users = 4711")) as daemon:
        # At once; before it has asked; in pieces; never.
        assert ask_raw(socket_path(stage), VECTOR) == UNKNOWN
        with Peer(socket_path(stage)) as peer:
            assert peer.receive() == UNKNOWN
            peer.send(VECTOR)
        with Peer(socket_path(stage)) as peer:
            for octet in VECTOR:
                peer.send(bytes([octet]))
            assert peer.receive() == UNKNOWN
        for _ in range(5):
            done = testsaslauthd(stage, "alice", "wonderland")
            assert (done.returncode, done.stdout) == (255, "0: "), done
            assert "bad response from saslauthd" in done.stderr, done
        with libsasl(stage) as app:
            assert app.code("PLAIN", "alice", "wonderland") == SASL_FAIL
            before = app.ask("fds")
            for _ in range(10):
                assert app.code("PLAIN", "alice", "wonderland") == SASL_FAIL
            assert app.ask("fds") == before
        with Peer(socket_path(stage)) as idle:
            assert idle.receive() == UNKNOWN
            daemon.stop()
        assert "may not connect (allow_users)" in daemon.log_text()
        assert "door=saslauthd" not in daemon.log_text()


@case("a change of the password counts at once")
def change(stage):
    with Daemon(stage, config_text(stage)):
        def answers():
            return [ask(stage, "frank", p) for p in ("oldpassword",
                                                     "newpassword")]

        assert answers() == [NO, NO]
        for script, password, expected in (
                ("user-add", "oldpassword", [OK, NO]),
                ("user-password", "newpassword", [NO, OK])):
            stage.script(script, check=True, user="frank@example.com",
                         password_file=stage.password_file(password))
            assert answers() == expected, script
        stage.script("user-delete", check=True, user="frank@example.com")
        assert answers() == [NO, NO]


def at_once(stage, count):
    """count requests, all sent before one is read -> right answers."""
    peers = [Peer(socket_path(stage)) for _ in range(count)]
    for i, peer in enumerate(peers):
        peer.send(VECTOR if i % 2 == 0 else
                  VECTOR.replace(b"wonder", b"Wonder"))
    answers = [peer.receive() for peer in peers]
    for peer in peers:
        peer.close()
    return answers == [OK if i % 2 == 0 else NO for i in range(count)]


@case("20 and 500 at once: each gets its own answer")
def parallel(stage):
    with Daemon(stage, config_text(stage)):
        assert at_once(stage, 20)
        assert at_once(stage, 500)
        processes = [stage.spawn(
            ["testsaslauthd", "-u", "alice", "-p", p, "-s", "xmpp", "-r",
             "example.com", "-f", socket_path(stage), "-R", "50"],
            user=NOBODY, stdout=subprocess.PIPE, text=True)
            for p in ["wonderland", "wrong"] * 10]
        for i, process in enumerate(processes):
            out, _ = process.popen.communicate(timeout=60)
            lines = [line.split()[1] for line in out.splitlines()]
            assert lines == ["NO" if i % 2 else "OK"] * 50, lines


@case("more connections than are allowed: they wait, none is lost")
def cap(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        idle = [Peer(socket_path(stage)) for _ in range(1024)]
        answers = []
        more = threading.Thread(
            target=lambda: answers.append(
                ask_raw(socket_path(stage), VECTOR)), daemon=True)
        more.start()
        daemon.wait_log("further ones wait")
        assert answers == []
        for peer in idle:
            peer.close()
        more.join(20)
        assert answers == [OK], answers
        assert at_once(stage, 20)


@case("PostgreSQL frozen, stopped, killed: 00 00 in time, never NO")
def outage(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        assert ask_raw(socket_path(stage), VECTOR) == OK
        for fault, mend in ((stage.postgres.freeze, stage.postgres.thaw),
                            (stage.postgres.stop, stage.postgres.start),
                            (lambda: stage.postgres.stop("immediate"),
                             stage.postgres.start)):
            fault()
            try:
                for password in ("wonderland", "wrong"):
                    start = time.monotonic()
                    assert ask(stage, "alice", password) == UNKNOWN
                    assert time.monotonic() - start < 3
                done = testsaslauthd(stage, "alice", "wonderland")
                assert done.returncode == 255 and done.stdout == "0: ", done
                assert "bad response from saslauthd" in done.stderr, done
                # What needs no row is refused all the same.
                assert ask(stage, "alice", "") == NO
            finally:
                mend()
            wait_until(lambda: ask_raw(socket_path(stage), VECTOR) == OK,
                       30, "healing", 0.05)
            assert ask(stage, "alice", "wrong") == NO
        assert "reason=db-down" in daemon.log_text()


@case("SIGTERM: nobody is left without an answer")
def stopped(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        assert ask_raw(socket_path(stage), VECTOR) == OK
        idle, half, asked = (Peer(socket_path(stage)) for _ in range(3))
        half.send(VECTOR[:9])
        stage.postgres.freeze()
        try:
            asked.send(VECTOR)
            # The door has seen all three when it has answered a fourth.
            assert ask_raw(socket_path(stage), VECTOR) == UNKNOWN
            again = Peer(socket_path(stage))
            again.send(VECTOR)
            assert ask(stage, "alice", "") == NO
            daemon.stop()
        finally:
            stage.postgres.thaw()
        for peer in (idle, half, asked, again):
            assert peer.receive() == UNKNOWN
            peer.close()
        assert not os.path.exists(socket_path(stage))


@case("SIGTERM: who waits to be accepted is answered, and rightly")
def stopped_with_queue(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        assert ask_raw(socket_path(stage), VECTOR) == OK
        # It finds them all and the signal when it goes on.
        daemon.process.send_signal(signal.SIGSTOP)
        peers = [Peer(socket_path(stage)) for _ in range(200)]
        for i, peer in enumerate(peers):
            peer.send(VECTOR if i % 2 == 0 else
                      VECTOR.replace(b"wonder", b"Wonder"))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGCONT)
        for i, peer in enumerate(peers):
            assert peer.receive() == (OK if i % 2 == 0 else NO), i
            peer.close()
        assert daemon.process.wait() == 0


@case("a restart with the socket handed over: the peer waits and is served")
def restart(stage):
    with HandedSocket(stage, "saslauthd", config_text(stage)) as handed:
        for _ in range(3):
            with Peer(handed.path) as early:
                early.send(VECTOR)
                process = handed.start()
                assert early.receive() in (OK, UNKNOWN)
            wait_until(lambda: ask_raw(handed.path, VECTOR) == OK, 20,
                       "the database")
            handed.stop(process)
        assert not os.path.exists(socket_path(stage))


@case("restarts without a hand-over: served again by the same name")
def restart_plain(stage):
    for _ in range(2):
        with Daemon(stage, config_text(stage)) as daemon:
            assert ask_raw(socket_path(stage), VECTOR) == OK
            daemon.kill()
        with Daemon(stage, config_text(stage)):
            assert ask_raw(socket_path(stage), VECTOR) == OK


def libsasl(stage):
    """An application of libsasl2's whose passwords our door judges."""
    configure(stage, auxprop_plugin="sasldb", mech_list="PLAIN LOGIN",
              sasldb_path=stage.path("none"),
              saslauthd_path=socket_path(stage), onecred_conninfo=None)
    return Driver(stage, plugins=stage.make_directory("no-plugins"))


@case("libsasl2: PLAIN and LOGIN, outages are SASL_FAIL, no descriptor lost")
def library(stage):
    with libsasl(stage) as app:
        assert app.code("PLAIN", "alice", "wonderland") == SASL_FAIL
        with Daemon(stage, config_text(stage)) as daemon:
            for mech in ("PLAIN", "LOGIN"):
                for login, password, expected in (
                        ("alice", "wonderland", SASL_OK),
                        ("Alice", "wonderland", SASL_OK),
                        ("alice@example.com", "wonderland", SASL_OK),
                        ("alice@example.net", "looking-glass", SASL_OK),
                        ("uma", UMLAUT, SASL_OK),
                        ("carol", COLONS, SASL_OK),
                        ("lola", LONG, SASL_OK),
                        ("alice", "wrong", BADAUTH),
                        ("nobody", "wonderland", BADAUTH),
                        ("dora", "wonderland", BADAUTH),
                        ("alice@example.org", "wonderland", BADAUTH)):
                    code = app.code(mech, login, password)
                    assert code == expected, (mech, login, code)
            # Whom one wants to act for is the application's to judge.
            since = len(daemon.log_text())
            assert app.code("PLAIN", "alice", "wonderland",
                            authzid="carol") == BADAUTH
            asked = daemon.log_text()[since:]
            assert "user=alice@example.com" in asked and "carol" not in asked
            before = app.ask("fds")
            stage.postgres.freeze()
            try:
                codes, slowest, _ = app.login("PLAIN", "alice", "wonderland",
                                              count=5, timeout=60)
                assert codes == {SASL_FAIL: 5} and slowest < 3000, \
                    (codes, slowest)
            finally:
                stage.postgres.thaw()
            wait_until(lambda: app.code("PLAIN", "alice", "wonderland") ==
                       SASL_OK, 30, "healing", 0.05)
            codes, _, _ = app.login("PLAIN", "alice", "wonderland",
                                    processes=4, threads=8, count=20)
            assert codes == {SASL_OK: 640}, codes
            assert app.ask("fds") == before


@case("a thousand requests later the daemon has no more descriptors open")
def steady(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        assert at_once(stage, 50)
        before = daemon.descriptors()
        for _ in range(20):
            assert at_once(stage, 50)
            ask_raw(socket_path(stage), b"\1\1")
            with Peer(socket_path(stage)) as peer:
                peer.send(VECTOR[:5])
        # A connection to the database may have come meanwhile.
        wait_until(lambda: daemon.descriptors() < before + 5, 10, "descriptors")


@case("a password is in no output of anybody, at level debug")
def canary(stage):
    path = socket_path(stage)
    requests = [fields(*f) for f in (
        ("canary", CANARY, "xmpp", "example.com"),
        ("canary", CANARY + "-not", "xmpp", "example.com"),
        ("canary", CANARY, "xmpp", "example.net"),
        ("nobody", CANARY, "xmpp", "example.com"),
        (CANARY + " !", "x", "xmpp", "example.com"),
        ("canary", "x", "xmpp", CANARY + " /"),
        ("canary", "x", CANARY, "example.com"),
        ("", CANARY, "xmpp", "example.com"),
        (CANARY, "", "xmpp", "example.com"),
        ("canary", CANARY * 800, "xmpp", "example.com"),
        ("canary", CANARY, "s" * 257, "example.com"))]
    with Daemon(stage, config_text(stage), options=("-v",)) as daemon:
        assert ask_raw(path, requests[0]) == OK
        for request in requests[1:]:
            with Peer(path) as peer:
                peer.send(request)
                assert peer.socket.recv(4) == NO
        with Peer(path) as peer:
            peer.send(requests[0][:-1])
            peer.end()
            assert peer.receive() == UNKNOWN
        stage.postgres.freeze()
        try:
            assert ask_raw(path, requests[0]) == UNKNOWN
        finally:
            stage.postgres.thaw()
        assert daemon.process.running
    seen = 0
    for folder, _, names in os.walk(stage.log_directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            seen += text.count(b"user=canary@example.com")
            assert CANARY.encode() not in text, name
            assert CANARY.lower().encode() not in text, name
    assert seen >= 3, "the decisions were not even logged"


if __name__ == "__main__":
    run_cases(__file__, prepare)
