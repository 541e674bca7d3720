#!/usr/bin/python3 -B
"""
xmpp.py itself, the client that other tests trust: against Prosody with an
account of its own and nothing of ours. What it calls a success must be one,
and a wrong password must never be.
"""

import os
import ssl

import xmpp
from stage import NOBODY, case, find_program, free_port, run_cases, wait_until

PROSODY = """
data_path = "{directory}/data"
pidfile = "{directory}/prosody.pid"
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{}}
c2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
modules_enabled = {{ "saslauth"; "tls"; "posix";
    "user_account_management" }}
modules_disabled = {{ "s2s"; "offline" }}
ssl = {{ certificate = "{directory}/cert.pem"; key = "{directory}/key.pem" }}
c2s_require_encryption = true
authentication = "internal_plain"
VirtualHost "example.com"
"""

ACCOUNT = 'return { ["password"] = "wonderland"; };\n'
SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256")


def prepare(stage):
    directory = stage.make_directory("prosody", NOBODY)
    for name in ("data", "data/example%2ecom", "data/example%2ecom/accounts"):
        stage.make_directory(f"prosody/{name}", NOBODY)
    stage.file("prosody/data/example%2ecom/accounts/alice.dat", ACCOUNT,
               user=NOBODY)
    stage.cafile = xmpp.certificate(stage, directory, NOBODY)
    stage.c2s = free_port("tcp")
    config = stage.file("prosody/prosody.cfg.lua", PROSODY.format(
        directory=directory, port=stage.c2s), user=NOBODY)
    with open(os.path.join(stage.log_directory, "prosody.log"), "wb") as log:
        stage.spawn([find_program("prosody"), "-F", "--config", config],
                    user=NOBODY, stdout=log, stderr=log)

    def listening():
        try:
            client(stage).close()
        except OSError:
            return False
        return True
    wait_until(listening, 30)


def client(stage, **options):
    return xmpp.Client(stage.c2s, stage.cafile, **options)


def login(stage, mechanism, user, password, tls12=False, **options):
    version = ssl.TLSVersion.TLSv1_2 if tls12 else None
    with client(stage, tls_version=version) as one:
        assert mechanism in one.mechanisms, one.mechanisms
        return one.login(mechanism, user, password, **options)


@case("PLAIN and SCRAM: right lets in and binds, wrong and unknown do not")
def logins(stage):
    for mechanism in ("PLAIN", *SCRAMS):
        with client(stage) as one:
            assert one.login(mechanism, "alice", "wonderland") == "success"
            assert one.bind().startswith("alice@example.com/")
        for user, password in (("alice", "wonderlanD"),
                               ("nobody", "wonderland"), ("alice", "")):
            answer = login(stage, mechanism, user, password)
            assert answer not in ("success", "bad-signature"), (user, answer)


@case("SCRAM-PLUS is bound to this channel and no other")
def binding(stage):
    for mechanism in SCRAMS:
        plus = f"{mechanism}-PLUS"
        assert login(stage, plus, "alice", "wonderland", tls12=True,
                     binding="tls-unique") == "success"
        assert login(stage, plus, "alice", "wonderlanD", tls12=True,
                     binding="tls-unique") == "not-authorized"
        # What it claims is not what it sends.
        with client(stage, tls_version=ssl.TLSVersion.TLSv1_2) as one:
            one._binding = lambda kind: b"another channel"
            assert one.login(plus, "alice", "wonderland",
                             binding="tls-unique") != "success"


@case("an account that the server cannot prove to know: bad-signature")
def bad_signature(stage):
    with client(stage) as one:
        step = one._step

        def other(element):
            kind, content = step(element)
            if kind == "success":
                content = b"v=" + bytes(reversed(content[2:]))
            return kind, content
        one._step = other
        assert one.login("SCRAM-SHA-256", "alice", "wonderland") == \
            "bad-signature"


@case("to act for somebody else; a mechanism that is not offered")
def authzid(stage):
    # Prosody takes no notice of it: the session is alice's.
    with client(stage) as one:
        assert one.login("PLAIN", "alice", "wonderland",
                         authzid="bob@example.com") == "success"
        assert one.bind().startswith("alice@example.com/")
    with client(stage) as one:
        assert one.login("SCRAM-SHA-512", "alice", "wonderland") == \
            "invalid-mechanism"
    with client(stage, tls=False) as one:
        assert one.mechanisms == []


@case("a password changed in-band counts")
def change(stage):
    with client(stage) as one:
        assert one.login("PLAIN", "alice", "wonderland") == "success"
        one.bind()
        assert one.change_password("looking & <glass>") == "result"
    assert login(stage, "SCRAM-SHA-256", "alice", "looking & <glass>") == \
        "success"
    assert login(stage, "PLAIN", "alice", "wonderland") == "not-authorized"


if __name__ == "__main__":
    run_cases(__file__, prepare)
