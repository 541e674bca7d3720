#!/usr/bin/python3 -B
"""
Real phones and Kamailio with fragments/kamailio-http.cfg: sipp, sipsak,
baresip, linphonec and sofia-sip register; baresip, sofia-sip and linphonec
call through two proxies that both ask for a password; nonces that end in the
middle of a call.
"""

import re
import time

from kamailio import sipsak
from phones import Baresip, Linphone, sipp, sofia
from proxies import (HOME, P1, P2, SHA, decisions, onecredd,
                     prepare as prepare_accounts, proxy, registrar)
from stage import case, run_cases, wait_until
from uac import Leg, challenges, register

BOB = "sip:bob@example.com"
# Who does not get in, and what the log says about it.
REFUSED = (("alice", "wonderlanD", "wrong-password"),
           ("nobody", "wonderland", "unknown-user"),
           ("dora", "wonderland", "disabled"))


def prepare(stage):
    prepare_accounts(stage)
    uas = stage.uas.port
    stage.p2 = proxy(stage, [P2, P1], uas)
    stage.p1 = proxy(stage, [P1, P2], stage.p2.port)
    stage.n2 = proxy(stage, [P2], uas)
    stage.n1 = proxy(stage, [P1], stage.n2.port)
    stage.registrar = registrar(stage)
    stage.sha = registrar(stage, SHA)


def reasons(stage, before):
    return [re.search(r"reason=(\S+)", line)[1]
            for line in decisions(stage.daemon)[before:]]


def went_through(stage, call_id=None):
    """INVITE, ACK and BYE at the callee, without credentials -> the BYE."""
    for request in stage.uas.wait_all(("INVITE", "ACK", "BYE")):
        assert request.all("Proxy-Authorization") == [], request
        assert call_id in (None, request.one("Call-ID")), request
        call_id = request.one("Call-ID")
    return request


def talk(stage, phone):
    """A call of this phone, until it is taken."""
    phone.call(BOB)
    for method in ("INVITE", "ACK"):
        request = stage.uas.wait(method, 20)
        assert request.all("Proxy-Authorization") == [], request


def end(stage, phone):
    phone.hang_up()
    request = stage.uas.wait("BYE", 20)
    assert request.all("Proxy-Authorization") == [], request


@case("sipp: 1000 registrations, faster and faster, none fails")
def ramp(stage):
    before = len(decisions(stage.daemon))
    done = sipp(stage, stage.registrar.port, [
        (name, "wonderland") for name in ("alice", "bob", "carol")], 1000, [
            "-r", "100", "-rate_increase", "100", "-fd", "1", "-rate_max",
            "400", "-no_rate_quit", "-l", "100"])
    assert done.returncode == 0, done.stdout[-3000:]
    failed = re.findall(r"Failed call +\| +\d+ +\| +(\d+)", done.stdout)
    passed = re.findall(r"Successful call +\| +\d+ +\| +(\d+)", done.stdout)
    assert (passed[-1], failed[-1]) == ("1000", "0"), done.stdout[-3000:]
    told = reasons(stage, before)
    assert len(told) >= 1000 and set(told) == {"ok"}, set(told)


@case("sipsak registers, also as user@domain; who may not does not")
def with_sipsak(stage):
    port = stage.registrar.port
    for username in (None, "alice@example.com"):
        done = sipsak(stage, port, "alice", "wonderland", username=username)
        assert done.ok and done.challenged, done.text
    for user, password, reason in REFUSED:
        before = len(decisions(stage.daemon))
        done = sipsak(stage, port, user, password)
        assert not done.ok and done.challenged, done.text
        assert "SIP/2.0 200" not in done.text, done.text
        assert set(reasons(stage, before)) == {reason}
    # Under her own password, but not under her own name.
    done = sipsak(stage, port, "carol", "wonderland", username="alice")
    assert not done.ok and "SIP/2.0 403" in done.text, done.text


@case("sofia-sip registers; who may not does not")
def with_sofia(stage):
    port = stage.registrar.port
    done = sofia(stage, port, "REGISTER", "sip:example.com")
    assert done.returncode == 0, done
    for user, password, reason in REFUSED:
        before = len(decisions(stage.daemon))
        done = sofia(stage, port, "REGISTER", "sip:example.com", user,
                     password)
        assert done.returncode == 1 and " 200" not in done.stdout, done
        assert set(reasons(stage, before)) == {reason}


@case("baresip registers; who may not gives up")
def with_baresip(stage):
    port = stage.registrar.port
    with Baresip(stage, port, registers=600) as phone:
        phone.wait_statuses([401, 200])
    for user, password, reason in REFUSED:
        before = len(decisions(stage.daemon))
        with Baresip(stage, port, user, password, registers=600) as phone:
            phone.wait("reg: ")
            tries = phone.statuses()
            # NB: libre takes each new nonce for a new chance, 15 times.
            assert set(tries) == {401} and len(tries) < 20, tries
        assert set(reasons(stage, before)) == {reason}


@case("linphonec registers, by MD5 and SHA-256; who may not gives up")
def with_linphone(stage):
    for server, realm, mech in ((stage.registrar, HOME, "Digest-MD5"),
                                (stage.sha, SHA, "Digest-SHA-256")):
        before = len(decisions(stage.daemon))
        with Linphone(stage, server.port, realms=[realm]) as phone:
            phone.wait("LinphoneRegistrationOk")
        lines = decisions(stage.daemon)[before:]
        assert lines and all(f"mech={mech} verdict=allow" in line
                             for line in lines), lines
        for user, password, reason in REFUSED:
            before = len(decisions(stage.daemon))
            with Linphone(stage, server.port, user, password,
                          realms=[realm]) as phone:
                phone.wait("LinphoneRegistrationFailed")
                assert 200 not in phone.statuses()
            assert set(reasons(stage, before)) == {reason}


@case("baresip calls through both, realms offered together or in turn")
def baresip_calls(stage):
    for first, expected in ((stage.p1, [407, 200, 200]),
                            (stage.n1, [407, 407, 200, 200])):
        with Baresip(stage, first.port) as phone:
            talk(stage, phone)
            end(stage, phone)
            phone.wait_statuses(expected)


@case("sofia-sip calls through both, realms offered together or in turn")
def sofia_calls(stage):
    for first, count in ((stage.p1, 1), (stage.n1, 2)):
        done = sofia(stage, first.port, "INVITE", BOB)
        assert done.returncode == 0, done
        assert done.stdout.count("nua_r_invite 407") == count, done
        assert "nua_r_bye 200" in done.stdout, done
        went_through(stage)
        done = sofia(stage, first.port, "INVITE", BOB, password="no")
        assert done.returncode == 1, done
    assert stage.uas.of("INVITE")[-1] and len(stage.uas.of("BYE")) >= 2


@case("linphonec calls through both when they are offered together")
def linphone_calls(stage):
    with Linphone(stage, stage.p1.port, realms=[P1, P2],
                  registers=0) as phone:
        talk(stage, phone)
        end(stage, phone)
        phone.wait_statuses([407, 200, 200])


@case("linphonec, realms in turn: it forgets the first and gives up")
def linphone_deadlock(stage):
    before, calls = len(decisions(stage.daemon)), len(stage.uas.of("INVITE"))
    with Linphone(stage, stage.n1.port, realms=[P1, P2],
                  registers=0) as phone:
        phone.call(BOB)
        phone.wait("giving up")
        phone.wait_statuses([407, 407, 407])
    assert len(stage.uas.of("INVITE")) == calls
    # Nobody said that her password was wrong: she is not held up.
    assert set(reasons(stage, before)) == {"ok"}
    with Linphone(stage, stage.p1.port, realms=[P1, P2],
                  registers=0) as phone:
        talk(stage, phone)
        end(stage, phone)


@case("nonces end in the middle of a call: BYE gets through, after a stale")
def expiry(stage):
    daemon, http = onecredd(stage, "10s")
    uas = stage.uas.port
    # The first two ask within a call too, the third does not.
    p2 = proxy(stage, [P2, P1], uas, ["ASK_ALWAYS"], http)
    p1 = proxy(stage, [P1, P2], p2.port, ["ASK_ALWAYS"], http)
    quiet = proxy(stage, [P1], uas, http=http)
    home = registrar(stage, http=http)
    with Baresip(stage, p1.port) as asked, \
            Linphone(stage, p1.port, realms=[P1, P2], registers=0) as other, \
            Baresip(stage, quiet.port) as unasked, Leg(p1.port) as leg, \
            register(home.port) as registered:
        for phone in (asked, other, unasked):
            talk(stage, phone)
        assert leg.ask()[-1].status == 200
        leg.ack()
        assert registered.ask("REGISTER")[-1].status == 200
        stage.uas.wait("ACK")
        began = time.monotonic()
        # Halfway it is told the next nonce.
        wait_until(lambda: time.monotonic() - began > 5.5, 10, "half of it")
        info = registered.once("REGISTER").one("Authentication-Info")
        assert "nextnonce=" in info, info
        wait_until(lambda: time.monotonic() - began > 10.5, 10, "the end")
        refused, done = leg.bye()
        assert refused.status == 407 and done.status == 200, refused
        # The row for the other proxy was right too; libre needs to hear it.
        assert [(c.realm, c.stale) for c in challenges(refused)] == [
            (P1, True), (P2, True)], refused
        stage.uas.wait("BYE")
        for phone in (asked, other, unasked):
            end(stage, phone)
        asked.wait_statuses([407, 200, 407, 200])
        other.wait_statuses([407, 200, 407, 200])
        unasked.wait_statuses([407, 200, 200])
        refused, done = registered.ask("REGISTER")
        assert refused.status == 401 and done.status == 200, refused
        assert [c.stale for c in challenges(refused)] == [True], refused
        text = daemon.log_text()
        assert "reason=stale" in text and "wrong-password" not in text
    daemon.stop()


if __name__ == "__main__":
    run_cases(__file__, prepare)
