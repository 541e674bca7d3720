#!/usr/bin/python3 -B
"""
Accounts changed by XMPP clients through ejabberd (XEP-0077): one row, so the
old password is dead at once for XMPP and SIP, and what is refused changes
nothing. Then ejabberd under load while everything below it stops and starts:
nobody who was right is ever told "wrong" by us, and no helper ends.

Environment: ONECRED_OUTAGE (4), seconds that PostgreSQL is frozen for.
"""

import os
import re
import signal
import threading
import time

from ejabberd import Ejabberd
from fragment import fragment
from process import is_running
from radius import digest, radclient, radclient_lines
from stage import (NOBODY, Daemon, Extauth, case, free_port, run_cases,
                   wait_until)
from xmpp import escape

OUTAGE = float(os.environ.get("ONECRED_OUTAGE", "4"))
RIGHTS = "rights = check exists set create delete"
CONFIG = """[database]
conninfo = {conninfo}
[extauth]
listen = {directory}/extauth.sock
domains = example.com
{rights}
[radius]
listen = 127.0.0.1:{radius}
[radius-client sip]
address = 127.0.0.1
secret_file = {secret}
"""
GOOD = ("PLAIN", "alice", "wonderland")
WRONG = ("PLAIN", "alice", "wrong-one")


class World:
    """What all cases share."""
    stage = daemon = ejabberd = port = secret = None


def start_daemon(rights=RIGHTS):
    stage = World.stage
    World.daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"),
        directory=stage.path("door"), rights=rights, radius=World.port,
        secret=World.secret))
    World.daemon.wait_log("database: connected", 20)
    return World.daemon


def start_ejabberd():
    stage = World.stage
    World.ejabberd = Ejabberd(stage, fragment(stage, "ejabberd.yml", {
        "/bin/onecred-extauth": "/bin/onecred-extauth --socket "
        + stage.path("door/extauth.sock")}), register="all")


def prepare(stage):
    stage.basic()
    stage.script("user-add", check=True, user="bob@example.com",
                 password_file=stage.password_file("pass:word:1"))
    World.stage = stage
    World.port = free_port("udp")
    World.secret = stage.file("radius.secret", "a-shared-secret-of-ours\n",
                              user=NOBODY)
    stage.make_directory("door", NOBODY)
    start_daemon()
    start_ejabberd()


def login(user, password):
    return World.ejabberd.login("PLAIN", user, password)


def sip(user, password):
    """What a phone gets, asked for by radclient."""
    return radclient(World.stage, World.port, World.secret, radclient_lines(
        digest(user, password), user))[0]


def opens(user, password):
    """Asserts that the password opens both sides, or neither -> which."""
    both = login(user, password), sip(user, password)
    assert both in (("success", "accept"), ("not-authorized", "reject")), \
        (user, both)
    return both[0] == "success"


def change(user, password, new):
    """In-band, as the user -> "result" or the error's condition."""
    with World.ejabberd.client() as client:
        assert client.login("PLAIN", user, password) == "success"
        client.bind()
        return client.change_password(new, user=user)


def condition(stanza):
    return re.search("<error.*?<([a-z-]+)", stanza, re.DOTALL)[1] \
        if "<error" in stanza else "result"


def register(user, password):
    """Before the login (XEP-0077 3.1) -> as change()."""
    with World.ejabberd.client() as client:
        return condition(client.ask(
            "<iq type='set' id='new'><query xmlns='jabber:iq:register'>"
            f"<username>{user}</username><password>{escape(password)}"
            "</password></query></iq>",
            r"<iq [^>]*id=.new.[^>]*?(?:/>|>.*?</iq>)")[0])


def unregister(user, password):
    with World.ejabberd.client() as client:
        assert client.login("PLAIN", user, password) == "success"
        client.bind()
        return condition(client.ask(
            "<iq type='set' id='end'><query xmlns='jabber:iq:register'>"
            "<remove/></query></iq>",
            r"<iq [^>]*id=.end.[^>]*?(?:/>|>.*?</iq>)|</stream:stream>")[0])


def version(user):
    return World.stage.postgres.value(
        "SELECT version FROM onecred.credential"
        f" WHERE localpart = '{user}'")


@case("a password changed by a client: the old one is dead for XMPP and SIP")
def changed(_stage):
    assert opens("alice", "wonderland")
    old = "wonderland"
    for name, new in (("alice", "looking-glass"), ("Alice", "a:b c:d<&>'\""),
                      ("alice", "wonderland")):
        assert change(name, old, new) == "result", new
        assert opens("alice", new), new
        assert not opens("alice", old), old
        old = new
    World.daemon.wait_log("door=extauth user=alice@example.com change=set "
                          "result=done")


@case("a password that is refused: an error, a sentence in the log, no change")
def refused(stage):
    before = version("alice")
    for new in ("short", " leading-blank", "Gr\u00fc\u00dfe-an-alle",
                "x" * 129):
        assert change("alice", "wonderland", new) != "result", new
    assert version("alice") == before
    assert opens("alice", "wonderland")
    assert not opens("alice", "x" * 129)
    lines = re.findall("change=set result=refused .* why=(.*)",
                       World.daemon.log_text())
    assert len(lines) == 4 and all(lines), lines
    stage.script("domain-set", check=True, domain="example.com",
                 non_ascii="yes")
    assert change("alice", "wonderland", "Gr\u00fc\u00dfe-an-alle") == \
        "result"
    assert opens("alice", "Gr\u00fc\u00dfe-an-alle")
    assert not opens("alice", "wonderland")
    # Decomposed: other octets that look the same, so not for both sides.
    assert change("alice", "Gr\u00fc\u00dfe-an-alle",
                  "Gru\u0308\u00dfe-an-alle") != "result"
    assert change("alice", "Gr\u00fc\u00dfe-an-alle", "wonderland") == \
        "result"
    assert opens("alice", "wonderland")


@case("registered by a client, logged in, taken, removed: gone on both sides")
def registered(stage):
    for name, password in (("erik", "first:pass:word"),
                           ("erik", "second-password")):
        assert not opens(name, password)
        assert register(name, password) == "result"
        assert opens(name, password)
        assert register(name, "other-password") == "conflict"
        assert opens(name, password)
        assert not opens(name, "other-password")
        assert unregister(name, password) == "result"
        wait_until(lambda: stage.postgres.value(
            "SELECT count(*) FROM onecred.credential WHERE localpart ="
            " 'erik'") == "0", 10, "the end of the account")
        assert not opens("erik", password)
    assert register("erik", "short") not in ("result", "conflict")
    assert not opens("erik", "short")


@case("no right to change anything: errors, and the log names the key")
def no_rights(stage):
    World.daemon.stop()
    daemon = start_daemon("")
    before = version("alice")
    for new in ("looking-glass", "looking-glass-2"):
        assert change("alice", "wonderland", new) != "result"
    assert register("erik", "first-password") != "result"
    # NB: ejabberd says yes, and has dropped what it had of hers.
    assert unregister("alice", "wonderland") == "result"
    daemon.wait_log("command=removeuser verdict=unavailable")
    assert opens("alice", "wonderland")
    assert not opens("alice", "looking-glass")
    assert version("alice") == before
    assert stage.postgres.value("SELECT count(*) FROM onecred.credential") \
        == "2"
    text = daemon.log_text()
    assert text.count("reason=not-permitted: [extauth] rights has no "
                      "\"set\"") == 1, text
    assert "reason=not-permitted: [extauth] rights has no \"create\"" in text
    daemon.stop()
    start_daemon()


@case("a change while PostgreSQL is frozen: an error, and only one password")
def change_in_outage(stage):
    with World.ejabberd.client() as client:
        assert client.login(*GOOD) == "success"
        client.bind()
        stage.postgres.freeze()
        try:
            assert client.change_password("looking-glass") != "result"
        finally:
            stage.postgres.thaw()
    wait_until(lambda: login("alice", "wonderland") == "success" or
               login("alice", "looking-glass") == "success", 20, "healing")
    # It may have been written after all; never half of it.
    if not opens("alice", "wonderland"):
        assert opens("alice", "looking-glass")
        assert change("alice", "looking-glass", "wonderland") == "result"
    assert not opens("alice", "looking-glass")


class Load:
    """Logins through ejabberd, right ones, at a steady rate."""

    def __init__(self, rate=10):
        self.answers = []       # (begun, seconds, answer)
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True,
                                         args=(rate, i)) for i in range(rate)]

    def _run(self, rate, number):
        due = time.monotonic() + number / rate
        while not self.ending.wait(max(0, due - time.monotonic())):
            due = max(due + 1, time.monotonic())
            begun = time.monotonic()
            try:
                answer = World.ejabberd.login(*GOOD)
            except OSError as error:
                answer = type(error).__name__
            self.answers.append((begun, time.monotonic() - begun, answer))

    def good_since(self, since, count=10):
        return sum(a[0] > since and a[2] == "success"
                   for a in self.answers) >= count

    def failed_since(self, since):
        return any(a[0] > since and a[2] != "success" for a in self.answers)

    def __enter__(self):
        start = time.monotonic()
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.good_since(start), 20, "the load")
        return self

    def __exit__(self, *exception):
        self.ending.set()
        for thread in self.threads:
            thread.join(40)


def denied(since=0):
    """Logins that the daemon has judged wrong."""
    return World.daemon.log_text()[since:].count("verdict=deny")


def helper_faults():
    """What ejabberd says of a helper that ends or does not answer."""
    return [line for line in World.ejabberd.log_text().splitlines()
            if re.search("extauth", line, re.IGNORECASE) and
            re.search("timeout|restart|terminated|EXIT|disconnected", line)]


@case("PostgreSQL frozen under 10 logins/s: nobody is told wrong, no helper "
      "ends")
def frozen(stage):
    helpers = sorted(World.ejabberd.helpers())
    log = len(World.daemon.log_text())
    with Load() as load:
        stage.postgres.freeze()
        begun = time.monotonic()
        try:
            wait_until(lambda: time.monotonic() - begun >= OUTAGE,
                       OUTAGE + 1)
        finally:
            stage.postgres.thaw()
        since = time.monotonic()
        wait_until(lambda: load.good_since(since, 30), 30, "healing")
        healed = time.monotonic() - since
    answers = [a for a in load.answers if begun <= a[0] < since]
    failed = [a for a in answers if a[2] != "success"]
    print(f"# frozen for {since - begun:.1f} s: {len(answers)} logins, "
          f"{len(failed)} failed, the slowest took "
          f"{max(a[1] for a in answers):.1f} s; healed {healed:.1f} s after")
    # ejabberd has no other word for its clients.
    assert {a[2] for a in load.answers} == {"success", "not-authorized"}
    assert failed
    assert "unexpected_response" in World.ejabberd.log_text()
    assert denied(log) == 0
    assert sorted(World.ejabberd.helpers()) == helpers
    assert helper_faults() == []


@case("onecredd stopped and started, and killed, under 10 logins/s")
def restarted(_stage):
    helpers = sorted(World.ejabberd.helpers())
    log = len(World.daemon.log_text())
    with Load() as load:
        for orderly in (True, False, True):
            if orderly:
                World.daemon.stop()
            else:
                World.daemon.kill()
            since = time.monotonic()
            wait_until(lambda: load.failed_since(since), 20, "a failure")
            assert denied(log) == 0
            start_daemon()
            log = 0
            since = time.monotonic()
            wait_until(lambda: load.good_since(since), 20, "the next daemon")
    assert {a[2] for a in load.answers} <= {"success", "not-authorized"}
    failed = sum(a[2] != "success" for a in load.answers)
    print(f"# {len(load.answers)} logins, 3 restarts, {failed} failed")
    assert denied() == 0
    assert sorted(World.ejabberd.helpers()) == helpers
    assert helper_faults() == []


@case("helpers killed under 10 logins/s: others take over")
def killed(_stage):
    log = len(World.daemon.log_text())
    with Load() as load:
        for _ in range(3):
            since = time.monotonic()
            for pid in World.ejabberd.helpers("onecred-extauth"):
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: load.good_since(since), 20, "other helpers")
    assert {a[2] for a in load.answers} <= {"success", "not-authorized"}
    assert denied(log) == 0


@case("20 at once, right and wrong; 200 in a row")
def many(_stage):
    found = {}

    def one(number):
        found[number] = World.ejabberd.login(*(WRONG if number % 2 else GOOD))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {i: "not-authorized" if i % 2 else "success"
                     for i in range(20)}, found
    for i in range(200):
        one(i)
        assert found[i] == ("not-authorized" if i % 2 else "success"), i


@case("ejabberd stopped and started: its helpers end, others begin")
def ejabberd_restarted(_stage):
    helpers = World.ejabberd.helpers("onecred-extauth")
    assert helpers
    World.ejabberd.stop()
    wait_until(lambda: not any(is_running(pid) for pid in helpers), 10,
               "their end")
    start_ejabberd()
    assert opens("alice", "wonderland")
    assert not opens("alice", "wrong-one")


@case("ejabberd killed: no helper stays behind")
def ejabberd_killed(_stage):
    helpers = World.ejabberd.helpers("onecred-extauth")
    assert helpers
    World.ejabberd.process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(is_running(pid) for pid in helpers), 10,
               "their end")


@case("the door itself: what clients cannot say through ejabberd")
def direct(stage):
    path = stage.path("door/extauth.sock")
    with Extauth.connect(path) as peer:
        for request, answer in (
                (b"removeuser3:bob:example.com:wrong", Extauth.FALSE),
                (b"removeuser:nobody:example.com", Extauth.TRUE),
                (b"setpass:nobody:example.com:looking-glass",
                 Extauth.FAILURE),
                (b"isuser:bob:example.com", Extauth.TRUE),
                (b"removeuser3:bob:example.com:pass:word:1", Extauth.TRUE),
                (b"isuser:bob:example.com", Extauth.FALSE),
                (b"removeuser3:bob:example.com:pass:word:1",
                 Extauth.FALSE)):
            assert peer.request(request) == answer, request


@case("no password in any log")
def logs(stage):
    for folder, _, names in os.walk(stage.log_directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            for secret in (b"wonderland", b"looking-glass", b"pass:word",
                           "Gr\u00fc\u00dfe".encode(), b"a:b c:d",
                           b"second-password", b"other-password"):
                assert secret not in text, (name, secret)


if __name__ == "__main__":
    run_cases(__file__, prepare)
