#!/usr/bin/python3 -B
"""
XMPP logins through Prosody: mod_auth_onecred (way 1 of the README: the daemon
over HTTP, one row in PostgreSQL) beside Prosody's own internal_hashed, which
reads verifiers from a local file. Same Prosody settings, same account, a
connection with TLS for each login, 1 and 8 in flight, alternating rounds.
Clients keep their salted password, as real ones do. Prosody has one thread, so
its own CPU time for a login is what bounds a server; what onecredd and
PostgreSQL spend on their cores stands beside it. Not a test: it fails only if
logins do.

Environment: BENCH_ROUNDS (5), BENCH_SECONDS (3), BENCH_IN_FLIGHT ("1 8"),
BENCH_MECHANISMS ("SCRAM-SHA-256 PLAIN").
"""

import functools
import hashlib
import multiprocessing
import os
import socket
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

# pylint: disable=wrong-import-position
import xmpp
from process import NOBODY, descendants, find_program
from prosody import Prosody
from stage import Daemon, Stage

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
IN_FLIGHT = [int(n) for n in os.environ.get("BENCH_IN_FLIGHT",
                                            "1 8").split()]
MECHANISMS = os.environ.get("BENCH_MECHANISMS",
                            "SCRAM-SHA-256 PLAIN").split()
PASSWORD = "wonderland"

CONFIG = """[database]
conninfo = {conninfo}
[http]
listen = {socket}
[http-client prosody]
token_file = {token}
rights = sasl exists
[log]
level = warning
"""

# Nagle's algorithm would have both sides wait for each other's ACK.
GLOBAL = """
network_settings = {{ nagle = false }}
"""
ONECRED = """
plugin_paths = {{ "{modules}" }}
VirtualHost "example.com"
	authentication = "onecred"
	onecred_url = "unix:{socket}"
	onecred_token_file = "{token}"
"""

INTERNAL = """
VirtualHost "example.com"
	authentication = "internal_hashed"
	password_hash = "SHA-256"
"""


def cpu_ms(pids):
    """User and system time so far."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii",
                      errors="replace") as f:
                ticks += sum(int(n) for n in
                             f.read().rsplit(")", 1)[1].split()[11:13])
        except OSError:
            pass
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def connect(*args):
    """Nagle's algorithm would have it wait 40 ms for the first stream."""
    sock = CREATE(*args)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


CREATE = socket.create_connection


def work(port, cafile, mechanism, end, results):
    """One client after the other until end."""
    # pylint: disable=protected-access
    hashlib.pbkdf2_hmac = functools.lru_cache(None)(hashlib.pbkdf2_hmac)
    socket.create_connection = connect
    taken = []
    while time.monotonic() < end:
        with xmpp.Client(port, cafile) as one:
            begin = time.perf_counter()
            got = one.login(mechanism, "alice", PASSWORD)
            taken.append(time.perf_counter() - begin)
        if got != "success":
            results.put(got)
            return
    results.put(taken)


class Way:
    def __init__(self, name, server):
        self.name, self.server = name, server


def load(way, mechanism, in_flight, others, seconds=SECONDS):
    """One run -> numbers."""
    results = multiprocessing.Queue()
    begin = time.monotonic()
    before = cpu_ms([way.server.pid]), [cpu_ms(p()) for p in others]
    jobs = [multiprocessing.Process(target=work, args=(
        way.server.port, way.server.cafile, mechanism, begin + seconds,
        results)) for _ in range(in_flight)]
    for job in jobs:
        job.start()
    taken = []
    for _ in jobs:
        got = results.get()
        assert isinstance(got, list), (way.name, mechanism, got)
        taken += got
    for job in jobs:
        job.join()
    spent = time.monotonic() - begin
    after = cpu_ms([way.server.pid]), [cpu_ms(p()) for p in others]
    return {"rate": len(taken) / spent,
            "p50": statistics.median(taken) * 1000,
            "cpu": (after[0] - before[0]) / len(taken),
            "others": [(b - a) / len(taken) for a, b in
                       zip(before[1], after[1])]}


def compare(ways, mechanism, in_flight, others):
    runs = {way.name: [] for way in ways}
    for i in range(ROUNDS):
        for way in ways if i % 2 == 0 else reversed(ways):
            runs[way.name].append(load(way, mechanism, in_flight, others))
    for way in ways:
        def median(key, way=way):
            return statistics.median(r[key] for r in runs[way.name])
        extra = " ".join(f"{statistics.median(spent):8.2f}" for spent in
                         zip(*(run["others"] for run in runs[way.name])))
        print(f"{in_flight:>9}  {mechanism:<14} {way.name:<16} "
              f"{median('rate'):8.1f} {median('p50'):8.2f} "
              f"{median('cpu'):8.2f} {extra}", flush=True)
    pairs = list(zip(runs[ways[0].name], runs[ways[1].name]))
    rates = sorted(a["rate"] / b["rate"] for a, b in pairs)
    cpus = sorted(a["cpu"] / b["cpu"] for a, b in pairs)
    print(f"{in_flight:>9}  {mechanism:<14} {ways[0].name} : {ways[1].name}  "
          f"logins/s {statistics.median(rates):.2f}x "
          f"({rates[0]:.2f}..{rates[-1]:.2f}), Prosody's CPU "
          f"{statistics.median(cpus):.2f}x ({cpus[0]:.2f}..{cpus[-1]:.2f})",
          flush=True)


def main():
    with Stage("bench_prosody") as stage:
        stage.basic()
        for name in ("run", "state"):
            stage.make_directory(name, NOBODY)
        token = stage.file("prosody.token", "bench-token-0123456789\n",
                           user=NOBODY, mode=0o400)
        path = f"{stage.path('run')}/http.sock"
        places = {"socket": path, "token": token,
                  "modules": f"{stage.root}/usr/lib/prosody/modules"}
        config = CONFIG.format(conninfo=stage.postgres.conninfo(), **places)
        with Daemon(stage, config, wait=False,
                    env={"STATE_DIRECTORY": stage.path("state")}) as daemon, \
                Prosody(stage, "ours", (GLOBAL + ONECRED).format(**places),
                        level="warn") as ours, \
                Prosody(stage, "own", GLOBAL.format() + INTERNAL,
                        level="warn") as own:
            stage.run([find_program("prosodyctl"), "--config", own.config,
                       "register", "alice", "example.com", PASSWORD],
                      user=NOBODY, env={"HOME": own.directory}, check=True)
            ways = [Way("onecred", ours), Way("internal_hashed", own)]
            postgres = stage.postgres.process.pid
            others = [lambda: [daemon.pid],
                      lambda: [postgres, *descendants(postgres)]]
            print(f"XMPP logins, {ROUNDS} rounds of {SECONDS:g} s, "
                  f"{os.cpu_count()} cores; medians")
            print("in flight  mechanism      way              logins/s   "
                  "p50 ms  CPU ms: Prosody onecredd PostgreSQL")
            for way in ways:
                load(way, MECHANISMS[0], 1, others, seconds=0.5)
            for mechanism in MECHANISMS:
                for in_flight in IN_FLIGHT:
                    compare(ways, mechanism, in_flight, others)


if __name__ == "__main__":
    main()
