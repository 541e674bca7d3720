"""
SIP proxies and a registrar of Kamailio that ask onecredd by HTTP, with
fragments/kamailio-http.cfg as it stands.

prepare(stage)      accounts, realms, one onecredd with [http]: stage.daemon,
                    .http (its port), .uas (uas.Uas, where all calls end)
proxy(stage, realms, next_port, defines=())  -> kamailio.Kamailio
                    realms: its own, then those it offers besides
plain(stage, next_port)     one that asks for nothing and passes all on
registrar(stage, realm)     one that keeps contacts
onecredd(stage, lifetime)   another daemon -> (Daemon, port)
healthy(port)       waits for /healthz
decide(stage, octets, realms, role="proxy", source=...) -> rawhttp.Answer
decisions(daemon)   its lines about logins

Users: alice, carol, bob, ... with the password `wonderland`; dora is disabled.
sip:direct@example.com goes from each proxy straight to the UAS.
"""

import os

from fragment import fragment
from kamailio import Kamailio
from rawhttp import ask
from stage import NOBODY, Daemon, free_port, wait_until
from uas import Uas

TOKEN = "c4nary-kamailio-0123456789"
FREESWITCH_TOKEN = "c4nary-freeswitch-0123456789"
P1, P2, HOME = "p1.example.com", "p2.example.com", "example.com"
SHA = "sha.example.com"

CONFIG = """[database]
conninfo = {conninfo}
lookup_timeout = 1s

[http]
listen = 127.0.0.1:{port}

[http-client kamailio]
token_file = {token}
rights = sip

[http-client freeswitch]
token_file = {token}.freeswitch
rights = sip ha1

[sip]
nonce_lifetime = {lifetime}

[log]
level = debug
"""

# In the manner of Debian's kamailio.cfg: CANCEL, then dialogs, then AUTH.
ROUTES = """
loadmodule "maxfwd.so"
loadmodule "tmx.so"
alias="example.com"
modparam("tm", "fr_timer", 3000)
{include}

request_route {{
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) {{
			{strip}
			t_relay();
		}}
		exit;
	}}
	if (!is_method("ACK")) {{
		if (t_precheck_trans()) {{
			t_check_trans();
			exit;
		}}
		t_check_trans();
	}}
	if (has_totag()) {{
		if (loose_route()) {{
			#!ifdef ASK_ALWAYS
			if (!is_method("ACK")) {{
				{ask}
			}} else {{
				{strip}
			}}
			#!else
			{strip}
			#!endif
			t_relay();
			exit;
		}}
		if (is_method("ACK")) {{
			if (t_check_trans())
				t_relay();
			exit;
		}}
		sl_send_reply("404", "Not here");
		exit;
	}}
	if (is_method("ACK")) {{
		if (t_check_trans())
			t_relay();
		exit;
	}}
	{ask}
	remove_hf("Route");
	if (is_method("INVITE"))
		record_route();
	$du = "sip:127.0.0.1:NEXT";
	if ($rU == "direct")
		$du = "sip:127.0.0.1:UAS";
	# As in route[RELAY] there; it must not ask again.
	{strip}
	if (!t_relay())
		sl_reply_error();
}}
"""

REGISTRAR = """
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("usrloc", "db_mode", 0)
alias="example.com"
{include}

request_route {{
	if (is_method("ACK"))
		exit;
	route(ONECRED);
	if (is_method("REGISTER")) {{
		if (!save("location"))
			sl_reply_error();
		exit;
	}}
	sl_send_reply("200", "OK");
}}
"""


def substituted(text, **values):
    for name, value in values.items():
        text = text.replace(name, str(value))
    return text


def included(stage, realms, port):
    """The lines of the README: realms, then the fragment."""
    realms = "&".join(f"realm={r}" for r in realms)
    return (f'#!define ONECRED_REALMS "{realms}"\n'
            f'#!define ONECRED_URL "http://127.0.0.1:{port}/v1/sip"\n'
            f'include_file "{stage.path("kamailio/onecred")}'
            '/kamailio-http.cfg"\n')


def proxy(stage, realms, next_port, defines=(), http=None):
    text = ROUTES.format(include=included(stage, realms, http or stage.http),
                         ask="route(ONECRED);", strip="route(ONECRED_STRIP);")
    text = substituted(text, NEXT=next_port, UAS=stage.uas.port)
    return Kamailio(stage, text, dict.fromkeys(defines, 1))


def plain(stage, next_port):
    text = ROUTES.format(include="", ask="", strip="")
    return Kamailio(stage, substituted(text, NEXT=next_port,
                                       UAS=stage.uas.port))


def registrar(stage, realm=HOME, http=None):
    return Kamailio(stage, REGISTRAR.format(
        include=included(stage, [realm], http or stage.http)))


def onecredd(stage, lifetime="300s", port=None):
    port = port or free_port()
    daemon = Daemon(stage, CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"), port=port,
        token=stage.token_file, lifetime=lifetime),
        env={"STATE_DIRECTORY": stage.path("state")})
    healthy(port)
    return daemon, port


def healthy(port, timeout=30):
    def ok():
        try:
            return ask(port, "GET", "/healthz").status == 200
        except OSError:
            return False
    wait_until(ok, timeout, "/healthz ok")


def prepare(stage):
    stage.database()
    stage.script("schema", check=True)
    stage.script("domain-add", check=True, domain="example.com",
                 algorithms="MD5,SHA-256")
    stage.script("realm-add", check=True, realm=HOME, domain="example.com",
                 domain_parameter="sip:example.com xmpp:example.com")
    for realm, options in ((P1, {}), (P2, {}),
                           (SHA, {"algorithms": "SHA-256"})):
        stage.script("realm-add", check=True, realm=realm,
                     domain="example.com", **options)
    for user in ("alice", "bob", "carol", "dora"):
        stage.script("user-add", check=True, user=f"{user}@example.com",
                     password_file=stage.password_file("wonderland"))
    stage.script("user-disable", check=True, user="dora@example.com")
    stage.script("alias-add", check=True, user="alice@example.com",
                 uri="sip:sales@example.org")
    stage.role("onecredd", "daemon")
    stage.make_directory("state", NOBODY)
    stage.token_file = stage.file("http.token", TOKEN + "\n", user=NOBODY,
                                  mode=0o400)
    stage.file("http.token.freeswitch", FREESWITCH_TOKEN + "\n", user=NOBODY,
               mode=0o400)
    stage.make_directory("kamailio")
    stage.make_directory("kamailio/onecred", NOBODY)
    for name, text in (
            ("kamailio-http.cfg", fragment(stage, "kamailio-http.cfg")),
            ("kamailio-http-token.cfg",
             f'#!define ONECRED_TOKEN "{TOKEN}"\n')):
        stage.file(f"kamailio/onecred/{name}", text, user=NOBODY, mode=0o400)
    stage.daemon, stage.http = onecredd(stage)
    stage.uas = Uas()


def decide(stage, octets, realms=(P1,), role="proxy", source="192.0.2.7",
           port=None):
    query = "&".join(f"realm={r}" for r in realms)
    return ask(port or stage.http, "POST",
               f"/v1/sip?as={role}&source={source}&{query}", octets,
               token=TOKEN, content_type="message/sip")


def decisions(daemon, since=0):
    return [line for line in daemon.log_text()[since:].splitlines()
            if "verdict=" in line]


def log_files(stage, word):
    for name in sorted(os.listdir(stage.log_directory)):
        if word in name:
            with open(os.path.join(stage.log_directory, name),
                      encoding="utf-8", errors="replace") as f:
                yield name, f.read()
