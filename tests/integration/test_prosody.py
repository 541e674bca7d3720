#!/usr/bin/python3 -B
"""
Prosody with its stock mod_auth_cyrus and fragments/prosody*: PLAIN over TLS,
checked by the daemon's [saslauthd] door.
"""

import os

import xmpp
from fragment import fragment
from stage import (Daemon, NOBODY, case, find_program, free_port, run_cases,
                   wait_until)

CONFIG = """[database]
conninfo = {conninfo}

[saslauthd]
listen = {mux}
domains = example.com
"""

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
modules_enabled = {{ "saslauth"; "tls"; "posix" }}
modules_disabled = {{ "s2s"; "offline" }}
ssl = {{ certificate = "{directory}/cert.pem"; key = "{directory}/key.pem" }}
"""


def client(stage):
    return xmpp.Client(stage.c2s, stage.cafile)


def login(stage, user, password, authzid=""):
    with client(stage) as one:
        return one.login("PLAIN", user, password, authzid=authzid)


def prepare(stage):
    stage.basic()
    for name in ("bob", "carol"):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file("pass:word:1"))
    stage.script("user-disable", check=True, user="bob@example.com")
    for name in ("door", "prosody", "prosody/data"):
        stage.make_directory(name, NOBODY)
    stage.make_directory("sasl")
    mux = stage.path("door/saslauthd.sock")
    stage.daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"), mux=mux))
    stage.file("sasl/prosody.conf", fragment(stage, "prosody-sasl.conf"),
               mode=0o644)
    directory = stage.path("prosody")
    stage.cafile = xmpp.certificate(stage, directory, NOBODY)
    stage.c2s = free_port("tcp")
    config = stage.file("prosody.cfg.lua", PROSODY.format(
        directory=directory, port=stage.c2s)
        + fragment(stage, "prosody.cfg.lua"), user=NOBODY)
    with open(os.path.join(stage.log_directory, "prosody.log"), "wb") as log:
        stage.spawn([find_program("prosody"), "-F", "--config", config],
                    user=NOBODY, stdout=log, stderr=log,
                    env={"SASL_CONF_PATH": stage.path("sasl")})

    def listening():
        try:
            client(stage).close()
        except OSError:
            return False
        return True
    wait_until(listening, 30)


@case("PLAIN, over TLS only: right, as user@domain, capitals, colons")
def right(stage):
    with xmpp.Client(stage.c2s, stage.cafile, tls=False) as one:
        assert one.mechanisms == [], one.features
    with client(stage) as one:
        assert one.mechanisms == ["PLAIN"], one.features
    for user, password in (("alice", "wonderland"), ("Alice", "wonderland"),
                           ("alice@example.com", "wonderland"),
                           ("carol", "pass:word:1")):
        assert login(stage, user, password) == "success", user


@case("wrong, unknown, disabled, empty: refused, and all alike")
def refused(stage):
    for user, password in (("alice", "wonderlanD"), ("nobody", "wonderland"),
                           ("bob", "pass:word:1"), ("alice", "w" * 2000)):
        assert login(stage, user, password) == "not-authorized", user
    assert login(stage, "alice", "") != "success"


@case("to act for somebody else is refused")
def authzid(stage):
    assert login(stage, "alice", "wonderland",
                 "carol@example.com") != "success"


@case("200 logins in a row, right and wrong by turns")
def many(stage):
    for i in range(200):
        good = i % 2 == 0
        answer = login(stage, "alice", "wonderland" if good else "wrong-one")
        assert answer == ("success" if good else "not-authorized"), (i, answer)


@case("PostgreSQL frozen: nobody gets in, and afterwards they do again")
def frozen(stage):
    stage.postgres.freeze()
    try:
        assert login(stage, "alice", "wonderland") != "success"
    finally:
        stage.postgres.thaw()
    wait_until(lambda: login(stage, "alice", "wonderland") == "success", 20)


@case("no password in any log")
def logs(stage):
    for text in (stage.daemon.log_text(), open(os.path.join(
            stage.log_directory, "prosody.log"), errors="replace",
            encoding="utf-8").read()):
        for secret in ("wonderland", "wonderlanD", "pass:word:1"):
            assert secret not in text


if __name__ == "__main__":
    run_cases(__file__, prepare)
