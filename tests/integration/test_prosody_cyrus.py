#!/usr/bin/python3 -B
"""
Prosody 0.12 by libsasl2: mod_auth_onecred_cyrus, the auxprop plugin (SCRAM,
DIGEST-MD5) and the daemon's [saslauthd] door (PLAIN). What is sent behind a
login is nothing but the server's signature.
"""

import glob
import os
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import xmpp
from fragment import fragment
from prosody import Prosody
from stage import NOBODY, Daemon, case, run_cases, wait_until

CONFIG = """[database]
conninfo = {conninfo}

[saslauthd]
listen = {mux}
domains = example.com
"""

SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256")
MECHS = ("PLAIN", *SCRAMS)
UNICODE = "pässwörd€ 1"


class World:
    prosody = None


def prepare(stage):
    stage.basic()
    stage.role("cyrus", "plugin", "example.com")
    stage.script("domain-set", check=True, domain="example.com",
                 non_ascii="yes")
    for name, password in (("bob", "pass:word:1"), ("carol", "pass:word:1"),
                           ("ute", UNICODE)):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file(password))
    stage.script("user-disable", check=True, user="bob@example.com")
    stage.make_directory("door", NOBODY)
    stage.make_directory("sasl", NOBODY)
    mux = stage.path("door/saslauthd.sock")
    stage.daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"), mux=mux))
    stage.file("sasl/prosody.conf", fragment(
        stage, "prosody-sasl-scram.conf", {
            "host=/var/run/postgresql dbname=onecred user=prosody":
                stage.postgres.conninfo("cyrus")}), user=NOBODY)
    plugins = glob.glob(f"{stage.root}/usr/lib/*/sasl2")
    assert len(plugins) == 1, plugins
    system = glob.glob("/usr/lib/*/sasl2")[0]
    World.prosody = Prosody(
        stage, "prosody", fragment(stage, "prosody-onecred-cyrus.cfg.lua"),
        ("ping",), level="debug",
        env={"SASL_CONF_PATH": stage.path("sasl"),
             "SASL_PATH": f"{system}:{plugins[0]}"})


def login(*args, **options):
    return World.prosody.login(*args, **options)


@case("offered: SCRAM and PLAIN over TLS, no -PLUS, never ANONYMOUS")
def offered(_stage):
    with World.prosody.client(tls=False) as one:
        assert one.mechanisms == [], one.features
    for version in (None, ssl.TLSVersion.TLSv1_2):
        with World.prosody.client(tls_version=version) as one:
            assert set(one.mechanisms) == set(MECHS), one.mechanisms


@case("each mechanism: right, capitals, colons, non-ASCII")
def right(_stage):
    for mechanism in MECHS:
        for user, password in (("alice", "wonderland"),
                               ("Alice", "wonderland"),
                               ("carol", "pass:word:1"), ("ute", UNICODE)):
            with World.prosody.client() as one:
                assert one.login(mechanism, user, password) == "success", \
                    (mechanism, user)
                assert one.bind().startswith(f"{user.lower()}@example.com/")


@case("success carries the server's signature and not one octet more")
def nothing_more(_stage):
    for mechanism in SCRAMS:
        with World.prosody.client() as one:
            step, seen = one._step, []

            def kept(element, step=step, seen=seen):
                seen.append(step(element))
                return seen[-1]
            one._step = kept
            assert one.login(mechanism, "alice", "wonderland") == "success"
        # One challenge, then the proof with the success itself.
        kinds = [kind for kind, _ in seen]
        assert kinds == ["challenge", "success"], kinds
        proof = seen[1][1]
        assert proof.startswith(b"v=") and len(proof) == (
            30 if mechanism == "SCRAM-SHA-1" else 46), seen
    with World.prosody.client() as one:
        assert one._auth("PLAIN", b"\0alice\0wonderland") == ("success", b"")


@case("wrong, unknown, disabled: not-authorized, all alike")
def wrong(_stage):
    for mechanism in MECHS:
        for user, password in (("alice", "wonderlanD"),
                               ("nobody", "wonderland"),
                               ("bob", "pass:word:1"), ("ute", "passwort")):
            got = login(mechanism, user, password)
            assert got == "not-authorized", (mechanism, user, got)


@case("to act for somebody else is refused")
def authzid(_stage):
    for mechanism in MECHS:
        got = login(mechanism, "alice", "wonderland",
                    authzid="carol@example.com")
        assert got in ("not-authorized", "invalid-authzid",
                       "malformed-request"), (mechanism, got)


@case("another try on the same stream")
def again(_stage):
    for mechanism in MECHS:
        with World.prosody.client() as one:
            assert one.login(mechanism, "alice", "no") == "not-authorized"
            assert one.login(mechanism, "alice", "wonderland") == "success"


@case("200 logins in a row, right and wrong by turns; 20 at once")
def many(_stage):
    def one(i):
        good = i % 2 == 0
        got = login(MECHS[i % 3], "alice",
                    "wonderland" if good else "wrong-one")
        assert got == ("success" if good else "not-authorized"), (i, got)

    for i in range(200):
        one(i)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(60)))


def longest_ping(one, until):
    """The slowest answer to a ping while until is not done, in seconds."""
    longest = 0.0
    while not until.done():
        begin = time.monotonic()
        one.ask("<iq type='get' id='p' to='example.com'>"
                "<ping xmlns='urn:xmpp:ping'/></iq>", "id=.p.")
        longest = max(longest, time.monotonic() - begin)
    assert longest < 10
    return longest


@case("PostgreSQL frozen: temporary-auth-failure; it blocks, but not for ever")
def frozen(stage):
    with World.prosody.client() as one:
        assert one.login("SCRAM-SHA-256", "alice", "wonderland") == "success"
        one.bind()
        stage.postgres.freeze()
        try:
            for mechanism in MECHS:
                begin = time.monotonic()
                got = login(mechanism, "alice", "wonderland")
                assert got == "temporary-auth-failure", (mechanism, got)
                assert time.monotonic() - begin < 20
                # Another's session, while that one logs in (README).
                with ThreadPoolExecutor(1) as other:
                    time.sleep(2)
                    late = other.submit(login, mechanism, "alice", "x")
                    print(f"# {mechanism}: others wait "
                          f"{longest_ping(one, late):.1f} s")
        finally:
            stage.postgres.thaw()
        wait_until(lambda: {login(m, "alice", "wonderland") for m in MECHS}
                   == {"success"}, 30)


@case("no traceback and no secret in any log")
def logs(stage):
    assert "Traceback" not in World.prosody.log_text()
    for name in os.listdir(stage.log_directory):
        with open(os.path.join(stage.log_directory, name), encoding="utf-8",
                  errors="replace") as f:
            text = f.read()
        for secret in ("wonderland", "pass:word:1", UNICODE,
                       xmpp.b64("\0alice\0wonderland")):
            assert secret not in text, (name, secret)


if __name__ == "__main__":
    run_cases(__file__, prepare)
