#!/usr/bin/python3 -B
"""
ejabberd's external authentication, by each of its ways in: the daemon's
socket, the relay onecred-extauth, and onecredd --extauth. Answers are those
of XMPP.md 1.2: true, false, and 00 02 00 02 for everything that was not
judged. An outage is never a wrong password, and no helper ever exits.
"""

import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
import time

from extauth import (CANARY, CHANGES, FAILURE, FALSE, FRAMES, TRUE, add_user,
                     config_text, connected_helper, helper, prepare, relay,
                     socket_path)
from handover import ConnectedDaemon as Daemon, HandedSocket
from stage import NOBODY, Extauth, case, run_cases, wait_until


def ask_all(peer):
    for payload, expected in FRAMES:
        answer = peer.request(payload)
        assert answer == expected, (payload[:60], answer, expected)


@case("every frame gets its answer on the daemon's socket")
def frames_socket(stage):
    with Daemon(stage, config_text(stage)), \
            Extauth.connect(socket_path(stage)) as peer:
        ask_all(peer)


@case("every frame gets its answer through the relay")
def frames_relay(stage):
    with Daemon(stage, config_text(stage)), relay(stage) as peer:
        ask_all(peer)
        assert peer.process.running


@case("every frame gets its answer from onecredd --extauth")
def frames_helper(stage):
    with connected_helper(stage) as peer:
        ask_all(peer)
        assert peer.process.running


@case("octet by octet, two frames at once, a frame behind a frame")
def fragments(stage):
    good = b"auth:alice:example.com:wonderland"
    bad = b"auth:alice:example.com:wrong"
    frame = [struct.pack(">H", len(p)) + p for p in (good, bad)]
    with Daemon(stage, config_text(stage)), \
            Extauth.connect(socket_path(stage)) as direct, \
            relay(stage) as relayed, connected_helper(stage) as helped:
        for peer in (direct, relayed, helped):
            for octet in frame[0]:
                peer.send_raw(bytes([octet]))
            assert peer.receive() == TRUE
            peer.send_raw(frame[1] + frame[0] + frame[1] + frame[0])
            assert [peer.receive() for _ in range(4)] == \
                [FALSE, TRUE, FALSE, TRUE]
            peer.send_raw(frame[0][:7])
            peer.send_raw(frame[0][7:] + frame[1][:1])
            assert peer.receive() == TRUE
            peer.send_raw(frame[1][1:])
            assert peer.receive() == FALSE


@case("the end of input ends a helper with 0, half a frame or not")
def end_of_input(stage):
    with Daemon(stage, config_text(stage)):
        for make in (relay, connected_helper):
            for rest in (b"", b"\0", b"\0\x20auth:ali"):
                with make(stage) as peer:
                    assert peer.request(FRAMES[0][0]) == TRUE
                    peer.send_raw(rest)
                    peer.end_input()
                    assert peer.receive() == b""
                    assert peer.process.wait() == 0


@case("frames in a regular file are answered")
def regular_file(stage):
    path = stage.file("frames", b"".join(
        struct.pack(">H", len(p)) + p for p, _ in FRAMES))
    with Daemon(stage, config_text(stage)):
        for argv in ([stage.program("onecredd"), "--extauth", "-c",
                      stage.path("helper.conf")],
                     [stage.program("onecred-extauth"), "--socket",
                      socket_path(stage)]):
            for _ in range(5):
                with open(path, "rb") as f:
                    done = stage.run(argv, stdin=f, text=False,
                                     stderr=subprocess.DEVNULL)
                assert done.returncode == 0
                # Else its database did not come in time for the first.
                if done.stdout[:4] != FAILURE:
                    break
            assert done.stdout == b"".join(a for _, a in FRAMES)


@case("a right that is not given: 00 02 00 02; other domains: false")
def rights_and_domains(stage):
    with Daemon(stage, config_text(stage, "rights = exists")) as daemon, \
            Extauth.connect(socket_path(stage)) as peer:
        assert peer.request(b"auth:alice:example.com:wonderland") == FAILURE
        assert peer.request(b"isuser:alice:example.com") == TRUE
        assert "command=auth verdict=unavailable reason=not-permitted" in \
            daemon.log_text()
    with Daemon(stage, config_text(stage, "domains = example.org")), \
            Extauth.connect(socket_path(stage)) as peer:
        assert peer.request(b"auth:alice:example.com:wonderland") == FALSE
        assert peer.request(b"isuser:alice:example.com") == FALSE


@case("allow_users: another user is not heard")
def allow_users(stage):
    with Daemon(stage, config_text(stage, "allow_users = 4711\n"
                                   "mode = 0666")) as daemon:
        with Extauth.connect(socket_path(stage)) as peer:
            try:
                assert peer.request(b"isuser:alice:example.com") == b""
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert "may not connect (allow_users)" in daemon.log_text()
        with relay(stage) as peer:
            assert peer.request(b"isuser:alice:example.com") == FAILURE
            assert peer.process.running


@case("more connections than are allowed: 00 02 00 02 in time, then served")
def cap(stage):
    good = b"auth:alice:example.com:wonderland"
    with Daemon(stage, config_text(stage)) as daemon:
        idle = []
        for i in range(1024):
            idle.append(Extauth.connect(socket_path(stage)))
            # They come faster than it accepts, and would fill the queue.
            if i % 128 == 127:
                assert idle[-1].request(b"isuser:alice:example.com") == TRUE
        with relay(stage, "--timeout", "1") as impatient, \
                relay(stage) as patient:
            assert impatient.request(good) == FAILURE
            daemon.wait_log("further ones wait")
            patient.send(good)
            for peer in idle:
                peer.close()
            assert patient.receive() == TRUE
            assert impatient.request(good) == TRUE


@case("SCRAM verifiers alone decide, and no verifier at all is false")
def verifiers(stage):
    for name in ("scram", "none"):
        add_user(stage, name, "wonderland")
    digests = ", ".join(f"{form}_{alg} = NULL" for form in ("ha1", "ha1b")
                        for alg in ("md5", "sha_256", "sha_512_256"))
    scrams = ", ".join(f"scram_sha_{n} = NULL" for n in (1, 256, 512))
    for change in (f"{digests} WHERE localpart IN ('scram', 'none')",
                   f"{scrams} WHERE localpart = 'none'"):
        stage.postgres.psql(f"UPDATE onecred.credential SET {change}",
                            check=True)
    with Daemon(stage, config_text(stage)) as daemon, \
            relay(stage) as relayed, connected_helper(stage) as helped:
        for peer in (relayed, helped):
            for name, password, expected in (
                    ("scram", "wonderland", TRUE), ("scram", "wrong", FALSE),
                    ("scram", "", FALSE), ("none", "wonderland", FALSE),
                    ("none", "", FALSE), ("none", "NULL", FALSE)):
                assert peer.request(f"auth:{name}:example.com:{password}"
                                    .encode()) == expected, (name, password)
            assert peer.request(b"isuser:none:example.com") == TRUE
        assert "reason=no-verifier" in daemon.log_text()


@case("a change of the password counts at once")
def change(stage):
    with Daemon(stage, config_text(stage)), relay(stage) as peer:
        old, new = (b"auth:erik:example.com:" + p
                    for p in (b"oldpassword", b"newpassword"))
        assert peer.request(old) == FALSE
        add_user(stage, "erik", "oldpassword")
        assert (peer.request(old), peer.request(new)) == (TRUE, FALSE)
        stage.script("user-password", check=True, user="erik@example.com",
                     password_file=stage.password_file("newpassword"))
        assert (peer.request(old), peer.request(new)) == (FALSE, TRUE)
        stage.script("user-delete", check=True, user="erik@example.com")
        assert peer.request(new) == FALSE


class Load(threading.Thread):
    """Right and wrong logins in turn over one peer, until told to stop."""

    def __init__(self, peer, pace):
        super().__init__(daemon=True)
        self.peer = peer
        self.pace = pace
        self.asked = 0
        self.answers = []       # (time, whether the password was right, answer)
        self.error = None
        self.ending = False

    def run(self):
        right = False
        try:
            while not self.ending:
                right = not right
                self.asked += 1
                answer = self.peer.request(
                    b"auth:alice:example.com:" +
                    (b"wonderland" if right else b"wrong"))
                self.answers.append((time.monotonic(), right, answer))
                time.sleep(self.pace)
        except Exception as error:      # pylint: disable=broad-except
            self.error = error

    def waiting(self):
        """For an answer, unless one is just coming."""
        return self.asked > len(self.answers)

    def healed(self, since):
        """Both a right and a wrong login were judged since then."""
        judged = {right for when, right, answer in self.answers
                  if when > since and answer != FAILURE}
        return judged == {True, False}

    def failing(self, since):
        return any(when > since and answer == FAILURE
                   for when, _, answer in self.answers)


@case("50 logins/s while PostgreSQL freezes, stops, crashes: no wrong answer")
def outage(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        peers = [relay(stage) for _ in range(4)]
        peers += [helper(stage) for _ in range(2)]
        peers += [Extauth.connect(socket_path(stage)) for _ in range(9)]
        pids = [p.process.pid for p in peers if p.process is not None]
        load = [Load(p, 0.3) for p in peers]
        for one in load:
            one.start()
        try:
            start = time.monotonic()
            wait_until(lambda: all(one.healed(start) for one in load), 15,
                       "the load")
            for fault, mend in (
                    (stage.postgres.freeze, stage.postgres.thaw),
                    (stage.postgres.stop, stage.postgres.start),
                    (lambda: stage.postgres.stop("immediate"),
                     stage.postgres.start)):
                fault()
                since = time.monotonic()
                wait_until(lambda: all(one.failing(since) for one in load),
                           15, "00 02 00 02 from everybody")
                mend()
                since = time.monotonic()
                wait_until(lambda: all(one.healed(since) for one in load),
                           30, "healing")
            stage.postgres.restart()
            since = time.monotonic()
            wait_until(lambda: all(one.healed(since) for one in load), 30,
                       "healing after a restart")
        finally:
            stage.postgres.thaw()
            for one in load:
                one.ending = True
            for one in load:
                one.join(15)
        answers = [a for one in load for a in one.answers]
        assert [one.error for one in load] == [None] * len(load)
        wrong = [a for a in answers
                 if a[2] not in ((TRUE if a[1] else FALSE), FAILURE)]
        assert wrong == [], wrong[:5]
        assert sum(a[2] == TRUE for a in answers) > 50, len(answers)
        assert [p.process.pid for p in peers
                if p.process is not None and p.process.running] == pids
        assert daemon.process.running
        assert "reason=db-down" in daemon.log_text()
        for peer in peers:
            peer.close()


@case("the daemon is killed and comes back: the relay stays and finds it")
def daemon_killed(stage):
    good = b"auth:alice:example.com:wonderland"
    bad = b"auth:alice:example.com:wrong"
    with relay(stage) as peer:
        assert peer.request(good) == FAILURE
        with Daemon(stage, config_text(stage)) as daemon:
            assert peer.request(good) == TRUE
            daemon.kill()
        assert peer.request(good) == FAILURE
        assert peer.request(bad) == FAILURE
        assert peer.process.running
        with Daemon(stage, config_text(stage)):
            assert peer.request(good) == TRUE
            assert peer.request(bad) == FALSE
        # An orderly restart between two logins costs nobody a login.
        with Daemon(stage, config_text(stage)):
            assert peer.request(good) == TRUE
        assert peer.process.running


class Watched(Extauth):
    """Knows whether the other end has read all that was sent."""

    def all_read(self):
        unread = fcntl.ioctl(self._writer, termios.TIOCOUTQ, b"\0" * 4)
        return struct.unpack("i", unread)[0] == 0


@case("SIGTERM: what is under way is answered")
def stop_in_flight(stage):
    with Daemon(stage, config_text(stage)) as daemon, \
            Watched.connect(socket_path(stage)) as peer, \
            Extauth.connect(socket_path(stage)) as idle:
        assert peer.request(b"isuser:alice:example.com") == TRUE
        assert idle.request(b"isuser:alice:example.com") == TRUE
        stage.postgres.freeze()
        try:
            peer.send(b"auth:alice:example.com:wonderland")
            wait_until(peer.all_read, 5, "the daemon's reading")
            daemon.process.send_signal(signal.SIGTERM)
            assert idle.receive() == b""
            assert not os.path.exists(socket_path(stage))
        finally:
            stage.postgres.thaw()
        assert peer.receive() == TRUE
        assert peer.receive() == b""
        assert daemon.process.wait() == 0


@case("SIGTERM: who waits to be accepted is answered, and rightly")
def stopped_with_queue(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        with Extauth.connect(socket_path(stage)) as first:
            assert first.request(b"isuser:alice:example.com") == TRUE
        # It finds them all and the signal when it goes on.
        daemon.process.send_signal(signal.SIGSTOP)
        peers = [Extauth.connect(socket_path(stage)) for _ in range(100)]
        for i, peer in enumerate(peers):
            peer.send(b"auth:alice:example.com:" +
                      (b"wrong" if i % 2 else b"wonderland"))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGCONT)
        for i, peer in enumerate(peers):
            assert peer.receive() == (FALSE if i % 2 else TRUE), i
            assert peer.receive() == b""
            peer.close()
        assert daemon.process.wait() == 0


@case("20 logins/s over restarts with the socket handed over: none is wrong")
def restarts(stage):
    relays, orderly, crashes = 4, 4, 4
    with HandedSocket(stage, "extauth", config_text(stage)) as handed:
        daemon = handed.start()
        handed.wait_ready(1)
        load = [Load(relay(stage, path=handed.path), relays / 20)
                for _ in range(relays)]
        pids = [one.peer.process.pid for one in load]
        start = time.monotonic()
        for one in load:
            one.start()
        try:
            wait_until(lambda: all(one.healed(start) for one in load), 15,
                       "the load")
            for i in range(orderly + crashes):
                if i % 2 == 1:
                    # So that it is asked by all of them when it ends.
                    daemon.send_signal(signal.SIGSTOP)
                    wait_until(lambda: all(one.waiting() for one in load),
                               10, "a question of each")
                since = time.monotonic()
                if i < orderly:
                    handed.stop(daemon)
                else:
                    daemon.end(signal.SIGKILL)
                # Nobody is there: they wait in the queue.
                wait_until(lambda: all(one.waiting() for one in load), 10,
                           "a question of each")
                daemon = handed.start()
                wait_until(lambda: all(one.healed(since) for one in load),
                           30, "the next daemon's answers")
        finally:
            for one in load:
                one.ending = True
            for one in load:
                one.join(30)
        answers = [a for one in load for a in one.answers]
        failed = sum(a[2] == FAILURE for a in answers)
        log = handed.log_text()
        # A busy machine may bring a daemon its database too late.
        late = log.count("verdict=unavailable reason=db-down")
        print(f"# {len(answers)} logins, {orderly + crashes} restarts, "
              f"{failed} answered 00 02 00 02, {late} by a daemon")
        assert [one.error for one in load] == [None] * relays
        assert all(a[2] in ((TRUE if a[1] else FALSE), FAILURE)
                   for a in answers)
        # At most what was under way.
        assert failed - late <= relays * (orderly + crashes), failed
        assert log.count("verdict=unavailable") == late
        assert [one.peer.process.pid for one in load
                if one.peer.process.running] == pids
        for one in load:
            one.peer.close()
        handed.stop(daemon)


@case("onecredd --extauth without a configuration answers, and heals")
def helper_heals(stage):
    path = stage.path("later.conf")
    with helper(stage, "later.conf") as peer:
        assert peer.request(b"auth:alice:example.com:wonderland") == FAILURE
        assert peer.request(b"isuser:alice:example.com") == FAILURE
        stage.file("half.conf", "[database]\n", user=NOBODY)
        os.rename(stage.path("half.conf"), path)
        assert peer.request(b"isuser:alice:example.com") == FAILURE
        stage.file("whole.conf", config_text(stage), user=NOBODY)
        os.rename(stage.path("whole.conf"), path)
        wait_until(lambda: peer.request(
            b"auth:alice:example.com:wonderland") == TRUE, 20,
            "the helper's healing", 0.2)
        assert peer.request(b"auth:alice:example.com:wrong") == FALSE
        assert peer.process.running


@case("onecredd --extauth with a database that is not there: 00 02 00 02")
def helper_no_database(stage):
    text = config_text(stage)
    for old, new in (("dbname=onecred", "dbname=absent"),
                     ("user=onecredd", "user=absent"),
                     ("password=pw", "password=wrong")):
        assert old in text
        stage.file("broken.conf", text.replace(old, new), user=NOBODY)
        with helper(stage, "broken.conf") as peer:
            assert peer.request(
                b"auth:alice:example.com:wonderland") == FAILURE
            assert peer.request(b"isuser:alice:example.com") == FAILURE
            assert peer.process.running


@case("a schema of another version: 00 02 00 02, and heals")
def schema_range(stage):
    with Daemon(stage, config_text(stage)) as daemon, relay(stage) as peer:
        assert peer.request(b"isuser:alice:example.com") == TRUE
        before = stage.postgres.value(
            "SELECT version || ' ' || serves_programs_since"
            " FROM onecred.schema_version")
        stage.postgres.psql("UPDATE onecred.schema_version SET version = 99,"
                            " serves_programs_since = 99", check=True)
        try:
            stage.postgres.restart()
            daemon.wait_log("the schema has version 99")
            assert peer.request(
                b"auth:alice:example.com:wonderland") == FAILURE
            with helper(stage) as other:
                assert other.request(b"isuser:alice:example.com") == FAILURE
        finally:
            version, since = before.split()
            stage.postgres.psql(
                f"UPDATE onecred.schema_version SET version = {version},"
                f" serves_programs_since = {since}", check=True)
        wait_until(lambda: peer.request(b"isuser:alice:example.com") == TRUE,
                   30, "healing", 0.1)


@case("a password is in no output of anybody, at level debug")
def canary(stage):
    stage.postgres.configure(log_statement="'all'",
                             log_min_duration_statement="0")
    stage.postgres.reload()
    frames = [b"auth:canary:example.com:%s",
              b"auth:canary:example.com:%s-not",
              b"auth:canary:example.net:%s", b"auth:nobody:example.com:%s",
              b"auth:%s !:example.com:x", b"auth:canary:%s /:x",
              b"isuser:%s !:example.com", b"setpass:canary:example.com:%s",
              b"tryregister:%s !:example.com:%s", b"%s", b"%s:a:b:c",
              b"auth:canary:example.com:\0%s\xff"]
    frames = [f.replace(b"%s", CANARY.encode()) for f in frames]
    with Daemon(stage, config_text(stage, CHANGES), options=("-v",)) \
            as daemon, relay(stage) as relayed, connected_helper(stage) as helped, \
            Extauth.connect(socket_path(stage)) as direct:
        for peer in (direct, relayed, helped):
            assert peer.request(frames[0]) == TRUE
            for frame in frames[1:]:
                if peer is helped or not frame.startswith(b"setpass:"):
                    assert peer.request(frame) != TRUE
                else:
                    assert peer.request(frame) == TRUE
            assert peer.request(f"setpass:canary:example.com:\0{CANARY}"
                                .encode()) == FAILURE
        stage.postgres.freeze()
        try:
            for peer in (direct, relayed, helped):
                assert peer.request(frames[0]) == FAILURE
        finally:
            stage.postgres.thaw()
        daemon.reload("[oops\n")
        daemon.wait_log("stays in force")
    seen = 0
    for folder, _, names in os.walk(stage.log_directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            seen += text.count(b"user=canary@example.com")
            assert CANARY.encode() not in text, name
            assert CANARY.lower().encode() not in text, name
    assert seen >= 6, "the decisions were not even logged"
    stage.postgres.configure()
    stage.postgres.reload()


if __name__ == "__main__":
    run_cases(__file__, prepare)
