#!/usr/bin/python3 -B
"""
The keys of nonces and the replay window as an operator meets them: the file
that the first start makes, two daemons at once, no state folder, rotation by
SIGHUP, a restart, two daemons behind alternating requests.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import stat
import time

from stage import NOBODY, Daemon, case, free_port, run_cases, wait_until

TOKEN = "a-token-of-the-test-0123456789"
REALM = "example.com"
OTHER_KEY = base64.b64encode(bytes(range(32))).decode()


def prepare(stage):
    stage.basic()
    stage.file("token", TOKEN + "\n", user=NOBODY)


class Node:
    """An onecredd with [http], and a SIP server that asks it."""

    def __init__(self, stage, sip="", state=None, wait=True):
        self.stage = stage
        self.port = free_port()
        self.sip = sip
        env = {"STATE_DIRECTORY": state} if state else None
        self.daemon = Daemon(stage, self.text(), env=env, wait=False)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        self.daemon.wait_ready()
        # Until then a challenge may be 503: it has to ask for the realm.
        self.daemon.wait_log("database: connected", 20)

    def text(self):
        return (f"[database]\nconninfo = {self.stage.postgres.conninfo()}\n"
                f"[http]\nlisten = 127.0.0.1:{self.port}\n"
                f"token_file = {self.stage.path('token')}\n{self.sip}")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.daemon.__exit__(*what)

    def reload(self):
        """Waits until it is in force."""
        since = len(self.daemon.log_text())
        self.daemon.reload(self.text())
        self.daemon.wait_log("reload: done", since=since)

    def ask(self, message):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=10)
        connection.request("POST", f"/v1/sip?as=proxy&realm={REALM}", message,
                           {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, (answer.status, body)
        return json.loads(body)

    def nonce(self):
        """That of a first challenge."""
        reply = self.ask(invite("no-credentials"))
        assert reply["verdict"] == "challenge", reply
        assert "stale" not in reply["challenges"][0], reply
        return nonce_of(reply)

    def use(self, nonce, nc, call, password="wonderland"):
        """(verdict, whether the challenge says stale, reason)."""
        reply = self.ask(invite(call, nonce, nc, password))
        stale = any("stale=true" in c for c in reply["challenges"])
        return reply["verdict"], stale, reply["reason"]


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def invite(call, nonce=None, nc=1, password="wonderland"):
    uri = "sip:bob@example.com"
    row = ""
    if nonce:
        count, cnonce = f"{nc:08x}", "0a4f113b"
        response = md5(md5("alice", REALM, password), nonce, count, cnonce,
                       "auth", md5("INVITE", uri))
        row = (f'Proxy-Authorization: Digest username="alice", '
               f'realm="{REALM}", nonce="{nonce}", uri="{uri}", '
               f'response="{response}", algorithm=MD5, qop=auth, '
               f'nc={count}, cnonce="{cnonce}"\r\n')
    return (f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
            f"To: <{uri}>\r\nCall-ID: {call}\r\nCSeq: {nc} INVITE\r\n"
            f"Contact: <sip:alice@192.0.2.1>\r\n{row}"
            f"Content-Length: 0\r\n\r\n").encode()


def nonce_of(reply):
    return re.search(r'nonce="([^"]*)"', reply["challenges"][0]).group(1)


def signed_by(nonce, key):
    """STANDARDS 9.2, with the algorithm bound in."""
    raw = base64.urlsafe_b64decode(nonce + "=")
    mac = hmac.new(base64.b64decode(key), raw[:-16] + REALM.encode() +
                   b"\0MD5", hashlib.sha256).digest()[:16]
    age = time.time() - int.from_bytes(raw[1:9], "big") / 1e6
    return raw[0] == 1 and -1 < age < 60 and hmac.compare_digest(mac,
                                                                 raw[-16:])


def key_of(path):
    """The one key in a file that a daemon made."""
    with open(path, encoding="ascii") as f:
        lines = [line for line in f.read().splitlines()
                 if not line.startswith("#")]
    assert len(lines) == 1, len(lines)
    return lines[0]


@case("the first start makes the key file, the second uses it")
def made_at_first_start(stage):
    state = stage.make_directory("state-1", NOBODY)
    path = os.path.join(state, "nonce.key")
    with Node(stage, state=state) as node:
        info = os.stat(path)
        assert stat.S_IMODE(info.st_mode) == 0o600
        key = key_of(path)
        nonce = node.nonce()
        assert signed_by(nonce, key) and not signed_by(nonce, OTHER_KEY)
        assert node.use(nonce, 1, "a") == ("accept", False, "ok")
        assert key not in node.daemon.log_text()
        assert "nonce_key_file" not in node.daemon.log_text()
    with Node(stage, state=state) as node:
        assert signed_by(node.nonce(), key)
    assert os.listdir(state) == ["nonce.key"]


@case("onecredd -t makes no key file")
def check_makes_nothing(stage):
    state = stage.make_directory("state-2", NOBODY)
    with Node(stage, state=state) as node:
        config = node.daemon.config
        shutil.rmtree(state)
        stage.make_directory("state-2", NOBODY)
        stage.run([stage.program("onecredd"), "-t", "-c", config],
                  user=NOBODY, env=stage.environment(
                      {"STATE_DIRECTORY": state}))
        assert os.listdir(state) == []
        # A reload does, and from then on that is the key.
        node.reload()
        assert signed_by(node.nonce(), key_of(f"{state}/nonce.key"))


@case("several daemons that start at the same time end with one key")
def at_the_same_time(stage):
    state = stage.make_directory("state-3", NOBODY)
    nodes = [Node(stage, state=state, wait=False) for _ in range(4)]
    for node in nodes:
        node.wait_ready()
    key = key_of(f"{state}/nonce.key")
    assert os.listdir(state) == ["nonce.key"]
    for node in nodes:
        assert signed_by(node.nonce(), key)
        node.daemon.stop()


@case("without a state folder: a warning, and it works until it ends")
def no_state_folder(stage):
    state = stage.path("state-none")
    with Node(stage, state=state) as node:
        text = node.daemon.log_text()
        assert text.count(f"[sip] nonce_key_file: {state}/nonce.key cannot "
                          "be made: No such file or directory") == 1
        assert "install -d -m 0700" in text
        nonce = node.nonce()
        assert node.use(nonce, 1, "a") == ("accept", False, "ok")
        # A reload without one changes nothing.
        node.reload()
        assert node.use(nonce, 2, "b") == ("accept", False, "ok")
    with Node(stage, state=state) as node:
        # The key of before is gone: right, but not known.
        assert node.use(nonce, 3, "c") == ("challenge", True, "stale")


@case("a key file that is named and not good stops the start")
def named_and_bad(stage):
    files = {"missing": "cannot be opened: No such file or directory",
             "bad": "line 2: must hold one or two different keys",
             "open": "holds a secret and is open to everybody (mode 0644)"}
    stage.file("bad", f"{OTHER_KEY}\nCanary-99\n", user=NOBODY)
    stage.file("open", f"{OTHER_KEY}\n", user=NOBODY, mode=0o644)
    for name, sentence in files.items():
        path = stage.path(name)
        node = Node(stage, f"[sip]\nnonce_key_file = {path}\n", wait=False)
        assert node.daemon.process.wait(10) == 1
        assert (f"{node.daemon.config}:7: [sip] nonce_key_file: {path} "
                f"{sentence}") in node.daemon.log_text()
        assert "Canary" not in node.daemon.log_text()


@case("rotation by SIGHUP: no login is lost, the replay window stays")
def rotation(stage):
    old = base64.b64encode(os.urandom(32)).decode()
    new = base64.b64encode(os.urandom(32)).decode()
    path = stage.file("keys", f"{old}\n", user=NOBODY)

    def put(*keys):
        stage.file("keys", "".join(f"{k}\n" for k in keys), user=NOBODY)
        node.reload()

    with Node(stage, f"[sip]\nnonce_key_file = {path}\n") as node:
        nonce = node.nonce()
        assert signed_by(nonce, old)
        assert node.use(nonce, 1, "a") == ("accept", False, "ok")
        put(old, new)
        assert signed_by(node.nonce(), old)
        put(new, old)
        assert signed_by(node.nonce(), new)
        assert node.use(nonce, 2, "b") == ("accept", False, "ok")
        assert node.use(nonce, 1, "c")[:2] == ("challenge", True)
        assert node.use(nonce, 1, "a") == ("accept", False, "ok")
        # A bad file changes nothing.
        since = len(node.daemon.log_text())
        stage.file("keys", "Canary-99\n", user=NOBODY)
        node.daemon.reload()
        node.daemon.wait_log("the old configuration stays", since=since)
        assert node.use(nonce, 3, "d") == ("accept", False, "ok")
        put(new)
        assert node.use(nonce, 4, "e")[:2] == ("challenge", True)
        # Wrong is wrong, whatever the nonce.
        assert node.use(nonce, 5, "f", "looking-glass") == (
            "challenge", False, "wrong-password")
        assert "Canary" not in node.daemon.log_text()
        for key in (old, new):
            assert key not in node.daemon.log_text()


@case("after a restart a nonce of before is good for one request")
def restart(stage):
    path = stage.file("one-key", f"{OTHER_KEY}\n", user=NOBODY)
    sip = f"[sip]\nnonce_key_file = {path}\n"
    with Node(stage, sip) as node:
        nonce = node.nonce()
        assert node.use(nonce, 1, "a") == ("accept", False, "ok")
    with Node(stage, sip) as node:
        assert node.use(nonce, 2, "b") == ("accept", False, "ok")
        assert node.use(nonce, 2, "b") == ("accept", False, "ok")
        assert node.use(nonce, 2, "c")[:2] == ("challenge", True)
        assert node.use(nonce, 3, "d")[:2] == ("challenge", True)
    with Node(stage, sip + "foreign_window = 0s\n") as node:
        assert node.use(nonce, 4, "e")[:2] == ("challenge", True)


@case("two daemons, requests in turn")
def in_turn(stage):
    path = stage.file("shared", f"{OTHER_KEY}\n", user=NOBODY)
    sip = f"[sip]\nnonce_key_file = {path}\n"
    with Node(stage, sip) as a, Node(stage, sip) as b:
        nonce, nc, rounds = a.nonce(), 0, []
        for turn in range(12):
            node = (a, b)[turn % 2]
            nc += 1
            reply = node.ask(invite(f"call-{turn}", nonce, nc))
            if reply["verdict"] == "challenge":
                # Never "wrong": the phone asks nobody for a password.
                assert "stale=true" in reply["challenges"][0], reply
                nonce, nc = nonce_of(reply), 1
                reply = node.ask(invite(f"call-{turn}", nonce, nc))
            assert reply["verdict"] == "accept", (turn, reply)
            rounds.append(nc)
        # The window lets one request of a nonce pass at the other daemon.
        assert max(rounds) > 2 and rounds.count(1) > 2, rounds
        # One request, played again at both.
        nonce = a.nonce()
        assert a.use(nonce, 1, "x") == ("accept", False, "ok")
        assert b.use(nonce, 1, "x") == ("accept", False, "ok")
        for node in (a, b):
            assert node.use(nonce, 1, "y")[:2] == ("challenge", True)


@case("expired: stale, and the next one is good")
def expired(stage):
    path = stage.file("short", f"{OTHER_KEY}\n", user=NOBODY)
    with Node(stage, f"[sip]\nnonce_key_file = {path}\n"
                     "nonce_lifetime = 10s\n") as node:
        nonce = node.nonce()
        assert node.use(nonce, 1, "a") == ("accept", False, "ok")
        counts = iter(range(2, 60))
        wait_until(lambda: time.sleep(0.5) or node.use(
            nonce, next(counts), "b")[:2] == ("challenge", True), 20,
            "the end of the nonce")
        assert node.use(nonce, 1, "a")[:2] == ("challenge", True)
        assert node.use(node.nonce(), 1, "b") == ("accept", False, "ok")


if __name__ == "__main__":
    run_cases(__file__, prepare)
