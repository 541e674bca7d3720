#!/usr/bin/python3 -B
"""
Dovecot's authentication protocol (STANDARDS 7.3) against the real daemon: raw
clients that speak as Prosody, Postfix and Exim do, and Debian's Prosody with
its stock mod_auth_dovecot. SCRAM is computed here, from the password.
"""

import os
import re
import signal
import socket
import time

import xmpp
from dovecot import SCRAMS, Client, Scram, b64
from fragment import fragment
from handover import ConnectedDaemon as Daemon, HandedSocket
from sasl import add_account
from process import signal_pid
from stage import NOBODY, case, find_program, free_port, run_cases, wait_until

COLONS = "se:cr:et:12"
UMLAUT = "p\u00e4ssw\u00f6rd"
MECHS = ["PLAIN", "LOGIN", *SCRAMS]
OFFER = re.compile(
    rb"VERSION\t1\t2\n"
    rb"(MECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n)?"
    rb"(MECH\tSCRAM-SHA-1\tmutual-auth\nMECH\tSCRAM-SHA-256\tmutual-auth\n"
    rb"MECH\tSCRAM-SHA-512\tmutual-auth\n)?"
    rb"SPID\t[0-9]+\nCUID\t[0-9]+\nCOOKIE\t[0-9a-f]{32}\nDONE\n")

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
c2s_unauthed_stanza_size_limit = 100000
ssl = {{ certificate = "{directory}/cert.pem"; key = "{directory}/key.pem" }}
"""

# Prints ok, refused, or what else happened.
SLIXMPP = """
import sys, slixmpp
port, cafile, mech, password = sys.argv[1:]
x = slixmpp.ClientXMPP("alice@example.com", password, sasl_mech=mech)
x.ca_certs = cafile
said = []
def end(word):
    def handler(event=None):
        said.append(word)
        x.disconnect()
    return handler
x.add_event_handler("session_start", end("ok"))
x.add_event_handler("failed_all_auth", end("refused"))
x.loop.call_later(30, lambda: (said.append("timeout"), x.abort()))
x.connect(address=("127.0.0.1", int(port)))
x.process(forever=False)
print(said[0])
"""


def door_path(stage, name="prosody"):
    return f"{stage.path('door')}/dovecot-{name}.sock"


def config_text(stage, extra="", listen=None, domain="example.com"):
    return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 1s\n"
            f"[dovecot prosody]\nlisten = {listen or door_path(stage)}\n"
            f"mode = 0666\ndomain = {domain}\n{extra}\n"
            f"[sip]\nnonce_key_file = {stage.key_file}\n"
            f"[log]\nlevel = debug\n")


def start(stage, extra="", **options):
    return Daemon(stage, config_text(stage, extra, **options))


def prepare(stage):
    stage.basic()
    for name in ("run", "door"):
        stage.make_directory(name, NOBODY)
    stage.key_file = stage.file("nonce.key", b64(bytes(range(32))) + "\n",
                                user=NOBODY)
    for name in ("dora", "bob"):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file("wonderland"))
    stage.script("user-disable", check=True, user="dora@example.com")
    for name, password in (("carol", COLONS), ("uma", UMLAUT)):
        add_account(stage, name, password)
    add_account(stage, "erik", "wonderland", scram_sha_1=None,
                scram_sha_512=None)


def ok(user="alice"):
    return ["OK", f"user={user}"]


FAIL = ["FAIL"]
TEMPORARY = ["FAIL", "temp", "code=temp_fail"]


@case("the handshake comes at once, MECH before SPID")
def handshake(stage):
    with start(stage):
        # As Exim: waits, then VERSION, then waits for DONE, then CPID.
        with Client(door_path(stage), hello=b"") as one:
            assert OFFER.fullmatch(one.offer), one.offer
            assert re.findall(rb"MECH\t([^\t]*)", one.offer) == [
                m.encode() for m in MECHS]
            one.send("VERSION\t1\t0\n")
            one.send("CPID\t99999999999999999999\n")
            assert one.plain("alice", "wonderland") == ok()
        # As Postfix: both first, everything in one piece.
        with Client(door_path(stage), hello=b"VERSION\t1\t0\nCPID\t1\n") \
                as one:
            other = one.offer
            assert one.plain("alice", "wonderland",
                             options="service=smtp\tnologin\t"
                             "lip=192.0.2.2\trip=192.0.2.1\tsecured") == ok()
        # A cookie and an id of its own for each connection.
        with Client(door_path(stage)) as one:
            assert one.offer != other
    for rights, start_of in (("check", "PLAIN LOGIN"),
                             ("sasl", " ".join(SCRAMS))):
        with start(stage, f"rights = {rights}"):
            with Client(door_path(stage)) as one:
                assert OFFER.fullmatch(one.offer), one.offer
                assert re.findall(rb"MECH\t([^\t]*)", one.offer) == \
                    start_of.encode().split()
                for mech in MECHS:
                    if mech not in start_of.split():
                        assert one.auth(mech, "x") == FAIL


@case("every mechanism: right, as user@domain, capitals, colons, non-ASCII")
def right(stage):
    with start(stage), Client(door_path(stage)) as one:
        for user, password, canonical in (
                ("alice", "wonderland", "alice"),
                ("Alice", "wonderland", "alice"),
                ("alice@example.com", "wonderland", "alice"),
                ("ALICE@Example.COM", "wonderland", "alice"),
                ("carol", COLONS, "carol"), ("uma", UMLAUT, "uma")):
            assert one.plain(user, password) == ok(canonical)
            assert one.login(user, password) == ok(canonical)
            assert one.login(user, password, initial=True) == ok(canonical)
            for mech in SCRAMS:
                assert one.scram(mech, user, password) == ok(canonical)
                assert one.scram(mech, user, password, gs2="y,,") == \
                    ok(canonical)
        # Into the success, if the client takes it; with XMPP always.
        for options in ("service=smtp\tfinal-resp-ok", "service=xmpp"):
            answer = one.scram("SCRAM-SHA-256", "alice", "wonderland",
                               options=options)
            assert answer[:2] == ok() and len(answer) == 3, answer
            assert one.plain("alice", "wonderland", options=options) == ok()


@case("wrong, unknown, disabled, without verifier: refused, all alike")
def refused(stage):
    with start(stage) as daemon, Client(door_path(stage)) as one:
        salts = set()
        for user, password in (("alice", "wonderlanD"), ("alice", ""),
                               ("nobody", "wonderland"),
                               ("dora", "wonderland"),
                               ("alice@example.net", "wonderland"),
                               ("a lice", "wonderland")):
            assert one.plain(user, password) == FAIL, user
            assert one.login(user, password) == FAIL, user
            for mech in SCRAMS:
                assert one.scram(mech, user, password) == FAIL, user
        for mech in SCRAMS:
            assert one.scram(mech, "alice", "wonderland", spoil=True) == FAIL
        # To the end for everybody, with a salt that stays.
        for user in ("nobody", "dora", "nobody", "dora", "alice"):
            for mech in SCRAMS:
                client = Scram(mech, user, "wonderland")
                answer = one.auth(mech, client.first())
                assert answer[0] == "CONT", (user, answer)
                final = client.final(answer[1])
                salts.add((user, mech, client.salt, client.count))
                assert one.cont(final)[0] == \
                    ("CONT" if user == "alice" else "FAIL")
        assert len(salts) == 9 and len({s[3] for s in salts}) == 1, salts
        assert len({len(s[2]) for s in salts}) == 1, salts
        # One of the three is there: the other two look as if.
        assert one.scram("SCRAM-SHA-256", "erik", "wonderland") == ok("erik")
        for mech in ("SCRAM-SHA-1", "SCRAM-SHA-512"):
            assert one.scram(mech, "erik", "wonderland") == FAIL
        log = daemon.log_text()
        for words in ("user=alice@example.com realm=- mech=SCRAM-SHA-1 "
                      "verdict=deny reason=wrong-password",
                      "user=nobody@example.com realm=- mech=SCRAM-SHA-512 "
                      "verdict=deny reason=unknown-user",
                      "user=dora@example.com realm=- mech=SCRAM-SHA-256 "
                      "verdict=deny reason=disabled",
                      "user=erik@example.com realm=- mech=SCRAM-SHA-512 "
                      "verdict=deny reason=no-verifier",
                      "user=invalid realm=- mech=PLAIN verdict=deny "
                      "reason=malformed",
                      "user=invalid realm=- mech=SCRAM-SHA-256 "
                      "verdict=deny reason=foreign-domain"):
            assert f"door=dovecot {words}" in log, words


@case("an authzid is the account itself or nothing; no downgrade, no -PLUS")
def authzid(stage):
    with start(stage), Client(door_path(stage)) as one:
        for same in ("alice", "alice@example.com", "ALICE@example.com"):
            assert one.plain("alice", "wonderland", authzid=same) == ok()
            assert one.scram("SCRAM-SHA-256", "alice", "wonderland",
                             gs2=f"n,a={same},") == ok()
        for other in ("bob", "bob@example.com", "alice@example.net", "@",
                      "alice@example.com/home"):
            assert one.plain("alice", "wonderland", authzid=other) == FAIL
            assert one.scram("SCRAM-SHA-1", "alice", "wonderland",
                             gs2=f"n,a={other},") == FAIL
        for gs2 in ("p=tls-unique,,", "p=tls-exporter,,"):
            assert one.scram("SCRAM-SHA-256", "alice", "wonderland",
                             gs2=gs2) == FAIL
        assert one.auth("SCRAM-SHA-256-PLUS",
                        "p=tls-exporter,,n=alice,r=abcdefgh") == FAIL


@case("several exchanges at a time, cancelled, out of turn, used again")
def several(stage):
    with start(stage), Client(door_path(stage)) as one:
        clients, numbers = {}, range(10, 20)
        for number in numbers:
            clients[number] = Scram("SCRAM-SHA-256", "alice", "wonderland")
        one.send("".join(f"AUTH\t{n}\tSCRAM-SHA-256\tservice=imap\tresp="
                         f"{b64(clients[n].first())}\n" for n in numbers))
        finals = {}
        for _ in numbers:
            word, number, message = one.line()
            assert word == "CONT"
            finals[int(number)] = clients[int(number)].final(message)
        assert sorted(finals) == list(numbers)
        one.send("CANCEL\t12\n")
        for number in reversed(numbers):
            answer = one.cont(finals[number], number)
            assert answer[0] == ("FAIL" if number == 12 else "CONT")
            if number != 12:
                clients[number].check(answer[1])
                assert one.cont("", number) == ok()
        # Each message once; nothing is left of an exchange that is over.
        for number in (10, 12, 99):
            assert one.cont(finals[10], number) == FAIL
            assert one.cont("", number) == FAIL
        # The final nod is empty.
        two = Scram("SCRAM-SHA-1", "alice", "wonderland")
        answer = one.auth("SCRAM-SHA-1", two.first(), number=7)
        assert one.cont(two.final(answer[1]), 7)[0] == "CONT"
        assert one.cont("x", 7) == FAIL
        # Another exchange by the same id: the first is over.
        old = Scram("SCRAM-SHA-256", "alice", "wonderland")
        new = Scram("SCRAM-SHA-256", "alice", "wonderland")
        message = old.final(one.auth("SCRAM-SHA-256", old.first(),
                                     number=8)[1])
        one.auth("SCRAM-SHA-256", new.first(), number=8)
        assert one.cont(message, 8) == FAIL
        # 200 passwords in one piece.
        one.send("".join(f"AUTH\t{n}\tPLAIN\tservice=smtp\tresp="
                         + b64(f"\0alice\0{'wonderland' if n % 3 else 'no'}")
                         + "\n" for n in range(1000, 1200)))
        answers = {}
        for _ in range(200):
            word, number, *rest = one.line()
            answers[int(number)] = [word, *rest]
        for number in range(1000, 1200):
            assert answers[number] == (ok() if number % 3 else FAIL)


@case("no initial response: asked for; empty, as Prosody and Exim say it")
def initial(stage):
    message = "\0alice\0wonderland"
    with start(stage):
        for hello, empty in ((b"VERSION\t1\t2\nCPID\t1\n", False),
                             (b"VERSION\t1\t0\nCPID\t1\n", True)):
            with Client(door_path(stage), hello) as one:
                assert one.auth("PLAIN") == ["CONT", ""]
                assert one.cont(message) == ok()
                for resp in ("\tresp=", "\tresp=="):
                    answer = one.part(one.ask(
                        f"AUTH\t9\tPLAIN\tservice=smtp{resp}\n"), 9)
                    if empty:
                        assert answer == ["CONT", ""]
                        assert one.cont(message, 9) == ok()
                    else:
                        assert answer == FAIL
                    # Prosody would choke on an empty challenge.
                    assert one.part(one.ask("AUTH\t10\tPLAIN\tservice=xmpp"
                                            f"{resp}\n"), 10) == FAIL
                    assert one.part(one.ask(
                        f"AUTH\t11\tLOGIN\tservice=xmpp{resp}\n"), 11) == \
                        ["CONT", b64("Username:")]
                assert one.auth("SCRAM-SHA-256") == ["CONT", ""]
                assert one.cont("") == FAIL


@case("messages that are none: refused by their id, the connection lives")
def malformed(stage):
    with start(stage) as daemon, Client(door_path(stage)) as one:
        for resp in ("!", "AGFsaWNl", "AGFsaWNlAHdvbmRlcmxhbmQ",
                     "AGFsaWNlAHdvbmRlcmxhbmQ=\tresp=", b64("alice"),
                     b64("\0alice"), b64("\0\0wonderland"),
                     b64("\0alice\0wonderland\0"), b64(b"\0\xff\0x"),
                     "A" * 9000):
            assert one.part(one.ask(
                f"AUTH\t5\tPLAIN\tservice=smtp\tresp={resp}\n"), 5) == FAIL
        for message in ("n", "n,,", "n,,n=alice", "n,,n=alice,r=", "x,,n=a",
                        "n,,m=x,n=alice,r=abc", "n,,n==,r=abc",
                        "n,,n=alice,r=" + "r" * 3000):
            assert one.auth("SCRAM-SHA-256", message) == FAIL, message
        for mech in ("", "plain", "ANONYMOUS", "DIGEST-MD5", "SCRAM-SHA-224",
                     "PLAIN\1t", "X" * 3000):
            if mech:
                assert one.auth(mech, "\0alice\0wonderland") == FAIL, mech
        # Longer than a line may be, in pieces, with more behind it.
        for size in (16385, 300000):
            one.send("AUTH\t77\tPLAIN\tservice=xmpp\tresp=")
            for _ in range(size // 5000 + 1):
                one.send("A" * 5000)
            one.send("\n")
            assert one.part(one.line(), 77) == FAIL
        one.send("NOISE\t1\n\nAUTHOR\t3\tPLAIN\n")
        assert one.plain("alice", "wonderland") == ok()
        assert daemon.log_text().count("a command that nobody knows") == 1


@case("lines that leave nobody to answer end the connection, and only it")
def garbage(stage):
    with start(stage), Client(door_path(stage)) as good:
        for line in ("VERSION\t2\t0", "VERSION\tx", "VERSION", "AUTH",
                     "AUTH\t-1\tPLAIN", "AUTH\tx\tPLAIN\tresp=AA==",
                     "AUTH\t4294967296\tPLAIN", "AUTH\t1", "CONT", "CONT\t1x",
                     "AUTH\t1\tPLAIN" + "\tx" * 100):
            with Client(door_path(stage)) as one:
                assert one.ask(f"{line}\n") == [], line
        for octets in (b"\0" * 20000, b"GET / HTTP/1.0\r\n\r\n",
                       os.urandom(5000)):
            with Client(door_path(stage)) as one:
                one.send(octets)
                one.socket.shutdown(socket.SHUT_WR)
                one.socket.recv(1)
        # Who has said all still gets the answers.
        with Client(door_path(stage)) as one:
            one.send("AUTH\t1\tPLAIN\tservice=x\tresp="
                     + b64("\0alice\0wonderland") + "\n")
            one.socket.shutdown(socket.SHUT_WR)
            assert one.line() == ["OK", "1", "user=alice"]
            assert one.line() == []
        assert good.plain("alice", "wonderland") == ok()


def deaf_is_full(deaf, text):
    """Sends text; true if the other side has not taken it for a second."""
    octets = text.encode()
    deaf.socket.settimeout(1)
    try:
        while octets:
            octets = octets[deaf.socket.send(octets):]
    except TimeoutError:
        return True
    return False


@case("half a line ends after ten seconds; silence does not, nor a deaf peer")
def slow(stage):
    with start(stage) as daemon, Client(door_path(stage)) as silent, \
            Client(door_path(stage)) as half, Client(door_path(stage)) as deaf:
        begun = time.monotonic()
        half.send("AUTH\t1\tPLAIN\tser")
        for _ in range(5):
            time.sleep(0.5)
            half.send("v")
        # Reads nothing, until the daemon does not read either.
        message = b64("n,,n=alice,r=abc")
        number = 0
        while not deaf_is_full(deaf, "".join(
                f"AUTH\t{number + i}\tSCRAM-SHA-256\tservice=x\tresp="
                f"{message}\n" for i in range(100))):
            number += 100
            assert number < 100_000
        # All others are served as before.
        with Client(door_path(stage)) as one:
            assert one.plain("alice", "wonderland") == ok()
        assert half.line() == []
        assert 9 < time.monotonic() - begun < 20
        assert silent.plain("alice", "wonderland") == ok()
        daemon.wait_log("does not read its answers", 30)
        assert "half a line and no more" in daemon.log_text()


@case("PostgreSQL frozen: temporary, at every step, and no refusal")
def frozen(stage):
    with start(stage) as daemon, Client(door_path(stage)) as one:
        early = Scram("SCRAM-SHA-256", "alice", "wonderland")
        answer = one.auth("SCRAM-SHA-256", early.first(), number=500)
        final = early.final(answer[1])
        since = len(daemon.log_text())
        stage.postgres.freeze()
        try:
            assert one.cont(final, 500) == TEMPORARY
            for password in ("wonderland", "wrong"):
                assert one.plain("alice", password) == TEMPORARY
                assert one.login("alice", password) == TEMPORARY
                for mech in SCRAMS:
                    assert one.scram(mech, "alice", password) == TEMPORARY
        finally:
            stage.postgres.thaw()
        log = daemon.log_text()[since:]
        assert "verdict=deny" not in log
        assert log.count("mech=SCRAM-SHA-256 verdict=unavailable "
                         "reason=db-down") == 3, log
        wait_until(lambda: one.scram("SCRAM-SHA-1", "alice", "wonderland")
                   == ok(), 20)


@case("a changed password, a deleted account between the two steps: refused")
def between(stage):
    with start(stage), Client(door_path(stage)) as one:
        stage.script("user-add", check=True, user="tess@example.com",
                     password_file=stage.password_file("wonderland"))
        for script, options in (
                ("user-password", {"password_file":
                                   stage.password_file("looking-glass")}),
                ("user-disable", {}), ("user-delete", {})):
            user = Scram("SCRAM-SHA-256", "tess", "looking-glass"
                         if script != "user-password" else "wonderland")
            final = user.final(one.auth("SCRAM-SHA-256", user.first())[1])
            stage.script(script, check=True, user="tess@example.com",
                         **options)
            assert one.cont(final) == FAIL, script


@case("one log line for each exchange, no password and no proof in it")
def logs(stage):
    with start(stage) as daemon, Client(door_path(stage)) as one:
        daemon.wait_log(" ready")
        since = len(daemon.log_text())
        user = Scram("SCRAM-SHA-256", "alice", "wonderland")
        answer = one.auth("SCRAM-SHA-256", user.first(),
                          options="service=imap\trip=192.0.2.77")
        final = user.final(answer[1])
        one.cont(final)
        one.cont("")
        one.plain("alice", "Canary-7f3a", options="rip=2001:db8::1")
        one.login("Canary-7f3a x", "Canary-7f3a")
        log = daemon.log_text()[since:]
        lines = [line for line in log.splitlines() if "door=" in line]
        assert len(lines) == 3, log
        assert re.search(r"door=dovecot user=alice@example.com realm=- "
                         r"mech=SCRAM-SHA-256 verdict=allow reason=ok "
                         r"source=192.0.2.77 ms=\d", lines[0]), lines[0]
        assert "source=2001:db8::1 " in lines[1]
        for secret in ("Canary", "wonderland", final.rsplit("p=")[1][:10]):
            assert secret not in daemon.log_text()


@case("stopping: who has asked is answered; the configuration is checked")
def stopping(stage):
    with start(stage) as daemon, Client(door_path(stage)) as idle:
        with Client(door_path(stage)) as one:
            stage.postgres.freeze()
            try:
                one.send("AUTH\t1\tPLAIN\tservice=x\tresp="
                         + b64("\0alice\0wonderland") + "\n")
                time.sleep(0.1)
                signal_pid(daemon.pid, signal.SIGTERM)
                assert idle.line() == []
            finally:
                stage.postgres.thaw()
            assert one.line()[0] in ("OK", "FAIL")
            assert one.line() == []
        assert daemon.process.end(timeout=60) == 0
    for text, complaint in (
            ("[dovecot]\ndomain = example.com\n", "needs a name"),
            ("[dovecot a]\nlisten = /x\n", "[dovecot a] needs domain"),
            ("[dovecot a]\ndomain = Example.com\n",
             '[dovecot a] domain: "Example.com" is not a domain'),
            ("[dovecot a]\ndomain = example.com\nrights = sip\n",
             "[dovecot a] rights: this protocol serves only check and sasl"),
            ("[dovecot a]\ndomain = example.com\nlisten = /x\n"
             "[dovecot b]\ndomain = example.net\nlisten = /x\n",
             "[dovecot b] listen: is that of [dovecot a] too"),
            ("[dovecot a]\ndomain = example.com\ndomains = example.net\n",
             "[dovecot a] domains: must hold example.com")):
        config = stage.file("bad.conf", "[database]\nconninfo = dbname=x\n"
                            + text, user=NOBODY)
        done = stage.run([stage.program("onecredd"), "-t", "-c", config],
                         user=NOBODY)
        assert done.returncode != 0
        assert complaint in done.stdout + done.stderr, (text, done)


def start_prosody(stage, socket_path, name="prosody"):
    """Debian's Prosody with its stock module, on the door's socket."""
    directory = stage.make_directory(name, NOBODY)
    stage.make_directory(f"{name}/data", NOBODY)
    stage.cafile = xmpp.certificate(stage, directory, NOBODY)
    stage.c2s = free_port("tcp")
    text = fragment(stage, "prosody-dovecot.cfg.lua", {
        door_path(stage): socket_path})
    config = stage.file(f"{name}.cfg.lua", PROSODY.format(
        directory=directory, port=stage.c2s) + text, user=NOBODY)
    stage.prosody_log = os.path.join(stage.log_directory, f"{name}.log")
    with open(stage.prosody_log, "wb") as log:
        process = stage.spawn([find_program("prosody"), "-F", "--config",
                               config], user=NOBODY, stdout=log, stderr=log)

    def listening():
        try:
            xmpp.Client(stage.c2s, stage.cafile).close()
        except OSError:
            return False
        return True
    wait_until(listening, 30)
    return process


def xmpp_login(stage, mech, user, password, **options):
    with xmpp.Client(stage.c2s, stage.cafile) as one:
        assert mech in one.mechanisms, one.features
        answer = one.login(mech, user, password, **options)
        if answer == "success":
            assert one.bind().startswith(f"{user.lower()}@example.com/")
        return answer


@case("Prosody, stock module: PLAIN and SCRAM, over TLS only")
def prosody(stage):
    with start(stage):
        process = start_prosody(stage, door_path(stage))
        with xmpp.Client(stage.c2s, stage.cafile, tls=False) as one:
            assert one.mechanisms == [], one.features
        with xmpp.Client(stage.c2s, stage.cafile) as one:
            assert sorted(one.mechanisms) == sorted(
                ["PLAIN", *SCRAMS]), one.features
        for mech in ("PLAIN", *SCRAMS):
            for user, password in (("alice", "wonderland"),
                                   ("Alice", "wonderland"),
                                   ("carol", COLONS), ("uma", UMLAUT)):
                assert xmpp_login(stage, mech, user, password) == \
                    "success", (mech, user)
            for user, password in (("alice", "wonderlanD"),
                                   ("nobody", "wonderland"),
                                   ("dora", "wonderland"),
                                   ("alice", "w" * 4000),
                                   ("a" * 300, "wonderland")):
                assert xmpp_login(stage, mech, user, password) == \
                    "not-authorized", (mech, user)
            assert xmpp_login(stage, mech, "alice", "wonderland",
                              authzid="bob@example.com") != "success"
            assert xmpp_login(stage, mech, "alice", "wonderland",
                              authzid="alice@example.com") == "success"
        # More than a line may hold: refused, and Prosody goes on.
        with xmpp.Client(stage.c2s, stage.cafile) as one:
            assert one.login("PLAIN", "alice", "w" * 14_000) == \
                "not-authorized"
        for i in range(50):
            good = i % 2 == 0
            assert xmpp_login(stage, SCRAMS[i % 2], "alice", "wonderland"
                              if good else "looking-glass") == \
                ("success" if good else "not-authorized"), i
        stage.postgres.freeze()
        try:
            for mech in ("PLAIN", *SCRAMS):
                assert xmpp_login(stage, mech, "alice", "wonderland") == \
                    "temporary-auth-failure"
        finally:
            stage.postgres.thaw()
        wait_until(lambda: xmpp_login(stage, "SCRAM-SHA-1", "alice",
                                      "wonderland") == "success", 20)
        process.end(timeout=30)


@case("Prosody, slixmpp: logs in by the mechanism that it chooses")
def slixmpp(stage):
    with start(stage):
        process = start_prosody(stage, door_path(stage), "prosody-slixmpp")
        for mech in ("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256",
                     "SCRAM-SHA-512"):
            for password, expected in (("wonderland", "ok"),
                                       ("wonderlanD", "refused")):
                done = stage.run(
                    ["/usr/bin/python3", "-c", SLIXMPP, str(stage.c2s),
                     stage.cafile, mech, password], timeout=60)
                assert done.stdout.strip() == expected, (mech, done)
        process.end(timeout=30)


@case("a restart with the socket handed over: Prosody goes on")
def restart(stage):
    with HandedSocket(stage, "dovecot-prosody", config_text(stage)) as handed:
        process = handed.start()
        handed.wait_ready(1)
        wait_until(lambda: one_plain(handed.path) == ok(), 20)
        prosody_process = start_prosody(stage, handed.path, "prosody-restart")
        for count in range(2, 4):
            assert xmpp_login(stage, "SCRAM-SHA-256", "alice",
                              "wonderland") == "success"
            if count == 2:
                handed.stop(process)
            else:
                process.end(signal.SIGKILL, timeout=60)
            process = handed.start()
            handed.wait_ready(count)
            wait_until(lambda: one_plain(handed.path) == ok(), 20)
            # Its one connection has ended: the stock module loses the login
            # that finds out, and that one only.
            first = xmpp_login(stage, "SCRAM-SHA-256", "alice", "wonderland")
            assert first in ("success", "internal-server-error"), first
            for mech in ("PLAIN", *SCRAMS):
                assert xmpp_login(stage, mech, "alice", "wonderland") == \
                    "success", mech
            assert xmpp_login(stage, "PLAIN", "alice", "wrong") == \
                "not-authorized"
        prosody_process.end(timeout=30)
        handed.stop(process)


def one_plain(path):
    with Client(path) as one:
        return one.plain("alice", "wonderland")


@case("no password in Prosody's log or ours")
def no_password(stage):
    for name in os.listdir(stage.log_directory):
        with open(os.path.join(stage.log_directory, name), errors="replace",
                  encoding="utf-8") as f:
            text = f.read()
        for secret in ("wonderland", "wonderlanD", COLONS, UMLAUT, "Canary"):
            assert secret not in text, name


if __name__ == "__main__":
    run_cases(__file__, prepare)
