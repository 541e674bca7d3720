#!/usr/bin/python3 -B
"""
`onecred check`: for each reason why somebody cannot log in, the reason, the
command that mends it (which is run), and the exit status. Everything that it
ever printed is searched for verifiers and passwords at the end.
"""

import base64
import json
import os
import re
import time

from rows import account_set, ha1, scram, secret_statement
from stage import NOBODY, Daemon, Extauth, case, free_port, run_cases

ALICE = "alice@example.com"
PASSWORD = "wonderland"
OTHER = "l00king-gl4ss"
SHAPES = (r"SCRAM-SHA-\d+\$", r"sealed:1:", r"\b[0-9a-f]{32,}\b",
          r"[A-Za-z0-9+/]{27,}=")

_printed = []


def conninfo(stage, role="boss", **options):
    return stage.postgres.conninfo(role, **options)


def check(stage, *argv, database=None, **options):
    """onecred check as the administrator boss -> CompletedProcess."""
    done = stage.run([stage.program("onecred"), "check", "-d",
                      database or conninfo(stage), *argv], **options)
    _printed.append((argv, done.stdout + done.stderr))
    return done


def answer(stage, *argv, status, **options):
    """The JSON answer, whose exit status must be this."""
    done = check(stage, "--json", *argv, **options)
    assert done.returncode == status, done
    found = json.loads(done.stdout)
    assert found["answer"] == ["can", "cannot", None, "unknown"][status]
    text = check(stage, *argv, **options)
    assert text.returncode == status, text
    for advice in found["advice"]:
        assert advice["text"] in text.stdout, advice
        if advice["command"] is not None:
            assert advice["command"] in text.stdout, advice
            script = re.search(r" -f (\S+)$", advice["command"])
            assert script is None or os.path.isfile(script[1]), advice
    return found


def logins(found, kind=None):
    """{(login, realm, name): (answer, reason)}"""
    return {(x["login"], x["realm"], x["name"]): (x["answer"], x["reason"])
            for x in found["logins"] if kind in (None, x["kind"])}


def passwords(found):
    return {(x["login"], x["realm"], x["name"]): x["password"]
            for x in found["logins"] if x["password"] is not None}


def commands(found):
    return [a["command"] for a in found["advice"] if a["command"]]


def obey(stage, found, *more):
    """Runs the first command of the advice as an administrator would."""
    line = " ".join([commands(found)[0], *more])
    return stage.run(["sh", "-c", line], check=True, env={
        **stage.postgres.environment(), "PGUSER": "postgres"})


def password_option(stage, text=PASSWORD):
    return f"-v password_file={stage.password_file(text)}"


def prepare(stage):
    stage.basic()
    stage.role("boss", "admin", domain="")
    stage.make_directory("run", NOBODY)


@case("an account that has everything: 0, and a password that fits all")
def everything(stage):
    found = answer(stage, ALICE, status=0)
    sasl = logins(found, "sasl")
    assert sasl == {("SCRAM-SHA-1", None, None): ("can", "ok"),
                    ("SCRAM-SHA-256", None, None): ("can", "ok"),
                    ("SCRAM-SHA-512", None, None): ("can", "ok"),
                    ("DIGEST-MD5", None, None): ("off", "none"),
                    ("PLAIN", None, None): ("can", "ok")}
    assert logins(found, "sip") == {
        (f"SIP {alg}", "example.com", name): ("can", "ok")
        for alg in ("MD5", "SHA-256", "SHA-512-256")
        for name in ("alice", ALICE)}
    assert found["advice"] == [] and passwords(found) == {}
    file = stage.password_file(PASSWORD)
    found = answer(stage, "--password-file", file, ALICE, status=0)
    assert len(passwords(found)) == 10
    assert set(passwords(found).values()) == {"agrees"}
    assert "look at what the client" in found["advice"][0]["text"]
    file = stage.password_file(OTHER)
    found = answer(stage, "--password-file", file, ALICE, status=1)
    assert set(passwords(found).values()) == {"differs"}
    assert set(logins(found).values()) <= {("can", "ok"), ("off", "none")}
    assert "user-password.sql" in commands(found)[0]
    # As a phone takes it: its octets; SASLprep would drop the soft hyphen.
    file = stage.password_file("wonder\u00adland")
    found = answer(stage, "--password-file", file, ALICE, status=1)
    assert {k[0][:5]: v for k, v in passwords(found).items()} == {
        "SCRAM": "agrees", "PLAIN": "agrees", "SIP M": "differs",
        "SIP S": "differs"}


@case("unknown: the command makes the account")
def unknown(stage):
    found = answer(stage, "bob@example.com", status=1)
    assert {a for a, _ in logins(found).values()} == {"cannot", "off"}
    assert ("cannot", "unknown-user") in logins(found).values()
    assert not found["row"]["found"] and found["domain_known"]
    obey(stage, found, password_option(stage))
    answer(stage, "bob@example.com", status=0)
    # What the domain's rule would refuse is said first.
    found = answer(stage, "+49@example.com", status=1)
    assert "localpart_rule=wide" in commands(found)[0]
    obey(stage, found)
    obey(stage, answer(stage, "o=k$a@example.com", status=1),
         password_option(stage))
    answer(stage, "o=k$a@example.com", status=0)


@case("disabled: the command enables it")
def disabled(stage):
    stage.script("user-disable", check=True, user="bob@example.com")
    found = answer(stage, "bob@example.com", status=1)
    assert set(logins(found).values()) == {
        ("cannot", "disabled"), ("off", "none")}
    assert found["row"]["enabled"] is False
    assert len(commands(found)) == 1
    obey(stage, found)
    answer(stage, "bob@example.com", status=0)


@case("SCRAM only: by policy it is as it should be, imported it is not")
def scram_only(stage):
    stage.script("domain-add", check=True, domain="none.example",
                 digests="none")
    stage.script("user-add", check=True, user="alice@none.example",
                 password_file=stage.password_file(PASSWORD))
    found = answer(stage, "alice@none.example", status=0)
    assert set(logins(found, "sip").values()) == {("off", "none")}
    assert "digests=plain" in commands(found)[0]
    obey(stage, found)
    found = answer(stage, "alice@none.example", status=1)
    obey(stage, found, password_option(stage))
    found = answer(stage, "alice@none.example", status=0)
    assert set(logins(found, "sip").values()) == {("can", "ok")}
    # Imported: one verifier, no digest, no plaintext to make them from.
    secret_statement(stage, account_set("example.com", "imported", "create",
                                        {"scram_sha_1": scram(1)}) + ";",
                     check=True)
    found = answer(stage, "imported@example.com", status=1)
    sasl = {k[0]: v for k, v in logins(found, "sasl").items()}
    assert sasl["SCRAM-SHA-1"] == sasl["PLAIN"] == ("can", "ok")
    assert sasl["SCRAM-SHA-256"] == ("cannot", "no-verifier")
    assert set(logins(found, "sip").values()) == {("cannot", "no-verifier")}
    obey(stage, found, password_option(stage))
    answer(stage, "imported@example.com", status=0)
    # A digest alone opens SIP; it stands for the password if it is `same`.
    secret_statement(stage, account_set(
        "example.com", "phone", "create",
        {("ha1_md5", "example.com", "local"): ha1(16)}) + ";", check=True)
    found = answer(stage, "phone@example.com", status=1)
    assert logins(found)["PLAIN", None, None] == ("can", "ok")
    assert [k[2] for k, v in logins(found, "sip").items()
            if v == ("can", "ok")] == ["phone"]


@case("one realm missing: it is named, and a new password mends it")
def one_realm(stage):
    stage.script("realm-add", check=True, realm="SIP example",
                 domain="example.com")
    found = answer(stage, ALICE, status=1)
    sip = logins(found, "sip")
    assert {v for k, v in sip.items() if k[1] == "example.com"} == {
        ("can", "ok")}
    assert {v for k, v in sip.items() if k[1] == "SIP example"} == {
        ("cannot", "no-verifier")}
    assert set(logins(found, "sasl").values()) == {
        ("can", "ok"), ("off", "none")}
    obey(stage, found, password_option(stage))
    file = stage.password_file(PASSWORD)
    found = answer(stage, "--password-file", file, ALICE, status=0)
    assert len(passwords(found)) == 16
    for user in ("bob", "imported", "o=k$a"):
        stage.script("user-delete", check=True, user=f"{user}@example.com")


@case("capital letters: XMPP can, a digest over Alice never matches")
def capitals(stage):
    found = answer(stage, "Alice@example.com", status=1)
    assert found["account"] == ALICE
    assert found["presented"] == "Alice@example.com"
    assert logins(found)["PLAIN", None, None] == ("can", "ok")
    assert set(logins(found, "sip").values()) == {("cannot", "case")}
    assert {k[2] for k in logins(found, "sip")} == {
        "Alice", "Alice@example.com"}
    assert '"alice"' in found["advice"][0]["text"]
    # Capitals in the domain touch only those who send it.
    found = answer(stage, "alice@Example.COM", status=1)
    assert {k[2]: v for k, v in logins(found, "sip").items()} == {
        "alice": ("can", "ok"), "alice@Example.COM": ("cannot", "case")}


@case("a foreign domain: what there is, and whose realm it may be")
def foreign(stage):
    found = answer(stage, "alice@other.example", status=1)
    assert found["logins"] == [] and found["domain_known"] is False
    assert found["row"] is None
    assert "example.com, none.example" in found["advice"][0]["text"]
    assert "domain-add.sql" in commands(found)[0]
    assert "user-add.sql" in commands(found)[1]
    stage.script("realm-add", check=True, realm="sip.none.example",
                 domain="none.example")
    found = answer(stage, "alice@sip.none.example", status=1)
    assert commands(found) == ["onecred check alice@none.example"]
    # A name that some domain may take is still one word of a shell.
    found = answer(stage, "$(id)@sip.none.example", status=1)
    assert commands(found) == ["onecred check '$(id)@none.example'"]
    stage.script("realm-delete", check=True, realm="sip.none.example")


@case("DIGEST-MD5, where the domain serves it; digests not proved; separate")
def origins(stage):
    stage.script("domain-set", check=True, domain="none.example",
                 digest_md5="yes")
    user = "alice@none.example"
    md5 = ("DIGEST-MD5", None, None)
    assert logins(answer(stage, user, status=0))[md5] == ("can", "ok")
    found = answer(stage, "Alice@none.example", status=1)
    assert logins(found)[md5] == ("cannot", "case")
    # Digests of another password, imported beside SCRAM.
    stage.script("user-password", check=True, user=user, service="sip",
                 password_file=stage.password_file(OTHER))
    stage.postgres.psql(
        "UPDATE onecred.credential SET ha1_origin = 'unproved'"
        " WHERE domain = 'none.example'", check=True)
    file = stage.password_file(PASSWORD)
    found = answer(stage, "--password-file", file, user, status=1)
    assert found["row"]["ha1_origin"] == "unproved"
    assert logins(found)[md5] == ("cannot", "no-verifier")
    assert set(logins(found, "sip").values()) == {("can", "ok")}
    for key, value in passwords(found).items():
        assert value == ("differs" if key[0].startswith("SIP") else
                         "agrees"), (key, value)
    assert any("nobody has shown" in a["text"] for a in found["advice"])
    # The same digests as a password of SIP's own: each side has its own.
    stage.postgres.psql(
        "UPDATE onecred.credential SET ha1_origin = 'separate'"
        " WHERE domain = 'none.example'", check=True)
    stage.script("domain-set", check=True, domain="none.example",
                 digest_md5="no")
    for text in (PASSWORD, OTHER):
        file = stage.password_file(text)
        found = answer(stage, "--password-file", file, user, status=0)
        assert set(passwords(found).values()) == {"agrees", "differs"}
    file = stage.password_file("neither-of-both")
    answer(stage, "--password-file", file, user, status=1)
    stage.script("domain-set", check=True, domain="none.example",
                 digest_md5="yes")
    found = answer(stage, user, status=1)
    assert logins(found)[md5] == ("cannot", "no-verifier")
    obey(stage, found, password_option(stage))
    answer(stage, user, status=0)


def key_file(stage, name, key):
    return stage.file(name, key + " " + base64.b64encode(
        key.encode() * 16).decode() + "\n")


def config_file(stage, rest="", name="check.conf"):
    return stage.file(name, "[database]\nconninfo = dbname=unused\n"
                      f"[extauth]\nlisten = {stage.path('run')}/none.sock\n"
                      + rest)


@case("sealed: with the key, without one, with a wrong one")
def sealed(stage):
    key = key_file(stage, "seal.key", "k1")
    wrong = key_file(stage, "wrong.key", "k2")
    user = "alice@sealed.example"
    stage.script("domain-add", check=True, domain="sealed.example",
                 digests="sealed")
    stage.script("user-add", check=True, user=user, seal_key_file=key,
                 password_file=stage.password_file(PASSWORD))
    file = stage.password_file(PASSWORD)
    found = answer(stage, "--seal-key-file", key, "--password-file", file,
                   user, status=0)
    assert len(passwords(found)) == 10
    found = answer(stage, user, status=3)
    assert set(logins(found, "sip").values()) == {("unknown", "key-missing")}
    assert logins(found)["PLAIN", None, None] == ("can", "ok")
    assert "--seal-key-file" in commands(found)[0]
    found = answer(stage, "--seal-key-file", wrong, user, status=1)
    assert set(logins(found, "sip").values()) == {("cannot", "key-missing")}
    assert f"seal_key_file={wrong}" in commands(found)[0]
    # By the configuration of the daemon.
    found = answer(stage, "-c", config_file(stage), user, status=1)
    assert "[seal]" in found["advice"][0]["text"]
    found = answer(stage, "-c", config_file(
        stage, f"[seal]\nkey_file = {key}\n"), user, status=1)
    assert set(logins(found, "sip").values()) == {("can", "ok")}
    for bad, status in (("/nonexistent", 3), (file, 3)):
        done = check(stage, "--seal-key-file", bad, user)
        assert done.returncode == status and done.stdout == "", done
        assert bad in done.stderr, done
        assert "cannot be used" in answer(
            stage, "--password-file", "/nonexistent", user,
            status=status)["error"]


@case("doors: not running, not this domain, not these realms")
def doors(stage):
    socket = f"{stage.path('run')}/extauth.sock"
    secret = stage.file("radius.secret", "shared-secret-4711\n", user=NOBODY)

    def text(extauth="", client=""):
        return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
                f"[extauth]\nlisten = {socket}\n{extauth}\n[radius]\n"
                f"listen = 127.0.0.1:{free_port('udp')}\n"
                "[radius-client kamailio]\naddress = 127.0.0.1\n"
                f"secret_file = {secret}\n{client}\n")

    def found(status, **parts):
        path = stage.file("doors.conf", text(**parts))
        return {x["login"]: (x["answer"], x["reason"], x["note"])
                for x in answer(stage, "-c", path, ALICE,
                                status=status)["logins"]
                if x["kind"] == "door"}

    assert found(1)["extauth"] == (
        "cannot", "none", f"nobody listens at {socket}")
    with Daemon(stage, text()):
        can = ("can", "ok", None)
        assert found(0) == {"extauth": can, "radius-client kamailio PAP":
                            can, "radius-client kamailio digest": can}
        assert found(1, extauth="domains = none.example")["extauth"][:2] == (
            "cannot", "foreign-domain")
        assert found(1, extauth="rights = exists")["extauth"][:2] == (
            "cannot", "not-permitted")
        some = found(0, client="realms = sip.elsewhere")
        assert some["radius-client kamailio digest"][0] == "off"
        assert some["radius-client kamailio PAP"] == can
        some = found(1, client="domains = none.example")
        assert {v[0] for k, v in some.items() if "radius" in k} == {"cannot"}
    # Clients of HTTP: each line is a right that it has.
    tokens = [stage.file(f"token{i}", f"canary-token-{i}-0123456789\n",
                         user=NOBODY) for i in range(2)]
    http = (f"[http]\nlisten = 127.0.0.1:{free_port()}\n"
            f"token_file = {tokens[0]}\n[http-client proxy]\n"
            f"token_file = {tokens[1]}\nrights = sip\n"
            "realms = sip.elsewhere\n")
    with Daemon(stage, text(client=http)):
        some = found(0, client=http)
        assert {k: v[0] for k, v in some.items() if "http" in k} == {
            "http password": "can", "http SASL": "can", "http SIP": "can",
            "http-client proxy SIP": "off"}
    # Those of the Dovecot protocol: the one of the account's domain.
    path = f"{stage.path('run')}/dovecot.sock"
    dovecot = (f"[dovecot a]\nlisten = {path}\ndomain = example.com\n"
               f"[dovecot b]\nlisten = {path}.b\ndomain = none.example\n")
    some = found(1, client=dovecot)
    assert some["dovecot a"] == ("cannot", "none",
                                 f"nobody listens at {path}")
    assert "dovecot b" not in some
    with Daemon(stage, text(client=dovecot)):
        assert found(0, client=dovecot)["dovecot a"] == ("can", "ok", None)
    done = check(stage, "-c", "/nonexistent", ALICE)
    assert done.returncode == 3 and "/nonexistent: cannot be" in done.stderr


@case("the last refusals, with the daemon's own reasons")
def refusals(stage):
    socket = f"{stage.path('run')}/extauth.sock"
    config = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
              f"[extauth]\nlisten = {socket}\n")
    with Daemon(stage, config) as daemon:
        with Extauth.connect(socket) as peer:
            for i in range(12):
                assert peer.request(b"auth:alice:example.com:no%d" % i) == \
                    Extauth.FALSE
            assert peer.request(b"auth:alice:example.com:wonderland") == \
                Extauth.TRUE
            assert peer.request(b"auth:nobody:example.com:x") == \
                Extauth.FALSE
    lines = [line for line in daemon.log_text().splitlines()
             if "door=extauth" in line]
    assert len(lines) == 14, lines
    found = answer(stage, "--log", daemon.log, ALICE, status=0)
    assert len(found["refusals"]) == 10
    for r in found["refusals"]:
        assert (r["door"], r["mech"], r["verdict"], r["reason"]) == (
            "extauth", "PLAIN", "deny", "wrong-password")
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", r["time"])
    assert [r["time"] for r in found["refusals"]] == [
        line.split()[0] for line in lines[2:12]]
    text = check(stage, "--log", daemon.log, ALICE).stdout
    assert text.count("the client has another password") == 10
    found = answer(stage, "--log", daemon.log, "nobody@example.com",
                   status=1)
    assert [r["reason"] for r in found["refusals"]] == ["unknown-user"]
    for path in ("/nonexistent/log", stage.directory):
        found = answer(stage, "--log", path, ALICE, status=0)
        assert found["refusals"] == []
        assert any(path in note for note in found["notes"])


@case("no journal of onecredd is one line and no failure")
def no_journal(stage):
    found = answer(stage, ALICE, status=0)
    notes = [n for n in found["notes"] if "the journal" in n]
    assert found["refusals"] or len(notes) == 1, found["notes"]


@case("what cannot be an account is not repeated")
def malformed(stage):
    for name in ("alice", "hunter2 is my password", "@nowhere.test", "alice@",
                 "a:b@example.com", "anonymous@example.com", "", "\x1b[31m",
                 "x" * 300 + "@example.com", "alice@exa mple.com"):
        done = check(stage, name)
        assert done.returncode == 1, (name, done)
        assert name == "" or name in ("alice", "alice@") or \
            name not in done.stdout + done.stderr
        found = json.loads(check(stage, "--json", name).stdout)
        assert found["account"] is None and found["presented"] is None
    for argv in ([], [ALICE, ALICE], ["--bogus", ALICE], ["-c"]):
        done = check(stage, *argv)
        assert done.returncode == 2 and done.stdout == "", argv
    assert check(stage, "--help").stdout.startswith("usage: ")


@case("nobody can tell: 3, a sentence, and the command that mends it")
def cannot_tell(stage):
    def error(database, *argv):
        found = answer(stage, *argv, ALICE, status=3, database=database)
        assert found["error"] and found["logins"] == []
        return f"{found['error']} -- {found['command']}"

    stage.postgres.psql("CREATE ROLE plain LOGIN PASSWORD 'plain-pw'",
                        check=True)
    stage.postgres.passwords["plain"] = "plain-pw"
    for role in ("onecredd", "plain"):
        text = error(conninfo(stage, role))
        assert f"role {role} is not an administrator" in text, text
        assert f"role={role} -v grant=admin -v keep_password=yes -f " in text, text
    assert "password authentication failed" in error(
        conninfo(stage, password="wrong-word-1"))
    text = error(conninfo(stage, database="nowhere"))
    assert "does not exist" in text and "createdb -E UTF8" in text, text
    assert "no onecred schema" in error(
        conninfo(stage, database="postgres"))
    text = error("host=" + stage.path("run") + " dbname=x user=y")
    assert "systemctl start postgresql" in text, text
    text = error("host='unbalanced password=hunter2-secret")
    assert "hunter2" not in text and "connection string" in text, text
    stage.postgres.psql("UPDATE onecred.schema_version SET version = 99,"
                        " serves_programs_since = 99", check=True)
    text = error(conninfo(stage))
    stage.postgres.psql("UPDATE onecred.schema_version SET version = 1,"
                        " serves_programs_since = 1", check=True)
    assert "serves programs since 99" in text and "upgrade" in text, text
    stage.create_database("old")
    stage.script("schema", check=True, database="old")
    stage.postgres.psql("ALTER TABLE onecred.schema_version DROP CONSTRAINT"
                        " schema_version_check; UPDATE onecred.schema_version"
                        " SET version = 0, serves_programs_since = 0",
                        database="old", check=True)
    text = error(conninfo(stage, database="old"))
    assert "has version 0" in text and "schema.sql" in text, text


@case("psql's environment and a bare database name do as well as -d CONNINFO")
def environment(stage):
    env = stage.postgres.environment(role="boss")
    done = stage.run([stage.program("onecred"), "check", ALICE], env=env)
    assert done.returncode == 0, done
    env.pop("PGDATABASE")
    done = stage.run([stage.program("onecred"), "check", "-d", "onecred",
                      ALICE], env=env)
    assert done.returncode == 0, done


@case("a server that has stopped answering is waited for, but not for long")
def frozen(stage):
    stage.postgres.freeze()
    try:
        start = time.monotonic()
        done = check(stage, ALICE)
        took = time.monotonic() - start
    finally:
        stage.postgres.thaw()
    assert done.returncode == 3, done
    assert "did not answer in time" in done.stderr, done
    assert took < 20, took


@case("the keys of --json are those of the manual page")
def manual(stage):
    with open(f"{stage.root}/usr/share/man/man1/onecred.1",
              encoding="utf-8") as f:
        page = f.read()
    found = answer(stage, ALICE, status=0)
    names = set(found) | set(found["row"]) | set(found["logins"][0])
    names |= {"text", "time", "door", "mech", "verdict", "source"}
    for name in names:
        assert re.search(rf"^\.It Li .*\b{name}\b", page, re.M), name
    assert list(found) == [
        "account", "presented", "answer", "domain_known", "row", "logins",
        "advice", "refusals", "notes", "error", "command"]


@case("no verifier, key or password was ever printed or logged")
def canaries(stage):
    values = stage.postgres.psql("""
        SELECT v FROM (SELECT to_jsonb(c) AS j FROM onecred.credential c
            UNION ALL SELECT to_jsonb(c) FROM onecred.credential_realm c)
            AS rows, jsonb_each_text(j) AS e(k, v)
        WHERE k ~ '^(scram|ha1b?)_(md5|sha)' AND v IS NOT NULL
        UNION SELECT v FROM onecred.credential, unnest(
            ARRAY[scram_sha_1, scram_sha_256, scram_sha_512]) AS v
        WHERE v IS NOT NULL""", check=True).stdout.split()
    assert len(values) > 30
    secrets = values + [PASSWORD, OTHER, "neither-of-both", "shared-secret",
                        "canary-token", stage.postgres.passwords["boss"]]
    secrets += [v.rsplit("$", 1)[1] for v in values if "$" in v]
    assert len(_printed) > 60
    for argv, text in _printed:
        for secret in secrets:
            assert secret not in text, argv
        for shape in SHAPES:
            assert re.search(shape, text) is None, (argv, shape)
    log = stage.postgres.log_text()
    for secret in secrets:
        assert secret not in log


if __name__ == "__main__":
    run_cases(__file__, prepare)
