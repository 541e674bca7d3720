#!/usr/bin/python3 -B
"""
draft-sparks-sip-multiproxy-auth-00 with two Kamailio proxies that ask one
onecredd by HTTP (fragments/kamailio-http.cfg), a third one that asks nobody,
and a user agent of our own that sends what no phone would: the two call
flows, the deadlock of phones that keep one challenge, the table of rules, and
outages. Where Kamailio adds nothing, requests go to /v1/sip directly.
"""

import base64
import re
import signal
import time
import xml.etree.ElementTree
from urllib.parse import urlencode, urlsplit

from fragment import path
from proxies import (FREESWITCH_TOKEN, P1, P2, TOKEN, decide, decisions,
                     healthy, log_files, onecredd, plain,
                     prepare as prepare_accounts, proxy, registrar)
from radius import digest
from rawhttp import ask
from stage import NOBODY, case, run_cases, wait_until
from uac import Challenge, Leg, challenges, register


def prepare(stage):
    prepare_accounts(stage)
    uas = stage.uas.port
    # p1 and p2 offer each other's realm; n1 and n2 do not.
    stage.p2 = proxy(stage, [P2, P1], uas)
    stage.p1 = proxy(stage, [P1, P2], stage.p2.port)
    stage.n2 = proxy(stage, [P2], uas)
    stage.n1 = proxy(stage, [P1], stage.n2.port)
    stage.p0 = plain(stage, stage.p1.port)
    stage.registrar = registrar(stage)


def statuses(answers):
    return [a.status for a in answers]


def realms(answer):
    return [c.realm for c in challenges(answer)]


def settled(stage, count):
    """The log has at least so many decisions."""
    wait_until(lambda: len(decisions(stage.daemon)) >= count, 5, "decisions")
    return decisions(stage.daemon)


def call(stage, port, expected, **options):
    """INVITE, ACK, BYE; the UAS must see no credentials of ours."""
    with Leg(port, **options) as leg:
        answers = leg.ask()
        assert statuses(answers) == expected, answers
        leg.ack()
        invite, ack = stage.uas.wait("INVITE"), stage.uas.wait("ACK")
        assert statuses(leg.bye()) == [200]
        bye = stage.uas.wait("BYE")
        for request in (invite, ack, bye):
            assert request.one("Call-ID") == leg.fields["call_id"], request
            assert request.all("Proxy-Authorization") == [], request
        return leg, answers


@case("both realms in one 407: INVITE, ACK, BYE; nothing of ours gets on")
def aggregated(stage):
    before = len(decisions(stage.daemon))
    _, answers = call(stage, stage.p1.port, [407, 200])
    assert realms(answers[0]) == [P1, P2], answers[0]
    assert not any(c.stale for c in challenges(answers[0]))
    lines = settled(stage, before + 4)[before:]
    # INVITE and BYE at both; ACK is no login.
    assert len(lines) == 4, lines
    for line in lines:
        assert "user=alice@example.com" in line and "reason=ok" in line, line
        assert "source=127.0.0.1 " in line, line
    # The other end of the chain offers both too.
    with Leg(stage.p2.port) as leg:
        assert realms(leg.once("OPTIONS")) == [P2, P1]


@case("a realm after the other: a phone that keeps all challenges gets in")
def one_by_one(stage):
    _, answers = call(stage, stage.n1.port, [407, 407, 200])
    assert [realms(a) for a in answers[:2]] == [[P1], [P2]], answers
    # The same response passes again in the leg, with the next CSeq: the row
    # for p1 is that of the request before, octet for octet.
    with Leg(stage.n1.port) as leg:
        leg.once()
        first = leg.rows()
        assert realms(leg.send(leg.text("INVITE", first))) == [P2]
        second = leg.send(leg.text("INVITE", first))
        assert realms(second) == [P2], second
        leg.learn(second)
        done = leg.send(leg.text("INVITE", [*first, leg.row(leg.kept[-1])]))
        assert done.status == 200, done
    stage.uas.forget()


@case("the draft's deadlock: a phone that keeps the newest only; it ends")
def deadlock(stage):
    before = len(decisions(stage.daemon))
    start = time.monotonic()
    with Leg(stage.n1.port, keep="newest", rounds=12) as leg:
        answers = leg.ask()
        assert statuses(answers) == [407] * 12, answers
        assert [realms(a) for a in answers] == [[P1], [P2]] * 6, answers
        assert not any(c.stale for a in answers for c in challenges(a))
    assert time.monotonic() - start < 10
    assert stage.uas.of("INVITE", leg.fields["call_id"]) == []
    # Nobody was wrong, so nobody is counted; the user gets in at once.
    assert not [line for line in decisions(stage.daemon)[before:]
                if "verdict=deny" in line]
    call(stage, stage.n1.port, [407, 407, 200])
    # With all realms in one 407 the same phone works.
    call(stage, stage.p1.port, [407, 200], keep="newest")


@case("rows of others reach the next hop octet for octet, ours never")
def untouched(stage):
    others = [
        b'Proxy-Authorization:  Digest  username="x",realm="elsewhere.org" ,'
        b'nonce="n", uri="sip:a",response="00"',
        b'Proxy-Authorization: Bearer abc.def',
        b'proxy-authorization: DIGEST\r\n  realm="p3.example.com",\r\n\t'
        b'username="alice", nonce="n", uri="sip:a", response="0"',
        b'PROXY-AUTHORIZATION: Digest realm',
        b'Proxy-Authorization: Digest username="\xc3\xbc\\"", realm="x y",'
        b' response=""']
    uri = "sip:direct@example.com"
    with Leg(stage.p1.port, uri=uri, to_uri=uri) as leg:
        leg.once()
        one, two = leg.kept
        # Ours first, last and in between: six fields besides the one.
        for place in range(len(others) + 1):
            octets = leg.text("INVITE", [leg.row(two)])
            ours = b"Proxy-Authorization: " + leg.row(one).encode()
            rows = [*others[:place], ours, *others[place:]]
            octets = octets.replace(b"Max-Forwards:", b"\r\n".join(
                [*rows, b"Max-Forwards:"]), 1)
            answer = leg.send(octets)
            assert answer.status == 200, (place, answer)
            got = stage.uas.wait("INVITE").octets
            for row in others:
                assert b"\r\n" + row + b"\r\n" in got, (row, got)
            assert got.lower().count(b"\nproxy-authorization") == 6, got
            assert b'realm="p1.example.com"' not in got, got
            assert b'realm="p2.example.com"' in got, got


@case("in ACK, CANCEL and within the dialog ours are taken out too")
def stripped(stage):
    uri = "sip:direct@example.com"
    with Leg(stage.p1.port, uri=uri, to_uri=uri) as leg:
        assert statuses(leg.ask()) == [407, 200]
        leg.ack()
        for method in ("INVITE", "ACK"):
            got = stage.uas.wait(method)
            left = got.all("Proxy-Authorization")
            assert len(left) == 1 and P2 in left[0], got
        for method in ("INFO", "PRACK", "BYE"):
            assert leg.once(method).status == 200
            left = stage.uas.wait(method).all("Proxy-Authorization")
            assert len(left) == 1 and P2 in left[0], (method, left)
    ringing = "sip:ringing@example.com"
    with Leg(stage.p1.port, uri=ringing, to_uri=ringing) as leg:
        leg.once()
        rows = leg.rows()
        octets = leg.text("INVITE", rows)
        leg.push(octets)
        stage.uas.wait("INVITE")
        assert leg.cancel(octets, rows).status == 200
        got = stage.uas.wait("CANCEL")
        assert got.all("Proxy-Authorization") == [], got
    # Credentials that are not right do not stop a dialog's requests.
    with Leg(stage.p1.port) as leg:
        assert leg.ask()[-1].status == 200
        leg.ack()
        answer = leg.send(leg.text("BYE", leg.rows("BYE", password="wrong")))
        assert answer.status == 200, answer
        left = stage.uas.wait("BYE").all("Proxy-Authorization")
        assert left == [], left
    stage.uas.forget()


@case("a third proxy that asks for nothing passes everything on")
def third(stage):
    call(stage, stage.p0.port, [407, 200])
    uri = "sip:direct@example.com"
    with Leg(stage.p1.port, uri=uri, to_uri=uri) as leg:
        leg.once()
        rows = leg.rows()
        leg.port = stage.p0.port
        assert leg.send(leg.text("INVITE", rows)).status == 200
        got = stage.uas.wait("INVITE")
        assert got.all("Proxy-Authorization") == rows, got


@case("two answers to one challenge: 403 in any order; ours broken: 400")
def hunting(stage):
    with Leg(stage.p1.port) as leg:
        leg.once("OPTIONS")
        one, two = leg.kept

        def send(*rows):
            return leg.send(leg.text("OPTIONS", rows))

        def p1(**changes):
            return leg.row(one, "OPTIONS", **changes)
        p2 = leg.row(two, "OPTIONS")
        for rows in ((p1(), p1(password="no"), p2), (p1(password="no"), p1(),
                     p2), (p2, p1(nc=7), p1(nc=8)), (p1(), p2, p1(nc=9)),
                     (p1(), p1(user="bob"), p2)):
            answer = send(*rows)
            assert answer.status == 403, (rows, answer)
        for row in ("Digest realm=\"p1.example.com\"",
                    p1().replace("nc=", "nc=x"),
                    p1().replace("qop=auth,", "qop=auth-int,")):
            answer = send(p2, row)
            assert answer.status == 400, (row, answer)
        # Those of others, in whatever state, are nothing to us.
        for row in ("Digest realm", "Bearer x", p2):
            answer = send(row, p1(), *([] if row is p2 else [p2]))
            assert answer.status == 200, (row, answer)
        # An empty response is no credentials.
        answer = send(re.sub('response="[^"]*"', 'response=""', p1()), p2)
        assert answer.status == 407, answer
    stage.uas.forget()


@case("joined by a comma in one field (FreeSWITCH): both are read")
def joined(stage):
    with Leg(stage.p1.port) as leg:
        leg.once("OPTIONS")
        rows = ", ".join(leg.rows("OPTIONS"))
        assert leg.send(leg.text("OPTIONS", [rows])).status == 200
        # NB: the field is nobody's alone, so nobody removes it.
        got = stage.uas.wait("OPTIONS")
        assert got.all("Proxy-Authorization") == [rows], got


@case("a valid response passes again in its leg, for nothing else: stale")
def again(stage):
    with Leg(stage.n2.port, body="hello") as leg:
        leg.once("MESSAGE")
        rows = leg.rows("MESSAGE")

        def send(method="MESSAGE", using=rows, **changes):
            return leg.send(leg.text(method, using, **changes))
        for _ in range(3):
            assert send().status == 200
        for changes in ({"contact": "<sip:mallory@192.0.2.9>"},
                        {"call_id": "another"}, {"body": "other"},
                        {"to_uri": "sip:carol@example.com"}):
            answer = send(**changes)
            assert answer.status == 407, (changes, answer)
            assert [c.stale for c in challenges(answer)] == [True], answer
        # Another method with a response of its own but the nc of before.
        answer = send("OPTIONS", [leg.row(leg.kept[0], "OPTIONS", nc=1)])
        assert [c.stale for c in challenges(answer)] == [True], answer
        assert send("OPTIONS", [leg.row(leg.kept[0], "OPTIONS",
                                        nc=2)]).status == 200
    with register(stage.registrar.port) as leg:
        leg.once("REGISTER")
        rows = leg.rows("REGISTER")
        octets = leg.text("REGISTER", rows)
        for _ in range(2):      # sent again as it is
            assert leg.send(octets).status == 200
        answer = leg.send(leg.text("REGISTER", rows))
        assert answer.status == 401, answer
        assert [c.stale for c in challenges(answer)] == [True], answer
    stage.uas.forget()


@case("wrong is counted and never stale, whatever the nonce; forged is stale")
def wrong(stage):
    with Leg(stage.n1.port) as leg:
        leg.once("OPTIONS")
        before = len(decisions(stage.daemon))
        forged = leg.kept[0].nonce[:-4] + "AAAA"
        cases = (({"password": "wrong"}, False, "wrong-password"),
                 ({"password": "wrong", "nonce": forged}, False,
                  "wrong-password"),
                 ({"password": "wrong", "nonce": "0123"}, False,
                  "wrong-password"),
                 ({"user": "nobody"}, False, "unknown-user"),
                 ({"user": "dora"}, False, "disabled"),
                 ({"user": "ALICE"}, False, "case"),
                 ({"nonce": forged}, True, "stale"),
                 ({"nonce": "0123"}, True, "stale"))
        for changes, stale, _ in cases:
            answer = leg.send(leg.text("OPTIONS", leg.rows(
                "OPTIONS", **changes)))
            assert answer.status == 407, (changes, answer)
            assert [c.stale for c in challenges(answer)] == [stale], (
                changes, answer)
        lines = settled(stage, before + len(cases))[before:]
        for line, (changes, _, reason) in zip(lines, cases, strict=True):
            assert f"verdict=deny reason={reason} " in line, (changes, line)
    assert statuses(Leg(stage.p1.port).ask("OPTIONS")) == [407, 200]
    stage.uas.forget()


@case("a decoy row first: never that user, whoever is named in it")
def decoy(stage):
    def rows_of(leg):
        own = leg.rows("MESSAGE")
        fake = Challenge('Digest realm="elsewhere.example", nonce="n"')
        return [leg.row(fake, "MESSAGE", user="alice"), *own]

    with Leg(stage.p1.port, "bob", from_uri="sip:alice@example.com") as leg:
        leg.once("MESSAGE")
        for rows in (rows_of(leg), rows_of(leg)[::-1]):
            answer = leg.send(leg.text("MESSAGE", rows))
            assert answer.status == 403, answer
    before = len(decisions(stage.daemon))
    with Leg(stage.p1.port, "bob") as leg:
        leg.once("MESSAGE")
        assert leg.send(leg.text("MESSAGE", rows_of(leg))).status == 200
        left = stage.uas.wait("MESSAGE").all("Proxy-Authorization")
        assert len(left) == 1 and "elsewhere" in left[0], left
    for line in settled(stage, before + 2)[before:]:
        assert "user=bob@example.com" in line, line


@case("BYE from the callee, under an alias or a foreign name: not refused")
def callee(stage):
    for name in ("sip:sales@example.org", "sip:anybody@192.0.2.1",
                 "sip:carol@example.com", "tel:+49301234"):
        with Leg(stage.p1.port) as leg:
            assert leg.ask()[-1].status == 200
            leg.ack()
            stage.uas.send_bye(stage.uas.wait("INVITE"), name)
            got = leg.serve()
            assert got.method == "BYE" and name in got.one("From"), got
            assert stage.uas.reply().status == 200
    # With credentials it is judged; the name within a dialog is not.
    with Leg(user="bob", from_uri="sip:sales@example.org", to_tag="x") as leg:
        leg.kept = [Challenge(decide(stage, leg.text("BYE")).json[
            "challenges"][0])]
        for name in ("sip:sales@example.org", "sip:anybody@192.0.2.1",
                     "sip:alice@example.com"):
            leg.fields["from_uri"] = name
            answer = decide(stage, leg.text("BYE", leg.rows("BYE"))).json
            assert answer["verdict"] == "accept", answer
            assert answer["user"] == "bob@example.com", answer
        # Outside of one it is.
        leg.fields["to_tag"] = None
        answer = decide(stage, leg.text("BYE", leg.rows("BYE"))).json
        assert answer["status"] == 403, answer
        assert answer["reason"] == "identity", answer


@case("a request of 60 KB is handed over to its last octet")
def large(stage):
    with Leg(stage.n2.port, body="x" * 60000) as leg:
        leg.once("MESSAGE")
        rows = leg.rows("MESSAGE")
        assert leg.send(leg.text("MESSAGE", rows)).status == 200
        answer = leg.send(leg.text("MESSAGE", rows, body="x" * 59999 + "y"))
        assert [c.stale for c in challenges(answer)] == [True], answer
    with Leg(stage.n2.port) as leg:
        leg.once("OPTIONS")
        # A NUL, where curl would end the request: half of it is none.
        octets = leg.text("OPTIONS", leg.rows("OPTIONS")).replace(
            b"Contact:", b"X-A: a\0b\r\nContact:")
        assert leg.send(octets).status == 400
    stage.uas.forget()


@case("domain= stands in a 401 only, and Authentication-Info in the 200")
def parameters(stage):
    with register(stage.registrar.port) as leg:
        challenged, done = leg.ask("REGISTER")
        assert challenges(challenged)[0].fields["domain"] == \
            "sip:example.com xmpp:example.com", challenged
        assert done.status == 200 and done.one("Contact"), done
        assert 'rspauth="' in done.one("Authentication-Info"), done
    with Leg(stage.registrar.port) as leg:
        answer = leg.once("OPTIONS")
        assert answer.status == 407, answer
        assert "domain" not in challenges(answer)[0].fields, answer


@case("FreeSWITCH (not in Debian 12): what its example names is there")
def freeswitch(stage):
    # The door itself: test_freeswitch.py.
    root = xml.etree.ElementTree.parse(path("xml_curl.conf.xml")).getroot()
    assert root.get("name") == "xml_curl.conf"
    (binding,) = root.iter("binding")
    values = {p.get("name"): p.get("value") for p in binding}
    assert binding[0].get("bindings") == "directory"
    assert values["auth-scheme"] == "basic"
    credentials = values["gateway-credentials"].replace(
        "TOKEN", FREESWITCH_TOKEN).encode()
    for password, found in (("wonderland", True), ("wonderlanD", False)):
        form = {"section": "directory", "action": "sip_auth",
                "user": "alice", "domain": "example.com",
                **{f"sip_auth_{k}": v
                   for k, v in digest(password=password).items()}}
        answer = ask(stage.http, values["method"],
                     urlsplit(values["gateway-url"]).path, urlencode(form),
                     content_type="application/x-www-form-urlencoded",
                     fields=["Authorization: Basic " +
                             base64.b64encode(credentials).decode()])
        assert answer.status == 200, answer
        assert (b"a1-hash" in answer.body) is found, answer


@case("PostgreSQL stopped: 503 with Retry-After, never 401 or 407; heals")
def database_away(stage):
    with Leg(stage.p1.port) as talking, Leg(stage.p1.port) as leg:
        assert talking.ask()[-1].status == 200
        leg.once("OPTIONS")
        stage.postgres.stop()
        try:
            waits = set()
            for i in range(8):
                answer = leg.send(leg.text("OPTIONS", leg.rows("OPTIONS")))
                assert answer.status == 503, answer
                waits.add(int(answer.one("Retry-After")))
                assert challenges(answer) == [], answer
            assert all(5 <= w <= 30 for w in waits) and len(waits) > 1, waits
            with register(stage.registrar.port) as phone:
                phone.kept = [Challenge('Digest realm="example.com", '
                                        'nonce="n"')]
                answer = phone.once("REGISTER")
                assert answer.status == 503, answer
            # Calls that stand are not cut.
            talking.ack()
            assert statuses(talking.bye()) == [200]
        finally:
            stage.postgres.start()
        healthy(stage.http)
        assert statuses(leg.ask("OPTIONS"))[-1] == 200
        assert "reason=db-down" in stage.daemon.log_text()
    stage.uas.forget()


@case("onecredd stopped, frozen, with another token: 503; then all heals")
def daemon_away(stage):
    def away(leg, seconds):
        start = time.monotonic()
        answer = leg.send(leg.text("OPTIONS", leg.rows("OPTIONS")))
        assert answer.status == 503, answer
        assert 5 <= int(answer.one("Retry-After")) <= 30, answer
        assert time.monotonic() - start < seconds

    with Leg(stage.p1.port) as talking, Leg(stage.p1.port) as leg:
        assert talking.ask()[-1].status == 200
        leg.once("OPTIONS")
        stage.daemon.process.send_signal(signal.SIGSTOP)
        away(leg, 3.9)
        stage.daemon.process.send_signal(signal.SIGCONT)
        wait_until(lambda: leg.send(leg.text("OPTIONS", leg.rows(
            "OPTIONS"))).status == 200, 10, "in again")
        stage.daemon.stop()
        away(leg, 2)
        talking.ack()
        assert statuses(talking.bye()) == [200]
        with open(stage.token_file, encoding="ascii") as f:
            token = f.read()
        stage.token_file = stage.file("other.token", token[::-1].strip() +
                                      "\n", user=NOBODY, mode=0o400)
        stage.file("other.token.freeswitch", FREESWITCH_TOKEN, user=NOBODY)
        stage.daemon, _ = onecredd(stage, port=stage.http)
        away(leg, 2)
        stage.daemon.stop()
        stage.token_file = stage.path("http.token")
        stage.daemon, _ = onecredd(stage, port=stage.http)
        # Its nonces are from before the restart: once, or stale.
        answers = leg.ask("OPTIONS")
        assert answers[-1].status == 200 and len(answers) <= 2, answers
    stage.uas.forget()


@case("no password, no response and no token in any log")
def logs(stage):
    found = 0
    for word in ("kamailio", "onecredd"):
        for name, text in log_files(stage, word):
            found += 1
            for secret in ("wonderland", TOKEN, TOKEN[::-1], FREESWITCH_TOKEN,
                           'response="', "Bearer c4"):
                assert secret not in text, (name, secret)
            for mark in ("CRITICAL", "segfault"):
                assert mark not in text, (name, mark)
    assert found > 5


if __name__ == "__main__":
    run_cases(__file__, prepare)
