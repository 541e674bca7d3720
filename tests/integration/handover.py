"""
onecredd as a service manager runs it: with a listening socket that outlives it
(LISTEN_FDNAMES, sd_listen_fds(3)). And onecredd that has its database: ready
it is before, but then a first login may take longer than a lookup may, under a
sanitizer on a busy machine.
"""

import os
import socket
import sys

from stage import NOBODY, Daemon, give_to, wait_until

# Becomes the program argv[3:] with the descriptors argv[1] ("5,7") handed over
# by the names argv[2] ("http:radius").
BECOME = """
import fcntl, os, sys
held = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 64)
        for fd in sys.argv[1].split(",")]
for i, fd in enumerate(held):
    os.dup2(fd, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(held)),
                  LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""
# A sanitizer looks for leaks before the process ends.
STOP_SECONDS = 60


class ConnectedDaemon(Daemon):
    """With PostgreSQL running and a log level of info or more."""

    def wait_ready(self, timeout=20):
        super().wait_ready(timeout)
        self.wait_log("database: connected", timeout)


class HandedSocket:
    """A listening unix socket, kept here, and the daemons that serve it."""

    def __init__(self, stage, section, config_text):
        self.stage = stage
        self.section = section
        self.path = f"{stage.path('run')}/handed-{section}.sock"
        self.log = os.path.join(stage.log_directory,
                                f"handed-{section}.log")
        self.config = stage.file(f"handed-{section}.conf", config_text,
                                 user=NOBODY)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        give_to(self.path, NOBODY)
        self.socket.listen(64)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def start(self):
        """A daemon; it may not be ready yet."""
        with open(self.log, "ab") as log:
            return self.stage.spawn(
                [sys.executable, "-c", BECOME, self.socket.fileno(),
                 self.section, self.stage.program("onecredd"), "-c",
                 self.config],
                user=NOBODY, pass_fds=(self.socket.fileno(),), stdout=log,
                stderr=log)

    def wait_ready(self, count):
        """Until count daemons have said that they are."""
        wait_until(lambda: os.path.exists(self.log) and
                   self.log_text().count(" ready") >= count, 20,
                   "onecredd's ` ready`")

    @staticmethod
    def stop(process):
        """As the service manager does; insists on exit status 0."""
        assert process.end(timeout=STOP_SECONDS) == 0, process.exit_status

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()
