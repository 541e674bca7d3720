"""
A program on a terminal of its own, as an administrator has it.
"""

import errno
import os
import pty
import re
import select
import signal
import termios
import time

from process import base_environment
from stage import wait_until


class Terminal:
    """A command with a terminal of its own, as an administrator has it."""

    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, {**base_environment(), **env})
            finally:
                os._exit(127)
        self.seen = ""

    def expect(self, pattern, timeout=20):
        end = time.monotonic() + timeout
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, (pattern, self.seen)
            if not self.read(0.2) and not re.search(pattern, self.seen):
                raise AssertionError((pattern, self.seen))

    def read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.fd, 4096)
        except OSError as e:
            assert e.errno == errno.EIO
            return False
        self.seen += data.decode("utf-8", "replace")
        return data != b""

    def type(self, text):
        os.write(self.fd, text.encode())

    def quiet(self):
        """The echo is off: only then may one type."""
        wait_until(lambda: not termios.tcgetattr(self.fd)[3] & termios.ECHO,
                   10, "echo off")

    def loud(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """Reads to the end -> exit status."""
        while self.read(20):
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
