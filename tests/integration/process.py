"""
Child processes of the integration tests: started in a session of their own,
as an unprivileged user when the tests run as root, ended by pid, and ended by
the kernel (PR_SET_PDEATHSIG through setpriv) should the test itself be killed.
Never ends a process that it did not start.
"""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IS_ROOT = os.geteuid() == 0
# Who the daemon and its clients are when the tests run as root.
NOBODY = "nobody"

_ports = set()


def base_environment():
    """What every child sees: no HOME, no PG*, a fixed locale."""
    env = {"PATH": PATH, "LC_ALL": "C.UTF-8", "PGPASSFILE": "/dev/null",
           "ASAN_OPTIONS": "abort_on_error=0:exitcode=99",
           "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
           "TSAN_OPTIONS": "exitcode=99"}
    for name in ("TERM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                 "LSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


def default_signals(stop):
    """
    stop is called by SIGTERM and SIGHUP. What an ancestor ignores (a shell
    with `&`, nohup) our children must not ignore as well.
    """
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def find_program(name):
    """Absolute path of a program; a missing one is an error, not a skip."""
    path = shutil.which(name, path=PATH)
    if path is None:
        raise AssertionError(f"program {name} is not installed "
                             "(make deps-test installs it)")
    return path


def wrap(argv, user=None, death_signal="KILL"):
    """
    argv run by setpriv as user (root only), and tied to our life by
    death_signal unless that is None.
    """
    head = [find_program("setpriv")]
    if death_signal is not None:
        head += ["--pdeathsig", death_signal]
    if user is not None and IS_ROOT:
        entry = pwd.getpwnam(user)
        head += [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}",
                 "--clear-groups"]
    argv = [str(a) for a in argv]
    return argv if len(head) == 1 else [*head, "--", *argv]


def give_to(path, user):
    """Hands a file or directory to user when the tests run as root."""
    if IS_ROOT and user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def wait_until(fn, timeout=10.0, what="the condition", interval=0.01):
    """Polls fn until it returns something true and returns that."""
    end = time.monotonic() + timeout
    while True:
        value = fn()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true in {timeout} s")
        time.sleep(interval)


def free_port(kind="tcp"):
    """A free port of 127.0.0.1, below the range of outgoing connections."""
    family = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[kind]
    for _ in range(1000):
        port = random.randint(15000, 32000)
        with socket.socket(socket.AF_INET, family) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if (kind, port) not in _ports:
            _ports.add((kind, port))
            return port
    raise AssertionError(f"no free {kind} port")


def descendants(pid):
    """Pids of all living descendants of pid, parents first."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="latin-1") as f:
                rest = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if rest[0] != "Z":
            parents.setdefault(int(rest[1]), []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(0), [])
        found += children
        queue += children
    return found


def is_running(pid):
    """False for a process that has ended, whoever is yet to wait for it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def signal_pid(pid, signum):
    """kill(2) that does not mind a process that has just gone."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass


class Process:
    """
    A background process. popen keywords: stdin, stdout, stderr, cwd;
    environment is base_environment() plus env. NB: start it from the main
    thread: it dies with the thread that started it.
    """

    def __init__(self, argv, user=None, env=None, death_signal="KILL",
                 stdin=subprocess.DEVNULL, **popen):
        self.argv = [str(a) for a in argv]
        self.popen = subprocess.Popen(
            wrap(argv, user, death_signal), stdin=stdin,
            env={**base_environment(), **(env or {})},
            start_new_session=True, **popen)
        self.pid = self.popen.pid

    @property
    def exit_status(self):
        """None while it runs; -N if signal N ended it."""
        return self.popen.poll()

    @property
    def running(self):
        return self.exit_status is None

    def send_signal(self, signum):
        if self.running:
            self.popen.send_signal(signum)

    def wait(self, timeout=10.0):
        return self.popen.wait(timeout)

    def end(self, signum=signal.SIGTERM, timeout=5.0):
        """Asks with signum, then kills; all its descendants with it."""
        family = descendants(self.pid)
        if self.running:
            self.popen.send_signal(signum)
            self.popen.send_signal(signal.SIGCONT)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                family = descendants(self.pid)
                self.popen.kill()
                self.popen.wait()
        for pid in family:
            signal_pid(pid, signal.SIGCONT)
            signal_pid(pid, signal.SIGKILL)
        for stream in (self.popen.stdin, self.popen.stdout,
                       self.popen.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        return self.exit_status


def run(argv, user=None, env=None, timeout=120, check=False, text=True,
        **popen):
    """
    Runs a program to its end and captures its output -> CompletedProcess.
    stdin is closed unless input= is given; check=True raises AssertionError
    with the output instead of returning a failure.
    """
    if "input" not in popen:
        popen.setdefault("stdin", subprocess.DEVNULL)
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(wrap(argv, user), timeout=timeout, text=text,
                          env={**base_environment(), **(env or {})},
                          start_new_session=True, check=False, **popen)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(str(a) for a in argv)} ended with "
                             f"{done.returncode}:\n{done.stdout}"
                             f"{done.stderr}")
    return done
