"""
ejabberd, unprivileged, on loopback: straight from erl, so without epmd, a
distribution port and ejabberdctl (which insists on its own user).

Ejabberd(stage, config_text)     config_text: the auth_* keys, for instance
                    fragment(stage, "ejabberd.yml"); the rest is BASE: domain
                    example.com, a listener with STARTTLS, a few modules
  .port             of the listener, 127.0.0.1
  .cafile           what its certificate is checked with
  .client()         -> xmpp.Client
  .login(mechanism, user, password, ...)      on a connection of its own
  .log_text()  .helpers() -> pids of its extauth programs
  .stop()           SIGTERM and wait
  max_stanza_size=65536; env=...           more environment; user= who it runs as
  register="none"   who may register, for instance "all"
"""

import glob
import os
import signal

import xmpp
from process import NOBODY, descendants, find_program, free_port, wait_until

BASE = """loglevel: info
log_rotate_count: 0
registration_timeout: infinity
hosts:
  - example.com
certfiles:
  - {directory}/full.pem
ca_file: {directory}/cert.pem
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: {max_stanza_size}
    starttls_required: true
modules:
  mod_disco: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_register:
    ip_access: all
    access: {register}
"""

# Logged once everything is up; the port answers earlier.
READY = "Start accepting TCP connections at 127.0.0.1:{port}"


def erlang_libraries():
    found = glob.glob("/usr/lib/*/ejabberd-*/ebin/ejabberd.app")
    if not found:
        raise AssertionError("ejabberd is not installed "
                             "(make deps-test installs it)")
    return found[0].split("/ejabberd-")[0]


class Ejabberd:
    """See the top."""

    _count = 0

    def __init__(self, stage, config_text, env=None, user=NOBODY,
                 max_stanza_size=65536, timeout=60, register="none"):
        Ejabberd._count += 1
        name = f"ejabberd-{Ejabberd._count}"
        self.directory = stage.make_directory(name, user)
        self.cafile = xmpp.certificate(stage, self.directory, user)
        self.port = free_port("tcp")
        self.log = os.path.join(stage.log_directory, f"{name}.log")
        config = stage.file(f"{name}/ejabberd.yml", BASE.format(
            directory=self.directory, port=self.port,
            max_stanza_size=max_stanza_size, register=register) + config_text, user=user)
        own_log = os.path.join(self.directory, "ejabberd.log")
        with open(self.log, "wb") as log:
            self.process = stage.spawn(
                [find_program("erl"), "-noinput", "+S", "2:2", "-mnesia",
                 "dir", f'"{self.directory}/spool"', "-s", "ejabberd"],
                user=user, cwd=self.directory, stdout=log, stderr=log,
                env={"EJABBERD_CONFIG_PATH": config, "HOME": self.directory,
                     "EJABBERD_LOG_PATH": own_log, "ERL_MAX_PORTS": "1024",
                     "ERL_CRASH_DUMP_BYTES": "0", "ERL_LIBS":
                     erlang_libraries(), **(env or {})})
        self._own_log = own_log

        def ready():
            if not self.process.running:
                raise AssertionError(f"ejabberd ended:\n{self.log_text()}")
            return READY.format(port=self.port) in self.log_text()

        wait_until(ready, timeout, "ejabberd", 0.05)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def log_text(self):
        """Its log file and what it wrote to stdout and stderr."""
        text = ""
        for path in (self.log, self._own_log):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def helpers(self, word="onecred"):
        """Pids of its descendants whose command line has the word."""
        found = []
        for pid in descendants(self.process.pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if word.encode() in f.read():
                        found.append(pid)
            except OSError:
                continue
        return found

    def client(self, **options):
        return xmpp.Client(self.port, self.cafile, **options)

    def login(self, mechanism, user, password, **options):
        with self.client() as client:
            return client.login(mechanism, user, password, **options)

    def stop(self, timeout=20):
        self.process.end(signal.SIGTERM, timeout)
