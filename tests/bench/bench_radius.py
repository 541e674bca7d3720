#!/usr/bin/python3 -B
"""
RADIUS digest checks: onecredd beside FreeRADIUS (rlm_digest and
rlm_sql_postgresql, one query on the same table), with the same generator,
PostgreSQL and accounts, in alternating rounds. Ratios are taken per round;
their median is printed. Not a test: it fails only if logins do.

Environment: BENCH_ROUNDS (5), BENCH_SECONDS (2), BENCH_IN_FLIGHT
("1 8 32 128").
"""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

# pylint: disable=wrong-import-position
from process import NOBODY, find_program, free_port, wait_until
from radius import STATUS_SERVER, Client
from stage import BUILD, TOP, Daemon, Stage

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "2")
IN_FLIGHT = os.environ.get("BENCH_IN_FLIGHT", "1 8 32 128").split()
USERS = 1000
SECRET = "testing123-testing123-testing123"
LOAD = os.path.join(TOP, BUILD, "tests/bench/radius_load")

ACCOUNTS = """
INSERT INTO onecred.credential
    (domain, localpart, version, ha1_md5, ha1b_md5, ha1_sha_256)
SELECT 'example.com', name, nextval('onecred.version_seq'),
    md5(name || ':example.com:wonderland'),
    md5(name || '@example.com:example.com:wonderland'),
    encode(sha256(convert_to(name || ':example.com:wonderland', 'UTF8')),
           'hex')
FROM (SELECT 'bench' || i AS name FROM generate_series(0, {users} - 1) i) n;
CREATE ROLE freeradius LOGIN PASSWORD 'freeradius';
GRANT USAGE ON SCHEMA onecred TO freeradius;
GRANT SELECT ON onecred.credential TO freeradius;
VACUUM ANALYZE onecred.credential;
"""

# One query, 5 threads with a connection each: the fastest that we found.
FREERADIUS = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {dir}
logdir = {dir}
run_dir = {dir}
pidfile = {dir}/radiusd.pid
max_request_time = 10
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
log {{
    destination = files
    file = {log}
    auth = no
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
    allow_vulnerable_openssl = 'CVE-2016-6304'
}}
thread pool {{
    start_servers = 5
    max_servers = 5
    min_spare_servers = 1
    max_spare_servers = 5
    max_requests_per_server = 0
}}
client load {{
    ipaddr = 127.0.0.1
    secret = {secret}
    require_message_authenticator = no
}}
modules {{
    digest {{
    }}
    sql {{
        dialect = "postgresql"
        driver = "rlm_sql_postgresql"
        server = "{host}"
        port = {pgport}
        login = "freeradius"
        password = "freeradius"
        radius_db = "onecred"
        read_groups = no
        read_profiles = no
        read_clients = no
        delete_stale_sessions = no
        pool {{
            start = 5
            min = 5
            max = 5
            spare = 0
            uses = 0
            lifetime = 0
            idle_timeout = 0
        }}
        sql_user_name = "%{{Digest-User-Name}}"
        authorize_check_query = "SELECT 1, localpart, 'Digest-HA1', ha1_md5, \
':=' FROM onecred.credential WHERE domain = '%{{Digest-Realm}}' AND \
localpart = '%{{SQL-User-Name}}' AND enabled"
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        digest
        sql
    }}
    authenticate {{
        Auth-Type DIGEST {{
            digest
        }}
    }}
}}
"""


class Peer:
    """A server under test: its name, UDP port and pid."""

    def __init__(self, name, port, pid):
        self.name, self.port, self.pid = name, port, pid


def start_ours(stage, secret):
    port = free_port("udp")
    daemon = Daemon(stage, f"""
[database]
conninfo = {stage.postgres.conninfo()}
[radius]
listen = 127.0.0.1:{port}
[radius-client load]
address = 127.0.0.1
secret_file = {secret}
[log]
level = warning
""", wait=False)

    def ready():
        with Client(port, SECRET, timeout=0.1) as c:
            try:
                return c.login([], code=STATUS_SERVER)
            except ConnectionRefusedError:
                return None

    wait_until(ready, 20, "onecredd's answer to Status-Server", 0.05)
    return Peer("onecredd", port, daemon.pid)


def start_freeradius(stage):
    port = free_port("udp")
    directory = stage.make_directory("freeradius", NOBODY)
    log = os.path.join(directory, "radius.log")
    stage.file("freeradius/radiusd.conf", FREERADIUS.format(
        dir=directory, log=log, secret=SECRET, port=port,
        host=stage.postgres.directory, pgport=stage.postgres.port),
        user=NOBODY)
    process = stage.spawn(
        [find_program("freeradius"), "-f", "-d", directory, "-n", "radiusd"],
        user=NOBODY, cwd="/")

    def text():
        if not os.path.exists(log):
            return ""
        with open(log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ready():
        assert process.running, f"FreeRADIUS ended:\n{text()}"
        return "Ready to process requests" in text()

    wait_until(ready, 20, "FreeRADIUS")
    return Peer("freeradius", port, process.pid)


def load(stage, peer, files, in_flight, seconds):
    """One run -> dict of the generator's numbers."""
    done = stage.run(
        [LOAD, "-a", f"127.0.0.1:{peer.port}", "-s", files[0], "-p",
         files[1], "-n", str(USERS), "-f", str(in_flight), "-d", seconds,
         "-c", f"server={peer.pid}",
         "-c", f"postgres={stage.postgres.process.pid}"])
    assert done.returncode == 0, (peer.name, done.stdout, done.stderr)
    return {k: float(v) for k, v in
            (word.split("=") for word in done.stdout.split())}


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def compare(stage, peers, files, in_flight):
    runs = {peer.name: [] for peer in peers}
    for i in range(ROUNDS):
        for peer in peers if i % 2 == 0 else reversed(peers):
            runs[peer.name].append(load(stage, peer, files, in_flight,
                                        SECONDS))
    for peer in peers:
        r = runs[peer.name]
        print(f"{in_flight:>4}  {peer.name:<10} {median(r, 'ops'):>8.0f} "
              f"{median(r, 'p50_us'):>8.0f} {median(r, 'p99_us'):>8.0f} "
              f"{median(r, 'cpu_us_server'):>8.1f} "
              f"{median(r, 'cpu_us_postgres'):>8.1f} "
              f"{median(r, 'cpu_us_load'):>8.1f} "
              f"{median(r, 'rss_kb_server') / 1024:>7.1f}")
    ours, theirs = (runs[peer.name] for peer in peers)
    ratios = sorted(a["ops"] / b["ops"] for a, b in zip(ours, theirs))
    p99 = statistics.median(a["p99_us"] / b["p99_us"]
                            for a, b in zip(ours, theirs))
    print(f"{in_flight:>4}  ratio      {statistics.median(ratios):>7.2f}x "
          f"({ratios[0]:.2f}..{ratios[-1]:.2f}), p99 {p99:.2f}x",
          flush=True)


def main():
    with Stage("bench_radius") as stage:
        stage.basic()
        stage.postgres.psql(ACCOUNTS.format(users=USERS), check=True)
        secret = stage.file("secret", SECRET + "\n", user=NOBODY)
        files = (secret, stage.password_file("wonderland"))
        peers = [start_ours(stage, secret), start_freeradius(stage)]
        print(f"RADIUS digest (draft-sterman, MD5), {USERS} accounts, "
              f"{ROUNDS} rounds of {SECONDS} s, no cache")
        print("  in  server        ops/s   p50 us   p99 us   CPU us    PG us"
              "  load us  RSS MB")
        for peer in peers:
            load(stage, peer, files, 8, "0.5")
        for in_flight in IN_FLIGHT:
            compare(stage, peers, files, in_flight)


if __name__ == "__main__":
    main()
