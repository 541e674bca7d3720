#!/usr/bin/python3 -B
"""
PLAIN through ejabberd's external authentication: the relay onecred-extauth
with the daemon, and onecredd --extauth, beside a Perl/DBI helper and a Python
helper that keep their connection and compare one SHA-256; with 1 and 4
helpers, one request outstanding per helper as ejabberd does it, on the same
PostgreSQL and accounts, in alternating rounds. Then the same daemon on accounts that have
SCRAM verifiers only (one PBKDF2 per login). Ratios are taken per round; their
median is printed; the last lines compare the most helpers with the fewest of
theirs. Not a test: it fails only if logins do.

Environment: BENCH_ROUNDS (5), BENCH_SECONDS (2), BENCH_HELPERS ("1 4").
"""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

# pylint: disable=wrong-import-position
from process import NOBODY, find_program, wait_until
from stage import BUILD, TOP, Daemon, Stage

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "2")
HELPERS = os.environ.get("BENCH_HELPERS", "1 4").split()
USERS = 1000
THEIRS = 2      # helpers that are not ours
LOAD = os.path.join(TOP, BUILD, "tests/bench/extauth_load")

# The verifiers of alice, who has all of them, serve as everybody's SCRAM.
ACCOUNTS = """
INSERT INTO onecred.credential
    (domain, localpart, version, scram_sha_1, scram_sha_256, scram_sha_512,
     ha1_md5, ha1_sha_256)
SELECT 'example.com', name, nextval('onecred.version_seq'), scram_sha_1,
    scram_sha_256, scram_sha_512, md5(name || ':example.com:wonderland'),
    encode(sha256(convert_to(name || ':example.com:wonderland', 'UTF8')),
           'hex')
FROM (SELECT 'bench' || i AS name FROM generate_series(0, {users} - 1) i) n,
    onecred.credential c
WHERE c.localpart = 'alice' AND c.domain = 'example.com';
INSERT INTO onecred.credential
    (domain, localpart, version, scram_sha_1, scram_sha_256, scram_sha_512)
SELECT domain, replace(localpart, 'bench', 'scram'),
    nextval('onecred.version_seq'), scram_sha_1, scram_sha_256, scram_sha_512
FROM onecred.credential WHERE localpart LIKE 'bench%';
CREATE ROLE script LOGIN PASSWORD 'script-0123456789';
GRANT USAGE ON SCHEMA onecred TO script;
GRANT SELECT ON onecred.credential TO script;
VACUUM ANALYZE onecred.credential;
"""


class Way:
    """A helper program under test."""

    def __init__(self, name, argv, watch=()):
        self.name, self.argv, self.watch = name, argv, watch
        self.word = name.split()[0]


def load(stage, way, password, helpers, prefix="bench", seconds=SECONDS):
    """One run -> dict of the generator's numbers."""
    watch = [("postgres", stage.postgres.process.pid), *way.watch]
    done = stage.run(
        [LOAD, "-p", password, "-n", str(USERS), "-u", prefix, "-j",
         str(helpers), "-d", seconds,
         *[word for name, pid in watch for word in ("-c", f"{name}={pid}")],
         "--", *way.argv])
    assert done.returncode == 0, (way.name, done.stdout, done.stderr)
    run = {k: float(v) for k, v in
           (word.split("=") for word in done.stdout.split())}
    run["cpu_us"] = run["cpu_us_helpers"] + run.get("cpu_us_daemon", 0)
    run["rss_kb"] = run["rss_kb_helpers"] + run.get("rss_kb_daemon", 0)
    return run


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def line(helpers, name, runs):
    print(f"{helpers:>7}  {name:<27} {median(runs, 'ops'):>8.0f} "
          f"{median(runs, 'p50_us'):>8.0f} {median(runs, 'p99_us'):>8.0f} "
          f"{median(runs, 'cpu_us'):>8.1f} "
          f"{median(runs, 'cpu_us_postgres'):>8.1f} "
          f"{median(runs, 'rss_kb') / 1024:>8.1f}", flush=True)


def ratio(helpers, name, ours, theirs):
    ratios = sorted(a["ops"] / b["ops"] for a, b in zip(ours, theirs))
    print(f"{helpers:>7}  {name:<27} {statistics.median(ratios):>7.2f}x "
          f"({ratios[0]:.2f}..{ratios[-1]:.2f})", flush=True)


def compare(stage, ways, password, helpers):
    """Alternating rounds; the last THEIRS of ways are compared with."""
    runs = {way.name: [] for way in ways}
    runs["pbkdf2"] = []
    for i in range(ROUNDS):
        for way in ways if i % 2 == 0 else reversed(ways):
            runs[way.name].append(load(stage, way, password, helpers))
        runs["pbkdf2"].append(load(stage, ways[0], password, helpers,
                                   prefix="scram"))
    for way in ways:
        line(helpers, way.name, runs[way.name])
    line(helpers, "relay+daemon, PBKDF2", runs["pbkdf2"])
    for way in ways[:-THEIRS]:
        for theirs in ways[-THEIRS:]:
            ratio(helpers, f"{way.name} : {theirs.word}", runs[way.name],
                  runs[theirs.name])
    ratio(helpers, "relay+daemon : PBKDF2", runs[ways[0].name],
          runs["pbkdf2"])
    cpu = [b["cpu_us"] / a["cpu_us"] for a, b in
           zip(runs[ways[0].name], runs["pbkdf2"])]
    print(f"{helpers:>7}  PBKDF2 : relay+daemon       "
          f"{statistics.median(cpu):>6.0f}x CPU per check", flush=True)
    return runs


def main():
    with Stage("bench_extauth") as stage:
        stage.basic()
        stage.make_directory("run", NOBODY)
        stage.postgres.psql(ACCOUNTS.format(users=USERS), check=True)
        path = f"{stage.path('run')}/extauth.sock"
        config = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
                  f"[extauth]\nlisten = {path}\n[log]\nlevel = warning\n")
        own = stage.file("helper.conf", config)
        dsn = stage.file("dsn", "dbi:Pg:dbname=onecred;host="
                         f"{stage.postgres.directory};port="
                         f"{stage.postgres.port}\nscript\n"
                         "script-0123456789\n")
        conninfo = stage.file("conninfo", stage.postgres.conninfo(
            "script", password="script-0123456789") + "\n")
        password = stage.password_file("wonderland")
        with Daemon(stage, config, wait=False) as daemon:
            wait_until(lambda: os.path.exists(path), 20, "onecredd's socket")
            ways = [
                Way("relay+daemon",
                    [stage.program("onecred-extauth"), "--socket", path],
                    [("daemon", daemon.pid)]),
                Way("onecredd --extauth",
                    [stage.program("onecredd"), "--extauth", "-c", own]),
                Way("perl DBD::Pg, SHA-256",
                    [find_program("perl"),
                     os.path.join(HERE, "extauth_dbi.pl"), dsn]),
                Way("python libpq, SHA-256",
                    [sys.executable, "-B",
                     os.path.join(HERE, "extauth_pg.py"), conninfo])]
            print(f"extauth PLAIN, {USERS} accounts, {ROUNDS} rounds of "
                  f"{SECONDS} s, {os.cpu_count()} cores; medians")
            print("helpers  way                            ops/s   p50 us   "
                  "p99 us   CPU us    PG us   RSS MB")
            for way in ways:
                load(stage, way, password, 1, seconds="0.5")
            found = {helpers: compare(stage, ways, password, helpers)
                     for helpers in HELPERS}
            for way in ways[:-THEIRS]:
                for theirs in ways[-THEIRS:]:
                    ratio(HELPERS[-1],
                          f"{way.name} : {HELPERS[0]} {theirs.word}",
                          found[HELPERS[-1]][way.name],
                          found[HELPERS[0]][theirs.name])


if __name__ == "__main__":
    main()
