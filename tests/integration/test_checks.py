#!/usr/bin/python3 -B
"""
What the tables take: every malformed verifier and name is refused, by the
triggers with a text of their own, and by the CHECKs that stand behind them.
"""

import re

from rows import (CANARIES, OTHER, account_set, b64, ha1, literal, refused,
                  scram, sealed, secret_statement)
from stage import case, run_cases


def prepare(stage):
    stage.database(log_statement="'all'", log_min_duration_statement="0",
                   log_error_verbosity="'verbose'", log_min_messages="debug1")
    stage.script("schema", check=True)
    stage.postgres.psql(";".join((
        "INSERT INTO onecred.domain (domain) VALUES ('example.com'), "
        "('sealed.example'), ('none.example'), ('wide.example')",
        "UPDATE onecred.domain SET digests = 'sealed' "
        "WHERE domain = 'sealed.example'",
        "UPDATE onecred.domain SET digests = 'none' "
        "WHERE domain = 'none.example'",
        "UPDATE onecred.domain SET localpart_rule = 'wide' "
        "WHERE domain = 'wide.example'",
        "INSERT INTO onecred.realm (realm, domain) "
        "VALUES ('Extra', 'example.com')")), check=True)


@case("every malformed verifier is refused, by function and by table")
def malformed(stage):
    good = {"scram_sha_1": scram(1), "scram_sha_256": scram(256),
            "scram_sha_512": scram(512)}
    bad = {name: [
        "", " " + text, text + " ", text + "\n", text + "$", text[:-1],
        text[:-4], text.replace("SCRAM", "scram"), text.replace("4096", "4095"),
        text.replace("4096", "65537"), text.replace("4096", "04096"),
        text.replace("4096", "99999999999999999999"),
        text.replace("4096", "-4096"), text.replace("4096", ""),
        text.replace(":", ";", 1), text.replace("$", "", 1),
        text.replace("=", "\n="), text.replace("=", "", 1),
        scram({"scram_sha_1": 256, "scram_sha_256": 512,
               "scram_sha_512": 1}[name]),
        re.sub(r":[^$]*\$", ":$", text),                     # no salt
        re.sub(r":[^$]*\$", f":{b64(bytes(65))}$", text),    # 65 octets
        re.sub(r":[^$]*\$", ":QUI=QUI=$", text),             # = inside
        re.sub(r":[^$]*\$", ":QUJ=$", text),                 # not canonical
        re.sub(r":[^$]*\$", ":QR==$", text)]
        for name, text in good.items()}
    for octets, names in ((16, ("ha1_md5", "ha1b_md5")),
                          (32, ("ha1_sha_256", "ha1_sha_512_256",
                                "ha1b_sha_256", "ha1b_sha_512_256"))):
        text = ha1(octets)
        for name in names:
            bad[name] = ["", text[:-1], text + "0", text.upper(), text + "\n",
                         " " + text, text[:-1] + "g", ha1(48 - octets),
                         "sealed:", sealed(48 - octets),
                         sealed(octets).replace(":1:", ":2:"),
                         sealed(octets, ""), sealed(octets, "k" * 17),
                         sealed(octets, "k 1"), sealed(octets)[:-1],
                         sealed(octets) + "=", sealed(octets) + "\n"]
    assert sum(map(len, bad.values())) > 150
    tests = [(name, text) for name, texts in bad.items() for text in texts]
    # One round trip: which of them does the grammar take?
    taken = secret_statement(stage, "SELECT name, text FROM (VALUES " + ", ".join(
        f"({literal(n)}, {literal(t)})" for n, t in tests) + """) AS v (name, text)
        WHERE CASE WHEN name LIKE 'scram%' THEN onecred.scram_ok(text,
            upper(replace(name, '_', '-')))
            ELSE onecred.ha1_ok(text, CASE WHEN name LIKE '%md5' THEN 16
                ELSE 32 END) END""", check=True).stdout
    assert taken == "", taken
    for name in bad:
        for text in bad[name][:3]:
            refused(stage, f"INSERT INTO onecred.credential (domain, "
                    f"localpart, {name}) VALUES ('example.com', 'bad', "
                    f"{literal(text)})", "OC004")
    for salt in (b"1", b"12", b"123", bytes(64)):
        assert secret_statement(
            stage, f"SELECT onecred.scram_ok({literal(scram(1, salt=salt))}, "
            "'SCRAM-SHA-1')", check=True).stdout == "t\n"


@case("each CHECK stands behind the triggers")
def checks(stage):
    off = ("BEGIN; SET LOCAL session_replication_role = replica; "
           "INSERT INTO onecred.")
    for statement in (
            f"credential (domain, localpart, version, scram_sha_1) VALUES "
            f"('example.com', 'c', 1, {literal(OTHER[1][:-1])})",
            f"credential (domain, localpart, version, scram_sha_256) VALUES "
            f"('example.com', 'c', 1, {literal(OTHER[1])})",
            f"credential (domain, localpart, version, scram_sha_512) VALUES "
            f"('example.com', 'c', 1, {literal(OTHER[1])})",
            *(f"credential (domain, localpart, version, {n}) VALUES "
              f"('example.com', 'c', 1, 'zz')" for n in (
                  "ha1_md5", "ha1b_md5", "ha1_sha_256", "ha1b_sha_256",
                  "ha1_sha_512_256", "ha1b_sha_512_256", "ha1_origin")),
            *(f"credential_realm (domain, localpart, realm, {n}) VALUES "
              f"('example.com', 'c', 'Extra', 'zz')" for n in (
                  "ha1_md5", "ha1b_md5", "ha1_sha_256", "ha1b_sha_256",
                  "ha1_sha_512_256", "ha1b_sha_512_256")),
            "credential (domain, localpart, version) VALUES "
            "('example.com', 'A', 1)",
            "credential (domain, localpart, version) VALUES "
            "('example.com', 'anonymous', 1)",
            f"credential (domain, localpart, version) VALUES "
            f"('{'d' * 60}.{'d' * 60}.{'d' * 60}.{'d' * 10}', '{'l' * 64}',"
            f" 1)",
            "domain (domain) VALUES ('Example.com')",
            "domain (domain, iterations) VALUES ('x.example', 4095)",
            "domain (domain, iterations) VALUES ('x.example', 65537)",
            "domain (domain, digests) VALUES ('x.example', 'maybe')",
            "domain (domain, localpart_rule) VALUES ('x.example', 'none')",
            "realm (realm, domain) VALUES ('a\"b', 'example.com')",
            "realm (realm, domain, algorithms) VALUES ('a', 'example.com', "
            "'{}')",
            "realm (realm, domain, algorithms) VALUES ('a', 'example.com', "
            "'{MD5,MD5}')",
            "realm (realm, domain, algorithms) VALUES ('a', 'example.com', "
            "'{SHA-1}')",
            "realm (realm, domain, domain_parameter) VALUES ('a', "
            "'example.com', '{\"sip:a b\"}')",
            "realm (realm, domain, identity) VALUES ('a', 'example.com', "
            "'loose')",
            "consumer (role, domain) VALUES ('r', 'A*')",
            "fake_profile (domain, slot, iterations, salt_octets) VALUES "
            "('example.com', 16, 4096, 16)",
            "fake_profile (domain, slot, iterations, salt_octets) VALUES "
            "('x.example', 0, 1, 16)",
            "fake_profile (domain, slot, iterations, salt_octets) VALUES "
            "('x.example', 0, 4096, 0)",
            "alias (domain, localpart, uri) VALUES ('example.com', 'c', "
            "'tel: 1')",
            "schema_version (only_row, version, serves_programs_since) "
            "VALUES (false, 1, 1)",
            "secret (only_row, key) VALUES (true, '\\x00')"):
        done = secret_statement(stage, off + statement + "; ROLLBACK")
        assert done.returncode == 3, statement
        assert "violates check constraint" in done.stderr, (statement, done)


@case("names outside the grammar never become accounts")
def names(stage):
    for name in ("", "Alice", "anonymous", "-a", ".a", "a b", "a@b", "a:b",
                 "a/b", "a'b", 'a"b', "a\\b", "a\nb", "a&b", "é", "a" * 65,
                 "$(id)", "*"):
        refused(stage, account_set("example.com", name), "OC004")
        if name not in ("*", "$(id)"):
            refused(stage, account_set("wide.example", name), "OC004")
    for name in ("a", "0", "a.b_c-d", "a" * 64):
        secret_statement(stage, account_set("example.com", name), check=True)
    for name in ("*", "$(id)", "+4930", "a!~*()+=$,b"):
        secret_statement(stage, account_set("wide.example", name), check=True)
    for domain in ("", "Example.com", "example.com.", "exa_mple.com",
                   ".com", "a..b", "-a.b", "a-.b", "a" * 64, "é.example",
                   "a b", "*"):
        refused(stage, account_set(domain, "alice"), "OC004")
        refused(stage, "INSERT INTO onecred.domain (domain) VALUES "
                f"({literal(domain)})")
    refused(stage, account_set("unknown.example", "alice"), "OC002")
    refused(stage, account_set(None, "alice"), "OC004")
    refused(stage, account_set("example.com", None), "OC004")


@case("nothing of all that is in the server's log")
def log(stage):
    text = stage.postgres.log_text()
    assert "OC004" in text and "violates check constraint" in text
    # What was written past the triggers is there: this test can fail.
    assert OTHER[1].rsplit("$", 1)[1][:12] in text
    for canary in CANARIES:
        assert canary not in text, canary


if __name__ == "__main__":
    run_cases(__file__, prepare)
