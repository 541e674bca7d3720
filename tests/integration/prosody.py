"""
A real Prosody on loopback with a certificate of its own, as `nobody`:

with Prosody(stage, "one", "authentication = ...", modules=("ping",)) as p:
    p.login("SCRAM-SHA-256", "alice", "wonderland") -> as xmpp.Client.login()
    with p.client() as client: ...
    p.log_text() .pid .process

text is put behind the global settings; it starts with its VirtualHost unless
it has global settings of its own. replaced(text, old, new, ...) insists.
"""

import os

import xmpp
from process import wait_until
from stage import NOBODY, find_program, free_port

GLOBAL = """
data_path = "{directory}/data"
pidfile = "{directory}/prosody.pid"
admin_socket = "{directory}/prosody.sock"
log = {{ {{ levels = {{ min = "{level}" }}, to = "console" }} }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{}}
c2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
modules_enabled = {{ "saslauth"; "tls"; "posix"; {modules} }}
modules_disabled = {{ "s2s"; "offline" }}
ssl = {{ certificate = "{directory}/cert.pem"; key = "{directory}/key.pem" }}
"""


class Prosody:
    def __init__(self, stage, name, text, modules=(), level="info", env=None):
        self.stage = stage
        self.directory = stage.make_directory(name, NOBODY)
        stage.make_directory(f"{name}/data", NOBODY)
        self.cafile = f"{self.directory}/cert.pem"
        if not os.path.exists(self.cafile):
            xmpp.certificate(stage, self.directory, NOBODY)
        self.port = free_port("tcp")
        self.config = stage.file(f"{name}/prosody.cfg.lua", GLOBAL.format(
            directory=self.directory, port=self.port, level=level,
            modules=" ".join(f'"{m}";' for m in modules)) + text, user=NOBODY)
        self.log = os.path.join(stage.log_directory, f"{name}.log")
        with open(self.log, "ab") as log:
            self.process = stage.spawn(
                [find_program("prosody"), "-F", "--config", self.config],
                user=NOBODY, stdout=log, stderr=log, cwd="/",
                env={"HOME": self.directory, **(env or {})})
        wait_until(self.listening, 30, f"{name} listening")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.end()

    @property
    def pid(self):
        return self.process.pid

    def listening(self):
        assert self.process.running, self.log_text()[-3000:]
        try:
            self.client().close()
        except OSError:
            return False
        return True

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def client(self, **options):
        return xmpp.Client(self.port, self.cafile, **options)

    def login(self, mechanism, user, password, tls_version=None, **options):
        with self.client(tls_version=tls_version) as one:
            return one.login(mechanism, user, password, **options)
