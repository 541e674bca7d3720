#!/usr/bin/python3 -B
"""
The [saslauthd] door beside Cyrus' own `saslauthd -a sasldb` (plaintext in a
local Berkeley DB file, no network), which is the fastest that saslauthd can
be: same load generator, a connection per check as libsasl2 does it, 1 and 8
in flight, the same accounts and passwords, alternating rounds. saslauthd runs
with its default of 5 processes and with one, since our daemon is one. Ratios
are taken per round, of answers per second and of the middle latency (which a
busy machine disturbs less); their median is printed. Not a test: it fails only
if logins do.

Environment: BENCH_ROUNDS (5), BENCH_SECONDS (2), BENCH_IN_FLIGHT ("1 8").
"""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

# pylint: disable=wrong-import-position
from process import IS_ROOT, NOBODY, wait_until, wrap
from stage import BUILD, TOP, Daemon, Stage

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "2")
IN_FLIGHT = os.environ.get("BENCH_IN_FLIGHT", "1 8").split()
USERS = 200     # saslpasswd2 is run once for each
LOAD = os.path.join(TOP, BUILD, "tests/bench/saslauthd_load")
PASSWORD = "wonderland"

# The verifiers of alice, who has all of them, serve as everybody's SCRAM.
ACCOUNTS = """
INSERT INTO onecred.credential
    (domain, localpart, version, scram_sha_1, scram_sha_256, scram_sha_512,
     ha1_md5, ha1_sha_256)
SELECT 'example.com', name, nextval('onecred.version_seq'), scram_sha_1,
    scram_sha_256, scram_sha_512, md5(name || ':example.com:{password}'),
    encode(sha256(convert_to(name || ':example.com:{password}', 'UTF8')),
           'hex')
FROM (SELECT 'bench' || i AS name FROM generate_series(0, {users} - 1) i) n,
    onecred.credential c
WHERE c.localpart = 'alice' AND c.domain = 'example.com';
VACUUM ANALYZE onecred.credential;
"""


class Way:
    """A socket under test and the process behind it."""

    def __init__(self, name, path, pid):
        self.name, self.path, self.pid = name, path, pid


# argv[1] over /etc/sasldb2, for us alone: saslauthd knows no other place.
IN_ITS_PLACE = """
mount --bind "$1" /etc/sasldb2 || exit 1
shift
exec "$@"
"""


def saslauthd(stage, name, processes, database):
    """Cyrus' own, in a mount namespace of its own -> Way"""
    folder = stage.make_directory(name, NOBODY)
    unshare = ["unshare", "--mount", *([] if IS_ROOT else
                                       ["--map-root-user"])]
    with open(os.path.join(stage.log_directory, f"{name}.log"), "wb") as log:
        process = stage.spawn(
            [*unshare, "sh", "-c", IN_ITS_PLACE, "sh", database,
             *wrap(["saslauthd", "-d", "-a", "sasldb", "-m", folder, "-n",
                    str(processes)], NOBODY)],
            stdout=log, stderr=log)
    path = f"{folder}/mux"
    wait_until(lambda: os.path.exists(path), 20, f"{name}'s socket")
    return Way(f"saslauthd -n {processes}", path, process.pid)


def fill_sasldb(stage):
    """A database of our users -> its path"""
    path = f"{stage.make_directory('sasldb', NOBODY)}/sasldb2"
    for i in range(USERS):
        done = stage.run(["saslpasswd2", "-p", "-c", "-f", path, "-u",
                          "example.com", f"bench{i}"], user=NOBODY,
                         input=PASSWORD)
        assert done.returncode == 0, done.stderr
    return path


def load(stage, way, password, in_flight, postgres, seconds=SECONDS):
    """One run -> dict of the generator's numbers."""
    done = stage.run(
        [LOAD, "-s", way.path, "-p", password, "-n", str(USERS), "-j",
         in_flight, "-d", seconds, "-c", f"door={way.pid}", "-c",
         f"postgres={postgres}"])
    assert done.returncode == 0, (way.name, done.stdout, done.stderr)
    return {k: float(v) for k, v in
            (word.split("=") for word in done.stdout.split())}


def line(in_flight, name, runs):
    def median(key):
        return statistics.median(run[key] for run in runs)

    print(f"{in_flight:>9}  {name:<20} {median('ops'):>8.0f} "
          f"{median('p50_us'):>8.0f} {median('p99_us'):>8.0f} "
          f"{median('cpu_us_door'):>8.1f} {median('cpu_us_postgres'):>8.1f} "
          f"{median('rss_kb_door') / 1024:>8.1f}", flush=True)


def compare(stage, ways, password, in_flight):
    """Alternating rounds; the first of ways is ours."""
    postgres = stage.postgres.process.pid
    runs = {way.name: [] for way in ways}
    for i in range(ROUNDS):
        for way in ways if i % 2 == 0 else reversed(ways):
            runs[way.name].append(load(stage, way, password, in_flight,
                                       postgres))
    for way in ways:
        line(in_flight, way.name, runs[way.name])
    for way in ways[1:]:
        pairs = list(zip(runs[ways[0].name], runs[way.name]))
        ratios = sorted(a["ops"] / b["ops"] for a, b in pairs)
        faster = statistics.median(b["p50_us"] / a["p50_us"]
                                   for a, b in pairs)
        print(f"{in_flight:>9}  {ways[0].name} : {way.name}"
              f"{statistics.median(ratios):>8.2f}x "
              f"({ratios[0]:.2f}..{ratios[-1]:.2f}), p50 {faster:.2f}x",
              flush=True)


def main():
    with Stage("bench_saslauthd") as stage:
        stage.basic()
        stage.make_directory("run", NOBODY)
        stage.postgres.psql(ACCOUNTS.format(users=USERS, password=PASSWORD),
                            check=True)
        path = f"{stage.path('run')}/saslauthd.sock"
        config = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
                  f"[saslauthd]\nlisten = {path}\n"
                  f"[log]\nlevel = warning\n")
        password = stage.password_file(PASSWORD)
        database = fill_sasldb(stage)
        with Daemon(stage, config, wait=False) as daemon:
            wait_until(lambda: os.path.exists(path), 20, "onecredd's socket")
            ways = [Way("onecredd", path, daemon.pid),
                    saslauthd(stage, "five", 5, database),
                    saslauthd(stage, "one", 1, database)]
            print(f"saslauthd PLAIN, {USERS} accounts, {ROUNDS} rounds of "
                  f"{SECONDS} s, {os.cpu_count()} cores; medians")
            print("in flight  way                     ops/s   p50 us   "
                  "p99 us   CPU us    PG us   RSS MB")
            for way in ways:
                load(stage, way, password, "1",
                     stage.postgres.process.pid, seconds="0.5")
            for in_flight in IN_FLIGHT:
                compare(stage, ways, password, in_flight)


if __name__ == "__main__":
    main()
