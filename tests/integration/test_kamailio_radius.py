#!/usr/bin/python3 -B
"""
Kamailio with fragments/kamailio-radius.cfg: sipsak registers, auth_radius
asks the [radius] door, by the numbers of RFC 5090 and with Debian's
dictionary (draft-sterman). Right, wrong, unknown, other people's names, an
outage.
"""

import hashlib
import os
import time

from fragment import fragment
from kamailio import Kamailio, call, sipsak
from stage import (Daemon, NOBODY, case, free_port, run_cases, wait_until)

SECRET = "a-32-octet-or-longer-shared-secret!"

CONFIG = """[database]
conninfo = {conninfo}

[radius]
listen = 127.0.0.1:{port}

[radius-client kamailio]
address = 127.0.0.1
secret_file = {secret}
"""

KAMAILIO = """alias="example.com"
include_file "{include}"

request_route {{
	route(ONECRED);
	sl_send_reply("200", "OK $au");
}}
"""

# The other encoding: what Debian ships, and two lines it lacks.
STERMAN = """$INCLUDE /etc/radcli/dictionary
$INCLUDE /etc/radcli/dictionary.sip
ATTRIBUTE SIP-AVP 225 string
VALUE Service-Type Sip-Session 15
"""


def put(stage, folder, name, text):
    path = stage.file(f"kamailio/{folder}/{name}", text, user=NOBODY)
    return path


def kamailio(stage, folder, dictionary):
    """Kamailio with the fragments in a folder of its own."""
    stage.make_directory(f"kamailio/{folder}", NOBODY)
    here = {"kamailio/onecred": f"kamailio/{folder}"}
    put(stage, folder, "dictionary", dictionary)
    put(stage, folder, "servers", f"127.0.0.1 {SECRET}\n")
    put(stage, folder, "radiusclient.conf", fragment(
        stage, "radiusclient.conf",
        {**here, "127.0.0.1:1812": f"127.0.0.1:{stage.radius}"}))
    include = put(stage, folder, "kamailio-radius.cfg",
                  fragment(stage, "kamailio-radius.cfg", here))
    return Kamailio(stage, KAMAILIO.format(include=include))


def prepare(stage):
    stage.basic()
    for name in ("bob", "carol"):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file("pass:word:1"))
    stage.script("user-disable", check=True, user="bob@example.com")
    stage.radius = free_port("udp")
    secret = stage.file("radius.secret", SECRET + "\n", user=NOBODY)
    stage.daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"), port=stage.radius,
        secret=secret))
    stage.make_directory("kamailio")
    stage.servers = {
        "RFC 5090": kamailio(stage, "onecred", fragment(stage, "dictionary")),
        "draft-sterman": kamailio(stage, "sterman", STERMAN)}


def register(stage, user, password, encoding="RFC 5090", **options):
    return sipsak(stage, stage.servers[encoding].port, user, password,
                  **options)


def each_encoding(title):
    """One case per dictionary."""
    def one(function, encoding):
        case(f"{encoding}: {title}")(lambda stage: function(stage, encoding))

    def mark(function):
        for encoding in ("RFC 5090", "draft-sterman"):
            one(function, encoding)
        return function
    return mark


@each_encoding("alice and carol register, also as user@domain and by HA1")
def right(stage, encoding):
    for user, password, username in (
            ("alice", "wonderland", None), ("carol", "pass:word:1", None),
            ("alice", "wonderland", "alice@example.com")):
        done = register(stage, user, password, encoding, username=username)
        assert done.ok and done.challenged, done.text
    ha1 = hashlib.md5(b"alice:example.com:wonderland").hexdigest()
    assert register(stage, "alice", "", encoding, ha1=ha1).ok


@each_encoding("wrong, unknown, disabled: challenged again, never let in")
def refused(stage, encoding):
    for user, password in (("alice", "wonderlanD"), ("nobody", "wonderland"),
                           ("bob", "pass:word:1"), ("alice", "w" * 200)):
        done = register(stage, user, password, encoding)
        assert not done.ok and done.challenged, done.text
        assert "SIP/2.0 200" not in done.text, done.text


@case("a request that is no REGISTER: 407, then let in, or 407 again")
def proxy(stage):
    port = stage.servers["RFC 5090"].port
    for user, password, last in (("alice", "wonderland", "200 OK alice"),
                                 ("alice", "wonderlanD", "407 "),
                                 ("nobody", "wonderland", "407 ")):
        first, second = call(port, "MESSAGE", user, password)
        assert first.startswith("SIP/2.0 407 "), first
        assert second.startswith(f"SIP/2.0 {last}"), second


@case("nobody registers or writes under the name of somebody else")
def identity(stage):
    port = stage.servers["RFC 5090"].port
    for method in ("REGISTER", "MESSAGE"):
        first, second = call(port, method, "alice", "pass:word:1",
                             username="carol")
        assert first.startswith("SIP/2.0 40"), first
        assert second.startswith("SIP/2.0 403 Not your address"), second


@case("from outside: to our users yes, to others no, and never as one of us")
def outside(stage):
    port = stage.servers["RFC 5090"].port
    for to, status in (("example.com", "200"), ("example.net", "403")):
        answers = call(port, "MESSAGE", "eve", "none", domain="example.org",
                       uri=f"sip:alice@{to}")
        assert len(answers) == 1, answers
        assert answers[0].startswith(f"SIP/2.0 {status} "), answers
    answers = call(port, "MESSAGE", "alice", "wonderlanD")
    assert [a[:11] for a in answers] == ["SIP/2.0 407"] * 2, answers


@case("a realm of others: refused")
def foreign(stage):
    done = register(stage, "alice", "wonderland", domain="example.org")
    assert not done.ok and done.challenged, done.text
    assert "SIP/2.0 200" not in done.text, done.text


@case("PostgreSQL stopped: asked again within the timeouts, then let in")
def outage(stage):
    stage.postgres.stop()
    try:
        start = time.monotonic()
        done = register(stage, "alice", "wonderland")
        assert not done.ok and "SIP/2.0 200" not in done.text, done.text
        # radiusclient.conf: 2 s, once more 2 s.
        assert time.monotonic() - start < 10
        assert "reason=db-down" in stage.daemon.log_text()
    finally:
        stage.postgres.start()
    wait_until(lambda: register(stage, "alice", "wonderland").ok, 20)


@case("onecredd restarted on its port: Kamailio needs no restart")
def restarted(stage):
    with open(stage.daemon.config, encoding="utf-8") as f:
        config = f.read()
    stage.daemon.stop()
    stage.daemon = Daemon(stage, config)
    wait_until(lambda: register(stage, "alice", "wonderland").ok, 20)


@case("50 registrations in a row, right and wrong by turns")
def many(stage):
    for i in range(50):
        good = i % 2 == 0
        done = register(stage, "alice",
                        "wonderland" if good else "wrong-one")
        assert done.ok is good, (i, done.text)


@case("no password and no secret in any log")
def logs(stage):
    texts = [stage.daemon.log_text()]
    for name in os.listdir(stage.log_directory):
        if name.startswith("kamailio"):
            with open(os.path.join(stage.log_directory, name),
                      encoding="utf-8", errors="replace") as f:
                texts.append(f.read())
    assert len(texts) > 2
    for text in texts:
        for secret in ("wonderland", "wonderlanD", "pass:word:1", SECRET):
            assert secret not in text


if __name__ == "__main__":
    run_cases(__file__, prepare)
