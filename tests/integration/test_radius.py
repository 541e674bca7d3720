#!/usr/bin/python3 -B
"""
The RADIUS door of an installed onecredd: passwords and digests in both
encodings, what must be dropped, duplicates, and a database that goes away.
"""

import os
import threading
import time

from process import NOBODY
from radius import (ACCEPT, ENCODINGS, MESSAGE_AUTHENTICATOR, PROXY_STATE,
                    RESPONSE_AUTH, SIP_AOR, STATUS_SERVER, USER_NAME,
                    USER_PASSWORD, Client, attribute_octets, digest, octets,
                    radclient, radclient_lines, rfc5090, rspauth, sterman)
from stage import Daemon, case, free_port, run_cases, wait_until

SECRET = "a-32-octet-or-longer-shared-secret!"
NAMES = ("alice", "alice@example.com")
ALGORITHMS = ("MD5", "SHA-256", "SHA-512-256")
PHRASE = "correct horse battery staple"     # two blocks of User-Password
# Clients by source address: all of 127.0.0.0/8 is this machine.
DEFAULT, STRICT, REALM, DOMAIN, REJECTING, STRANGER = (
    f"127.0.0.{i}" for i in range(1, 7))


class World:
    """What all cases share."""
    daemon = None
    port = None
    secret_file = None


def config(stage, extra=""):
    text = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"[radius]\nlisten = 0.0.0.0:{World.port}\n"
            f"[log]\nlevel = debug\n")
    for name, address, more in (
            ("kamailio", DEFAULT, ""),
            ("strict", STRICT, "require_message_authenticator = yes\n"),
            ("realm", REALM, "realms = example.org\n"),
            ("domain", DOMAIN, "domains = example.com\n"),
            ("rejecting", REJECTING, "unavailable = reject\n")):
        text += (f"[radius-client {name}]\naddress = {address}\n"
                 f"secret_file = {World.secret_file}\n{more}")
    return text + extra


def prepare(stage):
    stage.basic()
    stage.script("user-add", check=True, user="bob@example.com",
                 password_file=stage.password_file(PHRASE))
    stage.script("user-add", check=True, user="gone@example.com",
                 password_file=stage.password_file("wonderland"))
    stage.script("user-disable", check=True, user="gone@example.com")
    World.port = free_port("udp")
    World.secret_file = stage.file("radius.secret", SECRET + "\n",
                                   user=NOBODY)
    World.daemon = Daemon(stage, config(stage))
    wait_until(lambda: login().accepted, 10, "the first login")


def client(source=DEFAULT, secret=SECRET):
    return Client(World.port, secret, source)


def login(fields=None, encode=rfc5090, user_name=None, source=DEFAULT,
          more=(), **options):
    """One login on a socket of its own -> Reply, or None."""
    fields = digest() if fields is None else fields
    if user_name is None:
        user_name = fields.get("username")
    with client(source) as c:
        return c.login([(USER_NAME, octets(user_name)), *encode(fields),
                        *more], **options)


def alive(c):
    """
    The next thing that the daemon says is its answer to a Status-Server:
    nothing else was under way.
    """
    request = c.request([], code=STATUS_SERVER)
    reply = c.ask(request)      # another's Identifier or authenticator fails
    assert reply is not None and reply.code == ACCEPT, reply
    assert reply.attributes[1:] == [], reply


def is_silent(data, source=DEFAULT, secret=SECRET):
    """data is dropped by a daemon that is well."""
    with client(source, secret) as c:
        c.send(data)
        good = client(DEFAULT)
        alive(good)
        good.close()
        found = c.drain()
        assert found == [], found


@case("every name, algorithm and encoding is let in")
def all_forms():
    for encoding, encode in ENCODINGS.items():
        for name in NAMES:
            for algorithm in ALGORITHMS:
                for send in (False, True):
                    fields = digest(name, algorithm=algorithm,
                                    send_algorithm=send)
                    reply = login(fields, encode)
                    what = (encoding, name, algorithm, send, reply)
                    assert reply.accepted, what
                    expected = [MESSAGE_AUTHENTICATOR]
                    if encode is rfc5090:
                        expected.append(RESPONSE_AUTH)
                        assert reply.values(RESPONSE_AUTH) == [octets(rspauth(
                            username=name, algorithm=algorithm))], what
                    assert [t for t, _ in reply.attributes] == expected, what
                wrong = digest(name, "Wonderland", algorithm=algorithm)
                assert login(wrong, encode).rejected, (encoding, name)


@case("RFC 2069: without qop")
def no_qop():
    reply = login(digest(qop=None))
    assert reply.accepted, reply
    assert reply.values(RESPONSE_AUTH) == [octets(rspauth(qop=None))]
    assert login(digest(password="x", qop=None)).rejected


@case("as Kamailio sends it: unsigned, User-Name with the realm")
def kamailio():
    for name in NAMES:
        for algorithm in ALGORITHMS:
            fields = digest(name, algorithm=algorithm)
            for encode in (rfc5090, sterman):
                more = [(6, b"\0\0\0\x0f"), (208, b"alice"),
                        (5, b"\0\0\x13\xc4"), (32, b"kam-p1")]
                reply = login(fields, encode, "alice@example.com", more=more,
                              sign=False)
                assert reply.accepted, (name, algorithm, reply)


@case("radclient, both encodings")
def with_radclient(stage):
    for encoding in ("RFC 5090", "sterman"):
        for name in NAMES:
            for algorithm in ALGORITHMS:
                for password, verdict in (("wonderland", "accept"),
                                          ("wrong", "reject")):
                    lines = radclient_lines(
                        digest(name, password, algorithm=algorithm), name,
                        encoding)
                    got, text = radclient(stage, World.port,
                                          World.secret_file, lines)
                    assert got == verdict, (encoding, name, algorithm, text)
    lines = ['User-Name = "alice@example.com"',
             'User-Password = "wonderland"']
    assert radclient(stage, World.port, World.secret_file,
                     lines)[0] == "accept"
    got, text = radclient(stage, World.port, World.secret_file,
                          ["Message-Authenticator = 0x00"], "status")
    assert got == "accept", text


@case("wrong, unknown, disabled, absent are refused alike")
def refused_alike():
    nobody = "nobody@example.com"
    forms = set()
    for encode in ENCODINGS.values():
        for fields in (digest(password="wrong"),
                       digest("nobody"), digest("gone"),
                       digest(nobody), digest("gone@example.com"),
                       digest("Alice"), digest("alice@example.org"),
                       digest(realm="example.org"),
                       digest(response="0" * 32), digest(response="0" * 64),
                       digest(response="00"), digest("al\u00fcce"),
                       digest("x" * 200), digest("alice'--"),
                       digest(nonce=None), digest(uri=None),
                       digest(method=None), digest(realm=None),
                       digest(qop="auth-int"), digest(nc="1"),
                       digest(cnonce=None), digest(send_algorithm=True),
                       digest(username=None)):
            if "algorithm" in fields:
                fields["algorithm"] = "SHA-1"
            reply = login(fields, encode,
                          user_name=fields.get("username", "alice"))
            assert reply.rejected, (fields, reply)
            forms.add((len(reply.octets), tuple(
                t for t, _ in reply.attributes)))
    with client() as c:
        for name, password in (("alice@example.com", "wrong"),
                               ("nobody@example.com", "wonderland"),
                               ("gone@example.com", "wonderland"),
                               ("alice@example.org", "wonderland"),
                               ("alice", "wonderland"), ("", "wonderland"),
                               ("alice@example.com", "")):
            reply = c.ask(c.pap(name, password))
            assert reply.rejected, (name, reply)
            forms.add((len(reply.octets), tuple(
                t for t, _ in reply.attributes)))
    assert forms == {(38, (MESSAGE_AUTHENTICATOR,))}, forms


@case("User-Password: one block, two blocks, wrong, odd")
def pap():
    with client() as c, client(DOMAIN) as d:
        for name, password in (("alice@example.com", "wonderland"),
                               ("Alice@Example.COM", "wonderland"),
                               ("bob@example.com", PHRASE)):
            reply = c.ask(c.pap(name, password))
            assert reply.accepted, (name, reply)
            assert len(reply.octets) == 38
            for bad in (password + "x", password[:-1], password.upper(),
                        password + "\0x", "x" * 128):
                assert c.ask(c.pap(name, bad)).rejected, (name, bad)
            assert c.ask(c.pap(name, password, sign=False)).accepted
        # A bare name only where one domain can be meant.
        assert c.ask(c.pap("alice", "wonderland")).rejected
        assert d.ask(d.pap("alice", "wonderland")).accepted
        assert d.ask(d.pap("alice@example.com", "wonderland")).accepted
        assert d.ask(d.pap("alice@example.org", "wonderland")).rejected
        for size in (0, 1, 15, 17, 144, 200):
            attributes = [(USER_NAME, b"alice@example.com"),
                          (USER_PASSWORD, b"x" * size)]
            assert c.login(attributes).rejected, size
        # Covered with another secret, nobody can tell from wrong.
        assert c.login([(USER_NAME, b"alice@example.com"),
                        (USER_PASSWORD, b"0123456789abcdef")]).rejected


@case("both kinds of credentials, or none, are refused")
def mixed():
    with client() as c:
        authenticator = os.urandom(16)
        attributes = [(USER_NAME, b"alice"), *rfc5090(digest()),
                      (USER_PASSWORD, c.hide("wonderland", authenticator))]
        assert c.login(attributes, authenticator=authenticator).rejected
        assert c.login([(USER_NAME, b"alice@example.com")]).rejected
        assert c.login([]).rejected
    # Both encodings that say the same are one statement.
    both = [(USER_NAME, b"alice"), *rfc5090(digest()), *sterman(digest())]
    with client() as c:
        assert c.login(both).accepted
        other = [(USER_NAME, b"alice"), *rfc5090(digest()),
                 *sterman(digest("alice@example.com"))]
        assert c.login(other).rejected
        assert c.login(both + [(104, b"example.com")]).rejected


@case("User-Name and SIP-AOR must be the account's")
def identity():
    for user_name, good in (("alice", True), ("alice@example.com", True),
                            ("bob", False), ("bob@example.com", False),
                            ("alice@example.org", False)):
        reply = login(user_name=user_name)
        assert reply.accepted == good, (user_name, reply)
    for aor, good in (("sip:alice@example.com", True),
                      ("sips:alice@example.com", True),
                      ("sip:bob@example.com", False),
                      ("sip:alice@example.org", False),
                      ("tel:+491234", False), ("", False)):
        for form in NAMES:
            reply = login(digest(form), more=[(SIP_AOR, octets(aor))])
            assert reply.accepted == good, (aor, form, reply)
            assert len(reply.octets) == (72 if good else 38)


@case("a client serves its realms and domains only")
def allowed_realms():
    assert login(source=REALM).rejected
    assert login(source=DOMAIN).accepted
    assert login(digest("bob", PHRASE), source=DOMAIN).accepted


@case("a nonce is asked of us: reject, and the log says why")
def nonce_request():
    since = len(World.daemon.log_text())
    with client() as c:
        reply = c.login([(USER_NAME, b"alice"), (108, b"REGISTER"),
                         (109, b"sip:example.com")])
    assert reply.rejected, reply
    assert "reason=method" in World.daemon.log_text()[since:]
    assert "nonces of ours" in World.daemon.log_text()


@case("Status-Server")
def status_server():
    with client() as c, client(STRICT) as s:
        alive(c)
        alive(s)
        unsigned = c.request([], code=STATUS_SERVER, sign=False)
        is_silent(unsigned)


@case("Message-Authenticator: wrong, missing, twice")
def signatures():
    attributes = [(USER_NAME, b"alice"), *rfc5090(digest())]
    assert login(source=STRICT).accepted
    with client(STRICT) as c:
        is_silent(c.request(attributes, sign=False), STRICT)
    assert "[radius-client strict]" in World.daemon.log_text()
    assert "require_message_authenticator" in World.daemon.log_text()
    for source in (DEFAULT, STRICT):
        with client(source) as c:
            good = c.request(attributes)
            for at in (1, 5, 20, 30, 60, len(good) - 1):
                bad = bytearray(good)
                bad[at] ^= 1
                if at == 20 and source == DEFAULT:
                    continue    # then it is unsigned, which may pass there
                is_silent(bytes(bad), source)
            twice = c.request([(MESSAGE_AUTHENTICATOR, bytes(16))] +
                              attributes)
            is_silent(twice, source)
    with client(secret="another secret that is not ours") as c:
        is_silent(c.request(attributes))
        # Unsigned requests pass; the reply is then wrong for the client.
        data = c.request(attributes, sign=False)
        c.send(data)
        try:
            c.receive(data)
        except AssertionError as error:
            assert "Response Authenticator" in str(error)
        else:
            raise AssertionError("a reply under another secret was right")


@case("Proxy-State: in order, whole; unsigned it is dropped")
def proxy_state():
    states = [(PROXY_STATE, b"one"), (PROXY_STATE, b""),
              (PROXY_STATE, bytes(range(253))), (PROXY_STATE, b"one")]
    for fields, encode, first in (
            (digest(), rfc5090, [MESSAGE_AUTHENTICATOR, RESPONSE_AUTH]),
            (digest(), sterman, [MESSAGE_AUTHENTICATOR]),
            (digest(password="x"), sterman, [MESSAGE_AUTHENTICATOR]),
            (digest(nonce=None), sterman, [MESSAGE_AUTHENTICATOR])):
        with client() as c:
            mixed_in = [states[0], (USER_NAME, b"alice"), states[1],
                        *encode(fields), states[2], states[3]]
            reply = c.login(mixed_in)
            assert [t for t, _ in reply.attributes[:len(first)]] == first
            assert reply.attributes[len(first):] == states, reply
    with client() as c:
        is_silent(c.request([(USER_NAME, b"alice"), *rfc5090(digest()),
                             (PROXY_STATE, b"x")], sign=False))
        # As much as fits, and more than a reply can hold.
        room = 4096 - 38 - len(attribute_octets(
            [(USER_NAME, b"alice"), *sterman(digest())]))
        many = [(PROXY_STATE, bytes([i]) * 253) for i in range(room // 255)]
        reply = c.login([(USER_NAME, b"alice"), *sterman(digest()), *many])
        assert reply.accepted and reply.values(PROXY_STATE) == [
            v for _, v in many]


@case("strangers are dropped")
def strangers():
    with client() as c:
        is_silent(c.request([(USER_NAME, b"alice"), *rfc5090(digest())]),
                  STRANGER)
    assert f"{STRANGER} is no [radius-client]" in World.daemon.log_text()


@case("truncated at each length, oversized, other codes")
def malformed():
    with client(STRICT) as c:   # an unsigned rest could be a packet
        good = c.request([(USER_NAME, b"alice"), *sterman(digest())])
        for n in range(len(good)):
            c.send(good[:n])
        alive(c)
        # Length cut as well.
        for n in range(len(good)):
            c.send(good[:2] + n.to_bytes(2, "big") + good[4:n])
        for length in (0, 19, len(good) + 1, 4097, 65535):
            c.send(good[:2] + length.to_bytes(2, "big") + good[4:])
        c.send(good[:2] + (4097).to_bytes(2, "big") + good[4:] + bytes(3900))
        c.send(bytes(60000))
        alive(c)
        for code in (0, 2, 3, 4, 5, 11, 13, 40, 43, 52, 255):
            c.send(c.request([(USER_NAME, b"alice"), *rfc5090(digest())],
                             code=code))
        alive(c)
        # Padding behind Length is ignored.
        assert c.ask(good + bytes(50)).accepted


@case("NULs, invalid UTF-8, newlines: reject, and a clean log line")
def hostile():
    since = len(World.daemon.log_text())
    for name in (b"al\0ice", b"alice\0", b"\xff\xfe", b"alice\nverdict=allow",
                 b"alice:example.com", b"\r\n", b'al"ice', b"al\\ice",
                 b"x" * 253, b"\x1b[31m"):
        for encode in (rfc5090, sterman):
            fields = digest(username="x")
            fields["username"] = name[:249]
            assert login(fields, encode, user_name=name).rejected, name
            fields = digest()
            fields["realm"] = name[:249]
            assert login(fields, encode).rejected, name
    log = World.daemon.log_text()[since:]
    assert "verdict=allow" not in log, log
    assert "user=invalid" in log
    assert "\x1b" not in log


@case("duplicates get the same octets")
def duplicates():
    since = len(World.daemon.log_text())
    with client() as c:
        for fields in (digest(), digest(password="x")):
            request = c.request([(USER_NAME, b"alice"), *rfc5090(fields)])
            first = c.ask(request)
            for _ in range(3):
                assert c.ask(request).octets == first.octets
    log = World.daemon.log_text()[since:]
    assert log.count("verdict=") == 2, log


@case("frozen database: silence, the retransmission is answered")
def frozen(stage):
    stage.postgres.freeze()
    try:
        since = len(World.daemon.log_text())
        with client() as c, client(REJECTING) as r:
            request = c.request([(USER_NAME, b"alice"), *rfc5090(digest())])
            c.send(request)
            c.send(request)     # pending: dropped
            World.daemon.wait_log("verdict=unavailable", since=since)
            alive(c)
            text = World.daemon.log_text()[since:]
            assert text.count("verdict=") == 1, text
            refused = r.login([(USER_NAME, b"alice"), *rfc5090(digest())])
            assert refused.rejected and len(refused.octets) == 38
            stage.postgres.thaw()
            wait_until(lambda: login(timeout=0.5), 15, "a login after thaw")
            reply = c.ask(request)
            assert reply is not None and reply.accepted, reply
    finally:
        stage.postgres.thaw()


@case("stopped database: silence, heals by itself")
def stopped(stage):
    stage.postgres.stop()
    try:
        for _ in range(5):
            with client() as c, client(REJECTING) as r:
                since = len(World.daemon.log_text())
                c.send(c.request([(USER_NAME, b"alice"),
                                  *rfc5090(digest())]))
                World.daemon.wait_log("verdict=unavailable", since=since)
                alive(c)
                assert r.login([(USER_NAME, b"alice"),
                                *rfc5090(digest())]).rejected
    finally:
        stage.postgres.start()
    wait_until(lambda: login(timeout=0.5), 15, "a login after start")
    assert login().accepted


class Logins(threading.Thread):
    """Right logins at a steady rate, each sent again until it is answered."""

    def __init__(self, per_second):
        super().__init__(daemon=True)
        self.interval = 1 / per_second
        self.stopping = threading.Event()
        self.sent = self.answered = 0
        self.wrong = []
        self.failed = None

    def run(self):
        waiting = {}    # client -> (request, when it was sent last)
        try:
            due = time.monotonic()
            while waiting or not self.stopping.is_set():
                now = time.monotonic()
                if not self.stopping.is_set() and now >= due:
                    due += self.interval
                    c = client()
                    request = c.request([(USER_NAME, b"alice"),
                                         *rfc5090(digest())])
                    c.send(request)
                    waiting[c] = (request, now)
                    self.sent += 1
                for c, (request, sent) in list(waiting.items()):
                    found = c.drain()
                    if found:
                        self.answered += 1
                        self.wrong += [d[0] for d in found if d[0] != ACCEPT]
                        del waiting[c]
                        c.close()
                    elif now - sent > 0.5:
                        c.send(request)
                        waiting[c] = (request, now)
                time.sleep(0.002)
        except Exception as error:      # pylint: disable=broad-except
            self.failed = error


@case("restarted under 50 logins per second: no wrong denial")
def restart_under_load(stage):
    logins = Logins(50)
    logins.start()
    for mode in ("fast", "immediate"):
        before = logins.answered
        wait_until(lambda: logins.answered > before + 25, 20, "logins")
        stage.postgres.restart(mode)
    before = logins.answered
    wait_until(lambda: logins.answered > before + 50, 20, "logins")
    logins.stopping.set()
    logins.join(30)
    assert not logins.is_alive(), "some logins were never answered"
    assert logins.failed is None, logins.failed
    assert logins.wrong == [], logins.wrong
    assert logins.answered == logins.sent > 100


@case("reload: another secret")
def reload(stage):
    since = len(World.daemon.log_text())
    stage.file("radius.secret", "another-secret-0123456789\n", user=NOBODY)
    World.daemon.reload()

    def changed():
        with client(secret="another-secret-0123456789") as c:
            request = c.request([(USER_NAME, b"alice"), *rfc5090(digest())])
            return c.ask(request, timeout=0.2)

    assert wait_until(changed, 10, "the new secret").accepted
    with client() as c:
        c.send(c.request([(USER_NAME, b"alice"), *rfc5090(digest())]))
        assert c.receive(b"", 0.2) is None
    World.daemon.reload(config(stage) + "[nonsense]\n")
    World.daemon.wait_log("nonsense", since=since)
    assert changed().accepted
    stage.file("radius.secret", SECRET + "\n", user=NOBODY)
    World.daemon.reload(config(stage))
    wait_until(lambda: login(timeout=0.2), 10, "the old secret")


@case("nothing secret was logged, and the daemon ends well")
def log_is_clean(stage):
    log = World.daemon.log_text() + stage.postgres.log_text()
    for secret in ("wonderland", "Wonderland", PHRASE, SECRET,
                   "93dfce8dfebfae8af4a726982429d23a",
                   digest()["response"], rspauth(),
                   digest(algorithm="SHA-256")["response"]):
        assert secret not in log, secret
    World.daemon.stop()


if __name__ == "__main__":
    run_cases(__file__, prepare)
