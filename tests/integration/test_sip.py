#!/usr/bin/python3 -B
"""
The decision about SIP requests (DESIGN 6) over a real PostgreSQL: raw
requests go into sip_driver.c, what it answers is taken apart here. Two
drivers with one nonce key are two nodes.
"""

import hashlib
import os
import re
import select
import signal
import subprocess
import time

from stage import BUILD, TOP, case, run_cases, wait_until

DRIVER = os.path.join(TOP, BUILD, "tests", "integration", "sip_driver")
PASSWORD = "wonderland"
CANARY = "c4naryPassw0rd"
LIFETIME, FOREIGN = 300000, 30000
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
P1, P2 = "p1.example.com", "p2.example.com"
REQUEST_COUNT = 0


class Reply:
    def __init__(self, lines):
        words = dict(w.partition("=")[::2] for w in lines[0].split())
        self.verdict, self.reason = words["verdict"], words["reason"]
        self.status, self.told = int(words["status"]), words["told"]
        self.user, self.row = words["user"], int(words["row"])
        self.rows = [int(n) for n in words["rows"].split(",") if n]
        assert words["inside"] == "0", "called back from inside"
        self.challenges = [Challenge(x[10:]) for x in lines[1:]
                           if x.startswith("challenge ")]
        self.info = next((x[5:] for x in lines[1:] if x.startswith("info ")),
                         "")
        self.lines = lines

    def __repr__(self):
        return "\n".join(self.lines)

    def challenge(self, realm, algorithm=None):
        found = [c for c in self.challenges if c.realm == realm and
                 algorithm in (None, c.algorithm)]
        assert found, (realm, algorithm, self)
        return found[0]


class Challenge:
    """One row of a 401 or 407."""

    def __init__(self, value):
        self.value = value
        assert value.startswith("Digest "), value
        fields = dict(re.findall(r'([a-z]+)=("[^"]*"|[^, ]*)', value[7:]))
        self.fields = {k: v.strip('"') for k, v in fields.items()}
        self.realm, self.nonce = self.fields["realm"], self.fields["nonce"]
        self.algorithm = self.fields["algorithm"]
        assert self.fields["qop"] == "auth", value
        assert self.fields.get("stale", "true") == "true", value
        self.stale = "stale" in self.fields

    def __repr__(self):
        return self.value


class Driver:
    """One node."""

    _count = 0

    def __init__(self, stage, lifetime=LIFETIME, foreign=FOREIGN, domains=()):
        assert os.path.exists(DRIVER), f"{DRIVER} is not built"
        Driver._count += 1
        self.log = os.path.join(stage.log_directory,
                                f"sip-{Driver._count}.log")
        file = stage.file("conninfo",
                          stage.postgres.conninfo("onecredd") + "\n")
        with open(self.log, "wb") as log:
            self.process = stage.spawn(
                [DRIVER, file, stage.path("nonce-key"), lifetime, foreign,
                 *domains],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.pipes = self.process.popen
        assert self.line() == "started"
        self.ready()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is not None:
            self.process.end(signal.SIGKILL)
            return
        self.pipes.stdin.close()
        status = self.process.wait(20)
        self.pipes.stdout.close()
        assert status == 0, f"the driver ended with {status}"

    def line(self, seconds=20):
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.pipes.stdout], [], [], seconds)
            assert ready, "the driver does not answer"
            got = os.read(self.pipes.stdout.fileno(), 1)
            assert got, f"the driver has ended: {self.log_text()[-2000:]}"
            line += got
        return line.decode("utf-8", "replace").rstrip("\n")

    def send(self, command, message, realms, role, source):
        if isinstance(realms, str):
            realms = [realms]
        if isinstance(message, str):
            message = message.encode()
        head = "\t".join([*command, role, source, str(len(message)), *realms])
        self.pipes.stdin.write(head.encode() + b"\n" + message)
        self.pipes.stdin.flush()

    def ask(self, message, realms=P1, role="proxy", source="192.0.2.7"):
        self.send(["ask"], message, realms, role, source)
        lines = [self.line()]
        while lines[-1] != "end":
            lines.append(self.line())
        return Reply(lines[:-1])

    def cancel(self, turns, message, realms=P1, role="proxy"):
        self.send(["cancel", str(turns)], message, realms, role, "-")
        return self.line()

    def many(self, count, message, realms=P1, role="proxy"):
        self.send(["many", str(count)], message, realms, role, "-")
        return self.words()

    def words(self):
        return {k: int(v) for k, v in
                (w.split("=") for w in self.line(60).split())}

    def stats(self):
        self.pipes.stdin.write(b"stats\n")
        self.pipes.stdin.flush()
        return self.words()

    def ready(self, wanted=1):
        self.pipes.stdin.write(b"ready\t%d\t15000\n" % wanted)
        self.pipes.stdin.flush()
        assert self.words()["ready"] == wanted, self.log_text()[-2000:]

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def decisions(self):
        return [line for line in self.log_text().splitlines()
                if line.startswith("info: door=")]


class Call:
    """
    A user agent in one call leg: request() makes its next request, with an
    answer to every challenge it keeps.
    """

    def __init__(self, user="alice", password=PASSWORD, **changes):
        global REQUEST_COUNT
        REQUEST_COUNT += 1
        self.user, self.password = user, password
        self.kept = []
        self.used = {}
        self.fields = {
            "method": "INVITE", "uri": "sip:bob@example.com",
            "from_uri": "sip:alice@example.com",
            "to_uri": "sip:bob@example.com", "to_tag": None,
            "call_id": f"call{REQUEST_COUNT}@192.0.2.7", "cseq": 0,
            "contact": "<sip:alice@192.0.2.7:5062>", "body": "v=0\r\n",
            "role": "proxy", **changes}

    def row(self, challenge, password=None, user=None, nonce=None, nc=None,
            qop="auth", uri=None, realm=None, method=None, response=None):
        """One credentials value."""
        user = user or self.user
        nonce = nonce or challenge.nonce
        uri = uri or self.fields["uri"]
        realm = realm or challenge.realm
        name = HASHES[challenge.algorithm]

        def h(*parts):
            return hashlib.new(name, ":".join(parts).encode()).hexdigest()
        if nc is None:
            nc = self.used[nonce] = self.used.get(nonce, 0) + 1
        nc = f"{nc:08x}"
        a1 = h(user, realm, self.password if password is None else password)
        a2 = h(method or self.fields["method"], uri)
        if qop:
            digest = h(a1, nonce, nc, "0a4f113b", qop, a2)
            more = f', qop={qop}, nc={nc}, cnonce="0a4f113b"'
        else:
            digest, more = h(a1, nonce, a2), ""
        return (f'Digest username="{user}", realm="{realm}", nonce="{nonce}",'
                f' uri="{uri}", response="{response or digest}",'
                f' algorithm={challenge.algorithm}{more}')

    def message(self, rows=(), **changes):
        """One request as it stands on the wire; next CSeq unless given."""
        if "cseq" not in changes:
            self.fields["cseq"] += 1
        f = {**self.fields, **changes}
        name = ("Proxy-Authorization" if f["role"] == "proxy"
                else "Authorization")
        tag = f";tag={f['to_tag']}" if f["to_tag"] else ""
        lines = [f"{f['method']} {f['uri']} SIP/2.0",
                 f"Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK{f['cseq']}",
                 f"From: \"A\" <{f['from_uri']}>;tag=1928",
                 f"To: <{f['to_uri']}>{tag}",
                 f"Call-ID: {f['call_id']}",
                 f"CSeq: {f['cseq']} {f['method']}",
                 f"Contact: {f['contact']}",
                 *[f"{name}: {row}" for row in rows],
                 "Content-Length: 5", "", f["body"]]
        return "\r\n".join(lines)

    def answer(self, reply):
        """Keeps the new challenges, forgets those of the same realm."""
        realms = {c.realm for c in reply.challenges}
        self.kept = [c for c in self.kept if c.realm not in realms]
        self.kept += reply.challenges
        return self

    def request(self, **changes):
        return self.message([self.row(c) for c in self.kept], **changes)


def register(**changes):
    return Call(method="REGISTER", uri="sip:example.com",
                to_uri=changes.pop("to_uri", "sip:alice@example.com"),
                body="", role="registrar", **changes)


def prepare(stage):
    stage.database()
    stage.script("schema", check=True)
    every = "MD5,SHA-256,SHA-512-256"
    for domain in ("example.com", "example.net"):
        stage.script("domain-add", check=True, domain=domain,
                     algorithms=every)
    stage.script("realm-add", check=True, realm="example.com",
                 domain="example.com",
                 domain_parameter="sip:example.com xmpp:example.com")
    for realm, options in ((P1, {}), (P2, {}),
                           ("Sha.example.com", {"algorithms": "SHA-256,MD5"}),
                           ("best.example.com", {"algorithms":
                            "SHA-512-256,SHA-256,MD5"}),
                           ("strict.example.com", {"identity": "strict"}),
                           ("off.example.com", {"identity": "off"})):
        stage.script("realm-add", check=True, realm=realm,
                     domain="example.com", **options)
    for user in ("alice@example.com", "bob@example.com", "carol@example.com",
                 "dave@example.net"):
        stage.script("user-add", check=True, user=user,
                     password_file=stage.password_file(PASSWORD))
    stage.script("user-disable", check=True, user="carol@example.com")
    for user, uri in (("alice@example.com", "tel:+4930123"),
                      ("alice@example.com", "sip:Sales@example.org"),
                      ("bob@example.com", "sip:office@example.com")):
        stage.script("alias-add", check=True, user=user, uri=uri)
    stage.role("onecredd", "daemon")
    stage.file("nonce-key", "00" * 32 + "\n")


def challenged(driver, call, realms=P1, **changes):
    """The call has been challenged once."""
    role = call.fields["role"]
    reply = driver.ask(call.message(**changes), realms, role)
    assert reply.verdict == "challenge", reply
    assert reply.reason == "none", reply
    return call.answer(reply)


@case("no row: a challenge; it costs no account and is no login")
def none_of_ours(stage):
    with Driver(stage) as driver:
        call = Call()
        reply = driver.ask(call.message())
        assert (reply.verdict, reply.status) == ("challenge", 407), reply
        assert len(reply.challenges) == 1 and not reply.rows, reply
        assert reply.challenges[0].algorithm == "MD5"
        assert "domain" not in reply.challenges[0].fields
        assert reply.row == -1 and reply.user == "", reply
        before = driver.stats()
        again = driver.ask(call.message())
        assert again.challenges[0].nonce != reply.challenges[0].nonce
        assert driver.stats() == before, "asked, or counted"
        assert before["deny"] == 0 and not driver.decisions()


@case("exactly one row of ours: verified; the same again in the leg passes")
def exactly_one(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        rows = [call.row(call.kept[0])]
        reply = driver.ask(call.message(rows))
        assert (reply.verdict, reply.status) == ("accept", 200), reply
        assert reply.user == "alice@example.com" and reply.reason == "ok"
        assert reply.row == 0 and reply.rows == [0], reply
        assert 'rspauth="' in reply.info, reply
        assert "nextnonce" not in reply.info, reply
        # One more answer for another proxy; our row is as it was.
        for other in ('Digest realm="elsewhere"', "Bearer x"):
            reply = driver.ask(call.message([other, *rows]))
            assert reply.verdict == "accept", reply
            assert reply.row == 1 and reply.rows == [1], reply
        assert driver.stats()["allow"] == 3
        line = driver.decisions()[0]
        assert "user=alice@example.com realm=p1.example.com " \
            "mech=Digest-MD5 verdict=allow reason=ok source=192.0.2.7" \
            in line, line


@case("the same response for anything else: stale, and no failure")
def replayed(stage):
    with Driver(stage) as driver:
        def refused(call, rows, **changes):
            reply = driver.ask(call.message(rows, **changes))
            assert reply.status == 407 and reply.reason == "replay", reply
            assert all(c.stale for c in reply.challenges), reply
            # What the user agent does then lets it in.
            fresh = Call(**{**call.fields, **changes}).answer(reply)
            reply = driver.ask(fresh.request())
            assert reply.verdict == "accept", reply
        call = challenged(driver, Call())
        rows = [call.row(call.kept[0])]
        assert driver.ask(call.message(rows)).verdict == "accept"
        refused(call, rows, contact="<sip:mallory@203.0.113.9>")
        refused(call, rows, call_id="other@203.0.113.9")
        refused(call, rows, body="v=1\r\n")
        refused(call, rows, uri="sip:premium@example.com")
        # How the realm is spelled is in no digest: not another use.
        again = [rows[0].replace(P1, P1.upper())]
        assert driver.ask(call.message(again)).verdict == "accept"
        refused(call, again, call_id="another@203.0.113.9")
        # Another method has another digest: a failure.
        reply = driver.ask(call.message(rows, method="BYE"))
        assert reply.reason == "wrong-password", reply
        assert not reply.challenges[0].stale, reply
        # The original one still passes, and a higher count for a new one.
        assert driver.ask(call.message(rows)).verdict == "accept"
        rows = [call.row(call.kept[0], method="BYE")]
        assert driver.ask(call.message(rows, method="BYE",
                                       to_tag="x")).verdict == "accept"
        reasons = [line.split("reason=")[1].split()[0]
                   for line in driver.decisions()]
        assert reasons.count("wrong-password") == 1, reasons
        assert reasons.count("replay") == 5, reasons


@case("REGISTER again: with the same CSeq only")
def register_again(stage):
    with Driver(stage) as driver:
        call = challenged(driver, register(), "example.com")
        rows = [call.row(call.kept[0])]
        message = call.message(rows)
        for _ in range(2):
            reply = driver.ask(message, "example.com", "registrar")
            assert reply.verdict == "accept", reply
        reply = driver.ask(call.message(rows), "example.com", "registrar")
        assert reply.status == 401 and reply.challenges[0].stale, reply
        assert reply.reason == "replay", reply


@case("domain= stands in a 401 only")
def domain_parameter(stage):
    with Driver(stage) as driver:
        reply = driver.ask(register().message(), "example.com", "registrar")
        assert reply.status == 401, reply
        assert reply.challenges[0].fields["domain"] == \
            "sip:example.com xmpp:example.com", reply
        reply = driver.ask(Call().message(), "example.com")
        assert reply.status == 407, reply
        assert "domain" not in reply.challenges[0].fields, reply


@case("a row of the other role is not read")
def other_role(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        message = call.request().replace("Proxy-Authorization:",
                                         "Authorization:")
        reply = driver.ask(message)
        assert reply.verdict == "challenge" and reply.reason == "none", reply


@case("two for one challenge: 403 in any order; so are two names and five")
def hunting(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        c = call.kept[0]
        good, bad = call.row(c), call.row(c, password="wrong")
        for rows in ([good, bad], [bad, good], [good, good],
                     ["Bearer x", good, bad], [good + ", " + bad]):
            before = driver.stats()["lookups"]
            reply = driver.ask(call.message(rows))
            assert (reply.verdict, reply.status) == ("forbid", 403), reply
            assert not reply.challenges and not reply.user, reply
            assert driver.stats()["lookups"] == before, "a guess was tried"
        c2 = driver.ask(call.message()).challenges[0]
        for rows in ([good, call.row(c2, user="bob")],
                     [call.row(c2, user="bob"), good],
                     [call.row(c2, user="alice@example.net"), good]):
            assert driver.ask(call.message(rows)).status == 403
        many = [call.row(driver.ask(call.message()).challenges[0])
                for _ in range(5)]
        assert driver.ask(call.message(many)).status == 403
        assert driver.ask(call.message(many[:4])).verdict == "accept"


@case("one row per algorithm is no hunting; the best is verified, all used")
def algorithms(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call(), "sha.example.com")
        assert [c.algorithm for c in call.kept] == ["SHA-256", "MD5"]
        assert {c.realm for c in call.kept} == {"Sha.example.com"}
        nonces = {c.nonce for c in call.kept}
        assert len(nonces) == 2, "a nonce for each row"
        sha, md5 = [call.row(c) for c in call.kept]
        bad_md5 = call.row(call.kept[1], password="wrong", nc=1)
        for rows in ([sha, md5], [md5, sha], [sha, bad_md5]):
            reply = driver.ask(call.message(rows), "SHA.example.com")
            assert reply.verdict == "accept", reply
            assert reply.row == rows.index(sha), reply
            assert reply.rows == [1, 0], reply
        # The MD5 row's nonce was not verified, yet is not good elsewhere.
        reply = driver.ask(call.message([md5], call_id="other"),
                           "sha.example.com")
        assert reply.reason == "replay", reply
        assert all(c.stale for c in reply.challenges), reply
        assert [c.algorithm for c in reply.challenges] == ["SHA-256", "MD5"]
        reply = driver.ask(call.message([call.row(
            call.kept[0], password="wrong", nc=2), md5]), "sha.example.com")
        assert reply.reason == "wrong-password", reply
        # A nonce belongs to its algorithm.
        call = challenged(driver, Call(), "sha.example.com")
        crossed = call.row(call.kept[1], nonce=call.kept[0].nonce)
        reply = driver.ask(call.message([crossed]), "sha.example.com")
        assert reply.reason == "stale", reply
        call = challenged(driver, Call(), "best.example.com")
        assert [c.algorithm for c in call.kept] == [
            "SHA-512-256", "SHA-256", "MD5"]
        reply = driver.ask(call.request(), "best.example.com")
        assert reply.verdict == "accept" and reply.row == 0, reply


@case("an algorithm that is not offered is no answer")
def not_offered(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        c = call.kept[0]
        for algorithm in ("SHA-256", "SHA-512-256"):
            c.algorithm = algorithm
            reply = driver.ask(call.message([call.row(c)]))
            assert reply.verdict == "challenge", reply
            assert reply.reason == "none", reply
        c.algorithm = "MD5"
        row = call.row(c).replace("algorithm=MD5", "algorithm=SHA-512")
        reply = driver.ask(call.message([row]))
        assert reply.reason == "none" and not driver.decisions(), reply
        # Without qop: challenged, never checked.
        before = driver.stats()["lookups"]
        reply = driver.ask(call.message([call.row(c, qop=None)]))
        assert reply.verdict == "challenge", reply
        assert not reply.challenges[0].stale, reply
        assert driver.stats()["lookups"] == before
        reply = driver.ask(call.message([call.row(c, qop="auth-int")]))
        assert reply.status == 400, reply


@case("wrong on an old or forged nonce: a failure, never stale")
def wrong(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        c = call.kept[0]
        forged = c.nonce[:-1] + ("A" if c.nonce[-1] != "A" else "B")
        for nonce in (c.nonce, forged, "x", "0" * 500):
            before = driver.stats()["deny"]
            reply = driver.ask(call.message([call.row(
                c, password=CANARY, nonce=nonce)]))
            assert reply.status == 407, reply
            assert reply.reason == "wrong-password", reply
            assert not any(x.stale for x in reply.challenges), reply
            assert driver.stats()["deny"] == before + 1
            assert reply.row == -1 and reply.user == "", reply
            # To be taken out all the same, where it is let pass.
            assert reply.rows == [0], reply
        # Right on a forged one: stale, without which phones give up.
        for nonce in (forged, "x"):
            reply = driver.ask(call.message([call.row(c, nonce=nonce)]))
            assert reply.reason == "stale", reply
            assert reply.challenges[0].stale, reply
        # One of another realm, ours though.
        other = challenged(driver, Call(), P2).kept[0]
        reply = driver.ask(call.message([call.row(c, nonce=other.nonce)]))
        assert reply.reason == "stale", reply


@case("unknown, disabled, capitals, foreign: all look like wrong")
def alike(stage):
    with Driver(stage) as driver:
        found = set()
        for user, password, reason in (
                ("alice", "wrong", "wrong-password"),
                ("nobody", PASSWORD, "unknown-user"),
                ("carol", PASSWORD, "disabled"),
                ("Alice", PASSWORD, "case"),
                ("dave@example.net", PASSWORD, "foreign-domain"),
                ("a b", PASSWORD, "malformed")):
            call = challenged(driver, Call(user=user, password=password))
            reply = driver.ask(call.request())
            assert reply.reason == reason, reply
            assert len(reply.challenges) == 1, reply
            if reason not in ("foreign-domain", "malformed"):
                found.add((reply.verdict, reply.status, reply.told,
                           reply.challenges[0].stale))
        assert found == {("challenge", 407, "wrong-password", False)}, found
        assert "user=invalid " in driver.decisions()[-1]
        # Either spelling of the name.
        call = challenged(driver, Call(user="alice@example.com"))
        reply = driver.ask(call.request())
        assert reply.user == "alice@example.com", reply


@case("a decoy row of another realm is never the user")
def decoy(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call(user="bob",
                                       from_uri="sip:alice@example.com"))
        decoy_row = call.row(call.kept[0], user="alice", realm="elsewhere")
        own = call.row(call.kept[0])
        for rows in ([decoy_row, own], [own, decoy_row]):
            reply = driver.ask(call.message(rows))
            assert reply.status == 403 and reply.reason == "identity", reply
            assert reply.user == "", reply
        call.fields["from_uri"] = "sip:bob@example.com"
        row = call.row(call.kept[0])
        reply = driver.ask(call.message([decoy_row, row]))
        assert reply.user == "bob@example.com", reply
        assert reply.row == 1 and reply.rows == [1], reply


@case("whose name: domain, strict, off; aliases; REGISTER's To; dialogs")
def identity(stage):
    with Driver(stage) as driver:
        def ask(realm, **changes):
            made = (register if changes.get("method") == "REGISTER"
                    else Call)
            changes.pop("method") if made is register else None
            call = challenged(driver, made(**changes), realm)
            return driver.ask(call.request(), realm, call.fields["role"])

        for realm, from_uri, passes in (
                (P1, "sip:bob@example.com", False),
                (P1, "sip:B%4Fb@EXAMPLE.com:5060;x=y", False),
                (P1, "sip:office@example.com", False),
                (P1, "sip:carol@example.com", False),
                (P1, "sip:dave@example.net", False),
                (P1, "sip:nobody@example.com", True),
                (P1, "sip:alice@example.org", True),
                (P1, "sip:sales@example.org", True),
                (P1, "tel:+49-30-123", True),
                (P1, "sip:ALICE@Example.com", True),
                ("strict.example.com", "sip:alice@example.com", True),
                ("strict.example.com", "sip:sales@EXAMPLE.ORG", True),
                ("strict.example.com", "tel:+49-30-123", True),
                ("strict.example.com", "sip:+4930123@example.com", True),
                ("strict.example.com", "sip:nobody@example.com", False),
                ("strict.example.com", "sip:bob@example.com", False),
                ("strict.example.com", "sip:alice@example.org", False),
                ("strict.example.com", "sip:anonymous@anonymous.invalid",
                 True),
                ("off.example.com", "sip:bob@example.com", True)):
            reply = ask(realm, from_uri=from_uri)
            expected = ((200, "ok") if passes else (403, "identity"))
            assert (reply.status, reply.reason) == expected, (realm, from_uri,
                                                              reply)
        # In a dialog nobody is refused for it.
        for realm in (P1, "strict.example.com"):
            reply = ask(realm, from_uri="sip:bob@example.com", to_tag="x")
            assert reply.verdict == "accept", reply
        # REGISTER: To, even with a tag that fakes a dialog; From is free.
        for to_uri, tag, passes in (
                ("sip:alice@example.com", None, True),
                ("sip:bob@example.com", None, False),
                ("sip:bob@example.com", "x", False),
                # Registrars that look at the user part alone.
                ("sip:bob@elsewhere.example", None, False),
                ("sip:bob@192.0.2.1", None, False),
                ("tel:bob", None, False),
                ("sip:alice@192.0.2.1", None, True),
                ("sip:sales@example.org", None, True),
                ("tel:+49-30-123", None, True),
                ("sip:nobody@example.com", None, True)):
            reply = ask("example.com", method="REGISTER", to_uri=to_uri,
                        to_tag=tag, from_uri="sip:bob@example.com")
            assert (reply.status == 200) == passes, (to_uri, tag, reply)
        # Kamailio takes it for a REGISTER in any case.
        call = challenged(driver, Call(method="register", role="registrar",
                                       to_uri="sip:bob@example.com",
                                       body=""), "example.com")
        reply = driver.ask(call.request(), "example.com", "registrar")
        assert (reply.status, reply.reason) == (403, "identity"), reply


@case("the draft: two proxies, a user agent that keeps every challenge")
def draft_flow(stage):
    with Driver(stage) as p1, Driver(stage) as p2:
        call = Call()

        def through(rounds):
            """What the draft's second figure draws: ends with rounds."""
            for n in range(rounds):
                message = call.request()
                reply = p1.ask(message, P1)
                if reply.verdict == "accept":
                    lines = message.split("\r\n")
                    at = [i for i, line in enumerate(lines)
                          if line.startswith("Proxy-Authorization")]
                    for row in reply.rows:
                        del lines[at[row]]
                    reply = p2.ask("\r\n".join(lines), P2)
                if reply.verdict == "accept":
                    assert n == rounds - 1, f"after {n + 1}"
                    return reply
                call.answer(reply)
            raise AssertionError(f"no end after {rounds}: {reply}")
        through(3)
        call.fields.update(method="BYE", to_tag="x")
        through(1)
        # Who keeps only the newest challenge never gets there.
        lone = Call()
        for _ in range(6):
            reply = p1.ask(lone.request(), P1)
            if reply.verdict == "accept":
                reply = p2.ask(lone.request(), P2)
            assert reply.verdict == "challenge", reply
            lone.kept = reply.challenges


@case("several realms: all in one challenge, the further ones only offered")
def further(stage):
    with Driver(stage) as driver:
        realms = [P1, "unknown.example.com", P2, P1.upper(),
                  "sha.example.com"]

        def order(reply):
            return [(c.realm, c.algorithm) for c in reply.challenges]
        call = challenged(driver, Call(), realms)
        wanted = [(P1, "MD5"), (P2, "MD5"), ("Sha.example.com", "SHA-256"),
                  ("Sha.example.com", "MD5")]
        first, second, third, _ = call.kept
        assert [(c.realm, c.algorithm) for c in call.kept] == wanted
        one, two = call.row(first), call.row(second)
        reply = driver.ask(call.message([two, one]), realms)
        assert reply.verdict == "accept", reply
        assert reply.row == 1 and reply.rows == [1], reply
        wrong_two = call.row(second, password="wrong", nc=1)
        reply = driver.ask(call.message([wrong_two, one]), realms)
        assert reply.verdict == "accept", reply
        # Not let in: the further ones that are right say stale, the wrong
        # ones are counted, since nobody else gets to see them.
        before = driver.stats()["deny"]
        for rows, stale in (([two], {P2}), ([wrong_two], set()),
                            ([two, call.row(third)],
                             {P2, "Sha.example.com"})):
            reply = driver.ask(call.message(rows), realms)
            assert reply.verdict == "challenge", reply
            assert reply.reason == "none", reply
            assert order(reply) == wanted, reply
            assert {c.realm for c in reply.challenges if c.stale} == stale, \
                reply
            assert len({c.realm for c in reply.challenges
                        if not c.stale} & stale) == 0, reply
        assert driver.stats()["deny"] == before + 1
        reply = driver.ask(call.message(
            [call.row(first, password="wrong"), two]), realms)
        assert reply.reason == "wrong-password", reply
        assert {c.realm for c in reply.challenges if c.stale} == {P2}, reply
        assert driver.stats()["deny"] == before + 2
        reply = driver.ask(call.message(), ["unknown.example.com", P1])
        assert reply.status == 403, reply
        assert reply.reason == "unknown-realm", reply


@case("ACK, CANCEL, PRACK pass unjudged, their rows are removed")
def free_methods(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call(), [P1, P2])
        one, two = [call.row(c) for c in call.kept]
        wrong_one = call.row(call.kept[0], password="wrong")
        before = driver.stats()
        for method in ("ACK", "CANCEL", "PRACK"):
            for rows, gone in (([], []), ([one, two], [0]),
                               ([two, wrong_one, one], [2, 1]),
                               ([two + ", " + one], [])):
                reply = driver.ask(call.message(rows, method=method))
                assert (reply.verdict, reply.status) == ("accept", 200), reply
                assert reply.reason == "method" and reply.user == "", reply
                assert reply.row == -1 and reply.rows == gone, reply
                assert reply.info == "", reply
        assert driver.stats() == before
        assert not driver.decisions()


@case("credentials joined by a comma are two; their field stays")
def joined(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call(), [P1, P2])
        one, two = [call.row(c) for c in call.kept]
        reply = driver.ask(call.message([one + ", " + two]))
        assert reply.verdict == "accept", reply
        assert reply.row == -1 and reply.rows == [], reply
        assert driver.ask(call.message([two + ", " + one]), P2).verdict == \
            "accept"


@case("malformed: ours is 400, another's is nothing, the rest is 400")
def malformed(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        own = call.row(call.kept[0])
        for row in (f'Digest realm="{P1}", username="alice',
                    own + ', nonce="again"', own.replace("nc=0000", "nc="),
                    own.replace('cnonce="0a4f113b"', 'cnonce=""')):
            reply = driver.ask(call.message([row]))
            assert (reply.verdict, reply.status) == ("malformed", 400), reply
            assert not reply.challenges, reply
        for row in (f'Digest realm="{P1}", realm="{P1}"', 'Digest "',
                    'Digest realm="elsewhere", nonce="'):
            reply = driver.ask(call.message([row, own]))
            assert reply.verdict == "accept", (row, reply)
        for message in ("", "\r\n", "INVITE\r\n\r\n", "\0" * 100,
                        "x" * 70000, call.message().replace("Call-ID", "X"),
                        call.message().replace("From:", "From\0:"),
                        "INVITE sip:a SIP/2.0\r\n" + "X: y\r\n" * 10000,
                        call.message([own] * 40),
                        call.message([", ".join([own] * 100)])):
            reply = driver.ask(message)
            assert (reply.verdict, reply.status) == ("malformed", 400), (
                message[:80], reply)
        assert driver.ask(call.message(), []).status == 403
        assert driver.ask(call.message(), "x" * 300).status == 403
        assert driver.ask(call.message(), 'a"b').status == 403


@case("a nonce ends in the middle of a call: stale, and on; nextnonce before")
def expiry(stage):
    with Driver(stage, lifetime=4000) as driver:
        call = challenged(driver, Call())
        begun = time.monotonic()
        reply = driver.ask(call.request())
        assert reply.verdict == "accept", reply
        seen = set()

        def bye():
            """Asks with the old nonce until it is stale."""
            reply = driver.ask(call.request(method="BYE", to_tag="x",
                                            from_uri="sip:bob@example.com"))
            if reply.verdict == "accept":
                if "nextnonce" in reply.info:
                    assert time.monotonic() - begun > 1.9, reply
                    seen.add(re.search(r'nextnonce="([^"]+)"',
                                       reply.info).group(1))
                return None
            return reply
        call.fields["method"] = "BYE"
        stale = []
        wait_until(lambda: stale.append(bye()) or stale[-1], 20, "stale")
        assert stale[-1].reason == "stale", stale[-1]
        assert stale[-1].challenges[0].stale, stale[-1]
        assert seen, "no nextnonce in the second half"
        reply = driver.ask(call.answer(stale[-1]).request(
            to_tag="x", from_uri="sip:bob@example.com"))
        assert reply.verdict == "accept", reply
        # A nextnonce is as good as one of a challenge.
        c = call.kept[0]
        c.nonce = driver_next(driver, c, call)
        assert driver.ask(call.request(to_tag="x")).verdict == "accept"


def driver_next(driver, challenge, call):
    """The nextnonce that comes once the nonce is half its age."""
    found = []

    def ask():
        reply = driver.ask(call.request(to_tag="x"))
        if reply.verdict == "challenge":
            call.answer(reply)
            challenge.nonce = reply.challenges[0].nonce
            call.kept = [challenge]
        found.append(re.search(r'nextnonce="([^"]+)"', reply.info))
        return found[-1]
    wait_until(ask, 20, "nextnonce")
    return found[-1].group(1)


@case("another node's nonce passes once, while it is young")
def two_nodes(stage):
    with Driver(stage, foreign=30000) as a, \
            Driver(stage, foreign=3000) as b:
        call = challenged(a, Call())
        rows = [call.row(call.kept[0])]
        assert b.ask(call.message(rows)).verdict == "accept"
        assert a.ask(call.message(rows)).verdict == "accept"
        # A second request of the call leg is for the nonce's own node.
        for node, verdict in ((b, "challenge"), (a, "accept")):
            reply = node.ask(call.message([call.row(
                call.kept[0], nc=2, method="BYE")], method="BYE",
                to_tag="x"))
            assert reply.verdict == verdict, reply
        call = challenged(a, Call())
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 3.1, 10, "its age")
        reply = b.ask(call.request())
        assert reply.reason == "stale" and reply.challenges[0].stale, reply


@case("a door for one domain knows no other's realms")
def one_domain(stage):
    with Driver(stage, domains=["example.net"]) as driver:
        reply = driver.ask(Call().message(), P1)
        assert reply.status == 403 and reply.reason == "unknown-realm", reply
        reply = driver.ask(Call().message(), ["example.net", P1])
        assert [c.realm for c in reply.challenges] == ["example.net"], reply
        call = challenged(driver, Call(user="dave",
                                       from_uri="sip:dave@example.net"),
                          "example.net")
        assert driver.ask(call.request(), "example.net").verdict == "accept"


@case("cancelled at every step: nothing stays, nothing is told")
def cancelled(stage):
    with Driver(stage) as driver:
        strict = "strict.example.com"
        call = challenged(driver, Call(from_uri="sip:sales@example.org"),
                          [strict, P1])
        both = [call.row(c, nc=1) for c in call.kept]
        found = set()
        for turns in range(0, 40):
            for message in (call.message(both), call.message(both[1:]),
                            call.message(), "x"):
                found.add(driver.cancel(turns, message, [strict, P1]))
            # A realm that is not known yet.
            found.add(driver.cancel(turns, call.message(),
                                    f"new{turns}.example.com"))
        assert found == {"cancelled", "answered"}, found
        assert driver.ask(call.message(both), strict).verdict == "accept"


@case("many at once: each answered once")
def many(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call())
        message = call.request()
        found = driver.many(200, message)
        assert found["accept"] == 200, found
        call = challenged(driver, register(), "example.com")
        found = driver.many(100, call.request(), "example.com", "registrar")
        assert found["accept"] == 100, found
        found = driver.many(100, Call().message(), [P1, P2])
        assert found["challenge"] == 100, found


@case("without the database: challenged as known, else 503, never a verdict")
def outage(stage):
    with Driver(stage) as driver:
        call = challenged(driver, Call(), [P1, P2])
        one, two = [call.row(c) for c in call.kept]
        bad = call.row(call.kept[0], password="wrong")
        stage.postgres.stop("immediate")
        try:
            driver.ready(0)
            reply = driver.ask(call.message(), P1)
            assert reply.status == 407 and reply.reason == "none", reply
            for rows in ([one], [bad], [one, two], [two]):
                reply = driver.ask(call.message(rows), [P1, P2])
                assert (reply.verdict, reply.status) == ("unavailable",
                                                         503), reply
                assert reply.reason == "db-down", reply
                assert not reply.challenges and not reply.rows, reply
            # Never asked for, while somebody can be: nobody knows.
            for realms in ("sha.example.com", [P1, "sha.example.com"]):
                reply = driver.ask(call.message(), realms)
                assert reply.status == 503, reply
            # ACK needs nobody.
            reply = driver.ask(call.message([one], method="ACK"))
            assert reply.verdict == "accept" and reply.rows == [0], reply
        finally:
            stage.postgres.start()
        driver.ready()
        reply = driver.ask(call.message([one]), [P1, P2])
        assert reply.verdict == "accept", reply


@case("frozen while the owner is asked for: 503")
def frozen(stage):
    with Driver(stage) as driver:
        strict = "strict.example.com"
        call = challenged(driver, Call(from_uri="sip:sales@example.org"),
                          strict)
        assert driver.ask(call.request(), strict).verdict == "accept"
        stage.postgres.psql("ALTER TABLE onecred.alias RENAME TO away",
                            check=True)
        try:
            reply = driver.ask(call.request(method="INVITE"), strict)
            assert reply.status == 503 and not reply.user, reply
        finally:
            stage.postgres.psql("ALTER TABLE onecred.away RENAME TO alias",
                                check=True)
        driver.ready()
        wait_until(lambda: driver.ask(call.request(), strict).verdict ==
                   "accept", 10, "accepted again")


@case("no log line holds a password, a response or a nonce")
def logs(stage):
    with Driver(stage) as driver:
        for password in (PASSWORD, CANARY):
            call = challenged(driver, Call(password=password))
            driver.ask(call.request())
        call = challenged(driver, Call(user=CANARY + " ?"))
        assert driver.ask(call.request()).reason == "malformed"
        assert len(driver.decisions()) == 3
    texts = []
    for name in os.listdir(stage.log_directory):
        if name.startswith("sip-"):
            with open(os.path.join(stage.log_directory, name),
                      encoding="utf-8", errors="replace") as f:
                texts.append(f.read())
    text = "\n".join(texts)
    for secret in (PASSWORD, CANARY, "response", "nonce=", "cnonce"):
        assert secret not in text, secret
    report = stage.sanitizer_report()
    assert report is None, report


if __name__ == "__main__":
    run_cases(__file__, prepare)
