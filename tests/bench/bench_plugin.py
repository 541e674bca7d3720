#!/usr/bin/python3 -B
"""
Logins per second through libsasl2, side by side: our plugin, Cyrus' own `sql`
plugin on the same PostgreSQL, and the mechanism's floor (a plugin that has
its one user in memory, tests/bench/auxprop/floor.c). BENCH_SECONDS (2) for
each measurement, BENCH_ROUNDS (3) of which the median counts.

The sql plugin cannot serve HA1s, so for DIGEST-MD5 it is given the plaintext.
Everybody connects through a unix socket without a password, which is what is
cheapest for a plugin that connects for every lookup.
"""

import os
import shutil
import statistics
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "integration"))

from sasl import (add_account, configure, environment, ha1,  # noqa: E402
                  sasl_path, scram)
from stage import BUILD, Stage                               # noqa: E402

SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
BENCH = os.path.join(TOP, BUILD, "tests", "bench", "sasl_bench")
FLOOR = os.path.join(TOP, BUILD, "tests", "bench", "auxprop", "floor.so")
PASSWORD = "wonderland"
MECHS = ("SCRAM-SHA-256", "DIGEST-MD5")
AIM = {1: 45, 4: 100}       # times sql, by processes

PROPERTIES = """
CREATE TABLE property (name text, realm text, property text, value text,
    PRIMARY KEY (name, realm, property));
INSERT INTO property VALUES
    ('alice', 'example.com', 'authPassword', '{verifier}'),
    ('digest', 'example.com', 'userPassword', '{password}');
GRANT SELECT ON property TO cyrus;
"""
SELECT = ("SELECT value FROM property WHERE name = '%u' AND realm = '%r' "
          "AND property = '%p'")


def prepare(stage):
    stage.database()
    hba = stage.file("pg_hba.conf", "local all all trust\n", user="postgres")
    stage.postgres.configure(hba_file=f"'{hba}'")
    stage.postgres.restart()
    stage.script("schema", check=True)
    stage.postgres.psql(
        "INSERT INTO onecred.domain (domain, digest_md5) "
        "VALUES ('example.com', true);"
        "CREATE ROLE cyrus LOGIN IN ROLE onecred_plugin;"
        "INSERT INTO onecred.consumer VALUES ('cyrus', 'example.com');",
        check=True)
    add_account(stage, "alice", PASSWORD)
    # A table of some size, so that an index is worth something.
    stage.postgres.psql(
        "INSERT INTO onecred.credential (domain, localpart, scram_sha_256, "
        "ha1_md5) SELECT domain, 'user' || i, scram_sha_256, md5(i::text) "
        "FROM onecred.credential, generate_series(1, 20000) AS i "
        "WHERE localpart = 'alice'", check=True)
    verifier = scram("sha256", "SCRAM-SHA-256", PASSWORD)
    stage.postgres.psql(PROPERTIES.format(verifier=verifier,
                                          password=PASSWORD), check=True)
    stage.postgres.psql("VACUUM ANALYZE", check=True)

    plugins = stage.make_directory("plugins")
    shutil.copy(os.path.join(sasl_path(stage), "libonecred.so"), plugins)
    shutil.copy(FLOOR, plugins)
    configure(stage, "onecred", log_level="1")
    configure(stage, "floor", auxprop_plugin="floor", onecred_conninfo=None,
              log_level="1")
    configure(stage, "sql", auxprop_plugin="sql", onecred_conninfo=None,
              log_level="1", sql_engine="pgsql", sql_database="onecred",
              sql_hostnames=f"{stage.postgres.directory}:"
              f"{stage.postgres.port}", sql_user="cyrus", sql_passwd="x",
              sql_select=SELECT)
    env = environment(stage, plugins)
    env.update(FLOOR_SCRAM=verifier,
               FLOOR_HA1=ha1("alice", "example.com", PASSWORD))
    return env


def measure(stage, env, name, mech, processes):
    user = "digest" if (name, mech) == ("sql", "DIGEST-MD5") else "alice"
    rows = []
    for _ in range(ROUNDS):
        done = stage.run([BENCH, name, mech, processes, SECONDS, user,
                          PASSWORD], env=env, check=True)
        rate, p50, p99, failed, cpu = (float(x) for x in
                                       done.stdout.split())
        assert rate > 0 and failed == 0, (name, mech, done.stdout)
        rows.append((rate, p50, p99, cpu))
    return [statistics.median(column) for column in zip(*rows)]


def main():
    print("mechanism      processes  plugin    logins/s  server p50 us  "
          "p99 us  cpu us  times sql")
    short = []
    with Stage("bench_plugin") as stage:
        env = prepare(stage)
        for mech in MECHS:
            for processes, aim in AIM.items():
                rates = {}
                for name in ("sql", "onecred", "floor"):
                    rate, p50, p99, cpu = measure(stage, env, name, mech,
                                                  processes)
                    rates[name] = rate
                    print(f"{mech:<14} {processes:>9}  {name:<8} "
                          f"{rate:>9.0f}  {p50:>13.0f}  {p99:>6.0f}  "
                          f"{cpu:>6.0f}  {rate / rates['sql']:>9.1f}", flush=True)
                if rates["onecred"] < aim * rates["sql"]:
                    short.append(f"{mech}, {processes}: less than {aim} "
                                 "times sql")
    for line in short:
        print(f"below the aim: {line}")


if __name__ == "__main__":
    main()
