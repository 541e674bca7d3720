#!/usr/bin/python3 -B
"""
Logins per second through libsasl2, side by side: our plugin, Cyrus' own `sql`
plugin on the same PostgreSQL, and the mechanism's floor (a plugin that has
its one user in memory, tests/bench/auxprop/floor.c). Alternating rounds: a
ratio is taken in each, of neighbours in time, and their median counts; the
least and the greatest are printed beside it, and the ratio of the processor
time that a login costs client, plugin and PostgreSQL together, which depends
little on what else the machine does. BENCH_SECONDS (3) for each measurement,
BENCH_ROUNDS (5).

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
from stage import BUILD, Stage, wait_until                   # noqa: E402

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
BENCH = os.path.join(TOP, BUILD, "tests", "bench", "sasl_bench")
FLOOR = os.path.join(TOP, BUILD, "tests", "bench", "auxprop", "floor.so")
PASSWORD = "wonderland"
MECHS = ("SCRAM-SHA-256", "DIGEST-MD5")
PLUGINS = ("sql", "onecred", "floor")
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


def ticks(pid, *fields):
    """The sum of fields of proc(5) stat, counted as there; 0 if it ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            rest = f.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(rest[field - 3]) for field in fields)


def backends(postmaster):
    """Its children, those too that it has not buried yet."""
    with open(f"/proc/{postmaster}/task/{postmaster}/children",
              encoding="ascii") as f:
        return f.read().split()


def postgres_seconds(postmaster):
    """Processor time of PostgreSQL, of backends that have ended too."""
    total = ticks(postmaster, 14, 15, 16, 17)
    total += sum(ticks(child, 14, 15) for child in backends(postmaster))
    return total / os.sysconf("SC_CLK_TCK")


def measure(stage, env, name, mech, processes):
    """
    One run -> logins/s, p50, p99 (us in the server), CPU us of a login, and
    those of PostgreSQL
    """
    user = "digest" if (name, mech) == ("sql", "DIGEST-MD5") else "alice"
    postmaster = stage.postgres.process.pid
    count, before = len(backends(postmaster)), postgres_seconds(postmaster)
    done = stage.run([BENCH, name, mech, processes, SECONDS, user, PASSWORD],
                     env=env, check=True)
    wait_until(lambda: len(backends(postmaster)) <= count, 30,
               "the end of its backends")
    used = postgres_seconds(postmaster) - before
    rate, p50, p99, failed, cpu = (float(x) for x in done.stdout.split())
    assert rate > 0 and failed == 0, (name, mech, done.stdout)
    return rate, p50, p99, cpu, used * 1e6 / (rate * SECONDS)


def compare(stage, env, mech, processes):
    """Prints a line for each plugin -> our median ratio to sql"""
    runs = {name: [] for name in PLUGINS}
    for i in range(ROUNDS):
        for name in PLUGINS if i % 2 == 0 else reversed(PLUGINS):
            runs[name].append(measure(stage, env, name, mech, processes))
    middle = {name: [statistics.median(column) for column in zip(*rows)]
              for name, rows in runs.items()}
    for name in PLUGINS:
        rate, p50, p99, cpu, pg = middle[name]
        ratios = sorted(ours[0] / theirs[0] for ours, theirs in
                        zip(runs[name], runs["sql"]))
        times = sum(middle["sql"][3:]) / (cpu + pg)
        print(f"{mech:<14} {processes:>9}  {name:<8} {rate:>8.0f}  "
              f"{p50:>13.0f}  {p99:>6.0f}  {cpu:>6.0f}  {pg:>6.0f}  "
              f"{times:>9.1f}  {statistics.median(ratios):>9.1f} "
              f"({ratios[0]:.1f}..{ratios[-1]:.1f})", flush=True)
        middle[name].append(statistics.median(ratios))
    return middle["onecred"][-1]


def main():
    print(f"{ROUNDS} rounds of {SECONDS:g} s, {os.cpu_count()} cores; medians")
    print("mechanism      processes  plugin   logins/s  server p50 us  "
          "p99 us  CPU us   PG us  times/CPU  times sql")
    short = []
    with Stage("bench_plugin") as stage:
        env = prepare(stage)
        for mech in MECHS:
            for processes, aim in AIM.items():
                ratio = compare(stage, env, mech, processes)
                if ratio < aim:
                    short.append(f"{mech}, {processes}: {ratio:.1f} times "
                                 f"sql, not {aim}")
    for line in short:
        print(f"below the aim: {line}")


if __name__ == "__main__":
    main()
