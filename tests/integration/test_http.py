#!/usr/bin/python3 -B
"""
The HTTP listener of an installed onecredd: what /metrics counts after real
logins, /healthz while the database is away, and peers that are hostile, slow
or many. No name and no password may be in what it tells.
"""

import http.client
import os
import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

from radius import USER_NAME, Client, digest, octets, rfc5090
from stage import (NOBODY, Daemon, Extauth, case, free_port, run_cases,
                   wait_until)

CANARY = "Canary-7f3a"
SECRET = "a-32-octet-or-longer-shared-secret!"
OK, NO, UNKNOWN = b"\0\2OK", b"\0\2NO", b"\0\0"
NAMES = ("alice", "canary", "dora", "nobody", "example.", CANARY, "wonderland",
         "127.0.0.")
LINE = re.compile(r'(onecred_[a-z_]+)(\{[^{}]*\})? ([0-9.]+)')


class World:
    """What all cases share."""
    http = radius = secret_file = None


def path_of(stage, name):
    return f"{stage.path('run')}/{name}.sock"


def config_text(stage, http=None):
    if http is None:
        http = f"listen = 127.0.0.1:{World.http}\n"
    return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 500ms\n"
            f"[extauth]\nlisten = {path_of(stage, 'extauth')}\nmode = 0666\n"
            f"[saslauthd]\nlisten = {path_of(stage, 'saslauthd')}\n"
            f"mode = 0666\n"
            f"[radius]\nlisten = 127.0.0.1:{World.radius}\n"
            f"[radius-client a]\naddress = 127.0.0.1\n"
            f"secret_file = {World.secret_file}\n"
            f"[http]\n{http}\n[log]\nlevel = debug\n")


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)
    for name, password in (("dora", "wonderland"), ("canary", CANARY)):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file(password))
    stage.script("user-disable", check=True, user="dora@example.com")
    World.http, World.radius = free_port(), free_port("udp")
    World.secret_file = stage.file("radius.secret", SECRET + "\n",
                                   user=NOBODY)


def connect(timeout=20):
    return socket.create_connection(("127.0.0.1", World.http), timeout)


def exchange(octets_sent, peer=None):
    """Sends, and returns all that comes until the end of the stream."""
    with peer or connect() as peer:
        try:
            peer.sendall(octets_sent)
        except (BrokenPipeError, ConnectionResetError):
            pass
        data = b""
        try:
            while piece := peer.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data


def get(path, method="GET"):
    """(status, header fields, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", World.http,
                                            timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def healthz():
    status, _, body = get("/healthz")
    return status, body


def scrape():
    """{name{labels}: value}; every line must be of the format."""
    status, fields, body = get("/metrics")
    assert status == 200, (status, body)
    assert fields["Content-Type"] == \
        "text/plain; version=0.0.4; charset=utf-8", fields
    found = {}
    for line in body.decode("ascii").splitlines():
        if line.startswith(("# HELP onecred_", "# TYPE onecred_")):
            continue
        match = LINE.fullmatch(line)
        assert match, line
        key = match[1] + (match[2] or "")
        assert key not in found, key
        found[key] = float(match[3])
    for name in NAMES:
        assert name not in body.decode(), name
    return found


def series(door, mech, verdict, reason):
    return (f'onecred_decisions_total{{door="{door}",mech="{mech}",'
            f'verdict="{verdict}",reason="{reason}"}}')


def decisions(found):
    return {k: v for k, v in found.items()
            if k.startswith("onecred_decisions_total")}


def saslauthd(stage, login, password):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(path_of(stage, "saslauthd"))
        peer.sendall(b"".join(
            struct.pack(">H", len(f)) + f for f in
            (login.encode(), password.encode(), b"xmpp", b"example.com")))
        return peer.recv(4)


def radius(fields):
    with Client(World.radius, SECRET) as c:
        return c.login([(USER_NAME, octets(fields["username"])),
                        *rfc5090(fields)])


def ready(timeout=30):
    wait_until(lambda: healthz() == (200, b"ok\n"), timeout, "/healthz ok")


@case("/metrics counts every login by door, mechanism, verdict and reason")
def counts(stage):
    with Daemon(stage, config_text(stage)):
        ready()
        assert decisions(scrape()) == {}
        with Extauth.connect(path_of(stage, "extauth")) as peer:
            for name, password, count, expected in (
                    ("alice", "wonderland", 3, Extauth.TRUE),
                    ("canary", CANARY, 2, Extauth.TRUE),
                    ("alice", CANARY, 2, Extauth.FALSE),
                    ("nobody", CANARY, 1, Extauth.FALSE),
                    ("dora", "wonderland", 1, Extauth.FALSE)):
                request = f"auth:{name}:example.com:{password}".encode()
                for _ in range(count):
                    assert peer.request(request) == expected, request
            assert peer.request(b"isuser:alice:example.com") == Extauth.TRUE
        assert saslauthd(stage, "alice", "wonderland") == OK
        assert saslauthd(stage, "alice", CANARY) == NO
        assert saslauthd(stage, CANARY + " !", "x") == NO
        for algorithm in ("MD5", "SHA-256"):
            # A nonce each: the same one with another response is a replay.
            assert radius(digest(algorithm=algorithm, nonce="n-" + algorithm,
                                 send_algorithm=True)).accepted
        assert radius(digest(password=CANARY,
                             send_algorithm=True)).rejected
        found = scrape()
        assert decisions(found) == {
            series("extauth", "PLAIN", "allow", "ok"): 5,
            series("extauth", "PLAIN", "deny", "wrong-password"): 2,
            series("extauth", "PLAIN", "deny", "unknown-user"): 1,
            series("extauth", "PLAIN", "deny", "disabled"): 1,
            series("extauth", "exists", "allow", "ok"): 1,
            series("saslauthd", "PLAIN", "allow", "ok"): 1,
            series("saslauthd", "PLAIN", "deny", "wrong-password"): 1,
            series("saslauthd", "PLAIN", "deny", "malformed"): 1,
            series("radius", "Digest-MD5", "allow", "ok"): 1,
            series("radius", "Digest-SHA-256", "allow", "ok"): 1,
            series("radius", "Digest-MD5", "deny", "wrong-password"): 1,
        }, decisions(found)
        # All but the malformed name were looked up.
        assert found["onecred_lookups_total"] == 15
        assert found["onecred_lookups_unavailable_total"] == 0
        assert found["onecred_lookups_in_flight"] == 0
        assert found["onecred_lookup_seconds_count"] == 15
        assert found['onecred_lookup_seconds_bucket{le="+Inf"}'] == 15
        assert found['onecred_lookup_seconds_bucket{le="0.5"}'] > 0
        assert 0 < found["onecred_lookup_seconds_sum"] < 15
        assert found["onecred_database_connections_ready"] >= 1
        assert found["onecred_database_connects_total"] >= 1
        assert found["onecred_database_syncs_total"] >= 1
        assert found["onecred_ready"] == 1


@case("GET and HEAD of the two paths, nothing else")
def methods(stage):
    with Daemon(stage, config_text(stage)):
        ready()
        for path in ("/healthz", "/metrics"):
            status, fields, body = get(path, "HEAD")
            assert status == 200 and body == b"", (path, status, body)
            assert int(fields["Content-Length"]) > 0
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH",
                           "TRACE", "FOO"):
                status, fields, _ = get(path, method)
                assert status == 405 and fields["Allow"] == "GET, HEAD", \
                    (path, method, status)
        for path in ("/", "/metrics/", "/metric", "/v1", "/" + CANARY,
                     "/healthz/../metrics", "//metrics"):
            status, _, body = get(path)
            assert (status, body) == (404, b'{"error":"there is nothing '
                                      b'under this path"}\n'), (path, status)


@case("database frozen and stopped: unavailable is counted, /healthz says it")
def outage(stage):
    with Daemon(stage, config_text(stage)):
        ready()
        unavailable = series("saslauthd", "PLAIN", "unavailable", "db-down")
        assert saslauthd(stage, "alice", "wonderland") == OK
        stage.postgres.freeze()
        try:
            for _ in range(3):
                assert saslauthd(stage, "alice", "wonderland") == UNKNOWN
            found = scrape()
            assert found[unavailable] == 3, found
            assert found["onecred_lookups_unavailable_total"] == 3
            assert found["onecred_lookup_seconds_count"] == 1
            # Its answers stay quick while nothing else is.
            start = time.monotonic()
            for _ in range(20):
                assert healthz()[0] in (200, 503)
            assert time.monotonic() - start < 5
        finally:
            stage.postgres.thaw()
        wait_until(lambda: saslauthd(stage, "alice", "wonderland") == OK, 30,
                   "healing")
        ready()
        stage.postgres.stop()
        try:
            wait_until(lambda: healthz() == (503, b"unavailable\n"), 10,
                       "/healthz to notice")
            found = scrape()
            assert found["onecred_ready"] == 0
            assert found["onecred_database_connections_ready"] == 0
            assert saslauthd(stage, "alice", "wonderland") == UNKNOWN
            assert scrape()[unavailable] == found[unavailable] + 1
        finally:
            stage.postgres.start()
        ready()
        assert scrape()["onecred_database_connects_total"] > \
            found["onecred_database_connects_total"]
        assert saslauthd(stage, "alice", "wonderland") == OK


@case("started without a database: 503 until it is there")
def late_database(stage):
    stage.postgres.stop()
    try:
        with Daemon(stage, config_text(stage)):
            assert healthz() == (503, b"unavailable\n")
            stage.postgres.start()
            ready()
    finally:
        if not stage.postgres.process.running:
            stage.postgres.start()


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
END = b"Connection: close\r\n\r\n"
HOSTILE = [
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (b"400", b"")),
    (b"GET\r\n\r\n", (b"400", b"")),
    (b"GET /healthz HTTP/1.1\r\n\r\n", (b"400",)),
    (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n" + END,
     (b"414",)),
    (GET + b"".join(b"X-%d: y\r\n" % i for i in range(10000)) + END,
     (b"431",)),
    (GET + b"X: " + b"y" * 1048576 + b"\r\n" + END, (b"431",)),
    (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n" +
     END + b"x" * 1048576, (b"405",)),
    (GET + b"Content-Length: 1048576\r\n" + END + b"x" * 1048576, (b"200",)),
    (GET + b"Transfer-Encoding: chunked\r\n" + END +
     b"100\r\n" + b"x" * 256 + b"\r\nzz\r\n", (b"200",)),
    (GET + b"Content-Length: -1\r\n" + END, (b"400",)),
]


@case("garbage, 10,000 header fields, 1 MiB bodies: refused, and it goes on")
def hostile(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        ready()
        for octets_sent, expected in HOSTILE:
            data = exchange(octets_sent)
            status = data[9:12] if data.startswith(b"HTTP/1.") else data
            assert status in expected, (octets_sent[:60], data[:200])
            assert healthz() == (200, b"ok\n")
        before = daemon.descriptors()
        for _ in range(20):
            for octets_sent, _ in HOSTILE[:4]:
                exchange(octets_sent)
        wait_until(lambda: daemon.descriptors() <= before, 10, "descriptors")
        assert saslauthd(stage, "alice", "wonderland") == OK


@case("slow clients are closed after 10 s and delay nobody")
def slow(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        ready()
        before = daemon.descriptors()
        silent, dripping, empty = connect(), connect(), connect()
        empty.sendall(b"\0" * 100 + b"\r\n\r\n")
        # Peers that have gone in the middle are noticed by then at last.
        for _ in range(20):
            with connect() as peer:
                peer.sendall(GET)
        start = time.monotonic()
        dripping.sendall(GET + b"X: ")
        dripping.settimeout(0.1)
        closed = False
        while not closed:
            assert time.monotonic() - start < 20, "still open"
            asked = time.monotonic()
            assert healthz() == (200, b"ok\n")
            assert saslauthd(stage, "alice", "wonderland") == OK
            assert time.monotonic() - asked < 2
            try:
                dripping.sendall(b"y")
                closed = dripping.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                closed = True
        assert time.monotonic() - start > 8
        for peer in (silent, empty):
            assert peer.recv(1) == b""
        for peer in (silent, dripping, empty):
            peer.close()
        wait_until(lambda: daemon.descriptors() <= before, 10, "descriptors")


@case("50 at once, 20 times, with logins beside; descriptors stay flat")
def many(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        ready()

        def one(i):
            if i % 5 == 4:
                return saslauthd(stage, "alice", "wonderland") == OK
            if i % 2:
                return get("/metrics")[0] == 200
            return healthz() == (200, b"ok\n")

        with ThreadPoolExecutor(50) as pool:
            assert all(pool.map(one, range(50)))
            before = daemon.descriptors()
            assert all(pool.map(one, range(1000)))
        # A connection to the database may have come meanwhile.
        wait_until(lambda: daemon.descriptors() <= before + 2, 10,
                   "descriptors")
        found = scrape()
        assert found[series("saslauthd", "PLAIN", "allow", "ok")] == 210


@case("300 open connections: 256 are served, the others wait their turn")
def full(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        ready()
        before = daemon.descriptors()
        peers = [connect() for _ in range(300)]
        for peer in peers:
            peer.sendall(GET + b"\r\n")
        for peer in peers[:256]:
            assert peer.recv(4096).endswith(b"ok\n")
        assert saslauthd(stage, "alice", "wonderland") == OK
        for peer in peers[:256]:
            peer.close()
        for peer in peers[256:]:
            assert peer.recv(4096).endswith(b"ok\n")
            peer.close()
        wait_until(lambda: daemon.descriptors() <= before + 2, 10,
                   "descriptors")


@case("on a unix socket, by users that may; its file goes with the daemon")
def unix(stage):
    path = path_of(stage, "http")

    def ask():
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(20)
        peer.connect(path)
        return exchange(GET + END, peer)

    text = f"listen = {path}\nmode = 0666\n"
    with Daemon(stage, config_text(stage, text)):
        wait_until(lambda: ask().endswith(b"\r\n\r\nok\n"), 30, "ok")
    assert not os.path.exists(path)
    other = os.getuid() + 4711
    with Daemon(stage, config_text(stage, text +
                                   f"allow_users = {other}\n")) as daemon:
        assert ask() == b""
        daemon.wait_log("may not connect (allow_users)")
    with Daemon(stage, config_text(stage, text +
                                   f"allow_users = {os.getuid()}\n")):
        wait_until(lambda: ask().endswith(b"\r\n\r\nok\n"), 30, "ok")


@case("addresses that other machines reach stop the start with a sentence")
def public(stage):
    for place in ("0.0.0.0:9118", "192.0.2.1:9118", "[::]:9118"):
        daemon = Daemon(stage, config_text(stage, f"listen = {place}\n"),
                        wait=False)
        daemon.process.wait(20)
        assert daemon.exit_status == 1, daemon.exit_status
        assert "[http] listen: must be a loopback address" in \
            daemon.log_text(), daemon.log_text()


@case("SIGTERM with open connections: ends at once, the port is free again")
def stopping(stage):
    for _ in range(2):
        with Daemon(stage, config_text(stage)) as daemon:
            ready()
            idle, half = connect(), connect()
            half.sendall(GET)
            kept = http.client.HTTPConnection("127.0.0.1", World.http,
                                              timeout=20)
            kept.request("GET", "/healthz")
            assert kept.getresponse().read() == b"ok\n"
            start = time.monotonic()
            daemon.stop()
            assert time.monotonic() - start < 5
            assert idle.recv(1) == b""
            for peer in (idle, half, kept):
                peer.close()


@case("no name and no password is in any log line of ours")
def canary(stage):
    seen = 0
    for folder, _, names in os.walk(stage.log_directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            seen += text.count(b"user=canary@example.com")
            assert CANARY.encode() not in text, name
            assert CANARY.lower().encode() not in text, name
    assert seen >= 2, "the decisions were not even logged"


if __name__ == "__main__":
    run_cases(__file__, prepare)
