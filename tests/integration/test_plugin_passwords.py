#!/usr/bin/python3 -B
"""
The Cyrus SASL plugin and plaintext passwords: PLAIN goes past it, saslpasswd2
and auto_transition give it one, and all verifiers are made of it at once.
"""

import base64

from sasl import (BADAUTH, LATIN_1, NOUSER, OK, SCRAMS, UNAVAIL, Driver, Mux,
                  add_domain, check_canaries, configure, environment, ha1,
                  log_lines, prepare)
from stage import case, run_cases


@case("PLAIN goes to saslauthd's socket without a query of ours")
def plain(stage):
    with Mux(stage) as mux, Driver(stage) as d:
        stage.postgres.stop()
        try:
            assert d.code("PLAIN", "alice", "wonderland") == OK
        finally:
            stage.postgres.start()
        assert mux.asked == [[b"alice", b"wonderland", b"xmpp",
                              b"example.com"]], mux.asked

def saslpasswd(stage, user, password=None, options=("-c",),
               name="saslpasswd", domain="example.com"):
    """saslpasswd2; no password: -d. -> CompletedProcess"""
    argv = ["saslpasswd2", "-a", name, "-p"]
    argv += ["-d"] if password is None else list(options)
    if domain is not None:
        argv += ["-u", domain]
    return stage.run([*argv, user], env=environment(stage),
                     input=password or "")


def row(stage, localpart, columns="*"):
    return stage.postgres.value(
        f"SELECT {columns} FROM onecred.credential "
        f"WHERE domain = 'example.com' AND localpart = '{localpart}'")


@case("saslpasswd2 creates, changes and deletes an account")
def passwords_set(stage):
    configure(stage, "saslpasswd", stage.postgres.conninfo("writer"))
    stage.script("realm-add", check=True, realm="Second Realm",
                 domain="example.com")
    with Driver(stage) as d:
        for password in ("firstpass", "second:pass"):
            done = saslpasswd(stage, "erin", password)
            assert done.returncode == 0, done.stderr
            for mech in (*SCRAMS, "DIGEST-MD5"):
                assert d.code(mech, "erin", password) == OK, mech
        for mech in (*SCRAMS, "DIGEST-MD5"):
            assert d.code(mech, "erin", "firstpass") == BADAUTH, mech
        # Every digest that the policy asks for, for both realms.
        for name, hashed in (("md5", "md5"), ("sha_256", "sha256"),
                             ("sha_512_256", "sha512_256")):
            for form, who in (("ha1", "erin"), ("ha1b", "erin@example.com")):
                value = row(stage, "erin", f"{form}_{name}")
                assert value == ha1(who, "example.com", "second:pass",
                                    hashed), (name, form)
                value = stage.postgres.value(
                    f"SELECT {form}_{name} FROM onecred.credential_realm "
                    "WHERE localpart = 'erin' AND realm = 'Second Realm'")
                assert value == ha1(who, "Second Realm", "second:pass",
                                    hashed), (name, form)
        assert row(stage, "erin", "ha1_origin") == "same"
        # Three mechanisms, three salts of 24 base64 characters.
        salts = {base64.b64decode(text.split("$")[1].split(":")[1])
                 for text in row(stage, "erin", "concat_ws(' ', scram_sha_1,"
                                 " scram_sha_256, scram_sha_512)").split()}
        assert len(salts) == 3 and {len(s) for s in salts} == {24}
        done = saslpasswd(stage, "erin")
        assert done.returncode == 0, done.stderr
        assert row(stage, "erin", "count(*)") == "0"
        assert d.code("SCRAM-SHA-256", "erin", "second:pass") == BADAUTH
        # A name with its domain and none asked for.
        done = saslpasswd(stage, "erin@example.com", "thirdpass",
                          domain=None)
        assert done.returncode == 0, done.stderr
        assert d.code("SCRAM-SHA-256", "erin", "thirdpass") == OK
        assert saslpasswd(stage, "erin").returncode == 0
        # Nothing to delete is an error that says so.
        done = saslpasswd(stage, "erin")
        assert done.returncode != 0 and "user not found" in done.stderr


@case("saslpasswd2 is refused with a sentence, and changes nothing")
def passwords_refused(stage):
    configure(stage, "saslpasswd", stage.postgres.conninfo("writer"))
    before = stage.postgres.value("SELECT count(*), max(version) "
                                  "FROM onecred.credential")
    # What libsasl2 has no code for stands in the log.
    with Driver(stage, "saslpasswd") as d:
        for user, password, code, sentence in (
                ("frank", "short1", -27, "too short"),
                ("frank", " leading blank", -27, "blank"),
                ("frank", "control\x01inside", -27, "control character"),
                ("frank", LATIN_1, -27, "not ASCII"),
                ("frank", "x" * 129, -27, "too long"),
                ("Fr ank", "longenough", -7, "not the name"),
                ("frank@other.example.org", "longenough", -7,
                 "not the name"),
                ("fr+ank", "longenough", -7, "account name"),
                ("nobody", "-", NOUSER, "no such account")):
            answer = d.ask("setpass", user, password)
            assert answer == str(code), (user, sentence, answer)
            assert log_lines(d, sentence), (sentence, d.log_text())
            assert password == "-" or password not in d.log_text()
    done = saslpasswd(stage, "frank", "short1")
    assert done.returncode != 0 and "too weak" in done.stderr
    # Another domain, another role, an unconfigured application.
    done = saslpasswd(stage, "frank", "longenough",
                      domain="other.example.org")
    assert done.returncode != 0 and "authorization failure" in done.stderr
    configure(stage, "reader")
    done = saslpasswd(stage, "frank", "longenough", name="reader")
    assert done.returncode != 0 and "authorization failure" in done.stderr
    configure(stage, "nodb", onecred_conninfo=None)
    done = saslpasswd(stage, "frank", "longenough", name="nodb")
    assert done.returncode != 0
    # Without the plaintext there is nothing to make verifiers of.
    configure(stage, "generate", stage.postgres.conninfo("writer"),
              scram_secret_generate="yes")
    done = saslpasswd(stage, "frank", "longenough", options=("-c", "-n"),
                      name="generate")
    assert done.returncode != 0
    assert before == stage.postgres.value(
        "SELECT count(*), max(version) FROM onecred.credential")
    # With it, what else libsasl2 wants to store does no harm.
    done = saslpasswd(stage, "frank", "longenough", name="generate")
    assert done.returncode == 0, done.stderr
    assert row(stage, "frank", "num_nonnulls(scram_sha_1, scram_sha_512)") \
        == "2"
    stage.postgres.stop()
    try:
        done = saslpasswd(stage, "frank", "longenough2")
        assert done.returncode != 0, done.stderr
    finally:
        stage.postgres.start()
    with Driver(stage) as d:
        assert d.code("SCRAM-SHA-256", "frank", "longenough") == OK


@case("auto_transition completes an account and leaves a complete one alone")
def transition(stage):
    configure(stage, "auto", stage.postgres.conninfo("writer"),
              auto_transition="yes")
    stage.postgres.psql(
        "UPDATE onecred.credential SET ha1_md5 = NULL, scram_sha_512 = NULL,"
        " scram_sha_1 = NULL, enabled = true WHERE localpart = 'alice'"
        " AND domain = 'example.com'", check=True)
    with Mux(stage), Driver(stage, "auto") as d:
        assert d.code("SCRAM-SHA-1", "alice", "wonderland") == BADAUTH
        assert d.code("PLAIN", "alice", "wonderland") == OK
        version = row(stage, "alice", "version")
        for mech in (*SCRAMS, "DIGEST-MD5"):
            assert d.code(mech, "alice", "wonderland") == OK, mech
        for _ in range(3):
            assert d.code("PLAIN", "alice", "wonderland") == OK
        assert row(stage, "alice", "version") == version
        # SIP's own password is not replaced behind its owner's back.
        before = row(stage, "sip")
        assert d.code("PLAIN", "sip", "sipsipsip") == OK
        assert row(stage, "sip") == before
    # A role that may not write: logins go on, for everybody.
    configure(stage, "autoread", auto_transition="yes")
    with Mux(stage), Driver(stage, "autoread") as d:
        for _ in range(3):
            assert d.code("PLAIN", "alice", "wonderland") == OK
            assert d.code("SCRAM-SHA-256", "alice", "wonderland") == OK


@case("sealed digests: with the key, without it, with another one")
def sealed(stage):
    def key_file(name, octet):
        return stage.file(name, f"{name} " + base64.b64encode(
            bytes([octet]) * 32).decode() + "\n", mode=0o600)

    add_domain(stage, "sealed.example.com", digests="sealed")
    writer = stage.postgres.conninfo("writerall")
    configure(stage, "sealed", writer,
              onecred_seal_key_file=key_file("k1", 1))
    configure(stage, "keyless", writer)
    configure(stage, "wrongkey", writer,
              onecred_seal_key_file=key_file("k2", 2))
    domain = "sealed.example.com"
    done = saslpasswd(stage, "gina", "longenough", name="keyless",
                      domain=domain)
    assert done.returncode != 0
    done = saslpasswd(stage, "gina", "longenough", name="sealed",
                      domain=domain)
    assert done.returncode == 0, done.stderr
    values = stage.postgres.value(
        "SELECT concat_ws(' ', ha1_md5, ha1_sha_256, ha1_sha_512_256, "
        "ha1b_md5, ha1b_sha_256, ha1b_sha_512_256) FROM onecred.credential "
        f"WHERE domain = '{domain}'").split()
    assert len(values) == 6 and len(set(values)) == 6
    assert all(v.startswith("sealed:1:k1:") for v in values), values
    for name, known, unknown in (("sealed", OK, BADAUTH),
                                 ("keyless", UNAVAIL, UNAVAIL),
                                 ("wrongkey", UNAVAIL, BADAUTH)):
        with Driver(stage, name, realm=domain) as d:
            assert d.code("DIGEST-MD5", "gina", "longenough") == known, name
            assert d.code("DIGEST-MD5", "gone", "longenough") == unknown
            assert d.code("SCRAM-SHA-256", "gina", "longenough") == OK
    # A value of another account, put there by whoever can write.
    stage.postgres.psql(
        "INSERT INTO onecred.credential (domain, localpart, ha1_md5) SELECT "
        f"domain, 'mallory', ha1_md5 FROM onecred.credential "
        f"WHERE domain = '{domain}' AND localpart = 'gina'", check=True)
    with Driver(stage, "sealed", realm=domain) as d:
        assert d.code("DIGEST-MD5", "mallory", "longenough") == UNAVAIL
        assert log_lines(d, "cannot be opened")


@case("no password and no verifier in any log, at any level")
def canary(stage):
    check_canaries(stage, "second:pass", "longenough")


if __name__ == "__main__":
    run_cases(__file__, prepare)
