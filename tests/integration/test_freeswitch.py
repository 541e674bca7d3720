#!/usr/bin/python3 -B
"""
/v1/freeswitch of an installed onecredd, asked as mod_xml_curl asks: the
fields of sofia's directory lookup for a login, and the documents that it
understands. The a1-hash is compared with what FreeSWITCH would compute.

Not run: FreeSWITCH itself, which is not in Debian 12. The fields and the
documents are those of its sofia_reg.c and mod_xml_curl documentation.
"""

import base64
import hashlib
import os
import xml.etree.ElementTree
from urllib.parse import quote, urlencode

from rawhttp import Http, ask
from stage import (NOBODY, Daemon, case, find_program, free_port, run_cases,
                   wait_until)

CANARY = "Canary-7f3a"
TOKENS = {name: f"c4nary-{name}-0123456789" for name in ("fs", "one", "two",
                                                         "plain", "org")}
FORM = "application/x-www-form-urlencoded"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class World:
    """What all cases share."""
    port = None
    files = {}


def config_text(stage):
    text = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 1s\n[http]\nlisten = 127.0.0.1:{World.port}\n")
    for name, rest in (("fs", "rights = sip ha1\n"), ("plain", ""),
                       ("one", "rights = sip ha1\nrealms = example.com\n"),
                       ("two", "rights = sip ha1\n"
                               "realms = example.com sip.example.com\n"),
                       ("org", "rights = sip ha1\nrealms = example.org\n")):
        text += (f"[http-client {name}]\ntoken_file = {World.files[name]}\n"
                 f"{rest}")
    return text + "[log]\nlevel = debug\n"


def start(stage):
    return Daemon(stage, config_text(stage),
                  env={"STATE_DIRECTORY": stage.path("state")})


def prepare(stage):
    stage.basic()
    stage.make_directory("state", NOBODY)
    for name, password in (("dora", "wonderland"), ("canary", CANARY)):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file(password))
    stage.script("user-disable", check=True, user="dora@example.com")
    # Whoever knows the one password must not get the other account.
    stage.script("domain-add", check=True, domain="example.org")
    stage.script("user-add", check=True, user="alice@example.org",
                 password_file=stage.password_file("another-one"))
    stage.script("realm-add", check=True, realm="sip.example.com",
                 domain="example.com")
    stage.script("user-add", check=True, user="bea@example.com",
                 password_file=stage.password_file("wonderland"))
    World.port = free_port()
    for name, token in TOKENS.items():
        World.files[name] = stage.file(f"{name}.token", token + "\n",
                                       user=NOBODY, mode=0o400)


def ready():
    wait_until(lambda: ask(World.port, "GET", "/healthz").status == 200, 30,
               "/healthz ok")


def digest(algorithm, text):
    return hashlib.new(HASHES[algorithm], text.encode()).hexdigest()


def ha1_of(algorithm="MD5", user="alice", realm="example.com",
           password="wonderland"):
    return digest(algorithm, f"{user}:{realm}:{password}")


def lookup(algorithm="MD5", user="alice", realm="example.com",
           password="wonderland", **changes):
    """The fields in the order in which FreeSWITCH 1.10 sends them."""
    nonce, uri, method = "b15b89be-0929-11e5", "sip:example.com", "REGISTER"
    ha2 = digest(algorithm, f"{method}:{uri}")
    fields = {
        "hostname": "pbx", "section": "directory", "tag_name": "domain",
        "key_name": "name", "key_value": realm,
        "Event-Name": "REQUEST_PARAMS", "Core-UUID": "f46e9270",
        "FreeSWITCH-Hostname": "pbx", "FreeSWITCH-IPv4": "192.0.2.1",
        "Event-Date-GMT": "Sun, 22 Nov 2026 03:00:00 GMT",
        "Event-Calling-File": "sofia_reg.c",
        "Event-Calling-Function": "sofia_reg_parse_auth",
        "action": "sip_auth", "sip_profile": "internal",
        "sip_user_agent": "Linphone/3.8.0 (belle-sip/1.4.0)",
        "sip_auth_username": user, "sip_auth_realm": realm,
        "sip_auth_nonce": nonce, "sip_auth_uri": uri,
        "sip_contact_user": user, "sip_contact_host": "192.0.2.9",
        "sip_to_user": user, "sip_to_host": realm,
        "sip_via_protocol": "udp", "sip_from_user": user,
        "sip_from_host": realm, "sip_call_id": "9S-owrxnqj",
        "sip_request_host": realm, "sip_auth_qop": "auth",
        "sip_auth_cnonce": "055542fd", "sip_auth_nc": "00000001",
        "sip_auth_response": digest(algorithm, ":".join((
            ha1_of(algorithm, user, realm, password), nonce, "00000001",
            "055542fd", "auth", ha2))),
        "sip_auth_method": method, "client_port": "54508", "key": "id",
        "user": user, "domain": realm, "ip": "192.0.2.9"}
    fields.update(changes)
    return {k: v for k, v in fields.items() if v is not None}


def fetch(form, token=TOKENS["fs"], **options):
    body = form if isinstance(form, str) else urlencode(form,
                                                        quote_via=quote)
    return ask(World.port, "POST", "/v1/freeswitch", body, token=token,
               content_type=FORM, **options)


def read(answer):
    """(domain, user, a1-hash), or None for the document `not found'."""
    assert answer.status == 200, answer
    assert answer.fields["content-type"] == "text/xml", answer
    root = xml.etree.ElementTree.fromstring(answer.body)
    assert root.tag == "document" and root.get("type") == "freeswitch/xml"
    (section,) = root
    if section.get("name") == "result":
        (result,) = section
        assert result.attrib == {"status": "not found"}, answer
        assert b"<user" not in answer.body and b"param" not in answer.body
        return None
    assert section.get("name") == "directory", answer
    (domain,) = section
    (user,) = domain
    (params,) = user
    (param,) = params
    assert (domain.tag, user.tag, params.tag, param.tag) == \
        ("domain", "user", "params", "param"), answer
    assert param.get("name") == "a1-hash", answer
    return domain.get("name"), user.get("id"), param.get("value")


@case("a right response: the user with the a1-hash of its algorithm")
def right(stage):
    with start(stage):
        ready()
        for algorithm in HASHES:
            assert read(fetch(lookup(algorithm))) == \
                ("example.com", "alice", ha1_of(algorithm)), algorithm
        assert read(fetch(lookup(user="canary", password=CANARY))) == (
            "example.com", "canary",
            ha1_of(user="canary", password=CANARY))
        # The name as it was hashed: alice@example.com has an HA1 of its own.
        full = "alice@example.com"
        assert read(fetch(lookup(user=full))) == \
            ("example.com", full, ha1_of(user=full))
        # force-register-domain: another directory domain than the realm.
        for domain in "pbx.example", "a'b&<c>":
            assert read(fetch(lookup(domain=domain), TOKENS["one"])) == \
                (domain, "alice", ha1_of())
        # An older mod_xml_curl ends its form with a line feed.
        assert read(fetch(urlencode(lookup()) + "\n")) is not None


@case("everything else: the document `not found', never a user")
def wrong(stage):
    other = lookup(password="no")["sip_auth_response"]
    with start(stage):
        ready()
        with Http(World.port) as peer:
            for fields in (
                    lookup(password="no"), lookup(user="nobody"),
                    lookup(user="dora"), lookup(user="Alice"),
                    lookup(realm="none.example"), lookup(sip_auth_nc="2"),
                    lookup(sip_auth_nonce="x"), lookup(sip_auth_uri="sip:x"),
                    lookup(sip_auth_method="INVITE"),
                    lookup(sip_auth_response=""),
                    lookup(sip_auth_response="0" * 32),
                    lookup(sip_auth_response="0" * 64),
                    lookup(sip_auth_response=other + other),
                    lookup(sip_auth_response=None), lookup(user=None),
                    lookup(sip_auth_username=""), lookup(action=None),
                    lookup(action="user_call"), lookup(section="dialplan"),
                    lookup(section=None), lookup(tag_name="user"),
                    dict(lookup(), user="canary"),
                    dict(lookup(), sip_auth_username="canary"),
                    lookup(domain='a"><user id="x"/>'), lookup(domain="a:b"),
                    lookup(domain="\n"), lookup(ip="1" * 65), {},
                    {"section": "configuration", "key_value": "sofia.conf"}):
                answer = peer.ask("POST", "/v1/freeswitch", urlencode(fields),
                                  token=TOKENS["fs"], content_type=FORM)
                assert read(answer) is None, (fields, answer)
        # A field that counts, twice.
        for name in ("user", "sip_auth_response", "section", "action"):
            body = urlencode(lookup()) + f"&{name}={lookup()[name]}"
            assert read(fetch(body)) is None, name
        for body in ("%", "a=%0", "a=%00", "\0", "a&" * 300):
            assert fetch(body).status == 400, body


@case("a password opens no account of the same name in another domain")
def domains(stage):
    with start(stage):
        ready()
        for client in "fs", "two":
            token = TOKENS[client]
            for domain in "example.org", "pbx.example", "sip.example.com":
                assert read(fetch(lookup(domain=domain), token)) is None
                assert read(fetch(lookup(domain=None, key_value=domain),
                                  token)) is None
            # The realm, or the domain of the account.
            for domain in "example.com", "EXAMPLE.com":
                assert read(fetch(lookup(domain=domain), token)) == \
                    (domain, "alice", ha1_of())
            own = {"user": "bea", "realm": "sip.example.com"}
            for domain in "example.com", "sip.example.com":
                assert read(fetch(lookup(domain=domain, **own), token)) == \
                    (domain, "bea", ha1_of(**own))


@case("a1-hash only with the right ha1, and for the realms of the client")
def rights(stage):
    with start(stage):
        ready()
        assert read(fetch(lookup(), TOKENS["plain"])) is None
        assert read(fetch(lookup(), TOKENS["org"])) is None
        assert fetch(lookup(), None).status == 401
        assert fetch(lookup(), TOKENS["fs"] + "x").status == 401
        # mod_xml_curl has gateway-credentials, by Basic.
        basic = base64.b64encode(f"fs:{TOKENS['fs']}".encode()).decode()
        assert read(fetch(lookup(), None, fields=[
            f"Authorization: Basic {basic}"])) is not None
        wrong_one = base64.b64encode(b"fs:wrong-wrong-wrong").decode()
        assert fetch(lookup(), None, fields=[
            f"Authorization: Basic {wrong_one}"]).status == 401


@case("curl, which mod_xml_curl is made of")
def curl(stage):
    form = stage.file("form", urlencode(lookup(), quote_via=quote))
    config = stage.file("curlrc", f'user = "fs:{TOKENS["fs"]}"\n')
    with start(stage):
        ready()
        done = stage.run([find_program("curl"), "-s", "-K", config, "--basic",
                          "--data", f"@{form}", f"http://127.0.0.1:"
                          f"{World.port}/v1/freeswitch"])
        assert f'value="{ha1_of()}"' in done.stdout, done


@case("outage: 503, which FreeSWITCH takes for a lookup that failed")
def outage(stage):
    with start(stage):
        ready()
        assert read(fetch(lookup())) is not None
        stage.postgres.freeze()
        try:
            for password in ("wonderland", "no"):
                answer = fetch(lookup(password=password))
                assert answer.status == 503, answer
                assert int(answer.fields["retry-after"]) >= 1
                assert b"document" not in answer.body
        finally:
            stage.postgres.thaw()
        wait_until(lambda: fetch(lookup()).status == 200, 30, "healing")


@case("no password, hash, token or response is in any log line of ours")
def canary(stage):
    secrets = [CANARY, "c4nary-"]
    for algorithm in HASHES:
        secrets += [ha1_of(algorithm), lookup(algorithm)["sip_auth_response"],
                    ha1_of(algorithm, "canary", password=CANARY)]
    seen = 0
    for folder, _, names in os.walk(stage.log_directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
            seen += text.count(b"door=http user=canary@example.com "
                               b"realm=example.com mech=Digest")
            for secret in secrets:
                assert secret.encode() not in text, (name, secret)
    assert seen >= 1, "the decisions were not even logged"


if __name__ == "__main__":
    run_cases(__file__, prepare)
