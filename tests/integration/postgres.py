"""
A private PostgreSQL of one test stage: its own initdb, a unix socket in the
stage and a free TCP port on 127.0.0.1, no durability. As root the server runs
as `postgres` (it refuses root). The superuser `postgres` needs no password on
the unix socket; every other role proves itself by scram-sha-256.
"""

import glob
import os
import signal

from process import (Process, descendants, free_port, give_to, run,
                     signal_pid, wait_until)

OWNER = "postgres"

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "log_statement": "none",
    "log_line_prefix": "'%m [%p] %u '",
    "log_timezone": "UTC",
    "listen_addresses": "'127.0.0.1'",
}

HBA = """local all postgres trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
local replication postgres trust
"""


def server_program(name):
    """initdb, postgres, ... of the newest installed server."""
    def version(path):
        return int(path.split("/")[4])

    found = sorted(glob.glob(f"/usr/lib/postgresql/[0-9]*/bin/{name}"),
                   key=version)
    if not found:
        raise AssertionError(f"PostgreSQL's {name} is not installed "
                             "(make deps installs it)")
    return found[-1]


class Postgres:
    """
    stage.postgres. start() is called by Stage.database(); settings given
    there or to configure() override SETTINGS.
    """

    def __init__(self, stage, name="postgres"):
        self.stage = stage
        self.name = name
        self.directory = stage.make_directory(name, OWNER)
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(stage.log_directory, f"{name}.log")
        self.port = free_port("tcp")
        self.passwords = {}
        self.process = None
        run([server_program("initdb"), "-D", self.data, "-U", "postgres",
             "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            user=OWNER, cwd="/", check=True)
        self._write("pg_hba.conf", HBA)
        self.configure()

    def _write(self, name, text):
        path = os.path.join(self.data, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        give_to(path, OWNER)

    def configure(self, **settings):
        """
        Replaces the settings file; SETTINGS plus these. Values are written
        as they are: quote strings ("'ddl'"). Call reload() or restart().
        """
        lines = {**SETTINGS, "port": self.port,
                 "unix_socket_directories": f"'{self.directory}'", **settings}
        self._write("postgresql.auto.conf",
                    "".join(f"{k} = {v}\n" for k, v in lines.items()))

    def start(self, wait=True):
        assert self.process is None or not self.process.running
        log = open(self.log, "ab")
        # Should the test die: an immediate shutdown.
        death_signal = None if self.stage.keep else "QUIT"
        self.process = Process([server_program("postgres"), "-D", self.data],
                               user=OWNER, cwd="/", death_signal=death_signal,
                               stdout=log, stderr=log)
        log.close()
        self.stage.adopt(self)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        def ready():
            if not self.process.running:
                raise AssertionError(f"PostgreSQL did not start:\n"
                                     f"{self.log_text()[-2000:]}")
            return self.psql("SELECT 1", database="postgres").returncode == 0

        wait_until(ready, 30, "PostgreSQL", 0.05)

    def stop(self, mode="fast"):
        """mode: smart, fast or immediate, as pg_ctl's."""
        signum = {"smart": signal.SIGTERM, "fast": signal.SIGINT,
                  "immediate": signal.SIGQUIT}[mode]
        if self.process is not None:
            self.process.send_signal(signum)
            self.process.wait(30)

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def freeze(self):
        """SIGSTOP to all of it: connections stay open, nothing answers."""
        # NB: the postmaster first, so that no child is born meanwhile.
        signal_pid(self.process.pid, signal.SIGSTOP)
        for pid in descendants(self.process.pid):
            signal_pid(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in descendants(self.process.pid):
            signal_pid(pid, signal.SIGCONT)
        signal_pid(self.process.pid, signal.SIGCONT)

    def end(self):
        """Called by the stage: ends whatever state it is in."""
        if self.process is not None and self.process.running:
            self.thaw()
            self.process.end(signal.SIGQUIT)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def environment(self, database="onecred", role="postgres"):
        """PG* variables for clients that read them."""
        env = {"PGHOST": self.directory, "PGPORT": str(self.port),
               "PGDATABASE": database, "PGUSER": role}
        if role in self.passwords:
            env["PGPASSWORD"] = self.passwords[role]
        return env

    def conninfo(self, role="onecredd", password=None, tcp=False,
                 database="onecred"):
        """libpq conninfo; password: the one given to Stage.role()."""
        host = "127.0.0.1" if tcp else self.directory
        text = (f"host={host} port={self.port} dbname={database} "
                f"user={role}")
        password = password or self.passwords.get(role)
        return text + (f" password={password}" if password else "")

    def psql(self, sql=None, file=None, variables=None, role="postgres",
             database="onecred", env=None, check=False, **options):
        """
        psql -X with either sql (read from stdin, so that variables work) or
        file -> CompletedProcess. sql alone stops at the first error and
        prints bare rows ('|' between columns).
        """
        argv = ["psql", "-X"]
        for name, value in (variables or {}).items():
            argv += ["-v", f"{name}={value}"]
        if file is not None:
            argv += ["-f", file]
        else:
            argv += ["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
            options["input"] = sql
        return run(argv, check=check,
                   env={**self.environment(database, role), **(env or {})},
                   **options)

    def value(self, sql, **options):
        """The one value that sql returns, as text."""
        return self.psql(sql, check=True, **options).stdout.strip()
