#!/usr/bin/python3 -B
"""
Lookups by the store beside a bare libpq pipeline loop with the same prepared
statement, in alternating rounds on the same PostgreSQL with 100000 accounts.
Ratios are taken per round; their median is printed. Aim: at least 0.8 of the
bare loop. Not a test: it fails only if a lookup does.

Environment: BENCH_ROUNDS (5), BENCH_SECONDS (2), BENCH_IN_FLIGHT
("1 32 128"), BENCH_CONNECTIONS ("1 2").
"""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from stage import BUILD, TOP, Stage     # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
MS = str(int(float(os.environ.get("BENCH_SECONDS", "2")) * 1000))
IN_FLIGHT = os.environ.get("BENCH_IN_FLIGHT", "1 32 128").split()
CONNECTIONS = os.environ.get("BENCH_CONNECTIONS", "1 2").split()
USERS = 100000
BENCH = os.path.join(TOP, BUILD, "tests/bench/store_bench")

# As schema.sql would have it, without 100000 runs of its triggers.
ACCOUNTS = f"""
SET session_replication_role = replica;
INSERT INTO onecred.credential (domain, localpart, version, scram_sha_1,
    scram_sha_256, scram_sha_512, ha1_md5, ha1_sha_256, ha1_sha_512_256,
    ha1b_md5, ha1b_sha_256, ha1b_sha_512_256)
SELECT 'example.com', name, nextval('onecred.version_seq'),
    'SCRAM-SHA-1$10000:' || salt || '$' || encode(substr(key, 1, 20),
        'base64') || ':' || encode(substr(key, 2, 20), 'base64'),
    'SCRAM-SHA-256$10000:' || salt || '$' || encode(key, 'base64') || ':'
        || encode(key, 'base64'),
    'SCRAM-SHA-512$10000:' || salt || '$'
        || translate(encode(key || key, 'base64'), E'\\n', '') || ':'
        || translate(encode(key || key, 'base64'), E'\\n', ''),
    md5(name), encode(key, 'hex'), encode(key, 'hex'),
    md5('b' || name), encode(key, 'hex'), encode(key, 'hex')
FROM (SELECT 'bench' || lpad(i::text, 6, '0') AS name,
    sha256(i::text::bytea) AS key,
    encode(substr(sha256(('s' || i)::bytea), 1, 18), 'base64') AS salt
    FROM generate_series(0, {USERS} - 1) AS i) AS n;
VACUUM ANALYZE onecred.credential;
"""


def one_run(stage, mode, file, connections, flight):
    done = stage.run([BENCH, mode, file, connections, flight, MS, USERS],
                     check=True)
    pairs = [word.partition("=") for word in done.stdout.split()]
    return {k: float(v) for k, _, v in pairs}


def compare(stage, file, connections, flight):
    runs = {"bare": [], "store": []}
    for number in range(ROUNDS):
        # Who comes first changes, so that neither always finds it warm.
        modes = ("bare", "store") if number % 2 == 0 else ("store", "bare")
        for mode in modes:
            runs[mode].append(one_run(stage, mode, file, connections, flight))
    ratios = [s["ops_per_s"] / b["ops_per_s"]
              for b, s in zip(runs["bare"], runs["store"])]
    for mode, found in runs.items():
        def middle(name, found=found):
            return statistics.median(run[name] for run in found)
        ratio = "" if mode == "bare" else (
            f"{statistics.median(ratios):7.2f}  "
            f"({min(ratios):.2f}-{max(ratios):.2f})")
        print(f"{mode:6} {connections:>5} {flight:>10} "
              f"{middle('ops_per_s'):9.0f} {middle('p50_us'):8.0f} "
              f"{middle('p99_us'):8.0f} {middle('cpu_us'):8.2f} "
              f"{middle('rss_kb') / 1024:8.1f} {ratio}", flush=True)


def main():
    with Stage("bench_store") as stage:
        stage.database(shared_buffers="256MB")
        stage.script("schema", check=True)
        stage.script("domain-add", check=True, domain="example.com")
        stage.role("onecredd", "daemon")
        stage.postgres.psql(ACCOUNTS, check=True)
        file = stage.file("conninfo", stage.postgres.conninfo() + "\n")
        print(f"store lookups, {USERS} accounts, {ROUNDS} rounds of {MS} ms, "
              f"{os.cpu_count()} cores; medians")
        print("        conn  in flight     ops/s   p50 us   p99 us   cpu us"
              "   RSS MB   ratio")
        for connections in CONNECTIONS:
            for flight in IN_FLIGHT:
                compare(stage, file, connections, flight)


if __name__ == "__main__":
    main()
