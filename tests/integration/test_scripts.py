#!/usr/bin/python3 -B
"""
The administration scripts and `onecred hash`: what an administrator types and
sees, names and helpers that mean harm, and that a password gets nowhere but
into its verifiers: not into the server's log, a command line or an
environment.
"""

import base64
import glob
import hashlib
import os
import re
import signal

from stage import case, descendants, run_cases, wait_until
from terminal import Terminal

ALICE = "alice@example.com"
PASSWORD = "Can4ry-pass word"


def prepare(stage):
    stage.database(log_statement="'all'", log_min_duration_statement="0",
                   log_error_verbosity="'verbose'", log_min_messages="debug1")
    stage.script("schema", check=True)


def sentences(done):
    """What psql said on stderr, without its notes about our environment."""
    return [line for line in done.stderr.splitlines()
            if "password file" not in line]


def fails(done, *words):
    """Exit status 3 and one sentence with these words, no SQL."""
    assert done.returncode == 3, done
    said = sentences(done)
    assert said, done
    for word in words:
        assert word in "\n".join(said), (word, said)
    for noise in ("CONTEXT", "LINE ", "syntax error", "PL/pgSQL"):
        assert noise not in "\n".join(said), said


def works(done, *words):
    assert done.returncode == 0, done
    assert sentences(done) == [], done
    for word in words:
        assert word in done.stdout, (word, done.stdout)


def accounts(stage):
    return stage.postgres.value("SELECT string_agg(t::text, ';') FROM "
                                "(TABLE onecred.credential ORDER BY 1, 2) t")


@case("the way of an account")
def account(stage):
    f = stage.password_file(PASSWORD)
    done = stage.script("domain-add", domain="example.com")
    works(done, "example.com added", "unsealed")
    works(stage.script("user-add", user=ALICE, password_file=f),
          f"{ALICE} created: SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512; "
          "SIP realm example.com\n")
    fails(stage.script("user-add", user=ALICE, password_file=f),
          "exists already")
    show = stage.script("user-show", user=ALICE)
    works(show, "enabled", "SCRAM-SHA-512", "PLAIN",
          "example.com: MD5, SHA-256, SHA-512-256, as alice and " + ALICE,
          "the same as for XMPP")
    assert "DIGEST-MD5" not in show.stdout
    works(stage.script("domain-set", domain="example.com", digest_md5="yes"))
    works(stage.script("user-show", user=ALICE), "DIGEST-MD5")
    works(stage.script("realm-add", realm="Sip Realm", domain="example.com",
                       algorithms="SHA-256,MD5", identity="strict",
                       domain_parameter="sip:example.com xmpp:example.com"),
          "added")
    works(stage.script("realm-list"), "Sip Realm", "algorithms=SHA-256,MD5",
          "identity=strict", "sip:example.com xmpp:example.com", "home")
    works(stage.script("user-show", user=ALICE), "Sip Realm: none until")
    works(stage.script("user-password", user=ALICE, password_file=f),
          "new password", "SIP realm example.com, Sip Realm")
    row = stage.postgres.value("SELECT * FROM onecred.credential_realm")
    assert hashlib.md5(f"alice:Sip Realm:{PASSWORD}".encode()).hexdigest() \
        in row
    works(stage.script("user-password", user=ALICE, service="sip",
                       password_file=stage.password_file("only for sip")),
          "its own password for SIP")
    show = stage.script("user-show", user=ALICE)
    works(show, "one of its own")
    assert "DIGEST-MD5" not in show.stdout, "it is not the account's password"
    works(stage.script("user-disable", user=ALICE), "disabled")
    works(stage.script("user-show", user=ALICE), "disabled")
    works(stage.script("user-list"), f"{ALICE}  disabled  SCRAM-SHA-1")
    works(stage.script("user-enable", user=ALICE), "enabled")
    works(stage.script("alias-add", user=ALICE, uri="tel:+4930123"))
    works(stage.script("alias-add", user=ALICE, uri="+4930123"))
    works(stage.script("user-show", user=ALICE), "tel:+4930123")
    works(stage.script("alias-delete", user=ALICE, uri="+4930123"))
    fails(stage.script("alias-delete", user=ALICE, uri="+4930123"),
          "is not an alias")
    fails(stage.script("alias-add", user=ALICE, uri="no uri"))
    fails(stage.script("realm-delete", realm="Sip Realm"), "force=yes")
    works(stage.script("realm-delete", realm="Sip Realm", force="yes"))
    fails(stage.script("realm-delete", realm="example.com", force="yes"),
          "home realm")
    fails(stage.script("domain-set", domain="example.com", digests="none"),
          "force=yes")
    works(stage.script("domain-set", domain="example.com", digests="none",
                       force="yes"), "no SIP")
    works(stage.script("user-list", domain="example.com"), "no SIP")
    works(stage.script("user-password", user=ALICE, password_file=f),
          "no SIP")
    fails(stage.script("user-password", user=ALICE, service="sip",
                       password_file=f))
    works(stage.script("domain-set", domain="example.com", digests="plain",
                       algorithms="SHA-256"))
    works(stage.script("user-password", user=ALICE, password_file=f))
    works(stage.script("user-show", user=ALICE), "example.com: SHA-256, as")
    works(stage.script("domain-list"), "example.com", "accounts=1",
          "algorithms=SHA-256", "digest_md5=yes")
    fails(stage.script("domain-delete", domain="example.com"), "force=yes")
    works(stage.script("user-delete", user=ALICE), "deleted")
    for name in ("user-delete", "user-show", "user-enable", "user-disable"):
        fails(stage.script(name, user=ALICE), "no")
    fails(stage.script("user-password", user=ALICE, password_file=f),
          "no account")
    works(stage.script("domain-delete", domain="example.com"))
    fails(stage.script("user-add", user=ALICE, password_file=f),
          "no domain", "domain-add.sql")


@case("a sealed domain, another home realm, wide names, non-ASCII passwords")
def policies(stage):
    key = stage.file("seal.key", "k1 " + base64.b64encode(
        bytes(range(32))).decode() + "\n")
    f = stage.password_file(PASSWORD)
    works(stage.script("domain-add", domain="sealed.example",
                       digests="sealed"))
    fails(stage.script("user-add", user="a@sealed.example", password_file=f),
          "sealed")
    works(stage.script("user-add", user="a@sealed.example", password_file=f,
                       seal_key_file=key))
    assert stage.postgres.value("SELECT ha1_md5 FROM onecred.credential "
                                ).startswith("sealed:1:k1:")
    works(stage.script("domain-add", domain="wide.example", realm="Asterisk",
                       localpart_rule="wide", non_ascii="yes",
                       iterations="4096"), "SIP realm Asterisk")
    works(stage.script("user-add", user="+49$(id)@wide.example",
                       password_file=stage.password_file("pässwörter")),
          "SIP realm Asterisk")
    assert stage.postgres.value(
        "SELECT scram_sha_1 ~ '4096:', ha1_md5 FROM onecred.credential "
        "WHERE domain = 'wide.example'") == "t|" + hashlib.md5(
        "+49$(id):Asterisk:pässwörter".encode()).hexdigest()
    for variables in ({"digests": "maybe"}, {"iterations": "1"},
                      {"iterations": "x"}, {"algorithms": "SHA-1"},
                      {"localpart_rule": "x"}, {"non_ascii": "perhaps"},
                      {"digest_md5": "x"}, {"realm": 'a"b'},
                      {"realm": "ASTERISK"}):
        fails(stage.script("domain-add", domain="bad.example", **variables))
        assert stage.postgres.value("SELECT count(*) FROM onecred.domain "
                                    "WHERE domain = 'bad.example'") == "0"
    works(stage.script("domain-delete", domain="wide.example", force="yes"))


@case("what is missing is said")
def missing(stage):
    for name, word in (("user-add", "-v user="), ("user-password", "-v user="),
                       ("user-show", "-v user="), ("user-delete", "-v user="),
                       ("user-enable", "-v user="), ("role-add", "-v role="),
                       ("user-disable", "-v user="),
                       ("alias-add", "-v user="),
                       ("domain-add", "-v domain="),
                       ("domain-set", "-v domain="),
                       ("domain-delete", "-v domain="),
                       ("realm-add", "-v realm="),
                       ("realm-delete", "-v realm=")):
        fails(stage.script(name), word)
    fails(stage.script("alias-add", user=ALICE), "-v uri=")
    fails(stage.script("role-add", role="x"), "-v grant=")
    fails(stage.script("user-list", database="postgres"), "no onecred schema")


HOSTILE = ["a'b", 'a"b', "a\\b", "a\nb", "$(touch {})", "`touch {}`",
           "a;touch {}", "a'; DROP TABLE onecred.credential; --", "a\tb",
           ":user", ":'user'", ":{?user}", "\\! touch {}", "a|touch {}",
           "%s%n", "-x", "--help", "", " ", "é", "\x01", "*", "a" * 300]


@case("names that mean harm: no shell, no SQL, no account")
def hostile(stage):
    works(stage.script("domain-add", domain="example.com"))
    f = stage.password_file(PASSWORD)
    mark = stage.path("owned")
    before = accounts(stage)
    for text in HOSTILE:
        text = text.format(mark) if "{}" in text else text
        for name, variables in (
                ("user-add", {"user": f"{text}@example.com"}),
                ("user-add", {"user": f"alice@{text}"}),
                ("user-delete", {"user": text}),
                ("domain-add", {"domain": text}),
                ("role-add", {"role": text, "grant": "sip", "domain": "*"})):
            if name in ("user-add", "role-add"):
                variables["password_file"] = f
            done = stage.script(name, **variables)
            fails(done)
            assert not os.path.exists(mark), (name, text)
    assert accounts(stage) == before
    # Where nearly any text is legal, it arrives as it is.
    for realm in ("a'b", "$(touch {})", "`touch {}`", "a;b|c&d", "-x", "é  ü",
                  "%s*?[a]", "$ONECRED", "~", "#", "--realm", "a = b"):
        realm = realm.format(mark) if "{}" in realm else realm
        works(stage.script("realm-add", realm=realm, domain="example.com"))
    works(stage.script("user-add", user=ALICE, password_file=f))
    count = stage.postgres.value(
        "SELECT count(*) FROM onecred.credential_realm c, LATERAL (SELECT "
        f"md5('alice:' || realm || ':{PASSWORD}')) AS m (digest) "
        "WHERE c.ha1_md5 = m.digest")
    assert count == "12", count
    assert not os.path.exists(mark)
    for odd in ("file'; touch {}", "$(touch {})", "fi le", "fi\nle"):
        path = stage.file(odd.format("x"), PASSWORD)
        works(stage.script("user-password", user=ALICE, password_file=path))
    works(stage.script("domain-delete", domain="example.com", force="yes"))


FAKES = {
    "missing": None,
    "failing": "exit 1",
    "killed": "kill -9 $$",
    "silent": "exit 0",
    "cut short": "{real} | head -n 5",
    "cut in a line": "{real} | head -c 400",
    "failing after all": "{real}; exit 1",
    "without its end": "{real} | sed '$d'",
    "end twice": "{real}; printf 'end\\t\\t\\t1\\n'",
    "wrong count": "{real} | sed 's/^end\\t\\t\\t9/end\\t\\t\\t8/'",
    "a line twice": "{real} | sed '1p'",
    "a line changed": "{real} | sed 's/10000/10/'",
    "not TSV": "{real} | tr '\\t' ' '",
    "binary": "head -c 3000 /dev/urandom",
    "NULs": "head -c 3000 /dev/zero",
    "backslash N": "printf '%s\\n' '\\N' '\\.'",
    "empty line": "echo; {real}",
    "endless line": "head -c 3000000 /dev/zero | tr '\\0' x",
    "stray command": "echo 'DROP TABLE onecred.credential;'; {real}",
}


# These do nothing to the two lines of a role.
SIX_LINES = ("cut short", "cut in a line", "wrong count", "a line changed")


@case("a helper that is missing, fails or is cut short changes nothing")
def helpers(stage):
    works(stage.script("domain-add", domain="example.com"))
    f = stage.password_file(PASSWORD)
    works(stage.script("user-add", user=ALICE, password_file=f))
    before = accounts(stage)
    for name, text in FAKES.items():
        path = stage.path("helper")
        if text is None:
            if os.path.exists(path):
                os.unlink(path)
        else:
            stage.file("helper", "#!/bin/sh\n" + text.replace(
                "{real}", f'"{stage.program("onecred")}" "$@"') + "\n",
                mode=0o755)
        for script, user in (("user-password", ALICE),
                             ("user-add", "new@example.com")):
            if script == "user-add" and name not in ("missing", "cut short"):
                continue
            done = stage.script(script, user=user, password_file=f,
                                env={"ONECRED": path})
            assert done.returncode == 3, (name, done)
            assert accounts(stage) == before, name
            for line in done.stderr.splitlines():
                assert "SCRAM-SHA-" not in line, (name, line)
        if name in SIX_LINES:
            continue
        done = stage.script("role-add", role="newrole", grant="daemon",
                            domain="*", password_file=f,
                            env={"ONECRED": path})
        assert done.returncode == 3, (name, done)
    assert stage.postgres.value("SELECT count(*) FROM pg_roles WHERE "
                                "rolname = 'newrole'") == "0"


@case("the scripts find the installed onecred by its absolute path")
def absolute(stage):
    names = [n for n in glob.glob(stage.sql("*"))
             if "hash --" in open(n, encoding="utf-8").read()]
    assert len(names) == 3, names
    for name in names:
        with open(name, encoding="utf-8") as text:
            assert '"${ONECRED:-/usr/bin/onecred}" hash' in text.read(), name


def need_alice(stage):
    """For cases that only want an account to be there."""
    stage.script("domain-add", domain="example.com")
    stage.script("user-add", user=ALICE,
                 password_file=stage.password_file(PASSWORD))


def psql_terminal(stage, script, *variables):
    argv = ["psql", "-X"]
    for v in variables:
        argv += ["-v", v]
    return Terminal(argv + ["-f", stage.sql(script)], {
        **stage.environment(), **stage.postgres.environment()})


@case("the password is asked for twice, without echo")
def asked(stage):
    need_alice(stage)
    for answers, status, words in (
            ([PASSWORD, PASSWORD], 0, "new password"),
            ([PASSWORD, PASSWORD + "x"], 3, "differ"),
            (["Abc4567", "Abc4567"], 3, "8"),
            (["", ""], 3, ""),
            (["x" * 2000, "x" * 2000], 3, "long"),
            ([PASSWORD[:-1] + "xx\x7f\x7f" + PASSWORD[-1], PASSWORD], 0,
             "new password")):
        before = accounts(stage)
        with psql_terminal(stage, "user-password", f"user={ALICE}") as t:
            t.expect("Password for alice@example.com: ")
            t.quiet()
            t.type(answers[0] + "\n")
            if len(answers[0]) < 1500:
                t.expect("again for alice@example.com: ")
                t.quiet()
                t.type(answers[1] + "\n")
            assert t.end() == status, t.seen
            assert words in t.seen, t.seen
            for answer in answers:
                assert answer == "" or answer not in t.seen, t.seen
        assert (accounts(stage) == before) == (status != 0)


@case("signals at the prompt: the echo comes back, nothing is changed")
def interrupted(stage):
    need_alice(stage)
    before = accounts(stage)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                   signal.SIGQUIT):
        with Terminal([stage.program("onecred"), "hash", ALICE], {}) as t:
            t.expect("Password for")
            t.quiet()
            t.type("half a pass")
            os.kill(t.pid, signum)
            wait_until(t.loud, 10, "the echo back on")
            assert t.end() == -signum
            assert "SCRAM" not in t.seen and "half" not in t.seen
    for key, name in (("\x03", "SIGINT"), ("\x04", "end of file")):
        with psql_terminal(stage, "user-password", f"user={ALICE}") as t:
            t.expect("Password for")
            t.quiet()
            t.type(key)
            assert t.end() != 0, name
            assert accounts(stage) == before, name
    with Terminal([stage.program("onecred"), "hash", ALICE], {}) as t:
        t.expect("Password for")
        t.quiet()
        os.kill(t.pid, signal.SIGTSTP)
        # As the leader of its session it cannot stop, so it asks again.
        t.expect(r"(?s)Password for.*Password for")
        t.quiet()
        t.type(PASSWORD + "\n")
        t.expect("again")
        t.quiet()
        t.type(PASSWORD + "\n")
        assert t.end() == 0 and "end\t\t\t9" in t.seen, t.seen
    # Without a terminal there is nobody to ask.
    done = stage.script("user-password", user=ALICE)
    assert done.returncode == 3 and "terminal" in done.stderr, done
    assert accounts(stage) == before


@case("the password is in no command line and no environment")
def proc(stage):
    need_alice(stage)
    with psql_terminal(stage, "user-password", f"user={ALICE}") as t:
        t.expect("Password for")
        t.quiet()
        t.type(PASSWORD + "\n")
        t.expect("again for")
        # psql, its shell and onecred hash, which now waits for the second.
        pids = [t.pid, *descendants(t.pid)]
        names = set()
        for pid in pids:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                names.add(f.read().strip())
            for what in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{what}", "rb") as f:
                        text = f.read()
                except PermissionError:
                    continue        # PR_SET_DUMPABLE, and we are not root
                assert PASSWORD.encode() not in text, (pid, what)
        assert {"psql", "onecred"} <= names, names
        helper = [p for p in pids if os.path.exists(f"/proc/{p}/limits") and
                  open(f"/proc/{p}/comm", encoding="utf-8").read() ==
                  "onecred\n"][0]
        with open(f"/proc/{helper}/limits", encoding="utf-8") as f:
            assert re.search(r"core file size\s+0\s+0", f.read())
        # Not dumpable: its /proc belongs to root whoever runs it.
        assert os.stat(f"/proc/{helper}/mem").st_uid == 0
        t.quiet()
        t.type(PASSWORD + "\n")
        assert t.end() == 0, t.seen


@case("nothing secret is in the server's log or on a terminal")
def log(stage):
    text = stage.postgres.log_text()
    assert "account_load" in text and "COPY" in text
    secrets = [PASSWORD, "only for sip", "pässwörter"]
    rows = stage.postgres.psql(
        "SET log_statement = 'none'; SET log_min_duration_statement = -1;\n"
        "SELECT v FROM onecred.credential, LATERAL unnest(ARRAY[scram_sha_1, "
        "scram_sha_256, scram_sha_512, ha1_md5, ha1_sha_256, "
        "ha1_sha_512_256, ha1b_md5]) AS v WHERE v IS NOT NULL", check=True)
    secrets += [line.rsplit("$", 1)[-1][:20] for line in
                rows.stdout.split()]
    assert len(secrets) > 8
    for secret in secrets:
        if secret == PASSWORD:
            # The hostile names' case asks the server itself for digests.
            text = text.replace(f":{PASSWORD}'", "")
        assert secret not in text, secret
    for digest in re.findall(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b", text):
        raise AssertionError(f"a digest in the log: {digest}")
    assert "SCRAM-SHA-1$" not in text and "SCRAM-SHA-512$" not in text


if __name__ == "__main__":
    run_cases(__file__, prepare)
