#!/usr/bin/python3 -B
"""
Prosody 0.12 with mod_auth_onecred over the daemon's [http] door: mechanisms,
channel binding, passwords and accounts changed in-band, the same account by
SIP digest; outages of the database and of the daemon under load.
Environment: ONECRED_OUTAGE (8), seconds that PostgreSQL is frozen for.
"""

import base64
import hashlib
import hmac
import os
import re
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import xmpp
from fragment import fragment
from prosody import Prosody
from rawhttp import ask
from stage import NOBODY, Daemon, case, find_program, run_cases, wait_until

CONFIG = """[database]
conninfo = {conninfo}
lookup_timeout = 2s

[http]
listen = {socket}

[http-client prosody]
token_file = {token}
domains = example.com
rights = sasl exists set create delete

[http-client sip]
token_file = {sip}
domains = example.com
realms = example.com
rights = sip
"""

OUTAGE = float(os.environ.get("ONECRED_OUTAGE", "8"))
TOKEN = "c4nary-prosody-0123456789"
SIP_TOKEN = "c4nary-sip-0123456789"
MODULES = ("ping", "roster", "disco", "user_account_management",
           "register_ibr", "probe")
SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256")
TLS12 = ssl.TLSVersion.TLSv1_2
UNICODE = "pässwörd€ 1"

# Asks user_exists as Prosody's own modules do: from a session's thread, and
# from a timer, where nobody can wait.
PROBE = """
local st = require "util.stanza";
local usermanager = require "core.usermanager";
local timer = require "util.timer";
local function reply(session, stanza, name)
	local yes = usermanager.user_exists(name, module.host);
	session.send(st.reply(stanza):tag("exists", { xmlns = "probe" })
		:text(yes and "yes" or "no"));
end
module:hook("iq-get/host/probe:now", function (event)
	reply(event.origin, event.stanza, event.stanza.tags[1].attr.name);
	return true;
end);
module:hook("iq-get/host/probe:later", function (event)
	timer.add_task(0, function ()
		reply(event.origin, event.stanza, event.stanza.tags[1].attr.name);
	end);
	return true;
end);
"""

# Debian 12's mod_sasl2* are younger than its Prosody, which has no ssl_info(),
# does not say who opens a stream, wants whole seconds, and has no
# get_child_attr().
SHIM = """
local dates = require "util.datetime";
local datetime = dates.datetime;
function dates.datetime(t) return datetime(t and math.floor(t)); end
local stanza = require "util.stanza".stanza_mt;
function stanza:get_child_attr(name, xmlns, attr)
	local tag = self:get_child(name, xmlns);
	return tag and tag.attr[attr];
end
module:hook("stream-features", function (event)
	local conn = event.origin.conn;
	event.stream = event.stream or { from = "alice@example.com" };
	if conn and not conn.ssl_info then
		function conn:ssl_info()
			local socket = self:socket();
			return socket.info and socket:info() or {};
		end
	end
end, 1000);
"""


class World:
    prosody = None
    daemon = None


def start_daemon(stage):
    World.daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo(), token=World.token,
        sip=World.sip, socket=World.socket),
        env={"STATE_DIRECTORY": stage.path("state")})
    return World.daemon


def prosody_text(stage, more=""):
    text = fragment(stage, "prosody-onecred.cfg.lua",
                    {"/etc/prosody/onecred.token": World.token})
    text = text.replace('plugin_paths = { ',
                        f'plugin_paths = {{ "{stage.path("modules")}", ')
    return text + more


def prepare(stage):
    stage.basic()
    for name in ("door", "state", "modules"):
        stage.make_directory(name, NOBODY)
    stage.file("modules/mod_probe.lua", PROBE, mode=0o644)
    stage.file("modules/mod_shim.lua", SHIM, mode=0o644)
    stage.script("domain-set", check=True, domain="example.com",
                 non_ascii="yes")
    for name, password in (("bob", "pass:word:1"), ("carol", "pass:word:1"),
                           ("ute", UNICODE), ("dave", "wonderland")):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file(password))
    stage.script("user-disable", check=True, user="bob@example.com")
    World.token = stage.file("prosody.token", TOKEN + "\n", user=NOBODY,
                             mode=0o400)
    World.sip = stage.file("sip.token", SIP_TOKEN + "\n", user=NOBODY,
                           mode=0o400)
    World.socket = f"{stage.path('door')}/http.sock"
    start_daemon(stage)
    World.prosody = Prosody(
        stage, "prosody", prosody_text(
            stage, "\tonecred_set_password = true\n"
                   "\tonecred_register = true\n"
                   "\tallow_registration = true\n"), MODULES, level="debug")


def login(mechanism, user, password, **options):
    return World.prosody.login(mechanism, user, password, **options)


def plus(mechanism, user, password, **options):
    options.setdefault("binding", "tls-unique")
    return login(f"{mechanism}-PLUS", user, password, tls_version=TLS12,
                 **options)


def session(user="alice", password="wonderland"):
    one = World.prosody.client()
    assert one.login("SCRAM-SHA-256", user, password) == "success"
    one.bind()
    return one


@case("offered: SCRAM and PLAIN over TLS only, -PLUS where it can be bound")
def offered(_stage):
    plain = {"PLAIN", *SCRAMS}
    with World.prosody.client(tls=False) as one:
        assert one.mechanisms == [], one.features
    with World.prosody.client() as one:
        assert set(one.mechanisms) == plain, one.mechanisms
    with World.prosody.client(tls_version=TLS12) as one:
        assert set(one.mechanisms) == plain | {f"{m}-PLUS" for m in SCRAMS}


@case("each mechanism: right, capitals, colons, non-ASCII, user@domain")
def right(_stage):
    for way in (login, plus):
        for mechanism in SCRAMS if way is plus else ("PLAIN", *SCRAMS):
            for user, password in (
                    ("alice", "wonderland"), ("Alice", "wonderland"),
                    ("alice@example.com", "wonderland"),
                    ("carol", "pass:word:1"), ("ute", UNICODE)):
                assert way(mechanism, user, password) == "success", \
                    (mechanism, user)
    with session("ALICE") as one:
        assert one.ask("<iq type='get' id='p' to='example.com'>"
                       "<ping xmlns='urn:xmpp:ping'/></iq>",
                       "id=.p.")
    with World.prosody.client() as one:
        assert one.login("PLAIN", "Alice", "wonderland") == "success"
        assert one.bind().startswith("alice@example.com/")


@case("each mechanism: wrong, unknown, disabled, no verifier: all alike")
def wrong(_stage):
    for way in (login, plus):
        for mechanism in SCRAMS if way is plus else ("PLAIN", *SCRAMS):
            for user, password in (
                    ("alice", "wonderlanD"), ("nobody", "wonderland"),
                    ("bob", "pass:word:1"), ("ute", "passwort"),
                    ("alice@example.org", "wonderland")):
                got = way(mechanism, user, password)
                assert got == "not-authorized", (mechanism, user, got)
    for user, password in (("alice", ""), ("", "wonderland"),
                           ("al ice", "x"), ("alice", "w" * 5000)):
        assert login("PLAIN", user, password) == "malformed-request", user


@case("SCRAM runs to its end for unknown, disabled and real accounts alike")
def to_the_end(_stage):
    def first(user, mechanism):
        with World.prosody.client() as one:
            kind, content = one._auth(mechanism, f"n,,n={user},r=abc")
            assert kind == "challenge", (user, kind, content)
            return dict(part.split("=", 1) for part in
                        content.decode().split(","))

    for mechanism in SCRAMS:
        seen = {user: [first(user, mechanism) for _ in range(2)]
                for user in ("alice", "bob", "nobody", "never-there")}
        for user, (one, two) in seen.items():
            assert (one["s"], one["i"]) == (two["s"], two["i"]), user
            assert one["r"] != two["r"] and one["r"].startswith("abc")
            assert len(one["s"]) == len(seen["alice"][0]["s"]), user
            assert one["i"] == seen["alice"][0]["i"], user
        assert len({pair[0]["s"] for pair in seen.values()}) == 4


@case("to act for somebody else is refused, for oneself is not")
def authzid(_stage):
    for mechanism in ("PLAIN", *SCRAMS):
        for name in ("carol@example.com", "alice@example.org", "nobody"):
            got = login(mechanism, "alice", "wonderland", authzid=name)
            assert got == "invalid-authzid", (mechanism, name, got)
        # What the bare name stands for is fine too.
        assert login(mechanism, "alice", "wonderland",
                     authzid="alice@example.com") == "success"


@case("-PLUS is bound to this channel; a downgrade is refused")
def binding(_stage):
    for mechanism in SCRAMS:
        with World.prosody.client(tls_version=TLS12) as one:
            one._binding = lambda kind: b"another channel"
            got = one.login(f"{mechanism}-PLUS", "alice", "wonderland",
                            binding="tls-unique")
            assert got in ("not-authorized", "malformed-request"), got
        # "I would, but you did not offer it": somebody has removed it.
        assert login(mechanism, "alice", "wonderland", gs2="y",
                     tls_version=TLS12) == "malformed-request"
        # Really not offered.
        assert login(mechanism, "alice", "wonderland", gs2="y") == "success"
        # A type that this connection has not, -PLUS without binding.
        assert plus(mechanism, "alice", "wonderland",
                    binding="tls-server-end-point") == "malformed-request"
        assert plus(mechanism, "alice", "wonderland",
                    gs2="n") == "malformed-request"


@case("another try on the same stream, after each kind of failure")
def again(_stage):
    for mechanism in ("PLAIN", *SCRAMS, "SCRAM-SHA-1-PLUS",
                      "SCRAM-SHA-256-PLUS"):
        options = {"binding": "tls-unique"} if "PLUS" in mechanism else {}
        with World.prosody.client(tls_version=TLS12) as one:
            assert one.login(mechanism, "alice", "no", **options) == \
                "not-authorized"
            assert one.login("SCRAM-SHA-512", "alice", "x") == \
                "invalid-mechanism"
            assert one.login(mechanism, "alice", "wonderland", **options) \
                == "success", mechanism
            assert one.bind().startswith("alice@example.com/")


@case("messages out of order, aborted, broken: refused, never a traceback")
def hostile(_stage):
    for text, condition in (
            ("<response xmlns='{0}'>biws</response>", "not-authorized"),
            ("<auth xmlns='{0}' mechanism='PLAIN'>*</auth>",
             "incorrect-encoding"),
            ("<auth xmlns='{0}' mechanism='SCRAM-SHA-1'>eA==</auth>",
             "malformed-request"),
            ("<auth xmlns='{0}' mechanism='SCRAM-SHA-1'>bixh</auth>",
             "malformed-request"),
            ("<auth xmlns='{0}' mechanism='SCRAM-SHA-1-PLUS'>"
             "cD10bHMtdW5pcXVlLCxuPWEscj1i</auth>", "malformed-request"),
            ("<auth xmlns='{0}' mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPWI="
             "</auth><abort xmlns='{0}'/>", "aborted")):
        with World.prosody.client() as one:
            got = one.ask(text.format(xmpp.SASL),
                          r"<failure[^>]*>\s*<([a-z-]+)")[1]
            assert got == condition, (text, got)
            assert one.login("PLAIN", "alice", "wonderland") == "success"
    # The client's first message in a round of its own.
    with World.prosody.client() as one:
        assert one._step(f"<auth xmlns='{xmpp.SASL}' mechanism='PLAIN'/>") \
            == ("challenge", b"")
        assert one._step(f"<response xmlns='{xmpp.SASL}'>" + xmpp.b64(
            "\0alice\0wonderland") + "</response>")[0] == "success"
    assert "Traceback" not in World.prosody.log_text()


@case("200 logins in a row, right and wrong by turns; 20 at once")
def many(_stage):
    def one(i):
        good = i % 2 == 0
        got = login(("PLAIN", *SCRAMS)[i % 3], "alice",
                    "wonderland" if good else "wrong-one")
        assert got == ("success" if good else "not-authorized"), (i, got)

    for i in range(200):
        one(i)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(100)))


def sip_register(password, user="alice"):
    """A digest login at the registrar: challenge, then answer -> verdict."""
    def send(row=""):
        message = ("REGISTER sip:example.com SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                   f"From: <sip:{user}@example.com>;tag=1\r\n"
                   f"To: <sip:{user}@example.com>\r\nCall-ID: 1@example.com"
                   f"\r\nCSeq: {2 if row else 1} REGISTER\r\n"
                   f"Contact: <sip:{user}@192.0.2.1>\r\n{row}"
                   "Content-Length: 0\r\n\r\n")
        return ask(World.socket, "POST",
                   "/v1/sip?as=registrar&realm=example.com", message,
                   token=SIP_TOKEN, content_type=None).json

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    challenge = dict(re.findall(r'(\w+)="([^"]*)"',
                                send()["challenges"][0]))
    response = md5(":".join((
        md5(f"{user}:example.com:{password}"), challenge["nonce"],
        "00000001", "abc", "auth", md5("REGISTER:sip:example.com"))))
    return send(f'Authorization: Digest username="{user}", realm="example.com'
                f'", nonce="{challenge["nonce"]}", uri="sip:example.com", '
                f'algorithm=MD5, qop=auth, nc=00000001, cnonce="abc", '
                f'response="{response}"\r\n')["verdict"]


def everywhere(user, password):
    """Every way into an account at the same moment -> set of answers."""
    ways = [lambda: sip_register(password, user),
            *(lambda m=m: login(m, user, password)
              for m in ("PLAIN", *SCRAMS))]
    with ThreadPoolExecutor(len(ways)) as pool:
        return {job.result() for job in [pool.submit(w) for w in ways]}


YES = {"accept", "success"}


def change(one, new, user="dave"):
    """In-band -> ("result", "") or (condition, text)"""
    found = one.ask(
        "<iq type='set' id='c' to='example.com'><query xmlns="
        f"'jabber:iq:register'><username>{user}</username><password>"
        f"{new}</password></query></iq>",
        r"<iq [^>]*id=.c.[^>]*?(?:/>|>.*?</iq>)")[0]
    if "error" not in found:
        return "result", ""
    text = re.search("<text[^>]*>([^<]*)", found)
    return (re.search("<error.*?<([a-z-]+)", found, re.DOTALL)[1],
            text[1] if text else "")


@case("a password changed in-band: the next SIP and XMPP login need the new")
def changed(_stage):
    old = "wonderland"
    for new in ("looking-glass", "jabber:wocky", "wonderland"):
        assert everywhere("dave", old) == YES
        with session("dave", old) as one:
            other = session("dave", old)
            assert change(one, new) == ("result", "")
            # Who was in by the old one is out; who changed it is not.
            other.ask("", "<stream:error>")
            other.close()
            one.ask("<iq type='get' id='p' to='example.com'><ping "
                    "xmlns='urn:xmpp:ping'/></iq>", "id=.p.")
        assert everywhere("dave", new) == YES
        if new != old:
            got = everywhere("dave", old)
            assert not got & YES and "not-authorized" in got, got
        old = new


@case("a password that is refused: the sentence says why")
def policy(_stage):
    with session("dave") as one:
        for new, word in (("abc+123", "8"), ("w" * 129, "128"),
                          (" leading-blank", "")):
            condition, text = change(one, new)
            assert condition == "not-acceptable", (new, condition)
            assert len(text) > 10 and word in text, (new, text)
            assert new not in text
        # Somebody else's.
        assert change(one, "looking-glass", "alice")[0] == "bad-request"
    assert everywhere("dave", "wonderland") == YES


@case("register, delete; nobody's account is taken over")
def accounts(stage):
    def register(user, password):
        with World.prosody.client() as one:
            found = one.ask(
                "<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
                f"<username>{user}</username><password>{password}"
                "</password></query></iq>",
                r"<iq [^>]*id=.r.[^>]*?(?:/>|>.*?</iq>)")[0]
            if "error" not in found:
                return "result"
            return re.search("<error.*?<([a-z-]+)", found, re.DOTALL)[1]

    def remove(user, password):
        with session(user, password) as one:
            return one.ask("<iq type='set' id='d'><query xmlns="
                           "'jabber:iq:register'><remove/></query></iq>",
                           "<iq [^>]*id=.d.[^>]*>")[0]

    for user in ("erin", "fred"):
        assert register(user, "wonderland") == "result"
        assert everywhere(user, "wonderland") == YES
        assert register(user, "taken-over") == "conflict"
        assert everywhere(user, "wonderland") == YES
        assert "result" in remove(user, "wonderland")
        assert not everywhere(user, "wonderland") & YES
    # bob is disabled: for logins he is not there, but he is not free either.
    assert register("bob", "taken-over") != "result"
    assert register("gina", "short") == "feature-not-implemented"
    assert not everywhere("bob", "taken-over") & YES
    # By prosodyctl.
    control = [find_program("prosodyctl"), "--config", World.prosody.config]
    env = {"HOME": World.prosody.directory}
    for password in ("wonderland", "taken-over"):
        stage.run(control + ["register", "hugo", "example.com", password],
                  user=NOBODY, env=env)
        assert everywhere("hugo", "wonderland") == YES, password
    stage.run(control + ["unregister", "hugo", "example.com"], user=NOBODY,
              env=env)
    assert not everywhere("hugo", "wonderland") & YES


@case("without the settings: not-allowed, and nothing changes")
def not_allowed(stage):
    with Prosody(stage, "reader", prosody_text(stage, "\tallow_registration "
                 "= true\n"), ("user_account_management",
                               "register_ibr")) as reader:
        with reader.client() as one:
            assert one.login("PLAIN", "dave", "wonderland") == "success"
            one.bind()
            assert change(one, "looking-glass")[0] == "not-allowed"
            found = one.ask("<iq type='set' id='d'><query xmlns='jabber:iq:"
                            "register'><remove/></query></iq>",
                            r"<iq [^>]*id=.d.[^>]*>.*?</iq>")[0]
            assert "service-unavailable" in found, found
        with reader.client() as one:
            found = one.ask(
                "<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
                "<username>ida</username><password>wonderland</password>"
                "</query></iq>", r"<iq [^>]*id=.r.[^>]*>.*?</iq>")[0]
            assert "feature-not-implemented" in found, found
    assert everywhere("dave", "wonderland") == YES


def exists(one, name, when="now"):
    return one.ask(f"<iq type='get' id='x' to='example.com'><{when} "
                   f"xmlns='probe' name='{name}'/></iq>",
                   "<exists[^>]*>([a-z]*)<")[1]


@case("user_exists: asked in a thread, and from where nobody can wait")
def user_exists(_stage):
    with session() as one:
        assert exists(one, "carol") == "yes"
        assert exists(one, "nobody-1") == "no"
        assert exists(one, "carol", "later") == "yes"
        # The first time nobody knows; the answer comes for the next one.
        assert exists(one, "nobody-2", "later") == "yes"
        wait_until(lambda: exists(one, "nobody-2", "later") == "no", 10)


class Load:
    """Logins at a steady rate in the background -> .answers"""

    def __init__(self, rate=10, right=True):
        self.answers = []
        self._rate = rate
        self._right = right
        self._end = threading.Event()
        self._pool = ThreadPoolExecutor(64)
        self._thread = threading.Thread(target=self._run)

    def _one(self, i):
        good = i % 4 != 3
        try:
            got = login(("PLAIN", *SCRAMS)[i % 3], "alice",
                        "wonderland" if good else "wrong-one")
        except (OSError, ConnectionError) as error:
            got = repr(error)
        self.answers.append((good, got))

    def _run(self):
        i = 0
        while not self._end.wait(1 / self._rate):
            self._pool.submit(self._one, i)
            i += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._end.set()
        self._thread.join()
        self._pool.shutdown()

    def count(self, answer, good=None):
        return sum(got == answer and good in (None, was)
                   for was, got in list(self.answers))

    def must_be_sound(self):
        """None wrongly accepted, no right password called wrong."""
        for good, got in list(self.answers):
            assert got == "temporary-auth-failure" or \
                got == ("success" if good else "not-authorized"), (good, got)


def ping(one):
    begin = time.monotonic()
    one.ask("<iq type='get' id='p' to='example.com'><ping "
            "xmlns='urn:xmpp:ping'/></iq>", "id=.p.")
    return time.monotonic() - begin


@case("PostgreSQL frozen under load: others go on, logins fail for a time")
def frozen(stage):
    with session() as one, Load() as load:
        assert exists(one, "nobody-3") == "no"
        wait_until(lambda: load.count("success") >= 5, 20)
        stage.postgres.freeze()
        try:
            begin = time.monotonic()
            slowest = 0
            while time.monotonic() - begin < OUTAGE or \
                    load.count("temporary-auth-failure") < 10:
                assert time.monotonic() - begin < 60, load.answers
                slowest = max(slowest, ping(one))
                time.sleep(0.1)
            # Prosody has one thread: had a login blocked it, so would this.
            assert slowest < 0.9, slowest
            assert exists(one, "nobody-3") == "no"
            assert exists(one, "nobody-4") == "yes"
            assert exists(one, "nobody-4", "later") == "yes"
            assert change(one, "looking-glass", "alice")[0] == \
                "internal-server-error"
        finally:
            stage.postgres.thaw()
        before = load.count("success")
        wait_until(lambda: load.count("success") >= before + 10, 30)
        assert exists(one, "nobody-4") == "no"
    load.must_be_sound()
    # The change may have been under way when the database came back.
    assert everywhere("alice", "wonderland") == YES or \
        everywhere("alice", "looking-glass") == YES


@case("the daemon restarted under load: some wait, none is let in wrongly")
def restarted(stage):
    stage.script("user-password", check=True, user="alice@example.com",
                 password_file=stage.password_file("wonderland"))
    with session() as one, Load(20) as load:
        for end in ("stop", "kill"):
            before = load.count("success")
            wait_until(lambda: load.count("success") >= before + 10, 20)
            if end == "stop":
                World.daemon.stop()
            else:
                World.daemon.process.send_signal(signal.SIGKILL)
                World.daemon.process.wait(10)
            ping(one)
            away = load.count("temporary-auth-failure")
            wait_until(lambda: load.count("temporary-auth-failure")
                       >= away + 3, 20)
            start_daemon(stage)
            before = load.count("success")
            wait_until(lambda: load.count("success") >= before + 10, 20)
            assert ping(one) < 0.9
    load.must_be_sound()
    text = World.prosody.log_text()
    assert "onecredd does not answer" in text
    assert "onecredd answers again" in text


@case("the daemon frozen: its late answer is nobody else's")
def late(_stage):
    with session() as one:
        os.kill(World.daemon.pid, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(20) as pool:
                jobs = [pool.submit(login, "PLAIN", "alice", "wonderland")
                        for _ in range(20)]
                begin = time.monotonic()
                slowest = 0
                while not all(job.done() for job in jobs):
                    slowest = max(slowest, ping(one))
                assert slowest < 0.9, slowest
                assert {job.result() for job in jobs} == \
                    {"temporary-auth-failure"}
                assert time.monotonic() - begin < 20
        finally:
            os.kill(World.daemon.pid, signal.SIGCONT)
    for i in range(40):
        good = i % 2 == 0
        assert login("PLAIN", "alice", "wonderland" if good else "no") == (
            "success" if good else "not-authorized"), i


@case("a restart in the middle of an exchange: another daemon finishes it")
def middle(stage):
    def finish(one, restart):
        step = one._step

        def delayed(element):
            if element.startswith("<response"):
                restart()
            return step(element)
        one._step = delayed
        return one.login("SCRAM-SHA-256", "alice", "wonderland")

    def restart():
        World.daemon.stop()
        start_daemon(stage)

    with World.prosody.client() as one:
        assert finish(one, restart) == "success"


class Sasl2(xmpp.Client):
    """RFC 6120 with XEP-0388, 0386 and 0484."""

    AGENT = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"

    def open_stream(self):
        found = self.ask(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' "
            f"to='{self.domain}' from='alice@{self.domain}'>",
            "</stream:features>")
        self.features = found.string[:found.end()]
        self.mechanisms = re.findall("<mechanism(?: [^>]*)?>([^<]*)<",
                                     self.features)

    def authenticate(self, mechanism, message, more=""):
        return self.ask(
            "<authenticate xmlns='urn:xmpp:sasl:2' "
            f"mechanism='{mechanism}'><initial-response>"
            f"{xmpp.b64(message)}</initial-response>{self.AGENT}{more}"
            "</authenticate>",
            r"<(challenge|success|failure)\b.*?</\1>")[0]


@case("mod_sasl2, bind2 and fast of prosody-modules above our handler")
def sasl2(stage):
    with Prosody(stage, "sasl2", prosody_text(stage), (
            "shim", "ping", "sasl2", "sasl2_bind2", "sasl2_fast"),
            level="debug") as server:
        sasl2_logins(server)
        assert "Traceback" not in server.log_text()


def sasl2_logins(server):
    fast = "urn:xmpp:fast:0"
    bind = "<bind xmlns='urn:xmpp:bind:0'><tag>test</tag></bind>"
    with Sasl2(server.port, server.cafile) as one:
        assert "urn:xmpp:sasl:2" in one.features, one.features
        found = one.authenticate("PLAIN", "\0alice\0no")
        assert "not-authorized" in found, found
    with Sasl2(server.port, server.cafile) as one:
        found = one.authenticate(
            "PLAIN", "\0alice\0wonderland", bind +
            f"<request-token xmlns='{fast}' mechanism='HT-SHA-256-NONE'/>")
        assert "alice@example.com/test" in found, found
        token = re.search("token=['\"]([^'\"]*)", found)[1]
        ping(one)
    for secret, word in ((token, "<success"), ("not it", "not-authorized")):
        with Sasl2(server.port, server.cafile) as one:
            proof = hmac.new(secret.encode(), b"Initiator",
                             hashlib.sha256).digest()
            found = one.authenticate("HT-SHA-256-NONE", b"alice\0" + proof,
                                     bind + f"<fast xmlns='{fast}'/>")
            assert word in found, found
    # SCRAM, with the server's proof as additional data.
    with Sasl2(server.port, server.cafile) as one:
        found = one.authenticate("SCRAM-SHA-256", "n,,n=alice,r=abc")
        first = base64.b64decode(re.search(">([^<]*)</challenge", found)[1])
        said = dict(p.split("=", 1) for p in first.decode().split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", b"wonderland", base64.b64decode(said["s"]),
            int(said["i"]))

        def mac(key, text):
            return hmac.new(key, text.encode(), "sha256").digest()

        signed = f"n=alice,r=abc,{first.decode()},c=biws,r={said['r']}"
        key = mac(salted, "Client Key")
        proof = bytes(a ^ b for a, b in zip(key, mac(
            hashlib.sha256(key).digest(), signed)))
        found = one.ask(
            "<response xmlns='urn:xmpp:sasl:2'>" + xmpp.b64(
                f"c=biws,r={said['r']},p={xmpp.b64(proof)}") + "</response>",
            r"<(success|failure)\b.*?</\1>")[0]
        expected = xmpp.b64("v=" + xmpp.b64(
            mac(mac(salted, "Server Key"), signed)))
        assert f"<additional-data>{expected}</additional-data>" in found, \
            found


SLIXMPP = """
import asyncio, sys, slixmpp
class One(slixmpp.ClientXMPP):
    def __init__(self, mech):
        super().__init__("alice@example.com", sys.argv[4], sasl_mech=mech)
        self.ca_certs = sys.argv[2]
        self.result = "none"
        self.add_event_handler("session_start", lambda e: self.end("success"))
        self.add_event_handler("failed_all_auth",
                               lambda e: self.end("refused"))
    def end(self, result):
        self.result = result
        self.disconnect()
one = One(sys.argv[3])
one.connect(address=("127.0.0.1", int(sys.argv[1])))
try:
    one.loop.run_until_complete(asyncio.wait_for(one.disconnected, 20))
except asyncio.TimeoutError:
    pass
print(one.result)
"""


@case("slixmpp logs in by each mechanism, and not with a wrong password")
def slixmpp(stage):
    script = stage.file("slix.py", SLIXMPP, mode=0o644)
    for mechanism in ("PLAIN", *SCRAMS):
        for password, wanted in (("wonderland", "success"),
                                 ("wonderlanD", "refused")):
            done = stage.run(["python3", "-B", script,
                              str(World.prosody.port), World.prosody.cafile,
                              mechanism, password], timeout=60)
            assert done.stdout.split()[-1:] == [wanted], \
                (mechanism, done.stdout, done.stderr[-2000:])


@case("no traceback and no secret in any log")
def logs(stage):
    assert "Traceback" not in World.prosody.log_text()
    for name in os.listdir(stage.log_directory):
        with open(os.path.join(stage.log_directory, name), encoding="utf-8",
                  errors="replace") as f:
            text = f.read()
        for secret in ("wonderland", "looking-glass", "pass:word:1", UNICODE,
                       TOKEN, SIP_TOKEN, xmpp.b64("\0alice\0wonderland")):
            assert secret not in text, (name, secret)


if __name__ == "__main__":
    run_cases(__file__, prepare)
