#!/usr/bin/python3 -B
"""
onecred-extauth by itself, with a daemon that misbehaves in the place of ours;
and its line protocol (--generic), on pipes and on a terminal as Prosody's old
mod_auth_external starts it. A late answer is never the next one's.
"""

import os
import pty
import select
import signal
import socket
import subprocess
import termios
import threading
import time

from extauth import (FAILURE, FALSE, FRAMES, TRUE, config_text, prepare,
                     relay, socket_path)
from handover import ConnectedDaemon as Daemon
from stage import NOBODY, case, give_to, run_cases, wait_until


class FakeDaemon:
    """
    A socket in the daemon's place. script: for each connection in turn, what
    happens with its requests: octets are sent, None closes, "silence" waits.
    """

    def __init__(self, stage, script):
        self.path = f"{stage.path('run')}/fake.sock"
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        give_to(self.path, NOBODY)
        self.socket.listen(8)
        self.requests = []
        self.script = script
        self.connections = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        for actions in self.script:
            connection, _ = self.socket.accept()
            self.connections.append(connection)
            for action in actions:
                request = connection.recv(65537)
                if not request:
                    break
                self.requests.append(request[2:])
                if action is None:
                    connection.close()
                    break
                if action == "silence":
                    continue
                connection.sendall(action)

    def close(self):
        self.socket.close()
        for connection in self.connections:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


@case("relay: its deadline, and a late answer is never the next one's")
def relay_deadline(stage):
    # Were the first connection used again, the late TRUE would come.
    with FakeDaemon(stage, [["silence", TRUE], [FALSE]]) as fake, \
            relay(stage, "--timeout", "1", path=fake.path) as peer:
        start = time.monotonic()
        assert peer.request(b"auth:a:h:1") == FAILURE
        assert 0.9 < time.monotonic() - start < 8
        assert peer.request(b"auth:b:h:2") == FALSE
        assert fake.requests == [b"auth:a:h:1", b"auth:b:h:2"]


@case("relay: octets that nobody asked for are not an answer")
def relay_unasked(stage):
    with FakeDaemon(stage, [[FALSE + TRUE], [FALSE]]) as fake, \
            relay(stage, path=fake.path) as peer:
        assert peer.request(b"auth:a:h:1") == FALSE
        assert peer.request(b"auth:b:h:2") == FALSE
        assert len(fake.connections) == 2


@case("relay: a broken answer is 00 02 00 02, and not asked again")
def relay_broken(stage):
    for answer in (b"\0\2\0\3", b"\0\2\1\1", b"\0\3\0\1", b"\1\2\0\1",
                   b"true"):
        with FakeDaemon(stage, [[answer], [TRUE]]) as fake, \
                relay(stage, path=fake.path) as peer:
            assert peer.request(b"auth:a:h:1") == FAILURE, answer
            assert fake.requests == [b"auth:a:h:1"]
            assert peer.request(b"auth:a:h:2") == TRUE


@case("relay: a dead connection is tried again, for questions only, once")
def relay_retry(stage):
    for payload, script, expected, asked in (
            (b"auth:a:h:1", [[None], [TRUE]], TRUE, 2),
            (b"isuser:a:h", [[None], [FALSE]], FALSE, 2),
            (b"auth:a:h:1", [[None], [None], [TRUE]], FAILURE, 2),
            (b"setpass:a:h:1", [[None], [TRUE]], FAILURE, 1),
            (b"removeuser:a:h", [[None], [TRUE]], FAILURE, 1)):
        with FakeDaemon(stage, script) as fake, \
                relay(stage, path=fake.path) as peer:
            assert peer.request(payload) == expected, payload
            assert len(fake.requests) == asked, payload
            assert peer.process.running


class Lines:
    """onecred-extauth --generic on pipes, or on a terminal as Prosody does."""

    def __init__(self, stage, *options, terminal=False, path=None, argv=None):
        argv = argv or [stage.program("onecred-extauth"), "--generic"]
        argv = [*argv, *(["--socket", path or socket_path(stage)]
                         if len(argv) > 1 else []), *options]
        self.errors = stage.path("generic.stderr")
        with open(self.errors, "wb") as errors:
            if terminal:
                self.reader, theirs = pty.openpty()
                self.writer = os.dup(self.reader)
                self.process = stage.spawn(argv, user=NOBODY, stdin=theirs,
                                           stdout=theirs, stderr=theirs)
                os.close(theirs)
                # The echo of a question would be read as its answer.
                wait_until(lambda: not termios.tcgetattr(self.reader)[3] &
                           termios.ECHO, 10, "silence")
            else:
                self.process = stage.spawn(
                    argv, user=NOBODY, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=errors)
                self.reader = os.dup(self.process.popen.stdout.fileno())
                self.writer = os.dup(self.process.popen.stdin.fileno())
                self.process.popen.stdin.close()
                self.process.popen.stdout.close()

    def send(self, text):
        os.write(self.writer, text)

    def end_input(self):
        os.close(self.writer)
        self.writer = None

    def receive(self, timeout=20):
        """One line without its end; b"" if there is an end instead."""
        line = b""
        while not line.endswith(b"\n"):
            assert select.select([self.reader], [], [], timeout)[0], line
            try:
                octet = os.read(self.reader, 1)
            except OSError:         # a terminal whose other end is closed
                octet = b""
            if not octet:
                assert line == b"", line
                return b""
            line += octet
        return line.rstrip(b"\r\n")

    def ask(self, text):
        self.send(text + b"\n")
        return self.receive()

    def close(self):
        self.process.end()
        for fd in (self.reader, self.writer):
            if fd is not None:
                os.close(fd)
        with open(self.errors, "rb") as f:
            assert f.read() == b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


GENERIC = {TRUE: b"1", FALSE: b"0",
           FAILURE: b"error: not now, or not here"}


@case("--generic: every line gets its answer, on pipes and on a terminal")
def generic(stage):
    with Daemon(stage, config_text(stage)), Lines(stage) as pipes, \
            Lines(stage, terminal=True) as terminal:
        for payload, expected in FRAMES:
            if b"\n" in payload:
                continue
            assert pipes.ask(payload) == GENERIC[expected], payload[:60]
            # A terminal has its own idea of control characters.
            if len(payload) < 1000 and not any(c < 32 for c in payload):
                assert terminal.ask(payload) == GENERIC[expected], payload
        assert pipes.ask(b"x" * 65536) == b"error: the question is too long"
        assert pipes.ask(b"x" * 200000) == b"error: the question is too long"
        assert pipes.ask(FRAMES[0][0]) == b"1"
        for octet in FRAMES[0][0] + b"\n":
            pipes.send(bytes([octet]))
        assert pipes.receive() == b"1"
        # Who writes into a pipe may ask ahead; half a line is no question.
        pipes.send(b"auth:alice:example.com:wrong\n"
                   b"auth:alice:example.com:wonderland\nisuser:alice:exam")
        assert (pipes.receive(), pipes.receive()) == (b"0", b"1")
        pipes.end_input()
        assert pipes.receive() == b""
        assert pipes.process.wait() == 0


@case("--generic by the program's name, for servers that give no arguments")
def generic_name(stage):
    link = stage.path("onecred-extauth-generic")
    os.symlink(stage.program("onecred-extauth"), link)
    with Lines(stage, argv=[link]) as peer:
        assert peer.ask(FRAMES[0][0]) == GENERIC[FAILURE]
        assert peer.process.running


@case("--generic: never late: at its deadline it ends, with status 0")
def generic_deadline(stage):
    for terminal in (False, True):
        with FakeDaemon(stage, [["silence", TRUE]]) as fake, \
                Lines(stage, "--timeout", "1", path=fake.path,
                      terminal=terminal) as peer:
            start = time.monotonic()
            peer.send(b"auth:a:h:1\n")
            # Not a word, not even an error; and no second question.
            assert peer.receive() == b""
            assert 0.9 < time.monotonic() - start < 4
            assert peer.process.wait() == 0
            assert fake.requests == [b"auth:a:h:1"]


@case("--generic on a terminal: asked again meanwhile, it ends without a word")
def generic_given_up(stage):
    # Were it to answer, TRUE would be the answer to the wrong password.
    with Daemon(stage, config_text(stage)), \
            Lines(stage, terminal=True) as peer:
        assert peer.ask(b"isuser:alice:example.com") == b"1"
        stage.postgres.freeze()
        try:
            peer.send(b"auth:alice:example.com:wonderland\n")
            peer.send(b"auth:alice:example.com:wrong\n")
        finally:
            stage.postgres.thaw()
        assert peer.receive() == b""
        assert peer.process.wait() == 0
    # Stopped while it was asked: the answer would be late in any case.
    with Daemon(stage, config_text(stage)), \
            Lines(stage, terminal=True) as peer:
        assert peer.ask(b"isuser:alice:example.com") == b"1"
        peer.process.send_signal(signal.SIGSTOP)
        peer.send(b"auth:alice:example.com:wonderland\n")
        peer.send(b"auth:alice:example.com:wrong\n")
        peer.process.send_signal(signal.SIGCONT)
        assert peer.receive() == b""
        assert peer.process.wait() == 0


@case("--generic: no daemon, killed, back: an error each, it stays; signals: 0")
def generic_outage(stage):
    good, bad = FRAMES[0][0], b"auth:alice:example.com:wrong"
    with Lines(stage) as peer:
        assert peer.ask(good) == GENERIC[FAILURE]
        with Daemon(stage, config_text(stage)) as daemon:
            assert (peer.ask(good), peer.ask(bad)) == (b"1", b"0")
            stage.postgres.freeze()
            try:
                assert peer.ask(bad) == GENERIC[FAILURE]
            finally:
                stage.postgres.thaw()
            daemon.kill()
        assert peer.ask(bad) == GENERIC[FAILURE]
        with Daemon(stage, config_text(stage)):
            assert (peer.ask(bad), peer.ask(good)) == (b"0", b"1")
    # After any other status Prosody would never start it again.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Lines(stage) as peer:
            assert peer.ask(good) == GENERIC[FAILURE]
            peer.process.send_signal(number)
            assert peer.process.wait() == 0
    with Lines(stage, terminal=True) as peer:
        peer.send(good + b"\n")
        peer.receive()
        # The server has gone: hangup.
        os.close(peer.reader)
        os.close(peer.writer)
        peer.reader = peer.writer = None
        assert peer.process.wait() == 0


@case("helpers keep no descriptor that they inherited")
def inherited(stage):
    for argv in ([stage.program("onecred-extauth"), "--socket", "/nowhere"],
                 [stage.program("onecred-extauth"), "--socket", "/nowhere",
                  "--generic"],
                 [stage.program("onecredd"), "--extauth", "-c", "/nowhere"]):
        ours, theirs = os.pipe()
        process = stage.spawn(argv, user=NOBODY, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, pass_fds=(theirs,),
                              stderr=subprocess.DEVNULL)
        os.close(theirs)
        try:
            assert select.select([ours], [], [], 10)[0], "still open"
            assert os.read(ours, 1) == b""
            assert process.running
        finally:
            os.close(ours)
            process.end()


if __name__ == "__main__":
    run_cases(__file__, prepare)
