#!/usr/bin/python3 -B
"""
The schema itself: what its tables refuse, that no verifier gets into the
server's log when they do, the one write function, notifications, lookups,
and that schema.sql can be run again.
"""

import re
import threading

from rows import (CANARIES, account_set, ha1, literal, number, refused, scram,
                  sealed, secret_statement)
from stage import case, run_cases


def prepare(stage):
    stage.database(log_statement="'all'", log_min_duration_statement="0",
                   log_error_verbosity="'verbose'", log_min_messages="debug1")
    stage.script("schema", check=True)
    sql(stage, "INSERT INTO onecred.domain (domain) VALUES ('example.com'), "
        "('sealed.example'), ('none.example'), ('wide.example')",
        "UPDATE onecred.domain SET digests = 'sealed' "
        "WHERE domain = 'sealed.example'",
        "UPDATE onecred.domain SET digests = 'none' "
        "WHERE domain = 'none.example'",
        "UPDATE onecred.domain SET localpart_rule = 'wide' "
        "WHERE domain = 'wide.example'",
        "INSERT INTO onecred.realm (realm, domain) "
        "VALUES ('Extra', 'example.com')")


def sql(stage, *statements):
    return stage.postgres.psql(";\n".join(statements), check=True)


@case("a database that is not UTF8 is refused, naming the createdb command")
def encoding(stage):
    stage.run(["createdb", "-E", "SQL_ASCII", "--locale=C", "-T", "template0",
               "ascii"], env=stage.postgres.environment("postgres"),
              check=True)
    done = stage.script("schema", database="ascii")
    assert done.returncode == 3, done
    assert "createdb -E UTF8" in done.stderr, done.stderr
    assert stage.postgres.value("SELECT to_regnamespace('onecred') IS NULL",
                                database="ascii") == "t"


@case("schema.sql again changes nothing and repairs grants")
def again(stage):
    sql(stage, "INSERT INTO onecred.credential (domain, localpart) "
        "VALUES ('example.com', 'kept')",
        "GRANT SELECT ON onecred.credential TO onecred_plugin, PUBLIC")
    dump = [stage.postgres.value(f"SELECT string_agg(t::text, '|' ORDER BY "
                                 f"t::text) FROM onecred.{t} AS t")
            for t in ("credential", "domain", "realm", "secret",
                      "lookup_policy", "schema_version", "fake_profile")]
    for _ in range(2):
        done = stage.script("schema")
        assert done.returncode == 0 and done.stdout == "", done
        assert "psql:" not in done.stderr, done
    assert dump == [
        stage.postgres.value(f"SELECT string_agg(t::text, '|' ORDER BY "
                             f"t::text) FROM onecred.{t} AS t")
        for t in ("credential", "domain", "realm", "secret",
                  "lookup_policy", "schema_version", "fake_profile")]
    assert stage.postgres.value(
        "SELECT has_table_privilege('onecred_plugin', 'onecred.credential', "
        "'SELECT')") == "f"


@case("a newer schema is left alone")
def newer(stage):
    sql(stage, "UPDATE onecred.schema_version SET version = 99")
    done = stage.script("schema")
    assert done.returncode == 3 and "newer" in done.stderr, done
    sql(stage, "UPDATE onecred.schema_version SET version = 1")


@case("a failing schema.sql leaves nothing behind")
def transaction(stage):
    stage.create_database("half")
    stage.postgres.psql("CREATE SCHEMA onecred; CREATE TABLE "
                        "onecred.credential (x int); GRANT ALL ON SCHEMA "
                        "onecred TO onecred_admin",
                        database="half", check=True)
    assert stage.script("schema", database="half").returncode == 3
    assert stage.postgres.value("SELECT to_regclass('onecred.domain') IS NULL",
                                database="half") == "t"


ALL = {"scram_sha_1": scram(1), "scram_sha_256": scram(256),
       "scram_sha_512": scram(512),
       ("ha1_md5", "example.com", "local"): ha1(16, b"1"),
       ("ha1_md5", "example.com", "full"): ha1(16, b"2"),
       ("ha1_sha_256", "example.com", "local"): ha1(32, b"3"),
       ("ha1_sha_256", "example.com", "full"): ha1(32, b"4"),
       ("ha1_sha_512_256", "example.com", "local"): ha1(32, b"5"),
       ("ha1_sha_512_256", "example.com", "full"): ha1(32, b"6"),
       ("ha1_md5", "Extra", "local"): ha1(16, b"7"),
       ("ha1_sha_256", "Extra", "full"): ha1(32, b"8")}
FIELDS = ("domain digests stores digest_md5 iterations realm found enabled "
          "version ha1_origin scram_sha_1 scram_sha_256 scram_sha_512 ha1_md5 "
          "ha1_sha_256 ha1_sha_512_256 ha1b_md5 ha1b_sha_256 "
          "ha1b_sha_512_256 fake_iterations fake_salt_n seed name_key"
          ).split()


def lookup(stage, domain, localpart, realm=None, **options):
    """The lookup of one name, which that of many must agree with."""
    values = [literal(v) for v in (domain, localpart, realm)]
    text = secret_statement(
        stage, f"SELECT onecred.daemon_lookup({', '.join(values)})",
        check=True, **options).stdout[:-1]
    arrays = ", ".join(f"ARRAY['zzz', {v}, NULL]::text[]" for v in values)
    many = secret_statement(
        stage, f"SELECT onecred.daemon_lookups({arrays})", check=True,
        **options).stdout
    assert many == f"\n{text}\n\n", (text, many)
    if text == "":
        return None
    fields = text.split("\t")
    assert len(fields) == len(FIELDS), fields
    return dict(zip(FIELDS, fields))


@case("account_set: create, update, set, sip, compare-and-set")
def modes(stage):
    refused(stage, account_set("example.com", "bob", "update", ALL), "OC002")
    refused(stage, account_set("example.com", "bob", "set",
                               {("ha1_md5", "example.com", "local"): ha1()},
                               "sip"), "OC002")
    first = number(stage, account_set("example.com", "bob", "create", ALL))
    refused(stage, account_set("example.com", "bob", "create", ALL), "OC001")
    row = lookup(stage, "example.com", "bob")
    assert row["version"] == str(first) and row["ha1_origin"] == "same"
    assert row["enabled"] == row["found"] == "t"
    for name, value in ALL.items():
        if isinstance(name, str):
            assert row[name] == value
        elif name[1] == "example.com":
            column = name[0] if name[2] == "local" else \
                name[0].replace("ha1", "ha1b")
            assert row[column] == value, column
    extra = lookup(stage, "example.com", "bob", "eXTRA")
    assert extra["realm"] == "Extra" and extra["ha1_md5"] == ha1(16, b"7")
    assert extra["ha1b_sha_256"] == ha1(32, b"8") and extra["ha1b_md5"] == ""
    assert extra["scram_sha_1"] == scram(1)

    # SIP's own password: SCRAM stays, every other HA1 goes.
    second = number(stage, account_set(
        "example.com", "bob", "update",
        {("ha1_md5", "example.com", "local"): ha1(16, b"9")}, "sip"))
    assert second > first
    row = lookup(stage, "example.com", "bob")
    assert row["ha1_md5"] == ha1(16, b"9") and row["ha1b_md5"] == ""
    assert row["ha1_origin"] == "separate" and row["scram_sha_1"] == scram(1)
    assert lookup(stage, "example.com", "bob", "Extra")["ha1_md5"] == ""

    # A new password leaves nothing of the old one.
    refused(stage, account_set("example.com", "bob", "set", version=first),
            "OC003")
    third = number(stage, account_set("example.com", "bob", "set",
                                      version=second))
    row = lookup(stage, "example.com", "bob")
    assert row["version"] == str(third) and row["ha1_origin"] == "same"
    assert [row[f] for f in FIELDS if f.startswith("ha1_") and
            f != "ha1_origin" or f.startswith("ha1b")] == [""] * 6
    assert row["scram_sha_1"] == row["scram_sha_512"] == ""

    # It does not let a disabled account in again.
    number(stage, "SELECT onecred.account_enable('example.com', 'bob', false)")
    number(stage, account_set("example.com", "bob", "set", ALL))
    assert lookup(stage, "example.com", "bob")["enabled"] == "f"
    number(stage, "SELECT onecred.account_delete('example.com', 'bob')")
    assert lookup(stage, "example.com", "bob")["found"] == "f"
    assert stage.postgres.value("SELECT count(*) FROM onecred."
                                "credential_realm") == "0"
    for call in ("account_delete('example.com', 'bob')",
                 "account_enable('example.com', 'bob', true)"):
        refused(stage, f"SELECT onecred.{call}", "OC002")


@case("account_set: hostile lists")
def lists(stage):
    def call(names, realms="'{\"\"}'", forms="'{\"\"}'", values=None,
             rest=""):
        values = values or f"ARRAY[{literal(scram())}]"
        return (f"SELECT onecred.account_set('example.com', 'eve', 'set', "
                f"{names}, {realms}, {forms}, {values}{rest})")

    for statement in (
            call("NULL"), call("'{}'", "'{}'", "'{}'", "'{}'"),
            call("'{scram_sha_256,scram_sha_256}'"),
            call("'{scram_sha_256,scram_sha_256}'", "'{\"\",\"\"}'",
                 "'{\"\",\"\"}'", f"ARRAY[{literal(scram())}, "
                 f"{literal(scram())}]"),
            call("'{enabled}'"), call("'{NULL}'"), call("'{\"\"}'"),
            call("'{scram_sha_256}'", values="'{NULL}'"),
            call("'{scram_sha_256}'", values="'{\"\"}'"),
            call("'{scram_sha_256}'", realms="'{example.com}'"),
            call("'{scram_sha_256}'", forms="'{local}'"),
            call("'{scram_sha_1}'"),
            call("'{scram_sha_256}'", rest=", 'sip'"),
            call("'{scram_sha_256}'", rest=", 'xmpp'"),
            call("'{scram_sha_256}'", rest=", NULL")):
        refused(stage, statement, "OC004")
    for realm in ("", "EXAMPLE.COM", "sealed.example", "a,b", "no", None):
        refused(stage, account_set("example.com", "eve", "set", {
            ("ha1_md5", realm, "local"): ha1()}), "OC004")
    for form in ("", "both", None):
        refused(stage, account_set("example.com", "eve", "set", {
            ("ha1_md5", "example.com", form): ha1()}), "OC004")
    for mode in ("", "delete", None):
        refused(stage, account_set("example.com", "eve", mode), "OC004")
    assert lookup(stage, "example.com", "eve")["found"] == "f"


@case("HA1s follow the domain's policy, in the function and in the table")
def policy(stage):
    for domain, good, bad in (
            ("example.com", ha1(), sealed()),
            ("sealed.example", sealed(), ha1()),
            ("none.example", None, ha1()), ("none.example", None, sealed())):
        key = ("ha1_md5", domain, "local")
        refused(stage, account_set(domain, "carol", "set", {key: bad}),
                "OC005")
        refused(stage, "INSERT INTO onecred.credential (domain, localpart, "
                f"ha1b_md5) VALUES ('{domain}', 'carol', {literal(bad)})",
                "OC005")
        if good:
            number(stage, account_set(domain, "carol", "set", {key: good}))
            refused(stage, "UPDATE onecred.credential SET ha1_md5 = "
                    f"{literal(bad)} WHERE domain = '{domain}' AND "
                    "localpart = 'carol'", "OC005")
    sql(stage, "UPDATE onecred.domain SET store_md5 = false "
        "WHERE domain = 'example.com'")
    refused(stage, account_set("example.com", "dan", "set", {
        ("ha1_md5", "example.com", "local"): ha1()}), "OC005")
    sql(stage, "UPDATE onecred.domain SET store_md5 = true "
        "WHERE domain = 'example.com'")
    # The policy itself changes only together with what it is about.
    for value in ("sealed", "none"):
        refused(stage, f"UPDATE onecred.domain SET digests = '{value}' "
                "WHERE domain = 'example.com'", "OC005")
    secret_statement(stage, f"""BEGIN;
        UPDATE onecred.domain SET digests = 'plain'
            WHERE domain = 'sealed.example';
        UPDATE onecred.credential SET ha1_md5 = {literal(ha1())}
            WHERE domain = 'sealed.example';
        COMMIT;
        BEGIN;
        UPDATE onecred.domain SET digests = 'sealed'
            WHERE domain = 'sealed.example';
        UPDATE onecred.credential SET ha1_md5 = {literal(sealed())}
            WHERE domain = 'sealed.example';
        COMMIT""", check=True)


@case("realms and names cannot change under the digests made from them")
def unchangeable(stage):
    number(stage, account_set("example.com", "frank", "set", ALL))
    for statement in (
            "UPDATE onecred.realm SET realm = 'Example.com' "
            "WHERE realm = 'example.com'",
            "UPDATE onecred.realm SET realm = 'other' WHERE realm = 'Extra'",
            "DELETE FROM onecred.realm WHERE realm = 'Extra'",
            "DELETE FROM onecred.realm WHERE realm = 'example.com'",
            "UPDATE onecred.realm SET home = true WHERE realm = 'Extra'",
            "UPDATE onecred.realm SET domain = 'wide.example' "
            "WHERE realm = 'Extra'",
            "UPDATE onecred.credential SET localpart = 'frank2' "
            "WHERE localpart = 'frank'",
            "UPDATE onecred.credential_realm SET realm = 'example.com'",
            "UPDATE onecred.domain SET domain = 'other.example' "
            "WHERE domain = 'wide.example'"):
        refused(stage, statement, "OC005")
    for statement in (
            "INSERT INTO onecred.realm (realm, domain) "
            "VALUES ('EXTRA', 'wide.example')",
            "INSERT INTO onecred.realm (realm, domain, home) "
            "VALUES ('home2', 'wide.example', true)",
            "DELETE FROM onecred.domain WHERE domain = 'example.com'"):
        refused(stage, statement)
    refused(stage, "INSERT INTO onecred.credential_realm (domain, localpart, "
            "realm) VALUES ('example.com', 'frank', 'example.com')", "OC004")
    # What is not part of a digest may change, and an unused realm too.
    sql(stage, "UPDATE onecred.realm SET algorithms = '{SHA-256,MD5}', "
        "identity = 'strict' WHERE realm = 'example.com'",
        "UPDATE onecred.realm SET realm = 'Wide' "
        "WHERE realm = 'wide.example'")
    assert lookup(stage, None, "nobody", "wIDE")["domain"] == "wide.example"
    assert lookup(stage, None, "nobody", "wide.example") is None
    sql(stage, "SELECT onecred.account_delete('example.com', 'frank')")


@case("deleting a domain takes everything of it along")
def cascades(stage):
    sql(stage, "INSERT INTO onecred.domain (domain) VALUES ('gone.example')",
        "INSERT INTO onecred.realm (realm, domain) "
        "VALUES ('Gone', 'gone.example')",
        "INSERT INTO onecred.consumer VALUES ('nobody', 'gone.example')")
    number(stage, account_set("gone.example", "a", "create", {
        "scram_sha_1": scram(1), ("ha1_md5", "Gone", "local"): ha1()}))
    sql(stage, "INSERT INTO onecred.alias (domain, localpart, uri) "
        "VALUES ('gone.example', 'a', 'tel:+49')",
        "DELETE FROM onecred.credential WHERE domain = 'gone.example'",
        "DELETE FROM onecred.domain WHERE domain = 'gone.example'")
    for table in ("domain", "realm", "credential", "credential_realm",
                  "consumer", "fake_profile", "alias", "lookup_policy"):
        assert stage.postgres.value(
            f"SELECT count(*) FROM onecred.{table} "
            "WHERE domain = 'gone.example'") == "0", table


@case("the lookup: unknown names, realms and domains; stable fakes")
def lookups(stage):
    assert lookup(stage, "unknown.example", "alice") is None
    assert lookup(stage, None, "alice", "unknown") is None
    assert lookup(stage, None, "alice") is None
    assert lookup(stage, "example.com", None) is None
    unknown = lookup(stage, "example.com", "nobody")
    assert unknown["found"] == "f" and unknown["enabled"] == ""
    assert unknown["realm"] == "example.com" and unknown["stores"] == "7"
    assert re.fullmatch("[0-9a-f]{64}", unknown["seed"])
    assert re.fullmatch("[0-9a-f]{64}", unknown["name_key"])
    assert unknown["seed"] != unknown["name_key"]
    assert unknown == lookup(stage, "example.com", "nobody")
    assert unknown == lookup(stage, None, "nobody", "EXAMPLE.com")
    other = lookup(stage, "wide.example", "nobody")
    assert other["seed"] != unknown["seed"]
    assert lookup(stage, "example.com", "nobody2")["seed"] != unknown["seed"]
    foreign = lookup(stage, "example.com", "carol", "sealed.example")
    assert foreign["realm"] == "" and foreign["found"] == "t"
    assert foreign["ha1_md5"] == "", "an HA1 of another realm"
    for hostile in ("'; DROP TABLE x; --", "a\tb", "a" * 1000, "\\", "é"):
        assert lookup(stage, "example.com", hostile)["found"] == "f"
    # The plugin's lookup agrees about fakes.
    row = stage.postgres.value(
        "SELECT onecred.lookup('example.com', 'nobody', 'SCRAM-SHA-1')")
    assert row.split("\t")[4:] == ["10000", "example.com", "f", "f", "",
                                   "10000", "24", unknown["seed"]], row


@case("fakes follow the policy and the profile")
def fakes(stage):
    sql(stage, "UPDATE onecred.domain SET iterations = 5000 "
        "WHERE domain = 'wide.example'")
    row = lookup(stage, "wide.example", "nobody")
    assert (row["iterations"], row["fake_iterations"]) == ("5000", "5000")
    sql(stage, "UPDATE onecred.fake_profile SET iterations = 4096 + slot, "
        "salt_octets = 16 WHERE domain = 'wide.example'")
    drawn = stage.postgres.value(
        "SELECT string_agg(DISTINCT split_part(d, E'\\t', 20), ' ') "
        "FROM onecred.daemon_lookups(array_fill('wide.example'::text, "
        "'{200}'), (SELECT array_agg('n' || i) FROM generate_series(1, 200) "
        "AS i), array_fill(NULL::text, '{200}')) AS d").split()
    assert 8 < len(drawn) <= 16, drawn
    assert set(drawn) <= {str(4096 + i) for i in range(16)}, drawn
    assert row["seed"] == lookup(stage, "wide.example", "nobody")["seed"]


@case("notifications: keyed names, versions, '*' for many and for policies")
def notifications(stage):
    def listen(statement):
        out = secret_statement(stage, f"LISTEN onecred;\n{statement};\n"
                               "SELECT 1;", check=True).stdout
        return re.findall(r'notification "onecred" with payload "([^"]*)"',
                          out)

    key = lookup(stage, "example.com", "grace")["name_key"]
    got = listen(account_set("example.com", "grace", "create", ALL))
    assert got and all(re.fullmatch(f"{key} [0-9]+", p) for p in got), got
    version = lookup(stage, "example.com", "grace")["version"]
    assert got[-1] == f"{key} {version}"
    for text in ("grace", "example"):
        assert text not in "".join(got)
    got = listen("SELECT onecred.account_enable('example.com', 'grace', false)")
    assert len(got) == 1 and int(got[0].split()[1]) > int(version)
    # Further digests written by hand are a change of the account too.
    newest = int(got[0].split()[1])
    got = listen("UPDATE onecred.credential_realm SET ha1_md5 = NULL "
                 "WHERE localpart = 'grace'")
    assert int(got[-1].split()[1]) > newest
    got = listen("SELECT onecred.account_delete('example.com', 'grace')")
    assert got[-1].startswith(key) and int(got[-1].split()[1]) > newest
    for statement in (
            "UPDATE onecred.domain SET iterations = 6000 "
            "WHERE domain = 'wide.example'",
            "UPDATE onecred.realm SET identity = 'off' "
            "WHERE realm = 'Extra'",
            "INSERT INTO onecred.consumer VALUES ('x', '*')",
            "DELETE FROM onecred.consumer WHERE role = 'x'"):
        assert set(listen(statement)) == {"*"}, statement
    many = ("INSERT INTO onecred.credential (domain, localpart) SELECT "
            "'example.com', 'm' || i FROM generate_series(1, {}) AS i")
    assert len(listen(many.format(1000))) == 1000
    assert listen("DELETE FROM onecred.credential WHERE localpart ~ '^m'") \
        != ["*"]
    assert listen(many.format(1001)) == ["*"]
    assert listen("DELETE FROM onecred.credential WHERE localpart ~ '^m'") \
        == ["*"]


@case("many at once: one creates, versions never go back")
def concurrent(stage):
    results = []

    def create(i):
        results.append(secret_statement(stage, "SELECT pg_sleep(0.05);\n" +
                       account_set("example.com", "race", "create",
                                   {"scram_sha_1": scram(1, 4096 + i)})))

    threads = [threading.Thread(target=create, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(r.returncode for r in results) == [0] + [3] * 5, results
    assert all("race@example.com" in r.stderr for r in results
               if r.returncode)
    # Policy and visibility of one domain from several sides at once.
    statements = [f"INSERT INTO onecred.consumer VALUES ('c{i}', "
                  "'example.com')" for i in range(4)]
    statements += [f"INSERT INTO onecred.realm (realm, domain) "
                   f"VALUES ('many{i}', 'example.com')" for i in range(4)]
    threads = [threading.Thread(target=sql, args=(stage, "BEGIN", s,
               "SELECT pg_sleep(0.05)", "COMMIT")) for s in statements]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert stage.postgres.value(
        "SELECT array_length(readers, 1), (SELECT count(*) FROM "
        "onecred.lookup_policy WHERE domain = 'example.com') FROM "
        "onecred.lookup_policy WHERE key = 'd/example.com'") == "4|7"
    sql(stage, "DELETE FROM onecred.consumer WHERE role ~ '^c[0-9]'",
        "DELETE FROM onecred.realm WHERE realm ~ '^many'")


@case("a dump can be loaded into another database")
def dump(stage):
    number(stage, account_set("example.com", "heidi", "set", ALL))
    stage.create_database("restored")
    text = stage.run(["pg_dump", "onecred"], check=True,
                     env=stage.postgres.environment("postgres")).stdout
    stage.postgres.psql(text, database="restored", check=True)
    assert lookup(stage, "example.com", "heidi", "Extra") == \
        lookup(stage, "example.com", "heidi", "Extra", database="restored")
    done = stage.script("schema", database="restored")
    assert done.returncode == 0, done
    refused(stage, "INSERT INTO onecred.credential (domain, localpart, "
            "ha1_md5) VALUES ('example.com', 'x', 'y')", "OC004",
            database="restored")


@case("nothing of all that is in the server's log")
def log(stage):
    text = stage.postgres.log_text()
    assert "account_delete" in text and "OC004" in text
    for canary in CANARIES:
        assert canary not in text, canary


if __name__ == "__main__":
    run_cases(__file__, prepare)
