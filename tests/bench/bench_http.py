#!/usr/bin/python3 -B
"""
Digest decisions about SIP requests: onecredd asked by POST /v1/sip (kept
connections, text/plain) beside Kamailio's auth_db over a view of the same
table (as it comes, and with its faster allocator) and FreeRADIUS' rlm_digest,
in alternating rounds on the same PostgreSQL. Each login of a phone has an nc
of its own; FreeRADIUS, which looks at neither nonce nor nc, gets
bench_radius's packets. The work is not the same: Kamailio reads the request
from the phone itself and checks no replay, onecredd is asked by somebody who
has read it already. Ratios are taken per round; their median is printed.
Before that: where the CPU time of one decision goes (sip_bench.c), with the
aim that it is at most 10 us beyond I/O. Not a test: it fails only if logins
do.

Environment: BENCH_ROUNDS (3), BENCH_SECONDS (0.4), BENCH_IN_FLIGHT ("1 32"),
BENCH_METHODS ("REGISTER INVITE"), BENCH_PEERS ("kamailio kamailio-fm
freeradius"), BENCH_JSON=1 (answers as JSON).
"""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

# pylint: disable=wrong-import-position
import bench_radius
from kamailio import Kamailio
from rawhttp import ask
from stage import BUILD, NOBODY, TOP, Daemon, Stage, free_port, wait_until

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = os.environ.get("BENCH_SECONDS", "0.4")
IN_FLIGHT = os.environ.get("BENCH_IN_FLIGHT", "1 32").split()
METHODS = os.environ.get("BENCH_METHODS", "REGISTER INVITE").split()
PEERS = os.environ.get("BENCH_PEERS",
                       "kamailio kamailio-fm freeradius").split()
JSON = os.environ.get("BENCH_JSON") == "1"
USERS = 1000
TOKEN = "bench-0123456789abcdef0123456789"
CPU = ["cpu_us_server", "cpu_us_postgres"]
LOAD = os.path.join(TOP, BUILD, "tests/bench/sip_load")
DECISION = os.path.join(TOP, BUILD, "tests/bench/sip_bench")

# ::varchar without a length, so that the index can be used.
VIEW = """
CREATE SCHEMA kamailio;
CREATE VIEW kamailio.subscriber AS
    SELECT localpart::varchar AS username, domain::varchar AS domain,
        ha1_md5::varchar AS ha1, ha1b_md5::varchar AS ha1b
    FROM onecred.credential WHERE enabled AND ha1_md5 IS NOT NULL;
CREATE VIEW kamailio.version AS
    SELECT 'subscriber'::varchar AS table_name, 7 AS table_version;
CREATE ROLE kamailio LOGIN PASSWORD 'kamailio';
ALTER ROLE kamailio SET search_path = kamailio;
GRANT USAGE ON SCHEMA kamailio TO kamailio;
GRANT SELECT ON ALL TABLES IN SCHEMA kamailio TO kamailio;
"""

# Stateless, nothing stored: digest, one query, answer.
KAMAILIO = """
children=4
loadmodule "db_postgres.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("auth_db", "db_url", "postgres://kamailio:kamailio@/onecred")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "password_column_2", "ha1b")
modparam("auth_db", "use_domain", 1)
modparam("auth_db", "load_credentials", "")
modparam("auth", "nonce_expire", 300)
modparam("auth", "qop", "auth")
request_route {
    if (is_method("REGISTER")) {
        if (!www_authenticate("example.com", "subscriber")) {
            www_challenge("example.com", "1");
            exit;
        }
    } else {
        if (!proxy_authenticate("example.com", "subscriber")) {
            proxy_challenge("example.com", "1");
            exit;
        }
        consume_credentials();
    }
    sl_send_reply("200", "OK");
    exit;
}
"""


class WithArguments:
    """A stage whose spawned programs get more arguments."""

    def __init__(self, stage, *arguments):
        self._stage, self._arguments = stage, list(arguments)

    def __getattr__(self, name):
        return getattr(self._stage, name)

    def spawn(self, argv, **options):
        return self._stage.spawn(argv + self._arguments, **options)


class Peer:
    """A server under test; load() is one run of a generator."""

    def __init__(self, name, port, pid, arguments=()):
        self.name, self.port, self.pid = name, port, pid
        self.arguments = arguments

    def load(self, stage, password, method, in_flight, seconds=SECONDS):
        done = stage.run(
            [LOAD, "-a", f"127.0.0.1:{self.port}", "-p", password,
             "-m", method, "-n", str(USERS), "-f", in_flight, "-d", seconds,
             "-c", f"server={self.pid}",
             "-c", f"postgres={stage.postgres.process.pid}",
             *self.arguments])
        assert done.returncode == 0, (self.name, done.stdout, done.stderr)
        return {k: float(v) for k, v in
                (word.split("=") for word in done.stdout.split())}


class Radius(Peer):
    """FreeRADIUS, by bench_radius's parts."""

    def __init__(self, stage):
        self.secret = stage.file("secret", bench_radius.SECRET + "\n")
        self.peer = bench_radius.start_freeradius(stage)
        super().__init__("freeradius", self.peer.port, self.peer.pid)

    def load(self, stage, password, method, in_flight, seconds=SECONDS):
        return bench_radius.load(stage, self.peer, (self.secret, password),
                                 in_flight, seconds)


def start_ours(stage):
    port = free_port()
    token = stage.file("token", TOKEN + "\n", user=NOBODY, mode=0o400)
    state = stage.make_directory("state", NOBODY)
    daemon = Daemon(stage, f"""
[database]
conninfo = {stage.postgres.conninfo()}
[http]
listen = 127.0.0.1:{port}
token_file = {token}
[log]
level = warning
""", env={"STATE_DIRECTORY": state}, wait=False)
    # At level warning it does not say that it is ready.
    wait_until(lambda: answers(port), 20, "onecredd")
    return Peer("onecredd", port, daemon.pid,
                ["-t", token, *(["-j"] if JSON else [])])


def answers(port):
    try:
        return ask(port, "GET", "/healthz").status == 200
    except OSError:
        return False


def start_kamailio(stage, name):
    fast = WithArguments(stage, "-x", "fm", "-X", "fm")
    server = Kamailio(fast if name == "kamailio-fm" else stage, KAMAILIO,
                      env={"PGHOST": stage.postgres.directory,
                           "PGPORT": str(stage.postgres.port)})
    return Peer(name, server.port, server.process.pid)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def ratio(ours, theirs, keys):
    """Median, least and greatest of the rounds' ratios, of the keys' sums."""
    found = sorted(sum(a[k] for k in keys) / max(sum(b[k] for k in keys), 0.01)
                   for a, b in zip(ours, theirs))
    return statistics.median(found), found[0], found[-1]


def compare(stage, peers, password, method, in_flight):
    runs = {peer.name: [] for peer in peers}
    for i in range(ROUNDS):
        # Who comes first changes, so that neither always finds it warm.
        for peer in peers if i % 2 == 0 else reversed(peers):
            runs[peer.name].append(peer.load(stage, password, method,
                                             in_flight))
    for name, r in runs.items():
        print(f"{in_flight:>4}  {method:<8}  {name:<11} "
              f"{median(r, 'ops'):>8.0f} {median(r, 'p50_us'):>8.0f} "
              f"{median(r, 'p99_us'):>8.0f} "
              f"{median(r, 'cpu_us_server'):>8.1f} "
              f"{median(r, 'cpu_us_postgres'):>8.1f} "
              f"{median(r, 'cpu_us_load'):>8.1f} "
              f"{median(r, 'rss_kb_server') / 1024:>7.1f}")
    ours = runs.pop("onecredd")
    for name, theirs in runs.items():
        more, least, most = ratio(ours, theirs, ["ops"])
        print(f"{in_flight:>4}  {method:<8}  / {name:<11} {more:>5.2f}x "
              f"({least:.2f}..{most:.2f}), "
              f"p50 {ratio(ours, theirs, ['p50_us'])[0]:.2f}x, "
              f"p99 {ratio(ours, theirs, ['p99_us'])[0]:.2f}x, "
              f"CPU {ratio(ours, theirs, ['cpu_us_server'])[0]:.2f}x, "
              f"with PG {ratio(ours, theirs, CPU)[0]:.2f}x", flush=True)


def main():
    with Stage("bench_http") as stage:
        print(stage.run([DECISION], check=True).stdout, flush=True)
        stage.basic()
        stage.postgres.psql(bench_radius.ACCOUNTS.format(users=USERS) + VIEW,
                            check=True)
        password = stage.password_file("wonderland")
        peers = [start_ours(stage)]
        peers += [Radius(stage) if name == "freeradius" else
                  start_kamailio(stage, name) for name in PEERS]
        print(f"SIP digest (MD5), {USERS} accounts, {ROUNDS} rounds of "
              f"{SECONDS} s, no cache\n  in  request   server         ops/s"
              "   p50 us   p99 us   CPU us    PG us  load us  RSS MB")
        for peer in peers:
            peer.load(stage, password, "REGISTER", "8", "0.2")
        for method in METHODS:
            for in_flight in IN_FLIGHT:
                # RADIUS digests know no methods: once is enough.
                compare(stage, [p for p in peers if method == METHODS[0] or
                                not isinstance(p, Radius)],
                        password, method, in_flight)


if __name__ == "__main__":
    main()
