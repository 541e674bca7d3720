"""
The harness of the integration tests. A test is tests/integration/test_*.py:

    #!/usr/bin/python3 -B
    from stage import Daemon, Extauth, case, run_cases

    def prepare(stage):                 # once per file, before the cases
        stage.basic()

    @case("alice is let in")
    def alice(stage):                   # cases run in the order they stand
        with Daemon(stage, config_text) as daemon: ...

    if __name__ == "__main__":
        run_cases(__file__, prepare)

`python3 -B tests/integration/test_x.py [WORD...]` runs the cases whose title
contains one of the words; `make check` runs all files. A case passes unless
it raises (use assert); nothing is skipped: what is missing is a failure.

Stage(name)         everything of one run: /tmp/onecred.XXXXXX (0755), removed
                    at the end; its log/ is copied to build/log/NAME. With
                    keep=True everything stays and runs on.
  .directory .log_directory .root     root: what `make install` produced
  .program("onecredd")                path of an installed program
  .basic()          database, schema, domain example.com, alice with the
                    password `wonderland`, login role onecredd (grant daemon)
  .database()       PostgreSQL and an empty database `onecred`  -> .postgres
  .script("user-add", user="alice@example.com", password_file=f)
                    psql -X -v ... -f user-add.sql -> CompletedProcess
  .password_file("text")   a 0600 file with these octets and one LF
  .role("onecredd", "daemon", domain="*")   role-add.sql with a password
  .file("name", text, user=None, mode=0o600)   .make_directory("name", user)
  .run(argv, ...)   process.run() with ONECRED set
  .postgres         postgres.Postgres: psql value conninfo stop start restart
                    freeze thaw reload configure log_text
Daemon(stage, config_text)   onecredd -c, as `nobody` under root; waits for
                    ` ready` in its log; .pid .log_text() .reload() .stop()
Extauth.connect(socket) / Extauth.spawn(stage, argv)   .request(b"auth:u:h:p")
                    -> the answer's four octets: Extauth.TRUE FALSE FAILURE
from process: Process run wait_until free_port find_program descendants
              NOBODY IS_ROOT

Environment: ONECRED_BUILD (build), the build directory that is installed;
ONECRED_MAKE, the make variables it was built with ("CC=clang 'CFLAGS=-O1'");
ONECRED_INSTALL (install), make targets that fill the root, for instance
"install-onecred install-sql"; ONECRED_STAGE_ROOT, a root that is installed
already; ONECRED_LOG (build/log); ONECRED_TMP (/tmp), where onecred.XXXXXX is
made; ONECRED_KEEP=1 leaves it.
"""

import atexit
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from cases import case, run_cases
from postgres import Postgres
from process import (IS_ROOT, NOBODY, Process, base_environment,
                     default_signals, descendants, find_program, free_port,
                     give_to, run, signal_pid, wait_until)

__all__ = ["Daemon", "Extauth", "IS_ROOT", "NOBODY", "Postgres", "Process",
           "Stage", "case", "descendants", "find_program", "free_port",
           "give_to", "run", "run_cases", "wait_until"]

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("ONECRED_BUILD", "build")
LOG = os.environ.get("ONECRED_LOG", os.path.join(TOP, "build", "log"))
PREFIX = "/usr"

# What a sanitizer writes into a log; any of it fails the test.
SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                   "WARNING: ThreadSanitizer", "runtime error:",
                   "LeakSanitizer has encountered a fatal error")


def install(root):
    """make install into root, as the environment wishes."""
    targets = os.environ.get("ONECRED_INSTALL", "install").split()
    make = subprocess.run(
        [find_program("make"), "-s", "-C", TOP, f"B={BUILD}",
         f"DESTDIR={root}", f"PREFIX={PREFIX}",
         *shlex.split(os.environ.get("ONECRED_MAKE", "")), *targets],
        env=base_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    if make.returncode != 0:
        raise AssertionError(f"make {' '.join(targets)} failed:\n"
                             f"{make.stdout[-4000:]}")


def _terminated(signum, _frame):
    sys.exit(128 + signum)


class Stage:
    """One run's directory, database and processes; see the top."""

    _open = []

    def __init__(self, name, keep=False):
        self.name = name
        self.keep = keep
        self.directory = None
        self.postgres = None
        self._adopted = []
        self._reported = set()

    def __enter__(self):
        self.directory = tempfile.mkdtemp(
            prefix="onecred.", dir=os.environ.get("ONECRED_TMP", "/tmp"))
        os.chmod(self.directory, 0o755)
        if not Stage._open:
            atexit.register(Stage._close_all)
            default_signals(_terminated)
        Stage._open.append(self)
        try:
            self.log_directory = self.make_directory("log")
            self.root = os.environ.get("ONECRED_STAGE_ROOT")
            if self.root is None:
                self.root = os.path.join(self.directory, "root")
                install(self.root)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    @staticmethod
    def _close_all():
        for stage in list(Stage._open):
            stage.close()

    def close(self):
        """Ends all processes, saves the logs, removes the directory."""
        if self not in Stage._open:
            return
        Stage._open.remove(self)
        if self.keep:
            return
        for process in reversed(self._adopted):
            process.end()
        self._adopted = []
        self._end_strays()
        target = os.path.join(LOG, self.name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.log_directory, target, dirs_exist_ok=True)
        if os.environ.get("ONECRED_KEEP") != "1":
            shutil.rmtree(self.directory)

    def _end_strays(self):
        """
        Ends what outlived its parent (a helper of a killed psql): processes
        that carry this stage's unique directory in their environment.
        """
        mark = f"ONECRED_STAGE={self.directory}\0".encode()
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as f:
                    if mark in f.read() + b"\0":
                        signal_pid(int(entry), signal.SIGKILL)
            except OSError:
                continue

    def adopt(self, process):
        """process.end() is called when the stage closes, newest first."""
        if process not in self._adopted:
            self._adopted.append(process)

    def environment(self, env=None):
        return {"ONECRED": self.program("onecred"),
                "ONECRED_STAGE": self.directory, **(env or {})}

    def spawn(self, argv, env=None, **options):
        """process.Process with our environment, ended with the stage."""
        if self.keep:
            options["death_signal"] = None
        process = Process(argv, env=self.environment(env), **options)
        self.adopt(process)
        return process

    def run(self, argv, env=None, **options):
        return run(argv, env=self.environment(env), **options)

    # Files.

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_directory(self, name, user=None):
        path = self.path(name)
        os.makedirs(path, mode=0o755, exist_ok=True)
        give_to(path, user)
        return path

    def file(self, name, content, user=None, mode=0o600):
        """Writes text or octets and returns the path."""
        if isinstance(content, str):
            content = content.encode()
        path = self.path(name)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as f:
            f.write(content)
        os.chmod(path, mode)
        give_to(path, user)
        return path

    def password_file(self, text, name=None):
        """A password file of one line; owned by whoever runs the scripts."""
        if isinstance(text, str):
            text = text.encode()
        fd, path = tempfile.mkstemp(prefix="password.", dir=self.directory)
        with os.fdopen(fd, "wb") as f:
            f.write(text + b"\n")
        if name is not None:
            os.rename(path, self.path(name))
            path = self.path(name)
        return path

    def program(self, name):
        """An installed program of ours: onecred, onecredd, ..."""
        where = "sbin" if name == "onecredd" else "bin"
        return f"{self.root}{PREFIX}/{where}/{name}"

    def sql(self, name):
        """Path of an installed script, without its .sql."""
        return f"{self.root}{PREFIX}/share/onecred/sql/{name}.sql"

    # Database.

    def database(self, **settings):
        """PostgreSQL with an empty UTF8 database `onecred`."""
        self.postgres = Postgres(self)
        if settings:
            self.postgres.configure(**settings)
        self.postgres.start()
        self.create_database("onecred")
        return self.postgres

    def create_database(self, name):
        run(["createdb", "-E", "UTF8", "-T", "template0", name],
            env=self.postgres.environment("postgres"), check=True)

    def script(self, name, *, as_role="postgres", database="onecred",
               env=None, check=False, user_options=None, **variables):
        """
        One of our psql scripts as an administrator runs it; keyword
        arguments become -v. user_options: more keywords for process.run().
        """
        return self.postgres.psql(
            file=self.sql(name), variables=variables, role=as_role,
            database=database, env=self.environment(env), check=check,
            **(user_options or {}))

    def role(self, name, grant, domain="*"):
        """role-add.sql; conninfo(name) then knows the password."""
        password = f"pw-{name}-0123456789"
        done = self.script("role-add", check=True, role=name, grant=grant,
                           domain=domain,
                           password_file=self.password_file(password))
        self.postgres.passwords[name] = password
        return done

    def basic(self, **settings):
        """See the top; what most tests start from."""
        self.database(**settings)
        self.script("schema", check=True)
        self.script("domain-add", check=True, domain="example.com")
        self.script("user-add", check=True, user="alice@example.com",
                    password_file=self.password_file("wonderland"))
        self.role("onecredd", "daemon")
        return self

    def sanitizer_report(self):
        """The first new sanitizer message in a log of the stage, or None."""
        for folder, _, names in os.walk(self.log_directory):
            for name in set(names) - self._reported:
                with open(os.path.join(folder, name), encoding="utf-8",
                          errors="replace") as f:
                    text = f.read()
                for mark in SANITIZER_MARKS:
                    if mark in text:
                        self._reported.add(name)
                        return f"{name}: " + text[text.index(mark):][:4000]
        return None


class Daemon:
    """
    The installed onecredd in the foreground with this configuration. stop()
    (SIGTERM) insists on exit status 0. wait=False: do not wait for ready.
    """

    _count = 0

    def __init__(self, stage, config_text, env=None, wait=True, timeout=20,
                 user=NOBODY, options=()):
        Daemon._count += 1
        self.stage = stage
        self.user = user
        self.log = os.path.join(stage.log_directory,
                                f"onecredd-{Daemon._count}.log")
        self._config_name = f"onecred-{Daemon._count}.conf"
        self.config = self.write_config(config_text)
        with open(self.log, "wb") as log:
            self.process = stage.spawn(
                [stage.program("onecredd"), "-c", self.config, *options],
                user=user, env=env, cwd="/", stdout=log, stderr=log)
        if wait:
            self.wait_ready(timeout)

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is None and self.process.running:
            self.stop()
        else:
            self.kill()

    @property
    def pid(self):
        return self.process.pid

    def descriptors(self):
        """
        How many it has open. The kernel shows that of a process without core
        files to root only; others see the size of its table, which tells
        hundreds, not single ones: up to 512 it counts as none.
        """
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except PermissionError:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
                size = next(int(line.split()[1]) for line in f
                            if line.startswith("FDSize:"))
            return size if size > 512 else 0

    @property
    def exit_status(self):
        return self.process.exit_status

    def write_config(self, text):
        return self.stage.file(self._config_name, text, user=self.user)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_ready(self, timeout=20):
        def ready():
            if not self.process.running:
                raise AssertionError(
                    f"onecredd ended with {self.exit_status}:\n"
                    f"{self.log_text()[-3000:]}")
            return " ready" in self.log_text()

        wait_until(ready, timeout, "onecredd's ` ready`")

    def wait_log(self, text, timeout=10, since=0):
        """Waits until text stands in the log after offset since."""
        wait_until(lambda: text in self.log_text()[since:], timeout,
                   f"{text!r} in the log of onecredd")

    def reload(self, config_text=None):
        """SIGHUP, with a new configuration if one is given; no waiting."""
        if config_text is not None:
            self.write_config(config_text)
        self.process.send_signal(signal.SIGHUP)

    def stop(self, timeout=10):
        """SIGTERM; the exit status must be 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.end(signal.SIGABRT)
            raise AssertionError(f"onecredd ignored SIGTERM for {timeout} s:"
                                 f"\n{self.log_text()[-3000:]}") from None
        assert self.exit_status == 0, (
            f"onecredd ended with {self.exit_status}:\n"
            f"{self.log_text()[-3000:]}")

    def kill(self):
        """SIGKILL, as a crash."""
        self.process.end(signal.SIGKILL)


class Extauth:
    """
    The client side of ejabberd's external authentication: frames of a 16 bit
    big-endian length and that many octets, one request at a time.
    """

    TRUE = b"\0\2\0\1"
    FALSE = b"\0\2\0\0"
    FAILURE = b"\0\2\0\2"   # neither: temporary failure, or not supported

    def __init__(self, reader, writer, process=None, timeout=10.0):
        self._reader = reader
        self._writer = writer
        self.process = process
        self.timeout = timeout

    @classmethod
    def connect(cls, path, timeout=10.0):
        """Straight to the daemon's socket."""
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(timeout)
        s.connect(path)
        return cls(s, s, timeout=timeout)

    @classmethod
    def spawn(cls, stage, argv, user=NOBODY, env=None, timeout=10.0):
        """A helper program as ejabberd runs it; stderr to log/."""
        ours, theirs = socket.socketpair()
        ours.settimeout(timeout)
        name = os.path.basename(str(argv[0]))
        with open(os.path.join(stage.log_directory, f"{name}.log"),
                  "ab") as log:
            process = stage.spawn(argv, user=user, env=env, cwd="/",
                                  stdin=theirs, stdout=theirs, stderr=log)
        theirs.close()
        return cls(ours, ours, process, timeout)

    def send(self, payload):
        """One whole frame."""
        self.send_raw(struct.pack(">H", len(payload)) + payload)

    def send_raw(self, octets):
        self._writer.sendall(octets)

    def receive(self):
        """The next frame with its length; b"" at the end of the stream."""
        head = self._read(2)
        if not head:
            return b""
        return head + self._read(struct.unpack(">H", head)[0])

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self._reader.recv(count - len(data))
            if not piece:
                break
            data += piece
        return data

    def request(self, payload):
        self.send(payload)
        return self.receive()

    def settimeout(self, timeout):
        self._reader.settimeout(timeout)

    def end_input(self):
        """EOF for the helper; answers can still be read."""
        self._writer.shutdown(socket.SHUT_WR)

    def close(self):
        self._reader.close()
        if self.process is not None:
            self.process.end()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
