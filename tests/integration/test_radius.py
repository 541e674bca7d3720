#!/usr/bin/python3 -B
"""
The RADIUS door of an installed onecredd: passwords and digests in both
encodings, what must be dropped, duplicates, and a database that goes away.
"""

import base64
import os
import re
import threading
import time
import urllib.request

from process import NOBODY
from radius import (ACCEPT, CHALLENGE, DIGEST_ALGORITHM, DIGEST_DOMAIN,
                    ENCODINGS, MESSAGE_AUTHENTICATOR, NEXTNONCE, PROXY_STATE,
                    REJECT, RESPONSE_AUTH, SIP_AOR, STATUS_SERVER, USER_NAME,
                    USER_PASSWORD, Client, attribute_octets, digest, octets,
                    radclient, radclient_lines, rfc5090, rspauth, sterman)
from stage import Daemon, case, free_port, run_cases, wait_until

SECRET = "a-32-octet-or-longer-shared-secret!"
NAMES = ("alice", "alice@example.com")
ALGORITHMS = ("MD5", "SHA-256", "SHA-512-256")
PHRASE = "correct horse battery staple"     # two blocks of User-Password
# Clients by source address: all of 127.0.0.0/8 is this machine.
DEFAULT, STRICT, REALM, DOMAIN, REJECTING, STRANGER, OURS, OTHER = (
    f"127.0.0.{i}" for i in range(1, 9))


class World:
    """What all cases share."""
    responses = set()   # digests and what answered them
    daemon = None
    port = http = None
    secret_file = key_file = None
    other = "theirs"    # who makes the nonces of client `other'


def config(stage, extra="", sip="", port=None, http=None):
    text = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"[radius]\nlisten = 0.0.0.0:{port or World.port}\n"
            f"[http]\nlisten = 127.0.0.1:{http or World.http}\n"
            f"[sip]\nnonce_key_file = {World.key_file}\n{sip}"
            f"[log]\nlevel = debug\n")
    for name, address, more in (
            ("kamailio", DEFAULT, ""),
            ("strict", STRICT, "require_message_authenticator = yes\n"),
            ("realm", REALM, "realms = example.org\n"),
            ("domain", DOMAIN, "domains = example.com\n"),
            ("rejecting", REJECTING, "unavailable = reject\n"),
            ("ours", OURS, "nonce = ours\n"),
            ("other", OTHER, f"nonce = {World.other}\n")):
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
    stage.script("domain-add", check=True, domain="example.net")
    stage.script("user-add", check=True, user="alice@example.net",
                 password_file=stage.password_file(PHRASE))
    stage.postgres.psql(
        "UPDATE onecred.realm SET algorithms = '{SHA-256,MD5}', "
        "domain_parameter = '{sip:example.net,xmpp:example.net}' "
        "WHERE realm = 'example.net'", check=True)
    World.port = free_port("udp")
    World.http = free_port()
    World.key_file = stage.file("nonce.key", base64.b64encode(
        os.urandom(32)).decode() + "\n", user=NOBODY)
    World.secret_file = stage.file("radius.secret", SECRET + "\n",
                                   user=NOBODY)
    World.daemon = Daemon(stage, config(stage))
    wait_until(lambda: login().accepted, 10, "the first login")


def client(source=DEFAULT, secret=SECRET, port=None):
    return Client(port or World.port, secret, source)


def login(fields=None, encode=rfc5090, user_name=None, source=DEFAULT,
          more=(), **options):
    """One login on a socket of its own -> Reply, or None."""
    fields = digest() if fields is None else fields
    if user_name is None:
        user_name = fields.get("username")
    with client(source) as c:
        reply = c.login([(USER_NAME, octets(user_name)), *encode(fields),
                         *more], **options)
    if len(fields.get("response") or "") > 8:
        World.responses.add(fields["response"])
    World.responses.update(
        v.decode() for v in (reply.values(RESPONSE_AUTH) if reply else ()))
    return reply


def ask_nonce(source=OURS, encode=rfc5090, port=None, more=(),
              **fields):
    """An Access-Request for a nonce -> Reply."""
    fields = {"method": "REGISTER", "uri": "sip:example.com", **fields}
    with client(source, port=port) as c:
        return c.login([(USER_NAME, b"alice"), *encode(fields), *more])


def use(nonce, source=OURS, encode=rfc5090, port=None, **options):
    """A login over this nonce -> Reply."""
    fields = digest(nonce=nonce, **options)
    with client(source, port=port) as c:
        return c.login([(USER_NAME, octets(fields["username"])),
                        *encode(fields)])


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
                            fields, algorithm=algorithm))], what
                    assert [t for t, _ in reply.attributes] == expected, what
                wrong = digest(name, "Wonderland", algorithm=algorithm)
                assert login(wrong, encode).rejected, (encoding, name)


@case("RFC 2069: without qop")
def no_qop():
    fields = digest(qop=None)
    reply = login(fields)
    assert reply.accepted, reply
    assert reply.values(RESPONSE_AUTH) == [octets(rspauth(fields))]
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
    same = digest()
    both = [(USER_NAME, b"alice"), *rfc5090(same), *sterman(same)]
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


@case("a client that makes its own nonces asks for one: reject, and why")
def nonce_request():
    since = len(World.daemon.log_text())
    assert ask_nonce(DEFAULT).rejected
    log = World.daemon.log_text()[since:]
    assert log.count("verdict=") == 1 and "reason=method" in log, log
    assert "nonce = ours" in World.daemon.log_text()


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


@case("nonce = ours: challenge, right, wrong, stale; one line each")
def ours():
    for encode in ENCODINGS.values():
        since = len(World.daemon.log_text())
        reply = ask_nonce(encode=encode)
        assert reply.challenged and not reply.stale, reply
        assert reply.attributes[0][0] == MESSAGE_AUTHENTICATOR
        assert reply.values(24) == [], reply    # State
        assert "verdict=" not in World.daemon.log_text()[since:]
        nonce = reply.nonce
        if encode is rfc5090:
            assert reply.values(104) == [b"example.com"], reply
            assert reply.values(110) == [b"auth"], reply
            assert reply.values(DIGEST_ALGORITHM) == [b"MD5"], reply
        for i, (options, code, reason) in enumerate((
                ({"password": "wrong"}, REJECT, "wrong-password"),
                ({}, ACCEPT, "ok"),
                ({"nc": "00000002", "method": "INVITE"}, ACCEPT, "ok"),
                ({"username": "nobody"}, REJECT, "unknown-user"),
                ({"qop": None}, CHALLENGE, "malformed"),
                ({"qop": "auth-int"}, REJECT, "malformed"),
                ({}, CHALLENGE, "replay"))):
            since = len(World.daemon.log_text())
            reply = use(nonce, encode=encode, **options)
            assert reply.code == code, (i, options, reply)
            assert reply.stale == (reason == "replay"), (options, reply)
            log = World.daemon.log_text()[since:]
            assert log.count("verdict=") == 1, log
            assert f"reason={reason} " in log, log
            if options.get("username", "alice") == "alice" and reason in (
                    "ok", "replay"):
                assert "user=alice@example.com" in log, log
        assert use(reply.nonce, encode=encode).accepted
    for nonce in ("bm9uY2UtMDAwMQ", nonce[:-1] + "?", "x" * 200):
        assert use(nonce).stale, nonce
        assert use(nonce, password="wrong").rejected, nonce


@case("nonce = ours: the same request passes again, also from another port")
def ours_again():
    nonce = ask_nonce().nonce
    fields = digest(nonce=nonce)
    for i in range(3):
        reply = login(fields, source=OURS)
        assert reply.accepted, (i, reply)
    # Not its response for another method or address.
    for change in ({"method": "INVITE"}, {"uri": "sip:example.org"},
                   {"cnonce": "0a4f113c"}):
        assert login({**fields, **change}, source=OURS).rejected, change
    # Duplicates are answered before any nonce is looked at.
    since = len(World.daemon.log_text())
    with client(OURS) as c:
        for attributes in ([(108, b"REGISTER"), (104, b"example.com")],
                           [(USER_NAME, b"alice"), *rfc5090(digest(
                               nonce=nonce, nc="00000005"))]):
            request = c.request(attributes)
            first = c.ask(request)
            for _ in range(3):
                assert c.ask(request).octets == first.octets
        assert first.accepted
    assert World.daemon.log_text()[since:].count("verdict=") == 1
    with client(OURS) as c:
        forged = bytearray(c.request([(108, b"REGISTER")]))
        forged[-1] ^= 1
        is_silent(bytes(forged), OURS)


@case("the realm of a challenge: asked for, from names, or none of ours")
def ours_realm():
    for fields, more in (
            ({"realm": "example.com"}, ()),
            ({"realm": "EXAMPLE.com", "uri": "sip:elsewhere.example"}, ()),
            ({"uri": "sip:bob@elsewhere.example"},
             [(SIP_AOR, b"sip:alice@example.com")]),
            ({"uri": "sips:bob@example.com:5061;transport=tcp"}, ())):
        reply = ask_nonce(more=more, **fields)
        assert reply.challenged, (fields, reply)
        assert reply.values(104) == [b"example.com"], reply
    for fields in ({"realm": "example.org"}, {"uri": "tel:+4912345"},
                   {"uri": "sip:elsewhere.example"}, {"realm": "x" * 250},
                   {"realm": 'a"b'}, {"uri": ""}):
        reply = ask_nonce(**fields)
        assert reply.rejected and len(reply.octets) == 38, (fields, reply)


@case("algorithm and domain parameter by the realm's policy")
def ours_policy():
    reply = ask_nonce(realm="example.net")
    assert reply.values(DIGEST_ALGORITHM) == [b"SHA-256"], reply
    assert reply.values(DIGEST_DOMAIN) == [b"sip:example.net",
                                           b"xmpp:example.net"], reply
    options = {"realm": "example.net", "password": PHRASE}
    assert use(reply.nonce, algorithm="SHA-256", send_algorithm=True,
               **options).accepted
    nonce = ask_nonce(realm="example.net").nonce
    assert use(nonce, algorithm="SHA-256", **options).accepted
    # Not what was offered: asked again, and not for being old.
    again = use(nonce, nc="00000002", **options)
    assert again.challenged and not again.stale, again
    # A nonce is one of its realm and algorithm.
    assert use(nonce).stale
    assert use(ask_nonce().nonce, algorithm="SHA-256", **options).stale


@case("radclient: a nonce of ours, both dictionaries")
def ours_radclient(stage):
    for encoding, prefix in (("RFC 5090", "Rfc5090-"), ("sterman", "")):
        def ask(fields):
            lines = radclient_lines(fields, "alice", encoding)
            return radclient(stage, World.port, World.secret_file,
                             lines + [f"Packet-Src-IP-Address = {OURS}"])
        got, text = ask({"method": "REGISTER", "uri": "sip:example.com"})
        assert got == "challenge", text
        if prefix:
            nonce = re.search(r'Digest-Nonce = "([^"]*)"', text).group(1)
        else:
            # radclient shows sub-attributes as they are: 2 is the nonce.
            nonce = bytes.fromhex(re.search(
                "Digest-Attributes = 0x02..([0-9a-f]*)", text).group(1))
        got, text = ask(digest(nonce=octets(nonce).decode(),
                               password="wrong"))
        assert got == "reject", text
        fields = digest(nonce=octets(nonce).decode())
        got, text = ask(fields)
        assert got == "accept", text
        if prefix:
            assert rspauth(fields) in text, text
        got, text = ask(digest(nonce="bm9uY2UtMDAwMQ"))
        assert got == "challenge" and "Stale" in text, text


def other_daemon(stage, sip=""):
    """A second daemon with the same keys -> it and its UDP port."""
    port = free_port("udp")
    daemon = Daemon(stage, config(stage, sip=sip, port=port,
                                  http=free_port()))
    wait_until(lambda: ask_nonce(port=port).challenged, 10, "a challenge")
    return daemon, port


@case("two daemons, one key: alternating requests")
def two_daemons(stage):
    daemon, port = other_daemon(stage)
    with daemon:
        ports = (None, port)
        for i in range(6):
            here, there = ports[i % 2], ports[(i + 1) % 2]
            nonce = ask_nonce(port=here).nonce
            # A nonce of the other one is good for one request.
            fields = digest(nonce=nonce)
            for _ in range(2):
                with client(OURS, port=there) as c:
                    assert c.login([(USER_NAME, b"alice"),
                                    *rfc5090(fields)]).accepted
            reply = use(nonce, port=there, nc="00000002")
            assert reply.stale, reply
            assert use(reply.nonce, port=there).accepted
            # Where it was made it goes on.
            assert use(nonce, port=here, nc="00000002").accepted


@case("nonces end: nextnonce before, stale after nonce_lifetime")
def expiry(stage):
    daemon, port = other_daemon(stage, "nonce_lifetime = 10s\n")
    with daemon:
        start = time.monotonic()
        theirs = digest(nonce="their-own-nonce")
        nonce, count, following = ask_nonce(port=port).nonce, 0, None

        def again():
            with client(port=port) as c:
                return c.login([(USER_NAME, b"alice"), *rfc5090(theirs)])

        def stale():
            nonlocal count, following
            count += 1
            reply = use(nonce, port=port, nc=f"{count:08x}")
            if reply.accepted:
                for value in reply.values(NEXTNONCE):
                    following = following or value.decode()
                return None
            return reply

        assert again().accepted
        reply = wait_until(stale, 30, "the end of a nonce", 0.25)
        assert reply.stale and time.monotonic() - start >= 9.5, reply
        assert following and use(following, port=port).accepted
        # nonce = theirs: what was accepted is not accepted for ever.
        since = len(daemon.log_text())
        assert wait_until(lambda: again().rejected, 30, "an old response")
        assert "verdict=deny reason=replay" in daemon.log_text()[since:]


@case("nonce = theirs: another response under the same count is a replay")
def theirs_memory():
    for encode in ENCODINGS.values():
        fields = digest(cnonce=os.urandom(4).hex())
        other = digest(cnonce=fields["cnonce"], method="INVITE")
        for _ in range(3):
            assert login(fields, encode).accepted
        since = len(World.daemon.log_text())
        assert login(other, encode).rejected
        log = World.daemon.log_text()[since:]
        assert log.count("verdict=") == 1 and "reason=replay" in log, log
        # Another name, client, cnonce or count is another use.
        assert login(other, encode, source=STRICT).accepted
        for change in ({"nc": "00000002"}, {"cnonce": "f00"},
                       {"username": "alice@example.com"},
                       {"nonce": "another"}):
            options = {"cnonce": fields["cnonce"], "method": "INVITE",
                       **change}
            assert login(digest(**options), encode).accepted, change
        # What was wrong is not remembered.
        wrong = digest(cnonce="f01", password="wrong")
        assert login(wrong, encode).rejected
        assert login(digest(cnonce="f01", nc="0000000a"), encode).accepted
    # Without qop (Kamailio's default): INVITE and BYE over one nonce.
    for method in ("INVITE", "BYE", "INVITE"):
        assert login(digest(qop=None, method=method)).accepted, method


@case("reload: a client changes between theirs and ours")
def switching(stage):
    for mode in ("ours", "theirs", "ours"):
        since = len(World.daemon.log_text())
        World.other = mode
        World.daemon.reload(config(stage))
        World.daemon.wait_log("reload: done", since=since)
        ours_now = mode == "ours"
        assert ask_nonce(OTHER).challenged == ours_now
        reply = use("their-own-nonce", OTHER)
        assert reply.stale if ours_now else reply.accepted, (mode, reply)
        if ours_now:
            assert use(reply.nonce, OTHER).accepted


@case("/metrics counts what was dropped, by kind")
def metrics():
    def drops():
        url = f"http://127.0.0.1:{World.http}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        return {kind: int(n) for kind, n in re.findall(
            r'onecred_dropped_total{door="radius",kind="([a-z-]+)"} (\d+)',
            text)}
    before = drops()
    with client(STRICT) as c:
        c.send(c.request([(USER_NAME, b"alice")], sign=False))
        c.send(b"x" * 30)
        c.send(c.request([], code=4))
        alive(c)
    with client() as c:
        c.send(c.request([(USER_NAME, b"alice"), (PROXY_STATE, b"x")],
                         sign=False))
        alive(c)
    with client(secret="not the secret that we share") as c:
        is_silent(c.request([(USER_NAME, b"alice")]))
    with client(STRANGER) as c:
        is_silent(c.request([(USER_NAME, b"alice")]), STRANGER)
    after = drops()
    for kind in ("unsigned", "malformed", "code", "proxy-state", "forged",
                 "stranger"):
        assert after[kind] == before.get(kind, 0) + 1, (kind, after)


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
                   "93dfce8dfebfae8af4a726982429d23a", *World.responses):
        assert secret not in log, secret
    assert len(World.responses) > 100
    World.daemon.stop()


if __name__ == "__main__":
    run_cases(__file__, prepare)
