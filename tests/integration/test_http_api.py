#!/usr/bin/python3 -B
"""
/v1 of the HTTP door of an installed onecredd: tokens, rights and lists,
passwords, accounts, SIP requests; outages, peers that leave, the end of the
daemon; hostile requests. A client of our own, and curl once.
"""

import hashlib
import json
import os
import pwd
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from rawhttp import Http, ask
from stage import (NOBODY, Daemon, case, find_program, free_port, run_cases,
                   wait_until)

CANARY = "Canary-7f3a"
TOKENS = {name: f"c4nary-{name}-0123456789" for name in
          ("own", "check", "exists", "sip", "org", "write", "none")}
PASSWORD = "/v1/password"
ALICE = {"user": "alice@example.com", "password": "wonderland"}
ALLOW = {"verdict": "allow", "reason": "ok"}
WRONG = {"verdict": "deny", "reason": "wrong-password"}


class World:
    """What all cases share."""
    port = None
    files = {}


def path_of(stage, name):
    return f"{stage.path('run')}/{name}.sock"


def client(name, rest=""):
    return (f"[http-client {name}]\ntoken_file = {World.files[name]}\n"
            f"{rest}")


def config_text(stage, listen=None, clients=None):
    if clients is None:
        clients = (
            client("check", "rights = check\n") +
            client("exists", "rights = exists\n") +
            client("sip", "rights = sip\nrealms = example.com\n") +
            client("org", "domains = example.org\nrealms = example.org\n") +
            client("write", "rights = set create delete\n"
                            "domains = example.com\n") +
            client("none", "rights = sasl\n"))
    place = (f"listen = {listen}\nmode = 0666\n" if listen else
             f"listen = 127.0.0.1:{World.port}\n")
    return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 1s\n[http]\n{place}"
            f"token_file = {World.files['own']}\n{clients}"
            f"[log]\nlevel = debug\n")


def start(stage, text, **options):
    return Daemon(stage, text, env={"STATE_DIRECTORY": stage.path("state")},
                  **options)


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)
    stage.make_directory("state", NOBODY)
    for name, password in (("dora", "wonderland"), ("canary", CANARY)):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file(password))
    stage.script("user-disable", check=True, user="dora@example.com")
    stage.script("domain-add", check=True, domain="example.org")
    World.port = free_port()
    for name, token in TOKENS.items():
        World.files[name] = stage.file(f"{name}.token", token + "\n",
                                       user=NOBODY, mode=0o400)


def ready(address, timeout=30):
    wait_until(lambda: ask(address, "GET", "/healthz").status == 200,
               timeout, "/healthz ok")


def metric(name):
    body = ask(World.port, "GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", body, re.M)
    return float(found[1]) if found else 0


def post(body, token=TOKENS["own"], **options):
    return ask(World.port, "POST", PASSWORD, body, token=token, **options)


def login(user, password, **more):
    answer = post({"user": user, "password": password, **more})
    assert answer.status == 200, answer
    return answer.json


@case("passwords: right, and everything that is not looks alike")
def passwords(stage):
    with start(stage, config_text(stage)):
        ready(World.port)
        assert login("alice@example.com", "wonderland") == ALLOW
        assert login("ALICE@Example.COM", "wonderland") == ALLOW
        assert login("canary@example.com", CANARY, service="xmpp",
                     source="192.0.2.7") == ALLOW
        for user, password in (
                ("alice@example.com", CANARY), ("alice@example.com", "w"),
                ("nobody@example.com", "wonderland"),
                ("dora@example.com", "wonderland")):
            assert login(user, password) == WRONG, user
        for user, password in ((CANARY + " !@example.com", "x"),
                               ("alice@", "x"), ("@example.com", "x"),
                               ("alice@example.com", "")):
            got = login(user, password)
            assert got == {"verdict": "deny", "reason": "malformed"}, got
        assert login("alice@none.example", "x") == {
            "verdict": "deny", "reason": "foreign-domain"}


@case("one connection takes many requests, on loopback and a unix socket")
def kept_alive(stage):
    for listen, address in ((None, World.port),
                            (path_of(stage, "http"),
                             path_of(stage, "http"))):
        with start(stage, config_text(stage, listen)):
            ready(address)
            with Http(address) as peer:
                for i in range(50):
                    answer = peer.ask("POST", PASSWORD, dict(
                        ALICE, password="wonderland" if i % 3 else "no"),
                        token=TOKENS["check"])
                    assert answer.json == (ALLOW if i % 3 else WRONG), answer
                    assert "connection" not in answer.fields, answer
                # Errors do not end it either.
                for _ in range(3):
                    assert peer.ask("POST", PASSWORD, "{}", token=TOKENS[
                        "check"]).status == 400
                    assert peer.ask("POST", PASSWORD, ALICE,
                                    token="x" * 20).status == 401
                    assert peer.ask("GET", PASSWORD,
                                    token=TOKENS["check"]).status == 405
                    assert peer.ask("GET", "/healthz").status == 200
                # Sent at once, answered in order.
                for password in ("wonderland", "no", "wonderland"):
                    peer.send("POST", PASSWORD, dict(ALICE,
                              password=password), token=TOKENS["own"])
                assert [peer.receive().json for _ in range(3)] == \
                    [ALLOW, WRONG, ALLOW]


@case("without the token of a client: 401, counted, logged once a minute")
def tokens(stage):
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        right = TOKENS["own"]
        bad = [None, right[:-1], right + "x", right.upper(), "x" * 16, "",
               right + " " + right, "x" * 4000]
        for i, token in enumerate(bad):
            for method, path in (("POST", PASSWORD), ("GET", "/v1/none"),
                                 ("HEAD", "/v1/account/alice@example.com")):
                answer = ask(World.port, method, path,
                             "{}" if method == "POST" else None, token=token)
                assert answer.status == 401, (token, answer)
                assert answer.fields["www-authenticate"] == "Bearer", answer
            assert metric("onecred_http_refused_tokens_total") == 3 * i + 3
        for field in (f"Authorization: Basic {right}",
                      f"Authorization: {right}", "Authorization: Bearer"):
            assert ask(World.port, "POST", PASSWORD, ALICE,
                       fields=[field]).status == 401, field
        assert ask(World.port, "POST", PASSWORD, ALICE, fields=[
            f"authorization:  BEARER {right}"]).json == ALLOW
        assert ask(World.port, "POST", PASSWORD, ALICE, token=right, fields=[
            f"Authorization: Bearer {right}"]).status == 400
        lines = [line for line in daemon.log_text().splitlines()
                 if "without the token" in line]
        assert len(lines) == 1 and "source=127.0.0.1" in lines[0], lines
        assert metric('onecred_http_answers_total{status="401"}') == 27


@case("rights, domains and realms of a client: 403")
def rights(stage):
    sip = "/v1/sip?as=proxy&realm=example.com"
    account = "/v1/account/alice@example.com"
    form = "application/x-www-form-urlencoded"
    allowed = {
        ("POST", PASSWORD): ("own", "check"),
        ("HEAD", account): ("own", "exists"),
        ("POST", sip): ("own", "sip"),
        ("POST", "/v1/freeswitch"): ("own", "sip", "org"),
        ("PUT", account): ("write",),
        ("DELETE", "/v1/account/nobody@example.com"): ("write",),
        ("POST", "/v1/sasl"): ("own", "org", "none")}
    with start(stage, config_text(stage)):
        ready(World.port)
        for (method, path), names in allowed.items():
            body = json.dumps(ALICE) if method == "POST" else None
            for name, token in TOKENS.items():
                answer = ask(World.port, method, path, body, token=token,
                             content_type=form if "free" in path else
                             "application/json")
                assert (answer.status != 403) == (name in names), \
                    (method, path, name, answer)
                if method != "HEAD" and answer.status == 403:
                    assert "error" in answer.json
        # A user without a domain: the client's only one, or 400.
        assert post({"user": "alice", "password": "wonderland"}).status == 400
        answer = post({"user": "alice", "password": "wonderland"},
                      TOKENS["org"])
        assert answer.json == WRONG, answer
        assert post(ALICE, TOKENS["org"]).status == 403
        for path in (sip, "/v1/sip?as=proxy&realm=example.org&"
                          "realm=example.com"):
            assert ask(World.port, "POST", path, "x",
                       token=TOKENS["org"]).status == 403
        for method in ("PUT", "DELETE"):
            assert ask(World.port, method, "/v1/account/a@example.org",
                       token=TOKENS["write"]).status == 403


@case("no client configured: /v1 says 403, the rest works")
def no_client(stage):
    text = config_text(stage, clients="").replace(
        f"token_file = {World.files['own']}\n", "")
    text += f"[saslauthd]\nlisten = {path_of(stage, 'saslauthd')}\n"
    with start(stage, text):
        ready(World.port)
        for token in (None, TOKENS["own"]):
            answer = post(ALICE, token)
            assert answer.status == 403, answer
            assert "token_file" in answer.json["error"], answer


@case("HEAD of an account: 200, 404, and 400 for what is no account")
def accounts(stage):
    expected = {"alice@example.com": 200, "alice%40example.com": 200,
                "Alice@Example.com": 200, "nobody@example.com": 404,
                "dora@example.com": 404, "a@none.example": 404,
                "alice%20x@example.com": 404, "alice": 400, "": 400,
                "@example.com": 400, "alice@": 400, "a/b@example.com": 400,
                "alice@example.com?x=y": 400, "alice@example.com/": 400,
                "a%00@example.com": 400, "a%zz@example.com": 400}
    with start(stage, config_text(stage)):
        ready(World.port)
        with Http(World.port) as peer:
            for name, status in expected.items():
                answer = peer.ask("HEAD", f"/v1/account/{name}",
                                  token=TOKENS["exists"])
                assert answer.status == status, (name, answer)


BAD_JSON = [
    "", "{", "[]", "null", '"x"', "{}", '{"user":"a@b.example"}',
    '{"password":"x"}', '{"user":"","password":"x"}',
    '{"user":1,"password":"x"}', '{"user":"a@b","password":null}',
    '{"user":"a@b","password":["x"]}',
    '{"user":"a@b","password":"x","password":"y"}',
    '{"user":"a@b","password":"x","passwd":"y"}',
    '{"user":"a@b","password":"x"} x', '{"user":"a@b","password":"x"}{}',
    '{"user":"a@b","password":"\\u0000"}', '{"user":"a@b","password":"\xff"}',
    '{"user":"a@b","password":"x","source":"%s"}' % ("1" * 65),
    '{"user":"a@b","password":"x","service":"%s"}' % ("1" * 65),
    '{"user":"%s@b","password":"x"}' % ("1" * 512),
    '{"user":"a@b","password":"%s"}' % ("1" * 4097),
    "[" * 8000, '{"a":' * 1600, "\0" * 100,
]


@case("bodies that are no request: 400, 411, 413, 415, and 405 with Allow")
def bad_bodies(stage):
    own = TOKENS["own"]
    with start(stage, config_text(stage)):
        ready(World.port)
        with Http(World.port) as peer:
            for body in BAD_JSON:
                answer = peer.ask("POST", PASSWORD, body.encode("latin-1"),
                                  token=own)
                assert answer.status == 400, (body[:80], answer)
                assert isinstance(answer.json["error"], str)
                assert CANARY not in answer.body.decode()
            for content_type in (None, "text/plain", "application/jsonx"):
                assert peer.ask("POST", PASSWORD, ALICE, token=own,
                                content_type=content_type).status == 415
            assert peer.ask("POST", PASSWORD, ALICE, token=own, content_type=
                            "Application/JSON; charset=utf-8").json == ALLOW
            for path, allow in ((PASSWORD, "POST"), ("/v1/sip", "POST"),
                                ("/v1/freeswitch", "POST"),
                                ("/v1/account/a@b", "HEAD, PUT, DELETE"),
                                ("/healthz", "GET, HEAD")):
                answer = peer.ask("PATCH", path, token=own)
                assert answer.status == 405, answer
                assert answer.fields["allow"] == allow, answer
            for path in ("/v1/", "/v1/passwor", "/v1/password/", "/v1/none",
                         "/v1//password", "/v1/account", "/v2/password"):
                answer = peer.ask("POST", path, ALICE, token=own)
                assert answer.status == 404, (path, answer)
            for path in ("/v1/password?user=a", "/v1/password?"):
                answer = peer.ask("POST", path, ALICE, token=own)
                assert answer.status == (400 if "=" in path else 200), answer
            for path in ("/v1/%", "/v1/%00", "/v1/password?%zz"):
                assert peer.ask("POST", path, ALICE,
                                token=own).status == 400, path
        # These end the connection: nobody knows where the next one begins.
        for fields, status in (
                ([], 411), (["Transfer-Encoding: chunked"], 411),
                (["Content-Length: 8193"], 413),
                (["Content-Length: 99999999999"], 413)):
            with Http(World.port) as peer:
                peer.send("POST", PASSWORD, token=own, fields=fields)
                answer = peer.receive() if status != 413 or "8193" not in \
                    fields[0] else None
                if answer is None:
                    peer.socket.sendall(b"x" * 8193)
                    answer = peer.receive()
                assert answer.status == status, (fields, answer)
                assert "error" in answer.json
        assert ask(World.port, "POST", "/v1/password?" + "a" * 8200, ALICE,
                   token=own).status == 414


@case("outage: 503 with Retry-After and the same JSON, never a refusal")
def outage(stage):
    away = {"verdict": "unavailable", "reason": "db-down"}
    with start(stage, config_text(stage)):
        ready(World.port)
        assert post(ALICE).json == ALLOW
        stage.postgres.freeze()
        try:
            for body in (ALICE, dict(ALICE, password="no")):
                answer = post(body)
                assert answer.status == 503 and answer.json == away, answer
                assert int(answer.fields["retry-after"]) >= 1, answer
            answer = ask(World.port, "HEAD", "/v1/account/carol@example.com",
                         token=TOKENS["own"])
            assert answer.status == 503, answer
            assert int(answer.fields["retry-after"]) >= 1, answer
            # Her login has shown that she exists.
            answer = ask(World.port, "HEAD", "/v1/account/alice@example.com",
                         token=TOKENS["own"])
            assert answer.status == 200, answer
        finally:
            stage.postgres.thaw()
        wait_until(lambda: post(ALICE).status == 200, 30, "healing")
        assert post(ALICE).json == ALLOW


@case("who leaves while the database is slow leaves nothing behind")
def leaving(stage):
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        assert post(ALICE).json == ALLOW
        before = daemon.descriptors()
        stage.postgres.freeze()
        try:
            unavailable = ('onecred_decisions_total{door="http",mech="PLAIN",'
                           'verdict="unavailable",reason="db-down"}')
            peers = [Http(World.port) for _ in range(20)]
            for peer in peers:
                peer.send("POST", PASSWORD, ALICE, token=TOKENS["own"])
            wait_until(lambda: metric("onecred_lookups_in_flight") >= 20, 5,
                       "20 lookups")
            for peer in peers:
                peer.close()
            # Decided all the same, in time, and counted.
            wait_until(lambda: metric(unavailable) == 20, 10, "decisions")
            wait_until(lambda: daemon.descriptors() <= before + 1, 10,
                       "descriptors")
            answer = post(ALICE)
            assert answer.status == 503, answer
            assert metric(unavailable) == 21, metric(unavailable)
        finally:
            stage.postgres.thaw()
        wait_until(lambda: post(ALICE).status == 200, 30, "healing")


@case("a client that says that it asks no more still gets its answers")
def half_closed(stage):
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        assert post(ALICE).json == ALLOW
        before = daemon.descriptors()
        # Alone, and after the daemon has begun to decide.
        for frozen in False, True:
            with Http(World.port) as peer:
                if frozen:
                    stage.postgres.freeze()
                try:
                    peer.send("POST", PASSWORD, ALICE, token=TOKENS["own"])
                    if frozen:
                        wait_until(lambda: metric(
                            "onecred_lookups_in_flight") >= 1, 5, "a lookup")
                    peer.socket.shutdown(socket.SHUT_WR)
                finally:
                    if frozen:
                        stage.postgres.thaw()
                assert peer.receive().json == ALLOW
                assert peer.at_end()
        wait_until(lambda: daemon.descriptors() <= before, 10, "descriptors")


@case("header fields that two readers could read differently: 400")
def two_readings(stage):
    body = json.dumps(ALICE)
    length = f"Content-Length: {len(body)}"
    with start(stage, config_text(stage)):
        ready(World.port)

        def answers(lines, method=f"POST {PASSWORD}", more=""):
            text = "\r\n".join([f"{method} HTTP/1.1", "Host: x",
                                f"Authorization: Bearer {TOKENS['own']}",
                                "Content-Type: application/json", *lines, "",
                                body]) + more
            with socket.create_connection(("127.0.0.1", World.port),
                                          20) as peer:
                data = b""
                try:
                    peer.sendall(text.encode("latin-1"))
                    peer.shutdown(socket.SHUT_WR)
                    while piece := peer.recv(65536):
                        data += piece
                except ConnectionResetError:
                    pass
                return data.decode()

        assert answers([length]).startswith("HTTP/1.1 200")
        health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for line in ("Content-Length : 3", "Content-Length\t: 3",
                     "Transfer-Encoding : chunked", "X Y: z", "X(: z",
                     "X\xe9: z", "Host : y"):
            for lines in [length, line], [line, length]:
                for method in f"POST {PASSWORD}", "GET /healthz":
                    got = answers(lines, method, health)
                    assert got.startswith("HTTP/1.1 400"), (lines, got)
                    # And no second request out of what follows.
                    assert got.count("HTTP/1.1") == 1, (lines, got)
        assert post(ALICE).json == ALLOW


@case("SIGTERM: decisions under way are answered first")
def stopping(stage):
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        assert post(ALICE).json == ALLOW
        stage.postgres.freeze()
        try:
            with Http(World.port) as peer, Http(World.port) as idle:
                assert idle.ask("GET", "/healthz").status == 200
                peer.send("POST", PASSWORD, ALICE, token=TOKENS["own"])
                wait_until(lambda: metric("onecred_lookups_in_flight") >= 1,
                           5, "a lookup")
                daemon.stop()
                answer = peer.receive()
                assert answer.status == 503, answer
                assert answer.json["verdict"] == "unavailable", answer
                assert answer.fields["connection"].lower() == "close", answer
                assert peer.at_end() and idle.at_end()
        finally:
            stage.postgres.thaw()


@case("SIGHUP swaps the clients; a bad token file changes nothing")
def reload(stage):
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        with Http(World.port) as peer:
            def status(name):
                return peer.ask("POST", PASSWORD, ALICE,
                                token=TOKENS[name]).status

            assert (status("own"), status("check")) == (200, 200)
            since = len(daemon.log_text())
            daemon.reload(config_text(stage, clients=client("exists")))
            daemon.wait_log("reload: done", since=since)
            assert "needs a restart" not in daemon.log_text()[since:]
            assert (status("own"), status("check"), status("exists")) == \
                (200, 401, 200)
            bad = stage.file("bad.token", "too short\n", user=NOBODY)
            since = len(daemon.log_text())
            daemon.reload(config_text(stage, clients="").replace(
                World.files["own"], bad))
            daemon.wait_log("the old configuration stays", since=since)
            assert "must hold one line of 16 to 256" in daemon.log_text()
            assert (status("own"), status("exists")) == (200, 200)
            since = len(daemon.log_text())
            daemon.reload(config_text(stage, clients="").replace(
                f"token_file = {World.files['own']}\n",
                f"[saslauthd]\nlisten = {path_of(stage, 'x')}\n"))
            daemon.wait_log("reload: done", since=since)
            assert status("own") == 403


@case("token files: open to others, twice, missing stop the start")
def token_files(stage):
    long = stage.file("long.token", "x" * 257 + "\n", user=NOBODY)
    wide = stage.file("wide.token", "x" * 20 + "\n", user=NOBODY, mode=0o444)
    twin = stage.file("twin.token", TOKENS["own"], user=NOBODY)
    blank = stage.file("blank.token", "x" * 10 + " " + "x" * 10, user=NOBODY)
    two = stage.file("two.token", "x" * 20 + "\ny\n", user=NOBODY)
    # Readable, but another could change it at any time.
    other = stage.file("other.token", "x" * 20 + "\n", mode=0o640)
    os.chown(other, pwd.getpwnam("daemon").pw_uid,
             pwd.getpwnam(NOBODY).pw_gid)
    own = f"token_file = {World.files['own']}\n"
    for text, sentence in (
            (config_text(stage).replace(own, f"token_file = {wide}\n"),
             "open to everybody"),
            (config_text(stage).replace(own, f"token_file = {other}\n"),
             "belongs to another user"),
            (config_text(stage).replace(own, f"token_file = {long}\n"),
             "must hold one line"),
            (config_text(stage).replace(own, f"token_file = {blank}\n"),
             "must hold one line"),
            (config_text(stage).replace(own, f"token_file = {two}\n"),
             "must hold one line"),
            (config_text(stage).replace(own, "token_file = /nonexistent\n"),
             "cannot be opened"),
            (config_text(stage).replace(own, "token_file = x.token\n"),
             "must be an absolute path"),
            (config_text(stage, clients=f"[http-client x]\n"
                         f"token_file = {twin}\n"),
             "[http-client x] token_file: holds the token of another"),
            (config_text(stage, clients="[http-client x]\n"),
             "[http-client x] needs token_file"),
            (config_text(stage, clients="").replace(
                own, "domains = example.com\n"),
             "[http] domains: belongs to token_file"),
            (config_text(stage, clients=client("check", "rights = root\n")),
             "rights:")):
        daemon = start(stage, text, wait=False)
        daemon.process.wait(20)
        assert daemon.exit_status == 1, (sentence, daemon.log_text())
        assert sentence in daemon.log_text(), (sentence, daemon.log_text())


def sip_request(method="REGISTER", name=None, row=None, cseq=1, user="alice"):
    lines = [f"{method} sip:example.com SIP/2.0",
             "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
             f"From: <sip:{user}@example.com>;tag=1",
             f"To: <sip:{user}@example.com>", "Call-ID: 1@example.com",
             f"CSeq: {cseq} {method}", "Max-Forwards: 70",
             f"Contact: <sip:{user}@192.0.2.1>"]
    if row is not None:
        lines.append(f"{name}: {row}")
    return "\r\n".join(lines + ["Content-Length: 0", "", ""])


def md5(text):
    return hashlib.md5(text.encode("latin-1")).hexdigest()


def credentials(challenge, method, password="wonderland", user="alice",
                cnonce="abc"):
    assert challenge.startswith("Digest "), challenge
    got = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    ha1 = md5(f"{user}:{got['realm']}:{password}")
    ha2 = md5(f"{method}:sip:example.com")
    response = md5(f"{ha1}:{got['nonce']}:00000001:{cnonce}:auth:{ha2}")
    return (f'Digest username="{user}", realm="{got["realm"]}", '
            f'nonce="{got["nonce"]}", uri="sip:example.com", algorithm=MD5, '
            f'qop=auth, nc=00000001, cnonce="{cnonce}", response="{response}"')


def sip(body, role="registrar", realm="realm=example.com", **options):
    options.setdefault("token", TOKENS["sip"])
    return ask(World.port, "POST", f"/v1/sip?as={role}&{realm}&"
               f"source=192.0.2.1", body, content_type=None, **options)


@case("SIP: challenge, accept, forbid, by JSON and as text")
def sip_decisions(stage):
    plain = {"fields": ["Accept: text/plain"]}
    with start(stage, config_text(stage)):
        ready(World.port)
        for role, status, name, method in (
                ("registrar", 401, "Authorization", "REGISTER"),
                ("proxy", 407, "Proxy-Authorization", "INVITE")):
            answer = sip(sip_request(method), role)
            got = answer.json
            assert answer.status == 200, answer
            assert (got["verdict"], got["status"]) == ("challenge", status)
            assert (got["user"], got["row"], got["rows"]) == ("", -1, [])
            assert set(got) == {"verdict", "status", "reason", "user", "row",
                                "rows", "challenges", "authentication_info"}
            row = credentials(got["challenges"][0], method)
            accepted = sip(sip_request(method, name, row, 2), role).json
            assert (accepted["verdict"], accepted["status"],
                    accepted["user"], accepted["row"], accepted["rows"]) == \
                ("accept", 200, "alice@example.com", 0, [0]), accepted
            assert accepted["challenges"] == []
            # As lines of text.
            answer = sip(sip_request(method), role, **plain)
            assert answer.fields["content-type"].startswith("text/plain;")
            first, challenge = answer.body.decode().splitlines()
            assert first == f"{status} challenge - -", answer
            row = credentials(challenge, method)
            answer = sip(sip_request(method, name, row, 3), role, **plain)
            assert answer.body.decode().splitlines()[0] == \
                "200 accept alice@example.com 0", answer
            challenge = sip(sip_request(method), role).json["challenges"][0]
            for user, password in (("alice", "no"), ("nobody", "x"),
                                   ("dora", "wonderland")):
                row = credentials(challenge, method, password, user)
                got = sip(sip_request(method, name, row, 4, user), role).json
                assert got["verdict"] != "accept", got
                assert got["reason"] == "wrong-password", got
        answer = sip("no sip at all\r\n\r\n")
        assert answer.status == 200, answer
        assert (answer.json["verdict"], answer.json["status"]) == \
            ("malformed", 400), answer


@case("SIP: a cnonce of any octets is no error of ours")
def sip_octets(stage):
    with start(stage, config_text(stage)):
        ready(World.port)
        for cnonce in (b"abc", b"caf\xe9", b"\xc3\xa9", b"\xed\xa0\x80",
                       b"\xff\xfe", b"\xc0\x80"):
            challenge = sip(sip_request()).json["challenges"][0]
            row = credentials(challenge, "REGISTER",
                              cnonce=cnonce.decode("latin-1"))
            body = sip_request(name="Authorization", row=row, cseq=2)
            answer = sip(body.encode("latin-1"))
            assert answer.status == 200, (cnonce, answer)
            assert answer.json["verdict"] == "accept", (cnonce, answer)
            info = answer.json["authentication_info"]
            try:
                assert cnonce.decode() in info, (cnonce, info)
            except UnicodeDecodeError:
                assert info == "", (cnonce, info)


@case("SIP: used credentials are not good for another Path, Expires, ...")
def sip_replayed(stage):
    with start(stage, config_text(stage)):
        ready(World.port)
        for role, method, name in (
                ("registrar", "REGISTER", "Authorization"),
                ("proxy", "REFER", "Proxy-Authorization")):
            first = sip(sip_request(method), role).json["challenges"][0]
            row = credentials(first, method)
            text = sip_request(method, name, row, 2)
            for _ in range(2):
                assert sip(text, role).json["verdict"] == "accept"
            for line in ("Path: <sip:192.0.2.66;lr>", "Expires: 0",
                         "Refer-To: <sip:eve@example.com>",
                         "r: <sip:eve@example.com>",
                         "Replaces: 1@example.com;to-tag=1;from-tag=2"):
                got = sip(text.replace("CSeq:", f"{line}\r\nCSeq:"),
                          role).json
                assert (got["verdict"], got["reason"]) == \
                    ("challenge", "replay"), (role, line, got)
            # What proxies on the way write may differ.
            got = sip(text.replace("Max-Forwards: 70", "Max-Forwards: 69\r\n"
                                   "Record-Route: <sip:192.0.2.7;lr>"), role)
            assert got.json["verdict"] == "accept", got


@case("SIP: queries that say too little, too much or twice: 400")
def sip_queries(stage):
    with start(stage, config_text(stage)):
        ready(World.port)
        for query in ("", "?", "?as=proxy", "?realm=example.com",
                      "?as=uas&realm=example.com",
                      "?as=proxy&as=proxy&realm=example.com",
                      "?as=proxy&realm=example.com&realm=EXAMPLE.com",
                      "?as=proxy&realm=", "?as=proxy&realm=a%22b",
                      "?as=proxy&realm=a&x=y", "?as=proxy&realm=a&source=" +
                      "1" * 65, "?as=proxy&realm=a&source=1&source=1",
                      "?as=proxy" + "".join(f"&realm=r{i}"
                                            for i in range(9))):
            answer = ask(World.port, "POST", "/v1/sip" + query,
                         sip_request(), token=TOKENS["own"])
            assert answer.status == 400, (query, answer)
        padding = "X-Padding: " + "x" * 60000
        body = sip_request().replace("Max-Forwards: 70", padding)
        assert sip(body).json["verdict"] == "challenge"
        # 64 KiB and not one octet more.
        body += "b" * (65536 - len(body))
        assert sip(body).status == 200
        assert sip(body + "b").status == 413


@case("curl as people use it")
def curl(stage):
    token = stage.file("curl.header", f"Authorization: Bearer "
                                      f"{TOKENS['own']}\n")
    with start(stage, config_text(stage, path_of(stage, "http"))):
        ready(path_of(stage, "http"))
        base = [find_program("curl"), "-s", "--unix-socket",
                path_of(stage, "http"), "-H", f"@{token}"]
        done = stage.run([*base, "-H", "Content-Type: application/json",
                          "-d", json.dumps(ALICE),
                          "http://onecred/v1/password"])
        assert json.loads(done.stdout) == ALLOW, done
        done = stage.run([*base, "-I", "-o", "/dev/null", "-w",
                          "%{http_code}", "http://onecred/v1/account/"
                          "nobody@example.com"])
        assert done.stdout.strip() == "404", done
        # Large enough for `Expect: 100-continue', and by its default type.
        request = stage.file("request", sip_request().replace(
            "Max-Forwards: 70", "X: " + "x" * 50000))
        done = stage.run([*base, "-H", "Accept: text/plain", "-H",
                          "Expect: 100-continue", "--data-binary",
                          f"@{request}", "http://onecred/v1/sip?as=proxy&"
                          "realm=example.com"])
        assert done.stdout.startswith("407 challenge - -\nDigest "), done


def rss(daemon):
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("VmRSS:"))


@case("hostile requests: a 4xx or a close, bounded memory, and it goes on")
def hostile(stage):
    head = (f"POST {PASSWORD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            f"{TOKENS['own']}\r\nContent-Type: application/json\r\n")
    body = json.dumps(ALICE)
    right = f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
    requests = [
        head + "Content-Length: 1048576\r\n\r\n" + "x" * 1048576,
        head + "Transfer-Encoding: chunked\r\n\r\n" +
        "1000\r\n" + "x" * 4096 + "\r\n" * 100,
        head + "".join(f"X-{i}: y\r\n" for i in range(10000)) + "\r\n",
        head + "X: " + "y" * 1048576 + "\r\n\r\n",
        head + f"Content-Length: 5\r\nContent-Length: {len(body)}\r\n\r\n" +
        body,
        head + f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked"
        f"\r\n\r\n0\r\n\r\n" + right,
        "\x16\x03\x01\r\n\r\n" + right, "GET " * 5000,
        right[:40] + "\0" + right[40:],
    ]
    # Half a request behind an answer: waited for until its time is over.
    slow = [head + "Content-Length: 4\r\n\r\n{}{}\0\r\n\0\r\n\r\n",
            head + "Content-Length: 9\r\n\r\n{}"]
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        assert post(ALICE).json == ALLOW

        def throw(request):
            with socket.create_connection(("127.0.0.1", World.port),
                                          20) as peer:
                data = b""
                try:
                    peer.sendall(request.encode("latin-1"))
                    peer.shutdown(socket.SHUT_WR)
                    while piece := peer.recv(65536):
                        data += piece
                except OSError:
                    pass
                return data

        for request in requests + slow:
            data = throw(request)
            assert data == b"" or data.startswith(b"HTTP/1.1 4"), \
                (request[:200], data[:200])
            assert b'"allow"' not in data, (request[:200], data)
            assert post(ALICE).json == ALLOW
        before, size = daemon.descriptors(), rss(daemon)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(throw, requests * 20))
        wait_until(lambda: daemon.descriptors() <= before + 2, 15,
                   "descriptors")
        if not os.environ.get("ONECRED_MAKE", ""):
            assert rss(daemon) < size + 16384, (size, rss(daemon))
        assert post(ALICE).json == ALLOW


@case("250 connections at once, each kept for 20 decisions")
def many(stage):
    with start(stage, config_text(stage)) as daemon:
        ready(World.port)
        before = daemon.descriptors()

        def one(i):
            with Http(World.port, 60) as peer:
                for k in range(20):
                    wrong = (i + k) % 4 == 0
                    answer = peer.ask("POST", PASSWORD, dict(
                        ALICE, password="no" if wrong else "wonderland"),
                        token=TOKENS["own"])
                    assert answer.json == (WRONG if wrong else ALLOW), answer
            return True

        with ThreadPoolExecutor(50) as pool:
            assert all(pool.map(one, range(250)))
        wait_until(lambda: daemon.descriptors() <= before + 2, 10,
                   "descriptors")


@case("no password, no token and no digest is in any log line of ours")
def canary(stage):
    seen = 0
    for folder, _, names in os.walk(stage.log_directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            seen += text.count(b"door=http user=canary@example.com")
            for secret in (CANARY, "c4nary-", "response="):
                assert secret.encode() not in text, (name, secret)
    assert seen >= 1, "the decisions were not even logged"


if __name__ == "__main__":
    run_cases(__file__, prepare)
