#!/usr/bin/python3 -B
"""
Prosody with its stock mod_auth_cyrus: PLAIN over TLS, checked by the daemon's
[saslauthd] door. The client is a few lines of XMPP (RFC 6120), so that it can
say what a well-behaved one would not.
"""

import base64
import os
import re
import socket
import ssl

from stage import (Daemon, NOBODY, case, find_program, free_port, run_cases,
                   wait_until)

CONFIG = """[database]
conninfo = {conninfo}

[saslauthd]
listen = {mux}
domains = example.com
"""

SASL = """pwcheck_method: saslauthd
saslauthd_path: {mux}
mech_list: PLAIN
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
c2s_require_encryption = true
ssl = {{ certificate = "{directory}/cert.pem"; key = "{directory}/key.pem" }}
authentication = "cyrus"
VirtualHost "example.com"
"""

STREAM = ("<stream:stream xmlns='jabber:client' version='1.0' "
          "xmlns:stream='http://etherx.jabber.org/streams' "
          "to='example.com'>")
NAMESPACE = "urn:ietf:params:xml:ns:xmpp-"


class Client:
    """One stream, TLS on, up to the server's SASL features."""

    def __init__(self, stage):
        self.socket = socket.create_connection(("127.0.0.1", stage.c2s), 30)
        self.socket.settimeout(30)
        self.features = self.ask(STREAM, "</stream:features>")
        assert "PLAIN" not in self.features
        self.ask(f"<starttls xmlns='{NAMESPACE}tls'/>", "<proceed")
        context = ssl.create_default_context(
            cafile=stage.path("prosody/cert.pem"))
        self.socket = context.wrap_socket(self.socket,
                                          server_hostname="example.com")
        self.features = self.ask(STREAM, "</stream:features>")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def ask(self, text, *ends):
        """Sends text, reads until one of ends has come."""
        self.socket.sendall(text.encode())
        got = ""
        while not any(end in got for end in ends):
            piece = self.socket.recv(65536)
            assert piece, got
            got += piece.decode()
        return got

    def plain(self, user, password, authzid=""):
        """"success", or the condition of the failure."""
        octets = f"{authzid}\0{user}\0{password}".encode()
        answer = self.ask(
            f"<auth xmlns='{NAMESPACE}sasl' mechanism='PLAIN'>"
            f"{base64.b64encode(octets).decode()}</auth>",
            "<success", "</failure>")
        if "<success" in answer:
            return "success"
        return re.search(r"<failure[^>]*><([a-z-]+)", answer).group(1)


def login(stage, *names):
    with Client(stage) as client:
        return client.plain(*names)


def prepare(stage):
    stage.basic()
    for name in ("bob", "carol"):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file("pass:word:1"))
    stage.script("user-disable", check=True, user="bob@example.com")
    for name in ("door", "prosody", "prosody/data"):
        stage.make_directory(name, NOBODY)
    stage.make_directory("sasl")
    mux = stage.path("door/mux")
    stage.daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"), mux=mux))
    stage.file("sasl/prosody.conf", SASL.format(mux=mux), mode=0o644)
    directory = stage.path("prosody")
    stage.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
               "/CN=example.com", "-addext", "subjectAltName=DNS:example.com",
               "-keyout", f"{directory}/key.pem", "-out",
               f"{directory}/cert.pem"], user=NOBODY, check=True)
    stage.c2s = free_port("tcp")
    config = stage.file("prosody.cfg.lua", PROSODY.format(
        directory=directory, port=stage.c2s), user=NOBODY)
    with open(os.path.join(stage.log_directory, "prosody.log"), "wb") as log:
        stage.spawn([find_program("prosody"), "-F", "--config", config],
                    user=NOBODY, stdout=log, stderr=log,
                    env={"SASL_CONF_PATH": stage.path("sasl")})

    def listening():
        try:
            Client(stage).socket.close()
        except OSError:
            return False
        return True
    wait_until(listening, 30)


@case("PLAIN, over TLS only: right, as user@domain, capitals, colons")
def right(stage):
    with Client(stage) as client:
        assert re.findall(r"<mechanism>([^<]*)", client.features) == ["PLAIN"]
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
