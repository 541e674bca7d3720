#!/usr/bin/python3 -B
"""
How long a refusal takes tells nobody whether the name exists: for each way in,
wrong password, unknown and disabled are asked in turn, and their medians are
held together. The bound is wide, for the machine is noisy; what it must catch
is a way that ends early, or works PBKDF2 for some names and not for others.
"""

import os
import statistics
import time

from dovecot import Client
from radius import digest
from rawhttp import Http
from stage import NOBODY, Daemon, case, run_cases

ROUNDS = int(os.environ.get("ONECRED_ROUNDS", "150"))
APART = 1.35        # the slowest median to the fastest
TOKEN = "c4nary-token-0123456789"
PASSWORD = "wonderland"

# Who asks, and with which password: never let in.
NAMES = {"wrong password": ("alice", "wonderlanD"),
         "unknown": ("nobody", PASSWORD), "disabled": ("bob", PASSWORD)}


class World:
    pass


def prepare(stage):
    stage.basic()
    stage.script("user-add", check=True, user="bob@example.com",
                 password_file=stage.password_file(PASSWORD))
    # SCRAM only: a password is checked by PBKDF2.
    stage.script("domain-add", check=True, domain="slow.example",
                 digests="none")
    for user in ("alice", "bob"):
        stage.script("user-add", check=True, user=f"{user}@slow.example",
                     password_file=stage.password_file(PASSWORD))
    for domain in ("example.com", "slow.example"):
        stage.script("user-disable", check=True, user=f"bob@{domain}")
    for name in ("run", "state"):
        stage.make_directory(name, NOBODY)
    World.dovecot = f"{stage.path('run')}/dovecot.sock"
    World.http = f"{stage.path('run')}/http.sock"
    token = stage.file("token", TOKEN + "\n", user=NOBODY)
    World.daemon = Daemon(
        stage, f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
        f"lookup_timeout = 5s\n[dovecot xmpp]\nlisten = {World.dovecot}\n"
        f"domain = example.com\n[http]\nlisten = {World.http}\n"
        f"token_file = {token}\n",
        env={"STATE_DIRECTORY": stage.path("state")})


def alike(ask):
    """ask(user, password) is false, and takes as long whoever it is."""
    spans = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        for name, (user, password) in NAMES.items():
            start = time.perf_counter()
            let_in = ask(user, password)
            spans[name].append(time.perf_counter() - start)
            assert not let_in, name
    medians = {name: statistics.median(s) * 1e6 for name, s in spans.items()}
    text = ", ".join(f"{name} {us:.0f} us" for name, us in medians.items())
    print(f"# {text}")
    assert max(medians.values()) <= APART * min(medians.values()), text


@case("SCRAM, both steps")
def scram(_stage):
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        with Client(World.dovecot) as client:
            assert client.scram(mechanism, "alice", PASSWORD)[0] == "OK"
            alike(lambda user, password: client.scram(
                mechanism, user, password)[0] == "OK")


@case("a password held against HA1, and against SCRAM by PBKDF2")
def password(_stage):
    for domain in ("example.com", "slow.example"):
        with Http(World.http) as http:
            def ask(user, password):
                answer = http.ask("POST", "/v1/password", {
                    "user": f"{user}@{domain}", "password": password},
                    token=TOKEN)
                assert answer.status == 200, answer
                return answer.json["verdict"] == "allow"
            assert ask("alice", PASSWORD)
            alike(ask)


@case("a SIP request's digest")
def sip(_stage):
    target = "/v1/sip?as=registrar&realm=example.com"
    with Http(World.http) as http:
        def ask(user, password):
            fields = digest(user, password, nonce="of-nobody")
            row = ", ".join(
                f"{key}={value}" if key in ("nc", "qop") else
                f'{key}="{value}"' for key, value in fields.items()
                if key != "method")
            answer = http.ask("POST", target, "\r\n".join([
                "REGISTER sip:example.com SIP/2.0",
                f"From: <sip:{user}@example.com>;tag=1",
                f"To: <sip:{user}@example.com>", "Call-ID: timing",
                "CSeq: 1 REGISTER", f"Authorization: Digest {row}", "", ""]),
                token=TOKEN, content_type="message/sip").json
            assert answer["verdict"] == "challenge", answer
            return answer["reason"] == "stale"
        # Right, but over a nonce that is nobody's.
        assert ask("alice", PASSWORD)
        alike(ask)


if __name__ == "__main__":
    run_cases(__file__, prepare)
